/*
 * comparison.c - expressions that only compare one member of a variable with a number.
 *
 * Read from the tree; `0 < context.total` is turned round.
 */
#include "expr/comparison.h"

#include "expr/ast.h"
#include "expr/code.h"

enum { LESS = 1, EQUAL = 2, GREATER = 4 };

static const uint8_t orders[AST_OPERATOR_COUNT] = {
    [AST_LESS] = LESS,       [AST_LESS_EQUAL] = LESS | EQUAL,
    [AST_GREATER] = GREATER, [AST_GREATER_EQUAL] = GREATER | EQUAL,
    [AST_EQUAL] = EQUAL,     [AST_NOT_EQUAL] = LESS | GREATER,
};

static uint32_t turned(uint32_t order)
{
    return (order & LESS ? GREATER : 0) | (order & EQUAL) | (order & GREATER ? LESS : 0);
}

static bool is_member(const struct ast *tree)
{
    return tree->kind == AST_SELECT && !tree->select.is_optional &&
           tree->select.operand->kind == AST_NAME && !tree->select.operand->name.is_absolute;
}

static bool is_int(const struct ast *tree)
{
    return tree->kind == AST_LITERAL && tree->literal.kind == VALUE_INT;
}

bool expr_read_comparison(const struct expr_program *program,
                          struct expr_comparison *comparison)
{
    const struct ast *root = program->root;
    uint32_t order = root->kind == AST_BINARY ? orders[root->operation.operator] : 0;
    if (order == 0)
        return false;
    const struct ast *left = root->operation.left;
    const struct ast *right = root->operation.right;
    if (is_int(left)) {
        const struct ast *kept = left;
        left = right;
        right = kept;
        order = turned(order);
    }
    if (!is_member(left) || !is_int(right))
        return false;
    *comparison = (struct expr_comparison){.variable = left->select.operand->name.name,
                                           .member = left->select.field,
                                           .constant = right->literal.integer,
                                           .when_less = (order & LESS) != 0,
                                           .when_equal = (order & EQUAL) != 0,
                                           .when_greater = (order & GREATER) != 0};
    return true;
}
