/*
 * command_test.c - `interlock test`: text cases of people's own machines.
 *
 * Every file is read before the first case runs, so a slip of the pen is told at once and
 * never looks like a machine that is wrong.
 */
#include <inttypes.h>

#include "cli/case_run.h"
#include "cli/command.h"
#include "cli/report.h"
#include "cli/run_report.h"
#include "os/os.h"

enum { REPORT, OPTION_COUNT };

static const struct option options[] = {
    [REPORT] = {.name = "report",
                .value = "FORM",
                .help = "tap on standard output, as always; junit=FILE writes that too",
                .words = "tap junit=",
                .is_repeatable = true},
};

struct testing {
    struct case_set set;
    struct run_report report;
    struct run_counts counts;
    struct text tap;
    struct text junit; /* of the cases; what stands before them counts them */
};

static void tell(struct testing *testing, const struct case_text *text, bool has_passed,
                 struct span said)
{
    struct run_case told = {.id = span_from_text(text->file),
                            .name = text->name,
                            .verdict = has_passed ? RUN_PASSED_VERDICT : RUN_FAILED_VERDICT,
                            .error = value_null(),
                            .message = said,
                            .output = value_null()};
    testing->counts.total++;
    testing->counts.of[told.verdict]++;
    text_clear(&testing->tap);
    run_report_tap_case(&testing->tap, &told, testing->counts.total);
    output_add(text_span(&testing->tap));
    if (testing->report.junit_path != NULL)
        run_report_junit_case(&testing->junit, &told, text->machine->machine->id);
}

static void run_cases(struct testing *testing)
{
    struct text said = {.arena = NULL};
    run_report_tap_begin(&testing->tap);
    output_add(text_span(&testing->tap));
    for (const struct case_text *each = testing->set.cases; each != NULL; each = each->next) {
        text_clear(&said);
        bool has_passed = case_run(each, &said);
        tell(testing, each, has_passed, text_span(&said));
    }
    text_fini(&said);
}

static void end_tap(struct testing *testing)
{
    text_clear(&testing->tap);
    text_format(&testing->tap, "1..%" PRIu64 "\n# passed %" PRIu64 ", failed %" PRIu64 "\n",
                testing->counts.total, testing->counts.of[RUN_PASSED_VERDICT],
                testing->counts.of[RUN_FAILED_VERDICT]);
    for (const struct case_machine *each = testing->set.machines; each != NULL;
         each = each->next)
        case_coverage_write(&each->coverage, &testing->tap);
    output_add(text_span(&testing->tap));
}

static enum cli_exit write_junit(struct testing *testing, instant_ms began)
{
    struct run_report_source source = {.label = "cases",
                                       .machine = SPAN("interlock test"),
                                       .began = began,
                                       .ended = clock_wall(),
                                       .is_whole = true};
    struct text begin = {.arena = NULL};
    struct new_file *file;
    const char *problem;
    if (testing->report.junit_path == NULL)
        return CLI_OK;
    run_report_junit_begin(&begin, &source, &testing->counts);
    run_report_junit_end(&testing->junit);
    enum status status = new_file_open(testing->report.junit_path, &file, &problem);
    if (status == STATUS_OK) {
        new_file_add(file, text_span(&begin));
        new_file_add(file, text_span(&testing->junit));
        status = new_file_finish(file, &problem);
    }
    text_fini(&begin);
    if (status == STATUS_OK)
        return CLI_OK;
    report_file(testing->report.junit_path, problem);
    return CLI_WORLD;
}

static enum cli_exit run_all(struct testing *testing)
{
    instant_ms began = clock_wall();
    run_cases(testing);
    end_tap(testing);
    enum cli_exit exit = write_junit(testing, began);
    bool is_fine = testing->counts.of[RUN_PASSED_VERDICT] == testing->counts.total;
    return exit == CLI_OK && !is_fine ? CLI_FAILED : exit;
}

static enum cli_exit read_all(struct testing *testing, const struct arguments *arguments)
{
    enum cli_exit worst = run_report_open(&testing->report);
    for (uint32_t i = 0; worst != CLI_WORLD && i < arguments->operand_count; i++) {
        enum cli_exit exit = case_file_read(&testing->set, arguments->operands[i]);
        worst = exit > worst ? exit : worst;
    }
    if (worst != CLI_OK)
        output_add(SPAN("TAP version 14\nBail out! the cases cannot be read\n"));
    return worst;
}

static bool want_reports(struct testing *testing, const struct arguments *arguments)
{
    char problem[256];
    for (uint32_t i = 0; i < arguments->repeated_count; i++) {
        if (run_report_want(&testing->report, arguments->repeated[i], problem))
            continue;
        report_problem("test: %s", problem);
        return false;
    }
    return true;
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    (void)format;
    struct testing testing = {.report = {0}};
    if (!want_reports(&testing, arguments))
        return CLI_USAGE;
    case_set_open(&testing.set, world);
    text_init(&testing.tap, NULL);
    text_init(&testing.junit, NULL);
    enum cli_exit exit = read_all(&testing, arguments);
    if (exit == CLI_OK)
        exit = run_all(&testing);
    text_fini(&testing.junit);
    text_fini(&testing.tap);
    case_set_close(&testing.set);
    run_report_fini(&testing.report);
    return exit;
}

const struct command command_test = {
    .name = "test",
    .summary = "run text cases of a machine, and tell what they cover",
    .usage = "FILE… [--report tap|junit=FILE]",
    .text = "A file of cases names a machine and says what happens to an instance of it, and\n"
            "what is expected then:\n"
            "  machine: order.yaml\n"
            "\n"
            "  case nobody pays\n"
            "  event SUBMIT {\"items\":[1]}\n"
            "  advance 30s\n"
            "  expect value EXPIRED; status done; effects none\n"
            "Prints TAP, with the states and transitions that no case came to.",
    .example = "  interlock test order.cases --report junit=order.xml",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_min = 1,
    .operands_max = UINT32_MAX,
    .run = run,
};
