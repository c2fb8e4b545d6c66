/*
 * decimal.c - numbers too long for a machine word, for as long as a conversion takes.
 *
 * Digits of a double: mantissa times a power of two is a whole number, or one over a power
 * of ten once it is multiplied by as many fives; its digits are what is left of divisions
 * by 10^9.
 *
 * A double from digits: up to 19 digits and a power of ten up to 19 are one exact product or
 * quotient of 128 bits, rounded once. For all others a guess in floating point is a few steps
 * from the truth at most; comparing with the point half-way to its neighbours, in whole
 * numbers, says where to go.
 */
#include "base/decimal.h"

#include <float.h>
#include <math.h>

#include "base/digit.h"
#include "base/ensure.h"

__extension__ typedef unsigned __int128 wide;

enum {
    LIMBS_MAX = 132,          /* 800 digits times ten to the 330th and their like */
    WORD_DIGITS_MAX = 19,     /* of a number that fits 64 bits */
    FIVES_IN_LIMB = 13,       /* 5^13 < 2^32 */
    DIGITS_IN_LIMB = 9,       /* 10^9 < 2^32 */
    POINT_MAX = 310,          /* beyond it every number is infinite */
    POINT_MIN = -330,         /* below it every number is zero */
    DIGITS_SIGNIFICANT = 790, /* digits behind these only say that there are some */
};

struct big {
    uint32_t count;
    uint32_t limbs[LIMBS_MAX]; /* the lowest first */
};

static struct big big_from(uint64_t number)
{
    struct big big = {.count = 2, .limbs = {(uint32_t)number, (uint32_t)(number >> 32)}};
    while (big.count > 0 && big.limbs[big.count - 1] == 0)
        big.count--;
    return big;
}

static void multiply(struct big *big, uint32_t factor, uint32_t carry)
{
    for (uint32_t i = 0; i < big->count; i++) {
        uint64_t product = (uint64_t)big->limbs[i] * factor + carry;
        big->limbs[i] = (uint32_t)product;
        carry = (uint32_t)(product >> 32);
    }
    if (carry == 0)
        return;
    ensure(big->count < LIMBS_MAX);
    big->limbs[big->count++] = carry;
}

static void multiply_by_fives(struct big *big, uint32_t power)
{
    static const uint32_t fives[FIVES_IN_LIMB + 1] = {
        1,     5,      25,      125,     625,      3125,      15625,
        78125, 390625, 1953125, 9765625, 48828125, 244140625, 1220703125,
    };
    for (; power > FIVES_IN_LIMB; power -= FIVES_IN_LIMB)
        multiply(big, fives[FIVES_IN_LIMB], 0);
    multiply(big, fives[power], 0);
}

static void shift_left(struct big *big, uint32_t bits)
{
    uint32_t limbs = bits / 32;
    multiply(big, 1u << bits % 32, 0);
    if (limbs == 0 || big->count == 0)
        return;
    ensure(big->count + limbs <= LIMBS_MAX);
    memmove(big->limbs + limbs, big->limbs, big->count * sizeof *big->limbs);
    memset(big->limbs, 0, limbs * sizeof *big->limbs);
    big->count += limbs;
}

/* Leaves the quotient, gives the remainder. */
static uint32_t divide(struct big *big, uint32_t divisor)
{
    uint64_t remainder = 0;
    for (uint32_t i = big->count; i > 0; i--) {
        uint64_t part = remainder << 32 | big->limbs[i - 1];
        big->limbs[i - 1] = (uint32_t)(part / divisor);
        remainder = part % divisor;
    }
    while (big->count > 0 && big->limbs[big->count - 1] == 0)
        big->count--;
    return (uint32_t)remainder;
}

static int compare(const struct big *a, const struct big *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (uint32_t i = a->count; i > 0; i--) {
        if (a->limbs[i - 1] != b->limbs[i - 1])
            return a->limbs[i - 1] < b->limbs[i - 1] ? -1 : 1;
    }
    return 0;
}

/* number = mantissa * 2^exponent, exactly. */
static uint64_t take_apart(double number, int *exponent)
{
    uint64_t mantissa = (uint64_t)ldexp(frexp(number, exponent), DBL_MANT_DIG);
    int missing = DBL_MIN_EXP - *exponent; /* bits of a subnormal */
    *exponent -= DBL_MANT_DIG;
    if (mantissa == 0 || missing > 0) {
        mantissa >>= mantissa == 0 ? 0 : missing;
        *exponent = DBL_MIN_EXP - DBL_MANT_DIG;
    }
    return mantissa;
}

