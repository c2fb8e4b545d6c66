/*
 * c_code.c - a tree becomes a C expression, with statements before it where something can fail.
 *
 * What cannot fail is written in place. What can is computed first, into a variable with a
 * second one beside it that says whether it failed; both sides of && and || are computed then,
 * since an expression has no effects.
 */
#include "expr/c_code.h"

#include "base/ensure.h"
#include "expr/ast.h"
#include "expr/code.h"

const char *c_code_helper(enum c_helper helper)
{
    static const char *const texts[] = {
        [C_HELPER_ADD] =
            "static bool add(int64_t a, int64_t b, int64_t *sum)\n{\n"
            "    if (b > 0 ? a > INT64_MAX - b : a < INT64_MIN - b)\n        return false;\n"
            "    *sum = a + b;\n    return true;\n}\n\n",
        [C_HELPER_SUBTRACT] =
            "static bool subtract(int64_t a, int64_t b, int64_t *difference)\n{\n"
            "    if (b < 0 ? a > INT64_MAX + b : a < INT64_MIN + b)\n        return false;\n"
            "    *difference = a - b;\n    return true;\n}\n\n",
        [C_HELPER_MULTIPLY] =
            "static bool multiply(int64_t a, int64_t b, int64_t *product)\n{\n"
            "    bool fits = a == 0 || b == 0;\n"
            "    if (!fits && a > 0)\n"
            "        fits = b > 0 ? a <= INT64_MAX / b : b >= INT64_MIN / a;\n"
            "    else if (!fits)\n"
            "        fits = b > 0 ? a >= INT64_MIN / b : b >= INT64_MAX / a;\n"
            "    if (fits)\n        *product = a * b;\n    return fits;\n}\n\n",
        [C_HELPER_DIVIDE] =
            "static bool divide(int64_t a, int64_t b, int64_t *quotient)\n{\n"
            "    if (b == 0 || (a == INT64_MIN && b == -1))\n        return false;\n"
            "    *quotient = a / b;\n    return true;\n}\n\n",
        [C_HELPER_MODULO] =
            "static bool modulo(int64_t a, int64_t b, int64_t *rest)\n{\n"
            "    if (b == 0 || (a == INT64_MIN && b == -1))\n        return false;\n"
            "    *rest = a % b;\n    return true;\n}\n\n",
        [C_HELPER_WHOLE] =
            "static bool whole(double a, int64_t *number)\n{\n"
            "    if (!(a > -9223372036854775808.0 && a < 9223372036854775808.0))\n"
            "        return false;\n"
            "    *number = (int64_t)a;\n    return true;\n}\n\n",
    };
    return texts[helper];
}

static bool translate(struct c_code *code, const struct ast *ast, struct c_term *term);

static bool refuse(struct c_code *code, const char *problem)
{
    code->problem = span_from_text(problem);
    return false;
}

#define PRINT(code, ...) text_print((code)->arena, __VA_ARGS__)

static bool can_fail(const struct c_term *term)
{
    return term->failed.size > 0;
}

/* `a || b`, of those that are there. */
static struct span either(struct c_code *code, struct span a, struct span b)
{
    if (a.size == 0 || b.size == 0)
        return a.size == 0 ? b : a;
    return PRINT(code, "(%.*s || %.*s)", SPAN_ARGS(a), SPAN_ARGS(b));
}

