/*
 * schema.c - applying a schema to a value.
 *
 * The first rule that does not hold ends it. The path to a value is a chain of steps on the
 * stack, written out only when there is a problem to tell.
 *
 * Why steps are counted: schemas may refer to themselves and offer alternatives, so a small
 * one can ask for more work than any value is worth. DEPTH_MAX ends a $ref that leads to
 * itself without ever reaching a part of the value.
 */
#include "expr/schema.h"

#include <math.h>

#include "base/ensure.h"
#include "base/json.h"
#include "expr/schema_model.h"

enum { STEPS_MAX = 4000000, DEPTH_MAX = 400 };

struct step {
    const struct step *outer;
    struct span key; /* a member's name; its text is NULL for an element */
    uint32_t index;
};

struct walk {
    struct arena *arena;
    struct schema_problem *problem;
    int64_t steps_left;
};

static bool apply(struct walk *walk, const struct schema *schema, const struct step *at,
                  unsigned depth, struct value *value);

/* Problems */

static void add_path(struct text *text, const struct step *at)
{
    if (at == NULL)
        return;
    add_path(text, at->outer);
    text_add_byte(text, '/');
    if (at->key.text == NULL)
        text_add_uint(text, at->index);
    for (size_t i = 0; at->key.text != NULL && i < at->key.size; i++) {
        char c = at->key.text[i];
        if (c == '~' || c == '/')
            text_add(text, c == '~' ? SPAN("~0") : SPAN("~1"));
        else
            text_add_byte(text, c);
    }
}

__attribute__((format(printf, 3, 4))) static bool fail(struct walk *walk, const struct step *at,
                                                       const char *format, ...)
{
    struct text path;
    struct text message;
    va_list arguments;
    text_init(&path, walk->arena);
    text_init(&message, walk->arena);
    add_path(&path, at);
    va_start(arguments, format);
    text_format_list(&message, format, arguments);
    va_end(arguments);
    *walk->problem = (struct schema_problem){text_span(&path), text_span(&message)};
    return false;
}

static struct span written(struct walk *walk, struct value value)
{
    enum { BYTES_MAX = 60 };
    struct text text;
    text_init(&text, walk->arena);
    json_write(&text, value);
    if (text.size > BYTES_MAX) {
        text_clear(&text);
        text_add(&text, SPAN("…"));
    }
    return text_span(&text);
}

/* Kinds */

static bool is_number(struct value value)
{
    return value.kind == VALUE_INT || value.kind == VALUE_DOUBLE;
}

static bool is_whole(struct value value)
{
    return value.kind == VALUE_INT ||
           (value.kind == VALUE_DOUBLE && value.real >= -0x1p63 && value.real < 0x1p63 &&
            nearbyint(value.real) == value.real);
}

static uint32_t kinds_of(struct value value)
{
    static const uint8_t kinds[VALUE_KIND_COUNT] = {
        [VALUE_NULL] = SCHEMA_NULL,     [VALUE_BOOL] = SCHEMA_BOOL,
        [VALUE_INT] = SCHEMA_NUMBER,    [VALUE_DOUBLE] = SCHEMA_NUMBER,
        [VALUE_STRING] = SCHEMA_STRING, [VALUE_LIST] = SCHEMA_ARRAY,
        [VALUE_MAP] = SCHEMA_OBJECT,
    };
    return is_whole(value) ? SCHEMA_INTEGER | SCHEMA_NUMBER : kinds[value.kind];
}

static const char *kind_name(uint32_t kind)
{
    static const char *const names[] = {"null",     "true or false", "a whole number",
                                        "a number", "a string",      "an array",
                                        "an object"};
    uint32_t i = 0;
    while ((kind >> i & 1) == 0)
        i++;
    ensure(i < sizeof names / sizeof names[0]);
    return names[i];
}

static bool fail_kind(struct walk *walk, const struct schema *schema, const struct step *at)
{
    struct text text;
    text_init(&text, walk->arena);
    for (uint32_t kind = SCHEMA_NULL; kind <= SCHEMA_OBJECT; kind <<= 1) {
        if ((schema->kinds & kind) != 0)
            text_format(&text, "%s%s", text.size == 0 ? "" : " or ", kind_name(kind));
    }
    return fail(walk, at, "is not %.*s", SPAN_ARGS(text_span(&text)));
}

