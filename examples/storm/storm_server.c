/*
 * storm_server.c - one or more services of a storm behind a socket.
 *
 *     storm_server SCENARIO --start MICROSECONDS --seed N --ledger FILE --port-file FILE
 *
 * POST /payment {"order":"000042"}, with or without an Idempotency-Key. A caller that closes
 * its connection cancels nothing: its request stays in the queue and is served, as it is with
 * most servers. One thread, because a request costs some ten microseconds: the service's own
 * time is waited for, not worked.
 *
 * Faults go by the clock since --start (microseconds since 1970). SIGTERM ends it.
 */
#include "storm_options.h"
#include "storm_wire.h"
#include "storm_world.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/hash.h"
#include "base/memory.h"

enum { EVENTS_AT_ONCE = 256, EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3 };

struct exchange;

struct connection {
    int descriptor;
    struct storm_wire wire;
    struct exchange *exchange; /* under way, or NULL */
    bool is_closed;
    struct connection *next_closed;
};

struct exchange {
    struct storm_request request;  /* first: the world hands this back */
    struct connection *connection; /* NULL: nobody waits for the answer any more */
};

struct server {
    struct storm_world *world;
    int64_t start;
    int epoll;
    int door;
    struct connection *closed; /* in this round; events of the same round may name them */
};

static volatile sig_atomic_t is_over; /* all that a signal may touch */

static void end(int signal)
{
    (void)signal;
    is_over = 1;
}

static moment_us now_of(const struct server *server)
{
    return storm_wire_clock() - server->start;
}

static void watch(const struct server *server, int descriptor, void *what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
    ensure(epoll_ctl(server->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0);
}

static void close_connection(struct server *server, struct connection *connection)
{
    if (connection->is_closed)
        return;
    connection->is_closed = true;
    close(connection->descriptor);
    if (connection->exchange != NULL)
        connection->exchange->connection = NULL;
    connection->next_closed = server->closed;
    server->closed = connection;
}

static void answer(struct server *server, struct exchange *exchange)
{
    struct connection *connection = exchange->connection;
    int status = storm_outcome_status(exchange->request.outcome);
    char text[256];
    if (connection == NULL) {
        memory_release(exchange);
        return;
    }
    connection->exchange = NULL;
    char body[64];
    int body_size = snprintf(body, sizeof body, "{\"order\":\"%06u\",\"status\":%d}",
                             exchange->request.order, status);
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
                        "Content-Length: %d\r\n\r\n%s",
                        status, status == 200 ? "OK" : "No", body_size, body);
    if (status == 0 || !storm_wire_send(connection->descriptor, span_of(text, (size_t)size)))
        close_connection(server, connection);
    memory_release(exchange);
}

/* "/payment" of "POST /payment HTTP/1.1". */
static bool read_service(struct span head, enum storm_service *service)
{
    char name[32] = "";
    return sscanf(head.text, "POST /%31[a-z]", name) == 1 && storm_service_find(name, service);
}

static uint32_t read_order(struct span body)
{
    size_t at = span_find(body, SPAN("\"order\""), 0);
    if (at == SIZE_MAX)
        return 0;
    for (at += 7; at < body.size && (body.text[at] < '0' || body.text[at] > '9'); at++)
        continue;
    uint32_t order = 0;
    for (; at < body.size && body.text[at] >= '0' && body.text[at] <= '9'; at++)
        order = order * 10 + (uint32_t)(body.text[at] - '0');
    return order;
}

static void serve(struct server *server, struct connection *connection)
{
    struct storm_message message;
    if (connection->exchange != NULL || !storm_wire_find(&connection->wire, &message))
        return;
    struct exchange *exchange = memory_get(sizeof *exchange);
    struct storm_request *request = &exchange->request;
    struct span key = storm_message_header(&message, "idempotency-key");
    if (!read_service(message.head, &request->service)) {
        memory_release(exchange);
        close_connection(server, connection);
        return;
    }
    request->order = read_order(message.body);
    request->key = key.size == 0 ? 0 : hash_text(key) | 1;
    storm_wire_drop(&connection->wire, message.size);
    exchange->connection = connection;
    connection->exchange = exchange;
    if (!storm_world_offer(server->world, request, now_of(server)))
        answer(server, exchange);
}