/* Without the zeros at both ends. */
static void tidy(struct decimal *decimal)
{
    int32_t zeros = 0;
    while (decimal->count > 0 && decimal->digits[decimal->count - 1] == '0')
        decimal->count--;
    while (zeros < decimal->count && decimal->digits[zeros] == '0')
        zeros++;
    decimal->count -= zeros;
    decimal->point = decimal->count == 0 ? 0 : decimal->point - zeros;
    if (zeros > 0)
        memmove(decimal->digits, decimal->digits + zeros, (size_t)decimal->count);
}

void decimal_from_double(struct decimal *decimal, double number)
{
    int exponent;
    ensure(isfinite(number));
    uint64_t mantissa = take_apart(fabs(number), &exponent);
    while (mantissa != 0 && mantissa % 2 == 0 && exponent < 0) {
        mantissa /= 2;
        exponent++;
    }
    struct big big = big_from(mantissa);
    if (exponent < 0)
        multiply_by_fives(&big, (uint32_t)-exponent);
    else
        shift_left(&big, (uint32_t)exponent);
    int32_t at = DECIMAL_DIGITS_MAX;
    while (big.count > 0) {
        uint32_t digits = divide(&big, 1000000000);
        ensure(at >= DIGITS_IN_LIMB);
        for (int i = 0; i < DIGITS_IN_LIMB; i++, digits /= 10)
            decimal->digits[--at] = (char)('0' + digits % 10);
    }
    decimal->count = DECIMAL_DIGITS_MAX - at;
    decimal->point = decimal->count + (exponent < 0 ? exponent : 0);
    memmove(decimal->digits, decimal->digits + at, (size_t)decimal->count);
    tidy(decimal);
}

void decimal_from_double_shortest(struct decimal *decimal, double number)
{
    struct decimal all;
    decimal_from_double(&all, number);
    number = fabs(number);
    int32_t count = number < DBL_MIN ? 1 : DBL_DIG; /* a subnormal may need only one */
    do {
        *decimal = all;
        decimal_round(decimal, count++);
    } while (count <= DBL_DECIMAL_DIG && decimal_value(decimal) != number);
}

/* Whether what is behind the first `count` digits makes the last of them one more. */
static bool rounds_up(const struct decimal *decimal, int32_t count)
{
    if (decimal->digits[count] != '5' || count + 1 < decimal->count)
        return decimal->digits[count] >= '5';
    return count > 0 && (decimal->digits[count - 1] - '0') % 2 == 1;
}

void decimal_round(struct decimal *decimal, int32_t count)
{
    if (count >= decimal->count)
        return;
    bool is_up = count >= 0 && rounds_up(decimal, count);
    decimal->count = count < 0 ? 0 : count;
    int32_t at = decimal->count;
    while (is_up && at > 0 && decimal->digits[at - 1] == '9')
        decimal->digits[--at] = '0';
    if (is_up && at > 0) {
        decimal->digits[at - 1]++;
    } else if (is_up) { /* 0.999 became 1.0 */
        decimal->digits[0] = '1';
        decimal->count = 1;
        decimal->point++;
    }
    tidy(decimal);
}

/* The nearest double of bits * 2^exponent, the lowest bit being set also for all that was cut
 * off; 63 bits or more, and a result that is neither subnormal nor infinite. */
static double round_bits(uint64_t bits, int exponent)
{
    int spare = 64 - __builtin_clzll(bits) - DBL_MANT_DIG;
    uint64_t mask = ((uint64_t)1 << spare) - 1;
    uint64_t half = (uint64_t)1 << (spare - 1);
    uint64_t mantissa = bits >> spare;
    uint64_t rest = bits & mask;
    mantissa += rest > half || (rest == half && mantissa % 2 == 1);
    return ldexp((double)mantissa, exponent + spare);
}

