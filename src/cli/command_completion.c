/*
 * command_completion.c - `interlock completion`: scripts by which a shell completes commands.
 *
 * They are made from the tables that the command line is read by, so what a shell offers is
 * what there is. Options that come later are not offered.
 */
#include <string.h>

#include "cli/command.h"
#include "cli/report.h"

struct shell {
    const char *name;
    void (*print)(struct text *text);
};

static void add(struct text *text, const char *words)
{
    text_add(text, span_from_text(words));
}

static bool takes_files(const struct command *command)
{
    return strncmp(command->usage, "FILE", 4) == 0;
}

static bool is_file(const struct option *option)
{
    return option->value != NULL &&
           (strcmp(option->value, "FILE") == 0 || strcmp(option->value, "PATH") == 0);
}

/* The words that an option's value may be, with blanks between; nothing when it may be any. */
static void add_values(struct text *text, const struct command *command, size_t index)
{
    size_t start = text->size;
    if (command->options[index].words != NULL)
        add(text, command->options[index].words);
    if (command->formats != 0 && command->output_option == (int)index)
        output_list_formats(command->formats, text);
    for (size_t i = start; i < text->size; i++) {
        if (text->bytes[i] == '|')
            text->bytes[i] = ' ';
    }
}

static void add_command_names(struct text *text)
{
    size_t count;
    const struct command *const *commands = command_all(&count);
    for (size_t i = 0; i < count; i++)
        text_format(text, "%s%s", i == 0 ? "" : " ", commands[i]->name);
}

/* bash */

static void add_bash_value(struct text *text, const struct command *command, size_t index)
{
    const struct option *option = &command->options[index];
    struct text values = {.arena = NULL};
    add_values(&values, command, index);
    text_format(text, "    '%s --%s'", command->name, option->name);
    if (option->letter != 0)
        text_format(text, " | '%s -%c'", command->name, option->letter);
    if (is_file(option))
        add(text, ") files=1 ;;\n");
    else
        text_format(text, ") words='%.*s' ;;\n", SPAN_ARGS(text_span(&values)));
    text_fini(&values);
}

static void add_bash_options(struct text *text, const struct command *command)
{
    text_format(text, "    '%s') words='--help", command->name);
    for (size_t i = 0; i < command->option_count; i++) {
        if (!command->options[i].is_later)
            text_format(text, " --%s", command->options[i].name);
    }
    add(text, "' ;;\n");
}

/* Whether a value follows is seen first, then whether an option is begun, then operands. */
static void print_bash(struct text *text)
{
    size_t count;
    const struct command *const *commands = command_all(&count);
    add(text, "# bash completion of interlock: source it, or keep it as\n"
              "# /usr/share/bash-completion/completions/interlock\n"
              "_interlock()\n{\n"
              "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
              "    local command=${COMP_WORDS[1]} words= files=0 is_value=1\n"
              "    if [[ $word == = ]]; then\n"
              "        word=\n"
              "    elif [[ $before == = ]]; then\n"
              "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
              "    fi\n"
              "    case \"$command $before\" in\n");
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < commands[i]->option_count; k++) {
            if (!commands[i]->options[k].is_later && commands[i]->options[k].value != NULL)
                add_bash_value(text, commands[i], k);
        }
    }
    add(text, "    *) is_value=0 ;;\n    esac\n"
              "    if ((COMP_CWORD == 1)); then\n        words='");
    add_command_names(text);
    add(text, " help --help --version'\n"
              "    elif ((!is_value)) && [[ $word == -* ]]; then\n"
              "        case $command in\n");
    for (size_t i = 0; i < count; i++) {
        add(text, "    ");
        add_bash_options(text, commands[i]);
    }
    add(text, "        esac\n"
              "    elif ((!is_value)); then\n"
              "        case $command in\n");
    for (size_t i = 0; i < count; i++) {
        if (takes_files(commands[i]))
            text_format(text, "        '%s') files=1 ;;\n", commands[i]->name);
    }
    add(text, "        'completion') words='bash zsh' ;;\n        'help') words='");
    add_command_names(text);
    add(text, "' ;;\n        esac\n    fi\n"
              "    COMPREPLY=()\n"
              "    if ((files)); then\n"
              "        compopt -o filenames 2>/dev/null\n"
              "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
              "    else\n"
              "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
              "    fi\n"
              "    [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null\n"
              "}\n"
              "complete -F _interlock interlock\n");
}

