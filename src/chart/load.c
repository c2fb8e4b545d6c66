/*
 * load.c - the passes over a definition, and what its parts share.
 */
#include "chart/load.h"

#include <string.h>

#include "base/ensure.h"
#include "base/hash.h"
#include "base/json.h"
#include "chart/loader.h"

enum { EVENT_SLOTS_FIRST = 64 };

const struct span machine_apart[MACHINE_APART_COUNT] = {SPAN_INIT("steps"),
                                                        SPAN_INIT("admission")};

static const struct key_rule root_keys[] = {
    {"id", true},         {"version", true},        {"description", true},
    {"context", true},    {"input", true},          {"guards", true},
    {"initial", true},    {"states", true},         {"on", true},
    {"always", true},     {"after", true},          {"invoke", true},
    {"onDone", true},     {"tags", true},           {"type", true},
    {"output", true},     {"meta", true},           {"steps", true},
    {"$schema", true},    {"entry", true},          {"exit", true},
    {"actions", true},    {"delays", true},         {"actors", true},
    {"invariants", true}, {"semantics", true},      {"schemas", true},
    {"key", true},        {"internalEvents", true}, {"maxIterations", true},
    {"__actions", true},  {"__guards", true},       {"__delays", true},
    {"__actors", true},   {"actorSources", true},   {"@exprLang", true},
    {"datamodel", true},  {"binding", true},        {"data", true},
    {"run", true},        {"timeout", true},        {"onTimeout", true},
    {"onError", true},    {"order", true},          {"route", true},
    {"events", true},     {"admission", true},      {"history", false},
    {"record", true},     {"transitions", true},    {"validators", true},
    {"derive", true},     {"choice", false},        {"machines", true},
};

void *loader_grow(struct arena *arena, const void *old, uint32_t count, uint32_t *capacity,
                  size_t size)
{
    uint32_t larger = *capacity == 0 ? 8 : *capacity * 2;
    void *grown = arena_get_array(arena, larger, size);
    if (count > 0)
        memcpy(grown, old, count * size);
    *capacity = larger;
    return grown;
}

struct diagnostic *loader_error(struct loader *loader, const char *code, struct place place,
                                const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct text message;
    text_init(&message, loader->arena);
    text_format_list(&message, format, arguments);
    va_end(arguments);
    return diagnostics_add(loader->diagnostics, SEVERITY_ERROR, code, place, "%.*s",
                           SPAN_ARGS(text_span(&message)));
}

struct diagnostic *loader_warning(struct loader *loader, const char *code, struct place place,
                                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct text message;
    text_init(&message, loader->arena);
    text_format_list(&message, format, arguments);
    va_end(arguments);
    return diagnostics_add(loader->diagnostics, SEVERITY_WARNING, code, place, "%.*s",
                           SPAN_ARGS(text_span(&message)));
}

static const struct key_rule *find_rule(struct span key, const struct key_rule *rules,
                                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_is(key, rules[i].name))
            return &rules[i];
    }
    return NULL;
}

static void refuse_key(struct loader *loader, const struct node_entry *entry,
                       const struct key_rule *rules, size_t rule_count, const char *where)
{
    struct span names[80];
    size_t count = 0;
    ensure(rule_count <= 80);
    for (size_t i = 0; i < rule_count; i++) {
        if (rules[i].supported)
            names[count++] = span_from_text(rules[i].name);
    }
    struct diagnostic *error =
        loader_error(loader, "IL0102", entry->place, "unknown key `%.*s` in %s",
                     SPAN_ARGS(entry->key), where);
    diagnostic_suggest(loader->diagnostics, error, entry->key, names, count);
}

void loader_check_keys(struct loader *loader, const struct node *map,
                       const struct key_rule *rules, size_t rule_count, const char *where)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct node_entry *entry = &map->entries[i];
        const struct key_rule *rule = find_rule(entry->key, rules, rule_count);
        if (rule == NULL)
            refuse_key(loader, entry, rules, rule_count, where);
        else if (!rule->supported)
            loader_error(loader, "IL0106", entry->place, "`%s` in %s is not supported yet",
                         rule->name, where);
    }
}

