/*
 * script_text.c - from word to word over a text, with the brackets that are open.
 *
 * No tree is needed: what is inserted depends on the word before a bracket. Two things are
 * refused because words alone do not tell what they mean: a `/` behind a `}`, and the comments
 * that HTML once needed.
 */
#include "script/script_text.h"

#include <string.h>

#include "base/limits.h"

enum word_kind { WORD_END, WORD_NAME, WORD_NUMBER, WORD_STRING, WORD_PATTERN, WORD_SIGN };

struct word {
    enum word_kind kind;
    struct span text;
    bool is_on_new_line;
};

enum bracket_kind {
    BRACKET_PLAIN,
    BRACKET_WHILE,      /* while ( */
    BRACKET_FOR,        /* for ( */
    BRACKET_FOR_TEST,   /* … behind its first semicolon */
    BRACKET_FOR_STEP,   /* … behind the second */
    BRACKET_FOR_IN,     /* … behind `in` */
    BRACKET_HEAD,       /* if ( and its like: an operand or a block follows */
    BRACKET_CATCH,      /* catch ( */
    BRACKET_PARAMETERS, /* function ( */
    BRACKET_BODY,       /* of a function */
    BRACKET_SCOPE,      /* of a catch: its functions see the error */
};

struct bracket {
    enum bracket_kind kind;
    char opening;
    size_t function; /* where the function begins that ends with this body; or SIZE_MAX */
    bool is_declared;
};

struct reader {
    enum expr_form form;
    struct span text;
    size_t at;
    struct arena *arena;
    struct text code;
    struct text kept; /* calls of $il_keep() for declared functions */
    size_t kept_at;   /* where they go in `code` */
    struct script_text *result;
    const struct script_function **functions_end;

    struct bracket brackets[SCRIPT_NESTING_MAX];
    size_t depth;
    size_t scopes; /* brackets that are bodies or scopes */
    bool is_with;  /* there was a `with`, which may hide any variable */

    struct word before;
    bool is_member;           /* `before` is a name behind a dot, or a key */
    enum bracket_kind closed; /* what `before` closed, when it is a bracket */
    size_t function;          /* begins here, can be kept, and has no body yet; or SIZE_MAX */
    bool is_declared;
    bool is_head;      /* the parameters of a function come next */
    bool is_directive; /* only directives so far in the body */
    bool tests_next;   /* the next word begins the test of a `for` */
    struct span problem;
};

static bool fail(struct reader *reader, const char *problem)
{
    if (reader->problem.size == 0)
        reader->problem = span_from_text(problem);
    return false;
}

static void emit(struct reader *reader, const char *code)
{
    text_add(&reader->code, span_from_text(code));
}

/* Words */

static struct span rest(const struct reader *reader)
{
    return span_slice(reader->text, reader->at, reader->text.size);
}

