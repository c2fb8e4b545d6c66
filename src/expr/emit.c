/*
 * emit.c - one pass over the tree, one instruction after another.
 *
 * Every emit function leaves exactly one more value on the stack, so the depth of the stack
 * is known at each instruction: that is where the variables of macros live. What is
 * constant is computed here: lists and maps of literals, duration('1h').
 *
 * Unknown names are errors here, not when the expression runs, and all of them are told.
 */
#include "expr/emit.h"

#include "base/ensure.h"
#include "base/limits.h"
#include "expr/builtin.h"
#include "expr/compare.h"
#include "expr/decision.h"
#include "expr/names.h"
#include "expr/vm.h"

/* A macro's variable: a place on the stack under a name. */
struct local {
    struct span name;
    uint32_t position;
    const struct local *outer;
};

struct emitter {
    struct arena *arena;
    struct remarks *remarks;
    const struct expr_scope *scope;
    struct instruction *code;
    struct value *constants;
    const struct local *locals;
    const struct regex **patterns;
    uint32_t pattern_count;
    uint32_t pattern_capacity;
    uint32_t code_count;
    uint32_t code_capacity;
    uint32_t constant_count;
    uint32_t constant_capacity;
    uint32_t depth;
    uint32_t depth_max;
    bool may_allocate;
};

static void emit(struct emitter *emitter, const struct ast *ast);

static void *grow(struct arena *arena, const void *array, uint32_t count, uint32_t *capacity,
                  size_t size)
{
    *capacity = *capacity == 0 ? 16 : *capacity * 2;
    void *larger = arena_get_array(arena, *capacity, size);
    if (count > 0)
        memcpy(larger, array, count * size);
    return larger;
}

/* Appends an instruction that changes the depth of the stack by `effect`. */
static uint32_t put(struct emitter *emitter, enum code code, uint32_t index, uint32_t operand,
                    int effect)
{
    if (emitter->code_count == emitter->code_capacity)
        emitter->code = grow(emitter->arena, emitter->code, emitter->code_count,
                             &emitter->code_capacity, sizeof *emitter->code);
    emitter->code[emitter->code_count] = (struct instruction){
        .code = (uint8_t)code, .index = (uint16_t)index, .operand = operand};
    emitter->depth = (uint32_t)((int)emitter->depth + effect);
    if (emitter->depth > emitter->depth_max)
        emitter->depth_max = emitter->depth;
    return emitter->code_count++;
}

/* Lets a jump that was put before lead to the next instruction. */
static void land(struct emitter *emitter, uint32_t jump)
{
    ensure(jump < emitter->code_count);
    emitter->code[jump].operand = emitter->code_count;
}

static uint32_t add_constant(struct emitter *emitter, struct value value)
{
    if (emitter->constant_count == emitter->constant_capacity)
        emitter->constants = grow(emitter->arena, emitter->constants, emitter->constant_count,
                                  &emitter->constant_capacity, sizeof *emitter->constants);
    emitter->constants[emitter->constant_count] = value;
    return emitter->constant_count++;
}

static void put_constant(struct emitter *emitter, struct value value)
{
    put(emitter, CODE_CONSTANT, 0, add_constant(emitter, value), 1);
}

/* An error about a name. Each variable and each member has one, so no printf() for it. */
static uint32_t add_error(struct emitter *emitter, struct span before, struct span name,
                          struct span behind)
{
    struct text text;
    text_init(&text, emitter->arena);
    text_reserve(&text, before.size + name.size + behind.size);
    text_add(&text, before);
    text_add(&text, name);
    text_add(&text, behind);
    return add_constant(emitter, value_error(text_span(&text)));
}

/* Constants */

static bool find_constant(struct emitter *emitter, const struct ast *ast, struct value *value);

static bool find_constant_list(struct emitter *emitter, const struct ast *ast,
                               struct value *value)
{
    struct value *items = arena_new_array(emitter->arena, ast->list.count, struct value);
    for (uint32_t i = 0; i < ast->list.count; i++) {
        if (ast->list.elements[i].is_optional ||
            !find_constant(emitter, ast->list.elements[i].value, &items[i]))
            return false;
    }
    *value = value_list(items, ast->list.count);
    return true;
}

/* Literal maps are small; with doubtful keys they are left to the run, which has the messages.
 */
