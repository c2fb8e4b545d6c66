/*
 * derivation_check.c - is the answer the same when it is derived again, and does it fit?
 *
 * Whether a derivation is stable depends on which validators can hold together. Validators
 * tell values apart at a few places only: `o.total > 100` at 100. So a handful of values of
 * each field stand for all there are, and their combinations for all records. Every combination
 * is derived with the validators themselves, and what is found is a record that anyone can try.
 *
 * Ordinary records come first, so that what is shown is one; then those in which fields are
 * missing or of another kind, since such records come too. Where the combinations are too many,
 * a part of them drawn at random is looked at, and what they do not show is asked: the same
 * questions are put to the reasoning about expressions (expr/reason.h), pair by pair. Its yes
 * is a record, which is derived like any other before anything is told; its no is a proof; and
 * where it does not know, or the questions are too many, that is told instead.
 */
#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/random.h"
#include "chart/derivation_reason.h"
#include "chart/derivation_types.h"

enum {
    VALUES_MAX = 24, /* of one field */
    COMBINATIONS_MAX = 1 << 17,
    VECTORS_MAX = 1 << 14,
    WITNESS_ARENA_BYTES = 1 << 20,
    QUESTIONS_MAX = 4096, /* of one check */
    DOUBTS_MAX = 64,      /* answers that are not known: they take longest */
};

struct domain {
    struct value values[VALUES_MAX]; /* an error stands for a missing member */
    uint32_t ordinary;               /* the first of them */
    uint32_t count;
};

struct checking {
    const struct derivation *derivation;
    struct diagnostics *diagnostics;
    struct arena *arena;  /* of what lives as long as the check */
    struct arena witness; /* of one record */
    struct domain *domains;
    uint32_t *choice;    /* the value of each field */
    struct value record; /* the one under way */
    struct value *slots;
    bool is_exhaustive; /* of ordinary records */
    bool is_sampled;    /* of all records only some were looked at */
    bool is_ordinary;   /* the record under way is, and no validator gave an error */

    uint32_t words; /* of a vector: a bit for each leaf that holds */
    uint64_t *vector;
    uint64_t *vectors; /* those that were seen, in a hash table */
    bool *has_vector;
    uint32_t vector_count;

    bool *ever_holds;   /* by leaf */
    bool *never_holds;  /* by leaf: that is proved */
    uint64_t *overlaps; /* pairs that were told */
    bool told_unstable;
    bool *told_gap; /* by region */
};

/* Domains */

static void add_value(struct domain *domain, struct value value)
{
    for (uint32_t i = 0; i < domain->count; i++) {
        bool is_same = value_is_error(value) ? value_is_error(domain->values[i])
                                             : value_equal(domain->values[i], value) &&
                                                   domain->values[i].kind == value.kind;
        if (is_same)
            return;
    }
    if (domain->count < VALUES_MAX)
        domain->values[domain->count++] = value;
}

static void add_number(struct domain *domain, struct value number)
{
    if (number.kind == VALUE_DOUBLE) {
        add_value(domain, value_double(number.real - 0.5));
        add_value(domain, number);
        add_value(domain, value_double(number.real + 0.5));
    } else if (number.kind == VALUE_INT && number.integer > INT64_MIN &&
               number.integer < INT64_MAX) {
        add_value(domain, value_int(number.integer - 1));
        add_value(domain, number);
        add_value(domain, value_int(number.integer + 1));
    } else {
        add_value(domain, number);
    }
}

/* A string, one right behind it in order, and one before all. */
static void add_string(struct checking *checking, struct domain *domain, struct value string)
{
    add_value(domain, string);
    add_value(domain, value_string(
                          text_print(checking->arena, "%.*s~", SPAN_ARGS(value_span(string)))));
    add_value(domain, value_string(SPAN("")));
}

static void add_constant(struct checking *checking, struct domain *domain,
                         struct value constant)
{
    if (constant.kind == VALUE_NULL) {
        add_value(domain, value_string(SPAN("x")));
        add_value(domain, constant);
    } else if (constant.kind == VALUE_BOOL) {
        add_value(domain, value_bool(true));
        add_value(domain, value_bool(false));
    } else if (constant.kind == VALUE_STRING) {
        add_string(checking, domain, constant);
    } else {
        add_number(domain, constant);
    }
}

