/*
 * json_stream.h - the elements of a JSON list one by one, in memory for one of them; also JSON
 * values that simply follow each other.
 *
 * Only brackets, quotes and commas are looked at, to find where an element ends; whether it is
 * JSON is for json_read(). An element that is not must not take those behind it with it:
 *
 * - a string ends with its line at the latest, since JSON has no newlines in strings;
 * - a closing bracket closes the nearest one of its kind, or nothing;
 * - where no `{` can stand, one that begins its line, no further to the right than the line of
 *   the broken element, begins another element. In JSON without mistakes that never applies.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/span.h"

/* What stands before an element. */
enum json_gap {
    JSON_GAP_NONE, /* nothing, and nothing has to */
    JSON_GAP_COMMA,
    JSON_GAP_MISSING, /* nothing, where a comma has to */
};

struct json_stream {
    size_t at;   /* bytes of the element looked at */
    size_t end;  /* of an element that was found */
    size_t next; /* where to look for the next one */
    enum json_gap gap;
    enum json_gap next_gap;
    bool is_begun;
    bool is_list;
    bool is_closed; /* the list is */
    bool in_string;
    bool is_escaped;
    bool is_blank;           /* the line, up to here */
    char before;             /* the element's last byte that is no blank; NUL: none yet */
    unsigned indent;         /* blanks at the beginning of this line */
    unsigned element_indent; /* of the line in which the element begins */
    unsigned depth;          /* brackets that the element has open */
    size_t too_deep;         /* more of them */
    char open[JSON_DEPTH_MAX + 1];
};

void json_stream_init(struct json_stream *stream);

/* Looks for the end of the element that the text begins with (behind blanks), from stream->at
 * on; the text may have grown since. True: it is [0, end), which may be blank. */
bool json_stream_scan(struct json_stream *stream, struct span text);

/* Goes on to the next element: the text to scan then begins at `next`. */
void json_stream_pass(struct json_stream *stream);
