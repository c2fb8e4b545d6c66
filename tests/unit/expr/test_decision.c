/*
 * test_decision.c - programs run as tests: which they are, and that nobody can tell.
 *
 * Each program is run twice, as it is and without its tests. Random programs over random values
 * must give the same in both, errors with their messages.
 */
#include "expr_fixture.h"

#include "base/random.h"
#include "expr/decision.h"

enum { NAMES = 5, LARGE = 80 };

static const struct span names[NAMES] = {{"a", 1}, {"b", 1}, {"c", 1}, {"m", 1}, {"n.o", 3}};
static const struct expr_scope scope = {.variables = names, .variable_count = NAMES};

static const struct expr_program *compile(struct fixture *fixture, struct span text)
{
    const struct expr_program *program =
        expr_compile(text, (struct place){SPAN("file"), 1, 1}, &scope, &fixture->arena,
                     &fixture->diagnostics);
    if (program == NULL)
        fail_msg("%.*s: %s", SPAN_ARGS(text), fixture_diagnostic_text(fixture));
    return program;
}

static struct value run(const struct expr_program *program, const struct value *slots,
                        struct arena *arena)
{
    struct expr_frame frame = {.slots = slots, .slot_count = NAMES};
    return expr_run(program, &frame, arena);
}

/* Whether the tests alone gave the answer. */
static bool check_same(struct fixture *fixture, struct span text,
                       const struct expr_program *program, const struct value *slots)
{
    struct expr_program plain = *program;
    struct arena_mark mark = arena_mark(&fixture->arena);
    plain.tests = NULL;
    struct value wanted = run(&plain, slots, &fixture->arena);
    struct value given = run(program, slots, &fixture->arena);
    const char *wanted_text = fixture_value_text(fixture, wanted);
    const char *given_text = fixture_value_text(fixture, given);
    if (wanted.kind != given.kind || strcmp(wanted_text, given_text) != 0)
        fail_msg("%.*s: %s by its tests, %s without", SPAN_ARGS(text), given_text, wanted_text);
    arena_rewind(&fixture->arena, mark);
    return program->tests != NULL && decision_run(program->tests, slots) != DECISION_OPEN;
}

static void comparisons_become_tests_and_nothing_else_does(void **state)
{
    static const struct {
        const char *text;
        bool has_tests;
    } rows[] = {
        {"a > 0 && b in ['USD', 'EUR'] && !c", true},
        {"a == null || m.x.y != 'text'", true},
        {"!(a >= 1.5) ? b : !c", false},
        {"!(a >= 1.5) ? !b : !c", true},
        {"has(m.x) && has(m.x.y)", true},
        {"m.x < m.y && a == b", true},
        {"size(m) > 0 || m.list.size() == a", true},
        {"n.o != 'a' && n.o.p in [1, 2u, 'x']", true},
        {"a in [[1], {'k': 1}]", true},
        {"a > 0 && b", true},
        {"a", false},
        {"m.x.y", false},
        {"a ? b : c", false},
        {"a > 0 ? b > 0 : c", false},
        {"a > 'text'", false},
        {"a in m", false},
        {"a + 1 > 2", false},
        {"a > 0 && b.startsWith('x')", false},
        {"(a > 0) == b", false},
        {"m[0] == 1", false},
        {"m.?x.orValue(0) > 0", false},
        {"m.all(x, x > 0)", false},
        {"true && a > 0", false},
        {"!a == b", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *fixture = fixture_get();
        const struct expr_program *program = compile(fixture, span_from_text(rows[i].text));
        if ((program->tests != NULL) != rows[i].has_tests)
            fail_msg("%s has %stests", rows[i].text, rows[i].has_tests ? "no " : "");
    }
}

/* Values, as they are found in contexts and as they are not. */

static const char long_text[] =
    "a text of more than two hundred and fifty-six bytes is left to the program, which counts "
    "what comparing it costs, since there may be thousands of comparisons in one expression, "
    "and a text of a mebibyte in the record that all of them look at; this one is just as long "
    "as it needs to be";

static struct value random_scalar(struct random *random)
{
    static const double reals[] = {0, 1, 1.5, -2, 9223372036854775808.0, 1e300};
    static const char *const texts[] = {"",
                                        "x",
                                        "EUR",
                                        "USD",
                                        "gold",
                                        "goldX",
                                        "shipped",
                                        "approved",
                                        "approves",
                                        "delivered",
                                        "deliveryX",
                                        "sixteen bytes ok",
                                        "seventeen bytes !",
                                        long_text};
    switch (random_up_to(random, 9)) {
    case 0:
    case 1:
    case 2:
        return value_int((int64_t)random_up_to(random, 5) - 2);
    case 3:
        return value_uint(random_up_to(random, 3));
    case 4:
        return random_up_to(random, 9) == 0 ? value_double(0.0 / 0.0 * (double)0)
                                            : value_double(reals[random_up_to(random, 5)]);
    case 5:
    case 6:
        return value_string(span_from_text(texts[random_up_to(random, COUNT(texts) - 1)]));
    case 7:
    case 8:
        return value_bool(random_up_to(random, 1));
    default:
        return value_null();
    }
}

static struct value random_value(struct random *random, struct arena *arena, int depth);

/* Sometimes larger than a map may be for tests. */
static struct value random_map(struct random *random, struct arena *arena, int depth)
{
    static const char *const keys[] = {"x", "y", "list", "delivered", "sixteen bytes ok"};
    uint32_t count = 0;
    struct value_entry *entries =
        arena_new_array(arena, LARGE + COUNT(keys), struct value_entry);
    if (random_up_to(random, 9) == 0) {
        for (; count < LARGE; count++)
            entries[count] = (struct value_entry){value_int(count), value_null()};
    }
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (random_up_to(random, 4) > 0)
            entries[count++] = (struct value_entry){value_string(span_from_text(keys[i])),
                                                    random_value(random, arena, depth - 1)};
    }
    return value_map(entries, count);
}

