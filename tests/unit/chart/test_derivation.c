/*
 * test_derivation.c - states from data: what was designed, case by case, and against the
 * definition written down plainly, at random.
 */
#include "chart_fixture.h"
#include "random_derivation.h"

/* Pairs of machine and record; more of them as an argument: the soak suite has a million. */
static uint32_t pair_count = 20000;

static const struct derivation *read_any(const char *definition, struct arena *arena,
                                         struct diagnostics *diagnostics)
{
    diagnostics_init(diagnostics, arena);
    const struct node *root = wire_read_definition(span_from_text(definition),
                                                   SPAN("order.yaml"), arena, diagnostics);
    assert_non_null(root);
    return derivation_read(root, arena, diagnostics);
}

static const struct derivation *read_good(const char *definition, struct arena *arena)
{
    struct diagnostics diagnostics;
    const struct derivation *derivation = read_any(definition, arena, &diagnostics);
    if (derivation == NULL)
        fail_msg("%s\n%.*s", definition, SPAN_ARGS(diagnostics.first->message));
    return derivation;
}

/* "STATE", "STATE via A B", "STATE !holds", with " errors 2" behind it. */
static struct span answer_text(const struct derivation *derivation,
                               const struct derived *derived, struct arena *arena)
{
    struct text text;
    uint16_t *via = arena_new_array(arena, derivation->leaf_count, uint16_t);
    uint32_t count = derivation_via(derivation, derived, via);
    text_init(&text, arena);
    text_add(&text, derivation_path(derivation, derived->state));
    for (uint32_t i = 0; i < count; i++)
        text_format(&text, "%s %.*s", i == 0 ? " via" : "",
                    SPAN_ARGS(derivation_path(derivation, via[i])));
    if (!derived->holds)
        text_add(&text, SPAN(" !holds"));
    if (derived->errors > 0)
        text_format(&text, " errors %u", derived->errors);
    return text_span(&text);
}

static struct derived derive(const struct derivation *derivation, uint32_t start,
                             struct value record, struct arena *arena)
{
    struct value *slots =
        arena_new_array(arena, derivation_slot_count(derivation), struct value);
    derivation_bind(derivation, record, slots, arena);
    return derivation_run(derivation, start, slots, arena);
}

struct row {
    const char *start; /* NULL: the initial state */
    const char *record;
    const char *answer;
};

static void expect_rows(const char *definition, const struct row *rows, size_t count)
{
    struct arena arena;
    size_t wrong = 0;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    const struct derivation *derivation = read_good(definition, &arena);
    for (size_t i = 0; i < count; i++) {
        uint32_t start = rows[i].start == NULL
                             ? derivation->regions[0].initial
                             : derivation_find(derivation, 0, span_from_text(rows[i].start));
        assert_int_not_equal(start, NO_STATE);
        struct value record = fixture_json(&arena, span_from_text(rows[i].record));
        struct derived derived = derive(derivation, start, record, &arena);
        struct span answer = answer_text(derivation, &derived, &arena);
        if (!span_is(answer, rows[i].answer))
            print_error("%s from %s: %.*s instead of %s\n", rows[i].record,
                        rows[i].start == NULL ? "the beginning" : rows[i].start,
                        SPAN_ARGS(answer), rows[i].answer);
        wrong += !span_is(answer, rows[i].answer);
    }
    arena_close(&arena);
    assert_int_equal(wrong, 0);
}

static const char order_status[] =
    "id: order-status\n"
    "record: { as: o, defaults: { itemsAdded: false, paymentReceived: false, approved: false, "
    "shipped: false, delivered: false } }\n"
    "initial: DRAFT\n"
    "transitions:\n"
    "  DRAFT: [AWAITING_PAYMENT]\n"
    "  AWAITING_PAYMENT: [AWAITING_APPROVAL]\n"
    "  AWAITING_APPROVAL: [READY_TO_SHIP]\n"
    "  READY_TO_SHIP: [SHIPPED]\n"
    "  SHIPPED: [COMPLETED]\n"
    "  COMPLETED: []\n"
    "validators:\n"
    "  DRAFT: \"!o.itemsAdded\"\n"
    "  AWAITING_PAYMENT: o.itemsAdded && !o.paymentReceived\n"
    "  AWAITING_APPROVAL: o.paymentReceived && !o.approved\n"
    "  READY_TO_SHIP: o.approved && !o.shipped\n"
    "  SHIPPED: o.shipped && !o.delivered\n"
    "  COMPLETED: o.delivered\n";

