/*
 * parser.c - recursive descent over CEL's grammar.
 *
 *     expression := or [ '?' or ':' expression ]
 *     or         := and { '||' and }
 *     and        := relation { '&&' relation }
 *     relation … := operands and operators by precedence (ast.h)
 *     unary      := { '!' | '-' } member
 *     member     := primary { '.' name | '.' name '(' … ')' | '[' expression ']' }
 *
 * After an error the parser is `lost`: it says nothing more until it has found the next `&&`,
 * `||`, comma or closing bracket of where it is, and goes on there. Trees made while lost
 * hold `nothing` where a part is missing; they are never handed out.
 *
 * Always: the depth of recursion is bounded by `depth`, the height of trees by finish().
 */
#include "expr/parser.h"

#include "base/ensure.h"
#include "base/limits.h"
#include "expr/lexer.h"
#include "expr/literal.h"
#include "expr/macro.h"

struct parser {
    struct lexer lexer;
    struct token token; /* the next one, not consumed */
    struct arena *arena;
    struct remarks *remarks;
    unsigned depth;
    bool is_lost;
    uint32_t told_at; /* one behind the place of the last error: none is told twice */
    bool has_macros;
};

static const struct ast nothing = {.kind = AST_LITERAL, .height = 1};

static const struct ast *parse_expression(struct parser *parser);
static const struct ast *parse_unary(struct parser *parser);

static const struct ast *fail(struct parser *parser, uint32_t offset, const char *message)
{
    if (!parser->is_lost && parser->told_at != offset + 1)
        remark_error(parser->remarks, offset, "%s", message);
    parser->is_lost = true;
    parser->told_at = offset + 1;
    return &nothing;
}

static uint32_t error_count(const struct parser *parser)
{
    return parser->remarks->diagnostics->errors + parser->remarks->diagnostics->dropped;
}

/* The rest of the text is not looked at: for errors that would only repeat. */
static const struct ast *give_up(struct parser *parser, uint32_t offset, const char *message)
{
    fail(parser, offset, message);
    parser->lexer.at = parser->lexer.text.size;
    parser->token = (struct token){.kind = TOKEN_END, .offset = offset};
    return &nothing;
}

static void advance(struct parser *parser)
{
    parser->token = lexer_next(&parser->lexer);
    if (parser->token.kind == TOKEN_ERROR)
        fail(parser, parser->token.offset, parser->token.problem);
}

static bool take(struct parser *parser, enum token_kind kind)
{
    if (parser->token.kind != kind)
        return false;
    advance(parser);
    return true;
}

static const struct ast *fail_expected(struct parser *parser, const char *expected)
{
    const struct token *token = &parser->token;
    if (token->kind == TOKEN_END)
        return fail(
            parser, token->offset,
            text_print(parser->arena, "the expression ends where %s should follow", expected)
                .text);
    return fail(
        parser, token->offset,
        text_print(parser->arena, "expected %s, not '%.*s'", expected, SPAN_ARGS(token->text))
            .text);
}

static void expect(struct parser *parser, enum token_kind kind)
{
    if (!take(parser, kind))
        fail_expected(parser, lexer_kind_name(kind));
}

/* Where an expression can go on that was lost. */
static bool is_way(enum token_kind kind)
{
    return kind == TOKEN_AND || kind == TOKEN_OR || kind == TOKEN_COMMA ||
           kind == TOKEN_RIGHT_PAREN || kind == TOKEN_RIGHT_BRACKET ||
           kind == TOKEN_RIGHT_BRACE;
}

/* When lost, skips to where it goes on, brackets and all that is in them. */
static void find_way(struct parser *parser)
{
    unsigned open = 0;
    while (parser->is_lost && parser->token.kind != TOKEN_END) {
        enum token_kind kind = parser->token.kind;
        bool is_opening =
            kind == TOKEN_LEFT_PAREN || kind == TOKEN_LEFT_BRACKET || kind == TOKEN_LEFT_BRACE;
        bool is_closing = kind == TOKEN_RIGHT_PAREN || kind == TOKEN_RIGHT_BRACKET ||
                          kind == TOKEN_RIGHT_BRACE;
        if (open == 0 && is_way(kind)) {
            parser->is_lost = false;
            return;
        }
        open += is_opening;
        open -= is_closing;
        advance(parser);
    }
}

/* The same, up to a comma (in a list) or a closing bracket. */
static void find_end(struct parser *parser, bool is_list)
{
    for (;;) {
        find_way(parser);
        enum token_kind kind = parser->token.kind;
        bool goes_on =
            kind == TOKEN_AND || kind == TOKEN_OR || (kind == TOKEN_COMMA && !is_list);
        if (!goes_on)
            return;
        parser->is_lost = true;
        advance(parser);
    }
}

