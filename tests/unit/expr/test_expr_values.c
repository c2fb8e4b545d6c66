/*
 * test_expr_values.c - what expressions give: operators, errors, macros, conversions, time.
 */
#include "expr_fixture.h"

static void arithmetic_is_checked_and_strict(void **state)
{
    static const struct fixture_row rows[] = {
        {"9223372036854775807 + 1", "!int overflow"},
        {"-9223372036854775808 - 1", "!int overflow"},
        {"-9223372036854775808 * -1", "!int overflow"},
        {"-9223372036854775808 / -1", "!int overflow"},
        {"-9223372036854775808 % -1", "0"},
        {"-(-9223372036854775808)", "!int overflow"},
        {"7 / -2", "-3"},
        {"-7 % 3", "-1"},
        {"1 / 0", "!division by zero"},
        {"1 % 0", "!modulus by zero"},
        {"1u / 0u", "!division by zero"},
        {"1u - 2u", "!uint overflow"},
        {"18446744073709551615u + 1u", "!uint overflow"},
        {"18446744073709551615u * 2u", "!uint overflow"},
        {"1.0 / 0.0 > 1e300", "true"},
        {"1 + 1.0", "!no such overload: int + double"},
        {"1 + 'a'", "!no such overload: int + string"},
        {"1 + 1u", "!no such overload: int + uint"},
        {"5.0 % 2.0", "!no such overload: double % double"},
        {"-1u", "!no such overload: -uint"},
        {"-'a'", "!no such overload: -string"},
        {"'a' + 'b' + 'c'", "\"abc\""},
        {"b'a' + b'b'", "b\"ab\""},
        {"[1] + [2] + []", "[1,2]"},
        {"'a' * 2", "!no such overload: string * int"},
        {"null + null", "!no such overload: null + null"},
    };
    (void)state;
    fixture_check(rows);
}

static void comparisons_cross_numbers_and_nothing_else(void **state)
{
    static const struct fixture_row rows[] = {
        {"1 < 1.5 && 1u < 2 && 2.0 >= 2u", "true"},
        {"9223372036854775807 < 9223372036854775808u", "true"},
        {"9007199254740993 > 9007199254740992.0", "true"},
        {"0.0 / 0.0 == 0.0 / 0.0", "false"},
        {"0.0 / 0.0 < 1.0 || 0.0 / 0.0 >= 1.0", "false"},
        {"'a' < 'b' && 'B' < 'a' && 'a' < 'aa'", "true"},
        {"b'\\x00' < b'\\xff'", "true"},
        {"false < true", "true"},
        {"1 == 1.0 && 1u == 1", "true"},
        {"1 == '1'", "false"},
        {"1 != null", "true"},
        {"null == null", "true"},
        {"[1, [2.0]] == [1u, [2]]", "true"},
        {"{'a': 1, 'b': 2} == {'b': 2.0, 'a': 1u}", "true"},
        {"{'a': 1} == {'a': 1, 'b': 2}", "false"},
        {"1 < 'a'", "!no such overload: int < string"},
        {"null <= null", "!no such overload: null <= null"},
        {"[1] > [0]", "!no such overload: list > list"},
        {"{} >= {}", "!no such overload: map >= map"},
    };
    (void)state;
    fixture_check(rows);
}

static void an_error_loses_against_what_decides(void **state)
{
    static const struct fixture_row rows[] = {
        {"1 / 0 > 0 || true", "true"},
        {"true || 1 / 0 > 0", "true"},
        {"1 / 0 > 0 && false", "false"},
        {"false && 1 / 0 > 0", "false"},
        {"1 / 0 > 0 || false", "!division by zero"},
        {"true && 1 / 0 > 0", "!division by zero"},
        {"1 / 0 > 0 || 1 % 0 > 0", "!division by zero"},
        {"1 / 0 > 0 || false || true", "true"},
        {"1 / 0 > 0 && true && false", "false"},
        {"'a' || true", "true"},
        {"'a' && false", "false"},
        {"'a' || false", "!no such overload: string || bool"},
        {"true && 1", "!no such overload: bool && int"},
        {"x == 1 || true", "true"},
        {"x == 1 || false", "!no such attribute: x"},
        {"true ? 1 : 1 / 0", "1"},
        {"1 / 0 > 0 ? 1 : 2", "!division by zero"},
        {"1 ? 1 : 2", "!no such overload: int ? :"},
        {"(1 / 0 > 0 ? 1 : 2) == 1 || true", "true"},
        {"!(1 / 0 > 0)", "!division by zero"},
        {"!1", "!no such overload: !int"},
        {"[1 / 0, 2]", "!division by zero"},
        {"{'a': 1 / 0}", "!division by zero"},
        {"size([1 / 0])", "!division by zero"},
        {"'a' + context.name == 'b' || true", "true"},
        {"'a' + context.name == 'b' || context.missing", "!no such key: 'missing'"},
        {"context.missing || 'a' + context.name == 'aZoë'", "true"},
    };
    (void)state;
    fixture_check(rows);
}

