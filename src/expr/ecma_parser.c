/*
 * ecma_parser.c - the part of ECMAScript's expressions that can be translated.
 *
 * It tells apart what is wrong in any engine from what is merely not translated here: the
 * first must fail when it is evaluated, the second must be refused before anything runs. So
 * everything legal that is not understood has to be recognised by its first word.
 *
 * Functions are read only where they are called on the spot and consist of assignments,
 * early returns and a return.
 */
#include "expr/ecma_tree.h"

#include "base/limits.h"
#include "base/text.h"
#include "expr/ecma_lexer.h"

struct parser {
    struct ecma_lexer lexer;
    struct ecma_word word; /* the next one */
    size_t behind;         /* the end of the one before */
    struct arena *arena;
    enum ecma_result result;
    struct ecma_problem *problem;
    uint32_t depth;
};

/* Binary operators by how tightly they bind; `**` is not among them. */
static const struct {
    const char *text;
    int precedence;
} operators[] = {
    {"||", 1}, {"&&", 2},  {"|", 3},          {"^", 4},  {"&", 5},  {"==", 6},
    {"!=", 6}, {"===", 6}, {"!==", 6},        {"<", 7},  {">", 7},  {"<=", 7},
    {">=", 7}, {"in", 7},  {"instanceof", 7}, {"<<", 8}, {">>", 8}, {">>>", 8},
    {"+", 9},  {"-", 9},   {"*", 10},         {"/", 10}, {"%", 10},
};

static const struct ecma_tree *parse_expression(struct parser *parser);

static const struct ecma_tree *fail_at(struct parser *parser, enum ecma_result result,
                                       uint32_t offset, const char *message)
{
    if (parser->result == ECMA_OK) {
        parser->result = result;
        parser->problem->offset = offset;
        parser->problem->message = span_from_text(message);
    }
    return NULL;
}

static const struct ecma_tree *fail(struct parser *parser, enum ecma_result result,
                                    const char *message)
{
    return fail_at(parser, result, parser->word.offset, message);
}

static void next(struct parser *parser)
{
    parser->behind = parser->lexer.at;
    parser->word = ecma_lexer_next(&parser->lexer);
    if (parser->word.kind == ECMA_WORD_FOREIGN)
        fail(parser, ECMA_UNSUPPORTED, parser->word.problem);
    else if (parser->word.kind == ECMA_WORD_ERROR)
        fail(parser, ECMA_ILLEGAL, parser->word.problem);
}

static bool is_at(const struct parser *parser, const char *text)
{
    enum ecma_word_kind kind = parser->word.kind;
    return (kind == ECMA_WORD_SIGN || kind == ECMA_WORD_RESERVED) &&
           span_is(parser->word.text, text);
}

static bool accept(struct parser *parser, const char *text)
{
    if (parser->result != ECMA_OK || !is_at(parser, text))
        return false;
    next(parser);
    return true;
}

/* What stands here instead of what must: signs that begin something legal elsewhere. */
static void fail_here(struct parser *parser, const char *wanted)
{
    static const char *const foreign[] = {
        "=",   "=>", "++", "--", "+=", "-=",  "*=",  "/=",   "%=",  "?.",  "**", "?\?",
        "...", ",",  "&=", "|=", "^=", "<<=", ">>=", ">>>=", "**=", "&&=", "||="};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        if (is_at(parser, foreign[i])) {
            struct span message =
                text_print(parser->arena, "`%s` is not translated", foreign[i]);
            fail(parser, ECMA_UNSUPPORTED, message.text);
            return;
        }
    }
    fail(parser, ECMA_ILLEGAL, wanted);
}

static bool expect(struct parser *parser, const char *text, const char *wanted)
{
    if (accept(parser, text))
        return true;
    fail_here(parser, wanted);
    return false;
}

static struct ecma_tree *new_tree(struct parser *parser, enum ecma_kind kind, uint32_t offset)
{
    struct ecma_tree *tree = arena_new(parser->arena, struct ecma_tree);
    tree->kind = kind;
    tree->offset = offset;
    return tree;
}

static bool enter(struct parser *parser)
{
    if (++parser->depth <= EXPRESSION_DEPTH_MAX)
        return true;
    fail(parser, ECMA_UNSUPPORTED, "the expression nests too deep");
    return false;
}

/* Lists that grow: parts and names side by side. */
struct list {
    const struct ecma_tree **parts;
    struct span *names;
    uint32_t count;
    uint32_t capacity;
};