/* The bracket that ends what stands in brackets. */
static void expect_closing(struct parser *parser, enum token_kind kind)
{
    if (take(parser, kind))
        return;
    fail_expected(parser, lexer_kind_name(kind));
    find_end(parser, false);
    if (!take(parser, kind))
        parser->is_lost = true; /* it closes something further out */
}

static struct ast *new_node(struct parser *parser, enum ast_kind kind, uint32_t offset)
{
    struct ast *node = arena_new(parser->arena, struct ast);
    node->kind = kind;
    node->offset = offset;
    return node;
}

/* A node is finished when the height of its highest part is known. */
static const struct ast *finish(struct parser *parser, struct ast *node, uint32_t height)
{
    node->height = height + 1;
    if (node->height > EXPRESSION_DEPTH_MAX)
        return give_up(parser, node->offset, "the expression is nested deeper than 100 levels");
    return node;
}

static uint32_t highest(const struct ast *a, const struct ast *b)
{
    return a->height > b->height ? a->height : b->height;
}

/* A growing array in the arena: room for one more element behind `count`. */
static void *make_room(struct parser *parser, void *array, uint32_t count, size_t size)
{
    if (count < 4 ? count > 0 : (count & (count - 1)) != 0)
        return array;
    void *larger = arena_get_array(parser->arena, count == 0 ? 4 : (size_t)count * 2, size);
    if (count > 0)
        memcpy(larger, array, count * size);
    return larger;
}

static const char *behind_element(enum token_kind closing)
{
    return closing == TOKEN_RIGHT_PAREN     ? "',' or ')'"
           : closing == TOKEN_RIGHT_BRACKET ? "',' or ']'"
                                            : "',' or '}'";
}

/* Behind an element: true when another one follows, false at the end of the list. */
static bool has_more(struct parser *parser, enum token_kind closing)
{
    if (!parser->is_lost && parser->token.kind != TOKEN_COMMA && parser->token.kind != closing)
        fail_expected(parser, behind_element(closing));
    if (parser->is_lost)
        find_end(parser, true);
    if (take(parser, closing))
        return false;
    if (!take(parser, TOKEN_COMMA)) {
        parser->is_lost = true; /* it closes something further out */
        return false;
    }
    /* A comma may follow the last element of a list, a map and a message. */
    return closing == TOKEN_RIGHT_PAREN || !take(parser, closing);
}

static const struct ast *parse_literal(struct parser *parser, bool is_negative)
{
    struct token token = parser->token;
    struct literal_problem problem;
    struct ast *literal = new_node(parser, AST_LITERAL, token.offset - is_negative);
    if (!literal_read(token, is_negative, parser->arena, &literal->literal, &problem))
        remark_error(parser->remarks, problem.offset, "%s", problem.message);
    advance(parser);
    return finish(parser, literal, 0);
}

static const struct ast *parse_constant(struct parser *parser, struct value value)
{
    struct ast *literal = new_node(parser, AST_LITERAL, parser->token.offset);
    literal->literal = value;
    advance(parser);
    return finish(parser, literal, 0);
}

static const struct ast *parse_list(struct parser *parser)
{
    struct ast *list = new_node(parser, AST_LIST, parser->token.offset);
    struct ast_element *elements = NULL;
    uint32_t count = 0;
    uint32_t height = 0;
    advance(parser);
    for (bool more = !take(parser, TOKEN_RIGHT_BRACKET); more;
         more = has_more(parser, TOKEN_RIGHT_BRACKET)) {
        elements = make_room(parser, elements, count, sizeof *elements);
        struct ast_element *element = &elements[count++];
        element->is_optional = take(parser, TOKEN_QUESTION);
        element->value = parse_expression(parser);
        height = element->value->height > height ? element->value->height : height;
    }
    list->list.elements = elements;
    list->list.count = count;
    return finish(parser, list, height);
}

static const struct ast *parse_map(struct parser *parser)
{
    struct ast *map = new_node(parser, AST_MAP, parser->token.offset);
    struct ast_entry *entries = NULL;
    uint32_t count = 0;
    uint32_t height = 0;
    advance(parser);
    for (bool more = !take(parser, TOKEN_RIGHT_BRACE); more;
         more = has_more(parser, TOKEN_RIGHT_BRACE)) {
        entries = make_room(parser, entries, count, sizeof *entries);
        struct ast_entry *entry = &entries[count++];
        entry->is_optional = take(parser, TOKEN_QUESTION);
        entry->key = parse_expression(parser);
        expect(parser, TOKEN_COLON);
        entry->value = parser->is_lost ? &nothing : parse_expression(parser);
        uint32_t higher = highest(entry->key, entry->value);
        height = higher > height ? higher : height;
    }
    map->map.entries = entries;
    map->map.count = count;
    return finish(parser, map, height);
}

