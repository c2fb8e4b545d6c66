/*
 * type_check.c - a walk over the tree that finds each part's type.
 *
 * Two kinds of findings. What can only fail is an error: 'a' + 1, a member of a number, a
 * field that a closed record does not have. What works but always gives the same answer is a
 * warning: comparing a string with a number, or with a word that an enumeration does not have.
 * What is not known (dyn) is never complained about, and after a finding its type is dyn, so
 * that nothing is told twice.
 *
 * Recursion is bounded by the height of trees.
 */
#include "expr/type_check.h"

#include "base/ensure.h"
#include "base/json.h"
#include "expr/names.h"
#include "expr/type_checker.h"

static const struct type *dyn(void)
{
    return type_simple(TYPE_DYN);
}

struct span type_checker_text(struct type_checker *checker, const struct type *type)
{
    struct text text;
    text_init(&text, checker->arena);
    type_write(&text, type_unify_apply(&checker->unify, type, true));
    return text_span(&text);
}

static const struct type *resolve(struct type_checker *checker, const struct type *type)
{
    return type_unify_resolve(&checker->unify, type);
}

static bool is_unknown(const struct type *type)
{
    return type->kind == TYPE_DYN || type->kind == TYPE_VARIABLE;
}

static bool is_number(const struct type *type)
{
    return type->kind == TYPE_INT || type->kind == TYPE_UINT || type->kind == TYPE_DOUBLE;
}

/* A part that must be true or false. */
static void want_bool(struct type_checker *checker, const struct ast *ast, const char *where)
{
    const struct type *type = type_checker_walk(checker, ast);
    if (!type_unify_fits(&checker->unify, type, type_simple(TYPE_BOOL)))
        remark_type(checker->remarks, SEVERITY_ERROR, ast->offset, "%s is a bool, not %.*s",
                    where, SPAN_ARGS(type_checker_text(checker, type)));
}

/* Names */

static const struct type_local *find_local(const struct type_checker *checker, struct span name)
{
    const struct type_local *local = checker->locals;
    while (local != NULL && !span_equal(local->name, name))
        local = local->outer;
    return local;
}

static const struct type *type_of_name(struct type_checker *checker, struct value type)
{
    const struct type *named = type_read(checker->arena, value_span(type));
    for (enum value_kind kind = VALUE_NULL; kind < VALUE_ERROR; kind++) {
        if (span_is(value_span(type), value_kind_name(kind)))
            named = type_of_kind(checker->arena, kind);
    }
    return type_of_type(checker->arena, named == NULL ? dyn() : named);
}

static const struct type *unknown_name(struct type_checker *checker, const struct ast *ast,
                                       const struct names_path *path)
{
    if (checker->scope->is_open)
        return dyn();
    while (ast->kind == AST_SELECT)
        ast = ast->select.operand;
    struct diagnostic *error = remark_error(checker->remarks, ast->offset,
                                            "unknown name '%.*s'", SPAN_ARGS(path->parts[0]));
    remark_suggest(checker->remarks, error, path->parts[0], checker->scope->variables,
                   checker->scope->variable_count);
    return dyn();
}

/* The type of what the path begins with; the parts behind `used` are members of it. */
static const struct type *beginning_of(struct type_checker *checker, const struct ast *ast,
                                       const struct names_path *path, uint32_t *used)
{
    const struct type_local *local =
        path->is_absolute ? NULL : find_local(checker, path->parts[0]);
    struct value type;
    *used = 1;
    if (local != NULL)
        return local->type;
    size_t slot = names_find_variable(checker->scope, path, used);
    if (slot != SIZE_MAX) {
        const struct type *const *types = checker->scope->types;
        return types == NULL || types[slot] == NULL ? dyn() : types[slot];
    }
    *used = path->count;
    if (names_find_type(path, &type))
        return type_of_name(checker, type);
    return unknown_name(checker, ast, path);
}

/* Members */

/* Of an open record only a slip of the pen is told: it may well have other fields. Asking
 * whether there is such a field never fails. */
