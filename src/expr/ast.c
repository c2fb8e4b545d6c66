/*
 * ast.c - names of node parts, and trees back to text.
 */
#include "expr/ast.h"

#include "base/ensure.h"
#include "base/json.h"

enum {
    PRECEDENCE_CONDITION,
    PRECEDENCE_OR,
    PRECEDENCE_AND,
    PRECEDENCE_POSTFIX = 7,
    PRECEDENCE_NEVER
};

const char *ast_operator_text(enum ast_operator operator)
{
#define OPERATOR_TEXT(name, text, precedence) [AST_##name] = text,
    static const char *const texts[AST_OPERATOR_COUNT] = {AST_OPERATOR_LIST(OPERATOR_TEXT)};
#undef OPERATOR_TEXT
    ensure(operator<AST_OPERATOR_COUNT);
    return texts[operator];
}

int ast_operator_precedence(enum ast_operator operator)
{
#define OPERATOR_PRECEDENCE(name, text, precedence) [AST_##name] = precedence,
    static const int precedences[AST_OPERATOR_COUNT] = {AST_OPERATOR_LIST(OPERATOR_PRECEDENCE)};
#undef OPERATOR_PRECEDENCE
    ensure(operator<AST_OPERATOR_COUNT);
    return precedences[operator];
}

const char *ast_fold_name(enum ast_fold fold)
{
#define FOLD_NAME(name, text) [FOLD_##name] = text,
    static const char *const names[FOLD_COUNT] = {AST_FOLD_LIST(FOLD_NAME)};
#undef FOLD_NAME
    ensure(fold < FOLD_COUNT);
    return names[fold];
}

static void add(struct text *text, const char *words)
{
    text_add(text, span_from_text(words));
}

static void write_bytes(struct text *text, struct value value)
{
    add(text, "b'");
    for (uint32_t i = 0; i < value.count; i++)
        text_format(text, "\\x%02x", (unsigned)(unsigned char)value.text[i]);
    add(text, "'");
}

static void write_literal(struct text *text, struct value value)
{
    if (value.kind == VALUE_BYTES) {
        write_bytes(text, value);
        return;
    }
    json_write(text, value);
    if (value.kind == VALUE_UINT)
        add(text, "u");
}

static int precedence_of(const struct ast *ast)
{
    switch (ast->kind) {
    case AST_CONDITION:
        return PRECEDENCE_CONDITION;
    case AST_OR:
        return PRECEDENCE_OR;
    case AST_AND:
        return PRECEDENCE_AND;
    case AST_UNARY:
    case AST_BINARY:
        return ast_operator_precedence(ast->operation.operator);
    case AST_LITERAL:
    case AST_NAME:
    case AST_SELECT:
    case AST_HAS:
    case AST_INDEX:
    case AST_CALL:
    case AST_LIST:
    case AST_MAP:
    case AST_FOLD:
    case AST_BIND:
    case AST_OPTIONAL_MAP:
        return PRECEDENCE_POSTFIX;
    }
    never();
}

/* In parentheses when it binds less tightly than its place needs. */
static void write_within(struct text *text, const struct ast *ast, int precedence)
{
    bool is_enclosed = precedence_of(ast) < precedence;
    if (is_enclosed)
        add(text, "(");
    ast_write(text, ast);
    if (is_enclosed)
        add(text, ")");
}

static bool is_plain_name(struct span name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.text[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
              (i > 0 && c >= '0' && c <= '9')))
            return false;
    }
    return name.size > 0;
}

/* Names that the grammar keeps for itself behind a dot too. */
static bool is_keyword(struct span name)
{
    return span_is(name, "in") || span_is(name, "true") || span_is(name, "false") ||
           span_is(name, "null");
}

static void write_select(struct text *text, const struct ast *ast)
{
    write_within(text, ast->select.operand, PRECEDENCE_POSTFIX);
    add(text, ast->select.is_optional ? ".?" : ".");
    if (is_plain_name(ast->select.field) && !is_keyword(ast->select.field))
        text_add(text, ast->select.field);
    else
        text_format(text, "`%.*s`", SPAN_ARGS(ast->select.field));
}

static void write_logic(struct text *text, const struct ast *ast)
{
    for (uint32_t i = 0; i < ast->logic.count; i++) {
        if (i > 0)
            add(text, ast->kind == AST_AND ? " && " : " || ");
        write_within(text, ast->logic.operands[i], precedence_of(ast) + 1);
    }
}

/* A minus sign before a number would become part of it. */
static bool begins_with_number(const struct ast *ast)
{
    for (;;) {
        if (ast->kind == AST_LITERAL)
            return ast->literal.kind == VALUE_INT || ast->literal.kind == VALUE_UINT ||
                   ast->literal.kind == VALUE_DOUBLE;
        if (ast->kind == AST_SELECT)
            ast = ast->select.operand;
        else if (ast->kind == AST_INDEX)
            ast = ast->index.operand;
        else if (ast->kind == AST_CALL && ast->call.target != NULL)
            ast = ast->call.target;
        else if (ast->kind == AST_FOLD)
            ast = ast->fold.range;
        else if (ast->kind == AST_OPTIONAL_MAP)
            ast = ast->bind.value;
        else
            return false;
    }
}

