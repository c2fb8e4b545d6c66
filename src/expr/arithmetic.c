/*
 * arithmetic.c - CEL's strict arithmetic.
 *
 * An int and a double do not add up: the language refuses rather than guesses. Results that
 * do not fit are errors. A timestamp's nanoseconds count forward from its second; a
 * duration's carry the sign of its seconds.
 */
#include "expr/arithmetic.h"

#include "base/checked.h"
#include "base/ensure.h"
#include "base/limits.h"

#define TIMESTAMP_MIN (-62135596800) /* 0001-01-01T00:00:00Z */
#define TIMESTAMP_MAX 253402300799   /* 9999-12-31T23:59:59Z */
#define DURATION_MAX 315576000000    /* 10,000 years of 365.25 days */
#define SECOND_NS 1000000000

static struct value overflow(struct vm *vm, const char *kind)
{
    return vm_error(vm, "%s overflow", kind);
}

static struct value apply_int(struct vm *vm, int64_t a, enum ast_operator operator, int64_t b)
{
    int64_t result = 0;
    bool fits = true;
    if ((operator== AST_DIVIDE || operator== AST_MODULO) && b == 0)
        return vm_error(vm, operator== AST_DIVIDE ? "division by zero" : "modulus by zero");
    if (operator== AST_ADD)
        fits = checked_add(a, b, &result);
    else if (operator== AST_SUBTRACT)
        fits = checked_subtract(a, b, &result);
    else if (operator== AST_MULTIPLY)
        fits = checked_multiply(a, b, &result);
    else if (b == -1) /* the one quotient that does not fit, and the machine's trap */
        fits = operator== AST_MODULO || checked_subtract((int64_t)0, a, &result);
    else
        result = operator== AST_DIVIDE ? a / b : a % b;
    return fits ? value_int(result) : overflow(vm, "int");
}

static struct value apply_uint(struct vm *vm, uint64_t a, enum ast_operator operator,
                               uint64_t b)
{
    uint64_t result = 0;
    bool fits = true;
    if ((operator== AST_DIVIDE || operator== AST_MODULO) && b == 0)
        return vm_error(vm, operator== AST_DIVIDE ? "division by zero" : "modulus by zero");
    if (operator== AST_ADD)
        fits = checked_add(a, b, &result);
    else if (operator== AST_SUBTRACT)
        fits = checked_subtract(a, b, &result);
    else if (operator== AST_MULTIPLY)
        fits = checked_multiply(a, b, &result);
    else
        result = operator== AST_DIVIDE ? a / b : a % b;
    return fits ? value_uint(result) : overflow(vm, "uint");
}

/* Floating-point numbers never fail: they have infinities and NaN. */
static struct value apply_double(double a, enum ast_operator operator, double b)
{
    if (operator== AST_ADD)
        return value_double(a + b);
    if (operator== AST_SUBTRACT)
        return value_double(a - b);
    if (operator== AST_MULTIPLY)
        return value_double(a * b);
    return value_double(a / b);
}

bool arithmetic_timestamp(int64_t seconds, int64_t nanoseconds, struct value *value)
{
    int64_t carry = nanoseconds / SECOND_NS - (nanoseconds % SECOND_NS < 0);
    if (!checked_add(seconds, carry, &seconds) || seconds < TIMESTAMP_MIN ||
        seconds > TIMESTAMP_MAX)
        return false;
    *value = (struct value){.kind = VALUE_TIMESTAMP,
                            .count = (uint32_t)(nanoseconds - carry * SECOND_NS),
                            .integer = seconds};
    return true;
}

bool arithmetic_duration(int64_t seconds, int64_t nanoseconds, struct value *value)
{
    if (!checked_add(seconds, nanoseconds / SECOND_NS, &seconds))
        return false;
    nanoseconds %= SECOND_NS;
    if (seconds > 0 && nanoseconds < 0) {
        seconds--;
        nanoseconds += SECOND_NS;
    } else if (seconds < 0 && nanoseconds > 0) {
        seconds++;
        nanoseconds -= SECOND_NS;
    }
    if (seconds > DURATION_MAX || seconds < -DURATION_MAX)
        return false;
    *value = (struct value){
        .kind = VALUE_DURATION, .count = (uint32_t)(int32_t)nanoseconds, .integer = seconds};
    return true;
}

