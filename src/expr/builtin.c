/*
 * builtin.c - the table of functions, and the short ones.
 */
#include "expr/builtin.h"

#include "base/ensure.h"
#include "expr/access.h"
#include "expr/calendar.h"
#include "expr/convert.h"

/* Characters are code points; the text is known to be UTF-8. */
static uint64_t count_characters(struct span text)
{
    uint64_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.text[i] & 0xc0) != 0x80;
    return count;
}

static struct value size_of(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value value = arguments[0];
    if (value.kind == VALUE_LIST || value.kind == VALUE_MAP || value.kind == VALUE_BYTES)
        return value_int(value.count);
    if (value.kind != VALUE_STRING)
        return vm_no_overload(vm, "size", arguments, count);
    vm_charge_bytes(vm, value.count);
    return value_int((int64_t)count_characters(value_span(value)));
}

static bool are_strings(const struct value *arguments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (arguments[i].kind != VALUE_STRING)
            return false;
    }
    return true;
}

static struct value contains(struct vm *vm, const struct value *arguments, size_t count)
{
    if (!are_strings(arguments, count))
        return vm_no_overload(vm, "contains", arguments, count);
    /* The worst case of a plain search is both sizes multiplied, for hostile texts. */
    vm_charge_bytes(vm, (uint64_t)arguments[0].count * (1 + arguments[1].count / 16));
    if (vm->cost_left < 0)
        return value_bool(false);
    struct span text = value_span(arguments[0]);
    return value_bool(span_find(text, value_span(arguments[1]), 0) != SIZE_MAX);
}

static struct value starts_with(struct vm *vm, const struct value *arguments, size_t count)
{
    if (!are_strings(arguments, count))
        return vm_no_overload(vm, "startsWith", arguments, count);
    vm_charge_bytes(vm, arguments[1].count);
    return value_bool(span_starts_with(value_span(arguments[0]), value_span(arguments[1])));
}

static struct value ends_with(struct vm *vm, const struct value *arguments, size_t count)
{
    if (!are_strings(arguments, count))
        return vm_no_overload(vm, "endsWith", arguments, count);
    vm_charge_bytes(vm, arguments[1].count);
    return value_bool(span_ends_with(value_span(arguments[0]), value_span(arguments[1])));
}

struct value builtin_match(struct vm *vm, const struct regex *pattern, struct span text)
{
    enum { STEPS_A_COST = 32 };
    vm_charge(vm, (uint64_t)(text.size + 1) * regex_cost(pattern) / STEPS_A_COST);
    return value_bool(vm->cost_left >= 0 && regex_matches(pattern, text));
}

/* With a pattern that only the run knows; one in the text of the program is compiled once. */
static struct value matches(struct vm *vm, const struct value *arguments, size_t count)
{
    struct regex_problem problem;
    if (!are_strings(arguments, count))
        return vm_no_overload(vm, "matches", arguments, count);
    vm_charge(vm, arguments[1].count);
    const struct regex *pattern = regex_compile(value_span(arguments[1]), vm->arena, &problem);
    if (pattern == NULL)
        return vm_error(vm, "not a regular expression: %s", problem.message);
    vm_charge(vm, regex_cost(pattern));
    return builtin_match(vm, pattern, value_span(arguments[0]));
}

static struct value type_of(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    struct value type = value_string(span_from_text(value_kind_name(arguments[0].kind)));
    type.kind = VALUE_TYPE;
    return type;
}

static struct value same(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    return arguments[0];
}

static struct value optional_of(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return access_wrap(vm, arguments[0]);
}

static struct value optional_none(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)arguments;
    (void)count;
    return access_none();
}

/* null, false, 0, "", empty lists and maps, the epoch, no time, no optional. */
static bool is_zero(struct value value)
{
    switch ((enum value_kind)value.kind) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return !value.boolean;
    case VALUE_INT:
    case VALUE_UINT:
        return value.uinteger == 0;
    case VALUE_DOUBLE:
        return value.real == 0;
    case VALUE_STRING:
    case VALUE_BYTES:
    case VALUE_LIST:
    case VALUE_MAP:
        return value.count == 0;
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
        return value.integer == 0 && value.count == 0;
    case VALUE_OPTIONAL:
        return value.items == NULL;
    case VALUE_TYPE:
    case VALUE_ERROR:
        return false;
    case VALUE_KIND_COUNT:
        break;
    }
    never();
}

static struct value optional_of_non_zero(struct vm *vm, const struct value *arguments,
                                         size_t count)
{
    (void)count;
    return is_zero(arguments[0]) ? access_none() : access_wrap(vm, arguments[0]);
}

