/*
 * reason_domain.c - a few values that stand for all the others.
 *
 * Constants cut the numbers and the strings into points and the stretches between them. One
 * value of each stretch is enough: no atom tells two of them apart. What atoms come to is not
 * computed here but asked of the VM, so it cannot differ from it. Choices that no atom tells
 * apart are then made one.
 */
#include "expr/reason_domain.h"

#include <math.h>
#include <stdlib.h>

#include "base/ensure.h"
#include "base/limits.h"
#include "expr/arithmetic.h"
#include "expr/convert.h"

enum {
    SIZE_MAX_TRIED = 1000,
    KINDS_NUMBER = 1 << VALUE_INT | 1 << VALUE_UINT | 1 << VALUE_DOUBLE,
    KINDS_JSON = 1 << VALUE_NULL | 1 << VALUE_BOOL | 1 << VALUE_INT | 1 << VALUE_DOUBLE |
                 1 << VALUE_STRING | 1 << VALUE_LIST | 1 << VALUE_MAP,
    KINDS_TIME = 1 << VALUE_TIMESTAMP | 1 << VALUE_DURATION
};

struct domain {
    struct reason *reason;
    struct arena *arena;
    struct reason_cell *cell;
    struct reason_choice *choices;
    uint32_t count;
    uint32_t capacity;
};

/* Choices */

static void add_choice(struct domain *domain, struct reason_choice choice)
{
    if (domain->count == domain->capacity) {
        domain->capacity = domain->capacity == 0 ? 16 : domain->capacity * 2;
        struct reason_choice *larger =
            arena_new_array(domain->arena, domain->capacity, struct reason_choice);
        if (domain->count > 0)
            memcpy(larger, domain->choices, domain->count * sizeof *larger);
        domain->choices = larger;
    }
    domain->choices[domain->count++] = choice;
}

static bool is_number(struct value value)
{
    return value.kind == VALUE_INT || value.kind == VALUE_UINT || value.kind == VALUE_DOUBLE;
}

static bool is_in_range(const struct reason_field *field, struct value number)
{
    if (field == NULL)
        return true;
    return !(field->has_minimum && value_compare_numbers(number, field->minimum) < 0) &&
           !(field->has_maximum && value_compare_numbers(number, field->maximum) > 0);
}

static void add_value(struct domain *domain, struct value value, bool is_exact)
{
    if (domain->cell->kinds & reason_kind_bit((enum value_kind)value.kind))
        add_choice(domain, (struct reason_choice){value, .is_exact = is_exact});
}

/* A number or string that stands for all between two others (NULL: without an end), or for
 * itself, when these two are one. */
static void add_stretch(struct domain *domain, struct value value, const struct value *low,
                        const struct value *high)
{
    uint32_t kinds = domain->cell->kinds;
    uint32_t numbers = kinds & KINDS_NUMBER;
    bool is_point = low != NULL && low == high;
    if (is_number(value) && !is_in_range(domain->cell->field, value))
        return;
    if (is_number(value) && (numbers & (numbers - 1)) != 0)
        is_point = false; /* it is also equal to one of another kind */
    if (kinds & reason_kind_bit((enum value_kind)value.kind))
        add_choice(domain, (struct reason_choice){value, low, high, .is_exact = is_point});
}

/* Numbers */

/* The whole number at or below, or the nearest to it that there is. */
static int64_t floor_of(struct value number)
{
    if (number.kind == VALUE_INT)
        return number.integer;
    if (number.kind == VALUE_UINT)
        return number.uinteger <= INT64_MAX ? (int64_t)number.uinteger : INT64_MAX;
    double whole = floor(number.real);
    if (whole < -0x1p63)
        return INT64_MIN;
    return whole < 0x1p63 ? (int64_t)whole : INT64_MAX;
}

static double real_of(struct value number)
{
    return number.kind == VALUE_DOUBLE ? number.real
           : number.kind == VALUE_INT  ? (double)number.integer
                                       : (double)number.uinteger;
}

