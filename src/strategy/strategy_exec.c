/*
 * strategy_exec.c - a step as one run of a program.
 *
 * The program is started directly, never through a shell, so an argument is an argument
 * whatever is in it. A relative program is looked up beside the definition first: a folder
 * with a definition and its scripts works wherever it is moved.
 *
 * A timeout is told when it passes; the program then has half a second to end before it is
 * killed with all that it started.
 */
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "strategy/answer.h"
#include "strategy/attempt.h"
#include "strategy/attempt_scope.h"
#include "strategy/settings.h"

enum {
    GRACE_MS = 500,
    EXIT_UNAVAILABLE = 75, /* EX_TEMPFAIL of sysexits.h */
    OWN_VARIABLES_MAX = 6,
};

struct exec_settings {
    const struct expr_slot *const *arguments; /* the program first */
    size_t argument_count;
    struct settings_pairs environment;
    const struct expr_slot *working_folder; /* NULL: the definition's */
    const char *folder;                     /* the definition's */
    bool is_text;                           /* output: text */
};

/* Reading the settings */

static bool read_list(const struct settings *settings, const struct node *command,
                      struct exec_settings *exec)
{
    const struct expr_slot **arguments =
        arena_new_array(settings->arena, command->count, const struct expr_slot *);
    bool is_good = true;
    for (uint32_t i = 0; i < command->count; i++) {
        arguments[i] =
            settings_text(settings, command->items[i], i == 0 ? "the program" : "an argument");
        is_good &= arguments[i] != NULL;
    }
    exec->arguments = arguments;
    exec->argument_count = command->count;
    return is_good;
}

static bool read_program(const struct settings *settings, const struct node *command,
                         struct exec_settings *exec)
{
    const struct expr_slot **arguments =
        arena_new_array(settings->arena, 1, const struct expr_slot *);
    arguments[0] = settings_value(settings, command);
    exec->arguments = arguments;
    exec->argument_count = 1;
    return arguments[0] != NULL;
}

static bool is_no_program(const struct node *command)
{
    return (command->kind == NODE_LIST && command->count == 0) ||
           (node_is_string(command) && node_text(command).size == 0);
}

static bool read_command(const struct settings *settings, const struct node *command,
                         const char *what, struct exec_settings *exec)
{
    if (is_no_program(command)) {
        diagnostics_add(settings->diagnostics, SEVERITY_ERROR, "IL0103", command->place,
                        "%s needs a program", what);
        return false;
    }
    if (node_is_string(command))
        return read_program(settings, command, exec);
    if (command->kind == NODE_LIST)
        return read_list(settings, command, exec);
    settings_wrong_type(settings, command, what, "a program and its arguments as a list");
    return false;
}

static bool is_variable_name(struct span name)
{
    return name.size > 0 && memchr(name.text, '=', name.size) == NULL &&
           memchr(name.text, '\0', name.size) == NULL;
}

static bool read_map(const struct settings *settings, struct exec_settings *exec)
{
    static const struct span keys[] = {{"command", 7}, {"output", 6}, {"env", 3}, {"cwd", 3}};
    const struct node *map = settings->node;
    const struct node *command = node_find(map, SPAN("command"));
    const struct node *working_folder = node_find(map, SPAN("cwd"));
    bool is_good = command != NULL;
    settings_check_keys(settings, keys, sizeof keys / sizeof *keys);
    if (command == NULL)
        diagnostics_add(settings->diagnostics, SEVERITY_ERROR, "IL0103", map->place,
                        "`exec` needs a `command`");
    else
        is_good &= read_command(settings, command, "`command`", exec);
    is_good &= settings_output(settings, node_find(map, SPAN("output")), &exec->is_text);
    is_good &= settings_pairs(settings, node_find(map, SPAN("env")), "env", is_variable_name,
                              &exec->environment);
    if (working_folder != NULL) {
        exec->working_folder = settings_text(settings, working_folder, "`cwd`");
        is_good &= exec->working_folder != NULL;
    }
    return is_good;
}

