/*
 * lexer.h - the words of CEL text, each with its exact place.
 *
 * A token is a kind and a run of bytes; what a literal stands for is literal.h's business.
 * What cannot be a token is a TOKEN_ERROR that says why, and the lexer goes on behind it.
 */
#pragma once

#include "base/span.h"

#define TOKEN_LIST(X)               \
    X(END, "the end")               \
    X(ERROR, "an error")            \
    X(NAME, "a name")               \
    X(QUOTED_NAME, "a quoted name") \
    X(RESERVED, "a reserved word")  \
    X(INT, "a number")              \
    X(UINT, "a number")             \
    X(DOUBLE, "a number")           \
    X(STRING, "a string")           \
    X(BYTES, "bytes")               \
    X(TRUE, "'true'")               \
    X(FALSE, "'false'")             \
    X(NULL, "'null'")               \
    X(IN, "'in'")                   \
    X(LEFT_PAREN, "'('")            \
    X(RIGHT_PAREN, "')'")           \
    X(LEFT_BRACKET, "'['")          \
    X(RIGHT_BRACKET, "']'")         \
    X(LEFT_BRACE, "'{'")            \
    X(RIGHT_BRACE, "'}'")           \
    X(DOT, "'.'")                   \
    X(COMMA, "','")                 \
    X(COLON, "':'")                 \
    X(QUESTION, "'?'")              \
    X(AND, "'&&'")                  \
    X(OR, "'||'")                   \
    X(NOT, "'!'")                   \
    X(LESS, "'<'")                  \
    X(LESS_EQUAL, "'<='")           \
    X(GREATER, "'>'")               \
    X(GREATER_EQUAL, "'>='")        \
    X(EQUAL, "'=='")                \
    X(NOT_EQUAL, "'!='")            \
    X(PLUS, "'+'")                  \
    X(MINUS, "'-'")                 \
    X(STAR, "'*'")                  \
    X(SLASH, "'/'")                 \
    X(PERCENT, "'%'")

#define TOKEN_ENUM(name, text) TOKEN_##name,
enum token_kind { TOKEN_LIST(TOKEN_ENUM) TOKEN_COUNT };
#undef TOKEN_ENUM

struct token {
    enum token_kind kind;
    uint32_t offset;
    struct span text;    /* as written; the name alone in a QUOTED_NAME */
    const char *problem; /* of an ERROR: a sentence without a final stop, static */
};

struct lexer {
    struct span text;
    size_t at;
};

/* The next token; END for ever at the end of the text. */
struct token lexer_next(struct lexer *lexer);

/* What a kind of token is called in a message: "')'". */
const char *lexer_kind_name(enum token_kind kind);