static int64_t nanoseconds_of(struct value value)
{
    return (int32_t)value.count;
}

/* timestamp ± duration, duration ± duration, duration + timestamp, timestamp - timestamp. */
static struct value apply_time(struct vm *vm, struct value a, enum ast_operator operator,
                               struct value b)
{
    int64_t sign = operator== AST_SUBTRACT ? -1 : 1;
    bool is_a_moment = a.kind == VALUE_TIMESTAMP;
    bool is_b_moment = b.kind == VALUE_TIMESTAMP;
    if ((operator!= AST_ADD && operator!= AST_SUBTRACT) ||
        (is_b_moment && is_a_moment == (operator== AST_ADD)))
        return vm_no_operator(vm, a, operator, b);
    int64_t seconds = a.integer + sign * b.integer; /* both are far from the limits */
    int64_t nanoseconds = nanoseconds_of(a) + sign * nanoseconds_of(b);
    struct value result;
    if (is_a_moment != is_b_moment)
        return arithmetic_timestamp(seconds, nanoseconds, &result)
                   ? result
                   : vm_error(vm, "timestamp out of range");
    return arithmetic_duration(seconds, nanoseconds, &result)
               ? result
               : vm_error(vm, "duration out of range");
}

static struct value join_text(struct vm *vm, struct value a, struct value b)
{
    size_t size = (size_t)a.count + b.count;
    vm_charge_bytes(vm, size);
    if (size > VALUE_BYTES_MAX)
        return vm_error(vm, "a %s of more than %d bytes", vm_kind_name(a.kind),
                        VALUE_BYTES_MAX);
    if (a.count == 0 || b.count == 0)
        return a.count == 0 ? b : a;
    if (vm->arena == NULL)
        return vm_unspoken(vm);
    char *bytes = arena_get(vm->arena, size);
    memcpy(bytes, a.text, a.count);
    memcpy(bytes + a.count, b.text, b.count);
    a.text = bytes;
    a.count = (uint32_t)size;
    return a;
}

static struct value join_lists(struct vm *vm, struct value a, struct value b)
{
    size_t count = (size_t)a.count + b.count;
    vm_charge(vm, count);
    if (count > VALUE_BYTES_MAX / sizeof(struct value))
        return vm_error(vm, "a list of more than %d bytes", VALUE_BYTES_MAX);
    if (a.count == 0 || b.count == 0)
        return a.count == 0 ? b : a;
    if (vm->arena == NULL)
        return vm_unspoken(vm);
    struct value *items = arena_get(vm->arena, count * sizeof *items);
    memcpy(items, a.items, a.count * sizeof *items);
    memcpy(items + a.count, b.items, b.count * sizeof *items);
    return value_list(items, count);
}

static bool is_time(struct value value)
{
    return value.kind == VALUE_TIMESTAMP || value.kind == VALUE_DURATION;
}

struct value arithmetic_apply(struct vm *vm, struct value left, enum ast_operator operator,
                              struct value right)
{
    if (left.kind == VALUE_ERROR || right.kind == VALUE_ERROR)
        return left.kind == VALUE_ERROR ? left : right;
    if (is_time(left) && is_time(right))
        return apply_time(vm, left, operator, right);
    if (left.kind != right.kind)
        return vm_no_operator(vm, left, operator, right);
    if (left.kind == VALUE_INT)
        return apply_int(vm, left.integer, operator, right.integer);
    if (left.kind == VALUE_UINT)
        return apply_uint(vm, left.uinteger, operator, right.uinteger);
    if (left.kind == VALUE_DOUBLE && operator!= AST_MODULO)
        return apply_double(left.real, operator, right.real);
    if ((left.kind == VALUE_STRING || left.kind == VALUE_BYTES) && operator== AST_ADD)
        return join_text(vm, left, right);
    if (left.kind == VALUE_LIST && operator== AST_ADD)
        return join_lists(vm, left, right);
    return vm_no_operator(vm, left, operator, right);
}

struct value arithmetic_negate(struct vm *vm, struct value operand)
{
    if (operand.kind == VALUE_INT)
        return apply_int(vm, 0, AST_SUBTRACT, operand.integer);
    if (operand.kind == VALUE_DOUBLE)
        return value_double(-operand.real);
    if (operand.kind == VALUE_ERROR)
        return operand;
    return vm_error(vm, "no such overload: -%s", vm_kind_name(operand.kind));
}