static bool find_constant_map(struct emitter *emitter, const struct ast *ast,
                              struct value *value)
{
    enum { ENTRIES_MAX = 64 };
    if (ast->map.count > ENTRIES_MAX)
        return false;
    struct value_entry *entries =
        arena_new_array(emitter->arena, ast->map.count, struct value_entry);
    for (uint32_t i = 0; i < ast->map.count; i++) {
        if (ast->map.entries[i].is_optional ||
            !find_constant(emitter, ast->map.entries[i].key, &entries[i].key) ||
            entries[i].key.kind != VALUE_STRING ||
            value_find(value_map(entries, i), value_span(entries[i].key)) != NULL ||
            !find_constant(emitter, ast->map.entries[i].value, &entries[i].value))
            return false;
    }
    *value = value_map(entries, ast->map.count);
    return true;
}

/* A conversion of a constant, when it succeeds: duration('1h'). */
static bool find_constant_call(struct emitter *emitter, const struct ast *ast,
                               struct value *value)
{
    struct value argument;
    if (ast->call.target != NULL || ast->call.count != 1 ||
        names_find_function(emitter->scope, ast->call.name) != NULL)
        return false;
    const struct builtin *builtin = builtin_find(ast->call.name, BUILTIN_GLOBAL);
    if (builtin == NULL || builtin->count_min != 1 ||
        !find_constant(emitter, ast->call.arguments[0], &argument))
        return false;
    struct vm vm = {.arena = emitter->arena, .cost_left = EXPRESSION_COST_MAX};
    *value = builtin_call(&vm, builtin, &argument, 1);
    return !value_is_error(*value) && vm.cost_left >= 0;
}

static bool find_constant(struct emitter *emitter, const struct ast *ast, struct value *value)
{
    if (ast->kind == AST_LITERAL) {
        *value = ast->literal;
        return true;
    }
    if (ast->kind == AST_LIST)
        return find_constant_list(emitter, ast, value);
    if (ast->kind == AST_MAP)
        return find_constant_map(emitter, ast, value);
    return ast->kind == AST_CALL && find_constant_call(emitter, ast, value);
}

/* Names */

static const struct local *find_local(const struct emitter *emitter, struct span name)
{
    const struct local *local = emitter->locals;
    while (local != NULL && !span_equal(local->name, name))
        local = local->outer;
    return local;
}

static void suggest_name(struct emitter *emitter, struct diagnostic *error, struct span name)
{
    size_t count = emitter->scope->variable_count;
    for (const struct local *local = emitter->locals; local != NULL; local = local->outer)
        count++;
    struct span *names = arena_new_array(emitter->arena, count, struct span);
    size_t at = 0;
    for (const struct local *local = emitter->locals; local != NULL; local = local->outer)
        names[at++] = local->name;
    for (size_t i = 0; i < emitter->scope->variable_count; i++)
        names[at++] = emitter->scope->variables[i];
    remark_suggest(emitter->remarks, error, name, names, at);
}

static void put_unknown_name(struct emitter *emitter, const struct ast *ast,
                             const struct names_path *path)
{
    if (emitter->scope->is_open) {
        struct span name = names_join(emitter->arena, path, path->count);
        put(emitter, CODE_CONSTANT, 0,
            add_error(emitter, SPAN("no such attribute: "), name, SPAN("")), 1);
        return;
    }
    while (ast->kind == AST_SELECT)
        ast = ast->select.operand;
    struct diagnostic *error = remark_error(emitter->remarks, ast->offset,
                                            "unknown name '%.*s'", SPAN_ARGS(path->parts[0]));
    suggest_name(emitter, error, path->parts[0]);
    put_constant(emitter, value_null());
}

static void put_host_call(struct emitter *emitter, const struct expr_function *function)
{
    uint32_t count = function->argument_count;
    uint32_t at = put(emitter, CODE_CALL_HOST, 0, function->id, 1 - (int)count);
    emitter->code[at].count = (uint8_t)count;
    emitter->may_allocate = true;
}

/* The constant that stands for a slot which is unbound. */
static uint32_t add_unbound(struct emitter *emitter, size_t slot)
{
    return add_error(emitter, SPAN("no such attribute: "), emitter->scope->variables[slot],
                     SPAN(""));
}