static void members_and_elements_are_there_or_are_errors(void **state)
{
    static const struct fixture_row rows[] = {
        {"context.total", "1250"},
        {"context.nested.deep.er", "true"},
        {"context['currency']", "\"EUR\""},
        {"context.missing", "!no such key: 'missing'"},
        {"context.total.deeper", "!no such member: 'deeper' of int"},
        {"context.none.deeper", "!no such member: 'deeper' of null"},
        {"x", "!no such attribute: x"},
        {"x.y", "!no such attribute: x"},
        {"has(context.total)", "true"},
        {"has(context.none)", "true"},
        {"has(context.missing)", "false"},
        {"has(context.nested.deep.er)", "true"},
        {"has(context.missing.deeper)", "!no such key: 'missing'"},
        {"has(context.total.deeper)", "!no such member: 'deeper' of int"},
        {"context.items[0]", "1"},
        {"context.items[2u]", "3"},
        {"context.items[1.0]", "2"},
        {"context.items[3]", "!index out of bounds: the list has 3 elements"},
        {"context.items[-1]", "!index out of bounds: the list has 3 elements"},
        {"context.items[0.5]", "!a list's index is a whole number"},
        {"context.items['a']", "!no such overload: list[string]"},
        {"'abc'[0]", "!no such overload: string[int]"},
        {"{1: 'a'}[1.0] + {2u: 'b'}[2] + {true: 'c'}[true]", "\"abc\""},
        {"{1: 'a'}[2]", "!no such key: 2"},
        {"{1: 2, 1u: 3}", "!duplicate key in a map"},
        {"{'a': 2, 'a': 3}", "!duplicate key: 'a'"},
        {"{1.5: 2}", "!unsupported key type: double"},
        {"2 in context.items && !(4 in context.items)", "true"},
        {"'total' in context", "true"},
        {"2.0 in {2: 1}", "true"},
        {"1 in 'abc'", "!no such overload: int in string"},
        {"In('HERE')", "true"},
        {"In('THERE') || In(1)", "!In() takes the name of a state"},
        {"In(1 / 0 == 1 ? 'a' : 'b')", "!division by zero"},
        {"event.type == 'PAY' && event.amount > 5", "true"},
    };
    (void)state;
    fixture_check(rows);
}

