/*
 * test_csv.c - CSV as RFC 4180 has it, and what is not: rows, headers, kinds of columns.
 */
#include <stdlib.h>

#include "stream_fixture.h"

struct row {
    const char *text;
    const char *told;
};

static void expect_rows(const struct row *rows, size_t count, csv_kind *kind_of)
{
    struct stream_options options = {
        .format = STREAM_CSV, .record_bytes_max = 1000, .kind_of = kind_of};
    for (size_t i = 0; i < count; i++)
        expect_stream(&options, span_from_text(rows[i].text), rows[i].told);
}

static void rows_are_records(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"", ""},
        {"\n\n", ""},
        {"id,n", ""},
        {"id,n\n", ""},
        {"id,n\n1,2", "2 {\"id\":\"1\",\"n\":\"2\"}\n"},
        {"id,n\r\n1,2\r\n3,4\r\n",
         "2 {\"id\":\"1\",\"n\":\"2\"}\n3 {\"id\":\"3\",\"n\":\"4\"}\n"},
        {"id,n\n1,2\r\n3,4\r", "2 {\"id\":\"1\",\"n\":\"2\"}\n3 {\"id\":\"3\",\"n\":\"4\"}\n"},
        {"\n\r\nid\n\n1\n\r\n\n2\n", "5 {\"id\":\"1\"}\n8 {\"id\":\"2\"}\n"},
        {"\xef\xbb\xbfid\n1", "2 {\"id\":\"1\"}\n"},
        {"\xef\xbb\xbf\"id\"\n1", "2 {\"id\":\"1\"}\n"},
        {"\xef\xbb\xbf", ""},
        {"a, b \n x ,y", "2 {\"a\":\" x \",\" b \":\"y\"}\n"},
        {"a\n\rx\ry", "2 {\"a\":\"\\rx\\ry\"}\n"},
        {"a;b\n1;2", "2 {\"a;b\":\"1;2\"}\n"},
        {"a\n0012\n1e3\ntrue", "2 {\"a\":\"0012\"}\n3 {\"a\":\"1e3\"}\n4 {\"a\":\"true\"}\n"},
        {"é\n日本", "2 {\"é\":\"日本\"}\n"},
    };
    expect_rows(ROWS, COUNT(ROWS), NULL);
}

static void an_empty_cell_is_a_missing_member(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"a,b,c\n,,\n", "2 {}\n"},
        {"a,b,c\n1,,3\n", "2 {\"a\":\"1\",\"c\":\"3\"}\n"},
        {"a,b,c\n\"\",\"\",\"\"\n", "2 {}\n"},
        {"a,b,c\n , ,\" \"", "2 {\"a\":\" \",\"b\":\" \",\"c\":\" \"}\n"},
        {"a\n\"\"\n", "2 {}\n"},
    };
    expect_rows(ROWS, COUNT(ROWS), NULL);
}

static void quotes_hold_commas_newlines_and_quotes(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"a,b\n\"1,2\",3", "2 {\"a\":\"1,2\",\"b\":\"3\"}\n"},
        {"a,b\n\"1\n2\",3\n4,5",
         "2 {\"a\":\"1\\n2\",\"b\":\"3\"}\n4 {\"a\":\"4\",\"b\":\"5\"}\n"},
        {"a\n\"1\r\n2\"\r\n3\r\n", "2 {\"a\":\"1\\r\\n2\"}\n4 {\"a\":\"3\"}\n"},
        {"a\n\"\"\"\"", "2 {\"a\":\"\\\"\"}\n"},
        {"a,b\n\"\"\"x\"\"\",\"y\"\"z\"\n", "2 {\"a\":\"\\\"x\\\"\",\"b\":\"y\\\"z\"}\n"},
        {"a\n\"\"\"\n\"\"\"\n", "2 {\"a\":\"\\\"\\n\\\"\"}\n"},
        {"\"a,\nb\",c\n1,2", "3 {\"a,\\nb\":\"1\",\"c\":\"2\"}\n"},
        {"a\n\"x\"\r", "2 {\"a\":\"x\"}\n"},
        {"a,b\n\"\",\"x\"\n", "2 {\"b\":\"x\"}\n"},
    };
    expect_rows(ROWS, COUNT(ROWS), NULL);
}