static const struct value *some_list(const struct checking *checking)
{
    struct value *item = arena_new(checking->arena, struct value);
    *item = value_int(1);
    return item;
}

/* What a field may be that is read in a way of its own: size(o.items) > 0. */
static void add_any(struct checking *checking, struct domain *domain, struct value constant)
{
    if (constant.kind != VALUE_NULL)
        add_constant(checking, domain, constant);
    add_value(domain, value_list(some_list(checking), 1));
    add_value(domain, value_list(NULL, 0));
    add_value(domain, value_int(0));
    add_value(domain, value_int(1));
    add_value(domain, value_string(SPAN("2026-01-31T09:00:00Z")));
    add_value(domain, value_string(SPAN("2026-02-28T09:00:00Z")));
    add_value(domain, value_bool(true));
    add_value(domain, value_bool(false));
}

static void add_use(struct checking *checking, struct domain *domain,
                    const struct footprint *use)
{
    switch (use->kind) {
    case FOOTPRINT_TRUTH:
        add_constant(checking, domain, value_bool(true));
        return;
    case FOOTPRINT_PRESENCE:
        add_value(domain, value_string(SPAN("x")));
        return;
    case FOOTPRINT_COMPARED:
        add_constant(checking, domain, use->constant);
        return;
    case FOOTPRINT_ANY:
        add_any(checking, domain, use->constant);
        return;
    case FOOTPRINT_WHOLE:
        return;
    }
    never();
}

static bool reads_presence(const struct footprint *use)
{
    return use->kind == FOOTPRINT_PRESENCE ||
           (use->kind == FOOTPRINT_COMPARED && use->constant.kind == VALUE_NULL);
}

static void fill_domain(struct checking *checking, uint32_t field)
{
    const struct derivation *derivation = checking->derivation;
    const struct derivation_field *about = &derivation->fields[field];
    struct domain *domain = &checking->domains[field];
    bool may_miss = false;
    if (about->kind == VALUE_BOOL)
        add_constant(checking, domain, value_bool(true));
    for (uint32_t i = 0; i < derivation->validator_count; i++) {
        const struct footprint *use = footprint_read(derivation->validators[i].program,
                                                     derivation->record, checking->arena);
        for (; use != NULL; use = use->next) {
            if (use->kind == FOOTPRINT_WHOLE || !span_equal(use->field, about->name))
                continue;
            may_miss = may_miss || reads_presence(use);
            add_use(checking, domain, use);
        }
    }
    if (may_miss && !about->has_preset)
        add_value(domain, about->missing);
    domain->ordinary = domain->count;
    if (!about->has_preset) {
        add_value(domain, about->missing);
        add_value(domain, value_null());
    }
    add_value(domain, value_map(NULL, 0)); /* of another kind than any validator wants */
}

/* Records */

static struct value make_record(const struct checking *checking, struct arena *arena)
{
    const struct derivation *derivation = checking->derivation;
    struct value record = value_map(NULL, 0);
    for (uint32_t i = 0; i < derivation->read_count; i++) {
        struct value value = checking->domains[i].values[checking->choice[i]];
        if (!value_is_error(value))
            record = value_with(arena, record, derivation->fields[i].name, value);
    }
    return record;
}

static struct span witness_text(const struct checking *checking)
{
    struct text text;
    text_init(&text, checking->diagnostics->arena);
    json_write(&text, checking->record);
    return text_span(&text);
}

/* Which leaves hold on the record under way. */
static void find_vector(struct checking *checking)
{
    const struct derivation *derivation = checking->derivation;
    memset(checking->vector, 0, checking->words * sizeof *checking->vector);
    derivation_bind(derivation, checking->record, checking->slots, &checking->witness);
    for (uint32_t leaf = 0; leaf < derivation->leaf_count; leaf++) {
        struct value verdict =
            derivation_verdict(derivation, leaf, checking->slots, &checking->witness);
        checking->is_ordinary = checking->is_ordinary && !value_is_error(verdict);
        if (value_is_true(verdict))
            checking->vector[leaf / 64] |= (uint64_t)1 << leaf % 64;
    }
}

static bool holds(const struct checking *checking, uint32_t leaf)
{
    return checking->vector[leaf / 64] >> leaf % 64 & 1;
}