static struct value has_value(struct vm *vm, const struct value *arguments, size_t count)
{
    if (arguments[0].kind != VALUE_OPTIONAL)
        return vm_no_overload(vm, "hasValue", arguments, count);
    return value_bool(arguments[0].items != NULL);
}

static struct value value_of(struct vm *vm, const struct value *arguments, size_t count)
{
    if (arguments[0].kind != VALUE_OPTIONAL)
        return vm_no_overload(vm, "value", arguments, count);
    if (arguments[0].items == NULL)
        return vm_error(vm, "optional.none() has no value");
    return *arguments[0].items;
}

static const struct builtin table[] = {
    {{"size", 4}, BUILTIN_BOTH, 1, 1, false, size_of},
    {{"contains", 8}, BUILTIN_METHOD, 2, 2, false, contains},
    {{"startsWith", 10}, BUILTIN_METHOD, 2, 2, false, starts_with},
    {{"endsWith", 8}, BUILTIN_METHOD, 2, 2, false, ends_with},
    {{"matches", 7}, BUILTIN_BOTH, 2, 2, true, matches},
    {{"type", 4}, BUILTIN_GLOBAL, 1, 1, false, type_of},
    {{"dyn", 3}, BUILTIN_GLOBAL, 1, 1, false, same},
    {{"int", 3}, BUILTIN_GLOBAL, 1, 1, false, convert_to_int},
    {{"uint", 4}, BUILTIN_GLOBAL, 1, 1, false, convert_to_uint},
    {{"double", 6}, BUILTIN_GLOBAL, 1, 1, false, convert_to_double},
    {{"bool", 4}, BUILTIN_GLOBAL, 1, 1, false, convert_to_bool},
    {{"string", 6}, BUILTIN_GLOBAL, 1, 1, true, convert_to_string},
    {{"bytes", 5}, BUILTIN_GLOBAL, 1, 1, false, convert_to_bytes},
    {{"timestamp", 9}, BUILTIN_GLOBAL, 1, 1, false, convert_to_timestamp},
    {{"duration", 8}, BUILTIN_GLOBAL, 1, 1, false, convert_to_duration},
    {{"getFullYear", 11}, BUILTIN_METHOD, 1, 2, false, calendar_full_year},
    {{"getMonth", 8}, BUILTIN_METHOD, 1, 2, false, calendar_month},
    {{"getDate", 7}, BUILTIN_METHOD, 1, 2, false, calendar_date},
    {{"getDayOfMonth", 13}, BUILTIN_METHOD, 1, 2, false, calendar_day_of_month},
    {{"getDayOfWeek", 12}, BUILTIN_METHOD, 1, 2, false, calendar_day_of_week},
    {{"getDayOfYear", 12}, BUILTIN_METHOD, 1, 2, false, calendar_day_of_year},
    {{"getHours", 8}, BUILTIN_METHOD, 1, 2, false, calendar_hours},
    {{"getMinutes", 10}, BUILTIN_METHOD, 1, 2, false, calendar_minutes},
    {{"getSeconds", 10}, BUILTIN_METHOD, 1, 2, false, calendar_seconds},
    {{"getMilliseconds", 15}, BUILTIN_METHOD, 1, 2, false, calendar_milliseconds},
    {{"optional.of", 11}, BUILTIN_GLOBAL, 1, 1, true, optional_of},
    {{"optional.none", 13}, BUILTIN_GLOBAL, 0, 0, false, optional_none},
    {{"optional.ofNonZeroValue", 23}, BUILTIN_GLOBAL, 1, 1, true, optional_of_non_zero},
    {{"hasValue", 8}, BUILTIN_METHOD, 1, 1, false, has_value},
    {{"value", 5}, BUILTIN_METHOD, 1, 1, false, value_of},
};

enum { TABLE_COUNT = sizeof table / sizeof table[0] };

const struct builtin *builtin_find(struct span name, enum builtin_style style)
{
    for (uint32_t i = 0; i < TABLE_COUNT; i++) {
        if ((table[i].style & style) && span_equal(table[i].name, name))
            return &table[i];
    }
    return NULL;
}

const struct builtin *builtin_at(uint32_t index)
{
    return index < TABLE_COUNT ? &table[index] : NULL;
}

uint32_t builtin_index(const struct builtin *builtin)
{
    ensure(builtin >= table && builtin < table + TABLE_COUNT);
    return (uint32_t)(builtin - table);
}
