/*
 * http_client.c - libcurl's multi interface, told by libuv which sockets are ready and when
 * time is up.
 *
 * libcurl calls on_socket and on_timer_wanted to say what it waits for; we call
 * curl_multi_socket_action when that happens, and then collect what has ended. Nothing of the
 * caller runs inside a callback of libcurl, so calls may be started and cancelled anywhere.
 *
 * A call sends its request at most once. libcurl would send it again by itself when a kept
 * connection breaks before the first byte of the answer; then nobody could say how often a
 * service was asked. So the second sending is forbidden, and what is idle for longer than
 * the shortest common keep-alive (5 s) is not used again, so that this stays rare.
 *
 * Calls are used again together with their easy handle, whose buffers are costly. A call is
 * in one of two lists, live or spare, except while its `done` runs.
 */
#include "os/http_client.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/ensure.h"
#include "base/memory.h"
#include "os/loop_uv.h"

enum {
    SPARE_CALLS_MAX = 256,
    KEPT_BODY_BYTES = 64 << 10, /* of a spare call's buffers */
    CONNECTION_IDLE_MAX_S = 4,
    RETRY_AFTER_MAX_S = 366 * 86400,
};

struct http_call {
    struct http_call *previous;
    struct http_call *next;
    struct http_client *client;
    CURL *easy;
    CURLU *url;
    struct curl_slist *headers;
    http_done *done;
    void *context;
    struct text request_body;
    struct text body;
    struct text problem;
    size_t body_bytes_max;
    duration_ms timeout_ms;
    bool is_too_large;
    bool is_refused; /* it never reached libcurl; `problem` says why */
    bool is_sent;    /* sending may have begun */
    bool has_head;   /* of the answer: the empty line after it came */
    char error[CURL_ERROR_SIZE];
};

/* What libcurl waits for on one socket. */
struct http_socket {
    uv_poll_t uv;
    struct http_socket *previous;
    struct http_socket *next;
    struct http_client *client;
    curl_socket_t descriptor;
};

struct http_client {
    uv_timer_t timer;   /* libcurl's */
    uv_timer_t refusal; /* tells calls that were refused */
    CURLM *multi;
    struct http_call *live;
    struct http_call *spare;
    uint32_t spare_count;
    struct http_socket *sockets;
    unsigned holds; /* timers that are not closed */
};

/* Lists of calls */

static void list_add(struct http_call **list, struct http_call *call)
{
    call->previous = NULL;
    call->next = *list;
    if (*list != NULL)
        (*list)->previous = call;
    *list = call;
}

static void list_remove(struct http_call **list, struct http_call *call)
{
    if (call->previous != NULL)
        call->previous->next = call->next;
    else
        *list = call->next;
    if (call->next != NULL)
        call->next->previous = call->previous;
}

/* Easy handles: options that stay the same are set once, the others for each call. */

static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
    struct http_call *call = context;
    (void)one;
    if (size > call->body_bytes_max - call->body.size) {
        call->is_too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    text_add(&call->body, span_of(bytes, size));
    return size;
}

/* libcurl takes a head that the end of the connection cut short for a whole one. There may be
 * several (100 Continue comes before another), and trailers behind the body. */
static size_t on_header(char *bytes, size_t one, size_t size, void *context)
{
    struct http_call *call = context;
    struct span line = span_of(bytes, one * size);
    if (span_starts_with(line, SPAN("HTTP/")))
        call->has_head = false;
    else if (span_is(line, "\r\n") || span_is(line, "\n"))
        call->has_head = true;
    return line.size;
}

