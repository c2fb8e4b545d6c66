/*
 * settings.c - checks on settings, and their diagnostics.
 */
#include "strategy/settings.h"

#include "strategy/attempt_scope.h"

static bool is_known(struct span key, const struct span *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal(key, keys[i]))
            return true;
    }
    return false;
}

void settings_check_keys(const struct settings *settings, const struct span *keys, size_t count)
{
    for (uint32_t i = 0; i < settings->node->count; i++) {
        const struct node_entry *entry = &settings->node->entries[i];
        if (is_known(entry->key, keys, count))
            continue;
        struct diagnostic *diagnostic =
            diagnostics_add(settings->diagnostics, SEVERITY_ERROR, "IL0102", entry->place,
                            "unknown key `%.*s`", SPAN_ARGS(entry->key));
        diagnostic_suggest(settings->diagnostics, diagnostic, entry->key, keys, count);
    }
}

void settings_wrong_type(const struct settings *settings, const struct node *node,
                         const char *what, const char *wanted)
{
    diagnostics_add(settings->diagnostics, SEVERITY_ERROR, "IL0104", node->place,
                    "%s must be %s, not %s", what, wanted, node_kind_name(node));
}

static bool is_expression(const struct node *node)
{
    return node_find(node, SPAN("@expr")) != NULL;
}

static bool is_text(const struct node *node)
{
    if (node->kind != NODE_SCALAR)
        return is_expression(node);
    return node->scalar.kind != VALUE_NULL;
}

const struct expr_slot *settings_text(const struct settings *settings, const struct node *node,
                                      const char *what)
{
    if (!is_text(node)) {
        settings_wrong_type(settings, node, what, "a string");
        return NULL;
    }
    return settings_value(settings, node);
}

const struct expr_slot *settings_value(const struct settings *settings, const struct node *node)
{
    return expr_slot_compile(node, attempt_scope(), settings->arena, settings->diagnostics);
}

bool settings_output(const struct settings *settings, const struct node *output, bool *is_text)
{
    if (output == NULL)
        return true;
    *is_text = node_is_string(output) && span_is(node_text(output), "text");
    if (*is_text || (node_is_string(output) && span_is(node_text(output), "json")))
        return true;
    diagnostics_add(settings->diagnostics, SEVERITY_ERROR, "IL0104", output->place,
                    "`output` must be json or text");
    return false;
}

static bool read_pair(const struct settings *settings, const struct node_entry *entry,
                      const char *key, bool (*is_name)(struct span name),
                      struct settings_pair *pair)
{
    if (!is_name(entry->key)) {
        diagnostics_add(settings->diagnostics, SEVERITY_ERROR, "IL0104", entry->place,
                        "`%.*s` cannot be set in `%s`", SPAN_ARGS(entry->key), key);
        return false;
    }
    pair->name = arena_copy(settings->arena, entry->key);
    struct span what = text_print(settings->arena, "`%s`", pair->name.text);
    pair->value = settings_text(settings, entry->value, what.text);
    return pair->value != NULL;
}

bool settings_pairs(const struct settings *settings, const struct node *node, const char *key,
                    bool (*is_name)(struct span name), struct settings_pairs *pairs)
{
    *pairs = (struct settings_pairs){NULL, 0};
    if (node == NULL)
        return true;
    if (node->kind != NODE_MAP) {
        settings_wrong_type(settings, node, text_print(settings->arena, "`%s`", key).text,
                            "a map");
        return false;
    }
    struct settings_pair *read =
        arena_new_array(settings->arena, node->count, struct settings_pair);
    bool is_good = true;
    for (uint32_t i = 0; i < node->count; i++)
        is_good &= read_pair(settings, &node->entries[i], key, is_name, &read[i]);
    *pairs = (struct settings_pairs){read, node->count};
    return is_good;
}
