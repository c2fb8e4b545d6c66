/*
 * reason.c - the search for a record that grants all wishes.
 *
 * Cells are chosen one after the other, those first that a wish still hangs on; a formula
 * over cells that are still open comes to a set of outcomes, and a wish that none of them
 * grants ends the branch. That is a search with propagation, as solvers do it, only that a
 * cell has some more choices than true and false.
 *
 * Why the answers can be trusted: a "no" rests on choices that stand for every value, and
 * a "yes" on a record that has been through the VM. Whatever lies between is "unknown".
 *
 * Always: a cell is chosen after its parent, and only if that is a map.
 */
#include "expr/reason.h"

#include "base/ensure.h"
#include "base/limits.h"
#include "expr/reason_domain.h"
#include "expr/reason_model.h"
#include "expr/reason_read.h"

struct search {
    const struct reason *reason;
    const struct reason_wish *wishes;
    size_t count;
    uint32_t *chosen; /* for each cell the index of its choice, or REASON_NONE */
    struct value *slots;
    struct arena *arena;
    uint32_t steps_left;
    uint32_t steps_taken;
    bool is_doubtful; /* some branch could be neither granted nor refuted */
};

const struct reason *reason_open(const struct expr_program *const *predicates, size_t count,
                                 const struct reason_world *world, struct arena *arena)
{
    struct reason *reason = arena_new(arena, struct reason);
    ensure(count < UINT32_MAX);
    reason->predicates = predicates;
    reason->predicate_count = (uint32_t)count;
    reason->world = world;
    reason_read(reason, arena);
    if (!reason->is_over)
        reason_domain_fill(reason, arena);
    return reason;
}

/* What a formula can come to */

enum way { WAY_OPEN, WAY_THERE, WAY_CLOSED };

static const struct reason_choice *choice_of(const struct search *search, uint32_t cell)
{
    uint32_t chosen = search->chosen[cell];
    return chosen == REASON_NONE ? NULL : &search->reason->cells[cell].choices[chosen];
}

/* Whether the cell's parents are maps; OPEN when nobody knows yet. */
static enum way way_to(const struct search *search, uint32_t cell)
{
    enum way way = WAY_THERE;
    for (uint32_t at = search->reason->cells[cell].parent; at != REASON_NONE;
         at = search->reason->cells[at].parent) {
        const struct reason_choice *choice = choice_of(search, at);
        if (choice == NULL || choice->kind == CHOICE_ELSE)
            way = WAY_OPEN;
        else if (choice->kind != CHOICE_MAP)
            return WAY_CLOSED;
    }
    return way;
}

/* -1, 0 or 1 for two numbers or two strings. */
static int compare(const struct value *one, const struct value *other)
{
    return one->kind == VALUE_STRING ? span_compare(value_span(*one), value_span(*other))
                                     : value_compare_numbers(*one, *other);
}

enum sort { SORT_OTHER, SORT_NUMBER, SORT_STRING, SORT_ALONE };

static enum sort sort_of(const struct reason_choice *choice)
{
    if (choice->kind == CHOICE_ELSE)
        return SORT_OTHER;
    if (choice->value.kind == VALUE_STRING)
        return SORT_STRING;
    bool is_number = choice->value.kind == VALUE_INT || choice->value.kind == VALUE_UINT ||
                     choice->value.kind == VALUE_DOUBLE;
    return is_number ? SORT_NUMBER : SORT_ALONE;
}

/* True when two values can stand in that order to each other: neither is missing. */
static bool can_compare(const struct reason_choice *one, const struct reason_choice *other,
                        int64_t order)
{
    enum sort sort = sort_of(one);
    if (sort == SORT_OTHER || sort_of(other) == SORT_OTHER)
        return true;
    if (sort != sort_of(other) || (sort == SORT_ALONE && one->value.kind != other->value.kind))
        return order == ORDER_STRANGE;
    if (sort == SORT_ALONE)
        return true;
    bool is_one_point = one->low != NULL && one->low == one->high;
    bool is_other_point = other->low != NULL && other->low == other->high;
    if (is_one_point && is_other_point && compare(one->low, other->low) == 0)
        return order == ORDER_EQUAL;
    if (one->high != NULL && other->low != NULL && compare(one->high, other->low) <= 0)
        return order == ORDER_LESS;
    if (other->high != NULL && one->low != NULL && compare(other->high, one->low) <= 0)
        return order == ORDER_GREATER;
    return order <= ORDER_GREATER;
}