/* The bytes of a blank that is here; 0: none. */
static size_t blank_size(struct span text)
{
    static const char *const wide[] = {
        "\xc2\xa0",     "\xef\xbb\xbf", "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
        "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
        "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
    if (text.size == 0)
        return 0;
    if (strchr(" \t\n\r\v\f", text.text[0]) != NULL && text.text[0] != '\0')
        return 1;
    for (size_t i = 0; (unsigned char)text.text[0] >= 0x80 && i < sizeof wide / sizeof *wide;
         i++) {
        if (span_starts_with(text, span_from_text(wide[i])))
            return strlen(wide[i]);
    }
    return 0;
}

/* The bytes of a line's end that is here; 0: none. */
static size_t line_end_size(struct span text)
{
    if (text.size > 0 && (text.text[0] == '\n' || text.text[0] == '\r'))
        return 1;
    bool is_wide = span_starts_with(text, SPAN("\xe2\x80\xa8")) ||
                   span_starts_with(text, SPAN("\xe2\x80\xa9"));
    return is_wide ? 3 : 0;
}

static bool skip_comment(struct reader *reader, bool *has_line_end)
{
    bool is_line = reader->text.text[reader->at + 1] == '/';
    for (reader->at += 2; reader->at < reader->text.size; reader->at++) {
        size_t line_end = line_end_size(rest(reader));
        *has_line_end = *has_line_end || (!is_line && line_end > 0);
        if (is_line && line_end > 0)
            return true; /* the end of the line is a blank */
        if (!is_line && span_starts_with(rest(reader), SPAN("*/"))) {
            reader->at += 2;
            return true;
        }
    }
    return is_line || fail(reader, "a comment does not end");
}

/* Blanks and comments are kept as they are. */
static bool skip_blanks(struct reader *reader, bool *has_line_end)
{
    *has_line_end = reader->at == 0;
    for (;;) {
        size_t blank = blank_size(rest(reader));
        *has_line_end = *has_line_end || line_end_size(rest(reader)) > 0;
        reader->at += blank;
        if (blank > 0)
            continue;
        if (span_starts_with(rest(reader), SPAN("<!--")) ||
            (*has_line_end && span_starts_with(rest(reader), SPAN("-->"))))
            return fail(reader, "HTML's comments are no part of a script");
        if (!span_starts_with(rest(reader), SPAN("//")) &&
            !span_starts_with(rest(reader), SPAN("/*")))
            return true;
        if (!skip_comment(reader, has_line_end))
            return false;
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_part(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static void read_name(struct reader *reader)
{
    while (reader->at < reader->text.size && is_name_part(reader->text.text[reader->at]) &&
           blank_size(rest(reader)) == 0)
        reader->at++;
}

static void read_number(struct reader *reader)
{
    char last = '\0';
    bool is_hexadecimal = span_starts_with(rest(reader), SPAN("0x")) ||
                          span_starts_with(rest(reader), SPAN("0X"));
    for (; reader->at < reader->text.size; reader->at++) {
        char c = reader->text.text[reader->at];
        bool is_exponent = (last == 'e' || last == 'E') && !is_hexadecimal;
        bool fits = c == '.' || ((unsigned char)c < 0x80 && is_name_part(c)) ||
                    (is_exponent && (c == '+' || c == '-'));
        if (!fits)
            return;
        last = c;
    }
}

/* A string, or a pattern, whose classes may have its end in them. */
static bool read_quoted(struct reader *reader, bool is_pattern)
{
    char quote = reader->text.text[reader->at++];
    bool is_in_class = false;
    while (reader->at < reader->text.size) {
        char c = reader->text.text[reader->at];
        size_t line_end = line_end_size(rest(reader));
        if (line_end == 1 || (line_end > 1 && is_pattern))
            break;
        reader->at++;
        if (c == '\\' && reader->at < reader->text.size) {
            if (is_pattern && line_end_size(rest(reader)) > 0)
                break;
            bool is_two = span_starts_with(rest(reader), SPAN("\r\n"));
            reader->at += is_two ? 2 : 1;
        } else if (is_pattern && (c == '[' || c == ']')) {
            is_in_class = c == '[';
        } else if (c == quote && !is_in_class) {
            if (is_pattern)
                read_name(reader);
            return true;
        }
    }
    return fail(reader,
                is_pattern ? "a regular expression does not end" : "a text does not end");
}

static bool is_any(struct span text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_is(text, words[i]))
            return true;
    }
    return false;
}

#define IS_ANY(text, ...)                              \
    is_any((text), (const char *const[]){__VA_ARGS__}, \
           sizeof(const char *const[]){__VA_ARGS__} / sizeof(const char *))

static bool is_sign(const struct word *word, char sign)
{
    return word->kind == WORD_SIGN && word->text.text[0] == sign;
}

/* Names behind which an operand comes, and no operator. */
static bool opens_operand(const struct word *word)
{
    return IS_ANY(word->text, "return", "typeof", "new", "delete", "void", "throw", "in",
                  "instanceof", "case", "do", "else");
}

/* Whether a `/` here begins a regular expression. */
static bool begins_pattern(struct reader *reader)
{
    const struct word *before = &reader->before;
    switch (before->kind) {
    case WORD_END:
        return true;
    case WORD_NAME:
        return !reader->is_member && opens_operand(before);
    case WORD_NUMBER:
    case WORD_STRING:
    case WORD_PATTERN:
        return false;
    case WORD_SIGN:
        break;
    }
    if (is_sign(before, '}'))
        fail(reader, "words do not tell whether this `/` divides: put parentheses around what "
                     "stands before or behind it");
    if (is_sign(before, ')'))
        return reader->closed != BRACKET_PLAIN && reader->closed != BRACKET_PARAMETERS;
    return !is_sign(before, ']') && !span_is(before->text, "++") &&
           !span_is(before->text, "--");
}

static bool read_word(struct reader *reader, struct word *word)
{
    if (!skip_blanks(reader, &word->is_on_new_line))
        return false;
    size_t start = reader->at;
    word->kind = WORD_END;
    word->text = SPAN("");
    if (start == reader->text.size)
        return true;
    char c = reader->text.text[start];
    bool is_fraction =
        c == '.' && start + 1 < reader->text.size && is_digit(reader->text.text[start + 1]);
    word->kind = WORD_SIGN;
    if (is_digit(c) || is_fraction) {
        word->kind = WORD_NUMBER;
        read_number(reader);
    } else if (is_name_part(c)) {
        word->kind = WORD_NAME;
        read_name(reader);
    } else if (c == '"' || c == '\'') {
        word->kind = WORD_STRING;
        if (!read_quoted(reader, false))
            return false;
    } else if (c == '/' && begins_pattern(reader)) {
        word->kind = WORD_PATTERN;
        if (!read_quoted(reader, true))
            return false;
    } else if (c == '\\') {
        return fail(reader, "escapes in names are not read");
    } else {
        bool is_double = span_starts_with(rest(reader), SPAN("++")) ||
                         span_starts_with(rest(reader), SPAN("--"));
        reader->at += is_double ? 2 : 1;
    }
    word->text = span_slice(reader->text, start, reader->at);
    if (word->kind == WORD_NAME && span_starts_with(word->text, SPAN("$il_")))
        return fail(reader, "names that begin with `$il_` are not for scripts");
    return reader->problem.size == 0;
}

/* The word behind the one that was read. */
static struct word peek_word(struct reader *reader, const struct word *word)
{
    struct word next = {0};
    struct word before = reader->before;
    size_t at = reader->at;
    reader->before = *word;
    if (!read_word(reader, &next))
        next = (struct word){.kind = WORD_END};
    reader->before = before;
    reader->at = at;
    reader->problem = SPAN("");
    return next;
}

/* Functions */

static void add_quoted(struct text *text, struct span string)
{
    text_add_byte(text, '"');
    for (size_t i = 0; i < string.size; i++) {
        size_t line_end = line_end_size(span_slice(string, i, string.size));
        char c = string.text[i];
        if (line_end == 3)
            text_add(text, string.text[i + 2] == '\xa8' ? SPAN("\\u2028") : SPAN("\\u2029"));
        else if (line_end == 1)
            text_add(text, c == '\n' ? SPAN("\\n") : SPAN("\\r"));
        else if (c == '"' || c == '\\')
            text_format(text, "\\%c", c);
        else
            text_add_byte(text, c);
        i += line_end == 3 ? 2 : 0;
    }
    text_add_byte(text, '"');
}

static void know_function(struct reader *reader, struct span text)
{
    struct script_function *function = arena_new(reader->arena, struct script_function);
    function->text = text;
    *reader->functions_end = function;
    reader->functions_end = &function->next;
}

/* Whether `function` here begins a statement: nothing that takes an operand stands before. */
static bool is_declaration(const struct reader *reader)
{
    const struct word *before = &reader->before;
    if (before->kind == WORD_END)
        return reader->form == EXPR_SCRIPT;
    if (before->kind == WORD_NAME)
        return !opens_operand(before);
    return before->kind != WORD_SIGN || is_sign(before, ';') || is_sign(before, '}') ||
           is_sign(before, ')') || is_sign(before, ']');
}

static void begin_function(struct reader *reader, const struct word *word)
{
    bool is_kept = reader->scopes == 0 && !reader->is_with;
    reader->is_head = true;
    reader->is_declared = is_declaration(reader);
    reader->function = (size_t)(word->text.text - reader->text.text);
    if (!is_kept || (reader->is_declared && reader->depth > 0))
        reader->function = SIZE_MAX;
    else if (!reader->is_declared)
        emit(reader, "($il_keep(");
}

/* The name of a declared function: the first word behind `function`. */
static struct span name_of_function(struct reader *reader, struct span function)
{
    struct word word = {0};
    size_t at = reader->at;
    reader->at = (size_t)(function.text - reader->text.text) + strlen("function");
    if (!read_word(reader, &word) || word.kind != WORD_NAME)
        word.text = SPAN("undefined");
    reader->at = at;
    return word.text;
}

static void end_function(struct reader *reader, const struct bracket *body)
{
    if (body->function == SIZE_MAX)
        return;
    struct span text = span_slice(reader->text, body->function, reader->at);
    struct text *code = body->is_declared ? &reader->kept : &reader->code;
    know_function(reader, text);
    if (body->is_declared) {
        text_add(code, SPAN("$il_keep("));
        text_add(code, name_of_function(reader, text));
    }
    text_add_byte(code, ',');
    add_quoted(code, text);
    text_add(code, body->is_declared ? SPAN(");") : SPAN("))"));
}

/* Brackets */

/* `) {` is the body of a function unless a word says otherwise: methods have none. */
static enum bracket_kind kind_of_brace(const struct reader *reader)
{
    if (!is_sign(&reader->before, ')'))
        return BRACKET_PLAIN;
    if (reader->closed == BRACKET_CATCH)
        return BRACKET_SCOPE;
    bool is_body = reader->closed == BRACKET_PARAMETERS || reader->closed == BRACKET_PLAIN;
    return is_body ? BRACKET_BODY : BRACKET_PLAIN;
}

static enum bracket_kind kind_of_opening(const struct reader *reader, char opening)
{
    const struct word *before = &reader->before;
    if (opening == '{')
        return kind_of_brace(reader);
    if (opening == '(' && reader->is_head)
        return BRACKET_PARAMETERS;
    if (opening == '[' || before->kind != WORD_NAME || reader->is_member)
        return BRACKET_PLAIN;
    if (span_is(before->text, "while"))
        return BRACKET_WHILE;
    if (span_is(before->text, "for"))
        return BRACKET_FOR;
    if (span_is(before->text, "catch"))
        return BRACKET_CATCH;
    return IS_ANY(before->text, "if", "with", "switch") ? BRACKET_HEAD : BRACKET_PLAIN;
}

static bool open_bracket(struct reader *reader, const struct word *word)
{
    char opening = word->text.text[0];
    struct bracket bracket = {kind_of_opening(reader, opening), opening, SIZE_MAX, false};
    if (reader->depth == SCRIPT_NESTING_MAX)
        return fail(reader, "the brackets nest too deeply");
    text_add(&reader->code, word->text);
    if (bracket.kind == BRACKET_WHILE)
        emit(reader, "$il_tick()&&(");
    if (bracket.kind == BRACKET_BODY) {
        bracket.function = reader->function;
        bracket.is_declared = reader->is_declared;
        reader->function = SIZE_MAX;
        reader->is_directive = true;
    }
    reader->is_head = reader->is_head && bracket.kind != BRACKET_PARAMETERS;
    reader->scopes += bracket.kind >= BRACKET_BODY;
    reader->brackets[reader->depth++] = bracket;
    return true;
}

static bool close_bracket(struct reader *reader, const struct word *word)
{
    char closing = word->text.text[0];
    char opening = closing == ')' ? '(' : closing == ']' ? '[' : '{';
    if (reader->depth == 0 || reader->brackets[reader->depth - 1].opening != opening)
        return fail(reader, "a bracket is closed that is not open");
    struct bracket bracket = reader->brackets[--reader->depth];
    reader->scopes -= bracket.kind >= BRACKET_BODY;
    reader->closed = bracket.kind;
    if (bracket.kind == BRACKET_WHILE || bracket.kind == BRACKET_FOR_IN)
        emit(reader, ")");
    text_add(&reader->code, word->text);
    if (bracket.kind == BRACKET_BODY)
        end_function(reader, &bracket);
    return true;
}

static struct bracket *innermost(struct reader *reader)
{
    return reader->depth == 0 ? NULL : &reader->brackets[reader->depth - 1];
}

static void pass_semicolon(struct reader *reader)
{
    struct bracket *bracket = innermost(reader);
    bool is_first = bracket != NULL && bracket->kind == BRACKET_FOR;
    bool is_second = bracket != NULL && bracket->kind == BRACKET_FOR_TEST;
    if (is_second && !reader->tests_next)
        emit(reader, ")");
    if (is_second && reader->tests_next)
        emit(reader, "$il_tick()");
    emit(reader, ";");
    reader->tests_next = is_first;
    if (is_first)
        bracket->kind = BRACKET_FOR_TEST;
    if (is_second)
        bracket->kind = BRACKET_FOR_STEP;
}

/* The whole text */

/* In() changes nothing. */
static bool is_call(const struct reader *reader)
{
    const struct word *before = &reader->before;
    if (before->kind == WORD_NAME)
        return !span_is(before->text, "In");
    return is_sign(before, ')') || is_sign(before, ']') || is_sign(before, '}');
}

static bool pass_sign(struct reader *reader, const struct word *word)
{
    switch (word->text.text[0]) {
    case '(':
        if (is_call(reader))
            reader->result->may_change = true;
        return open_bracket(reader, word);
    case '[':
    case '{':
        return open_bracket(reader, word);
    case ')':
    case ']':
    case '}':
        return close_bracket(reader, word);
    case ';':
        pass_semicolon(reader);
        return true;
    default:
        text_add(&reader->code, word->text);
        return true;
    }
}

static void pass_name(struct reader *reader, const struct word *word)
{
    struct word next = peek_word(reader, word);
    struct bracket *bracket = innermost(reader);
    reader->is_member = is_sign(&reader->before, '.') || is_sign(&next, ':');
    if (!reader->is_member && span_is(word->text, "function"))
        begin_function(reader, word);
    if (!reader->is_member && span_is(word->text, "with"))
        reader->is_with = true;
    text_add(&reader->code, word->text);
    if (span_is(word->text, "in") && bracket != NULL && bracket->kind == BRACKET_FOR) {
        bracket->kind = BRACKET_FOR_IN;
        emit(reader, " $il_each(");
    }
}

/* `"use strict";` and its like stay the first in their function. */
static bool is_directive(struct reader *reader, const struct word *word)
{
    static const char operators[] = "+-*/.,([?=<>&|^%!";
    struct word next = peek_word(reader, word);
    if (word->kind != WORD_STRING || next.kind == WORD_END)
        return false;
    if (is_sign(&next, ';') || is_sign(&next, '}'))
        return true;
    bool goes_on = (next.kind == WORD_SIGN && strchr(operators, next.text.text[0]) != NULL) ||
                   IS_ANY(next.text, "in", "instanceof");
    return next.is_on_new_line && !goes_on;
}

static void end_directives(struct reader *reader)
{
    reader->is_directive = false;
    if (reader->depth == 0)
        reader->kept_at = reader->code.size;
    else
        emit(reader, "$il_tick();");
}

static bool pass_word(struct reader *reader, const struct word *word)
{
    bool stays = reader->is_directive && (is_directive(reader, word) || is_sign(word, ';'));
    if (reader->is_directive && !stays)
        end_directives(reader);
    if (reader->tests_next && !is_sign(word, ';')) {
        emit(reader, "$il_tick()&&(");
        reader->tests_next = false;
    }
    if (word->kind == WORD_SIGN)
        return pass_sign(reader, word);
    if (word->kind == WORD_NAME)
        pass_name(reader, word);
    else
        text_add(&reader->code, word->text);
    if (stays)
        emit(reader, ";"); /* a directive: the end of its line may have ended it */
    return true;
}

/* `=` that is no comparison, `++`, `--`, `new` and `delete`. */
static bool changes(const struct reader *reader, const struct word *word)
{
    if (word->kind == WORD_NAME)
        return IS_ANY(word->text, "new", "delete", "function", "var");
    if (word->kind != WORD_SIGN)
        return false;
    size_t at = (size_t)(word->text.text - reader->text.text);
    char before = at > 0 ? reader->text.text[at - 1] : ' ';
    char behind = at + 1 < reader->text.size ? reader->text.text[at + 1] : ' ';
    if (word->text.size == 2)
        return true;
    bool is_shift =
        (before == '<' || before == '>') && at > 1 && reader->text.text[at - 2] == before;
    return word->text.text[0] == '=' && behind != '=' && before != '=' &&
           ((before != '!' && before != '<' && before != '>') || is_shift);
}

/* A place is a name with members; its brackets may have anything in them. */
static bool fits_form(struct reader *reader, const struct word *word)
{
    if (reader->form != EXPR_PLACE || reader->depth > 0)
        return true;
    bool fits = word->kind == WORD_NAME || is_sign(word, '.') || is_sign(word, '[') ||
                is_sign(word, '(');
    return fits || fail(reader, "nothing can be assigned to this");
}

static bool is_end_of_expression(struct reader *reader, const struct word *word)
{
    return reader->form != EXPR_SCRIPT && reader->depth == 0 && is_sign(word, ';') &&
           peek_word(reader, word).kind == WORD_END;
}

static bool read_all(struct reader *reader)
{
    struct word word = {0};
    for (;;) {
        size_t start = reader->at;
        if (!read_word(reader, &word))
            return false;
        size_t from = reader->at - word.text.size;
        text_add(&reader->code, span_slice(reader->text, start, from));
        if (word.kind == WORD_END || is_end_of_expression(reader, &word))
            return reader->depth == 0 || fail(reader, "a bracket is not closed");
        reader->result->may_change = reader->result->may_change || changes(reader, &word);
        if (!fits_form(reader, &word) || !pass_word(reader, &word))
            return false;
        reader->before = word;
    }
}

static struct span assemble(struct reader *reader)
{
    struct text whole;
    struct span code = text_span(&reader->code);
    text_init(&whole, reader->arena);
    if (reader->form == EXPR_SCRIPT) {
        text_add(&whole, span_slice(code, 0, reader->kept_at));
        text_add(&whole, text_span(&reader->kept));
        text_add(&whole, span_slice(code, reader->kept_at, code.size));
    } else if (reader->form == EXPR_PLACE) {
        text_add(&whole, code);
        text_add(&whole, SPAN("\n=$il_given()"));
    } else {
        text_add_byte(&whole, '(');
        text_add(&whole, code);
        text_add(&whole, SPAN("\n)"));
    }
    return text_span(&whole);
}

struct script_text script_text_prepare(enum expr_form form, struct span text,
                                       struct arena *arena)
{
    struct script_text result = {.may_change = form == EXPR_PLACE || form == EXPR_SCRIPT};
    struct reader *reader = arena_new(arena, struct reader);
    *reader = (struct reader){.form = form,
                              .text = text,
                              .arena = arena,
                              .result = &result,
                              .functions_end = &result.functions,
                              .function = SIZE_MAX,
                              .is_directive = form == EXPR_SCRIPT};
    text_init(&reader->code, arena);
    text_init(&reader->kept, arena);
    if (read_all(reader))
        result.code = assemble(reader);
    else
        result.problem = reader->problem;
    return result;
}
