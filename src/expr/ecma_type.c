/*
 * ecma_type.c - types and functions of ECMAScript as far as the text tells them.
 */
#include "expr/ecma_type.h"

#include "base/ensure.h"

bool ecma_is_name(const struct ecma_tree *tree, const char *name)
{
    return tree->kind == ECMA_NAME && span_is(tree->text, name);
}

/* A key that is known now: a.key or a['key']. */
bool ecma_find_key(const struct ecma_tree *tree, struct span *key)
{
    if (tree->kind == ECMA_MEMBER)
        *key = tree->text;
    else if (tree->kind == ECMA_INDEX && tree->second->kind == ECMA_STRING)
        *key = tree->second->text;
    else
        return false;
    return true;
}

bool ecma_is_operator(const struct ecma_tree *tree, const char *text)
{
    return tree->kind == ECMA_BINARY && span_is(tree->text, text);
}

bool ecma_is_local(const struct ecma_names *names, struct span name)
{
    const struct ecma_local *local = names->locals;
    while (local != NULL && !span_equal(local->name, name))
        local = local->outer;
    return local != NULL;
}

bool ecma_is_declared(const struct ecma_names *names, struct span name)
{
    for (size_t i = 0; i < names->scope->variable_count; i++) {
        if (span_equal(names->scope->variables[i], name))
            return true;
    }
    return false;
}

/* Variables that the processor gives, not the document. */
bool ecma_is_system(struct span name)
{
    static const char *const names[] = {"_event", "_sessionid", "_name", "_ioprocessors"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (span_is(name, names[i]))
            return true;
    }
    return false;
}

static const struct ecma_function globals[] = {
    {"String", "ecma.text", 1, 1, ECMA_TYPE_STRING},
    {"Number", "ecma.number", 1, 1, ECMA_TYPE_NUMBER},
    {"Boolean", "ecma.truthy", 1, 1, ECMA_TYPE_BOOL},
    {"isNaN", "ecma.isNaN", 1, 1, ECMA_TYPE_BOOL},
    {"Math.abs", "ecma.abs", 1, 1, ECMA_TYPE_NUMBER},
    {"Math.ceil", "ecma.ceil", 1, 1, ECMA_TYPE_NUMBER},
    {"Math.floor", "ecma.floor", 1, 1, ECMA_TYPE_NUMBER},
    {"Math.max", "ecma.max", 2, 2, ECMA_TYPE_NUMBER},
    {"Math.min", "ecma.min", 2, 2, ECMA_TYPE_NUMBER},
    {"Math.pow", "ecma.power", 2, 2, ECMA_TYPE_NUMBER},
    {"Math.round", "ecma.round", 1, 1, ECMA_TYPE_NUMBER},
    {"Math.sqrt", "ecma.sqrt", 1, 1, ECMA_TYPE_NUMBER},
    {"Math.trunc", "ecma.trunc", 1, 1, ECMA_TYPE_NUMBER},
    {"JSON.stringify", "ecma.json", 1, 1, ECMA_TYPE_ANY},
    {"Array.isArray", "ecma.isList", 1, 1, ECMA_TYPE_BOOL},
};

static const struct ecma_function methods[] = {
    {"charAt", "ecma.charAt", 1, 1, ECMA_TYPE_STRING},
    {"endsWith", "ecma.endsWith", 1, 1, ECMA_TYPE_BOOL},
    {"hasOwnProperty", "ecma.has", 1, 1, ECMA_TYPE_BOOL},
    {"includes", "ecma.includes", 1, 1, ECMA_TYPE_BOOL},
    {"indexOf", "ecma.indexOf", 1, 1, ECMA_TYPE_NUMBER},
    {"join", "ecma.join", 1, 1, ECMA_TYPE_STRING},
    {"slice", "ecma.slice", 1, 2, ECMA_TYPE_ANY},
    {"startsWith", "ecma.startsWith", 1, 1, ECMA_TYPE_BOOL},
    {"toString", "ecma.text", 0, 0, ECMA_TYPE_STRING},
};

/* "Math.floor" is `object` and `name`; without an object the name alone. */
static bool is_called(const char *row, struct span object, struct span name)
{
    struct span text = span_from_text(row);
    if (object.size == 0)
        return span_equal(text, name);
    return text.size == object.size + 1 + name.size && span_starts_with(text, object) &&
           text.text[object.size] == '.' && span_ends_with(text, name);
}

static const struct ecma_function *find_row(const struct ecma_function *rows, size_t count,
                                            struct span object, const struct ecma_tree *call)
{
    for (size_t i = 0; i < count; i++) {
        if (is_called(rows[i].name, object, call->first->text) &&
            call->count >= rows[i].count_min && call->count <= rows[i].count_max)
            return &rows[i];
    }
    return NULL;
}

