/*
 * hash.h - four hashes for four purposes.
 *
 * hash_text: small tables of names that a definition wrote; the same in every process.
 * hash_keyed: tables of what comes from outside (ids, keys). Who does not know the key cannot
 * choose texts that fall together; SipHash-1-3 (Aumasson, Bernstein).
 * crc32c: the log's chain; finds damage (Castagnoli, RFC 3720 B.4).
 * sha256: identities of definitions and requests (FIPS 180-4).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

uint64_t hash_text(struct span text);

/* From the system's random source, once for a table; all zeros where that does not matter. */
struct hash_key {
    uint64_t words[2];
};

uint64_t hash_keyed(struct hash_key key, struct span text);

/* Continues from an earlier checksum; begin with 0. */
uint32_t hash_crc32c(uint32_t crc, const void *bytes, size_t size);

struct sha256 {
    uint32_t state[8];
    uint64_t bytes;
    uint8_t block[64];
};

void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *bytes, size_t size);
void sha256_end(struct sha256 *hash, uint8_t digest[32]);

/* Writes 2 * size lower-case hexadecimal digits and a NUL. */
void hash_to_hex(const uint8_t *bytes, size_t size, char *hex);
