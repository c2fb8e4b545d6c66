/*
 * test_reason.c - no wrong "yes", no wrong "no", and few "unknown".
 *
 * Rows say what people ask; random predicates over a small world are compared with a search
 * through all of its records by the VM.
 */
#include "base/random.h"
#include "expr_fixture.h"

enum { ROW_PREDICATES_MAX = 8 };

static const char *verdict_name(enum reason_verdict verdict)
{
    return verdict == REASON_YES ? "yes" : verdict == REASON_NO ? "no" : "unknown";
}

static const struct span variables[] = {{"o", 1}, {"n", 1}};
static const struct expr_scope scope = {.variables = variables,
                                        .variable_count = 2,
                                        .functions = fixture_functions,
                                        .function_count = 1};
static const struct reason_field record_field = {
    .path = {"o", 1}, .kinds = 1 << VALUE_MAP, .is_required = true};

static const struct expr_program *compile(struct fixture *fixture, struct span text)
{
    const struct expr_program *program =
        expr_compile(text, (struct place){SPAN("file"), 1, 1}, &scope, &fixture->arena,
                     &fixture->diagnostics);
    if (program == NULL)
        print_error("%.*s: %s\n", SPAN_ARGS(text), fixture_diagnostic_text(fixture));
    assert_non_null(program);
    return program;
}

/* Takes "a; b; c" apart. */
static size_t compile_all(struct fixture *fixture, const char *text,
                          const struct expr_program **programs)
{
    struct span left = span_from_text(text);
    size_t count = 0;
    while (left.size > 0) {
        size_t end = span_find(left, SPAN("; "), 0);
        assert_true(count < ROW_PREDICATES_MAX);
        programs[count++] =
            compile(fixture, span_slice(left, 0, end == SIZE_MAX ? left.size : end));
        left = end == SIZE_MAX ? SPAN("") : span_slice(left, end + 2, left.size);
    }
    return count;
}

static uint8_t outcome_of(struct value value)
{
    if (value.kind != VALUE_BOOL)
        return REASON_ERROR;
    return value.boolean ? REASON_TRUE : REASON_FALSE;
}

static bool is_granted(struct fixture *fixture, const struct expr_program *const *programs,
                       const struct reason_wish *wishes, size_t count,
                       const struct value *slots)
{
    struct expr_frame frame = {.slots = slots, .slot_count = 2, .host_function = fixture_in};
    for (size_t i = 0; i < count; i++) {
        struct value result = expr_run(programs[wishes[i].predicate], &frame, &fixture->arena);
        if (!(outcome_of(result) & wishes[i].outcomes))
            return false;
    }
    return true;
}

struct row {
    const char *predicates; /* separated by "; " */
    const char *wishes;     /* a letter each: T true, F false, E error, N not true */
    const char *answer;     /* when anything may be in the record */
    const char *as_used;    /* when members are there, and of the kinds they are used as */
};

static uint32_t wish_of(char letter)
{
    return letter == 'T'   ? REASON_TRUE
           : letter == 'F' ? REASON_FALSE
           : letter == 'E' ? REASON_ERROR
                           : REASON_NOT_TRUE;
}

static struct reason_answer ask(struct fixture *fixture, const struct row *row,
                                enum reason_unknown unknown)
{
    const struct expr_program *programs[ROW_PREDICATES_MAX];
    struct reason_wish wishes[ROW_PREDICATES_MAX];
    size_t count = compile_all(fixture, row->predicates, programs);
    struct reason_world world = {&scope, &record_field, 1, unknown};
    const struct reason *reason = reason_open(programs, count, &world, &fixture->arena);
    assert_int_equal(count, strlen(row->wishes));
    for (uint32_t i = 0; i < count; i++)
        wishes[i] = (struct reason_wish){i, wish_of(row->wishes[i])};
    struct reason_answer answer = reason_ask(reason, wishes, count, &fixture->arena);
    if (answer.verdict == REASON_YES)
        assert_true(is_granted(fixture, programs, wishes, count, answer.slots));
    return answer;
}

