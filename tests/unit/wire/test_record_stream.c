/*
 * test_record_stream.c - NDJSON and JSON lists in pieces, formats by name and by content, gzip.
 */
#include "wire/record_stream.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <zlib.h>

#include "stream_fixture.h"

struct row {
    const char *text;
    const char *told;
};

static void expect_rows(enum stream_format format, const struct row *rows, size_t count)
{
    struct stream_options options = {.format = format, .record_bytes_max = 1000};
    for (size_t i = 0; i < count; i++)
        expect_stream(&options, span_from_text(rows[i].text), rows[i].told);
}

static void ndjson_is_a_record_a_line(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"", ""},
        {" \n\r\n\t", ""},
        {"{\"a\":1}\n{\"a\":2}\r\n\n{\"a\":3}", "1 {\"a\":1}\n2 {\"a\":2}\n4 {\"a\":3}\n"},
        {"\xef\xbb\xbf{\"a\":1}", "1 {\"a\":1}\n"},
        {"{\"a\":1}\n{bad\n[1]\n  {\"é\":x}\n{\"a\":2}",
         "1 {\"a\":1}\n2:2 expected a key in double quotes\n3 a record must be a JSON object\n"
         "4:8 not a value of JSON\n5 {\"a\":2}\n"},
    };
    expect_rows(STREAM_NDJSON, ROWS, COUNT(ROWS));
}

static void json_is_a_list_of_records(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"", ""},
        {" \n", ""},
        {"[]", ""},
        {" [ \n ] \n", ""},
        {"[{\"a\":1}]", "1:2 {\"a\":1}\n"},
        {"\xef\xbb\xbf[{\"a\":1},{\"a\":2}]\n", "1:2 {\"a\":1}\n1:10 {\"a\":2}\n"},
        {"[\n  {\"a\": 1},\n  {\n    \"a\": [{\"b\": 2}, {\"c\": 3}]\n  }\n]\n",
         "2:3 {\"a\":1}\n3:3 {\"a\":[{\"b\":2},{\"c\":3}]}\n"},
        {"[{\"a\":\"]}\\\"[{,\\\\\"},{\"b\":2}]",
         "1:2 {\"a\":\"]}\\\"[{,\\\\\"}\n1:20 {\"b\":2}\n"},
        {"[\n{\"a\":[\n{\"b\":1},\n{\n\"c\":\n{}\n}\n]\n},\n{}\n]",
         "2:1 {\"a\":[{\"b\":1},{\"c\":{}}]}\n10:1 {}\n"},
        {"{\"a\":1}", "1:1 {\"a\":1}\n"},
        {"{\n\"a\":\n1\n}\n{\"a\":2} {\"a\":3}{}",
         "1:1 {\"a\":1}\n5:1 {\"a\":2}\n5:9 {\"a\":3}\n"
         "5:16 {}\n"},
    };
    expect_rows(STREAM_JSON, ROWS, COUNT(ROWS));
}

