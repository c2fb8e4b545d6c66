/*
 * ecma_lexer.h - the words of an ECMAScript expression, each with its place.
 */
#pragma once

#include "base/arena.h"
#include "base/span.h"

enum ecma_word_kind {
    ECMA_WORD_END,
    ECMA_WORD_NAME,
    ECMA_WORD_RESERVED, /* if, return, function … and true, null, this */
    ECMA_WORD_NUMBER,
    ECMA_WORD_STRING,
    ECMA_WORD_SIGN,    /* the longest operator or bracket */
    ECMA_WORD_FOREIGN, /* legal, but nothing that is translated: `templates` */
    ECMA_WORD_ERROR,   /* no word of the language */
};

struct ecma_word {
    enum ecma_word_kind kind;
    uint32_t offset;
    struct span text;    /* as written; of a string what it stands for */
    double number;       /* of a number */
    const char *problem; /* of FOREIGN and ERROR: a sentence without a final stop */
};

struct ecma_lexer {
    struct span text;
    size_t at;
    struct arena *arena; /* for strings with escapes */
};

/* The next word; END for ever at the end of the text. */
struct ecma_word ecma_lexer_next(struct ecma_lexer *lexer);
