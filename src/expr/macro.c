/*
 * macro.c - the table of macros and how each becomes a tree.
 *
 * A macro is found by its name, the kind of its call and its number of arguments, as the
 * language defines: `has(a, b)` is then an unknown function, and the emitter says so.
 */
#include "expr/macro.h"

#include "base/ensure.h"

struct macro {
    const char *name;
    uint32_t arguments; /* without the target */
    uint32_t variables; /* the first so many arguments are names */
    enum ast_fold fold;
    bool has_condition; /* the argument behind the variables */
};

/* target.NAME(variables…, [condition,] body) */
static const struct macro folds[] = {
    {"all", 2, 1, FOLD_ALL, false},
    {"all", 3, 2, FOLD_ALL, false},
    {"exists", 2, 1, FOLD_EXISTS, false},
    {"exists", 3, 2, FOLD_EXISTS, false},
    {"exists_one", 2, 1, FOLD_EXISTS_ONE, false},
    {"exists_one", 3, 2, FOLD_EXISTS_ONE, false},
    {"existsOne", 2, 1, FOLD_EXISTS_ONE, false},
    {"existsOne", 3, 2, FOLD_EXISTS_ONE, false},
    {"map", 2, 1, FOLD_LIST, false},
    {"map", 3, 1, FOLD_LIST, true},
    {"filter", 2, 1, FOLD_LIST, true},
    {"transformList", 3, 2, FOLD_LIST, false},
    {"transformList", 4, 2, FOLD_LIST, true},
    {"transformMap", 3, 2, FOLD_MAP, false},
    {"transformMap", 4, 2, FOLD_MAP, true},
    {"transformMapEntry", 3, 2, FOLD_ENTRIES, false},
    {"transformMapEntry", 4, 2, FOLD_ENTRIES, true},
    {"sortBy", 2, 1, FOLD_SORT, false},
};

static struct ast *new_node(struct arena *arena, enum ast_kind kind, uint32_t offset)
{
    struct ast *node = arena_new(arena, struct ast);
    node->kind = kind;
    node->offset = offset;
    return node;
}

static uint32_t highest(const struct ast *a, const struct ast *b)
{
    return a->height > b->height ? a->height : b->height;
}

/* A macro's name may be one that no one can write: that of cel.index(0), which is kept as it
 * is written. */
static struct span variable_of(const struct ast *argument, struct remarks *remarks)
{
    if (argument->kind != AST_NAME || argument->name.is_absolute) {
        remark_error(remarks, argument->offset, "a macro's variable is a simple name");
        return SPAN("_");
    }
    return argument->name.name;
}

static const struct ast *expand_has(const struct ast *call, struct arena *arena,
                                    struct remarks *remarks)
{
    const struct ast *argument = call->call.arguments[0];
    if (argument->kind != AST_SELECT) {
        remark_error(remarks, argument->offset, "has() asks for a member, as in has(a.b)");
        return argument;
    }
    struct ast *has = new_node(arena, AST_HAS, argument->offset);
    has->select = argument->select;
    has->height = argument->height;
    return has;
}

static const struct ast *expand_fold(const struct macro *macro, const struct ast *call,
                                     struct arena *arena, struct remarks *remarks)
{
    const struct ast *const *arguments = call->call.arguments;
    struct ast *fold = new_node(arena, AST_FOLD, call->offset);
    fold->fold.range = call->call.target;
    fold->fold.fold = macro->fold;
    for (uint32_t i = 0; i < macro->variables; i++)
        fold->fold.variables[i] = variable_of(arguments[i], remarks);
    if (macro->variables == 2 && span_equal(fold->fold.variables[0], fold->fold.variables[1]))
        remark_error(remarks, arguments[1]->offset, "the two variables have the same name");
    if (macro->has_condition)
        fold->fold.condition = arguments[macro->variables];
    /* filter(x, p) has no body of its own: it keeps its variable. */
    bool has_body = macro->variables + macro->has_condition < macro->arguments;
    fold->fold.body = has_body ? arguments[macro->arguments - 1] : arguments[0];
    fold->height = highest(fold->fold.range, fold->fold.body);
    if (macro->has_condition && fold->height < fold->fold.condition->height)
        fold->height = fold->fold.condition->height;
    fold->height++;
    return fold;
}

/* cel.bind(variable, value, body) */
static const struct ast *expand_bind(const struct ast *call, struct arena *arena,
                                     struct remarks *remarks)
{
    const struct ast *const *arguments = call->call.arguments;
    struct ast *bind = new_node(arena, AST_BIND, call->offset);
    bind->bind.variable = variable_of(arguments[0], remarks);
    bind->bind.value = arguments[1];
    bind->bind.body = arguments[2];
    bind->height = highest(arguments[1], arguments[2]) + 1;
    return bind;
}