/* A variable of a value that may be missing, set by the words that follow. */
static void add_line(struct c_code *code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add_line(struct c_code *code, const char *format, ...)
{
    va_list arguments;
    text_add(code->lines, span_from_text(code->indent));
    va_start(arguments, format);
    text_format_list(code->lines, format, arguments);
    va_end(arguments);
    text_add_byte(code->lines, '\n');
}

static void name_pair(struct c_code *code, enum c_kind kind, struct c_term *term)
{
    uint32_t number = ++*code->counter;
    term->kind = kind;
    term->text = PRINT(code, "v%u", number);
    term->failed = PRINT(code, "e%u", number);
}

/* A helper's call: what it gives is only there when nothing failed before. */
static void call_helper(struct c_code *code, enum c_helper helper, const char *name,
                        struct span arguments, struct span failed, struct c_term *term)
{
    code->needs[helper] = true;
    name_pair(code, C_INT, term);
    add_line(code, "int64_t %.*s = 0;", SPAN_ARGS(term->text));
    add_line(code, "const bool %.*s = %.*s%s!%s(%.*s, &%.*s);", SPAN_ARGS(term->failed),
             SPAN_ARGS(failed), failed.size > 0 ? " || " : "", name, SPAN_ARGS(arguments),
             SPAN_ARGS(term->text));
}

static bool literal_term(struct c_code *code, struct value value, struct c_term *term)
{
    struct text text;
    *term = (struct c_term){0};
    if (value.kind == VALUE_STRING)
        return code->names->find_word(code->names->context, value_span(value), term);
    text_init(&text, code->arena);
    if (value.kind == VALUE_BOOL) {
        term->kind = C_BOOL;
        text_add(&text, value.boolean ? SPAN("true") : SPAN("false"));
    } else if (value.kind == VALUE_INT) {
        term->kind = C_INT;
        if (value.integer == INT64_MIN)
            text_add(&text, SPAN("INT64_MIN"));
        else
            text_format(&text, value.integer < 0 ? "(%lld)" : "%lld", (long long)value.integer);
    } else if (value.kind == VALUE_DOUBLE) {
        term->kind = C_DOUBLE;
        text_add_byte(&text, '(');
        text_add_double(&text, value.real);
        text_add_byte(&text, ')');
    } else {
        return refuse(code, "only numbers, texts, true and false are written in C");
    }
    term->text = text_span(&text);
    return true;
}

/* `context.n`, whatever asks for it. */
static bool member_term(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    const struct ast *operand = ast->select.operand;
    if (operand->kind == AST_NAME &&
        code->names->find(code->names->context, operand->name.name, ast->select.field, term))
        return true;
    struct text text;
    text_init(&text, code->arena);
    ast_write(&text, ast);
    code->problem =
        PRINT(code, "`%.*s` has no type that C could know", SPAN_ARGS(text_span(&text)));
    return false;
}

static bool select_term(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    if (ast->select.is_optional)
        return refuse(code, "an optional is written in C with orValue(…) only");
    return member_term(code, ast, term);
}

/* has(event.n): what cannot fail is there. */
static bool has_term(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    struct c_term member;
    if (!member_term(code, ast, &member))
        return false;
    *term = (struct c_term){.kind = C_BOOL, .text = SPAN("true")};
    if (can_fail(&member)) {
        add_line(code, "(void)%.*s;", SPAN_ARGS(member.text));
        term->text = PRINT(code, "(!%.*s)", SPAN_ARGS(member.failed));
    }
    return true;
}

static bool name_term(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    if (code->names->find(code->names->context, ast->name.name, SPAN(""), term))
        return true;
    code->problem =
        PRINT(code, "`%.*s` has no type that C could know", SPAN_ARGS(ast->name.name));
    return false;
}

/* `event.type`, which the W3C calls `_event.name`. */
static bool is_event_type(const struct ast *ast)
{
    if (ast->kind != AST_SELECT || ast->select.operand->kind != AST_NAME)
        return false;
    struct span name = ast->select.operand->name.name;
    return (span_is(name, "event") && span_is(ast->select.field, "type")) ||
           (span_is(name, "_event") && span_is(ast->select.field, "name"));
}

static bool is_text(const struct ast *ast)
{
    return ast->kind == AST_LITERAL && ast->literal.kind == VALUE_STRING;
}

/* A literal int beside a double is that double, where it is one exactly. */
static void fit(struct c_code *code, const struct ast *ast, struct c_term *term,
                enum c_kind kind)
{
    int64_t most = (int64_t)1 << 53;
    if (kind == C_DOUBLE && term->kind == C_INT && ast->kind == AST_LITERAL &&
        ast->literal.integer <= most && ast->literal.integer >= -most)
        literal_term(code, value_double((double)ast->literal.integer), term);
}

/* `event.?n.orValue(3)` */
static bool or_value_term(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    struct c_term other;
    if (!member_term(code, ast->call.target, term) ||
        !translate(code, ast->call.arguments[0], &other))
        return false;
    fit(code, ast->call.arguments[0], &other, term->kind);
    if (other.kind != term->kind)
        return refuse(code, "orValue() must have the type of the member");
    if (!can_fail(term))
        return true;
    struct span missing = term->failed;
    term->text = PRINT(code, "(%.*s ? %.*s : %.*s)", SPAN_ARGS(missing), SPAN_ARGS(other.text),
                       SPAN_ARGS(term->text));
    term->failed = SPAN("");
    if (can_fail(&other))
        term->failed =
            PRINT(code, "(%.*s && %.*s)", SPAN_ARGS(missing), SPAN_ARGS(other.failed));
    return true;
}

static bool is_equality(enum ast_operator operator)
{
    return operator== AST_EQUAL || operator== AST_NOT_EQUAL;
}

/* A value beside itself, which compilers warn of. No number here is unequal to itself. */
static struct span verdict_on_itself(enum ast_operator operator)
{
    bool holds = operator== AST_EQUAL || operator== AST_LESS_EQUAL || operator==
        AST_GREATER_EQUAL;
    return holds ? SPAN("true") : SPAN("false");
}

static bool compare_terms(struct c_code *code, enum ast_operator operator,
                          const struct c_term * a, const struct c_term *b, struct c_term *term)
{
    if (a->kind != b->kind)
        return refuse(code, "values of different types are compared: write double(…)");
    struct span text = span_equal(a->text, b->text) && a->kind != C_DOUBLE
                           ? verdict_on_itself(operator)
                           : PRINT(code, "(%.*s %s %.*s)", SPAN_ARGS(a->text),
                                   ast_operator_text(operator), SPAN_ARGS(b->text));
    *term = (struct c_term){
        .kind = C_BOOL, .text = text, .failed = either(code, a->failed, b->failed)};
    return true;
}

static bool compare(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    const struct ast *left = ast->operation.left;
    const struct ast *right = ast->operation.right;
    enum ast_operator operator= ast->operation.operator;
    struct c_term a;
    struct c_term b;
    if (!translate(code, left, &a) || !translate(code, right, &b))
        return false;
    if (a.kind == C_WORD && b.kind == C_WORD &&
        !(is_equality(operator) && (is_text(left) || is_text(right))))
        return refuse(code, "texts are only compared with constants, by == and !=");
    fit(code, left, &a, b.kind);
    fit(code, right, &b, a.kind);
    return compare_terms(code, operator, & a, &b, term);
}

/* `event.type == 'PAY'` */
static bool compare_event(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    const struct ast *left = ast->operation.left;
    const struct ast *right = ast->operation.right;
    const struct ast *text = is_text(right) ? right : left;
    if (!code->names->find_event(code->names->context, value_span(text->literal), term))
        return refuse(code, "the type of the event is not known here");
    if (ast->operation.operator== AST_NOT_EQUAL)
        term->text = PRINT(code, "(!%.*s)", SPAN_ARGS(term->text));
    return true;
}

static bool is_one_of(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    const struct ast *list = ast->operation.right;
    struct c_term a;
    if (list->kind != AST_LIST)
        return refuse(code, "`in` is written in C for a list of literals only");
    if (!translate(code, ast->operation.left, &a))
        return false;
    *term = (struct c_term){.kind = C_BOOL, .text = SPAN("false"), .failed = a.failed};
    for (uint32_t i = 0; i < list->list.count; i++) {
        struct c_term one;
        struct c_term b;
        const struct ast *element = list->list.elements[i].value;
        if (list->list.elements[i].is_optional || element->kind != AST_LITERAL)
            return refuse(code, "`in` is written in C for a list of literals only");
        if (!translate(code, element, &b))
            return false;
        fit(code, element, &b, a.kind);
        if (!compare_terms(code, AST_EQUAL, &a, &b, &one))
            return false;
        term->text =
            i == 0 ? one.text
                   : PRINT(code, "(%.*s || %.*s)", SPAN_ARGS(term->text), SPAN_ARGS(one.text));
    }
    return true;
}

static bool calculate(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    static const struct {
        enum ast_operator operator;
        enum c_helper helper;
        const char *name;
    } rows[] = {{AST_ADD, C_HELPER_ADD, "add"},
                {AST_SUBTRACT, C_HELPER_SUBTRACT, "subtract"},
                {AST_MULTIPLY, C_HELPER_MULTIPLY, "multiply"},
                {AST_DIVIDE, C_HELPER_DIVIDE, "divide"},
                {AST_MODULO, C_HELPER_MODULO, "modulo"}};
    enum ast_operator operator= ast->operation.operator;
    struct c_term a;
    struct c_term b;
    size_t row = 0;
    if (!translate(code, ast->operation.left, &a) || !translate(code, ast->operation.right, &b))
        return false;
    if (a.kind != b.kind || a.kind == C_BOOL || a.kind == C_WORD ||
        (a.kind == C_DOUBLE && operator== AST_MODULO))
        return refuse(code, "numbers of different types do not mix: write double(…) or 1.0");
    struct span failed = either(code, a.failed, b.failed);
    if (a.kind == C_DOUBLE) {
        *term = (struct c_term){.kind = C_DOUBLE,
                                .text = PRINT(code, "(%.*s %s %.*s)", SPAN_ARGS(a.text),
                                              ast_operator_text(operator), SPAN_ARGS(b.text)),
                                .failed = failed};
        return true;
    }
    while (rows[row].operator!= operator)
        row++;
    call_helper(code, rows[row].helper, rows[row].name,
                PRINT(code, "%.*s, %.*s", SPAN_ARGS(a.text), SPAN_ARGS(b.text)), failed, term);
    return true;
}

static bool binary_term(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    const struct ast *left = ast->operation.left;
    const struct ast *right = ast->operation.right;
    enum ast_operator operator= ast->operation.operator;
    if (is_equality(operator) &&
        ((is_event_type(left) && is_text(right)) || (is_event_type(right) && is_text(left))))
        return compare_event(code, ast, term);
    if (operator== AST_IN)
        return is_one_of(code, ast, term);
    if (operator<= AST_NOT_EQUAL)
        return compare(code, ast, term);
    return calculate(code, ast, term);
}

static bool unary_term(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    struct c_term a;
    if (!translate(code, ast->operation.left, &a))
        return false;
    *term = a;
    if (ast->operation.operator== AST_NOT && a.kind == C_BOOL) {
        term->text = PRINT(code, "(!%.*s)", SPAN_ARGS(a.text));
        return true;
    }
    if (ast->operation.operator== AST_NOT || a.kind == C_BOOL || a.kind == C_WORD)
        return refuse(code, "the operand is of another type");
    if (a.kind == C_DOUBLE)
        term->text = PRINT(code, "(-%.*s)", SPAN_ARGS(a.text));
    else
        call_helper(code, C_HELPER_SUBTRACT, "subtract",
                    PRINT(code, "0, %.*s", SPAN_ARGS(a.text)), a.failed, term);
    return true;
}

/* One that decides, decides also where another failed. */
static void add_decided(struct c_code *code, const struct c_term *term, bool is_or,
                        struct span *decided)
{
    struct span one = can_fail(term)
                          ? PRINT(code, "(!%.*s && %s%.*s)", SPAN_ARGS(term->failed),
                                  is_or ? "" : "!", SPAN_ARGS(term->text))
                          : PRINT(code, "%s%.*s", is_or ? "" : "!", SPAN_ARGS(term->text));
    *decided = either(code, *decided, one);
}

bool c_code_join(struct c_code *code, const struct c_term *parts, uint32_t count, bool is_or,
                 struct c_term *term)
{
    struct span decided = SPAN("");
    struct span failed = SPAN("");
    struct span plain = is_or ? SPAN("false") : SPAN("true");
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].kind != C_BOOL)
            return refuse(code, "the operand is of another type");
        add_decided(code, &parts[i], is_or, &decided);
        failed = either(code, failed, parts[i].failed);
        plain = i == 0 ? parts[i].text
                       : PRINT(code, "%.*s %s %.*s", SPAN_ARGS(plain), is_or ? "||" : "&&",
                               SPAN_ARGS(parts[i].text));
    }
    *term = (struct c_term){.kind = C_BOOL, .text = PRINT(code, "(%.*s)", SPAN_ARGS(plain))};
    if (failed.size == 0)
        return true;
    name_pair(code, C_BOOL, term);
    add_line(code, "const bool %.*s = %s%.*s;", SPAN_ARGS(term->text), is_or ? "" : "!",
             SPAN_ARGS(decided));
    add_line(code, "const bool %.*s = %s%.*s && %.*s;", SPAN_ARGS(term->failed),
             is_or ? "!" : "", SPAN_ARGS(term->text), SPAN_ARGS(failed));
    return true;
}

