/*
 * vm.h - running a program, and what operators and functions get while they run.
 *
 * Why the arena may be missing: a guard such as `amount > 0 && !blocked` allocates nothing,
 * so it runs without the cost of an arena guard. What does need memory then, an error's
 * message or a `+` that turns out to join strings, gives the `unspoken` error instead. If
 * the run ends with an error after that, it is repeated with an arena: programs are pure,
 * so nobody can tell. If it ends with a value, then without what was missing: an error
 * counts only where no value can change the outcome.
 */
#pragma once

#include "expr/code.h"

struct vm {
    const struct expr_program *program;
    const struct expr_frame *frame;
    struct arena *arena; /* guarded; NULL: errors stay unspoken, and nothing else allocates */
    int64_t cost_left;   /* below 0 the run ends with an error, whatever it computed */
    bool is_unspoken;    /* something could not be made without an arena */
};

struct value vm_run(struct vm *vm);

/* An error value with a formatted message, or the unspoken one. */
struct value vm_error(struct vm *vm, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Stands for whatever an operator could not make without an arena. */
struct value vm_unspoken(struct vm *vm);

/* A kind's name in a message: "timestamp", "null", "int". */
const char *vm_kind_name(enum value_kind kind);

/* "no such overload: name(int, string)"; or the first argument that is an error itself. */
struct value vm_no_overload(struct vm *vm, const char *name, const struct value *arguments,
                            size_t count);
struct value vm_no_operator(struct vm *vm, struct value left, enum ast_operator operator,
                            struct value right);

/* Takes a cost from the budget: one for each element or 16 bytes looked at. */
static inline void vm_charge(struct vm *vm, uint64_t cost)
{
    vm->cost_left -= (int64_t)cost;
}

static inline void vm_charge_bytes(struct vm *vm, uint64_t bytes)
{
    vm->cost_left -= (int64_t)(bytes / 16);
}