static unsigned check_rows(const struct row *rows, size_t count)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < count; i++) {
        for (int unknown = REASON_ANYTHING; unknown <= REASON_AS_USED; unknown++) {
            struct fixture *fixture = fixture_get();
            const char *wanted = unknown == REASON_ANYTHING ? rows[i].answer : rows[i].as_used;
            struct reason_answer answer = ask(fixture, &rows[i], (enum reason_unknown)unknown);
            const char *given = verdict_name(answer.verdict);
            if (strcmp(given, wanted) == 0)
                continue;
            wrong++;
            print_error("%s  %s  as used: %d\n  gives %s, wanted %s\n", rows[i].predicates,
                        rows[i].wishes, unknown, given, wanted);
            if (answer.verdict == REASON_YES)
                print_error("  with %s\n", fixture_value_text(fixture, answer.slots[0]));
        }
    }
    return wrong;
}

static void what_is_decided(void **state)
{
    static const struct row rows[] = {
        /* booleans */
        {"o.a", "T", "yes", "yes"},
        {"o.a && !o.a", "T", "no", "no"},
        {"o.a || !o.a", "N", "yes", "no"},
        {"o.a || !o.a", "F", "no", "no"},
        {"o.a == true; o.a", "TN", "no", "no"},
        {"o.a != true; o.a", "NF", "no", "no"},
        {"o.a ? o.b : !o.b", "E", "yes", "no"},
        {"o.a ? o.b : !o.b; o.a; o.b", "TTN", "no", "no"},
        {"true || o.a", "N", "no", "no"},
        {"o.a || true; o.b", "NT", "no", "no"},
        {"1 > 2 || o.a; o.a", "TN", "no", "no"},
        /* the validators of an order: each overlap, no gap where all fields are booleans */
        {"!o.items; o.items && !o.paid; o.paid && !o.approved; o.approved && !o.shipped; "
         "o.shipped && !o.delivered; o.delivered",
         "NNNNNN", "yes", "no"},
        {"o.paid && !o.approved; o.approved && !o.shipped", "TT", "no", "no"},
        {"o.items && !o.paid; o.approved && !o.shipped", "TT", "yes", "yes"},
        /* numbers */
        {"o.n > 0; o.n < 0", "NN", "yes", "yes"},
        {"o.n > 0; o.n <= 0", "NN", "yes", "no"},
        {"o.n > 0; o.n <= 0", "TT", "no", "no"},
        {"o.n > 0; o.n < 1", "TT", "yes", "yes"},
        {"o.n > 0.5; o.n < 0.5000000000000002", "TT", "yes", "yes"},
        {"o.n > 0.5; o.n < 0.5000000000000001", "TT", "no", "no"},
        {"o.n > 9223372036854775806; o.n < 9223372036854775807", "TT", "no", "no"},
        {"o.n > 9223372036854775807", "T", "yes", "yes"},
        {"5 < o.n; o.n in [1, 2, 5]", "TT", "no", "no"},
        {"5 <= o.n; o.n in [1, 2, 5]", "TT", "yes", "yes"},
        {"o.n == 5; o.n == 5.0", "TN", "no", "no"},
        {"o.n == 5u; o.n != 5", "TT", "no", "no"},
        {"o.n != 5", "E", "yes", "no"},
        /* strings */
        {"o.s == 'EUR'; o.s in ['EUR', 'USD']", "TN", "no", "no"},
        {"o.s in ['EUR', 'USD']; o.s == 'GBP'", "TT", "no", "no"},
        {"o.s > 'a'; o.s < 'b'", "TT", "yes", "yes"},
        {"o.s > 'a'; o.s < 'a\\x00'", "TT", "no", "no"},
        {"o.s < ''", "T", "no", "no"},
        {"o.s == 'a'; o.s == 5", "TT", "no", "no"},
        {"o.s == 'a'; o.s > 5", "TT", "no", "no"},
        /* presence and null */
        {"has(o.x); o.x == 5", "NT", "no", "no"},
        {"has(o.x) && o.x == 5", "E", "no", "no"},
        {"has(o.x.y)", "E", "yes", "no"},
        {"has(o.x) && has(o.x.y)", "E", "yes", "no"},
        {"o.x == null; has(o.x.y)", "TT", "no", "no"},
        {"o.x == null || o.x.y > 3", "N", "yes", "yes"},
        {"o.x != null && o.x.y > 3; o.x == null", "TT", "no", "no"},
        {"o['x'] == 5; o.x == 6", "TT", "no", "no"},
        {"o.?x.orValue(0) == 0; has(o.x); o.x == 0", "TTN", "no", "no"},
        {"o.?x.orValue(0) == 0; has(o.x)", "TN", "yes", "yes"},
        {"o.?x.hasValue(); has(o.x)", "TN", "no", "no"},
        {"n > 3; n < 5; n == 4", "TTN", "yes", "yes"},
        {"n", "E", "yes", "no"},
        /* sizes and times */
        {"size(o.l) > 0; o.l.size() == 0", "TT", "no", "no"},
        {"size(o.l) > 0; o.l.size() == 0", "NN", "yes", "no"},
        {"size(o.l) > 1; size(o.l) < 3", "TT", "yes", "yes"},
        {"size(o.l) > 1; size(o.l) < 2", "TT", "no", "no"},
        {"size(o.s) > 1; o.s in ['a', 'b']", "TT", "unknown", "unknown"},
        {"timestamp(o.t) < timestamp('2024-01-01T00:00:00Z'); "
         "timestamp(o.t) > timestamp('2023-01-01T00:00:00Z')",
         "TT", "yes", "yes"},
        {"timestamp(o.t) < timestamp('2023-01-01T00:00:00Z'); "
         "timestamp(o.t) > timestamp('2023-01-01T00:00:00Z')",
         "TT", "unknown", "no"},
        /* two members */
        {"o.a < o.b; o.a >= o.b", "TT", "no", "no"},
        {"o.a < o.b; o.a >= o.b", "NN", "yes", "no"},
        {"o.a < o.b; o.b > o.a", "TN", "no", "no"},
        {"o.a == o.b; o.a == 1; o.b == 2", "TTT", "no", "no"},
        {"o.a < o.b; o.a == 5", "TT", "yes", "yes"},
        {"o.a < o.b; o.a > 10; o.b > 10", "TTT", "yes", "yes"},
        {"o.a < o.b; o.a > 10; o.b < 5", "TTT", "no", "no"},
        {"o.a < o.b; o.a >= 10; o.b <= 10", "TTT", "no", "no"},
        {"o.a <= o.b; o.a >= 10; o.b <= 10", "TTT", "yes", "yes"},
        {"o.a < o.b; o.b < o.c; o.c <= o.d", "TTT", "yes", "yes"},
        {"o.a < o.b; o.b < o.c; o.c < 3; o.a > 2", "TTTT", "yes", "yes"},
        {"o.a < o.b; o.a == 'x'; o.b == 3", "TTT", "no", "no"},
        {"o.a == o.b; o.a == 'x'; o.b == 3", "TTT", "no", "no"},
        {"o.a < o.b; has(o.a)", "TN", "no", "no"},
        {"o.paidAt < o.shippedAt; o.paidAt == '2024'", "TT", "yes", "yes"},
        {"o.a + o.b > 3", "T", "yes", "yes"},
        {"o.a + o.b > 3; o.a + o.b > 3", "TN", "no", "no"},
        {"o.a + o.b > 3; o.c && !o.c", "TT", "no", "no"},
        /* what nobody understands */
        {"o.s.startsWith('x'); o.s == 'xy'", "TT", "yes", "yes"},
        {"o.s.startsWith('x'); o.s.startsWith('y')", "TT", "unknown", "unknown"},
        {"o.l.exists(x, x > 3) && !o.l.exists(x, x > 3)", "T", "unknown", "unknown"},
        {"In('HERE') && !In('HERE')", "T", "no", "no"},
        {"In('HERE') && o.a", "T", "unknown", "unknown"},
        {"o.a && cel.bind(v, o.b, v > 1) && !o.a", "T", "no", "no"},
    };
    (void)state;
    assert_int_equal(check_rows(rows, COUNT(rows)), 0);
}

