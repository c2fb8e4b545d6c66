/*
 * record_stream.c - from bytes to records, in three steps: unpack, cut, read.
 *
 *     packed ──unpack──► bytes [begin … end) ──cut──► one record's text ──read──► value
 *
 * Always: [begin, end) was unpacked and not yet consumed, it begins at `place`, and the
 * format's scanner looked at the first bytes of it. Where a record is cut depends on the bytes
 * alone, not on how they were fed: a scanner sees one record's largest size and no more.
 */
#include "wire/record_stream.h"

#include <inttypes.h>
#include <string.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "wire/csv.h"
#include "wire/gunzip.h"
#include "wire/json_stream.h"
#include "wire/unzstd.h"

enum { PIECE_BYTES = 64 << 10, HEADER_ARENA_FACTOR = 128, HEADER_ARENA_LEAST = 64 << 10 };

enum packing { PACKING_UNKNOWN, PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

enum { MAGIC_BYTES = 4 };

/* Line and column, both from 1; columns in code points. */
struct spot {
    uint64_t line;
    uint64_t column;
};

struct record_stream {
    struct stream_options options;

    enum packing packing;
    struct text packed; /* fed and not yet unpacked */
    struct gunzip *gunzip;
    struct unzstd *unzstd;
    bool has_more;       /* unpacked filled its room */
    bool is_fed;         /* nothing more is fed */
    bool is_cut;         /* the bytes end somewhere in the input */
    const char *problem; /* of the packed data */

    char *bytes;
    size_t begin;
    size_t end;
    size_t capacity;
    struct spot place;

    enum stream_format format;
    bool is_behind_mark;
    bool is_skipping; /* the rest of a record that is too large */
    size_t line_at;   /* NDJSON: bytes looked at */
    struct csv_scan csv;
    struct json_stream json;
    uint64_t count; /* elements of JSON */

