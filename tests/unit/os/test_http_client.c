/*
 * test_http_client.c - HTTP calls against servers that are good, slow, broken and not there.
 */
#include "os/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "expect_os.h"
#include "os/clock.h"
#include "web_fixture.h"

static struct loop *loop;
static struct http_client *client;
static struct web *web;
static char url[256];

static int open_client(void **state)
{
    (void)state;
    loop = loop_open();
    client = http_client_open(loop, 1000);
    web = web_open();
    return 0;
}

static int close_client(void **state)
{
    (void)state;
    http_client_close(client);
    loop_close(loop);
    web_close(web);
    return 0;
}

/* What came of a call, kept beyond the callback. */
struct ended {
    int count;
    struct http_result result;
    struct text body;
    struct text type;
    struct text problem;
};

static void keep(void *context, const struct http_result *result)
{
    struct ended *ended = context;
    ended->count++;
    ended->result = *result;
    text_add(&ended->body, result->body);
    text_add(&ended->type, result->content_type);
    text_add(&ended->problem, result->problem);
    loop_stop(loop);
}

static void release(struct ended *ended)
{
    text_fini(&ended->body);
    text_fini(&ended->type);
    text_fini(&ended->problem);
}

static struct http_request post(uint16_t port, const char *path)
{
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    return (struct http_request){
        .method = SPAN("POST"),
        .url = span_from_text(url),
        .body = SPAN("{}"),
        .timeout_ms = 5000,
        .body_bytes_max = 1 << 20,
    };
}

static struct ended run(const struct http_request *request)
{
    struct ended ended = {.count = 0};
    http_client_start(client, request, keep, &ended);
    assert_int_equal(ended.count, 0);
    loop_run(loop);
    assert_int_equal(ended.count, 1);
    return ended;
}

static void a_request_arrives_as_it_was_given(void **state)
{
    (void)state;
    static const struct span headers[] = {
        {"Content-Type: text/x", 20}, {"X-Empty:", 8}, {"X-One:  two words ", 18}};
    struct text large = {.arena = NULL};
    for (int i = 0; i < 100000; i++)
        text_add(&large, SPAN("0123456789"));
    struct http_request request = post(web_port(web), "/echo");
    request.headers = headers;
    request.header_count = COUNT(headers);
    request.body = text_span(&large);
    request.body_bytes_max = 2 << 20;
    struct ended ended = run(&request);
    struct span got = text_span(&ended.body);
    assert_int_equal(ended.result.failure, HTTP_ANSWERED);
    assert_int_equal(ended.result.status, 200);
    expect_part(got, "\"method\":\"POST\"");
    expect_part(got, "\"content-type\":\"text/x\"");
    expect_part(got, "\"x-empty\":\"\"");
    expect_part(got, "\"x-one\":\"two words\"");
    assert_true(span_find(got, text_span(&large), 0) != SIZE_MAX);
    assert_true(span_find(got, SPAN("\"expect\""), 0) == SIZE_MAX);
    release(&ended);
    request.header_count = 0;
    request.body = SPAN("x");
    ended = run(&request);
    assert_true(span_find(text_span(&ended.body), SPAN("\"content-type\""), 0) == SIZE_MAX);
    release(&ended);
    text_fini(&large);
}

/* One handle after the other, so that nothing of a call may stay for the next. */
static void every_method_works_after_every_other(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        const char *body;
        const char *answer;
    } rows[] = {
        {"POST", "a", "{\"method\":\"POST\",\"body\":\"a\","},
        {"GET", "", "{\"method\":\"GET\",\"body\":\"\","},
        {"POST", "", "{\"method\":\"POST\",\"body\":\"\","},
        {"HEAD", "", ""},
        {"PUT", "b", "{\"method\":\"PUT\",\"body\":\"b\","},
        {"HEAD", "ignored", ""},
        {"DELETE", "", "{\"method\":\"DELETE\",\"body\":\"\","},
        {"GET", "c", "{\"method\":\"GET\",\"body\":\"c\","},
        {"PATCH", "d", "{\"method\":\"PATCH\",\"body\":\"d\","},
        {"GET", "", "{\"method\":\"GET\",\"body\":\"\","},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request request = post(web_port(web), "/echo");
        request.method = span_from_text(rows[i].method);
        request.body = span_from_text(rows[i].body);
        struct ended ended = run(&request);
        assert_int_equal(ended.result.failure, HTTP_ANSWERED);
        expect_part(text_span(&ended.body), rows[i].answer);
        if (*rows[i].answer == '\0')
            assert_int_equal(ended.body.size, 0);
        release(&ended);
    }
}

