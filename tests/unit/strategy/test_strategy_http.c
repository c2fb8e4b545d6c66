/*
 * test_strategy_http.c - a step as an HTTP request: what is sent, and how answers become
 * results.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "expect_os.h"
#include "strategy_fixture.h"
#include "web_fixture.h"

static struct bench bench;
static struct web *web;
static char step[1024];

static int open_bench(void **state)
{
    (void)state;
    bench_open(&bench, &strategy_http, "/");
    web = web_open();
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    bench_close(&bench);
    web_close(web);
    return 0;
}

/* A step that calls the path, with more settings behind. */
static const char *call(uint16_t port, const char *path, const char *more)
{
    snprintf(step, sizeof step, "{\"http\":{\"url\":\"http://127.0.0.1:%d%s\"%s}}", port, path,
             more);
    return step;
}

static struct told run(const char *path, const char *more, const char *input)
{
    struct attempt_request request = bench_request(&bench, input);
    return bench_run(&bench, call(web_port(web), path, more), &request);
}

static void the_input_is_posted_with_all_that_identifies_it(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "\"method\":\"POST\"",
        "\"body\":\"{\\\"amount\\\":3}\"",
        "\"content-type\":\"application/json\"",
        "\"accept\":\"application/json\"",
        "\"user-agent\":\"interlock/0.1\"",
        "\"idempotency-key\":\"key-7\"",
        "\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"",
        "\"x-interlock-instance\":\"order-7\"",
        "\"x-interlock-attempt\":\"2\"",
        "\"x-request-deadline\":\"10000\"",
    };
    struct told told = run("/echo", "", "{\"amount\":3}");
    assert_true(told.result.done);
    for (size_t i = 0; i < COUNT(parts); i++)
        expect_part(text_span(&told.output), parts[i]);
    told_release(&told);
}

