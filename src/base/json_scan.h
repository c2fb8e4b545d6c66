/*
 * json_scan.h - the tokens of JSON, shared by the reader of values, the reader of trees
 * and the writer. Only base includes this.
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

/* The same at another place. */
bool json_scan_fail_at(struct json_scan *scan, size_t at, const char *message);

/* The next byte that is not a blank, not consumed; '\0' at the end. */
static inline char json_scan_peek(struct json_scan *scan)
{
    for (; scan->at < scan->text.size; scan->at++) {
        char c = scan->text.text[scan->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return c;
    }
    return '\0';
}

/* Consumes the byte, which is not '\0', if it is the next one after blanks. */
static inline bool json_scan_take(struct json_scan *scan, char byte)
{
    bool is_next = json_scan_peek(scan) == byte;
    scan->at += is_next;
    return is_next;
}

/* Reads a scalar; false after an error. */
bool json_scan_scalar(struct json_scan *scan, struct value *value);

/* Reads a string, the next byte being its quote. */
bool json_scan_string(struct json_scan *scan, struct span *string);

/* Goes behind an opening bracket; an error when that is too deep. */
bool json_scan_open(struct json_scan *scan, unsigned depth_max);

/* Between members: true when another follows, false at the closing byte (consumed) or after an
 * error. */
bool json_scan_more(struct json_scan *scan, char closing, uint32_t count);

/* True when nothing but blanks is left; an error otherwise. */
bool json_scan_end(struct json_scan *scan);

/* Below this many, keys are compared with all before; from there on once, when all are read. */
enum { JSON_FEW_KEYS = 32 };

struct json_key {
    struct span text;
    uint32_t index;
};

/* False, with an error at the first key that was there before. Sorts the keys, since any hash
 * could be made to fail by whoever chooses them; needs the arena for a while. */
bool json_scan_unique(struct json_scan *scan, struct json_key *keys, uint32_t count);

/* A byte that a string cannot hold as it is: a quote, a backslash, a control character. */
static inline bool json_scan_is_special(char c)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

/* Whether one of eight bytes is: each subtraction below borrows into the top bit of such a
 * byte, unless that bit was set before. */
static inline bool json_scan_is_special_in(uint64_t word)
{
    const uint64_t each = 0x0101010101010101u;
    uint64_t quote = word ^ each * '"';
    uint64_t backslash = word ^ each * '\\';
    uint64_t found = ((quote - each) & ~quote) | ((backslash - each) & ~backslash) |
                     ((word - each * 0x20) & ~word);
    return (found & each * 0x80) != 0;
}
