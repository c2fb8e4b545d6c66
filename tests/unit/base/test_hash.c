/*
 * test_hash.c - checksums and digests against the vectors of their standards.
 */
#include "base/hash.h"

#include <stdio.h>

#include "base/random.h"
#include "expect.h"

/* Key 00 01 … 0f, text 00 01 …; little-endian machines. The vectors were made by another
 * implementation, which gives the paper's for SipHash-2-4. */
static void siphash_gives_the_vectors(void **state)
{
    static const struct {
        size_t size;
        uint64_t hash;
    } rows[] = {
        {0, 0xabac0158050fc4dc},  {1, 0xc9f49bf37d57ca93},  {7, 0xd3927d989bb11140},
        {8, 0x369095118d299a8e},  {9, 0x25a48eb36c063de4},  {15, 0xd320d86d2a519956},
        {16, 0xcc4fdd1a7d908b66}, {17, 0x9cf2689063dbd80c}, {63, 0x9d199062b7bbb3a8},
    };
    struct hash_key key = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}};
    char bytes[64];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_true(hash_keyed(key, span_of(bytes, rows[i].size)) == rows[i].hash);
}

static void another_key_is_another_hash(void **state)
{
    struct hash_key one = {{1, 2}};
    struct hash_key two = {{1, 3}};
    (void)state;
    assert_true(hash_keyed(one, SPAN("order-7")) == hash_keyed(one, SPAN("order-7")));
    assert_true(hash_keyed(one, SPAN("order-7")) != hash_keyed(two, SPAN("order-7")));
    assert_true(hash_keyed(one, SPAN("order-7")) != hash_keyed(one, SPAN("order-8")));
}

static void crc32c_gives_the_check_values(void **state)
{
    char zeros[32] = {0};
    char ones[32];
    char up[32];
    char down[32];
    (void)state;
    memset(ones, 0xff, sizeof ones);
    for (size_t i = 0; i < 32; i++) {
        up[i] = (char)i;
        down[i] = (char)(31 - i);
    }
    assert_int_equal(hash_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(hash_crc32c(0, NULL, 0), 0);
    assert_int_equal(hash_crc32c(0, "a", 1), 0xc1d04330);
    assert_int_equal(hash_crc32c(0, zeros, 32), 0x8a9136aa); /* RFC 3720, B.4 */
    assert_int_equal(hash_crc32c(0, ones, 32), 0x62a8ab43);
    assert_int_equal(hash_crc32c(0, up, 32), 0x46dd794e);
    assert_int_equal(hash_crc32c(0, down, 32), 0x113fdb5c);
}

static void crc32c_continues_at_any_cut_and_alignment(void **state)
{
    char bytes[100];
    struct random random = {30};
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)random_next(&random);
    for (size_t from = 0; from < 9; from++) {
        uint32_t whole = hash_crc32c(0, bytes + from, sizeof bytes - from);
        for (size_t cut = from; cut <= sizeof bytes; cut++) {
            uint32_t crc = hash_crc32c(0, bytes + from, cut - from);
            assert_int_equal(hash_crc32c(crc, bytes + cut, sizeof bytes - cut), whole);
        }
    }
}

/* One bit at a time, as the standard writes it. */
static uint32_t crc_by_bit(uint32_t crc, const uint8_t *bytes, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < 8 * size; i++) {
        uint32_t bit = (crc ^ (uint32_t)bytes[i / 8] >> i % 8) & 1;
        crc = crc >> 1 ^ (bit ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void crc32c_agrees_with_the_definition(void **state)
{
    struct random random = {32};
    uint8_t bytes[300];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)random_next(&random);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        uint32_t start = (uint32_t)random_next(&random);
        assert_int_equal(hash_crc32c(start, bytes, size), crc_by_bit(start, bytes, size));
    }
}

static void crc32c_sees_every_flipped_bit(void **state)
{
    char bytes[64];
    (void)state;
    memset(bytes, 'x', sizeof bytes);
    uint32_t good = hash_crc32c(0, bytes, sizeof bytes);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        assert_int_not_equal(hash_crc32c(0, bytes, sizeof bytes), good);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
}