static void what_is_wrong_with_a_row_is_said_and_the_others_are_read(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"a,b\n1\n2,3", "2 1 cell, but the header has 2\n3 {\"a\":\"2\",\"b\":\"3\"}\n"},
        {"a,b\n1,2,3\n", "2 3 cells, but the header has 2\n"},
        {"a\n1\xff\n2\n", "2:2 not valid UTF-8\n3 {\"a\":\"2\"}\n"},
        {"a,b\né,\"x\n\xc3\"\n", "3:1 not valid UTF-8\n"},
        {"a,b\n1,x\"y\n2,3",
         "2:4 a quote in a cell that does not begin with one\n3 {\"a\":\"2\",\"b\":\"3\"}\n"},
        {"a,b\n1,\"x\"y\n2,3", "2:6 text behind a closing quote (a quote in a cell is written "
                               "twice)\n3 {\"a\":\"2\",\"b\":\"3\"}\n"},
        {"a,b\n1,\"x\"\ry\n2,3",
         "2:7 text behind a closing quote (a quote in a cell is written "
         "twice)\n3 {\"a\":\"2\",\"b\":\"3\"}\n"},
        /* A quote that is not closed takes no other record with it. */
        {"a,b\n1,\"x\n2,3\n4,5",
         "2:3 the quote that opens here is not closed\n3 {\"a\":\"2\",\"b\":\"3\"}\n"
         "4 {\"a\":\"4\",\"b\":\"5\"}\n"},
        {"a,b\n1,\"x\n2,\"3\"\n4,5\n",
         "2:3 the quote that opens here is not closed\n3 {\"a\":\"2\",\"b\":\"3\"}\n"
         "4 {\"a\":\"4\",\"b\":\"5\"}\n"},
        {"a,b\n1,\"x\n2,3\n4,\"5\n",
         "2:3 the quote that opens here is not closed\n3 {\"a\":\"2\",\"b\":\"3\"}\n"
         "4:3 the quote that opens here is not closed\n"},
        {"a,b\n1,\"", "2:3 the quote that opens here is not closed\n"},
        {"a\n\"\n1", "2:1 the quote that opens here is not closed\n3 {\"a\":\"1\"}\n"},
    };
    expect_rows(ROWS, COUNT(ROWS), NULL);
}

static void a_header_that_is_no_good_ends_it(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"a,b,a\n1,2,3",
         "1:5 the header is no good, so nothing is read: the column `a` is there "
         "twice: column 1 has it too\n"},
        {"a,,b\n1,2,3",
         "1:3 the header is no good, so nothing is read: the column has no name\n"},
        {"a,\"\"\n1,2",
         "1:3 the header is no good, so nothing is read: the column has no name\n"},
        {"a,b,\n1,2,",
         "1:5 the header is no good, so nothing is read: the column has no name\n"},
        {"a,\"b\n1,2",
         "1:3 the header is no good, so nothing is read: the quote that opens here "
         "is not closed\n"},
        {"\n\xff\xfe"
         "a\n1",
         "2:1 the header is no good, so nothing is read: not valid UTF-8\n"},
    };
    expect_rows(ROWS, COUNT(ROWS), NULL);
}

static enum value_kind kind_of(void *context, struct span column)
{
    (void)context;
    return span_is(column, "b")   ? VALUE_BOOL
           : span_is(column, "i") ? VALUE_INT
           : span_is(column, "d") ? VALUE_DOUBLE
                                  : VALUE_STRING;
}