static bool is_missing(const struct search *search, uint32_t cell)
{
    const struct reason_choice *choice = choice_of(search, cell);
    return way_to(search, cell) == WAY_CLOSED ||
           (choice != NULL && choice->kind == CHOICE_MISSING);
}

/* False when what is chosen for two places rules the order between them out. */
static bool is_order_possible(const struct search *search, const struct reason_cell *cell,
                              int64_t order)
{
    uint32_t places[] = {cell->reads->cell, cell->reads->next->cell};
    const struct reason_choice *one = choice_of(search, places[0]);
    const struct reason_choice *other = choice_of(search, places[1]);
    if (is_missing(search, places[0]) || is_missing(search, places[1]))
        return order == ORDER_ERROR;
    if (one == NULL || other == NULL || way_to(search, places[0]) != WAY_THERE ||
        way_to(search, places[1]) != WAY_THERE)
        return true;
    return order != ORDER_ERROR && can_compare(one, other, order);
}

static uint8_t order_outcomes(const struct search *search, const struct reason_atom *atom)
{
    const struct reason_cell *cell = &search->reason->cells[atom->cell];
    uint8_t outcomes = 0;
    for (uint32_t i = 0; i < cell->choice_count; i++) {
        if (is_order_possible(search, cell, cell->choices[i].value.integer))
            outcomes |= atom->outcomes[i];
    }
    return outcomes;
}

static uint8_t atom_outcomes(const struct search *search, const struct reason_atom *atom)
{
    if (atom->cell == REASON_NONE)
        return atom->outcomes_all;
    uint32_t chosen = search->chosen[atom->cell];
    if (chosen == REASON_NONE && search->reason->cells[atom->cell].kind == CELL_ORDER)
        return order_outcomes(search, atom);
    uint8_t own = chosen == REASON_NONE ? atom->outcomes_all : atom->outcomes[chosen];
    switch (way_to(search, atom->cell)) {
    case WAY_THERE:
        return own;
    case WAY_OPEN:
        return atom->is_strict ? own | REASON_ERROR : REASON_ANY;
    case WAY_CLOSED:
        return atom->is_strict ? REASON_ERROR : REASON_ANY;
    }
    never();
}

static uint8_t opposite(uint8_t outcomes)
{
    return (uint8_t)((outcomes & REASON_ERROR) | (outcomes & REASON_TRUE ? REASON_FALSE : 0) |
                     (outcomes & REASON_FALSE ? REASON_TRUE : 0));
}

static uint8_t outcomes_of(const struct search *search, const struct reason_formula *formula);

/* AND: false if any operand is, else an error if any is, else true; OR is its mirror image. */
static uint8_t joined_outcomes(const struct search *search,
                               const struct reason_formula *formula)
{
    bool is_or = formula->kind == FORMULA_OR;
    uint8_t any = 0;
    uint8_t every = REASON_ANY;
    bool may_avoid_false = true;
    for (uint32_t i = 0; i < formula->count && may_avoid_false; i++) {
        uint8_t outcomes = outcomes_of(search, formula->operands[i]);
        outcomes = is_or ? opposite(outcomes) : outcomes;
        any |= outcomes;
        every &= outcomes;
        may_avoid_false = outcomes != REASON_FALSE;
    }
    uint8_t joined = REASON_FALSE;
    if (may_avoid_false)
        joined = (uint8_t)((every & REASON_TRUE) | (any & REASON_NOT_TRUE));
    return is_or ? opposite(joined) : joined;
}