/* The answer from a leaf, by the vector alone. */
static uint32_t answer(const struct checking *checking, uint32_t start, bool *is_held)
{
    const struct derivation *derivation = checking->derivation;
    struct range order = derivation->leaves[start].order;
    for (uint32_t place = order.count; place-- > 0;) {
        uint32_t leaf = derivation->visits[order.first + place].leaf;
        if (holds(checking, leaf)) {
            *is_held = true;
            return leaf;
        }
    }
    *is_held = false;
    return start;
}

static struct place place_of(const struct derivation *derivation, uint32_t leaf)
{
    return derivation->states[derivation->leaves[leaf].state].place;
}

/* IL0311 */
static void look_stable(struct checking *checking)
{
    const struct derivation *derivation = checking->derivation;
    for (uint32_t start = 0; start < derivation->leaf_count && !checking->told_unstable;
         start++) {
        bool is_held;
        uint32_t once = answer(checking, start, &is_held);
        uint32_t twice = answer(checking, once, &is_held);
        if (once == twice)
            continue;
        struct span record = witness_text(checking);
        struct diagnostic *error = diagnostics_add(
            checking->diagnostics, SEVERITY_ERROR, "IL0311", place_of(derivation, once),
            "the derivation is not stable: from %.*s the record %.*s gives %.*s, and derived "
            "again %.*s",
            SPAN_ARGS(derivation_path(derivation, start)), SPAN_ARGS(record),
            SPAN_ARGS(derivation_path(derivation, once)),
            SPAN_ARGS(derivation_path(derivation, twice)));
        diagnostic_help(checking->diagnostics, error,
                        "let only one of the two validators hold, or write `derive: { order: "
                        "topological }`");
        checking->told_unstable = true;
    }
}

static bool note_pair(struct checking *checking, uint32_t a, uint32_t b)
{
    uint32_t count = checking->derivation->leaf_count;
    size_t bit = (size_t)(a < b ? a : b) * count + (a < b ? b : a);
    bool is_new = (checking->overlaps[bit / 64] >> bit % 64 & 1) == 0;
    checking->overlaps[bit / 64] |= (uint64_t)1 << bit % 64;
    return is_new;
}

/* IL0312: two states of one level hold, so only the order in which they are written decides. */
static void look_overlaps_from(struct checking *checking, uint32_t start)
{
    const struct derivation *derivation = checking->derivation;
    struct range order = derivation->leaves[start].order;
    const struct derivation_visit *visits = derivation->visits + order.first;
    for (uint32_t i = 0; i < order.count; i++) {
        if (!holds(checking, visits[i].leaf))
            continue;
        for (uint32_t k = i + 1; k < order.count; k++) {
            if (visits[k].level != visits[i].level || !holds(checking, visits[k].leaf) ||
                !note_pair(checking, visits[i].leaf, visits[k].leaf))
                continue;
            struct span record = witness_text(checking);
            struct diagnostic *warning = diagnostics_add(
                checking->diagnostics, SEVERITY_WARNING, "IL0312",
                place_of(derivation, visits[k].leaf),
                "%.*s and %.*s, which are equally far from %.*s, both hold on %.*s",
                SPAN_ARGS(derivation_path(derivation, visits[i].leaf)),
                SPAN_ARGS(derivation_path(derivation, visits[k].leaf)),
                SPAN_ARGS(derivation_path(derivation, start)), SPAN_ARGS(record));
            diagnostic_help(checking->diagnostics, warning,
                            "the one that is visited later wins; make their validators exclude "
                            "each other");
        }
    }
}

/* IL0313 */
static void look_gap(struct checking *checking, uint32_t region)
{
    const struct derivation *derivation = checking->derivation;
    uint32_t initial = derivation->regions[region].initial;
    bool is_held;
    answer(checking, initial, &is_held);
    if (is_held || checking->told_gap[region] || !checking->is_ordinary)
        return;
    struct span record = witness_text(checking);
    struct diagnostic *warning = diagnostics_add(
        checking->diagnostics, SEVERITY_WARNING, "IL0313", place_of(derivation, initial),
        "no validator that %.*s leads to holds on %.*s",
        SPAN_ARGS(derivation_path(derivation, initial)), SPAN_ARGS(record));
    diagnostic_help(checking->diagnostics, warning,
                    "such a record keeps its state, with `holds: false`");
    checking->told_gap[region] = true;
}

