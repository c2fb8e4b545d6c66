/*
 * reason_read.c - which parts of a predicate are atoms, and what they read.
 *
 * The simple atoms are told by their form: a place, has() of one, a place compared with a
 * constant or with another place. Every other boolean part is a function of the places in it:
 * of one place, then it is tried on each of the place's choices, and a choice is added about
 * which nothing is known; of several, then what it comes to is a choice of its own.
 */
#include "expr/reason_read.h"

#include "base/ensure.h"
#include "base/limits.h"
#include "expr/emit.h"
#include "expr/names.h"
#include "expr/vm.h"

enum {
    KINDS_NUMBER = 1 << VALUE_INT | 1 << VALUE_DOUBLE,
    KINDS_SCALAR = 1 << VALUE_NULL | 1 << VALUE_BOOL | 1 << VALUE_INT | 1 << VALUE_UINT |
                   1 << VALUE_STRING | 1 << VALUE_TIMESTAMP | 1 << VALUE_DURATION,
    KINDS_SIZED = 1 << VALUE_LIST | 1 << VALUE_STRING | 1 << VALUE_MAP
};

struct reader {
    struct reason *reason;
    struct arena *arena;
};

/* A place, or what is made of it before it is compared. */
struct subject {
    uint32_t cell;
    enum reason_view view;
};

/* What is in an expression. */
struct contents {
    const struct reason_link *places;
    uint32_t place_count;
    const struct reason_seed *seeds;
    bool needs_host;
};

/* Cells */

static void *grow(struct arena *arena, void *array, uint32_t count, uint32_t *capacity,
                  size_t size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity == 0 ? 16 : *capacity * 2;
    void *larger = arena_get_array(arena, *capacity, size);
    if (count > 0)
        memcpy(larger, array, count * size);
    return larger;
}

static uint32_t add_cell(struct reader *reader, struct reason_cell cell)
{
    struct reason *reason = reader->reason;
    reason->cells = grow(reader->arena, reason->cells, reason->cell_count,
                         &reason->cell_capacity, sizeof *reason->cells);
    reason->cells[reason->cell_count] = cell;
    reason->is_over |= reason->cell_count >= REASON_CELLS_MAX;
    return reason->cell_count++;
}

static void write_path(struct text *text, const struct reason *reason, uint32_t place)
{
    const struct reason_cell *cell = &reason->cells[place];
    if (cell->parent == REASON_NONE) {
        text_add(text, reason->world->scope->variables[cell->slot]);
        return;
    }
    write_path(text, reason, cell->parent);
    text_add_byte(text, '.');
    text_add(text, cell->member);
}

static void find_field(struct reader *reader, uint32_t place)
{
    const struct reason_world *world = reader->reason->world;
    struct text text;
    text_init(&text, reader->arena);
    write_path(&text, reader->reason, place);
    for (size_t i = 0; i < world->field_count; i++) {
        if (span_equal(world->fields[i].path, text_span(&text)))
            reader->reason->cells[place].field = &world->fields[i];
    }
}

static const struct reason_link *link_to(struct reader *reader, uint32_t cell,
                                         const struct reason_link *next)
{
    struct reason_link *link = arena_new(reader->arena, struct reason_link);
    *link = (struct reason_link){cell, next};
    return link;
}

static uint32_t place_of_slot(struct reader *reader, uint32_t slot)
{
    struct reason *reason = reader->reason;
    for (uint32_t i = 0; i < reason->cell_count; i++) {
        if (reason->cells[i].kind == CELL_PLACE && reason->cells[i].parent == REASON_NONE &&
            reason->cells[i].slot == slot)
            return i;
    }
    uint32_t place = add_cell(
        reader, (struct reason_cell){.kind = CELL_PLACE, .parent = REASON_NONE, .slot = slot});
    find_field(reader, place);
    return place;
}

