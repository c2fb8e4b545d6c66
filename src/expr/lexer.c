/*
 * lexer.c - cutting CEL text into tokens.
 *
 * The lexer finds the end of a string without deciding what its escapes mean, so that the
 * same code also finds the end of a `${…}` slot.
 */
#include "expr/lexer.h"

#include "base/digit.h"
#include "base/ensure.h"

static const struct {
    struct span text;
    enum token_kind kind;
} words[] = {
    {{"true", 4}, TOKEN_TRUE},          {{"false", 5}, TOKEN_FALSE},
    {{"null", 4}, TOKEN_NULL},          {{"in", 2}, TOKEN_IN},
    {{"as", 2}, TOKEN_RESERVED},        {{"break", 5}, TOKEN_RESERVED},
    {{"const", 5}, TOKEN_RESERVED},     {{"continue", 8}, TOKEN_RESERVED},
    {{"else", 4}, TOKEN_RESERVED},      {{"for", 3}, TOKEN_RESERVED},
    {{"function", 8}, TOKEN_RESERVED},  {{"if", 2}, TOKEN_RESERVED},
    {{"import", 6}, TOKEN_RESERVED},    {{"let", 3}, TOKEN_RESERVED},
    {{"loop", 4}, TOKEN_RESERVED},      {{"package", 7}, TOKEN_RESERVED},
    {{"namespace", 9}, TOKEN_RESERVED}, {{"return", 6}, TOKEN_RESERVED},
    {{"var", 3}, TOKEN_RESERVED},       {{"void", 4}, TOKEN_RESERVED},
    {{"while", 5}, TOKEN_RESERVED},
};

static const struct {
    char text[2];
    enum token_kind kind;
} pairs[] = {
    {{'&', '&'}, TOKEN_AND},        {{'|', '|'}, TOKEN_OR},
    {{'<', '='}, TOKEN_LESS_EQUAL}, {{'>', '='}, TOKEN_GREATER_EQUAL},
    {{'=', '='}, TOKEN_EQUAL},      {{'!', '='}, TOKEN_NOT_EQUAL},
};

/* By the byte; TOKEN_END (0) where it is no symbol. */
static const uint8_t symbols[UINT8_MAX + 1] = {
    ['<'] = TOKEN_LESS,          ['>'] = TOKEN_GREATER,     ['!'] = TOKEN_NOT,
    ['('] = TOKEN_LEFT_PAREN,    [')'] = TOKEN_RIGHT_PAREN, ['['] = TOKEN_LEFT_BRACKET,
    [']'] = TOKEN_RIGHT_BRACKET, ['{'] = TOKEN_LEFT_BRACE,  ['}'] = TOKEN_RIGHT_BRACE,
    ['.'] = TOKEN_DOT,           [','] = TOKEN_COMMA,       [':'] = TOKEN_COLON,
    ['?'] = TOKEN_QUESTION,      ['+'] = TOKEN_PLUS,        ['-'] = TOKEN_MINUS,
    ['*'] = TOKEN_STAR,          ['/'] = TOKEN_SLASH,       ['%'] = TOKEN_PERCENT,
};

const char *lexer_kind_name(enum token_kind kind)
{
#define TOKEN_NAME(name, text) [TOKEN_##name] = text,
    static const char *const names[TOKEN_COUNT] = {TOKEN_LIST(TOKEN_NAME)};
#undef TOKEN_NAME
    ensure(kind < TOKEN_COUNT);
    return names[kind];
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_hex_digit(char c)
{
    return digit_value(c) < 16;
}

/* The byte `ahead` of the current one; NUL behind the end, which begins no token either. */
static char peek(const struct lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;
    return at < lexer->text.size ? lexer->text.text[at] : '\0';
}

static bool is_at_end(const struct lexer *lexer)
{
    return lexer->at >= lexer->text.size;
}

static void skip_blanks(struct lexer *lexer)
{
    for (;;) {
        char c = peek(lexer, 0);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
            lexer->at++;
        } else if (c == '/' && peek(lexer, 1) == '/') {
            while (!is_at_end(lexer) && peek(lexer, 0) != '\n')
                lexer->at++;
        } else {
            return;
        }
    }
}

