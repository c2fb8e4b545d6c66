/*
 * script_value.c - strings, numbers, lists and maps from one side to the other.
 *
 * Duktape's strings are CESU-8: what takes four bytes in UTF-8 is two halves of three there.
 */
#include "script/script_value.h"

#include <math.h>

#include "base/limits.h"
#include "base/text.h"
#include "script/script_markup.h"

static const double WHOLE_MAX = 9007199254740991.0; /* every whole number up to it is exact */

/* Texts */

static bool has_wide(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.text[i] >= 0xf0)
            return true;
    }
    return false;
}

static char *put_half(char *to, uint32_t half)
{
    *to++ = (char)(0xe0 | (half >> 12));
    *to++ = (char)(0x80 | ((half >> 6) & 0x3f));
    *to++ = (char)(0x80 | (half & 0x3f));
    return to;
}

static void push_wide(duk_context *duk, struct span text)
{
    char *start = duk_push_fixed_buffer(duk, text.size + text.size / 2 + 1);
    char *to = start;
    for (size_t i = 0; i < text.size; i++) {
        const unsigned char *from = (const unsigned char *)text.text + i;
        if (*from < 0xf0) {
            *to++ = text.text[i];
            continue;
        }
        uint32_t code = ((uint32_t)(from[0] & 7) << 18 | (uint32_t)(from[1] & 63) << 12 |
                         (uint32_t)(from[2] & 63) << 6 | (from[3] & 63)) -
                        0x10000;
        to = put_half(to, 0xd800 + (code >> 10));
        to = put_half(to, 0xdc00 + (code & 0x3ff));
        i += 3;
    }
    duk_push_lstring(duk, start, (duk_size_t)(to - start));
    duk_remove(duk, -2);
}

static void push_text(duk_context *duk, struct span text)
{
    if (has_wide(text))
        push_wide(duk, text);
    else
        duk_push_lstring(duk, text.text, text.size);
}

static bool is_half(const unsigned char *bytes, size_t size, unsigned char second)
{
    return size >= 3 && bytes[0] == 0xed && (bytes[1] & 0xf0) == second;
}

/* A pair of halves becomes the four bytes it stands for. */
static struct span join_halves(struct span text, struct arena *arena)
{
    struct text joined;
    text_init(&joined, arena);
    for (size_t i = 0; i < text.size; i++) {
        const unsigned char *from = (const unsigned char *)text.text + i;
        if (!is_half(from, text.size - i, 0xa0) ||
            !is_half(from + 3, text.size - i - 3, 0xb0)) {
            text_add_byte(&joined, text.text[i]);
            continue;
        }
        uint32_t high = (uint32_t)(from[1] & 15) << 6 | (from[2] & 63);
        uint32_t low = (uint32_t)(from[4] & 15) << 6 | (from[5] & 63);
        uint32_t code = 0x10000 + (high << 10 | low);
        char bytes[] = {(char)(0xf0 | code >> 18), (char)(0x80 | (code >> 12 & 63)),
                        (char)(0x80 | (code >> 6 & 63)), (char)(0x80 | (code & 63))};
        text_add(&joined, span_of(bytes, sizeof bytes));
        i += 5;
    }
    return text_span(&joined);
}

struct span script_value_text(struct script *script, duk_idx_t index)
{
    duk_size_t size;
    const char *bytes = duk_get_lstring(script->duk, index, &size);
    struct span text = span_of(bytes, size);
    if (span_is_utf8(text))
        return arena_copy(script->arena, text);
    text = join_halves(text, script->arena);
    if (!span_is_utf8(text))
        (void)duk_type_error(script->duk, "a text with half a character cannot be kept");
    return text;
}

/* To ECMAScript */

static void define(duk_context *duk)
{
    duk_def_prop(duk, -3, DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_SET_WEC);
}

/* {NAME: TEXT} and nothing else. */
static bool is_tagged(struct value value, const char *name, struct span *text)
{
    if (value.count != 1 || value.entries[0].key.kind != VALUE_STRING ||
        value.entries[0].value.kind != VALUE_STRING ||
        !span_is(value_span(value.entries[0].key), name))
        return false;
    *text = value_span(value.entries[0].value);
    return true;
}

