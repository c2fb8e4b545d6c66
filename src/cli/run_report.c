/*
 * run_report.c - walking over all cases, once for each form.
 *
 * A case is filled in from its instance when its turn comes and forgotten after it, so a report
 * of a million cases needs the memory of one.
 */
#include "cli/run_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/memory.h"
#include "cli/output.h"
#include "cli/report.h"
#include "os/os.h"

enum { CASE_ARENA_BYTES = 1 << 30, FLUSH_EVERY = 64 };

struct run_remark {
    uint64_t number;
    uint64_t line;
    char *words;
};

bool run_report_want(struct run_report *report, const char *form, char problem[256])
{
    static const char junit[] = "junit=";
    bool is_junit = strncmp(form, junit, sizeof junit - 1) == 0;
    bool is_tap = strcmp(form, "tap") == 0;
    if (!is_tap && (!is_junit || form[sizeof junit - 1] == '\0')) {
        snprintf(problem, 256, "--report is tap or junit=FILE, and not `%.100s`", form);
        return false;
    }
    if (is_tap ? report->has_tap : report->junit_path != NULL) {
        snprintf(problem, 256, "--report %s is given twice", is_tap ? "tap" : "junit");
        return false;
    }
    report->is_wanted = true;
    report->has_tap = report->has_tap || is_tap;
    if (is_junit)
        report->junit_path = form + sizeof junit - 1;
    return true;
}

enum cli_exit run_report_open(const struct run_report *report)
{
    const char *problem;
    if (report->junit_path == NULL || new_file_clear(report->junit_path, &problem) == STATUS_OK)
        return CLI_OK;
    report_file(report->junit_path, problem);
    return CLI_WORLD;
}

void run_report_note(struct run_report *report, uint64_t number, uint64_t line,
                     struct span words)
{
    if (!report->is_wanted)
        return;
    memory_reserve(report->remarks, report->remark_count, report->remark_capacity);
    report->remarks[report->remark_count++] =
        (struct run_remark){number, line, memory_copy_text(words)};
}

void run_report_fini(struct run_report *report)
{
    for (size_t i = 0; i < report->remark_count; i++)
        memory_release(report->remarks[i].words);
    memory_release(report->remarks);
}

void run_report_add_title(struct text *text, const struct run_case *told)
{
    text_add(text, told->id);
    if (told->name.size == 0 || span_equal(told->name, told->id))
        return;
    text_add(text, SPAN(": "));
    text_add(text, told->name);
}

/* Walking */

typedef void visit_case(void *context, const struct run_case *told);

struct walk {
    const struct run_report_source *source;
    const struct run_remark *remark; /* the next */
    size_t remarks_left;
    struct arena arena;
    struct run_judge judge;
    visit_case *visit;
    void *context;
};

static const struct run_remark *next_remark(struct walk *walk)
{
    walk->remarks_left--;
    return walk->remark++;
}

/* A record without an id of its own. */
static void visit_bad(struct walk *walk)
{
    const struct run_remark *remark = next_remark(walk);
    struct run_case told = {
        .id = text_print(&walk->arena, "%s:%" PRIu64, walk->source->label, remark->line),
        .verdict = RUN_BAD_VERDICT,
        .error = value_null(),
        .message = span_from_text(remark->words),
        .output = value_null()};
    walk->visit(walk->context, &told);
}

static void visit_record(struct walk *walk, const struct run_record *record)
{
    struct run_case told;
    struct span words = SPAN("");
    if (walk->remarks_left > 0 && walk->remark->number == record->number)
        words = span_from_text(next_remark(walk)->words);
    run_case_fill(&told, &walk->judge, record, words);
    walk->visit(walk->context, &told);
}

static bool is_before(const struct walk *walk, const struct run_record *record)
{
    return walk->remarks_left > 0 && (record == NULL || walk->remark->number < record->number);
}