static bool logic_term(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    struct c_term *parts = arena_new_array(code->arena, ast->logic.count, struct c_term);
    for (uint32_t i = 0; i < ast->logic.count; i++) {
        if (!translate(code, ast->logic.operands[i], &parts[i]))
            return false;
    }
    return c_code_join(code, parts, ast->logic.count, ast->kind == AST_OR, term);
}

static bool condition_term(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    struct c_term condition;
    struct c_term then;
    struct c_term other;
    if (!translate(code, ast->condition.condition, &condition) ||
        !translate(code, ast->condition.then, &then) ||
        !translate(code, ast->condition.otherwise, &other))
        return false;
    if (condition.kind != C_BOOL || then.kind != other.kind)
        return refuse(code, "both branches must be of one type");
    struct span failed = condition.failed;
    if (can_fail(&then) || can_fail(&other))
        failed = either(code, failed,
                        PRINT(code, "(%.*s ? %.*s : %.*s)", SPAN_ARGS(condition.text),
                              SPAN_ARGS(can_fail(&then) ? then.failed : SPAN("false")),
                              SPAN_ARGS(can_fail(&other) ? other.failed : SPAN("false"))));
    *term =
        (struct c_term){.kind = then.kind,
                        .text = PRINT(code, "(%.*s ? %.*s : %.*s)", SPAN_ARGS(condition.text),
                                      SPAN_ARGS(then.text), SPAN_ARGS(other.text)),
                        .failed = failed};
    return true;
}