static void list_add(struct parser *parser, struct list *list, struct span name,
                     const struct ecma_tree *part)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity == 0 ? 4 : list->capacity * 2;
        const struct ecma_tree **parts =
            arena_new_array(parser->arena, capacity, const struct ecma_tree *);
        struct span *names = arena_new_array(parser->arena, capacity, struct span);
        for (uint32_t i = 0; i < list->count; i++) {
            parts[i] = list->parts[i];
            names[i] = list->names[i];
        }
        *list = (struct list){parts, names, list->count, capacity};
    }
    list->parts[list->count] = part;
    list->names[list->count++] = name;
}

static void list_close(struct ecma_tree *tree, const struct list *list)
{
    tree->parts = list->parts;
    tree->names = list->names;
    tree->count = list->count;
}

/* Expressions between commas up to the closing sign, which is taken too. */
static bool parse_list(struct parser *parser, struct ecma_tree *tree, const char *closing)
{
    struct list list = {0};
    while (parser->result == ECMA_OK && !accept(parser, closing)) {
        if (is_at(parser, ",") && closing[0] == ']')
            return fail(parser, ECMA_UNSUPPORTED, "holes in lists are not translated") != NULL;
        list_add(parser, &list, SPAN(""), parse_expression(parser));
        if (is_at(parser, closing))
            continue;
        if (!expect(parser, ",", "here a list goes on with ',' or ends"))
            return false;
    }
    list_close(tree, &list);
    return parser->result == ECMA_OK;
}

static bool parse_key(struct parser *parser, struct span *key)
{
    struct ecma_word word = parser->word;
    *key = word.text;
    if (word.kind == ECMA_WORD_NUMBER) {
        fail(parser, ECMA_UNSUPPORTED, "numbers as keys are not translated");
        return false;
    }
    if (word.kind != ECMA_WORD_NAME && word.kind != ECMA_WORD_RESERVED &&
        word.kind != ECMA_WORD_STRING) {
        if (is_at(parser, "[") || is_at(parser, "..."))
            fail(parser, ECMA_UNSUPPORTED, "computed keys are not translated");
        else
            fail(parser, ECMA_ILLEGAL, "an object's key must stand here");
        return false;
    }
    if (span_is(*key, "__proto__")) {
        fail(parser, ECMA_UNSUPPORTED, "`__proto__` is not translated");
        return false;
    }
    next(parser);
    if (is_at(parser, "(") || parser->word.kind == ECMA_WORD_NAME || is_at(parser, ",") ||
        (is_at(parser, "}") && word.kind == ECMA_WORD_NAME)) {
        fail(parser, ECMA_UNSUPPORTED, "only `key: value` is translated");
        return false;
    }
    return expect(parser, ":", "behind an object's key must stand ':'");
}

static const struct ecma_tree *parse_object(struct parser *parser)
{
    struct ecma_tree *object = new_tree(parser, ECMA_OBJECT, parser->word.offset);
    struct list list = {0};
    next(parser);
    while (parser->result == ECMA_OK && !accept(parser, "}")) {
        struct span key;
        if (!parse_key(parser, &key))
            return NULL;
        for (uint32_t i = 0; i < list.count; i++) {
            if (span_equal(list.names[i], key))
                return fail(parser, ECMA_UNSUPPORTED, "the same key twice is not translated");
        }
        list_add(parser, &list, key, parse_expression(parser));
        if (!is_at(parser, "}") &&
            !expect(parser, ",", "here an object goes on with ',' or ends"))
            return NULL;
    }
    list_close(object, &list);
    return object;
}

/* One `return value;`, in braces or not. */
static const struct ecma_tree *parse_return(struct parser *parser)
{
    bool is_block = accept(parser, "{");
    if (!is_at(parser, "return"))
        return fail(parser, ECMA_UNSUPPORTED, "this statement is not translated");
    next(parser);
    if (is_at(parser, ";") || is_at(parser, "}"))
        return fail(parser, ECMA_UNSUPPORTED, "a return without a value is not translated");
    const struct ecma_tree *value = parse_expression(parser);
    if (!accept(parser, ";") && !is_at(parser, "}"))
        fail_here(parser, "here the statement must end with ';'");
    if (is_block)
        expect(parser, "}", "here the block must end");
    return value;
}

