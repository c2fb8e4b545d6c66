/*
 * names.h - what a name stands for: a macro's variable, a slot, a type or a function.
 *
 * A qualified name a.b.c can be the member c of a variable a.b, or a variable a.b.c; the
 * longest name that is known wins, in the innermost container first, as the language says.
 */
#pragma once

#include "expr/ast.h"
#include "expr/program.h"

enum { NAMES_PARTS_MAX = 16 };

/* a.b.c taken apart; count is 0 when the tree is no qualified name. */
struct names_path {
    struct span parts[NAMES_PARTS_MAX];
    uint32_t count;
    bool is_absolute;
};

struct names_path names_path_of(const struct ast *ast);

/* The variable that the first `used` parts of the path name, or SIZE_MAX. */
size_t names_find_variable(const struct expr_scope *scope, const struct names_path *path,
                           uint32_t *used);

/* The type that the path names, as a value; false when there is none. */
bool names_find_type(const struct names_path *path, struct value *type);

/* The host's function of that name, or NULL. */
const struct expr_function *names_find_function(const struct expr_scope *scope,
                                                struct span name);

/* a.b.c as text in the arena. */
struct span names_join(struct arena *arena, const struct names_path *path, uint32_t count);
