/*
 * ecma.c - writing an ECMAScript tree as CEL.
 *
 * Each expression can be asked for in three forms. Its value; that is an error where
 * ECMAScript has undefined. An operand, for the functions of ecma_library.c, which know what
 * to do with undefined: an optional for whatever may be undefined. A condition, true or
 * false.
 *
 * Why `a && b` becomes a conditional where `a` may fail: in CEL a failing operand does not
 * count when the other one decides; in ECMAScript the left one throws.
 */
#include "expr/ecma.h"

#include <math.h>

#include "base/ensure.h"
#include "base/limits.h"
#include "base/text.h"
#include "expr/ecma_type.h"

struct writer {
    struct ecma_names names;
    struct arena *arena;
    struct text *text;
    enum ecma_result result;
    struct ecma_problem *problem;
    uint32_t depth;
};

static void write_value(struct writer *writer, const struct ecma_tree *tree);
static void write_operand(struct writer *writer, const struct ecma_tree *tree);
static void write_condition(struct writer *writer, const struct ecma_tree *tree);

static void add(struct writer *writer, const char *text)
{
    text_add(writer->text, span_from_text(text));
}

static void refuse(struct writer *writer, const struct ecma_tree *tree, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void refuse(struct writer *writer, const struct ecma_tree *tree, const char *format, ...)
{
    struct text message;
    va_list arguments;
    if (writer->result != ECMA_OK)
        return;
    text_init(&message, writer->arena);
    va_start(arguments, format);
    text_format_list(&message, format, arguments);
    va_end(arguments);
    writer->result = ECMA_UNSUPPORTED;
    writer->problem->offset = tree->offset;
    writer->problem->message = text_span(&message);
}

static void add_quoted(struct text *text, struct span value)
{
    text_add_byte(text, '"');
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.text[i];
        if (c == '"' || c == '\\')
            text_format(text, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            text_format(text, "\\x%02x", c);
        else
            text_add_byte(text, (char)c);
    }
    text_add_byte(text, '"');
}

struct span ecma_quote(struct span value, struct arena *arena)
{
    struct text text;
    text_init(&text, arena);
    add_quoted(&text, value);
    return text_span(&text);
}

/* CEL takes it behind a dot. */
static bool is_plain_name(struct span name)
{
    static const char *const reserved[] = {
        "as",        "break", "const",  "continue", "else", "false", "for",
        "function",  "if",    "import", "in",       "let",  "loop",  "package",
        "namespace", "null",  "return", "true",     "var",  "void",  "while"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (span_is(name, reserved[i]))
            return false;
    }
    for (size_t i = 0; i < name.size; i++) {
        char c = name.text[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.size > 0;
}

static void add_member(struct writer *writer, struct span name, bool is_optional)
{
    if (is_plain_name(name)) {
        add(writer, is_optional ? ".?" : ".");
        text_add(writer->text, name);
        return;
    }
    add(writer, is_optional ? "[?" : "[");
    add_quoted(writer->text, name);
    add(writer, "]");
}

static bool is_undefined(const struct ecma_tree *tree)
{
    return ecma_is_name(tree, "undefined") ||
           (tree->kind == ECMA_UNARY && span_is(tree->text, "void") &&
            tree->first->kind == ECMA_NUMBER);
}

static void write_number(struct writer *writer, double number)
{
    if (number == floor(number) && fabs(number) <= 9007199254740992.0)
        text_add_int(writer->text, (int64_t)number);
    else
        text_add_double(writer->text, number);
}

/* NAME(operand, …) */
static void write_call(struct writer *writer, const char *name, const struct ecma_tree *first,
                       const struct ecma_tree *second)
{
    add(writer, name);
    add(writer, "(");
    write_operand(writer, first);
    if (second != NULL) {
        add(writer, ", ");
        write_operand(writer, second);
    }
    add(writer, ")");
}

static void write_name(struct writer *writer, const struct ecma_tree *tree, bool is_operand)
{
    static const char *const foreign[] = {"Infinity", "Math",     "JSON",   "Date",
                                          "Object",   "Array",    "String", "Number",
                                          "Boolean",  "arguments"};
    struct span name = tree->text;
    if (ecma_is_local(&writer->names, name)) {
        add(writer, is_operand ? "local_" : "ecma.value(local_");
        text_add(writer->text, name);
        add(writer, is_operand ? "" : ")");
        return;
    }
    if (span_is(name, "undefined")) {
        add(writer, is_operand ? "optional.none()" : "ecma.value(optional.none())");
    } else if (span_is(name, "NaN")) {
        add(writer, "double(\"NaN\")");
    } else if (ecma_is_system(name)) {
        text_add(writer->text, name);
    } else {
        for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
            if (span_is(name, foreign[i]) && !ecma_is_declared(&writer->names, name))
                refuse(writer, tree, "`%.*s` is not translated", SPAN_ARGS(name));
        }
        add(writer, "context");
        add_member(writer, name, is_operand && ecma_is_declared(&writer->names, name));
    }
}

/* Members of _event are there or undefined; deeper down an object may be anything. */
static void write_member_operand(struct writer *writer, const struct ecma_tree *tree)
{
    struct span key;
    bool has_key = ecma_find_key(tree, &key);
    if (has_key && ecma_is_name(tree->first, "_event") &&
        !ecma_is_local(&writer->names, tree->first->text)) {
        add(writer, "_event");
        add_member(writer, key, true);
        return;
    }
    add(writer, "ecma.member(");
    write_operand(writer, tree->first);
    add(writer, ", ");
    if (has_key)
        add_quoted(writer->text, key);
    else
        write_operand(writer, tree->second);
    add(writer, ")");
}

static void write_member_value(struct writer *writer, const struct ecma_tree *tree)
{
    struct span key;
    if (ecma_find_key(tree, &key) && !span_is(key, "length")) {
        write_value(writer, tree->first);
        add_member(writer, key, false);
        return;
    }
    add(writer, "ecma.value(");
    write_member_operand(writer, tree);
    add(writer, ")");
}

/* Of a variable and of a member of _event CEL itself can ask whether it is there. */
static bool write_presence(struct writer *writer, const struct ecma_tree *tree, bool is_there)
{
    struct span key;
    const char *start = is_there ? "has(" : "!has(";
    if (ecma_is_name(tree, "_event") && !ecma_is_local(&writer->names, tree->text)) {
        add(writer, start);
        add(writer, "_event.name)");
        return true;
    }
    if (tree->kind == ECMA_NAME && !ecma_is_local(&writer->names, tree->text) &&
        !ecma_is_system(tree->text) && is_plain_name(tree->text)) {
        text_format(writer->text, "%scontext.%.*s)", start, SPAN_ARGS(tree->text));
        return true;
    }
    if (ecma_find_key(tree, &key) && is_plain_name(key) &&
        ecma_is_name(tree->first, "_event")) {
        text_format(writer->text, "%s_event.%.*s)", start, SPAN_ARGS(key));
        return true;
    }
    return false;
}

/* typeof x === 'undefined', either way round, also with == and != */
static bool write_typeof_comparison(struct writer *writer, const struct ecma_tree *tree)
{
    const struct ecma_tree *left = tree->first;
    const struct ecma_tree *right = tree->second;
    bool is_equal = span_is(tree->text, "==") || span_is(tree->text, "===");
    if (right->kind == ECMA_UNARY) {
        left = tree->second;
        right = tree->first;
    }
    return left->kind == ECMA_UNARY && span_is(left->text, "typeof") &&
           right->kind == ECMA_STRING && span_is(right->text, "undefined") &&
           write_presence(writer, left->first, !is_equal);
}

/* Both are surely there, and of the kinds for which CEL's equality is ECMAScript's. */
static bool is_plain_comparison(const struct writer *writer, const struct ecma_tree *tree)
{
    enum ecma_type left = ecma_type_of(&writer->names, tree->first);
    enum ecma_type right = ecma_type_of(&writer->names, tree->second);
    return left == right && left != ECMA_TYPE_ANY && left != ECMA_TYPE_OBJECT;
}

static void write_equality(struct writer *writer, const struct ecma_tree *tree)
{
    bool is_strict = tree->text.size == 3;
    bool is_equal = tree->text.text[0] == '=';
    if (write_typeof_comparison(writer, tree))
        return;
    if (is_plain_comparison(writer, tree)) {
        add(writer, "(");
        write_value(writer, tree->first);
        add(writer, is_equal ? " == " : " != ");
        write_value(writer, tree->second);
        add(writer, ")");
        return;
    }
    add(writer, is_equal ? "" : "!");
    write_call(writer, is_strict ? "ecma.same" : "ecma.equal", tree->first, tree->second);
}

/* A list or an object is never the same as another one: that is not what its author means. */
static void check_identity(struct writer *writer, const struct ecma_tree *tree)
{
    if (ecma_type_of(&writer->names, tree->first) == ECMA_TYPE_OBJECT ||
        ecma_type_of(&writer->names, tree->second) == ECMA_TYPE_OBJECT)
        refuse(writer, tree, "comparing a new list or object is not translated");
}

/* `a && b` and `a || b` as true or false. */
static void write_logic_condition(struct writer *writer, const struct ecma_tree *tree)
{
    bool is_and = span_is(tree->text, "&&");
    add(writer, "(");
    write_condition(writer, tree->first);
    if (ecma_can_fail(&writer->names, tree->first))
        add(writer, is_and ? " ? " : " ? true : ");
    else
        add(writer, is_and ? " && " : " || ");
    write_condition(writer, tree->second);
    if (ecma_can_fail(&writer->names, tree->first) && is_and)
        add(writer, " : false");
    add(writer, ")");
}

/* The same as one of the two operands. */
static void write_logic(struct writer *writer, const struct ecma_tree *tree, bool is_operand)
{
    void (*write)(struct writer *, const struct ecma_tree *) =
        is_operand ? write_operand : write_value;
    bool is_and = span_is(tree->text, "&&");
    if (ecma_type_of(&writer->names, tree) == ECMA_TYPE_BOOL) {
        write_logic_condition(writer, tree);
        return;
    }
    add(writer, "(");
    write_condition(writer, tree->first);
    add(writer, " ? dyn(");
    write(writer, is_and ? tree->second : tree->first);
    add(writer, ") : dyn(");
    write(writer, is_and ? tree->first : tree->second);
    add(writer, "))");
}

static void write_in(struct writer *writer, const struct ecma_tree *tree)
{
    static const char *const fields[] = {"name",       "type",     "sendid", "origin",
                                         "origintype", "invokeid", "data"};
    const struct ecma_tree *key = tree->first;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        /* Every event has all of them, if only as undefined. */
        if (key->kind == ECMA_STRING && span_is(key->text, fields[i]) &&
            ecma_is_name(tree->second, "_event")) {
            add(writer, "has(_event.name)");
            return;
        }
    }
    write_call(writer, "ecma.has", tree->second, tree->first);
}

static void write_binary(struct writer *writer, const struct ecma_tree *tree, bool is_operand)
{
    static const struct {
        const char *text;
        const char *name;
        bool is_turned;
    } calls[] = {
        {"+", "ecma.add", false},       {"-", "ecma.subtract", false},
        {"*", "ecma.multiply", false},  {"/", "ecma.divide", false},
        {"%", "ecma.modulo", false},    {"<", "ecma.less", false},
        {">", "ecma.less", true},       {"<=", "ecma.lessEqual", false},
        {">=", "ecma.lessEqual", true}, {"&", "ecma.bitAnd", false},
        {"|", "ecma.bitOr", false},     {"^", "ecma.bitXor", false},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (span_is(tree->text, calls[i].text)) {
            bool is_turned = calls[i].is_turned;
            write_call(writer, calls[i].name, is_turned ? tree->second : tree->first,
                       is_turned ? tree->first : tree->second);
            return;
        }
    }
    if (ecma_is_operator(tree, "&&") || ecma_is_operator(tree, "||")) {
        write_logic(writer, tree, is_operand);
    } else if (ecma_type_of_operator(tree->text) == ECMA_TYPE_BOOL &&
               strchr("=!", tree->text.text[0])) {
        check_identity(writer, tree);
        write_equality(writer, tree);
    } else if (ecma_is_operator(tree, "in")) {
        write_in(writer, tree);
    } else if (ecma_is_operator(tree, "instanceof") && ecma_is_name(tree->second, "Array")) {
        write_call(writer, "ecma.isList", tree->first, NULL);
    } else {
        refuse(writer, tree, "`%.*s` is not translated", SPAN_ARGS(tree->text));
    }
}

static void write_unary(struct writer *writer, const struct ecma_tree *tree)
{
    if (span_is(tree->text, "!")) {
        add(writer, "!");
        write_condition(writer, tree->first);
    } else if (span_is(tree->text, "typeof")) {
        add(writer, "ecma.type(");
        if (tree->first->kind == ECMA_NAME &&
            !ecma_is_local(&writer->names, tree->first->text) &&
            !ecma_is_system(tree->first->text) && !span_is(tree->first->text, "undefined")) {
            add(writer, "context"); /* of a name that nobody declared it is undefined too */
            add_member(writer, tree->first->text, true);
        } else {
            write_operand(writer, tree->first);
        }
        add(writer, ")");
    } else if (span_is(tree->text, "-")) {
        if (tree->first->kind == ECMA_NUMBER && tree->first->number != 0)
            write_number(writer, -tree->first->number);
        else
            write_call(writer, "ecma.negate", tree->first, NULL);
    } else if (span_is(tree->text, "+")) {
        write_call(writer, "ecma.number", tree->first, NULL);
    } else {
        refuse(writer, tree, "`%.*s` is not translated", SPAN_ARGS(tree->text));
    }
}

/* a.concat(b, c) */
static void write_concat(struct writer *writer, const struct ecma_tree *tree)
{
    add(writer, "ecma.concat([");
    write_value(writer, tree->first->first);
    for (uint32_t i = 0; i < tree->count; i++) {
        add(writer, ", ");
        write_value(writer, tree->parts[i]);
    }
    add(writer, "])");
}

static void write_statements(struct writer *writer, const struct ecma_statement *statement,
                             void (*write)(struct writer *, const struct ecma_tree *))
{
    switch (statement->kind) {
    case ECMA_RETURN:
        write(writer, statement->value);
        return;
    case ECMA_IF_RETURN:
        add(writer, "(");
        write_condition(writer, statement->condition);
        add(writer, " ? dyn(");
        write(writer, statement->value);
        add(writer, ") : dyn(");
        write_statements(writer, statement->next, write);
        add(writer, "))");
        return;
    case ECMA_SET:
        if (!ecma_is_local(&writer->names, statement->name)) {
            refuse(writer, statement->value, "only parameters are assigned to in translations");
            return;
        }
        text_format(writer->text, "cel.bind(local_%.*s, ", SPAN_ARGS(statement->name));
        write_operand(writer, statement->value);
        add(writer, ", ");
        write_statements(writer, statement->next, write);
        add(writer, ")");
        return;
    }
    never();
}

/* (function (a, b) { … })(x, y) */
static void write_function(struct writer *writer, const struct ecma_tree *call,
                           void (*write)(struct writer *, const struct ecma_tree *))
{
    const struct ecma_tree *function = call->first;
    const struct ecma_local *outer = writer->names.locals;
    if (outer != NULL || function->count != call->count) {
        refuse(writer, call, "this call is not translated");
        return;
    }
    for (uint32_t i = 0; i < call->count; i++) {
        if (!is_plain_name(function->names[i]))
            refuse(writer, function, "this parameter is not translated");
        text_format(writer->text, "cel.bind(local_%.*s, ", SPAN_ARGS(function->names[i]));
        write_operand(writer, call->parts[i]); /* sees nothing of the function */
        add(writer, ", ");
    }
    for (uint32_t i = 0; i < call->count; i++) {
        struct ecma_local *local = arena_new(writer->arena, struct ecma_local);
        *local = (struct ecma_local){function->names[i], writer->names.locals};
        writer->names.locals = local;
    }
    write_statements(writer, function->statements, write);
    for (uint32_t i = 0; i < call->count; i++)
        add(writer, ")");
    writer->names.locals = outer;
}

static void write_known_call(struct writer *writer, const struct ecma_tree *tree,
                             const struct ecma_function *row, bool is_method)
{
    add(writer, row->cel);
    add(writer, "(");
    if (is_method)
        write_operand(writer, tree->first->first);
    for (uint32_t i = 0; i < tree->count; i++) {
        add(writer, i > 0 || is_method ? ", " : "");
        write_operand(writer, tree->parts[i]);
    }
    add(writer, ")");
}

static void write_any_call(struct writer *writer, const struct ecma_tree *tree,
                           void (*write)(struct writer *, const struct ecma_tree *))
{
    bool is_method;
    const struct ecma_function *row = ecma_find_function(&writer->names, tree, &is_method);
    if (tree->first->kind == ECMA_FUNCTION) {
        write_function(writer, tree, write);
    } else if (ecma_is_name(tree->first, "In") && tree->count == 1) {
        add(writer, "In(");
        write_value(writer, tree->parts[0]);
        add(writer, ")");
    } else if (row != NULL) {
        write_known_call(writer, tree, row, is_method);
    } else if (is_method && span_is(tree->first->text, "concat")) {
        write_concat(writer, tree);
    } else if (tree->first->kind == ECMA_NAME || tree->first->kind == ECMA_MEMBER) {
        refuse(writer, tree, "a call of `%.*s` is not translated",
               SPAN_ARGS(tree->first->text));
    } else {
        refuse(writer, tree, "this call is not translated");
    }
}

static void write_array(struct writer *writer, const struct ecma_tree *tree)
{
    add(writer, "[");
    for (uint32_t i = 0; i < tree->count; i++) {
        add(writer, i > 0 ? ", " : "");
        write_value(writer, tree->parts[i]);
    }
    add(writer, "]");
}

/* A member that is undefined is one that is not there. */
static void write_object(struct writer *writer, const struct ecma_tree *tree)
{
    add(writer, "{");
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct ecma_tree *part = tree->parts[i];
        bool may_miss = part->kind == ECMA_NAME && !ecma_is_local(&writer->names, part->text) &&
                        ecma_is_declared(&writer->names, part->text);
        add(writer, i > 0 ? ", " : "");
        add(writer, may_miss ? "?" : "");
        add_quoted(writer->text, tree->names[i]);
        add(writer, ": ");
        if (may_miss)
            write_operand(writer, part);
        else
            write_value(writer, part);
    }
    add(writer, "}");
}

