/*
 * builtin.c - the language's own functions, and finding one in all the libraries.
 */
#include "expr/builtin.h"

#include "base/ensure.h"
#include "expr/access.h"
#include "expr/calendar.h"
#include "expr/convert.h"
#include "expr/ext.h"

static struct value size_of(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value value = arguments[0];
    (void)count;
    if (value.kind != VALUE_STRING)
        return value_int(value.count);
    vm_charge_bytes(vm, value.count);
    return value_int((int64_t)span_characters(value_span(value)));
}

static struct value contains(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    /* The worst case of a plain search is both sizes multiplied, for hostile texts. */
    vm_charge_bytes(vm, (uint64_t)arguments[0].count * (1 + arguments[1].count / 16));
    if (vm->cost_left < 0)
        return value_bool(false);
    struct span text = value_span(arguments[0]);
    return value_bool(span_find(text, value_span(arguments[1]), 0) != SIZE_MAX);
}

static struct value starts_with(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    vm_charge_bytes(vm, arguments[1].count);
    return value_bool(span_starts_with(value_span(arguments[0]), value_span(arguments[1])));
}

static struct value ends_with(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    vm_charge_bytes(vm, arguments[1].count);
    return value_bool(span_ends_with(value_span(arguments[0]), value_span(arguments[1])));
}

struct value builtin_match(struct vm *vm, const struct regex *pattern, struct span text)
{
    vm_charge(vm, (uint64_t)(text.size + 1) * regex_cost(pattern) / BUILTIN_STEPS_A_COST);
    return value_bool(vm->cost_left >= 0 && regex_matches(pattern, text));
}

const struct regex *builtin_compile(struct vm *vm, struct span pattern,
                                    builtin_compiler *compile, struct value *error)
{
    enum { RANGES_A_COST = 4 };
    struct regex_problem problem;
    vm_charge(vm, pattern.size);
    const struct regex *regex = compile(pattern, vm->arena, &problem);
    vm_charge(vm, problem.work / RANGES_A_COST);
    if (regex == NULL)
        *error = vm_error(vm, "not a regular expression: %s", problem.message);
    else
        vm_charge(vm, regex_cost(regex));
    return regex;
}

/* With a pattern that only the run knows; one in the text of the program is compiled once. */
static struct value matches(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value error;
    (void)count;
    const struct regex *pattern =
        builtin_compile(vm, value_span(arguments[1]), regex_compile, &error);
    return pattern == NULL ? error : builtin_match(vm, pattern, value_span(arguments[0]));
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
    case VALUE_IP:
    case VALUE_CIDR:
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
    (void)vm;
    (void)count;
    return value_bool(arguments[0].items != NULL);
}

static struct value value_of(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    if (arguments[0].items == NULL)
        return vm_error(vm, "optional.none() has no value");
    return *arguments[0].items;
}