static void settings_hold_expressions(void **state)
{
    (void)state;
    static const struct {
        const char *more;
        const char *input;
        const char *part;
    } rows[] = {
        {",\"method\":\"${input.m}\"", "{\"m\":\"PUT\"}", "\"method\":\"PUT\""},
        {",\"method\":\"GET\"", "{}", "\"body\":\"\""},
        {",\"headers\":{\"X-A\":\"${instance}/${step}/${attempt}\"}", "{}",
         "\"x-a\":\"order-7/charge/2\""},
        {",\"headers\":{\"X-A\":3}", "{}", "\"x-a\":\"3\""},
        {",\"headers\":{\"X-A\":\"${input.list}\"}", "{\"list\":[1,2]}", "\"x-a\":\"[1,2]\""},
        {",\"headers\":{\"idempotency-KEY\":\"mine ${key}\"}", "{}",
         "\"idempotency-key\":\"mine key-7\""},
        {",\"headers\":{\"X-Budget-Ms\":\"${deadline}\"}", "{}", "\"x-budget-ms\":\"10000\""},
        {",\"headers\":{\"content-type\":\"text/xml\"},\"body\":\"<a>${input.n}</a>\"",
         "{\"n\":1}", "\"body\":\"<a>1</a>\""},
        {",\"body\":\"plain\"", "{}", "\"content-type\":\"text/plain; charset=utf-8\""},
        {",\"body\":{\"sum\":\"${input.n + 1}\"}", "{\"n\":1}", "\"body\":\"{\\\"sum\\\":2}\""},
        {",\"body\":{\"sum\":1}", "{\"n\":1}", "\"content-type\":\"application/json\""},
        {",\"body\":null", "{\"n\":1}", "\"body\":\"null\""},
        {",\"method\":\"GET\",\"body\":{}", "{}", "\"body\":\"{}\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct told told = run("/echo", rows[i].more, rows[i].input);
        assert_true(told.result.done);
        expect_part(text_span(&told.output), rows[i].part);
        told_release(&told);
    }
    struct attempt_request request = bench_request(&bench, "{\"to\":\"echo\"}");
    struct told told = bench_run(&bench, call(web_port(web), "/${input.to}", ""), &request);
    assert_true(told.result.done);
    told_release(&told);
}

static void answers_become_results(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        bool done;
        const char *output;
        enum error_kind kind;
        int code;
        const char *message;
        const char *details;
        duration_ms retry_after_ms;
        bool not_acted;
    } rows[] = {
        {"body={\"id\":1}", true, "{\"id\":1}", 0, 0, "", "", -1, false},
        {"body=%20[1]%0a", true, "[1]", 0, 0, "", "", -1, false},
        {"status=201&body=3&type=text/plain", true, "3", 0, 0, "", "", -1, false},
        {"", true, "null", 0, 0, "", "", -1, false},
        {"body=%20%0a", true, "null", 0, 0, "", "", -1, false},
        {"status=204", true, "null", 0, 0, "", "", -1, false},
        {"body=hi&type=text/plain", false, "", ERROR_KIND_INVALID, 200,
         "the answer is not JSON: ", "", -1, false},
        {"body=hi", false, "", ERROR_KIND_INVALID, 200, "`output: text`", "", -1, false},
        {"body=<html>", false, "", ERROR_KIND_INVALID, 200, "the answer is not JSON: ", "", -1,
         false},
        {"body=%ff%fe", false, "", ERROR_KIND_INVALID, 200, "the answer is not JSON: ", "", -1,
         false},
        {"body={&type=application/json", false, "", ERROR_KIND_INVALID, 200,
         "the answer is not JSON: ", "", -1, false},
        {"body={&type=application/problem%2bjson;%20charset=utf-8", false, "",
         ERROR_KIND_INVALID, 200, "the answer is not JSON: ", "", -1, false},
        {"status=302", false, "", ERROR_KIND_REJECTED, 302,
         "HTTP 302: redirects are not followed", "", -1, false},
        {"status=400&body={\"error\":\"no%20such%20card\"}", false, "", ERROR_KIND_REJECTED,
         400, "HTTP 400: no such card", "{\"error\":\"no such card\"}", -1, false},
        {"status=402&body={\"error\":{\"message\":\"declined\"}}", false, "",
         ERROR_KIND_REJECTED, 402, "HTTP 402: declined",
         "{\"error\":{\"message\":\"declined\"}}", -1, false},
        {"status=404&body=not%0ahere", false, "", ERROR_KIND_REJECTED, 404,
         "HTTP 404: not here", "", -1, false},
        {"status=408&retry=3", false, "", ERROR_KIND_REJECTED, 408, "HTTP 408", "", -1, false},
        {"status=409&body={\"title\":\"twice\"}", false, "", ERROR_KIND_REJECTED, 409,
         "HTTP 409: twice", "{\"title\":\"twice\"}", -1, false},
        {"status=429&retry=7", false, "", ERROR_KIND_THROTTLED, 429, "HTTP 429", "", 7000,
         true},
        {"status=500&body=<html>oops</html>", false, "", ERROR_KIND_UNAVAILABLE, 500,
         "HTTP 500", "", -1, false},
        {"status=500&retry=7", false, "", ERROR_KIND_UNAVAILABLE, 500, "HTTP 500", "", -1,
         false},
        {"status=503&retry=7&body=%ff", false, "", ERROR_KIND_UNAVAILABLE, 503, "HTTP 503: ?",
         "", 7000, false},
        {"status=599", false, "", ERROR_KIND_UNAVAILABLE, 599, "HTTP 599", "", -1, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char path[256];
        snprintf(path, sizeof path, "/answer?%s", rows[i].query);
        for (char *byte = path; *byte != '\0'; byte++)
            *byte = *byte == '"' ? '\'' : *byte;
        struct text escaped = {.arena = NULL};
        for (const char *byte = path; *byte != '\0'; byte++)
            text_add(&escaped, *byte == '\'' ? SPAN("%22") : span_of(byte, 1));
        struct told told = run(escaped.bytes, "", "{}");
        text_fini(&escaped);
        print_message("# row %zu: %.*s\n", i, SPAN_ARGS(text_span(&told.message)));
        assert_int_equal(told.result.done, rows[i].done);
        expect_text(text_span(&told.output), rows[i].output);
        expect_text(text_span(&told.details), rows[i].details);
        expect_part(text_span(&told.message), rows[i].message);
        if (!rows[i].done)
            assert_int_equal(told.result.kind, rows[i].kind);
        assert_int_equal(told.result.code, rows[i].code);
        assert_int_equal(told.result.retry_after_ms, rows[i].retry_after_ms);
        assert_int_equal(told.result.not_acted, rows[i].not_acted);
        told_release(&told);
    }
}

static void a_step_may_say_that_its_output_is_text(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        bool done;
        const char *output;
        const char *message;
    } rows[] = {
        {"body=hi&type=text/plain", true, "\"hi\"", ""},
        {"body=hi%0a", true, "\"hi\\n\"", ""},
        {"body={}&type=application/json", true, "\"{}\"", ""},
        {"", true, "\"\"", ""},
        {"body=%ff%fe", false, "", "the answer is not UTF-8"},
        {"status=404&body=hi", false, "", "HTTP 404: hi"},
    };
    struct attempt_request request = bench_request(&bench, "{}");
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(step, sizeof step,
                 "{\"http\":{\"url\":\"http://127.0.0.1:%d/answer?%s\"},\"output\":\"text\"}",
                 web_port(web), rows[i].query);
        struct told told = bench_run(&bench, step, &request);
        assert_int_equal(told.result.done, rows[i].done);
        expect_text(text_span(&told.output), rows[i].output);
        expect_part(text_span(&told.message), rows[i].message);
        told_release(&told);
    }
}

