/*
 * span.h - a run of bytes that somebody else owns.
 *
 * Text is a span, not a bare `char *`: it knows its size, may hold NUL bytes, and
 * can point into the middle of a file. A span never owns; its bytes live as long as
 * the arena, file or literal behind it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *text; /* may be NULL only when size is 0 */
    size_t size;
};

/* A span of a string literal. */
#define SPAN(literal) ((struct span){("" literal), sizeof(literal) - 1})

/* The same where a constant initializer is wanted: in static tables. */
#define SPAN_INIT(literal)                \
    {                                     \
        ("" literal), sizeof(literal) - 1 \
    }

/* For printf: `"%.*s", SPAN_ARGS(name)`. Spans longer than INT_MAX never get here. */
#define SPAN_ARGS(span) (int)(span).size, (span).text

static inline struct span span_of(const char *text, size_t size)
{
    return (struct span){text, size};
}

static inline struct span span_from_text(const char *text)
{
    return (struct span){text, text == NULL ? 0 : strlen(text)};
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.text, b.text, a.size) == 0);
}

/* The same, in place of a call for what is short most of the time, such as names: both ends are
 * compared by words that may overlap. */
static inline bool span_equal_short(struct span a, struct span b)
{
    size_t size = a.size;
    if (size != b.size)
        return false;
    if (size > 16)
        return memcmp(a.text, b.text, size) == 0;
    if (size >= 8)
        return memcmp(a.text, b.text, 8) == 0 &&
               memcmp(a.text + size - 8, b.text + size - 8, 8) == 0;
    if (size >= 4)
        return memcmp(a.text, b.text, 4) == 0 &&
               memcmp(a.text + size - 4, b.text + size - 4, 4) == 0;
    if (size >= 2)
        return memcmp(a.text, b.text, 2) == 0 &&
               memcmp(a.text + size - 2, b.text + size - 2, 2) == 0;
    return size == 0 || *a.text == *b.text;
}

static inline bool span_is(struct span a, const char *text)
{
    return span_equal(a, span_from_text(text));
}

/* Bytewise order, as memcmp, a prefix before its extensions: <0, 0 or >0. */
int span_compare(struct span a, struct span b);

bool span_starts_with(struct span a, struct span prefix);
bool span_ends_with(struct span a, struct span suffix);

/* Bytes [from, to) of the span; from <= to <= size. */
struct span span_slice(struct span a, size_t from, size_t to);

/* Offset of the first needle at or after `from`, or SIZE_MAX. */
size_t span_find(struct span a, struct span needle, size_t from);

/* Without leading and trailing blanks (space, tab, CR, LF). */
struct span span_trim(struct span a);

/* Levenshtein distance, for "did you mean"; texts over 64 bytes count as far apart. */
size_t span_distance(struct span a, struct span b);

/* How far apart two names may be for one to be meant by the other: less than this. */
size_t span_distance_max(struct span name);

/* The candidate that may have been meant, or SIZE_MAX. */
size_t span_nearest(struct span name, const struct span *candidates, size_t count);

/* True when every byte sequence is well-formed UTF-8 (no surrogates, no overlong forms). */
bool span_is_utf8(struct span a);

/* Bytes of the well-formed UTF-8 sequence at the start of a span that is not empty, or 0. */
size_t span_utf8_size(struct span a);

/* Characters are code points of text that is UTF-8: how many there are, and the offset of the
 * one at this index; the size of the text for the one behind the last, then SIZE_MAX. */
size_t span_characters(struct span a);
size_t span_character_offset(struct span a, uint64_t index);

/* The code point at `at` of well-formed UTF-8; moves behind it. */
static inline uint32_t span_next_character(struct span text, size_t *at)
{
    unsigned char lead = (unsigned char)text.text[(*at)++];
    uint32_t point = lead < 0x80   ? lead
                     : lead < 0xe0 ? lead & 0x1fu
                     : lead < 0xf0 ? lead & 0xfu
                                   : lead & 7u;
    if (lead < 0x80)
        return point;
    while (*at < text.size && ((unsigned char)text.text[*at] & 0xc0) == 0x80)
        point = point << 6 | ((unsigned char)text.text[(*at)++] & 0x3fu);
    return point;
}

/* Writes a code point as UTF-8, four bytes at most; how many it took. */
size_t span_put_character(char *to, uint32_t point);