/* In('A'), int(…), double(…) */
static bool call_term(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    const struct ast *target = ast->call.target;
    bool is_plain = target == NULL && ast->call.count == 1;
    struct c_term a;
    if (target != NULL && target->kind == AST_SELECT && target->select.is_optional &&
        ast->call.count == 1 && span_is(ast->call.name, "orValue"))
        return or_value_term(code, ast, term);
    if (is_plain && span_is(ast->call.name, "In") && is_text(ast->call.arguments[0]) &&
        code->names->find_state(code->names->context,
                                value_span(ast->call.arguments[0]->literal), term))
        return true;
    bool is_double = span_is(ast->call.name, "double");
    if (!is_plain || !(is_double || span_is(ast->call.name, "int"))) {
        code->problem =
            PRINT(code, "the function `%.*s` is not written in C", SPAN_ARGS(ast->call.name));
        return false;
    }
    if (!translate(code, ast->call.arguments[0], &a))
        return false;
    *term = a;
    if (a.kind == C_BOOL || a.kind == C_WORD)
        return refuse(code, "the operand is of another type");
    if (is_double && a.kind == C_INT)
        *term = (struct c_term){C_DOUBLE, PRINT(code, "((double)%.*s)", SPAN_ARGS(a.text)),
                                a.failed};
    else if (!is_double && a.kind == C_DOUBLE)
        call_helper(code, C_HELPER_WHOLE, "whole", a.text, a.failed, term);
    return true;
}

