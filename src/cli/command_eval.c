/*
 * command_eval.c - `interlock eval`: CEL expressions, one or a stream of them.
 *
 * A batch is how conformance cases and other programs ask: a line in, an answer out, in the
 * same order. Whatever is wrong with a line, its expression or its values is its answer.
 * Nothing stops at a bad line.
 *
 * An expression is compiled for the names it is given: those in `bindings` and those that
 * `type_env` declares. It is checked before it runs unless `disable_check` says that unknown
 * names are errors only when they are reached.
 */
#include "base/json.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/json_argument.h"
#include "cli/report.h"
#include "cli/tagged_value.h"
#include "expr/expr.h"
#include "os/os.h"

enum { TYPED, BINDINGS, BATCH, OPTION_COUNT };

static const struct option options[] = {
    [TYPED] = {.name = "typed", .help = "values carry their kinds: {\"int\":\"1\"}"},
    [BINDINGS] = {.name = "bindings",
                  .value = "JSON",
                  .help = "an object with a member for each name, or @FILE"},
    [BATCH] = {.name = "batch", .help = "a line of JSON on stdin for each expression"},
};

enum { LINE_ARENA_BYTES = 64 * RECORD_LINE_BYTES_MAX };

/* One expression with all that is said about it. */
struct question {
    struct span expression;
    struct span container;
    struct value bindings; /* a map, or null */
    struct value type_env; /* a list, or null */
    bool has_no_macros;
    bool is_unchecked;
    bool wants_type;
};

struct evaluation {
    struct arena arena; /* of one line */
    struct text answer;
    bool is_typed;
    bool flushes; /* somebody may be waiting for the answer */
    bool failed;  /* a line was no question */
};

/* The names an expression may use, what is known of them, and what is bound to them. */
struct names {
    struct span *names;
    struct value *values;
    const struct type **types;
    size_t count;
    struct type_env env;
};

/* The name's place, added when it is new. There is room for all. */
static size_t place_of(struct names *names, struct span name)
{
    size_t i = 0;
    while (i < names->count && !span_equal(names->names[i], name))
        i++;
    if (i == names->count) {
        names->names[i] = name;
        names->values[i] = (struct value){.kind = VALUE_ERROR}; /* unbound */
        names->types[i] = NULL;
        names->count++;
    }
    return i;
}

/* Takes the place of each declared name; false with a problem. */
static bool read_types(struct evaluation *evaluation, const struct question *question,
                       struct names *names, struct span *problem)
{
    const char *why;
    if (!type_env_read(question->type_env, &evaluation->arena, &names->env, &why)) {
        *problem = text_print(&evaluation->arena, "`type_env`: %s", why);
        return false;
    }
    for (uint32_t i = 0; i < names->env.count; i++)
        names->types[place_of(names, names->env.names[i])] = names->env.types[i];
    return true;
}

static bool read_values(struct evaluation *evaluation, const struct question *question,
                        struct names *names, struct span *problem)
{
    struct value bindings = question->bindings;
    for (uint32_t i = 0; i < bindings.count; i++) {
        const char *why;
        struct span name = value_span(bindings.entries[i].key);
        struct value *value = &names->values[place_of(names, name)];
        if (!evaluation->is_typed) {
            *value = bindings.entries[i].value;
        } else if (!tagged_value_read(bindings.entries[i].value, &evaluation->arena, value,
                                      &why)) {
            *problem =
                text_print(&evaluation->arena, "the binding `%.*s`: %s", SPAN_ARGS(name), why);
            return false;
        }
    }
    return true;
}

/* False with a problem. */
static bool read_names(struct evaluation *evaluation, const struct question *question,
                       struct names *names, struct span *problem)
{
    size_t count = (size_t)question->bindings.count + question->type_env.count;
    names->names = arena_new_array(&evaluation->arena, count, struct span);
    names->values = arena_new_array(&evaluation->arena, count, struct value);
    names->types = arena_new_array(&evaluation->arena, count, const struct type *);
    return read_types(evaluation, question, names, problem) &&
           read_values(evaluation, question, names, problem);
}

