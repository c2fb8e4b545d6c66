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

/* Room for size more bytes, to be written by the caller who then adds to text->size. */
char *text_reserve(struct text *text, size_t size);

void text_add(struct text *text, struct span span);
void text_add_byte(struct text *text, char byte);
void text_add_int(struct text *text, int64_t number);
void text_add_uint(struct text *text, uint64_t number);

/* The shortest decimal that reads back as the same double (one digit longer at a few powers of
 * two); always with `.` or `e`, and "NaN", "Infinity", "-Infinity" for what has no digits. */
void text_add_double(struct text *text, double number);

void text_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_format_list(struct text *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

void text_clear(struct text *text);

/* What was written so far; valid until the next addition. */
struct span text_span(const struct text *text);

/* A formatted span in an arena. */
struct span text_print(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