/* Behind '(': the arguments of a call; a macro becomes what it stands for. */
static const struct ast *parse_arguments(struct parser *parser, struct ast *call)
{
    const struct ast **arguments = NULL;
    uint32_t count = 0;
    uint32_t height = call->call.target == NULL ? 0 : call->call.target->height;
    uint32_t errors = error_count(parser);
    for (bool more = !take(parser, TOKEN_RIGHT_PAREN); more;
         more = has_more(parser, TOKEN_RIGHT_PAREN)) {
        arguments = make_room(parser, arguments, count, sizeof *arguments);
        arguments[count] = parse_expression(parser);
        height = arguments[count]->height > height ? arguments[count]->height : height;
        count++;
    }
    call->call.arguments = arguments;
    call->call.count = count;
    const struct ast *finished = finish(parser, call, height);
    if (error_count(parser) > errors)
        return &nothing;
    const struct ast *expanded =
        parser->has_macros ? macro_expand(call, parser->arena, parser->remarks) : NULL;
    if (expanded == NULL)
        return finished;
    if (expanded->height > EXPRESSION_DEPTH_MAX)
        return give_up(parser, call->offset, "the expression is nested deeper than 100 levels");
    return expanded;
}

static const struct ast *parse_name(struct parser *parser, bool is_absolute)
{
    struct token token = parser->token;
    if (token.kind == TOKEN_RESERVED)
        return fail(parser, token.offset,
                    text_print(parser->arena,
                               "'%.*s' is a reserved word of the language and no name",
                               SPAN_ARGS(token.text))
                        .text);
    if (token.kind != TOKEN_NAME)
        return fail_expected(parser, "a name");
    advance(parser);
    if (take(parser, TOKEN_LEFT_PAREN)) {
        struct ast *call = new_node(parser, AST_CALL, token.offset);
        call->call.name = token.text;
        call->call.is_absolute = is_absolute;
        return parse_arguments(parser, call);
    }
    struct ast *name = new_node(parser, AST_NAME, token.offset);
    name->name.name = token.text;
    name->name.is_absolute = is_absolute;
    return finish(parser, name, 0);
}

static const struct ast *parse_enclosed(struct parser *parser)
{
    advance(parser);
    const struct ast *inner = parse_expression(parser);
    expect_closing(parser, TOKEN_RIGHT_PAREN);
    return inner;
}

static const struct ast *parse_primary(struct parser *parser)
{
    enum token_kind kind = parser->token.kind;
    if (kind == TOKEN_INT || kind == TOKEN_UINT || kind == TOKEN_DOUBLE ||
        kind == TOKEN_STRING || kind == TOKEN_BYTES)
        return parse_literal(parser, false);
    if (kind == TOKEN_TRUE || kind == TOKEN_FALSE)
        return parse_constant(parser, value_bool(kind == TOKEN_TRUE));
    if (kind == TOKEN_NULL)
        return parse_constant(parser, value_null());
    if (kind == TOKEN_LEFT_PAREN)
        return parse_enclosed(parser);
    if (kind == TOKEN_LEFT_BRACKET)
        return parse_list(parser);
    if (kind == TOKEN_LEFT_BRACE)
        return parse_map(parser);
    if (kind == TOKEN_NAME || kind == TOKEN_RESERVED)
        return parse_name(parser, false);
    if (take(parser, TOKEN_DOT))
        return parse_name(parser, true);
    return fail_expected(parser, "an expression");
}

static bool is_selector(enum token_kind kind)
{
    return kind == TOKEN_NAME || kind == TOKEN_RESERVED || kind == TOKEN_QUOTED_NAME;
}

/* Behind '.': a member, or a call with the operand as its target. */
static const struct ast *parse_selection(struct parser *parser, const struct ast *operand)
{
    bool is_optional = take(parser, TOKEN_QUESTION);
    struct token token = parser->token;
    if (!is_selector(token.kind))
        return fail_expected(parser, "a name");
    advance(parser);
    if (!is_optional && token.kind != TOKEN_QUOTED_NAME && take(parser, TOKEN_LEFT_PAREN)) {
        struct ast *call = new_node(parser, AST_CALL, token.offset);
        call->call.target = operand;
        call->call.name = token.text;
        return parse_arguments(parser, call);
    }
    struct ast *select = new_node(parser, AST_SELECT, token.offset);
    select->select.operand = operand;
    select->select.field = token.text;
    select->select.is_optional = is_optional;
    return finish(parser, select, operand->height);
}