static void write_choice(struct writer *writer, const struct ecma_tree *tree,
                         void (*write)(struct writer *, const struct ecma_tree *))
{
    bool is_uniform = ecma_type_of(&writer->names, tree) != ECMA_TYPE_ANY;
    add(writer, "(");
    write_condition(writer, tree->first);
    add(writer, is_uniform ? " ? " : " ? dyn(");
    write(writer, tree->second);
    add(writer, is_uniform ? " : " : ") : dyn(");
    write(writer, tree->third);
    add(writer, is_uniform ? ")" : "))");
}

static void write_tree(struct writer *writer, const struct ecma_tree *tree, bool is_operand)
{
    switch (tree->kind) {
    case ECMA_NUMBER:
        write_number(writer, tree->number);
        return;
    case ECMA_STRING:
        add_quoted(writer->text, tree->text);
        return;
    case ECMA_TRUE:
    case ECMA_FALSE:
    case ECMA_NULL:
        add(writer, tree->kind == ECMA_TRUE    ? "true"
                    : tree->kind == ECMA_FALSE ? "false"
                                               : "null");
        return;
    case ECMA_NAME:
        write_name(writer, tree, is_operand);
        return;
    case ECMA_MEMBER:
    case ECMA_INDEX:
        (is_operand ? write_member_operand : write_member_value)(writer, tree);
        return;
    case ECMA_CALL:
        write_any_call(writer, tree, is_operand ? write_operand : write_value);
        return;
    case ECMA_UNARY:
        if (is_undefined(tree))
            add(writer, is_operand ? "optional.none()" : "ecma.value(optional.none())");
        else
            write_unary(writer, tree);
        return;
    case ECMA_BINARY:
        write_binary(writer, tree, is_operand);
        return;
    case ECMA_CONDITION:
        write_choice(writer, tree, is_operand ? write_operand : write_value);
        return;
    case ECMA_ARRAY:
        write_array(writer, tree);
        return;
    case ECMA_OBJECT:
        write_object(writer, tree);
        return;
    case ECMA_FUNCTION:
        refuse(writer, tree, "functions are not translated");
        return;
    }
    never();
}

