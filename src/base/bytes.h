/*
 * bytes.h - numbers and spans as little-endian bytes, the same on every machine.
 *
 * Writing goes into a text. Reading goes through a reader that remembers failure: the
 * first read beyond the end and every further one give zero, and one look at `failed` at
 * the end tells. Spans are length (varint) and bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/text.h"

struct byte_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline struct byte_reader byte_reader_of(struct span bytes)
{
    const uint8_t *start = (const uint8_t *)(bytes.size == 0 ? "" : bytes.text);
    return (struct byte_reader){start, start + bytes.size, false};
}

void bytes_add_u8(struct text *to, uint8_t number);
void bytes_add_u32(struct text *to, uint32_t number);
void bytes_add_u64(struct text *to, uint64_t number);
void bytes_add_varint(struct text *to, uint64_t number); /* LEB128 */
void bytes_add_signed(struct text *to, int64_t number);  /* zigzag LEB128 */
void bytes_add_span(struct text *to, struct span span);

uint8_t bytes_read_u8(struct byte_reader *reader);
uint32_t bytes_read_u32(struct byte_reader *reader);
uint64_t bytes_read_u64(struct byte_reader *reader);
uint64_t bytes_read_varint(struct byte_reader *reader);
int64_t bytes_read_signed(struct byte_reader *reader);
struct span bytes_read_span(struct byte_reader *reader); /* points into the bytes */
