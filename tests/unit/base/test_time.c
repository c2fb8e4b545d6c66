/*
 * test_time.c - instants and durations as people write them, good and bad.
 */
#include "base/time.h"

#include "base/random.h"
#include "expect.h"

static struct text text;

static int open_text(void **state)
{
    (void)state;
    text_init(&text, NULL);
    return 0;
}

static int close_text(void **state)
{
    (void)state;
    text_fini(&text);
    return 0;
}

static void good_rfc3339_is_read(void **state)
{
    static const struct {
        struct span text;
        int64_t seconds;
        int32_t nanoseconds;
    } rows[] = {
        {ROW("1970-01-01T00:00:00Z"), 0, 0},
        {ROW("1970-01-01T00:00:00.000Z"), 0, 0},
        {ROW("1969-12-31T23:59:59Z"), -1, 0},
        {ROW("1969-12-31T23:59:59.999999999Z"), -1, 999999999},
        {ROW("2026-01-31T09:00:00.000Z"), 1769850000, 0},
        {ROW("1985-04-12T23:20:50.52Z"), 482196050, 520000000},
        {ROW("1996-12-19T16:39:57-08:00"), 851042397, 0},
        {ROW("1937-01-01T12:00:27.87+00:20"), -1041337173, 870000000},
        {ROW("2000-02-29t00:00:00z"), 951782400, 0},
        {ROW("2024-02-29T23:59:59+23:59"), 1709164859, 0},
        {ROW("2024-02-29T00:00:00-23:59"), 1709251140, 0},
        {ROW("2024-02-29T00:00:00-00:00"), 1709164800, 0},
        {ROW("2024-02-29T00:00:00.1Z"), 1709164800, 100000000},
        {ROW("2024-02-29T00:00:00.000000001Z"), 1709164800, 1},
        {ROW("0001-01-01T00:00:00Z"), -62135596800, 0},
        {ROW("9999-12-31T23:59:59.999999999Z"), 253402300799, 999999999},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t seconds = 5;
        int32_t nanoseconds = 5;
        expect_row(time_read_rfc3339(rows[i].text, &seconds, &nanoseconds), rows[i].text);
        expect_row(seconds == rows[i].seconds, rows[i].text);
        expect_row(nanoseconds == rows[i].nanoseconds, rows[i].text);
    }
}