static void several_fields_at_once_jump_over_states(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {NULL, "{}", "DRAFT"},
        {NULL, "{\"itemsAdded\":true}", "AWAITING_PAYMENT"},
        {"DRAFT", "{\"itemsAdded\":true,\"paymentReceived\":true,\"approved\":true}",
         "READY_TO_SHIP via AWAITING_PAYMENT AWAITING_APPROVAL"},
        {"AWAITING_APPROVAL",
         "{\"itemsAdded\":true,\"paymentReceived\":true,\"approved\":true}", "READY_TO_SHIP"},
        /* missing and null are what `defaults` say */
        {NULL, "{\"itemsAdded\":null}", "DRAFT"},
        /* no edge leads back, so it stays where it was and does not hold */
        {"SHIPPED", "{\"itemsAdded\":true}", "SHIPPED !holds"},
        {"COMPLETED", "{}", "COMPLETED !holds"},
        /* neither true nor false: counted, and does not hold */
        {NULL, "{\"itemsAdded\":1}", "DRAFT !holds errors 2"},
        {NULL, "{\"itemsAdded\":\"true\",\"delivered\":true}",
         "COMPLETED via AWAITING_PAYMENT AWAITING_APPROVAL READY_TO_SHIP SHIPPED"},
        {"READY_TO_SHIP", "{\"approved\":true,\"shipped\":true,\"delivered\":0}",
         "READY_TO_SHIP !holds errors 2"},
    };
    expect_rows(order_status, rows, COUNT(rows));
}

static void a_search_goes_on_behind_what_fails(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {NULL, "{\"c\":true}", "C via B"}, {NULL, "{\"a\":true,\"c\":true}", "C via B"},
        {NULL, "{\"a\":true}", "A"},       {NULL, "{}", "A !holds"},
        {"B", "{\"a\":true}", "B !holds"},
    };
    expect_rows("record: { as: o, defaults: { a: false, c: false } }\ninitial: A\n"
                "transitions: { A: [B], B: [C], C: [] }\n"
                "validators: { A: o.a, B: 'false', C: o.c }\n",
                rows, COUNT(rows));
}

static void the_last_visited_of_a_branch_wins(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* both of one level hold: the one written later */
        {NULL, "{\"l\":true,\"r\":true}", "RIGHT"},
        {NULL, "{\"l\":true}", "LEFT"},
        /* further away is later, whatever the branch */
        {NULL, "{\"l\":true,\"r\":true,\"ll\":true}", "LEFT_END via LEFT"},
        {NULL, "{\"ll\":true,\"end\":true}", "END via RIGHT"},
    };
    expect_rows(
        "record: { as: o, defaults: { l: false, r: false, ll: false, end: false } }\n"
        "initial: START\n"
        "transitions: { START: [LEFT, RIGHT], LEFT: [LEFT_END], RIGHT: [END], LEFT_END: "
        "[END], END: [] }\n"
        "validators: { START: 'true', LEFT: o.l, RIGHT: o.r, LEFT_END: o.ll, END: "
        "o.end }\n",
        rows, COUNT(rows));
}

static void a_cycle_is_walked_once(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"A", "{\"a\":true,\"b\":true}", "B"},
        {"B", "{\"a\":true,\"b\":true}", "A"}, /* which is why `check` refuses it */
        {"A", "{\"a\":true}", "A"},
        {"B", "{\"a\":true}", "A"},
        {"B", "{}", "B !holds"},
    };
    expect_rows("record: { as: o, defaults: { a: false, b: false } }\ninitial: A\n"
                "transitions: { A: [B, A], B: [A] }\nvalidators: { A: o.a, B: o.b }\n",
                rows, COUNT(rows));
}

