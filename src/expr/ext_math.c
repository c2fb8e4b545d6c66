/*
 * ext_math.c - math.greatest and its relatives.
 *
 * What a function does not take is an error, as everywhere: math.ceil(1) too, since an int
 * has nothing to round. Bits are those of two's complement; a shift to the right fills with
 * zeros, and one by 64 or more leaves none.
 */
#include "expr/ext.h"

#include <math.h>

#include "base/ensure.h"
#include "expr/compare.h"

enum { INT_BITS = 64 };

static struct value take_ceil(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    return value_double(ceil(arguments[0].real));
}

static struct value take_floor(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    return value_double(floor(arguments[0].real));
}

/* Halves go away from zero. */
static struct value take_round(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    return value_double(round(arguments[0].real));
}

static struct value take_trunc(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    return value_double(trunc(arguments[0].real));
}

static double real_of(struct value number)
{
    if (number.kind == VALUE_INT)
        return (double)number.integer;
    return number.kind == VALUE_UINT ? (double)number.uinteger : number.real;
}

static struct value take_sqrt(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    return value_double(sqrt(real_of(arguments[0])));
}

static struct value take_abs(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value number = arguments[0];
    (void)count;
    if (number.kind == VALUE_UINT)
        return number;
    if (number.kind == VALUE_DOUBLE)
        return value_double(fabs(number.real));
    if (number.integer == INT64_MIN)
        return vm_error(vm, "int overflow");
    return value_int(number.integer < 0 ? -number.integer : number.integer);
}

static struct value take_sign(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value number = arguments[0];
    (void)vm;
    (void)count;
    if (number.kind == VALUE_UINT)
        return value_uint(number.uinteger > 0);
    if (number.kind == VALUE_INT)
        return value_int((number.integer > 0) - (number.integer < 0));
    if (isnan(number.real))
        return number;
    return value_double((number.real > 0) - (number.real < 0));
}

static struct value is_nan(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    return value_bool(isnan(arguments[0].real));
}

static struct value is_infinite(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    return value_bool(isinf(arguments[0].real));
}

static struct value is_finite(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    return value_bool(isfinite(arguments[0].real));
}

/* The bits of a result in the kind of the operand. */
static struct value whole_like(struct value operand, uint64_t bits)
{
    return operand.kind == VALUE_UINT ? value_uint(bits) : value_int((int64_t)bits);
}

static struct value bit_not(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    return whole_like(arguments[0], ~arguments[0].uinteger);
}

static struct value bit_and(struct vm *vm, const struct value *arguments, size_t count)
{
    if (arguments[0].kind != arguments[1].kind)
        return vm_no_overload(vm, "math.bitAnd", arguments, count);
    return whole_like(arguments[0], arguments[0].uinteger & arguments[1].uinteger);
}

static struct value bit_or(struct vm *vm, const struct value *arguments, size_t count)
{
    if (arguments[0].kind != arguments[1].kind)
        return vm_no_overload(vm, "math.bitOr", arguments, count);
    return whole_like(arguments[0], arguments[0].uinteger | arguments[1].uinteger);
}

static struct value bit_xor(struct vm *vm, const struct value *arguments, size_t count)
{
    if (arguments[0].kind != arguments[1].kind)
        return vm_no_overload(vm, "math.bitXor", arguments, count);
    return whole_like(arguments[0], arguments[0].uinteger ^ arguments[1].uinteger);
}

static struct value negative_shift(struct vm *vm, struct value by)
{
    return vm_error(vm, "a shift by a negative number of bits: %lld", (long long)by.integer);
}

static struct value shift_left(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    if (arguments[1].integer < 0)
        return negative_shift(vm, arguments[1]);
    bool is_left = arguments[1].integer < INT_BITS;
    return whole_like(arguments[0],
                      is_left ? arguments[0].uinteger << arguments[1].integer : 0);
}

static struct value shift_right(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    if (arguments[1].integer < 0)
        return negative_shift(vm, arguments[1]);
    bool is_left = arguments[1].integer < INT_BITS;
    return whole_like(arguments[0],
                      is_left ? arguments[0].uinteger >> arguments[1].integer : 0);
}

/* The first of the numbers that no other is beyond, in the direction of `wanted`. */
static struct value extreme(struct vm *vm, const char *name, const struct value *numbers,
                            size_t count, enum compare_order wanted)
{
    struct value best = numbers[0];
    vm_charge(vm, count);
    for (size_t i = 0; i < count; i++) {
        if ((KINDS_NUMBER >> numbers[i].kind & 1) == 0)
            return vm_no_overload(vm, name, &numbers[i], 1);
        enum compare_order order = compare_values(vm, numbers[i], best);
        if (order == COMPARE_UNORDERED)
            return vm_error(vm, "%s: NaN has no order", name);
        if (order == wanted)
            best = numbers[i];
    }
    return best;
}

static struct value extreme_of(struct vm *vm, const char *name, const struct value *arguments,
                               size_t count, enum compare_order wanted)
{
    if (count > 1 || arguments[0].kind != VALUE_LIST)
        return extreme(vm, name, arguments, count, wanted);
    if (arguments[0].count == 0)
        return vm_error(vm, "%s of an empty list", name);
    return extreme(vm, name, arguments[0].items, arguments[0].count, wanted);
}

static struct value greatest(struct vm *vm, const struct value *arguments, size_t count)
{
    return extreme_of(vm, "math.greatest", arguments, count, COMPARE_GREATER);
}

static struct value least(struct vm *vm, const struct value *arguments, size_t count)
{
    return extreme_of(vm, "math.least", arguments, count, COMPARE_LESS);
}

#define ROW(name, count, function, ...)                                                  \
    {                                                                                    \
        SPAN_INIT("math." name), BUILTIN_GLOBAL, (count), (count), false, {__VA_ARGS__}, \
            (function)                                                                   \
    }

static const struct builtin functions[] = {
    {SPAN_INIT("math.greatest"),
     BUILTIN_GLOBAL,
     1,
     BUILTIN_ARGUMENTS_MAX,
     false,
     {0},
     greatest},
    {SPAN_INIT("math.least"), BUILTIN_GLOBAL, 1, BUILTIN_ARGUMENTS_MAX, false, {0}, least},
    ROW("ceil", 1, take_ceil, KINDS_DOUBLE),
    ROW("floor", 1, take_floor, KINDS_DOUBLE),
    ROW("round", 1, take_round, KINDS_DOUBLE),
    ROW("trunc", 1, take_trunc, KINDS_DOUBLE),
    ROW("abs", 1, take_abs, KINDS_NUMBER),
    ROW("sign", 1, take_sign, KINDS_NUMBER),
    ROW("sqrt", 1, take_sqrt, KINDS_NUMBER),
    ROW("isNaN", 1, is_nan, KINDS_DOUBLE),
    ROW("isInf", 1, is_infinite, KINDS_DOUBLE),
    ROW("isFinite", 1, is_finite, KINDS_DOUBLE),
    ROW("bitAnd", 2, bit_and, KINDS_WHOLE, KINDS_WHOLE),
    ROW("bitOr", 2, bit_or, KINDS_WHOLE, KINDS_WHOLE),
    ROW("bitXor", 2, bit_xor, KINDS_WHOLE, KINDS_WHOLE),
    ROW("bitNot", 1, bit_not, KINDS_WHOLE),
    ROW("bitShiftLeft", 2, shift_left, KINDS_WHOLE, KINDS_INT),
    ROW("bitShiftRight", 2, shift_right, KINDS_WHOLE, KINDS_INT),
};

const struct builtin_library ext_math_library = {functions,
                                                 sizeof functions / sizeof *functions};