/* zsh */

/* Words inside '…', where zsh's own marks are quoted once more. */
static void add_zsh_words(struct text *text, const char *words)
{
    for (; *words != '\0'; words++) {
        if (*words == '\'') {
            add(text, "'\\''");
            continue;
        }
        if (strchr("[]:\\", *words) != NULL)
            text_add_byte(text, '\\');
        text_add_byte(text, *words);
    }
}

static void add_zsh_names(struct text *text, const struct option *option)
{
    const char *equals = option->value == NULL ? "" : "=";
    if (option->letter == 0)
        text_format(text, "'%s--%s%s", option->is_repeatable ? "*" : "", option->name, equals);
    else
        text_format(text, "'(-%c --%s)'{-%c%s,--%s%s}'", option->letter, option->name,
                    option->letter, option->value == NULL ? "" : "+", option->name, equals);
}

static void add_zsh_option(struct text *text, const struct command *command, size_t index)
{
    const struct option *option = &command->options[index];
    struct text values = {.arena = NULL};
    add_values(&values, command, index);
    add(text, " \\\n            ");
    add_zsh_names(text, option);
    text_add_byte(text, '[');
    add_zsh_words(text, option->help);
    text_add_byte(text, ']');
    if (option->value != NULL) {
        text_add_byte(text, ':');
        add_zsh_words(text, option->value);
        text_add_byte(text, ':');
        if (is_file(option))
            add(text, "_files");
        else if (values.size > 0)
            text_format(text, "(%.*s)", SPAN_ARGS(text_span(&values)));
    }
    text_add_byte(text, '\'');
    text_fini(&values);
}

static void add_zsh_command(struct text *text, const struct command *command)
{
    text_format(text, "    %s)\n        _arguments", command->name);
    for (size_t i = 0; i < command->option_count; i++) {
        if (!command->options[i].is_later)
            add_zsh_option(text, command, i);
    }
    add(text, " \\\n            '(-h --help)'{-h,--help}'[tell more]'");
    if (takes_files(command))
        add(text, " \\\n            '*:file:_files'");
    if (command == &command_completion)
        add(text, " \\\n            ':shell:(bash zsh)'");
    add(text, "\n        ;;\n");
}

static void print_zsh(struct text *text)
{
    size_t count;
    const struct command *const *commands = command_all(&count);
    add(text, "#compdef interlock\n"
              "# zsh completion of interlock: source it, or keep it as _interlock in a folder\n"
              "# of $fpath\n"
              "_interlock() {\n"
              "    local -a commands=(\n");
    for (size_t i = 0; i < count; i++) {
        text_format(text, "        '%s:", commands[i]->name);
        add_zsh_words(text, commands[i]->summary);
        add(text, "'\n");
    }
    add(text, "    )\n"
              "    if ((CURRENT == 2)); then\n"
              "        _describe command commands\n"
              "        return\n"
              "    fi\n"
              "    shift words\n"
              "    ((CURRENT--))\n"
              "    case $words[1] in\n");
    for (size_t i = 0; i < count; i++)
        add_zsh_command(text, commands[i]);
    add(text, "    help)\n"
              "        _describe command commands\n"
              "        ;;\n"
              "    esac\n"
              "}\n"
              "if [[ $funcstack[1] == _interlock ]]; then\n"
              "    _interlock \"$@\"\n"
              "else\n"
              "    compdef _interlock interlock\n"
              "fi\n");
}

static const struct shell shells[] = {{"bash", print_bash}, {"zsh", print_zsh}};

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    (void)world;
    (void)format;
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(arguments->operands[0], shells[i].name) != 0)
            continue;
        struct text text = {.arena = NULL};
        shells[i].print(&text);
        output_add(text_span(&text));
        text_fini(&text);
        return CLI_OK;
    }
    report_problem("completion: there is bash and zsh, and no `%s`", arguments->operands[0]);
    return CLI_USAGE;
}

const struct command command_completion = {
    .name = "completion",
    .summary = "a script by which a shell completes all this",
    .usage = "bash|zsh",
    .text = "Prints the script. Installed packages have it in its place; otherwise source it.",
    .example = "  source <(interlock completion bash)",
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