static const struct type *unknown_field(struct type_checker *checker, const struct type *record,
                                        struct span field, uint32_t offset, bool is_asked)
{
    bool is_sure = !record->is_open && !record->is_inferred && !is_asked;
    struct span *names = arena_new_array(checker->arena, record->count, struct span);
    size_t nearest = SIZE_MAX;
    for (uint32_t i = 0; i < record->count; i++) {
        names[i] = record->fields[i].name;
        size_t distance = span_distance(field, names[i]);
        nearest = distance < nearest ? distance : nearest;
    }
    if (record->is_open && (nearest > 2 || nearest * 3 > field.size))
        return dyn();
    struct diagnostic *added = remark_type(
        checker->remarks, is_sure ? SEVERITY_ERROR : SEVERITY_WARNING, offset,
        record->is_inferred ? "nothing sets the field '%.*s'" : "there is no field '%.*s'",
        SPAN_ARGS(field));
    remark_suggest(checker->remarks, added, field, names, record->count);
    return dyn();
}

static const struct type *member_of(struct type_checker *checker, const struct type *operand,
                                    struct span field, uint32_t offset, bool is_asked)
{
    operand = resolve(checker, operand);
    switch (operand->kind) {
    case TYPE_DYN:
    case TYPE_VARIABLE:
        return dyn();
    case TYPE_MAP:
        return operand->parameters[1];
    case TYPE_RECORD: {
        const struct type_field *found = type_find_field(operand, field);
        return found != NULL ? found->type
                             : unknown_field(checker, operand, field, offset, is_asked);
    }
    case TYPE_OPTIONAL:
        return type_optional(checker->arena, member_of(checker, operand->parameters[0], field,
                                                       offset, is_asked));
    case TYPE_NULL:
    case TYPE_BOOL:
    case TYPE_INT:
    case TYPE_UINT:
    case TYPE_DOUBLE:
    case TYPE_STRING:
    case TYPE_BYTES:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION:
    case TYPE_LIST:
    case TYPE_TYPE:
    case TYPE_ABSTRACT:
        remark_type(checker->remarks, SEVERITY_ERROR, offset,
                    "%.*s has no members such as '%.*s'",
                    SPAN_ARGS(type_checker_text(checker, operand)), SPAN_ARGS(field));
        return dyn();
    case TYPE_KIND_COUNT:
        break;
    }
    never();
}

/* An optional of an optional is one: a.?b.?c. */
static const struct type *as_optional(struct type_checker *checker, const struct type *type)
{
    type = resolve(checker, type);
    return type->kind == TYPE_OPTIONAL ? type : type_optional(checker->arena, type);
}

static const struct type *walk_select(struct type_checker *checker, const struct ast *ast)
{
    struct names_path path = names_path_of(ast);
    if (ast->kind != AST_HAS && path.count > 0) {
        uint32_t used;
        const struct type *type = beginning_of(checker, ast, &path, &used);
        for (uint32_t i = used; i < path.count; i++) {
            const struct ast *part = ast;
            for (uint32_t up = path.count - 1; up > i; up--)
                part = part->select.operand;
            type = member_of(checker, type, path.parts[i], part->offset, false);
        }
        return type;
    }
    const struct type *operand = type_checker_walk(checker, ast->select.operand);
    const struct type *member = member_of(checker, operand, ast->select.field, ast->offset,
                                          ast->kind == AST_HAS || ast->select.is_optional);
    if (ast->kind == AST_HAS)
        return type_simple(TYPE_BOOL);
    return ast->select.is_optional ? as_optional(checker, member) : member;
}

/* record['field'] */
static const struct type *element_of_record(struct type_checker *checker,
                                            const struct type *record, const struct ast *index,
                                            bool is_asked)
{
    if (index->kind == AST_LITERAL && index->literal.kind == VALUE_STRING)
        return member_of(checker, record, value_span(index->literal), index->offset, is_asked);
    return dyn();
}

static const struct type *element_of(struct type_checker *checker, const struct ast *ast,
                                     const struct type *operand, const struct type *index)
{
    operand = resolve(checker, operand);
    index = resolve(checker, index);
    if (is_unknown(operand))
        return dyn();
    if (operand->kind == TYPE_OPTIONAL)
        return type_optional(checker->arena,
                             element_of(checker, ast, operand->parameters[0], index));
    if (operand->kind == TYPE_LIST && (is_unknown(index) || is_number(index)))
        return operand->parameters[0];
    if (operand->kind == TYPE_RECORD && (is_unknown(index) || index->kind == TYPE_STRING))
        return element_of_record(checker, operand, ast->index.index, ast->index.is_optional);
    if (operand->kind == TYPE_MAP) {
        const struct type *key = resolve(checker, operand->parameters[0]);
        if ((is_number(key) && is_number(index)) ||
            type_unify_fits(&checker->unify, index, key))
            return operand->parameters[1];
    }
    remark_type(checker->remarks, SEVERITY_ERROR, ast->offset, "no such overload: %.*s[%.*s]",
                SPAN_ARGS(type_checker_text(checker, operand)),
                SPAN_ARGS(type_checker_text(checker, index)));
    return dyn();
}

