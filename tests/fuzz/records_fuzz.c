/*
 * records_fuzz.c - any bytes as records: CSV, JSON and NDJSON, packed or not.
 *
 * How bytes are fed makes no difference, but for how far damaged gzip data can be read; every
 * record has a place, and is good or says why not; a good one is a map that can be written.
 * The first byte picks the format and the largest record.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/ensure.h"
#include "base/json.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static enum value_kind kind_of(void *context, struct span column)
{
    static const enum value_kind kinds[] = {VALUE_STRING, VALUE_BOOL, VALUE_INT, VALUE_DOUBLE};
    (void)context;
    return kinds[column.size % 4];
}

static void tell(const struct stream_record *record, struct text *told)
{
    ensure(record->line > 0 && record->number > 0);
    text_format(told, "%ju:%u:%ju ", (uintmax_t)record->line, record->column,
                (uintmax_t)record->number);
    text_add(told, record->problem);
    if (record->problem.size == 0) {
        ensure(record->value.kind == VALUE_MAP);
        json_write(told, record->value);
    }
    text_add_byte(told, '\n');
}

/* What is told of the bytes when they come in pieces of this size. False: not all was read. */
static bool read_in_pieces(const struct stream_options *options, struct span bytes,
                           size_t piece_bytes, size_t arena_bytes, struct text *told)
{
    struct record_stream *stream = record_stream_open(options);
    struct stream_record record;
    struct arena arena;
    enum stream_answer answer;
    arena_open(&arena, arena_bytes);
    while ((answer = record_stream_next(stream, &arena, &record)) != STREAM_ENDED) {
        size_t size = bytes.size < piece_bytes ? bytes.size : piece_bytes;
        if (answer == STREAM_RECORD) {
            tell(&record, told);
            arena_clear(&arena);
        } else if (size > 0) {
            record_stream_feed(stream, span_slice(bytes, 0, size));
            bytes = span_slice(bytes, size, bytes.size);
        } else {
            record_stream_end(stream, true);
        }
    }
    bool is_whole = record_stream_problem(stream) == NULL;
    record_stream_close(stream);
    arena_close(&arena);
    return is_whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const size_t largest[] = {8, 64, 1000, 1 << 20};
    struct text whole;
    struct text pieces;
    if (size == 0)
        return 0;
    struct stream_options options = {.format = (enum stream_format)(bytes[0] % 4),
                                     .record_bytes_max = largest[bytes[0] / 4 % 4],
                                     .kind_of = kind_of};
    struct span text = span_of((const char *)bytes + 1, size - 1);
    text_init(&whole, NULL);
    text_init(&pieces, NULL);
    bool is_whole = read_in_pieces(&options, text, SIZE_MAX, 1 << 20, &whole);
    is_whole &= read_in_pieces(&options, text, 1 + bytes[0] / 16, 1 << 20, &pieces);
    ensure(!is_whole || span_equal(text_span(&whole), text_span(&pieces)));
    read_in_pieces(&options, text, SIZE_MAX, 512, &pieces);
    text_fini(&pieces);
    text_fini(&whole);
    return 0;
}