/* The number in the first of the kinds that can hold it; false when none can. */
static bool fit_number(uint32_t kinds, struct value *number)
{
    struct value whole = value_int(floor_of(*number));
    struct value real = value_double(real_of(*number));
    bool is_whole = value_compare_numbers(whole, *number) == 0;
    if (kinds & reason_kind_bit(VALUE_INT) && is_whole) {
        *number = whole;
        return true;
    }
    if (kinds & reason_kind_bit(VALUE_DOUBLE) && value_compare_numbers(real, *number) == 0) {
        *number = real;
        return true;
    }
    if (!(kinds & reason_kind_bit(VALUE_UINT)) || (is_whole && whole.integer < 0))
        return false;
    if (is_whole)
        *number = value_uint((uint64_t)whole.integer);
    return number->kind == VALUE_UINT;
}

static bool is_between(const struct value *low, struct value number, const struct value *high)
{
    return (low == NULL || value_compare_numbers(number, *low) > 0) &&
           (high == NULL || value_compare_numbers(number, *high) < 0);
}

/* A number between two others, if there is one that the cell may hold. Whole numbers first:
 * they are nicer to read. */
static bool find_number(struct domain *domain, const struct value *low,
                        const struct value *high, struct value *number)
{
    int64_t whole = low != NULL ? floor_of(*low) : high != NULL ? floor_of(*high) : 0;
    double from = low != NULL ? real_of(*low) : -0x1.fffffffffffffp1023;
    double to = high != NULL ? real_of(*high) : 0x1.fffffffffffffp1023;
    struct value tried[] = {value_int(whole < INT64_MAX ? whole + 1 : whole),
                            value_int(whole),
                            value_int(whole > INT64_MIN ? whole - 1 : whole),
                            value_double(from / 2 + to / 2),
                            value_double(nextafter(from, to)),
                            value_double(nextafter(to, from))};
    for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++) {
        *number = tried[i];
        if (is_between(low, *number, high) && fit_number(domain->cell->kinds, number))
            return true;
    }
    return false;
}

/* A stretch has one choice; a few in a cell that is compared with others, for these may lie in
 * the same stretch and yet apart. */
static uint32_t stretch_choices(const struct domain *domain)
{
    return domain->cell->is_shared ? 3 : 1;
}

static void add_number_between(struct domain *domain, const struct value *low,
                               const struct value *high)
{
    struct value numbers[3];
    const struct value *above = low;
    for (uint32_t i = 0; i < stretch_choices(domain); i++) {
        if (!find_number(domain, above, high, &numbers[i]))
            return;
        add_stretch(domain, numbers[i], low, high);
        above = &numbers[i];
    }
}

static int compare_numbers(const void *a, const void *b)
{
    return value_compare_numbers(*(const struct value *)a, *(const struct value *)b);
}

static int compare_strings(const void *a, const void *b)
{
    return span_compare(value_span(*(const struct value *)a),
                        value_span(*(const struct value *)b));
}

static int compare_times(const void *a, const void *b)
{
    const struct value *left = a;
    const struct value *right = b;
    if (left->integer != right->integer)
        return left->integer < right->integer ? -1 : 1;
    return ((int32_t)left->count > (int32_t)right->count) -
           ((int32_t)left->count < (int32_t)right->count);
}

/* Sorts, and drops what is there twice. */
static uint32_t sort_unique(struct value *values, uint32_t count,
                            int compare(const void *, const void *))
{
    uint32_t kept = 0;
    if (count > 0)
        qsort(values, count, sizeof *values, compare);
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || compare(&values[kept - 1], &values[i]) != 0)
            values[kept++] = values[i];
    }
    return kept;
}

/* The seeds of some kinds. */
static struct value *pick_seeds(struct domain *domain, const struct reason_seed *seeds,
                                uint32_t kinds, uint32_t *count)
{
    uint32_t all = 0;
    for (const struct reason_seed *at = seeds; at != NULL; at = at->next)
        all++;
    struct value *values = arena_new_array(domain->arena, all, struct value);
    *count = 0;
    for (const struct reason_seed *at = seeds; at != NULL; at = at->next) {
        if (kinds & reason_kind_bit((enum value_kind)at->value.kind))
            values[(*count)++] = at->value;
    }
    return values;
}

static void add_numbers(struct domain *domain)
{
    uint32_t count;
    struct value *values = pick_seeds(domain, domain->cell->seeds, KINDS_NUMBER, &count);
    count = sort_unique(values, count, compare_numbers);
    for (uint32_t i = count; i-- > 0;) { /* downwards: few amounts are negative */
        struct value number = values[i];
        add_number_between(domain, &values[i], i + 1 < count ? &values[i + 1] : NULL);
        if (fit_number(domain->cell->kinds, &number))
            add_stretch(domain, number, &values[i], &values[i]);
    }
    add_number_between(domain, NULL, count > 0 ? &values[0] : NULL);
}