static uint8_t outcomes_of(const struct search *search, const struct reason_formula *formula)
{
    switch (formula->kind) {
    case FORMULA_ATOM:
        return atom_outcomes(search, &search->reason->atoms[formula->atom]);
    case FORMULA_NOT:
        return opposite(outcomes_of(search, formula->operands[0]));
    case FORMULA_AND:
    case FORMULA_OR:
        return joined_outcomes(search, formula);
    case FORMULA_CONDITION:
        break;
    }
    uint8_t condition = outcomes_of(search, formula->operands[0]);
    uint8_t outcomes = condition & REASON_ERROR;
    if (condition & REASON_TRUE)
        outcomes |= outcomes_of(search, formula->operands[1]);
    if (condition & REASON_FALSE)
        outcomes |= outcomes_of(search, formula->operands[2]);
    return outcomes;
}

/* What to choose next */

static bool is_single(uint8_t outcomes)
{
    return (outcomes & (outcomes - 1)) == 0;
}

/* The first cell on the way to a place, or it, that nothing is chosen for. */
static uint32_t next_to(const struct search *search, uint32_t place)
{
    uint32_t next = search->chosen[place] == REASON_NONE ? place : REASON_NONE;
    for (uint32_t at = search->reason->cells[place].parent; at != REASON_NONE;
         at = search->reason->cells[at].parent) {
        const struct reason_choice *choice = choice_of(search, at);
        if (choice == NULL)
            next = at;
        else if (choice->kind != CHOICE_MAP)
            return REASON_NONE;
    }
    return next;
}

static uint32_t next_for_atom(const struct search *search, const struct reason_atom *atom,
                              bool only_places)
{
    if (atom->cell == REASON_NONE)
        return REASON_NONE;
    const struct reason_cell *cell = &search->reason->cells[atom->cell];
    if (cell->kind == CELL_PLACE)
        return next_to(search, atom->cell);
    for (const struct reason_link *at = cell->reads; at != NULL; at = at->next) {
        uint32_t next = next_to(search, at->cell);
        if (next != REASON_NONE)
            return next;
    }
    return only_places || search->chosen[atom->cell] != REASON_NONE ? REASON_NONE : atom->cell;
}

static uint32_t next_for(const struct search *search, const struct reason_formula *formula,
                         bool only_places)
{
    if (is_single(outcomes_of(search, formula)))
        return REASON_NONE;
    if (formula->kind == FORMULA_ATOM)
        return next_for_atom(search, &search->reason->atoms[formula->atom], only_places);
    for (uint32_t i = 0; i < formula->count; i++) {
        uint32_t next = next_for(search, formula->operands[i], only_places);
        if (next != REASON_NONE)
            return next;
    }
    return REASON_NONE;
}

static uint32_t next_cell(const struct search *search, bool only_places)
{
    for (size_t i = 0; i < search->count; i++) {
        const struct reason_formula *formula =
            search->reason->formulas[search->wishes[i].predicate];
        if ((outcomes_of(search, formula) & ~search->wishes[i].outcomes) == 0)
            continue;
        uint32_t next = next_for(search, formula, only_places);
        if (next != REASON_NONE)
            return next;
    }
    return REASON_NONE;
}

/* The witness */

/* The choice, or the least that does where it does not matter; false when nobody can say. */
static bool find_choice(const struct search *search, uint32_t cell,
                        struct reason_choice *choice)
{
    const struct reason_cell *place = &search->reason->cells[cell];
    uint32_t index = search->chosen[cell];
    for (uint32_t i = 0; index == REASON_NONE && i < place->choice_count; i++) {
        if (place->choices[i].kind == CHOICE_MISSING)
            index = i;
    }
    *choice = place->choices[index == REASON_NONE ? 0 : index];
    return choice->kind != CHOICE_ELSE;
}

static bool build(const struct search *search, uint32_t cell, struct value *value,
                  bool *is_missing)
{
    struct reason_choice choice;
    if (!find_choice(search, cell, &choice))
        return false;
    *is_missing = choice.kind == CHOICE_MISSING;
    *value = choice.value;
    if (choice.kind != CHOICE_MAP)
        return true;
    uint32_t room = 0;
    uint32_t count = 0;
    for (const struct reason_link *at = search->reason->cells[cell].members; at != NULL;
         at = at->next)
        room++;
    struct value_entry *entries = arena_new_array(search->arena, room, struct value_entry);
    for (const struct reason_link *at = search->reason->cells[cell].members; at != NULL;
         at = at->next) {
        struct value_entry *entry = &entries[room - 1 - count];
        bool is_absent;
        entry->key = value_string(search->reason->cells[at->cell].member);
        if (!build(search, at->cell, &entry->value, &is_absent))
            return false;
        count += !is_absent;
    }
    *value = value_map(entries + room - count, count);
    return true;
}