/* word * 10^exponent for what fits 128 bits. */
static double scale_word(uint64_t word, int32_t exponent)
{
    uint64_t power = 1;
    int shift = __builtin_clzll(word);
    for (int32_t i = exponent < 0 ? -exponent : exponent; i > 0; i--)
        power *= 10;
    word <<= shift;
    if (exponent >= 0) {
        wide product = (wide)word * power;
        int up = product >> 64 == 0 ? 64 : __builtin_clzll((uint64_t)(product >> 64));
        product <<= up;
        uint64_t high = (uint64_t)(product >> 64) | ((uint64_t)product != 0);
        return round_bits(high, 64 - up - shift);
    }
    wide dividend = (wide)word << 64;
    wide quotient = dividend / power;
    bool has_rest = quotient * power != dividend;
    int up = quotient >> 64 == 0 ? 64 : __builtin_clzll((uint64_t)(quotient >> 64));
    has_rest |= up < 64 && (uint64_t)(quotient << up) != 0;
    uint64_t high = up == 64 ? (uint64_t)quotient : (uint64_t)(quotient << up >> 64);
    return round_bits(high | has_rest, (up == 64 ? 0 : 64 - up) - 64 - shift);
}

static double power_of_ten(int32_t exponent)
{
    double power = 1;
    double factor = 10;
    for (int32_t i = exponent < 0 ? -exponent : exponent; i > 0; i /= 2, factor *= factor)
        power *= i % 2 == 1 ? factor : 1;
    return power;
}

/* Some steps from the number, at most; finite. */
static double guess(uint64_t word, int32_t exponent)
{
    double number = (double)word;
    if (exponent < -300) { /* its power would be infinite */
        number /= 1e300;
        exponent += 300;
    }
    number = exponent < 0 ? number / power_of_ten(exponent) : number * power_of_ten(exponent);
    return isfinite(number) ? number : DBL_MAX;
}

static struct big big_from_digits(const struct decimal *decimal)
{
    struct big big = {.count = 0};
    for (int32_t i = 0; i < decimal->count; i++)
        multiply(&big, 10, digit_value(decimal->digits[i]));
    return big;
}

/* The decimal against the point half-way from the number to the next larger one. */
static int compare_half(const struct decimal *decimal, double number)
{
    int exponent;
    int32_t tens = decimal->point - decimal->count;
    struct big left = big_from_digits(decimal);
    struct big right = big_from(2 * take_apart(number, &exponent) + 1);
    exponent--;
    int32_t left_twos = (tens > 0 ? tens : 0) + (exponent < 0 ? -exponent : 0);
    int32_t right_twos = (tens < 0 ? -tens : 0) + (exponent > 0 ? exponent : 0);
    int32_t common = left_twos < right_twos ? left_twos : right_twos;
    multiply_by_fives(tens > 0 ? &left : &right, (uint32_t)(tens > 0 ? tens : -tens));
    shift_left(&left, (uint32_t)(left_twos - common));
    shift_left(&right, (uint32_t)(right_twos - common));
    return compare(&left, &right);
}

static bool is_even(double number)
{
    int exponent;
    return take_apart(number, &exponent) % 2 == 0;
}

static double approach(const struct decimal *decimal, double number)
{
    for (;;) {
        int order = compare_half(decimal, number);
        if (order > 0 || (order == 0 && !is_even(number))) {
            number = nextafter(number, (double)INFINITY);
            if (isinf(number))
                return number;
            continue;
        }
        if (number == 0)
            return number;
        double below = nextafter(number, 0);
        order = compare_half(decimal, below);
        if (order > 0 || (order == 0 && !is_even(below)))
            return number;
        number = below;
    }
}

double decimal_value(const struct decimal *decimal)
{
    int32_t word_count = decimal->count < WORD_DIGITS_MAX ? decimal->count : WORD_DIGITS_MAX;
    uint64_t word = 0;
    if (decimal->count == 0 || decimal->point < POINT_MIN)
        return 0;
    if (decimal->point > POINT_MAX)
        return (double)INFINITY;
    for (int32_t i = 0; i < word_count; i++)
        word = word * 10 + digit_value(decimal->digits[i]);
    int32_t exponent = decimal->point - word_count;
    if (word_count == decimal->count && exponent >= -WORD_DIGITS_MAX &&
        exponent <= WORD_DIGITS_MAX)
        return scale_word(word, exponent);
    return approach(decimal, guess(word, exponent));
}

/* Digits at the front, added to the decimal; `behind` the point they lower it. */
static size_t take_digits(struct span text, struct decimal *decimal, bool is_behind)
{
    size_t at = 0;
    for (; at < text.size && digit_is_decimal(text.text[at]); at++) {
        bool is_leading = text.text[at] == '0' && decimal->count == 0;
        decimal->point += is_behind ? -is_leading : !is_leading;
        if (is_leading)
            continue;
        if (decimal->count < DIGITS_SIGNIFICANT)
            decimal->digits[decimal->count++] = text.text[at];
        else if (text.text[at] != '0') /* enough to be more than half-way */
            decimal->digits[DIGITS_SIGNIFICANT - 1] = '1';
    }
    return at;
}

