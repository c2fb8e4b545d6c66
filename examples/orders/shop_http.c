/*
 * shop_http.c - the shop as a web server.
 *
 * Two threads. libmicrohttpd's reads requests and writes answers and never waits: a
 * request to a service is suspended and handed to shop_service. The clerk's thread sleeps
 * until the next job is through, acts on the ledger and resumes the connection. So a
 * thousand slow requests cost a thousand small records, not a thousand threads.
 *
 * Always: services, ledger and an exchange's answer are touched under `lock`; an exchange
 * belongs to the clerk while its connection is suspended, else to libmicrohttpd's thread.
 */
#include "shop_http.h"

#include "shop_audit.h"

#include "base/ensure.h"
#include "base/json.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    BODY_BYTES_MAX = 1 << 20,
    EXCHANGE_ARENA_BYTES = 16 << 20,
    CONNECTIONS_MAX = 4000,
};

struct shop {
    struct MHD_Daemon *daemon;
    const char *ledger_path;
    struct shop_ledger *ledger;
    struct shop_service *services;
    bool is_out[SHOP_STEP_COUNT]; /* as last announced */
    bool is_closing;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t clerk;
};

/* One HTTP request, from its first line to its answer. */
struct exchange {
    struct shop_job job; /* first: the service hands it back */
    struct MHD_Connection *connection;
    struct shop_request request;
    struct arena arena; /* the request's spans */
    struct text body;
    struct text answer;
    int status; /* 0: close without an answer */
    bool is_acted;
    bool is_answered;
};

static moment_us read_steady_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (moment_us)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Answers */

static void answer_error(struct exchange *exchange, int status, const char *code,
                         const char *message)
{
    text_format(&exchange->answer, "{\"code\":\"%s\",\"message\":\"%s\"}\n", code, message);
    exchange->status = status;
    exchange->is_answered = true;
}

static void answer_line(struct exchange *exchange, const struct shop_line *line)
{
    struct text *answer = &exchange->answer;
    exchange->status = (int)line->answered;
    exchange->is_answered = true;
    if (line->answered != shop_outcome_status(line->outcome)) { /* it acted and then failed */
        answer_error(exchange, (int)line->answered, "failed", "the service failed");
        return;
    }
    text_format(answer, "{\"code\":\"%s\",\"message\":\"%s\",\"order\":",
                shop_outcome_code(line->outcome), shop_outcome_sentence(line->outcome));
    json_write_string(answer, line->order);
    if (line->outcome == SHOP_CHARGED || line->outcome == SHOP_RESERVED)
        text_format(answer, ",\"id\":\"%s-%lld\"",
                    line->outcome == SHOP_CHARGED ? "payment" : "reservation",
                    (long long)line->number);
    text_add(answer, SPAN("}\n"));
}

