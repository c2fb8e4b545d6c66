/*
 * builtin.h - the functions of the language and of its libraries, as tables.
 *
 * The language's own functions are in builtin.c, each library beyond it in a file of its own
 * (ext_string.c, ext_math.c, …). A row knows a function's name, how it is called, how many
 * arguments it takes and of which kinds; the kinds are looked at when it runs. A method's
 * receiver is its first argument.
 */
#pragma once

#include "expr/vm.h"

/* Arguments are never errors, and of the kinds that the table names. */
typedef struct value builtin_function(struct vm *vm, const struct value *arguments,
                                      size_t count);

enum builtin_style { BUILTIN_GLOBAL = 1, BUILTIN_METHOD = 2, BUILTIN_BOTH = 3 };

/* Sets of kinds. */
enum builtin_kinds {
    KINDS_ANY = 0,
    KINDS_BOOL = 1 << VALUE_BOOL,
    KINDS_INT = 1 << VALUE_INT,
    KINDS_UINT = 1 << VALUE_UINT,
    KINDS_DOUBLE = 1 << VALUE_DOUBLE,
    KINDS_STRING = 1 << VALUE_STRING,
    KINDS_BYTES = 1 << VALUE_BYTES,
    KINDS_LIST = 1 << VALUE_LIST,
    KINDS_MAP = 1 << VALUE_MAP,
    KINDS_TIMESTAMP = 1 << VALUE_TIMESTAMP,
    KINDS_DURATION = 1 << VALUE_DURATION,
    KINDS_OPTIONAL = 1 << VALUE_OPTIONAL,
    KINDS_IP = 1 << VALUE_IP,
    KINDS_CIDR = 1 << VALUE_CIDR,
    KINDS_WHOLE = KINDS_INT | KINDS_UINT,
    KINDS_NUMBER = KINDS_WHOLE | KINDS_DOUBLE,
    KINDS_MOMENT = KINDS_TIMESTAMP | KINDS_DURATION,
};

enum { BUILTIN_KINDS_MAX = 4, BUILTIN_ARGUMENTS_MAX = UINT8_MAX };

struct builtin {
    struct span name;  /* with its namespace: "optional.of" */
    uint8_t style;     /* enum builtin_style */
    uint8_t count_min; /* arguments, a receiver included */
    uint8_t count_max;
    bool may_allocate;                 /* is called with an arena */
    uint16_t kinds[BUILTIN_KINDS_MAX]; /* of the first arguments; any of those behind them */
    builtin_function *function;
};

struct builtin_library {
    const struct builtin *functions;
    uint32_t count;
};

/* The function of that name that can be called in this style; NULL when there is none. */
const struct builtin *builtin_find(struct span name, enum builtin_style style);

/* Any arguments: an error among them is the result, wrong kinds are an error. */
struct value builtin_call(struct vm *vm, const struct builtin *builtin,
                          const struct value *arguments, size_t count);

/* text.matches(pattern), charged for its steps. */
enum { BUILTIN_STEPS_A_COST = 32 };
struct value builtin_match(struct vm *vm, const struct regex *pattern, struct span text);

/* Compiles a pattern that only the run knows, charged; NULL after setting the error. */
typedef const struct regex *builtin_compiler(struct span pattern, struct arena *arena,
                                             struct regex_problem *problem);
const struct regex *builtin_compile(struct vm *vm, struct span pattern,
                                    builtin_compiler *compile, struct value *error);

/* All of them, one after the other; NULL behind the last. */
const struct builtin *builtin_at(uint32_t index);

/* A number for an instruction, and back at once. */
uint32_t builtin_id(const struct builtin *builtin);
const struct builtin *builtin_get(uint32_t id);