    struct arena arena; /* of the header */
    struct csv_table table;
    bool has_table;
    bool is_refused; /* the header is no good: rows mean nothing */
};

/* A piece of the bytes that is a record, or should be one. */
struct cut {
    struct span text;
    size_t next;         /* where to go on */
    const char *problem; /* NULL: none that shows from outside */
    size_t problem_at;
    bool is_malformed; /* the problem is one of the format, at problem_at */
    bool is_part;      /* of a record that is too large; more of it follows */
};

struct record_stream *record_stream_open(const struct stream_options *options)
{
    struct record_stream *stream = memory_get(sizeof *stream);
    stream->options = *options;
    stream->format = options->format;
    stream->place = (struct spot){1, 1};
    text_init(&stream->packed, NULL);
    json_stream_init(&stream->json);
    arena_open(&stream->arena,
               HEADER_ARENA_LEAST + options->record_bytes_max * HEADER_ARENA_FACTOR);
    return stream;
}

void record_stream_close(struct record_stream *stream)
{
    if (stream == NULL)
        return;
    arena_close(&stream->arena);
    gunzip_close(stream->gunzip);
    unzstd_close(stream->unzstd);
    text_fini(&stream->packed);
    memory_release(stream->bytes);
    memory_release(stream);
}

const char *record_stream_problem(const struct record_stream *stream)
{
    return stream->problem;
}

/* Bytes */

static struct span pending(const struct record_stream *stream)
{
    return stream->begin == stream->end
               ? SPAN("")
               : span_of(stream->bytes + stream->begin, stream->end - stream->begin);
}

static char *reserve(struct record_stream *stream, size_t size)
{
    size_t kept = stream->end - stream->begin;
    if (stream->begin > 0 && kept > 0)
        memmove(stream->bytes, stream->bytes + stream->begin, kept);
    stream->begin = 0;
    stream->end = kept;
    if (stream->capacity - kept < size + STREAM_LINES_PADDING) {
        stream->capacity = (kept + size + STREAM_LINES_PADDING) * 2;
        stream->bytes = memory_resize(stream->bytes, stream->capacity);
    }
    return stream->bytes + kept;
}

static void add_bytes(struct record_stream *stream, struct span bytes)
{
    if (bytes.size > 0)
        memcpy(reserve(stream, bytes.size), bytes.text, bytes.size);
    stream->end += bytes.size;
}

static void find_packing(struct record_stream *stream)
{
    if (stream->packing != PACKING_UNKNOWN ||
        (stream->packed.size < MAGIC_BYTES && !stream->is_fed))
        return;
    if (gunzip_is_magic(text_span(&stream->packed))) {
        stream->packing = PACKING_GZIP;
        stream->gunzip = gunzip_open();
        return;
    }
    if (unzstd_is_magic(text_span(&stream->packed))) {
        stream->packing = PACKING_ZSTD;
        stream->unzstd = unzstd_open();
        return;
    }
    stream->packing = PACKING_NONE;
    add_bytes(stream, text_span(&stream->packed));
    text_clear(&stream->packed);
}

void record_stream_feed(struct record_stream *stream, struct span bytes)
{
    ensure(!stream->is_fed);
    if (stream->packing == PACKING_NONE)
        add_bytes(stream, bytes);
    else
        text_add(&stream->packed, bytes);
    find_packing(stream);
}

void record_stream_end(struct record_stream *stream, bool is_whole)
{
    stream->is_fed = true;
    stream->is_cut = stream->is_cut || !is_whole;
    find_packing(stream);
}

static void give_up(struct record_stream *stream, const char *problem)
{
    text_clear(&stream->packed);
    stream->problem = problem;
    stream->is_cut = true;
}

static void unpack_piece(struct record_stream *stream)
{
    size_t got;
    struct span packed = text_span(&stream->packed);
    char *room = reserve(stream, PIECE_BYTES);
    bool is_good = stream->packing == PACKING_GZIP
                       ? gunzip_read(stream->gunzip, &packed, room, PIECE_BYTES, &got)
                       : unzstd_read(stream->unzstd, &packed, room, PIECE_BYTES, &got);
    stream->end += got;
    stream->has_more = got == PIECE_BYTES;
    memmove(stream->packed.bytes, packed.text, packed.size);
    stream->packed.size = packed.size;
    if (!is_good)
        give_up(stream, stream->packing == PACKING_GZIP ? "the gzip data is damaged"
                                                        : "the zstd data is damaged");
}

/* True when what was packed is complete. */
static bool is_unpacked(const struct record_stream *stream)
{
    return (stream->gunzip == NULL || gunzip_is_whole(stream->gunzip)) &&
           (stream->unzstd == NULL || unzstd_is_whole(stream->unzstd));
}

/* True when there will be no more bytes than those pending. */
static bool is_last(const struct record_stream *stream)
{
    if (stream->problem != NULL)
        return true;
    bool is_whole = stream->is_cut || is_unpacked(stream);
    return stream->is_fed && stream->packed.size == 0 && !stream->has_more && is_whole;
}

/* False when nothing comes of it before more is fed. */
static bool unpack(struct record_stream *stream)
{
    bool is_packed = stream->packing == PACKING_GZIP || stream->packing == PACKING_ZSTD;
    if (!is_packed || is_last(stream))
        return false;
    bool has_some = stream->packed.size > 0 || stream->has_more;
    if (has_some)
        unpack_piece(stream);
    else if (stream->is_fed)
        give_up(stream, stream->packing == PACKING_GZIP ? "the gzip data ends too early"
                                                        : "the zstd data ends too early");
    return has_some || stream->is_fed;
}

/* Places */

static void move_spot(struct spot *spot, struct span text)
{
    const char *at = text.text;
    const char *end = text.text + text.size;
    for (const char *newline; at < end; at = newline + 1) {
        newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL)
            break;
        *spot = (struct spot){spot->line + 1, 1};
    }
    for (; at < end; at++)
        spot->column += ((unsigned char)*at & 0xC0) != 0x80;
}

static void consume(struct record_stream *stream, size_t size)
{
    move_spot(&stream->place, span_slice(pending(stream), 0, size));
    stream->begin += size;
}

/* What scanners look at. */
static struct span window(const struct record_stream *stream)
{
    struct span text = pending(stream);
    size_t limit = stream->options.record_bytes_max + 2; /* with CR and LF */
    return text.size <= limit ? text : span_slice(text, 0, limit);
}

static bool is_full(const struct record_stream *stream, struct span window)
{
    return window.size == stream->options.record_bytes_max + 2;
}

/* Beginning: byte order mark and format */

/* False while it is not yet clear whether there is one. */
static bool pass_mark(struct record_stream *stream)
{
    const struct span mark = SPAN("\xef\xbb\xbf");
    struct span text = pending(stream);
    if (stream->is_behind_mark)
        return true;
    if (text.size < mark.size && span_starts_with(mark, text) && !is_last(stream))
        return false;
    if (span_starts_with(text, mark))
        stream->begin += mark.size; /* without being a column */
    stream->is_behind_mark = true;
    return true;
}

/* Bytes of the blanks that a text begins with. */
static size_t count_blanks(struct span text)
{
    struct span trimmed = span_trim(text);
    return trimmed.size == 0 ? text.size : (size_t)(trimmed.text - text.text);
}

