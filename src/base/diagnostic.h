/*
 * diagnostic.h - what is wrong with a definition, where, and what to do about it.
 *
 * Every diagnostic has a place, a stable code, one sentence, and where possible a help.
 * They are collected, never printed here: the command line decides the form. Codes:
 * IL01xx file, IL02xx-05xx checks, IL10xx run time, IL20xx store.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"

/* Where something stands in its file: both count from 1, columns in code points; 0 is unknown.
 */
struct place {
    struct span file;
    uint32_t line;
    uint32_t column;
};

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };

struct diagnostic {
    struct place place;
    struct span code; /* "IL0101" */
    struct span message;
    struct span help; /* empty when there is none */
    enum severity severity;
    struct diagnostic *next;
};

struct diagnostics {
    struct arena *arena; /* holds messages and helps */
    struct diagnostic *first;
    struct diagnostic **end;
    uint32_t errors;
    uint32_t warnings;
    uint32_t infos;
    uint32_t dropped;        /* beyond DIAGNOSTICS_MAX, counted only */
    struct diagnostic spare; /* stands in for each of the dropped */
};

void diagnostics_init(struct diagnostics *diagnostics, struct arena *arena);

/* Adds one; the returned diagnostic (never NULL) is for diagnostic_help(). */
struct diagnostic *diagnostics_add(struct diagnostics *diagnostics, enum severity severity,
                                   const char *code, struct place place, const char *format,
                                   ...) __attribute__((format(printf, 5, 6)));

/* Says what to do: a sentence without a final stop. */
void diagnostic_help(struct diagnostics *diagnostics, struct diagnostic *diagnostic,
                     const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "did you mean 'x'?" when one of the candidates is near enough to the name; else nothing. */
void diagnostic_suggest(struct diagnostics *diagnostics, struct diagnostic *diagnostic,
                        struct span name, const struct span *candidates, size_t count);

/* Sorts by file, line and column, keeping the order of equals. */
void diagnostics_sort(struct diagnostics *diagnostics);

const char *severity_name(enum severity severity);