/* Strings */

/* A string between two others, if there is one: nothing lies between a string and the same
 * with a NUL behind it. */
static bool find_string(struct domain *domain, const struct value *low,
                        const struct value *high, struct value *string)
{
    struct span base = low != NULL ? value_span(*low) : SPAN("");
    char *next = arena_get(domain->arena, base.size + 1);
    if (base.size > 0)
        memcpy(next, base.text, base.size);
    next[base.size] = 'a';
    struct span longer = arena_copy(domain->arena, span_of(next, base.size + 1));
    next[base.size] = '\0';
    struct span tried[] = {SPAN("other"), SPAN("x"), longer,
                           low != NULL ? span_of(next, base.size + 1) : SPAN("")};
    for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++) {
        *string = value_string(tried[i]);
        if ((low == NULL || span_compare(tried[i], base) > 0) &&
            (high == NULL || span_compare(tried[i], value_span(*high)) < 0))
            return true;
    }
    return false;
}

static void add_string_between(struct domain *domain, const struct value *low,
                               const struct value *high)
{
    struct value strings[3];
    const struct value *above = low;
    for (uint32_t i = 0; i < stretch_choices(domain); i++) {
        if (!find_string(domain, above, high, &strings[i]))
            return;
        add_stretch(domain, strings[i], low, high);
        above = &strings[i];
    }
}

static void add_strings(struct domain *domain)
{
    uint32_t count;
    struct value *values =
        pick_seeds(domain, domain->cell->seeds, reason_kind_bit(VALUE_STRING), &count);
    count = sort_unique(values, count, compare_strings);
    for (uint32_t i = 0; i < count; i++) {
        add_stretch(domain, values[i], &values[i], &values[i]);
        add_string_between(domain, &values[i], i + 1 < count ? &values[i + 1] : NULL);
    }
    add_string_between(domain, NULL, count > 0 ? &values[0] : NULL);
}

/* Times */

/* As a timestamp or duration, and as a string where that is how times are held. */
static void add_time(struct domain *domain, struct value time, bool is_text)
{
    struct text text;
    if (!is_text) {
        add_value(domain, time, false);
        return;
    }
    text_init(&text, domain->arena);
    if (convert_add_text(&text, time))
        add_value(domain, value_string(text_span(&text)), false);
}

static void add_time_near(struct domain *domain, const struct value *times, uint32_t count,
                          uint32_t index, int direction, bool is_text)
{
    static const int64_t steps[][2] = {{86400, 0}, {1, 0}, {0, 1}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct value time;
        int64_t seconds = times[index].integer + direction * steps[i][0];
        int64_t nanoseconds = (int32_t)times[index].count + direction * steps[i][1];
        bool is_time = times[index].kind == VALUE_TIMESTAMP
                           ? arithmetic_timestamp(seconds, nanoseconds, &time)
                           : arithmetic_duration(seconds, nanoseconds, &time);
        if (!is_time || (direction > 0 && index + 1 < count &&
                         compare_times(&time, &times[index + 1]) >= 0))
            continue;
        add_time(domain, time, is_text);
        return;
    }
}

static void add_times(struct domain *domain, const struct reason_seed *seeds,
                      enum value_kind kind, bool is_text)
{
    uint32_t count;
    struct value *times = pick_seeds(domain, seeds, reason_kind_bit(kind), &count);
    count = sort_unique(times, count, compare_times);
    if (count == 0) {
        struct value epoch = {.kind = (uint8_t)kind};
        add_time(domain, epoch, is_text);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        add_time(domain, times[i], is_text);
        add_time_near(domain, times, count, i, 1, is_text);
    }
    add_time_near(domain, times, count, 0, -1, is_text);
}

/* Sizes */

