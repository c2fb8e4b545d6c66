/*
 * output.h - standard output: data in the form that was asked for.
 *
 * A closed pipe is a reader that has seen enough: from then on nothing is written and
 * nothing is said. Any other failure to write is an answer nobody got, and exits 3.
 */
#pragma once

#include "base/text.h"
#include "base/value.h"
#include "cli/cli.h"

#define OUTPUT_FORMAT_LIST(X) \
    X(TEXT, "text")           \
    X(JSON, "json")           \
    X(NDJSON, "ndjson")       \
    X(CSV, "csv")             \
    X(MERMAID, "mermaid")     \
    X(DOT, "dot")             \
    X(SARIF, "sarif")         \
    X(SVG, "svg")             \
    X(SCXML, "scxml")         \
    X(C, "c")                 \
    X(PROMETHEUS, "prometheus")

#define OUTPUT_FORMAT_ENUM(name, text) OUTPUT_##name,
enum output_format { OUTPUT_FORMAT_LIST(OUTPUT_FORMAT_ENUM) OUTPUT_FORMAT_COUNT };
#undef OUTPUT_FORMAT_ENUM

#define OUTPUT_BIT(format) (1u << (format))

/* The format of a name, among those of the bit set. False: problem holds a sentence. */
bool output_find_format(const char *name, uint32_t formats, enum output_format *format,
                        char problem[256]);

/* "text|json|ndjson" of the bit set. */
void output_list_formats(uint32_t formats, struct text *text);

void output_add(struct span text);
/* Lines for people; see text_add_visible_lines(). */
void output_lines(struct span text);

void output_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The value as JSON: on one line, or over several. */
void output_value(struct value value);
void output_value_pretty(struct value value);

/* Hands over what was written so far; false once nobody reads it any more. */
bool output_flush(void);

/* At the end of a command: what it exits with, given how it went. */
enum cli_exit output_end(enum cli_exit exit);

/* Colours are for terminals whose owner has not said NO_COLOR. */
bool output_has_colour(int descriptor);
