/*
 * slot.c - literals, text with expressions, expressions, and trees of these.
 *
 * A slot without any expression is kept as the finished value, so that running it copies
 * nothing. The pieces of a text are its literal parts and programs in turn.
 */
#include "expr/slot.h"

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "expr/convert.h"
#include "expr/foreign.h"

enum slot_kind { SLOT_LITERAL, SLOT_PROGRAM, SLOT_FOREIGN, SLOT_TEXT, SLOT_LIST, SLOT_MAP };

/* A literal part of a text, or a program when there is one. */
struct slot_piece {
    struct span literal;
    const struct expr_program *program;
};

struct expr_slot {
    enum slot_kind kind;
    uint32_t count;
    union {
        struct value literal;
        const struct expr_program *program;
        const struct expr_foreign *foreign;
        const struct slot_piece *pieces;
        const struct expr_slot *const *items;
    };
    const struct node_entry *entries; /* the keys of a map, in written order */
};

struct slot_compiler {
    const struct expr_scope *scope;
    struct arena *arena;
    struct diagnostics *diagnostics;
};

const struct expr_slot *expr_slot_literal(struct value value, struct arena *arena)
{
    struct expr_slot *slot = arena_new(arena, struct expr_slot);
    slot->kind = SLOT_LITERAL;
    slot->literal = value;
    return slot;
}

static struct slot_piece *add_piece(struct slot_compiler *compiler, struct slot_piece *pieces,
                                    uint32_t *count)
{
    if (*count < 4 ? *count == 0 : (*count & (*count - 1)) == 0) {
        size_t room = *count == 0 ? 4 : (size_t)*count * 2;
        struct slot_piece *larger = arena_new_array(compiler->arena, room, struct slot_piece);
        if (*count > 0)
            memcpy(larger, pieces, *count * sizeof *larger);
        pieces = larger;
    }
    pieces[(*count)++] = (struct slot_piece){SPAN(""), NULL};
    return pieces;
}

/* The next `${` that opens an expression, or `$${` that does not; SIZE_MAX when there is none.
 */
static size_t find_opening(struct span text, size_t from, bool *is_escaped)
{
    size_t at = span_find(text, SPAN("${"), from);
    *is_escaped = at != SIZE_MAX && at > from && text.text[at - 1] == '$';
    return *is_escaped ? at - 1 : at;
}

/* The expression of a `${` at `at`; *end is behind its `}`. NULL after a diagnostic. */
static const struct expr_program *compile_piece(struct slot_compiler *compiler,
                                                const struct node *node, size_t at, size_t *end)
{
    struct span text = node_text(node);
    size_t closing = expr_find_end(text, at + 2);
    if (closing == SIZE_MAX) {
        struct diagnostic *error = diagnostics_add(
            compiler->diagnostics, SEVERITY_ERROR, "IL0105", node_text_place(node, at),
            "'${' opens an expression that does not end");
        diagnostic_help(compiler->diagnostics, error,
                        "close it with '}', or write '$${' for "
                        "the two characters themselves");
        *end = text.size;
        return NULL;
    }
    *end = closing + 1;
    return expr_compile_part(node, at + 2, closing, compiler->scope, compiler->arena,
                             compiler->diagnostics);
}

/* Text up to each opening, then what it opens, until the end. */
static struct slot_piece *compile_pieces(struct slot_compiler *compiler,
                                         const struct node *node, uint32_t *count,
                                         bool *is_wrong)
{
    struct span text = node_text(node);
    struct slot_piece *pieces = NULL;
    size_t at = 0;
    while (at < text.size) {
        bool is_escaped;
        size_t opening = find_opening(text, at, &is_escaped);
        size_t stop = opening == SIZE_MAX ? text.size : opening;
        if (is_escaped)
            stop++; /* the first '$' stays, the second goes */
        if (stop > at) {
            pieces = add_piece(compiler, pieces, count);
            pieces[*count - 1].literal = span_slice(text, at, stop);
        }
        at = stop;
        if (opening == SIZE_MAX)
            break;
        if (is_escaped) {
            pieces = add_piece(compiler, pieces, count);
            pieces[*count - 1].literal = SPAN("{");
            at = opening + 3;
            continue;
        }
        pieces = add_piece(compiler, pieces, count);
        pieces[*count - 1].program = compile_piece(compiler, node, opening, &at);
        *is_wrong |= pieces[*count - 1].program == NULL;
    }
    return pieces;
}