static enum stream_format guess_by_line(struct span text, bool is_all)
{
    size_t end = span_find(text, SPAN("\n"), 0);
    if (end == SIZE_MAX && !is_all)
        return STREAM_UNKNOWN;
    struct span line = span_slice(text, 0, end == SIZE_MAX ? text.size : end);
    return span_find(line, SPAN(","), 0) == SIZE_MAX ? STREAM_NDJSON : STREAM_CSV;
}

/* False while too little is there to tell. */
static bool find_format(struct record_stream *stream)
{
    if (stream->format != STREAM_UNKNOWN)
        return true;
    struct span text = window(stream);
    bool is_all = is_full(stream, text) || is_last(stream);
    text = span_slice(text, count_blanks(text), text.size);
    if (text.size > 0 && text.text[0] == '[')
        stream->format = STREAM_JSON;
    else if (text.size > 0 && text.text[0] == '{')
        stream->format = STREAM_NDJSON;
    else
        stream->format = guess_by_line(text, is_all);
    return stream->format != STREAM_UNKNOWN;
}

/* Cutting */

static bool cut_line(struct record_stream *stream, struct span text, struct cut *cut)
{
    size_t left = text.size - stream->line_at;
    const char *newline = left == 0 ? NULL : memchr(text.text + stream->line_at, '\n', left);
    stream->line_at = newline == NULL ? text.size : 0;
    if (newline == NULL)
        return false;
    size_t end = (size_t)(newline - text.text);
    *cut = (struct cut){.text = span_slice(text, 0, end), .next = end + 1};
    return true;
}

/* The row that ends where its scanner stands. */
static bool take_row(struct record_stream *stream, struct span text, struct cut *cut)
{
    const struct csv_scan *scan = &stream->csv;
    *cut = (struct cut){.text = span_slice(text, 0, scan->at),
                        .next = scan->at + (scan->at < text.size),
                        .problem = scan->problem,
                        .problem_at = scan->problem_at,
                        .is_malformed = scan->problem != NULL};
    stream->csv = (struct csv_scan){.state = CSV_CELL};
    return true;
}

static bool take_element(struct record_stream *stream, struct span text, struct cut *cut)
{
    struct json_stream *json = &stream->json;
    *cut = (struct cut){.text = span_slice(text, 0, json->end), .next = json->next};
    if (json->gap == JSON_GAP_MISSING)
        cut->problem = "no comma between this record and the one before";
    else if (span_trim(cut->text).size == 0 &&
             (json->gap == JSON_GAP_COMMA || json->next_gap == JSON_GAP_COMMA))
        cut->problem = "a record is missing beside a comma";
    cut->is_malformed = cut->problem != NULL;
    json_stream_pass(json);
    return true;
}

static bool cut_whole(struct record_stream *stream, struct span text, struct cut *cut)
{
    switch (stream->format) {
    case STREAM_UNKNOWN:
        break;
    case STREAM_NDJSON:
        return cut_line(stream, text, cut);
    case STREAM_CSV:
        return csv_scan(&stream->csv, text) && take_row(stream, text, cut);
    case STREAM_JSON:
        return json_stream_scan(&stream->json, text) && take_element(stream, text, cut);
    }
    never();
}

/* Of a list: what is left behind its end, or that it has none. */
static bool cut_last_element(struct record_stream *stream, struct span text, struct cut *cut)
{
    struct json_stream *json = &stream->json;
    bool is_open = json->is_list && !json->is_closed;
    bool is_blank = span_trim(text).size == 0;
    *cut = (struct cut){.text = text, .next = text.size};
    if (json->is_closed && !is_blank)
        cut->problem = "text behind the end of the list";
    else if (is_open && is_blank)
        cut->problem = "the list does not end: `]` is missing, and records may be";
    cut->is_malformed = cut->problem != NULL;
    bool is_told = is_blank || json->depth > 0 || json->in_string; /* as what is wrong */
    json->is_closed = json->is_closed || (json->is_list && is_told);
    return is_open || text.size > 0;
}

/* The input ends without the end of a record. */
static bool cut_last(struct record_stream *stream, struct span text, struct cut *cut)
{
    if (stream->format == STREAM_JSON)
        return cut_last_element(stream, text, cut);
    if (text.size == 0)
        return false;
    stream->line_at = 0;
    *cut = (struct cut){.text = text, .next = text.size};
    return stream->format == STREAM_NDJSON ||
           (csv_scan_end(&stream->csv, text, true) && take_row(stream, text, cut));
}

