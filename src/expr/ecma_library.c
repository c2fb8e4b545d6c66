/*
 * ecma_library.c - ECMAScript's operators where CEL's are others: ecma.add, ecma.same, …
 *
 * What ecma.c writes calls these. Undefined is an optional without a value; an optional with
 * one stands for the value. A number that is whole and within 2^53 is an int, every other one
 * a double, so that what was written as 1 stays 1; computing is done with doubles.
 *
 * Lists and maps have no identity here: two of them are the same when they are equal.
 */
#include <math.h>

#include "base/json.h"
#include "expr/access.h"
#include "expr/ecma_text.h"
#include "expr/ext.h"

static const double WHOLE_MAX = 9007199254740992.0;

static bool is_undefined(struct value value)
{
    return value.kind == VALUE_OPTIONAL;
}

/* What an optional stands for; undefined stays one. */
static struct value open(struct value value)
{
    while (value.kind == VALUE_OPTIONAL && value.items != NULL)
        value = value.items[0];
    return value;
}

static bool is_number(struct value value)
{
    return value.kind == VALUE_INT || value.kind == VALUE_UINT || value.kind == VALUE_DOUBLE;
}

static double real_of(struct value number)
{
    if (number.kind == VALUE_INT)
        return (double)number.integer;
    return number.kind == VALUE_UINT ? (double)number.uinteger : number.real;
}

static struct value number_value(double number)
{
    bool is_whole = number == floor(number) && fabs(number) <= WHOLE_MAX;
    if (is_whole && !(number == 0 && signbit(number)))
        return value_int((int64_t)number);
    return value_double(number);
}

static void add_text(struct vm *vm, struct text *text, struct value value)
{
    vm_charge(vm, 1);
    switch ((enum value_kind)value.kind) {
    case VALUE_NULL:
        text_add(text, SPAN("null"));
        return;
    case VALUE_BOOL:
        text_add(text, value.boolean ? SPAN("true") : SPAN("false"));
        return;
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
        ecma_text_add_number(text, real_of(value));
        return;
    case VALUE_STRING:
        vm_charge_bytes(vm, value.count);
        text_add(text, value_span(value));
        return;
    case VALUE_LIST:
        for (uint32_t i = 0; i < value.count; i++) {
            text_add(text, i > 0 ? SPAN(",") : SPAN(""));
            if (value.items[i].kind != VALUE_NULL)
                add_text(vm, text, value.items[i]);
        }
        return;
    case VALUE_OPTIONAL:
        text_add(text, SPAN("undefined"));
        return;
    case VALUE_MAP:
    case VALUE_BYTES:
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
    case VALUE_TYPE:
    case VALUE_IP:
    case VALUE_CIDR:
    case VALUE_ERROR:
    case VALUE_KIND_COUNT:
        text_add(text, SPAN("[object Object]"));
        return;
    }
}

/* A value of kind string, or an error. */
static struct value text_of(struct vm *vm, struct value value)
{
    struct text text;
    if (value.kind == VALUE_STRING)
        return value;
    if (vm->arena == NULL)
        return vm_unspoken(vm);
    text_init(&text, vm->arena);
    add_text(vm, &text, value);
    return value_string(text_span(&text));
}

static bool is_object(struct value value)
{
    return value.kind == VALUE_LIST || value.kind == VALUE_MAP;
}

/* Objects become texts where a plain value is needed. */
static struct value primitive_of(struct vm *vm, struct value value)
{
    return is_object(value) ? text_of(vm, value) : value;
}

static double number_of(struct vm *vm, struct value value)
{
    if (is_number(value))
        return real_of(value);
    if (value.kind == VALUE_NULL)
        return 0;
    if (value.kind == VALUE_BOOL)
        return value.boolean;
    if (value.kind == VALUE_LIST)
        value = text_of(vm, value);
    if (value.kind != VALUE_STRING)
        return (double)NAN;
    vm_charge_bytes(vm, value.count);
    return ecma_text_number(value_span(value));
}

static bool truth_of(struct value value)
{
    value = open(value);
    if (is_number(value))
        return real_of(value) != 0 && !isnan(real_of(value));
    if (value.kind == VALUE_BOOL)
        return value.boolean;
    return value.kind == VALUE_STRING ? value.count > 0
                                      : value.kind != VALUE_NULL && !is_undefined(value);
}

static bool is_same(struct value a, struct value b)
{
    if (is_undefined(a) || is_undefined(b))
        return is_undefined(a) && is_undefined(b);
    return value_equal(a, b);
}