static bool parse_statement(struct parser *parser, struct ecma_statement *statement)
{
    if (is_at(parser, "return")) {
        statement->kind = ECMA_RETURN;
        statement->value = parse_return(parser);
    } else if (accept(parser, "if")) {
        statement->kind = ECMA_IF_RETURN;
        expect(parser, "(", "behind 'if' must stand '('");
        statement->condition = parse_expression(parser);
        expect(parser, ")", "the condition must end with ')'");
        statement->value = parse_return(parser);
        if (is_at(parser, "else"))
            fail(parser, ECMA_UNSUPPORTED, "`else` is not translated");
    } else {
        accept(parser, "var");
        statement->kind = ECMA_SET;
        statement->name = parser->word.text;
        if (parser->word.kind != ECMA_WORD_NAME)
            fail(parser, ECMA_UNSUPPORTED, "this statement is not translated");
        next(parser);
        if (!accept(parser, "="))
            fail(parser, ECMA_UNSUPPORTED, "this statement is not translated");
        statement->value = parse_expression(parser);
        expect(parser, ";", "here the statement must end with ';'");
    }
    return parser->result == ECMA_OK;
}

static bool parse_body(struct parser *parser, struct ecma_tree *function)
{
    const struct ecma_statement **end = &function->statements;
    bool has_ended = false;
    if (!expect(parser, "{", "a function's body begins with '{'"))
        return false;
    while (parser->result == ECMA_OK && !accept(parser, "}")) {
        struct ecma_statement *statement = arena_new(parser->arena, struct ecma_statement);
        if (has_ended || !parse_statement(parser, statement))
            return fail(parser, ECMA_UNSUPPORTED, "this statement is not translated") != NULL;
        has_ended = statement->kind == ECMA_RETURN;
        *end = statement;
        end = &statement->next;
    }
    if (!has_ended)
        fail(parser, ECMA_UNSUPPORTED, "a function without a final return is not translated");
    return parser->result == ECMA_OK;
}

static const struct ecma_tree *parse_function(struct parser *parser)
{
    struct ecma_tree *function = new_tree(parser, ECMA_FUNCTION, parser->word.offset);
    struct list list = {0};
    next(parser);
    if (!accept(parser, "("))
        return fail(parser, ECMA_UNSUPPORTED, "functions with names are not translated");
    while (parser->result == ECMA_OK && !accept(parser, ")")) {
        if (parser->word.kind != ECMA_WORD_NAME)
            return fail(parser, ECMA_UNSUPPORTED, "only plain parameters are translated");
        list_add(parser, &list, parser->word.text, NULL);
        next(parser);
        if (!is_at(parser, ")"))
            expect(parser, ",", "here the parameters go on with ',' or end");
    }
    list_close(function, &list);
    return parse_body(parser, function) ? function : NULL;
}

static const struct ecma_tree *parse_reserved(struct parser *parser)
{
    static const struct {
        const char *text;
        enum ecma_kind kind;
    } literals[] = {{"true", ECMA_TRUE}, {"false", ECMA_FALSE}, {"null", ECMA_NULL}};
    static const char *const foreign[] = {"new", "this", "class", "super", "import"};
    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++) {
        if (is_at(parser, literals[i].text)) {
            struct ecma_tree *tree = new_tree(parser, literals[i].kind, parser->word.offset);
            next(parser);
            return tree;
        }
    }
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        if (is_at(parser, foreign[i]))
            return fail(parser, ECMA_UNSUPPORTED,
                        text_print(parser->arena, "`%s` is not translated", foreign[i]).text);
    }
    if (is_at(parser, "function"))
        return parse_function(parser);
    return fail(parser, ECMA_ILLEGAL, "no expression begins with this word");
}

static const struct ecma_tree *parse_word(struct parser *parser, enum ecma_kind kind)
{
    struct ecma_tree *tree = new_tree(parser, kind, parser->word.offset);
    tree->text = parser->word.text;
    tree->number = parser->word.number;
    next(parser);
    return tree;
}

static const struct ecma_tree *parse_sign(struct parser *parser)
{
    if (is_at(parser, "(")) {
        next(parser);
        const struct ecma_tree *inner = parse_expression(parser);
        if (is_at(parser, ")") || parser->result != ECMA_OK) {
            next(parser);
            return inner;
        }
        fail_here(parser, "here ')' is missing");
        return NULL;
    }
    if (is_at(parser, "[")) {
        struct ecma_tree *array = new_tree(parser, ECMA_ARRAY, parser->word.offset);
        next(parser);
        return parse_list(parser, array, "]") ? array : NULL;
    }
    if (is_at(parser, "{"))
        return parse_object(parser);
    if (is_at(parser, "/") || is_at(parser, "/="))
        return fail(parser, ECMA_UNSUPPORTED, "regular expressions are not translated");
    if (is_at(parser, "++") || is_at(parser, "--"))
        return fail(parser, ECMA_UNSUPPORTED, "expressions that assign are not translated");
    return fail(parser, ECMA_ILLEGAL, "an operand is missing here");
}