/* What has doubled itself on the way is cut off before it grows without bound. */
static bool is_writing(struct writer *writer, const struct ecma_tree *tree)
{
    if (writer->text->size > EXPRESSION_BYTES_MAX)
        refuse(writer, tree, "the translation is too long");
    return writer->result == ECMA_OK;
}

static void write_value(struct writer *writer, const struct ecma_tree *tree)
{
    if (is_writing(writer, tree))
        write_tree(writer, tree, false);
}

static void write_operand(struct writer *writer, const struct ecma_tree *tree)
{
    if (is_writing(writer, tree))
        write_tree(writer, tree, true);
}

static void write_condition(struct writer *writer, const struct ecma_tree *tree)
{
    if (!is_writing(writer, tree))
        return;
    if (ecma_is_operator(tree, "&&") || ecma_is_operator(tree, "||")) {
        write_logic_condition(writer, tree);
    } else if (ecma_type_of(&writer->names, tree) == ECMA_TYPE_BOOL) {
        write_tree(writer, tree, false);
    } else {
        add(writer, "ecma.truthy(");
        write_tree(writer, tree, true);
        add(writer, ")");
    }
}

/* Without the parentheses around all of it. */
static struct span unwrap(struct span cel)
{
    size_t depth = 0;
    bool is_in_text = false;
    if (cel.size < 2 || cel.text[0] != '(' || cel.text[cel.size - 1] != ')')
        return cel;
    for (size_t i = 0; i + 1 < cel.size; i++) {
        char c = cel.text[i];
        if (is_in_text && c == '\\')
            i++;
        else if (c == '"')
            is_in_text = !is_in_text;
        depth += !is_in_text && c == '(';
        depth -= !is_in_text && c == ')';
        if (depth == 0)
            return cel;
    }
    return span_slice(cel, 1, cel.size - 1);
}