static void a_value_arrives_whole_from_its_place_in_a_url(void **state)
{
    (void)state;
    static const char *const values[] = {"a&body=c#d", "1/2 \u00fc", "50%25",   "a+b",
                                         "?",          "../x",       "-._~aZ9", ""};
    for (size_t i = 0; i < COUNT(values); i++) {
        char input[64];
        snprintf(input, sizeof input, "{\"v\":\"%s\"}", values[i]);
        snprintf(step, sizeof step,
                 "{\"http\":{\"url\":\"http://127.0.0.1:%d/answer?body=${input.v}&a=b\"},"
                 "\"output\":\"text\"}",
                 web_port(web));
        struct attempt_request request = bench_request(&bench, input);
        struct told told = bench_run(&bench, step, &request);
        assert_true(told.result.done);
        expect_text(span_slice(text_span(&told.output), 1, told.output.size - 1), values[i]);
        told_release(&told);
    }
}

/* The address of a service is often a value too. */
static void a_url_may_begin_with_a_value(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *base;
        const char *path;
        bool done;
    } rows[] = {
        {"${input.base}/echo", "http://127.0.0.1", "", true},
        {"${input.base}", "http://127.0.0.1", "/echo?a=b&c=/d", true},
        {"http://${input.base}/echo", "127.0.0.1", "", true},
        {"http://${input.base}/echo", "127.0.0.1", "/other?", false},
        {"http://${input.base}/echo", "me@127.0.0.1", "", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char input[128];
        snprintf(step, sizeof step, "{\"http\":{\"url\":\"%s\"}}", rows[i].url);
        snprintf(input, sizeof input, "{\"base\":\"%s:%d%s\"}", rows[i].base, web_port(web),
                 rows[i].path);
        struct attempt_request request = bench_request(&bench, input);
        struct told told = bench_run(&bench, step, &request);
        assert_int_equal(told.result.done, rows[i].done);
        told_release(&told);
    }
}

static void long_answers_are_cut_in_messages(void **state)
{
    (void)state;
    struct told told = run("/large?status=500&bytes=5000", "", "{}");
    assert_in_range(told.message.size, 200, 230);
    told_release(&told);
    told = run("/large?status=503&bytes=2000000", "", "{}");
    assert_int_equal(told.result.kind, ERROR_KIND_UNAVAILABLE);
    told_release(&told);
    told = run("/large?bytes=2000000", "", "{}");
    assert_int_equal(told.result.kind, ERROR_KIND_INVALID);
    expect_part(text_span(&told.message), "larger than");
    told_release(&told);
}

