/*
 * column_plan.c - predicates and columns to steps and joins.
 *
 * Which kernel an atom gets is decided here, once. What an atom comes to for a value is never
 * worked out but asked of the VM: for true and false of a bool column, for each entry of a
 * dictionary, for what a null stands for. Only the bounds of comparisons with numbers are our
 * own arithmetic: they are turned into a closed range of the column's own type.
 */
#include "expr/column_plan.h"

#include <math.h>

#include "base/ensure.h"
#include "expr/column_row.h"
#include "expr/reason_domain.h"

enum { RANGES_MAX = 16 }; /* of `in` a list of numbers */

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

/* Joins */

static column_wire negated(column_wire wire)
{
    return wire ^ 1;
}

static column_wire add_join(struct column_set *set, enum join_kind kind, uint32_t left,
                            uint32_t right)
{
    for (uint32_t i = 0; i < set->join_count; i++) {
        const struct column_join *join = &set->joins[i];
        if (join->kind == kind && join->left == left && join->right == right)
            return join->target * 2;
    }
    set->joins =
        grow(set->arena, set->joins, set->join_count, &set->join_capacity, sizeof *set->joins);
    set->joins[set->join_count++] =
        (struct column_join){kind, set->register_count, left, right};
    return set->register_count++ * 2;
}

/* a && b of wires. Negations are moved out: !a && !b is !(a || b). */
static column_wire join_and(struct column_set *set, column_wire a, column_wire b)
{
    if (a > b)
        return join_and(set, b, a);
    if (a == COLUMN_WIRE_FALSE || a == negated(b))
        return COLUMN_WIRE_FALSE;
    if (a == COLUMN_WIRE_TRUE || a == b)
        return b;
    if (a % 2 == 1 && b % 2 == 1)
        return negated(add_join(set, JOIN_OR, a / 2, b / 2));
    if (a % 2 == 0 && b % 2 == 0)
        return add_join(set, JOIN_AND, a / 2, b / 2);
    return a % 2 == 1 ? add_join(set, JOIN_AND_NOT, b / 2, a / 2)
                      : add_join(set, JOIN_AND_NOT, a / 2, b / 2);
}

static column_wire join_or(struct column_set *set, column_wire a, column_wire b)
{
    return negated(join_and(set, negated(a), negated(b)));
}

static column_wire wire_of(bool bit)
{
    return bit ? COLUMN_WIRE_TRUE : COLUMN_WIRE_FALSE;
}

static struct column_rails rails_of(uint8_t outcome)
{
    return (struct column_rails){wire_of(outcome == REASON_TRUE),
                                 wire_of(outcome != REASON_FALSE)};
}

/* Where `valid`, the rails; elsewhere what a null comes to. */
static struct column_rails with_nulls(struct column_set *set, struct column_rails rails,
                                      column_wire valid, uint8_t null_outcome)
{
    struct column_rails null = rails_of(null_outcome);
    column_wire *sides[] = {&rails.truth, &rails.doubt};
    column_wire nulls[] = {null.truth, null.doubt};
    for (int i = 0; i < 2; i++) {
        if (nulls[i] == COLUMN_WIRE_TRUE)
            *sides[i] = join_or(set, *sides[i], negated(valid));
        else
            *sides[i] = join_and(set, *sides[i], valid);
    }
    return rails;
}

/* Steps */

static column_wire add_step(struct column_set *set, struct column_step step)
{
    for (uint32_t i = 0; i < set->step_count; i++) {
        const struct column_step *same = &set->steps[i];
        if (same->kind == step.kind && same->column == step.column && step.kind <= STEP_BITS)
            return same->target * 2;
    }
    step.target = set->register_count++;
    set->steps =
        grow(set->arena, set->steps, set->step_count, &set->step_capacity, sizeof *set->steps);
    set->steps[set->step_count++] = step;
    return step.target * 2;
}

uint8_t column_plan_outcome(struct column_set *set, const struct reason_atom *atom,
                            struct value value, struct arena *arena)
{
    const struct reason_cell *cell = &set->reason->cells[atom->cell];
    struct arena_mark mark = arena_mark(arena);
    size_t slot_count = set->reason->world->scope->variable_count;
    struct value *slots = arena_new_array(arena, slot_count, struct value);
    for (size_t i = 0; i < slot_count; i++)
        slots[i] = reason_unbound();
    slots[cell->slot] = reason_domain_wrap(set->reason, atom->cell,
                                           value.kind == VALUE_ERROR ? NULL : &value, arena);
    struct expr_frame frame = {.slots = slots, .slot_count = slot_count};
    uint8_t outcome = reason_outcome_of(expr_run(atom->program, &frame, arena));
    arena_rewind(arena, mark);
    return outcome;
}

