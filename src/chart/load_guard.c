/*
 * load_guard.c - guards: CEL, or the name of a guard declared under `guards`.
 *
 * Named guards are variables of every expression. A guard that reads one lists it among
 * its needs, so that a step evaluates it first; a named guard may read those declared
 * before it, which rules recursion out.
 */
#include <string.h>

#include "base/ensure.h"
#include "base/sort.h"
#include "chart/loader.h"

static struct span *scope_names(struct loader *loader, uint32_t named_count)
{
#define VARIABLE_NAME(name, text) SPAN_INIT(text),
    static const struct span built_in[] = {CHART_VARIABLE_LIST(VARIABLE_NAME)};
#undef VARIABLE_NAME
    struct span *names =
        arena_new_array(loader->arena, CHART_VARIABLE_COUNT + named_count, struct span);
    memcpy(names, built_in, sizeof built_in);
    if (loader->machine.derivation != NULL)
        names[CHART_RECORD] = loader->machine.derivation->record;
    return names;
}

static void set_scope(struct loader *loader, const struct span *names, uint32_t named_count)
{
    static const struct expr_function functions[] = {{SPAN_INIT("In"), 1, 0}};
    loader->scope = (struct expr_scope){.variables = names,
                                        .variable_count = CHART_VARIABLE_COUNT + named_count,
                                        .language = loader->machine.language,
                                        .functions = functions,
                                        .function_count = 1};
}

/* Guards declared under `guards`, or as XState's recordings have them. */
static const struct node *declared_guards(const struct loader *loader)
{
    const struct node *guards = loader_either(loader, "guards", "__guards");
    return guards != NULL && guards->kind == NODE_MAP ? guards : NULL;
}