/* What is declared about a member narrows the search. */
static void declarations_are_believed(void **state)
{
    static const struct value choices[] = {{.kind = VALUE_STRING, .count = 1, .text = "a"},
                                           {.kind = VALUE_STRING, .count = 1, .text = "b"}};
    const struct reason_field fields[] = {
        record_field,
        {.path = {"o.flag", 6}, .kinds = 1 << VALUE_BOOL, .is_required = true},
        {.path = {"o.maybe", 7}, .kinds = 1 << VALUE_BOOL},
        {.path = {"o.n", 3},
         .kinds = 1 << VALUE_INT,
         .is_required = true,
         .has_minimum = true,
         .minimum = {.kind = VALUE_INT, .integer = 1},
         .has_maximum = true,
         .maximum = {.kind = VALUE_INT, .integer = 3}},
        {.path = {"o.real", 6}, .kinds = 1 << VALUE_DOUBLE, .is_required = true},
        {.path = {"o.e", 3}, .is_required = true, .choices = choices, .choice_count = 2},
    };
    static const struct row rows[] = {
        {"o.flag || !o.flag", "N", "no", ""},
        {"o.maybe || !o.maybe", "N", "yes", ""},
        {"o.n < 1", "T", "no", ""},
        {"o.n > 3", "T", "no", ""},
        {"o.n > 1; o.n < 3; o.n == 2", "TTN", "no", ""},
        {"o.n > 1; o.n < 2", "TT", "no", ""},
        {"o.real > 1; o.real < 2", "TT", "yes", ""},
        {"o.e == 'a' || o.e == 'b'", "N", "no", ""},
        {"o.e == 'c'", "T", "no", ""},
        {"o.e == 'a'", "T", "yes", ""},
        {"has(o.flag)", "N", "no", ""},
        {"has(o.maybe)", "N", "yes", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *fixture = fixture_get();
        const struct expr_program *programs[ROW_PREDICATES_MAX];
        struct reason_wish wishes[ROW_PREDICATES_MAX];
        size_t count = compile_all(fixture, rows[i].predicates, programs);
        struct reason_world world = {&scope, fields, COUNT(fields), REASON_ANYTHING};
        const struct reason *reason = reason_open(programs, count, &world, &fixture->arena);
        for (uint32_t k = 0; k < count; k++)
            wishes[k] = (struct reason_wish){k, wish_of(rows[i].wishes[k])};
        struct reason_answer answer = reason_ask(reason, wishes, count, &fixture->arena);
        if (strcmp(verdict_name(answer.verdict), rows[i].answer) != 0)
            print_error("%s gives %s\n", rows[i].predicates, verdict_name(answer.verdict));
        assert_string_equal(verdict_name(answer.verdict), rows[i].answer);
    }
}

static void the_usual_questions(void **state)
{
    struct fixture *fixture = fixture_get();
    const struct expr_program *programs[ROW_PREDICATES_MAX];
    struct reason_world world = {&scope, &record_field, 1, REASON_AS_USED};
    size_t count =
        compile_all(fixture, "o.n > 0; o.n < 0; o.n != 0; o.n > 0 && o.n < 0", programs);
    const struct reason *reason = reason_open(programs, count, &world, &fixture->arena);
    (void)state;
    assert_int_equal(reason_satisfy(reason, 0, &fixture->arena).verdict, REASON_YES);
    assert_int_equal(reason_satisfy(reason, 3, &fixture->arena).verdict, REASON_NO);
    assert_int_equal(reason_overlap(reason, 0, 1, &fixture->arena).verdict, REASON_NO);
    assert_int_equal(reason_overlap(reason, 0, 2, &fixture->arena).verdict, REASON_YES);
    struct reason_answer gap = reason_gap(reason, &fixture->arena);
    assert_int_equal(gap.verdict, REASON_YES);
    assert_string_equal(fixture_value_text(fixture, gap.slots[0]), "{\"n\":0}");
}

/* Random predicates */

struct source {
    struct random random;
    struct text *text;
};

static size_t pick(struct source *source, size_t count)
{
    return (size_t)random_up_to(&source->random, count - 1);
}

static void add_one_of(struct source *source, const char *const *parts, size_t count)
{
    text_add(source->text, span_from_text(parts[pick(source, count)]));
}

static void add_atom(struct source *source)
{
    static const char *const atoms[] = {"o.a",
                                        "o.a == true",
                                        "has(o.a)",
                                        "o.a != null",
                                        "o.b > 0",
                                        "o.b <= 2.5",
                                        "1 == o.b",
                                        "o.b in [0, 2]",
                                        "o.b != 0",
                                        "o.c == 'EUR'",
                                        "o.c in ['EUR', 'USD', 0]",
                                        "o.c > 'F'",
                                        "has(o.c)",
                                        "o.c == null",
                                        "has(o.m)",
                                        "o.m == null",
                                        "o.m.x > 1",
                                        "o.m.x == 0",
                                        "has(o.m.x)",
                                        "o.?b.orValue(0) > 0",
                                        "o.?c.orValue('') == ''",
                                        "size(o.c) > 2",
                                        "size(o.c) == 0",
                                        "o.b < o.m.x",
                                        "o.b == o.m.x",
                                        "o.m.x <= o.b",
                                        "o.c.startsWith('E')",
                                        "o.b + o.m.x > 1",
                                        "o.?m.?x.orValue(1) == 1",
                                        "true",
                                        "o.b / 0 == 1"};
    add_one_of(source, atoms, COUNT(atoms));
}

static void add_predicate(struct source *source, int depth)
{
    size_t form = depth == 0 ? 0 : pick(source, 6);
    if (form < 2) {
        add_atom(source);
        return;
    }
    text_add(source->text, form == 2 ? SPAN("!(") : SPAN("("));
    add_predicate(source, depth - 1);
    if (form > 2) {
        text_add(source->text, form == 3   ? SPAN(" && ")
                               : form == 4 ? SPAN(" || ")
                                           : SPAN(" ? "));
        add_predicate(source, depth - 1);
    }
    if (form == 5) {
        text_add(source->text, SPAN(" : "));
        add_predicate(source, depth - 1);
    }
    text_add_byte(source->text, ')');
}

/* Every record of the small world: what may be at a, b, c and m. */
static const char *const at_a[] = {NULL, "true", "false", "null", "0"};
static const char *const at_b[] = {NULL, "-1",  "0", "1",    "1.5",
                                   "2",  "2.5", "3", "null", "true"};
static const char *const at_c[] = {NULL,    "null",     "\"\"", "\"EUR\"", "\"USD\"",
                                   "\"G\"", "\"EURO\"", "0",    "5",       "[1,2,3]"};
static const char *const at_m[] = {NULL,        "null",        "{}",           "{\"x\":0}",
                                   "{\"x\":1}", "{\"x\":2.5}", "{\"x\":null}", "7"};

static void add_member(struct text *text, const char *name, const char *value)
{
    if (value != NULL)
        text_format(text, "%s\"%s\":%s", text->size > 1 ? "," : "", name, value);
}

enum { RECORDS_MAX = COUNT(at_a) * COUNT(at_b) * COUNT(at_c) * COUNT(at_m) };

static void make_records(struct arena *arena, struct value *records)
{
    struct json_error error;
    for (size_t i = 0; i < RECORDS_MAX; i++) {
        struct text text;
        text_init(&text, arena);
        text_add_byte(&text, '{');
        add_member(&text, "a", at_a[i % COUNT(at_a)]);
        add_member(&text, "b", at_b[i / COUNT(at_a) % COUNT(at_b)]);
        add_member(&text, "c", at_c[i / COUNT(at_a) / COUNT(at_b) % COUNT(at_c)]);
        add_member(&text, "m", at_m[i / COUNT(at_a) / COUNT(at_b) / COUNT(at_c)]);
        text_add_byte(&text, '}');
        assert_int_equal(json_read(text_span(&text), arena, &records[i], &error), STATUS_OK);
    }
}

/* What may be declared, each half of the time. */
static const struct reason_field declarations[] = {
    {.path = {"o.a", 3}, .kinds = 1 << VALUE_BOOL, .is_required = true},
    {.path = {"o.b", 3},
     .kinds = 1 << VALUE_INT | 1 << VALUE_DOUBLE,
     .is_required = true,
     .has_minimum = true,
     .minimum = {.kind = VALUE_INT, .integer = 0},
     .has_maximum = true,
     .maximum = {.kind = VALUE_DOUBLE, .real = 2.5}},
    {.path = {"o.c", 3}, .kinds = 1 << VALUE_STRING | 1 << VALUE_NULL},
    {.path = {"o.m", 3}, .kinds = 1 << VALUE_MAP, .is_required = true},
    {.path = {"o.m.x", 5}, .kinds = 1 << VALUE_INT},
};

static bool is_declared(const struct reason_field *field, const struct value *value,
                        bool is_witness)
{
    if (value == NULL) /* a witness has nothing that no predicate reads */
        return !field->is_required || is_witness;
    return (field->kinds & 1u << value->kind) != 0 &&
           (!field->has_minimum || (value_compare_numbers(*value, field->minimum) >= 0 &&
                                    value_compare_numbers(*value, field->maximum) <= 0));
}

static bool is_record_declared(const struct reason_field *fields, size_t count,
                               struct value record, bool is_witness)
{
    const struct value *m = value_find(record, SPAN("m"));
    for (size_t i = 0; i < count; i++) {
        struct span name = span_slice(fields[i].path, 2, fields[i].path.size);
        bool is_inner = span_is(name, "m.x");
        if (is_inner && (m == NULL || m->kind != VALUE_MAP))
            continue;
        if (!is_declared(&fields[i],
                         is_inner ? value_find(*m, SPAN("x")) : value_find(record, name),
                         is_witness))
            return false;
    }
    return true;
}

static void random_predicates_agree_with_a_search_through_all_records(void **state)
{
    enum { ROUNDS = 1500, PREDICATES = 3 };
    static char memory[16 << 20];
    static struct value records[RECORDS_MAX];
    struct arena arena;
    unsigned counts[3] = {0, 0, 0};
    (void)state;
    arena_init(&arena, memory, sizeof memory);
    make_records(&arena, records);
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        struct fixture *fixture = fixture_get();
        const struct expr_program *programs[PREDICATES];
        struct text texts[PREDICATES];
        struct reason_wish wishes[PREDICATES];
        struct source source = {.random = {seed}};
        for (uint32_t i = 0; i < PREDICATES; i++) {
            text_init(&texts[i], &fixture->arena);
            source.text = &texts[i];
            add_predicate(&source, 2);
            programs[i] = compile(fixture, text_span(&texts[i]));
            wishes[i] = (struct reason_wish){i, 1 + (uint32_t)pick(&source, 6)};
        }
        struct reason_field fields[1 + COUNT(declarations)] = {record_field};
        size_t field_count = 1;
        for (size_t i = 0; i < COUNT(declarations); i++) {
            if (pick(&source, 2))
                fields[field_count++] = declarations[i];
        }
        struct reason_world world = {&scope, fields, field_count, REASON_ANYTHING};
        const struct reason *reason =
            reason_open(programs, PREDICATES, &world, &fixture->arena);
        struct reason_answer answer = reason_ask(reason, wishes, PREDICATES, &fixture->arena);
        counts[answer.verdict]++;
        if (answer.verdict == REASON_YES)
            assert_true(is_granted(fixture, programs, wishes, PREDICATES, answer.slots) &&
                        is_record_declared(fields + 1, field_count - 1, answer.slots[0], true));
        for (size_t i = 0; answer.verdict == REASON_NO && i < RECORDS_MAX; i++) {
            if (!is_record_declared(fields + 1, field_count - 1, records[i], false))
                continue;
            struct value slots[2] = {records[i], value_error(SPAN(""))};
            struct arena_mark mark = arena_mark(&fixture->arena);
            bool granted = is_granted(fixture, programs, wishes, PREDICATES, slots);
            arena_rewind(&fixture->arena, mark);
            if (!granted)
                continue;
            for (size_t k = 0; k < PREDICATES; k++)
                print_error("%.*s  wish %u\n", SPAN_ARGS(text_span(&texts[k])),
                            wishes[k].outcomes);
            fail_msg("seed %u: a wrong no; %s", (unsigned)seed,
                     fixture_value_text(fixture, records[i]));
        }
    }
    print_message("# no %u, yes %u, unknown %u\n", counts[0], counts[1], counts[2]);
    assert_true(counts[REASON_UNKNOWN] * 8 < ROUNDS);
    assert_true(counts[REASON_NO] * 20 > ROUNDS);
}

