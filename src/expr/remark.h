/*
 * remark.h - what the parser, the emitter and the checker have to say about an expression's
 * text.
 *
 * Turns a byte offset in the expression into the place in the file that the person who
 * wrote it will look at.
 */
#pragma once

#include "base/node.h"

struct remarks {
    struct span text;        /* the whole expression */
    struct place place;      /* of its first character; line 0 when unknown */
    const struct node *node; /* it is a part of this one's text, from `start`; NULL: of none */
    size_t start;
    struct diagnostics *diagnostics;
};

/* Adds an error IL0105; never NULL, for diagnostic_help() and diagnostic_suggest(). */
struct diagnostic *remark_error(struct remarks *remarks, uint32_t offset, const char *format,
                                ...) __attribute__((format(printf, 3, 4)));

/* Adds a finding about types, IL0503. */
struct diagnostic *remark_type(struct remarks *remarks, enum severity severity, uint32_t offset,
                               const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "did you mean 'x'?" when a candidate is near enough. */
void remark_suggest(struct remarks *remarks, struct diagnostic *diagnostic, struct span name,
                    const struct span *candidates, size_t count);
