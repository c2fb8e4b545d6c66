/*
 * web_fixture.c - see the header.
 */
#include "web_fixture.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/text.h"

/* The proper one */

struct web {
    struct MHD_Daemon *daemon;
    uint16_t port;
    atomic_int connections;
    atomic_int requests;
};

static void count_connection(void *context, struct MHD_Connection *connection, void **socket,
                             enum MHD_ConnectionNotificationCode code)
{
    struct web *web = context;
    (void)connection, (void)socket;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        atomic_fetch_add(&web->connections, 1);
}

static const char *argument(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
    return value == NULL ? "" : value;
}

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct text *text = context;
    struct text small = {.arena = NULL};
    (void)kind;
    for (const char *byte = name; *byte != '\0'; byte++)
        text_add_byte(&small, (char)tolower((unsigned char)*byte));
    if (text->bytes[text->size - 1] != '{')
        text_add_byte(text, ',');
    json_write_string(text, text_span(&small));
    text_add_byte(text, ':');
    json_write_string(text, span_from_text(value));
    text_fini(&small);
    return MHD_YES;
}

static void write_echo(struct MHD_Connection *connection, const char *method,
                       const struct text *body, struct text *answer)
{
    text_add(answer, SPAN("{\"method\":"));
    json_write_string(answer, span_from_text(method));
    text_add(answer, SPAN(",\"body\":"));
    json_write_string(answer, text_span(body));
    text_add(answer, SPAN(",\"headers\":{"));
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, answer);
    text_add(answer, SPAN("}}"));
}

static void write_large(struct MHD_Connection *connection, struct text *answer)
{
    for (long left = strtol(argument(connection, "bytes"), NULL, 10); left > 0; left--)
        text_add_byte(answer, '1');
}

static void sleep_as_told(struct MHD_Connection *connection)
{
    usleep((useconds_t)strtol(argument(connection, "ms"), NULL, 10) * 1000);
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, const struct text *answer)
{
    struct span body = text_span(answer);
    long status = strtol(argument(connection, "status"), NULL, 10);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.size, (void *)(uintptr_t)body.text, MHD_RESPMEM_MUST_COPY);
    const char *type = argument(connection, "type");
    const char *retry = argument(connection, "retry");
    if (*type != '\0')
        MHD_add_response_header(response, "Content-Type", type);
    if (*retry != '\0')
        MHD_add_response_header(response, "Retry-After", retry);
    if (status >= 300 && status < 400)
        MHD_add_response_header(response, "Location", "/echo");
    enum MHD_Result queued =
        MHD_queue_response(connection, status == 0 ? 200 : (unsigned)status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **state)
{
    struct web *web = context;
    struct text *body = *state;
    (void)version;
    if (body == NULL) {
        *state = calloc(1, sizeof *body);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        text_add(body, span_of(upload, *upload_size));
        *upload_size = 0;
        return MHD_YES;
    }
    atomic_fetch_add(&web->requests, 1);
    struct text answer = {.arena = NULL};
    if (strcmp(url, "/echo") == 0)
        write_echo(connection, method, body, &answer);
    else if (strcmp(url, "/large") == 0)
        write_large(connection, &answer);
    else if (strcmp(url, "/slow") == 0)
        sleep_as_told(connection), text_add(&answer, SPAN("{}"));
    else
        text_add(&answer, span_from_text(argument(connection, "body")));
    enum MHD_Result sent = send_answer(connection, &answer);
    text_fini(&answer);
    return sent;
}

static void on_request_done(void *context, struct MHD_Connection *connection, void **state,
                            enum MHD_RequestTerminationCode code)
{
    (void)context, (void)connection, (void)code;
    if (*state != NULL)
        text_fini(*state);
    free(*state);
}