static void write_as(struct writer *writer, const struct ecma_tree *tree,
                     enum ecma_purpose purpose)
{
    switch (purpose) {
    case ECMA_AS_VALUE:
        write_value(writer, tree);
        return;
    case ECMA_AS_OPERAND:
        write_operand(writer, tree);
        return;
    case ECMA_AS_CONDITION:
        write_condition(writer, tree);
        return;
    }
    never();
}

enum ecma_result ecma_translate(struct span source, enum ecma_purpose purpose,
                                const struct ecma_scope *scope, struct arena *arena,
                                struct span *cel, struct ecma_problem *problem)
{
    struct text text;
    const struct ecma_tree *tree;
    enum ecma_result result = ecma_parse(source, arena, &tree, problem);
    text_init(&text, arena);
    if (result == ECMA_ILLEGAL) {
        text_add(&text, SPAN("ecma.fail("));
        add_quoted(&text, problem->message);
        text_add_byte(&text, ')');
        *cel = text_span(&text);
    }
    if (result != ECMA_OK)
        return result;
    struct writer writer = {
        .names = {.scope = scope}, .arena = arena, .text = &text, .problem = problem};
    write_as(&writer, tree, purpose);
    if (writer.result == ECMA_OK)
        *cel = unwrap(text_span(&text));
    return writer.result;
}