const struct node *loader_map(struct loader *loader, const struct node *map, const char *key)
{
    const struct node *node = node_find(map, span_from_text(key));
    if (node == NULL || node->kind == NODE_MAP)
        return node;
    loader_error(loader, "IL0104", node->place, "`%s` must be a map, not %s", key,
                 node_kind_name(node));
    return NULL;
}

const struct node *loader_either(const struct loader *loader, const char *name,
                                 const char *other)
{
    const struct node *node = node_find(loader->root, span_from_text(name));
    return node != NULL ? node : node_find(loader->root, span_from_text(other));
}

bool loader_string(struct loader *loader, const struct node *map, const char *key,
                   struct span *text)
{
    const struct node *node = node_find(map, span_from_text(key));
    if (node == NULL)
        return false;
    if (!node_is_string(node)) {
        loader_error(loader, "IL0104", node->place, "`%s` must be a string, not %s", key,
                     node_kind_name(node));
        return false;
    }
    *text = node_text(node);
    return true;
}

bool loader_id(struct loader *loader, const struct node *map, struct span *id)
{
    struct span text;
    if (!loader_string(loader, map, "id", &text))
        return false;
    if (span_find(text, SPAN("${"), 0) < text.size) {
        loader_error(loader, "IL0104", node_find(map, SPAN("id"))->place,
                     "an `id` is plain text: nothing evaluates `%.*s`", SPAN_ARGS(text));
        return false;
    }
    *id = text;
    return true;
}

/* XState's names of the events that a machine raises, and SCXML's, which we use. */
static const struct alias {
    const char *prefix;
    const char *name;
    bool is_of_invoke;
} aliases[] = {
    {"xstate.done.actor.", "done.invoke.", true},
    {"xstate.error.actor.", "error.invoke.", true},
    {"xstate.done.state.", "done.state.", false},
    {"error.platform.", "error.invoke.", true},
};

/* XState's ids begin with the machine's where none is written: `order.CHARGING` is our path. */
static struct span without_machine(const struct loader *loader, struct span id)
{
    struct span machine = loader->machine.id;
    for (uint32_t i = 0; i < loader->state_count; i++) {
        if (span_equal(loader->states[i].id, id))
            return id;
    }
    if (span_starts_with(id, machine) && id.size > machine.size + 1 &&
        id.text[machine.size] == '.')
        return span_slice(id, machine.size + 1, id.size);
    return id;
}

/* An invoke's id there is `0.order.CHARGING`, the number being its place in its state. */
static struct span invoke_id(struct loader *loader, struct span id)
{
    uint32_t place = 0;
    size_t digits = 0;
    while (digits < id.size && digits < 4 && id.text[digits] >= '0' && id.text[digits] <= '9')
        place = place * 10 + (uint32_t)(id.text[digits++] - '0');
    if (digits == 0 || digits == id.size || id.text[digits] != '.')
        return id;
    struct span path = without_machine(loader, span_slice(id, digits + 1, id.size));
    if (path.size == id.size - digits - 1)
        return id; /* somebody's own id */
    return place == 0 ? path : text_print(loader->arena, "%.*s:%u", SPAN_ARGS(path), place + 1);
}

static struct span resolve_alias(struct loader *loader, struct span type)
{
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        const struct alias *alias = &aliases[i];
        struct span prefix = span_from_text(alias->prefix);
        if (!span_starts_with(type, prefix))
            continue;
        struct span id = span_slice(type, prefix.size, type.size);
        id = alias->is_of_invoke ? invoke_id(loader, id) : without_machine(loader, id);
        return text_print(loader->arena, "%s%.*s", alias->name, SPAN_ARGS(id));
    }
    return type;
}

static uint32_t *event_slot(const struct loader *loader, struct span type)
{
    uint32_t at = (uint32_t)hash_text(type) & loader->event_slot_mask;
    while (loader->event_slots[at] != 0 &&
           !span_equal(loader->events[loader->event_slots[at]], type))
        at = (at + 1) & loader->event_slot_mask;
    return &loader->event_slots[at];
}