static struct value random_value(struct random *random, struct arena *arena, int depth)
{
    static const struct value item = {.kind = VALUE_INT, .integer = 1};
    uint64_t form = random_up_to(random, 19);
    if (form < 6 && depth > 0)
        return random_map(random, arena, depth);
    switch (form) {
    case 15:
        return value_error(SPAN(""));
    case 16:
        return value_list(&item, random_up_to(random, 1));
    case 17:
        return value_bytes(SPAN("EUR"));
    case 18:
        return (struct value){.kind = VALUE_OPTIONAL, .count = 1, .items = &item};
    case 19:
        return (struct value){.kind = VALUE_TIMESTAMP, .integer = 1};
    default:
        return random_scalar(random);
    }
}

/* Expressions */

#define PICK(random, table) span_from_text((table)[random_up_to((random), COUNT(table) - 1)])

static void add_field(struct text *text, struct random *random)
{
    static const char *const fields[] = {
        "a",      "a",   "b",     "c", "m.x",          "m.y",        "m.x.y",
        "m.list", "n.o", "n.o.x", "m", "size(m.list)", "m.x.size()", "m.delivered"};
    text_add(text, PICK(random, fields));
}

static void add_constant(struct text *text, struct random *random)
{
    static const char *const constants[] = {
        "0",    "1",     "-2",     "1u",           "1.5",         "9223372036854775808.0",
        "''",   "'EUR'", "'gold'", "'approved'",   "'delivered'", "'seventeen bytes !'",
        "null", "true",  "b'EUR'", "timestamp(1)", "[1]",         "{'x': 1}"};
    text_add(text, PICK(random, constants));
}

static void add_list(struct text *text, struct random *random)
{
    static const char *const many =
        "'x', 'EUR', 'USD', 'gold', 'shipped', 'approved', 'delivered', 'a', 'b', 'c', 'd', ''";
    uint64_t count = random_up_to(random, 4);
    text_add_byte(text, '[');
    if (random_up_to(random, 2) == 0) {
        text_add(text, span_from_text(many));
        text_add(text, count > 0 ? SPAN(", ") : SPAN(""));
    }
    for (uint64_t i = 0; i < count; i++) {
        text_add(text, i > 0 ? SPAN(", ") : SPAN(""));
        add_constant(text, random);
    }
    text_add_byte(text, ']');
}

static void add_atom(struct text *text, struct random *random)
{
    static const char *const orders[] = {" < ", " <= ", " > ", " >= ", " == ", " != "};
    static const char *const equalities[] = {" == ", " != "};
    static const char *const others[] = {
        "has(m.x)", "has(m.x.y)", "has(n.o.delivered)", "1 / a == 1", "b.startsWith('g')",
        "true",     "a in m"};
    uint64_t form = random_up_to(random, 19);
    if (form == 0 || form == 1) {
        text_add(text, PICK(random, others));
        return;
    }
    add_field(text, random);
    if (form < 6)
        return;
    if (form < 10) {
        text_add(text, SPAN(" in "));
        add_list(text, random);
    } else if (form < 13) {
        text_add(text, PICK(random, orders));
        add_field(text, random);
    } else if (form < 16) {
        static const char *const numbers[] = {"0", "1", "-2", "1u", "1.5", "-1e300"};
        text_add(text, PICK(random, orders));
        text_add(text, PICK(random, numbers));
    } else {
        text_add(text, PICK(random, equalities));
        add_constant(text, random);
    }
}