static bool translate(struct c_code *code, const struct ast *ast, struct c_term *term)
{
    switch (ast->kind) {
    case AST_LITERAL:
        return literal_term(code, ast->literal, term);
    case AST_NAME:
        return name_term(code, ast, term);
    case AST_SELECT:
        return select_term(code, ast, term);
    case AST_UNARY:
        return unary_term(code, ast, term);
    case AST_BINARY:
        return binary_term(code, ast, term);
    case AST_AND:
    case AST_OR:
        return logic_term(code, ast, term);
    case AST_CONDITION:
        return condition_term(code, ast, term);
    case AST_CALL:
        return call_term(code, ast, term);
    case AST_HAS:
        return has_term(code, ast, term);
    case AST_INDEX:
    case AST_LIST:
    case AST_MAP:
    case AST_FOLD:
    case AST_BIND:
    case AST_OPTIONAL_MAP:
        return refuse(code, "lists, maps and macros are not written in C");
    }
    never();
}

bool c_code_program(struct c_code *code, const struct expr_program *program,
                    struct c_term *term)
{
    return translate(code, program->root, term);
}

bool c_code_slot(struct c_code *code, const struct expr_slot *slot, struct c_term *term)
{
    const struct value *literal = expr_slot_value(slot);
    const struct expr_program *program = expr_slot_program(slot);
    if (literal != NULL)
        return literal_term(code, *literal, term);
    if (program != NULL)
        return c_code_program(code, program, term);
    return refuse(code, "texts made of parts, lists and maps are not written in C");
}

bool c_code_constant(const struct expr_slot *slot, struct value *value)
{
    const struct value *literal = expr_slot_value(slot);
    const struct expr_program *program = expr_slot_program(slot);
    if (literal == NULL && (program == NULL || program->root->kind != AST_LITERAL))
        return false;
    *value = literal != NULL ? *literal : program->root->literal;
    return true;
}
