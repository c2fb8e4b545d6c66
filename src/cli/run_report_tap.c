/*
 * run_report_tap.c - TAP 14: a line for each case, and what is wrong with it as YAML.
 *
 *     not ok 3 - cart/total: the total is the sum of the prices
 *       ---
 *       verdict: "failed"
 *       message: "exit status 3: expected 30, got 29"
 *       ...
 *
 * Strings are written as JSON, one line each, so that nothing a program printed can end the
 * block or the line.
 */
#include <inttypes.h>

#include "base/json.h"
#include "cli/run_report.h"

enum { LINES_MAX = 40, LINE_BYTES_MAX = 400, VALUE_SHOWN_BYTES_MAX = 4096 };

/* What some reader takes for the end of a line: controls, U+0085, U+2028 and U+2029. */
static bool is_break(struct span piece)
{
    unsigned char byte = (unsigned char)piece.text[0];
    return byte < ' ' || byte == 0x7f || span_is(piece, "\xC2\x85") ||
           span_is(piece, "\u2028") || span_is(piece, "\u2029");
}

/* One line of well-formed UTF-8. */
static void add_line(struct text *text, struct span words, bool is_title)
{
    for (size_t at = 0; at < words.size;) {
        size_t size = span_utf8_size(span_slice(words, at, words.size));
        struct span piece = span_slice(words, at, at + (size == 0 ? 1 : size));
        if (is_title && (piece.text[0] == '#' || piece.text[0] == '\\'))
            text_add_byte(text, '\\');
        text_add(text, size == 0 ? SPAN("\uFFFD") : is_break(piece) ? SPAN(" ") : piece);
        at += piece.size;
    }
}

void run_report_tap_begin(struct text *text)
{
    text_add(text, SPAN("TAP version 14\n"));
}

static void add_title(struct text *text, const struct run_case *told)
{
    struct text title = {.arena = NULL};
    run_report_add_title(&title, told);
    add_line(text, text_span(&title), true);
    text_fini(&title);
}

/* A line cut to what a person reads of it. */
static void add_quoted(struct text *text, struct span line)
{
    struct text clean = {.arena = NULL};
    bool is_cut = line.size > LINE_BYTES_MAX;
    add_line(&clean, is_cut ? span_slice(line, 0, LINE_BYTES_MAX) : line, false);
    if (is_cut)
        text_add(&clean, SPAN("\u2026"));
    json_write_string(text, text_span(&clean));
    text_fini(&clean);
}

static void add_member(struct text *text, const char *key, struct span words)
{
    if (words.size == 0)
        return;
    text_format(text, "  %s: ", key);
    add_quoted(text, words);
    text_add_byte(text, '\n');
}

static size_t count_lines(struct span words)
{
    size_t count = 0;
    for (size_t at = 0; at < words.size; count++) {
        size_t end = span_find(words, SPAN("\n"), at);
        at = end == SIZE_MAX ? words.size : end + 1;
    }
    return count;
}

/* The last of several lines, as a list. */
static void add_lines(struct text *text, const char *key, struct span words)
{
    size_t count = count_lines(words);
    size_t number = 0;
    if (count > 0)
        text_format(text, "  %s:\n", key);
    for (size_t at = 0; at < words.size; number++) {
        size_t end = span_find(words, SPAN("\n"), at);
        size_t line_end = end == SIZE_MAX ? words.size : end;
        if (number + LINES_MAX >= count) {
            text_add(text, SPAN("    - "));
            add_quoted(text, span_slice(words, at, line_end));
            text_add_byte(text, '\n');
        }
        at = line_end + 1;
    }
}

/* The first line says what is wrong; what the program said of it follows. */
static void add_message(struct text *text, struct span message)
{
    size_t end = span_find(message, SPAN("\n"), 0);
    size_t first = end == SIZE_MAX ? message.size : end;
    add_member(text, "message", span_slice(message, 0, first));
    if (first < message.size)
        add_lines(text, "lines", span_slice(message, first + 1, message.size));
}

static void add_error(struct text *text, struct value error)
{
    static const struct span members[] = {SPAN_INIT("kind"), SPAN_INIT("code"),
                                          SPAN_INIT("step"), SPAN_INIT("attempts")};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct value member = value_member(error, members[i]);
        if (member.kind == VALUE_STRING)
            add_member(text, members[i].text, value_span(member));
        else if (member.kind == VALUE_INT)
            text_format(text, "  %s: %" PRId64 "\n", members[i].text, member.integer);
    }
}

static void add_output(struct text *text, struct value output)
{
    struct text json = {.arena = NULL};
    if (output.kind == VALUE_STRING)
        add_lines(text, "output", span_trim(value_span(output)));
    else if (output.kind != VALUE_NULL)
        json_write(&json, output);
    if (json.size > 0 && json.size <= VALUE_SHOWN_BYTES_MAX)
        text_format(text, "  output: %.*s\n", SPAN_ARGS(text_span(&json)));
    text_fini(&json);
}

static bool has_run(const struct run_case *told)
{
    return told->state.size > 0 && told->verdict != RUN_NEVER_RAN_VERDICT;
}

void run_report_tap_case(struct text *text, const struct run_case *told, uint64_t number)
{
    bool is_ok = told->verdict == RUN_PASSED_VERDICT;
    text_format(text, "%s %" PRIu64 " - ", is_ok ? "ok" : "not ok", number);
    add_title(text, told);
    text_add(text, SPAN("\n  ---\n"));
    if (!is_ok) {
        add_member(text, "verdict", span_from_text(run_verdict_name(told->verdict)));
        add_member(text, "state", told->state);
        add_message(text, told->message);
        add_error(text, told->error);
        add_output(text, told->output);
    }
    if (has_run(told))
        text_format(text, "  duration_ms: %" PRId64 "\n", told->duration_ms);
    text_add(text, SPAN("  ...\n"));
}

void run_report_tap_end(struct text *text, const struct run_counts *counts, bool is_whole)
{
    text_format(text, "1..%" PRIu64 "%s\n#", counts->total,
                counts->total == 0 ? " # SKIP no case was declared" : "");
    for (enum run_verdict each = 0; each < RUN_VERDICT_COUNT; each++)
        text_format(text, "%s %s %" PRIu64, each == 0 ? "" : ",", run_verdict_name(each),
                    counts->of[each]);
    text_add_byte(text, '\n');
    if (!is_whole)
        text_add(text, SPAN("# stopped before the input's end: there may be more cases\n"));
}
