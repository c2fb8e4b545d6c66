/*
 * strategy_http.c - a step as one HTTP request.
 *
 * The settings are slots, run anew for each attempt in the strategy's arena; the HTTP client
 * copies what it needs, so the arena is free again before the request is on its way.
 */
#include <string.h>
#include <strings.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "strategy/answer.h"
#include "strategy/attempt.h"
#include "strategy/attempt_scope.h"
#include "strategy/settings.h"
#include "strategy/url.h"

enum { EXCERPT_BYTES_MAX = 200, OWN_HEADERS_MAX = 9 };

#define USER_AGENT "interlock/0.1"
#define JSON_TYPE "application/json"
#define TEXT_TYPE "text/plain; charset=utf-8"

struct http_settings {
    const struct expr_slot *method; /* NULL: POST */
    const struct expr_slot *url;
    struct settings_pairs headers;
    const struct expr_slot *body; /* NULL: the input, as JSON */
    bool is_text;                 /* output: text */
};

/* Reading the settings */

/* A token of HTTP: a method, a header's name. */
static bool is_token(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.text[i];
        if (byte <= ' ' || byte >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", byte) != NULL)
            return false;
    }
    return text.size > 0;
}

static bool is_same_name(struct span a, struct span b)
{
    return a.size == b.size && strncasecmp(a.text, b.text, a.size) == 0;
}

/* How a body is framed is not for a definition to say. */
static bool is_header_name(struct span name)
{
    return is_token(name) && !is_same_name(name, SPAN("Content-Length")) &&
           !is_same_name(name, SPAN("Transfer-Encoding"));
}

static bool check_url(const struct settings *settings, const struct node *node)
{
    if (!node_is_string(node) || span_find(node_text(node), SPAN("${"), 0) != SIZE_MAX ||
        span_starts_with(node_text(node), SPAN("http://")) ||
        span_starts_with(node_text(node), SPAN("https://")))
        return true;
    diagnostics_add(settings->diagnostics, SEVERITY_ERROR, "IL0104", node->place,
                    "`url` must begin with http:// or https://");
    return false;
}

static bool read_url(const struct settings *settings, struct http_settings *http)
{
    const struct node *url = node_find(settings->node, SPAN("url"));
    if (url == NULL) {
        struct diagnostic *diagnostic =
            diagnostics_add(settings->diagnostics, SEVERITY_ERROR, "IL0103",
                            settings->node->place, "`http` needs a `url`");
        diagnostic_help(settings->diagnostics, diagnostic,
                        "write `http: { url: \"http://127.0.0.1:9001/charge\" }`");
        return false;
    }
    http->url = settings_text(settings, url, "`url`");
    return http->url != NULL && check_url(settings, url);
}

static bool read_method(const struct settings *settings, struct http_settings *http)
{
    const struct node *method = node_find(settings->node, SPAN("method"));
    if (method == NULL)
        return true;
    http->method = settings_text(settings, method, "`method`");
    if (http->method == NULL || !expr_slot_is_literal(http->method))
        return http->method != NULL;
    if (node_is_string(method) && is_token(node_text(method)))
        return true;
    diagnostics_add(settings->diagnostics, SEVERITY_ERROR, "IL0104", method->place,
                    "`method` must be a method of HTTP, such as POST");
    return false;
}

static bool read_body(const struct settings *settings, struct http_settings *http)
{
    const struct node *body = node_find(settings->node, SPAN("body"));
    if (body == NULL)
        return true;
    http->body = settings_value(settings, body);
    return http->body != NULL;
}

