/*
 * json_scan.h - the tokens of JSON, shared by the reader of values and the reader of
 * trees. Only base includes this.
 */
#pragma once

#include "base/json.h"

struct json_scan {
    struct span text;
    size_t at;
    struct arena *arena;
    struct json_error error; /* message is NULL while all is well */
    unsigned depth;
};

void json_scan_init(struct json_scan *scan, struct span text, struct arena *arena);

/* Remembers the first error at the current place; always false. */
bool json_scan_fail(struct json_scan *scan, const char *message);

/* The next byte that is not a blank, not consumed; '\0' at the end. */
char json_scan_peek(struct json_scan *scan);

/* Consumes the byte if it is the next one after blanks. */
bool json_scan_take(struct json_scan *scan, char byte);

/* Reads a scalar; false after an error. */
bool json_scan_scalar(struct json_scan *scan, struct value *value);

/* Reads a string, the next byte being its quote. */
bool json_scan_string(struct json_scan *scan, struct span *string);

/* Between members: true when another follows, false at the closing byte (consumed) or after an
 * error. */
bool json_scan_more(struct json_scan *scan, char closing, uint32_t count);

/* True when nothing but blanks is left; an error otherwise. */
bool json_scan_end(struct json_scan *scan);
