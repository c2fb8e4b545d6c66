/*
 * hash.h - three hashes for three purposes.
 *
 * hash_text: tables in memory; fast, not stored, not for hostile input at scale.
 * crc32c: the log's chain; finds damage (Castagnoli, RFC 3720 B.4).
 * sha256: identities of definitions and requests (FIPS 180-4).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

uint64_t hash_text(struct span text);

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