static const void *http_parse(const struct node *node, const struct node *step,
                              const char *folder, struct arena *arena,
                              struct diagnostics *diagnostics)
{
    static const struct span keys[] = {{"method", 6}, {"url", 3}, {"headers", 7}, {"body", 4}};
    const struct settings settings = {node, arena, diagnostics};
    (void)folder;
    if (node->kind != NODE_MAP) {
        settings_wrong_type(&settings, node, "`http`", "a map");
        return NULL;
    }
    uint32_t errors = diagnostics->errors;
    struct http_settings *http = arena_new(arena, struct http_settings);
    settings_check_keys(&settings, keys, sizeof keys / sizeof *keys);
    bool is_good = read_url(&settings, http);
    is_good &= read_method(&settings, http);
    is_good &= settings_pairs(&settings, node_find(node, SPAN("headers")), "headers",
                              is_header_name, &http->headers);
    is_good &= read_body(&settings, http);
    is_good &= settings_output(&settings, node_find(step, SPAN("output")), &http->is_text);
    return is_good && diagnostics->errors == errors ? http : NULL;
}

/* Building a request */

struct http_strategy {
    struct running running;
    struct http_client *client;
};

struct http_attempt {
    struct attempt attempt;
    struct http_call *call;
    bool is_text;
};

/* What one attempt's settings came to; all in the arena. */
struct built {
    struct http_request request;
    struct span *headers;
    struct span content_type; /* of the body, empty where there is none */
    struct span problem;      /* why it could not be built */
};

static struct span write_json(struct value value, struct arena *arena)
{
    struct text text;
    text_init(&text, arena);
    json_write(&text, value);
    return text_span(&text);
}

static bool build_body(const struct http_settings *http, const struct attempt_frame *frame,
                       struct arena *arena, struct built *built)
{
    struct value body = frame->slots[ATTEMPT_VARIABLE_INPUT];
    if (http->body != NULL) {
        body = expr_slot_run(http->body, &frame->frame, arena);
    } else if (span_is(built->request.method, "GET") ||
               span_is(built->request.method, "HEAD")) {
        return true;
    }
    if (value_is_error(body)) {
        built->problem = text_print(arena, "body: %.*s", SPAN_ARGS(value_span(body)));
        return false;
    }
    bool is_text = http->body != NULL && body.kind == VALUE_STRING;
    built->request.body = is_text ? value_span(body) : write_json(body, arena);
    built->content_type = is_text ? SPAN(TEXT_TYPE) : SPAN(JSON_TYPE);
    return true;
}

static bool is_set_by_user(const struct http_settings *http, struct span name)
{
    for (size_t i = 0; i < http->headers.count; i++) {
        if (is_same_name(http->headers.pairs[i].name, name))
            return true;
    }
    return false;
}

static void add_header(struct built *built, struct arena *arena, struct span name,
                       struct span value)
{
    built->headers[built->request.header_count++] =
        text_print(arena, "%.*s: %.*s", SPAN_ARGS(name), SPAN_ARGS(value));
}

/* A header of ours, unless the definition has its own or there is nothing to say. */
static void add_own(const struct http_settings *http, struct built *built, struct arena *arena,
                    const char *name, struct span value)
{
    if (value.size > 0 && !is_set_by_user(http, span_from_text(name)))
        add_header(built, arena, span_from_text(name), value);
}

static bool build_headers(const struct http_settings *http, const struct attempt_frame *frame,
                          const struct attempt_request *request, struct arena *arena,
                          struct built *built)
{
    built->headers = arena_new_array(arena, OWN_HEADERS_MAX + http->headers.count, struct span);
    built->request.headers = built->headers;
    add_own(http, built, arena, "Content-Type", built->content_type);
    add_own(http, built, arena, "Accept", SPAN(JSON_TYPE));
    add_own(http, built, arena, "User-Agent", SPAN(USER_AGENT));
    add_own(http, built, arena, "Idempotency-Key", request->key);
    add_own(http, built, arena, "traceparent", request->trace);
    add_own(http, built, arena, "X-Interlock-Instance", request->instance);
    add_own(http, built, arena, "X-Interlock-Attempt",
            text_print(arena, "%u", (unsigned)request->attempt));
    add_own(http, built, arena, "X-Request-Deadline",
            text_print(arena, "%lld", (long long)request->timeout_ms));
    for (size_t i = 0; i < http->headers.count; i++) {
        const struct settings_pair *pair = &http->headers.pairs[i];
        struct span value;
        if (!attempt_frame_text(frame, pair->value, pair->name.text, arena, &value,
                                &built->problem))
            return false;
        add_header(built, arena, pair->name, value);
    }
    return true;
}