static bool build_slots(struct search *search)
{
    const struct reason *reason = search->reason;
    for (size_t i = 0; i < reason->world->scope->variable_count; i++)
        search->slots[i] = reason_unbound();
    for (uint32_t i = 0; i < reason->cell_count; i++) {
        const struct reason_cell *cell = &reason->cells[i];
        bool is_missing;
        if (cell->kind != CELL_PLACE || cell->parent != REASON_NONE)
            continue;
        if (!build(search, i, &search->slots[cell->slot], &is_missing))
            return false;
        if (is_missing)
            search->slots[cell->slot] = reason_unbound();
    }
    return true;
}

/* True when the VM says of the record chosen that it grants every wish. */
static bool is_granted(struct search *search)
{
    const struct reason *reason = search->reason;
    if (!build_slots(search))
        return false;
    struct expr_frame frame = {.slots = search->slots,
                               .slot_count = reason->world->scope->variable_count};
    for (size_t i = 0; i < search->count; i++) {
        uint32_t predicate = search->wishes[i].predicate;
        struct arena_mark mark = arena_mark(search->arena);
        if (reason->needs_host[predicate] && search->wishes[i].outcomes != REASON_ANY)
            return false;
        if (reason->needs_host[predicate])
            continue;
        struct value result = expr_run(reason->predicates[predicate], &frame, search->arena);
        uint8_t outcome = reason_outcome_of(result);
        arena_rewind(search->arena, mark);
        if ((outcome & search->wishes[i].outcomes) == 0)
            return false;
    }
    return true;
}

/* The search */

/* False when some wish cannot be granted any more. */
static bool is_possible(const struct search *search, bool *is_certain)
{
    *is_certain = true;
    for (size_t i = 0; i < search->count; i++) {
        uint8_t outcomes =
            outcomes_of(search, search->reason->formulas[search->wishes[i].predicate]);
        if ((outcomes & search->wishes[i].outcomes) == 0)
            return false;
        *is_certain &= (outcomes & ~search->wishes[i].outcomes) == 0;
    }
    return true;
}

/* True when the values of all places that a cell reads are known. */
static bool is_exact(const struct search *search, const struct reason_cell *cell)
{
    bool is_exact = true;
    for (const struct reason_link *at = cell->reads; at != NULL; at = at->next) {
        const struct reason_choice *choice = choice_of(search, at->cell);
        is_exact &= way_to(search, at->cell) == WAY_THERE && choice != NULL && choice->is_exact;
    }
    return is_exact;
}

/* True when the VM says of every atom that reads the cell what the choice says: all the places
 * that the cell reads are exact. */
static bool is_choice_right(struct search *search, uint32_t index, uint32_t choice)
{
    const struct reason *reason = search->reason;
    struct expr_frame frame = {.slots = search->slots,
                               .slot_count = reason->world->scope->variable_count};
    if (!build_slots(search))
        return true;
    for (uint32_t i = 0; i < reason->atom_count; i++) {
        const struct reason_atom *atom = &reason->atoms[i];
        if (atom->cell != index || atom->program == NULL)
            continue;
        struct arena_mark mark = arena_mark(search->arena);
        uint8_t outcome = reason_outcome_of(expr_run(atom->program, &frame, search->arena));
        arena_rewind(search->arena, mark);
        if ((outcome & atom->outcomes[choice]) == 0)
            return false;
    }
    return true;
}

/* False when the places chosen rule the choice of a cell that reads them out. */
static bool is_choice_possible(struct search *search, uint32_t index, uint32_t choice)
{
    const struct reason_cell *cell = &search->reason->cells[index];
    if (cell->kind == CELL_ORDER)
        return is_order_possible(search, cell, cell->choices[choice].value.integer);
    return cell->needs_host || !is_exact(search, cell) ||
           is_choice_right(search, index, choice);
}