/* A number becomes what the schema calls it; where it leaves the choice it stays. */
static struct value coerce(uint32_t kinds, struct value value)
{
    uint32_t numbers = kinds & (SCHEMA_INTEGER | SCHEMA_NUMBER);
    if (numbers == SCHEMA_NUMBER && value.kind == VALUE_INT)
        return value_double((double)value.integer);
    if (numbers == SCHEMA_INTEGER && value.kind == VALUE_DOUBLE && is_whole(value))
        return value_int((int64_t)value.real);
    return value;
}

static bool check_kind(struct walk *walk, const struct schema *schema, const struct step *at,
                       struct value *value)
{
    if (schema->kinds == 0)
        return true;
    if ((schema->kinds & kinds_of(*value)) == 0)
        return fail_kind(walk, schema, at);
    *value = coerce(schema->kinds, *value);
    return true;
}

static bool check_values(struct walk *walk, const struct schema *schema, const struct step *at,
                         struct value value)
{
    if (schema->values.kind != VALUE_LIST)
        return true;
    for (uint32_t i = 0; i < schema->values.count; i++) {
        if (value_equal(schema->values.items[i], value))
            return true;
    }
    if (schema->values.count == 1)
        return fail(walk, at, "is not %.*s", SPAN_ARGS(written(walk, schema->values.items[0])));
    return fail(walk, at, "is none of %.*s", SPAN_ARGS(written(walk, schema->values)));
}

/* Numbers */

static bool is_multiple(struct value value, struct value of)
{
    if (value.kind == VALUE_INT && of.kind == VALUE_INT)
        return value.integer % of.integer == 0;
    double number = value.kind == VALUE_INT ? (double)value.integer : value.real;
    double unit = of.kind == VALUE_INT ? (double)of.integer : of.real;
    double quotient = number / unit;
    /* 0.07 is seven times 0.01 for people, and nearly so for doubles. */
    return fabs(quotient - nearbyint(quotient)) <= 1e-9 * fmax(1, fabs(quotient));
}

/* False when the order of value and limit is this one. */
static bool check_limit(struct walk *walk, const struct step *at, struct value value,
                        struct value limit, bool forbids_equal, int forbidden,
                        const char *message)
{
    if (limit.kind == VALUE_ERROR)
        return true;
    int order = value_compare_numbers(value, limit);
    if (order != forbidden && !(forbids_equal && order == 0))
        return true;
    return fail(walk, at, "%s %.*s", message, SPAN_ARGS(written(walk, limit)));
}

static bool check_number(struct walk *walk, const struct schema *schema, const struct step *at,
                         struct value value)
{
    if (!is_number(value))
        return true;
    if (schema->multiple_of.kind != VALUE_ERROR && !is_multiple(value, schema->multiple_of))
        return fail(walk, at, "is not a multiple of %.*s",
                    SPAN_ARGS(written(walk, schema->multiple_of)));
    return check_limit(walk, at, value, schema->minimum, false, -1, "is less than") &&
           check_limit(walk, at, value, schema->maximum, false, 1, "is more than") &&
           check_limit(walk, at, value, schema->above, true, -1, "is not more than") &&
           check_limit(walk, at, value, schema->below, true, 1, "is not less than");
}

/* Strings */

static uint64_t length_of(struct span text)
{
    uint64_t length = 0;
    for (size_t i = 0; i < text.size; i++)
        length += ((unsigned char)text.text[i] & 0xc0) != 0x80;
    return length;
}

static bool check_string(struct walk *walk, const struct schema *schema, const struct step *at,
                         struct value value)
{
    if (value.kind != VALUE_STRING)
        return true;
    uint64_t length = length_of(value_span(value));
    if (length < schema->length_min)
        return fail(walk, at, "is shorter than %llu", (unsigned long long)schema->length_min);
    if (length > schema->length_max)
        return fail(walk, at, "is longer than %llu", (unsigned long long)schema->length_max);
    if (schema->pattern == NULL)
        return true;
    walk->steps_left -= (int64_t)((value.count + 1) * regex_cost(schema->pattern) / 16);
    if (walk->steps_left >= 0 && regex_matches(schema->pattern, value_span(value)))
        return true;
    return fail(walk, at, "does not match %.*s", SPAN_ARGS(schema->pattern_text));
}