static uint32_t place_of_member(struct reader *reader, uint32_t parent, struct span member)
{
    struct reason *reason = reader->reason;
    if (parent == REASON_NONE)
        return REASON_NONE;
    for (const struct reason_link *at = reason->cells[parent].members; at != NULL;
         at = at->next) {
        if (span_equal(reason->cells[at->cell].member, member))
            return at->cell;
    }
    uint32_t place = add_cell(reader, (struct reason_cell){.kind = CELL_PLACE,
                                                           .parent = parent,
                                                           .slot = reason->cells[parent].slot,
                                                           .member = member});
    reason->cells[parent].members = link_to(reader, place, reason->cells[parent].members);
    find_field(reader, place);
    return place;
}

static uint32_t place_of_path(struct reader *reader, const struct names_path *path)
{
    uint32_t used = 0;
    size_t slot = names_find_variable(reader->reason->world->scope, path, &used);
    if (slot == SIZE_MAX)
        return REASON_NONE;
    uint32_t place = place_of_slot(reader, (uint32_t)slot);
    for (uint32_t i = used; i < path->count; i++)
        place = place_of_member(reader, place, path->parts[i]);
    return place;
}

/* The place that an expression names, as in a.b, a['b'].c; or REASON_NONE. */
static uint32_t place_of(struct reader *reader, const struct ast *ast)
{
    if (ast->kind == AST_INDEX && !ast->index.is_optional &&
        ast->index.index->kind == AST_LITERAL && ast->index.index->literal.kind == VALUE_STRING)
        return place_of_member(reader, place_of(reader, ast->index.operand),
                               value_span(ast->index.index->literal));
    if (ast->kind != AST_NAME && (ast->kind != AST_SELECT || ast->select.is_optional))
        return REASON_NONE;
    struct names_path path = names_path_of(ast);
    if (path.count > 0)
        return place_of_path(reader, &path);
    if (ast->kind == AST_NAME)
        return REASON_NONE;
    return place_of_member(reader, place_of(reader, ast->select.operand), ast->select.field);
}

/* The place of a.?b and has(a.b), which may well be missing. */
static uint32_t place_asked_for(struct reader *reader, const struct ast *ast)
{
    if (ast->kind != AST_HAS && (ast->kind != AST_SELECT || !ast->select.is_optional))
        return REASON_NONE;
    uint32_t place =
        place_of_member(reader, place_of(reader, ast->select.operand), ast->select.field);
    if (place != REASON_NONE)
        reader->reason->cells[place].is_asked_for = true;
    return place;
}

/* What is in an expression */

static void add_place(struct reader *reader, struct contents *contents, uint32_t place)
{
    for (const struct reason_link *at = contents->places; at != NULL; at = at->next) {
        if (at->cell == place)
            return;
    }
    contents->places = link_to(reader, place, contents->places);
    contents->place_count++;
}

static const struct reason_seed *seed_before(struct reader *reader, struct value value,
                                             const struct reason_seed *next)
{
    struct reason_seed *seed = arena_new(reader->arena, struct reason_seed);
    *seed = (struct reason_seed){value, next};
    return seed;
}

static void look_into(struct reader *reader, struct contents *contents, const struct ast *ast);

static void look_into_call(struct reader *reader, struct contents *contents,
                           const struct ast *ast)
{
    contents->needs_host |=
        ast->call.target == NULL &&
        names_find_function(reader->reason->world->scope, ast->call.name) != NULL;
    look_into(reader, contents, ast->call.target);
    for (uint32_t i = 0; i < ast->call.count; i++)
        look_into(reader, contents, ast->call.arguments[i]);
}

/* Finds places and literals. The variables of macros may be taken for places of the same
 * name: one more place to read does no harm. */