static const void *exec_parse(const struct node *node, const struct node *step,
                              const char *folder, struct arena *arena,
                              struct diagnostics *diagnostics)
{
    const struct settings settings = {node, arena, diagnostics};
    uint32_t errors = diagnostics->errors;
    struct exec_settings *exec = arena_new(arena, struct exec_settings);
    exec->folder = arena_copy(arena, span_from_text(folder)).text;
    bool is_good = settings_output(&settings, node_find(step, SPAN("output")), &exec->is_text);
    if (node->kind == NODE_MAP)
        is_good &= read_map(&settings, exec);
    else
        is_good &= read_command(&settings, node, "`exec`", exec);
    return is_good && diagnostics->errors == errors ? exec : NULL;
}

/* Building a request */

struct exec_strategy {
    struct running running;
};

struct exec_attempt {
    struct attempt attempt;
    struct process *process;
    duration_ms timeout_ms;
    bool is_text;
};

/* What one attempt's settings came to; all in the arena. */
struct built {
    struct process_request request;
    struct span program;
    struct span problem; /* why it could not be built */
};

static const char *resolve(const char *folder, struct span path, struct arena *arena)
{
    char *resolved = file_resolve(folder, path);
    const char *copy = arena_copy(arena, span_from_text(resolved)).text;
    memory_release(resolved);
    return copy;
}

/* A bare name is one beside the definition, if there is one, else left to PATH. */
static const char *find_program(const char *folder, struct span program, struct arena *arena)
{
    const char *beside = resolve(folder, program, arena);
    bool is_path = memchr(program.text, '/', program.size) != NULL;
    return is_path || file_exists(beside) ? beside : program.text;
}

static bool build_arguments(const struct exec_settings *exec, const struct attempt_frame *frame,
                            struct arena *arena, struct built *built)
{
    const char **arguments = arena_new_array(arena, exec->argument_count + 1, const char *);
    for (size_t i = 0; i < exec->argument_count; i++) {
        struct span argument;
        if (!attempt_frame_text(frame, exec->arguments[i], i == 0 ? "program" : "argument",
                                arena, &argument, &built->problem))
            return false;
        arguments[i] = argument.text;
        if (i == 0)
            built->program = argument;
    }
    arguments[exec->argument_count] = NULL;
    if (built->program.size == 0) {
        built->problem = SPAN("the program's name is empty");
        return false;
    }
    arguments[0] = find_program(exec->folder, built->program, arena);
    built->request.arguments = arguments;
    return true;
}

static const char *variable(struct arena *arena, const char *name, struct span value)
{
    return text_print(arena, "%s=%.*s", name, SPAN_ARGS(value)).text;
}

static bool build_environment(const struct exec_settings *exec,
                              const struct attempt_frame *frame,
                              const struct attempt_request *request, struct arena *arena,
                              struct built *built)
{
    const struct settings_pairs *pairs = &exec->environment;
    const char **all =
        arena_new_array(arena, OWN_VARIABLES_MAX + pairs->count + 1, const char *);
    size_t count = 0;
    all[count++] = variable(arena, "INTERLOCK_IDEMPOTENCY_KEY", request->key);
    all[count++] = variable(arena, "INTERLOCK_INSTANCE", request->instance);
    all[count++] = variable(arena, "INTERLOCK_STEP", request->step);
    all[count++] = text_print(arena, "INTERLOCK_ATTEMPT=%u", (unsigned)request->attempt).text;
    all[count++] =
        text_print(arena, "INTERLOCK_DEADLINE=%lld", (long long)request->timeout_ms).text;
    if (request->trace.size > 0)
        all[count++] = variable(arena, "TRACEPARENT", request->trace);
    for (size_t i = 0; i < pairs->count; i++) {
        struct span value;
        if (!attempt_frame_text(frame, pairs->pairs[i].value, pairs->pairs[i].name.text, arena,
                                &value, &built->problem))
            return false;
        all[count++] = variable(arena, pairs->pairs[i].name.text, value);
    }
    all[count] = NULL;
    built->request.environment = all;
    return true;
}

