/*
 * footprint.c - a walk over the tree of an expression.
 *
 * A condition is the result, an operand of `!`, `&&`, `||`, or a part of `?:`; what stands
 * there and is none of these is an atom. The plain atoms are told as they are. Of any other
 * atom every field is told together with every constant in it.
 *
 * A macro's variable of the same name hides ours: then nothing is promised (FOOTPRINT_WHOLE).
 */
#include "expr/footprint.h"

#include "base/ensure.h"
#include "expr/code.h"

struct walk {
    struct span variable;
    struct arena *arena;
    struct footprint *first;
    struct footprint *last;
    const struct ast *atom; /* whose constants are told beside its fields */
    struct span near;       /* the field they are told of */
};

static void add(struct walk *walk, struct span field, enum footprint_kind kind,
                struct value constant)
{
    struct footprint *use = arena_new(walk->arena, struct footprint);
    *use = (struct footprint){field, kind, constant, NULL};
    if (walk->last == NULL)
        walk->first = use;
    else
        walk->last->next = use;
    walk->last = use;
}

static bool is_variable(const struct walk *walk, const struct ast *ast)
{
    return ast->kind == AST_NAME && span_equal(ast->name.name, walk->variable);
}

static bool is_field(const struct walk *walk, const struct ast *ast)
{
    return ast->kind == AST_SELECT && !ast->select.is_optional &&
           is_variable(walk, ast->select.operand);
}

static bool is_scalar(struct value value)
{
    return value.kind == VALUE_NULL || value.kind == VALUE_BOOL || value.kind == VALUE_INT ||
           value.kind == VALUE_UINT || value.kind == VALUE_DOUBLE || value.kind == VALUE_STRING;
}

static bool is_constant(const struct ast *ast)
{
    return ast->kind == AST_LITERAL && is_scalar(ast->literal);
}

/* Any tree, each node once */

typedef void visit_node(struct walk *walk, const struct ast *ast);

static void visit_children(struct walk *walk, const struct ast *ast, visit_node *visit)
{
    switch (ast->kind) {
    case AST_LITERAL:
    case AST_NAME:
        return;
    case AST_SELECT:
    case AST_HAS:
        visit(walk, ast->select.operand);
        return;
    case AST_INDEX:
        visit(walk, ast->index.operand);
        visit(walk, ast->index.index);
        return;
    case AST_UNARY:
        visit(walk, ast->operation.left);
        return;
    case AST_BINARY:
        visit(walk, ast->operation.left);
        visit(walk, ast->operation.right);
        return;
    case AST_AND:
    case AST_OR:
        for (uint32_t i = 0; i < ast->logic.count; i++)
            visit(walk, ast->logic.operands[i]);
        return;
    case AST_CONDITION:
        visit(walk, ast->condition.condition);
        visit(walk, ast->condition.then);
        visit(walk, ast->condition.otherwise);
        return;
    case AST_CALL:
        if (ast->call.target != NULL)
            visit(walk, ast->call.target);
        for (uint32_t i = 0; i < ast->call.count; i++)
            visit(walk, ast->call.arguments[i]);
        return;
    case AST_LIST:
        for (uint32_t i = 0; i < ast->list.count; i++)
            visit(walk, ast->list.elements[i].value);
        return;
    case AST_MAP:
        for (uint32_t i = 0; i < ast->map.count; i++) {
            visit(walk, ast->map.entries[i].key);
            visit(walk, ast->map.entries[i].value);
        }
        return;
    case AST_FOLD:
        visit(walk, ast->fold.range);
        if (ast->fold.condition != NULL)
            visit(walk, ast->fold.condition);
        visit(walk, ast->fold.body);
        return;
    case AST_BIND:
    case AST_OPTIONAL_MAP:
        visit(walk, ast->bind.value);
        visit(walk, ast->bind.body);
        return;
    }
    never();
}

/* An atom that is none of the plain ones */

static void add_near_constants(struct walk *walk, const struct ast *ast)
{
    if (is_constant(ast))
        add(walk, walk->near, FOOTPRINT_ANY, ast->literal);
    visit_children(walk, ast, add_near_constants);
}

