/*
 * type_unify.c - fitting types.
 */
#include "expr/type_unify.h"

#include "base/ensure.h"

enum { STEPS_MAX = 200000, DEPTH_MAX = 2 * TYPE_DEPTH_MAX, PARAMETERS_MAX = 8 };

void type_unify_init(struct type_unify *unify, struct arena *arena)
{
    *unify = (struct type_unify){.arena = arena, .steps_left = STEPS_MAX};
}

static void *grow(struct arena *arena, const void *old, uint32_t count, uint32_t *capacity,
                  size_t size)
{
    *capacity = *capacity == 0 ? 16 : *capacity * 2;
    void *larger = arena_get_array(arena, *capacity, size);
    if (count > 0)
        memcpy(larger, old, count * size);
    return larger;
}

const struct type *type_unify_fresh(struct type_unify *unify)
{
    if (unify->count == unify->capacity)
        unify->bound = grow(unify->arena, unify->bound, unify->count, &unify->capacity,
                            sizeof *unify->bound);
    unify->bound[unify->count] = NULL;
    return type_variable(unify->arena, unify->count++);
}

static void bind(struct type_unify *unify, uint32_t variable, const struct type *type)
{
    if (unify->trail_count == unify->trail_capacity)
        unify->trail = grow(unify->arena, unify->trail, unify->trail_count,
                            &unify->trail_capacity, sizeof *unify->trail);
    unify->trail[unify->trail_count++] =
        (struct type_unify_undo){variable, unify->bound[variable]};
    unify->bound[variable] = type;
}

void type_unify_rewind(struct type_unify *unify, uint32_t mark)
{
    while (unify->trail_count > mark) {
        struct type_unify_undo *undo = &unify->trail[--unify->trail_count];
        unify->bound[undo->variable] = undo->before;
    }
}

const struct type *type_unify_resolve(const struct type_unify *unify, const struct type *type)
{
    while (type->kind == TYPE_VARIABLE && unify->bound[type->count] != NULL)
        type = unify->bound[type->count];
    return type;
}

static bool has_parameters(const struct type *type)
{
    return type->kind == TYPE_LIST || type->kind == TYPE_MAP || type->kind == TYPE_TYPE ||
           type->kind == TYPE_OPTIONAL || type->kind == TYPE_ABSTRACT;
}

/* False once the work is too much: whoever asks then says "fits". */
static bool may_go_on(struct type_unify *unify, unsigned depth)
{
    if (unify->steps_left == 0 || depth > DEPTH_MAX)
        return false;
    unify->steps_left--;
    return true;
}

static bool mentions(struct type_unify *unify, const struct type *type, uint32_t variable,
                     unsigned depth)
{
    if (!may_go_on(unify, depth))
        return true;
    type = type_unify_resolve(unify, type);
    if (type->kind == TYPE_VARIABLE)
        return type->count == variable;
    for (uint32_t i = 0; has_parameters(type) && i < type->count; i++) {
        if (mentions(unify, type->parameters[i], variable, depth + 1))
            return true;
    }
    return false;
}

static bool same_constructor(const struct type *a, const struct type *b)
{
    return a->kind == b->kind &&
           (!has_parameters(a) || (a->count == b->count && span_equal(a->name, b->name)));
}

/* True when `a` says no more than `b`: list(dyn) and list(int). */
static bool is_as_general(struct type_unify *unify, const struct type *a, const struct type *b,
                          unsigned depth)
{
    if (!may_go_on(unify, depth))
        return true;
    a = type_unify_resolve(unify, a);
    b = type_unify_resolve(unify, b);
    if (a == b || a->kind == TYPE_DYN || a->kind == TYPE_VARIABLE)
        return true;
    if (!same_constructor(a, b) || a->kind == TYPE_RECORD)
        return false;
    for (uint32_t i = 0; has_parameters(a) && i < a->count; i++) {
        if (!is_as_general(unify, a->parameters[i], b->parameters[i], depth + 1))
            return false;
    }
    return a->values == NULL;
}

static bool fits(struct type_unify *unify, const struct type *from, const struct type *to,
                 unsigned depth);

/* Of two types that fit each other the one that promises less. */
static const struct type *general_of(struct type_unify *unify, const struct type *a,
                                     const struct type *b, unsigned depth)
{
    if (is_as_general(unify, a, b, depth))
        return a;
    return is_as_general(unify, b, a, depth) ? b : type_simple(TYPE_DYN);
}

