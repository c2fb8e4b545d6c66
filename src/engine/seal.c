/*
 * seal.c - CRC32C of number, key and bytes.
 */
#include "engine/seal.h"

#include "base/bytes.h"
#include "base/hash.h"

enum { SEAL_BYTES = 4 };

static uint32_t sum(struct span bytes, struct span key, uint64_t number)
{
    uint8_t digits[8];
    for (size_t i = 0; i < sizeof digits; i++)
        digits[i] = (uint8_t)(number >> (8 * i));
    uint32_t crc = hash_crc32c(0, digits, sizeof digits);
    crc = hash_crc32c(crc, key.text, key.size);
    return hash_crc32c(crc, bytes.text, bytes.size);
}

void seal_add(struct text *text, struct span key, uint64_t number)
{
    bytes_add_u32(text, sum(text_span(text), key, number));
}

bool seal_take(struct span *bytes, struct span key, uint64_t number)
{
    if (bytes->size < SEAL_BYTES)
        return false;
    size_t size = bytes->size - SEAL_BYTES;
    struct byte_reader seal = byte_reader_of(span_slice(*bytes, size, bytes->size));
    *bytes = span_slice(*bytes, 0, size);
    return bytes_read_u32(&seal) == sum(*bytes, key, number);
}