static void a_topological_order_does_not_flip(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"A", "{\"a\":true,\"b\":true}", "B"},
        {"B", "{\"a\":true,\"b\":true}", "B"},
        {"B", "{\"a\":true}", "A"},
        {"C", "{\"a\":true,\"b\":true}", "B via A"},
    };
    expect_rows("record: { as: o, defaults: { a: false, b: false } }\ninitial: A\n"
                "derive: { order: topological }\n"
                "transitions: { C: [A], A: [B], B: [A] }\n"
                "validators: { A: o.a, B: o.b, C: 'false' }\n",
                rows, COUNT(rows));
}

static void a_state_without_a_validator_is_never_chosen(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {NULL, "{}", "A"},
        {NULL, "{\"c\":true}", "C via B"},
        {"B", "{}", "B !holds"},
    };
    expect_rows("record: { as: o, defaults: { c: false } }\ninitial: A\n"
                "transitions: { A: B, B: C, C: }\nvalidators: { A: 'true', C: o.c }\n",
                rows, COUNT(rows));
}

static void nested_states_are_derived_as_leaves(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {NULL, "{}", "OPEN.NEW"},
        {NULL, "{\"busy\":true}", "OPEN.BUSY"},
        /* an ancestor's validator counts too, and its edges come after a leaf's own */
        {NULL, "{\"busy\":true,\"closed\":true}", "CLOSED"},
        {"OPEN.BUSY", "{\"closed\":true}", "CLOSED"},
        {"CLOSED", "{}", "OPEN.NEW"}, /* a compound target is its initial leaf */
        {"BUSY", "{\"busy\":true}", "OPEN.BUSY"},
        {"OPEN", "{\"busy\":true}", "OPEN.BUSY"},
    };
    expect_rows("record: { as: o, defaults: { busy: false, closed: false } }\ninitial: OPEN\n"
                "states:\n"
                "  OPEN:\n"
                "    validator: \"!o.closed\"\n"
                "    transitions: [CLOSED]\n"
                "    initial: NEW\n"
                "    states:\n"
                "      NEW: { validator: '!o.busy', transitions: [BUSY] }\n"
                "      BUSY: { validator: o.busy }\n"
                "  CLOSED: { validator: o.closed, transitions: [OPEN] }\n",
                rows, COUNT(rows));
}

static void regions_are_derived_apart(void **state)
{
    (void)state;
    struct arena arena;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    const struct derivation *derivation =
        read_good("type: parallel\nrecord: { as: o, defaults: { p: false, s: false } }\n"
                  "states:\n"
                  "  pay:\n    initial: OPEN\n    states:\n"
                  "      OPEN: { validator: '!o.p', transitions: [PAID] }\n"
                  "      PAID: { validator: o.p }\n"
                  "  send:\n    initial: OPEN\n    states:\n"
                  "      OPEN: { validator: '!o.s', transitions: [SENT] }\n"
                  "      SENT: { validator: o.s }\n",
                  &arena);
    assert_int_equal(derivation->region_count, 2);
    struct value record = fixture_json(&arena, SPAN("{\"s\":true}"));
    struct derived pay = derive(derivation, derivation->regions[0].initial, record, &arena);
    struct derived send = derive(derivation, derivation->regions[1].initial, record, &arena);
    assert_true(span_is(answer_text(derivation, &pay, &arena), "pay.OPEN"));
    assert_true(span_is(answer_text(derivation, &send, &arena), "send.SENT"));
    assert_int_equal(derivation_find(derivation, 0, SPAN("SENT")), NO_STATE);
    assert_int_equal(derivation_find(derivation, 1, SPAN("SENT")), send.state);
    arena_close(&arena);
}

static void a_record_is_read_as_its_schema_says(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {NULL, "{\"total\":3,\"count\":2.0}", "B"}, /* 3 * 1.5 is no error: total is a number */
        {NULL, "{\"total\":1,\"count\":2.0}", "A"},
        {NULL, "{\"total\":3,\"count\":2.5}", "A errors 1"},
        {NULL, "{}", "A errors 1"},
    };
    expect_rows("record: { as: o, schema: { type: object, properties: { total: { type: number "
                "}, count: { type: [integer, \"null\"] } } } }\n"
                "initial: A\ntransitions: { A: B, B: [] }\n"
                "validators: { A: 'true', B: 'o.total * 1.5 > 4.0 && o.count % 2 == 0' }\n",
                rows, COUNT(rows));
}

