/*
 * load_guard.c - guards: CEL, or the name of a guard declared under `guards`.
 *
 * Named guards are variables of every expression. A guard that reads one lists it among
 * its needs, so that a step evaluates it first; a named guard may read those declared
 * before it, which rules recursion out.
 */
#include <string.h>

#include "base/ensure.h"
#include "chart/loader.h"

static struct span *scope_names(struct loader *loader, uint32_t named_count)
{
#define VARIABLE_NAME(name, text) SPAN_INIT(text),
    static const struct span built_in[] = {CHART_VARIABLE_LIST(VARIABLE_NAME)};
#undef VARIABLE_NAME
    struct span *names =
        arena_new_array(loader->arena, CHART_VARIABLE_COUNT + named_count, struct span);
    memcpy(names, built_in, sizeof built_in);
    return names;
}

static void set_scope(struct loader *loader, const struct span *names, uint32_t named_count)
{
    static const struct expr_function functions[] = {{SPAN_INIT("In"), 1, 0}};
    loader->scope = (struct expr_scope){.variables = names,
                                        .variable_count = CHART_VARIABLE_COUNT + named_count,
                                        .functions = functions,
                                        .function_count = 1};
}

/* Adds needed guards, those that they need first; what a guard needs includes what its needs
 * need. */
static void list_needs(struct loader *loader, struct machine_guard *guard)
{
    uint32_t *needs = arena_new_array(loader->arena, loader->guard_count, uint32_t);
    bool *wanted = arena_new_array(loader->arena, loader->guard_count, bool);
    for (uint32_t i = loader->machine.named_guard_count; i-- > 0;) {
        if (wanted[i] || !expr_uses(guard->program, CHART_VARIABLE_COUNT + i))
            continue;
        wanted[i] = true;
        for (uint32_t j = 0; j < loader->guards[i].need_count; j++)
            wanted[loader->guards[i].needs[j]] = true;
    }
    for (uint32_t i = 0; i < loader->machine.named_guard_count; i++) {
        if (wanted[i])
            needs[guard->need_count++] = i;
    }
    guard->needs = needs;
}

/* The text of a guard as a string or {"@expr": …}; false after an error. */
static bool guard_text(struct loader *loader, const struct node *node, struct span *text)
{
    const struct node *wrapped = node_find(node, SPAN("@expr"));
    if (wrapped != NULL)
        node = wrapped;
    if (node->kind == NODE_SCALAR && node->scalar.kind == VALUE_BOOL) {
        *text = node->scalar.boolean ? SPAN("true") : SPAN("false");
        return true;
    }
    if (!node_is_string(node)) {
        const char *code = node_find(node, SPAN("type")) != NULL ? "IL0106" : "IL0104";
        struct diagnostic *error =
            loader_error(loader, code, node->place, "a guard must be an expression, not %s",
                         node_kind_name(node));
        diagnostic_help(loader->diagnostics, error,
                        "write it in CEL, such as \"context.total > 100\"");
        return false;
    }
    *text = node_text(node);
    if (span_find(*text, SPAN("${"), 0) == SIZE_MAX)
        return true;
    struct diagnostic *error =
        loader_error(loader, "IL0105", node->place, "`${…}` does not belong in a guard");
    diagnostic_help(loader->diagnostics, error,
                    "a guard is an expression already: leave out `${` and `}`");
    return false;
}

static const struct expr_program *compile_text(struct loader *loader, const struct node *node,
                                               struct span text)
{
    const struct node *wrapped = node_find(node, SPAN("@expr"));
    const struct node *scalar = wrapped == NULL ? node : wrapped;
    if (!node_is_string(scalar)) /* true or false */
        return expr_compile(text, scalar->place, &loader->scope, loader->arena,
                            loader->diagnostics);
    return expr_compile_part(scalar, 0, text.size, &loader->scope, loader->arena,
                             loader->diagnostics);
}

static bool compile_guard(struct loader *loader, struct span name, const struct node *node)
{
    struct machine_guard guard = {.name = name, .place = node->place};
    if (!guard_text(loader, node, &guard.text))
        return false;
    guard.program = compile_text(loader, node, guard.text);
    if (guard.program == NULL)
        return false;
    loader_reserve(loader, loader->guards, loader->guard_count, loader->guard_capacity);
    list_needs(loader, &guard);
    loader->guards[loader->guard_count++] = guard;
    return true;
}

/* What a name means already: no guard may change that. */
static bool is_taken(const struct loader *loader, struct span name)
{
    static const char *const words[] = {
        "",     "In",     "true",  "false",  "null",      "in",        "has",
        "size", "int",    "uint",  "double", "bool",      "dyn",       "list",
        "map",  "string", "bytes", "type",   "timestamp", "null_type", "duration"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (span_is(name, words[i]))
            return true;
    }
    for (uint32_t i = 0; i < CHART_VARIABLE_COUNT; i++) {
        if (span_equal(loader->scope.variables[i], name))
            return true;
    }
    return false;
}

void load_named_guards(struct loader *loader)
{
    const struct node *guards = loader_map(loader, loader->root, "guards");
    uint32_t count = guards == NULL ? 0 : guards->count;
    struct span *names = scope_names(loader, count);
    set_scope(loader, names, 0);
    for (uint32_t i = 0; i < count; i++) {
        const struct node_entry *entry = &guards->entries[i];
        if (is_taken(loader, entry->key)) {
            loader_error(loader, "IL0109", entry->place, "a guard may not be called `%.*s`",
                         SPAN_ARGS(entry->key));
            continue;
        }
        if (!compile_guard(loader, entry->key, entry->value))
            continue;
        names[CHART_VARIABLE_COUNT + loader->machine.named_guard_count++] = entry->key;
        set_scope(loader, names, loader->machine.named_guard_count);
    }
    ensure(loader->guard_count == loader->machine.named_guard_count);
}

uint32_t load_guard(struct loader *loader, const struct node *node)
{
    if (node == NULL)
        return NO_INDEX;
    if (node_is_string(node)) {
        for (uint32_t i = 0; i < loader->machine.named_guard_count; i++) {
            if (span_equal(loader->guards[i].name, node_text(node)))
                return i;
        }
    }
    return compile_guard(loader, SPAN(""), node) ? loader->guard_count - 1 : NO_INDEX;
}