static void put_slot(struct emitter *emitter, size_t slot)
{
    put(emitter, CODE_SLOT, (uint32_t)slot, add_unbound(emitter, slot), 1);
}

/* True when the tree is a variable of the scope and nothing else. */
static bool find_slot(struct emitter *emitter, const struct ast *ast, size_t *slot)
{
    uint32_t used;
    struct names_path path = names_path_of(ast);
    if (path.count == 0 || (!path.is_absolute && find_local(emitter, path.parts[0]) != NULL))
        return false;
    *slot = names_find_variable(emitter->scope, &path, &used);
    return *slot != SIZE_MAX && used == path.count;
}

/* What the path begins with; the parts behind `used` are members of it. */
static void put_beginning(struct emitter *emitter, const struct ast *ast,
                          const struct names_path *path, uint32_t *used)
{
    struct value type;
    const struct local *local = path->is_absolute ? NULL : find_local(emitter, path->parts[0]);
    *used = 1;
    if (local != NULL) {
        put(emitter, CODE_LOCAL, local->position, 0, 1);
        return;
    }
    size_t slot = names_find_variable(emitter->scope, path, used);
    if (slot != SIZE_MAX) {
        put_slot(emitter, slot);
        return;
    }
    *used = path->count;
    if (names_find_type(path, &type))
        put_constant(emitter, type);
    else
        put_unknown_name(emitter, ast, path);
}

static void put_select(struct emitter *emitter, struct span field)
{
    uint32_t constant = add_constant(emitter, value_string(field));
    add_error(emitter, SPAN("no such key: '"), field, SPAN("'"));
    put(emitter, CODE_SELECT, 0, constant, 0);
}

static void emit_path(struct emitter *emitter, const struct ast *ast,
                      const struct names_path *path)
{
    uint32_t used;
    put_beginning(emitter, ast, path, &used);
    for (uint32_t i = used; i < path->count; i++)
        put_select(emitter, path->parts[i]);
}

static void emit_select(struct emitter *emitter, const struct ast *ast)
{
    struct names_path path = names_path_of(ast);
    if (ast->kind != AST_HAS && path.count > 0) {
        emit_path(emitter, ast, &path);
        return;
    }
    emit(emitter, ast->select.operand);
    if (ast->kind != AST_HAS && !ast->select.is_optional) {
        put_select(emitter, ast->select.field);
        return;
    }
    emitter->may_allocate |= ast->select.is_optional;
    put(emitter, ast->kind == AST_HAS ? CODE_HAS : CODE_SELECT_OPTIONAL, 0,
        add_constant(emitter, value_string(ast->select.field)), 0);
}

/* Operators */

static uint32_t orders_of(enum ast_operator operator)
{
    switch (operator) {
    case AST_LESS:
        return COMPARE_LESS;
    case AST_LESS_EQUAL:
        return COMPARE_LESS | COMPARE_EQUAL;
    case AST_GREATER:
        return COMPARE_GREATER;
    case AST_GREATER_EQUAL:
        return COMPARE_GREATER | COMPARE_EQUAL;
    case AST_EQUAL:
    case AST_NOT_EQUAL:
    case AST_IN:
    case AST_ADD:
    case AST_SUBTRACT:
    case AST_MULTIPLY:
    case AST_DIVIDE:
    case AST_MODULO:
    case AST_NOT:
    case AST_NEGATE:
    case AST_OPERATOR_COUNT:
        break;
    }
    never();
}

/* The instruction of an operator, without and with a constant on its right. */
static enum code code_of(enum ast_operator operator, bool has_constant, uint32_t *index)
{
    static const enum code arithmetic[] = {
        [AST_ADD] = CODE_ADD,           [AST_SUBTRACT] = CODE_SUBTRACT,
        [AST_MULTIPLY] = CODE_MULTIPLY, [AST_DIVIDE] = CODE_DIVIDE,
        [AST_MODULO] = CODE_MODULO,
    };
    *index = 0;
    if (operator>= AST_ADD)
        return arithmetic[operator];
    if (operator== AST_IN)
        return has_constant ? CODE_IN_CONSTANT : CODE_IN;
    if (operator== AST_EQUAL || operator== AST_NOT_EQUAL) {
        *index = operator== AST_NOT_EQUAL;
        return has_constant ? CODE_EQUAL_CONSTANT : CODE_EQUAL;
    }
    *index = orders_of(operator);
    return has_constant ? CODE_COMPARE_CONSTANT : CODE_COMPARE;
}

