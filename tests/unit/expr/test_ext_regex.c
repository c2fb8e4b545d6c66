/*
 * test_ext_regex.c - regex.extract, regex.extractAll and regex.replace, as cel-go has them.
 */
#include "base/limits.h"
#include "expr_fixture.h"

static void the_first_match_is_extracted(void **state)
{
    static const struct fixture_row rows[] = {
        {"regex.extract('hello world', 'hello(.*)')", "\" world\""},
        {"regex.extract('item-A, item-B', r'item-(\\w+)')", "\"A\""},
        {"regex.extract('The color is red', r'The color is \\w+')", "\"The color is red\""},
        {"regex.extract('brand', 'brand').value()", "\"brand\""},
        {"regex.extract('hello world', 'goodbye (.*)').hasValue()", "false"},
        {"regex.extract('HELLO', 'hello') == optional.none()", "true"},
        {"regex.extract('HELLO', '(?i)hello').orValue('')", "\"HELLO\""},
        {"regex.extract('', r'\\w+').hasValue()", "false"},
        {"regex.extract('4122345432', '22').or(optional.of('777')).value()", "\"22\""},
        {"regex.extract('abc', 'x*') == optional.of('')", "true"},
        {"regex.extract('abc', '(x*)').hasValue()", "false"},
        {"regex.extract('ac', 'a(b)?c').hasValue()", "false"},
        {"regex.extract('abc', 'a(?:b)c').value()", "\"abc\""},
        {"regex.extract('ζώα α', r'(\\pL+)$').value()", "\"α\""},
        {"regex.extract(context.currency, '^(.).').value()", "\"E\""},
        {"regex.extract('phone: 415', r'((\\d)5)')",
         "!a pattern to extract has one group at most, not 2"},
        {"regex.extract('foo bar', '(')", "?1:26 not a regular expression: this group is "
                                          "not closed"},
        {"regex.extract('foo bar', '' + '(')",
         "!not a regular expression: this group is not closed"},
        {"regex.extract('foo bar', 1)", "!no such overload: regex.extract(string, int)"},
        {"regex.extract('foo bar')", "?1:7 regex.extract() takes 2 arguments, not 1"},
        {"regex.extract(context.missing, 'a')", "!no such key: 'missing'"},
    };
    (void)state;
    fixture_check(rows);
}

static void all_matches_are_extracted_in_order(void **state)
{
    static const struct fixture_row rows[] = {
        {"regex.extractAll('id:123, id:456', 'assa')", "[]"},
        {"regex.extractAll('id:123, id:456', r'id:\\d+')", "[\"id:123\",\"id:456\"]"},
        {"regex.extractAll('Files: f_1.txt, f_2.csv', r'f_(\\d+)')", "[\"1\",\"2\"]"},
        {"regex.extractAll('testuser@', '(?P<username>.*)@')", "[\"testuser\"]"},
        {"regex.extractAll('t@g.com, a@y.com', r'(?P<username>\\w+)@')", "[\"t\",\"a\"]"},
        {"regex.extractAll('banananana', '(ana)')", "[\"ana\",\"ana\"]"},
        {"regex.extractAll('item:a1, topic:b2', r'(?:item:|topic:)([a-z]\\d)')",
         "[\"a1\",\"b2\"]"},
        {"regex.extractAll('val=a, val=, val=c', 'val=([^,]*)')", "[\"a\",\"c\"]"},
        {"regex.extractAll('key=, key=', 'key=([^,]*)')", "[]"},
        {"regex.extractAll('a b c', r'(\\S*)\\s*')", "[\"a\",\"b\",\"c\"]"},
        {"regex.extractAll('abc', '')", "[\"\",\"\",\"\",\"\"]"},
        {"regex.extractAll('', '')", "[\"\"]"},
        {"regex.extractAll('baac', 'a*')", "[\"\",\"aa\",\"\"]"},
        {"regex.extractAll('aéb', '')", "[\"\",\"\",\"\",\"\"]"},
        {"regex.extractAll('aéb', '.')", "[\"a\",\"é\",\"b\"]"},
        {"regex.extractAll('abab', '^ab')", "[\"ab\"]"},
        {"regex.extractAll('a\\nb', '(?m)^.')", "[\"a\",\"b\"]"},
        {"regex.extractAll('foo bar', r'\\b')", "[\"\",\"\",\"\",\"\"]"},
        {"regex.extractAll('user@domain', '(.*)@([^.]*)')",
         "!a pattern to extract has one group at most, not 2"},
        {"regex.extractAll('foo bar', '[a-z')",
         "?1:29 not a regular expression: this class is not closed"},
        {"regex.extractAll()", "?1:7 regex.extractAll() takes 2 arguments, not 0"},
    };
    (void)state;
    fixture_check(rows);
}