static void answer_text(struct evaluation *evaluation, const char *key, struct span text)
{
    text_format(&evaluation->answer, "{\"%s\":", key);
    json_write_string(&evaluation->answer, text);
    text_add_byte(&evaluation->answer, '}');
}

static void write_value(struct evaluation *evaluation, struct value value)
{
    if (evaluation->is_typed)
        tagged_value_write(&evaluation->answer, value);
    else
        json_write(&evaluation->answer, value);
}

static void answer_value(struct evaluation *evaluation, struct value value)
{
    if (value_is_error(value)) {
        answer_text(evaluation, "error", value_span(value));
        return;
    }
    text_add(&evaluation->answer, SPAN("{\"value\":"));
    write_value(evaluation, value);
    text_add_byte(&evaluation->answer, '}');
}

static struct expr_scope scope_of(const struct question *question, const struct names *names)
{
    return (struct expr_scope){
        .variables = names->names,
        .variable_count = names->count,
        .container = question->container,
        .is_open = question->is_unchecked,
        .has_no_macros = question->has_no_macros,
        .types = names->types,
        .signatures = names->env.signatures,
        .signature_count = names->env.signature_count,
    };
}

/* Checked too, where that is wanted. NULL after at least one error. */
static const struct expr_program *compile(struct evaluation *evaluation,
                                          const struct question *question,
                                          const struct names *names,
                                          struct diagnostics *diagnostics)
{
    struct place place = {SPAN("expression"), 1, 1};
    struct expr_scope scope = scope_of(question, names);
    const struct expr_program *program =
        expr_compile(question->expression, place, &scope, &evaluation->arena, diagnostics);
    if (program != NULL && !question->is_unchecked)
        expr_check(program, &scope, &evaluation->arena, diagnostics);
    return diagnostics->errors > 0 ? NULL : program;
}

static struct value run_program(struct evaluation *evaluation,
                                const struct expr_program *program, const struct names *names)
{
    struct expr_frame frame = {.slots = names->values, .slot_count = names->count};
    return expr_run(program, &frame, &evaluation->arena);
}

static struct span first_error(const struct diagnostics *diagnostics)
{
    const struct diagnostic *diagnostic = diagnostics->first;
    while (diagnostic->severity != SEVERITY_ERROR)
        diagnostic = diagnostic->next;
    return diagnostic->message;
}

static void answer_type(struct evaluation *evaluation, const struct question *question,
                        const struct names *names, struct diagnostics *diagnostics)
{
    struct text text;
    struct place place = {SPAN("expression"), 1, 1};
    struct expr_scope scope = scope_of(question, names);
    const struct type *type =
        expr_type_of(question->expression, place, &scope, &evaluation->arena, diagnostics);
    if (type == NULL) {
        answer_text(evaluation, "error", first_error(diagnostics));
        return;
    }
    text_init(&text, &evaluation->arena);
    type_write(&text, type);
    answer_text(evaluation, "type", text_span(&text));
}

static void answer_program(struct evaluation *evaluation, const struct question *question,
                           const struct names *names, struct diagnostics *diagnostics)
{
    const struct expr_program *program = compile(evaluation, question, names, diagnostics);
    if (program == NULL)
        answer_text(evaluation, "error", first_error(diagnostics));
    else
        answer_value(evaluation, run_program(evaluation, program, names));
}

/* Answers a question that was read. */
static void answer_question(struct evaluation *evaluation, const struct question *question)
{
    struct names names = {.count = 0};
    struct diagnostics diagnostics;
    struct span problem;
    diagnostics_init(&diagnostics, &evaluation->arena);
    if (!read_names(evaluation, question, &names, &problem))
        answer_text(evaluation, "error", problem);
    else if (question->wants_type)
        answer_type(evaluation, question, &names, &diagnostics);
    else
        answer_program(evaluation, question, &names, &diagnostics);
}

/* A member that is a flag: absent and null are false. False when it is anything else. */
static bool read_flag(struct value line, struct span key, bool *flag)
{
    struct value value = value_member(line, key);
    *flag = value_is_true(value);
    return value.kind == VALUE_BOOL || value.kind == VALUE_NULL;
}