static bool build(const struct http_settings *http, const struct attempt_request *request,
                  struct arena *arena, struct built *built)
{
    struct attempt_frame frame;
    attempt_frame_init(&frame, request);
    built->request.method = SPAN("POST");
    built->request.timeout_ms = request->timeout_ms;
    built->request.body_bytes_max = STEP_OUTPUT_BYTES_MAX;
    if (http->method != NULL && !attempt_frame_text(&frame, http->method, "method", arena,
                                                    &built->request.method, &built->problem))
        return false;
    return attempt_frame_url(&frame, http->url, "url", arena, &built->request.url,
                             &built->problem) &&
           build_body(http, &frame, arena, built) &&
           build_headers(http, &frame, request, arena, built);
}

static bool build_guarded(const struct http_settings *http,
                          const struct attempt_request *request, struct arena *arena,
                          struct built *built)
{
    struct arena_guard guard;
    if (arena_is_spent(arena, &guard)) {
        built->problem = SPAN("the request needs too much memory");
        return false;
    }
    bool is_built = build(http, request, arena, built);
    arena_release_guard(arena, &guard);
    return is_built;
}

/* What came of it */

/* "POST http://…: PROBLEM" */
static void tell_failure(struct http_attempt *http, enum error_kind kind, int status,
                         struct span problem, bool not_acted)
{
    struct text words = {.arena = NULL};
    text_format(&words, "%.*s: %.*s", SPAN_ARGS(text_span(&http->attempt.subject)),
                SPAN_ARGS(problem));
    struct attempt_result result = attempt_failure(kind, status, text_span(&words));
    result.not_acted = not_acted;
    attempt_finish(&http->attempt, &result);
    text_fini(&words);
}

static bool claims_json(struct span content_type)
{
    size_t end = span_find(content_type, SPAN(";"), 0);
    struct span type = end == SIZE_MAX ? content_type : span_slice(content_type, 0, end);
    type = span_trim(type);
    return is_same_name(type, SPAN(JSON_TYPE)) || span_ends_with(type, SPAN("+json"));
}

static void tell_success(struct http_attempt *http, const struct http_result *answer)
{
    struct text words = {.arena = NULL};
    struct span problem;
    if (attempt_succeed(&http->attempt, answer->body, http->is_text, &problem))
        return;
    text_format(&words, "the answer %.*s", SPAN_ARGS(problem));
    if (!http->is_text && !claims_json(answer->content_type))
        text_add(&words, SPAN("; beside `http`, `output: text` takes it as it is"));
    tell_failure(http, ERROR_KIND_INVALID, answer->status, text_span(&words), false);
    text_fini(&words);
}

static enum error_kind kind_of(int status)
{
    if (status == 429)
        return ERROR_KIND_THROTTLED;
    return status >= 500 ? ERROR_KIND_UNAVAILABLE : ERROR_KIND_REJECTED;
}

/* "HTTP 402: card declined", from a JSON body's reason or the beginning of a text. */
static void add_reason(struct text *message, const struct http_result *answer, bool is_json,
                       struct value body)
{
    struct span reason = is_json ? answer_reason(body) : answer->body;
    bool is_page = span_starts_with(span_trim(answer->body), SPAN("<"));
    text_format(message, "HTTP %d", answer->status);
    if (answer->status >= 300 && answer->status < 400) {
        text_add(message, SPAN(": redirects are not followed"));
    } else if (span_trim(reason).size > 0 && !is_page) {
        text_add(message, SPAN(": "));
        answer_add_line(message, reason, EXCERPT_BYTES_MAX);
    }
}

