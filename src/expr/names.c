/*
 * names.c - resolving qualified names.
 */
#include "expr/names.h"

#include "base/ensure.h"

struct names_path names_path_of(const struct ast *ast)
{
    struct names_path path;
    uint32_t count = 1;
    path.count = 0; /* the parts behind are not looked at */
    path.is_absolute = false;
    for (const struct ast *at = ast; at->kind == AST_SELECT; at = at->select.operand) {
        if (at->select.is_optional || ++count > NAMES_PARTS_MAX)
            return path;
    }
    const struct ast *at = ast;
    for (uint32_t i = count - 1; i > 0; i--) {
        path.parts[i] = at->select.field;
        at = at->select.operand;
    }
    if (at->kind != AST_NAME)
        return path;
    path.parts[0] = at->name.name;
    path.is_absolute = at->name.is_absolute;
    path.count = count;
    return path;
}

/* Takes `part` and, unless it is the last, a dot from the front of the name. */
static bool take_part(struct span *name, struct span part, bool is_last)
{
    if (name->size < part.size || !span_equal_short(span_slice(*name, 0, part.size), part))
        return false;
    *name = span_slice(*name, part.size, name->size);
    if (is_last)
        return name->size == 0;
    if (name->size == 0 || name->text[0] != '.')
        return false;
    *name = span_slice(*name, 1, name->size);
    return true;
}

static bool is_name(struct span name, struct span container, const struct names_path *path,
                    uint32_t count)
{
    if (container.size > 0 && !take_part(&name, container, false))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!take_part(&name, path->parts[i], i + 1 == count))
            return false;
    }
    return true;
}

/* How many bytes such a name has: most others are told apart by that. */
static size_t name_size(struct span container, const struct names_path *path, uint32_t count)
{
    size_t size = container.size + (container.size > 0) + count - 1;
    for (uint32_t i = 0; i < count; i++)
        size += path->parts[i].size;
    return size;
}

static size_t find_in(const struct expr_scope *scope, struct span container,
                      const struct names_path *path, uint32_t *used)
{
    for (uint32_t count = path->count; count > 0; count--) {
        size_t size = name_size(container, path, count);
        for (size_t i = 0; i < scope->variable_count; i++) {
            if (scope->variables[i].size == size &&
                is_name(scope->variables[i], container, path, count)) {
                *used = count;
                return i;
            }
        }
    }
    return SIZE_MAX;
}

/* "a.b.c" → "a.b"; "a" → "". */
static struct span outer_container(struct span container)
{
    size_t size = container.size;
    while (size > 0 && container.text[size - 1] != '.')
        size--;
    return span_slice(container, 0, size == 0 ? 0 : size - 1);
}

size_t names_find_variable(const struct expr_scope *scope, const struct names_path *path,
                           uint32_t *used)
{
    struct span container = path->is_absolute ? SPAN("") : scope->container;
    ensure(path->count > 0);
    while (container.size > 0) {
        size_t found = find_in(scope, container, path, used);
        if (found != SIZE_MAX)
            return found;
        container = outer_container(container);
    }
    return find_in(scope, container, path, used);
}

bool names_find_type(const struct names_path *path, struct value *type)
{
    for (enum value_kind kind = VALUE_NULL; kind < VALUE_ERROR; kind++) {
        struct span name = span_from_text(value_kind_name(kind));
        if (!is_name(name, SPAN(""), path, path->count))
            continue;
        *type = value_string(name);
        type->kind = VALUE_TYPE;
        return true;
    }
    return false;
}

const struct expr_function *names_find_function(const struct expr_scope *scope,
                                                struct span name)
{
    for (size_t i = 0; i < scope->function_count; i++) {
        if (span_equal(scope->functions[i].name, name))
            return &scope->functions[i];
    }
    return NULL;
}

struct span names_join(struct arena *arena, const struct names_path *path, uint32_t count)
{
    struct text text;
    text_init(&text, arena);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            text_add_byte(&text, '.');
        text_add(&text, path->parts[i]);
    }
    return text_span(&text);
}