static void a_record_is_also_a_map(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {NULL, "{\"x\":1}", "B"},
        {NULL, "{}", "A"},
        {NULL, "{\"x\":1,\"y\":{\"z\":true}}", "C via B"},
        {NULL, "{\"y\":{}}", "A"},
    };
    expect_rows("record: { as: o }\ninitial: A\ntransitions: { A: B, B: C, C: [] }\n"
                "validators: { A: size(o) < 2 && !has(o.x), B: '\"x\" in o', C: "
                "o.?y.z.orValue(false) }\n",
                rows, COUNT(rows));
}

/* What is wrong with definitions */

struct fault {
    const char *definition;
    const char *code;
    const char *says;
};

static void wrong_definitions_are_refused(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        {"initial: A\ntransitions: { A: [] }\n", "IL0103", "`validators` is missing"},
        {"initial: A\nvalidators: { A: 'true' }\ntransitions: { A: [B] }\n", "IL0107",
         "no state `B`"},
        {"initial: B\nvalidators: { A: 'true' }\n", "IL0107", "no state `B`"},
        {"validators: { A: 'true' }\n", "IL0103", "`initial` is missing"},
        {"initial: A\nvalidators: { A: 'o.x' }\n", "IL0105", "o"},
        {"initial: A\nrecord: { as: o }\nvalidators: { A: 'o.x &&' }\n", "IL0105", ""},
        {"initial: A\nrecord: { as: o }\nvalidators: { A: '${o.x}' }\n", "IL0105",
         "bare expression"},
        {"initial: A\nrecord: { as: o }\nvalidators: { A: 'o.x < now' }\n", "IL0105", "`now`"},
        {"initial: A\nrecord: { as: o, default: {} }\nvalidators: { A: 'o.x' }\n", "IL0102",
         "`default`"},
        {"initial: A\nrecord: { as: 'a-b' }\nvalidators: { A: 'true' }\n", "IL0104", "`as`"},
        {"initial: A\nvalidators: { A: [1] }\n", "IL0104", "a validator is an expression"},
        {"initial: A\nvalidator: { A: 'true' }\nvalidators: { A: 'true' }\n", "IL0102",
         "`validator`"},
        {"initial: A\nvalidators: { A: 'true' }\nderive: { order: best }\n", "IL0104",
         "topological"},
        {"initial: A\nvalidators: { A: 'true' }\ntransitions: { A: [1] }\n", "IL0104",
         "names a state"},
        {"initial: A\nvalidators: { A: 'true' }\nstates: { A: { validator: 'true' } }\n",
         "IL0109", "twice"},
        {"type: parallel\nstates: { a: { initial: X, states: { X: { validator: 'true', "
         "transitions: ['#b.Y'] } } }, b: { initial: Y, states: { Y: { validator: 'true', id: "
         "b.Y } } } }\n",
         "IL0104", "region"},
    };
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct arena arena;
        struct diagnostics found;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        const struct derivation *derivation = read_any(faults[i].definition, &arena, &found);
        bool fits =
            derivation == NULL && found.first != NULL &&
            span_is(found.first->code, faults[i].code) &&
            span_find(found.first->message, span_from_text(faults[i].says), 0) != SIZE_MAX;
        if (!fits)
            print_error("%s: %.*s\n", faults[i].definition,
                        SPAN_ARGS(found.first == NULL ? SPAN("nothing is wrong")
                                                      : found.first->message));
        wrong += !fits;
        arena_close(&arena);
    }
    assert_int_equal(wrong, 0);
}

/* Checks */

struct finding {
    const char *definition;
    const char *codes;
    const char *says; /* in the first message */
};

static struct span codes_of(const struct derivation *derivation, struct arena *arena,
                            struct diagnostics *diagnostics)
{
    struct text text;
    text_init(&text, arena);
    diagnostics_init(diagnostics, arena);
    derivation_check(derivation, diagnostics);
    for (const struct diagnostic *d = diagnostics->first; d != NULL; d = d->next)
        text_format(&text, "%s%.*s", text.size == 0 ? "" : " ", SPAN_ARGS(d->code));
    return text_span(&text);
}

#define TWO_FLAGS "record: { as: o, defaults: { a: false, b: false } }\ninitial: A\n"