static void the_world_fails_in_its_ways(void **state)
{
    (void)state;
    uint16_t port;
    int refused = refused_open(&port);
    char wanted[128];
    struct attempt_request request = bench_request(&bench, "{}");
    struct told told = bench_run(&bench, call(port, "/charge?secret=1", ""), &request);
    snprintf(wanted, sizeof wanted, "POST http://127.0.0.1:%d/charge: connection refused",
             port);
    expect_text(text_span(&told.message), wanted);
    assert_int_equal(told.result.kind, ERROR_KIND_TRANSPORT);
    assert_true(told.result.not_acted);
    told_release(&told);
    close(refused);

    request.timeout_ms = 50;
    told = bench_run(&bench, call(web_port(web), "/slow?ms=300", ""), &request);
    snprintf(wanted, sizeof wanted, "POST http://127.0.0.1:%d/slow: no answer within 50ms",
             web_port(web));
    expect_text(text_span(&told.message), wanted);
    assert_int_equal(told.result.kind, ERROR_KIND_TIMEOUT);
    assert_false(told.result.not_acted);
    told_release(&told);

    static const duration_ms none_left[] = {0, -5};
    for (size_t i = 0; i < COUNT(none_left); i++) {
        request.timeout_ms = none_left[i];
        told = bench_run(&bench, call(web_port(web), "/slow?ms=300", ""), &request);
        assert_int_equal(told.result.kind, ERROR_KIND_TIMEOUT);
        told_release(&told);
    }

    static const struct reply reply = {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", true,
                                       false};
    struct scripted *scripted = scripted_open(&reply, 1);
    request.timeout_ms = 5000;
    told = bench_run(&bench, call(scripted_port(scripted), "/", ""), &request);
    assert_int_equal(told.result.kind, ERROR_KIND_TRANSPORT);
    assert_false(told.result.not_acted);
    told_release(&told);
    scripted_close(scripted);
}

static void secrets_of_a_url_stay_out_of_messages(void **state)
{
    (void)state;
    uint16_t port;
    int refused = refused_open(&port);
    char wanted[128];
    struct attempt_request request = bench_request(&bench, "{}");
    snprintf(step, sizeof step,
             "{\"http\":{\"url\":\"http://me:p%%40ss@127.0.0.1:%d/a@b?token=1#x\"}}", port);
    snprintf(wanted, sizeof wanted, "POST http://127.0.0.1:%d/a@b: connection refused", port);
    struct told told = bench_run(&bench, step, &request);
    expect_text(text_span(&told.message), wanted);
    told_release(&told);
    close(refused);
}

static void what_cannot_be_built_is_invalid_and_not_sent(void **state)
{
    (void)state;
    static const struct {
        const char *more;
        const char *message;
    } rows[] = {
        {",\"headers\":{\"X-A\":\"${input.missing}\"}", "X-A: "},
        {",\"headers\":{\"X-A\":\"a${input.line}b\"}", "header"},
        {",\"method\":\"${input.line}\"", "method"},
        {",\"body\":\"${input.missing}\"", "body: "},
        {",\"method\":\"${1 / 0}\"", "method: "},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct told told = run("/echo", rows[i].more, "{\"line\":\"a\\r\\nb: c\"}");
        assert_false(told.result.done);
        assert_int_equal(told.result.kind, ERROR_KIND_INVALID);
        assert_true(told.result.not_acted);
        expect_part(text_span(&told.message), rows[i].message);
        told_release(&told);
    }
    assert_int_equal(web_requests(web), 0);
}