static bool hides(const struct walk *walk, const struct ast *ast)
{
    if (ast->kind == AST_FOLD)
        return span_equal(ast->fold.variables[0], walk->variable) ||
               span_equal(ast->fold.variables[1], walk->variable);
    return (ast->kind == AST_BIND || ast->kind == AST_OPTIONAL_MAP) &&
           span_equal(ast->bind.variable, walk->variable);
}

static void visit_any(struct walk *walk, const struct ast *ast)
{
    bool has_field = ast->kind == AST_HAS && is_variable(walk, ast->select.operand);
    if (hides(walk, ast) || is_variable(walk, ast))
        add(walk, SPAN(""), FOOTPRINT_WHOLE, value_null());
    if (has_field)
        add(walk, ast->select.field, FOOTPRINT_PRESENCE, value_null());
    if (is_field(walk, ast)) {
        walk->near = ast->select.field;
        add(walk, walk->near, FOOTPRINT_ANY, value_null());
        add_near_constants(walk, walk->atom);
    }
    if (!has_field && !is_field(walk, ast))
        visit_children(walk, ast, visit_any);
}

/* Plain atoms */

static bool is_relation(enum ast_operator operator)
{
    return operator== AST_LESS || operator== AST_LESS_EQUAL || operator== AST_GREATER ||
    operator== AST_GREATER_EQUAL ||
    operator== AST_EQUAL ||
    operator== AST_NOT_EQUAL;
}

/* field op constant, or the other way round. */
static bool visit_comparison(struct walk *walk, const struct ast *ast)
{
    const struct ast *left = ast->operation.left;
    const struct ast *right = ast->operation.right;
    if (!is_relation(ast->operation.operator))
        return false;
    const struct ast *field = is_field(walk, left) ? left : right;
    const struct ast *other = field == left ? right : left;
    if (!is_field(walk, field) || !is_constant(other))
        return false;
    add(walk, field->select.field, FOOTPRINT_COMPARED, other->literal);
    return true;
}

/* field in [constant, …] */
static bool visit_membership(struct walk *walk, const struct ast *ast)
{
    const struct ast *field = ast->operation.left;
    const struct ast *list = ast->operation.right;
    if (ast->operation.operator!= AST_IN || !is_field(walk, field) || list->kind != AST_LIST)
        return false;
    for (uint32_t i = 0; i < list->list.count; i++) {
        if (list->list.elements[i].is_optional || !is_constant(list->list.elements[i].value))
            return false;
    }
    for (uint32_t i = 0; i < list->list.count; i++)
        add(walk, field->select.field, FOOTPRINT_COMPARED,
            list->list.elements[i].value->literal);
    return true;
}

static void visit_condition(struct walk *walk, const struct ast *ast)
{
    bool is_not = ast->kind == AST_UNARY && ast->operation.operator== AST_NOT;
    if (ast->kind == AST_AND || ast->kind == AST_OR || ast->kind == AST_CONDITION || is_not) {
        visit_children(walk, ast, visit_condition);
        return;
    }
    if (is_field(walk, ast)) {
        add(walk, ast->select.field, FOOTPRINT_TRUTH, value_null());
        return;
    }
    if (ast->kind == AST_BINARY && (visit_comparison(walk, ast) || visit_membership(walk, ast)))
        return;
    walk->atom = ast;
    visit_any(walk, ast);
}

const struct footprint *footprint_read(const struct expr_program *program, struct span variable,
                                       struct arena *arena)
{
    struct walk walk = {.variable = variable, .arena = arena};
    visit_condition(&walk, program->root);
    return walk.first;
}

static struct span text_of(const struct ast *ast, struct arena *arena)
{
    struct text text;
    text_init(&text, arena);
    ast_write(&text, ast);
    return text_span(&text);
}

const struct span *footprint_conjuncts(const struct expr_program *program, struct arena *arena,
                                       uint32_t *count)
{
    const struct ast *root = program->root;
    *count = root->kind == AST_AND ? root->logic.count : 1;
    struct span *texts = arena_new_array(arena, *count, struct span);
    for (uint32_t i = 0; i < *count; i++)
        texts[i] = text_of(root->kind == AST_AND ? root->logic.operands[i] : root, arena);
    return texts;
}