static void add_sized(struct domain *domain, uint32_t size)
{
    struct value *items = arena_new_array(domain->arena, size, struct value);
    struct value_entry *entries = arena_new_array(domain->arena, size, struct value_entry);
    char *text = arena_get(domain->arena, size + 1);
    memset(text, 'a', size);
    for (uint32_t i = 0; i < size; i++) {
        items[i] = value_null();
        entries[i] = (struct value_entry){value_string(text_print(domain->arena, "%u", i)),
                                          value_null()};
    }
    add_value(domain, value_list(items, size), false);
    if (domain->cell->members == NULL)
        add_value(domain, value_map(entries, size), false);
    add_value(domain, value_string(span_of(text, size)), false);
}

static void add_sizes(struct domain *domain)
{
    add_sized(domain, 0);
    for (const struct reason_seed *at = domain->cell->sizes; at != NULL; at = at->next) {
        if (at->value.integer < 0)
            continue;
        add_sized(domain, (uint32_t)at->value.integer);
        add_sized(domain, (uint32_t)at->value.integer + 1);
    }
}

/* Places */

/* Adds choices of the kinds; what can be of several (numbers, sizes) with the first. */
static void add_kinds(struct domain *domain, uint32_t kinds)
{
    const struct reason_cell *cell = domain->cell;
    const struct reason_seed *times = cell->views & VIEW_TIME ? cell->times : cell->seeds;
    if (kinds & 1 << VALUE_MAP && cell->members != NULL)
        add_choice(domain, (struct reason_choice){value_map(NULL, 0), .kind = CHOICE_MAP});
    if (kinds & KINDS_NUMBER)
        add_numbers(domain);
    if (kinds & 1 << VALUE_BOOL) {
        add_value(domain, value_bool(true), true);
        add_value(domain, value_bool(false), true);
    }
    if (kinds & (1 << VALUE_LIST | 1 << VALUE_STRING) && cell->views & VIEW_SIZE)
        add_sizes(domain);
    if (kinds & 1 << VALUE_STRING && cell->views & VIEW_TIME)
        add_times(domain, cell->times, VALUE_TIMESTAMP, true);
    if (kinds & 1 << VALUE_STRING)
        add_strings(domain);
    if (kinds & 1 << VALUE_TIMESTAMP)
        add_times(domain, times, VALUE_TIMESTAMP, false);
    if (kinds & 1 << VALUE_DURATION)
        add_times(domain, cell->seeds, VALUE_DURATION, false);
    if (kinds & 1 << VALUE_NULL)
        add_value(domain, value_null(), true);
    if (kinds & 1 << VALUE_LIST)
        add_value(domain, value_list(NULL, 0), false);
    if (kinds & 1 << VALUE_MAP && cell->members == NULL)
        add_value(domain, value_map(NULL, 0), false);
}

static void find_kinds(const struct reason *reason, struct reason_cell *cell)
{
    const struct reason_field *field = cell->field;
    uint32_t used = cell->kinds_used;
    if (field != NULL && field->kinds != 0) {
        cell->kinds = field->kinds;
    } else if (reason->world->unknown == REASON_ANYTHING) {
        cell->kinds = KINDS_JSON | (used & KINDS_TIME);
    } else {
        if (cell->members != NULL)
            used |= reason_kind_bit(VALUE_MAP);
        cell->kinds = (used & ~reason_kind_bit(VALUE_NULL)) != 0 ? used : KINDS_JSON;
    }
}

static bool may_be_missing(const struct reason *reason, const struct reason_cell *cell)
{
    if (cell->field != NULL)
        return !cell->field->is_required;
    return cell->is_asked_for || reason->world->unknown == REASON_ANYTHING;
}

static bool has_seed_of(const struct reason_seed *seeds, enum value_kind kind)
{
    while (seeds != NULL && seeds->value.kind != kind)
        seeds = seeds->next;
    return seeds != NULL;
}

/* True when the choices do not stand for everything that the place may be. */
static bool is_incomplete(const struct reason_cell *cell)
{
    uint32_t views = cell->views & (VIEW_SIZE | VIEW_TIME);
    if (has_seed_of(cell->seeds, VALUE_STRING))
        views |= VIEW_VALUE;
    for (const struct reason_seed *at = cell->sizes; at != NULL; at = at->next) {
        if (at->value.integer > SIZE_MAX_TRIED)
            return true;
    }
    return cell->views & VIEW_OTHER || (views & (views - 1)) != 0 ||
           (views & VIEW_TIME && cell->kinds & (1u << VALUE_INT | KINDS_TIME));
}