/* A text without expressions is a literal, its escapes resolved. */
static struct value join_literals(struct slot_compiler *compiler,
                                  const struct slot_piece *pieces, uint32_t count)
{
    struct text text;
    text_init(&text, compiler->arena);
    for (uint32_t i = 0; i < count; i++)
        text_add(&text, pieces[i].literal);
    return value_string(text_span(&text));
}

static const struct expr_slot *compile_text(struct slot_compiler *compiler,
                                            const struct node *node)
{
    uint32_t count = 0;
    bool is_wrong = false;
    bool has_program = false;
    struct slot_piece *pieces = compile_pieces(compiler, node, &count, &is_wrong);
    if (is_wrong)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        has_program |= pieces[i].program != NULL;
    if (!has_program)
        return expr_slot_literal(join_literals(compiler, pieces, count), compiler->arena);
    struct expr_slot *slot = arena_new(compiler->arena, struct expr_slot);
    slot->kind = count == 1 ? SLOT_PROGRAM : SLOT_TEXT;
    slot->count = count;
    if (count == 1)
        slot->program = pieces[0].program;
    else
        slot->pieces = pieces;
    return slot;
}

static const struct expr_slot *compile_node(struct slot_compiler *compiler,
                                            const struct node *node);
static struct value run_tree(const struct expr_slot *slot, const struct expr_frame *frame,
                             struct arena *arena);

static const struct expr_slot *compile_tree(struct slot_compiler *compiler,
                                            const struct node *node)
{
    const struct expr_slot **items =
        arena_new_array(compiler->arena, node->count, const struct expr_slot *);
    bool is_wrong = false;
    bool is_literal = true;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *part =
            node->kind == NODE_LIST ? node->items[i] : node->entries[i].value;
        items[i] = compile_node(compiler, part);
        is_wrong |= items[i] == NULL;
        is_literal &= items[i] != NULL && items[i]->kind == SLOT_LITERAL;
    }
    if (is_wrong)
        return NULL;
    struct expr_slot *slot = arena_new(compiler->arena, struct expr_slot);
    slot->kind = node->kind == NODE_LIST ? SLOT_LIST : SLOT_MAP;
    slot->count = node->count;
    slot->items = items;
    slot->entries = node->kind == NODE_MAP ? node->entries : NULL;
    if (!is_literal)
        return slot;
    struct value value = run_tree(slot, NULL, compiler->arena);
    return expr_slot_literal(value, compiler->arena);
}

static const struct expr_slot *compile_foreign(struct slot_compiler *compiler,
                                               const struct node *node)
{
    const struct expr_foreign *foreign = expr_foreign_compile(
        node, EXPR_VALUE, compiler->scope, compiler->arena, compiler->diagnostics);
    if (foreign == NULL)
        return NULL;
    struct expr_slot *slot = arena_new(compiler->arena, struct expr_slot);
    slot->kind = SLOT_FOREIGN;
    slot->foreign = foreign;
    return slot;
}

/* {"@expr": "…"} and {"@expr": "…", "@lang": "cel"}; false when the map is an ordinary one. */
static bool compile_marked(struct slot_compiler *compiler, const struct node *node,
                           const struct expr_slot **slot)
{
    const struct node *text = node_find(node, SPAN("@expr"));
    const struct node *language = node_find(node, SPAN("@lang"));
    uint32_t known = 1 + (language != NULL);
    *slot = NULL;
    if (text == NULL)
        return false;
    if (node->count != known || !node_is_string(text)) {
        diagnostics_add(compiler->diagnostics, SEVERITY_ERROR, "IL0105", node->place,
                        "an expression is {\"@expr\": TEXT, \"@lang\": \"cel\"} and nothing "
                        "else");
        return true;
    }
    if (expr_is_foreign(node)) {
        *slot = compile_foreign(compiler, node);
        return true;
    }
    const struct expr_program *program = expr_compile_part(
        text, 0, node_text(text).size, compiler->scope, compiler->arena, compiler->diagnostics);
    if (program == NULL)
        return true;
    struct expr_slot *made = arena_new(compiler->arena, struct expr_slot);
    made->kind = SLOT_PROGRAM;
    made->program = program;
    *slot = made;
    return true;
}