static bool push_tagged(struct script *script, struct value value)
{
    struct span text;
    if (is_tagged(value, "@xml", &text))
        return script_markup_push(script, text);
    if (!is_tagged(value, "@function", &text) || table_find(&script->functions, text) == NULL)
        return false;
    script_heap_compile(script, EXPR_VALUE, text);
    duk_call(script->duk, 0);
    return true;
}

static void push_map(struct script *script, struct value value)
{
    if (push_tagged(script, value))
        return;
    duk_push_object(script->duk);
    for (uint32_t i = 0; i < value.count; i++) {
        script_value_push(script, value.entries[i].key);
        duk_to_string(script->duk, -1);
        script_value_push(script, value.entries[i].value);
        define(script->duk);
    }
}

static void push_list(struct script *script, struct value value)
{
    duk_push_array(script->duk);
    for (uint32_t i = 0; i < value.count; i++) {
        script_value_push(script, value.items[i]);
        duk_put_prop_index(script->duk, -2, i);
    }
}

void script_value_push(struct script *script, struct value value)
{
    duk_context *duk = script->duk;
    duk_require_stack(duk, 4);
    switch ((enum value_kind)value.kind) {
    case VALUE_NULL:
        duk_push_null(duk);
        return;
    case VALUE_BOOL:
        duk_push_boolean(duk, value.boolean);
        return;
    case VALUE_INT:
        duk_push_number(duk, (double)value.integer);
        return;
    case VALUE_UINT:
        duk_push_number(duk, (double)value.uinteger);
        return;
    case VALUE_DOUBLE:
        duk_push_number(duk, value.real);
        return;
    case VALUE_STRING:
        push_text(duk, value_span(value));
        return;
    case VALUE_LIST:
        push_list(script, value);
        return;
    case VALUE_MAP:
        push_map(script, value);
        return;
    case VALUE_BYTES:
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
    case VALUE_TYPE:
    case VALUE_OPTIONAL:
    case VALUE_IP:
    case VALUE_CIDR:
    case VALUE_ERROR:
    case VALUE_KIND_COUNT:
        break; /* never in what is kept */
    }
    duk_push_undefined(duk);
}

/* From ECMAScript */

struct pull {
    struct script *script;
    duk_context *duk;
    struct arena *arena;
    int64_t bytes_left;
    uint32_t depth;
};

static struct value pull(struct pull *pulling);

static void spend(struct pull *pulling, size_t bytes)
{
    pulling->bytes_left -= (int64_t)bytes + 1;
    if (pulling->bytes_left < 0)
        (void)duk_range_error(pulling->duk, "the value is larger than a value may be");
}

static struct value pull_number(struct pull *pulling)
{
    double number = duk_get_number(pulling->duk, -1);
    if (!isfinite(number))
        (void)duk_type_error(pulling->duk, "%s cannot be kept as a value",
                             isnan(number) ? "NaN" : "Infinity");
    bool is_whole = number == floor(number) && fabs(number) <= WHOLE_MAX &&
                    !(number == 0 && signbit(number));
    return is_whole ? value_int((int64_t)number) : value_double(number);
}

static struct value pull_text(struct pull *pulling)
{
    struct span text = script_value_text(pulling->script, -1);
    spend(pulling, text.size);
    return value_string(text);
}

static struct value tagged(struct pull *pulling, const char *name)
{
    struct value_entry *entry = arena_new(pulling->arena, struct value_entry);
    *entry = (struct value_entry){value_string(span_from_text(name)), pull_text(pulling)};
    return value_map(entry, 1);
}

/* Whether the object on top has properties of its own beside `constructor`. */
static bool has_members(duk_context *duk)
{
    bool has = false;
    duk_enum(duk, -1, DUK_ENUM_OWN_PROPERTIES_ONLY | DUK_ENUM_INCLUDE_NONENUMERABLE);
    while (!has && duk_next(duk, -1, 0)) {
        has = strcmp(duk_get_string_default(duk, -1, ""), "constructor") != 0;
        duk_pop(duk);
    }
    duk_pop(duk);
    return has;
}

