/*
 * run_input.c - lines from a file or from standard input.
 */
#include "cli/run_input.h"

#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/report.h"

static void hand_over(struct run_input *input, struct span line, bool too_long)
{
    input->number++;
    if (too_long || span_trim(line).size > 0)
        input->line(input->context, line, input->number, too_long);
}

static void line_arrived(void *context, struct span line, bool too_long)
{
    hand_over(context, line, too_long);
}

static void end(void *context)
{
    struct run_input *input = context;
    if (input->is_ended)
        return;
    input->is_ended = true;
    input->ended(input->context);
}

/* Formats that come later, and are not taken for NDJSON meanwhile. */
static bool is_other_format(const char *path)
{
    static const struct span suffixes[] = {SPAN_INIT(".csv"), SPAN_INIT(".tsv"),
                                           SPAN_INIT(".gz"), SPAN_INIT(".zst")};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (!span_ends_with(span_from_text(path), suffixes[i]))
            continue;
        report_problem("%s: %s is not there yet; give one JSON object a line", path,
                       suffixes[i].text);
        return true;
    }
    return false;
}

enum cli_exit run_input_open(struct run_input *input, const char *path, run_line *line,
                             loop_callback *ended, void *context)
{
    const char *problem = NULL;
    *input = (struct run_input){.path = path, .line = line, .ended = ended, .context = context};
    if (is_other_format(path))
        return CLI_USAGE;
    if (strcmp(path, "-") == 0 ||
        file_lines_open(path, RECORD_LINE_BYTES_MAX, &input->file, &problem) == STATUS_OK)
        return CLI_OK;
    report_file(path, problem);
    return CLI_WORLD;
}

enum cli_exit run_input_close(struct run_input *input)
{
    enum status status = input->file == NULL ? STATUS_OK : file_lines_close(input->file);
    if (status == STATUS_OK)
        return CLI_OK;
    report_file(input->path, status_text(status));
    return CLI_WORLD;
}

void run_input_begin(struct run_input *input, struct loop *loop)
{
    if (input->file == NULL)
        input->arriving = loop_lines_open(loop, STDIN_FILENO, RECORD_LINE_BYTES_MAX,
                                          line_arrived, end, input);
}

void run_input_end(struct run_input *input)
{
    loop_lines_close(input->arriving);
    input->arriving = NULL;
}

uint64_t run_input_count(const char *path)
{
    struct run_input input = {0};
    if (strcmp(path, "-") == 0 || file_size(path) == 0 ||
        file_lines_open(path, RECORD_LINE_BYTES_MAX, &input.file, NULL) != STATUS_OK)
        return 0;
    uint64_t count = run_input_skip(&input);
    return file_lines_close(input.file) == STATUS_OK ? count : 0;
}

static void feed_file(struct run_input *input, uint32_t lines_max)
{
    struct span line;
    bool too_long;
    for (uint32_t i = 0; i < lines_max && !input->is_ended; i++) {
        if (file_lines_next(input->file, &line, &too_long))
            hand_over(input, line, too_long);
        else
            end(input);
    }
}

void run_input_feed(struct run_input *input, uint32_t lines_max)
{
    if (input->file != NULL)
        feed_file(input, lines_max);
    else if (input->is_paused)
        loop_lines_resume(input->arriving);
    input->is_paused = false;
}

void run_input_pause(struct run_input *input)
{
    if (input->arriving != NULL && !input->is_paused)
        loop_lines_pause(input->arriving);
    input->is_paused = true;
}

uint64_t run_input_skip(struct run_input *input)
{
    struct span line;
    bool too_long;
    uint64_t count = 0;
    while (input->file != NULL && file_lines_next(input->file, &line, &too_long))
        count += too_long || span_trim(line).size > 0;
    return count;
}