static bool is_nothing(struct value value)
{
    return value.kind == VALUE_NULL || is_undefined(value);
}

static bool is_equal(struct vm *vm, struct value a, struct value b)
{
    if (is_nothing(a) || is_nothing(b))
        return is_nothing(a) && is_nothing(b);
    if (is_object(a) && is_object(b))
        return is_same(a, b);
    a = primitive_of(vm, a);
    b = primitive_of(vm, b);
    if (a.kind == b.kind)
        return is_same(a, b);
    return number_of(vm, a) == number_of(vm, b);
}

static struct value truthy(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    return value_bool(truth_of(arguments[0]));
}

static struct value same(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    vm_charge(vm, 1);
    return value_bool(is_same(open(arguments[0]), open(arguments[1])));
}

static struct value equal(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return value_bool(is_equal(vm, open(arguments[0]), open(arguments[1])));
}

enum order { ORDER_LESS, ORDER_EQUAL, ORDER_GREATER, ORDER_NONE };

static enum order order_of(struct vm *vm, struct value a, struct value b)
{
    a = primitive_of(vm, open(a));
    b = primitive_of(vm, open(b));
    if (a.kind == VALUE_STRING && b.kind == VALUE_STRING) {
        int order = span_compare(value_span(a), value_span(b));
        return order < 0 ? ORDER_LESS : order > 0 ? ORDER_GREATER : ORDER_EQUAL;
    }
    double left = number_of(vm, a);
    double right = number_of(vm, b);
    if (isnan(left) || isnan(right))
        return ORDER_NONE;
    return left < right ? ORDER_LESS : left > right ? ORDER_GREATER : ORDER_EQUAL;
}

static struct value less(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return value_bool(order_of(vm, arguments[0], arguments[1]) == ORDER_LESS);
}

static struct value less_equal(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    enum order order = order_of(vm, arguments[0], arguments[1]);
    return value_bool(order == ORDER_LESS || order == ORDER_EQUAL);
}

static struct value join_texts(struct vm *vm, struct value a, struct value b)
{
    struct value error = ext_check_size(vm, (uint64_t)a.count + b.count);
    struct text text;
    if (error.kind == VALUE_ERROR)
        return error;
    if (vm->arena == NULL)
        return vm_unspoken(vm);
    text_init(&text, vm->arena);
    add_text(vm, &text, a);
    add_text(vm, &text, b);
    return value_string(text_span(&text));
}

static struct value add(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    struct value a = primitive_of(vm, open(arguments[0]));
    struct value b = primitive_of(vm, open(arguments[1]));
    if (a.kind == VALUE_STRING || b.kind == VALUE_STRING)
        return join_texts(vm, a, b);
    return number_value(number_of(vm, a) + number_of(vm, b));
}

#define ARITHMETIC(name, expression)                                                     \
    static struct value name(struct vm *vm, const struct value *arguments, size_t count) \
    {                                                                                    \
        (void)count;                                                                     \
        double a = number_of(vm, open(arguments[0]));                                    \
        double b = number_of(vm, open(arguments[1]));                                    \
        return number_value(expression);                                                 \
    }

/* What ToInt32 gives: the lowest 32 bits of the whole part. */
static int32_t bits_of(double number)
{
    if (!isfinite(number))
        return 0;
    double low = fmod(trunc(number), 4294967296.0);
    return (int32_t)(uint32_t)(int64_t)low;
}

static double power_of(double base, double exponent)
{
    bool has_none = isnan(exponent) || (fabs(base) == 1 && isinf(exponent));
    return has_none ? (double)NAN : pow(base, exponent);
}

ARITHMETIC(subtract, a - b)
ARITHMETIC(multiply, a *b)
ARITHMETIC(divide, a / b)
ARITHMETIC(modulo, fmod(a, b))
ARITHMETIC(power, power_of(a, b))
ARITHMETIC(greatest, isnan(a) || isnan(b) ? (double)NAN : fmax(a, b))
ARITHMETIC(least, isnan(a) || isnan(b) ? (double)NAN : fmin(a, b))
ARITHMETIC(bit_and, bits_of(a) & bits_of(b))
ARITHMETIC(bit_or, bits_of(a) | bits_of(b))
ARITHMETIC(bit_xor, bits_of(a) ^ bits_of(b))

#define OF_ONE_NUMBER(name, expression)                                                  \
    static struct value name(struct vm *vm, const struct value *arguments, size_t count) \
    {                                                                                    \
        (void)count;                                                                     \
        double a = number_of(vm, open(arguments[0]));                                    \
        return number_value(expression);                                                 \
    }