static void a_bad_element_takes_no_other_with_it(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"[1,{\"a\":1},\"x\",[{}],null]",
         "1:2 a record must be a JSON object\n1:4 {\"a\":1}\n1:12 a record must be a JSON "
         "object\n"
         "1:16 a record must be a JSON object\n1:21 a record must be a JSON object\n"},
        {"[{\"a\":1,},{\"a\":2}]", "1:9 a comma before the closing bracket\n1:11 {\"a\":2}\n"},
        {"[{\"a\":[1},{\"a\":2}]", "1:9 expected ',' or ']'\n1:11 {\"a\":2}\n"},
        {"[{\"a\":1]},{\"a\":2}]", "1:8 expected ',' or '}'\n1:11 {\"a\":2}\n"},
        {"[{\"a\":1}},{\"a\":2}]", "1:9 text after the end of the document\n1:11 {\"a\":2}\n"},
        {"[{a:1},{\"a\":2}]", "1:3 expected a key in double quotes\n1:8 {\"a\":2}\n"},
        {"[{\"a\":1} {\"a\":2},{\"a\":3}]", "1:2 {\"a\":1}\n1:10 no comma between this record "
                                            "and the one before\n1:18 {\"a\":3}\n"},
        {"[,{\"a\":2},,{\"a\":3},]",
         "1:2 a record is missing beside a comma\n1:3 {\"a\":2}\n1:11 a record is missing "
         "beside a "
         "comma\n1:12 {\"a\":3}\n1:20 a record is missing beside a comma\n"},
        /* Not closed: the next line that begins like the element begins another one. */
        {"[\n{\"a\":{\"b\":1},\n{\"a\":2},\n{\"a\":3}\n]",
         "2:14 expected a key in double quotes\n3:1 {\"a\":2}\n4:1 {\"a\":3}\n"},
        {"[{\"a\":\"x},\n{\"a\":2}]", "1:11 the string does not end\n2:1 {\"a\":2}\n"},
        {"[\n  {\n    \"a\": 1,\n  {\n    \"a\": 2\n  }\n]",
         "3:12 expected a key in double quotes\n4:3 {\"a\":2}\n"},
        {"[\n{\"a\":1\n,{\"a\":2}]", "3:2 expected a key in double quotes\n"},
        {"[{\"a\":1}\n",
         "1:2 {\"a\":1}\n2:1 the list does not end: `]` is missing, and records "
         "may be\n"},
        {"[{\"a\":1},{\"a\":", "1:2 {\"a\":1}\n1:15 a value is missing\n"},
        {"[{\"a\":1},{\"a\":\"x", "1:2 {\"a\":1}\n1:17 the string does not end\n"},
        {"[", "1:2 the list does not end: `]` is missing, and records may be\n"},
        {"[{\"a\":1}]\n{\"a\":2}\n", "1:2 {\"a\":1}\n2:1 text behind the end of the list\n"},
        {"{\"a\":1\n{\"a\":2}\n", "1:7 expected ',' or '}'\n2:1 {\"a\":2}\n"},
        {"{\"a\":1}}\n{\"a\":2}", "1:1 {\"a\":1}\n1:8 not a value of JSON\n2:1 {\"a\":2}\n"},
        {"hello\n{\"a\":2}", "1:1 not a value of JSON\n2:1 {\"a\":2}\n"},
        {"[{\"a\":\"\xff\"},{\"a\":2}]", "1:8 not valid UTF-8\n1:12 {\"a\":2}\n"},
    };
    expect_rows(STREAM_JSON, ROWS, COUNT(ROWS));
}

static void deeper_than_json_may_be_brackets_are_still_counted(void **state)
{
    (void)state;
    struct stream_options options = {.format = STREAM_JSON, .record_bytes_max = 1000};
    struct text text;
    text_init(&text, NULL);
    text_add(&text, SPAN("["));
    for (int i = 0; i < 300; i++)
        text_add(&text, SPAN("["));
    for (int i = 0; i < 300; i++)
        text_add(&text, SPAN("]"));
    text_add(&text, SPAN(",{\"a\":1}]"));
    expect_stream(&options, text_span(&text),
                  "1:102 nested deeper than 100 levels\n1:603 {\"a\":1}\n");
    text_fini(&text);
}