/* A variable without a type takes this one; one that has a type takes the more general. */
static bool fits_variable(struct type_unify *unify, const struct type *type,
                          const struct type *variable, bool is_target, unsigned depth)
{
    uint32_t number = variable->count;
    const struct type *known = unify->bound[number];
    if (known == NULL) {
        if (mentions(unify, type, number, depth + 1))
            return type_unify_resolve(unify, type)->kind == TYPE_VARIABLE;
        bind(unify, number, type);
        return true;
    }
    bool is_fit =
        is_target ? fits(unify, type, known, depth + 1) : fits(unify, known, type, depth + 1);
    const struct type *general = is_fit ? general_of(unify, known, type, depth + 1) : known;
    if (general != known && !mentions(unify, general, number, depth + 1))
        bind(unify, number, general);
    return is_fit;
}

static bool fit_parameters(struct type_unify *unify, const struct type *from,
                           const struct type *to, unsigned depth)
{
    for (uint32_t i = 0; i < from->count; i++) {
        if (!fits(unify, from->parameters[i], to->parameters[i], depth + 1))
            return false;
    }
    return true;
}

static bool fits(struct type_unify *unify, const struct type *from, const struct type *to,
                 unsigned depth)
{
    if (from == to || !may_go_on(unify, depth))
        return true;
    if (to->kind == TYPE_VARIABLE)
        return fits_variable(unify, from, to, true, depth);
    if (from->kind == TYPE_VARIABLE)
        return fits_variable(unify, to, from, false, depth);
    if (from->kind == TYPE_DYN || to->kind == TYPE_DYN)
        return true;
    bool are_maps = (from->kind == TYPE_RECORD || from->kind == TYPE_MAP) &&
                    (to->kind == TYPE_RECORD || to->kind == TYPE_MAP);
    if (are_maps && (from->kind == TYPE_RECORD || to->kind == TYPE_RECORD))
        return true;
    if (!same_constructor(from, to))
        return false;
    return !has_parameters(from) || fit_parameters(unify, from, to, depth);
}

bool type_unify_fits(struct type_unify *unify, const struct type *from, const struct type *to)
{
    return fits(unify, from, to, 0);
}

const struct type *type_unify_join(struct type_unify *unify, const struct type *a,
                                   const struct type *b)
{
    uint32_t mark = type_unify_mark(unify);
    if (!fits(unify, b, a, 0)) {
        type_unify_rewind(unify, mark);
        return type_simple(TYPE_DYN);
    }
    return general_of(unify, a, b, 0);
}

static const struct type *rebuild(struct type_unify *unify, const struct type *type,
                                  const struct type *const *parameters)
{
    if (type->kind == TYPE_LIST)
        return type_list(unify->arena, parameters[0]);
    if (type->kind == TYPE_MAP)
        return type_map(unify->arena, parameters[0], parameters[1]);
    if (type->kind == TYPE_OPTIONAL)
        return type_optional(unify->arena, parameters[0]);
    if (type->kind == TYPE_TYPE)
        return type_of_type(unify->arena, parameters[0]);
    ensure(type->kind == TYPE_ABSTRACT);
    return type_abstract(unify->arena, type->name, parameters, type->count);
}

static const struct type *apply(struct type_unify *unify, const struct type *type, bool ends,
                                unsigned depth)
{
    const struct type *parameters[PARAMETERS_MAX];
    bool is_changed = false;
    if (!may_go_on(unify, depth))
        return type_simple(TYPE_DYN);
    type = type_unify_resolve(unify, type);
    if (type->kind == TYPE_VARIABLE)
        return ends ? type_simple(TYPE_DYN) : type;
    if (!has_parameters(type) || type->count > PARAMETERS_MAX)
        return type;
    for (uint32_t i = 0; i < type->count; i++) {
        parameters[i] = apply(unify, type->parameters[i], ends, depth + 1);
        is_changed |= parameters[i] != type->parameters[i];
    }
    return is_changed ? rebuild(unify, type, parameters) : type;
}

const struct type *type_unify_apply(struct type_unify *unify, const struct type *type,
                                    bool ends)
{
    return apply(unify, type, ends, 0);
}