OF_ONE_NUMBER(to_number, a)
OF_ONE_NUMBER(negate, -a)
OF_ONE_NUMBER(absolute, fabs(a))
OF_ONE_NUMBER(ceiling, ceil(a))
OF_ONE_NUMBER(floored, floor(a))
OF_ONE_NUMBER(rounded, floor(a + 0.5))
OF_ONE_NUMBER(square_root, sqrt(a))
OF_ONE_NUMBER(truncated, trunc(a))

static struct value is_nan(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return value_bool(isnan(number_of(vm, open(arguments[0]))));
}

static struct value to_text(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return text_of(vm, open(arguments[0]));
}

static struct value type_name(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value value = open(arguments[0]);
    (void)vm;
    (void)count;
    if (is_undefined(value))
        return value_string(SPAN("undefined"));
    if (is_number(value))
        return value_string(SPAN("number"));
    if (value.kind == VALUE_BOOL)
        return value_string(SPAN("boolean"));
    return value.kind == VALUE_STRING ? value_string(SPAN("string"))
                                      : value_string(SPAN("object"));
}

static struct value is_list(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    return value_bool(open(arguments[0]).kind == VALUE_LIST);
}

static struct value defined(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value value = open(arguments[0]);
    (void)count;
    return is_undefined(value) ? vm_error(vm, "it is undefined") : value;
}

static struct value fail(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return vm_error(vm, "%.*s", SPAN_ARGS(value_span(arguments[0])));
}

/* The index that a key stands for, below `count`; SIZE_MAX when it is none. */
static size_t index_of_key(struct vm *vm, struct value key, size_t count)
{
    double number = number_of(vm, key);
    bool is_index = number >= 0 && number == floor(number) && number < (double)count;
    return is_index && key.kind != VALUE_BOOL ? (size_t)number : SIZE_MAX;
}

static struct value character_at(struct vm *vm, struct span text, size_t index)
{
    size_t from = ecma_text_offset(text, index);
    size_t to = ecma_text_offset(text, index + 1);
    if (from == SIZE_MAX || to == SIZE_MAX)
        return vm_error(vm, "half a character is no text here");
    return value_string(span_slice(text, from, to));
}

static struct value member(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value object = open(arguments[0]);
    struct value key = open(arguments[1]);
    (void)count;
    if (is_nothing(object))
        return vm_error(vm, "TypeError: %s has no members",
                        is_undefined(object) ? "undefined" : "null");
    if (object.kind == VALUE_MAP) {
        struct value name = text_of(vm, key);
        const struct value *found =
            name.kind == VALUE_STRING ? value_find(object, value_span(name)) : NULL;
        return found == NULL ? access_none() : access_wrap(vm, *found);
    }
    bool is_text = object.kind == VALUE_STRING;
    if (!is_text && object.kind != VALUE_LIST)
        return access_none();
    size_t length = is_text ? ecma_text_length(value_span(object)) : object.count;
    vm_charge_bytes(vm, is_text ? object.count : 0);
    if (key.kind == VALUE_STRING && span_is(value_span(key), "length"))
        return access_wrap(vm, value_int((int64_t)length));
    size_t index = index_of_key(vm, key, length);
    if (index == SIZE_MAX)
        return access_none();
    struct value found =
        is_text ? character_at(vm, value_span(object), index) : object.items[index];
    return found.kind == VALUE_ERROR ? found : access_wrap(vm, found);
}

static struct value has_member(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value object = open(arguments[0]);
    if (!is_object(object))
        return vm_error(vm, "TypeError: only objects have members");
    struct value found = member(vm, arguments, count);
    return found.kind == VALUE_ERROR ? found : value_bool(found.items != NULL);
}

static struct value to_json(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value value = open(arguments[0]);
    struct text text;
    (void)count;
    if (is_undefined(value))
        return value;
    text_init(&text, vm->arena);
    json_write(&text, value);
    vm_charge_bytes(vm, text.size);
    return value_string(text_span(&text));
}

static struct value concat_lists(struct vm *vm, struct value parts)
{
    size_t room = 0;
    for (uint32_t i = 0; i < parts.count; i++)
        room += parts.items[i].kind == VALUE_LIST ? parts.items[i].count : 1;
    struct value error = ext_check_size(vm, room * sizeof(struct value));
    if (error.kind == VALUE_ERROR)
        return error;
    struct value *items = arena_new_array(vm->arena, room, struct value);
    size_t filled = 0;
    for (uint32_t i = 0; i < parts.count; i++) {
        struct value part = parts.items[i];
        bool is_flat = part.kind == VALUE_LIST;
        for (uint32_t j = 0; j < (is_flat ? part.count : 1); j++)
            items[filled++] = is_flat ? part.items[j] : part;
    }
    vm_charge(vm, room);
    return value_list(items, filled);
}