static bool has_enumerable(duk_context *duk)
{
    duk_enum(duk, -1, DUK_ENUM_OWN_PROPERTIES_ONLY);
    bool has = duk_next(duk, -1, 0);
    duk_pop_n(duk, has ? 2 : 1);
    return has;
}

/* Its text is all there is to it, or it is refused. */
static struct value pull_function(struct pull *pulling)
{
    duk_context *duk = pulling->duk;
    if (!duk_get_prop_string(duk, -1, SCRIPT_SOURCE))
        (void)duk_type_error(duk, "a function that was made in another one, or that comes "
                                  "with the language, cannot be kept as a value");
    struct value value = tagged(pulling, "@function");
    duk_pop(duk);
    bool has = has_enumerable(duk);
    duk_get_prop_string(duk, -1, "prototype");
    if (has || (duk_is_object(duk, -1) && has_members(duk)))
        (void)duk_type_error(duk, "a function with members cannot be kept as a value");
    duk_pop(duk);
    return value;
}

static struct value pull_list(struct pull *pulling)
{
    duk_size_t count = duk_get_length(pulling->duk, -1);
    spend(pulling, count);
    struct value *items = arena_new_array(pulling->arena, count, struct value);
    for (duk_size_t i = 0; i < count; i++) {
        duk_get_prop_index(pulling->duk, -1, (duk_uarridx_t)i);
        items[i] = duk_is_undefined(pulling->duk, -1) ? value_null() : pull(pulling);
        duk_pop(pulling->duk);
    }
    return value_list(items, count);
}

/* What stands behind the object and is not there any more once it is kept. */
static void check_prototypes(struct pull *pulling)
{
    duk_context *duk = pulling->duk;
    duk_get_prototype(duk, -1);
    while (duk_is_object(duk, -1)) {
        duk_get_prototype(duk, -1);
        bool is_last = !duk_is_object(duk, -1); /* Object.prototype */
        duk_pop(duk);
        if (is_last)
            break;
        if (has_members(duk))
            (void)duk_type_error(duk, "an object whose prototype has members cannot be kept "
                                      "as a value");
        duk_get_prototype(duk, -1);
        duk_remove(duk, -2);
    }
    duk_pop(duk);
}

/* Doubles the room when it is full. */
static struct value_entry *reserve(struct arena *arena, struct value_entry *entries,
                                   uint32_t count)
{
    if (count < 4 ? count > 0 : (count & (count - 1)) != 0)
        return entries;
    struct value_entry *larger =
        arena_new_array(arena, count < 4 ? 4 : (size_t)count * 2, struct value_entry);
    if (count > 0)
        memcpy(larger, entries, count * sizeof *larger);
    return larger;
}

static struct value pull_members(struct pull *pulling)
{
    duk_context *duk = pulling->duk;
    struct value_entry *entries = NULL;
    uint32_t count = 0;
    check_prototypes(pulling);
    duk_enum(duk, -1, DUK_ENUM_OWN_PROPERTIES_ONLY);
    while (duk_next(duk, -1, 1)) {
        if (!duk_is_undefined(duk, -1)) {
            struct value value = pull(pulling);
            duk_pop(duk);
            entries = reserve(pulling->arena, entries, count);
            entries[count++] = (struct value_entry){pull_text(pulling), value};
            duk_pop(duk);
        } else {
            duk_pop_2(duk);
        }
    }
    duk_pop(duk);
    return value_map(entries, count);
}

static struct value pull_object(struct pull *pulling)
{
    duk_context *duk = pulling->duk;
    struct value value;
    duk_require_stack(duk, 8);
    if (++pulling->depth > VALUE_DEPTH_MAX)
        (void)duk_type_error(duk,
                             "what nests deeper than %d levels, or goes round in "
                             "circles, cannot be kept as a value",
                             (int)VALUE_DEPTH_MAX);
    spend(pulling, 1);
    if (duk_is_function(duk, -1)) {
        value = pull_function(pulling);
    } else if (duk_is_array(duk, -1)) {
        value = pull_list(pulling);
    } else if (duk_get_prop_string(duk, -1, SCRIPT_MARKUP)) {
        value = tagged(pulling, "@xml");
        duk_pop(duk);
    } else {
        duk_pop(duk);
        value = pull_members(pulling);
    }
    pulling->depth--;
    return value;
}