static void matches_are_replaced(void **state)
{
    static const struct fixture_row rows[] = {
        {"regex.replace('abc', '^', 'start_')", "\"start_abc\""},
        {"regex.replace('abc', '$', '_end')", "\"abc_end\""},
        {"regex.replace('a-b', r'\\b', '|')", "\"|a|-|b|\""},
        {"regex.replace('banana', 'ana', 'x')", "\"bxna\""},
        {"regex.replace('apple pie', 'p', 'X')", "\"aXXle Xie\""},
        {"regex.replace('remove all spaces', r'\\s', '')", "\"removeallspaces\""},
        {"regex.replace('digit:99919291992', r'\\d+', '3')", "\"digit:3\""},
        {"regex.replace('', 'a', 'b')", "\"\""},
        {"regex.replace('', '', 'b')", "\"b\""},
        {"regex.replace('hello ☃', '☃', '❄')", "\"hello ❄\""},
        {"regex.replace('aé', '', '.')", "\".a.é.\""},
        {"regex.replace('abaac', 'a*', 'x')", "\"xbxcx\""},
        {"regex.replace('banana', 'a', 'x', 0)", "\"banana\""},
        {"regex.replace('banana', 'a', 'x', 1)", "\"bxnana\""},
        {"regex.replace('banana', 'a', 'x', 2)", "\"bxnxna\""},
        {"regex.replace('banana', 'a', 'x', 100)", "\"bxnxnx\""},
        {"regex.replace('banana', 'a', 'x', -1)", "\"bxnxnx\""},
        {"regex.replace('banana', 'a', 'x', -9223372036854775808)", "\"bxnxnx\""},
        {"regex.replace('aé', '', '.', 2)", "\".a.é\""},
        {"regex.replace(context.name, '(.)ë', r'\\1\\1ëë')", "\"Zooëë\""},
    };
    (void)state;
    fixture_check(rows);
}

static void a_replacement_names_the_match_and_its_groups(void **state)
{
    static const struct fixture_row rows[] = {
        {"regex.replace('foo bar', '(fo)o (ba)r', r'\\2 \\1')", "\"ba fo\""},
        {"regex.replace('foo bar', 'foo', r'\\\\')", "\"\\\\ bar\""},
        {"regex.replace('ac', 'a(b)?c', r'[\\1]')", "\"[]\""},
        {"regex.replace('foo bar baz', r'\\w+', r'(\\0)')", "\"(foo) (bar) (baz)\""},
        {"regex.replace('User: Alice', r'User: (?P<name>\\w+)', '${name}')", "\"${name}\""},
        {"regex.replace('id=123', r'id=(?P<value>\\d+)', r'value: \\1')", "\"value: 123\""},
        {"regex.replace('abc def', r'(abc)', r'\\\\1')", "\"\\\\1 def\""},
        {"regex.replace('abc', '(a)(b)(c)', r'\\3\\2\\10')", "\"cba0\""},
        {"regex.replace('abab', '((a)|(b))', r'<\\1\\2\\3>', 3)", "\"<aa><bb><aa>b\""},
        {"regex.replace('cat-dog dog-cat cat-dog', '(cat)-(dog)', r'\\2-\\1', 1)",
         "\"dog-cat dog-cat cat-dog\""},
        {"regex.replace('test', '(.)', r'\\2')",
         "!the replacement has group 2, the pattern only 1"},
        {"regex.replace('test', '(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)|t', r'\\9')", "\"es\""},
        {"regex.replace('id=1', r'id=', r'\\values')",
         "!in a replacement a digit or another \\ follows a \\"},
        {"regex.replace('id=1', r'id=', 'a\\\\')",
         "!in a replacement a digit or another \\ follows a \\"},
        {"regex.replace('id=1', r'id=', 'a\\\\é')",
         "!in a replacement a digit or another \\ follows a \\"},
        {"regex.replace('test', 'x', r'\\7')", "\"test\""},
        {"regex.replace('test', 't' + '(', 'x', 0)", "\"test\""},
        {"regex.replace('foo bar', '(', '$2 $1')",
         "?1:26 not a regular expression: this group is not closed"},
        {"regex.replace('abc', '^', 1)",
         "!no such overload: regex.replace(string, string, int)"},
        {"regex.replace('abc', '^', '1', '')",
         "!no such overload: regex.replace(string, string, string, string)"},
    };
    (void)state;
    fixture_check(rows);
}

/* What one match costs is bounded, and so is what all of them cost and become. */
static void a_hostile_search_ends_with_the_budget(void **state)
{
    static const char long_text[] =
        "cel.bind(t, lists.range(1024).map(i, 'aaaaaaaaaaaaaaaa').join(), ";
    static const struct fixture_row rows[] = {
        {"regex.extract(t, '(?:a|aa)*b').hasValue()", "false"},
        {"regex.extractAll(t, '(?:a|aa)*b|a').size()",
         "!the expression costs more than it may"},
        {"regex.replace(t, '(?:a|aa)*b|a', 'x').size()",
         "!the expression costs more than it may"},
        {"regex.replace(t, 'a', t).size()", "!a value of more than 1048576 bytes"},
        {"regex.replace(t, '^.*$', [t, t, t].map(x, regex.replace(x, 'a', r'\\\\0')).join())",
         "!a value of more than 1048576 bytes"},
        {"regex.extractAll(t, 'a{4}').size()", "4096"},
        {"regex.extractAll(t + t + t + t, '').size()", "!a list of more than 1048576 bytes"},
        {"regex.extractAll(t, '((((a{9}){9}){9}){4})' + '').size()",
         "!a pattern to extract has one group at most, not 4"},
        {"lists.range(1000).all(i, regex.replace(t, 'b', 'c') == t)",
         "!the expression costs more than it may"},
    };
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text text;
        text_init(&text, NULL);
        text_format(&text, "%s%s)", long_text, rows[i].expression);
        const char *answer = fixture_answer(text_span(&text));
        if (strcmp(answer, rows[i].answer) != 0)
            print_error("%s\n  gives  %s\n", rows[i].expression, answer);
        wrong += strcmp(answer, rows[i].answer) != 0;
        text_fini(&text);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_match_is_extracted),
        cmocka_unit_test(all_matches_are_extracted_in_order),
        cmocka_unit_test(matches_are_replaced),
        cmocka_unit_test(a_replacement_names_the_match_and_its_groups),
        cmocka_unit_test(a_hostile_search_ends_with_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