static int compare_indexes(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* The next named guard that the program reads, or one behind all of them. */
static uint32_t next_read(const struct loader *loader, const struct expr_program *program,
                          uint32_t guard)
{
    uint32_t variable = expr_next_use(program, CHART_VARIABLE_COUNT + guard);
    return variable == UINT32_MAX ? loader->machine.named_guard_count
                                  : variable - CHART_VARIABLE_COUNT;
}

static void add_need(struct loader *loader, uint32_t guard)
{
    if (!loader->is_needed[guard])
        loader->needed[loader->needed_count++] = guard;
    loader->is_needed[guard] = true;
}

/* Lists the needed guards, those that they need first, which were declared before them; what a
 * guard needs includes what its needs need. */
static void list_needs(struct loader *loader, struct machine_guard *guard)
{
    uint32_t named = loader->machine.named_guard_count;
    loader->needed_count = 0;
    for (uint32_t i = next_read(loader, guard->program, 0); i < named;
         i = next_read(loader, guard->program, i + 1)) {
        add_need(loader, i);
        for (uint32_t j = 0; j < loader->guards[i].need_count; j++)
            add_need(loader, loader->guards[i].needs[j]);
    }
    uint32_t *needs = arena_new_array(loader->arena, loader->needed_count, uint32_t);
    sort_items(loader->needed, loader->needed_count, sizeof *needs, compare_indexes);
    for (uint32_t i = 0; i < loader->needed_count; i++) {
        needs[i] = loader->needed[i];
        loader->is_needed[needs[i]] = false;
    }
    guard->needs = needs;
    guard->need_count = loader->needed_count;
}

/* A guard reads only those declared before it, so that there is no circle. */
static bool refuse_later(struct loader *loader, const struct machine_guard *guard)
{
    uint32_t later = next_read(loader, guard->program, loader->guard_count);
    if (later >= loader->machine.named_guard_count)
        return false;
    struct diagnostic *error = loader_error(
        loader, "IL0107", guard->place, "`%.*s` reads the guard `%.*s`", SPAN_ARGS(guard->name),
        SPAN_ARGS(loader->scope.variables[CHART_VARIABLE_COUNT + later]));
    diagnostic_help(loader->diagnostics, error, "declare that one first");
    return true;
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
        struct diagnostic *error =
            loader_error(loader, "IL0104", node->place, "a guard must be an expression, not %s",
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

static uint32_t add_guard(struct loader *loader, const struct machine_guard *guard)
{
    loader_reserve(loader, loader->guards, loader->guard_count, loader->guard_capacity);
    loader->guards[loader->guard_count] = *guard;
    return loader->guard_count++;
}

/* Every expression that reads the event, or the record, needs it made. A script might read
 * anything, also what there is not. */
static void note_reads(struct loader *loader, const struct expr_program *program)
{
    if (expr_uses(program, CHART_EVENT) || expr_uses(program, CHART_PAYLOAD) ||
        expr_uses(program, CHART_SCXML_EVENT))
        loader->machine.reads_event = true;
    if (loader->machine.derivation != NULL && expr_uses(program, CHART_RECORD))
        loader->machine.reads_record = true;
}

static uint32_t load_expression(struct loader *loader, struct span name,
                                const struct node *node)
{
    struct machine_guard guard = {.name = name, .place = node->place};
    if (!guard_text(loader, node, &guard.text))
        return NO_INDEX;
    guard.program = compile_text(loader, node, guard.text);
    if (guard.program == NULL || refuse_later(loader, &guard))
        return NO_INDEX;
    note_reads(loader, guard.program);
    list_needs(loader, &guard);
    return add_guard(loader, &guard);
}

/* It sees no named guards: those are CEL's. */
static uint32_t load_foreign(struct loader *loader, const struct node *node)
{
    struct machine_guard guard = {.kind = GUARD_FOREIGN,
                                  .place = node->place,
                                  .foreign =
                                      expr_foreign_compile(node, EXPR_CONDITION, &loader->scope,
                                                           loader->arena, loader->diagnostics)};
    if (guard.foreign == NULL)
        return NO_INDEX;
    guard.text = guard.foreign->text;
    loader->machine.reads_event = true;
    loader->machine.has_scripts = true;
    return add_guard(loader, &guard);
}

uint32_t load_guard_text(struct loader *loader, struct span text, struct place place)
{
    struct machine_guard guard = {.text = text, .place = place};
    guard.program =
        expr_compile(text, place, &loader->scope, loader->arena, loader->diagnostics);
    if (guard.program == NULL)
        return NO_INDEX;
    note_reads(loader, guard.program);
    return add_guard(loader, &guard);
}

/* A guard that is declared already. */
static uint32_t find_named(const struct loader *loader, struct span name)
{
    uint32_t variable = load_names_find(&loader->variable_names, name);
    bool is_guard = variable != UINT32_MAX && variable >= CHART_VARIABLE_COUNT &&
                    variable - CHART_VARIABLE_COUNT < loader->guard_count;
    return is_guard ? variable - CHART_VARIABLE_COUNT : NO_INDEX;
}

static bool is_variable(const struct loader *loader, struct span text)
{
    return load_names_find(&loader->variable_names, text) != UINT32_MAX ||
           span_is(text, "true") || span_is(text, "false") || span_is(text, "null");
}

/* `isPaid` or `is-paid` can only be a name: as an expression it would not be true or false. */
static bool is_name(const struct loader *loader, struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.text[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        bool follows = i > 0 && ((c >= '0' && c <= '9') || c == '-');
        if (!is_letter && !follows)
            return false;
    }
    return text.size > 0 && !is_variable(loader, text);
}

static uint32_t load_undeclared(struct loader *loader, struct span name, struct place place)
{
    return add_guard(loader, &(struct machine_guard){
                                 .kind = GUARD_UNDECLARED, .text = name, .place = place});
}

/* The states of XState's stateIn: "#id", "a.b", or {"a": {"b": "c"}}. */
struct in_list {
    uint32_t *states;
    uint32_t count;
};

static bool add_in(struct loader *loader, uint32_t from, const struct node *node,
                   struct in_list *list);

static bool add_in_state(struct loader *loader, uint32_t state, struct span name,
                         struct place place, struct in_list *list)
{
    if (state == NO_STATE) {
        loader_error(loader, "IL0107", place, "there is no state `%.*s`", SPAN_ARGS(name));
        return false;
    }
    list->states[list->count++] = state;
    return true;
}

static bool add_in_map(struct loader *loader, uint32_t from, const struct node *map,
                       struct in_list *list)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct node_entry *entry = &map->entries[i];
        uint32_t child = load_target_child(loader, from, entry->key);
        if (!add_in_state(loader, child, entry->key, entry->place, list) ||
            !add_in(loader, child, entry->value, list))
            return false;
    }
    return true;
}

static bool add_in(struct loader *loader, uint32_t from, const struct node *node,
                   struct in_list *list)
{
    if (node->kind == NODE_MAP)
        return add_in_map(loader, from, node, list);
    if (!node_is_string(node)) {
        loader_error(loader, "IL0104", node->place, "a state must be named, not given as %s",
                     node_kind_name(node));
        return false;
    }
    struct span name = node_text(node);
    uint32_t state = span_starts_with(name, SPAN("#"))
                         ? load_target_by_id(loader, span_slice(name, 1, name.size))
                         : load_target_by_path(loader, from, name);
    return add_in_state(loader, state, name, node->place, list);
}

static uint32_t load_in(struct loader *loader, const struct node *value, struct place place)
{
    struct machine_guard guard = {.kind = GUARD_IN, .text = SPAN("stateIn"), .place = place};
    if (value == NULL) {
        loader_error(loader, "IL0103", place, "`stateIn` needs the state it asks for");
        return NO_INDEX;
    }
    struct in_list list = {arena_new_array(loader->arena, loader->state_count + 1, uint32_t),
                           0};
    if (!add_in(loader, 0, value, &list))
        return NO_INDEX;
    guard.parts = list.states;
    guard.part_count = list.count;
    return add_guard(loader, &guard);
}

static uint32_t load_parts(struct loader *loader, enum guard_kind kind,
                           const struct node *parts, struct place place)
{
    struct machine_guard guard = {.kind = kind, .text = SPAN("a guard"), .place = place};
    bool is_list = parts != NULL && parts->kind == NODE_LIST;
    if (parts == NULL || (kind == GUARD_NOT && is_list && parts->count != 1) ||
        (kind != GUARD_NOT && !is_list)) {
        loader_error(loader, "IL0104", place,
                     "`and` and `or` need a list of guards, `not` one");
        return NO_INDEX;
    }
    uint32_t count = is_list ? parts->count : 1;
    uint32_t *indexes = arena_new_array(loader->arena, count, uint32_t);
    for (uint32_t i = 0; i < count; i++) {
        indexes[i] = load_guard(loader, is_list ? parts->items[i] : parts);
        if (indexes[i] == NO_INDEX)
            return NO_INDEX;
    }
    guard.parts = indexes;
    guard.part_count = count;
    return add_guard(loader, &guard);
}

/* {and: […]}, {or: […]}, {not: …}, {stateIn: …}: our way to write them. */
static const struct combination {
    const char *name;
    enum guard_kind kind;
} combinations[] = {
    {"and", GUARD_AND}, {"or", GUARD_OR}, {"not", GUARD_NOT}, {"stateIn", GUARD_IN}};

enum { COMBINATIONS = sizeof combinations / sizeof combinations[0] };

static uint32_t load_combination(struct loader *loader, enum guard_kind kind,
                                 const struct node *value, struct place place)
{
    return kind == GUARD_IN ? load_in(loader, value, place)
                            : load_parts(loader, kind, value, place);
}

/* {type: NAME, params: …}, or one of XState's own. */
static uint32_t load_typed(struct loader *loader, const struct node *node)
{
    struct span type;
    const struct node *params = node_find(node, SPAN("params"));
    if (!loader_string(loader, node, "type", &type))
        return NO_INDEX;
    struct span bare =
        span_starts_with(type, SPAN("xstate.")) ? span_slice(type, 7, type.size) : type;
    for (size_t i = 0; i < COMBINATIONS; i++) {
        const struct node *guards = node_find(node, SPAN("guards"));
        if (!span_is(bare, combinations[i].name) || find_named(loader, type) != NO_INDEX)
            continue;
        if (combinations[i].kind == GUARD_IN)
            return load_in(loader, node_find(params, SPAN("stateValue")), node->place);
        return load_parts(loader, combinations[i].kind,
                          guards != NULL ? guards : node_find(params, SPAN("guards")),
                          node->place);
    }
    uint32_t named = find_named(loader, type);
    if (named == NO_INDEX)
        return load_undeclared(loader, type, node->place);
    if (params == NULL)
        return named;
    uint32_t *parts = arena_new(loader->arena, uint32_t);
    *parts = named;
    return add_guard(loader, &(struct machine_guard){.kind = GUARD_CALL,
                                                     .text = type,
                                                     .parts = parts,
                                                     .part_count = 1,
                                                     .params = loader_slot(loader, params),
                                                     .place = node->place});
}

static uint32_t load_map(struct loader *loader, const struct node *node)
{
    for (size_t i = 0; i < COMBINATIONS; i++) {
        const struct node *value = node_find(node, span_from_text(combinations[i].name));
        if (node->count == 1 && value != NULL)
            return load_combination(loader, combinations[i].kind, value, node->place);
    }
    if (node_find(node, SPAN("type")) != NULL)
        return load_typed(loader, node);
    if (expr_is_foreign(node))
        return load_foreign(loader, node);
    return load_expression(loader, SPAN(""), node);
}

uint32_t load_guard(struct loader *loader, const struct node *node)
{
    if (node == NULL)
        return NO_INDEX;
    if (node->kind == NODE_MAP)
        return load_map(loader, node);
    if (node_is_string(node)) {
        uint32_t named = find_named(loader, node_text(node));
        if (named != NO_INDEX)
            return named;
        if (is_name(loader, node_text(node)))
            return load_undeclared(loader, node_text(node), node->place);
    }
    return load_expression(loader, SPAN(""), node);
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

/* The names come first: every expression may use them. */
void load_guard_names(struct loader *loader)
{
    const struct node *guards = declared_guards(loader);
    uint32_t count = guards == NULL ? 0 : guards->count;
    struct span *names = scope_names(loader, count);
    set_scope(loader, names, 0);
    loader->needed = arena_new_array(loader->arena, count, uint32_t);
    loader->is_needed = arena_new_array(loader->arena, count, bool);
    for (uint32_t i = 0; i < count; i++) {
        const struct node_entry *entry = &guards->entries[i];
        if (is_taken(loader, entry->key))
            loader_error(loader, "IL0109", entry->place, "a guard may not be called `%.*s`",
                         SPAN_ARGS(entry->key));
        names[CHART_VARIABLE_COUNT + i] = entry->key;
    }
    for (uint32_t i = CHART_VARIABLE_COUNT + count; i-- > 0;) /* the first of a name counts */
        load_names_put(&loader->variable_names, names[i], i, loader->arena);
    loader->machine.named_guard_count = count;
    set_scope(loader, names, count);
}

/* A named guard is an expression, or version 6's {when: …}, or a combination of guards. */
static void load_named(struct loader *loader, const struct node_entry *entry)
{
    const struct node *node = entry->value;
    const struct node *when = node_find(node, SPAN("when"));
    uint32_t place = loader->guard_count;
    if (when != NULL)
        node = when;
    bool is_expression = node->kind != NODE_MAP || node_find(node, SPAN("@expr")) != NULL;
    if (is_expression && load_expression(loader, entry->key, node) != NO_INDEX)
        return;
    loader->guard_count = place;
    if (!is_expression)
        loader_error(loader, "IL0104", node->place,
                     "a named guard must be an expression, not %s", node_kind_name(node));
    /* Something has to stand at its place; there is an error, so there will be no machine. */
    add_guard(loader, &(struct machine_guard){
                          .kind = GUARD_UNDECLARED, .name = entry->key, .place = entry->place});
}

void load_named_guards(struct loader *loader)
{
    const struct node *guards = declared_guards(loader);
    loader_map(loader, loader->root, "guards"); /* says what is wrong with another kind */
    for (uint32_t i = 0; guards != NULL && i < guards->count; i++)
        load_named(loader, &guards->entries[i]);
    ensure(loader->guard_count == loader->machine.named_guard_count);
}

/* Invariants are guards that hold at the end of every macrostep. */
void load_invariants(struct loader *loader)
{
    const struct node *map = loader_map(loader, loader->root, "invariants");
    if (map == NULL)
        return;
    uint32_t *indexes = arena_new_array(loader->arena, map->count, uint32_t);
    for (uint32_t i = 0; i < map->count; i++) {
        uint32_t guard = load_expression(loader, map->entries[i].key, map->entries[i].value);
        if (guard != NO_INDEX)
            indexes[loader->machine.invariant_count++] = guard;
    }
    loader->machine.invariants = indexes;
}