/* Arrays */

static bool is_changed(struct value a, struct value b)
{
    return a.kind != b.kind || a.uinteger != b.uinteger;
}

static bool check_unique(struct walk *walk, const struct step *at, struct value list)
{
    for (uint32_t i = 0; i < list.count; i++) {
        walk->steps_left -= i;
        if (walk->steps_left < 0)
            return fail(walk, at, "has too many items to be compared");
        for (uint32_t k = 0; k < i; k++) {
            if (value_equal(list.items[i], list.items[k]))
                return fail(walk, at, "has the same item twice: /%u and /%u", k, i);
        }
    }
    return true;
}

static bool apply_items(struct walk *walk, const struct schema *schema, const struct step *at,
                        unsigned depth, struct value *list)
{
    struct value *items = NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        struct step step = {at, {NULL, 0}, i};
        struct value item = list->items[i];
        if (!apply(walk, schema->items, &step, depth, &item))
            return false;
        if (items == NULL && is_changed(item, list->items[i])) {
            items = arena_new_array(walk->arena, list->count, struct value);
            memcpy(items, list->items, list->count * sizeof *items);
        }
        if (items != NULL)
            items[i] = item;
    }
    if (items != NULL)
        list->items = items;
    return true;
}

static bool check_array(struct walk *walk, const struct schema *schema, const struct step *at,
                        unsigned depth, struct value *value)
{
    if (value->kind != VALUE_LIST)
        return true;
    if (value->count < schema->items_min)
        return fail(walk, at, "has fewer than %llu items",
                    (unsigned long long)schema->items_min);
    if (value->count > schema->items_max)
        return fail(walk, at, "has more than %llu items",
                    (unsigned long long)schema->items_max);
    if (schema->has_unique_items && !check_unique(walk, at, *value))
        return false;
    return schema->items == NULL || apply_items(walk, schema, at, depth, value);
}

/* Objects */

static const struct schema *schema_of_member(const struct schema *schema, struct span key)
{
    for (uint32_t i = 0; i < schema->property_count; i++) {
        if (span_equal(schema->properties[i].name, key))
            return schema->properties[i].schema;
    }
    return schema->additional;
}

/* A member that may not be there, with the name that was perhaps meant. */
static bool fail_unknown(struct walk *walk, const struct schema *schema, const struct step *at)
{
    struct span best = {NULL, 0};
    size_t best_distance = at->key.size / 3 + 1;
    for (uint32_t i = 0; i < schema->property_count; i++) {
        size_t distance = span_distance(at->key, schema->properties[i].name);
        if (distance <= best_distance) {
            best = schema->properties[i].name;
            best_distance = distance;
        }
    }
    if (best.text == NULL)
        return fail(walk, at, "is not known here");
    return fail(walk, at, "is not known here; did you mean '%.*s'?", SPAN_ARGS(best));
}

static bool apply_members(struct walk *walk, const struct schema *schema, const struct step *at,
                          unsigned depth, struct value *map)
{
    struct value_entry *entries = NULL;
    for (uint32_t i = 0; i < map->count; i++) {
        struct step step = {at, value_span(map->entries[i].key), 0};
        struct value member = map->entries[i].value;
        const struct schema *own = schema_of_member(schema, step.key);
        walk->steps_left -= schema->property_count / 4;
        if (own == NULL)
            continue;
        if (own->is_never && own == schema->additional)
            return fail_unknown(walk, schema, &step);
        if (!apply(walk, own, &step, depth, &member))
            return false;
        if (!is_changed(member, map->entries[i].value))
            continue;
        if (entries == NULL) {
            entries = arena_new_array(walk->arena, map->count, struct value_entry);
            memcpy(entries, map->entries, map->count * sizeof *entries);
            map->entries = entries;
        }
        entries[i].value = member;
    }
    return true;
}