/* Behind an `e`: to the end of the text. */
static bool take_exponent(struct span text, int32_t *point)
{
    enum { ENOUGH = 100000 };
    int32_t exponent = 0;
    bool is_negative = text.size > 0 && text.text[0] == '-';
    size_t from = is_negative || (text.size > 0 && text.text[0] == '+') ? 1 : 0;
    for (size_t i = from; i < text.size; i++) {
        if (!digit_is_decimal(text.text[i]))
            return false;
        if (exponent < ENOUGH)
            exponent = exponent * 10 + (int32_t)digit_value(text.text[i]);
    }
    *point += is_negative ? -exponent : exponent;
    return text.size > from;
}

bool decimal_read(struct span text, double *number)
{
    struct decimal decimal;
    bool is_negative = text.size > 0 && text.text[0] == '-';
    size_t at = is_negative || (text.size > 0 && text.text[0] == '+') ? 1 : 0;
    decimal.count = 0;
    decimal.point = 0;
    if (text.size > INT32_MAX / 2)
        return false;
    size_t digits = take_digits(span_slice(text, at, text.size), &decimal, false);
    at += digits;
    if (at < text.size && text.text[at] == '.') {
        size_t fraction = take_digits(span_slice(text, at + 1, text.size), &decimal, true);
        digits += fraction;
        at += 1 + fraction;
    }
    if (digits == 0)
        return false;
    if (at < text.size && (text.text[at] == 'e' || text.text[at] == 'E')) {
        if (!take_exponent(span_slice(text, at + 1, text.size), &decimal.point))
            return false;
        at = text.size;
    }
    if (at < text.size)
        return false;
    tidy(&decimal);
    double magnitude = decimal_value(&decimal);
    *number = is_negative ? -magnitude : magnitude;
    return true;
}

static void add_zeros(struct text *text, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        text_add_byte(text, '0');
}

void decimal_add_plain(struct text *text, const struct decimal *decimal, int32_t fraction)
{
    int32_t count = decimal->count;
    int32_t point = decimal->point;
    int32_t whole = point < 0 ? 0 : point < count ? point : count;
    text_add(text, span_of(decimal->digits, (size_t)whole));
    add_zeros(text, whole == 0 ? 1 : point - count);
    int32_t zeros = whole < count && point < 0 ? -point : 0;
    if (whole == count && fraction <= 0)
        return;
    text_add_byte(text, '.');
    add_zeros(text, zeros);
    text_add(text, span_of(decimal->digits + whole, (size_t)(count - whole)));
    add_zeros(text, fraction - zeros - (count - whole));
}

void decimal_add_scientific(struct text *text, const struct decimal *decimal, int32_t fraction)
{
    int32_t exponent = decimal->count == 0 ? 0 : decimal->point - 1;
    int32_t rest = decimal->count > 1 ? decimal->count - 1 : 0;
    text_add_byte(text, decimal->count == 0 ? '0' : decimal->digits[0]);
    if (rest > 0 || fraction > 0)
        text_add_byte(text, '.');
    text_add(text, span_of(decimal->digits + 1, (size_t)rest));
    add_zeros(text, fraction - rest);
    text_format(text, "e%c%02d", exponent < 0 ? '-' : '+', exponent < 0 ? -exponent : exponent);
}

/* 1.5e+21, 2e-7: here an exponent has no leading zero. */
static void add_with_exponent(struct text *text, const struct decimal *decimal)
{
    struct decimal mantissa = *decimal;
    mantissa.point = 1;
    decimal_add_plain(text, &mantissa, 0);
    text_format(text, "e%+d", (int)decimal->point - 1);
}

void decimal_add_number(struct text *text, double number)
{
    enum { PLAIN_MIN = -6, PLAIN_MAX = 21 };
    struct decimal decimal;
    if (!isfinite(number)) {
        text_add_double(text, number);
        return;
    }
    if (signbit(number))
        text_add_byte(text, '-');
    decimal_from_double_shortest(&decimal, number);
    if (decimal.point > PLAIN_MAX || decimal.point - 1 < PLAIN_MIN)
        add_with_exponent(text, &decimal);
    else
        decimal_add_plain(text, &decimal, 0);
}