/* slot < constant, slot == constant and slot in constant are most of what guards say: one
 * instruction each. */
static void put_slot_operator(struct emitter *emitter, enum code code, uint32_t index,
                              size_t slot, struct value constant)
{
    enum code one = code == CODE_COMPARE_CONSTANT ? CODE_COMPARE_SLOT
                    : code == CODE_EQUAL_CONSTANT ? CODE_EQUAL_SLOT
                                                  : CODE_IN_SLOT;
    uint32_t operand = add_constant(emitter, constant);
    uint32_t unbound = add_unbound(emitter, slot);
    ensure(unbound == operand + 1);
    uint32_t at = put(emitter, one, (uint32_t)slot, operand, 1);
    emitter->code[at].count = (uint8_t)index;
}

static void emit_binary(struct emitter *emitter, const struct ast *ast)
{
    struct value constant;
    size_t slot;
    uint32_t index;
    enum ast_operator operator= ast->operation.operator;
    bool has_constant = operator<AST_ADD &&
        find_constant(emitter, ast->operation.right, &constant);
    enum code code = code_of(operator, has_constant, &index);
    if (has_constant && find_slot(emitter, ast->operation.left, &slot)) {
        put_slot_operator(emitter, code, index, slot, constant);
        return;
    }
    emit(emitter, ast->operation.left);
    if (has_constant) {
        put(emitter, code, index, add_constant(emitter, constant), 0);
        return;
    }
    emit(emitter, ast->operation.right);
    put(emitter, code, index, 0, -1);
}

static void emit_unary(struct emitter *emitter, const struct ast *ast)
{
    emit(emitter, ast->operation.left);
    put(emitter, ast->operation.operator== AST_NOT ? CODE_NOT : CODE_NEGATE, 0, 0, 0);
}

/* a DECIDE b JOIN c JOIN …: every jump leads behind the end. */
static void emit_logic(struct emitter *emitter, const struct ast *ast)
{
    bool deciding = ast->kind == AST_OR;
    uint32_t count = ast->logic.count;
    uint32_t *jumps = arena_new_array(emitter->arena, count, uint32_t);
    emit(emitter, ast->logic.operands[0]);
    jumps[0] = put(emitter, CODE_DECIDE, deciding, 0, 0);
    for (uint32_t i = 1; i < count; i++) {
        emit(emitter, ast->logic.operands[i]);
        jumps[i] = put(emitter, CODE_JOIN, deciding, 0, -1);
    }
    for (uint32_t i = 0; i < count; i++)
        land(emitter, jumps[i]);
}

static void emit_condition(struct emitter *emitter, const struct ast *ast)
{
    emit(emitter, ast->condition.condition);
    uint32_t branch = put(emitter, CODE_BRANCH, 0, 0, -1);
    emit(emitter, ast->condition.then);
    uint32_t jump = put(emitter, CODE_JUMP, 0, 0, -1);
    land(emitter, branch);
    emit(emitter, ast->condition.otherwise);
    land(emitter, jump);
}

static void emit_index(struct emitter *emitter, const struct ast *ast)
{
    emit(emitter, ast->index.operand);
    emit(emitter, ast->index.index);
    emitter->may_allocate |= ast->index.is_optional;
    put(emitter, ast->index.is_optional ? CODE_INDEX_OPTIONAL : CODE_INDEX, 0, 0, -1);
}

/* Lists and maps */

static void emit_list(struct emitter *emitter, const struct ast *ast)
{
    struct value constant;
    if (find_constant_list(emitter, ast, &constant)) {
        put_constant(emitter, constant);
        return;
    }
    emitter->may_allocate = true;
    put(emitter, CODE_LIST, 0, ast->list.count, 1);
    for (uint32_t i = 0; i < ast->list.count; i++) {
        emit(emitter, ast->list.elements[i].value);
        put(emitter, CODE_LIST_ADD, ast->list.elements[i].is_optional, 0, -1);
    }
}