/* True when these leaves were not yet seen to hold together. */
static bool note_vector(struct checking *checking)
{
    uint64_t hash = 0x9e3779b97f4a7c15u;
    for (uint32_t i = 0; i < checking->words; i++)
        hash = (hash ^ checking->vector[i]) * 0xbf58476d1ce4e5b9u ^ hash >> 29;
    uint32_t at = (uint32_t)(hash >> 32) % (2 * VECTORS_MAX);
    size_t size = checking->words * sizeof *checking->vector;
    for (; checking->has_vector[at]; at = (at + 1) % (2 * VECTORS_MAX)) {
        if (memcmp(checking->vectors + (size_t)at * checking->words, checking->vector, size) ==
            0)
            return false;
    }
    if (checking->vector_count < VECTORS_MAX) {
        checking->has_vector[at] = true;
        checking->vector_count++;
        memcpy(checking->vectors + (size_t)at * checking->words, checking->vector, size);
    }
    return true;
}

static void look(struct checking *checking, bool is_ordinary)
{
    const struct derivation *derivation = checking->derivation;
    arena_clear(&checking->witness);
    checking->record = make_record(checking, &checking->witness);
    checking->is_ordinary = is_ordinary;
    find_vector(checking);
    for (uint32_t region = 0; region < derivation->region_count; region++)
        look_gap(checking, region);
    if (!note_vector(checking))
        return;
    look_stable(checking);
    for (uint32_t leaf = 0; leaf < derivation->leaf_count; leaf++)
        checking->ever_holds[leaf] = checking->ever_holds[leaf] || holds(checking, leaf);
    for (uint32_t start = 0; is_ordinary && start < derivation->leaf_count; start++)
        look_overlaps_from(checking, start);
}

/* Combinations */

static uint32_t choices(const struct checking *checking, uint32_t field, bool all)
{
    const struct domain *domain = &checking->domains[field];
    return all || domain->ordinary == 0 ? domain->count : domain->ordinary;
}

static uint64_t count_combinations(const struct checking *checking, bool all)
{
    uint64_t count = 1;
    for (uint32_t i = 0; i < checking->derivation->read_count; i++) {
        count *= choices(checking, i, all);
        if (count > COMBINATIONS_MAX)
            return UINT64_MAX;
    }
    return count;
}

static bool next_combination(struct checking *checking, bool all)
{
    for (uint32_t i = 0; i < checking->derivation->read_count; i++) {
        if (++checking->choice[i] < choices(checking, i, all))
            return true;
        checking->choice[i] = 0;
    }
    return false;
}

static void look_at_all(struct checking *checking, bool all)
{
    memset(checking->choice, 0, checking->derivation->read_count * sizeof *checking->choice);
    do
        look(checking, !all);
    while (next_combination(checking, all));
}

static void look_at_some(struct checking *checking, bool all)
{
    struct random random = {.state = 1};
    for (uint32_t round = 0; round < COMBINATIONS_MAX / 4; round++) {
        for (uint32_t i = 0; i < checking->derivation->read_count; i++)
            checking->choice[i] =
                (uint32_t)random_up_to(&random, choices(checking, i, all) - 1);
        look(checking, !all);
    }
}

static void look_everywhere(struct checking *checking)
{
    checking->is_exhaustive = count_combinations(checking, false) != UINT64_MAX;
    if (checking->is_exhaustive)
        look_at_all(checking, false);
    else
        look_at_some(checking, false);
    checking->is_sampled = count_combinations(checking, true) == UINT64_MAX;
    if (checking->is_sampled)
        look_at_some(checking, true);
    else
        look_at_all(checking, true);
}

/* Questions, where not all combinations were looked at */

static void tell_unknown(struct checking *checking)
{
    const struct derivation *derivation = checking->derivation;
    if (checking->told_unstable || derivation->is_topological)
        return;
    diagnostics_add(checking->diagnostics, SEVERITY_INFO, "IL0311",
                    place_of(derivation, derivation->regions[0].initial),
                    "whether the derivation is stable is not known: no record was found on "
                    "which it is not");
}

