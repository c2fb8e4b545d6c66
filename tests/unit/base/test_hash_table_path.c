/*
 * test_hash_table_path.c - the checksum as machines without the instruction compute it.
 *
 * hash.c is compiled into this program as if the machine were another one, and must agree
 * with the vectors and with the checksum of one bit at a time.
 */
#include "base/random.h"
#include "expect.h"

#undef __x86_64__
#include "base/hash.c"

static uint32_t crc_by_bit(uint32_t crc, const uint8_t *bytes, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < 8 * size; i++) {
        uint32_t bit = (crc ^ (uint32_t)bytes[i / 8] >> i % 8) & 1;
        crc = crc >> 1 ^ (bit ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void the_table_gives_the_check_values(void **state)
{
    (void)state;
    assert_int_equal(hash_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(hash_crc32c(0, "a", 1), 0xc1d04330);
    assert_int_equal(hash_crc32c(hash_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

static void the_table_agrees_with_the_definition(void **state)
{
    struct random random = {31};
    uint8_t bytes[300];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)random_next(&random);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        uint32_t start = (uint32_t)random_next(&random);
        assert_int_equal(hash_crc32c(start, bytes, size), crc_by_bit(start, bytes, size));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_gives_the_check_values),
        cmocka_unit_test(the_table_agrees_with_the_definition),
    };
    return cmocka_run_group_tests_name("hash_table_path", tests, NULL, NULL);
}