static void tell_refusal(struct http_attempt *http, const struct http_result *answer)
{
    struct arena *arena = &http->attempt.running->arena;
    struct value body = value_null();
    struct span problem;
    struct text message = {.arena = NULL};
    arena_clear(arena);
    bool is_json = answer_read_json(answer->body, arena, &body, &problem);
    add_reason(&message, answer, is_json, body);
    enum error_kind kind = kind_of(answer->status);
    struct attempt_result result = attempt_failure(kind, answer->status, text_span(&message));
    result.not_acted = kind == ERROR_KIND_THROTTLED;
    if (answer->status == 429 || answer->status == 503)
        result.retry_after_ms = answer->retry_after_ms;
    if (is_json && span_trim(answer->body).size > 0)
        result.details = answer->body;
    attempt_finish(&http->attempt, &result);
    text_fini(&message);
}

static void tell_answer(struct http_attempt *http, const struct http_result *answer)
{
    if (answer->status >= 200 && answer->status < 300)
        tell_success(http, answer);
    else
        tell_refusal(http, answer);
}

static void on_answer(void *context, const struct http_result *answer)
{
    struct http_attempt *http = context;
    switch (answer->failure) {
    case HTTP_ANSWERED:
        tell_answer(http, answer);
        return;
    case HTTP_TIMED_OUT:
        tell_failure(http, ERROR_KIND_TIMEOUT, 0, answer->problem, false);
        return;
    case HTTP_NOT_CONNECTED:
        tell_failure(http, ERROR_KIND_TRANSPORT, 0, answer->problem, true);
        return;
    case HTTP_BROKEN:
        tell_failure(http, ERROR_KIND_TRANSPORT, 0, answer->problem, false);
        return;
    case HTTP_TOO_LARGE:
        if (answer->status >= 300)
            tell_refusal(http, answer);
        else
            tell_failure(http, ERROR_KIND_INVALID, answer->status, answer->problem, false);
        return;
    case HTTP_BAD_REQUEST:
        tell_failure(http, ERROR_KIND_INVALID, 0, answer->problem, true);
        return;
    }
    never();
}

/* The strategy */

static struct attempt *http_start(struct strategy *strategy, const void *settings,
                                  const struct attempt_request *request, attempt_done *done,
                                  void *context)
{
    struct http_strategy *self = (struct http_strategy *)strategy;
    struct http_attempt *http = attempt_open(&self->running, sizeof *http, done, context);
    struct built built = {.problem = {NULL, 0}};
    arena_clear(&self->running.arena);
    if (build_guarded(settings, request, &self->running.arena, &built)) {
        text_format(&http->attempt.subject, "%.*s ", SPAN_ARGS(built.request.method));
        url_add_public(&http->attempt.subject, built.request.url);
        http->is_text = ((const struct http_settings *)settings)->is_text;
        http->call = http_client_start(self->client, &built.request, on_answer, http);
    } else {
        attempt_refuse(&http->attempt, built.problem);
    }
    return &http->attempt;
}

static void http_cancel(struct strategy *strategy, struct attempt *attempt)
{
    struct http_attempt *http = (struct http_attempt *)attempt;
    (void)strategy;
    if (http->call != NULL)
        http_client_cancel(http->call);
    attempt_close(attempt);
}

static void http_close(struct strategy *strategy)
{
    struct http_strategy *self = (struct http_strategy *)strategy;
    running_fini(&self->running);
    http_client_close(self->client);
    memory_release(self);
}

static struct strategy *http_open(const struct strategy_type *type, struct loop *loop)
{
    static const struct strategy_ops ops = {http_start, http_cancel, http_close};
    struct http_strategy *self = memory_get(sizeof *self);
    (void)type;
    running_init(&self->running, &ops, loop);
    self->client = http_client_open(loop, CONCURRENCY_MAX);
    return &self->running.strategy;
}

static const char *const http_extra_keys[] = {"output", NULL};

const struct strategy_type strategy_http = {
    .name = "http",
    .extra_keys = http_extra_keys,
    .parse = http_parse,
    .open = http_open,
};
