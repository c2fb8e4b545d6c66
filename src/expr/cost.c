/*
 * cost.c - a walk over the tree that tells of each part what it costs, how many elements its
 * value has, and how large it is with all that is in them.
 */
#include "expr/cost.h"

#include "base/checked.h"
#include "base/ensure.h"

/* A number's size is 0: comparing it costs nothing beside the step. */
struct extent {
    uint64_t cost;
    uint64_t count;
    uint64_t size;
};

/* What is known of a variable of the expression itself. */
struct known {
    struct span name;
    uint64_t count;
    uint64_t size;
    const struct known *outer;
};

struct estimate {
    uint64_t size; /* of what is read */
    const struct known *known;
    uint64_t steps; /* instructions of the parts measured so far, at most */
};

static uint64_t add(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return checked_add(a, b, &sum) ? sum : UINT64_MAX;
}

static uint64_t multiply(uint64_t a, uint64_t b)
{
    uint64_t product;
    return checked_multiply(a, b, &product) ? product : UINT64_MAX;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static struct extent measure(struct estimate *estimate, const struct ast *ast);

static struct extent measure_literal(struct value value)
{
    bool has_text = value.kind == VALUE_STRING || value.kind == VALUE_BYTES;
    uint64_t size = has_text ? value.count / 16 + (uint64_t)1 : 0;
    return (struct extent){0, size, size};
}

static struct extent measure_name(struct estimate *estimate, struct span name)
{
    for (const struct known *known = estimate->known; known != NULL; known = known->outer) {
        if (span_equal(known->name, name))
            return (struct extent){0, known->count, known->size};
    }
    return (struct extent){0, estimate->size, estimate->size};
}

/* Members are looked for one after the other, eight of them to a unit. */
static struct extent measure_member(struct estimate *estimate, struct extent operand)
{
    return (struct extent){add(operand.cost, operand.count / 8), estimate->size,
                           estimate->size};
}

static struct extent measure_binary(struct extent left, enum ast_operator operator,
                                    struct extent right)
{
    struct extent extent = {add(left.cost, right.cost), 0, 0};
    uint64_t both = add(left.size, right.size);
    if (operator== AST_IN)
        both = multiply(add(right.count, 1), add(left.size, 1));
    if (operator== AST_ADD)
        extent = (struct extent){extent.cost, add(left.count, right.count), both};
    extent.cost = add(extent.cost, both);
    return extent;
}

static struct extent measure_logic(struct estimate *estimate, const struct ast *ast)
{
    struct extent extent = {0, 0, 0};
    for (uint32_t i = 0; i < ast->logic.count; i++)
        extent.cost = add(extent.cost, measure(estimate, ast->logic.operands[i]).cost);
    return extent;
}

static struct extent measure_condition(struct estimate *estimate, const struct ast *ast)
{
    struct extent condition = measure(estimate, ast->condition.condition);
    struct extent then = measure(estimate, ast->condition.then);
    struct extent otherwise = measure(estimate, ast->condition.otherwise);
    return (struct extent){add(condition.cost, larger(then.cost, otherwise.cost)),
                           larger(then.count, otherwise.count),
                           larger(then.size, otherwise.size)};
}

/* A function looks at all of its arguments, at worst at each part of one for each of the other:
 * searching, sets, sorting, replacing. */
static struct extent measure_call(struct estimate *estimate, const struct ast *ast)
{
    struct extent target = {0, 0, 0};
    if (ast->call.target != NULL)
        target = measure(estimate, ast->call.target);
    struct extent extent = {target.cost, add(target.count, 1), add(target.size, 1)};
    for (uint32_t i = 0; i < ast->call.count; i++) {
        struct extent argument = measure(estimate, ast->call.arguments[i]);
        extent.cost = add(extent.cost, argument.cost);
        extent.count = multiply(extent.count, add(argument.count, 1));
        extent.size = multiply(extent.size, add(argument.size, 1));
    }
    bool is_range = span_is(ast->call.name, "range") && ast->call.count == 1;
    if (is_range && ast->call.arguments[0]->kind == AST_LITERAL &&
        ast->call.arguments[0]->literal.kind == VALUE_INT)
        extent.count = extent.size = ast->call.arguments[0]->literal.uinteger;
    uint64_t rounds = span_is(ast->call.name, "sort") ? 32 : 2; /* of n log n */
    extent.cost = add(extent.cost, multiply(add(extent.size, 1), rounds));
    return extent;
}

static struct extent measure_list(struct estimate *estimate, const struct ast *ast)
{
    struct extent extent = {0, ast->list.count, ast->list.count};
    for (uint32_t i = 0; i < ast->list.count; i++) {
        struct extent element = measure(estimate, ast->list.elements[i].value);
        extent.cost = add(extent.cost, element.cost);
        extent.size = add(extent.size, element.size);
    }
    return extent;
}

/* A key is looked for among those before it. */
static struct extent measure_map(struct estimate *estimate, const struct ast *ast)
{
    struct extent extent = {multiply(ast->map.count, ast->map.count) / 8, ast->map.count,
                            ast->map.count};
    for (uint32_t i = 0; i < ast->map.count; i++) {
        struct extent key = measure(estimate, ast->map.entries[i].key);
        struct extent value = measure(estimate, ast->map.entries[i].value);
        extent.cost = add(extent.cost, add(key.cost, value.cost));
        extent.size = add(extent.size, add(key.size, value.size));
    }
    return extent;
}

/* Each round pays for the instructions of the loop, and what they do. */
static struct extent measure_fold(struct estimate *estimate, const struct ast *ast)
{
    struct extent range = measure(estimate, ast->fold.range);
    uint64_t size = larger(estimate->size, range.count == 0 ? 0 : range.size / range.count);
    struct known first = {ast->fold.variables[0], size, size, estimate->known};
    struct known second = {ast->fold.variables[1], size, size, &first};
    struct estimate inner = {.size = estimate->size, .known = &second};
    struct extent body = measure(&inner, ast->fold.body);
    uint64_t round = body.cost;
    if (ast->fold.condition != NULL)
        round = add(round, measure(&inner, ast->fold.condition).cost);
    round = add(round, inner.steps);
    estimate->steps = add(estimate->steps, inner.steps);
    uint64_t cost = add(range.cost, multiply(add(range.count, 1), round));
    if (ast->fold.fold == FOLD_SORT) /* its keys are compared with each other */
        cost = add(cost, multiply(multiply(add(range.count, 1), 32), add(body.size, 1)));
    if (ast->fold.fold == FOLD_ENTRIES) /* a key is looked for among those before it */
        cost = add(cost, multiply(range.count, range.count));
    if (ast->fold.fold < FOLD_LIST)
        return (struct extent){cost, 0, 0};
    return (struct extent){cost, range.count, multiply(range.count, add(body.size, 1))};
}

static struct extent measure_bind(struct estimate *estimate, const struct ast *ast)
{
    struct extent value = measure(estimate, ast->bind.value);
    struct known known = {ast->bind.variable, value.count, value.size, estimate->known};
    struct estimate inner = {.size = estimate->size, .known = &known};
    struct extent body = measure(&inner, ast->bind.body);
    estimate->steps = add(estimate->steps, inner.steps);
    return (struct extent){add(value.cost, body.cost), body.count, body.size};
}

static struct extent measure(struct estimate *estimate, const struct ast *ast)
{
    enum { STEPS_A_NODE = 4 };
    struct extent left;
    estimate->steps += STEPS_A_NODE;
    switch (ast->kind) {
    case AST_LITERAL:
        return measure_literal(ast->literal);
    case AST_NAME:
        return measure_name(estimate, ast->name.name);
    case AST_SELECT:
    case AST_HAS:
        return measure_member(estimate, measure(estimate, ast->select.operand));
    case AST_INDEX:
        left = measure_member(estimate, measure(estimate, ast->index.operand));
        left.cost = add(left.cost, measure(estimate, ast->index.index).cost);
        return left;
    case AST_UNARY:
        return measure(estimate, ast->operation.left);
    case AST_BINARY:
        return measure_binary(measure(estimate, ast->operation.left), ast->operation.operator,
                              measure(estimate, ast->operation.right));
    case AST_AND:
    case AST_OR:
        return measure_logic(estimate, ast);
    case AST_CONDITION:
        return measure_condition(estimate, ast);
    case AST_CALL:
        return measure_call(estimate, ast);
    case AST_LIST:
        return measure_list(estimate, ast);
    case AST_MAP:
        return measure_map(estimate, ast);
    case AST_FOLD:
        return measure_fold(estimate, ast);
    case AST_BIND:
    case AST_OPTIONAL_MAP:
        return measure_bind(estimate, ast);
    }
    never();
}

uint64_t cost_estimate(const struct ast *ast, uint64_t size)
{
    struct estimate estimate = {.size = size};
    return measure(&estimate, ast).cost;
}
