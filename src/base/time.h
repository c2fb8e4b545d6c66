/*
 * time.h - instants and durations as numbers, and how people write them. Reads no clock.
 *
 * An instant is milliseconds since 1970-01-01T00:00:00Z, as POSIX counts (no leap
 * seconds). Calendar arithmetic is the proleptic Gregorian one, years 1 to 9999.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/text.h"

typedef int64_t instant_ms;
typedef int64_t duration_ms;

#define INSTANT_NEVER INT64_MAX

struct civil_time {
    int32_t year;
    int32_t month; /* 1 to 12 */
    int32_t day;   /* 1 to 31 */
    int32_t hour;
    int32_t minute;
    int32_t second;
};

/* Days since 1970-01-01 of a civil date, and back. */
int64_t time_days_from_civil(int32_t year, int32_t month, int32_t day);
struct civil_time time_civil_from_seconds(int64_t seconds);

/* RFC 3339 in UTC with milliseconds: 2026-01-31T09:00:00.000Z. */
void time_add_instant(struct text *text, instant_ms instant);

/* The time of day alone: 09:00:00.000. */
void time_add_clock(struct text *text, instant_ms instant);

/* RFC 3339 with any offset and up to nine fraction digits; false when it is not one. */
bool time_read_rfc3339(struct span text, int64_t *seconds, int32_t *nanoseconds);

/* `250ms`, `30s`, `1.5s`, `5m`, `24h`, `7d`, `1h30m`, ISO 8601 `PT30S`, or a bare whole number
 * of milliseconds; not negative. False when it is none of these or overflows. */
bool time_read_duration(struct span text, duration_ms *duration);

/* The shortest of the above that is exact: 250ms, 30s, 90s, 5m, 24h. */
void time_add_duration(struct text *text, duration_ms duration);
