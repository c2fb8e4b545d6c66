/*
 * convert.c - conversions between kinds.
 *
 * A number's text is the shortest that reads back as the same number, without an exponent
 * from 1e-6 up to 1e21, as people and JavaScript write it.
 */
#include "expr/convert.h"

#include <math.h>

#include "base/checked.h"
#include "base/decimal.h"
#include "base/digit.h"
#include "base/ensure.h"
#include "base/time.h"
#include "expr/arithmetic.h"

#define SECOND_NS 1000000000

static struct value out_of_range(struct vm *vm, const char *kind)
{
    return vm_error(vm, "%s out of range", kind);
}

static struct value unreadable(struct vm *vm, const char *kind, struct value text)
{
    enum { SHOWN_MAX = 40 };
    size_t shown = text.count > SHOWN_MAX ? SHOWN_MAX : text.count;
    while (shown < text.count && ((unsigned char)text.text[shown] & 0xc0) == 0x80)
        shown--; /* not in the middle of a character */
    return vm_error(vm, "'%.*s'%s is no %s", (int)shown, text.text,
                    shown < text.count ? "…" : "", kind);
}

/* Decimal digits to the end of the text, at least one. */
static bool read_digits(struct span digits, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (!digit_is_decimal(digits.text[i]) ||
            !checked_multiply(*number, (uint64_t)10, number) ||
            !checked_add(*number, (uint64_t)(digits.text[i] - '0'), number))
            return false;
    }
    return digits.size > 0;
}

/* Takes a sign from the front. */
static bool take_sign(struct span *text)
{
    bool is_negative = text->size > 0 && text->text[0] == '-';
    if (is_negative || (text->size > 0 && text->text[0] == '+'))
        *text = span_slice(*text, 1, text->size);
    return is_negative;
}

static struct value read_int(struct vm *vm, struct value text)
{
    struct span digits = value_span(text);
    uint64_t magnitude;
    bool is_negative = take_sign(&digits);
    if (!read_digits(digits, &magnitude) || magnitude > (uint64_t)INT64_MAX + is_negative)
        return unreadable(vm, "int", text);
    return value_int(is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude);
}

struct value convert_to_int(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value from = arguments[0];
    switch ((enum value_kind)from.kind) {
    case VALUE_INT:
        return from;
    case VALUE_UINT:
        return from.uinteger <= INT64_MAX ? value_int((int64_t)from.uinteger)
                                          : out_of_range(vm, "int");
    case VALUE_DOUBLE:
        /* The language leaves out both ends, where doubles are not exact any more. */
        return from.real > -0x1p63 && from.real < 0x1p63 ? value_int((int64_t)from.real)
                                                         : out_of_range(vm, "int");
    case VALUE_STRING:
        return read_int(vm, from);
    case VALUE_TIMESTAMP:
        return value_int(from.integer);
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_BYTES:
    case VALUE_LIST:
    case VALUE_MAP:
    case VALUE_DURATION:
    case VALUE_TYPE:
    case VALUE_IP:
    case VALUE_CIDR:
    case VALUE_OPTIONAL:
    case VALUE_ERROR:
    case VALUE_KIND_COUNT:
        break;
    }
    return vm_no_overload(vm, "int", arguments, count);
}

struct value convert_to_uint(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value from = arguments[0];
    uint64_t number;
    if (from.kind == VALUE_UINT)
        return from;
    if (from.kind == VALUE_INT)
        return from.integer >= 0 ? value_uint((uint64_t)from.integer)
                                 : out_of_range(vm, "uint");
    if (from.kind == VALUE_DOUBLE)
        return from.real >= 0 && from.real < 0x1p64 ? value_uint((uint64_t)from.real)
                                                    : out_of_range(vm, "uint");
    if (from.kind == VALUE_STRING)
        return read_digits(value_span(from), &number) ? value_uint(number)
                                                      : unreadable(vm, "uint", from);
    return vm_no_overload(vm, "uint", arguments, count);
}

static bool read_word(struct span word, double *real)
{
    static const struct {
        const char *word;
        double real;
    } words[] = {
        {"NaN", (double)NAN},      {"nan", (double)NAN},      {"Infinity", (double)INFINITY},
        {"inf", (double)INFINITY}, {"Inf", (double)INFINITY}, {"infinity", (double)INFINITY},
    };
    bool is_negative = take_sign(&word);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!span_is(word, words[i].word))
            continue;
        *real = is_negative ? -words[i].real : words[i].real;
        return true;
    }
    return false;
}

