/*
 * text.h - text that grows while it is written.
 *
 * A text lives in an arena (a turn's, a command's) or, with a NULL arena, in general
 * memory that text_fini() releases. Bytes may be anything; a NUL is kept behind them.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"

struct text {
    struct arena *arena;
    char *bytes;
    size_t size;
    size_t capacity;
};

void text_init(struct text *text, struct arena *arena);
void text_fini(struct text *text); /* no-op for an arena text */

/* Grows until size more bytes and a NUL fit. */
void text_grow(struct text *text, size_t size);

/* Room for size more bytes, to be written by the caller who then adds to text->size. */
static inline char *text_reserve(struct text *text, size_t size)
{
    if (size >= text->capacity - text->size)
        text_grow(text, size);
    return text->bytes + text->size;
}

static inline void text_add(struct text *text, struct span span)
{
    char *to = text_reserve(text, span.size);
    if (span.size > 0)
        memcpy(to, span.text, span.size);
    to[span.size] = '\0';
    text->size += span.size;
}

static inline void text_add_byte(struct text *text, char byte)
{
    text_add(text, span_of(&byte, 1));
}

void text_add_int(struct text *text, int64_t number);
void text_add_uint(struct text *text, uint64_t number);

/* The shortest decimal that reads back as the same double (one digit longer at a few powers of
 * two); always with `.` or `e`, and "NaN", "Infinity", "-Infinity" for what has no digits. */
void text_add_double(struct text *text, double number);

void text_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_format_list(struct text *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* Text from outside, for people: control characters (C0 but newlines, DEL, C1) would drive the
 * terminal, so they are written as \xHH and \u00HH. text_add_visible() makes one line of it. */
void text_add_visible(struct text *text, struct span from);
void text_add_visible_lines(struct text *text, struct span from);

void text_clear(struct text *text);

/* What was written so far; valid until the next addition. */
struct span text_span(const struct text *text);

/* A formatted span in an arena. */
struct span text_print(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