/* A member of a kind, absent and null being the kind's zero. */
static bool read_member(struct value line, struct span key, enum value_kind kind,
                        struct value *value)
{
    *value = value_member(line, key);
    if (value->kind == VALUE_NULL)
        *value = (struct value){.kind = (uint8_t)kind};
    return value->kind == kind;
}

/* NULL, or what is wrong with the line. Members it does not know are somebody else's. */
static const char *read_question(struct value line, struct question *question)
{
    struct value expression = value_member(line, SPAN("expr"));
    struct value container;
    *question = (struct question){.expression = value_span(expression)};
    if (line.kind != VALUE_MAP)
        return "a line is a JSON object with `expr`";
    if (expression.kind != VALUE_STRING)
        return "`expr` is missing, or no string";
    if (!read_member(line, SPAN("bindings"), VALUE_MAP, &question->bindings))
        return "`bindings` is an object";
    if (!read_member(line, SPAN("type_env"), VALUE_LIST, &question->type_env))
        return "`type_env` is a list";
    if (!read_member(line, SPAN("container"), VALUE_STRING, &container))
        return "`container` is a string";
    if (!read_flag(line, SPAN("disable_macros"), &question->has_no_macros) ||
        !read_flag(line, SPAN("disable_check"), &question->is_unchecked) ||
        !read_flag(line, SPAN("check_only"), &question->wants_type))
        return "`disable_macros`, `disable_check` and `check_only` are true or false";
    question->container = value_span(container);
    return NULL;
}

static void refuse_line(struct evaluation *evaluation, const char *problem)
{
    text_clear(&evaluation->answer);
    answer_text(evaluation, "error", span_from_text(problem));
    evaluation->failed = true;
}

static void answer_json(struct evaluation *evaluation, struct span line)
{
    struct json_error error;
    struct value json;
    struct question question;
    if (json_read(line, &evaluation->arena, &json, &error) != STATUS_OK) {
        refuse_line(evaluation,
                    text_print(&evaluation->arena, "not valid JSON: %s at column %u",
                               error.message, json_place(line, error.offset, SPAN("")).column)
                        .text);
        return;
    }
    const char *problem = read_question(json, &question);
    if (problem == NULL)
        answer_question(evaluation, &question);
    else
        refuse_line(evaluation, problem);
}

static void answer_line(struct evaluation *evaluation, struct span line)
{
    struct arena_guard guard;
    arena_clear(&evaluation->arena);
    if (arena_is_spent(&evaluation->arena, &guard)) {
        refuse_line(evaluation, "the line needs more memory than a line may have");
        return;
    }
    answer_json(evaluation, line);
    arena_release_guard(&evaluation->arena, &guard);
}

/* Prints the answer; false when nobody reads any more. */
static bool print_answer(struct evaluation *evaluation)
{
    text_add_byte(&evaluation->answer, '\n');
    output_add(text_span(&evaluation->answer));
    text_clear(&evaluation->answer);
    return !evaluation->flushes || output_flush();
}

static enum cli_exit run_batch(struct evaluation *evaluation)
{
    struct file_lines *lines;
    struct span line;
    bool too_long;
    bool is_read = true;
    const char *problem = NULL;
    evaluation->flushes = file_size("-") == 0;
    if (file_lines_open("-", RECORD_LINE_BYTES_MAX, &lines, &problem) != STATUS_OK)
        return CLI_OK; /* closed: there is nothing to read */
    while (is_read && file_lines_next(lines, &line, &too_long)) {
        if (span_trim(line).size == 0)
            continue;
        if (too_long)
            refuse_line(evaluation, "the line is too long");
        else
            answer_line(evaluation, line);
        is_read = print_answer(evaluation);
    }
    if (file_lines_close(lines) != STATUS_OK) {
        report_file("stdin", "reading failed");
        return CLI_WORLD;
    }
    return evaluation->failed ? CLI_FAILED : CLI_OK;
}

