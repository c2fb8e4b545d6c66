/*
 * line_buffer.h - bytes as they were read, lines as they are wanted. Only os includes this.
 *
 * Memory is bounded by the longest line allowed and one piece read: of a longer line the
 * beginning is kept, and the rest is skipped as it comes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct line_buffer {
    char *bytes;
    size_t begin;   /* of the next line */
    size_t scanned; /* no newline in [begin, scanned) */
    size_t end;     /* of what was read */
    size_t capacity;
    size_t line_bytes_max;
    bool at_start; /* a byte order mark may still come */
    bool skipping; /* the rest of a line that was too long */
};

void line_buffer_init(struct line_buffer *buffer, size_t line_bytes_max);
void line_buffer_fini(struct line_buffer *buffer);

/* Room for at least LINE_BUFFER_PIECE bytes; line_buffer_add() tells how many were written
 * there. Lines that were handed out are no longer valid. */
enum { LINE_BUFFER_PIECE = 64 << 10 };
char *line_buffer_reserve(struct line_buffer *buffer);
void line_buffer_add(struct line_buffer *buffer, size_t size);

/* The next line; false when more must be read first. `ended` says that nothing more will come,
 * so that what is left is a line too. */
bool line_buffer_next(struct line_buffer *buffer, bool ended, struct span *line,
                      bool *too_long);
