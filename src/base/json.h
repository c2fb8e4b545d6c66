/*
 * json.h - JSON text to values and back; also JSON definition files to trees.
 *
 * Strict RFC 8259: UTF-8, no comments, no trailing commas, no lone surrogates, duplicate
 * keys refused, nesting to JSON_DEPTH_MAX. Integral tokens within int64 are ints, those
 * outside are refused, tokens with fraction or exponent are doubles and must be finite.
 */
#pragma once

#include "base/diagnostic.h"
#include "base/node.h"
#include "base/status.h"
#include "base/text.h"
#include "base/value.h"

struct json_error {
    size_t offset;       /* bytes from the start of the text */
    const char *message; /* static */
};

/* Reads one whole document. The value's strings point into `text` where they have no escapes,
 * so text must live as long as the value. Jumps to the arena's guard when the arena is spent.
 * STATUS_INVALID fills in the error. */
enum status json_read(struct span text, struct arena *arena, struct value *value,
                      struct json_error *error) must_check;

/* Reads a definition file; NULL after adding one IL0101 diagnostic. */
const struct node *json_read_tree(struct span text, struct span file, struct arena *arena,
                                  struct diagnostics *diagnostics);

/* Line and column (from 1, in code points) of a byte offset. */
struct place json_place(struct span text, size_t offset, struct span file);

/* Writes the value as JSON. Values that JSON has no form for become: uint a number, bytes
 * base64, timestamp RFC 3339 and duration "1.5s" strings, type its name, optional its value or
 * null, NaN and infinities and errors null. Map keys that are not strings become their text. */
void json_write(struct text *text, struct value value);

/* The same over several lines, indented by two spaces. */
void json_write_pretty(struct text *text, struct value value, int indent);

/* The value as it would be read back from its JSON form, alone or as a member; an error value
 * where that cannot be (NaN, infinities, whole numbers beyond int64, map keys that become the
 * same text, nesting beyond VALUE_DEPTH_MAX). */
struct value json_plain(struct arena *arena, struct value value);

/* A quoted and escaped JSON string. */
void json_write_string(struct text *text, struct span string);