static struct token token_from(const struct lexer *lexer, enum token_kind kind, size_t from)
{
    return (struct token){
        .kind = kind,
        .offset = (uint32_t)from,
        .text = span_slice(lexer->text, from, lexer->at),
    };
}

static struct token token_error(const struct lexer *lexer, size_t from, const char *problem)
{
    struct token token = token_from(lexer, TOKEN_ERROR, from);
    token.problem = problem;
    return token;
}

static void skip_digits(struct lexer *lexer)
{
    while (digit_is_decimal(peek(lexer, 0)))
        lexer->at++;
}

static bool skip_exponent(struct lexer *lexer)
{
    if (peek(lexer, 0) != 'e' && peek(lexer, 0) != 'E')
        return false;
    size_t sign = peek(lexer, 1) == '+' || peek(lexer, 1) == '-';
    if (!digit_is_decimal(peek(lexer, 1 + sign)))
        return false;
    lexer->at += 1 + sign;
    skip_digits(lexer);
    return true;
}

static bool skip_fraction(struct lexer *lexer)
{
    if (peek(lexer, 0) != '.' || !digit_is_decimal(peek(lexer, 1)))
        return false;
    lexer->at++;
    skip_digits(lexer);
    return true;
}

static struct token read_number(struct lexer *lexer)
{
    size_t from = lexer->at;
    bool is_double = false;
    if (peek(lexer, 0) == '0' && (peek(lexer, 1) == 'x' || peek(lexer, 1) == 'X') &&
        is_hex_digit(peek(lexer, 2))) {
        lexer->at += 2;
        while (is_hex_digit(peek(lexer, 0)))
            lexer->at++;
    } else {
        skip_digits(lexer);
        is_double = skip_fraction(lexer);
        is_double |= skip_exponent(lexer);
    }
    bool is_uint = !is_double && (peek(lexer, 0) == 'u' || peek(lexer, 0) == 'U');
    lexer->at += is_uint;
    if (is_letter(peek(lexer, 0)) || digit_is_decimal(peek(lexer, 0))) {
        while (is_letter(peek(lexer, 0)) || digit_is_decimal(peek(lexer, 0)))
            lexer->at++;
        return token_error(lexer, from, "this is neither a number nor a name");
    }
    return token_from(lexer, is_double ? TOKEN_DOUBLE : is_uint ? TOKEN_UINT : TOKEN_INT, from);
}

/* How many bytes of prefix (r, b, br) stand before a quote here; SIZE_MAX when no quote does.
 */
static size_t string_prefix(const struct lexer *lexer, bool *is_raw, bool *is_bytes)
{
    size_t size = 0;
    *is_bytes = peek(lexer, size) == 'b' || peek(lexer, size) == 'B';
    size += *is_bytes;
    *is_raw = peek(lexer, size) == 'r' || peek(lexer, size) == 'R';
    size += *is_raw;
    return peek(lexer, size) == '\'' || peek(lexer, size) == '"' ? size : SIZE_MAX;
}

static bool is_closing(const struct lexer *lexer, char quote, bool is_triple)
{
    if (peek(lexer, 0) != quote)
        return false;
    return !is_triple || (peek(lexer, 1) == quote && peek(lexer, 2) == quote);
}

/* From behind the prefix to behind the closing quote; NULL, or what is wrong. */
static const char *skip_string(struct lexer *lexer, bool is_raw)
{
    char quote = peek(lexer, 0);
    bool is_triple = peek(lexer, 1) == quote && peek(lexer, 2) == quote;
    lexer->at += is_triple ? 3 : 1;
    while (!is_closing(lexer, quote, is_triple)) {
        char c = peek(lexer, 0);
        if (is_at_end(lexer))
            return "this string is not closed";
        if (!is_triple && (c == '\n' || c == '\r'))
            return "this string is not closed on its line";
        lexer->at += !is_raw && c == '\\' && lexer->at + 1 < lexer->text.size ? 2 : 1;
    }
    lexer->at += is_triple ? 3 : 1;
    return NULL;
}