static void bad_rfc3339_is_refused_and_changes_nothing(void **state)
{
    static const struct span rows[] = {
        ROW(""),
        ROW("now"),
        ROW("2024-01-01"),
        ROW("2024-01-01T00:00:00"),
        ROW("2024-01-01T00:00Z"),
        ROW("2024-01-01 00:00:00Z"),
        ROW("2024-01-01T00:00:00.Z"),
        ROW("2024-01-01T00:00:00,5Z"),
        ROW("2024-01-01T00:00:00.0000000001Z"),
        ROW("2024-01-01T00:00:00.5"),
        ROW("2024-01-01T00:00:00Zz"),
        ROW("2024-01-01T00:00:00Z "),
        ROW(" 2024-01-01T00:00:00Z"),
        ROW("2024-01-01T00:00:00+0100"),
        ROW("2024-01-01T00:00:00+01"),
        ROW("2024-01-01T00:00:00+01:0"),
        ROW("2024-01-01T00:00:00+01:000"),
        ROW("2024-01-01T00:00:00+24:00"),
        ROW("2024-01-01T00:00:00+23:60"),
        ROW("2024-01-01T00:00:00~01:00"),
        ROW("2024-01-01T00:00:00\0"),
        ROW("2024-00-01T00:00:00Z"),
        ROW("2024-13-01T00:00:00Z"),
        ROW("2024-01-00T00:00:00Z"),
        ROW("2024-01-32T00:00:00Z"),
        ROW("2024-04-31T00:00:00Z"),
        ROW("2023-02-29T00:00:00Z"),
        ROW("1900-02-29T00:00:00Z"),
        ROW("2024-02-30T00:00:00Z"),
        ROW("2024-01-01T24:00:00Z"),
        ROW("2024-01-01T00:60:00Z"),
        ROW("2024-01-01T00:00:60Z"), /* POSIX time has no leap seconds */
        ROW("2024-01-01T00:00:61Z"),
        ROW("0000-01-01T00:00:00Z"),
        ROW("-001-01-01T00:00:00Z"),
        ROW("+024-01-01T00:00:00Z"),
        ROW("12024-01-01T00:00:00Z"),
        ROW("2024-1-01T00:00:00ZZ"),
        ROW("2024-01-01T0a:00:00Z"),
        ROW("2024/01/01T00:00:00Z"),
        ROW("\xd9\xa2\xd9\xa0-01-01T00:00:00Z"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t seconds = 5;
        int32_t nanoseconds = 5;
        expect_row(!time_read_rfc3339(rows[i], &seconds, &nanoseconds), rows[i]);
        expect_row(seconds == 5 && nanoseconds == 5, rows[i]);
    }
}

/* Every cut of a good one is bad, and is not read beyond its end. */
static void rfc3339_cut_short_is_refused(void **state)
{
    static const char good[] = "2024-02-29T12:34:56.789+01:00";
    (void)state;
    for (size_t size = 0; size < sizeof good - 1; size++) {
        int64_t seconds;
        int32_t nanoseconds;
        char *part = malloc(size + (size == 0));
        memcpy(part, good, size);
        assert_false(time_read_rfc3339(span_of(part, size), &seconds, &nanoseconds));
        free(part);
    }
}

static bool is_leap(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int32_t month_days(int32_t year, int32_t month)
{
    if (month == 2)
        return is_leap(year) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static void every_day_of_the_years_1_to_9999_round_trips(void **state)
{
    (void)state;
    int64_t expected = -719162; /* 0001-01-01, as everybody has it */
    for (int32_t year = 1; year <= 9999; year++) {
        for (int32_t month = 1; month <= 12; month++) {
            for (int32_t day = 1; day <= month_days(year, month); day++, expected++) {
                assert_true(time_days_from_civil(year, month, day) == expected);
                struct civil_time civil = time_civil_from_seconds(expected * 86400 + 86399);
                assert_true(civil.year == year && civil.month == month && civil.day == day);
                assert_true(civil.hour == 23 && civil.minute == 59 && civil.second == 59);
            }
        }
    }
    assert_int_equal(expected, 2932897); /* 10000-01-01 */
}

static void years_outside_follow_the_same_calendar(void **state)
{
    (void)state;
    assert_int_equal(time_days_from_civil(0, 12, 31), -719163);
    assert_int_equal(time_days_from_civil(0, 2, 29), -719469);
    assert_int_equal(time_days_from_civil(0, 3, 1), -719468);
    assert_int_equal(time_days_from_civil(-400, 3, 1), -719468 - 146097);
    struct civil_time civil = time_civil_from_seconds(-719469 * (int64_t)86400);
    assert_true(civil.year == 0 && civil.month == 2 && civil.day == 29);
}

static void instants_are_written_in_utc_with_milliseconds(void **state)
{
    static const struct {
        instant_ms instant;
        const char *written;
        const char *clock;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z", "00:00:00.000"},
        {-1, "1969-12-31T23:59:59.999Z", "23:59:59.999"},
        {-1000, "1969-12-31T23:59:59.000Z", "23:59:59.000"},
        {-1001, "1969-12-31T23:59:58.999Z", "23:59:58.999"},
        {1769850000000, "2026-01-31T09:00:00.000Z", "09:00:00.000"},
        {1769850000007, "2026-01-31T09:00:00.007Z", "09:00:00.007"},
        {253402300799999, "9999-12-31T23:59:59.999Z", "23:59:59.999"},
        {-62135596800000, "0001-01-01T00:00:00.000Z", "00:00:00.000"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        text_clear(&text);
        time_add_instant(&text, rows[i].instant);
        expect_text(text_span(&text), rows[i].written);
        text_clear(&text);
        time_add_clock(&text, rows[i].instant);
        expect_text(text_span(&text), rows[i].clock);
    }
}

/* Far outside the calendar the text is of no use, but writing it is no crash. */
static void any_instant_can_be_written(void **state)
{
    static const instant_ms rows[] = {INSTANT_NEVER, INT64_MIN, INT64_MIN + 1, INT64_MAX - 1,
                                      INT64_MIN + 999};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        text_clear(&text);
        time_add_instant(&text, rows[i]);
        assert_true(text.size > 20);
    }
    time_civil_from_seconds(INT64_MIN);
    time_civil_from_seconds(INT64_MAX);
}

static void written_instants_are_read_again(void **state)
{
    struct random random = {70};
    (void)state;
    for (size_t i = 0; i < 100000; i++) {
        instant_ms instant =
            (instant_ms)random_up_to(&random, 253402300799999 + 62135596800000) -
            62135596800000;
        int64_t seconds;
        int32_t nanoseconds;
        text_clear(&text);
        time_add_instant(&text, instant);
        expect_row(time_read_rfc3339(text_span(&text), &seconds, &nanoseconds),
                   text_span(&text));
        expect_row(seconds * 1000 + nanoseconds / 1000000 == instant, text_span(&text));
    }
}

static void good_durations_are_read(void **state)
{
    static const struct {
        struct span text;
        duration_ms duration;
    } rows[] = {
        {ROW("0"), 0},
        {ROW("0ms"), 0},
        {ROW("0s"), 0},
        {ROW("5"), 5},
        {ROW("250"), 250},
        {ROW("00250"), 250},
        {ROW("9223372036854775807"), INT64_MAX},
        {ROW("250ms"), 250},
        {ROW("30s"), 30000},
        {ROW("5m"), 300000},
        {ROW("24h"), 86400000},
        {ROW("7d"), 604800000},
        {ROW("1.5s"), 1500},
        {ROW("0.25s"), 250},
        {ROW("1.000s"), 1000},
        {ROW("0.001s"), 1},
        {ROW("1.50h"), 5400000},
        {ROW("0.000000000d"), 0},
        {ROW("1.000000000s"), 1000},
        {ROW("1h30m"), 5400000},
        {ROW("1h30m10s5ms"), 5410005},
        {ROW("1d12h"), 129600000},
        {ROW("1m1.5s"), 61500},
        {ROW("9223372036854775807ms"), INT64_MAX},
        {ROW("106751991167d"), 9223372036828800000},
        {ROW("PT30S"), 30000},
        {ROW("PT1H30M"), 5400000},
        {ROW("PT1.5S"), 1500},
        {ROW("PT0.001S"), 1},
        {ROW("P1D"), 86400000},
        {ROW("P1DT12H"), 129600000},
        {ROW("P1DT2H30M5.5S"), 95405500},
        {ROW("PT5M"), 300000},
        {ROW("PT0S"), 0},
        {ROW("PT36H"), 129600000},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        duration_ms duration = -5;
        expect_row(time_read_duration(rows[i].text, &duration), rows[i].text);
        expect_row(duration == rows[i].duration, rows[i].text);
    }
}

static const struct span bad_durations[] = {
    ROW(""),
    ROW(" "),
    ROW("5x"),
    ROW("s"),
    ROW("ms"),
    ROW(".5s"),
    ROW("1.s"),
    ROW("1.5"),
    ROW("1..5s"),
    ROW("1.5.5s"),
    ROW("-5"),
    ROW("-5s"),
    ROW("+5s"),
    ROW("5 s"),
    ROW(" 5s"),
    ROW("5s "),
    ROW("1h 30m"),
    ROW("1h30"),
    ROW("1h-30m"),
    ROW("5S"),
    ROW("5Ms"),
    ROW("5sec"),
    ROW("5us"),
    ROW("1e3"),
    ROW("0x10"),
    ROW("1_000"),
    ROW("1,5s"),
    ROW("5s\0"),
    ROW("\xc2\xb5s"),
    ROW("1.5ms"),   /* not a whole number of milliseconds */
    ROW("0.0001s"), /* likewise */
    ROW("1.0000000000s"),
    ROW("9223372036854775808"),
    ROW("9223372036854775808ms"),
    ROW("9223372036854776s"),
    ROW("106751991168d"),
    ROW("99999999999999999999999999d"),
    ROW("9223372036854775807ms1ms"),
    ROW("106751991167d23h"),
    ROW("P"),
    ROW("PT"),
    ROW("P1"),
    ROW("PT1"),
    ROW("P1S"),
    ROW("PT1D"),
    ROW("P1H"),
    ROW("P1M"), /* a month has no fixed length */
    ROW("P1Y"),
    ROW("P1DT"),
    ROW("P1DT1"),
    ROW("PT1H30"),
    ROW("PT1HT1M"),
    ROW("PTT1S"),
    ROW("PT.5S"),
    ROW("PT1.S"),
    ROW("PT-1S"),
    ROW("-PT1S"),
    ROW("PT1m"),
    ROW("PT1s"),
    ROW("pt1s"),
    ROW("PT 1S"),
    ROW("1PT1S"),
    ROW("PT1S1H"), /* ISO 8601 has one order, and each unit once */
    ROW("PT1M1M"),
    ROW("P1T2S"),
    ROW("P1.T2S"),
    ROW("PT9223372036854775808S"),
    ROW("PT0.000000000000000000000000000000000000000000000000000000000000000000001S"),
};

static void bad_durations_are_refused_and_change_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_durations); i++) {
        duration_ms duration = -5;
        expect_row(!time_read_duration(bad_durations[i], &duration), bad_durations[i]);
        expect_row(duration == -5, bad_durations[i]);
    }
}

