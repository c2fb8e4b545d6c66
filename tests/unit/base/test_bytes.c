/*
 * test_bytes.c - numbers as bytes: the same back, one form only, and damage never read.
 */
#include "base/bytes.h"

#include "base/random.h"
#include "expect.h"

static const uint64_t numbers[] = {
    0,
    1,
    0x7f,
    0x80,
    0x3fff,
    0x4000,
    0xffffffff,
    0x100000000,
    (uint64_t)1 << 62,
    INT64_MAX,
    (uint64_t)1 << 63,
    UINT64_MAX - 1,
    UINT64_MAX,
};

static void write_one_of_each(struct text *to)
{
    bytes_add_u8(to, 0xfe);
    bytes_add_u32(to, 0x01020304);
    bytes_add_u64(to, 0x0102030405060708);
    bytes_add_varint(to, 300);
    bytes_add_signed(to, INT64_MIN);
    bytes_add_span(to, SPAN("span\0"));
    bytes_add_span(to, SPAN(""));
}

static void layout_is_little_endian(void **state)
{
    static const char expected[] = "\xfe"
                                   "\x04\x03\x02\x01"
                                   "\x08\x07\x06\x05\x04\x03\x02\x01"
                                   "\xac\x02"
                                   "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                                   "\x05span\0"
                                   "\x00";
    struct text to;
    (void)state;
    text_init(&to, NULL);
    write_one_of_each(&to);
    assert_int_equal(to.size, sizeof expected - 1);
    assert_memory_equal(to.bytes, expected, to.size);
    text_fini(&to);
}

static void what_was_written_is_read(void **state)
{
    struct text to;
    (void)state;
    text_init(&to, NULL);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        bytes_add_u8(&to, (uint8_t)numbers[i]);
        bytes_add_u32(&to, (uint32_t)numbers[i]);
        bytes_add_u64(&to, numbers[i]);
        bytes_add_varint(&to, numbers[i]);
        bytes_add_signed(&to, (int64_t)numbers[i]);
        bytes_add_span(&to, span_of((const char *)&numbers[i], i % 9));
    }
    struct byte_reader reader = byte_reader_of(text_span(&to));
    for (size_t i = 0; i < COUNT(numbers); i++) {
        assert_int_equal(bytes_read_u8(&reader), (uint8_t)numbers[i]);
        assert_int_equal(bytes_read_u32(&reader), (uint32_t)numbers[i]);
        assert_int_equal(bytes_read_u64(&reader), numbers[i]);
        assert_int_equal(bytes_read_varint(&reader), numbers[i]);
        assert_int_equal(bytes_read_signed(&reader), (int64_t)numbers[i]);
        struct span span = bytes_read_span(&reader);
        assert_true(span_equal(span, span_of((const char *)&numbers[i], i % 9)));
    }
    assert_false(reader.failed);
    assert_ptr_equal(reader.at, reader.end);
    text_fini(&to);
}

static void random_numbers_come_back(void **state)
{
    struct random random = {20};
    struct text to;
    (void)state;
    text_init(&to, NULL);
    for (size_t i = 0; i < 100000; i++) {
        uint64_t number = random_next(&random) >> (i % 64);
        text_clear(&to);
        bytes_add_varint(&to, number);
        bytes_add_signed(&to, (int64_t)number);
        bytes_add_signed(&to, (int64_t)~number);
        struct byte_reader reader = byte_reader_of(text_span(&to));
        assert_int_equal(bytes_read_varint(&reader), number);
        assert_int_equal(bytes_read_signed(&reader), (int64_t)number);
        assert_int_equal(bytes_read_signed(&reader), (int64_t)~number);
        assert_false(reader.failed);
    }
    text_fini(&to);
}

/* Reads one of each; they are right up to where the bytes end, and nothing after it. */
static void read_one_of_each(struct byte_reader *reader)
{
    bytes_read_u8(reader);
    bytes_read_u32(reader);
    bytes_read_u64(reader);
    bytes_read_varint(reader);
    bytes_read_signed(reader);
    bytes_read_span(reader);
    bytes_read_span(reader);
}