struct asking {
    struct checking *checking;
    const struct derivation_reason *any;      /* about records of any kind */
    const struct derivation_reason *ordinary; /* about those that are as validators use them */
    struct reason_wish *wishes;
    size_t wish_count;
    uint16_t *places; /* [start * leaves + leaf]: where it is visited, or NO_PLACE */
    uint32_t questions_left;
    uint32_t doubts_left;
    bool is_stability_known;
    struct arena arena; /* of one answer */
};

enum { NO_PLACE = UINT16_MAX };

static bool may_ask(const struct asking *asking)
{
    return asking->questions_left > 0 && asking->doubts_left > 0;
}

static void wish(struct asking *asking, uint32_t leaf, uint32_t outcomes)
{
    asking->wishes[asking->wish_count++] = (struct reason_wish){leaf, outcomes};
}

/* What is found on the record of an answer is told as if it had been tried. */
static void look_at_answer(struct asking *asking, struct value record, bool is_ordinary)
{
    struct checking *checking = asking->checking;
    const struct derivation *derivation = checking->derivation;
    arena_clear(&checking->witness);
    checking->record = record;
    checking->is_ordinary = is_ordinary;
    find_vector(checking);
    look_stable(checking);
    for (uint32_t region = 0; region < derivation->region_count; region++)
        look_gap(checking, region);
    for (uint32_t leaf = 0; leaf < derivation->leaf_count; leaf++)
        checking->ever_holds[leaf] = checking->ever_holds[leaf] || holds(checking, leaf);
    for (uint32_t start = 0; is_ordinary && start < derivation->leaf_count; start++)
        look_overlaps_from(checking, start);
}

static enum reason_verdict ask(struct asking *asking, const struct derivation_reason *reason)
{
    struct value record;
    if (!may_ask(asking))
        return REASON_UNKNOWN;
    asking->questions_left--;
    arena_clear(&asking->arena);
    enum reason_verdict verdict = derivation_reason_ask(
        reason, asking->wishes, asking->wish_count, &record, &asking->arena);
    asking->doubts_left -= verdict == REASON_UNKNOWN;
    if (verdict == REASON_YES)
        look_at_answer(asking, record, reason == asking->ordinary);
    return verdict;
}

static uint32_t place_in(const struct asking *asking, uint32_t start, uint32_t leaf)
{
    return asking->places[(size_t)start * asking->checking->derivation->leaf_count + leaf];
}

/* A record as validators use them is what people want to see; a "no" is for all. */
static enum reason_verdict ask_both(struct asking *asking)
{
    enum reason_verdict verdict = ask(asking, asking->ordinary);
    return verdict == REASON_YES ? verdict : ask(asking, asking->any);
}

static void wish_pair(struct asking *asking, uint32_t one, uint32_t other)
{
    asking->wish_count = 0;
    wish(asking, one, REASON_TRUE);
    wish(asking, other, REASON_TRUE);
}

/* Whether one leaf can win from a start, and another, which was visited before it, from the
 * one. */
static void ask_stable_from(struct asking *asking, uint32_t start, uint32_t once,
                            uint32_t twice)
{
    const struct derivation *derivation = asking->checking->derivation;
    struct range order = derivation->leaves[start].order;
    wish_pair(asking, once, twice);
    for (uint32_t i = place_in(asking, start, once) + 1; i < order.count; i++)
        wish(asking, derivation->visits[order.first + i].leaf, REASON_NOT_TRUE);
    if (ask_both(asking) != REASON_NO)
        asking->is_stability_known = false; /* or it was told that it is not */
}

static void ask_stable_pair(struct asking *asking, uint32_t once, uint32_t twice)
{
    const struct derivation *derivation = asking->checking->derivation;
    wish_pair(asking, once, twice);
    if (ask_both(asking) == REASON_NO)
        return;
    for (uint32_t start = 0; start < derivation->leaf_count && !asking->checking->told_unstable;
         start++) {
        uint32_t place = place_in(asking, start, once);
        if (place != NO_PLACE && place_in(asking, start, twice) < place)
            ask_stable_from(asking, start, once, twice);
    }
}

/* True when one is visited before another from some start, and can be reached from it. */
static bool may_turn(const struct asking *asking, uint32_t once, uint32_t twice)
{
    uint32_t count = asking->checking->derivation->leaf_count;
    bool found = false;
    if (once == twice || place_in(asking, once, twice) == NO_PLACE)
        return false;
    for (uint32_t start = 0; start < count && !found; start++)
        found = place_in(asking, start, once) != NO_PLACE &&
                place_in(asking, start, twice) < place_in(asking, start, once);
    return found;
}