static void add_place_choices(struct domain *domain)
{
    struct reason_cell *cell = domain->cell;
    const struct reason_field *field = cell->field;
    uint32_t used = cell->kinds_used & ~reason_kind_bit(VALUE_NULL);
    bool is_doubtful = is_incomplete(cell);
    if (field != NULL && field->choice_count > 0) {
        is_doubtful = false;
        for (size_t i = 0; i < field->choice_count; i++) {
            cell->kinds |= reason_kind_bit((enum value_kind)field->choices[i].kind);
            const struct value *value = &field->choices[i];
            bool is_stretch = is_number(*value) || value->kind == VALUE_STRING;
            add_choice(domain,
                       (struct reason_choice){*value, is_stretch ? value : NULL,
                                              is_stretch ? value : NULL, .is_exact = true});
        }
    } else {
        if (cell->members != NULL)
            used |= reason_kind_bit(VALUE_MAP);
        add_kinds(domain, cell->kinds & used);
    }
    if (may_be_missing(domain->reason, cell))
        add_choice(domain, (struct reason_choice){.kind = CHOICE_MISSING, .is_exact = true});
    if (field == NULL || field->choice_count == 0)
        add_kinds(domain, cell->kinds & ~used);
    if (is_doubtful || domain->count == 0)
        add_choice(domain, (struct reason_choice){.kind = CHOICE_ELSE});
}

/* Outcomes */

struct value reason_domain_wrap(const struct reason *reason, uint32_t place,
                                const struct value *value, struct arena *arena)
{
    struct value inner = value != NULL ? *value : reason_unbound();
    for (uint32_t at = place; reason->cells[at].parent != REASON_NONE;
         at = reason->cells[at].parent) {
        struct value_entry *entry = arena_new(arena, struct value_entry);
        *entry = (struct value_entry){value_string(reason->cells[at].member), inner};
        inner = value_map(entry, at != place || value != NULL);
    }
    return inner;
}

static uint8_t outcome_for(const struct domain *domain, const struct reason_atom *atom,
                           const struct reason_choice *choice)
{
    const struct reason *reason = domain->reason;
    size_t slot_count = reason->world->scope->variable_count;
    if (choice->kind == CHOICE_ELSE)
        return atom->form == FORM_PRESENCE ? REASON_TRUE : REASON_ANY;
    if (atom->program == NULL ||
        (choice->kind == CHOICE_MAP && !(atom->is_strict && atom->view == VIEW_VALUE)))
        return REASON_ANY;
    struct arena_mark mark = arena_mark(domain->arena);
    struct value *slots = arena_new_array(domain->arena, slot_count, struct value);
    for (size_t i = 0; i < slot_count; i++)
        slots[i] = reason_unbound();
    slots[domain->cell->slot] = reason_domain_wrap(
        reason, atom->cell, choice->kind == CHOICE_MISSING ? NULL : &choice->value,
        domain->arena);
    struct expr_frame frame = {.slots = slots, .slot_count = slot_count};
    uint8_t outcome = reason_outcome_of(expr_run(atom->program, &frame, domain->arena));
    arena_rewind(domain->arena, mark);
    return outcome;
}

static uint8_t order_outcome(enum ast_operator operator, uint32_t order)
{
    static const uint8_t less[ORDER_COUNT] = {REASON_TRUE,  REASON_FALSE, REASON_FALSE,
                                              REASON_ERROR, REASON_ERROR, REASON_ERROR};
    static const uint8_t less_equal[ORDER_COUNT] = {REASON_TRUE,  REASON_TRUE,  REASON_FALSE,
                                                    REASON_ERROR, REASON_ERROR, REASON_ERROR};
    static const uint8_t equal[ORDER_COUNT] = {REASON_FALSE, REASON_TRUE,  REASON_FALSE,
                                               REASON_TRUE,  REASON_FALSE, REASON_ERROR};
    static const uint8_t opposite[] = {0, REASON_FALSE, REASON_TRUE, 0, REASON_ERROR};
    if (operator== AST_LESS)
        return less[order];
    if (operator== AST_LESS_EQUAL)
        return less_equal[order];
    if (operator== AST_GREATER)
        return opposite[less_equal[order]];
    if (operator== AST_GREATER_EQUAL)
        return opposite[less[order]];
    return operator== AST_EQUAL ? equal[order] : opposite[equal[order]];
}