static enum MHD_Result send_answer(struct exchange *exchange)
{
    if (exchange->status == 0)
        return MHD_NO; /* closes the connection */
    struct span answer = text_span(&exchange->answer);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer.size, (void *)(uintptr_t)answer.text, MHD_RESPMEM_MUST_COPY);
    ensure(response != NULL);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    if (exchange->status == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    enum MHD_Result result =
        MHD_queue_response(exchange->connection, (unsigned)exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

/* The clerk */

static int answered_of(enum shop_fate fate)
{
    switch (fate) {
    case SHOP_FATE_ANSWER:
        return -1;
    case SHOP_FATE_FAIL:
    case SHOP_FATE_ACT_FAIL:
        return MHD_HTTP_INTERNAL_SERVER_ERROR;
    case SHOP_FATE_HANG:
    case SHOP_FATE_ACT_HANG:
        return 0;
    }
    never();
}

static void act(struct shop *shop, struct exchange *exchange)
{
    enum shop_fate fate = exchange->job.fate;
    bool is_idle = fate == SHOP_FATE_FAIL || fate == SHOP_FATE_HANG;
    struct shop_line line =
        is_idle
            ? shop_ledger_note(shop->ledger, &exchange->request, SHOP_FAILED, answered_of(fate))
            : shop_ledger_act(shop->ledger, &exchange->request, answered_of(fate));
    answer_line(exchange, &line);
    exchange->is_acted = true;
}

static void serve_due(struct shop *shop, struct shop_service *service, moment_us now)
{
    struct shop_job *job;
    while ((job = shop_service_take(service, now)) != NULL) {
        struct exchange *exchange = (struct exchange *)job;
        if (!exchange->is_acted)
            act(shop, exchange);
        if (job->is_through)
            MHD_resume_connection(exchange->connection); /* the exchange is no longer ours */
    }
}

static void announce_outage(struct shop *shop, int step, moment_us now)
{
    bool is_out = shop_service_is_out(&shop->services[step], now);
    if (is_out == shop->is_out[step])
        return;
    shop->is_out[step] = is_out;
    printf("%s is %s\n", shop_step_name((enum shop_step)step), is_out ? "down" : "up again");
    fflush(stdout);
}

static moment_us earlier(moment_us a, moment_us b)
{
    return a < b ? a : b;
}

static moment_us due_of(const struct shop_service *service, moment_us now)
{
    moment_us due = shop_service_due(service);
    if (now < service->outage_from)
        return earlier(due, service->outage_from);
    return now < service->outage_to ? earlier(due, service->outage_to) : due;
}

static void wait_until(struct shop *shop, moment_us due)
{
    if (due == MOMENT_NEVER) {
        pthread_cond_wait(&shop->changed, &shop->lock);
        return;
    }
    struct timespec until = {.tv_sec = due / 1000000, .tv_nsec = due % 1000000 * 1000};
    pthread_cond_timedwait(&shop->changed, &shop->lock, &until);
}

static void *run_clerk(void *context)
{
    struct shop *shop = context;
    pthread_mutex_lock(&shop->lock);
    while (!shop->is_closing) {
        moment_us now = read_steady_clock();
        moment_us due = MOMENT_NEVER;
        for (int step = 0; step < SHOP_STEP_COUNT; step++) {
            announce_outage(shop, step, now);
            serve_due(shop, &shop->services[step], now);
            due = earlier(due, due_of(&shop->services[step], now));
        }
        wait_until(shop, due);
    }
    pthread_mutex_unlock(&shop->lock);
    return NULL;
}

/* The four services */

static struct span header(const struct exchange *exchange, const char *name)
{
    return span_from_text(
        MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name));
}

static struct span string_of(struct value value)
{
    return value.kind == VALUE_STRING ? value_span(value) : SPAN("");
}

/* The order's name: `order`, an order's `id`, or the instance that asks. */
static struct span order_of(const struct exchange *exchange, struct value body)
{
    struct span named = string_of(value_member(body, SPAN("order")));
    if (named.size == 0)
        named = string_of(value_member(body, SPAN("id")));
    if (named.size == 0)
        named = header(exchange, "X-Interlock-Instance");
    return named;
}

static int64_t amount_of(struct value body)
{
    struct value amount = value_member(body, SPAN("amount"));
    if (amount.kind != VALUE_INT)
        amount = value_member(body, SPAN("total"));
    return amount.kind == VALUE_INT ? amount.integer : 0;
}

static void read_items(struct shop_request *request, struct value items)
{
    if (items.kind != VALUE_LIST)
        return;
    request->has_items = items.count > 0;
    for (uint32_t i = 0; i < items.count; i++)
        if (span_is(string_of(value_member(items.items[i], SPAN("sku"))), "out-of-stock"))
            request->has_sold_out = true;
}

static int64_t read_attempt(struct span text)
{
    int64_t attempt = 0;
    for (size_t i = 0; i < text.size && i < 9 && text.text[i] >= '0' && text.text[i] <= '9';
         i++)
        attempt = attempt * 10 + (text.text[i] - '0');
    return attempt;
}

/* The body as a JSON object; false when it is none. */
static bool read_body(struct exchange *exchange, struct value *body)
{
    struct json_error error;
    struct arena_guard guard;
    if (arena_is_spent(&exchange->arena, &guard))
        return false;
    enum status status = json_read(text_span(&exchange->body), &exchange->arena, body, &error);
    arena_release_guard(&exchange->arena, &guard);
    return status == STATUS_OK && body->kind == VALUE_MAP;
}

/* False when the body is no JSON object or names no order. */
static bool read_request(struct exchange *exchange)
{
    struct shop_request *request = &exchange->request;
    struct value body;
    request->key = header(exchange, "Idempotency-Key");
    request->attempt = read_attempt(header(exchange, "X-Interlock-Attempt"));
    if (!read_body(exchange, &body))
        return false;
    request->order = order_of(exchange, body);
    request->amount = amount_of(body);
    request->is_declined = span_is(string_of(value_member(body, SPAN("card"))), "declined");
    read_items(request, value_member(body, SPAN("items")));
    return request->order.size > 0;
}

static void refuse(struct shop *shop, struct exchange *exchange, enum shop_outcome outcome,
                   int answered)
{
    struct shop_line line =
        shop_ledger_note(shop->ledger, &exchange->request, outcome, answered);
    answer_line(exchange, &line);
}

/* False when the exchange is now the clerk's. */
static bool is_refused(struct shop *shop, struct exchange *exchange)
{
    struct shop_service *service = &shop->services[exchange->request.step];
    switch (shop_service_offer(service, &exchange->job, read_steady_clock())) {
    case SHOP_ADMITTED:
        MHD_suspend_connection(exchange->connection);
        pthread_cond_signal(&shop->changed);
        return false;
    case SHOP_REFUSED_FULL:
        refuse(shop, exchange, SHOP_BUSY, -1);
        return true;
    case SHOP_REFUSED_OUTAGE:
        refuse(shop, exchange, SHOP_OUTAGE, service->settings.outage_drops > 0 ? 0 : -1);
        return true;
    }
    never();
}

/* True when it is answered already, as are the other serve functions' exchanges. */
static bool serve_step(struct shop *shop, struct exchange *exchange, enum shop_step step)
{
    bool is_answered = true;
    exchange->request.step = step;
    bool is_readable = read_request(exchange);
    pthread_mutex_lock(&shop->lock);
    if (exchange->request.key.size == 0)
        refuse(shop, exchange, SHOP_KEYLESS, -1);
    else if (!is_readable)
        refuse(shop, exchange, SHOP_UNREADABLE, -1);
    else
        is_answered = is_refused(shop, exchange);
    pthread_mutex_unlock(&shop->lock);
    return is_answered;
}

/* Control */

static bool set_member(struct shop_service *service, const struct value_entry *entry)
{
    struct span name = value_span(entry->key);
    struct value value = entry->value;
    if (value.kind == VALUE_STRING)
        return shop_service_set(service, name, value_span(value));
    char number[32];
    int size = -1;
    if (value.kind == VALUE_INT)
        size = snprintf(number, sizeof number, "%lld", (long long)value.integer);
    if (value.kind == VALUE_DOUBLE)
        size = snprintf(number, sizeof number, "%.17g", value.real);
    return size > 0 && shop_service_set(service, name, span_of(number, (size_t)size));
}

/* All of the body's settings or none; an outage that is set here begins here. */
static bool control_service(struct shop_service *service, struct value body)
{
    struct shop_service changed = *service;
    bool has_outage = false;
    changed.settings.outage_after_ms = 0;
    for (uint32_t i = 0; i < body.count; i++) {
        const struct value_entry *entry = &body.entries[i];
        struct span name = value_span(entry->key);
        if (span_is(name, "service"))
            continue;
        if (!set_member(&changed, entry))
            return false;
        has_outage |= span_starts_with(name, SPAN("outage")) && !span_is(name, "outage_drops");
    }
    if (has_outage)
        shop_service_begin_outage(&changed, read_steady_clock());
    service->settings = changed.settings;
    service->outage_from = changed.outage_from;
    service->outage_to = changed.outage_to;
    return true;
}

static bool control(struct shop *shop, struct exchange *exchange)
{
    struct value body;
    if (!read_body(exchange, &body))
        return false;
    struct span named = string_of(value_member(body, SPAN("service")));
    bool is_known = false;
    for (int step = 0; step < SHOP_STEP_COUNT; step++) {
        if (!span_is(named, shop_step_name((enum shop_step)step)) && !span_is(named, "all"))
            continue;
        if (!control_service(&shop->services[step], body))
            return false;
        is_known = true;
    }
    pthread_cond_signal(&shop->changed);
    return is_known;
}

static void write_service(struct text *text, const struct shop_service *service)
{
    const struct shop_settings *settings = &service->settings;
#define WRITE_SETTING(name, initial, max) \
    text_format(text, "\"" #name "\":%g,", settings->name);
    SHOP_SETTING_LIST(WRITE_SETTING)
#undef WRITE_SETTING
    text_format(text, "\"busy\":%zu,\"waiting\":%zu,\"down\":%s", service->busy_count,
                service->waiting,
                shop_service_is_out(service, read_steady_clock()) ? "true" : "false");
}

static void answer_control(struct shop *shop, struct exchange *exchange)
{
    struct text *answer = &exchange->answer;
    for (int step = 0; step < SHOP_STEP_COUNT; step++) {
        text_format(answer, "%s\"%s\":{", step == 0 ? "{" : ",\n ",
                    shop_step_name((enum shop_step)step));
        write_service(answer, &shop->services[step]);
        text_add(answer, SPAN("}"));
    }
    text_add(answer, SPAN("}\n"));
    exchange->status = MHD_HTTP_OK;
    exchange->is_answered = true;
}

static void serve_control(struct shop *shop, struct exchange *exchange, bool is_change)
{
    pthread_mutex_lock(&shop->lock);
    if (is_change && !control(shop, exchange))
        answer_error(
            exchange, MHD_HTTP_BAD_REQUEST, "unreadable",
            "control takes a service (or all) and its settings; GET /control lists them");
    else
        answer_control(shop, exchange);
    pthread_mutex_unlock(&shop->lock);
}

/* What was written */

static void serve_audit(struct shop *shop, struct exchange *exchange)
{
    struct shop_audit audit;
    if (shop_audit_read(&audit, shop->ledger_path, NULL)) {
        shop_audit_write_json(&audit, &exchange->answer);
        exchange->status = MHD_HTTP_OK;
        exchange->is_answered = true;
    } else {
        answer_error(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR, "failed",
                     "the ledger cannot be read");
    }
    shop_audit_fini(&audit);
}

static enum MHD_Result send_ledger(struct shop *shop, struct exchange *exchange)
{
    struct stat file = {0};
    int copy = open(shop->ledger_path, O_RDONLY | O_CLOEXEC);
    if (copy < 0 || fstat(copy, &file) != 0)
        return MHD_NO;
    struct MHD_Response *response = MHD_create_response_from_fd((size_t)file.st_size, copy);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/x-ndjson");
    enum MHD_Result result = MHD_queue_response(exchange->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

/* libmicrohttpd's side */

static bool is_step_path(const char *url, enum shop_step *step)
{
    for (int i = 0; i < SHOP_STEP_COUNT; i++)
        if (url[0] == '/' && strcmp(url + 1, shop_step_name((enum shop_step)i)) == 0) {
            *step = (enum shop_step)i;
            return true;
        }
    return false;
}

/* True when the exchange has its answer; false when that will come later. */
static bool route(struct shop *shop, struct exchange *exchange, const char *method,
                  const char *url)
{
    bool is_post = strcmp(method, "POST") == 0;
    bool is_get = strcmp(method, "GET") == 0;
    enum shop_step step;
    if (exchange->body.size > BODY_BYTES_MAX)
        answer_error(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "too-large",
                     "a body has 1 MiB at most");
    else if (is_post && is_step_path(url, &step))
        return serve_step(shop, exchange, step);
    else if ((is_post || is_get) && strcmp(url, "/control") == 0)
        serve_control(shop, exchange, is_post);
    else if (is_get && strcmp(url, "/audit") == 0)
        serve_audit(shop, exchange);
    else
        answer_error(exchange, MHD_HTTP_NOT_FOUND, "not-found",
                     "POST /validate /charge /refund /reserve /control, "
                     "GET /control /audit /ledger");
    return true;
}

static struct exchange *begin_exchange(struct MHD_Connection *connection)
{
    struct exchange *exchange = memory_get(sizeof *exchange);
    exchange->connection = connection;
    arena_open(&exchange->arena, EXCHANGE_ARENA_BYTES);
    text_init(&exchange->body, NULL);
    text_init(&exchange->answer, NULL);
    return exchange;
}

/* Called for a request's head, each part of its body, its end, and again when resumed. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    (void)version;
    struct shop *shop = context;
    struct exchange *exchange = *state;
    if (exchange == NULL) {
        *state = begin_exchange(connection);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        if (exchange->body.size <= BODY_BYTES_MAX)
            text_add(&exchange->body, span_of(upload, *upload_size));
        *upload_size = 0;
        return MHD_YES;
    }
    if (exchange->is_answered)
        return send_answer(exchange);
    if (strcmp(method, "GET") == 0 && strcmp(url, "/ledger") == 0)
        return send_ledger(shop, exchange);
    return route(shop, exchange, method, url) ? send_answer(exchange) : MHD_YES;
}

static void end_exchange(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    struct exchange *exchange = *state;
    if (exchange == NULL)
        return;
    arena_close(&exchange->arena);
    text_fini(&exchange->body);
    text_fini(&exchange->answer);
    memory_release(exchange);
    *state = NULL;
}

/* poll, because with epoll this library's 0.9.75 now and then forgets connections that were
 * resumed while it went to sleep. */
static struct MHD_Daemon *listen_on(uint16_t port, struct shop *shop)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, port, NULL,
                            NULL, handle, shop, MHD_OPTION_SOCK_ADDR, &address,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                            MHD_OPTION_NOTIFY_COMPLETED, end_exchange, NULL, MHD_OPTION_END);
}

static void init_waiting(struct shop *shop)
{
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&shop->changed, &steady);
    pthread_condattr_destroy(&steady);
    pthread_mutex_init(&shop->lock, NULL);
}

struct shop *shop_http_open(uint16_t port, const char *ledger_path, struct shop_ledger *ledger,
                            struct shop_service *services)
{
    struct shop *shop = memory_get(sizeof *shop);
    shop->ledger_path = ledger_path;
    shop->ledger = ledger;
    shop->services = services;
    init_waiting(shop);
    shop->daemon = listen_on(port, shop);
    if (shop->daemon == NULL) {
        fprintf(stderr, "shop: cannot listen on 127.0.0.1:%u: %s\n", port, strerror(errno));
        memory_release(shop);
        return NULL;
    }
    ensure(pthread_create(&shop->clerk, NULL, run_clerk, shop) == 0);
    return shop;
}

uint16_t shop_http_port(const struct shop *shop)
{
    return MHD_get_daemon_info(shop->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void let_go(struct shop_job *job)
{
    struct exchange *exchange = (struct exchange *)job;
    exchange->status = 0;
    exchange->is_answered = true;
    MHD_resume_connection(exchange->connection);
}

void shop_http_close(struct shop *shop)
{
    pthread_mutex_lock(&shop->lock);
    shop->is_closing = true;
    pthread_cond_signal(&shop->changed);
    pthread_mutex_unlock(&shop->lock);
    pthread_join(shop->clerk, NULL);
    MHD_quiesce_daemon(shop->daemon);
    pthread_mutex_lock(&shop->lock);
    for (int step = 0; step < SHOP_STEP_COUNT; step++) {
        struct shop_service *service = &shop->services[step];
        for (struct shop_job *job = service->first, *next; job != NULL; job = next) {
            next = job->next;
            let_go(job);
        }
        for (size_t i = 0; i < service->busy_count; i++)
            let_go(service->busy[i]);
    }
    pthread_mutex_unlock(&shop->lock);
    MHD_stop_daemon(shop->daemon);
    pthread_cond_destroy(&shop->changed);
    pthread_mutex_destroy(&shop->lock);
    memory_release(shop);
}