/* a.concat(b, c), as [a, b, c] */
static struct value concat(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value parts = arguments[0];
    (void)count;
    if (parts.count > 0 && parts.items[0].kind == VALUE_LIST)
        return concat_lists(vm, parts);
    if (parts.count == 0 || parts.items[0].kind != VALUE_STRING)
        return vm_error(vm, "TypeError: only lists and texts have concat");
    struct value whole = parts.items[0];
    for (uint32_t i = 1; i < parts.count && whole.kind == VALUE_STRING; i++)
        whole = join_texts(vm, whole, parts.items[i]);
    return whole;
}

/* A position as slice() takes it: counted from the end when negative. */
static size_t position_of(struct vm *vm, struct value value, size_t length, size_t otherwise)
{
    if (is_undefined(value))
        return otherwise;
    double number = trunc(number_of(vm, value));
    if (isnan(number))
        return 0;
    if (number < 0)
        number += (double)length;
    return number <= 0 ? 0 : number >= (double)length ? length : (size_t)number;
}

static struct value slice(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value whole = open(arguments[0]);
    bool is_text = whole.kind == VALUE_STRING;
    if (!is_text && whole.kind != VALUE_LIST)
        return vm_error(vm, "TypeError: only lists and texts have slice");
    size_t length = is_text ? ecma_text_length(value_span(whole)) : whole.count;
    size_t from = position_of(vm, open(arguments[1]), length, 0);
    size_t to = count < 3 ? length : position_of(vm, open(arguments[2]), length, length);
    to = to < from ? from : to;
    vm_charge_bytes(vm, whole.count);
    if (!is_text)
        return value_list(whole.items + from, to - from);
    from = ecma_text_offset(value_span(whole), from);
    to = ecma_text_offset(value_span(whole), to);
    if (from == SIZE_MAX || to == SIZE_MAX)
        return vm_error(vm, "half a character is no text here");
    return value_string(span_slice(value_span(whole), from, to));
}

static struct value char_at(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value text = open(arguments[0]);
    (void)count;
    if (text.kind != VALUE_STRING)
        return vm_error(vm, "TypeError: only texts have charAt");
    double number = trunc(number_of(vm, open(arguments[1])));
    size_t length = ecma_text_length(value_span(text));
    vm_charge_bytes(vm, text.count);
    if (isnan(number))
        number = 0;
    if (number < 0 || number >= (double)length)
        return value_string(SPAN(""));
    return character_at(vm, value_span(text), (size_t)number);
}

/* Where the needle is in a list or text, or -1; an error when it is neither. */
static struct value find(struct vm *vm, const struct value *arguments, const char *method)
{
    struct value whole = open(arguments[0]);
    struct value needle = open(arguments[1]);
    if (whole.kind == VALUE_LIST) {
        vm_charge(vm, whole.count);
        for (uint32_t i = 0; i < whole.count; i++) {
            if (is_same(whole.items[i], needle))
                return value_int(i);
        }
        return value_int(-1);
    }
    if (whole.kind != VALUE_STRING)
        return vm_error(vm, "TypeError: only lists and texts have %s", method);
    needle = text_of(vm, needle);
    if (needle.kind == VALUE_ERROR)
        return needle;
    vm_charge_bytes(vm, (uint64_t)whole.count * (1 + needle.count / 16));
    if (vm->cost_left < 0)
        return value_int(-1);
    struct span text = value_span(whole);
    size_t at = span_find(text, value_span(needle), 0);
    return value_int(at == SIZE_MAX ? -1 : (int64_t)ecma_text_length(span_slice(text, 0, at)));
}

static struct value index_of(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return find(vm, arguments, "indexOf");
}

static struct value includes(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value found = find(vm, arguments, "includes");
    (void)count;
    return found.kind == VALUE_ERROR ? found : value_bool(found.integer >= 0);
}

static struct value starts_or_ends(struct vm *vm, const struct value *arguments, bool starts)
{
    struct value text = open(arguments[0]);
    struct value part = text_of(vm, open(arguments[1]));
    if (text.kind != VALUE_STRING)
        return vm_error(vm, "TypeError: only texts have %s",
                        starts ? "startsWith" : "endsWith");
    if (part.kind == VALUE_ERROR)
        return part;
    vm_charge_bytes(vm, part.count);
    return value_bool(starts ? span_starts_with(value_span(text), value_span(part))
                             : span_ends_with(value_span(text), value_span(part)));
}