static void connections_are_used_again(void **state)
{
    (void)state;
    struct http_request request = post(web_port(web), "/echo");
    for (int i = 0; i < 50; i++) {
        struct ended ended = run(&request);
        assert_int_equal(ended.result.status, 200);
        release(&ended);
    }
    assert_int_equal(web_requests(web), 50);
    assert_int_equal(web_connections(web), 1);
}

static void answers_come_as_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int status;
        const char *body;
        const char *type;
    } rows[] = {
        {"/answer?body=x&type=text/plain", 200, "x", "text/plain"},
        {"/answer?status=204", 204, "", ""},
        {"/answer?status=302&body=moved", 302, "moved", ""},
        {"/answer?status=404&body=no", 404, "no", ""},
        {"/answer?status=503&body=out", 503, "out", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request request = post(web_port(web), rows[i].path);
        struct ended ended = run(&request);
        assert_int_equal(ended.result.failure, HTTP_ANSWERED);
        assert_int_equal(ended.result.status, rows[i].status);
        assert_int_equal(ended.result.retry_after_ms, -1);
        expect_text(text_span(&ended.body), rows[i].body);
        expect_text(text_span(&ended.type), rows[i].type);
        expect_text(text_span(&ended.problem), "");
        release(&ended);
    }
    assert_int_equal(web_requests(web), COUNT(rows));
}

static void expect_retry_after(const char *header, duration_ms min, duration_ms max)
{
    char path[128];
    snprintf(path, sizeof path, "/answer?status=429&retry=%s", header);
    struct http_request request = post(web_port(web), path);
    struct ended ended = run(&request);
    assert_true(ended.result.retry_after_ms >= min && ended.result.retry_after_ms <= max);
    release(&ended);
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    (void)state;
    char date[64];
    struct tm utc;
    time_t later = time(NULL) + 100;
    gmtime_r(&later, &utc);
    strftime(date, sizeof date, "%a,%%20%d%%20%b%%20%Y%%20%H:%M:%S%%20GMT", &utc);
    expect_retry_after("7", 7000, 7000);
    expect_retry_after(date, 98000, 100000);
    expect_retry_after("", -1, -1);
    expect_retry_after("soon", -1, -1);
    expect_retry_after("-5", -1, -1);
    expect_retry_after("99999999999999999999", -1, 366 * 86400000LL);
    expect_retry_after("Thu,%2001%20Jan%201970%2000:00:00%20GMT", -1, -1);
}

static void a_slow_answer_times_out(void **state)
{
    (void)state;
    struct http_request request = post(web_port(web), "/slow?ms=600");
    request.timeout_ms = 100;
    int64_t start = clock_elapsed_us();
    struct ended ended = run(&request);
    assert_true(clock_elapsed_us() - start >= 100 * 1000);
    assert_int_equal(ended.result.failure, HTTP_TIMED_OUT);
    expect_text(text_span(&ended.problem), "no answer within 100ms");
    release(&ended);
}

