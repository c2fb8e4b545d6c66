/*
 * script.c - one run: variables in, the text run, variables out, and nothing left behind.
 *
 * All that Duktape does stands in protected calls. What ends one leaves the arena's guard
 * where it was, so it is put back behind each. A run that spent what it may, or that left
 * something which cannot be taken away, costs the heap: the next run makes a new one, which
 * is the same again.
 */
#include "script/script.h"

#include "base/limits.h"
#include "base/memory.h"
#include "script/script_heap.h"
#include "script/script_value.h"

/* What a protected call is about, and what it gives. */
struct job {
    struct script *script;
    enum expr_form form;
    struct span text;
    struct value value;
    struct span problem; /* of the text that ran, or of its variables */
};

/* The line of the text where the error on top was made; 0: not in the text. */
static int line_of(duk_context *duk)
{
    duk_get_prop_string(duk, -1, "fileName");
    bool is_ours =
        duk_is_string(duk, -1) && span_is(span_from_text(duk_get_string(duk, -1)), SCRIPT_FILE);
    duk_pop(duk);
    if (!is_ours)
        return 0;
    duk_get_prop_string(duk, -1, "lineNumber");
    int line = duk_to_int(duk, -1);
    duk_pop(duk);
    return line;
}

/* The message of the error on top, in the arena. */
static struct span take_problem(struct job *job)
{
    duk_context *duk = job->script->duk;
    int line = 0;
    if (job->form == EXPR_SCRIPT && duk_is_error(duk, -1) &&
        duk_get_error_code(duk, -1) != DUK_ERR_SYNTAX_ERROR)
        line = line_of(duk);
    duk_safe_to_string(duk, -1);
    struct span text = script_value_text(job->script, -1);
    return line > 0 ? text_print(job->script->arena, "line %d: %.*s", line, SPAN_ARGS(text))
                    : text;
}

static bool is_pure(duk_context *duk)
{
    duk_get_prop_string(duk, -1, SCRIPT_PURE);
    bool is_pure = duk_get_boolean(duk, -1);
    duk_pop(duk);
    return is_pure;
}

/* The variables as they are when it ends, however it ends. */
static void run_text(struct job *job)
{
    struct script *script = job->script;
    struct arena_guard *guard = script->arena->guard;
    script_value_put_variables(script);
    script_heap_compile(script, job->form, job->text);
    bool keeps = job->form == EXPR_CONDITION || is_pure(script->duk);
    bool fails = duk_pcall(script->duk, 0) != DUK_EXEC_SUCCESS;
    script->arena->guard = guard;
    if (fails)
        job->problem = take_problem(job);
    else if (job->form == EXPR_CONDITION)
        job->value = value_bool(duk_to_boolean(script->duk, -1));
    else if (job->form == EXPR_VALUE)
        job->value = script_value_pull(script);
    if (!keeps)
        script_value_read_variables(script);
}

static duk_ret_t run_protected(duk_context *duk, void *context)
{
    struct job *job = context;
    struct arena_guard guard;
    if (arena_is_spent(job->script->arena, &guard)) {
        job->script->is_spent = true;
        return duk_range_error(duk, "there is no memory left");
    }
    run_text(job);
    arena_release_guard(job->script->arena, &guard);
    return 0;
}

static duk_ret_t check_protected(duk_context *duk, void *context)
{
    struct job *job = context;
    struct arena_guard guard;
    if (arena_is_spent(job->script->arena, &guard)) {
        job->script->is_spent = true;
        return duk_range_error(duk, "there is no memory left");
    }
    script_heap_compile(job->script, job->form, job->text);
    arena_release_guard(job->script->arena, &guard);
    return 0;
}

static duk_ret_t tell_protected(duk_context *duk, void *context)
{
    struct job *job = context;
    struct arena_guard guard;
    if (arena_is_spent(job->script->arena, &guard)) {
        job->script->is_spent = true;
        return 0;
    }
    duk_dup(duk, 0);
    job->problem = take_problem(job);
    arena_release_guard(job->script->arena, &guard);
    return 0;
}