static void add_expression(struct text *text, struct random *random, int depth)
{
    uint64_t form = depth == 0 ? 0 : random_up_to(random, 6);
    if (form == 0) {
        add_atom(text, random);
        return;
    }
    text_add(text, form == 1 ? SPAN("!(") : SPAN("("));
    add_expression(text, random, depth - 1);
    for (uint64_t i = random_up_to(random, 2); form > 1 && form < 6 && i < 3; i++) {
        text_add(text, form % 2 ? SPAN(" && ") : SPAN(" || "));
        add_expression(text, random, depth - 1);
    }
    if (form == 6) {
        text_add(text, SPAN(" ? "));
        add_expression(text, random, depth - 1);
        text_add(text, SPAN(" : "));
        add_expression(text, random, depth - 1);
    }
    text_add_byte(text, ')');
}

static void random_programs_give_the_same_without_their_tests(void **state)
{
    enum { PROGRAMS = 3000, ROWS = 20 };
    unsigned with_tests = 0;
    unsigned decided = 0;
    (void)state;
    for (uint64_t seed = 0; seed < PROGRAMS; seed++) {
        struct fixture *fixture = fixture_get();
        struct random random = {seed};
        struct text text;
        text_init(&text, &fixture->arena);
        add_expression(&text, &random, (int)random_up_to(&random, 3));
        const struct expr_program *program = compile(fixture, text_span(&text));
        with_tests += program->tests != NULL;
        for (int row = 0; row < ROWS; row++) {
            struct value slots[NAMES];
            struct arena_mark mark = arena_mark(&fixture->arena);
            for (size_t i = 0; i < NAMES; i++)
                slots[i] = i < 3 ? random_value(&random, &fixture->arena, 0)
                                 : random_map(&random, &fixture->arena, 2);
            decided += check_same(fixture, text_span(&text), program, slots);
            arena_rewind(&fixture->arena, mark);
        }
    }
    print_message("# %u of %d programs have tests, which decided %u rows\n", with_tests,
                  PROGRAMS, decided);
    assert_true(with_tests > PROGRAMS / 3);
    assert_true(decided > with_tests * ROWS / 8 && decided < with_tests * ROWS);
}

/* Sizes around those of words, each against all of them but for one byte. */
static void short_texts_are_equal_to_themselves_alone(void **state)
{
    enum { SIZE_MAX_HERE = 20 };
    (void)state;
    for (size_t size = 0; size <= SIZE_MAX_HERE; size++) {
        struct fixture *fixture = fixture_get();
        char bytes[SIZE_MAX_HERE + 1];
        struct value slots[NAMES] = {0};
        struct span list = SPAN("'0123456789abcdefghij'");
        struct span text = text_print(&fixture->arena, "a == '%.*s' || a in ['q', '%.*s', 'r']",
                                      (int)size, list.text + 1, (int)size, list.text + 1);
        const struct expr_program *program = compile(fixture, text);
        memcpy(bytes, list.text + 1, sizeof bytes - 1);
        for (size_t changed = 0; changed <= size; changed++) {
            char *own = test_malloc(size + 1); /* so that reading behind it is found */
            memcpy(own, bytes, size);
            if (changed < size)
                own[changed] = '!';
            slots[0] = value_string(span_of(own, size));
            assert_int_equal(value_is_true(run(program, slots, &fixture->arena)),
                             changed == size);
            check_same(fixture, text, program, slots);
            test_free(own);
        }
    }
}

/* A budget that the program would exceed is not passed by. */
static void what_costs_something_is_left_to_the_program(void **state)
{
    enum { MEBIBYTE = 1 << 20 };
    struct fixture *fixture = fixture_get();
    struct text text;
    struct value slots[NAMES] = {0};
    char *large = test_calloc(MEBIBYTE, 1);
    (void)state;
    text_init(&text, &fixture->arena);
    text_add(&text, SPAN("a == 'x'"));
    while (text.size < 200)
        text_add(&text, SPAN(" || a == 'x'"));
    const struct expr_program *program = compile(fixture, text_span(&text));
    slots[0] = value_string(span_of(large, MEBIBYTE));
    assert_non_null(program->tests);
    assert_int_equal(decision_run(program->tests, slots), DECISION_OPEN);
    assert_int_equal(run(program, slots, &fixture->arena).kind, VALUE_ERROR);
    test_free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_become_tests_and_nothing_else_does),
        cmocka_unit_test(random_programs_give_the_same_without_their_tests),
        cmocka_unit_test(short_texts_are_equal_to_themselves_alone),
        cmocka_unit_test(what_costs_something_is_left_to_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
