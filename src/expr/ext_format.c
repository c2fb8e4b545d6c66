/*
 * ext_format.c - text.format([…]): printf for values.
 *
 * %s any value, %d numbers, %f and %e numbers with a precision (%.3f), %b %o %x %X whole
 * numbers in base 2, 8 and 16; %b a bool as well, %x and %X also strings and bytes. A clause
 * must have its argument; arguments without a clause are left out.
 */
#include <math.h>

#include "base/decimal.h"
#include "base/digit.h"
#include "base/ensure.h"
#include "base/limits.h"
#include "expr/convert.h"
#include "expr/ext.h"

enum { PRECISION_DEFAULT = 6 };

/* NULL when a value was added, else why it cannot be: a sentence for the argument's kind. */
struct formatting {
    struct vm *vm;
    struct text text;
    const char *problem;
};

static void fail(struct formatting *formatting, const char *problem)
{
    if (formatting->problem == NULL)
        formatting->problem = problem;
}

/* True when the number is no ordinary one, and was added. */
static bool add_special(struct text *text, double real)
{
    if (isfinite(real))
        return false;
    text_add_double(text, real);
    return true;
}

/* Without an exponent, however long that gets. */
static void add_real(struct text *text, double real)
{
    struct decimal decimal;
    if (add_special(text, real))
        return;
    decimal_from_double_shortest(&decimal, real);
    if (signbit(real))
        text_add_byte(text, '-');
    decimal_add_plain(text, &decimal, 0);
}

static void add_any(struct formatting *formatting, struct value value);

static void add_list(struct formatting *formatting, struct value list)
{
    text_add_byte(&formatting->text, '[');
    for (uint32_t i = 0; i < list.count && formatting->problem == NULL; i++) {
        text_add(&formatting->text, i == 0 ? SPAN("") : SPAN(", "));
        add_any(formatting, list.items[i]);
    }
    text_add_byte(&formatting->text, ']');
}

/* Entries in the order of their keys' texts, which is the same whatever the map's own is. */
static void add_map(struct formatting *formatting, struct value map)
{
    struct arena *arena = formatting->vm->arena;
    struct value *keys = arena_get(arena, (map.count + (size_t)1) * sizeof *keys);
    struct value *values = arena_get(arena, (map.count + (size_t)1) * sizeof *values);
    for (uint32_t i = 0; i < map.count; i++) {
        struct text text;
        text_init(&text, arena);
        convert_add_text(&text, map.entries[i].key);
        keys[i] = value_string(text_span(&text));
        values[i] = map.entries[i].value;
    }
    struct value names = value_list(keys, map.count);
    values = (struct value *)(uintptr_t)ext_list_sort_by(formatting->vm,
                                                         value_list(values, map.count), names)
                 .items;
    keys = (struct value *)(uintptr_t)ext_list_sort_by(formatting->vm, names, names).items;
    text_add_byte(&formatting->text, '{');
    for (uint32_t i = 0; i < map.count && formatting->problem == NULL; i++) {
        text_add(&formatting->text, i == 0 ? SPAN("") : SPAN(", "));
        text_add(&formatting->text, value_span(keys[i]));
        text_add(&formatting->text, SPAN(": "));
        add_any(formatting, values[i]);
    }
    text_add_byte(&formatting->text, '}');
}

static void add_any(struct formatting *formatting, struct value value)
{
    vm_charge(formatting->vm, 1);
    if (formatting->vm->cost_left < 0 || formatting->text.size > VALUE_BYTES_MAX)
        fail(formatting, "a text of more bytes than a value may have");
    else if (value.kind == VALUE_LIST)
        add_list(formatting, value);
    else if (value.kind == VALUE_MAP)
        add_map(formatting, value);
    else if (value.kind == VALUE_DOUBLE)
        add_real(&formatting->text, value.real);
    else if (value.kind == VALUE_NULL)
        text_add(&formatting->text, SPAN("null"));
    else if (value.kind == VALUE_TYPE)
        text_add(&formatting->text, value_span(value));
    else if (!convert_add_text(&formatting->text, value))
        fail(formatting, value.kind == VALUE_BYTES ? "%s takes no bytes that are not UTF-8"
                                                   : "%s does not take this");
    if (value.kind == VALUE_STRING || value.kind == VALUE_BYTES)
        vm_charge_bytes(formatting->vm, value.count);
}

static void add_decimal(struct formatting *formatting, struct value value)
{
    if (value.kind == VALUE_INT)
        text_add_int(&formatting->text, value.integer);
    else if (value.kind == VALUE_UINT)
        text_add_uint(&formatting->text, value.uinteger);
    else if (value.kind == VALUE_DOUBLE)
        add_real(&formatting->text, value.real);
    else
        fail(formatting, "%d takes numbers");
}

static double real_of(struct value number)
{
    if (number.kind == VALUE_INT)
        return (double)number.integer;
    return number.kind == VALUE_UINT ? (double)number.uinteger : number.real;
}