/* Twenty fields have a million combinations: too many to try, and one alone tells. */
#define TWENTY_FLAGS                                                                      \
    "record: { as: o, defaults: { a: false, b: false, c: false, d: false, e: false, f: "  \
    "false, "                                                                             \
    "g: false, h: false, i: false, j: false, k: false, l: false, m: false, p: false, q: " \
    "false, r: false, s: false, t: false, u: 0, v: 0 } }\ninitial: A\n"
#define ALL                                                                                    \
    "o.a && o.b && o.c && o.d && o.e && o.f && o.g && o.h && o.i && o.j && o.k && o.l && o.m " \
    "&& o.p && o.q && o.r && o.s && o.t && o.u == 1234 && o.v >= 77"

static void checks_find_what_is_there(void **state)
{
    (void)state;
    static const struct finding findings[] = {
        {order_status, "", ""},
        {TWO_FLAGS "transitions: { A: B, B: A }\nvalidators: { A: o.a, B: o.b }\n",
         "IL0311 IL0313", "gives B, and derived again A"},
        {TWO_FLAGS "transitions: { A: B, B: A }\nvalidators: { A: '!o.a', B: o.a }\n", "", ""},
        {TWO_FLAGS "derive: { order: topological }\ntransitions: { A: B, B: A }\nvalidators: { "
                   "A: 'o.a || true', B: o.b }\n",
         "", ""},
        /* equally far, both hold */
        {TWO_FLAGS "transitions: { A: [B, C], B: [], C: [] }\nvalidators: { A: '!o.a && !o.b', "
                   "B: o.a, C: o.b }\n",
         "IL0312", "both hold on {\"a\":true,\"b\":true}"},
        {TWO_FLAGS
         "transitions: { A: [B], B: [] }\nvalidators: { A: 'true', B: o.a && !o.a }\n",
         "IL0314", "can never hold"},
        {TWO_FLAGS "transitions: { A: [B], B: [] }\nvalidators: { A: 'true' }\n", "IL0314",
         "B has no validator"},
        {TWO_FLAGS "transitions: { A: [], B: [] }\nvalidators: { A: 'true', B: o.b }\n",
         "IL0201", "leads to B"},
        /* an order that can be cancelled from everywhere, and be resumed */
        {"record: { as: o, defaults: { paid: false, cancelled: false } }\ninitial: NEW\n"
         "transitions: { NEW: [PAID, CANCELLED], PAID: [CANCELLED], CANCELLED: [NEW] }\n"
         "validators: { NEW: '!o.paid', PAID: o.paid, CANCELLED: o.cancelled }\n",
         "IL0311 IL0312", "{\"paid\":true,\"cancelled\":true}"},
        /* numbers and words */
        {"record: { as: o, defaults: { n: 0, s: '' } }\ninitial: A\n"
         "transitions: { A: [B, C], B: [A], C: [A] }\n"
         "validators: { A: 'o.n <= 10', B: 'o.n > 10 && o.s != \"x\"', C: 'o.n > 10 && o.s == "
         "\"x\"' }\n",
         "", ""},
        {"record: { as: o, defaults: { n: 0 } }\ninitial: A\n"
         "transitions: { A: [B], B: [A] }\n"
         "validators: { A: 'o.n < 10', B: 'o.n > 8' }\n",
         "IL0311", "{\"n\":9}"},
        /* types */
        {"record: { as: o, defaults: { paymentReceived: false } }\ninitial: A\n"
         "transitions: { A: [] }\nvalidators: { A: 'o.paymentRecieved || true' }\n",
         "IL0503", "there is no field 'paymentRecieved'"},
        {"record: { as: o, defaults: { n: 0, s: a } }\ninitial: A\ntransitions: { A: [] }\n"
         "validators: { A: 'o.n * 1.5 > 1.0 || o.s.size() > 3 || !(o.s == 3)' }\n",
         "IL0503", "string and int are never equal"},
        {"record: { schema: { properties: { n: { type: integer } }, additionalProperties: "
         "false "
         "} }\ninitial: A\ntransitions: { A: [] }\n"
         "validators: { A: 'record.n + 1.5 > 1.0 || record.m || true' }\n",
         "IL0503 IL0503", "int + double"},
        /* too many combinations */
        {TWENTY_FLAGS "transitions: { A: B, B: A }\nvalidators: { A: '!o.a || (" ALL
                      ")', B: o.a }\n",
         "IL0311", "gives B, and derived again A"},
        {TWENTY_FLAGS "transitions: { A: B, B: A }\nvalidators: { A: '!o.a', B: 'o.a && (" ALL
                      " || o.a)' }\n",
         "", ""},
        {TWENTY_FLAGS "transitions: { A: [B, C], B: [], C: [] }\nvalidators: { A: '!(" ALL
                      ")', B: " ALL ", C: " ALL " }\n",
         "IL0312", "equally far from A, both hold"},
        {TWENTY_FLAGS "transitions: { A: B, B: [] }\nvalidators: { A: '!(" ALL
                      ")', B: 'o.a && !(" ALL ")' }\n",
         "IL0313", "\"u\":1234"},
        {TWENTY_FLAGS "transitions: { A: B, B: [] }\nvalidators: { A: 'true', B: '" ALL
                      " && !o.b' }\n",
         "IL0314", "the validator of B can never hold"},
        {TWENTY_FLAGS "transitions: { A: B, B: A }\nvalidators: { A: '!o.a || (" ALL
                      " && o.u * o.v == 7 * o.u + o.v)', B: o.a }\n",
         "IL0311", "is not known"},
        {TWENTY_FLAGS "derive: { order: topological }\ntransitions: { A: B, B: A }\n"
                      "validators: { A: '!o.a || (" ALL ")', B: o.a }\n",
         "", ""},
    };
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT(findings); i++) {
        struct arena arena;
        struct diagnostics found;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        const struct derivation *derivation = read_good(findings[i].definition, &arena);
        struct span codes = codes_of(derivation, &arena, &found);
        bool fits =
            span_is(codes, findings[i].codes) &&
            (found.first == NULL ||
             span_find(found.first->message, span_from_text(findings[i].says), 0) != SIZE_MAX);
        if (!fits) {
            print_error("%s\n%.*s instead of %s\n", findings[i].definition, SPAN_ARGS(codes),
                        findings[i].codes);
            for (const struct diagnostic *d = found.first; d != NULL; d = d->next)
                print_error("%.*s: %.*s\n", SPAN_ARGS(d->code), SPAN_ARGS(d->message));
        }
        wrong += !fits;
        arena_close(&arena);
    }
    assert_int_equal(wrong, 0);
}