/* Bools */

/* The wire that is `when_true` where the bits are 1 and `when_false` where they are 0. */
static column_wire choose(column_wire bits, bool when_true, bool when_false)
{
    if (when_true == when_false)
        return wire_of(when_true);
    return when_true ? bits : negated(bits);
}

static struct column_rails bool_rails(struct column_set *set, const struct reason_atom *atom,
                                      uint32_t column)
{
    uint8_t yes = column_plan_outcome(set, atom, value_bool(true), set->arena);
    uint8_t no = column_plan_outcome(set, atom, value_bool(false), set->arena);
    if (yes == no)
        return rails_of(yes);
    column_wire bits = add_step(
        set, (struct column_step){.kind = set->columns[column].kind == COLUMN_BITS ? STEP_BITS
                                                                                   : STEP_BYTES,
                                  .column = column});
    return (struct column_rails){choose(bits, yes == REASON_TRUE, no == REASON_TRUE),
                                 choose(bits, yes != REASON_FALSE, no != REASON_FALSE)};
}

/* Numbers */

static bool is_number(struct value value)
{
    return value.kind == VALUE_INT || value.kind == VALUE_UINT || value.kind == VALUE_DOUBLE;
}

/* The greatest int at or below the number; false when there is none. */
static bool find_floor(struct value number, int64_t *whole)
{
    if (number.kind == VALUE_UINT) {
        *whole = number.uinteger <= INT64_MAX ? (int64_t)number.uinteger : INT64_MAX;
        return true;
    }
    if (number.kind == VALUE_INT) {
        *whole = number.integer;
        return true;
    }
    double down = floor(number.real);
    *whole = down >= 0x1p63 ? INT64_MAX : INT64_MIN;
    if (down >= -0x1p63 && down < 0x1p63)
        *whole = (int64_t)down;
    return down >= -0x1p63;
}

/* The ints for which `int operator number` holds, != as ==; an empty range has low > high. */
static void int_range(enum ast_operator operator, struct value number, struct column_step *step)
{
    int64_t whole = 0;
    bool has_floor = find_floor(number, &whole);
    bool is_equal = has_floor && value_compare_numbers(value_int(whole), number) == 0;
    step->low = INT64_MIN;
    step->high = INT64_MAX;
    if (operator== AST_EQUAL || operator== AST_NOT_EQUAL || operator== AST_IN) {
        step->low = is_equal ? whole : 1;
        step->high = is_equal ? whole : 0;
    } else if (operator== AST_LESS || operator== AST_LESS_EQUAL) {
        bool is_empty = !has_floor || (is_equal && operator== AST_LESS && whole == INT64_MIN);
        step->high = is_equal && operator== AST_LESS && !is_empty ? whole - 1 : whole;
        if (is_empty) {
            step->low = 1;
            step->high = 0;
        }
    } else if (has_floor) {
        bool includes = is_equal && operator== AST_GREATER_EQUAL;
        bool is_empty = !includes && whole == INT64_MAX;
        step->low = includes ? whole : is_empty ? 1 : whole + 1;
        step->high = is_empty ? 0 : INT64_MAX;
    }
}

/* The same for doubles; no bound is a NaN. */
static void real_range(enum ast_operator operator, struct value number,
                       struct column_step *step)
{
    double real = number.kind == VALUE_DOUBLE ? number.real
                  : number.kind == VALUE_INT  ? (double)number.integer
                                              : (double)number.uinteger;
    int order = value_compare_numbers(value_double(real), number);
    double below = order < 0 || order == 0 ? real : nextafter(real, -(double)INFINITY);
    double above = order > 0 || order == 0 ? real : nextafter(real, (double)INFINITY);
    step->real_low = -(double)INFINITY;
    step->real_high = (double)INFINITY;
    if (operator== AST_EQUAL || operator== AST_NOT_EQUAL || operator== AST_IN) {
        step->real_low = order == 0 ? real : (double)INFINITY;
        step->real_high = order == 0 ? real : -(double)INFINITY;
    } else if (operator== AST_LESS || operator== AST_LESS_EQUAL) {
        step->real_high =
            order == 0 && operator== AST_LESS ? nextafter(real, -(double)INFINITY) : below;
    } else {
        step->real_low =
            order == 0 && operator== AST_GREATER ? nextafter(real, (double)INFINITY) : above;
    }
}