static bool build_working_folder(const struct exec_settings *exec,
                                 const struct attempt_frame *frame, struct arena *arena,
                                 struct built *built)
{
    struct span folder;
    built->request.folder = exec->folder;
    if (exec->working_folder == NULL)
        return true;
    if (!attempt_frame_text(frame, exec->working_folder, "cwd", arena, &folder,
                            &built->problem))
        return false;
    built->request.folder = resolve(exec->folder, folder, arena);
    return true;
}

static bool build(const struct exec_settings *exec, const struct attempt_request *request,
                  struct arena *arena, struct built *built)
{
    struct attempt_frame frame;
    struct text input;
    attempt_frame_init(&frame, request);
    text_init(&input, arena);
    json_write(&input, request->input);
    built->request.input = text_span(&input);
    built->request.output_bytes_max = STEP_OUTPUT_BYTES_MAX;
    built->request.stderr_tail_bytes = STEP_STDERR_TAIL_BYTES;
    return build_arguments(exec, &frame, arena, built) &&
           build_environment(exec, &frame, request, arena, built) &&
           build_working_folder(exec, &frame, arena, built);
}

static bool build_guarded(const struct exec_settings *exec,
                          const struct attempt_request *request, struct arena *arena,
                          struct built *built)
{
    struct arena_guard guard;
    if (arena_is_spent(arena, &guard)) {
        built->problem = SPAN("the request needs too much memory");
        return false;
    }
    bool is_built = build(exec, request, arena, built);
    arena_release_guard(arena, &guard);
    return is_built;
}

/* What came of it */

static void on_timeout(void *context)
{
    struct exec_attempt *exec = context;
    struct text message = {.arena = NULL};
    process_cancel(exec->process, GRACE_MS, true);
    text_add(&message, text_span(&exec->attempt.subject));
    text_add(&message, SPAN(": not done within "));
    time_add_duration(&message, exec->timeout_ms);
    attempt_fail(&exec->attempt, ERROR_KIND_TIMEOUT, 0, text_span(&message));
    text_fini(&message);
}

/* What can be mended by starting again is for the step's retry; a program that is not there is
 * not. */
static void tell_not_started(struct exec_attempt *exec, const struct process_result *ended)
{
    struct text message = {.arena = NULL};
    text_format(&message, "cannot start '%.*s': %s",
                SPAN_ARGS(text_span(&exec->attempt.subject)), ended->problem);
    enum error_kind kind =
        ended->started == STATUS_IO ? ERROR_KIND_UNAVAILABLE : ERROR_KIND_INVALID;
    struct attempt_result result = attempt_failure(kind, 0, text_span(&message));
    result.not_acted = true;
    attempt_finish(&exec->attempt, &result);
    text_fini(&message);
}

static void add_errors(struct text *message, const struct process_result *ended)
{
    if (span_trim(ended->stderr_tail).size == 0)
        return;
    text_add(message, SPAN(": "));
    answer_add_words(message, ended->stderr_tail, STEP_STDERR_TAIL_BYTES);
}

static void tell_ended_badly(struct exec_attempt *exec, const struct process_result *ended)
{
    struct arena *arena = &exec->attempt.running->arena;
    struct text message = {.arena = NULL};
    struct value value;
    struct span problem;
    bool is_killed = ended->signal != 0;
    enum error_kind kind = is_killed                                ? ERROR_KIND_CRASHED
                           : ended->exit_status == EXIT_UNAVAILABLE ? ERROR_KIND_UNAVAILABLE
                                                                    : ERROR_KIND_REJECTED;
    const char *name = sigdescr_np(ended->signal);
    if (is_killed)
        text_format(&message, "ended by signal %d (%s)", ended->signal,
                    name == NULL ? "unknown" : name);
    else
        text_format(&message, "exit status %d", ended->exit_status);
    add_errors(&message, ended);
    struct attempt_result result = attempt_failure(
        kind, is_killed ? ended->signal : ended->exit_status, text_span(&message));
    arena_clear(arena);
    if (span_trim(ended->output).size > 0 && !ended->output_truncated &&
        answer_read_json(ended->output, arena, &value, &problem))
        result.details = ended->output;
    attempt_finish(&exec->attempt, &result);
    text_fini(&message);
}