static void macros_walk_lists_and_maps(void **state)
{
    static const struct fixture_row rows[] = {
        {"[1, 2, 3].all(i, i > 0)", "true"},
        {"[1, 2, 3].all(i, i > 1)", "false"},
        {"[].all(i, i > 1)", "true"},
        {"[1, 'a', 3].all(i, i < 0)", "false"},
        {"[1, 'a', 3].all(i, i > 0)", "!no such overload: string > int"},
        {"[1, 'a', 3].exists(i, i > 2)", "true"},
        {"[1, 'a'].exists(i, i > 2)", "!no such overload: string > int"},
        {"[1].all(i, 'no bool')", "!no such overload: a condition of type string"},
        {"[1, 2, 3].exists_one(i, i > 2)", "true"},
        {"[1, 2, 3].exists_one(i, i > 1)", "false"},
        {"[1, 0].exists_one(i, 1 / i == 1)", "!division by zero"},
        {"[1, 2, 3].map(i, i * 2)", "[2,4,6]"},
        {"[1, 2, 3].map(i, i > 1, i * 2)", "[4,6]"},
        {"[1, 2, 3].filter(i, i % 2 == 1)", "[1,3]"},
        {"[1, 2].filter(i, i)", "!no such overload: a condition of type int"},
        {"[0].map(i, 1 / i)", "!division by zero"},
        {"{'a': 1, 'b': 2}.map(k, k)", "[\"a\",\"b\"]"},
        {"{'a': 1, 'b': 2}.all(k, v, v > 0 && k < 'c')", "true"},
        {"[5, 6].exists(i, v, i == 1 && v == 6)", "true"},
        {"[5, 6].transformList(i, v, i + v)", "[5,7]"},
        {"{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 10)", "{\"b\":20}"},
        {"['a', 'b'].transformMapEntry(i, v, {v: i})", "{\"a\":0,\"b\":1}"},
        {"['a', 'a'].transformMapEntry(i, v, {v: i})", "!duplicate key: 'a'"},
        {"[[1, 2], [3]].map(l, l.map(i, i + size(l)))", "[[3,4],[4]]"},
        {"[1, 2].map(i, [3, 4].map(j, i * j))", "[[3,4],[6,8]]"},
        {"[1].map(x, [x].map(x, x + 1))", "[[2]]"},
        {"context.items.map(context, context)", "[1,2,3]"},
        {"context.total.map(i, i)",
         "!no such overload: int.map(…), where a list or map is needed"},
        {"cel.bind(a, 2 + 3, a * a)", "25"},
        {"cel.bind(a, 1 / 0, true || a > 0)", "true"},
        {"cel.bind(a, [1, 2], cel.bind(b, a + a, size(a) + size(b)))", "6"},
    };
    (void)state;
    fixture_check(rows);
}

static void optionals_hold_a_value_or_none(void **state)
{
    static const struct fixture_row rows[] = {
        {"context.?total.orValue(0)", "1250"},
        {"context.?missing.orValue(0)", "0"},
        {"context.?nested.?deep.?er.orValue(false)", "true"},
        {"context.?nested.deep.gone.orValue('no')", "\"no\""},
        {"context.items[?5].orValue(9)", "9"},
        {"context.items[?0].hasValue()", "true"},
        {"optional.none().hasValue()", "false"},
        {"optional.of(1).value()", "1"},
        {"optional.none().value()", "!optional.none() has no value"},
        {"optional.ofNonZeroValue('').hasValue()", "false"},
        {"optional.of(1).or(optional.of(1 / 0)).value()", "1"},
        {"optional.of(1).orValue(1 / 0)", "1"},
        {"optional.none().or(optional.of(2)).value()", "2"},
        {"optional.none().or(2)", "!no such overload: or(int)"},
        {"(1).orValue(2)", "!no such overload: orValue(int)"},
        {"optional.of(2).optMap(v, v * 2).value()", "4"},
        {"optional.none().optMap(v, v * 2).hasValue()", "false"},
        {"optional.of(2).optFlatMap(v, optional.none()).hasValue()", "false"},
        {"[?context.?missing, ?context.?total, 3]", "[1250,3]"},
        {"{?'a': context.?missing, ?'b': context.?total}", "{\"b\":1250}"},
        {"[?1]", "!no such overload: ?int, where an optional is needed"},
        {"context.total.?a", "!no such member: 'a' of int"},
        {"has(context.?nested.deep)", "true"},
    };
    (void)state;
    fixture_check(rows);
}