static enum ecma_result no_place(const struct ecma_tree *tree, struct ecma_problem *problem)
{
    problem->offset = tree->offset;
    problem->message = SPAN("nothing can be assigned to this");
    return ECMA_ILLEGAL;
}

static enum ecma_result names_of(const struct ecma_tree *tree, struct arena *arena,
                                 const struct span **names, uint32_t *count,
                                 struct ecma_problem *problem)
{
    uint32_t depth = 1;
    const struct ecma_tree *at = tree;
    for (; at->kind == ECMA_MEMBER || at->kind == ECMA_INDEX; at = at->first)
        depth++;
    if (at->kind != ECMA_NAME)
        return no_place(tree, problem);
    struct span *path = arena_new_array(arena, depth, struct span);
    *count = depth;
    for (at = tree; at->kind != ECMA_NAME; at = at->first) {
        if (!ecma_find_key(at, &path[--depth])) {
            problem->offset = at->offset;
            problem->message = SPAN("only names and literal keys are translated here");
            return ECMA_UNSUPPORTED;
        }
    }
    path[0] = at->text;
    *names = path;
    return ECMA_OK;
}

enum ecma_result ecma_location(struct span text, struct arena *arena, const struct span **names,
                               uint32_t *count, struct ecma_problem *problem)
{
    const struct ecma_tree *tree;
    enum ecma_result result = ecma_parse(text, arena, &tree, problem);
    return result == ECMA_OK ? names_of(tree, arena, names, count, problem) : result;
}

enum ecma_result ecma_translate_script(struct span source, const struct ecma_scope *scope,
                                       struct arena *arena,
                                       const struct ecma_assignment **first,
                                       struct ecma_problem *problem)
{
    const struct ecma_statement *statement;
    const struct ecma_assignment **end = first;
    enum ecma_result result = ecma_parse_script(source, arena, &statement, problem);
    *first = NULL;
    for (; result == ECMA_OK && statement != NULL; statement = statement->next) {
        struct text text;
        struct ecma_assignment *assignment = arena_new(arena, struct ecma_assignment);
        text_init(&text, arena);
        result =
            names_of(statement->place, arena, &assignment->names, &assignment->count, problem);
        struct writer writer = {.names = {.scope = scope},
                                .arena = arena,
                                .text = &text,
                                .result = result,
                                .problem = problem};
        write_operand(&writer, statement->value);
        result = writer.result;
        assignment->cel = unwrap(text_span(&text));
        *end = assignment;
        end = &assignment->next;
    }
    return result;
}