/* optional.optMap(variable, body) */
static const struct ast *expand_optional(const struct ast *call, bool is_flat,
                                         struct arena *arena, struct remarks *remarks)
{
    const struct ast *const *arguments = call->call.arguments;
    struct ast *bind = new_node(arena, AST_OPTIONAL_MAP, call->offset);
    bind->bind.variable = variable_of(arguments[0], remarks);
    bind->bind.value = call->call.target;
    bind->bind.body = arguments[1];
    bind->bind.is_flat = is_flat;
    bind->height = highest(call->call.target, arguments[1]) + 1;
    return bind;
}

/* cel.index(0), cel.iterVar(0, 1) and cel.accuVar(0, 1) are names. */
static const struct ast *expand_name(const struct ast *call, struct arena *arena,
                                     struct remarks *remarks)
{
    struct text name;
    struct ast *node = new_node(arena, AST_NAME, call->offset);
    text_init(&name, arena);
    text_format(&name, "cel.%.*s(", SPAN_ARGS(call->call.name));
    for (uint32_t i = 0; i < call->call.count; i++) {
        const struct ast *argument = call->call.arguments[i];
        bool is_number = argument->kind == AST_LITERAL && argument->literal.kind == VALUE_INT &&
                         argument->literal.integer >= 0;
        if (!is_number)
            remark_error(remarks, argument->offset, "a number is needed here, as written");
        text_add(&name, i == 0 ? SPAN("") : SPAN(", "));
        text_add_int(&name, is_number ? argument->literal.integer : 0);
    }
    text_add_byte(&name, ')');
    node->name.name = text_span(&name);
    node->height = 1;
    return node;
}

/* cel.block([first, second, …], body): each part sees those before it as cel.index(0), …
 * They are bound one within the other; a part that is an error matters only where it is used.
 */
static const struct ast *expand_block(const struct ast *call, struct arena *arena,
                                      struct remarks *remarks)
{
    const struct ast *parts = call->call.arguments[0];
    const struct ast *body = call->call.arguments[1];
    if (parts->kind != AST_LIST) {
        remark_error(remarks, parts->offset, "cel.block() begins with a list of its parts");
        return body;
    }
    for (uint32_t i = parts->list.count; i > 0; i--) {
        const struct ast_element *part = &parts->list.elements[i - 1];
        struct ast *bind = new_node(arena, AST_BIND, call->offset);
        if (part->is_optional)
            remark_error(remarks, part->value->offset, "a part of cel.block() is not optional");
        bind->bind.variable = text_print(arena, "cel.index(%u)", i - 1);
        bind->bind.value = part->value;
        bind->bind.body = body;
        bind->height = highest(part->value, body) + 1;
        body = bind;
    }
    return body;
}

/* Macros of the namespace; NULL when it is none of them. */
static const struct ast *expand_cel(const struct ast *call, struct arena *arena,
                                    struct remarks *remarks)
{
    struct span name = call->call.name;
    uint32_t count = call->call.count;
    if (count == 3 && span_is(name, "bind"))
        return expand_bind(call, arena, remarks);
    if (count == 2 && span_is(name, "block"))
        return expand_block(call, arena, remarks);
    bool is_name = (count == 1 && span_is(name, "index")) ||
                   (count == 2 && (span_is(name, "iterVar") || span_is(name, "accuVar")));
    return is_name ? expand_name(call, arena, remarks) : NULL;
}

static bool is_cel(const struct ast *target)
{
    return target->kind == AST_NAME && span_is(target->name.name, "cel");
}

const struct ast *macro_expand(const struct ast *call, struct arena *arena,
                               struct remarks *remarks)
{
    struct span name = call->call.name;
    uint32_t count = call->call.count;
    if (call->call.target == NULL)
        return count == 1 && span_is(name, "has") ? expand_has(call, arena, remarks) : NULL;
    if (is_cel(call->call.target))
        return expand_cel(call, arena, remarks);
    if (count == 2 && (span_is(name, "optMap") || span_is(name, "optFlatMap")))
        return expand_optional(call, span_is(name, "optFlatMap"), arena, remarks);
    for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++) {
        if (folds[i].arguments == count && span_is(name, folds[i].name))
            return expand_fold(&folds[i], call, arena, remarks);
    }
    return NULL;
}
