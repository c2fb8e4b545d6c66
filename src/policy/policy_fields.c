/*
 * policy_fields.c - durations, counts, percentages and words of a map.
 */
#include "policy/policy_fields.h"

#include "base/text.h"

struct diagnostic *policy_fields_complain(struct diagnostics *diagnostics, const char *code,
                                          const struct node *node, const char *format, ...)
{
    struct text message;
    text_init(&message, diagnostics->arena);
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&message, format, arguments);
    va_end(arguments);
    return diagnostics_add(diagnostics, SEVERITY_ERROR, code, node->place, "%.*s",
                           SPAN_ARGS(text_span(&message)));
}

void policy_fields_check(const struct node *map, const char *name, const struct span *keys,
                         size_t count, struct diagnostics *diagnostics)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct node_entry *entry = &map->entries[i];
        size_t at = 0;
        while (at < count && !span_equal(keys[at], entry->key))
            at++;
        if (at < count)
            continue;
        struct diagnostic *added =
            diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0102", entry->place,
                            "unknown key `%.*s` in `%s`", SPAN_ARGS(entry->key), name);
        diagnostic_suggest(diagnostics, added, entry->key, keys, count);
    }
}

/* A key's map, or NULL. */
const struct node *policy_fields_map(const struct node *step, const char *key,
                                     struct diagnostics *diagnostics)
{
    const struct node *node = node_find(step, span_from_text(key));
    if (node == NULL || node->kind == NODE_MAP)
        return node;
    policy_fields_complain(diagnostics, "IL0104", node, "`%s` must be a map, not %s", key,
                           node_kind_name(node));
    return NULL;
}

static bool is_int(const struct node *node)
{
    return node->kind == NODE_SCALAR && node->scalar.kind == VALUE_INT;
}

static bool duration_of(const struct node *node, duration_ms *duration)
{
    if (node_is_string(node))
        return time_read_duration(node_text(node), duration);
    if (!is_int(node) || node->scalar.integer < 0)
        return false;
    *duration = node->scalar.integer; /* a bare number is milliseconds */
    return true;
}

/* True when the key was there and good. */
bool policy_fields_duration(const struct node *map, const char *key, duration_ms minimum_ms,
                            duration_ms *duration, struct diagnostics *diagnostics)
{
    const struct node *node = node_find(map, span_from_text(key));
    duration_ms found = 0;
    if (node == NULL)
        return false;
    if (!duration_of(node, &found)) {
        policy_fields_complain(diagnostics, "IL0104", node,
                               "`%s` must be a duration such as 250ms, 30s, 5m or 24h", key);
        return false;
    }
    if (found < minimum_ms) {
        policy_fields_complain(diagnostics, "IL0104", node, "`%s` must be longer than 0ms",
                               key);
        return false;
    }
    *duration = found;
    return true;
}

bool policy_fields_count(const struct node *map, const char *key, uint32_t minimum,
                         uint32_t maximum, uint32_t *count, struct diagnostics *diagnostics)
{
    const struct node *node = node_find(map, span_from_text(key));
    if (node == NULL)
        return false;
    if (!is_int(node) || node->scalar.integer < (int64_t)minimum) {
        policy_fields_complain(diagnostics, "IL0104", node,
                               "`%s` must be a whole number from %u to %u", key, minimum,
                               maximum);
        return false;
    }
    if (node->scalar.integer > (int64_t)maximum) {
        policy_fields_complain(diagnostics, "IL0108", node, "`%s` can be at most %u", key,
                               maximum);
        return false;
    }
    *count = (uint32_t)node->scalar.integer;
    return true;
}

/* 50% or 0.5, as 50; 0 for anything that is not between 1% and 100%. */
static uint32_t percent_of(const struct node *node)
{
    if (node->kind == NODE_SCALAR && node->scalar.kind == VALUE_DOUBLE) {
        double percent = node->scalar.real * 100;
        return percent >= 1 && percent <= 100 ? (uint32_t)(percent + 0.5) : 0;
    }
    if (!node_is_string(node))
        return 0;
    struct span text = node_text(node);
    if (text.size < 2 || text.size > 4 || text.text[text.size - 1] != '%')
        return 0;
    uint32_t percent = 0;
    for (size_t i = 0; i + 1 < text.size; i++) {
        if (text.text[i] < '0' || text.text[i] > '9')
            return 0;
        percent = percent * 10 + (uint32_t)(text.text[i] - '0');
    }
    return percent <= 100 ? percent : 0;
}

bool policy_fields_percent_of(const struct node *node, const char *key, uint32_t *percent,
                              struct diagnostics *diagnostics)
{
    uint32_t found = percent_of(node);
    if (found == 0) {
        policy_fields_complain(
            diagnostics, "IL0104", node,
            "`%s` must be a whole percentage from 1%% to 100%%, such as 50%% or 0.5", key);
        return false;
    }
    *percent = found;
    return true;
}

bool policy_fields_percent(const struct node *map, const char *key, uint32_t *percent,
                           struct diagnostics *diagnostics)
{
    const struct node *node = node_find(map, span_from_text(key));
    return node != NULL && policy_fields_percent_of(node, key, percent, diagnostics);
}

/* The index of the key's word among the words, or count after a diagnostic or where it is not.
 */
size_t policy_fields_word(const struct node *map, const char *key, const struct span *words,
                          size_t count, struct diagnostics *diagnostics)
{
    const struct node *node = node_find(map, span_from_text(key));
    if (node == NULL)
        return count;
    for (size_t i = 0; i < count; i++) {
        if (node_is_string(node) && span_equal(node_text(node), words[i]))
            return i;
    }
    struct text choice;
    text_init(&choice, diagnostics->arena);
    for (size_t i = 0; i < count; i++)
        text_format(&choice, "%s`%.*s`",
                    i == 0           ? ""
                    : i + 1 == count ? " or "
                                     : ", ",
                    SPAN_ARGS(words[i]));
    struct diagnostic *added = policy_fields_complain(
        diagnostics, "IL0104", node, "`%s` must be %.*s", key, SPAN_ARGS(text_span(&choice)));
    if (node_is_string(node))
        diagnostic_suggest(diagnostics, added, node_text(node), words, count);
    return count;
}