static const struct type *walk_index(struct type_checker *checker, const struct ast *ast)
{
    const struct type *operand = type_checker_walk(checker, ast->index.operand);
    const struct type *index = type_checker_walk(checker, ast->index.index);
    const struct type *element = element_of(checker, ast, operand, index);
    return ast->index.is_optional ? as_optional(checker, element) : element;
}

/* Operators */

/* What both sides may be without the answer being known beforehand. */
static bool may_equal(struct type_checker *checker, const struct type *a, const struct type *b)
{
    a = resolve(checker, a);
    b = resolve(checker, b);
    if (a->kind == TYPE_NULL || b->kind == TYPE_NULL || (is_number(a) && is_number(b)))
        return true;
    if (a->kind == b->kind && (a->kind == TYPE_LIST || a->kind == TYPE_MAP))
        return true; /* empty ones are equal, numbers in them compare across kinds */
    uint32_t mark = type_unify_mark(&checker->unify);
    if (type_unify_fits(&checker->unify, a, b))
        return true;
    type_unify_rewind(&checker->unify, mark);
    return type_unify_fits(&checker->unify, b, a);
}

static bool is_among(const struct type *type, struct value value)
{
    for (uint32_t i = 0; i < type->value_count; i++) {
        if (value_equal(type->values[i], value))
            return true;
    }
    return type->values == NULL;
}

static struct span value_text(struct type_checker *checker, struct value value)
{
    struct text text;
    text_init(&text, checker->arena);
    json_write(&text, value);
    return text_span(&text);
}

/* A word that the enumeration does not have. */
static void check_among(struct type_checker *checker, const struct type *type,
                        const struct ast *ast)
{
    type = resolve(checker, type);
    if (ast->kind != AST_LITERAL || ast->literal.kind == VALUE_NULL ||
        is_among(type, ast->literal))
        return;
    struct diagnostic *added =
        remark_type(checker->remarks, SEVERITY_WARNING, ast->offset, "it is never %.*s",
                    SPAN_ARGS(value_text(checker, ast->literal)));
    struct span *names = arena_new_array(checker->arena, type->value_count, struct span);
    size_t count = 0;
    for (uint32_t i = 0; i < type->value_count; i++) {
        if (type->values[i].kind == VALUE_STRING)
            names[count++] = value_span(type->values[i]);
    }
    if (ast->literal.kind == VALUE_STRING)
        remark_suggest(checker->remarks, added, value_span(ast->literal), names, count);
}

static void check_equal(struct type_checker *checker, const struct ast *ast,
                        const struct type *left, const struct type *right)
{
    bool is_equal = ast->operation.operator== AST_EQUAL;
    if (!may_equal(checker, left, right)) {
        remark_type(checker->remarks, SEVERITY_WARNING, ast->offset,
                    "%.*s and %.*s are never equal: this is always %s",
                    SPAN_ARGS(type_checker_text(checker, left)),
                    SPAN_ARGS(type_checker_text(checker, right)), is_equal ? "false" : "true");
        checker->answer = is_equal ? ANSWER_FALSE : ANSWER_TRUE;
        return;
    }
    check_among(checker, left, ast->operation.right);
    check_among(checker, right, ast->operation.left);
}

/* x in ['a', 'b'] and x in list. */
static void check_in(struct type_checker *checker, const struct ast *ast,
                     const struct type *left, const struct type *right)
{
    right = resolve(checker, right);
    const struct type *element = right->kind == TYPE_LIST || right->kind == TYPE_MAP
                                     ? right->parameters[0]
                                     : type_simple(TYPE_STRING);
    if (!is_unknown(right) && right->kind != TYPE_LIST && right->kind != TYPE_MAP &&
        right->kind != TYPE_RECORD) {
        remark_type(checker->remarks, SEVERITY_ERROR, ast->offset,
                    "no such overload: %.*s in %.*s",
                    SPAN_ARGS(type_checker_text(checker, left)),
                    SPAN_ARGS(type_checker_text(checker, right)));
        return;
    }
    if (is_unknown(right))
        return;
    if (!may_equal(checker, left, element))
        remark_type(checker->remarks, SEVERITY_WARNING, ast->offset,
                    "%.*s is never in %.*s: this is always false",
                    SPAN_ARGS(type_checker_text(checker, left)),
                    SPAN_ARGS(type_checker_text(checker, right)));
    const struct ast *list = ast->operation.right;
    for (uint32_t i = 0; list->kind == AST_LIST && i < list->list.count; i++)
        check_among(checker, left, list->list.elements[i].value);
}