static void durations_are_written_with_their_largest_whole_unit(void **state)
{
    static const struct {
        duration_ms duration;
        const char *written;
    } rows[] = {
        {0, "0ms"},
        {1, "1ms"},
        {250, "250ms"},
        {1000, "1s"},
        {1500, "1500ms"},
        {30000, "30s"},
        {60000, "1m"},
        {90000, "90s"},
        {300000, "5m"},
        {3600000, "1h"},
        {5400000, "90m"},
        {86400000, "24h"},
        {604800000, "168h"},
        {86400001, "86400001ms"},
        {INT64_MAX, "9223372036854775807ms"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        text_clear(&text);
        time_add_duration(&text, rows[i].duration);
        expect_text(text_span(&text), rows[i].written);
    }
}

static void written_durations_are_read_again(void **state)
{
    static const duration_ms units[] = {1, 1000, 60000, 3600000, 86400000};
    struct random random = {71};
    (void)state;
    for (size_t i = 0; i < 100000; i++) {
        duration_ms duration = (duration_ms)(random_next(&random) >> (28 + i % 36));
        duration_ms again = -1;
        duration *= units[i % COUNT(units)];
        text_clear(&text);
        time_add_duration(&text, duration);
        expect_row(time_read_duration(text_span(&text), &again), text_span(&text));
        expect_row(again == duration, text_span(&text));
    }
}

static void write_a_negative_duration(void)
{
    struct text written;
    text_init(&written, NULL);
    time_add_duration(&written, -1);
}

static void a_negative_duration_stops_the_process(void **state)
{
    (void)state;
    expect_broken(write_a_negative_duration);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_text, close_text)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(good_rfc3339_is_read),
        TEST(bad_rfc3339_is_refused_and_changes_nothing),
        TEST(rfc3339_cut_short_is_refused),
        TEST(every_day_of_the_years_1_to_9999_round_trips),
        TEST(years_outside_follow_the_same_calendar),
        TEST(instants_are_written_in_utc_with_milliseconds),
        TEST(any_instant_can_be_written),
        TEST(written_instants_are_read_again),
        TEST(good_durations_are_read),
        TEST(bad_durations_are_refused_and_change_nothing),
        TEST(durations_are_written_with_their_largest_whole_unit),
        TEST(written_durations_are_read_again),
        TEST(a_negative_duration_stops_the_process),
    };
    return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