/* A queue of one that is full: the system drops what asks to connect. */
static void a_server_that_does_not_accept_times_out_while_connecting(void **state)
{
    (void)state;
    uint16_t port;
    int listening = refused_open(&port);
    int filling[4];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(listen(listening, 0), 0);
    for (size_t i = 0; i < COUNT(filling); i++) {
        filling[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(filling[i], (struct sockaddr *)&address, sizeof address);
    }
    struct http_request request = post(port, "/");
    request.timeout_ms = 100;
    struct ended ended = run(&request);
    assert_int_equal(ended.result.failure, HTTP_TIMED_OUT);
    expect_text(text_span(&ended.problem), "no connection within 100ms");
    release(&ended);
    for (size_t i = 0; i < COUNT(filling); i++)
        close(filling[i]);
    close(listening);
}

static void what_cannot_be_reached_has_certainly_not_acted(void **state)
{
    (void)state;
    uint16_t port;
    int refused = refused_open(&port);
    struct http_request request = post(port, "/");
    struct ended ended = run(&request);
    assert_int_equal(ended.result.failure, HTTP_NOT_CONNECTED);
    expect_text(text_span(&ended.problem), "connection refused");
    release(&ended);
    request.url = SPAN("http://no-such-host.invalid/");
    ended = run(&request);
    assert_int_equal(ended.result.failure, HTTP_NOT_CONNECTED);
    expect_text(text_span(&ended.problem), "could not resolve host: no-such-host.invalid");
    release(&ended);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", web_port(web));
    request.url = span_from_text(url);
    ended = run(&request);
    assert_int_equal(ended.result.failure, HTTP_NOT_CONNECTED);
    assert_int_equal(web_requests(web), 0);
    release(&ended);
    close(refused);
}

static void broken_answers_are_told_apart_from_good_ones(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *problem;
    } rows[] = {
        {"", "the connection was closed without an answer"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
         "the connection was lost in the middle of the answer"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123",
         "the connection was lost"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "hunk"},
        {"HTTP/1.1 200 OK\r\nContent-Le", "the connection was lost"},
        {"HTTP/1.1 200 OK\r\nX: y\r\n", "the connection was lost"},
        {"HTTP/1.1 2", ""},
        {"SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct reply reply = {.bytes = rows[i].bytes, .closes = true};
        struct scripted *scripted = scripted_open(&reply, 1);
        struct http_request request = post(scripted_port(scripted), "/");
        struct ended ended = run(&request);
        assert_int_equal(ended.result.failure, HTTP_BROKEN);
        expect_part(text_span(&ended.problem), rows[i].problem);
        assert_int_equal(scripted_requests(scripted), 1);
        release(&ended);
        scripted_close(scripted);
    }
}

static void unusual_answers_are_good_ones(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
        "HTTP/1.0 200 OK\n\nok",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct reply reply = {.bytes = rows[i], .closes = true};
        struct scripted *scripted = scripted_open(&reply, 1);
        struct http_request request = post(scripted_port(scripted), "/");
        struct ended ended = run(&request);
        assert_int_equal(ended.result.failure, HTTP_ANSWERED);
        expect_text(text_span(&ended.body), "ok");
        release(&ended);
        scripted_close(scripted);
    }
}

#define GOOD "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void expect_broken_after_a_good_one(const struct reply *replies)
{
    struct scripted *scripted = scripted_open(replies, 3);
    struct http_request request = post(scripted_port(scripted), "/");
    struct ended ended = run(&request);
    assert_int_equal(ended.result.failure, HTTP_ANSWERED);
    release(&ended);
    ended = run(&request);
    assert_int_equal(ended.result.failure, HTTP_BROKEN);
    assert_int_equal(scripted_requests(scripted), 2);
    release(&ended);
    scripted_close(scripted);
}

/* The service may have acted on the request before it broke the connection. */
static void a_request_is_never_sent_twice(void **state)
{
    (void)state;
    static const struct reply again[] = {
        {GOOD, false, false}, {"", true, false}, {GOOD, true, false}};
    static const struct reply refused[] = {
        {GOOD, false, false}, {"", true, true}, {GOOD, true, false}};
    expect_broken_after_a_good_one(again);
    expect_broken_after_a_good_one(refused);
}

/* The server closes what it kept while nobody looks: that is no failure. */
static void a_kept_connection_that_was_closed_is_replaced(void **state)
{
    (void)state;
    static const struct reply replies[] = {{GOOD, true, false}, {GOOD, true, false}};
    struct scripted *scripted = scripted_open(replies, 2);
    struct http_request request = post(scripted_port(scripted), "/");
    for (int i = 0; i < 2; i++) {
        struct ended ended = run(&request);
        assert_int_equal(ended.result.failure, HTTP_ANSWERED);
        release(&ended);
        usleep(20000);
    }
    scripted_close(scripted);
}

