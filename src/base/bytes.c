/*
 * bytes.c - little-endian numbers and varints.
 */
#include "base/bytes.h"

void bytes_add_u8(struct text *to, uint8_t number)
{
    text_add_byte(to, (char)number);
}

static void add_fixed(struct text *to, uint64_t number, size_t size)
{
    char *bytes = text_reserve(to, size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(uint8_t)(number >> (8 * i));
    to->size += size;
}

void bytes_add_u32(struct text *to, uint32_t number)
{
    add_fixed(to, number, sizeof number);
}

void bytes_add_u64(struct text *to, uint64_t number)
{
    add_fixed(to, number, sizeof number);
}

void bytes_add_varint(struct text *to, uint64_t number)
{
    char *bytes = text_reserve(to, 10);
    size_t size = 0;
    for (; number >= 0x80; number >>= 7)
        bytes[size++] = (char)(uint8_t)(number | 0x80);
    bytes[size++] = (char)(uint8_t)number;
    to->size += size;
}

void bytes_add_signed(struct text *to, int64_t number)
{
    uint64_t sign = number < 0 ? UINT64_MAX : 0;
    bytes_add_varint(to, (uint64_t)number << 1 ^ sign);
}

void bytes_add_span(struct text *to, struct span span)
{
    bytes_add_varint(to, span.size);
    text_add(to, span);
}

static uint64_t fail(struct byte_reader *reader)
{
    reader->failed = true;
    reader->at = reader->end;
    return 0;
}

static uint64_t read_fixed(struct byte_reader *reader, size_t size)
{
    if ((size_t)(reader->end - reader->at) < size)
        return fail(reader);
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += size;
    return number;
}

uint8_t bytes_read_u8(struct byte_reader *reader)
{
    return (uint8_t)read_fixed(reader, 1);
}

uint32_t bytes_read_u32(struct byte_reader *reader)
{
    return (uint32_t)read_fixed(reader, 4);
}

uint64_t bytes_read_u64(struct byte_reader *reader)
{
    return read_fixed(reader, 8);
}

uint64_t bytes_read_varint(struct byte_reader *reader)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = bytes_read_u8(reader);
        if (reader->failed || (shift == 63 && byte > 1))
            break;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return number;
    }
    return fail(reader);
}

int64_t bytes_read_signed(struct byte_reader *reader)
{
    uint64_t number = bytes_read_varint(reader);
    return (int64_t)(number >> 1 ^ (0 - (number & 1)));
}

struct span bytes_read_span(struct byte_reader *reader)
{
    uint64_t size = bytes_read_varint(reader);
    if (size > (size_t)(reader->end - reader->at)) {
        fail(reader);
        return span_of("", 0);
    }
    struct span span = span_of((const char *)reader->at, (size_t)size);
    reader->at += size;
    return span;
}