static const struct ast *parse_index(struct parser *parser, const struct ast *operand)
{
    struct ast *node = new_node(parser, AST_INDEX, parser->token.offset);
    advance(parser);
    node->index.operand = operand;
    node->index.is_optional = take(parser, TOKEN_QUESTION);
    node->index.index = parse_expression(parser);
    expect_closing(parser, TOKEN_RIGHT_BRACKET);
    return finish(parser, node, highest(operand, node->index.index));
}

/* a, .a and a.b.c can name a message; anything else before '{' is an error anyway. */
static bool is_qualified_name(const struct ast *ast)
{
    while (ast->kind == AST_SELECT && !ast->select.is_optional)
        ast = ast->select.operand;
    return ast->kind == AST_NAME;
}

/* Messages need descriptors that JSON does not have; their fields are still looked at. */
static const struct ast *parse_message(struct parser *parser, const struct ast *type)
{
    struct text name;
    text_init(&name, parser->arena);
    ast_write(&name, type);
    struct diagnostic *error =
        remark_error(parser->remarks, type->offset, "there are no messages here: '%.*s{…}'",
                     SPAN_ARGS(text_span(&name)));
    diagnostic_help(parser->remarks->diagnostics, error, "write a map: {'field': value}");
    advance(parser);
    for (bool more = !take(parser, TOKEN_RIGHT_BRACE); more;
         more = has_more(parser, TOKEN_RIGHT_BRACE)) {
        take(parser, TOKEN_QUESTION);
        if (is_selector(parser->token.kind))
            advance(parser);
        else
            fail_expected(parser, "a name");
        expect(parser, TOKEN_COLON);
        if (!parser->is_lost)
            parse_expression(parser);
    }
    return &nothing;
}

static const struct ast *parse_member(struct parser *parser, const struct ast *operand)
{
    while (!parser->is_lost) {
        if (take(parser, TOKEN_DOT))
            operand = parse_selection(parser, operand);
        else if (parser->token.kind == TOKEN_LEFT_BRACKET)
            operand = parse_index(parser, operand);
        else if (parser->token.kind == TOKEN_LEFT_BRACE && is_qualified_name(operand))
            operand = parse_message(parser, operand);
        else
            break;
    }
    return operand;
}

static const struct ast *parse_operator(struct parser *parser, enum ast_operator operator)
{
    uint32_t offset = parser->token.offset;
    advance(parser);
    bool is_number = parser->token.kind == TOKEN_INT || parser->token.kind == TOKEN_DOUBLE;
    if (operator== AST_NEGATE && is_number && parser->token.offset == offset + 1)
        return parse_member(parser, parse_literal(parser, true));
    if (++parser->depth > EXPRESSION_DEPTH_MAX)
        return give_up(parser, offset, "the expression is nested deeper than 100 levels");
    struct ast *node = new_node(parser, AST_UNARY, offset);
    node->operation.operator= operator;
    node->operation.left = parse_unary(parser);
    parser->depth--;
    return finish(parser, node, node->operation.left->height);
}

static const struct ast *parse_unary(struct parser *parser)
{
    if (parser->token.kind == TOKEN_NOT)
        return parse_operator(parser, AST_NOT);
    if (parser->token.kind == TOKEN_MINUS)
        return parse_operator(parser, AST_NEGATE);
    return parse_member(parser, parse_primary(parser));
}

static const struct {
    enum token_kind token;
    enum ast_operator operator;
} binary_operators[] = {
    {TOKEN_LESS, AST_LESS},       {TOKEN_LESS_EQUAL, AST_LESS_EQUAL},
    {TOKEN_GREATER, AST_GREATER}, {TOKEN_GREATER_EQUAL, AST_GREATER_EQUAL},
    {TOKEN_EQUAL, AST_EQUAL},     {TOKEN_NOT_EQUAL, AST_NOT_EQUAL},
    {TOKEN_IN, AST_IN},           {TOKEN_PLUS, AST_ADD},
    {TOKEN_MINUS, AST_SUBTRACT},  {TOKEN_STAR, AST_MULTIPLY},
    {TOKEN_SLASH, AST_DIVIDE},    {TOKEN_PERCENT, AST_MODULO},
};