static void look_into(struct reader *reader, struct contents *contents, const struct ast *ast)
{
    if (ast == NULL)
        return;
    uint32_t place = place_of(reader, ast);
    if (place == REASON_NONE)
        place = place_asked_for(reader, ast);
    if (place != REASON_NONE) {
        add_place(reader, contents, place);
        return;
    }
    switch (ast->kind) {
    case AST_LITERAL:
        contents->seeds = seed_before(reader, ast->literal, contents->seeds);
        return;
    case AST_NAME:
        return;
    case AST_SELECT:
    case AST_HAS:
        look_into(reader, contents, ast->select.operand);
        return;
    case AST_INDEX:
        look_into(reader, contents, ast->index.operand);
        look_into(reader, contents, ast->index.index);
        return;
    case AST_UNARY:
        look_into(reader, contents, ast->operation.left);
        return;
    case AST_BINARY:
        look_into(reader, contents, ast->operation.left);
        look_into(reader, contents, ast->operation.right);
        return;
    case AST_AND:
    case AST_OR:
        for (uint32_t i = 0; i < ast->logic.count; i++)
            look_into(reader, contents, ast->logic.operands[i]);
        return;
    case AST_CONDITION:
        look_into(reader, contents, ast->condition.condition);
        look_into(reader, contents, ast->condition.then);
        look_into(reader, contents, ast->condition.otherwise);
        return;
    case AST_CALL:
        look_into_call(reader, contents, ast);
        return;
    case AST_LIST:
        for (uint32_t i = 0; i < ast->list.count; i++)
            look_into(reader, contents, ast->list.elements[i].value);
        return;
    case AST_MAP:
        for (uint32_t i = 0; i < ast->map.count; i++) {
            look_into(reader, contents, ast->map.entries[i].key);
            look_into(reader, contents, ast->map.entries[i].value);
        }
        return;
    case AST_FOLD:
        look_into(reader, contents, ast->fold.range);
        look_into(reader, contents, ast->fold.condition);
        look_into(reader, contents, ast->fold.body);
        return;
    case AST_BIND:
    case AST_OPTIONAL_MAP:
        look_into(reader, contents, ast->bind.value);
        look_into(reader, contents, ast->bind.body);
        return;
    }
    never();
}

/* Constants and subjects */

/* The part as a program of its own; NULL when it is none. */
static const struct expr_program *compile(struct reader *reader, const struct ast *ast)
{
    struct diagnostics diagnostics;
    struct remarks remarks = {.diagnostics = &diagnostics};
    diagnostics_init(&diagnostics, reader->arena);
    return emit_program(ast, reader->reason->world->scope, reader->arena, &remarks);
}

/* True when every value of a record is equal to it, less, greater, or of another kind. */
static bool is_scalar(struct value value)
{
    if (value.kind == VALUE_DOUBLE)
        return value.real - value.real == 0; /* neither NaN nor infinite */
    return (reason_kind_bit((enum value_kind)value.kind) & KINDS_SCALAR) != 0;
}

/* The value of an expression that reads nothing, when it is no error. */
static bool find_constant(struct reader *reader, const struct ast *ast, struct value *value)
{
    struct contents contents = {.places = NULL};
    look_into(reader, &contents, ast);
    if (contents.place_count > 0 || contents.needs_host)
        return false;
    const struct expr_program *program = compile(reader, ast);
    size_t slot_count = reader->reason->world->scope->variable_count;
    struct value *slots = arena_new_array(reader->arena, slot_count, struct value);
    for (size_t i = 0; i < slot_count; i++)
        slots[i] = reason_unbound();
    struct expr_frame frame = {.slots = slots, .slot_count = slot_count};
    if (program == NULL)
        return false;
    *value = expr_run(program, &frame, reader->arena);
    return !value_is_error(*value);
}

static bool is_call(const struct ast *ast, const char *name, bool is_method, uint32_t count)
{
    return ast->kind == AST_CALL && (ast->call.target != NULL) == is_method &&
           ast->call.count == count && span_is(ast->call.name, name);
}