struct web *web_open(void)
{
    struct web *web = calloc(1, sizeof *web);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    web->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL,
        on_request, web, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED,
        on_request_done, NULL, MHD_OPTION_NOTIFY_CONNECTION, count_connection, web,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)256 << 10, MHD_OPTION_CONNECTION_LIMIT, 700u,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024u, MHD_OPTION_END);
    ensure(web->daemon != NULL);
    web->port = MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return web;
}

void web_close(struct web *web)
{
    MHD_stop_daemon(web->daemon);
    free(web);
}

uint16_t web_port(const struct web *web)
{
    return web->port;
}

int web_connections(struct web *web)
{
    return atomic_load(&web->connections);
}

int web_requests(struct web *web)
{
    return atomic_load(&web->requests);
}

/* The scripted one: a thread that serves one connection after the other. */

struct scripted {
    const struct reply *replies;
    size_t count;
    int listening;
    uint16_t port;
    atomic_int requests;
    atomic_bool is_ending;
    pthread_t thread;
};

int refused_open(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ensure(bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0);
    ensure(getsockname(descriptor, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    return descriptor;
}

/* False when the server is to end. */
static bool wait_to_read(struct scripted *scripted, int descriptor)
{
    struct pollfd waiting = {descriptor, POLLIN, 0};
    while (!atomic_load(&scripted->is_ending)) {
        if (poll(&waiting, 1, 20) != 0)
            return true;
    }
    return false;
}

static bool is_whole(const struct text *request)
{
    struct span text = text_span(request);
    size_t head = span_find(text, SPAN("\r\n\r\n"), 0);
    size_t length = span_find(text, SPAN("Content-Length: "), 0);
    if (head == SIZE_MAX)
        return false;
    size_t body = length == SIZE_MAX ? 0 : strtoul(text.text + length + 16, NULL, 10);
    return text.size >= head + 4 + body;
}

static bool read_request(struct scripted *scripted, int connection)
{
    struct text request = {.arena = NULL};
    bool is_read = false;
    while (!is_read && wait_to_read(scripted, connection)) {
        ssize_t got = recv(connection, text_reserve(&request, 4096), 4096, 0);
        if (got <= 0)
            break;
        request.size += (size_t)got;
        is_read = is_whole(&request);
    }
    text_fini(&request);
    return is_read;
}

static void serve(struct scripted *scripted, int connection)
{
    while (read_request(scripted, connection)) {
        size_t number = (size_t)atomic_fetch_add(&scripted->requests, 1);
        if (number >= scripted->count)
            continue;
        const struct reply *reply = &scripted->replies[number];
        ensure(send(connection, reply->bytes, strlen(reply->bytes), MSG_NOSIGNAL) >= 0);
        if (reply->stops) {
            close(scripted->listening);
            scripted->listening = -1;
        }
        if (reply->closes)
            break;
    }
    close(connection);
}

static void *serve_all(void *context)
{
    struct scripted *scripted = context;
    while (scripted->listening >= 0 && wait_to_read(scripted, scripted->listening)) {
        int connection = accept(scripted->listening, NULL, NULL);
        if (connection >= 0)
            serve(scripted, connection);
    }
    return NULL;
}

struct scripted *scripted_open(const struct reply *replies, size_t count)
{
    struct scripted *scripted = calloc(1, sizeof *scripted);
    scripted->replies = replies;
    scripted->count = count;
    scripted->listening = refused_open(&scripted->port);
    ensure(listen(scripted->listening, 16) == 0);
    ensure(pthread_create(&scripted->thread, NULL, serve_all, scripted) == 0);
    return scripted;
}

void scripted_close(struct scripted *scripted)
{
    atomic_store(&scripted->is_ending, true);
    pthread_join(scripted->thread, NULL);
    if (scripted->listening >= 0)
        close(scripted->listening);
    free(scripted);
}

uint16_t scripted_port(const struct scripted *scripted)
{
    return scripted->port;
}

int scripted_requests(struct scripted *scripted)
{
    return atomic_load(&scripted->requests);
}