static void conversions_are_exact_or_errors(void **state)
{
    static const struct fixture_row rows[] = {
        {"int('-42') + int(7u) + int(2.9)", "-33"},
        {"int('4x')", "!'4x' is no int"},
        {"int('')", "!'' is no int"},
        {"int('9223372036854775808')", "!'9223372036854775808' is no int"},
        {"int(1e19)", "!int out of range"},
        {"int(true)", "!no such overload: int(bool)"},
        {"uint(3) + uint('4')", "7u"},
        {"uint(-1)", "!uint out of range"},
        {"double('1.5') + double(2)", "3.5"},
        {"double('0x10')", "!'0x10' is no double"},
        {"double('1e999')", "!'1e999' is no double"},
        {"double('abc')", "!'abc' is no double"},
        {"bool('true') && !bool('0')", "true"},
        {"bool('yes')", "!'yes' is no bool"},
        {"string(1) + string(2u) + string(true)", "\"12true\""},
        {"string(1.0)", "\"1\""},
        {"string(-0.1)", "\"-0.1\""},
        {"string(100000.0)", "\"100000\""},
        {"string(123456789012345680000.0)", "\"123456789012345680000\""},
        {"string(1e21)", "\"1e+21\""},
        {"string(1.5e-7)", "\"1.5e-7\""},
        {"string(0.000001)", "\"0.000001\""},
        {"string(0.1 + 0.2)", "\"0.30000000000000004\""},
        {"string(b'\\xff')", "!these bytes are not UTF-8"},
        {"string(null)", "!no such overload: string(null)"},
        {"bytes('é') == b'\\xc3\\xa9'", "true"},
        {"type(1) == int && type(1u) == uint && type('') == string", "true"},
        {"type([]) == list && type({}) == map && type(null) == null_type", "true"},
        {"type(type(1)) == type", "true"},
        {"type(now) == google.protobuf.Timestamp", "true"},
        {"type(1.0)", "type double"},
        {"dyn(1) == 1.0", "true"},
        {"size('Zoë') + 'Zoë'.size() + size(bytes('Zoë'))", "10"},
        {"size(1)", "!no such overload: size(int)"},
        {"context.name.startsWith('Zo') && context.name.endsWith('ë')", "true"},
        {"'abc'.contains('bc') && !'abc'.contains('cb')", "true"},
        {"(1).contains('a')", "!no such overload: contains(int, string)"},
    };
    (void)state;
    fixture_check(rows);
}

static void moments_and_durations_have_their_arithmetic(void **state)
{
    static const struct fixture_row rows[] = {
        {"now", "\"2009-02-13T23:31:30.005Z\""},
        {"now + duration('1h30m')", "\"2009-02-14T01:01:30.005Z\""},
        {"now - timestamp('2009-02-13T23:31:29Z')", "\"1.005s\""},
        {"timestamp('2009-02-14T00:31:30+01:00') == timestamp(1234567890)", "true"},
        {"string(timestamp('2009-02-13T23:31:30.25Z'))", "\"2009-02-13T23:31:30.25Z\""},
        {"string(duration('-1.5s'))", "\"-1.5s\""},
        {"duration('1s') + duration('-1500ms')", "\"-0.5s\""},
        {"duration('1m') > duration('59s')", "true"},
        {"duration('1us') == duration('1000ns')", "true"},
        {"duration('-0.5s') < duration('0s')", "true"},
        {"duration('1x')", "!'1x' is no duration"},
        {"duration('')", "!'' is no duration"},
        {"duration('99999999999999999999s')", "!'99999999999999999999s' is no duration"},
        {"duration('320000000000s')", "!duration out of range"},
        {"timestamp('yesterday')", "!'yesterday' is no timestamp"},
        {"timestamp('9999-12-31T23:59:59Z') + duration('1s')", "!timestamp out of range"},
        {"now + now", "!no such overload: timestamp + timestamp"},
        {"duration('1s') - now", "!no such overload: duration - timestamp"},
        {"now.getFullYear() * 10000 + (now.getMonth() + 1) * 100 + now.getDate()", "20090213"},
        {"now.getHours('+05:30')", "5"},
        {"now.getDayOfWeek() * 1000 + now.getDayOfYear()", "5043"},
        {"now.getMilliseconds()", "5"},
        {"timestamp('1969-12-31T23:59:59Z').getDayOfWeek()", "3"},
        {"timestamp('1600-02-29T00:00:00Z').getDayOfYear()", "59"},
        {"now.getHours('Mars/Base')",
         "!unknown time zone 'Mars/Base': only UTC and offsets like '+02:00'"},
        {"duration('3730s').getHours() * 100 + duration('3730s').getMinutes()", "162"},
        {"int(now)", "1234567890"},
    };
    (void)state;
    fixture_check(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_is_checked_and_strict),
        cmocka_unit_test(comparisons_cross_numbers_and_nothing_else),
        cmocka_unit_test(an_error_loses_against_what_decides),
        cmocka_unit_test(members_and_elements_are_there_or_are_errors),
        cmocka_unit_test(macros_walk_lists_and_maps),
        cmocka_unit_test(optionals_hold_a_value_or_none),
        cmocka_unit_test(conversions_are_exact_or_errors),
        cmocka_unit_test(moments_and_durations_have_their_arithmetic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