static bool has_order(const struct type *type)
{
    return is_unknown(type) || is_number(type) || type->kind == TYPE_BOOL ||
           type->kind == TYPE_STRING || type->kind == TYPE_BYTES ||
           type->kind == TYPE_TIMESTAMP || type->kind == TYPE_DURATION;
}

static void check_order(struct type_checker *checker, const struct ast *ast,
                        const struct type *left, const struct type *right)
{
    const struct type *a = resolve(checker, left);
    const struct type *b = resolve(checker, right);
    bool fits = has_order(a) && has_order(b) &&
                (is_unknown(a) || is_unknown(b) || a->kind == b->kind ||
                 (is_number(a) && is_number(b)));
    if (!fits)
        remark_type(checker->remarks, SEVERITY_ERROR, ast->offset,
                    "no such overload: %.*s %s %.*s", SPAN_ARGS(type_checker_text(checker, a)),
                    ast_operator_text(ast->operation.operator),
                    SPAN_ARGS(type_checker_text(checker, b)));
}

static const struct type *walk_binary(struct type_checker *checker, const struct ast *ast)
{
    enum ast_operator operator= ast->operation.operator;
    const struct type *operands[] = {type_checker_walk(checker, ast->operation.left),
                                     type_checker_walk(checker, ast->operation.right)};
    checker->answer = ANSWER_OPEN;
    if (operator>= AST_ADD)
        return type_checker_operator(checker, ast, span_from_text(ast_operator_text(operator)),
                                     operands, 2);
    if (operator== AST_IN)
        check_in(checker, ast, operands[0], operands[1]);
    else if (operator== AST_EQUAL || operator== AST_NOT_EQUAL)
        check_equal(checker, ast, operands[0], operands[1]);
    else
        check_order(checker, ast, operands[0], operands[1]);
    return type_simple(TYPE_BOOL);
}

static const struct type *walk_unary(struct type_checker *checker, const struct ast *ast)
{
    if (ast->operation.operator== AST_NOT) {
        want_bool(checker, ast->operation.left, "what stands behind '!'");
        if (checker->answer != ANSWER_OPEN)
            checker->answer = checker->answer == ANSWER_TRUE ? ANSWER_FALSE : ANSWER_TRUE;
        return type_simple(TYPE_BOOL);
    }
    const struct type *operand = type_checker_walk(checker, ast->operation.left);
    return type_checker_operator(checker, ast, SPAN("neg"), &operand, 1);
}

static const struct type *walk_logic(struct type_checker *checker, const struct ast *ast)
{
    const char *where = ast->kind == AST_AND ? "an operand of '&&'" : "an operand of '||'";
    enum type_answer decisive = ast->kind == AST_AND ? ANSWER_FALSE : ANSWER_TRUE;
    enum type_answer answer = ast->kind == AST_AND ? ANSWER_TRUE : ANSWER_FALSE;
    for (uint32_t i = 0; i < ast->logic.count; i++) {
        want_bool(checker, ast->logic.operands[i], where);
        if (checker->answer == decisive ||
            (answer != decisive && checker->answer == ANSWER_OPEN))
            answer = checker->answer;
    }
    checker->answer = answer;
    return type_simple(TYPE_BOOL);
}

static const struct type *walk_condition(struct type_checker *checker, const struct ast *ast)
{
    want_bool(checker, ast->condition.condition, "what stands before '?'");
    if (checker->answer != ANSWER_OPEN)
        remark_type(checker->remarks, SEVERITY_WARNING,
                    checker->answer == ANSWER_TRUE ? ast->condition.otherwise->offset
                                                   : ast->condition.then->offset,
                    "this is never reached: the condition is always %s",
                    checker->answer == ANSWER_TRUE ? "true" : "false");
    const struct type *then = type_checker_walk(checker, ast->condition.then);
    const struct type *otherwise = type_checker_walk(checker, ast->condition.otherwise);
    return type_unify_join(&checker->unify, then, otherwise);
}