static struct value pull(struct pull *pulling)
{
    duk_context *duk = pulling->duk;
    switch (duk_get_type(duk, -1)) {
    case DUK_TYPE_UNDEFINED:
        return (struct value){.kind = VALUE_OPTIONAL};
    case DUK_TYPE_NULL:
        return value_null();
    case DUK_TYPE_BOOLEAN:
        return value_bool(duk_get_boolean(duk, -1));
    case DUK_TYPE_NUMBER:
        return pull_number(pulling);
    case DUK_TYPE_STRING:
        return pull_text(pulling);
    case DUK_TYPE_OBJECT:
        return pull_object(pulling);
    default:
        (void)duk_type_error(duk, "this cannot be kept as a value");
        return value_null();
    }
}

struct value script_value_pull(struct script *script)
{
    struct pull pulling = {script, script->duk, script->arena, VALUE_BYTES_MAX, 0};
    return pull(&pulling);
}

/* Variables */

static bool has_own(duk_context *duk, duk_idx_t object, struct span name)
{
    push_text(duk, name);
    duk_get_prop_desc(duk, object, 0);
    bool has = !duk_is_undefined(duk, -1);
    duk_pop(duk);
    return has;
}

void script_value_put_variables(struct script *script)
{
    duk_context *duk = script->duk;
    const struct expr_world *world = script->world;
    duk_push_global_object(duk);
    for (uint32_t i = 0; i < world->variables.count; i++) {
        if (script_is_own(value_span(world->variables.entries[i].key)))
            continue;
        script_value_push(script, world->variables.entries[i].key);
        script_value_push(script, world->variables.entries[i].value);
        define(duk);
    }
    for (uint32_t i = 0; i < world->declared_count; i++) {
        if (script_is_own(world->declared[i]) || has_own(duk, -2, world->declared[i]))
            continue;
        push_text(duk, world->declared[i]);
        duk_push_undefined(duk);
        define(duk);
    }
    duk_pop(duk);
}

static bool is_declared(const struct expr_world *world, struct span name)
{
    for (uint32_t i = 0; i < world->declared_count; i++) {
        if (span_equal(world->declared[i], name))
            return true;
    }
    return value_find(world->variables, name) != NULL;
}

/* The variable whose value is on top, behind those that were read already. One that a script
 * has made and given no value would be gone afterwards. */
static bool read_variable(struct pull *pulling, struct span name, struct value *value)
{
    duk_context *duk = pulling->duk;
    if (!duk_is_undefined(duk, -1)) {
        *value = pull(pulling);
        return true;
    }
    if (!is_declared(pulling->script->world, name))
        (void)duk_type_error(duk, "the variable has no value: declare it with <data>");
    return false;
}

/* The variables come in the order in which they were put in, so that one look ahead is enough
 * to find what each was before. */
static bool is_same(struct value before, uint32_t *at, const struct value_entry *entry)
{
    if (*at == before.count)
        return false;
    const struct value_entry *old = &before.entries[(*at)++];
    return span_equal(value_span(old->key), value_span(entry->key)) &&
           value_equal(old->value, entry->value);
}

void script_value_read_variables(struct script *script)
{
    duk_context *duk = script->duk;
    struct pull pulling = {script, duk, script->arena, VALUE_BYTES_MAX, 0};
    struct value before = script->world->variables;
    struct value_entry *entries = NULL;
    uint32_t count = 0;
    uint32_t at = 0;
    bool is_changed = false;
    duk_push_global_object(duk);
    duk_enum(duk, -1, DUK_ENUM_OWN_PROPERTIES_ONLY);
    while (duk_next(duk, -1, 1)) {
        struct value value;
        struct span name = script_value_text(script, -2);
        if (!script_is_own(name) && read_variable(&pulling, name, &value)) {
            entries = reserve(script->arena, entries, count);
            entries[count] = (struct value_entry){value_string(name), value};
            is_changed = !is_same(before, &at, &entries[count++]) || is_changed;
        }
        duk_pop_2(duk);
    }
    duk_pop_2(duk);
    if (is_changed || count != before.count)
        script->world->variables = value_map(entries, count);
}