static uint32_t swap_order(uint32_t order)
{
    if (order == ORDER_LESS || order == ORDER_GREATER)
        return order == ORDER_LESS ? ORDER_GREATER : ORDER_LESS;
    return order;
}

static void fill_atom(const struct domain *domain, struct reason_atom *atom)
{
    const struct reason_cell *cell = domain->cell;
    uint8_t *outcomes = arena_new_array(domain->arena, cell->choice_count, uint8_t);
    for (uint32_t i = 0; i < cell->choice_count; i++) {
        uint32_t order = (uint32_t)cell->choices[i].value.integer;
        if (cell->kind == CELL_PLACE)
            outcomes[i] = outcome_for(domain, atom, &cell->choices[i]);
        else if (cell->kind == CELL_OPAQUE)
            outcomes[i] = (uint8_t)order;
        else
            outcomes[i] = order_outcome(atom->ast->operation.operator,
                                        atom->is_swapped ? swap_order(order) : order);
        atom->outcomes_all |= outcomes[i];
    }
    atom->outcomes = outcomes;
}

static bool is_alike(const struct reason *reason, uint32_t cell, uint32_t one, uint32_t other)
{
    for (uint32_t i = 0; i < reason->atom_count; i++) {
        const struct reason_atom *atom = &reason->atoms[i];
        if (atom->cell == cell && atom->outcomes[one] != atom->outcomes[other])
            return false;
    }
    return true;
}

/* True when the choice is like one that is already kept. */
static bool is_spare(const struct reason *reason, uint32_t cell, uint32_t kept, uint32_t choice)
{
    struct reason_choice *choices = reason->cells[cell].choices;
    for (uint32_t i = 0; i < kept; i++) {
        bool is_value =
            choices[i].kind <= CHOICE_MISSING && choices[choice].kind <= CHOICE_MISSING;
        if (is_value && is_alike(reason, cell, i, choice)) {
            choices[i].is_exact = false;
            return true;
        }
    }
    return false;
}

/* Keeps one choice of each kind that some atom can tell from the others. */
static void drop_spare_choices(struct reason *reason, uint32_t index)
{
    struct reason_cell *cell = &reason->cells[index];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < cell->choice_count; i++) {
        if (is_spare(reason, index, kept, i))
            continue;
        cell->choices[kept] = cell->choices[i];
        for (uint32_t k = 0; k < reason->atom_count; k++) {
            if (reason->atoms[k].cell == index)
                reason->atoms[k].outcomes[kept] = reason->atoms[k].outcomes[i];
        }
        kept++;
    }
    cell->choice_count = kept;
}

/* Cells that are no places */

static bool is_ordered(uint32_t one, uint32_t other)
{
    uint32_t kinds = one | other;
    uint32_t orderly = 1u << VALUE_BOOL | 1u << VALUE_STRING | KINDS_TIME;
    return (kinds & ~(uint32_t)KINDS_NUMBER) == 0 ||
           ((kinds & (kinds - 1)) == 0 && (kinds & orderly) != 0);
}

static void add_order_choices(struct domain *domain)
{
    const struct reason_link *reads = domain->cell->reads;
    bool ordered = is_ordered(domain->reason->cells[reads->cell].kinds,
                              domain->reason->cells[reads->next->cell].kinds);
    for (int order = ORDER_LESS; order < ORDER_COUNT; order++) {
        if (!ordered || (order != ORDER_SAME && order != ORDER_STRANGE))
            add_choice(domain, (struct reason_choice){.value = value_int(order)});
    }
}

static void add_opaque_choices(struct domain *domain)
{
    for (int outcome = REASON_TRUE; outcome <= REASON_ERROR; outcome *= 2)
        add_choice(domain, (struct reason_choice){.value = value_int(outcome)});
}

static void add_bounds(struct domain *domain, struct reason_cell *cell)
{
    const struct reason_field *field = cell->field;
    const struct value *bounds[] = {
        field != NULL && field->has_minimum ? &field->minimum : NULL,
        field != NULL && field->has_maximum ? &field->maximum : NULL};
    for (int i = 0; i < 2; i++) {
        if (bounds[i] == NULL)
            continue;
        struct reason_seed *seed = arena_new(domain->arena, struct reason_seed);
        *seed = (struct reason_seed){*bounds[i], cell->seeds};
        cell->seeds = seed;
    }
}

