/*
 * line_buffer.c - cutting what was read into lines.
 */
#include "os/line_buffer.h"

#include <string.h>

#include "base/ensure.h"
#include "base/memory.h"

void line_buffer_init(struct line_buffer *buffer, size_t line_bytes_max)
{
    *buffer = (struct line_buffer){.line_bytes_max = line_bytes_max, .at_start = true};
}

void line_buffer_fini(struct line_buffer *buffer)
{
    memory_release(buffer->bytes);
    *buffer = (struct line_buffer){.bytes = NULL};
}

char *line_buffer_reserve(struct line_buffer *buffer)
{
    size_t kept = buffer->end - buffer->begin;
    if (buffer->begin > 0 && kept > 0)
        memmove(buffer->bytes, buffer->bytes + buffer->begin, kept);
    buffer->scanned -= buffer->begin;
    buffer->begin = 0;
    buffer->end = kept;
    if (buffer->capacity - kept < LINE_BUFFER_PIECE) {
        buffer->capacity = kept + LINE_BUFFER_PIECE;
        buffer->bytes = memory_resize(buffer->bytes, buffer->capacity);
    }
    return buffer->bytes + kept;
}

void line_buffer_add(struct line_buffer *buffer, size_t size)
{
    ensure(size <= buffer->capacity - buffer->end);
    buffer->end += size;
}

/* Skips a byte order mark; false while it is not yet clear whether there is one. */
static bool pass_mark(struct line_buffer *buffer, bool ended)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t size = buffer->end - buffer->begin;
    size_t compared = size < 3 ? size : 3;
    bool may_be = memcmp(buffer->bytes + buffer->begin, mark, compared) == 0;
    if (may_be && compared < 3 && !ended)
        return false;
    if (may_be && compared == 3)
        buffer->begin = buffer->scanned = buffer->begin + 3;
    buffer->at_start = false;
    return true;
}

static void pass_rest_of_line(struct line_buffer *buffer, const char *newline)
{
    buffer->begin = newline == NULL ? buffer->end : (size_t)(newline - buffer->bytes) + 1;
    buffer->scanned = buffer->begin;
    buffer->skipping = newline == NULL;
}

static struct span cut(struct line_buffer *buffer, size_t end, bool *too_long)
{
    struct span line = span_of(buffer->bytes + buffer->begin, end - buffer->begin);
    if (line.size > 0 && line.text[line.size - 1] == '\r')
        line.size--;
    *too_long = line.size > buffer->line_bytes_max;
    if (*too_long)
        line.size = buffer->line_bytes_max;
    return line;
}

static const char *find_newline(const struct line_buffer *buffer)
{
    size_t left = buffer->end - buffer->scanned;
    return left == 0 ? NULL : memchr(buffer->bytes + buffer->scanned, '\n', left);
}

bool line_buffer_next(struct line_buffer *buffer, bool ended, struct span *line, bool *too_long)
{
    if (buffer->begin == buffer->end || (buffer->at_start && !pass_mark(buffer, ended)))
        return false;
    const char *newline = find_newline(buffer);
    if (buffer->skipping) {
        pass_rest_of_line(buffer, newline);
        if (newline == NULL || buffer->begin == buffer->end)
            return false;
        newline = find_newline(buffer);
    }
    /* One byte more than the longest line may wait: it can be the CR before the newline. */
    bool is_over = buffer->end - buffer->begin > buffer->line_bytes_max + 1;
    if (newline == NULL && !is_over && (!ended || buffer->begin == buffer->end)) {
        buffer->scanned = buffer->end;
        return false;
    }
    size_t end = newline == NULL ? buffer->end : (size_t)(newline - buffer->bytes);
    *line = cut(buffer, end, too_long);
    pass_rest_of_line(buffer, newline);
    return true;
}