static column_wire add_range(struct column_set *set, enum ast_operator operator,
                             uint32_t column, struct value number)
{
    struct column_step step = {.column = column};
    if (set->columns[column].kind == COLUMN_INTS) {
        step.kind = STEP_INTS;
        int_range(operator, number, &step);
        if (step.low > step.high)
            return COLUMN_WIRE_FALSE;
        if (step.low == INT64_MIN && step.high == INT64_MAX)
            return COLUMN_WIRE_TRUE;
    } else {
        step.kind = STEP_REALS;
        real_range(operator, number, &step);
        if (step.real_low > step.real_high)
            return COLUMN_WIRE_FALSE;
    }
    return add_step(set, step);
}

/* False when the atom has to be run row by row. */
static bool number_rails(struct column_set *set, const struct reason_atom *atom,
                         uint32_t column, struct column_rails *rails)
{
    bool is_int = set->columns[column].kind == COLUMN_INTS;
    column_wire wire = COLUMN_WIRE_FALSE;
    if (atom->form == FORM_OTHER || atom->view != VIEW_VALUE)
        return false;
    if (atom->form == FORM_COMPARISON && is_number(atom->constant)) {
        wire = add_range(set, atom->operator, column, atom->constant);
        wire = atom->operator== AST_NOT_EQUAL ? negated(wire) : wire;
    } else if (atom->form == FORM_MEMBERSHIP) {
        if (atom->constant.count > RANGES_MAX)
            return false;
        for (uint32_t i = 0; i < atom->constant.count; i++) {
            if (is_number(atom->constant.items[i]))
                wire =
                    join_or(set, wire, add_range(set, AST_IN, column, atom->constant.items[i]));
        }
    } else {
        struct value any = is_int ? value_int(0) : value_double(0);
        *rails = rails_of(column_plan_outcome(set, atom, any, set->arena));
        return true;
    }
    *rails = (struct column_rails){wire, wire};
    return true;
}

/* Texts */

static bool text_rails(struct column_set *set, const struct reason_atom *atom, uint32_t column,
                       struct column_rails *rails)
{
    bool is_comparison = atom->form == FORM_COMPARISON;
    bool is_string = is_comparison && atom->constant.kind == VALUE_STRING;
    if (atom->form == FORM_OTHER || atom->view != VIEW_VALUE)
        return false;
    if (is_string && atom->operator!= AST_EQUAL && atom->operator!= AST_NOT_EQUAL)
        return false;
    if (!is_string && atom->form != FORM_MEMBERSHIP) {
        *rails = rails_of(column_plan_outcome(set, atom, value_string(SPAN("")), set->arena));
        return true;
    }
    struct column_step step = {.kind = STEP_TEXTS, .column = column};
    step.constants = is_comparison ? &atom->constant : atom->constant.items;
    step.constant_count = is_comparison ? 1 : atom->constant.count;
    column_wire wire = add_step(set, step);
    if (is_comparison && atom->operator== AST_NOT_EQUAL)
        wire = negated(wire);
    *rails = (struct column_rails){wire, wire};
    return true;
}

/* Dictionaries */

static struct column_rails code_rails(struct column_set *set, const struct reason_atom *atom,
                                      uint32_t column)
{
    bool is_equality = atom->form == FORM_MEMBERSHIP || atom->form == FORM_PRESENCE ||
                       (atom->form == FORM_COMPARISON &&
                        (atom->operator== AST_EQUAL || atom->operator== AST_NOT_EQUAL));
    struct column_step step = {.kind = STEP_CODES, .column = column, .table = set->table_count};
    set->tables = grow(set->arena, set->tables, set->table_count, &set->table_capacity,
                       sizeof *set->tables);
    set->tables[set->table_count++] = (struct column_table){.atom = atom, .column = column};
    column_wire truth = add_step(set, step);
    step.bit = 1;
    bool is_certain = is_equality && atom->view == VIEW_VALUE &&
                      set->columns[column].absent.kind != VALUE_ERROR;
    return (struct column_rails){truth, is_certain ? truth : add_step(set, step)};
}

/* Two columns */

static bool is_missing_or_full(const struct column *column)
{
    return column->valid == NULL || column->absent.kind == VALUE_ERROR;
}