static int on_sending(void *context, char *remote_address, char *local_address, int remote_port,
                      int local_port)
{
    struct http_call *call = context;
    (void)remote_address, (void)local_address, (void)remote_port, (void)local_port;
    if (call->is_sent)
        return CURL_PREREQFUNC_ABORT;
    call->is_sent = true;
    return CURL_PREREQFUNC_OK;
}

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)context, (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

#define set_option(easy, option, value) \
    ensure(curl_easy_setopt((easy), (option), (value)) == CURLE_OK)

static struct http_call *call_open(struct http_client *client)
{
    struct http_call *call = memory_get(sizeof *call);
    call->client = client;
    call->easy = curl_easy_init();
    call->url = curl_url();
    ensure(call->easy != NULL && call->url != NULL);
    set_option(call->easy, CURLOPT_PRIVATE, call);
    set_option(call->easy, CURLOPT_NOSIGNAL, 1L);
    set_option(call->easy, CURLOPT_QUICK_EXIT, 1L); /* never wait for a name server */
    set_option(call->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set_option(call->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    set_option(call->easy, CURLOPT_PATH_AS_IS, 1L); /* a URL is sent as it was written */
    set_option(call->easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_IDLE_MAX_S);
    set_option(call->easy, CURLOPT_ERRORBUFFER, call->error);
    set_option(call->easy, CURLOPT_WRITEFUNCTION, on_body);
    set_option(call->easy, CURLOPT_WRITEDATA, call);
    set_option(call->easy, CURLOPT_HEADERFUNCTION, on_header);
    set_option(call->easy, CURLOPT_HEADERDATA, call);
    set_option(call->easy, CURLOPT_PREREQFUNCTION, on_sending);
    set_option(call->easy, CURLOPT_PREREQDATA, call);
    set_option(call->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    return call;
}

static void call_close(struct http_call *call)
{
    curl_easy_cleanup(call->easy);
    curl_url_cleanup(call->url);
    curl_slist_free_all(call->headers);
    text_fini(&call->request_body);
    text_fini(&call->body);
    text_fini(&call->problem);
    memory_release(call);
}

static void recycle_text(struct text *text)
{
    if (text->capacity > KEPT_BODY_BYTES)
        text_fini(text);
    text_clear(text);
}

/* The call is in no list. */
static void call_spare(struct http_call *call)
{
    struct http_client *client = call->client;
    if (client->spare_count == SPARE_CALLS_MAX) {
        call_close(call);
        return;
    }
    curl_slist_free_all(call->headers);
    call->headers = NULL;
    recycle_text(&call->request_body);
    recycle_text(&call->body);
    recycle_text(&call->problem);
    client->spare_count++;
    list_add(&client->spare, call);
}

static struct http_call *call_take(struct http_client *client)
{
    struct http_call *call = client->spare;
    if (call == NULL)
        return call_open(client);
    list_remove(&client->spare, call);
    client->spare_count--;
    call->is_too_large = false;
    call->is_refused = false;
    call->is_sent = false;
    call->has_head = false;
    return call;
}

/* The request */

/* Adds a sentence as a part of one: "Connection refused" begins small, "SSL" does not. */
static void add_words(struct http_call *call, const char *words)
{
    size_t before = call->problem.size;
    text_add(&call->problem, span_from_text(words));
    char *first = call->problem.bytes + before;
    if (first[0] >= 'A' && first[0] <= 'Z' && first[1] >= 'a' && first[1] <= 'z')
        first[0] = (char)(first[0] - 'A' + 'a');
}

static bool refuse(struct http_call *call, const char *problem)
{
    call->is_refused = true;
    add_words(call, problem);
    return false;
}

static bool is_token_byte(unsigned char byte)
{
    bool is_visible = byte > ' ' && byte < 0x7f;
    return is_visible && strchr("\"(),/:;<=>?@[\\]{}", byte) == NULL;
}

/* The size of the token (a method, a header's name) that the text begins with. */
static size_t token_size(struct span text)
{
    size_t size = 0;
    while (size < text.size && is_token_byte((unsigned char)text.text[size]))
        size++;
    return size;
}

static bool is_loopback(struct span host)
{
    return span_is(host, "localhost") || span_ends_with(host, SPAN(".localhost")) ||
           span_starts_with(host, SPAN("127.")) || span_is(host, "[::1]");
}

/* A proxy from the environment is not asked for what is on this machine. */
static void set_proxy(struct http_call *call)
{
    char *host = NULL;
    ensure(curl_url_get(call->url, CURLUPART_HOST, &host, 0) == CURLUE_OK);
    set_option(call->easy, CURLOPT_PROXY, is_loopback(span_from_text(host)) ? "" : NULL);
    curl_free(host);
}

static bool set_url(struct http_call *call, struct span url)
{
    char *text = memory_copy_text(url);
    char *scheme = NULL;
    bool is_whole = strlen(text) == url.size;
    curl_url_set(call->url, CURLUPART_URL, NULL, 0);
    CURLUcode answer = curl_url_set(call->url, CURLUPART_URL, text, 0);
    memory_release(text);
    if (answer != CURLUE_OK || !is_whole)
        return refuse(call, answer == CURLUE_OK ? "NUL in the URL" : curl_url_strerror(answer));
    ensure(curl_url_get(call->url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK);
    bool is_known = strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
    curl_free(scheme);
    if (!is_known)
        return refuse(call, "the URL must begin with http:// or https://");
    set_option(call->easy, CURLOPT_CURLU, call->url);
    set_proxy(call);
    return true;
}

static bool set_method(struct http_call *call, const struct http_request *request)
{
    struct span method = request->method;
    if (method.size == 0 || token_size(method) != method.size)
        return refuse(call, "the method is not valid");
    bool is_head = span_is(method, "HEAD");
    bool has_body = !is_head && (request->body.size > 0 || span_is(method, "POST"));
    set_option(call->easy, CURLOPT_HTTPGET, 1L);
    if (is_head)
        set_option(call->easy, CURLOPT_NOBODY, 1L);
    if (has_body) {
        text_add(&call->request_body, request->body);
        set_option(call->easy, CURLOPT_POST, 1L);
        set_option(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        set_option(call->easy, CURLOPT_POSTFIELDS,
                   call->request_body.bytes == NULL ? "" : call->request_body.bytes);
    }
    char *name = memory_copy_text(method);
    set_option(call->easy, CURLOPT_CUSTOMREQUEST, is_head ? NULL : name);
    memory_release(name);
    return true;
}

static void append_header(struct http_call *call, const char *header)
{
    struct curl_slist *headers = curl_slist_append(call->headers, header);
    ensure(headers != NULL);
    call->headers = headers;
}

static bool has_control_byte(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.text[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f)
            return true;
    }
    return false;
}

static bool add_header(struct http_call *call, struct span header)
{
    size_t name = token_size(header);
    if (name == 0 || name == header.size || header.text[name] != ':' ||
        has_control_byte(header))
        return refuse(call, "a header is not valid");
    struct span value = span_trim(span_slice(header, name + 1, header.size));
    struct text line = {.arena = NULL};
    /* libcurl's way to write a header without a value. */
    text_add(&line, span_slice(header, 0, name));
    text_add(&line, value.size == 0 ? SPAN(";") : SPAN(": "));
    text_add(&line, value);
    append_header(call, line.bytes);
    text_fini(&line);
    return true;
}

static bool is_content_type(struct span header)
{
    static const char name[] = "content-type:";
    return header.size >= sizeof name - 1 &&
           strncasecmp(header.text, name, sizeof name - 1) == 0;
}

static bool set_headers(struct http_call *call, const struct http_request *request)
{
    bool has_type = false;
    for (size_t i = 0; i < request->header_count; i++) {
        has_type |= is_content_type(request->headers[i]);
        if (!add_header(call, request->headers[i]))
            return false;
    }
    /* A name without a value takes away what libcurl would send by itself. */
    append_header(call, "Expect:");
    if (!has_type)
        append_header(call, "Content-Type:");
    set_option(call->easy, CURLOPT_HTTPHEADER, call->headers);
    return true;
}

static bool prepare(struct http_call *call, const struct http_request *request)
{
    call->body_bytes_max = request->body_bytes_max;
    call->timeout_ms = request->timeout_ms;
    call->error[0] = '\0';
    set_option(call->easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    set_option(call->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->timeout_ms);
    return set_url(call, request->url) && set_method(call, request) &&
           set_headers(call, request);
}

/* The answer */

static void explain_error_number(struct http_call *call)
{
    long number = 0;
    curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number);
    const char *words = number == 0 ? NULL : strerrordesc_np((int)number);
    if (words == NULL)
        words = call->error[0] == '\0' ? "connection failed" : call->error;
    add_words(call, words);
}

static void explain_timeout(struct http_call *call)
{
    text_add(&call->problem,
             call->is_sent ? SPAN("no answer within ") : SPAN("no connection within "));
    time_add_duration(&call->problem, call->timeout_ms);
}

static void explain_other(struct http_call *call, CURLcode code)
{
    const char *words = call->error[0] == '\0' ? curl_easy_strerror(code) : call->error;
    add_words(call, words);
}

/* Fills in `problem`, in words that may follow a colon. */
static enum http_failure explain(struct http_call *call, CURLcode code)
{
    switch ((int)code) {
    case CURLE_OK:
        if (call->has_head)
            return HTTP_ANSWERED;
        text_add(&call->problem, SPAN("the connection was lost in the middle of the answer"));
        return HTTP_BROKEN;
    case CURLE_OPERATION_TIMEDOUT:
        explain_timeout(call);
        return HTTP_TIMED_OUT;
    case CURLE_COULDNT_CONNECT:
        explain_error_number(call);
        return HTTP_NOT_CONNECTED;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION:
        explain_other(call, code);
        return HTTP_NOT_CONNECTED;
    case CURLE_GOT_NOTHING:
    case CURLE_ABORTED_BY_CALLBACK:
        text_add(&call->problem, SPAN("the connection was closed without an answer"));
        return HTTP_BROKEN;
    case CURLE_PARTIAL_FILE:
        text_add(&call->problem, SPAN("the connection was lost in the middle of the answer"));
        return HTTP_BROKEN;
    case CURLE_UNSUPPORTED_PROTOCOL: /* the scheme is known, so it is the answer */
    case CURLE_WEIRD_SERVER_REPLY:
        text_add(&call->problem, SPAN("the answer is not HTTP"));
        return HTTP_BROKEN;
    case CURLE_URL_MALFORMAT:
        explain_other(call, code);
        return HTTP_BAD_REQUEST;
    default:
        explain_other(call, code);
        return HTTP_BROKEN;
    }
}

static enum http_failure find_failure(struct http_call *call, CURLcode code)
{
    if (call->is_too_large) {
        text_format(&call->problem, "the answer is larger than %zu bytes",
                    call->body_bytes_max);
        return HTTP_TOO_LARGE;
    }
    enum http_failure failure = explain(call, code);
    /* A connection that broke after the request may be followed by one that cannot be made. */
    return failure == HTTP_NOT_CONNECTED && call->is_sent ? HTTP_BROKEN : failure;
}

static duration_ms read_retry_after(struct http_call *call)
{
    curl_off_t seconds = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds <= 0)
        return -1;
    return 1000 * (duration_ms)(seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S);
}

static void read_answer(struct http_call *call, struct http_result *result)
{
    long status = 0;
    char *content_type = NULL;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &content_type);
    result->status = (int)status;
    result->retry_after_ms = read_retry_after(call);
    result->body = text_span(&call->body);
    result->content_type = content_type == NULL ? SPAN("") : span_from_text(content_type);
}

static void finish(struct http_call *call, const struct http_result *result)
{
    list_remove(&call->client->live, call);
    call->done(call->context, result);
    call_spare(call);
}

static void complete(struct http_call *call, CURLcode code)
{
    struct http_result result = {.retry_after_ms = -1};
    curl_multi_remove_handle(call->client->multi, call->easy);
    result.failure = find_failure(call, code);
    if (result.failure == HTTP_ANSWERED || result.failure == HTTP_TOO_LARGE)
        read_answer(call, &result);
    result.problem = text_span(&call->problem);
    finish(call, &result);
}

static void collect(struct http_client *client)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        char *call = NULL;
        ensure(message->msg == CURLMSG_DONE);
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        complete((struct http_call *)(void *)call, message->data.result);
    }
}

/* Between libcurl and libuv */

static void act(struct http_client *client, curl_socket_t descriptor, int ready)
{
    int running;
    ensure(curl_multi_socket_action(client->multi, descriptor, ready, &running) == CURLM_OK);
    collect(client);
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wanted(CURLM *multi, long delay_ms, void *context)
{
    struct http_client *client = context;
    (void)multi;
    if (delay_ms < 0)
        uv_timer_stop(&client->timer);
    else
        uv_timer_start(&client->timer, on_timer, (uint64_t)delay_ms, 0);
    return 0;
}

static void on_ready(uv_poll_t *uv, int answer, int events)
{
    struct http_socket *ready = uv->data;
    int flags = answer < 0 ? CURL_CSELECT_ERR : 0;
    flags |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
    flags |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
    act(ready->client, ready->descriptor, flags);
}

static struct http_socket *socket_open(struct http_client *client, curl_socket_t descriptor)
{
    struct http_socket *opened = memory_get(sizeof *opened);
    opened->client = client;
    opened->descriptor = descriptor;
    ensure(uv_poll_init_socket(client->timer.loop, &opened->uv, descriptor) == 0);
    opened->uv.data = opened;
    opened->next = client->sockets;
    if (client->sockets != NULL)
        client->sockets->previous = opened;
    client->sockets = opened;
    return opened;
}

static void on_socket_closed(uv_handle_t *handle)
{
    memory_release(handle->data);
}

static void socket_close(struct http_socket *closed)
{
    if (closed->previous != NULL)
        closed->previous->next = closed->next;
    else
        closed->client->sockets = closed->next;
    if (closed->next != NULL)
        closed->next->previous = closed->previous;
    uv_poll_stop(&closed->uv);
    uv_close((uv_handle_t *)&closed->uv, on_socket_closed);
}

static int on_socket(CURL *easy, curl_socket_t descriptor, int wanted, void *context,
                     void *socket_context)
{
    struct http_client *client = context;
    struct http_socket *known = socket_context;
    (void)easy;
    if (wanted == CURL_POLL_REMOVE) {
        if (known != NULL)
            socket_close(known);
        return 0;
    }
    if (known == NULL) {
        known = socket_open(client, descriptor);
        curl_multi_assign(client->multi, descriptor, known);
    }
    int events = (wanted & CURL_POLL_IN) != 0 ? UV_READABLE : 0;
    events |= (wanted & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0;
    ensure(uv_poll_start(&known->uv, events, on_ready) == 0);
    return 0;
}

/* `done` may start and cancel other calls, so the search begins anew after each. */
static void on_refusal(uv_timer_t *timer)
{
    struct http_client *client = timer->data;
    struct http_call *call = client->live;
    while (call != NULL) {
        if (!call->is_refused) {
            call = call->next;
            continue;
        }
        struct http_result result = {.failure = HTTP_BAD_REQUEST, .retry_after_ms = -1};
        result.problem = text_span(&call->problem);
        finish(call, &result);
        call = client->live;
    }
}

/* The client */

#define set_multi_option(multi, option, value) \
    ensure(curl_multi_setopt((multi), (option), (value)) == CURLM_OK)

/* Files and databases need descriptors too; calls beyond this wait for a connection. */
static long limit_connections(uint32_t wanted)
{
    struct rlimit limit;
    ensure(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    rlim_t possible = limit.rlim_cur / 4 * 3;
    return possible < wanted ? (long)possible : (long)wanted;
}

struct http_client *http_client_open(struct loop *loop, uint32_t connections_max)
{
    long connections = limit_connections(connections_max);
    struct http_client *client = memory_get(sizeof *client);
    ensure(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    client->multi = curl_multi_init();
    ensure(client->multi != NULL);
    set_multi_option(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    set_multi_option(client->multi, CURLMOPT_SOCKETDATA, client);
    set_multi_option(client->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    set_multi_option(client->multi, CURLMOPT_TIMERDATA, client);
    set_multi_option(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
    set_multi_option(client->multi, CURLMOPT_MAXCONNECTS, connections);
    ensure(uv_timer_init(&loop->uv, &client->timer) == 0);
    ensure(uv_timer_init(&loop->uv, &client->refusal) == 0);
    client->timer.data = client;
    client->refusal.data = client;
    client->holds = 2;
    return client;
}

static void on_client_closed(uv_handle_t *handle)
{
    struct http_client *client = handle->data;
    if (--client->holds == 0)
        memory_release(client);
}

void http_client_close(struct http_client *client)
{
    if (client == NULL)
        return;
    while (client->live != NULL)
        http_client_cancel(client->live);
    while (client->spare != NULL) {
        struct http_call *call = client->spare;
        list_remove(&client->spare, call);
        call_close(call);
    }
    curl_multi_cleanup(client->multi);
    while (client->sockets != NULL)
        socket_close(client->sockets);
    curl_global_cleanup();
    uv_close((uv_handle_t *)&client->timer, on_client_closed);
    uv_close((uv_handle_t *)&client->refusal, on_client_closed);
}

struct http_call *http_client_start(struct http_client *client,
                                    const struct http_request *request, http_done *done,
                                    void *context)
{
    struct http_call *call = call_take(client);
    call->done = done;
    call->context = context;
    list_add(&client->live, call);
    if (prepare(call, request))
        ensure(curl_multi_add_handle(client->multi, call->easy) == CURLM_OK);
    else
        uv_timer_start(&client->refusal, on_refusal, 0, 0);
    return call;
}

void http_client_cancel(struct http_call *call)
{
    struct http_client *client = call->client;
    list_remove(&client->live, call);
    if (!call->is_refused)
        curl_multi_remove_handle(client->multi, call->easy);
    call_spare(call);
}