static const struct expr_slot *compile_node(struct slot_compiler *compiler,
                                            const struct node *node)
{
    const struct expr_slot *slot;
    if (node_is_string(node))
        return compile_text(compiler, node);
    if (node->kind == NODE_SCALAR)
        return expr_slot_literal(node->scalar, compiler->arena);
    if (compile_marked(compiler, node, &slot))
        return slot;
    return compile_tree(compiler, node);
}

const struct expr_slot *expr_slot_compile(const struct node *node,
                                          const struct expr_scope *scope, struct arena *arena,
                                          struct diagnostics *diagnostics)
{
    struct slot_compiler compiler = {scope, arena, diagnostics};
    return compile_node(&compiler, node);
}

static struct value run_part(const struct expr_slot *slot, const struct expr_frame *frame,
                             struct arena *arena);

static bool add_value(struct text *text, struct value value, expr_slot_add *add,
                      struct arena *arena)
{
    struct text written;
    if (add == NULL)
        return convert_add_text(text, value);
    text_init(&written, arena);
    if (!convert_add_text(&written, value))
        return false;
    add(text, text_span(&written));
    return true;
}

static struct value run_text(const struct expr_slot *slot, const struct expr_frame *frame,
                             expr_slot_add *add, struct arena *arena)
{
    struct text text;
    text_init(&text, arena);
    for (uint32_t i = 0; i < slot->count; i++) {
        if (slot->pieces[i].program == NULL) {
            text_add(&text, slot->pieces[i].literal);
            continue;
        }
        struct value value = expr_run(slot->pieces[i].program, frame, arena);
        if (value.kind == VALUE_ERROR)
            return value;
        if (!add_value(&text, value, add, arena))
            return value_error(text_print(arena, "a value of type %s has no place in a text",
                                          vm_kind_name(value.kind)));
        if (text.size > VALUE_BYTES_MAX)
            return value_error(SPAN("the value is larger than a value may be"));
    }
    return value_string(text_span(&text));
}

/* In another language a member that is undefined is one that is not there. */
static bool is_undefined(const struct expr_slot *slot, struct value value)
{
    return slot->kind == SLOT_FOREIGN && value.kind == VALUE_OPTIONAL && value.items == NULL;
}

static struct value run_tree(const struct expr_slot *slot, const struct expr_frame *frame,
                             struct arena *arena)
{
    bool is_list = slot->kind == SLOT_LIST;
    uint32_t count = 0;
    struct value *items = arena_new_array(arena, is_list ? slot->count : 0, struct value);
    struct value_entry *entries =
        arena_new_array(arena, is_list ? 0 : slot->count, struct value_entry);
    for (uint32_t i = 0; i < slot->count; i++) {
        struct value value = run_part(slot->items[i], frame, arena);
        if (value.kind == VALUE_ERROR)
            return value;
        bool is_missing = is_undefined(slot->items[i], value);
        if (is_list)
            items[count++] = is_missing ? value_null() : value;
        else if (!is_missing)
            entries[count++] = (struct value_entry){value_string(slot->entries[i].key), value};
    }
    return is_list ? value_list(items, count) : value_map(entries, count);
}

static struct value run_part(const struct expr_slot *slot, const struct expr_frame *frame,
                             struct arena *arena)
{
    switch (slot->kind) {
    case SLOT_LITERAL:
        return slot->literal;
    case SLOT_PROGRAM:
        return expr_run(slot->program, frame, arena);
    case SLOT_FOREIGN:
        return expr_foreign_run(slot->foreign, value_null(), frame, arena);
    case SLOT_TEXT:
        return run_text(slot, frame, NULL, arena);
    case SLOT_LIST:
    case SLOT_MAP:
        return run_tree(slot, frame, arena);
    }
    never();
}

