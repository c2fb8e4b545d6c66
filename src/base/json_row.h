/*
 * json_row.h - a few members of many JSON objects of the same shape, one a line.
 *
 * Lines of one producer are alike: the same keys in the same order, only the values differ. So
 * what stands between the values (`,"paid": `) is learned from a line that the full reader has
 * found good, and compared as bytes from then on: a key that matches is known to be well
 * formed, to be no duplicate, and to be wanted or not. Only values are looked at, strictly.
 *
 * What was never seen, or is odd in any way (a wanted member with escapes, a long number, an
 * error), is not taken: the full reader has the word. So both give the same answers,
 * and this one never has to say what is wrong.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"

enum {
    JSON_ROW_PADDING = 64, /* readable bytes behind the text that is scanned */
    JSON_ROW_FIELDS_MAX = 64,
};

enum json_token_kind {
    JSON_TOKEN_MISSING,
    JSON_TOKEN_NULL,
    JSON_TOKEN_FALSE,
    JSON_TOKEN_TRUE,
    JSON_TOKEN_STRING,  /* its text without quotes; as it stands, since there are no escapes */
    JSON_TOKEN_INT,     /* within 18 digits */
    JSON_TOKEN_DECIMAL, /* within 17 digits, and two of an exponent */
    JSON_TOKEN_ODD      /* never told: a list, an object, a string with escapes */
};

struct json_token {
    const char *text;
    uint32_t size;
    uint32_t kind; /* enum json_token_kind */
};

struct json_row;

/* For these members; lives in the arena, never grows. */
struct json_row *json_row_open(const struct span *fields, uint32_t count, struct arena *arena);

/* Takes the shape of a line that is known to be a good JSON object. False: it is of no use. */
bool json_row_learn(struct json_row *row, struct span line);

/* Scans the line at `at`; JSON_ROW_PADDING bytes behind `end` may be read. True: it is a good
 * object of a known shape, tokens has one for each field, and *next is behind its newline. */
bool json_row_scan(struct json_row *row, const char *at, const char *end,
                   struct json_token *tokens, const char **next);