/* Both lists are in the order of the numbers. */
static void visit_cases(const struct run_report *report, const struct run_report_source *source,
                        visit_case *visit, void *context)
{
    struct walk walk = {.source = source,
                        .remark = report->remarks,
                        .remarks_left = report->remark_count,
                        .visit = visit,
                        .context = context};
    const struct run_record *record = source->records->first;
    arena_open(&walk.arena, CASE_ARENA_BYTES);
    walk.judge =
        (struct run_judge){source->registry, history_sums_open(source->registry), &walk.arena};
    while (record != NULL || walk.remarks_left > 0) {
        arena_clear(&walk.arena);
        if (is_before(&walk, record)) {
            visit_bad(&walk);
        } else {
            ensure(record != NULL);
            visit_record(&walk, record);
            record = record->next;
        }
    }
    history_sums_close(walk.judge.sums);
    arena_close(&walk.arena);
}

/* Answers come in another order than records. */
static int by_number(const void *a, const void *b)
{
    const struct run_remark *left = a;
    const struct run_remark *right = b;
    return (left->number > right->number) - (left->number < right->number);
}

/* The forms */

struct telling {
    const struct run_report_source *source;
    struct run_counts counts;
    struct text text;      /* of one case */
    bool has_tap;          /* while counting */
    struct new_file *file; /* of JUnit */
};

static void count_case(void *context, const struct run_case *told)
{
    struct telling *telling = context;
    telling->counts.total++;
    telling->counts.of[told->verdict]++;
    if (!telling->has_tap)
        return;
    text_clear(&telling->text);
    run_report_tap_case(&telling->text, told, telling->counts.total);
    output_add(text_span(&telling->text));
    if (telling->counts.total % FLUSH_EVERY == 0)
        telling->has_tap = output_flush();
}

static void tell_tap(struct telling *telling, const struct run_report *report)
{
    telling->has_tap = report->has_tap;
    if (report->has_tap) {
        run_report_tap_begin(&telling->text);
        output_add(text_span(&telling->text));
    }
    visit_cases(report, telling->source, count_case, telling);
    if (!report->has_tap)
        return;
    text_clear(&telling->text);
    run_report_tap_end(&telling->text, &telling->counts, telling->source->is_whole);
    output_add(text_span(&telling->text));
}

static void add_text(struct telling *telling)
{
    new_file_add(telling->file, text_span(&telling->text));
    text_clear(&telling->text);
}

static void write_case(void *context, const struct run_case *told)
{
    struct telling *telling = context;
    run_report_junit_case(&telling->text, told, telling->source->machine);
    add_text(telling);
}

static enum status write_junit(struct telling *telling, const struct run_report *report,
                               const char **problem)
{
    enum status status = new_file_open(report->junit_path, &telling->file, problem);
    if (status != STATUS_OK)
        return status;
    text_clear(&telling->text);
    run_report_junit_begin(&telling->text, telling->source, &telling->counts);
    add_text(telling);
    visit_cases(report, telling->source, write_case, telling);
    run_report_junit_end(&telling->text);
    add_text(telling);
    return new_file_finish(telling->file, problem);
}

static enum cli_exit tell_junit(struct telling *telling, const struct run_report *report)
{
    const char *problem;
    if (report->junit_path == NULL || write_junit(telling, report, &problem) == STATUS_OK)
        return CLI_OK;
    report_file(report->junit_path, problem);
    return CLI_WORLD;
}

enum cli_exit run_report_tell(struct run_report *report, const struct run_report_source *source)
{
    struct telling telling = {.source = source};
    if (report->remark_count > 0)
        qsort(report->remarks, report->remark_count, sizeof *report->remarks, by_number);
    text_init(&telling.text, NULL);
    tell_tap(&telling, report);
    enum cli_exit exit = tell_junit(&telling, report);
    text_fini(&telling.text);
    if (exit != CLI_OK)
        return exit;
    bool is_fine =
        source->is_whole && telling.counts.of[RUN_PASSED_VERDICT] == telling.counts.total;
    return is_fine ? CLI_OK : CLI_FAILED;
}

void run_report_bail_out(const struct run_report *report)
{
    if (report->has_tap)
        output_add(SPAN("TAP version 14\nBail out! the database failed\n"));
}