static bool find_subject(struct reader *reader, const struct ast *ast, struct subject *subject)
{
    struct value fallback;
    *subject = (struct subject){place_of(reader, ast), VIEW_VALUE};
    if (subject->cell == REASON_NONE && is_call(ast, "orValue", true, 1) &&
        find_constant(reader, ast->call.arguments[0], &fallback)) {
        subject->cell = place_asked_for(reader, ast->call.target);
    } else if (is_call(ast, "timestamp", false, 1)) {
        subject->cell = place_of(reader, ast->call.arguments[0]);
        subject->view = VIEW_TIME;
    } else if (is_call(ast, "size", false, 1) || is_call(ast, "size", true, 0)) {
        subject->cell = place_of(reader, ast->call.target != NULL ? ast->call.target
                                                                  : ast->call.arguments[0]);
        subject->view = VIEW_SIZE;
    }
    return subject->cell != REASON_NONE;
}

/* Atoms */

static uint32_t used_kinds(enum reason_view view, struct value constant)
{
    if (view == VIEW_TIME)
        return reason_kind_bit(VALUE_STRING);
    if (view == VIEW_SIZE)
        return KINDS_SIZED;
    if (constant.kind == VALUE_INT || constant.kind == VALUE_UINT ||
        constant.kind == VALUE_DOUBLE)
        return KINDS_NUMBER;
    return reason_kind_bit((enum value_kind)constant.kind);
}

static void add_seed(struct reader *reader, uint32_t place, enum reason_view view,
                     struct value value)
{
    struct reason_cell *cell = &reader->reason->cells[place];
    const struct reason_seed **seeds = view == VIEW_SIZE   ? &cell->sizes
                                       : view == VIEW_TIME ? &cell->times
                                                           : &cell->seeds;
    cell->kinds_used |= used_kinds(view, value);
    cell->views |= view;
    if (cell->seed_count++ < REASON_CHOICES_MAX)
        *seeds = seed_before(reader, value, *seeds);
    else
        cell->views |= VIEW_OTHER;
}

static bool suits(enum reason_view view, struct value constant)
{
    if (view == VIEW_TIME)
        return constant.kind == VALUE_TIMESTAMP;
    if (view == VIEW_SIZE)
        return constant.kind == VALUE_INT;
    return is_scalar(constant);
}

static bool is_comparison(const struct ast *ast)
{
    return ast->kind == AST_BINARY && ast->operation.operator<= AST_NOT_EQUAL;
}

/* The operator with its operands the other way round. */
static enum ast_operator mirrored(enum ast_operator operator)
{
    static const enum ast_operator mirror[] = {
        [AST_LESS] = AST_GREATER, [AST_LESS_EQUAL] = AST_GREATER_EQUAL,
        [AST_GREATER] = AST_LESS, [AST_GREATER_EQUAL] = AST_LESS_EQUAL,
        [AST_EQUAL] = AST_EQUAL,  [AST_NOT_EQUAL] = AST_NOT_EQUAL,
    };
    return mirror[operator];
}

/* subject < constant, and the other way round. */
static bool read_comparison(struct reader *reader, struct reason_atom *atom)
{
    struct subject subject;
    struct value constant;
    const struct ast *left = atom->ast->operation.left;
    const struct ast *right = atom->ast->operation.right;
    atom->operator= atom->ast->operation.operator;
    if (!find_subject(reader, left, &subject) || !find_constant(reader, right, &constant)) {
        atom->operator= mirrored(atom->operator);
        if (!find_subject(reader, right, &subject) || !find_constant(reader, left, &constant))
            return false;
    }
    if (!suits(subject.view, constant))
        return false;
    add_seed(reader, subject.cell, subject.view, constant);
    atom->cell = subject.cell;
    atom->view = subject.view;
    atom->form = FORM_COMPARISON;
    atom->constant = constant;
    return true;
}