/* All places are chosen; is there a way for what nobody understands to come out as wished? */
static bool is_conceivable(struct search *search)
{
    bool is_certain;
    if (search->steps_left == 0)
        return true;
    search->steps_left--;
    search->steps_taken++;
    if (!is_possible(search, &is_certain))
        return false;
    uint32_t cell = next_cell(search, false);
    if (is_certain || cell == REASON_NONE)
        return true;
    bool found = false;
    for (uint32_t i = 0; i < search->reason->cells[cell].choice_count && !found; i++) {
        search->chosen[cell] = i;
        found = is_choice_possible(search, cell, i) && is_conceivable(search);
    }
    search->chosen[cell] = REASON_NONE;
    return found;
}

/* True with the witness in search->slots. */
static bool find_record(struct search *search)
{
    bool is_certain;
    if (search->steps_left == 0) {
        search->is_doubtful = true;
        return false;
    }
    search->steps_left--;
    search->steps_taken++;
    if (!is_possible(search, &is_certain))
        return false;
    uint32_t cell = is_certain ? REASON_NONE : next_cell(search, true);
    if (cell == REASON_NONE) {
        struct arena_mark mark = arena_mark(search->arena);
        if (is_granted(search))
            return true;
        arena_rewind(search->arena, mark);
        if (is_conceivable(search) && !search->is_doubtful) {
            search->is_doubtful = true;
            if (search->steps_left > REASON_DOUBTS_MAX)
                search->steps_left = REASON_DOUBTS_MAX;
        }
        return false;
    }
    for (uint32_t i = 0; i < search->reason->cells[cell].choice_count; i++) {
        search->chosen[cell] = i;
        if (find_record(search))
            return true;
    }
    search->chosen[cell] = REASON_NONE;
    return false;
}

struct reason_answer reason_ask(const struct reason *reason, const struct reason_wish *wishes,
                                size_t count, struct arena *arena)
{
    size_t slot_count = reason->world->scope->variable_count;
    struct search search = {.reason = reason,
                            .wishes = wishes,
                            .count = count,
                            .arena = arena,
                            .steps_left = REASON_STEPS_MAX};
    if (reason->is_over)
        return (struct reason_answer){.verdict = REASON_UNKNOWN};
    struct arena_mark mark = arena_mark(arena);
    search.slots = arena_new_array(arena, slot_count, struct value);
    search.chosen = arena_new_array(arena, reason->cell_count, uint32_t);
    for (uint32_t i = 0; i < reason->cell_count; i++)
        search.chosen[i] = reason->cells[i].choice_count == 1 ? 0 : REASON_NONE;
    for (size_t i = 0; i < count; i++)
        ensure(wishes[i].predicate < reason->predicate_count);
    bool is_found = find_record(&search);
    struct reason_answer answer = {.verdict = search.is_doubtful ? REASON_UNKNOWN : REASON_NO,
                                   .steps = search.steps_taken};
    if (is_found) {
        answer.verdict = REASON_YES;
        answer.slots = search.slots;
    } else {
        arena_rewind(arena, mark);
    }
    return answer;
}

struct reason_answer reason_satisfy(const struct reason *reason, uint32_t predicate,
                                    struct arena *arena)
{
    struct reason_wish wish = {predicate, REASON_TRUE};
    return reason_ask(reason, &wish, 1, arena);
}

struct reason_answer reason_overlap(const struct reason *reason, uint32_t one, uint32_t other,
                                    struct arena *arena)
{
    struct reason_wish wishes[] = {{one, REASON_TRUE}, {other, REASON_TRUE}};
    return reason_ask(reason, wishes, 2, arena);
}

struct reason_answer reason_gap(const struct reason *reason, struct arena *arena)
{
    struct reason_wish *wishes =
        arena_new_array(arena, reason->predicate_count, struct reason_wish);
    for (uint32_t i = 0; i < reason->predicate_count; i++)
        wishes[i] = (struct reason_wish){i, REASON_NOT_TRUE};
    return reason_ask(reason, wishes, reason->predicate_count, arena);
}