/* Blanks before an element are no part of it, and no matter how many. */
static bool cut_blanks(struct record_stream *stream, struct span text, struct cut *cut)
{
    size_t blanks = count_blanks(text);
    *cut = (struct cut){
        .text = span_slice(text, 0, blanks), .next = blanks, .is_part = stream->is_skipping};
    stream->json.at -= blanks;
    return blanks > 0;
}

/* More is there than a record may have: it is let go as it comes. */
static bool cut_large(struct record_stream *stream, struct span text, struct cut *cut)
{
    if (stream->format == STREAM_JSON && cut_blanks(stream, text, cut))
        return true;
    if (stream->format == STREAM_CSV && csv_scan_end(&stream->csv, text, false))
        return take_row(stream, text, cut);
    bool is_behind = stream->format == STREAM_JSON && stream->json.is_closed;
    *cut = (struct cut){.text = text,
                        .next = text.size,
                        .problem = is_behind ? "text behind the end of the list"
                                             : "the record is too large",
                        .is_malformed = is_behind,
                        .is_part = true};
    stream->line_at = 0;
    stream->csv.at = 0;
    stream->json.at = 0;
    return true;
}

static bool cut_any(struct record_stream *stream, struct cut *cut)
{
    struct span text = window(stream);
    if (cut_whole(stream, text, cut))
        return true;
    if (is_full(stream, text))
        return cut_large(stream, text, cut);
    return is_last(stream) && !stream->is_cut && cut_last(stream, text, cut);
}

/* Reading */

static void tell(struct stream_record *record, struct spot spot, bool has_column,
                 struct span problem)
{
    record->problem = problem;
    record->line = spot.line;
    record->column = has_column && spot.column < UINT32_MAX ? (uint32_t)spot.column : 0;
}

/* The place of an offset in a text that begins at a spot. */
static struct spot spot_in(struct spot spot, struct span text, size_t offset)
{
    move_spot(&spot, span_slice(text, 0, offset < text.size ? offset : text.size));
    return spot;
}

static void read_json(struct span text, struct spot spot, struct arena *arena,
                      struct stream_record *record)
{
    struct json_error error;
    record->is_malformed = json_read(text, arena, &record->value, &error) != STATUS_OK;
    if (record->is_malformed)
        tell(record, spot_in(spot, text, error.offset), true, span_from_text(error.message));
    else if (record->value.kind != VALUE_MAP)
        record->problem = SPAN("a record must be a JSON object");
}

static void fail_row(struct stream_record *record, struct spot spot, struct span row,
                     const struct csv_problem *problem)
{
    tell(record, spot_in(spot, row, problem->at), problem->is_cell, problem->message);
    record->is_malformed = problem->is_malformed;
}

static void read_form(struct record_stream *stream, struct span text, struct spot spot,
                      struct arena *arena, struct stream_record *record)
{
    struct csv_problem problem;
    if (stream->format != STREAM_CSV)
        read_json(text, spot, arena, record);
    else if (!csv_table_read(&stream->table, text, arena, &record->value, &problem))
        fail_row(record, spot, text, &problem);
}

static void read_text(struct record_stream *stream, struct span text, const struct spot *spot,
                      struct arena *arena, struct stream_record *record)
{
    struct arena_guard guard;
    if (arena_is_spent(arena, &guard)) {
        record->problem = SPAN("the record is too large");
        return;
    }
    read_form(stream, text, *spot, arena, record);
    arena_release_guard(arena, &guard);
}

static bool open_table(struct record_stream *stream, struct span row,
                       struct csv_problem *problem)
{
    struct arena_guard guard;
    if (arena_is_spent(&stream->arena, &guard)) {
        arena_clear(&stream->arena);
        *problem = (struct csv_problem){.message = SPAN("it is too large")};
        return false;
    }
    bool is_good = csv_table_open(&stream->table, row, stream->options.kind_of,
                                  stream->options.context, &stream->arena, problem);
    arena_release_guard(&stream->arena, &guard);
    return is_good;
}

/* The first row of CSV. True when it is to be told as a bad record, and the last one. */
static bool take_header(struct record_stream *stream, const struct cut *cut, struct span row,
                        struct stream_record *record)
{
    struct csv_problem problem = {span_from_text(cut->problem), cut->problem_at,
                                  cut->is_malformed, cut->is_malformed};
    if (cut->problem == NULL && open_table(stream, row, &problem)) {
        stream->has_table = true;
        return false;
    }
    *record = (struct stream_record){.number = stream->place.line};
    fail_row(record, stream->place, row, &problem);
    record->problem =
        text_print(&stream->arena, "the header is no good, so nothing is read: %.*s",
                   SPAN_ARGS(problem.message));
    stream->is_refused = true;
    return true;
}