static void cells_become_what_their_column_holds(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"b\ntrue\nfalse\nTRUE\nFalse\n\"true\"\n",
         "2 {\"b\":true}\n3 {\"b\":false}\n4 {\"b\":true}\n5 {\"b\":false}\n6 {\"b\":true}\n"},
        {"b\n1\nyes\ntru\ntruex\n true",
         "2:1 `b` must be true or false\n3:1 `b` must be true or "
         "false\n4:1 `b` must be true or false\n5:1 `b` must be "
         "true or false\n6:1 `b` must be true or false\n"},
        {"i\n0\n-12\n9223372036854775807\n",
         "2 {\"i\":0}\n3 {\"i\":-12}\n4 {\"i\":9223372036854775807}\n"},
        {"i\n1.0\n007\n+1\n9223372036854775808\n1x\n\"[1]\"\n",
         "2:1 `i` must be a whole number\n3:1 `i` must be a whole number\n4:1 `i` must be a "
         "whole "
         "number\n5:1 `i` must be a whole number\n6:1 `i` must be a whole number\n7:1 `i` must "
         "be "
         "a whole number\n"},
        {"d\n1\n1.5\n-2e3\n", "2 {\"d\":1.0}\n3 {\"d\":1.5}\n4 {\"d\":-2000.0}\n"},
        {"d\n.5\n1e999\n\"1,5\"\nnull\n",
         "2:1 `d` must be a number\n3:1 `d` must be a number\n4:1 "
         "`d` must be a number\n5:1 `d` must be a number\n"},
        {"s,i,d,b\n1,2,3,true\n,,,\n", "2 {\"s\":\"1\",\"i\":2,\"d\":3.0,\"b\":true}\n3 {}\n"},
        {"s,i\n\"é\n\",x\n", "3:3 `i` must be a whole number\n"},
    };
    expect_rows(ROWS, COUNT(ROWS), kind_of);
}

static void records_have_a_largest_size(void **state)
{
    (void)state;
    static const struct stream_options EIGHT = {.format = STREAM_CSV, .record_bytes_max = 8};
    static const struct row ROWS[] = {
        {"a\n12345678\n2\n", "2 {\"a\":\"12345678\"}\n3 {\"a\":\"2\"}\n"},
        {"a\n12345678\r\n2", "2 {\"a\":\"12345678\"}\n3 {\"a\":\"2\"}\n"},
        {"a\n123456789\n2", "2 the record is too large\n3 {\"a\":\"2\"}\n"},
        {"a\n123456789", "2 the record is too large\n"},
        {"a\n1234567890123456789012345\n2", "2 the record is too large\n3 {\"a\":\"2\"}\n"},
        {"a\n\"34567890123456789012345\n2", "2 the record is too large\n3 {\"a\":\"2\"}\n"},
        {"a\n\"3\n5678901\"\n2",
         "2:1 the quote that opens here is not closed\n3:8 a quote in a "
         "cell that does not begin with one\n4 {\"a\":\"2\"}\n"},
        {"a\n\"3\n\"\n\n1\n\n\n\n\n2",
         "2 {\"a\":\"3\\n\"}\n5 {\"a\":\"1\"}\n10 {\"a\":\"2\"}\n"},
        {"a2345678,\nb",
         "1 the header is no good, so nothing is read: the record is too large\n"},
    };
    for (size_t i = 0; i < COUNT(ROWS); i++)
        expect_stream(&EIGHT, span_from_text(ROWS[i].text), ROWS[i].told);
}

/* Quotes that stay open are looked for again line by line: in linear time all the same. */
static void many_open_quotes_are_no_trouble(void **state)
{
    (void)state;
    static const char *const LINES[] = {"\"\n",     "\"x\"y\n", "x\",\"\n",
                                        "\"\"\"\n", "\",\"x\n", "\"\"x\"\n"};
    const struct stream_options options = {.format = STREAM_CSV, .record_bytes_max = 100 << 10};
    for (size_t i = 0; i < COUNT(LINES); i++) {
        struct text text;
        struct text told;
        text_init(&text, NULL);
        text_init(&told, NULL);
        text_add(&text, SPAN("a,b\nx,\"\n"));
        while (text.size < 400 << 10)
            text_add(&text, span_from_text(LINES[i]));
        read_stream(&options, text_span(&text), 64 << 10, &told);
        assert_true(told.size > 0);
        text_fini(&told);
        text_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_records),
        cmocka_unit_test(an_empty_cell_is_a_missing_member),
        cmocka_unit_test(quotes_hold_commas_newlines_and_quotes),
        cmocka_unit_test(what_is_wrong_with_a_row_is_said_and_the_others_are_read),
        cmocka_unit_test(a_header_that_is_no_good_ends_it),
        cmocka_unit_test(cells_become_what_their_column_holds),
        cmocka_unit_test(records_have_a_largest_size),
        cmocka_unit_test(many_open_quotes_are_no_trouble),
    };
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