static void grow_event_slots(struct loader *loader)
{
    uint32_t size =
        loader->event_slots == NULL ? EVENT_SLOTS_FIRST : (loader->event_slot_mask + 1) * 2;
    loader->event_slots = arena_new_array(loader->arena, size, uint32_t);
    loader->event_slot_mask = size - 1;
    for (uint32_t i = EVENT_ID_FIRST; i < loader->event_count; i++)
        *event_slot(loader, loader->events[i]) = i;
}

uint32_t loader_find_event(const struct loader *loader, struct span type)
{
    return *event_slot(loader, type);
}

uint32_t loader_event(struct loader *loader, struct span type, struct place place)
{
    type = resolve_alias(loader, type);
    uint32_t *slot = event_slot(loader, type);
    if (*slot != 0)
        return *slot;
    if (type.size == 0 || type.size > EVENT_TYPE_BYTES_MAX) {
        loader_error(loader, "IL0104", place, "an event's name has 1 to %d bytes",
                     EVENT_TYPE_BYTES_MAX);
        return EVENT_ID_OTHER;
    }
    if (type.size > 2 && span_ends_with(type, SPAN(".*")))
        loader->machine.has_event_classes = true;
    if (loader->event_count >= EVENT_TYPES_MAX) {
        loader_error(loader, "IL0108", place, "more than %d event types", EVENT_TYPES_MAX);
        return EVENT_ID_OTHER;
    }
    uint32_t id = loader->event_count;
    loader_reserve(loader, loader->events, loader->event_count, loader->event_capacity);
    loader->events[loader->event_count++] = type;
    *slot = id;
    if (loader->event_count * 2 > loader->event_slot_mask)
        grow_event_slots(loader);
    return id;
}

struct span loader_state_name(const struct loader *loader, uint32_t state)
{
    return state == 0 ? SPAN("the root") : loader->states[state].path;
}

const struct expr_slot *loader_slot(struct loader *loader, const struct node *node)
{
    const struct expr_slot *slot =
        expr_slot_compile(node, &loader->scope, loader->arena, loader->diagnostics);
    if (slot != NULL &&
        (expr_slot_uses(slot, CHART_EVENT) || expr_slot_uses(slot, CHART_PAYLOAD) ||
         expr_slot_uses(slot, CHART_SCXML_EVENT)))
        loader->machine.reads_event = true;
    if (slot != NULL && expr_slot_is_foreign(slot))
        loader->machine.has_scripts = true;
    if (slot != NULL && loader->machine.derivation != NULL &&
        expr_slot_uses(slot, CHART_RECORD))
        loader->machine.reads_record = true;
    return slot;
}

static void add_assign(struct loader *loader, const struct node_entry *entry, bool sees_earlier)
{
    bool is_scxml = loader->machine.semantics == SEMANTICS_SCXML;
    if (!is_scxml && span_find(entry->key, SPAN("."), 0) != SIZE_MAX) {
        struct diagnostic *error =
            loader_error(loader, "IL0104", entry->place,
                         "`%.*s`: an assigned key may not have a dot", SPAN_ARGS(entry->key));
        diagnostic_help(loader->diagnostics, error, "assign the whole top-level member");
        return;
    }
    const struct expr_slot *slot = loader_slot(loader, entry->value);
    if (slot == NULL)
        return;
    loader_reserve(loader, loader->assigns, loader->assign_count, loader->assign_capacity);
    loader->assigns[loader->assign_count++] = (struct machine_assign){
        .key = entry->key, .slot = slot, .sees_earlier = sees_earlier, .place = entry->place};
}

static bool is_path(const struct node *path)
{
    bool fits = path != NULL && path->kind == NODE_LIST && path->count > 0;
    for (uint32_t i = 0; fits && i < path->count; i++)
        fits = node_is_string(path->items[i]);
    return fits;
}

