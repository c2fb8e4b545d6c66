/*
 * test_url.c - what values may become inside a URL, and what of a URL may be shown.
 */
#include "strategy/url.h"

#include "expect_os.h"

static void a_value_stays_within_its_component(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *value;
        const char *expected;
    } rows[] = {
        {"", "http://a/b?c=d", "http://a/b?c=d"},
        {"http://", "a.example:80", "http://a.example:80"},
        {"http://", "[::1]", "http://[::1]"},
        {"http://", "a/b", "http://a%2Fb"},
        {"http://", "me@a", "http://me%40a"},
        {"http://a:", "80", "http://a:80"},
        {"http://a/", "b/../c", "http://a/b%2F..%2Fc"},
        {"http://a/", "b:c", "http://a/b%3Ac"},
        {"http://a/", "..", "http://a/%2E%2E"},
        {"http://a/", ".", "http://a/%2E"},
        {"http://a/", "...", "http://a/..."},
        {"http://a/?b=", "..", "http://a/?b=.."},
        {"http://a?b=", "c&d=e", "http://a?b=c%26d%3De"},
        {"http://a?b=", "1 + 1", "http://a?b=1%20%2B%201"},
        {"http://a#", "\xc3\xbc\r\n", "http://a#%C3%BC%0D%0A"},
        {"http://a/", "AZaz09-._~", "http://a/AZaz09-._~"},
        {"http://a/", "", "http://a/"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text text = {.arena = NULL};
        text_add(&text, span_from_text(rows[i].before));
        url_add_value(&text, span_from_text(rows[i].value));
        expect_text(text_span(&text), rows[i].expected);
        text_fini(&text);
    }
}

static void secrets_are_not_shown(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *expected;
    } rows[] = {
        {"http://a/b?c=d", "http://a/b"},
        {"http://me:pw@a/b", "http://a/b"},
        {"http://me:p@w@a/b", "http://a/b"},
        {"http://a/b@c#d", "http://a/b@c"},
        {"http://a", "http://a"},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text text = {.arena = NULL};
        url_add_public(&text, span_from_text(rows[i].url));
        expect_text(text_span(&text), rows[i].expected);
        text_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_stays_within_its_component),
        cmocka_unit_test(secrets_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