/* At random */

enum { RECORDS_PER_MACHINE = 50 };

struct trial {
    struct arena arena;
    struct reference reference;
    const struct derivation *derivation;
    struct derivation_table *table;
    struct derived *answers; /* by the table's numbers */
    const char *definition;
    bool is_stable; /* `check` has nothing against it */
};

static void open_trial(struct trial *trial, struct random *random, bool is_topological)
{
    struct text text;
    struct diagnostics diagnostics;
    arena_open(&trial->arena, DEFINITION_ARENA_BYTES);
    text_init(&text, &trial->arena);
    reference_make(&trial->reference, random);
    reference_write(&trial->reference, is_topological, &text);
    trial->definition = text.bytes;
    trial->derivation = read_good(text.bytes, &trial->arena);
    trial->table = derivation_table_open(trial->derivation, 16, &trial->arena);
    trial->answers =
        arena_get_array(&trial->arena, DERIVATION_ANSWERS_MAX, sizeof *trial->answers);
    diagnostics_init(&diagnostics, &trial->arena);
    derivation_check(trial->derivation, &diagnostics);
    trial->is_stable = true;
    for (const struct diagnostic *d = diagnostics.first; d != NULL; d = d->next)
        trial->is_stable = trial->is_stable && !span_is(d->code, "IL0311");
}

/* By the name of a state, which is its number in the reference. */
static uint32_t leaf_named(const struct trial *trial, int state)
{
    char name[16];
    snprintf(name, sizeof name, "S%d", state);
    return derivation_find(trial->derivation, 0, span_from_text(name));
}

