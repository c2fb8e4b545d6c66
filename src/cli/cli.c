/*
 * cli.c - from the command line to a command, and help.
 *
 * Everything that is the same for all commands happens here, once: options, help, the
 * number of operands, the output's form, the end of standard output.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/report.h"

static const struct command *const commands[] = {
    &command_check, &command_graph,      &command_step, &command_test,     &command_derive,
    &command_run,   &command_start,      &command_send, &command_patch,    &command_list,
    &command_show,  &command_history,    &command_why,  &command_policies, &command_eval,
    &command_adopt, &command_completion,
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

const struct command *const *command_all(size_t *count)
{
    *count = COMMAND_COUNT;
    return commands;
}

/* Known by the design, and refused by name until they are there. */
static const char *const later[] = {
    "init", "serve",    "can",    "redrive", "cancel",   "pause",  "resume",
    "kill", "machines", "deploy", "migrate", "simulate", "replay",
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i];
    }
    return NULL;
}

static int refuse_command(const char *name)
{
    struct span names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = span_from_text(commands[i]->name);
    size_t nearest = span_nearest(span_from_text(name), names, COMMAND_COUNT);
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
        if (strcmp(name, later[i]) == 0) {
            report_problem("`%s` is not there yet", name);
            return CLI_USAGE;
        }
    }
    if (nearest == SIZE_MAX)
        report_problem("unknown command `%s`; interlock --help lists them", name);
    else
        report_problem("unknown command `%s`; did you mean `%s`?", name,
                       commands[nearest]->name);
    return CLI_USAGE;
}

static void print_commands(FILE *to)
{
    fputs("Interlock runs state machines durably.\n\n"
          "usage: interlock COMMAND …\n\n",
          to);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-11s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\ninterlock COMMAND --help tells more. Exit status: 0 done, 1 what was asked for\n"
          "failed, 2 wrong usage, 3 a file, database or network that cannot be used.\n",
          to);
}

static void print_option(const struct command *command, size_t index)
{
    const struct option *option = &command->options[index];
    char left[64];
    char letter[8] = "    ";
    if (option->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name,
             option->value == NULL ? "" : " ", option->value == NULL ? "" : option->value);
    printf("  %-24s %s", left, option->help);
    if (command->formats != 0 && command->output_option == (int)index) {
        struct text formats;
        text_init(&formats, NULL);
        output_list_formats(command->formats, &formats);
        printf(": %.*s", SPAN_ARGS(text_span(&formats)));
        text_fini(&formats);
    }
    putchar('\n');
}

static void print_help(const struct command *command)
{
    printf("usage: interlock %s %s\n\n%s\n", command->name, command->usage, command->text);
    for (size_t i = 0; i < command->option_count; i++) {
        if (i == 0)
            putchar('\n');
        if (!command->options[i].is_later)
            print_option(command, i);
    }
    printf("\nexample:\n%s\n", command->example);
}

static int help(int count, char **names)
{
    if (count == 0) {
        print_commands(stdout);
        return CLI_OK;
    }
    const struct command *command = find_command(names[0]);
    if (command == NULL)
        return refuse_command(names[0]);
    print_help(command);
    return CLI_OK;
}

static bool asks_for_help(int count, char **arguments)
{
    for (int i = 0; i < count && strcmp(arguments[i], "--") != 0; i++) {
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0)
            return true;
    }
    return false;
}

/* What is wrong with a command's arguments, said with where to read more. */
static int refuse_usage(const struct command *command, const char *problem)
{
    report_problem("%s: %s\nusage: interlock %s %s", command->name, problem, command->name,
                   command->usage);
    return CLI_USAGE;
}

static int run_read(const struct cli_world *world, const struct command *command,
                    const struct arguments *arguments)
{
    char problem[256];
    enum output_format format = OUTPUT_TEXT;
    if (arguments->operand_count < command->operands_min)
        return refuse_usage(command, "something is missing");
    if (arguments->operand_count > command->operands_max) {
        snprintf(problem, sizeof problem, "`%s` is too much",
                 arguments->operands[command->operands_max]);
        return refuse_usage(command, problem);
    }
    const char *name = command->formats == 0 ? NULL : arguments->values[command->output_option];
    if (name != NULL && !output_find_format(name, command->formats, &format, problem))
        return refuse_usage(command, problem);
    return (int)command->run(world, arguments, format);
}

static int run_command(const struct cli_world *world, const struct command *command, int count,
                       char **words)
{
    if (asks_for_help(count, words)) {
        print_help(command);
        return CLI_OK;
    }
    char problem[256];
    struct arguments arguments;
    int exit =
        options_read(command->options, command->option_count, count, words, &arguments, problem)
            ? run_read(world, command, &arguments)
            : refuse_usage(command, problem);
    arguments_fini(&arguments);
    return exit;
}

static int run_any(const struct cli_world *world, int count, char **words)
{
    if (count == 0) {
        print_commands(stderr);
        return CLI_USAGE;
    }
    if (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0 ||
        strcmp(words[0], "help") == 0)
        return help(count - 1, words + 1);
    if (strcmp(words[0], "--version") == 0) {
        puts("interlock " INTERLOCK_VERSION);
        return CLI_OK;
    }
    const struct command *command = find_command(words[0]);
    if (command == NULL)
        return refuse_command(words[0]);
    return run_command(world, command, count - 1, words + 1);
}

int cli_run(const struct cli_world *world, int argument_count, char **arguments)
{
    return (int)output_end((enum cli_exit)run_any(world, argument_count - 1, arguments + 1));
}