/* Sets the guard for texts and trees; programs have their own. */
static struct value run_guarded(const struct expr_slot *slot, const struct expr_frame *frame,
                                expr_slot_add *add, struct arena *arena)
{
    struct arena_guard guard;
    struct arena_mark mark = arena_mark(arena);
    if (slot->kind <= SLOT_FOREIGN)
        return run_part(slot, frame, arena);
    if (arena_is_spent(arena, &guard)) {
        arena_rewind(arena, mark);
        if (arena->guard != NULL)
            arena_spend(arena);
        return value_error(SPAN("the value needs more memory than it may use"));
    }
    struct value value = slot->kind == SLOT_TEXT ? run_text(slot, frame, add, arena)
                                                 : run_part(slot, frame, arena);
    arena_release_guard(arena, &guard);
    return value;
}

struct value expr_slot_run(const struct expr_slot *slot, const struct expr_frame *frame,
                           struct arena *arena)
{
    return run_guarded(slot, frame, NULL, arena);
}

struct value expr_slot_run_quoted(const struct expr_slot *slot, const struct expr_frame *frame,
                                  expr_slot_add *add, struct arena *arena)
{
    return run_guarded(slot, frame, add, arena);
}

bool expr_slot_is_literal(const struct expr_slot *slot)
{
    return slot->kind == SLOT_LITERAL;
}

const struct value *expr_slot_value(const struct expr_slot *slot)
{
    return slot->kind == SLOT_LITERAL ? &slot->literal : NULL;
}

const struct expr_program *expr_slot_program(const struct expr_slot *slot)
{
    return slot->kind == SLOT_PROGRAM ? slot->program : NULL;
}

static void write_text_slot(struct text *text, const struct expr_slot *slot)
{
    for (uint32_t i = 0; i < slot->count; i++) {
        const struct slot_piece *piece = &slot->pieces[i];
        text_add(text, i == 0 ? SPAN("") : SPAN(" + "));
        if (piece->program == NULL) {
            json_write_string(text, piece->literal);
            continue;
        }
        text_add(text, SPAN("string("));
        expr_write(text, piece->program);
        text_add_byte(text, ')');
    }
}

void expr_slot_write(struct text *text, const struct expr_slot *slot)
{
    bool is_list = slot->kind == SLOT_LIST;
    switch (slot->kind) {
    case SLOT_LITERAL:
        json_write(text, slot->literal);
        return;
    case SLOT_PROGRAM:
        expr_write(text, slot->program);
        return;
    case SLOT_FOREIGN:
        text_add(text, slot->foreign->text);
        return;
    case SLOT_TEXT:
        write_text_slot(text, slot);
        return;
    case SLOT_LIST:
    case SLOT_MAP:
        text_add_byte(text, is_list ? '[' : '{');
        for (uint32_t i = 0; i < slot->count; i++) {
            text_add(text, i == 0 ? SPAN("") : SPAN(", "));
            if (!is_list) {
                json_write_string(text, slot->entries[i].key);
                text_add(text, SPAN(": "));
            }
            expr_slot_write(text, slot->items[i]);
        }
        text_add_byte(text, is_list ? ']' : '}');
        return;
    }
    never();
}

bool expr_slot_is_map(const struct expr_slot *slot)
{
    bool is_literal = slot->kind == SLOT_LITERAL && slot->literal.kind == VALUE_MAP;
    return is_literal ? slot->literal.count > 0 : slot->kind == SLOT_MAP;
}

const struct expr_slot *expr_slot_member(const struct expr_slot *slot, uint32_t index,
                                         struct span *key, struct arena *arena)
{
    ensure(expr_slot_is_map(slot));
    if (slot->kind == SLOT_MAP && index < slot->count) {
        *key = slot->entries[index].key;
        return slot->items[index];
    }
    if (slot->kind == SLOT_MAP || index >= slot->literal.count)
        return NULL;
    *key = value_span(slot->literal.entries[index].key);
    return expr_slot_literal(slot->literal.entries[index].value, arena);
}