static void an_answer_up_to_the_limit_is_fine_and_one_beyond_is_not(void **state)
{
    (void)state;
    struct http_request request = post(web_port(web), "/large?bytes=100000");
    request.body_bytes_max = 100000;
    struct ended ended = run(&request);
    assert_int_equal(ended.result.failure, HTTP_ANSWERED);
    assert_int_equal(ended.body.size, 100000);
    release(&ended);
    request.body_bytes_max = 99999;
    ended = run(&request);
    assert_int_equal(ended.result.failure, HTTP_TOO_LARGE);
    assert_int_equal(ended.result.status, 200);
    expect_text(text_span(&ended.problem), "the answer is larger than 99999 bytes");
    release(&ended);
}

static void what_is_no_request_is_refused_in_a_later_round(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        const char *url;
        const char *header;
        const char *problem;
    } rows[] = {
        {"POST", "", "A: b", ""},
        {"POST", "127.0.0.1:80/path", "A: b", ""},
        {"POST", "/path", "A: b", ""},
        {"POST", "ftp://127.0.0.1/", "A: b", "http://"},
        {"POST", "file:///etc/passwd", "A: b", ""},
        {"POST", "http://127.0.0.1:99999/", "A: b", ""},
        {"POST", "http://a b/", "A: b", ""},
        {"POST", "http://", "A: b", ""},
        {"PO ST", "http://127.0.0.1/", "A: b", "method"},
        {"", "http://127.0.0.1/", "A: b", "method"},
        {"GET\r\nX: y", "http://127.0.0.1/", "A: b", "method"},
        {"POST", "http://127.0.0.1/", "A", "header"},
        {"POST", "http://127.0.0.1/", ": b", "header"},
        {"POST", "http://127.0.0.1/", "A b: c", "header"},
        {"POST", "http://127.0.0.1/", "A: b\r\nC: d", "header"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span header = span_from_text(rows[i].header);
        struct http_request request = {
            .method = span_from_text(rows[i].method),
            .url = span_from_text(rows[i].url),
            .headers = &header,
            .header_count = 1,
            .timeout_ms = 1000,
            .body_bytes_max = 100,
        };
        struct ended ended = run(&request);
        assert_int_equal(ended.result.failure, HTTP_BAD_REQUEST);
        assert_true(ended.problem.size > 0);
        expect_part(text_span(&ended.problem), rows[i].problem);
        release(&ended);
        struct ended cancelled = {.count = 0};
        http_client_cancel(http_client_start(client, &request, keep, &cancelled));
        loop_run_once(loop, false);
        assert_int_equal(cancelled.count, 0);
    }
    /* After a refusal the same handle works. */
    struct http_request request = post(web_port(web), "/echo");
    struct ended ended = run(&request);
    assert_int_equal(ended.result.status, 200);
    release(&ended);
}

static void a_cancelled_call_never_calls_back(void **state)
{
    (void)state;
    struct ended ended = {.count = 0};
    struct http_request slow = post(web_port(web), "/slow?ms=50");
    http_client_cancel(http_client_start(client, &slow, keep, &ended));
    struct http_call *call = http_client_start(client, &slow, keep, &ended);
    for (int i = 0; i < 10; i++) {
        loop_run_once(loop, false);
        usleep(2000);
    }
    http_client_cancel(call);
    slow.timeout_ms = 200;
    struct ended other = run(&slow);
    assert_int_equal(other.result.failure, HTTP_ANSWERED);
    assert_int_equal(ended.count, 0);
    release(&other);
}

/* The first of several calls that end together cancels the rest and starts a new one. */
static struct {
    struct http_call *calls[20];
    struct http_request request;
    int ended;
} crowd;

static void count_last(void *context, const struct http_result *result)
{
    (void)context;
    assert_int_equal(result->failure, HTTP_ANSWERED);
    crowd.ended += 100;
    loop_stop(loop);
}

static void end_first(void *context, const struct http_result *result)
{
    size_t mine = (size_t)(uintptr_t)context;
    assert_int_equal(result->failure, HTTP_ANSWERED);
    crowd.ended++;
    for (size_t i = 0; i < COUNT(crowd.calls); i++) {
        if (i != mine)
            http_client_cancel(crowd.calls[i]);
    }
    http_client_start(client, &crowd.request, count_last, NULL);
}

static void others_may_be_cancelled_and_started_from_within_done(void **state)
{
    (void)state;
    crowd.request = post(web_port(web), "/echo");
    for (size_t i = 0; i < COUNT(crowd.calls); i++)
        crowd.calls[i] =
            http_client_start(client, &crowd.request, end_first, (void *)(uintptr_t)i);
    usleep(50000); /* all are answered when the loop looks */
    loop_run_once(loop, false);
    usleep(50000);
    loop_run(loop);
    assert_int_equal(crowd.ended, 101);
}