static const struct builtin functions[] = {
    {SPAN_INIT("size"),
     BUILTIN_BOTH,
     1,
     1,
     false,
     {KINDS_STRING | KINDS_BYTES | KINDS_LIST | KINDS_MAP},
     size_of},
    {SPAN_INIT("contains"),
     BUILTIN_METHOD,
     2,
     2,
     false,
     {KINDS_STRING, KINDS_STRING},
     contains},
    {SPAN_INIT("startsWith"),
     BUILTIN_METHOD,
     2,
     2,
     false,
     {KINDS_STRING, KINDS_STRING},
     starts_with},
    {SPAN_INIT("endsWith"),
     BUILTIN_METHOD,
     2,
     2,
     false,
     {KINDS_STRING, KINDS_STRING},
     ends_with},
    {SPAN_INIT("matches"), BUILTIN_BOTH, 2, 2, true, {KINDS_STRING, KINDS_STRING}, matches},
    {SPAN_INIT("type"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, type_of},
    {SPAN_INIT("dyn"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, same},
    {SPAN_INIT("int"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, convert_to_int},
    {SPAN_INIT("uint"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, convert_to_uint},
    {SPAN_INIT("double"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, convert_to_double},
    {SPAN_INIT("bool"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, convert_to_bool},
    {SPAN_INIT("string"), BUILTIN_GLOBAL, 1, 1, true, {KINDS_ANY}, convert_to_string},
    {SPAN_INIT("bytes"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, convert_to_bytes},
    {SPAN_INIT("timestamp"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, convert_to_timestamp},
    {SPAN_INIT("duration"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, convert_to_duration},
    {SPAN_INIT("getFullYear"),
     BUILTIN_METHOD,
     1,
     2,
     false,
     {KINDS_TIMESTAMP, KINDS_STRING},
     calendar_full_year},
    {SPAN_INIT("getMonth"),
     BUILTIN_METHOD,
     1,
     2,
     false,
     {KINDS_TIMESTAMP, KINDS_STRING},
     calendar_month},
    {SPAN_INIT("getDate"),
     BUILTIN_METHOD,
     1,
     2,
     false,
     {KINDS_TIMESTAMP, KINDS_STRING},
     calendar_date},
    {SPAN_INIT("getDayOfMonth"),
     BUILTIN_METHOD,
     1,
     2,
     false,
     {KINDS_TIMESTAMP, KINDS_STRING},
     calendar_day_of_month},
    {SPAN_INIT("getDayOfWeek"),
     BUILTIN_METHOD,
     1,
     2,
     false,
     {KINDS_TIMESTAMP, KINDS_STRING},
     calendar_day_of_week},
    {SPAN_INIT("getDayOfYear"),
     BUILTIN_METHOD,
     1,
     2,
     false,
     {KINDS_TIMESTAMP, KINDS_STRING},
     calendar_day_of_year},
    {SPAN_INIT("getHours"),
     BUILTIN_METHOD,
     1,
     2,
     false,
     {KINDS_MOMENT, KINDS_STRING},
     calendar_hours},
    {SPAN_INIT("getMinutes"),
     BUILTIN_METHOD,
     1,
     2,
     false,
     {KINDS_MOMENT, KINDS_STRING},
     calendar_minutes},
    {SPAN_INIT("getSeconds"),
     BUILTIN_METHOD,
     1,
     2,
     false,
     {KINDS_MOMENT, KINDS_STRING},
     calendar_seconds},
    {SPAN_INIT("getMilliseconds"),
     BUILTIN_METHOD,
     1,
     2,
     false,
     {KINDS_MOMENT, KINDS_STRING},
     calendar_milliseconds},
    {SPAN_INIT("optional.of"), BUILTIN_GLOBAL, 1, 1, true, {KINDS_ANY}, optional_of},
    {SPAN_INIT("optional.none"), BUILTIN_GLOBAL, 0, 0, false, {KINDS_ANY}, optional_none},
    {SPAN_INIT("optional.ofNonZeroValue"),
     BUILTIN_GLOBAL,
     1,
     1,
     true,
     {KINDS_ANY},
     optional_of_non_zero},
    {SPAN_INIT("hasValue"), BUILTIN_METHOD, 1, 1, false, {KINDS_OPTIONAL}, has_value},
    {SPAN_INIT("value"), BUILTIN_METHOD, 1, 1, false, {KINDS_OPTIONAL}, value_of},
};

static const struct builtin_library language = {functions,
                                                sizeof functions / sizeof *functions};

static const struct builtin_library *const libraries[] = {
    &language,          &ext_string_library,  &ext_math_library,
    &ext_list_library,  &ext_encoder_library, &ext_network_library,
    &ext_regex_library, &ext_ecma_library,
};

enum { LIBRARY_COUNT = sizeof libraries / sizeof *libraries, LIBRARY_SHIFT = 16 };

const struct builtin *builtin_at(uint32_t index)
{
    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        if (index < libraries[i]->count)
            return &libraries[i]->functions[index];
        index -= libraries[i]->count;
    }
    return NULL;
}

const struct builtin *builtin_find(struct span name, enum builtin_style style)
{
    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        const struct builtin *builtin = libraries[i]->functions;
        for (uint32_t j = 0; j < libraries[i]->count; j++, builtin++) {
            if ((builtin->style & style) && span_equal_short(builtin->name, name))
                return builtin;
        }
    }
    return NULL;
}

struct value builtin_call(struct vm *vm, const struct builtin *builtin,
                          const struct value *arguments, size_t count)
{
    bool fits = true;
    for (size_t i = 0; i < count; i++) {
        uint16_t kinds = i < BUILTIN_KINDS_MAX ? builtin->kinds[i] : (uint16_t)KINDS_ANY;
        if (arguments[i].kind == VALUE_ERROR)
            return arguments[i];
        fits = fits && (kinds == KINDS_ANY || (kinds >> arguments[i].kind & 1) != 0);
    }
    if (!fits)
        return vm_no_overload(vm, builtin->name.text, arguments, count);
    return builtin->function(vm, arguments, count);
}

uint32_t builtin_id(const struct builtin *builtin)
{
    for (uint32_t i = 0; i < LIBRARY_COUNT; i++) {
        const struct builtin_library *library = libraries[i];
        if (builtin >= library->functions && builtin < library->functions + library->count)
            return i << LIBRARY_SHIFT | (uint32_t)(builtin - library->functions);
    }
    never();
}

const struct builtin *builtin_get(uint32_t id)
{
    return &libraries[id >> LIBRARY_SHIFT]->functions[id & ((1u << LIBRARY_SHIFT) - 1)];
}
