/*
 * script_pattern.c - a pattern of ECMAScript as one of ours that takes no fewer steps.
 *
 * Not the same language, but one whose ways include all of the other's: what looks ahead
 * may be there or not, what refers to a group may be anything, and where lines end is open.
 * The pattern was compiled by Duktape, so its brackets match.
 */
#include "script/script_pattern.h"

#include "base/digit.h"
#include "base/limits.h"
#include "base/text.h"
#include "expr/expr.h"

struct translation {
    const struct script_pattern *pattern;
    struct span source;
    size_t at;
    struct text text;
};

static bool take(struct translation *translation, const char *text)
{
    struct span rest =
        span_slice(translation->source, translation->at, translation->source.size);
    if (!span_starts_with(rest, span_from_text(text)))
        return false;
    translation->at += strlen(text);
    return true;
}

static void put(struct translation *translation, const char *text)
{
    text_add(&translation->text, span_from_text(text));
}

/* Hexadecimal digits of an escape; false when there are not so many. */
static bool take_code(struct translation *translation, size_t digits)
{
    size_t end = translation->at + digits;
    if (end > translation->source.size)
        return false;
    struct span code = span_slice(translation->source, translation->at, end);
    for (size_t i = 0; i < digits; i++) {
        if (digit_value(code.text[i]) >= 16)
            return false;
    }
    text_format(&translation->text, "\\x{%.*s}", SPAN_ARGS(code));
    translation->at = end;
    return true;
}

/* A character, whatever it means in a pattern. */
static void put_character(struct translation *translation)
{
    uint32_t point = span_next_character(translation->source, &translation->at);
    text_format(&translation->text, "\\x{%x}", point < 0x110000 ? point : 0xffff);
}

/* Behind a backslash, what is the same in a class and outside. */
static void translate_escape(struct translation *translation, bool is_in_class)
{
    static const char same[] = "dDwWtnvfr";
    struct span source = translation->source;
    char c = translation->at < source.size ? source.text[translation->at] : '\0';
    if (c != '\0' && strchr(same, c) != NULL) {
        translation->at++;
        text_format(&translation->text, "\\%c", c);
    } else if (take(translation, "s")) {
        put(translation, is_in_class ? "\\t-\\r " : "[\\t-\\r ]");
    } else if (take(translation, "S")) {
        put(translation,
            is_in_class ? "\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{10ffff}" : "[^\\t-\\r ]");
    } else if (take(translation, "x")) {
        if (!take_code(translation, 2))
            put(translation, "x");
    } else if (take(translation, "u")) {
        if (!take_code(translation, 4))
            put(translation, "u");
    } else if (c == 'c' && translation->at + 1 < source.size) {
        text_format(&translation->text, "\\x{%x}",
                    (unsigned)source.text[translation->at + 1] % 32);
        translation->at += 2;
    } else if (take(translation, "0")) {
        put(translation, "\\x{0}");
    } else if (translation->at < source.size) {
        put_character(translation);
    }
}

/* Behind '['. */
static void translate_class(struct translation *translation)
{
    bool is_negated = take(translation, "^");
    if (take(translation, "]")) {
        put(translation, is_negated ? "[\\x{0}-\\x{10ffff}]" : "[^\\x{0}-\\x{10ffff}]");
        return;
    }
    put(translation, is_negated ? "[^" : "[");
    while (translation->at < translation->source.size && !take(translation, "]")) {
        if (take(translation, "\\b"))
            put(translation, "\\x{8}");
        else if (take(translation, "\\"))
            translate_escape(translation, true);
        else if (take(translation, "-"))
            put(translation, "-");
        else
            put_character(translation);
    }
    put(translation, "]");
}

/* Behind a backslash outside of a class. */
static void translate_atom(struct translation *translation)
{
    char c = translation->at < translation->source.size
                 ? translation->source.text[translation->at]
                 : '\0';
    if (c == 'b' || c == 'B') {
        translation->at++;
        text_format(&translation->text, "\\%c", c);
    } else if (c >= '1' && c <= '9') {
        while (translation->at < translation->source.size &&
               digit_is_decimal(translation->source.text[translation->at]))
            translation->at++;
        put(translation, "(?:(?s:.)*)");
    } else {
        translate_escape(translation, false);
    }
}

static void translate_next(struct translation *translation)
{
    bool is_multiline = translation->pattern->is_multiline;
    if (take(translation, "(?=") || take(translation, "(?!"))
        put(translation, "(?:|");
    else if (take(translation, "(?:") || take(translation, "("))
        put(translation, "(?:");
    else if (take(translation, "["))
        translate_class(translation);
    else if (take(translation, "."))
        put(translation, "(?s:.)");
    else if (take(translation, "^"))
        put(translation, is_multiline ? "(?:)" : "\\A");
    else if (take(translation, "$"))
        put(translation, is_multiline ? "(?:)" : "\\z");
    else if (take(translation, "\\"))
        translate_atom(translation);
    else
        text_add_byte(&translation->text, translation->source.text[translation->at++]);
}

uint64_t script_pattern_steps(const struct script_pattern *pattern, struct span text,
                              size_t from, uint64_t most, struct arena *arena)
{
    struct translation translation = {.pattern = pattern, .source = pattern->source};
    struct regex_problem problem;
    if (pattern->source.size > REGEX_BYTES_MAX)
        return most;
    text_init(&translation.text, arena);
    while (translation.at < translation.source.size)
        translate_next(&translation);
    const struct regex *regex = regex_compile(text_span(&translation.text), arena, &problem);
    if (regex == NULL)
        return most;
    return regex_effort(regex, text, from, pattern->ignores_case, most, arena);
}