/* subject in [constants] */
static bool read_membership(struct reader *reader, struct reason_atom *atom)
{
    struct subject subject;
    struct value list;
    if (!find_subject(reader, atom->ast->operation.left, &subject) ||
        !find_constant(reader, atom->ast->operation.right, &list) || list.kind != VALUE_LIST)
        return false;
    for (uint32_t i = 0; i < list.count; i++) {
        if (!suits(subject.view, list.items[i]))
            return false;
    }
    for (uint32_t i = 0; i < list.count; i++)
        add_seed(reader, subject.cell, subject.view, list.items[i]);
    atom->cell = subject.cell;
    atom->view = subject.view;
    atom->form = FORM_MEMBERSHIP;
    atom->constant = list;
    return true;
}

/* place < place: one cell for all comparisons of the two. */
static bool read_order(struct reader *reader, struct reason_atom *atom)
{
    struct reason *reason = reader->reason;
    uint32_t left = place_of(reader, atom->ast->operation.left);
    uint32_t right = place_of(reader, atom->ast->operation.right);
    if (left == REASON_NONE || right == REASON_NONE || left == right)
        return false;
    atom->is_swapped = left > right;
    atom->form = FORM_ORDER;
    atom->operator= atom->ast->operation.operator;
    uint32_t first = left < right ? left : right;
    uint32_t second = left < right ? right : left;
    reason->cells[first].is_shared = reason->cells[second].is_shared = true;
    for (uint32_t i = 0; i < reason->cell_count; i++) {
        const struct reason_cell *cell = &reason->cells[i];
        if (cell->kind == CELL_ORDER && cell->reads->cell == first &&
            cell->reads->next->cell == second) {
            atom->cell = i;
            return true;
        }
    }
    struct reason_cell cell = {.kind = CELL_ORDER, .parent = REASON_NONE, .ast = atom->ast};
    cell.reads = link_to(reader, first, link_to(reader, second, NULL));
    atom->cell = add_cell(reader, cell);
    return true;
}

static bool read_simple(struct reader *reader, struct reason_atom *atom)
{
    const struct ast *ast = atom->ast;
    atom->view = VIEW_VALUE;
    atom->is_strict = true;
    if (is_comparison(ast))
        return read_comparison(reader, atom) || read_order(reader, atom);
    if (ast->kind == AST_BINARY && ast->operation.operator== AST_IN)
        return read_membership(reader, atom);
    if (ast->kind == AST_HAS || is_call(ast, "hasValue", true, 0)) {
        atom->cell = place_asked_for(reader, ast->kind == AST_HAS ? ast : ast->call.target);
        atom->form = FORM_PRESENCE;
        return atom->cell != REASON_NONE;
    }
    struct subject subject;
    if (!find_subject(reader, ast, &subject) || subject.view != VIEW_VALUE)
        return false;
    atom->cell = subject.cell;
    atom->form = FORM_BARE;
    reader->reason->cells[atom->cell].kinds_used |= reason_kind_bit(VALUE_BOOL);
    return true;
}

static void read_opaque(struct reader *reader, struct reason_atom *atom,
                        const struct contents *contents)
{
    for (const struct reason_link *at = contents->places; at != NULL; at = at->next) {
        struct reason_cell *place = &reader->reason->cells[at->cell];
        place->is_shared = true;
        for (const struct reason_seed *seed = contents->seeds; seed != NULL; seed = seed->next)
            if (is_scalar(seed->value))
                add_seed(reader, at->cell, VIEW_VALUE, seed->value);
    }
    atom->cell = add_cell(reader, (struct reason_cell){.kind = CELL_OPAQUE,
                                                       .parent = REASON_NONE,
                                                       .ast = atom->ast,
                                                       .reads = contents->places,
                                                       .needs_host = contents->needs_host});
}