static void ask_stable(struct asking *asking)
{
    uint32_t leaves = asking->checking->derivation->leaf_count;
    for (uint32_t once = 0; once < leaves && may_ask(asking); once++) {
        for (uint32_t twice = 0; twice < leaves && may_ask(asking); twice++) {
            if (!asking->checking->told_unstable && may_turn(asking, once, twice))
                ask_stable_pair(asking, once, twice);
        }
    }
    if (!asking->is_stability_known || !may_ask(asking))
        tell_unknown(asking->checking);
}

static void ask_overlaps_from(struct asking *asking, uint32_t start, bool *is_asked)
{
    const struct derivation *derivation = asking->checking->derivation;
    struct range order = derivation->leaves[start].order;
    const struct derivation_visit *visits = derivation->visits + order.first;
    for (uint32_t i = 0; i < order.count; i++) {
        for (uint32_t k = i + 1; k < order.count && visits[k].level == visits[i].level; k++) {
            bool *asked =
                &is_asked[(size_t)visits[i].leaf * derivation->leaf_count + visits[k].leaf];
            if (*asked)
                continue;
            *asked = true;
            wish_pair(asking, visits[i].leaf, visits[k].leaf);
            ask(asking, asking->ordinary);
        }
    }
}

static void ask_gap(struct asking *asking, uint32_t region)
{
    const struct derivation *derivation = asking->checking->derivation;
    struct range order = derivation->leaves[derivation->regions[region].initial].order;
    asking->wish_count = 0;
    for (uint32_t i = 0; i < order.count; i++)
        wish(asking, derivation->visits[order.first + i].leaf, REASON_FALSE);
    if (!asking->checking->told_gap[region])
        ask(asking, asking->ordinary);
}

static void ask_whether_it_holds(struct asking *asking, uint32_t leaf)
{
    asking->wish_count = 0;
    wish(asking, leaf, REASON_TRUE);
    if (!asking->checking->ever_holds[leaf])
        asking->checking->never_holds[leaf] = ask(asking, asking->any) == REASON_NO;
}

static void fill_places(struct asking *asking)
{
    const struct derivation *derivation = asking->checking->derivation;
    size_t count = derivation->leaf_count;
    memset(asking->places, 0xff, count * count * sizeof *asking->places);
    for (uint32_t start = 0; start < count; start++) {
        struct range order = derivation->leaves[start].order;
        for (uint32_t i = 0; i < order.count; i++)
            asking->places[start * count + derivation->visits[order.first + i].leaf] =
                (uint16_t)i;
    }
}

/* Stability first: questions are limited, and it is what can go wrong. */
static void ask_everything(struct asking *asking)
{
    const struct derivation *derivation = asking->checking->derivation;
    size_t leaves = derivation->leaf_count;
    bool *is_asked = arena_get_zeroed(asking->checking->arena, leaves * leaves * sizeof(bool));
    if (!derivation->is_topological)
        ask_stable(asking);
    for (uint32_t leaf = 0; leaf < leaves; leaf++)
        ask_whether_it_holds(asking, leaf);
    for (uint32_t region = 0; region < derivation->region_count; region++)
        ask_gap(asking, region);
    for (uint32_t start = 0; start < leaves; start++)
        ask_overlaps_from(asking, start, is_asked);
}

static void ask_what_was_not_seen(struct checking *checking)
{
    const struct derivation *derivation = checking->derivation;
    struct arena *arena = checking->arena;
    size_t leaves = derivation->leaf_count;
    struct asking asking = {
        .checking = checking,
        .any = derivation_reason_open(derivation, REASON_ANYTHING, arena),
        .ordinary = derivation_reason_open(derivation, REASON_AS_USED, arena),
        .wishes = arena_new_array(arena, leaves + 2, struct reason_wish),
        .places = arena_new_array(arena, leaves * leaves, uint16_t),
        .questions_left = QUESTIONS_MAX,
        .doubts_left = DOUBTS_MAX,
        .is_stability_known = true,
    };
    if (asking.any == NULL || asking.ordinary == NULL) {
        tell_unknown(checking);
        return;
    }
    arena_open(&asking.arena, DEFINITION_ARENA_BYTES);
    fill_places(&asking);
    ask_everything(&asking);
    arena_close(&asking.arena);
}

