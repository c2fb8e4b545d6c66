/*
 * type_call.c - which overloads of a function or an operator fit, and what comes of them.
 *
 * Each overload is tried with type parameters of its own. Where arguments are not known
 * several may fit: their results are then joined, to dyn when they differ.
 */
#include "base/ensure.h"
#include "expr/builtin.h"
#include "expr/names.h"
#include "expr/signature.h"
#include "expr/type_checker.h"

enum { PARAMETERS_MAX = 16, LETTERS = 26 };

/* The type variables that the letters A to Z of one overload stand for. */
struct instance {
    struct type_checker *checker;
    const struct type *letters[LETTERS];
};

static const struct type *letter_type(struct instance *instance, char letter)
{
    const struct type **type = &instance->letters[letter - 'A'];
    if (*type == NULL)
        *type = type_unify_fresh(&instance->checker->unify);
    return *type;
}

static const struct type *named(struct instance *instance, struct span name)
{
    return type_abstract(instance->checker->arena, name, NULL, 0);
}

/* The type that the letters begin with; moves behind it. NULL for any number. */
static const struct type *read_letters(struct instance *instance, const char **letters)
{
    struct arena *arena = instance->checker->arena;
    static const char simple[] = "*nbiudsytr"; /* in the order of the kinds */
    char letter = *(*letters)++;
    const char *at = strchr(simple, letter);
    if (at != NULL)
        return type_simple((enum type_kind)(at - simple));
    switch (letter) {
    case '#':
        return NULL;
    case 'L':
        return type_list(arena, read_letters(instance, letters));
    case 'O':
        return type_optional(arena, read_letters(instance, letters));
    case 'T':
        return type_of_type(arena, read_letters(instance, letters));
    case 'M': {
        const struct type *key = read_letters(instance, letters);
        return type_map(arena, key, read_letters(instance, letters));
    }
    case 'I':
        return named(instance, SPAN("net.IP"));
    case 'N':
        return named(instance, SPAN("net.CIDR"));
    default:
        ensure(letter == 'A' || letter == 'B');
        return letter_type(instance, letter);
    }
}

/* A declared type with its type parameters (abstract types named by a capital) in place. */
static const struct type *instantiate(struct instance *instance, const struct type *type)
{
    struct arena *arena = instance->checker->arena;
    const struct type *parts[PARAMETERS_MAX] = {NULL};
    if (type == NULL)
        return type_simple(TYPE_DYN);
    if (type->kind == TYPE_ABSTRACT && type->count == 0 && type->name.size == 1 &&
        type->name.text[0] >= 'A' && type->name.text[0] <= 'Z')
        return letter_type(instance, type->name.text[0]);
    bool has_parts = type->kind >= TYPE_LIST && type->kind != TYPE_RECORD &&
                     type->kind != TYPE_VARIABLE && type->count <= PARAMETERS_MAX;
    for (uint32_t i = 0; has_parts && i < type->count; i++)
        parts[i] = instantiate(instance, type->parameters[i]);
    if (!has_parts)
        return type;
    if (type->kind == TYPE_LIST)
        return type_list(arena, parts[0]);
    if (type->kind == TYPE_MAP)
        return type_map(arena, parts[0], parts[1]);
    if (type->kind == TYPE_OPTIONAL)
        return type_optional(arena, parts[0]);
    if (type->kind == TYPE_TYPE)
        return type_of_type(arena, parts[0]);
    return type_abstract(arena, type->name, parts, type->count);
}

struct choice {
    const struct type *result; /* NULL: no overload fitted yet */
    bool is_certain;           /* no argument is dyn: the first that fits is it */
};

static bool is_unknown(struct type_checker *checker, const struct type *type)
{
    type = type_unify_resolve(&checker->unify, type);
    return type->kind == TYPE_DYN || type->kind == TYPE_VARIABLE;
}

static bool fits_number(struct type_checker *checker, const struct type *type)
{
    type = type_unify_resolve(&checker->unify, type);
    return is_unknown(checker, type) || type->kind == TYPE_INT || type->kind == TYPE_UINT ||
           type->kind == TYPE_DOUBLE;
}

/* A list whose elements are numbers, as far as that is known. */
static bool fits_numbers(struct type_checker *checker, const struct type *type)
{
    type = type_unify_resolve(&checker->unify, type);
    return is_unknown(checker, type) ||
           (type->kind == TYPE_LIST && fits_number(checker, type->parameters[0]));
}