static void emit_map(struct emitter *emitter, const struct ast *ast)
{
    struct value constant;
    if (find_constant_map(emitter, ast, &constant)) {
        put_constant(emitter, constant);
        return;
    }
    emitter->may_allocate = true;
    put(emitter, CODE_MAP, 0, ast->map.count, 1);
    for (uint32_t i = 0; i < ast->map.count; i++) {
        emit(emitter, ast->map.entries[i].key);
        emit(emitter, ast->map.entries[i].value);
        put(emitter, CODE_MAP_ADD, ast->map.entries[i].is_optional, 0, -2);
    }
}

/* Calls */

static void suggest_function(struct emitter *emitter, struct diagnostic *error,
                             struct span name, enum builtin_style style)
{
    uint32_t count = 0;
    while (builtin_at(count) != NULL)
        count++;
    size_t all = count + emitter->scope->function_count;
    struct span *names = arena_new_array(emitter->arena, all, struct span);
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (builtin_at(i)->style & style)
            names[at++] = builtin_at(i)->name;
    }
    for (size_t i = 0; i < emitter->scope->function_count && style == BUILTIN_GLOBAL; i++)
        names[at++] = emitter->scope->functions[i].name;
    remark_suggest(emitter->remarks, error, name, names, at);
}

static void put_unknown_function(struct emitter *emitter, const struct ast *ast,
                                 struct span name, enum builtin_style style)
{
    if (emitter->scope->is_open) {
        put(emitter, CODE_CONSTANT, 0,
            add_error(emitter, SPAN("no such function: "), name, SPAN("")), 1);
        return;
    }
    struct diagnostic *error =
        remark_error(emitter->remarks, ast->offset, "unknown function '%.*s'", SPAN_ARGS(name));
    suggest_function(emitter, error, name, style);
    put_constant(emitter, value_null());
}

/* False after a remark. */
static bool check_count(struct emitter *emitter, const struct ast *ast, struct span name,
                        uint32_t min, uint32_t max)
{
    uint32_t count = ast->call.count;
    if (count >= min && count <= max)
        return true;
    uint32_t wanted = count < min ? min : max;
    remark_error(emitter->remarks, ast->offset, "%.*s() takes %s%u argument%s, not %u",
                 SPAN_ARGS(name),
                 min == max    ? ""
                 : count < min ? "at least "
                               : "at most ",
                 wanted, wanted == 1 ? "" : "s", count);
    return false;
}

static void emit_arguments(struct emitter *emitter, const struct ast *ast)
{
    for (uint32_t i = 0; i < ast->call.count; i++)
        emit(emitter, ast->call.arguments[i]);
}

static void emit_host_call(struct emitter *emitter, const struct ast *ast,
                           const struct expr_function *function)
{
    uint32_t count = function->argument_count;
    if (!check_count(emitter, ast, function->name, count, count)) {
        put_constant(emitter, value_null());
        return;
    }
    emit_arguments(emitter, ast);
    put_host_call(emitter, function);
}

/* The literal that is a function's argument at `index`, a pattern, is compiled now; false when
 * it is no literal. */
static bool keep_pattern(struct emitter *emitter, const struct ast *ast, uint32_t index,
                         builtin_compiler *compile)
{
    struct regex_problem problem;
    const struct ast *pattern = ast->call.arguments[index];
    if (pattern->kind != AST_LITERAL || pattern->literal.kind != VALUE_STRING)
        return false;
    const struct regex *regex = compile(value_span(pattern->literal), emitter->arena, &problem);
    if (regex == NULL)
        remark_error(emitter->remarks, pattern->offset, "not a regular expression: %s",
                     problem.message);
    if (emitter->pattern_count == emitter->pattern_capacity)
        emitter->patterns = grow(emitter->arena, emitter->patterns, emitter->pattern_count,
                                 &emitter->pattern_capacity, sizeof *emitter->patterns);
    emitter->patterns[emitter->pattern_count++] = regex;
    return true;
}

/* text.matches('pattern') with the pattern compiled now; false when it is no constant. */
static bool emit_matches(struct emitter *emitter, const struct ast *ast,
                         const struct builtin *builtin, uint32_t receivers)
{
    uint32_t index = ast->call.count - 1;
    if (!span_is(builtin->name, "matches") || ast->call.count + receivers != 2 ||
        !keep_pattern(emitter, ast, index, regex_compile))
        return false;
    if (receivers == 0)
        emit(emitter, ast->call.arguments[0]);
    put(emitter, CODE_MATCHES, 0, emitter->pattern_count - 1, 0);
    return true;
}