static bool has_seed(const struct reason_seed *seeds, struct value value)
{
    while (seeds != NULL &&
           (seeds->value.kind != value.kind || !value_equal(seeds->value, value)))
        seeds = seeds->next;
    return seeds != NULL;
}

/* True when there was one to copy. */
static bool copy_seeds(struct domain *domain, const struct reason_cell *from,
                       struct reason_cell *to)
{
    bool copied = false;
    for (const struct reason_seed *at = from->seeds; at != NULL; at = at->next) {
        if (has_seed(to->seeds, at->value) || to->seed_count++ >= REASON_CHOICES_MAX)
            continue;
        struct reason_seed *seed = arena_new(domain->arena, struct reason_seed);
        *seed = (struct reason_seed){at->value, to->seeds};
        to->seeds = seed;
        copied = true;
    }
    return copied;
}

/* What is compared with each other is of the same kinds (of numbers, if nothing is known), and
 * what one of them is compared with is of interest for the other. True when that is news. */
static bool share(struct domain *domain, const struct reason_cell *order)
{
    struct reason_cell *one = &domain->reason->cells[order->reads->cell];
    struct reason_cell *other = &domain->reason->cells[order->reads->next->cell];
    uint32_t kinds = one->kinds_used | other->kinds_used;
    if (one->field != NULL)
        kinds |= one->field->kinds;
    if (other->field != NULL)
        kinds |= other->field->kinds;
    if ((kinds & ~reason_kind_bit(VALUE_NULL)) == 0)
        kinds |= 1u << VALUE_INT | 1u << VALUE_DOUBLE;
    bool is_news = one->kinds_used != kinds || other->kinds_used != kinds;
    one->kinds_used = other->kinds_used = kinds;
    is_news |= copy_seeds(domain, one, other);
    is_news |= copy_seeds(domain, other, one);
    return is_news;
}

static bool share_all(struct domain *domain)
{
    bool is_news = false;
    for (uint32_t i = 0; i < domain->reason->cell_count; i++) {
        if (domain->reason->cells[i].kind == CELL_ORDER)
            is_news |= share(domain, &domain->reason->cells[i]);
    }
    return is_news;
}

/* A constant is an atom without a cell. */
static void fill_constant(struct reason *reason, struct reason_atom *atom, struct arena *arena)
{
    size_t slot_count = reason->world->scope->variable_count;
    struct value *slots = arena_new_array(arena, slot_count, struct value);
    for (size_t i = 0; i < slot_count; i++)
        slots[i] = reason_unbound();
    struct expr_frame frame = {.slots = slots, .slot_count = slot_count};
    atom->outcomes_all = atom->program == NULL
                             ? REASON_ANY
                             : reason_outcome_of(expr_run(atom->program, &frame, arena));
}

static void fill_cell(struct reason *reason, uint32_t index, struct arena *arena)
{
    struct reason_cell *cell = &reason->cells[index];
    struct domain domain = {.reason = reason, .arena = arena, .cell = cell};
    if (cell->kind == CELL_PLACE)
        add_place_choices(&domain);
    else if (cell->kind == CELL_ORDER)
        add_order_choices(&domain);
    else
        add_opaque_choices(&domain);
    cell->choices = domain.choices;
    cell->choice_count = domain.count;
    for (uint32_t i = 0; i < reason->atom_count; i++) {
        if (reason->atoms[i].cell == index)
            fill_atom(&domain, &reason->atoms[i]);
    }
    if (cell->kind == CELL_PLACE && !cell->is_shared)
        drop_spare_choices(reason, index);
}

void reason_domain_fill(struct reason *reason, struct arena *arena)
{
    struct domain domain = {.reason = reason, .arena = arena};
    for (uint32_t i = 0; i < reason->cell_count; i++)
        add_bounds(&domain, &reason->cells[i]);
    while (share_all(&domain))
        continue; /* a < b, b < c: what a is compared with gets to c */
    for (uint32_t i = 0; i < reason->cell_count; i++)
        find_kinds(reason, &reason->cells[i]);
    for (uint32_t i = 0; i < reason->cell_count; i++)
        fill_cell(reason, i, arena);
    for (uint32_t i = 0; i < reason->atom_count; i++) {
        if (reason->atoms[i].cell == REASON_NONE)
            fill_constant(reason, &reason->atoms[i], arena);
    }
}