static void tell_invalid(struct exec_attempt *exec, const struct process_result *ended,
                         struct span problem)
{
    struct text message = {.arena = NULL};
    text_format(&message, "the output %.*s", SPAN_ARGS(problem));
    add_errors(&message, ended);
    attempt_fail(&exec->attempt, ERROR_KIND_INVALID, 0, text_span(&message));
    text_fini(&message);
}

static void tell_output(struct exec_attempt *exec, const struct process_result *ended)
{
    struct span output = ended->output;
    struct span problem;
    if (exec->is_text && span_ends_with(output, SPAN("\n")))
        output.size--;
    if (!attempt_succeed(&exec->attempt, output, exec->is_text, &problem))
        tell_invalid(exec, ended, problem);
}

static void on_ended(void *context, const struct process_result *ended)
{
    struct exec_attempt *exec = context;
    if (ended->started != STATUS_OK)
        tell_not_started(exec, ended);
    else if (ended->signal != 0 || ended->exit_status != 0)
        tell_ended_badly(exec, ended);
    else if (ended->output_truncated)
        tell_invalid(exec, ended, SPAN("is larger than 1 MiB"));
    else
        tell_output(exec, ended);
}

/* The strategy */

static struct attempt *exec_start(struct strategy *strategy, const void *settings,
                                  const struct attempt_request *request, attempt_done *done,
                                  void *context)
{
    struct exec_strategy *self = (struct exec_strategy *)strategy;
    const struct exec_settings *exec_settings = settings;
    struct exec_attempt *exec = attempt_open(&self->running, sizeof *exec, done, context);
    struct built built = {.problem = {NULL, 0}};
    arena_clear(&self->running.arena);
    if (!build_guarded(exec_settings, request, &self->running.arena, &built)) {
        attempt_refuse(&exec->attempt, built.problem);
        return &exec->attempt;
    }
    text_add(&exec->attempt.subject, built.program);
    exec->is_text = exec_settings->is_text;
    exec->timeout_ms = request->timeout_ms;
    exec->process = process_start(self->running.loop, &built.request, on_ended, exec);
    exec->attempt.timer = loop_timer_open(self->running.loop, on_timeout, exec);
    loop_timer_start(exec->attempt.timer, request->timeout_ms);
    return &exec->attempt;
}

static void exec_cancel(struct strategy *strategy, struct attempt *attempt)
{
    struct exec_attempt *exec = (struct exec_attempt *)attempt;
    (void)strategy;
    if (exec->process != NULL)
        process_cancel(exec->process, GRACE_MS, true);
    attempt_close(attempt);
}

static void exec_close(struct strategy *strategy)
{
    struct exec_strategy *self = (struct exec_strategy *)strategy;
    running_fini(&self->running);
    memory_release(self);
}

static struct strategy *exec_open(const struct strategy_type *type, struct loop *loop)
{
    static const struct strategy_ops ops = {exec_start, exec_cancel, exec_close};
    struct exec_strategy *self = memory_get(sizeof *self);
    (void)type;
    running_init(&self->running, &ops, loop);
    return &self->running.strategy;
}

static const char *const exec_extra_keys[] = {"output", NULL};

const struct strategy_type strategy_exec = {
    .name = "exec",
    .extra_keys = exec_extra_keys,
    .parse = exec_parse,
    .open = exec_open,
};
