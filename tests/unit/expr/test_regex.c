/*
 * test_regex.c - RE2's syntax, its choice of a match, and time that is linear whatever the
 * pattern.
 */
#include "expr/regex.h"

#include "expr/regex_find.h"
#include "expr_fixture.h"

static void patterns_match_anywhere_unless_anchored(void **state)
{
    static const struct {
        const char *pattern;
        const char *text;
        bool matches;
    } rows[] = {
        {"", "", true},
        {"", "a", true},
        {"a", "", false},
        {"b", "abc", true},
        {"^b", "abc", false},
        {"^a", "abc", true},
        {"c$", "abc", true},
        {"b$", "abc", false},
        {"^$", "", true},
        {"^$", "a", false},
        {"foo|bar", "a bar", true},
        {"foo|bar", "a baz", false},
        {"^(foo|bar)$", "bar", true},
        {"a||b", "", true},
        {"gr(a|e)y", "grey", true},
        {"ba(na)*$", "banana", true},
        {"^(ab)+$", "ababab", true},
        {"^(ab)+$", "", false},
        {"^a?b$", "b", true},
        {"^a{2,3}$", "aa", true},
        {"^a{2,3}$", "aaaa", false},
        {"^a{2}$", "aaa", false},
        {"^a{2,}$", "aaaaa", true},
        {"^a{0}$", "", true},
        {"^(a{0,2}){2}$", "aaaa", true},
        {"^(a{0,2}){2}$", "aaaaa", false},
        {"^a{x}$", "a{x}", true},
        {"a*?b+?", "ab", true},
        {"^(a*)*$", "aaa", true},
        {"(|a)+$", "aaa", true},
        {"^.$", "é", true},
        {"^.$", "🐱", true},
        {"^.$", "\n", false},
        {"(?s)^.$", "\n", true},
        {"(a|😀){2}", "🐱😀😀", true},
        {"^[a-c]+$", "abc", true},
        {"^[^a-c]+$", "xyz", true},
        {"^[^a-c]+$", "xbz", false},
        {"^[]a]+$", "]a", true},
        {"^[a-]+$", "a-", true},
        {"^[é-ü]$", "ö", true},
        {"^[[:alpha:]_]+$", "ab_", true},
        {"^[[:^digit:]]+$", "ab1", false},
        {"^\\d{3}-\\d{4}$", "555-1234", true},
        {"^\\p{L}+$", "aéДא漢", true},
        {"^\\pL+$", "a1", false},
        {"^\\pN+$", "1٣Ⅷ", true},
        {"^\\p{Lu}\\p{Ll}+$", "Émile", true},
        {"^\\p{Lu}", "émile", false},
        {"^\\P{Lu}", "émile", true},
        {"^\\p{^Lu}", "Émile", false},
        {"^\\p{Greek}+$", "Ωμέγα", true},
        {"^\\p{Greek}+$", "Omega", false},
        {"^[\\p{Latin}\\p{Nd}_]+$", "naïve_7", true},
        {"^[^\\p{Cyrillic}]$", "д", false},
        {"^\\p{Han}{2}$", "漢字", true},
        {"^\\p{Any}$", "\n", true},
        {"\\P{Any}", "a", false},
        {"^[\\p{L}\\P{L}]$", "7", true},
        {"\\p{Sc}", "5 €", true},
        {"^(?i)ÉMILE$", "émile", true},
        {"^(?i)straße$", "STRAẞE", true},
        {"^(?i)ω$", "Ω", true},
        {"^(?i)k$", "\xe2\x84\xaa", true}, /* the Kelvin sign */
        {"^(?i)[à-ö]+$", "ÀÖ", true},
        {"^(?i)[^à-ö]$", "À", false},
        {"^(?i)\\p{Lu}$", "a", true},
        {"^(?i)\\P{Lu}$", "a", false},
        {"^(?i)i$", "ı", false}, /* that is Turkish */
        {"^(?i)ДЖ$", "дж", true},
        {"^(?i:ǆ)$", "ǅ", true},
        {"^\\D+$", "12", false},
        {"^[\\d.]+$", "1.5", true},
        {"^\\w+@\\w+\\.com$", "ab@cd.com", true},
        {"^\\S+\\s\\S+$", "a b", true},
        {"\\bcat\\b", "a cat!", true},
        {"\\bcat\\b", "concat", false},
        {"\\Bcat", "concat", true},
        {"(?i)hello", "HeLLo", true},
        {"(?i)[a-f]+$", "ABC", true},
        {"a(?i)b", "aB", true},
        {"a(?i)b", "AB", false},
        {"(?i:a)b", "Ab", true},
        {"(?i:a)b", "AB", false},
        {"(?i)a(?-i)b", "AB", false},
        {"(?m)^b$", "a\nb\nc", true},
        {"^b$", "a\nb\nc", false},
        {"\\Ab\\z", "b", true},
        {"(?P<year>\\d+)", "in 1999", true},
        {"(?<year>\\d+)", "in 1999", true},
        {"^\\x41\\x{42}\\103$", "ABC", true},
        {"^\\Qa.b*\\E$", "a.b*", true},
        {"^\\.\\*\\[$", ".*[", true},
        {"^\\t\\n$", "\t\n", true},
    };
    struct fixture *fixture = fixture_get();
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct regex_problem problem = {0, "none", 0};
        const struct regex *regex =
            regex_compile(span_from_text(rows[i].pattern), &fixture->arena, &problem);
        if (regex != NULL &&
            regex_matches(regex, span_from_text(rows[i].text)) == rows[i].matches)
            continue;
        print_error("%s on %s: %s\n", rows[i].pattern, rows[i].text, problem.message);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* "0-3 1-2 -" for the first match and its groups, in bytes; "none". */
static const char *first_match(struct fixture *fixture, const char *pattern, struct span text)
{
    struct regex_problem problem;
    struct regex_find find;
    struct text told;
    const struct regex *regex =
        regex_compile_groups(span_from_text(pattern), &fixture->arena, &problem);
    if (regex == NULL)
        return problem.message;
    regex_find_begin(&find, regex, text, &fixture->arena);
    if (!regex_find_next(&find, INT64_MAX))
        return "none";
    text_init(&told, &fixture->arena);
    for (uint32_t i = 0; i < find.part_count; i++) {
        const char *part = find.parts[i].text;
        size_t from = part == NULL ? 0 : (size_t)(part - text.text);
        text_add(&told, i == 0 ? SPAN("") : SPAN(" "));
        if (part == NULL)
            text_add_byte(&told, '-');
        else
            text_format(&told, "%zu-%zu", from, from + find.parts[i].size);
    }
    text_add_byte(&told, '\0');
    return told.bytes;
}

static void the_first_match_is_the_one_that_backtracking_finds(void **state)
{
    static const struct {
        const char *pattern;
        const char *text;
        const char *match;
    } rows[] = {
        {"", "", "0-0"},
        {"", "abc", "0-0"},
        {"b", "abc", "1-2"},
        {"x", "abc", "none"},
        {"a|ab", "ab", "0-1"},
        {"ab|a", "ab", "0-2"},
        {"(a|ab)(c|bcd)(d*)", "abcd", "0-4 0-1 1-4 4-4"},
        {"(ab|a)(c|bcd)(d*)", "abcd", "0-4 0-2 2-3 3-4"},
        {"a*", "aaa", "0-3"},
        {"a*?", "aaa", "0-0"},
        {"a+?", "aaa", "0-1"},
        {"a+?b", "aaab", "0-4"},
        {"a??b", "ab", "0-2"},
        {"(a?\?)b", "ab", "0-2 0-1"},
        {"a{2,3}", "aaaa", "0-3"},
        {"a{2,3}?", "aaaa", "0-2"},
        {"a{2,}?", "aaaa", "0-2"},
        {"(?U)a+", "aaa", "0-1"},
        {"(?U)a+?", "aaa", "0-3"},
        {"(?U:a+)a*", "aaa", "0-3"},
        {"(?:(?U)a+)(a*)", "aaa", "0-3 1-3"},
        {"b*", "abb", "0-0"},
        {"b+", "abbc", "1-3"},
        {"(a)|(b)", "b", "0-1 - 0-1"},
        {"(a)?b", "b", "0-1 -"},
        {"(a(b)?)+", "aba", "0-3 2-3 1-2"},
        {"(a*)*", "b", "0-0 0-0"},
        {"(a*)*", "aa", "0-2 0-2"},
        {"(a*)+", "b", "0-0 0-0"},
        {"(a*)+", "aa", "0-2 0-2"},
        {"(a|b)*", "ab", "0-2 1-2"},
        {"(|a)*", "aa", "0-0 0-0"},
        {"(|a)+", "aa", "0-0 0-0"},
        {"(a|)+", "aa", "0-2 1-2"},
        {"(a*?)*", "aa", "0-0 0-0"},
        {"((a)(b))", "xab", "1-3 1-3 1-2 2-3"},
        {"(((a)))", "a", "0-1 0-1 0-1 0-1"},
        {"(a){2}", "aa", "0-2 1-2"},
        {"(a){0}b", "ab", "1-2 -"},
        {"(a){2,}", "aaa", "0-3 2-3"},
        {"(?P<x>a)(?:b)(?<y>c)", "abc", "0-3 0-1 2-3"},
        {"^b|a", "ab", "0-1"},
        {"(?m)^b", "a\nb", "2-3"},
        {"b$", "bab", "2-3"},
        {"\\bb", "ab b", "3-4"},
        {"(é+)(.)", "aééz", "1-6 1-5 5-6"},
        {"(?i)(ΜΈΓΑ)", "Ωμέγα", "2-10 2-10"},
        {"(.*)(.*)", "ab", "0-2 0-2 2-2"},
        {"(.*?)(.*)", "ab", "0-2 0-0 0-2"},
        {"(a+)(b+)?(a+)?", "aab", "0-3 0-2 2-3 -"},
        {"(1)(2)(3)(4)(5)(6)(7)(8)(9)(A)", "123456789A",
         "0-10 0-1 1-2 2-3 3-4 4-5 5-6 6-7 7-8 8-9"},
    };
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *fixture = fixture_get();
        const char *match = first_match(fixture, rows[i].pattern, span_from_text(rows[i].text));
        if (strcmp(match, rows[i].match) == 0)
            continue;
        print_error("%s on %s: %s, not %s\n", rows[i].pattern, rows[i].text, match,
                    rows[i].match);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void a_search_takes_no_more_effort_than_it_may(void **state)
{
    struct fixture *fixture = fixture_get();
    struct regex_problem problem;
    struct regex_find find;
    struct text text;
    (void)state;
    text_init(&text, &fixture->arena);
    for (int i = 0; i < 5000; i++)
        text_add_byte(&text, 'a');
    const struct regex *regex =
        regex_compile_groups(SPAN("(a|aa)*b|a"), &fixture->arena, &problem);
    assert_non_null(regex);
    regex_find_begin(&find, regex, text_span(&text), &fixture->arena);
    assert_true(regex_find_next(&find, INT64_MAX));
    assert_int_equal(find.parts[0].size, 1);
    assert_true(find.effort <= 5001 * (int64_t)regex_cost(regex));
    int64_t effort = find.effort;
    assert_false(regex_find_next(&find, effort + 100));
    assert_true(find.effort <= effort + 100 + (int64_t)regex_cost(regex));
    assert_false(regex_find_next(&find, INT64_MAX));
}

/* Of an engine that backtracks, for the pattern on so many a's and a `!`. */
static uint64_t effort_of(const char *pattern, size_t count, bool any_case)
{
    struct fixture *fixture = fixture_get();
    struct regex_problem problem;
    struct text text;
    text_init(&text, &fixture->arena);
    for (size_t i = 0; i < count; i++)
        text_add_byte(&text, 'a');
    text_add_byte(&text, '!');
    const struct regex *regex =
        regex_compile(span_from_text(pattern), &fixture->arena, &problem);
    assert_non_null(regex);
    return regex_effort(regex, text_span(&text), 0, any_case, (uint64_t)1 << 60,
                        &fixture->arena);
}

static void what_backtracking_takes_is_known_beforehand(void **state)
{
    static const struct {
        const char *pattern;
        uint64_t least;
        uint64_t most; /* for twenty characters */
        bool any_case;
    } rows[] = {
        {"abc", 40, 200, false},
        {"b", 20, 100, false},
        {"a+$", 200, 2000, false},
        {"^a+$", 20, 300, false},
        {"^(a+)+$", (uint64_t)1 << 20, (uint64_t)1 << 26, false},
        {"^(A+)+$", 20, 200, false},
        {"^(A+)+$", (uint64_t)1 << 20, (uint64_t)1 << 26, true},
        {"^([^a]+)+$", 20, 200, false},
        {"^(a|a)*$", (uint64_t)1 << 20, (uint64_t)1 << 26, false},
        {"^a*a*a*b", 1000, 10000, false},
        {"(a*)*", (uint64_t)1 << 60, (uint64_t)1 << 60, false},
        {"(a?){3}", 100, 2000, false},
        {"(|a)+", (uint64_t)1 << 60, (uint64_t)1 << 60, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t effort = effort_of(rows[i].pattern, 20, rows[i].any_case);
        if (effort < rows[i].least || effort > rows[i].most)
            fail_msg("%s: %llu", rows[i].pattern, (unsigned long long)effort);
    }
    assert_true(effort_of("^(a+)+$", 3000, false) == (uint64_t)1 << 60);
}

static void what_is_no_pattern_is_told_where(void **state)
{
    static const struct {
        const char *pattern;
        size_t offset;
        const char *message;
    } rows[] = {
        {"a(b", 1, "this group is not closed"},
        {"a)b", 1, "this ')' closes nothing"},
        {"[a", 0, "this class is not closed"},
        {"[b-a]", 1, "this range runs backwards"},
        {"*a", 0, "there is nothing to repeat here"},
        {"a|*", 2, "there is nothing to repeat here"},
        {"a**", 2, "a repetition cannot be repeated"},
        {"a{1001}", 1, "a repetition counts up to 1000, and not backwards"},
        {"a{3,2}", 1, "a repetition counts up to 1000, and not backwards"},
        {"(a)\\1", 3, "there are no references to groups"},
        {"(?=a)", 2, "there is no such group or flag"},
        {"(?P<a>x)(?<b>y)(?<a>z)", 18, "a group of this name is there already"},
        {"a\\p{Klingon}", 1, "Unicode has no category or script of this name"},
        {"\\p", 0, "Unicode has no category or script of this name"},
        {"\\pX", 0, "Unicode has no category or script of this name"},
        {"\\p{}", 0, "Unicode has no category or script of this name"},
        {"[\\p{L", 3, "this name is not closed"},
        {"a\\C", 1, "\\C, a byte of a character, is not there: texts are Unicode"},
        {"\\y", 0, "there is no such escape"},
        {"a\\", 1, "a backslash stands at the end"},
        {"[[:foo:]]", 1, "there is no class of this name"},
        {"\\x4", 2, "\\x is followed by two hexadecimal digits or a code in braces"},
        {"(a{500}){500}", 0, "this pattern is too large"},
    };
    struct fixture *fixture = fixture_get();
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct regex_problem problem = {0, "it is one", 0};
        assert_null(regex_compile(span_from_text(rows[i].pattern), &fixture->arena, &problem));
        assert_string_equal(problem.message, rows[i].message);
        assert_int_equal(problem.offset, rows[i].offset);
    }
}

static void what_explodes_elsewhere_is_linear_here(void **state)
{
    static const char *const patterns[] = {
        "^(a+)+$", "^(a|aa)+$", "^(a*)*b", "(.*)(.*)(.*)(.*)(.*)x", "^(((a?){30}){30})$",
    };
    struct fixture *fixture = fixture_get();
    struct text text;
    (void)state;
    text_init(&text, &fixture->arena);
    for (int i = 0; i < 5000; i++)
        text_add_byte(&text, 'a');
    text_add_byte(&text, '!');
    for (size_t i = 0; i < COUNT(patterns); i++) {
        struct regex_problem problem;
        const struct regex *regex =
            regex_compile(span_from_text(patterns[i]), &fixture->arena, &problem);
        assert_non_null(regex);
        assert_false(regex_matches(regex, text_span(&text)));
    }
}

static void nesting_and_emptiness_end(void **state)
{
    struct fixture *fixture = fixture_get();
    struct regex_problem problem;
    struct text text;
    (void)state;
    text_init(&text, &fixture->arena);
    for (int i = 0; i < 2000; i++)
        text_add_byte(&text, '(');
    assert_null(regex_compile(text_span(&text), &fixture->arena, &problem));
    assert_string_equal(problem.message, "groups nest too deeply");
    const struct regex *empty =
        regex_compile(SPAN("((((){1000}){1000}){1000}){1000}"), &fixture->arena, &problem);
    assert_non_null(empty);
    assert_true(regex_matches(empty, SPAN("")));
}

static void expressions_use_them(void **state)
{
    static const struct fixture_row rows[] = {
        {"context.currency.matches('^[A-Z]{3}$')", "true"},
        {"matches(context.currency, 'USD|EUR')", "true"},
        {"context.currency.matches('^[' + 'A-Z]{3}$')", "true"},
        {"context.currency.matches('[' + 'A')",
         "!not a regular expression: this class is not closed"},
        {"context.currency.matches('[A')",
         "?1:26 not a regular expression: this class is not closed"},
        {"context.total.matches('a')", "!no such overload: matches(int)"},
        {"context.missing.matches('a')", "!no such key: 'missing'"},
        {"'a'.matches(1)", "!no such overload: matches(string, int)"},
        {"matches('a')", "?1:1 matches() takes 2 arguments, not 1"},
        {"'a'.matches()", "?1:5 matches() takes 1 argument, not 0"},
    };
    (void)state;
    fixture_check(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_anywhere_unless_anchored),
        cmocka_unit_test(the_first_match_is_the_one_that_backtracking_finds),
        cmocka_unit_test(a_search_takes_no_more_effort_than_it_may),
        cmocka_unit_test(what_backtracking_takes_is_known_beforehand),
        cmocka_unit_test(what_is_no_pattern_is_told_where),
        cmocka_unit_test(what_explodes_elsewhere_is_linear_here),
        cmocka_unit_test(nesting_and_emptiness_end),
        cmocka_unit_test(expressions_use_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