static const struct ecma_tree *parse_primary(struct parser *parser)
{
    switch (parser->word.kind) {
    case ECMA_WORD_NAME:
        return parse_word(parser, ECMA_NAME);
    case ECMA_WORD_NUMBER:
        return parse_word(parser, ECMA_NUMBER);
    case ECMA_WORD_STRING:
        return parse_word(parser, ECMA_STRING);
    case ECMA_WORD_RESERVED:
        return parse_reserved(parser);
    case ECMA_WORD_SIGN:
        return parse_sign(parser);
    case ECMA_WORD_END:
        return fail(parser, ECMA_ILLEGAL, "the expression ends where an operand is missing");
    case ECMA_WORD_FOREIGN:
    case ECMA_WORD_ERROR:
        break;
    }
    return NULL;
}

static const struct ecma_tree *parse_member(struct parser *parser,
                                            const struct ecma_tree *object)
{
    enum ecma_word_kind kind = parser->word.kind;
    struct ecma_tree *member = new_tree(parser, ECMA_MEMBER, parser->word.offset);
    if (kind != ECMA_WORD_NAME && kind != ECMA_WORD_RESERVED)
        return fail(parser, ECMA_ILLEGAL, "behind '.' must stand a name");
    member->first = object;
    member->text = parser->word.text;
    next(parser);
    return member;
}

static const struct ecma_tree *parse_index(struct parser *parser,
                                           const struct ecma_tree *object)
{
    struct ecma_tree *index = new_tree(parser, ECMA_INDEX, parser->word.offset);
    index->first = object;
    index->second = parse_expression(parser);
    return expect(parser, "]", "here ']' is missing") ? index : NULL;
}

static const struct ecma_tree *parse_call(struct parser *parser,
                                          const struct ecma_tree *function)
{
    struct ecma_tree *call = new_tree(parser, ECMA_CALL, function->offset);
    call->first = function;
    return parse_list(parser, call, ")") ? call : NULL;
}

static const struct ecma_tree *parse_postfix(struct parser *parser)
{
    const struct ecma_tree *tree = parse_primary(parser);
    uint32_t steps = 0;
    while (tree != NULL && parser->result == ECMA_OK) {
        if (++steps > EXPRESSION_DEPTH_MAX)
            return fail(parser, ECMA_UNSUPPORTED, "the expression nests too deep");
        if (accept(parser, "."))
            tree = parse_member(parser, tree);
        else if (accept(parser, "["))
            tree = parse_index(parser, tree);
        else if (accept(parser, "("))
            tree = parse_call(parser, tree);
        else
            break;
    }
    return parser->result == ECMA_OK ? tree : NULL;
}

static const struct ecma_tree *parse_unary(struct parser *parser)
{
    static const char *const unary[] = {"!", "-", "+", "~", "typeof", "void"};
    for (size_t i = 0; i < sizeof unary / sizeof *unary; i++) {
        if (!is_at(parser, unary[i]))
            continue;
        struct ecma_tree *tree = new_tree(parser, ECMA_UNARY, parser->word.offset);
        tree->text = span_from_text(unary[i]);
        next(parser);
        tree->first = enter(parser) ? parse_unary(parser) : NULL;
        parser->depth--;
        return parser->result == ECMA_OK ? tree : NULL;
    }
    if (is_at(parser, "delete"))
        return fail(parser, ECMA_UNSUPPORTED, "`delete` is not translated");
    return parse_postfix(parser);
}

static int precedence_here(const struct parser *parser)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (is_at(parser, operators[i].text))
            return operators[i].precedence;
    }
    return 0;
}

static const struct ecma_tree *parse_binary(struct parser *parser, int least)
{
    const struct ecma_tree *left = enter(parser) ? parse_unary(parser) : NULL;
    uint32_t steps = 0;
    while (parser->result == ECMA_OK && precedence_here(parser) >= least) {
        int precedence = precedence_here(parser);
        struct ecma_tree *tree = new_tree(parser, ECMA_BINARY, parser->word.offset);
        tree->text = parser->word.text;
        if (++steps > EXPRESSION_DEPTH_MAX)
            fail(parser, ECMA_UNSUPPORTED, "the expression nests too deep");
        next(parser);
        tree->first = left;
        tree->second = parse_binary(parser, precedence + 1);
        left = tree;
    }
    parser->depth--;
    return parser->result == ECMA_OK ? left : NULL;
}

static const struct ecma_tree *parse_expression(struct parser *parser)
{
    const struct ecma_tree *tree = enter(parser) ? parse_binary(parser, 1) : NULL;
    if (tree != NULL && accept(parser, "?")) {
        struct ecma_tree *condition = new_tree(parser, ECMA_CONDITION, tree->offset);
        condition->first = tree;
        condition->second = parse_expression(parser);
        expect(parser, ":", "a condition with '?' needs ':'");
        condition->third = parse_expression(parser);
        tree = condition;
    }
    parser->depth--;
    return parser->result == ECMA_OK ? tree : NULL;
}