static void add_rounded(struct formatting *formatting, struct value value, char clause,
                        int32_t precision)
{
    struct decimal decimal;
    if ((KINDS_NUMBER >> value.kind & 1) == 0) {
        fail(formatting, clause == 'f' ? "%f takes numbers" : "%e takes numbers");
        return;
    }
    double real = real_of(value);
    if (add_special(&formatting->text, real))
        return;
    decimal_from_double(&decimal, real);
    decimal_round(&decimal, clause == 'f' ? decimal.point + precision : precision + 1);
    if (signbit(real))
        text_add_byte(&formatting->text, '-');
    if (clause == 'f')
        decimal_add_plain(&formatting->text, &decimal, precision);
    else
        decimal_add_scientific(&formatting->text, &decimal, precision);
}

/* In a base that is a power of two. */
static void add_whole(struct text *text, struct value value, unsigned shift, bool is_upper)
{
    char digits[64];
    size_t at = sizeof digits;
    bool is_negative = value.kind == VALUE_INT && value.integer < 0;
    uint64_t number = is_negative ? 0 - value.uinteger : value.uinteger;
    do {
        char digit = DIGIT_LETTERS[number & ((1u << shift) - 1)];
        digits[--at] = is_upper && digit >= 'a' ? (char)(digit - 'a' + 'A') : digit;
        number >>= shift;
    } while (number > 0);
    if (is_negative)
        text_add_byte(text, '-');
    text_add(text, span_of(digits + at, sizeof digits - at));
}

static void add_hex_bytes(struct text *text, struct span bytes, bool is_upper)
{
    for (size_t i = 0; i < bytes.size; i++)
        text_format(text, is_upper ? "%02X" : "%02x", (unsigned)(unsigned char)bytes.text[i]);
}

static void add_in_base(struct formatting *formatting, struct value value, char clause)
{
    bool is_hex = clause == 'x' || clause == 'X';
    if (value.kind == VALUE_INT || value.kind == VALUE_UINT) {
        add_whole(&formatting->text, value, clause == 'b' ? 1 : is_hex ? 4 : 3, clause == 'X');
    } else if (clause == 'b' && value.kind == VALUE_BOOL) {
        text_add_byte(&formatting->text, value.boolean ? '1' : '0');
    } else if (is_hex && (value.kind == VALUE_STRING || value.kind == VALUE_BYTES)) {
        vm_charge_bytes(formatting->vm, 2 * (uint64_t)value.count);
        add_hex_bytes(&formatting->text, value_span(value), clause == 'X');
    } else {
        fail(formatting, clause == 'b'   ? "%b takes whole numbers and bools"
                         : clause == 'o' ? "%o takes whole numbers"
                                         : "%x takes whole numbers, strings and bytes");
    }
}

static void add_clause(struct formatting *formatting, struct value value, char clause,
                       int32_t precision)
{
    if (clause == 's')
        add_any(formatting, value);
    else if (clause == 'd')
        add_decimal(formatting, value);
    else if (clause == 'f' || clause == 'e')
        add_rounded(formatting, value, clause, precision);
    else if (clause == 'b' || clause == 'o' || clause == 'x' || clause == 'X')
        add_in_base(formatting, value, clause);
    else
        fail(formatting, "a clause is one of %s %d %f %e %b %o %x %X and %%");
}

/* ".3" behind a `%`; moves behind it. */
static int32_t read_precision(struct formatting *formatting, struct span format, size_t *at)
{
    int32_t precision = 0;
    if (*at >= format.size || format.text[*at] != '.')
        return PRECISION_DEFAULT;
    for (++*at; *at < format.size && digit_is_decimal(format.text[*at]); ++*at) {
        precision = precision * 10 + (int32_t)digit_value(format.text[*at]);
        if (precision > FORMAT_PRECISION_MAX) {
            fail(formatting, "a precision is at most 100");
            return 0;
        }
    }
    return precision;
}

/* Writes the whole; stops at the first problem, leaving the argument's index. */
static uint32_t add_format(struct formatting *formatting, struct span format,
                           struct value arguments)
{
    uint32_t used = 0;
    for (size_t at = 0; at < format.size && formatting->problem == NULL;) {
        size_t clause = span_find(format, SPAN("%"), at);
        size_t plain = clause == SIZE_MAX ? format.size : clause;
        text_add(&formatting->text, span_slice(format, at, plain));
        at = plain;
        if (at == format.size)
            break;
        at++;
        if (at < format.size && format.text[at] == '%') {
            text_add_byte(&formatting->text, format.text[at++]);
            continue;
        }
        int32_t precision = read_precision(formatting, format, &at);
        if (at == format.size)
            fail(formatting, "a clause is missing behind the last %");
        else if (used == arguments.count)
            fail(formatting, "there are more clauses than arguments");
        else
            add_clause(formatting, arguments.items[used], format.text[at++], precision);
        used += formatting->problem == NULL;
    }
    return used;
}

struct value ext_format(struct vm *vm, const struct value *arguments, size_t count)
{
    struct formatting formatting = {.vm = vm};
    (void)count;
    text_init(&formatting.text, vm->arena);
    vm_charge_bytes(vm, arguments[0].count);
    uint32_t at = add_format(&formatting, value_span(arguments[0]), arguments[1]);
    if (formatting.problem == NULL) {
        struct value wrong = ext_check_size(vm, formatting.text.size);
        return wrong.kind == VALUE_ERROR ? wrong : value_string(text_span(&formatting.text));
    }
    const char *kind =
        at < arguments[1].count ? vm_kind_name(arguments[1].items[at].kind) : "nothing";
    return vm_error(vm, "format: %s; argument %u is %s", formatting.problem, at + 1, kind);
}
