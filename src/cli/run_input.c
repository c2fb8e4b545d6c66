/*
 * run_input.c - bytes from a file or from standard input into a record stream.
 */
#include "cli/run_input.h"

#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/memory.h"
#include "cli/report.h"

enum { LITERAL_ARENA_BYTES = 4096 };

/* What a column of CSV holds: what the context's member of its name begins as, when that is
 * written down as a plain value. */
static enum value_kind kind_of_column(void *context, struct span column)
{
    const struct machine *machine = context;
    for (uint32_t i = 0; i < machine->context_count; i++) {
        const struct machine_assign *member = &machine->context[i];
        if (!span_equal(member->key, column) || !expr_slot_is_literal(member->slot))
            continue;
        char memory[LITERAL_ARENA_BYTES];
        struct arena arena;
        struct expr_frame frame = {.slots = NULL};
        arena_init(&arena, memory, sizeof memory);
        return expr_slot_run(member->slot, &frame, &arena).kind;
    }
    return VALUE_STRING;
}

static struct record_stream *open_stream(const struct run_input_options *options)
{
    struct stream_options about = {.format = options->format,
                                   .record_bytes_max = RECORD_LINE_BYTES_MAX,
                                   .kind_of = kind_of_column,
                                   .context = (void *)(uintptr_t)options->machine};
    if (about.format == STREAM_UNKNOWN)
        about.format = stream_format_of_path(span_from_text(options->path));
    return record_stream_open(&about);
}

/* Formats that would be taken for another one. */
static bool is_other_format(const char *path)
{
    static const struct span suffixes[] = {SPAN_INIT(".tsv"), SPAN_INIT(".zst"),
                                           SPAN_INIT(".xz"),  SPAN_INIT(".bz2"),
                                           SPAN_INIT(".zip"), SPAN_INIT(".xlsx")};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (!span_ends_with(span_from_text(path), suffixes[i]))
            continue;
        report_problem(
            "%s: %s is not read; give CSV, NDJSON or JSON, as it is or in gzip or zstd", path,
            suffixes[i].text);
        return true;
    }
    return false;
}

enum cli_exit run_input_open(struct run_input *input, const struct run_input_options *options)
{
    const char *problem = NULL;
    *input = (struct run_input){.options = *options};
    if (options->format == STREAM_UNKNOWN && is_other_format(options->path))
        return CLI_USAGE;
    if (strcmp(options->path, "-") != 0 &&
        file_stream_open(options->path, &input->file, &problem) != STATUS_OK) {
        report_file(options->path, problem);
        return CLI_WORLD;
    }
    input->stream = open_stream(options);
    return CLI_OK;
}

enum cli_exit run_input_close(struct run_input *input)
{
    file_stream_close(input->file);
    record_stream_close(input->stream);
    if (input->problem == NULL)
        return CLI_OK;
    report_file(input->options.label, input->problem);
    report_problem("the records before that were run, and those behind it were not");
    return CLI_WORLD;
}

static void end(struct run_input *input)
{
    if (input->is_ended)
        return;
    input->is_ended = true;
    if (input->problem == NULL)
        input->problem = record_stream_problem(input->stream);
    input->options.ended(input->options.context);
}

/* A piece of the file into the stream. */
static void read_file(struct run_input *input)
{
    struct span bytes = SPAN("");
    enum status status = file_stream_read(input->file, &bytes, &input->problem);
    if (status == STATUS_OK && bytes.size > 0)
        record_stream_feed(input->stream, bytes);
    else
        record_stream_end(input->stream, status == STATUS_OK);
}

/* False when more comes later, by itself. */
static bool read_more(struct run_input *input)
{
    if (input->file != NULL)
        read_file(input);
    else
        loop_input_resume(input->arriving);
    return input->file != NULL;
}

/* Hands over what there is, until it is paused or enough; false when there is no more. */
static bool drain(struct run_input *input, uint32_t records_max)
{
    struct stream_record record;
    while (!input->is_paused && !input->is_ended && records_max > 0) {
        arena_clear(input->options.arena);
        switch (record_stream_next(input->stream, input->options.arena, &record)) {
        case STREAM_RECORD:
            records_max--;
            input->options.record(input->options.context, &record);
            break;
        case STREAM_WANTS:
            if (!read_more(input))
                return false;
            break;
        case STREAM_ENDED:
            end(input);
            break;
        }
    }
    return !input->is_ended;
}

/* The next piece may come when this one is used up: drain() lets it. */
static void piece_arrived(void *context, struct span bytes)
{
    struct run_input *input = context;
    loop_input_pause(input->arriving);
    record_stream_feed(input->stream, bytes);
    drain(input, UINT32_MAX);
}

static void input_ended(void *context)
{
    struct run_input *input = context;
    bool has_failed = loop_input_has_failed(input->arriving);
    if (has_failed)
        input->problem = status_text(STATUS_IO);
    record_stream_end(input->stream, !has_failed);
    drain(input, UINT32_MAX);
}

void run_input_begin(struct run_input *input, struct loop *loop)
{
    if (input->file == NULL)
        input->arriving =
            loop_input_open(loop, STDIN_FILENO, piece_arrived, input_ended, input);
}

void run_input_end(struct run_input *input)
{
    loop_input_close(input->arriving);
    input->arriving = NULL;
}

bool run_input_feed(struct run_input *input, uint32_t records_max)
{
    input->is_paused = false;
    return drain(input, records_max);
}

void run_input_pause(struct run_input *input)
{
    input->is_paused = true;
    if (input->arriving != NULL)
        loop_input_pause(input->arriving);
}

uint64_t run_input_skip(struct run_input *input)
{
    struct stream_record record;
    enum stream_answer answer;
    uint64_t count = 0;
    if (input->file == NULL)
        return 0;
    while ((answer = record_stream_next(input->stream, NULL, &record)) != STREAM_ENDED) {
        if (answer == STREAM_WANTS)
            read_file(input);
        else
            count++;
    }
    return count;
}

uint64_t run_input_count(const struct run_input *input)
{
    struct run_input other = {.options = input->options};
    if (input->file == NULL || file_size(input->options.path) == 0 ||
        file_stream_open(input->options.path, &other.file, NULL) != STATUS_OK)
        return 0;
    other.stream = open_stream(&other.options);
    uint64_t count = run_input_skip(&other);
    record_stream_close(other.stream);
    file_stream_close(other.file);
    return count;
}