static bool read_real(struct span text, double *real)
{
    return read_word(text, real) || (decimal_read(text, real) && !isinf(*real));
}

struct value convert_to_double(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value from = arguments[0];
    double real;
    if (from.kind == VALUE_DOUBLE)
        return from;
    if (from.kind == VALUE_INT)
        return value_double((double)from.integer);
    if (from.kind == VALUE_UINT)
        return value_double((double)from.uinteger);
    if (from.kind == VALUE_STRING)
        return read_real(value_span(from), &real) ? value_double(real)
                                                  : unreadable(vm, "double", from);
    return vm_no_overload(vm, "double", arguments, count);
}

struct value convert_to_bool(struct vm *vm, const struct value *arguments, size_t count)
{
    static const char *const words[2][5] = {
        {"false", "False", "FALSE", "f", "0"},
        {"true", "True", "TRUE", "t", "1"},
    };
    if (arguments[0].kind == VALUE_BOOL)
        return arguments[0];
    if (arguments[0].kind != VALUE_STRING)
        return vm_no_overload(vm, "bool", arguments, count);
    for (size_t i = 0; i < 10; i++) {
        if (span_is(value_span(arguments[0]), words[i / 5][i % 5]))
            return value_bool(i >= 5);
    }
    return unreadable(vm, "bool", arguments[0]);
}

struct value convert_to_bytes(struct vm *vm, const struct value *arguments, size_t count)
{
    if (arguments[0].kind == VALUE_STRING)
        return value_bytes(value_span(arguments[0]));
    if (arguments[0].kind == VALUE_BYTES)
        return arguments[0];
    return vm_no_overload(vm, "bytes", arguments, count);
}

struct value convert_to_string(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value from = arguments[0];
    struct text text;
    if (from.kind == VALUE_STRING)
        return from;
    if (from.kind == VALUE_BYTES) {
        vm_charge_bytes(vm, from.count);
        return span_is_utf8(value_span(from)) ? value_string(value_span(from))
                                              : vm_error(vm, "these bytes are not UTF-8");
    }
    text_init(&text, vm->arena);
    if (!convert_add_text(&text, from))
        return vm_no_overload(vm, "string", arguments, count);
    return value_string(text_span(&text));
}

struct value convert_to_timestamp(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value from = arguments[0];
    struct value timestamp;
    int64_t seconds;
    int32_t nanoseconds = 0;
    if (from.kind == VALUE_TIMESTAMP)
        return from;
    if (from.kind == VALUE_INT)
        seconds = from.integer;
    else if (from.kind != VALUE_STRING)
        return vm_no_overload(vm, "timestamp", arguments, count);
    else if (!time_read_rfc3339(value_span(from), &seconds, &nanoseconds))
        return unreadable(vm, "timestamp", from);
    return arithmetic_timestamp(seconds, nanoseconds, &timestamp)
               ? timestamp
               : out_of_range(vm, "timestamp");
}

/* Units from the longest to the shortest, those that begin others last. */
static const struct {
    struct span name;
    int64_t seconds;
    int64_t nanoseconds;
} units[] = {
    {{"ns", 2}, 0, 1},       {{"us", 2}, 0, 1000}, {{"µs", 3}, 0, 1000}, {{"μs", 3}, 0, 1000},
    {{"ms", 2}, 0, 1000000}, {{"h", 1}, 3600, 0},  {{"m", 1}, 60, 0},    {{"s", 1}, 1, 0},
};

/* Digits at the front: their number, and how many there were. */
static bool take_digits(struct span *text, int64_t *number, size_t *taken)
{
    *number = 0;
    *taken = 0;
    while (*taken < text->size && digit_is_decimal(text->text[*taken])) {
        if (!checked_multiply(*number, (int64_t)10, number) ||
            !checked_add(*number, (int64_t)(text->text[*taken] - '0'), number))
            return false;
        ++*taken;
    }
    *text = span_slice(*text, *taken, text->size);
    return true;
}

/* ".5" → 500000000; digits beyond the ninth say nothing. */
static size_t take_fraction(struct span *text, int64_t *billionths)
{
    int64_t scale = SECOND_NS / 10;
    size_t taken = 0;
    *billionths = 0;
    if (text->size == 0 || text->text[0] != '.')
        return 0;
    while (taken + 1 < text->size && digit_is_decimal(text->text[taken + 1])) {
        *billionths += scale * (text->text[taken + 1] - '0');
        scale /= 10;
        taken++;
    }
    *text = span_slice(*text, taken + 1, text->size);
    return taken;
}