static bool pair_rails(struct column_set *set, const struct reason_atom *atom,
                       const uint32_t columns[2], struct column_rails *rails)
{
    uint32_t left = columns[atom->is_swapped];
    uint32_t right = columns[!atom->is_swapped];
    enum ast_operator operator= atom->operator;
    enum column_kind kind = set->columns[left].kind;
    if (kind != set->columns[right].kind || (kind != COLUMN_INTS && kind != COLUMN_REALS) ||
        !is_missing_or_full(&set->columns[left]) || !is_missing_or_full(&set->columns[right]))
        return false;
    bool is_mirrored = operator== AST_GREATER || operator== AST_GREATER_EQUAL;
    struct column_step step = {
        .kind = kind == COLUMN_INTS ? STEP_INT_PAIRS : STEP_REAL_PAIRS,
        .column = is_mirrored ? right : left,
        .other = is_mirrored ? left : right,
        .comparison = operator== AST_LESS || operator== AST_GREATER    ? COLUMN_LESS :
                      operator== AST_EQUAL || operator== AST_NOT_EQUAL ? COLUMN_EQUAL
                                                                       : COLUMN_LESS_EQUAL };
    column_wire wire = add_step(set, step);
    wire = operator== AST_NOT_EQUAL ? negated(wire) : wire;
    column_wire valid = join_and(set, set->valid[left], set->valid[right]);
    *rails = with_nulls(set, (struct column_rails){wire, wire}, valid, REASON_ERROR);
    return true;
}

/* Atoms */

static struct column_rails slow_rails(struct column_set *set, const struct reason_atom *atom)
{
    struct column_slow slow = {atom->program, set->register_count, set->register_count + 1};
    ensure(atom->program != NULL);
    set->register_count += 2;
    set->slow =
        grow(set->arena, set->slow, set->slow_count, &set->slow_capacity, sizeof *set->slow);
    set->slow[set->slow_count++] = slow;
    return (struct column_rails){slow.truth * 2, slow.doubt * 2};
}

/* The node of the rows' records at a place; NULL when no column's path leads there. */
static const struct column_node *find_node(const struct column_set *set, uint32_t place,
                                           bool *is_below_column)
{
    const struct reason_cell *cell = &set->reason->cells[place];
    const struct column_node *at = set->nodes;
    if (cell->parent == REASON_NONE) {
        while (at != NULL && at->slot != cell->slot)
            at = at->next;
        return at;
    }
    const struct column_node *parent = find_node(set, cell->parent, is_below_column);
    if (parent == NULL)
        return NULL;
    *is_below_column |= parent->column != REASON_NONE;
    for (at = parent->below; at != NULL && !span_equal(at->name, cell->member); at = at->next)
        continue;
    return at;
}

/* The column at a place, or REASON_NONE. */
static uint32_t find_column(const struct column_set *set, uint32_t place)
{
    bool is_below_column = false;
    const struct column_node *node = find_node(set, place, &is_below_column);
    return node == NULL ? REASON_NONE : node->column;
}

/* An atom that reads no column is the same for every row. */
static struct column_rails constant_rails(struct column_set *set,
                                          const struct reason_atom *atom)
{
    struct expr_frame frame = {.slots = set->slots,
                               .slot_count = set->reason->world->scope->variable_count};
    column_row_read(set, SIZE_MAX);
    return rails_of(reason_outcome_of(expr_run(atom->program, &frame, set->arena)));
}

static struct column_rails column_rails(struct column_set *set, const struct reason_atom *atom,
                                        uint32_t index)
{
    const struct column *column = &set->columns[index];
    struct column_rails rails;
    bool is_done = true;
    if (column->kind == COLUMN_BYTES || column->kind == COLUMN_BITS)
        rails = bool_rails(set, atom, index);
    else if (column->kind == COLUMN_INTS || column->kind == COLUMN_REALS)
        is_done = number_rails(set, atom, index, &rails);
    else if (column->kind == COLUMN_TEXTS)
        is_done = text_rails(set, atom, index, &rails);
    else if (column->kind == COLUMN_CODES)
        rails = code_rails(set, atom, index);
    else
        is_done = false;
    if (!is_done)
        return slow_rails(set, atom);
    uint8_t null_outcome = column_plan_outcome(set, atom, column->absent, set->arena);
    return with_nulls(set, rails, set->valid[index], null_outcome);
}

static struct column_rails atom_rails(struct column_set *set, const struct reason_atom *atom)
{
    bool is_below_column = false;
    struct column_rails rails;
    if (atom->cell == REASON_NONE)
        return constant_rails(set, atom);
    const struct reason_cell *cell = &set->reason->cells[atom->cell];
    if (cell->kind == CELL_ORDER) {
        uint32_t columns[] = {find_column(set, cell->reads->cell),
                              find_column(set, cell->reads->next->cell)};
        if (columns[0] != REASON_NONE && columns[1] != REASON_NONE &&
            pair_rails(set, atom, columns, &rails))
            return rails;
    }
    if (cell->kind != CELL_PLACE)
        return slow_rails(set, atom);
    const struct column_node *node = find_node(set, atom->cell, &is_below_column);
    if (node == NULL && !is_below_column)
        return constant_rails(set, atom);
    if (node == NULL || node->column == REASON_NONE)
        return slow_rails(set, atom);
    return column_rails(set, atom, node->column);
}