/* The receiver, when there is one, is on the stack already. */
static void emit_builtin_call(struct emitter *emitter, const struct ast *ast,
                              const struct builtin *builtin, uint32_t receivers)
{
    if (!check_count(emitter, ast, builtin->name, builtin->count_min - receivers,
                     builtin->count_max - receivers)) {
        if (receivers == 0)
            put_constant(emitter, value_null());
        return;
    }
    if (emit_matches(emitter, ast, builtin, receivers))
        return;
    if (span_starts_with(builtin->name, SPAN("regex.")))
        keep_pattern(emitter, ast, 1, regex_compile_groups);
    emit_arguments(emitter, ast);
    uint32_t count = ast->call.count + receivers;
    uint32_t at = put(emitter, CODE_CALL, 0, builtin_id(builtin), 1 - (int)count);
    emitter->code[at].count = (uint8_t)count;
    emitter->may_allocate |= builtin->may_allocate;
}

/* f(…) and namespace.f(…); false when there is no such function. */
static bool emit_global_call(struct emitter *emitter, const struct ast *ast, struct span name)
{
    const struct expr_function *function = names_find_function(emitter->scope, name);
    if (function != NULL) {
        emit_host_call(emitter, ast, function);
        return true;
    }
    const struct builtin *builtin = builtin_find(name, BUILTIN_GLOBAL);
    if (builtin == NULL)
        return false;
    emit_builtin_call(emitter, ast, builtin, 0);
    return true;
}

/* optional.or(other) and optional.orValue(other): other is evaluated only when it counts. */
static void emit_else(struct emitter *emitter, const struct ast *ast)
{
    bool takes_value = span_is(ast->call.name, "orValue");
    emit(emitter, ast->call.target);
    uint32_t jump = put(emitter, CODE_OPTIONAL_ELSE, takes_value, 0, -1);
    emit(emitter, ast->call.arguments[0]);
    if (!takes_value)
        put(emitter, CODE_OPTIONAL_CHECK, 0, 0, 0);
    land(emitter, jump);
}

/* "math.abs" for math.abs(x), when math is no variable of a macro. */
static struct span namespaced(struct emitter *emitter, const struct ast *ast)
{
    struct names_path path = names_path_of(ast->call.target);
    if (path.count == 0 || path.count == NAMES_PARTS_MAX ||
        find_local(emitter, path.parts[0]) != NULL)
        return SPAN("");
    path.parts[path.count] = ast->call.name;
    return names_join(emitter->arena, &path, path.count + 1);
}

static void emit_call(struct emitter *emitter, const struct ast *ast)
{
    struct value constant;
    struct span name = ast->call.name;
    if (find_constant_call(emitter, ast, &constant)) {
        put_constant(emitter, constant);
        return;
    }
    if (ast->call.target == NULL) {
        if (!emit_global_call(emitter, ast, name))
            put_unknown_function(emitter, ast, name, BUILTIN_GLOBAL);
        return;
    }
    struct span qualified = namespaced(emitter, ast);
    if (qualified.size > 0 && emit_global_call(emitter, ast, qualified))
        return;
    if (ast->call.count == 1 && (span_is(name, "or") || span_is(name, "orValue"))) {
        emit_else(emitter, ast);
        return;
    }
    const struct builtin *builtin = builtin_find(name, BUILTIN_METHOD);
    if (builtin == NULL) {
        put_unknown_function(emitter, ast, name, BUILTIN_METHOD);
        return;
    }
    emit(emitter, ast->call.target);
    emit_builtin_call(emitter, ast, builtin, 1);
}

/* Macros */