static void write_operation(struct text *text, const struct ast *ast)
{
    int precedence = precedence_of(ast);
    if (ast->kind == AST_UNARY) {
        bool is_number = begins_with_number(ast->operation.left);
        add(text, ast_operator_text(ast->operation.operator));
        write_within(text, ast->operation.left, is_number ? PRECEDENCE_NEVER : precedence);
        return;
    }
    write_within(text, ast->operation.left, precedence);
    text_format(text, " %s ", ast_operator_text(ast->operation.operator));
    write_within(text, ast->operation.right, precedence + 1);
}

static void write_call(struct text *text, const struct ast *ast)
{
    if (ast->call.target != NULL) {
        write_within(text, ast->call.target, PRECEDENCE_POSTFIX);
        add(text, ".");
    } else if (ast->call.is_absolute) {
        add(text, ".");
    }
    text_add(text, ast->call.name);
    for (uint32_t i = 0; i < ast->call.count; i++) {
        add(text, i == 0 ? "(" : ", ");
        ast_write(text, ast->call.arguments[i]);
    }
    add(text, ast->call.count == 0 ? "()" : ")");
}

static void write_list(struct text *text, const struct ast *ast)
{
    add(text, "[");
    for (uint32_t i = 0; i < ast->list.count; i++) {
        add(text, i == 0 ? "" : ", ");
        add(text, ast->list.elements[i].is_optional ? "?" : "");
        ast_write(text, ast->list.elements[i].value);
    }
    add(text, "]");
}

static void write_map(struct text *text, const struct ast *ast)
{
    add(text, "{");
    for (uint32_t i = 0; i < ast->map.count; i++) {
        add(text, i == 0 ? "" : ", ");
        add(text, ast->map.entries[i].is_optional ? "?" : "");
        ast_write(text, ast->map.entries[i].key);
        add(text, ": ");
        ast_write(text, ast->map.entries[i].value);
    }
    add(text, "}");
}

/* filter(x, p) is the list of x where p: its body is its own variable. */
static bool is_filter(const struct ast *ast)
{
    const struct ast *body = ast->fold.body;
    return ast->fold.fold == FOLD_LIST && ast->fold.condition != NULL &&
           ast->fold.variables[1].size == 0 && body->kind == AST_NAME &&
           span_equal(body->name.name, ast->fold.variables[0]);
}

static void write_fold(struct text *text, const struct ast *ast)
{
    bool has_two = ast->fold.variables[1].size > 0;
    const char *name = ast_fold_name(ast->fold.fold);
    if (is_filter(ast))
        name = "filter";
    else if (has_two && ast->fold.fold == FOLD_LIST)
        name = "transformList";
    else if (has_two && ast->fold.fold == FOLD_EXISTS_ONE)
        name = "existsOne";
    write_within(text, ast->fold.range, PRECEDENCE_POSTFIX);
    text_format(text, ".%s(%.*s", name, SPAN_ARGS(ast->fold.variables[0]));
    if (has_two)
        text_format(text, ", %.*s", SPAN_ARGS(ast->fold.variables[1]));
    if (ast->fold.condition != NULL) {
        add(text, ", ");
        ast_write(text, ast->fold.condition);
    }
    if (!is_filter(ast)) {
        add(text, ", ");
        ast_write(text, ast->fold.body);
    }
    add(text, ")");
}

static void write_bind(struct text *text, const struct ast *ast)
{
    if (ast->kind == AST_BIND) {
        text_format(text, "cel.bind(%.*s, ", SPAN_ARGS(ast->bind.variable));
        ast_write(text, ast->bind.value);
    } else {
        write_within(text, ast->bind.value, PRECEDENCE_POSTFIX);
        text_format(text, ".%s(%.*s", ast->bind.is_flat ? "optFlatMap" : "optMap",
                    SPAN_ARGS(ast->bind.variable));
    }
    add(text, ", ");
    ast_write(text, ast->bind.body);
    add(text, ")");
}

void ast_write(struct text *text, const struct ast *ast)
{
    switch (ast->kind) {
    case AST_LITERAL:
        write_literal(text, ast->literal);
        return;
    case AST_NAME:
        add(text, ast->name.is_absolute ? "." : "");
        text_add(text, ast->name.name);
        return;
    case AST_SELECT:
        write_select(text, ast);
        return;
    case AST_HAS:
        add(text, "has(");
        write_select(text, ast);
        add(text, ")");
        return;
    case AST_INDEX:
        write_within(text, ast->index.operand, PRECEDENCE_POSTFIX);
        add(text, ast->index.is_optional ? "[?" : "[");
        ast_write(text, ast->index.index);
        add(text, "]");
        return;
    case AST_UNARY:
    case AST_BINARY:
        write_operation(text, ast);
        return;
    case AST_AND:
    case AST_OR:
        write_logic(text, ast);
        return;
    case AST_CONDITION:
        write_within(text, ast->condition.condition, PRECEDENCE_OR);
        add(text, " ? ");
        write_within(text, ast->condition.then, PRECEDENCE_OR);
        add(text, " : ");
        ast_write(text, ast->condition.otherwise);
        return;
    case AST_CALL:
        write_call(text, ast);
        return;
    case AST_LIST:
        write_list(text, ast);
        return;
    case AST_MAP:
        write_map(text, ast);
        return;
    case AST_FOLD:
        write_fold(text, ast);
        return;
    case AST_BIND:
    case AST_OPTIONAL_MAP:
        write_bind(text, ast);
        return;
    }
    never();
}
