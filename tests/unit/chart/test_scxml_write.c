/*
 * test_scxml_write.c - machines as SCXML documents, and what they are when they are read again.
 *
 * All text cases of tests/cases/chart run with the machine that was written and read; random
 * machines run beside theirs. What is written for other programs is compared as text.
 */
#include "chart_case.h"
#include "random_machine.h"
#include "scxml_again.h"

enum { MACHINES = 60, EVENTS = 25 };

/* Everything that can be seen of a plan, but for the machine's name and hash. */
static struct span seen(const struct plan *plan, instant_ms now, struct arena *arena)
{
    struct text text;
    text_init(&text, arena);
    text_format(&text, "%s %d %d %s\n", outcome_name(plan->outcome), plan->changed, plan->late,
                instance_status_name(plan->after.status));
    json_write(&text, step_event_value(plan->type, plan->payload, arena));
    json_write(&text, describe_effects(plan, now, arena));
    json_write(&text, configuration_value(&plan->after, arena));
    json_write(&text, configuration_tags(&plan->after, arena));
    json_write(&text, plan->after.context);
    json_write(&text, plan->after.output);
    for (uint32_t i = 0; i < plan->after.timer_count; i++) {
        const struct armed_timer *timer = &plan->after.timers[i];
        text_format(&text, " %.*s@%lld",
                    SPAN_ARGS(configuration_timer_name(&plan->after, timer)),
                    (long long)timer->due);
    }
    return text_span(&text);
}

static void run_beside(uint64_t seed)
{
    struct random random = {seed};
    struct fixture first;
    struct fixture second;
    struct diagnostics diagnostics;
    struct span document;
    struct arena arena;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    struct span definition = random_machine(&random, &arena);
    fixture_open(&first, definition.text);
    const struct machine *again = scxml_again(first.machine, &arena, &diagnostics, &document);
    if (again == NULL)
        fail_msg("seed %llu: %.*s\n%.*s", (unsigned long long)seed,
                 SPAN_ARGS(diagnostics.first->message), SPAN_ARGS(document));
    machine_verify(again);
    fixture_open_machine(&second, again);
    struct event event = {.kind = EVENT_START, .payload = value_null()};
    for (uint32_t i = 0; i <= EVENTS; i++) {
        struct plan one = fixture_step(&first, &event);
        struct plan other = fixture_step(&second, &event);
        struct span expected = seen(&one, first.clock, &first.arena);
        struct span actual = seen(&other, second.clock, &second.arena);
        if (!span_equal(expected, actual))
            fail_msg("seed %llu, event %u\n%.*s\nagain\n%.*s\n%.*s\n%.*s",
                     (unsigned long long)seed, i, SPAN_ARGS(expected), SPAN_ARGS(actual),
                     SPAN_ARGS(definition), SPAN_ARGS(document));
        event = random_event(&random, &first.now, &first.arena);
        first.clock += (instant_ms)random_up_to(&random, 700);
        second.clock = first.clock;
    }
    fixture_close(&first);
    fixture_close(&second);
    arena_close(&arena);
}

static void random_machines_are_the_same_again(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= MACHINES; seed++)
        run_beside(seed);
}

struct row {
    const char *definition;
    const char *document; /* a part of it */
    const char *warning;  /* a part of the only one, or NULL: none */
};

static void expect_row(const struct row *row)
{
    struct fixture fixture;
    struct diagnostics diagnostics;
    struct span document;
    fixture_open(&fixture, row->definition);
    const struct machine *again =
        scxml_again(fixture.machine, &fixture.arena, &diagnostics, &document);
    const struct diagnostic *first = diagnostics.first;
    if (again == NULL || strstr(document.text, row->document) == NULL)
        fail_msg("%s\nin\n%.*s\n%s", row->document, SPAN_ARGS(document),
                 again == NULL ? first->message.text : "");
    assert_int_equal(diagnostics.warnings, row->warning != NULL);
    if (row->warning != NULL)
        assert_true(span_find(first->message, span_from_text(row->warning), 0) != SIZE_MAX);
    fixture_close(&fixture);
}

/* A machine with one state A, one final state B, and this in A. */
#define IN_A(inside)                                                                   \
    "{\"id\":\"m\",\"initial\":\"A\",\"context\":{\"n\":0},\"states\":{\"A\":{" inside \
    "},\"B\":{\"type\":\"final\"}}}"