/* Lists and maps */

/* What is in an optional element or entry: [?a]. */
static const struct type *content_of(struct type_checker *checker, const struct ast *ast,
                                     bool is_optional)
{
    const struct type *type = resolve(checker, type_checker_walk(checker, ast));
    if (!is_optional || is_unknown(type))
        return is_optional ? dyn() : type;
    if (type->kind == TYPE_OPTIONAL)
        return type->parameters[0];
    remark_type(checker->remarks, SEVERITY_ERROR, ast->offset,
                "behind '?' stands an optional, not %.*s",
                SPAN_ARGS(type_checker_text(checker, type)));
    return dyn();
}

static const struct type *join(struct type_checker *checker, const struct type *so_far,
                               const struct type *next)
{
    return so_far == NULL ? next : type_unify_join(&checker->unify, so_far, next);
}

static const struct type *walk_list(struct type_checker *checker, const struct ast *ast)
{
    const struct type *element = NULL;
    for (uint32_t i = 0; i < ast->list.count; i++) {
        const struct ast_element *each = &ast->list.elements[i];
        element = join(checker, element, content_of(checker, each->value, each->is_optional));
    }
    return type_list(checker->arena,
                     element == NULL ? type_unify_fresh(&checker->unify) : element);
}

static void check_key(struct type_checker *checker, const struct ast *ast,
                      const struct type *key)
{
    key = resolve(checker, key);
    if (is_unknown(key) || key->kind == TYPE_STRING || key->kind == TYPE_BOOL ||
        key->kind == TYPE_INT || key->kind == TYPE_UINT)
        return;
    remark_type(checker->remarks, SEVERITY_ERROR, ast->offset,
                "%.*s cannot be the key of a map", SPAN_ARGS(type_checker_text(checker, key)));
}

static const struct type *walk_map(struct type_checker *checker, const struct ast *ast)
{
    const struct type *key = NULL;
    const struct type *value = NULL;
    for (uint32_t i = 0; i < ast->map.count; i++) {
        const struct ast_entry *entry = &ast->map.entries[i];
        const struct type *next = type_checker_walk(checker, entry->key);
        check_key(checker, entry->key, next);
        key = join(checker, key, next);
        value = join(checker, value, content_of(checker, entry->value, entry->is_optional));
    }
    if (key == NULL)
        return type_map(checker->arena, type_unify_fresh(&checker->unify),
                        type_unify_fresh(&checker->unify));
    return type_map(checker->arena, key, value);
}

/* Macros */

/* What the variables of a macro stand for: elements, or keys and values, or positions. */
static void walk_range(struct type_checker *checker, const struct ast *ast,
                       const struct type *range, const struct type *variables[2])
{
    bool has_two = ast->fold.variables[1].size > 0;
    variables[0] = variables[1] = dyn();
    if (range->kind == TYPE_LIST) {
        variables[has_two] = range->parameters[0];
        if (has_two)
            variables[0] = type_simple(TYPE_INT);
    } else if (range->kind == TYPE_MAP) {
        variables[0] = range->parameters[0];
        variables[1] = range->parameters[1];
    } else if (range->kind == TYPE_RECORD) {
        variables[0] = type_simple(TYPE_STRING);
    } else if (!is_unknown(range)) {
        remark_type(checker->remarks, SEVERITY_ERROR, ast->fold.range->offset,
                    "%s() goes over a list or a map, not %.*s", ast_fold_name(ast->fold.fold),
                    SPAN_ARGS(type_checker_text(checker, range)));
    }
}

/* What the macro makes of its body. */
static const struct type *fold_result(struct type_checker *checker, const struct ast *ast,
                                      const struct type *range, const struct type *key,
                                      const struct type *body)
{
    enum ast_fold fold = ast->fold.fold;
    if (fold == FOLD_ALL || fold == FOLD_EXISTS || fold == FOLD_EXISTS_ONE)
        return type_simple(TYPE_BOOL);
    if (fold == FOLD_LIST)
        return type_list(checker->arena, body);
    if (fold == FOLD_MAP)
        return type_map(checker->arena, key, body);
    if (fold != FOLD_ENTRIES)
        return range; /* the range in another order */
    body = resolve(checker, body);
    if (body->kind == TYPE_MAP || is_unknown(body) || body->kind == TYPE_RECORD)
        return body;
    remark_type(checker->remarks, SEVERITY_ERROR, ast->fold.body->offset,
                "transformMapEntry() makes entries of maps, not of %.*s",
                SPAN_ARGS(type_checker_text(checker, body)));
    return dyn();
}