/* The binary operator that stands here, or AST_OPERATOR_COUNT. */
static enum ast_operator binary_operator(const struct parser *parser)
{
    for (size_t i = 0; i < sizeof binary_operators / sizeof binary_operators[0]; i++) {
        if (binary_operators[i].token == parser->token.kind)
            return binary_operators[i].operator;
    }
    return AST_OPERATOR_COUNT;
}

/* Operands joined by operators that bind at least this tightly; all group to the left. */
static const struct ast *parse_binary(struct parser *parser, int precedence)
{
    const struct ast *left = parse_unary(parser);
    for (;;) {
        enum ast_operator operator= binary_operator(parser);
        if (operator== AST_OPERATOR_COUNT || ast_operator_precedence(operator) < precedence)
            return left;
        struct ast *node = new_node(parser, AST_BINARY, parser->token.offset);
        advance(parser);
        node->operation.operator= operator;
        node->operation.left = left;
        node->operation.right = parse_binary(parser, ast_operator_precedence(operator) + 1);
        left = finish(parser, node, highest(left, node->operation.right));
    }
}

static const struct ast *parse_relation(struct parser *parser)
{
    return parse_binary(parser, ast_operator_precedence(AST_LESS));
}

/* first op next op next …: one node, however many there are. What is wrong in one of them does
 * not hide what is wrong in the next. */
static const struct ast *parse_logic(struct parser *parser, enum ast_kind kind,
                                     enum token_kind token,
                                     const struct ast *(*next)(struct parser *))
{
    const struct ast *first = next(parser);
    find_way(parser);
    if (parser->token.kind != token)
        return first;
    struct ast *node = new_node(parser, kind, parser->token.offset);
    const struct ast **operands = make_room(parser, NULL, 0, sizeof *operands);
    uint32_t count = 1;
    uint32_t height = first->height;
    operands[0] = first;
    while (take(parser, token)) {
        operands = make_room(parser, operands, count, sizeof *operands);
        operands[count] = next(parser);
        find_way(parser);
        height = operands[count]->height > height ? operands[count]->height : height;
        count++;
    }
    node->logic.operands = operands;
    node->logic.count = count;
    return finish(parser, node, height);
}

static const struct ast *parse_and(struct parser *parser)
{
    return parse_logic(parser, AST_AND, TOKEN_AND, parse_relation);
}

static const struct ast *parse_or(struct parser *parser)
{
    return parse_logic(parser, AST_OR, TOKEN_OR, parse_and);
}

static const struct ast *parse_condition(struct parser *parser, const struct ast *condition)
{
    struct ast *node = new_node(parser, AST_CONDITION, parser->token.offset);
    advance(parser);
    node->condition.condition = condition;
    node->condition.then = parse_or(parser);
    expect(parser, TOKEN_COLON);
    node->condition.otherwise = parser->is_lost ? &nothing : parse_expression(parser);
    uint32_t height = highest(node->condition.then, node->condition.otherwise);
    return finish(parser, node, height > condition->height ? height : condition->height);
}

static const struct ast *parse_expression(struct parser *parser)
{
    if (++parser->depth > EXPRESSION_DEPTH_MAX)
        return give_up(parser, parser->token.offset,
                       "the expression is nested deeper than 100 levels");
    const struct ast *node = parse_or(parser);
    if (parser->token.kind == TOKEN_QUESTION && !parser->is_lost)
        node = parse_condition(parser, node);
    parser->depth--;
    return node;
}

const struct ast *parser_read(struct arena *arena, struct remarks *remarks, bool has_macros)
{
    struct parser parser = {
        .lexer = {.text = remarks->text},
        .arena = arena,
        .remarks = remarks,
        .has_macros = has_macros,
    };
    if (remarks->text.size > EXPRESSION_BYTES_MAX) {
        remark_error(remarks, 0, "this expression has more than %d bytes",
                     EXPRESSION_BYTES_MAX);
        return NULL;
    }
    uint32_t errors = error_count(&parser);
    advance(&parser);
    const struct ast *root = parse_expression(&parser);
    while (parser.token.kind != TOKEN_END) {
        fail_expected(&parser, "an operator or the end");
        find_way(&parser);
        bool is_bracket = parser.token.kind != TOKEN_AND && parser.token.kind != TOKEN_OR;
        advance(&parser);
        if (!is_bracket || parser.token.kind != TOKEN_END)
            parse_expression(&parser); /* for what is wrong there */
    }
    return error_count(&parser) == errors ? root : NULL;
}