/* What needs no records */

/* IL0314 */
static void look_validators(struct checking *checking)
{
    const struct derivation *derivation = checking->derivation;
    for (uint32_t leaf = 0; leaf < derivation->leaf_count; leaf++) {
        bool is_missing = derivation->leaves[leaf].validators.count == 0;
        bool is_never = checking->never_holds[leaf] ||
                        (checking->is_exhaustive && !checking->ever_holds[leaf]);
        if (!is_missing && !is_never)
            continue;
        struct span path = derivation_path(derivation, leaf);
        struct diagnostic *warning = diagnostics_add(
            checking->diagnostics, SEVERITY_WARNING, "IL0314", place_of(derivation, leaf),
            is_missing ? "%.*s has no validator, so no record is ever in it"
                       : "the validator of %.*s can never hold",
            SPAN_ARGS(path));
        diagnostic_help(checking->diagnostics, warning,
                        is_missing ? "write `true` where every record that gets there fits"
                                   : "no combination of values makes it true");
    }
}

/* IL0201 */
static void look_reached(struct checking *checking)
{
    const struct derivation *derivation = checking->derivation;
    for (uint32_t leaf = 0; leaf < derivation->leaf_count; leaf++) {
        uint32_t region = derivation->leaves[leaf].region;
        if (derivation_reaches(derivation, derivation->regions[region].initial, leaf))
            continue;
        struct diagnostic *error = diagnostics_add(
            checking->diagnostics, SEVERITY_ERROR, "IL0201", place_of(derivation, leaf),
            "no transition leads to %.*s", SPAN_ARGS(derivation_path(derivation, leaf)));
        diagnostic_help(checking->diagnostics, error, "add a transition to it, or remove it");
    }
}

/* Validators that read the record as a whole see more than the fields that are tried. */
static bool reads_whole(const struct derivation *derivation, struct arena *arena)
{
    for (uint32_t i = 0; i < derivation->validator_count; i++) {
        const struct footprint *use =
            footprint_read(derivation->validators[i].program, derivation->record, arena);
        for (; use != NULL; use = use->next) {
            if (use->kind == FOOTPRINT_WHOLE || use->kind == FOOTPRINT_ANY)
                return true;
        }
    }
    return false;
}

void derivation_check(const struct derivation *derivation, struct diagnostics *diagnostics)
{
    struct arena arena;
    uint32_t leaves = derivation->leaf_count;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    struct checking checking = {.derivation = derivation,
                                .diagnostics = diagnostics,
                                .arena = &arena,
                                .words = (leaves + 63) / 64};
    arena_open(&checking.witness, WITNESS_ARENA_BYTES);
    checking.domains = arena_get_zeroed(&arena, derivation->read_count * sizeof(struct domain));
    checking.choice = arena_get_zeroed(&arena, derivation->read_count * sizeof(uint32_t));
    checking.slots = arena_new_array(&arena, derivation_slot_count(derivation), struct value);
    checking.vector = arena_get_zeroed(&arena, checking.words * sizeof(uint64_t));
    checking.vectors =
        arena_new_array(&arena, (size_t)2 * VECTORS_MAX * checking.words, uint64_t);
    checking.has_vector = arena_get_zeroed(&arena, (size_t)2 * VECTORS_MAX * sizeof(bool));
    checking.ever_holds = arena_get_zeroed(&arena, leaves * sizeof(bool));
    checking.never_holds = arena_get_zeroed(&arena, leaves * sizeof(bool));
    checking.overlaps =
        arena_get_zeroed(&arena, ((size_t)leaves * leaves + 63) / 64 * sizeof(uint64_t));
    checking.told_gap = arena_get_zeroed(&arena, derivation->region_count * sizeof(bool));
    for (uint32_t i = 0; i < derivation->read_count; i++)
        fill_domain(&checking, i);
    look_everywhere(&checking);
    if (checking.is_sampled)
        ask_what_was_not_seen(&checking);
    checking.is_exhaustive = checking.is_exhaustive && !reads_whole(derivation, &arena);
    look_validators(&checking);
    look_reached(&checking);
    derivation_check_types(derivation, &arena, diagnostics);
    arena_close(&checking.witness);
    arena_close(&arena);
}