static bool fits(struct type_checker *checker, const struct type *from, const struct type *to)
{
    return to == NULL ? fits_number(checker, from) : type_unify_fits(&checker->unify, from, to);
}

/* True when the arguments fit the letters of a row. */
static bool fit_row(struct instance *instance, const char *letters,
                    const struct type *const *arguments, uint32_t count)
{
    const struct type *parameter = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (*letters == '\0')
            return false;
        if (letters[0] == 'L' && letters[1] == '#') {
            letters += 2;
            if (!fits_numbers(instance->checker, arguments[i]))
                return false;
            continue;
        }
        if (*letters != '+')
            parameter = read_letters(instance, &letters);
        if (!fits(instance->checker, arguments[i], parameter))
            return false;
    }
    return *letters == '\0' || *letters == '+';
}

static void take_result(struct type_checker *checker, struct choice *choice,
                        const struct type *result)
{
    result = type_unify_apply(&checker->unify, result, false);
    if (choice->result == NULL)
        choice->result = result;
    else if (choice->result != result)
        choice->result = type_unify_join(&checker->unify, choice->result, result);
}

static void try_rows(struct type_checker *checker, const struct signature *row,
                     const struct type *const *arguments, uint32_t count, struct choice *choice)
{
    for (; row != NULL && !(choice->is_certain && choice->result != NULL);
         row = signature_next(row)) {
        struct instance instance = {.checker = checker};
        uint32_t mark = type_unify_mark(&checker->unify);
        const char *result = row->result;
        if (fit_row(&instance, row->parameters, arguments, count))
            take_result(checker, choice, read_letters(&instance, &result));
        else
            type_unify_rewind(&checker->unify, mark);
    }
}

static void try_signature(struct type_checker *checker, const struct expr_signature *signature,
                          const struct type *const *arguments, uint32_t count,
                          struct choice *choice)
{
    struct instance instance = {.checker = checker};
    uint32_t mark = type_unify_mark(&checker->unify);
    bool is_fit = signature->parameter_count == count;
    for (uint32_t i = 0; is_fit && i < count; i++)
        is_fit = fits(checker, arguments[i], instantiate(&instance, signature->parameters[i]));
    if (is_fit)
        take_result(checker, choice, instantiate(&instance, signature->result));
    else
        type_unify_rewind(&checker->unify, mark);
}

static struct choice new_choice(struct type_checker *checker,
                                const struct type *const *arguments, uint32_t count)
{
    struct choice choice = {.is_certain = true};
    for (uint32_t i = 0; i < count; i++)
        choice.is_certain = choice.is_certain && !is_unknown(checker, arguments[i]);
    return choice;
}

/* "int + string", "-string", "size(int)" */
static struct span use_text(struct type_checker *checker, const struct ast *ast,
                            struct span name, const struct type *const *arguments,
                            uint32_t count)
{
    struct text text;
    text_init(&text, checker->arena);
    bool is_call = ast->kind == AST_CALL;
    if (is_call)
        text_format(&text, "%.*s(", SPAN_ARGS(name));
    if (ast->kind == AST_UNARY)
        text_add_byte(&text, '-');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && is_call)
            text_add(&text, SPAN(", "));
        else if (i > 0)
            text_format(&text, " %.*s ", SPAN_ARGS(name));
        text_add(&text, type_checker_text(checker, arguments[i]));
    }
    if (is_call)
        text_add_byte(&text, ')');
    return text_span(&text);
}

static const struct type *refuse(struct type_checker *checker, const struct ast *ast,
                                 struct span name, const struct type *const *arguments,
                                 uint32_t count)
{
    struct span use = use_text(checker, ast, name, arguments, count);
    struct diagnostic *error = remark_type(checker->remarks, SEVERITY_ERROR, ast->offset,
                                           "no such overload: %.*s", SPAN_ARGS(use));
    if (count == 2 && ast->kind == AST_BINARY && fits_number(checker, arguments[0]) &&
        fits_number(checker, arguments[1]))
        diagnostic_help(checker->remarks->diagnostics, error,
                        "arithmetic does not mix kinds of numbers: convert one, as in "
                        "double(x)");
    return type_simple(TYPE_DYN);
}

const struct type *type_checker_operator(struct type_checker *checker, const struct ast *ast,
                                         struct span name, const struct type *const *operands,
                                         uint32_t count)
{
    struct choice choice = new_choice(checker, operands, count);
    try_rows(checker, signature_find(name), operands, count, &choice);
    return choice.result != NULL ? choice.result : refuse(checker, ast, name, operands, count);
}