/* A function of one place that has no simple form. */
static void read_function(struct reader *reader, struct reason_atom *atom,
                          const struct contents *contents)
{
    atom->cell = contents->places->cell;
    atom->view = VIEW_OTHER;
    for (const struct reason_seed *seed = contents->seeds; seed != NULL; seed = seed->next) {
        if (is_scalar(seed->value))
            add_seed(reader, atom->cell, VIEW_VALUE, seed->value);
    }
    reader->reason->cells[atom->cell].views |= VIEW_OTHER;
}

static void read_atom(struct reader *reader, struct reason_atom *atom)
{
    struct contents contents = {.places = NULL};
    atom->cell = REASON_NONE;
    atom->program = compile(reader, atom->ast);
    if (read_simple(reader, atom))
        return;
    atom->form = FORM_OTHER;
    atom->is_strict = false;
    look_into(reader, &contents, atom->ast);
    if (contents.needs_host || contents.place_count > 1 || atom->program == NULL)
        read_opaque(reader, atom, &contents);
    else if (contents.place_count == 1)
        read_function(reader, atom, &contents);
}

static uint32_t find_atom(struct reader *reader, const struct ast *ast)
{
    struct reason *reason = reader->reason;
    struct reason_atom atom = {.ast = ast};
    struct text text;
    text_init(&text, reader->arena);
    ast_write(&text, ast);
    atom.text = text_span(&text);
    for (uint32_t i = 0; i < reason->atom_count; i++) {
        if (span_equal(reason->atoms[i].text, atom.text))
            return i;
    }
    read_atom(reader, &atom);
    reason->atoms = grow(reader->arena, reason->atoms, reason->atom_count,
                         &reason->atom_capacity, sizeof *reason->atoms);
    reason->atoms[reason->atom_count] = atom;
    return reason->atom_count++;
}

/* Formulas */

static const struct reason_formula *read_formula(struct reader *reader, const struct ast *ast);

static const struct reason_formula *join(struct reader *reader, enum formula_kind kind,
                                         const struct ast *const *operands, uint32_t count)
{
    struct reason_formula *formula = arena_new(reader->arena, struct reason_formula);
    const struct reason_formula **parts =
        arena_new_array(reader->arena, count, const struct reason_formula *);
    for (uint32_t i = 0; i < count; i++)
        parts[i] = read_formula(reader, operands[i]);
    *formula = (struct reason_formula){.kind = kind, .count = count, .operands = parts};
    return formula;
}

static const struct reason_formula *read_formula(struct reader *reader, const struct ast *ast)
{
    if (ast->kind == AST_AND || ast->kind == AST_OR)
        return join(reader, ast->kind == AST_AND ? FORMULA_AND : FORMULA_OR,
                    ast->logic.operands, ast->logic.count);
    if (ast->kind == AST_UNARY && ast->operation.operator== AST_NOT)
        return join(reader, FORMULA_NOT, &ast->operation.left, 1);
    if (ast->kind == AST_CONDITION) {
        const struct ast *parts[] = {ast->condition.condition, ast->condition.then,
                                     ast->condition.otherwise};
        return join(reader, FORMULA_CONDITION, parts, 3);
    }
    struct reason_formula *formula = arena_new(reader->arena, struct reason_formula);
    formula->kind = FORMULA_ATOM;
    formula->atom = find_atom(reader, ast);
    return formula;
}

void reason_read(struct reason *reason, struct arena *arena)
{
    struct reader reader = {reason, arena};
    reason->formulas =
        arena_new_array(arena, reason->predicate_count, const struct reason_formula *);
    reason->needs_host = arena_new_array(arena, reason->predicate_count, bool);
    for (uint32_t i = 0; i < reason->predicate_count; i++) {
        struct contents contents = {.places = NULL};
        const struct ast *root = reason->predicates[i]->root;
        reason->formulas[i] = read_formula(&reader, root);
        look_into(&reader, &contents, root);
        reason->needs_host[i] = contents.needs_host;
    }
}