/* {path: [a, b], value: slot}: a place inside a member, as SCXML's locations have it. */
static void add_assign_path(struct loader *loader, const struct node *map, bool sees_earlier)
{
    const struct node *path = node_find(map, SPAN("path"));
    const struct node *value = node_find(map, SPAN("value"));
    if (!is_path(path) || value == NULL) {
        loader_error(loader, "IL0104", map->place, "`path` must be a list of names");
        return;
    }
    const struct expr_slot *slot = loader_slot(loader, value);
    struct span *rest = arena_new_array(loader->arena, path->count, struct span);
    for (uint32_t i = 1; i < path->count; i++)
        rest[i - 1] = node_text(path->items[i]);
    if (slot == NULL)
        return;
    loader_reserve(loader, loader->assigns, loader->assign_count, loader->assign_capacity);
    loader->assigns[loader->assign_count++] =
        (struct machine_assign){.key = node_text(path->items[0]),
                                .slot = slot,
                                .sees_earlier = sees_earlier,
                                .path = rest,
                                .path_count = path->count - 1,
                                .place = map->place};
}

static void add_assign_map(struct loader *loader, const struct node *map, bool sees_earlier)
{
    if (map->kind != NODE_MAP) {
        loader_error(loader, "IL0104", map->place, "`assign` must be a map of values, not %s",
                     node_kind_name(map));
        return;
    }
    if (loader->machine.semantics == SEMANTICS_SCXML && map->count == 2 &&
        is_path(node_find(map, SPAN("path")))) {
        add_assign_path(loader, map, sees_earlier);
        return;
    }
    for (uint32_t i = 0; i < map->count; i++)
        add_assign(loader, &map->entries[i], sees_earlier && i == 0);
}

struct range loader_assigns(struct loader *loader, const struct node *node)
{
    struct range range = {loader->assign_count, 0};
    if (node != NULL && node->kind == NODE_LIST) {
        for (uint32_t i = 0; i < node->count; i++)
            add_assign_map(loader, node->items[i], i > 0);
    } else if (node != NULL) {
        add_assign_map(loader, node, false);
    }
    range.count = loader->assign_count - range.first;
    return range;
}

static void load_context(struct loader *loader)
{
    const struct node *context = loader_map(loader, loader->root, "context");
    if (context == NULL)
        return;
    loader->machine.context_count = context->count;
    struct machine_assign *members =
        arena_new_array(loader->arena, context->count, struct machine_assign);
    for (uint32_t i = 0; i < context->count; i++) {
        const struct node_entry *entry = &context->entries[i];
        members[i] = (struct machine_assign){.key = entry->key,
                                             .slot = loader_slot(loader, entry->value),
                                             .place = entry->place};
    }
    loader->machine.context = members;
}

/* The definition as JSON in written order, without what may change without a new version. */
static struct span write_definition(struct loader *loader)
{
    struct value whole = node_value(loader->root, loader->arena);
    struct value_entry *kept = arena_new_array(loader->arena, whole.count, struct value_entry);
    uint32_t count = 0;
    for (uint32_t i = 0; i < whole.count; i++) {
        struct span key = value_span(whole.entries[i].key);
        if (!span_equal(key, machine_apart[0]) && !span_equal(key, machine_apart[1]))
            kept[count++] = whole.entries[i];
    }
    struct text text;
    text_init(&text, loader->arena);
    json_write(&text, value_map(kept, count));
    return text_span(&text);
}

static void hash_definition(struct machine *machine)
{
    struct sha256 hash;
    sha256_init(&hash);
    sha256_add(&hash, machine->definition.text, machine->definition.size);
    sha256_end(&hash, machine->digest);
    hash_to_hex(machine->digest, sizeof machine->digest, machine->hash);
}