static bool check_object(struct walk *walk, const struct schema *schema, const struct step *at,
                         unsigned depth, struct value *value)
{
    if (value->kind != VALUE_MAP)
        return true;
    for (uint32_t i = 0; i < schema->required_count; i++) {
        if (value_find(*value, schema->required[i]) == NULL)
            return fail(walk, at, "has no `%.*s`", SPAN_ARGS(schema->required[i]));
    }
    if (value->count < schema->properties_min)
        return fail(walk, at, "has fewer than %llu members",
                    (unsigned long long)schema->properties_min);
    if (value->count > schema->properties_max)
        return fail(walk, at, "has more than %llu members",
                    (unsigned long long)schema->properties_max);
    if (schema->property_count == 0 && schema->additional == NULL)
        return true;
    return apply_members(walk, schema, at, depth, value);
}

/* Alternatives */

static bool check_all_of(struct walk *walk, const struct schema *schema, const struct step *at,
                         unsigned depth, struct value *value)
{
    for (uint32_t i = 0; i < schema->all_of.count; i++) {
        if (!apply(walk, schema->all_of.schemas[i], at, depth, value))
            return false;
    }
    return true;
}

/* Applies an alternative, keeping neither memory nor words of one that does not fit. */
static bool try_schema(struct walk *walk, const struct schema *schema, const struct step *at,
                       unsigned depth, struct value *value)
{
    struct arena_mark mark = arena_mark(walk->arena);
    struct value tried = *value;
    if (!apply(walk, schema, at, depth, &tried)) {
        arena_rewind(walk->arena, mark);
        return false;
    }
    *value = tried;
    return true;
}

static bool check_any_of(struct walk *walk, const struct schema *schema, const struct step *at,
                         unsigned depth, struct value *value)
{
    for (uint32_t i = 0; i < schema->any_of.count; i++) {
        if (try_schema(walk, schema->any_of.schemas[i], at, depth, value))
            return true;
    }
    return schema->any_of.count == 0 || fail(walk, at, "fits none of the alternatives");
}

static bool check_one_of(struct walk *walk, const struct schema *schema, const struct step *at,
                         unsigned depth, struct value *value)
{
    struct value taken = *value;
    uint32_t count = 0;
    for (uint32_t i = 0; i < schema->one_of.count; i++) {
        struct value tried = *value;
        if (!try_schema(walk, schema->one_of.schemas[i], at, depth, &tried))
            continue;
        taken = tried;
        count++;
    }
    *value = taken;
    if (schema->one_of.count == 0 || count == 1)
        return true;
    return count == 0 ? fail(walk, at, "fits none of the alternatives")
                      : fail(walk, at, "fits %u alternatives instead of one", count);
}

static bool check_not(struct walk *walk, const struct schema *schema, const struct step *at,
                      unsigned depth, struct value value)
{
    if (schema->not_it == NULL || !try_schema(walk, schema->not_it, at, depth, &value))
        return true;
    return fail(walk, at, "is what it must not be");
}

static bool apply(struct walk *walk, const struct schema *schema, const struct step *at,
                  unsigned depth, struct value *value)
{
    walk->steps_left--;
    if (depth == DEPTH_MAX || walk->steps_left < 0)
        return fail(walk, at, "takes too many steps to be checked");
    depth++;
    if (schema->is_never)
        return fail(walk, at, "may not be here");
    if (schema->reference != NULL && !apply(walk, schema->reference, at, depth, value))
        return false;
    return check_kind(walk, schema, at, value) && check_values(walk, schema, at, *value) &&
           check_number(walk, schema, at, *value) && check_string(walk, schema, at, *value) &&
           check_array(walk, schema, at, depth, value) &&
           check_object(walk, schema, at, depth, value) &&
           check_all_of(walk, schema, at, depth, value) &&
           check_any_of(walk, schema, at, depth, value) &&
           check_one_of(walk, schema, at, depth, value) &&
           check_not(walk, schema, at, depth, *value);
}

bool schema_accept(const struct schema *schema, struct value value, struct arena *arena,
                   struct value *accepted, struct schema_problem *problem)
{
    struct walk walk = {arena, problem, STEPS_MAX};
    if (!apply(&walk, schema, NULL, 0, &value))
        return false;
    if (walk.steps_left < 0)
        return fail(&walk, NULL, "takes too many steps to be checked");
    *accepted = value;
    return true;
}