static void count_answers(void *context, const struct http_result *result)
{
    int *left = context;
    assert_int_equal(result->failure, HTTP_ANSWERED);
    expect_text(result->body, "{}");
    if (--*left == 0)
        loop_stop(loop);
}

static void five_hundred_at_once_are_all_answered(void **state)
{
    (void)state;
    static const uint32_t connections[] = {64, 500};
    struct http_request request = post(web_port(web), "/slow?ms=20");
    request.timeout_ms = 20000;
    for (size_t i = 0; i < COUNT(connections); i++) {
        int left = 500;
        int made = web_connections(web);
        struct http_client *many = http_client_open(loop, connections[i]);
        for (int j = 0; j < 500; j++)
            http_client_start(many, &request, count_answers, &left);
        loop_run(loop);
        assert_int_equal(left, 0);
        assert_in_range(web_connections(web) - made, 1, connections[i]);
        http_client_close(many);
    }
}

static void closing_ends_what_runs_and_leaves_no_descriptor(void **state)
{
    (void)state;
    struct ended ended = {.count = 0};
    struct http_request request = post(web_port(web), "/slow?ms=100");
    struct loop *own = loop_open();
    size_t before = count_descriptors();
    for (int i = 0; i < 3; i++) {
        struct http_client *closed = http_client_open(own, 10);
        for (int j = 0; j < 20; j++)
            http_client_start(closed, &request, keep, &ended);
        for (int j = 0; j < 5; j++)
            loop_run_once(own, false);
        http_client_close(closed);
        loop_run_once(own, false);
    }
    loop_close(own);
    http_client_close(NULL);
    usleep(300000); /* the server closes its ends */
    assert_in_range(count_descriptors(), 0, before);
    assert_int_equal(ended.count, 0);
}

static void a_proxy_is_not_asked_for_this_machine(void **state)
{
    (void)state;
    uint16_t port;
    int refused = refused_open(&port);
    char proxy[64];
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", port);
    setenv("http_proxy", proxy, 1);
    struct http_request request = post(web_port(web), "/echo");
    struct ended ended = run(&request);
    assert_int_equal(ended.result.failure, HTTP_ANSWERED);
    release(&ended);
    request.url = SPAN("http://elsewhere.invalid/");
    ended = run(&request);
    unsetenv("http_proxy");
    assert_int_equal(ended.result.failure, HTTP_NOT_CONNECTED);
    expect_text(text_span(&ended.problem), "connection refused");
    release(&ended);
    close(refused);
}

int main(void)
{
#define HTTP_TEST(name) cmocka_unit_test_setup_teardown(name, open_client, close_client)
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_request_arrives_as_it_was_given),
        HTTP_TEST(every_method_works_after_every_other),
        HTTP_TEST(connections_are_used_again),
        HTTP_TEST(answers_come_as_they_are),
        HTTP_TEST(retry_after_is_seconds_or_a_date),
        HTTP_TEST(a_slow_answer_times_out),
        HTTP_TEST(a_server_that_does_not_accept_times_out_while_connecting),
        HTTP_TEST(what_cannot_be_reached_has_certainly_not_acted),
        HTTP_TEST(broken_answers_are_told_apart_from_good_ones),
        HTTP_TEST(unusual_answers_are_good_ones),
        HTTP_TEST(a_request_is_never_sent_twice),
        HTTP_TEST(a_kept_connection_that_was_closed_is_replaced),
        HTTP_TEST(an_answer_up_to_the_limit_is_fine_and_one_beyond_is_not),
        HTTP_TEST(what_is_no_request_is_refused_in_a_later_round),
        HTTP_TEST(a_cancelled_call_never_calls_back),
        HTTP_TEST(others_may_be_cancelled_and_started_from_within_done),
        HTTP_TEST(five_hundred_at_once_are_all_answered),
        HTTP_TEST(closing_ends_what_runs_and_leaves_no_descriptor),
        HTTP_TEST(a_proxy_is_not_asked_for_this_machine),
    };
    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