/* A version may be written as a number: `version: 3` means "3". */
static void load_version(struct loader *loader)
{
    const struct node *version = node_find(loader->root, SPAN("version"));
    if (version == NULL)
        return;
    if (version->kind != NODE_SCALAR || version->scalar.kind == VALUE_NULL ||
        version->scalar.kind == VALUE_BOOL) {
        loader_error(loader, "IL0104", version->place, "`version` must be a string, not %s",
                     node_kind_name(version));
        return;
    }
    struct text text;
    text_init(&text, loader->arena);
    if (node_is_string(version))
        text_add(&text, node_text(version));
    else
        json_write(&text, version->scalar);
    loader->machine.version = text_span(&text);
    if (text.size == 0 || text.size > INSTANCE_ID_BYTES_MAX)
        loader_error(loader, "IL0104", version->place, "`version` has 1 to %d bytes",
                     INSTANCE_ID_BYTES_MAX);
}

static void load_identity(struct loader *loader)
{
    struct machine *machine = &loader->machine;
    machine->file = loader->root->place.file;
    if (!loader_string(loader, loader->root, "id", &machine->id)) {
        if (node_find(loader->root, SPAN("id")) == NULL)
            machine->id = SPAN("machine");
    } else if (machine->id.size == 0 || machine->id.size > INSTANCE_ID_BYTES_MAX) {
        loader_error(loader, "IL0104", node_find(loader->root, SPAN("id"))->place,
                     "`id` has 1 to %d bytes", INSTANCE_ID_BYTES_MAX);
    }
    load_version(loader);
    machine->apart[0] = loader_map(loader, loader->root, "steps");
    machine->apart[1] = node_find(loader->root, SPAN("admission")); /* read by the engine */
    machine->machines = loader_map(loader, loader->root, "machines");
    machine->definition = write_definition(loader);
    hash_definition(machine);
}

static void load_semantics(struct loader *loader)
{
    static const struct span names[] = {SPAN_INIT("xstate"), SPAN_INIT("scxml")};
    struct span name;
    loader->machine.semantics = SEMANTICS_XSTATE;
    if (!loader_string(loader, loader->root, "semantics", &name))
        return;
    if (span_is(name, "scxml")) {
        loader->machine.semantics = SEMANTICS_SCXML;
    } else if (!span_is(name, "xstate")) {
        struct diagnostic *error =
            loader_error(loader, "IL0104", node_find(loader->root, SPAN("semantics"))->place,
                         "`semantics` is xstate or scxml, not `%.*s`", SPAN_ARGS(name));
        diagnostic_suggest(loader->diagnostics, error, name, names, 2);
    }
}

static void load_language(struct loader *loader)
{
    struct span language;
    if (loader_string(loader, loader->root, "@exprLang", &language) &&
        !span_is(language, "cel"))
        loader_error(loader, "IL0106", node_find(loader->root, SPAN("@exprLang"))->place,
                     "expressions are CEL, not `%.*s`", SPAN_ARGS(language));
}

static void load_microsteps(struct loader *loader)
{
    const struct node *most = node_find(loader->root, SPAN("maxIterations"));
    loader->machine.microsteps_max = MICROSTEPS_MAX;
    if (most == NULL)
        return;
    bool is_number = most->kind == NODE_SCALAR && most->scalar.kind == VALUE_INT;
    if (!is_number || most->scalar.integer < 1 || most->scalar.integer > MICROSTEPS_LIMIT)
        loader_error(loader, "IL0104", most->place,
                     "`maxIterations` is a number from 1 to %d: of microsteps in a macrostep",
                     MICROSTEPS_LIMIT);
    else
        loader->machine.microsteps_max = (uint32_t)most->scalar.integer;
}

/* The events that may come from outside, with the JSON Schema of their payloads. */
static void load_declared_events(struct loader *loader)
{
    const struct node *map = loader_map(loader, loader->root, "events");
    struct machine *machine = &loader->machine;
    if (map == NULL)
        return;
    struct machine_event *events =
        arena_new_array(loader->arena, map->count, struct machine_event);
    machine->declares_events = true;
    machine->declared_events = events;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct schema *schema =
            schema_compile(map->entries[i].value, loader->arena, loader->diagnostics);
        if (schema != NULL)
            events[machine->declared_event_count++] =
                (struct machine_event){map->entries[i].key, schema};
    }
}