/* Without what is not understood there is nothing that is not known. */
static void plain_predicates_are_always_decided(void **state)
{
    static const char *const atoms[] = {"o.a",      "o.b",        "o.c > 5",
                                        "o.c < 9",  "o.d == 'x'", "o.d in ['y', 'z']",
                                        "has(o.e)", "o.e == null"};
    enum { ROUNDS = 500, PREDICATES = 8 };
    (void)state;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        struct fixture *fixture = fixture_get();
        const struct expr_program *programs[PREDICATES];
        struct source source = {.random = {seed}};
        struct reason_world world = {&scope, &record_field, 1,
                                     seed % 2 ? REASON_AS_USED : REASON_ANYTHING};
        for (uint32_t i = 0; i < PREDICATES; i++) {
            struct text text;
            text_init(&text, &fixture->arena);
            source.text = &text;
            for (int k = 0; k < 4; k++) {
                text_format(&text, "%s%s",
                            k == 0  ? ""
                            : k % 2 ? " && "
                                    : " || ",
                            pick(&source, 2) ? "" : "!");
                text_add_byte(&text, '(');
                add_one_of(&source, atoms, COUNT(atoms));
                text_add_byte(&text, ')');
            }
            programs[i] = compile(fixture, text_span(&text));
        }
        const struct reason *reason =
            reason_open(programs, PREDICATES, &world, &fixture->arena);
        assert_int_not_equal(reason_gap(reason, &fixture->arena).verdict, REASON_UNKNOWN);
        for (uint32_t i = 1; i < PREDICATES; i++)
            assert_int_not_equal(reason_overlap(reason, i - 1, i, &fixture->arena).verdict,
                                 REASON_UNKNOWN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_decided),
        cmocka_unit_test(declarations_are_believed),
        cmocka_unit_test(the_usual_questions),
        cmocka_unit_test(random_predicates_agree_with_a_search_through_all_records),
        cmocka_unit_test(plain_predicates_are_always_decided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