static void emit_fold(struct emitter *emitter, const struct ast *ast)
{
    enum ast_fold fold = ast->fold.fold;
    bool has_two = ast->fold.variables[1].size > 0;
    emit(emitter, ast->fold.range);
    uint32_t base = emitter->depth - 1;
    uint32_t begin = put(emitter, CODE_FOLD, fold, 0, FOLD_PLACES - 1);
    uint32_t next = put(emitter, CODE_FOLD_NEXT, 0, 0, 0);
    emitter->code[next].count = has_two ? 2 : 1;
    struct local first = {ast->fold.variables[0], base + FOLD_FIRST, emitter->locals};
    struct local second = {ast->fold.variables[1], base + FOLD_SECOND, &first};
    const struct local *outer = emitter->locals;
    emitter->locals = has_two ? &second : &first;
    if (ast->fold.condition != NULL) {
        emit(emitter, ast->fold.condition);
        put(emitter, CODE_FOLD_FILTER, 0, next, -1);
    }
    emit(emitter, ast->fold.body);
    put(emitter, CODE_FOLD_STEP, fold, next, -1);
    emitter->locals = outer;
    land(emitter, next);
    put(emitter, CODE_FOLD_END, fold, 0, 1 - FOLD_PLACES);
    land(emitter, begin);
    emitter->may_allocate |= fold >= FOLD_LIST;
}

static void emit_within(struct emitter *emitter, const struct ast *ast)
{
    struct local local = {ast->bind.variable, emitter->depth - 1, emitter->locals};
    emitter->locals = &local;
    emit(emitter, ast->bind.body);
    emitter->locals = local.outer;
}

static void emit_bind(struct emitter *emitter, const struct ast *ast)
{
    emit(emitter, ast->bind.value);
    emit_within(emitter, ast);
    put(emitter, CODE_UNBIND, 0, 0, -1);
}

static void emit_optional_map(struct emitter *emitter, const struct ast *ast)
{
    emitter->may_allocate = true;
    emit(emitter, ast->bind.value);
    uint32_t jump = put(emitter, CODE_OPTIONAL_OPEN, 0, 0, 0);
    emit_within(emitter, ast);
    put(emitter, CODE_OPTIONAL_CLOSE, ast->bind.is_flat, 0, -1);
    land(emitter, jump);
}

static void emit(struct emitter *emitter, const struct ast *ast)
{
    uint32_t depth = emitter->depth;
    switch (ast->kind) {
    case AST_LITERAL:
        put_constant(emitter, ast->literal);
        break;
    case AST_NAME:
    case AST_SELECT:
    case AST_HAS:
        emit_select(emitter, ast);
        break;
    case AST_INDEX:
        emit_index(emitter, ast);
        break;
    case AST_UNARY:
        emit_unary(emitter, ast);
        break;
    case AST_BINARY:
        emit_binary(emitter, ast);
        break;
    case AST_AND:
    case AST_OR:
        emit_logic(emitter, ast);
        break;
    case AST_CONDITION:
        emit_condition(emitter, ast);
        break;
    case AST_CALL:
        emit_call(emitter, ast);
        break;
    case AST_LIST:
        emit_list(emitter, ast);
        break;
    case AST_MAP:
        emit_map(emitter, ast);
        break;
    case AST_FOLD:
        emit_fold(emitter, ast);
        break;
    case AST_BIND:
        emit_bind(emitter, ast);
        break;
    case AST_OPTIONAL_MAP:
        emit_optional_map(emitter, ast);
        break;
    }
    ensure(emitter->depth == depth + 1);
}

const struct expr_program *emit_program(const struct ast *root, const struct expr_scope *scope,
                                        struct arena *arena, struct remarks *remarks)
{
    struct emitter emitter = {.arena = arena, .remarks = remarks, .scope = scope};
    uint32_t errors = remarks->diagnostics->errors + remarks->diagnostics->dropped;
    emit(&emitter, root);
    put(&emitter, CODE_RETURN, 0, 0, 0);
    if (emitter.depth_max > EXPRESSION_STACK_MAX)
        remark_error(remarks, root->offset, "this expression needs more than %d places",
                     EXPRESSION_STACK_MAX);
    if (remarks->diagnostics->errors + remarks->diagnostics->dropped > errors)
        return NULL;
    struct expr_program *program = arena_new(arena, struct expr_program);
    *program = (struct expr_program){
        .code = emitter.code,
        .constants = emitter.constants,
        .patterns = emitter.patterns,
        .tests = decision_make(emitter.code, emitter.code_count, emitter.constants, arena),
        .root = root,
        .source = *remarks,
        .code_count = emitter.code_count,
        .constant_count = emitter.constant_count,
        .pattern_count = emitter.pattern_count,
        .slot_count = (uint32_t)scope->variable_count,
        .stack_depth = emitter.depth_max,
        .may_allocate = emitter.may_allocate,
    };
    return program;
}