/* Calls */

/* What is known under a name: rows, signatures of the host, or a function without types. */
static bool is_known(struct type_checker *checker, struct span name, enum builtin_style style)
{
    if (builtin_find(name, style) != NULL || names_find_function(checker->scope, name) != NULL)
        return true;
    for (size_t i = 0; i < checker->scope->signature_count; i++) {
        if (span_equal(checker->scope->signatures[i].name, name))
            return true;
    }
    return style == BUILTIN_METHOD && (span_is(name, "or") || span_is(name, "orValue"));
}

static const struct type *choose(struct type_checker *checker, const struct ast *ast,
                                 struct span name, const struct type *const *arguments,
                                 uint32_t count)
{
    struct choice choice = new_choice(checker, arguments, count);
    const struct signature *rows = names_find_function(checker->scope, name) == NULL
                                       ? signature_find(name)
                                       : NULL; /* the host's function hides ours */
    bool is_declared = rows != NULL;
    try_rows(checker, rows, arguments, count, &choice);
    for (size_t i = 0; i < checker->scope->signature_count; i++) {
        const struct expr_signature *signature = &checker->scope->signatures[i];
        if (!span_equal(signature->name, name))
            continue;
        is_declared = true;
        if (!(choice.is_certain && choice.result != NULL))
            try_signature(checker, signature, arguments, count, &choice);
    }
    if (choice.result != NULL)
        return choice.result;
    return is_declared ? refuse(checker, ast, name, arguments, count) : type_simple(TYPE_DYN);
}

/* The types of the receiver (when there is one) and the arguments. */
static const struct type **walk_arguments(struct type_checker *checker, const struct ast *ast,
                                          bool has_receiver, uint32_t *count)
{
    const struct type **types =
        arena_new_array(checker->arena, ast->call.count + 1, const struct type *);
    *count = 0;
    if (has_receiver)
        types[(*count)++] = type_checker_walk(checker, ast->call.target);
    for (uint32_t i = 0; i < ast->call.count; i++)
        types[(*count)++] = type_checker_walk(checker, ast->call.arguments[i]);
    return types;
}

/* "math.abs" for math.abs(x), when math is no variable of a macro; else empty. */
static struct span namespaced(struct type_checker *checker, const struct ast *ast)
{
    struct names_path path = names_path_of(ast->call.target);
    if (path.count == 0 || path.count == NAMES_PARTS_MAX)
        return SPAN("");
    for (const struct type_local *local = checker->locals; local != NULL;
         local = local->outer) {
        if (span_equal(local->name, path.parts[0]))
            return SPAN("");
    }
    path.parts[path.count] = ast->call.name;
    return names_join(checker->arena, &path, path.count + 1);
}

static const struct type *unknown_function(struct type_checker *checker, const struct ast *ast,
                                           struct span name, enum builtin_style style)
{
    if (checker->scope->is_open)
        return type_simple(TYPE_DYN);
    struct diagnostic *error =
        remark_error(checker->remarks, ast->offset, "unknown function '%.*s'", SPAN_ARGS(name));
    uint32_t count = 0;
    while (builtin_at(count) != NULL)
        count++;
    size_t all = count + checker->scope->signature_count;
    struct span *names = arena_new_array(checker->arena, all, struct span);
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (builtin_at(i)->style & style)
            names[at++] = builtin_at(i)->name;
    }
    for (size_t i = 0; i < checker->scope->signature_count; i++)
        names[at++] = checker->scope->signatures[i].name;
    remark_suggest(checker->remarks, error, name, names, at);
    return type_simple(TYPE_DYN);
}

const struct type *type_checker_call(struct type_checker *checker, const struct ast *ast)
{
    uint32_t count;
    struct span name = ast->call.name;
    bool has_receiver = ast->call.target != NULL;
    if (has_receiver) {
        struct span qualified = namespaced(checker, ast);
        if (qualified.size > 0 && is_known(checker, qualified, BUILTIN_GLOBAL)) {
            name = qualified;
            has_receiver = false;
        }
    }
    const struct type *const *arguments = walk_arguments(checker, ast, has_receiver, &count);
    enum builtin_style style = has_receiver ? BUILTIN_METHOD : BUILTIN_GLOBAL;
    return is_known(checker, name, style) ? choose(checker, ast, name, arguments, count)
                                          : unknown_function(checker, ast, name, style);
}