static void greet(struct server *server)
{
    for (;;) {
        int descriptor = accept4(server->door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0)
            return;
        struct connection *connection = memory_get(sizeof *connection);
        connection->descriptor = descriptor;
        watch(server, descriptor, connection);
    }
}

static void read_from(struct server *server, struct connection *connection)
{
    if (connection->is_closed)
        return;
    bool is_open = storm_wire_fill(&connection->wire, connection->descriptor);
    serve(server, connection);
    if (!is_open)
        close_connection(server, connection);
}

static void hand_out(struct server *server)
{
    struct storm_request *request;
    while ((request = storm_world_take(server->world, now_of(server))) != NULL)
        answer(server, (struct exchange *)request);
}

static int wait_ms(const struct server *server)
{
    moment_us due = storm_world_due(server->world);
    moment_us now = now_of(server);
    if (due <= now)
        return 0;
    return due - now > 200000 ? 200 : (int)((due - now + 999) / 1000);
}

static void run(struct server *server)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    while (!is_over) {
        int count = epoll_wait(server->epoll, events, EVENTS_AT_ONCE, wait_ms(server));
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                greet(server);
            else
                read_from(server, events[i].data.ptr);
        }
        hand_out(server);
        while (server->closed != NULL) {
            struct connection *next = server->closed->next_closed;
            memory_release(server->closed);
            server->closed = next;
        }
    }
}

/* The program */

struct arguments {
    const char *scenario;
    const char *ledger;
    const char *port_file;
    int64_t start;
    int64_t seed;
};

static bool read_arguments(struct arguments *arguments, int count, char **words)
{
    *arguments = (struct arguments){.seed = 1};
    const struct storm_option options[] = {
        {"start", .number = &arguments->start},
        {"seed", .number = &arguments->seed},
        {"ledger", .text = &arguments->ledger},
        {"port-file", .text = &arguments->port_file},
    };
    int first = storm_options_read(options, sizeof options / sizeof *options, count, words);
    if (first < 0 || count - first != 1)
        return false;
    arguments->scenario = words[first];
    return arguments->ledger != NULL && arguments->port_file != NULL;
}

/* Renamed into place, so that whoever waits for the file finds the number in it. */
static bool tell_port(const char *path, uint16_t port)
{
    char draft[4096];
    snprintf(draft, sizeof draft, "%s.draft", path);
    FILE *file = fopen(draft, "w");
    if (file == NULL)
        return false;
    fprintf(file, "%u\n", port);
    return fclose(file) == 0 && rename(draft, path) == 0;
}

static bool open_server(struct server *server, const struct arguments *arguments)
{
    uint16_t port = 0;
    server->start = arguments->start;
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->door = storm_wire_listen(&port);
    if (server->epoll < 0 || server->door < 0)
        return false;
    watch(server, server->door, NULL);
    return tell_port(arguments->port_file, port);
}

static void prepare_process(void)
{
    struct rlimit files;
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max; /* a connection for every caller that waits */
    setrlimit(RLIMIT_NOFILE, &files);
}

int main(int count, char **texts)
{
    struct arguments arguments;
    struct storm_scenario scenario;
    struct server server = {0};
    if (!read_arguments(&arguments, count, texts)) {
        fputs("usage: storm_server SCENARIO --ledger FILE --port-file FILE [--start US] "
              "[--seed N]\n",
              stderr);
        return EXIT_USAGE;
    }
    FILE *ledger = fopen(arguments.ledger, "w");
    if (ledger == NULL || !storm_scenario_read(&scenario, arguments.scenario))
        return EXIT_ENVIRONMENT;
    prepare_process();
    server.world = storm_world_open(&scenario, (uint64_t)arguments.seed, ledger);
    if (!open_server(&server, &arguments)) {
        fprintf(stderr, "storm_server: %s\n", strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    run(&server);
    return fclose(ledger) == 0 ? EXIT_SUCCESS : EXIT_ENVIRONMENT;
}