static void wrong_settings_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *step;
        const char *diagnostics;
    } rows[] = {
        {"{\"http\":3}", "IL0104 1:9 `http` must be a map, not a number\n"},
        {"{\"http\":{}}", "IL0103 1:9 `http` needs a `url`"},
        {"{\"http\":{\"url\":[]}}", "IL0104 1:16 `url` must be a string, not a list\n"},
        {"{\"http\":{\"url\":null}}", "IL0104 1:16 `url` must be a string, not null\n"},
        {"{\"http\":{\"url\":\"localhost:80\"}}",
         "`url` must begin with http:// or https://\n"},
        {"{\"http\":{\"url\":\"http://a\",\"methd\":\"GET\"}}",
         "IL0102 1:27 unknown key `methd`"},
        {"{\"http\":{\"url\":\"http://a\",\"methd\":\"GET\"}}", "'method'"},
        {"{\"http\":{\"url\":\"http://a\",\"method\":\"GET IT\"}}",
         "`method` must be a method of HTTP"},
        {"{\"http\":{\"url\":\"http://a\",\"method\":5}}", "`method` must be a method of HTTP"},
        {"{\"http\":{\"url\":\"http://a\"},\"output\":\"txt\"}",
         "IL0104 1:37 `output` must be json or text\n"},
        {"{\"http\":{\"url\":\"http://a\",\"headers\":[]}}",
         "`headers` must be a map, not a list\n"},
        {"{\"http\":{\"url\":\"http://a\",\"headers\":{\"A B\":1}}}",
         "`A B` cannot be set in `headers`\n"},
        {"{\"http\":{\"url\":\"http://a\",\"headers\":{\"content-length\":1}}}",
         "`content-length` cannot be set in `headers`\n"},
        {"{\"http\":{\"url\":\"http://a\",\"headers\":{\"A\":{\"b\":1}}}}",
         "`A` must be a string, not a map\n"},
        {"{\"http\":{\"url\":\"http://a/${inptu.id}\"}}", "inptu"},
        {"{\"http\":{\"url\":\"http://a/\",\"body\":{\"a\":\"${1 +}\"}}}", "IL01"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_null(bench_parse(&bench, rows[i].step));
        assert_true(bench.diagnostics.errors > 0);
        expect_part(bench_diagnostics(&bench), rows[i].diagnostics);
    }
    assert_non_null(bench_parse(&bench, "{\"http\":{\"url\":{\"@expr\":\"input.url\"}}}"));
    assert_non_null(bench_parse(&bench, "{\"http\":{\"url\":\"${input.url}\"}}"));
}

static void cancelled_attempts_are_never_told(void **state)
{
    (void)state;
    struct told told = {.count = 0};
    struct attempt_request request = bench_request(&bench, "{}");
    const void *slow = bench_parse(&bench, call(web_port(web), "/slow?ms=50", ""));
    const void *bad = bench_parse(&bench, call(web_port(web), "/${input.x}", ""));
    for (int i = 0; i < 3; i++) {
        struct attempt *one = strategy_start(bench.strategy, slow, &request, told_keep, &told);
        struct attempt *two = strategy_start(bench.strategy, bad, &request, told_keep, &told);
        for (int j = 0; j < i; j++)
            loop_run_once(bench.loop, false);
        strategy_cancel(bench.strategy, one);
        if (told.count == 0)
            strategy_cancel(bench.strategy, two);
        told_release(&told);
        told = (struct told){.count = 0};
    }
    /* Those still under way when the strategy is closed are cancelled too. */
    strategy_start(bench.strategy, slow, &request, told_keep, &told);
    strategy_start(bench.strategy, bad, &request, told_keep, &told);
    strategy_close(bench.strategy);
    bench.strategy = NULL;
    for (int i = 0; i < 3; i++)
        loop_run_once(bench.loop, false);
    assert_int_equal(told.count, 0);
}

int main(void)
{
#define HTTP_TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        HTTP_TEST(the_input_is_posted_with_all_that_identifies_it),
        HTTP_TEST(settings_hold_expressions),
        HTTP_TEST(answers_become_results),
        HTTP_TEST(a_step_may_say_that_its_output_is_text),
        HTTP_TEST(a_value_arrives_whole_from_its_place_in_a_url),
        HTTP_TEST(a_url_may_begin_with_a_value),
        HTTP_TEST(long_answers_are_cut_in_messages),
        HTTP_TEST(the_world_fails_in_its_ways),
        HTTP_TEST(secrets_of_a_url_stay_out_of_messages),
        HTTP_TEST(what_cannot_be_built_is_invalid_and_not_sent),
        HTTP_TEST(wrong_settings_are_told_with_their_place),
        HTTP_TEST(cancelled_attempts_are_never_told),
    };
    return cmocka_run_group_tests_name("strategy_http", tests, NULL, NULL);
}