static void records_have_a_largest_size(void **state)
{
    (void)state;
    static const struct stream_options NDJSON = {.format = STREAM_NDJSON,
                                                 .record_bytes_max = 8};
    static const struct row LINES[] = {
        {"{\"a\":12}\r\n{\"a\":123}\n{}\n", "1 {\"a\":12}\n2 the record is too large\n3 {}\n"},
        {"{\"a\":\"890123456789012345678\n{}", "1 the record is too large\n2 {}\n"},
    };
    static const struct stream_options JSON = {.format = STREAM_JSON, .record_bytes_max = 8};
    static const struct row LISTS[] = {
        {"[{\"a\":12},\n\n{\"a\":123},{}]", "1:2 {\"a\":12}\n3:1 the record is too large\n3:11 "
                                            "{}\n"},
        {"[{\"a\":\"},{,,]]345678901234567890\"},{}]",
         "1:2 the record is too large\n1:36 {}\n"},
        {"[{},             \n                                  {}]", "1:2 {}\n2:35 {}\n"},
        {"[{}]  x                                  ",
         "1:2 {}\n1:7 text behind the end of the list\n"},
        {"[{\"a\":1,\n\n\n\n\n\n\n\n\n\n{\"a\":2}]",
         "1:2 the record is too large\n11:1 {\"a\":2}\n"},
    };
    for (size_t i = 0; i < COUNT(LINES); i++)
        expect_stream(&NDJSON, span_from_text(LINES[i].text), LINES[i].told);
    for (size_t i = 0; i < COUNT(LISTS); i++)
        expect_stream(&JSON, span_from_text(LISTS[i].text), LISTS[i].told);
}

static void content_tells_the_format(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"", ""},
        {"\n\n", ""},
        {"{\"a\":1}\n{\"a\":2}\n", "1 {\"a\":1}\n2 {\"a\":2}\n"},
        {"\n [{\"a\":1}]", "2:3 {\"a\":1}\n"},
        {"a,b\n1,2", "2 {\"a\":\"1\",\"b\":\"2\"}\n"},
        {"\xef\xbb\xbf\"a\",b\n1,2", "2 {\"a\":\"1\",\"b\":\"2\"}\n"},
        {"\xef\xbb\xbf[{}]", "1:2 {}\n"},
        {"hello\n{}", "1:1 not a value of JSON\n2 {}\n"},
        {"a,b", ""},
    };
    expect_rows(STREAM_UNKNOWN, ROWS, COUNT(ROWS));
}

static void names_tell_the_format(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum stream_format format;
    } ROWS[] = {
        {"a.csv", STREAM_CSV},       {"a.b/c.csv.gz", STREAM_CSV},
        {"a.ndjson", STREAM_NDJSON}, {"a.jsonl.gz", STREAM_NDJSON},
        {"a.json", STREAM_JSON},     {"-", STREAM_UNKNOWN},
        {"csv", STREAM_UNKNOWN},     {".gz", STREAM_UNKNOWN},
        {"a.txt", STREAM_UNKNOWN},   {"", STREAM_UNKNOWN},
    };
    static const char *const NAMES[] = {"ndjson", "csv", "json"};
    enum stream_format format = STREAM_UNKNOWN;
    for (size_t i = 0; i < COUNT(ROWS); i++)
        assert_int_equal(stream_format_of_path(span_from_text(ROWS[i].path)), ROWS[i].format);
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        assert_true(stream_format_find(span_from_text(NAMES[i]), &format));
        assert_int_equal(format, STREAM_NDJSON + i);
    }
    assert_false(stream_format_find(SPAN("xml"), &format));
    assert_false(stream_format_find(SPAN(""), &format));
}

static void records_without_an_id_have_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t numbers[3];
    } ROWS[] = {
        {"{}\n\n{}", {1, 3}},
        {"a,b\n1,\"\n2\"\n3,4", {2, 4}},
        {"[{},1,\n{}]", {1, 2, 3}},
    };
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct stream_options options = {.record_bytes_max = 100};
        struct record_stream *stream = record_stream_open(&options);
        struct stream_record record;
        struct arena arena;
        arena_open(&arena, 1 << 20);
        record_stream_feed(stream, span_from_text(ROWS[i].text));
        record_stream_end(stream, true);
        for (size_t n = 0; n < 3 && ROWS[i].numbers[n] > 0; n++) {
            assert_int_equal(record_stream_next(stream, &arena, &record), STREAM_RECORD);
            assert_int_equal(record.number, ROWS[i].numbers[n]);
        }
        assert_int_equal(record_stream_next(stream, &arena, &record), STREAM_ENDED);
        arena_close(&arena);
        record_stream_close(stream);
    }
}

