/*
 * derivation_read.c - from a definition's tree to a derivation.
 *
 * Two ways to write it, which may be mixed: `transitions` and `validators` as maps at the root,
 * or `validator` and `transitions` in each of `states`, which may be nested.
 *
 * Keys of machines that are driven by events too (steps, invokes, tags) are let pass: they are
 * the machine's to read.
 */
#include "base/ensure.h"
#include "chart/derivation_reader.h"

static const struct span root_keys[] = {
    SPAN_INIT("id"),         SPAN_INIT("version"),    SPAN_INIT("description"),
    SPAN_INIT("record"),     SPAN_INIT("initial"),    SPAN_INIT("transitions"),
    SPAN_INIT("validators"), SPAN_INIT("derive"),     SPAN_INIT("states"),
    SPAN_INIT("type"),       SPAN_INIT("tags"),       SPAN_INIT("meta"),
    SPAN_INIT("steps"),      SPAN_INIT("$schema"),    SPAN_INIT("context"),
    SPAN_INIT("events"),     SPAN_INIT("invariants"), SPAN_INIT("guards"),
    SPAN_INIT("on"),         SPAN_INIT("entry"),      SPAN_INIT("exit"),
    SPAN_INIT("actions"),    SPAN_INIT("delays"),     SPAN_INIT("semantics"),
    SPAN_INIT("schemas"),    SPAN_INIT("output"),     SPAN_INIT("after"),
    SPAN_INIT("always"),     SPAN_INIT("invoke"),     SPAN_INIT("maxIterations"),
    SPAN_INIT("admission"),
};

enum { ROOT_KEY_COUNT = sizeof root_keys / sizeof root_keys[0] };

void *derivation_grow(struct arena *arena, const void *old, uint32_t count, uint32_t *capacity,
                      size_t size)
{
    uint32_t larger = *capacity == 0 ? 8 : *capacity * 2;
    void *grown = arena_get_array(arena, larger, size);
    if (count > 0)
        memcpy(grown, old, count * size);
    *capacity = larger;
    return grown;
}

struct diagnostic *derivation_error(struct derivation_reader *reader, const char *code,
                                    struct place place, const char *format, ...)
{
    va_list arguments;
    struct text message;
    va_start(arguments, format);
    text_init(&message, reader->arena);
    text_format_list(&message, format, arguments);
    va_end(arguments);
    return diagnostics_add(reader->diagnostics, SEVERITY_ERROR, code, place, "%.*s",
                           SPAN_ARGS(text_span(&message)));
}

const struct node *derivation_map(struct derivation_reader *reader, const struct node *map,
                                  const char *key)
{
    const struct node *node = node_find(map, span_from_text(key));
    if (node == NULL || node->kind == NODE_MAP)
        return node;
    derivation_error(reader, "IL0104", node->place, "`%s` must be a map, not %s", key,
                     node_kind_name(node));
    return NULL;
}

static bool has_validator(const struct node *state, unsigned levels)
{
    const struct node *states = node_find(state, SPAN("states"));
    if (node_find(state, SPAN("validator")) != NULL)
        return true;
    if (states == NULL || states->kind != NODE_MAP || levels == 0)
        return false;
    for (uint32_t i = 0; i < states->count; i++) {
        if (has_validator(states->entries[i].value, levels - 1))
            return true;
    }
    return false;
}

bool derivation_is_definition(const struct node *root)
{
    return root != NULL && root->kind == NODE_MAP &&
           (node_find(root, SPAN("record")) != NULL ||
            node_find(root, SPAN("validators")) != NULL ||
            has_validator(root, STATE_DEPTH_MAX));
}

static void check_root_keys(struct derivation_reader *reader)
{
    for (uint32_t i = 0; i < reader->root->count; i++) {
        const struct node_entry *entry = &reader->root->entries[i];
        uint32_t k = 0;
        while (k < ROOT_KEY_COUNT && !span_equal(root_keys[k], entry->key))
            k++;
        if (k < ROOT_KEY_COUNT)
            continue;
        struct diagnostic *error =
            derivation_error(reader, "IL0102", entry->place, "unknown key `%.*s` in a machine",
                             SPAN_ARGS(entry->key));
        diagnostic_suggest(reader->diagnostics, error, entry->key, root_keys, ROOT_KEY_COUNT);
    }
}

static void read_identity(struct derivation_reader *reader)
{
    const struct node *id = node_find(reader->root, SPAN("id"));
    reader->derivation.file = reader->root->place.file;
    reader->derivation.id = SPAN("machine");
    if (id == NULL)
        return;
    if (!node_is_string(id) || node_text(id).size == 0)
        derivation_error(reader, "IL0104", id->place, "`id` must be a string, not %s",
                         node_is_string(id) ? "an empty one" : node_kind_name(id));
    else
        reader->derivation.id = node_text(id);
}

/* derive: { order: topological } */
static void read_rule(struct derivation_reader *reader)
{
    const struct node *derive = derivation_map(reader, reader->root, "derive");
    if (derive == NULL)
        return;
    for (uint32_t i = 0; i < derive->count; i++) {
        const struct node_entry *entry = &derive->entries[i];
        struct span text = node_is_string(entry->value) ? node_text(entry->value) : SPAN("");
        if (!span_is(entry->key, "order"))
            derivation_error(reader, "IL0102", entry->place,
                             "unknown key `%.*s` in `derive`; it has `order`",
                             SPAN_ARGS(entry->key));
        else if (span_is(text, "topological"))
            reader->derivation.is_topological = true;
        else if (!span_is(text, "breadth-first"))
            derivation_error(reader, "IL0104", entry->value->place,
                             "`order` is `topological` or `breadth-first`");
    }
}

static const struct derivation *finish(struct derivation_reader *reader)
{
    struct derivation *derivation = &reader->derivation;
    derivation->states = reader->states;
    derivation->state_count = reader->state_count;
    derivation->targets = reader->targets;
    derivation->validators = reader->validators;
    derivation->validator_count = reader->validator_count;
    derivation->fields = reader->fields;
    derivation->field_count = reader->field_count;
    derivation_read_orders(reader);
    struct derivation *whole = arena_new(reader->arena, struct derivation);
    *whole = *derivation;
    return whole;
}

const struct derivation *derivation_read(const struct node *root, struct arena *arena,
                                         struct diagnostics *diagnostics)
{
    struct derivation_reader reader = {
        .arena = arena, .diagnostics = diagnostics, .root = root};
    uint32_t errors_before = diagnostics->errors;
    if (root->kind != NODE_MAP) {
        derivation_error(&reader, "IL0104", root->place, "a definition must be a map, not %s",
                         node_kind_name(root));
        return NULL;
    }
    if (!derivation_is_definition(root)) {
        struct diagnostic *error =
            derivation_error(&reader, "IL0103", root->place,
                             "`validators` is missing: nothing says which data "
                             "belong to which state");
        diagnostic_help(diagnostics, error,
                        "states of a machine that is driven by events follow from its events");
        return NULL;
    }
    check_root_keys(&reader);
    read_identity(&reader);
    read_rule(&reader);
    derivation_read_record(&reader);
    derivation_read_states(&reader);
    derivation_read_targets(&reader);
    derivation_read_validators(&reader);
    return diagnostics->errors == errors_before ? finish(&reader) : NULL;
}
