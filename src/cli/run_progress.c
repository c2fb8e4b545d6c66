/*
 * run_progress.c - drawing the bar.
 *
 *       ████████████░░░░░░░░░░░░  512/1000  412/s  charge: breaker closed, 64 in flight
 */
#include "cli/run_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { BAR_CELLS = 24 };

void run_progress_open(struct run_progress *progress, uint64_t total)
{
    *progress = (struct run_progress){.is_shown = file_is_terminal(STDERR_FILENO),
                                      .total = total,
                                      .began_us = clock_elapsed_us()};
}

static void add_bar(struct text *text, uint64_t done, uint64_t total)
{
    uint64_t filled = done >= total ? BAR_CELLS : done * BAR_CELLS / total;
    for (uint64_t i = 0; i < BAR_CELLS; i++)
        text_add(text, i < filled ? SPAN("█") : SPAN("░"));
    text_format(text, "  %" PRIu64 "/%" PRIu64, done, total);
}

/* A line that wraps cannot be drawn over. The bar's cells are three bytes each. */
static void cut(struct text *text, size_t columns, uint64_t total)
{
    size_t limit = columns + (total > 0 ? BAR_CELLS * 2 : 0);
    if (text->size > limit)
        text->size = limit;
}

void run_progress_draw(const struct run_progress *progress, const struct engine *engine,
                       uint64_t done, uint64_t before)
{
    struct text text;
    int64_t took_us = clock_elapsed_us() - progress->began_us;
    if (!progress->is_shown)
        return;
    text_init(&text, NULL);
    text_add(&text, SPAN("  "));
    if (progress->total > 0)
        add_bar(&text, done, progress->total);
    else
        text_format(&text, "%" PRIu64, done);
    uint64_t since = done - before;
    text_format(&text, "  %" PRIu64 "/s  ",
                took_us <= 0 ? 0 : since * 1000000 / (uint64_t)took_us);
    engine_describe_step(engine, SPAN(""), &text);
    cut(&text, (size_t)file_terminal_columns(STDERR_FILENO) - 1, progress->total);
    fprintf(stderr, "\r%.*s\033[K", SPAN_ARGS(text_span(&text)));
    text_fini(&text);
}

void run_progress_clear(const struct run_progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", stderr);
}

void run_progress_leave(const struct run_progress *progress)
{
    if (progress->is_shown)
        fputc('\n', stderr);
}