/* What was read before reading failed is told; what was begun is not. */
static void a_cut_input_ends_with_its_last_whole_record(void **state)
{
    (void)state;
    static const char *const ROWS[] = {"{\"a\":1}\n{\"a\":2}", "a,b\n1,2\n3,4", "[{},[1],{}"};
    static const uint64_t COUNTS[] = {1, 1, 2};
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct stream_options options = {.record_bytes_max = 100};
        struct record_stream *stream = record_stream_open(&options);
        struct stream_record record;
        uint64_t count = 0;
        record_stream_feed(stream, span_from_text(ROWS[i]));
        record_stream_end(stream, false);
        while (record_stream_next(stream, NULL, &record) == STREAM_RECORD)
            count++;
        assert_int_equal(count, COUNTS[i]);
        record_stream_close(stream);
    }
}

/* Appends the text as one gzip member. */
static void pack(struct text *packed, struct span text)
{
    z_stream stream = {.next_in = (z_const Bytef *)(uintptr_t)text.text,
                       .avail_in = (uInt)text.size};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    uLong bound = deflateBound(&stream, text.size);
    stream.next_out = (Bytef *)text_reserve(packed, bound);
    stream.avail_out = (uInt)bound;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed->size += stream.total_out;
    deflateEnd(&stream);
}

static void gzip_is_unpacked_whatever_is_in_it(void **state)
{
    (void)state;
    static const struct stream_options OPTIONS = {.record_bytes_max = 1000};
    static const struct row ROWS[] = {
        {"", ""},
        {"{\"a\":1}\n{\"a\":2}", "1 {\"a\":1}\n2 {\"a\":2}\n"},
        {"a,b\r\n1,2", "2 {\"a\":\"1\",\"b\":\"2\"}\n"},
        {"[{\"a\":1}]", "1:2 {\"a\":1}\n"},
    };
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct text packed;
        text_init(&packed, NULL);
        pack(&packed, span_from_text(ROWS[i].text));
        expect_stream(&OPTIONS, text_span(&packed), ROWS[i].told);
        pack(&packed, SPAN("")); /* members and padding may follow */
        pack(&packed, SPAN("\n\n"));
        text_add(&packed, span_of("\0\0\0", 3));
        expect_stream(&OPTIONS, text_span(&packed), ROWS[i].told);
        text_fini(&packed);
    }
}

static void damaged_gzip_is_told_behind_what_is_good(void **state)
{
    (void)state;
    static const struct stream_options OPTIONS = {.record_bytes_max = 1000};
    struct text packed;
    text_init(&packed, NULL);
    pack(&packed, SPAN("{\"a\":1}\n{\"a\":2"));
    pack(&packed, SPAN("}\n{\"a\":3}\n{\"a\":4}"));
    struct span bytes = text_span(&packed);
    expect_stream(&OPTIONS, span_slice(bytes, 0, bytes.size - 1),
                  "1 {\"a\":1}\n2 {\"a\":2}\n3 {\"a\":3}\n! the gzip data ends too early\n");
    packed.bytes[packed.size - 6] ^= 1; /* of the checksum */
    expect_stream(&OPTIONS, text_span(&packed),
                  "1 {\"a\":1}\n2 {\"a\":2}\n3 {\"a\":3}\n! the gzip data is damaged\n");
    packed.bytes[packed.size - 6] ^= 1;
    text_add(&packed, SPAN("xyz"));
    expect_stream(&OPTIONS, text_span(&packed),
                  "1 {\"a\":1}\n2 {\"a\":2}\n3 {\"a\":3}\n! the gzip data is damaged\n");
    expect_stream(&OPTIONS, SPAN("\x1f\x8b"), "! the gzip data ends too early\n");
    expect_stream(&OPTIONS, SPAN("\x1f\x8bno"), "! the gzip data is damaged\n");
    expect_stream(&OPTIONS, SPAN("\x1f"), "1:1 not a value of JSON\n");
    text_fini(&packed);
}