/* SCXML: the only variables there are. */
static void load_declared(struct loader *loader)
{
    const struct node *data = node_find(loader->root, SPAN("data"));
    if (data == NULL)
        return;
    struct span *names = arena_new_array(loader->arena, data->count, struct span);
    for (uint32_t i = 0; data->kind == NODE_LIST && i < data->count; i++) {
        if (node_is_string(data->items[i]))
            names[loader->machine.declared_count++] = node_text(data->items[i]);
    }
    loader->machine.declared = names;
}

/* {"scxml": {"location": "#_scxml_ID"}} as far as it can be known before there is a session. */
static void set_processors(struct loader *loader)
{
    struct value_entry *location = arena_new(loader->arena, struct value_entry);
    struct value_entry *entries = arena_new_array(loader->arena, 2, struct value_entry);
    *location = (struct value_entry){
        value_string(SPAN("location")),
        value_string(text_print(loader->arena, "#_scxml_%.*s", SPAN_ARGS(loader->machine.id)))};
    struct value processor = value_map(location, 1);
    entries[0] = (struct value_entry){value_string(SPAN("scxml")), processor};
    entries[1] = (struct value_entry){
        value_string(SPAN("http://www.w3.org/TR/scxml/#SCXMLEventProcessor")), processor};
    loader->machine.processors = value_map(entries, 2);
}

static void begin(struct loader *loader)
{
    grow_event_slots(loader);
    loader_reserve(loader, loader->events, loader->event_count, loader->event_capacity);
    loader->event_count = EVENT_ID_FIRST;
    loader->machine.execution_error_event =
        loader_event(loader, SPAN("error.execution"), (struct place){0});
    loader->machine.communication_error_event =
        loader_event(loader, SPAN("error.communication"), (struct place){0});
}

bool machine_is_definition(const struct node *root)
{
    return node_find(root, SPAN("states")) != NULL || node_find(root, SPAN("initial")) != NULL;
}

static void load_parts(struct loader *loader)
{
    load_guard_names(loader);
    load_named_delays(loader);
    load_states(loader);
    load_named_guards(loader);
    load_named_actions(loader);
    load_declared(loader);
    load_declared_events(loader);
    load_context(loader);
    loader->machine.run = load_actions(loader, node_find(loader->root, SPAN("run")));
    load_initials(loader);
    for (uint32_t state = 0; state < loader->state_count; state++) {
        load_transitions(loader, state);
        load_invokes(loader, state); /* behind `on`, which may name their events too */
    }
    load_invariants(loader);
}

const struct machine *machine_load(const struct node *root, struct arena *arena,
                                   struct diagnostics *diagnostics)
{
    return machine_load_with(root, NULL, arena, diagnostics);
}

const struct machine *machine_load_with(const struct node *root,
                                        const struct expr_language *language,
                                        struct arena *arena, struct diagnostics *diagnostics)
{
    struct loader loader = {.arena = arena, .diagnostics = diagnostics, .root = root};
    loader.machine.language = language;
    uint32_t errors_before = diagnostics->errors;
    if (root->kind != NODE_MAP) {
        loader_error(&loader, "IL0104", root->place, "a definition must be a map, not %s",
                     node_kind_name(root));
        return NULL;
    }
    if (!load_derivation(&loader))
        return NULL;
    begin(&loader);
    loader_check_keys(&loader, root, root_keys, sizeof root_keys / sizeof root_keys[0],
                      "a machine");
    load_identity(&loader);
    load_record(&loader);
    load_semantics(&loader);
    if (loader.machine.semantics != SEMANTICS_SCXML)
        loader.machine.language = NULL; /* XState's documents have CEL alone */
    load_language(&loader);
    load_microsteps(&loader);
    set_processors(&loader);
    load_parts(&loader);
    if (diagnostics->errors == errors_before)
        load_tables(&loader);
    if (diagnostics->errors == errors_before)
        load_derived_states(&loader);
    if (diagnostics->errors != errors_before)
        return NULL;
    struct machine *machine = arena_new(arena, struct machine);
    *machine = loader.machine;
    if (machine->version.size == 0)
        machine->version = span_from_text(machine->hash);
    return machine;
}