static enum cli_exit tell_diagnostics(struct diagnostics *diagnostics)
{
    int lines_left = DIAGNOSTICS_SHOWN_MAX;
    report_diagnostics(diagnostics, SEVERITY_WARNING, &lines_left);
    return CLI_FAILED;
}

static enum cli_exit print_value(struct evaluation *evaluation, struct value value)
{
    if (value_is_error(value)) {
        report_error(CODE_EVALUATION, "%.*s", SPAN_ARGS(value_span(value)));
        return CLI_FAILED;
    }
    write_value(evaluation, value);
    print_answer(evaluation);
    return CLI_OK;
}

/* One expression, for people: its value alone on standard output, all that is wrong with it on
 * standard error. */
static enum cli_exit run_one(struct evaluation *evaluation, const char *expression,
                             struct value bindings)
{
    struct question question = {.expression = span_from_text(expression), .bindings = bindings};
    struct names names = {.count = 0};
    struct diagnostics diagnostics;
    struct span problem;
    diagnostics_init(&diagnostics, &evaluation->arena);
    if (!read_names(evaluation, &question, &names, &problem)) {
        report_problem("eval: %.*s", SPAN_ARGS(problem));
        return CLI_USAGE;
    }
    const struct expr_program *program = compile(evaluation, &question, &names, &diagnostics);
    if (program == NULL)
        return tell_diagnostics(&diagnostics);
    return print_value(evaluation, run_program(evaluation, program, &names));
}

static enum cli_exit run_one_guarded(struct evaluation *evaluation, const char *expression,
                                     const char *bindings_text)
{
    struct arena_guard guard;
    struct value bindings;
    enum cli_exit exit =
        json_argument_read("eval", "--bindings", bindings_text, &evaluation->arena, &bindings);
    if (exit != CLI_OK)
        return exit;
    if (bindings.kind != VALUE_MAP && bindings.kind != VALUE_NULL) {
        report_problem("eval: --bindings is a JSON object with a member for each name");
        return CLI_USAGE;
    }
    if (arena_is_spent(&evaluation->arena, &guard)) {
        report_problem("eval: the expression needs more memory than it may have");
        return CLI_FAILED;
    }
    exit = run_one(evaluation, expression, bindings);
    arena_release_guard(&evaluation->arena, &guard);
    return exit;
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    struct evaluation evaluation = {.is_typed = arguments->values[TYPED] != NULL};
    enum cli_exit exit;
    bool is_batch = arguments->values[BATCH] != NULL;
    (void)world;
    (void)format;
    if (is_batch == (arguments->operand_count == 1) ||
        (is_batch && arguments->values[BINDINGS] != NULL)) {
        report_problem(is_batch ? "eval: with --batch, expressions and bindings come on stdin"
                                : "eval: the expression is missing");
        return CLI_USAGE;
    }
    arena_open(&evaluation.arena, LINE_ARENA_BYTES);
    text_init(&evaluation.answer, NULL);
    exit = is_batch ? run_batch(&evaluation)
                    : run_one_guarded(&evaluation, arguments->operands[0],
                                      arguments->values[BINDINGS]);
    text_fini(&evaluation.answer);
    arena_close(&evaluation.arena);
    return exit;
}

const struct command command_eval = {
    .name = "eval",
    .summary = "evaluate a CEL expression, or a stream of them",
    .usage = "[--typed] [--bindings JSON|@FILE] EXPR | [--typed] --batch",
    .text =
        "Prints the expression's value as JSON. With --batch each line of standard input is "
        "an\n"
        "object, answered by one line in the same order:\n"
        "  {\"expr\":\"x + 1\",\"bindings\":{\"x\":2}}   {\"value\":3}, or {\"error\":\"…\"}\n"
        "  {\"expr\":\"[1]\",\"check_only\":true}      {\"type\":\"list(int)\"}\n"
        "It may also have `container`, `type_env`, `disable_check` and `disable_macros`.",
    .example = "  interlock eval 'o.total > 100 && !o.blocked' \\\n"
               "      --bindings '{\"o\":{\"total\":120,\"blocked\":false}}'",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_min = 0,
    .operands_max = 1,
    .run = run,
};