static void expect_only_zeros(struct byte_reader *reader)
{
    assert_true(reader->failed);
    assert_int_equal(bytes_read_u8(reader), 0);
    assert_int_equal(bytes_read_u32(reader), 0);
    assert_int_equal(bytes_read_u64(reader), 0);
    assert_int_equal(bytes_read_varint(reader), 0);
    assert_int_equal(bytes_read_signed(reader), 0);
    assert_int_equal(bytes_read_span(reader).size, 0);
    assert_true(reader->failed);
}

static void bytes_cut_at_any_place_fail(void **state)
{
    struct text to;
    (void)state;
    text_init(&to, NULL);
    write_one_of_each(&to);
    for (size_t size = 0; size < to.size; size++) {
        /* In memory of exactly this size, so that reading beyond it is seen. */
        char *part = malloc(size + (size == 0));
        memcpy(part, to.bytes, size);
        struct byte_reader reader = byte_reader_of(span_of(part, size));
        read_one_of_each(&reader);
        expect_only_zeros(&reader);
        free(part);
    }
    struct byte_reader reader = byte_reader_of(text_span(&to));
    read_one_of_each(&reader);
    assert_false(reader.failed);
    text_fini(&to);
}

static void the_read_that_fails_gives_zero_too(void **state)
{
    struct byte_reader reader = byte_reader_of(SPAN("\xff\xff"));
    (void)state;
    assert_int_equal(bytes_read_varint(&reader), 0);
    assert_true(reader.failed);
    reader = byte_reader_of(SPAN("\xff\xff"));
    assert_int_equal(bytes_read_signed(&reader), 0);
    reader = byte_reader_of(SPAN("\xff\xff\xff"));
    assert_int_equal(bytes_read_u32(&reader), 0);
}

static void no_bytes_at_all_fail_cleanly(void **state)
{
    struct byte_reader reader = byte_reader_of((struct span){NULL, 0});
    (void)state;
    assert_false(reader.failed);
    bytes_read_span(&reader);
    expect_only_zeros(&reader);
}

static void a_number_of_more_than_64_bits_fails_and_ends_the_reading(void **state)
{
    static const struct span rows[] = {
        ROW("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01 more behind it"),
        ROW("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80 more behind it"),
        ROW("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02 more behind it"),
        ROW("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f more behind it"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct byte_reader reader = byte_reader_of(rows[i]);
        assert_int_equal(bytes_read_varint(&reader), 0);
        expect_only_zeros(&reader);
    }
}

static void a_span_longer_than_the_rest_fails(void **state)
{
    static const struct span rows[] = {
        ROW("\x05span"),
        ROW("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01span"),
        ROW("\xff\xff\xff\xff\x0fspan"),
        ROW("\x01"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct byte_reader reader = byte_reader_of(rows[i]);
        assert_int_equal(bytes_read_span(&reader).size, 0);
        expect_only_zeros(&reader);
    }
}

static void random_bytes_are_never_read_beyond(void **state)
{
    struct random random = {21};
    (void)state;
    for (size_t round = 0; round < 20000; round++) {
        size_t size = (size_t)random_up_to(&random, 40);
        char *bytes = malloc(size + 1);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (char)random_next(&random);
        struct byte_reader reader = byte_reader_of(span_of(bytes, size));
        for (size_t i = 0; i < 50; i++)
            read_one_of_each(&reader);
        expect_only_zeros(&reader);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_is_little_endian),
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(random_numbers_come_back),
        cmocka_unit_test(bytes_cut_at_any_place_fail),
        cmocka_unit_test(the_read_that_fails_gives_zero_too),
        cmocka_unit_test(no_bytes_at_all_fail_cleanly),
        cmocka_unit_test(a_number_of_more_than_64_bits_fails_and_ends_the_reading),
        cmocka_unit_test(a_span_longer_than_the_rest_fails),
        cmocka_unit_test(random_bytes_are_never_read_beyond),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