static void what_is_written_is_what_scxml_can_say(void **state)
{
    static const struct row rows[] = {
        {"{\"id\":\"m\",\"initial\":\"A\",\"states\":{\"A\":{\"on\":{\"GO\":\"B\"}},\"B\":{}}}",
         "version=\"1.0\" name=\"m\" datamodel=\"null\" il:semantics=\"xstate\" "
         "initial=\"A\">\n  <state id=\"A\">\n    <transition event=\"GO\" target=\"B\"/>\n"
         "  </state>\n  <state id=\"B\"/>\n</scxml>\n",
         NULL},
        {IN_A("\"on\":{\"*\":\"A\",\"a.*\":\"B\",\"a.b\":{}}"),
         "<transition event=\"a.b\"/>\n    <transition event=\"a.*\" target=\"B\"/>\n    "
         "<transition event=\"*\" target=\"A\"/>\n",
         "leave and enter other states"},
        {IN_A("\"on\":{\"a\":{\"target\":\"A\",\"reenter\":true}}"),
         "<transition event=\"a\" target=\"A\" il:reenter=\"true\"/>", NULL},
        {IN_A("\"on\":{\"a\":\"B\",\"a.b\":\"B\"}"), "event=\"a.b\"", "names are exact"},
        {IN_A("\"on\":{\"two words\":\"B\"}"), "event=\"two_words\" il:event=\"two words\"",
         NULL},
        {IN_A("\"after\":{\"1500\":\"B\"}"),
         "<send event=\"after.1500.A\" id=\"after.1500.A\" delay=\"1500ms\"/>", NULL},
        {IN_A("\"after\":{\"${context.n}\":\"B\"}"), "delayexpr=\"context.n\"", NULL},
        {IN_A("\"always\":{\"target\":\"B\",\"guard\":\"context.n > 1 && 'a\\\"' != ''\"}"),
         "<transition cond=\"context.n &gt; 1 &amp;&amp; 'a&quot;' != ''\" target=\"B\"/>",
         NULL},
        {IN_A("\"entry\":[{\"assign\":{\"n\":1,\"m\":\"${context.n}\"}}]"),
         "<assign location=\"m\" il:together=\"true\" expr=\"context.n\"/>",
         "one after the other"},
        {IN_A("\"entry\":[{\"assign\":{\"n\":1}},{\"assign\":{\"m\":\"${context.n}\"}}]"),
         "<assign location=\"m\" expr=\"context.n\"/>", NULL},
        {IN_A("\"entry\":{\"raise\":{\"type\":\"e\",\"x\":\"a ${context.n}\"}}"),
         "<send event=\"e\" target=\"#_internal\">\n        <param name=\"x\" "
         "expr=\"&quot;a &quot; + string(context.n)\"/>\n      </send>",
         NULL},
        {IN_A("\"entry\":{\"send\":\"e\",\"to\":\"child\",\"delay\":\"2s\",\"id\":\"i\"}"),
         "<send event=\"e\" id=\"i\" target=\"#_child\" delay=\"2s\"/>", NULL},
        {IN_A("\"entry\":[\"beep\"]"), "<il:action name=\"beep\"/>", "no such action"},
        {IN_A("\"entry\":{\"if\":\"context.n > 1\",\"then\":[{\"raise\":\"a\"}],\"else\":"
              "[{\"raise\":\"b\"}]}"),
         "<raise event=\"a\"/>\n        <else/>\n        <raise event=\"b\"/>", NULL},
        {IN_A("\"tags\":[\"t\"],\"description\":\"<1>\""),
         "<il:more>{\"tags\":[\"t\"],\"description\":\"&lt;1&gt;\"}</il:more>", NULL},
        {IN_A("\"on\":{\"a\":{\"target\":\"B\",\"description\":\"why\"}}"), "event=\"a\"",
         "descriptions"},
        {"{\"id\":\"m\",\"initial\":\"A b\",\"states\":{\"A b\":{\"initial\":\"C\",\"states\":"
         "{\"C\":{\"type\":\"final\"}},\"onDone\":\"D\"},\"D\":{}}}",
         "<state id=\"s1\" il:id=\"A b\" initial=\"s2\">\n    <transition "
         "event=\"done.state.s1\" il:event=\"done.state.A b\" target=\"D\"/>",
         NULL},
        {"{\"id\":\"m\",\"type\":\"parallel\",\"states\":{\"A\":{},\"B\":{}}}",
         "<parallel id=\"m\" il:root=\"true\">", NULL},
        {"{\"id\":\"m\",\"initial\":\"A\",\"on\":{\"X\":\"#m.H\"},\"states\":{\"A\":{},"
         "\"H\":{\"type\":\"history\"}}}",
         "<transition target=\"A\" il:implied=\"true\"/>", NULL},
        {"{\"id\":\"m\",\"version\":\"7\",\"initial\":\"A\",\"states\":{\"A\":{}},"
         "\"invariants\":"
         "{\"i\":\"true\"},\"events\":{\"e\":{}},\"steps\":{\"s\":{\"exec\":[\"true\"]}}}",
         "{\"version\":\"7\",\"invariants\":{\"i\":\"true\"},\"events\":{\"e\":{}},\"steps\":"
         "{\"s\":{\"exec\":[\"true\"]}}}",
         NULL},
        {"{\"id\":\"m\",\"machines\":{\"c\":\"c.yaml\"},\"initial\":\"A\",\"states\":{\"A\":{}}"
         ","
         "\"admission\":{\"working\":3}}",
         "{\"machines\":{\"c\":\"c.yaml\"},\"admission\":{\"working\":3}}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_row(&rows[i]);
}

/* The order of what waits for different events may change once, and never again. */
static void what_was_read_is_written_as_it_was(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= MACHINES; seed++) {
        struct random random = {seed};
        struct fixture fixture;
        struct diagnostics diagnostics;
        struct span documents[3];
        struct arena arena;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        fixture_open(&fixture, random_machine(&random, &arena).text);
        const struct machine *machine = fixture.machine;
        for (size_t i = 0; i < COUNT(documents); i++) {
            machine = scxml_again(machine, &arena, &diagnostics, &documents[i]);
            assert_non_null(machine);
        }
        if (!span_equal(documents[1], documents[2]))
            fail_msg("%.*s\n%.*s", SPAN_ARGS(documents[1]), SPAN_ARGS(documents[2]));
        fixture_close(&fixture);
        arena_close(&arena);
    }
}

/* Blanks around a name are part of it, here as everywhere in our notation. */
static void names_are_kept_with_their_blanks(void **state)
{
    struct fixture first;
    struct fixture second;
    struct diagnostics diagnostics;
    struct span document;
    struct event start = {.kind = EVENT_START, .payload = value_null()};
    (void)state;
    fixture_open(&first,
                 "{\"id\":\" m \",\"initial\":\"A\",\"context\":{\" n\":1,\"n\":2,\"\\n\":3},"
                 "\"states\":{\"A\":{\"entry\":[{\"assign\":{\"n \":4}},"
                 "{\"foreach\":[5],\"item\":\"i \",\"do\":[]}]}}}");
    const struct machine *again =
        scxml_again(first.machine, &first.arena, &diagnostics, &document);
    assert_non_null(again);
    fixture_open_machine(&second, again);
    assert_true(span_equal(again->id, first.machine->id));
    struct plan one = fixture_step(&first, &start);
    struct plan other = fixture_step(&second, &start);
    assert_int_equal(one.after.context.count, 5);
    assert_true(value_equal(one.after.context, other.after.context));
    fixture_close(&second);
    fixture_close(&first);
}

/* A machine with the W3C's rules, of that name and with one variable. */
#define SCXML_RULES(name, key)                                                            \
    "{\"semantics\":\"scxml\",\"id\":\"" name "\",\"initial\":\"#A\",\"context\":{\"" key \
    "\":0},\"states\":{\"A\":{}}}"

static void characters_without_a_form_are_refused(void **state)
{
    static const char *const rows[] = {
        IN_A("\"on\":{\"a\\u0001\":{\"guard\":\"true\",\"target\":\"B\"}}"),
        IN_A("\"invoke\":{\"src\":\"\\uFFFE\"}"),
        SCXML_RULES("m", "\\tn"), /* the W3C's names have no blanks around them */
        SCXML_RULES("m", "n "),
        SCXML_RULES(" m", "n"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture fixture;
        struct diagnostics diagnostics;
        struct span document;
        fixture_open(&fixture, rows[i]);
        assert_null(scxml_again(fixture.machine, &fixture.arena, &diagnostics, &document));
        assert_int_equal(diagnostics.errors, 1);
        fixture_close(&fixture);
    }
}

static void run_again(void **state)
{
    chart_case_run_again(*state);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest own[] = {
        cmocka_unit_test(what_is_written_is_what_scxml_can_say),
        cmocka_unit_test(random_machines_are_the_same_again),
        cmocka_unit_test(what_was_read_is_written_as_it_was),
        cmocka_unit_test(names_are_kept_with_their_blanks),
        cmocka_unit_test(characters_without_a_form_are_refused),
    };
    struct chart_cases cases;
    if (argc < 2)
        return 2;
    chart_cases_read(&cases, argv[1]);
    struct CMUnitTest *tests = calloc(cases.count + COUNT(own), sizeof *tests);
    assert_non_null(tests);
    memcpy(tests, own, sizeof own);
    for (size_t i = 0; i < cases.count; i++)
        tests[COUNT(own) + i] = (struct CMUnitTest){.name = cases.items[i].name,
                                                    .test_func = run_again,
                                                    .initial_state = &cases.items[i]};
    int failed =
        _cmocka_run_group_tests("scxml_write", tests, COUNT(own) + cases.count, NULL, NULL);
    free(tests);
    chart_cases_release(&cases);
    return failed;
}
