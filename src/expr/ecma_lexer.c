/*
 * ecma_lexer.c - ECMAScript's blanks, comments, names, numbers, strings and signs.
 *
 * A slash where an operand must stand begins a regular expression; only the parser knows
 * where that is, so here it is always a sign.
 */
#include "expr/ecma_lexer.h"

#include "base/decimal.h"
#include "base/limits.h"
#include "base/text.h"

static const char *const reserved[] = {
    "break",  "case",     "catch",  "class",  "const",  "continue",   "debugger", "default",
    "delete", "do",       "else",   "enum",   "export", "extends",    "false",    "finally",
    "for",    "function", "if",     "import", "in",     "instanceof", "new",      "null",
    "return", "super",    "switch", "this",   "throw",  "true",       "try",      "typeof",
    "var",    "void",     "while",  "with",
};

/* Longer ones before their beginnings. */
static const char *const signs[] = {
    ">>>=", "...", "===", "!==", ">>>", "<<=", ">>=", "**=", "&&=", "||=", "?\?=", "==",
    "!=",   "<=",  ">=",  "&&",  "||",  "?\?", "?.",  "**",  "<<",  ">>",  "=>",   "++",
    "--",   "+=",  "-=",  "*=",  "/=",  "%=",  "&=",  "|=",  "^=",  "{",   "}",    "(",
    ")",    "[",   "]",   ";",   ",",   "<",   ">",   "+",   "-",   "*",   "/",    "%",
    "&",    "|",   "^",   "!",   "~",   "?",   ":",   "=",   ".",
};

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
           (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(const struct ecma_lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;
    return at < lexer->text.size ? lexer->text.text[at] : '\0';
}

static bool rest_starts_with(const struct ecma_lexer *lexer, const char *start)
{
    return span_starts_with(span_slice(lexer->text, lexer->at, lexer->text.size),
                            span_from_text(start));
}

/* False when a comment does not end. */
static bool skip_blanks(struct ecma_lexer *lexer)
{
    while (lexer->at < lexer->text.size) {
        if (strchr(" \t\r\n\v\f", peek(lexer, 0)) != NULL) {
            lexer->at++;
        } else if (rest_starts_with(lexer, "\xc2\xa0")) {
            lexer->at += 2;
        } else if (rest_starts_with(lexer, "//")) {
            size_t end = span_find(lexer->text, SPAN("\n"), lexer->at);
            lexer->at = end == SIZE_MAX ? lexer->text.size : end + 1;
        } else if (rest_starts_with(lexer, "/*")) {
            size_t end = span_find(lexer->text, SPAN("*/"), lexer->at + 2);
            if (end == SIZE_MAX)
                return false;
            lexer->at = end + 2;
        } else {
            break;
        }
    }
    return true;
}

static struct ecma_word word(const struct ecma_lexer *lexer, size_t start,
                             enum ecma_word_kind kind)
{
    return (struct ecma_word){.kind = kind,
                              .offset = (uint32_t)start,
                              .text = span_slice(lexer->text, start, lexer->at)};
}

static struct ecma_word problem(const struct ecma_lexer *lexer, size_t start,
                                enum ecma_word_kind kind, const char *sentence)
{
    struct ecma_word wrong = word(lexer, start, kind);
    wrong.problem = sentence;
    return wrong;
}

static struct ecma_word read_name(struct ecma_lexer *lexer, size_t start)
{
    while (is_name_start(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
        lexer->at++;
    struct ecma_word name = word(lexer, start, ECMA_WORD_NAME);
    if (peek(lexer, 0) == '\\')
        return problem(lexer, start, ECMA_WORD_FOREIGN, "escapes in names are not translated");
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (span_is(name.text, reserved[i]))
            name.kind = ECMA_WORD_RESERVED;
    }
    return name;
}

static size_t count_digits(const struct ecma_lexer *lexer, size_t ahead)
{
    size_t count = 0;
    while (is_digit(peek(lexer, ahead + count)))
        count++;
    return count;
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static struct ecma_word read_hex(struct ecma_lexer *lexer, size_t start)
{
    double number = 0;
    size_t digits = 0;
    lexer->at += 2;
    for (; hex_digit(peek(lexer, 0)) >= 0 && digits < 13; digits++)
        number = number * 16 + hex_digit(lexer->text.text[lexer->at++]);
    if (digits == 0 || is_name_start(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
        return problem(lexer, start, ECMA_WORD_ERROR, "not a hexadecimal number");
    struct ecma_word hex = word(lexer, start, ECMA_WORD_NUMBER);
    hex.number = number;
    return hex;
}

static struct ecma_word read_number(struct ecma_lexer *lexer, size_t start)
{
    if (peek(lexer, 0) == '0' && (peek(lexer, 1) | 0x20) == 'x')
        return read_hex(lexer, start);
    if (peek(lexer, 0) == '0' && is_digit(peek(lexer, 1)))
        return problem(lexer, start, ECMA_WORD_FOREIGN, "octal numbers are not translated");
    lexer->at += count_digits(lexer, 0);
    if (peek(lexer, 0) == '.')
        lexer->at += 1 + count_digits(lexer, 1);
    size_t sign = peek(lexer, 1) == '+' || peek(lexer, 1) == '-';
    if ((peek(lexer, 0) | 0x20) == 'e' && count_digits(lexer, 1 + sign) > 0)
        lexer->at += 1 + sign + count_digits(lexer, 1 + sign);
    struct ecma_word number = word(lexer, start, ECMA_WORD_NUMBER);
    if (is_name_start(peek(lexer, 0)))
        return problem(lexer, start, ECMA_WORD_ERROR, "a number runs into a name");
    if (!decimal_read(number.text, &number.number))
        return problem(lexer, start, ECMA_WORD_ERROR, "this is no number");
    return number;
}

static void add_character(struct text *text, uint32_t code)
{
    if (code < 0x80) {
        text_add_byte(text, (char)code);
    } else if (code < 0x800) {
        text_add_byte(text, (char)(0xc0 | code >> 6));
        text_add_byte(text, (char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        text_add_byte(text, (char)(0xe0 | code >> 12));
        text_add_byte(text, (char)(0x80 | (code >> 6 & 0x3f)));
        text_add_byte(text, (char)(0x80 | (code & 0x3f)));
    } else {
        text_add_byte(text, (char)(0xf0 | code >> 18));
        text_add_byte(text, (char)(0x80 | (code >> 12 & 0x3f)));
        text_add_byte(text, (char)(0x80 | (code >> 6 & 0x3f)));
        text_add_byte(text, (char)(0x80 | (code & 0x3f)));
    }
}

/* So many hexadecimal digits, or -1. */
static int32_t read_digits(struct ecma_lexer *lexer, size_t count)
{
    int32_t code = 0;
    for (size_t i = 0; i < count; i++) {
        int digit = hex_digit(peek(lexer, 0));
        if (digit < 0)
            return -1;
        code = code << 4 | digit;
        lexer->at++;
    }
    return code;
}

/* \uXXXX, two of them for what is beyond the first 65,536; or -1. */
static int32_t read_unicode(struct ecma_lexer *lexer)
{
    int32_t code = read_digits(lexer, 4);
    if (code < 0xd800 || code > 0xdfff)
        return code;
    if (code > 0xdbff || peek(lexer, 0) != '\\' || peek(lexer, 1) != 'u')
        return -1; /* half a character is no text here */
    lexer->at += 2;
    int32_t low = read_digits(lexer, 4);
    return low < 0xdc00 || low > 0xdfff ? -1 : 0x10000 + ((code - 0xd800) << 10) + low - 0xdc00;
}

/* Behind the backslash; NULL or what is wrong. */
static const char *read_escape(struct ecma_lexer *lexer, struct text *text)
{
    static const char names[] = "bfnrtv0";
    static const char codes[] = "\b\f\n\r\t\v";
    char kind = peek(lexer, 0);
    const char *name = kind == '\0' ? NULL : strchr(names, kind);
    lexer->at++;
    if (kind == '0' ? is_digit(peek(lexer, 0)) : is_digit(kind))
        return "octal escapes are not translated";
    if (name != NULL) {
        text_add_byte(text, codes[name - names]);
    } else if (kind == 'x' || kind == 'u') {
        int32_t code = kind == 'x' ? read_digits(lexer, 2) : read_unicode(lexer);
        if (code < 0)
            return "this escape is not translated";
        add_character(text, (uint32_t)code);
    } else if (kind == '\r' && peek(lexer, 0) == '\n') {
        lexer->at++;
    } else if (kind != '\n' && kind != '\r') {
        text_add_byte(text, kind);
    }
    return NULL;
}

static struct ecma_word read_string(struct ecma_lexer *lexer, size_t start)
{
    char quote = lexer->text.text[lexer->at++];
    struct text text;
    text_init(&text, lexer->arena);
    while (lexer->at < lexer->text.size && peek(lexer, 0) != quote) {
        char c = lexer->text.text[lexer->at++];
        if (c == '\n' || c == '\r')
            return problem(lexer, start, ECMA_WORD_ERROR,
                           "the string does not end on its line");
        if (c != '\\') {
            text_add_byte(&text, c);
            continue;
        }
        const char *wrong = read_escape(lexer, &text);
        if (wrong != NULL)
            return problem(lexer, start, ECMA_WORD_FOREIGN, wrong);
    }
    if (lexer->at >= lexer->text.size)
        return problem(lexer, start, ECMA_WORD_ERROR, "the string does not end");
    lexer->at++;
    struct ecma_word string = word(lexer, start, ECMA_WORD_STRING);
    string.text = text_span(&text);
    return string;
}

static struct ecma_word read_sign(struct ecma_lexer *lexer, size_t start)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (rest_starts_with(lexer, signs[i])) {
            lexer->at += strlen(signs[i]);
            return word(lexer, start, ECMA_WORD_SIGN);
        }
    }
    char wrong = lexer->text.text[lexer->at++];
    if (wrong == '`')
        return problem(lexer, start, ECMA_WORD_FOREIGN, "templates are not translated");
    return problem(lexer, start, ECMA_WORD_ERROR, "no word of ECMAScript begins like this");
}

struct ecma_word ecma_lexer_next(struct ecma_lexer *lexer)
{
    bool is_skipped = skip_blanks(lexer);
    size_t start = lexer->at;
    if (!is_skipped) {
        lexer->at = lexer->text.size;
        return problem(lexer, start, ECMA_WORD_ERROR, "the comment does not end");
    }
    if (lexer->at == lexer->text.size)
        return word(lexer, start, ECMA_WORD_END);
    char c = peek(lexer, 0);
    if (is_name_start(c))
        return read_name(lexer, start);
    if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1))))
        return read_number(lexer, start);
    if (c == '"' || c == '\'')
        return read_string(lexer, start);
    return read_sign(lexer, start);
}
