/*
 * calendar.c - getFullYear() and its relatives.
 *
 * Months, days of the month, of the week (from Sunday) and of the year count from 0, as in
 * JavaScript; getDate() counts from 1. Of a duration, hours, minutes and seconds are the
 * whole of it in that unit, and milliseconds what is left of a second.
 */
#include "expr/calendar.h"

#include "base/ensure.h"
#include "base/time.h"

enum { SECONDS_PER_HOUR = 3600, SECONDS_PER_MINUTE = 60, SECONDS_PER_DAY = 86400 };

static bool read_two_digits(struct span text, size_t at, int64_t *number)
{
    for (size_t i = at; i < at + 2; i++) {
        if (i >= text.size || text.text[i] < '0' || text.text[i] > '9')
            return false;
    }
    *number = (text.text[at] - '0') * 10 + (text.text[at + 1] - '0');
    return true;
}

/* "UTC", "+05:30", "-09:30" or "05:30". */
static bool read_offset(struct span zone, int64_t *offset)
{
    int64_t hours;
    int64_t minutes;
    *offset = 0;
    if (span_is(zone, "UTC") || span_is(zone, "Z"))
        return true;
    size_t sign = zone.size == 6 && (zone.text[0] == '+' || zone.text[0] == '-');
    if (zone.size != sign + 5 || zone.text[sign + 2] != ':' ||
        !read_two_digits(zone, sign, &hours) || !read_two_digits(zone, sign + 3, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *offset = hours * SECONDS_PER_HOUR + minutes * SECONDS_PER_MINUTE;
    if (zone.text[0] == '-')
        *offset = -*offset;
    return true;
}

/* Seconds of the clock on the wall; false with the error in *wrong. */
static bool read_wall(struct vm *vm, const char *name, const struct value *arguments,
                      size_t count, int64_t *seconds, struct value *wrong)
{
    int64_t offset = 0;
    if (arguments[0].kind != VALUE_TIMESTAMP ||
        (count == 2 && arguments[1].kind != VALUE_STRING)) {
        *wrong = vm_no_overload(vm, name, arguments, count);
        return false;
    }
    if (count == 2 && !read_offset(value_span(arguments[1]), &offset)) {
        *wrong = vm_error(vm, "unknown time zone '%.*s': only UTC and offsets like '+02:00'",
                          SPAN_ARGS(value_span(arguments[1])));
        return false;
    }
    *seconds = arguments[0].integer + offset;
    return true;
}

static int64_t days_of(int64_t seconds)
{
    return seconds / SECONDS_PER_DAY - (seconds % SECONDS_PER_DAY < 0);
}

static int64_t day_of_week(int64_t seconds)
{
    enum { THURSDAY = 4 }; /* 1970-01-01 */
    int64_t day = (days_of(seconds) + THURSDAY) % 7;
    return day < 0 ? day + 7 : day;
}

static int64_t day_of_year(int64_t seconds)
{
    struct civil_time civil = time_civil_from_seconds(seconds);
    return days_of(seconds) - time_days_from_civil(civil.year, 1, 1);
}

/* Defines an accessor of timestamps alone; `expression` sees seconds and civil. */
#define CALENDAR_PART(function, name, expression)                                     \
    struct value function(struct vm *vm, const struct value *arguments, size_t count) \
    {                                                                                 \
        int64_t seconds;                                                              \
        struct value wrong;                                                           \
        if (!read_wall(vm, name, arguments, count, &seconds, &wrong))                 \
            return wrong;                                                             \
        return value_int(expression);                                                 \
    }

CALENDAR_PART(calendar_full_year, "getFullYear", time_civil_from_seconds(seconds).year)
CALENDAR_PART(calendar_month, "getMonth", time_civil_from_seconds(seconds).month - 1)
CALENDAR_PART(calendar_date, "getDate", time_civil_from_seconds(seconds).day)
CALENDAR_PART(calendar_day_of_month, "getDayOfMonth", time_civil_from_seconds(seconds).day - 1)
CALENDAR_PART(calendar_day_of_week, "getDayOfWeek", day_of_week(seconds))
CALENDAR_PART(calendar_day_of_year, "getDayOfYear", day_of_year(seconds))

#undef CALENDAR_PART

/* Defines an accessor of timestamps and durations. */
#define CALENDAR_TIME(function, name, of_duration, of_timestamp)                      \
    struct value function(struct vm *vm, const struct value *arguments, size_t count) \
    {                                                                                 \
        int64_t seconds;                                                              \
        struct value wrong;                                                           \
        if (count == 1 && arguments[0].kind == VALUE_DURATION)                        \
            return value_int(of_duration);                                            \
        if (!read_wall(vm, name, arguments, count, &seconds, &wrong))                 \
            return wrong;                                                             \
        return value_int(of_timestamp);                                               \
    }

CALENDAR_TIME(calendar_hours, "getHours", arguments[0].integer / SECONDS_PER_HOUR,
              time_civil_from_seconds(seconds).hour)
CALENDAR_TIME(calendar_minutes, "getMinutes", arguments[0].integer / SECONDS_PER_MINUTE,
              time_civil_from_seconds(seconds).minute)
CALENDAR_TIME(calendar_seconds, "getSeconds", arguments[0].integer,
              time_civil_from_seconds(seconds).second)
CALENDAR_TIME(calendar_milliseconds, "getMilliseconds", (int32_t)arguments[0].count / 1000000,
              arguments[0].count / 1000000)

#undef CALENDAR_TIME
