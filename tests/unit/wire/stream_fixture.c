/*
 * stream_fixture.c - feeding in pieces, and counting what could be told.
 */
#include "stream_fixture.h"

#include <inttypes.h>

#include "base/json.h"

enum { ARENA_BYTES = 4 << 20 };

static void tell(const struct stream_record *record, struct text *told)
{
    text_format(told, "%" PRIu64, record->line);
    if (record->column > 0)
        text_format(told, ":%" PRIu32, record->column);
    text_add_byte(told, ' ');
    if (record->problem.size > 0)
        text_add(told, record->problem);
    else
        json_write(told, record->value);
    text_add_byte(told, '\n');
}

/* What is not told is counted. */
static uint64_t read_all(const struct stream_options *options, struct span bytes,
                         size_t piece_bytes, struct text *told)
{
    struct record_stream *stream = record_stream_open(options);
    struct stream_record record;
    struct arena arena;
    enum stream_answer answer;
    uint64_t count = 0;
    arena_open(&arena, ARENA_BYTES);
    while ((answer = record_stream_next(stream, told == NULL ? NULL : &arena, &record)) !=
           STREAM_ENDED) {
        size_t size = bytes.size < piece_bytes ? bytes.size : piece_bytes;
        if (answer == STREAM_RECORD)
            count++;
        else if (size > 0)
            record_stream_feed(stream, span_slice(bytes, 0, size));
        else
            record_stream_end(stream, true);
        if (answer == STREAM_RECORD && told != NULL)
            tell(&record, told);
        else if (answer == STREAM_WANTS)
            bytes = span_slice(bytes, size, bytes.size);
        arena_clear(&arena);
    }
    if (record_stream_problem(stream) != NULL && told != NULL)
        text_format(told, "! %s\n", record_stream_problem(stream));
    record_stream_close(stream);
    arena_close(&arena);
    return count;
}

void read_stream(const struct stream_options *options, struct span bytes, size_t piece_bytes,
                 struct text *told)
{
    uint64_t count = read_all(options, bytes, piece_bytes, told);
    if (span_find(text_span(told), SPAN("the header is no good"), 0) == SIZE_MAX)
        assert_int_equal(read_all(options, bytes, piece_bytes, NULL), count);
}

void expect_stream(const struct stream_options *options, struct span bytes, const char *wanted)
{
    static const size_t sizes[] = {SIZE_MAX, 1, 2, 3, 7, 61};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct text told;
        text_init(&told, NULL);
        text_add(&told, SPAN(""));
        read_stream(options, bytes, sizes[i], &told);
        if (!span_is(text_span(&told), wanted))
            print_error("of %.*s\nin pieces of %zu\n", SPAN_ARGS(bytes), sizes[i]);
        assert_string_equal(told.bytes, wanted);
        text_fini(&told);
    }
}