static struct token read_string(struct lexer *lexer, size_t prefix, bool is_raw, bool is_bytes)
{
    size_t from = lexer->at;
    lexer->at += prefix;
    const char *problem = skip_string(lexer, is_raw);
    if (problem != NULL)
        return token_error(lexer, from, problem);
    return token_from(lexer, is_bytes ? TOKEN_BYTES : TOKEN_STRING, from);
}

static struct token read_name(struct lexer *lexer)
{
    size_t from = lexer->at;
    while (is_letter(peek(lexer, 0)) || digit_is_decimal(peek(lexer, 0)))
        lexer->at++;
    struct token token = token_from(lexer, TOKEN_NAME, from);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (span_equal_short(token.text, words[i].text))
            token.kind = words[i].kind;
    }
    return token;
}

static bool is_quoted_name_byte(char c)
{
    return is_letter(c) || digit_is_decimal(c) || c == '.' || c == '-' || c == '/' || c == ' ';
}

static struct token read_quoted_name(struct lexer *lexer)
{
    size_t from = lexer->at++;
    while (is_quoted_name_byte(peek(lexer, 0)))
        lexer->at++;
    if (peek(lexer, 0) != '`')
        return token_error(lexer, from,
                           "a quoted name holds letters, digits, '_', '.', '-', '/' and "
                           "blanks, and ends with a backtick");
    lexer->at++;
    struct token token = token_from(lexer, TOKEN_QUOTED_NAME, from);
    token.text = span_slice(token.text, 1, token.text.size - 1);
    if (token.text.size == 0)
        return token_error(lexer, from, "this quoted name is empty");
    return token;
}

static enum token_kind pair_kind(char first, char second)
{
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (pairs[i].text[0] == first && pairs[i].text[1] == second)
            return pairs[i].kind;
    }
    return TOKEN_END;
}

static struct token read_symbol(struct lexer *lexer)
{
    size_t from = lexer->at;
    char c = peek(lexer, 0);
    char next = peek(lexer, 1);
    bool may_be_pair = next == '=' || next == c;
    enum token_kind kind = may_be_pair ? pair_kind(c, next) : TOKEN_END;
    lexer->at += kind != TOKEN_END;
    if (kind == TOKEN_END)
        kind = (enum token_kind)symbols[(unsigned char)c];
    lexer->at++;
    if (kind != TOKEN_END)
        return token_from(lexer, kind, from);
    while (!is_at_end(lexer) && ((unsigned char)peek(lexer, 0) & 0xc0) == 0x80)
        lexer->at++; /* the rest of a code point */
    if (c == '=')
        return token_error(lexer, from, "'=' is not an operator; equality is '=='");
    if (c == '&' || c == '|')
        return token_error(lexer, from, "logical operators are '&&' and '||'");
    return token_error(lexer, from, "no expression has this character outside of a string");
}

struct token lexer_next(struct lexer *lexer)
{
    bool is_raw;
    bool is_bytes;
    skip_blanks(lexer);
    char c = peek(lexer, 0);
    if (is_at_end(lexer))
        return token_from(lexer, TOKEN_END, lexer->at);
    size_t prefix = string_prefix(lexer, &is_raw, &is_bytes);
    if (prefix != SIZE_MAX)
        return read_string(lexer, prefix, is_raw, is_bytes);
    if (is_letter(c))
        return read_name(lexer);
    if (digit_is_decimal(c) || (c == '.' && digit_is_decimal(peek(lexer, 1))))
        return read_number(lexer);
    if (c == '`')
        return read_quoted_name(lexer);
    return read_symbol(lexer);
}