static void expect_digest(const char *bytes, size_t size, size_t part, const char *expected)
{
    struct sha256 hash;
    uint8_t digest[32];
    char hex[65];
    sha256_init(&hash);
    for (size_t at = 0; at < size; at += part)
        sha256_add(&hash, bytes + at, part < size - at ? part : size - at);
    sha256_end(&hash, digest);
    hash_to_hex(digest, sizeof digest, hex);
    assert_string_equal(hex, expected);
}

static void sha256_gives_the_published_digests(void **state)
{
    static const struct {
        struct span text;
        const char *digest;
    } rows[] = {
        {ROW(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {ROW("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {ROW("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {ROW("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
             "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t part = 1; part < 130; part++)
            expect_digest(rows[i].text.text, rows[i].text.size, part, rows[i].digest);
    }
}

static void sha256_of_a_million_letters(void **state)
{
    char *letters = malloc(1000000);
    (void)state;
    memset(letters, 'a', 1000000);
    for (size_t part = 1000000; part > 60; part = part / 3)
        expect_digest(letters, 1000000, part,
                      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(letters);
}

/* The digest of the digests of 0, 1, … 129 letters: every padding once. */
static void sha256_pads_every_length(void **state)
{
    char letters[130];
    struct sha256 all;
    uint8_t digest[32];
    char hex[65];
    (void)state;
    memset(letters, 'a', sizeof letters);
    sha256_init(&all);
    for (size_t size = 0; size < sizeof letters; size++) {
        struct sha256 one;
        sha256_init(&one);
        sha256_add(&one, letters, size);
        sha256_end(&one, digest);
        sha256_add(&all, digest, sizeof digest);
    }
    sha256_end(&all, digest);
    hash_to_hex(digest, sizeof digest, hex);
    assert_string_equal(hex,
                        "39a48225ae6069c68f7c9f867bf47f4a2e188c3903dd919926b8259a73ecada5");
}

static void hexadecimal_is_lower_case_and_ended(void **state)
{
    char hex[9];
    (void)state;
    memset(hex, 'x', sizeof hex);
    hash_to_hex((const uint8_t *)"\x00\x9a\xbf\xff", 4, hex);
    assert_string_equal(hex, "009abfff");
    hash_to_hex(NULL, 0, hex);
    assert_string_equal(hex, "");
}

/* Tables use the low bits: names that differ little must not meet there. */
static void text_hashes_spread_in_their_low_bits(void **state)
{
    enum { SLOTS = 4096, NAMES = 4096 };
    unsigned counts[SLOTS] = {0};
    unsigned most = 0;
    (void)state;
    for (unsigned i = 0; i < NAMES; i++) {
        char name[16];
        int size = snprintf(name, sizeof name, "order-%u", i);
        unsigned *count = &counts[hash_text(span_of(name, (size_t)size)) % SLOTS];
        most = ++*count > most ? *count : most;
    }
    assert_true(most < 10);
    assert_int_not_equal(hash_text(SPAN("")), hash_text(SPAN("\0")));
    assert_int_equal(hash_text((struct span){NULL, 0}), hash_text(SPAN("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_gives_the_vectors),
        cmocka_unit_test(another_key_is_another_hash),
        cmocka_unit_test(crc32c_gives_the_check_values),
        cmocka_unit_test(crc32c_continues_at_any_cut_and_alignment),
        cmocka_unit_test(crc32c_sees_every_flipped_bit),
        cmocka_unit_test(crc32c_agrees_with_the_definition),
        cmocka_unit_test(sha256_gives_the_published_digests),
        cmocka_unit_test(sha256_of_a_million_letters),
        cmocka_unit_test(sha256_pads_every_length),
        cmocka_unit_test(hexadecimal_is_lower_case_and_ended),
        cmocka_unit_test(text_hashes_spread_in_their_low_bits),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
