/*
 * run_report_junit.c - JUnit XML, the form that build servers read.
 *
 * What was asked for and said no is a failure; everything else that is not a pass is an error,
 * never `skipped`: readers show that as green. XML has no way to write most control
 * characters, nor bytes that are no UTF-8: those become U+FFFD.
 */
#include <inttypes.h>

#include "base/json.h"
#include "base/markup_text.h"
#include "cli/run_report.h"

enum { OUTPUT_BYTES_MAX = 64 << 10 };

static void add_attribute(struct text *text, const char *name, struct span words)
{
    text_format(text, " %s=\"", name);
    markup_text_escape(text, words, true);
    text_add_byte(text, '"');
}

static void add_count(struct text *text, const char *name, uint64_t count)
{
    text_format(text, " %s=\"%" PRIu64 "\"", name, count);
}

static void add_seconds(struct text *text, duration_ms duration)
{
    duration_ms positive = duration < 0 ? 0 : duration;
    text_format(text, " time=\"%" PRId64 ".%03" PRId64 "\"", positive / 1000, positive % 1000);
}

/* The form has no zone and no fraction. */
static void add_timestamp(struct text *text, instant_ms instant)
{
    struct text written = {.arena = NULL};
    time_add_instant(&written, instant);
    add_attribute(text, "timestamp",
                  span_slice(text_span(&written), 0, sizeof "2026-01-31T09:00:00" - 1));
    text_fini(&written);
}

static void add_suite_counts(struct text *text, const struct run_counts *counts)
{
    uint64_t failed = counts->of[RUN_FAILED_VERDICT];
    uint64_t errors = counts->total - counts->of[RUN_PASSED_VERDICT] - failed;
    add_count(text, "tests", counts->total);
    add_count(text, "failures", failed);
    add_count(text, "errors", errors);
    add_count(text, "skipped", 0);
}

void run_report_junit_begin(struct text *text, const struct run_report_source *source,
                            const struct run_counts *counts)
{
    text_add(text, SPAN("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
                        "  <testsuite"));
    add_attribute(text, "name", source->machine);
    add_suite_counts(text, counts);
    add_seconds(text, source->ended - source->began);
    add_timestamp(text, source->began);
    text_add(text, SPAN(">\n    <properties>\n"));
    for (enum run_verdict each = 0; each < RUN_VERDICT_COUNT; each++)
        text_format(text, "      <property name=\"%s\" value=\"%" PRIu64 "\"/>\n",
                    run_verdict_name(each), counts->of[each]);
    text_format(text, "      <property name=\"input read to its end\" value=\"%s\"/>\n",
                source->is_whole ? "true" : "false");
    text_add(text, SPAN("    </properties>\n"));
}

static void add_problem(struct text *text, const struct run_case *told)
{
    bool is_failure = told->verdict == RUN_FAILED_VERDICT;
    struct value kind = value_member(told->error, SPAN("kind"));
    size_t end = span_find(told->message, SPAN("\n"), 0);
    text_format(text, "      <%s", is_failure ? "failure" : "error");
    add_attribute(text, "type",
                  is_failure && kind.kind == VALUE_STRING
                      ? value_span(kind)
                      : span_from_text(run_verdict_name(told->verdict)));
    add_attribute(text, "message",
                  end == SIZE_MAX ? told->message : span_slice(told->message, 0, end));
    text_add_byte(text, '>');
    if (told->state.size > 0) {
        text_add(text, SPAN("state "));
        markup_text_escape(text, told->state, false);
        text_add_byte(text, '\n');
    }
    markup_text_escape(text, told->message, false);
    text_format(text, "</%s>\n", is_failure ? "failure" : "error");
}

/* The end of it, when it is long. */
static void add_output(struct text *text, struct value output)
{
    struct text json = {.arena = NULL};
    if (output.kind == VALUE_NULL || (output.kind == VALUE_STRING && output.count == 0))
        return;
    if (output.kind != VALUE_STRING)
        json_write(&json, output);
    struct span words = output.kind == VALUE_STRING ? value_span(output) : text_span(&json);
    size_t from = words.size > OUTPUT_BYTES_MAX ? words.size - OUTPUT_BYTES_MAX : 0;
    text_add(text, SPAN("      <system-out>"));
    markup_text_escape(text, span_slice(words, from, words.size), false);
    text_add(text, SPAN("</system-out>\n"));
    text_fini(&json);
}

void run_report_junit_case(struct text *text, const struct run_case *told, struct span machine)
{
    struct text title = {.arena = NULL};
    run_report_add_title(&title, told);
    text_add(text, SPAN("    <testcase"));
    add_attribute(text, "classname", machine);
    add_attribute(text, "name", text_span(&title));
    add_seconds(text, told->duration_ms);
    text_add(text, SPAN(">\n"));
    if (told->verdict != RUN_PASSED_VERDICT)
        add_problem(text, told);
    add_output(text, told->output);
    text_add(text, SPAN("    </testcase>\n"));
    text_fini(&title);
}

void run_report_junit_end(struct text *text)
{
    text_add(text, SPAN("  </testsuite>\n</testsuites>\n"));
}
