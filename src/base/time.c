/*
 * time.c - civil dates, RFC 3339 and durations.
 *
 * Dates count from 1 March, so that the leap day is the last of its year and a
 * 400-year era always has the same 146,097 days.
 */
#include "base/time.h"

#include "base/checked.h"
#include "base/ensure.h"

enum { DAYS_PER_ERA = 146097, DAYS_TO_EPOCH = 719468, SECONDS_PER_DAY = 86400 };

int64_t time_days_from_civil(int32_t year, int32_t month, int32_t day)
{
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t floor_rest(int64_t a, int64_t b)
{
    return a % b + (a % b < 0 ? b : 0);
}

struct civil_time time_civil_from_seconds(int64_t seconds)
{
    int64_t days = floor_divide(seconds, SECONDS_PER_DAY);
    int32_t rest = (int32_t)floor_rest(seconds, SECONDS_PER_DAY);
    int64_t shifted = days + DAYS_TO_EPOCH;
    int64_t era = floor_divide(shifted, DAYS_PER_ERA);
    int64_t day_of_era = shifted - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    struct civil_time civil;
    civil.day = (int32_t)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    civil.month =
        (int32_t)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    civil.year = (int32_t)(year_of_era + era * 400 + (civil.month <= 2));
    civil.hour = rest / 3600;
    civil.minute = rest / 60 % 60;
    civil.second = rest % 60;
    return civil;
}

/* The number with leading zeros; the widths used here hold every part of a civil time but a
 * year beyond 9999. */
static void add_padded(struct text *text, int64_t number, size_t width)
{
    char digits[4] = "0000";
    if (number < 0 || number > 9999) {
        text_add_int(text, number);
        return;
    }
    for (size_t i = width; i-- > 0; number /= 10)
        digits[i] = (char)('0' + number % 10);
    text_add(text, span_of(digits, width));
}

void time_add_clock(struct text *text, instant_ms instant)
{
    struct civil_time civil = time_civil_from_seconds(floor_divide(instant, 1000));
    add_padded(text, civil.hour, 2);
    text_add_byte(text, ':');
    add_padded(text, civil.minute, 2);
    text_add_byte(text, ':');
    add_padded(text, civil.second, 2);
    text_add_byte(text, '.');
    add_padded(text, floor_rest(instant, 1000), 3);
}

void time_add_instant(struct text *text, instant_ms instant)
{
    struct civil_time civil = time_civil_from_seconds(floor_divide(instant, 1000));
    add_padded(text, civil.year, 4);
    text_add_byte(text, '-');
    add_padded(text, civil.month, 2);
    text_add_byte(text, '-');
    add_padded(text, civil.day, 2);
    text_add_byte(text, 'T');
    time_add_clock(text, instant);
    text_add_byte(text, 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly `count` digits at `at`; false when they are not there. */
static bool read_digits(struct span text, size_t at, size_t count, int32_t *number)
{
    if (at + count > text.size)
        return false;
    *number = 0;
    for (size_t i = at; i < at + count; i++) {
        if (!is_digit(text.text[i]))
            return false;
        *number = *number * 10 + (text.text[i] - '0');
    }
    return true;
}

static int32_t days_in_month(int32_t year, int32_t month)
{
    static const int32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (leap && month == 2);
}

static bool read_civil(struct span text, struct civil_time *civil)
{
    if (text.size < 20 || text.text[4] != '-' || text.text[7] != '-' ||
        (text.text[10] != 'T' && text.text[10] != 't') || text.text[13] != ':' ||
        text.text[16] != ':')
        return false;
    return read_digits(text, 0, 4, &civil->year) && read_digits(text, 5, 2, &civil->month) &&
           read_digits(text, 8, 2, &civil->day) && read_digits(text, 11, 2, &civil->hour) &&
           read_digits(text, 14, 2, &civil->minute) &&
           read_digits(text, 17, 2, &civil->second) && civil->year >= 1 && civil->month >= 1 &&
           civil->month <= 12 && civil->day >= 1 &&
           civil->day <= days_in_month(civil->year, civil->month) && civil->hour <= 23 &&
           civil->minute <= 59 && civil->second <= 59;
}

static bool read_fraction(struct span text, size_t *at, int32_t *nanoseconds)
{
    *nanoseconds = 0;
    if (*at >= text.size || text.text[*at] != '.')
        return true;
    size_t first = ++*at;
    int32_t scale = 100000000;
    while (*at < text.size && is_digit(text.text[*at]) && *at - first < 9) {
        *nanoseconds += (text.text[*at] - '0') * scale;
        scale /= 10;
        ++*at;
    }
    return *at > first;
}

static bool read_offset(struct span text, size_t at, int64_t *offset_seconds)
{
    *offset_seconds = 0;
    if (at + 1 == text.size)
        return text.text[at] == 'Z' || text.text[at] == 'z';
    int32_t hours;
    int32_t minutes;
    if (at + 6 != text.size || (text.text[at] != '+' && text.text[at] != '-') ||
        text.text[at + 3] != ':' || !read_digits(text, at + 1, 2, &hours) ||
        !read_digits(text, at + 4, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_seconds = hours * 3600 + minutes * 60;
    if (text.text[at] == '-')
        *offset_seconds = -*offset_seconds;
    return true;
}

bool time_read_rfc3339(struct span text, int64_t *seconds, int32_t *nanoseconds)
{
    struct civil_time civil;
    size_t at = 19;
    int32_t fraction;
    int64_t offset;
    if (!read_civil(text, &civil) || !read_fraction(text, &at, &fraction) ||
        !read_offset(text, at, &offset))
        return false;
    int64_t days = time_days_from_civil(civil.year, civil.month, civil.day);
    int32_t second_of_day = (civil.hour * 60 + civil.minute) * 60 + civil.second;
    *seconds = days * SECONDS_PER_DAY + second_of_day - offset;
    *nanoseconds = fraction;
    return true;
}

static const struct {
    struct span name;
    duration_ms unit;
} units[] = {
    {{"ms", 2}, 1},      {{"s", 1}, 1000},     {{"m", 1}, 60000},
    {{"h", 1}, 3600000}, {{"d", 1}, 86400000},
};

static bool find_unit(struct span name, duration_ms *unit)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (span_equal(name, units[i].name)) {
            *unit = units[i].unit;
            return true;
        }
    }
    return false;
}

/* A number with up to nine digits behind its point: whole + fraction / scale. */
struct amount {
    int64_t whole;
    int64_t fraction;
    int64_t scale;
};

static bool read_whole(struct span text, size_t *at, int64_t *whole)
{
    size_t first = *at;
    *whole = 0;
    for (; *at < text.size && is_digit(text.text[*at]); ++*at) {
        if (!checked_multiply(*whole, (int64_t)10, whole) ||
            !checked_add(*whole, (int64_t)(text.text[*at] - '0'), whole))
            return false;
    }
    return *at > first;
}

static bool read_amount(struct span text, size_t *at, struct amount *amount)
{
    *amount = (struct amount){.scale = 1};
    if (!read_whole(text, at, &amount->whole))
        return false;
    if (*at == text.size || text.text[*at] != '.')
        return true;
    size_t dot = (*at)++;
    if (!read_whole(text, at, &amount->fraction) || *at - dot > 10)
        return false;
    for (size_t i = dot + 1; i < *at; i++)
        amount->scale *= 10;
    return true;
}

/* False when it overflows or is not a whole number of milliseconds. */
static bool add_amount(struct amount amount, duration_ms unit, duration_ms *total)
{
    int64_t part = amount.fraction * unit;
    return part % amount.scale == 0 && checked_multiply(amount.whole, unit, &amount.whole) &&
           checked_add(*total, amount.whole, total) &&
           checked_add(*total, part / amount.scale, total);
}

/* `1h30m`: any number of amounts, each with its unit; or one bare number. */
static bool read_short(struct span text, duration_ms *duration)
{
    size_t at = 0;
    if (read_whole(text, &at, duration) && at == text.size)
        return true;
    *duration = 0;
    for (at = 0; at < text.size;) {
        struct amount amount;
        duration_ms unit;
        if (!read_amount(text, &at, &amount))
            return false;
        size_t name = at;
        while (at < text.size && !is_digit(text.text[at]))
            at++;
        if (!find_unit(span_slice(text, name, at), &unit) ||
            !add_amount(amount, unit, duration))
            return false;
    }
    return text.size > 0;
}

/* `P1DT2H30M5.5S`: each letter at most once and in this order; months and years have no fixed
 * length. */
static bool read_iso(struct span text, duration_ms *duration)
{
    static const char letters[] = {'D', 'H', 'M', 'S'};
    static const duration_ms letter_units[] = {86400000, 3600000, 60000, 1000};
    size_t at = 1;
    size_t next = 0;
    size_t end = 1; /* behind the T all letters, before it only D */
    *duration = 0;
    while (at < text.size) {
        struct amount amount;
        if (end == 1 && text.text[at] == 'T') {
            next = 1;
            end = sizeof letters;
            at++;
        }
        if (!read_amount(text, &at, &amount) || at == text.size)
            return false;
        while (next < end && letters[next] != text.text[at])
            next++;
        if (next == end || !add_amount(amount, letter_units[next], duration))
            return false;
        next++;
        at++;
    }
    return text.size > 1;
}

bool time_read_duration(struct span text, duration_ms *duration)
{
    duration_ms total;
    bool is_iso = text.size > 0 && text.text[0] == 'P';
    if (is_iso ? !read_iso(text, &total) : !read_short(text, &total))
        return false;
    *duration = total;
    return true;
}

void time_add_duration(struct text *text, duration_ms duration)
{
    ensure(duration >= 0);
    size_t best = 0;
    for (size_t i = 1; i < sizeof units / sizeof units[0] - 1; i++) {
        if (duration != 0 && duration % units[i].unit == 0)
            best = i;
    }
    text_add_int(text, duration / units[best].unit);
    text_add(text, units[best].name);
}
