/*
 * graph_svg.c - runs `dot`, in a process of its own and not for ever.
 */
#include "cli/graph_svg.h"

#include "base/limits.h"
#include "cli/report.h"
#include "os/os.h"

struct drawing {
    struct loop *loop;
    struct process *process;
    struct text *svg;
    enum cli_exit exit;
    bool is_late;
};

static void take_too_long(void *context)
{
    struct drawing *drawing = context;
    drawing->is_late = true;
    process_cancel(drawing->process, 0, false);
}

static void explain(const struct drawing *drawing, const struct process_result *result)
{
    if (result->started == STATUS_NOT_FOUND)
        report_problem("there is no program `dot`: install the package graphviz");
    else if (result->started != STATUS_OK)
        report_problem("`dot` does not start: %s", result->problem);
    else if (drawing->is_late)
        report_problem("`dot` took longer than %d s: draw it yourself, from -o dot",
                       DRAWING_MS_MAX / 1000);
    else if (result->output_truncated)
        report_problem("`dot` gave more than %d bytes", DRAWING_BYTES_MAX);
    else
        report_problem("`dot` failed: %.*s", SPAN_ARGS(span_trim(result->stderr_tail)));
}

static void end(void *context, const struct process_result *result)
{
    struct drawing *drawing = context;
    bool is_fine = result->started == STATUS_OK && result->signal == 0 &&
                   result->exit_status == 0 && !result->output_truncated;
    drawing->exit = is_fine ? CLI_OK : CLI_WORLD;
    if (is_fine)
        text_add(drawing->svg, result->output);
    else
        explain(drawing, result);
    loop_stop(drawing->loop);
}

enum cli_exit graph_svg(const struct machine *machine, struct text *svg)
{
    static const char *const arguments[] = {"dot", "-Tsvg", NULL};
    static const char *const environment[] = {NULL};
    struct drawing drawing = {.loop = loop_open(), .svg = svg};
    struct loop_timer *limit = loop_timer_open(drawing.loop, take_too_long, &drawing);
    struct text dot;
    text_init(&dot, NULL);
    draw_dot(machine, &dot);
    struct process_request request = {.arguments = arguments,
                                      .environment = environment,
                                      .input = text_span(&dot),
                                      .output_bytes_max = DRAWING_BYTES_MAX,
                                      .stderr_tail_bytes = STEP_STDERR_TAIL_BYTES};
    drawing.process = process_start(drawing.loop, &request, end, &drawing);
    loop_timer_start(limit, DRAWING_MS_MAX);
    loop_run(drawing.loop);
    loop_timer_close(limit);
    loop_close(drawing.loop);
    text_fini(&dot);
    return drawing.exit;
}