/* Ten megabytes of one row are ten kilobytes in gzip. */
static void a_gzip_bomb_needs_no_more_memory_than_a_record(void **state)
{
    (void)state;
    static const struct stream_options OPTIONS = {.record_bytes_max = 1000};
    struct text text;
    struct text packed;
    text_init(&text, NULL);
    text_init(&packed, NULL);
    text_add(&text, SPAN("a\n"));
    memset(text_reserve(&text, 10 << 20), ' ', 10 << 20);
    text.size += 10 << 20;
    text_add(&text, SPAN("\n{}\n"));
    pack(&packed, text_span(&text));
    text_fini(&text);
    struct text told;
    text_init(&told, NULL);
    read_stream(&OPTIONS, text_span(&packed), SIZE_MAX, &told);
    assert_string_equal(told.bytes,
                        "1:1 not a value of JSON\n2 the record is too large\n3 {}\n");
    text_fini(&told);
    text_fini(&packed);
}

static long most_kilobytes(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* Twelve megabytes of rows in a hundred members of gzip. */
static void pack_many_rows(struct text *packed)
{
    enum { MEMBERS = 100, ROWS_EACH = 2000 };
    struct text rows;
    text_init(&rows, NULL);
    pack(packed, SPAN("id,customer,total,note\n"));
    for (int i = 0; i < MEMBERS * ROWS_EACH; i++) {
        text_format(&rows, "order-%d,customer-%d,%d.5,\"a note, with a comma\"\n", i, i % 997,
                    i);
        if (i % ROWS_EACH != ROWS_EACH - 1)
            continue;
        pack(packed, text_span(&rows));
        text_clear(&rows);
    }
    text_fini(&rows);
}

/* Two hundred thousand records pass through the memory of a few. */
static void memory_does_not_grow_with_the_input(void **state)
{
    (void)state;
    struct stream_options options = {.format = STREAM_CSV, .record_bytes_max = 1 << 20};
    struct stream_record record;
    static char memory[16 << 10];
    struct arena arena;
    struct text packed;
    text_init(&packed, NULL);
    pack_many_rows(&packed);
    long before = most_kilobytes();
    struct record_stream *stream = record_stream_open(&options);
    arena_init(&arena, memory, sizeof memory);
    record_stream_feed(stream, text_span(&packed));
    record_stream_end(stream, true);
    uint64_t count = 0;
    for (; record_stream_next(stream, &arena, &record) == STREAM_RECORD; count++) {
        assert_int_equal(record.problem.size, 0);
        assert_int_equal(record.value.count, 4);
        arena_clear(&arena);
    }
    assert_int_equal(count, 200000);
    print_message("# %ld kB more than the %ld kB before\n", most_kilobytes() - before, before);
    assert_true(most_kilobytes() - before < 6 << 10);
    record_stream_close(stream);
    text_fini(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First, while the process has not yet been any larger. */
        cmocka_unit_test(memory_does_not_grow_with_the_input),
        cmocka_unit_test(ndjson_is_a_record_a_line),
        cmocka_unit_test(json_is_a_list_of_records),
        cmocka_unit_test(a_bad_element_takes_no_other_with_it),
        cmocka_unit_test(deeper_than_json_may_be_brackets_are_still_counted),
        cmocka_unit_test(records_have_a_largest_size),
        cmocka_unit_test(content_tells_the_format),
        cmocka_unit_test(names_tell_the_format),
        cmocka_unit_test(records_without_an_id_have_a_number),
        cmocka_unit_test(a_cut_input_ends_with_its_last_whole_record),
        cmocka_unit_test(gzip_is_unpacked_whatever_is_in_it),
        cmocka_unit_test(damaged_gzip_is_told_behind_what_is_good),
        cmocka_unit_test(a_gzip_bomb_needs_no_more_memory_than_a_record),
    };
    return cmocka_run_group_tests_name("record_stream", tests, NULL, NULL);
}