/* A look into the table says what a derivation does. */
static void expect_table(struct trial *trial, struct value record,
                         const struct derived *derived)
{
    uint64_t key;
    if (trial->table == NULL || !derivation_table_key(trial->table, record, &key))
        return;
    key |= (uint64_t)derived->start << derivation_table_shift(trial->table);
    uint32_t number = derivation_table_find(trial->table, key);
    if (number == NO_INDEX) {
        number = derivation_table_add(trial->table, key);
        trial->answers[number] = *derived;
    }
    const struct derived *known = &trial->answers[number]; /* by members: there is padding */
    assert_int_equal(known->start, derived->start);
    assert_int_equal(known->state, derived->state);
    assert_int_equal(known->place, derived->place);
    assert_int_equal(known->holds, derived->holds);
    assert_int_equal(known->errors, derived->errors);
}

static void try_record(struct trial *trial, struct random *random, bool is_topological)
{
    struct reference_value values[REFERENCE_FIELDS_MAX];
    struct text text;
    text_init(&text, &trial->arena);
    reference_record(&trial->reference, random, values);
    reference_write_record(&trial->reference, values, &text);
    struct value record = fixture_json(&trial->arena, text_span(&text));
    int state =
        reference_leaf(&trial->reference,
                       (int)random_up_to(random, (uint64_t)trial->reference.state_count - 1));
    uint32_t start = leaf_named(trial, state);
    struct derived derived = derive(trial->derivation, start, record, &trial->arena);
    struct reference_answer wanted = reference_derive(&trial->reference, state, values);
    bool fits = derived.state == leaf_named(trial, wanted.state) &&
                derived.holds == wanted.holds && (int)derived.errors == wanted.errors;
    struct derived again = derive(trial->derivation, derived.state, record, &trial->arena);
    if (!is_topological && !fits)
        fail_msg("%s\n%s from S%d: S%d", trial->definition, text.bytes, state, wanted.state);
    if (is_topological && derived.holds != wanted.holds)
        fail_msg("%s\n%s from S%d", trial->definition, text.bytes, state);
    if ((trial->is_stable || is_topological) && again.state != derived.state)
        fail_msg("not stable, and nobody said so: %s\n%s from S%d", trial->definition,
                 text.bytes, state);
    expect_table(trial, record, &derived);
}

static void try_many(bool is_topological, uint32_t count, uint64_t seed)
{
    struct random random = {.state = seed};
    uint32_t stable = 0;
    uint32_t machines = count / RECORDS_PER_MACHINE;
    for (uint32_t i = 0; i < machines; i++) {
        struct trial trial;
        open_trial(&trial, &random, is_topological);
        struct arena_mark mark = arena_mark(&trial.arena);
        for (uint32_t k = 0; k < RECORDS_PER_MACHINE; k++) {
            try_record(&trial, &random, is_topological);
            arena_rewind(&trial.arena, mark);
        }
        stable += trial.is_stable;
        arena_close(&trial.arena);
    }
    print_message("%u of %u machines are stable\n", stable, machines);
    assert_true(stable > machines / 4);
}

static void random_machines_do_what_the_definition_says(void **state)
{
    (void)state;
    try_many(false, pair_count, 20261122);
}

static void random_topological_orders_are_stable(void **state)
{
    (void)state;
    try_many(true, pair_count / 4, 7);
}

int main(int argument_count, char **arguments)
{
    if (argument_count > 1)
        pair_count = (uint32_t)strtoul(arguments[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_fields_at_once_jump_over_states),
        cmocka_unit_test(a_search_goes_on_behind_what_fails),
        cmocka_unit_test(the_last_visited_of_a_branch_wins),
        cmocka_unit_test(a_cycle_is_walked_once),
        cmocka_unit_test(a_topological_order_does_not_flip),
        cmocka_unit_test(a_state_without_a_validator_is_never_chosen),
        cmocka_unit_test(nested_states_are_derived_as_leaves),
        cmocka_unit_test(regions_are_derived_apart),
        cmocka_unit_test(a_record_is_read_as_its_schema_says),
        cmocka_unit_test(a_record_is_also_a_map),
        cmocka_unit_test(wrong_definitions_are_refused),
        cmocka_unit_test(checks_find_what_is_there),
        cmocka_unit_test(random_machines_do_what_the_definition_says),
        cmocka_unit_test(random_topological_orders_are_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