static struct value starts_with(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return starts_or_ends(vm, arguments, true);
}

static struct value ends_with(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return starts_or_ends(vm, arguments, false);
}

static struct value join(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value list = open(arguments[0]);
    struct value separator = open(arguments[1]);
    struct text text;
    (void)count;
    if (list.kind != VALUE_LIST)
        return vm_error(vm, "TypeError: only lists have join");
    separator = is_undefined(separator) ? value_string(SPAN(",")) : text_of(vm, separator);
    if (separator.kind == VALUE_ERROR)
        return separator;
    text_init(&text, vm->arena);
    for (uint32_t i = 0; i < list.count && vm->cost_left >= 0; i++) {
        if (i > 0)
            add_text(vm, &text, separator);
        if (list.items[i].kind != VALUE_NULL)
            add_text(vm, &text, list.items[i]);
    }
    return value_string(text_span(&text));
}

static const struct builtin functions[] = {
    {SPAN_INIT("ecma.abs"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, absolute},
    {SPAN_INIT("ecma.add"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, add},
    {SPAN_INIT("ecma.bitAnd"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, bit_and},
    {SPAN_INIT("ecma.bitOr"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, bit_or},
    {SPAN_INIT("ecma.bitXor"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, bit_xor},
    {SPAN_INIT("ecma.ceil"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, ceiling},
    {SPAN_INIT("ecma.charAt"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, char_at},
    {SPAN_INIT("ecma.concat"), BUILTIN_GLOBAL, 1, 1, true, {KINDS_LIST}, concat},
    {SPAN_INIT("ecma.divide"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, divide},
    {SPAN_INIT("ecma.endsWith"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, ends_with},
    {SPAN_INIT("ecma.equal"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, equal},
    {SPAN_INIT("ecma.fail"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_STRING}, fail},
    {SPAN_INIT("ecma.floor"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, floored},
    {SPAN_INIT("ecma.has"), BUILTIN_GLOBAL, 2, 2, true, {KINDS_ANY}, has_member},
    {SPAN_INIT("ecma.includes"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, includes},
    {SPAN_INIT("ecma.indexOf"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, index_of},
    {SPAN_INIT("ecma.isList"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, is_list},
    {SPAN_INIT("ecma.isNaN"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, is_nan},
    {SPAN_INIT("ecma.join"), BUILTIN_GLOBAL, 2, 2, true, {KINDS_ANY}, join},
    {SPAN_INIT("ecma.json"), BUILTIN_GLOBAL, 1, 1, true, {KINDS_ANY}, to_json},
    {SPAN_INIT("ecma.less"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, less},
    {SPAN_INIT("ecma.lessEqual"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, less_equal},
    {SPAN_INIT("ecma.max"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, greatest},
    {SPAN_INIT("ecma.member"), BUILTIN_GLOBAL, 2, 2, true, {KINDS_ANY}, member},
    {SPAN_INIT("ecma.min"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, least},
    {SPAN_INIT("ecma.modulo"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, modulo},
    {SPAN_INIT("ecma.multiply"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, multiply},
    {SPAN_INIT("ecma.negate"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, negate},
    {SPAN_INIT("ecma.number"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, to_number},
    {SPAN_INIT("ecma.power"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, power},
    {SPAN_INIT("ecma.round"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, rounded},
    {SPAN_INIT("ecma.same"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, same},
    {SPAN_INIT("ecma.slice"), BUILTIN_GLOBAL, 2, 3, false, {KINDS_ANY}, slice},
    {SPAN_INIT("ecma.sqrt"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, square_root},
    {SPAN_INIT("ecma.startsWith"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, starts_with},
    {SPAN_INIT("ecma.subtract"), BUILTIN_GLOBAL, 2, 2, false, {KINDS_ANY}, subtract},
    {SPAN_INIT("ecma.text"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, to_text},
    {SPAN_INIT("ecma.trunc"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, truncated},
    {SPAN_INIT("ecma.truthy"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, truthy},
    {SPAN_INIT("ecma.type"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, type_name},
    {SPAN_INIT("ecma.value"), BUILTIN_GLOBAL, 1, 1, false, {KINDS_ANY}, defined},
};

const struct builtin_library ext_ecma_library = {functions,
                                                 sizeof functions / sizeof *functions};