/* One `1.5h`: adds it to the seconds and nanoseconds. */
static bool take_component(struct span *text, int64_t *seconds, int64_t *nanoseconds)
{
    int64_t whole;
    int64_t billionths;
    size_t digits;
    if (!take_digits(text, &whole, &digits) || digits + take_fraction(text, &billionths) == 0)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!span_starts_with(*text, units[i].name))
            continue;
        *text = span_slice(*text, units[i].name.size, text->size);
        int64_t product;
        if (units[i].seconds > 0) {
            *nanoseconds += billionths * units[i].seconds;
            return checked_multiply(whole, units[i].seconds, &product) &&
                   checked_add(*seconds, product, seconds);
        }
        int64_t in_second = SECOND_NS / units[i].nanoseconds;
        *nanoseconds += whole % in_second * units[i].nanoseconds +
                        billionths * units[i].nanoseconds / SECOND_NS;
        return checked_add(*seconds, whole / in_second, seconds);
    }
    return false;
}

static struct value read_duration(struct vm *vm, struct value from)
{
    enum { COMPONENTS_MAX = 100 };
    struct span text = value_span(from);
    struct value duration;
    int64_t seconds = 0;
    int64_t nanoseconds = 0;
    bool is_negative = take_sign(&text);
    if (text.size == 0)
        return unreadable(vm, "duration", from);
    for (unsigned i = 0; text.size > 0 && !span_is(text, "0"); i++) {
        if (i == COMPONENTS_MAX || !take_component(&text, &seconds, &nanoseconds))
            return unreadable(vm, "duration", from);
    }
    if (is_negative) {
        seconds = -seconds;
        nanoseconds = -nanoseconds;
    }
    return arithmetic_duration(seconds, nanoseconds, &duration) ? duration
                                                                : out_of_range(vm, "duration");
}

struct value convert_to_duration(struct vm *vm, const struct value *arguments, size_t count)
{
    if (arguments[0].kind == VALUE_DURATION)
        return arguments[0];
    if (arguments[0].kind == VALUE_STRING)
        return read_duration(vm, arguments[0]);
    return vm_no_overload(vm, "duration", arguments, count);
}

/* ".5"; nothing when there is no fraction. */
static void add_fraction(struct text *text, uint32_t nanoseconds)
{
    uint32_t scale = SECOND_NS / 10;
    if (nanoseconds == 0)
        return;
    text_add_byte(text, '.');
    for (; nanoseconds > 0; scale /= 10) {
        text_add_byte(text, (char)('0' + nanoseconds / scale));
        nanoseconds %= scale;
    }
}

static void add_timestamp(struct text *text, struct value value)
{
    struct civil_time civil = time_civil_from_seconds(value.integer);
    text_format(text, "%04d-%02d-%02dT%02d:%02d:%02d", civil.year, civil.month, civil.day,
                civil.hour, civil.minute, civil.second);
    add_fraction(text, value.count);
    text_add_byte(text, 'Z');
}

static void add_duration(struct text *text, struct value value)
{
    int32_t nanoseconds = (int32_t)value.count;
    bool is_negative = value.integer < 0 || nanoseconds < 0;
    if (is_negative)
        text_add_byte(text, '-');
    text_add_int(text, is_negative ? -value.integer : value.integer);
    add_fraction(text, (uint32_t)(is_negative ? -nanoseconds : nanoseconds));
    text_add_byte(text, 's');
}

bool convert_add_text(struct text *text, struct value value)
{
    switch ((enum value_kind)value.kind) {
    case VALUE_BOOL:
        text_add(text, value.boolean ? SPAN("true") : SPAN("false"));
        return true;
    case VALUE_INT:
        text_add_int(text, value.integer);
        return true;
    case VALUE_UINT:
        text_add_uint(text, value.uinteger);
        return true;
    case VALUE_DOUBLE:
        decimal_add_number(text, value.real);
        return true;
    case VALUE_STRING:
    case VALUE_IP:
    case VALUE_CIDR:
        text_add(text, value_span(value));
        return true;
    case VALUE_BYTES:
        if (!span_is_utf8(value_span(value)))
            return false;
        text_add(text, value_span(value));
        return true;
    case VALUE_TIMESTAMP:
        add_timestamp(text, value);
        return true;
    case VALUE_DURATION:
        add_duration(text, value);
        return true;
    case VALUE_NULL:
    case VALUE_LIST:
    case VALUE_MAP:
    case VALUE_TYPE:
    case VALUE_OPTIONAL:
    case VALUE_ERROR:
        return false;
    case VALUE_KIND_COUNT:
        break;
    }
    never();
}