/* False with a problem when it throws. */
static bool run_job(struct job *job, duk_safe_call_function function)
{
    struct script *script = job->script;
    struct arena_guard *outer = script->arena->guard;
    duk_int_t result = duk_safe_call(script->duk, function, job, 0, 1);
    script->arena->guard = outer;
    if (result != DUK_EXEC_SUCCESS && job->problem.size == 0) {
        if (duk_safe_call(script->duk, tell_protected, job, 1, 1) != DUK_EXEC_SUCCESS ||
            job->problem.size == 0)
            job->problem = SPAN("it cannot be run");
        script->arena->guard = outer;
    }
    duk_pop(script->duk);
    return job->problem.size == 0;
}

/* Takes away what a run left; throws when it cannot. */
static duk_ret_t clean_protected(duk_context *duk, void *context)
{
    (void)context;
    duk_push_heap_stash(duk);
    duk_push_bare_object(duk);
    duk_put_prop_string(duk, -2, SCRIPT_STASH_CONSTANTS);
    duk_push_global_object(duk);
    duk_enum(duk, -1, DUK_ENUM_OWN_PROPERTIES_ONLY | DUK_ENUM_INCLUDE_NONENUMERABLE);
    while (duk_next(duk, -1, 0)) {
        if (script_is_own(span_from_text(duk_get_string(duk, -1)))) {
            duk_pop(duk);
            continue;
        }
        duk_del_prop(duk, -3);
    }
    duk_push_string(duk, "$il_probe");
    duk_push_undefined(duk);
    duk_def_prop(duk, -4, DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_SET_WEC);
    duk_del_prop_string(duk, -2, "$il_probe");
    return 0;
}

static void clean(struct script *script)
{
    bool is_clean = !script->is_spent && script->turns_left >= 0 &&
                    duk_safe_call(script->duk, clean_protected, NULL, 0, 1) == DUK_EXEC_SUCCESS;
    if (is_clean)
        duk_pop(script->duk);
    else
        script_heap_close(script);
}

static bool begin(struct script *script, struct expr_world *world, struct arena *arena)
{
    if (!script_heap_open(script))
        return false;
    script->world = world;
    script->arena = arena;
    script->is_spent = false;
    script->turns_left = SCRIPT_TURNS_MAX;
    script->bytes_max = script->bytes + SCRIPT_BYTES_MAX;
    script->bytes_left = SCRIPT_TAKEN_MAX;
    return true;
}

/* In the units of expressions: a turn takes as long as some of them. What the heap was asked
 * for does not count: that depends on what ran in it before. */
static void charge(const struct script *script, const struct expr_world *world)
{
    enum { RUN_COST = 1000, TURN_COST = 4 };
    if (world->frame != NULL && world->frame->cost != NULL)
        *world->frame->cost +=
            RUN_COST + (uint64_t)(SCRIPT_TURNS_MAX - script->turns_left) * TURN_COST;
}

static bool language_check(void *context, enum expr_form form, struct span text,
                           struct arena *arena, struct span *message)
{
    struct script *script = context;
    struct job job = {.script = script, .form = form, .text = text};
    struct expr_world nothing = {.variables = value_map(NULL, 0)};
    *message = SPAN("there is no memory for a heap");
    if (!begin(script, &nothing, arena))
        return false;
    bool is_fine = run_job(&job, check_protected);
    bool is_spent = script->is_spent;
    *message = job.problem;
    clean(script);
    if (is_spent && arena->guard != NULL)
        arena_spend(arena);
    return is_fine;
}

static struct value language_run(void *context, enum expr_form form, struct span text,
                                 struct expr_world *world, struct arena *arena)
{
    struct script *script = context;
    struct job job = {.script = script, .form = form, .text = text, .value = value_null()};
    if (!begin(script, world, arena))
        return value_error(SPAN("there is no memory for a heap"));
    bool is_fine = run_job(&job, run_protected);
    bool is_spent = script->is_spent;
    charge(script, world);
    clean(script);
    if (is_spent && arena->guard != NULL)
        arena_spend(arena);
    return is_fine ? job.value : value_error(job.problem);
}

struct script *script_open(void)
{
    struct script *script = memory_get(sizeof *script);
    script->language =
        (struct expr_language){SPAN("ecmascript"), script, language_check, language_run};
    table_init(&script->functions);
    return script;
}

void script_close(struct script *script)
{
    if (script == NULL)
        return;
    script_heap_close(script);
    for (size_t i = 0; i < script->functions.capacity; i++)
        memory_release(script->functions.slots[i].item);
    table_fini(&script->functions);
    memory_release(script);
}

const struct expr_language *script_language(const struct script *script)
{
    return script == NULL ? NULL : &script->language;
}