/* The text of what was cut: without blanks around it, or without the CR of its newline. */
static struct span strip(const struct record_stream *stream, struct span text)
{
    if (stream->format != STREAM_CSV)
        return span_trim(text);
    bool has_return = span_ends_with(text, SPAN("\r"));
    return span_slice(text, 0, text.size - has_return);
}

static void take_record(struct record_stream *stream, const struct cut *cut, struct span text,
                        struct arena *arena, struct stream_record *record)
{
    bool is_json = stream->format == STREAM_JSON;
    size_t lead = text.size == 0 ? 0 : (size_t)(text.text - cut->text.text);
    struct spot spot = spot_in(stream->place, cut->text, lead);
    stream->count++;
    *record = (struct stream_record){.number = is_json ? stream->count : spot.line,
                                     .is_malformed = cut->is_malformed};
    tell(record, spot, is_json, SPAN(""));
    if (cut->problem != NULL)
        tell(record, spot_in(spot, text, cut->problem_at), is_json || cut->is_malformed,
             span_from_text(cut->problem));
    else if (arena != NULL)
        read_text(stream, text, &spot, arena, record);
}

/* False when what was cut is no record: a blank line, a header, the rest of a large record. */
static bool take(struct record_stream *stream, struct cut *cut, struct arena *arena,
                 struct stream_record *record)
{
    bool is_rest = stream->is_skipping;
    struct span text = strip(stream, cut->text);
    stream->is_skipping = cut->is_part;
    if (is_rest || (text.size == 0 && cut->problem == NULL))
        return false;
    if (text.size > stream->options.record_bytes_max && cut->problem == NULL)
        cut->problem = "the record is too large";
    if (stream->format == STREAM_CSV && !stream->has_table && !stream->is_refused)
        return take_header(stream, cut, text, record) && arena != NULL;
    take_record(stream, cut, text, arena, record);
    return true;
}

enum stream_answer record_stream_next(struct record_stream *stream, struct arena *arena,
                                      struct stream_record *record)
{
    struct cut cut;
    while (!stream->is_refused || arena == NULL) {
        if (pass_mark(stream) && find_format(stream) && cut_any(stream, &cut)) {
            bool is_record = take(stream, &cut, arena, record);
            consume(stream, cut.next);
            if (is_record)
                return STREAM_RECORD;
        } else if (!unpack(stream)) {
            return is_last(stream) ? STREAM_ENDED : STREAM_WANTS;
        }
    }
    return STREAM_ENDED;
}

/* Names */

static const struct span format_names[] = {
    [STREAM_UNKNOWN] = SPAN_INIT(""),
    [STREAM_NDJSON] = SPAN_INIT("ndjson"),
    [STREAM_CSV] = SPAN_INIT("csv"),
    [STREAM_JSON] = SPAN_INIT("json"),
};

bool stream_format_find(struct span name, enum stream_format *format)
{
    for (enum stream_format f = STREAM_NDJSON; f <= STREAM_JSON; f++) {
        if (!span_equal(name, format_names[f]))
            continue;
        *format = f;
        return true;
    }
    return false;
}

enum stream_format stream_format_of_path(struct span path)
{
    if (span_ends_with(path, SPAN(".gz")))
        path.size -= 3;
    if (span_ends_with(path, SPAN(".zst")))
        path.size -= 4;
    if (span_ends_with(path, SPAN(".ndjson")) || span_ends_with(path, SPAN(".jsonl")))
        return STREAM_NDJSON;
    if (span_ends_with(path, SPAN(".csv")))
        return STREAM_CSV;
    return span_ends_with(path, SPAN(".json")) ? STREAM_JSON : STREAM_UNKNOWN;
}

struct span record_stream_lines(const struct record_stream *stream)
{
    bool is_between = stream->is_behind_mark && stream->format == STREAM_NDJSON &&
                      !stream->is_skipping && stream->problem == NULL;
    if (!is_between || stream->begin == stream->end)
        return SPAN("");
    struct span text = window(stream);
    const char *newline = memrchr(text.text, '\n', text.size);
    return newline == NULL ? SPAN("") : span_slice(text, 0, (size_t)(newline - text.text) + 1);
}

uint64_t record_stream_line(const struct record_stream *stream)
{
    return stream->place.line;
}

void record_stream_pass(struct record_stream *stream, size_t size, uint64_t lines)
{
    ensure(size <= stream->end - stream->begin);
    if (size == 0)
        return;
    ensure(stream->bytes[stream->begin + size - 1] == '\n');
    stream->begin += size;
    stream->line_at = 0;
    stream->place = (struct spot){stream->place.line + lines, 1};
}