static const struct type *walk_fold(struct type_checker *checker, const struct ast *ast)
{
    const struct type *variables[2];
    const struct type *range = resolve(checker, type_checker_walk(checker, ast->fold.range));
    const struct type_local *outer = checker->locals;
    const struct type *body = type_simple(TYPE_BOOL);
    walk_range(checker, ast, range, variables);
    struct type_local first = {ast->fold.variables[0], variables[0], outer};
    struct type_local second = {ast->fold.variables[1], variables[1], &first};
    checker->locals = ast->fold.variables[1].size > 0 ? &second : &first;
    if (ast->fold.condition != NULL)
        want_bool(checker, ast->fold.condition, "the condition of a macro");
    if (ast->fold.fold <= FOLD_EXISTS_ONE)
        want_bool(checker, ast->fold.body, "the condition of a macro");
    else
        body = type_checker_walk(checker, ast->fold.body);
    checker->locals = outer;
    return fold_result(checker, ast, range, variables[0], body);
}

static const struct type *walk_within(struct type_checker *checker, const struct ast *ast,
                                      const struct type *value)
{
    struct type_local local = {ast->bind.variable, value, checker->locals};
    checker->locals = &local;
    const struct type *body = type_checker_walk(checker, ast->bind.body);
    checker->locals = local.outer;
    return body;
}

static const struct type *walk_optional_map(struct type_checker *checker, const struct ast *ast)
{
    const struct type *value = resolve(checker, type_checker_walk(checker, ast->bind.value));
    const struct type *content = dyn();
    if (value->kind == TYPE_OPTIONAL)
        content = value->parameters[0];
    else if (!is_unknown(value))
        remark_type(checker->remarks, SEVERITY_ERROR, ast->offset,
                    "this is called on an optional, not on %.*s",
                    SPAN_ARGS(type_checker_text(checker, value)));
    const struct type *body = walk_within(checker, ast, content);
    return ast->bind.is_flat ? body : type_optional(checker->arena, body);
}

static const struct type *walk(struct type_checker *checker, const struct ast *ast)
{
    switch (ast->kind) {
    case AST_LITERAL:
        if (ast->literal.kind == VALUE_BOOL)
            checker->answer = ast->literal.boolean ? ANSWER_TRUE : ANSWER_FALSE;
        return type_of_kind(checker->arena, ast->literal.kind);
    case AST_NAME:
    case AST_SELECT:
    case AST_HAS:
        return walk_select(checker, ast);
    case AST_INDEX:
        return walk_index(checker, ast);
    case AST_UNARY:
        return walk_unary(checker, ast);
    case AST_BINARY:
        return walk_binary(checker, ast);
    case AST_AND:
    case AST_OR:
        return walk_logic(checker, ast);
    case AST_CONDITION:
        return walk_condition(checker, ast);
    case AST_CALL:
        return type_checker_call(checker, ast);
    case AST_LIST:
        return walk_list(checker, ast);
    case AST_MAP:
        return walk_map(checker, ast);
    case AST_FOLD:
        return walk_fold(checker, ast);
    case AST_BIND:
        return walk_within(checker, ast, type_checker_walk(checker, ast->bind.value));
    case AST_OPTIONAL_MAP:
        return walk_optional_map(checker, ast);
    }
    never();
}

const struct type *type_checker_walk(struct type_checker *checker, const struct ast *ast)
{
    checker->answer = ANSWER_OPEN;
    const struct type *type = walk(checker, ast);
    bool may_answer = ast->kind == AST_LITERAL || ast->kind == AST_AND || ast->kind == AST_OR ||
                      ast->kind == AST_UNARY || ast->kind == AST_BINARY;
    if (!may_answer)
        checker->answer = ANSWER_OPEN; /* what a part of it left behind */
    return type;
}

const struct type *type_check(const struct ast *root, const struct expr_scope *scope,
                              struct arena *arena, struct remarks *remarks)
{
    struct type_checker checker = {.arena = arena, .remarks = remarks, .scope = scope};
    type_unify_init(&checker.unify, arena);
    const struct type *type = type_checker_walk(&checker, root);
    return type_unify_apply(&checker.unify, type, true);
}