/* Formulas */

static struct column_rails formula_rails(struct column_set *set,
                                         const struct reason_formula *formula,
                                         const struct column_rails *atoms);

/* c ? a : b is c && a || !c && b, but an error when c is one. */
static struct column_rails condition_rails(struct column_set *set,
                                           const struct reason_formula *formula,
                                           const struct column_rails *atoms)
{
    struct column_rails c = formula_rails(set, formula->operands[0], atoms);
    struct column_rails a = formula_rails(set, formula->operands[1], atoms);
    struct column_rails b = formula_rails(set, formula->operands[2], atoms);
    column_wire no = negated(c.doubt);
    column_wire error = join_and(set, c.doubt, negated(c.truth));
    column_wire doubt =
        join_or(set, join_and(set, c.truth, a.doubt), join_and(set, no, b.doubt));
    return (struct column_rails){
        join_or(set, join_and(set, c.truth, a.truth), join_and(set, no, b.truth)),
        join_or(set, doubt, error)};
}

static struct column_rails formula_rails(struct column_set *set,
                                         const struct reason_formula *formula,
                                         const struct column_rails *atoms)
{
    if (formula->kind == FORMULA_ATOM)
        return atoms[formula->atom];
    if (formula->kind == FORMULA_CONDITION)
        return condition_rails(set, formula, atoms);
    struct column_rails rails = formula_rails(set, formula->operands[0], atoms);
    if (formula->kind == FORMULA_NOT)
        return (struct column_rails){negated(rails.doubt), negated(rails.truth)};
    for (uint32_t i = 1; i < formula->count; i++) {
        struct column_rails next = formula_rails(set, formula->operands[i], atoms);
        bool is_and = formula->kind == FORMULA_AND;
        rails.truth = is_and ? join_and(set, rails.truth, next.truth)
                             : join_or(set, rails.truth, next.truth);
        rails.doubt = is_and ? join_and(set, rails.doubt, next.doubt)
                             : join_or(set, rails.doubt, next.doubt);
    }
    return rails;
}

/* What no predicate needs is dropped: an atom behind `false &&`. */

static void mark(const struct column_set *set, bool *is_needed)
{
    for (uint32_t i = 0; i < set->program_count; i++) {
        is_needed[set->rails[i].truth / 2] = true;
        is_needed[set->rails[i].doubt / 2] = true;
    }
    for (uint32_t i = set->join_count; i-- > 0;) {
        const struct column_join *join = &set->joins[i];
        is_needed[join->left] |= is_needed[join->target];
        is_needed[join->right] |= is_needed[join->target];
    }
}

static void drop_unneeded(struct column_set *set)
{
    bool *is_needed = arena_new_array(set->arena, set->register_count, bool);
    uint32_t joins = 0;
    uint32_t steps = 0;
    uint32_t slow = 0;
    memset(is_needed, 0, set->register_count);
    mark(set, is_needed);
    for (uint32_t i = 0; i < set->join_count; i++) {
        if (is_needed[set->joins[i].target])
            set->joins[joins++] = set->joins[i];
    }
    for (uint32_t i = 0; i < set->step_count; i++) {
        if (is_needed[set->steps[i].target])
            set->steps[steps++] = set->steps[i];
    }
    for (uint32_t i = 0; i < set->slow_count; i++) {
        if (is_needed[set->slow[i].truth] || is_needed[set->slow[i].doubt])
            set->slow[slow++] = set->slow[i];
    }
    set->join_count = joins;
    set->step_count = steps;
    set->slow_count = slow;
}

void column_plan_make(struct column_set *set)
{
    set->register_count = 1;
    set->valid = arena_new_array(set->arena, set->column_count, column_wire);
    for (uint32_t i = 0; i < set->column_count; i++) {
        set->valid[i] = COLUMN_WIRE_TRUE;
        if (set->columns[i].valid != NULL)
            set->valid[i] =
                add_step(set, (struct column_step){.kind = STEP_VALID, .column = i});
    }
    struct column_rails *atoms =
        arena_new_array(set->arena, set->reason->atom_count, struct column_rails);
    for (uint32_t i = 0; i < set->reason->atom_count; i++)
        atoms[i] = atom_rails(set, &set->reason->atoms[i]);
    set->rails = arena_new_array(set->arena, set->program_count, struct column_rails);
    for (uint32_t i = 0; i < set->program_count; i++)
        set->rails[i] = formula_rails(set, set->reason->formulas[i], atoms);
    drop_unneeded(set);
}