enum ecma_result ecma_parse(struct span text, struct arena *arena,
                            const struct ecma_tree **tree, struct ecma_problem *problem)
{
    struct parser parser = {
        .lexer = {.text = text, .arena = arena}, .arena = arena, .problem = problem};
    if (text.size > EXPRESSION_BYTES_MAX) {
        fail(&parser, ECMA_UNSUPPORTED, "the expression is too long");
        return parser.result;
    }
    next(&parser);
    const struct ecma_tree *root = parse_expression(&parser);
    accept(&parser, ";");
    if (parser.result == ECMA_OK && parser.word.kind != ECMA_WORD_END)
        fail_here(&parser, "the expression ends before this");
    if (parser.result == ECMA_OK)
        *tree = root;
    return parser.result;
}

static const struct ecma_tree *operation(struct parser *parser, const struct ecma_tree *left,
                                         struct span sign, const struct ecma_tree *right)
{
    struct ecma_tree *tree = new_tree(parser, ECMA_BINARY, left->offset);
    tree->text = sign;
    tree->first = left;
    tree->second = right;
    return tree;
}

/* x++ adds to the number that x stands for, never to a text. */
static const struct ecma_tree *one_more(struct parser *parser, const struct ecma_tree *place,
                                        struct span sign)
{
    struct ecma_tree *number = new_tree(parser, ECMA_UNARY, place->offset);
    struct ecma_tree *one = new_tree(parser, ECMA_NUMBER, place->offset);
    number->text = SPAN("+");
    number->first = place;
    one->number = 1;
    return operation(parser, number, span_slice(sign, 0, 1), one);
}

/* What stands behind the place of an assignment. */
static const struct ecma_tree *parse_assigned(struct parser *parser,
                                              const struct ecma_tree *place)
{
    static const char *const signs[] = {"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="};
    struct span sign = parser->word.text;
    if (accept(parser, "="))
        return parse_expression(parser);
    if (accept(parser, "++") || accept(parser, "--"))
        return one_more(parser, place, sign);
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (accept(parser, signs[i])) {
            const struct ecma_tree *value = parse_expression(parser);
            return value == NULL ? NULL
                                 : operation(parser, place, span_slice(sign, 0, 1), value);
        }
    }
    return fail(parser, ECMA_UNSUPPORTED, "only assignments are translated in scripts");
}

/* A statement ends with ';', with its line, or with the script. */
static bool end_statement(struct parser *parser)
{
    struct span between = span_slice(parser->lexer.text, parser->behind, parser->word.offset);
    if (accept(parser, ";") || parser->word.kind == ECMA_WORD_END ||
        span_find(between, SPAN("\n"), 0) != SIZE_MAX)
        return parser->result == ECMA_OK;
    fail_here(parser, "here the statement must end");
    return false;
}

static bool is_statement_word(const struct parser *parser)
{
    return parser->word.kind == ECMA_WORD_RESERVED && !is_at(parser, "var");
}

static bool parse_assignment(struct parser *parser, struct ecma_statement *statement)
{
    if (is_statement_word(parser) || is_at(parser, "{"))
        return fail(parser, ECMA_UNSUPPORTED, "only assignments are translated in scripts") !=
               NULL;
    accept(parser, "var");
    statement->kind = ECMA_SET;
    statement->place = parse_postfix(parser);
    if (statement->place != NULL)
        statement->value = parse_assigned(parser, statement->place);
    return parser->result == ECMA_OK && end_statement(parser);
}

enum ecma_result ecma_parse_script(struct span text, struct arena *arena,
                                   const struct ecma_statement **first,
                                   struct ecma_problem *problem)
{
    struct parser parser = {
        .lexer = {.text = text, .arena = arena}, .arena = arena, .problem = problem};
    const struct ecma_statement **end = first;
    *first = NULL;
    if (text.size > EXPRESSION_BYTES_MAX) {
        fail(&parser, ECMA_UNSUPPORTED, "the script is too long");
        return parser.result;
    }
    next(&parser);
    while (parser.result == ECMA_OK && parser.word.kind != ECMA_WORD_END) {
        struct ecma_statement *statement = arena_new(arena, struct ecma_statement);
        if (!accept(&parser, ";") && parse_assignment(&parser, statement)) {
            *end = statement;
            end = &statement->next;
        }
    }
    return parser.result;
}