bool expr_slot_is_foreign(const struct expr_slot *slot)
{
    bool is_foreign = slot->kind == SLOT_FOREIGN;
    for (uint32_t i = 0; slot->kind >= SLOT_LIST && i < slot->count; i++)
        is_foreign = is_foreign || expr_slot_is_foreign(slot->items[i]);
    return is_foreign;
}

bool expr_slot_uses(const struct expr_slot *slot, uint32_t variable)
{
    bool uses = slot->kind == SLOT_FOREIGN || /* who knows */
                (slot->kind == SLOT_PROGRAM && expr_uses(slot->program, variable));
    for (uint32_t i = 0; slot->kind == SLOT_TEXT && i < slot->count; i++)
        uses |= slot->pieces[i].program != NULL && expr_uses(slot->pieces[i].program, variable);
    for (uint32_t i = 0; slot->kind >= SLOT_LIST && i < slot->count; i++)
        uses |= expr_slot_uses(slot->items[i], variable);
    return uses;
}

/* Null, lists and maps have no place in a text. */
static void check_text(const struct expr_slot *slot, const struct expr_scope *scope,
                       struct arena *arena, struct diagnostics *diagnostics)
{
    for (uint32_t i = 0; i < slot->count; i++) {
        const struct expr_program *program = slot->pieces[i].program;
        if (program == NULL)
            continue;
        const struct type *type = expr_check(program, scope, arena, diagnostics);
        if (type->kind == TYPE_NULL || type->kind == TYPE_LIST || type->kind == TYPE_MAP ||
            type->kind == TYPE_RECORD)
            expr_object(program, diagnostics, "%.*s has no place in a text",
                        SPAN_ARGS(type_text(arena, type)));
    }
}

/* A part that is null may be anything later. */
static const struct type *check_part(const struct expr_slot *slot,
                                     const struct expr_scope *scope, struct arena *arena,
                                     struct diagnostics *diagnostics)
{
    const struct type *type = expr_slot_check(slot, scope, arena, diagnostics);
    return type->kind == TYPE_NULL ? type_simple(TYPE_DYN) : type;
}

static const struct type *check_list(const struct expr_slot *slot,
                                     const struct expr_scope *scope, struct arena *arena,
                                     struct diagnostics *diagnostics)
{
    const struct type *element = type_simple(TYPE_NULL);
    for (uint32_t i = 0; i < slot->count; i++)
        element =
            type_join(arena, element, check_part(slot->items[i], scope, arena, diagnostics));
    return type_list(arena, slot->count == 0 ? type_simple(TYPE_DYN) : element);
}

static const struct type *check_map(const struct expr_slot *slot,
                                    const struct expr_scope *scope, struct arena *arena,
                                    struct diagnostics *diagnostics)
{
    struct type_field *fields = arena_new_array(arena, slot->count, struct type_field);
    for (uint32_t i = 0; i < slot->count; i++)
        fields[i] = (struct type_field){slot->entries[i].key,
                                        check_part(slot->items[i], scope, arena, diagnostics)};
    return type_record(arena, fields, slot->count, true);
}

const struct type *expr_slot_check(const struct expr_slot *slot, const struct expr_scope *scope,
                                   struct arena *arena, struct diagnostics *diagnostics)
{
    switch (slot->kind) {
    case SLOT_LITERAL:
        return slot->literal.kind == VALUE_NULL ? type_simple(TYPE_NULL)
                                                : type_of_value(arena, slot->literal);
    case SLOT_PROGRAM:
        return expr_check(slot->program, scope, arena, diagnostics);
    case SLOT_FOREIGN: /* another language */
        return type_simple(TYPE_DYN);
    case SLOT_TEXT:
        check_text(slot, scope, arena, diagnostics);
        return type_simple(TYPE_STRING);
    case SLOT_LIST:
        return check_list(slot, scope, arena, diagnostics);
    case SLOT_MAP:
        return check_map(slot, scope, arena, diagnostics);
    }
    never();
}
