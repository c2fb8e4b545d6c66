/*
 * program.h - expressions compiled and run.
 *
 * An expression is compiled once, against a scope that says which names exist, into an
 * immutable program; the program is run as often as needed against a frame of values.
 * Everything here is pure: no clock, no I/O, no allocator but the arena passed in.
 *
 * What is wrong with the text of an expression is a diagnostic. What goes wrong while it
 * runs is an error value (VALUE_ERROR), as CEL says: `error || true` is true.
 */
#pragma once

#include "base/arena.h"
#include "base/diagnostic.h"
#include "base/node.h"
#include "base/text.h"
#include "base/value.h"
#include "expr/type.h"

struct expr_language;
struct expr_program; /* immutable, lives in the arena it was compiled into */

/* A function of the host, such as In('state'): called with evaluated arguments, none of them an
 * error; returns a value or an error value; may allocate from the arena. */
typedef struct value expr_host_function(void *host, uint32_t function,
                                        const struct value *arguments, size_t argument_count,
                                        struct arena *arena);

struct expr_function {
    struct span name;
    uint32_t argument_count;
    uint32_t id; /* handed to the host function */
};

/* What a function of the host takes and gives; several of one name are its overloads. Type
 * parameters are abstract types without parameters, named A to Z. */
struct expr_signature {
    struct span name;
    const struct type *result;
    const struct type *const *parameters;
    uint32_t parameter_count;
};

/* The names an expression may use. A variable's index is its slot in the frame. Lives as long
 * as the compilation. */
struct expr_scope {
    const struct span *variables; /* may be qualified: "a.b" */
    size_t variable_count;
    const struct expr_function *functions;
    size_t function_count;
    const struct expr_language *language; /* that is run beside CEL (foreign.h), or NULL */
    struct span container;                /* names are looked up in it first; usually empty */
    bool is_open;       /* unknown names are errors when they are evaluated, not before */
    bool has_no_macros; /* all, map, has … are functions like any other, and unknown */

    /* For expr_check() and expr_type_of(). NULL, or a NULL among them: nothing is known. */
    const struct type *const *types; /* of the variables */
    const struct expr_signature *signatures;
    size_t signature_count;
};

/* Runs an expression in another language (foreign.h). */
struct expr_foreign;
typedef struct value expr_foreign_function(void *host, const struct expr_foreign *foreign,
                                           struct value given, struct arena *arena);

/* What a program runs against. A slot that is NULL_SLOT (kind ERROR, count 0) is unbound and
 * reads as the error "no such attribute". */
struct expr_frame {
    const struct value *slots; /* one for each variable of the scope */
    size_t slot_count;
    expr_host_function *host_function; /* may be NULL when the scope has no functions */
    expr_foreign_function *foreign;    /* may be NULL when the scope has no language */
    void *host;
    uint64_t *cost; /* what runs cost is added to it, in units of the budget; or NULL */
};

/* Compiles the text; `place` is where its first character stands (for diagnostics, which point
 * to the exact character; code IL0503 for type errors, IL0105 for syntax and unknown names).
 * Returns NULL after adding at least one diagnostic. Jumps to the arena's guard when the arena
 * is spent. */
const struct expr_program *expr_compile(struct span text, struct place place,
                                        const struct expr_scope *scope, struct arena *arena,
                                        struct diagnostics *diagnostics);

/* The same for the bytes [from, to) of a string scalar's text. */
const struct expr_program *expr_compile_part(const struct node *node, size_t from, size_t to,
                                             const struct expr_scope *scope,
                                             struct arena *arena,
                                             struct diagnostics *diagnostics);

/* Finds the type of an expression and what is wrong with it (IL0503): errors where it can only
 * fail, warnings where its answer is always the same. What the scope says nothing about is dyn,
 * fits everywhere and is never complained about. The scope is that of the compilation, with
 * types. Never NULL; jumps to the arena's guard. */
const struct type *expr_check(const struct expr_program *program,
                              const struct expr_scope *scope, struct arena *arena,
                              struct diagnostics *diagnostics);

/* Adds the finding (IL0503, an error) that the whole of an expression is of the wrong type for
 * its place: "a guard is a bool, not int". */
void expr_object(const struct expr_program *program, struct diagnostics *diagnostics,
                 const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same for a text that need not be run: functions may be known by their signatures alone.
 * NULL after at least one error. */
const struct type *expr_type_of(struct span text, struct place place,
                                const struct expr_scope *scope, struct arena *arena,
                                struct diagnostics *diagnostics);

/* Runs a program. The result lives in the arena, the frame's values or the program. Always
 * returns: more than EXPRESSION_COST_MAX units, which also bound the memory it takes, are an
 * error value. An arena that is spent before is an error value too where nobody has set a
 * guard; where somebody has, it jumps there, so that no decision depends on how large an arena
 * was. */
struct value expr_run(const struct expr_program *program, const struct expr_frame *frame,
                      struct arena *arena);

/* About the most units of the budget that a run takes when no list, map or text that it reads
 * has more than `size` elements, entries or times 16 bytes; compare it with
 * EXPRESSION_COST_MAX. */
uint64_t expr_cost(const struct expr_program *program, uint64_t size);

/* True when the program reads the variable: lets a caller skip building what nobody reads. */
bool expr_uses(const struct expr_program *program, uint32_t variable);

/* The first variable from this one on that the program reads, or UINT32_MAX. */
uint32_t expr_next_use(const struct expr_program *program, uint32_t variable);

/* Writes the expression back as CEL text in a normal form. */
void expr_write(struct text *text, const struct expr_program *program);

/* Finds the `}` that ends the expression starting at text[from], skipping over strings,
 * brackets and comments as CEL's lexer sees them: `${…}` slots end where the language says, not
 * at the first brace. SIZE_MAX when there is none. */
size_t expr_find_end(struct span text, size_t from);