const struct ecma_function *ecma_find_function(const struct ecma_names *names,
                                               const struct ecma_tree *call, bool *is_method)
{
    const struct ecma_tree *callee = call->first;
    struct span object = SPAN("");
    *is_method = callee->kind == ECMA_MEMBER;
    if (callee->kind != ECMA_NAME && callee->kind != ECMA_MEMBER)
        return NULL;
    if (*is_method && callee->first->kind == ECMA_NAME &&
        !ecma_is_local(names, callee->first->text) &&
        !ecma_is_declared(names, callee->first->text))
        object = callee->first->text;
    if (!*is_method || object.size > 0) {
        const struct ecma_function *row =
            find_row(globals, sizeof globals / sizeof *globals, object, call);
        *is_method = *is_method && row == NULL;
        if (row != NULL)
            return row;
    }
    return *is_method ? find_row(methods, sizeof methods / sizeof *methods, SPAN(""), call)
                      : NULL;
}

enum ecma_type ecma_type_of_operator(struct span text)
{
    static const char *const comparing[] = {"==", "!=", "===", "!==",        "<",
                                            ">",  "<=", ">=",  "instanceof", "in"};
    for (size_t i = 0; i < sizeof comparing / sizeof *comparing; i++) {
        if (span_is(text, comparing[i]))
            return ECMA_TYPE_BOOL;
    }
    return ECMA_TYPE_NUMBER;
}

enum ecma_type ecma_type_of(const struct ecma_names *names, const struct ecma_tree *tree);

static enum ecma_type type_of_binary(const struct ecma_names *names,
                                     const struct ecma_tree *tree)
{
    enum ecma_type left = ecma_type_of(names, tree->first);
    enum ecma_type right = ecma_type_of(names, tree->second);
    if (span_is(tree->text, "&&") || span_is(tree->text, "||"))
        return left == right ? left : ECMA_TYPE_ANY;
    if (!span_is(tree->text, "+"))
        return ecma_type_of_operator(tree->text);
    if (left == ECMA_TYPE_STRING || right == ECMA_TYPE_STRING)
        return ECMA_TYPE_STRING;
    bool adds = (left == ECMA_TYPE_NUMBER || left == ECMA_TYPE_BOOL) &&
                (right == ECMA_TYPE_NUMBER || right == ECMA_TYPE_BOOL);
    return adds ? ECMA_TYPE_NUMBER : ECMA_TYPE_ANY;
}

static enum ecma_type type_of_call(const struct ecma_names *names, const struct ecma_tree *tree)
{
    bool is_method;
    const struct ecma_function *row = ecma_find_function(names, tree, &is_method);
    if (row != NULL)
        return (enum ecma_type)row->type;
    return ecma_is_name(tree->first, "In") ? ECMA_TYPE_BOOL : ECMA_TYPE_ANY;
}

enum ecma_type ecma_type_of(const struct ecma_names *names, const struct ecma_tree *tree)
{
    switch (tree->kind) {
    case ECMA_NUMBER:
        return ECMA_TYPE_NUMBER;
    case ECMA_STRING:
        return ECMA_TYPE_STRING;
    case ECMA_TRUE:
    case ECMA_FALSE:
        return ECMA_TYPE_BOOL;
    case ECMA_UNARY:
        return span_is(tree->text, "!")        ? ECMA_TYPE_BOOL
               : span_is(tree->text, "typeof") ? ECMA_TYPE_STRING
               : span_is(tree->text, "void")   ? ECMA_TYPE_ANY
                                               : ECMA_TYPE_NUMBER;
    case ECMA_BINARY:
        return type_of_binary(names, tree);
    case ECMA_CONDITION: {
        enum ecma_type then = ecma_type_of(names, tree->second);
        return then == ecma_type_of(names, tree->third) ? then : ECMA_TYPE_ANY;
    }
    case ECMA_CALL:
        return type_of_call(names, tree);
    case ECMA_ARRAY:
    case ECMA_OBJECT:
        return ECMA_TYPE_OBJECT;
    case ECMA_NULL:
    case ECMA_NAME:
    case ECMA_MEMBER:
    case ECMA_INDEX:
    case ECMA_FUNCTION:
        return ECMA_TYPE_ANY;
    }
    never();
}

/* False only when evaluating it as an operand throws nothing, whatever the variables are. */
bool ecma_can_fail(const struct ecma_names *names, const struct ecma_tree *tree)
{
    switch (tree->kind) {
    case ECMA_NUMBER:
    case ECMA_STRING:
    case ECMA_TRUE:
    case ECMA_FALSE:
    case ECMA_NULL:
        return false;
    case ECMA_NAME:
        return !ecma_is_local(names, tree->text) && !ecma_is_declared(names, tree->text) &&
               !span_is(tree->text, "undefined");
    case ECMA_UNARY:
        return ecma_can_fail(names, tree->first);
    case ECMA_BINARY:
        return span_is(tree->text, "in") || ecma_can_fail(names, tree->first) ||
               ecma_can_fail(names, tree->second);
    case ECMA_CALL:
        return !(ecma_is_name(tree->first, "In") && tree->count == 1 &&
                 tree->parts[0]->kind == ECMA_STRING);
    case ECMA_MEMBER:
    case ECMA_INDEX:
    case ECMA_CONDITION:
    case ECMA_ARRAY:
    case ECMA_OBJECT:
    case ECMA_FUNCTION:
        return true;
    }
    never();
}
