/*
 * storm_load.c - an arm by hand under load: real calls, real time, orders that come when they
 * are meant to and not when there is room for them.
 *
 *     storm_load ARM --arrivals FILE --start MICROSECONDS --results FILE --until SECONDS
 *                PORT PORT PORT PORT
 *     storm_load --feed --arrivals FILE --start MICROSECONDS
 *
 * The ports are those of validate, inventory, payment and ship. The second form writes the
 * same orders at the same moments to standard output, as lines of JSON for a program that
 * reads them. It always begins with the first order, and catches up: when the reader was
 * killed, nobody knows which of them it had taken in.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/memory.h"
#include "storm_agenda.h"
#include "storm_chain.h"
#include "storm_options.h"
#include "storm_record.h"
#include "storm_wire.h"

enum { EVENTS_AT_ONCE = 256, EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3 };

struct connection {
    int descriptor;
    enum storm_service service;
    bool is_connected;
    struct storm_chain *chain; /* whose call it carries; NULL: idle */
    struct connection *next;   /* idle, or closed in this round */
    struct storm_wire wire;
};

struct load {
    struct storm_host host; /* first */
    struct storm_agenda agenda;
    struct storm_arm *arm;
    struct storm_arrivals arrivals;
    struct storm_chain *chains;
    struct connection *idle[STORM_CHAIN_LENGTH];
    struct connection *closed;
    uint16_t ports[STORM_CHAIN_LENGTH];
    FILE *results;
    int64_t start;
    int epoll;
    size_t arrived;
    size_t open;
};

static struct load *load_of(struct storm_host *host)
{
    return (struct load *)host;
}

static moment_us now(struct storm_host *host)
{
    return storm_wire_clock() - load_of(host)->start;
}

/* Connections */

static void close_connection(struct load *load, struct connection *connection)
{
    close(connection->descriptor);
    connection->descriptor = -1;
    connection->chain = NULL;
    connection->next = load->closed;
    load->closed = connection;
}

static bool send_request(struct connection *connection)
{
    char text[512];
    char body[32];
    int body_size =
        snprintf(body, sizeof body, "{\"order\":\"%06u\"}", connection->chain->order);
    int size = snprintf(text, sizeof text,
                        "POST /%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                        storm_service_name(connection->service), body_size, body);
    return storm_wire_send(connection->descriptor, span_of(text, (size_t)size));
}

static struct connection *open_connection(struct load *load, enum storm_service service)
{
    struct connection *connection = memory_get(sizeof *connection);
    connection->service = service;
    connection->descriptor = storm_wire_connect(load->ports[service]);
    if (connection->descriptor < 0) {
        memory_release(connection);
        return NULL;
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
    ensure(epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->descriptor, &event) == 0);
    return connection;
}

static struct connection *take_connection(struct load *load, enum storm_service service)
{
    struct connection *connection = load->idle[service];
    if (connection == NULL)
        return open_connection(load, service);
    load->idle[service] = connection->next;
    return connection;
}

/* Answers */

static void report(struct storm_chain *chain, enum storm_answer answer)
{
    chain->turn++;
    chain->call = NULL;
    storm_arm_answered(load_of(chain->host)->arm, chain, answer);
}

static void fail(void *context, uint32_t turn)
{
    struct storm_chain *chain = context;
    if (chain->turn == turn)
        report(chain, STORM_ANSWER_ERROR);
}

/* The server works on, and nobody will be there to hear of it. */
static void time_out(void *context, uint32_t turn)
{
    struct storm_chain *chain = context;
    if (chain->turn != turn)
        return;
    close_connection(load_of(chain->host), chain->call);
    report(chain, STORM_ANSWER_TIMEOUT);
}

static void call(struct storm_host *host, struct storm_chain *chain, moment_us timeout)
{
    struct load *load = load_of(host);
    struct connection *connection = take_connection(load, chain->service);
    chain->turn++;
    if (connection == NULL) {
        storm_agenda_add(&load->agenda, now(host), fail, chain, chain->turn);
        return;
    }
    connection->chain = chain;
    chain->call = connection;
    storm_agenda_add(&load->agenda, now(host) + timeout, time_out, chain, chain->turn);
    if (connection->is_connected && !send_request(connection)) {
        close_connection(load, connection);
        storm_agenda_add(&load->agenda, now(host), fail, chain, chain->turn);
    }
}

static void lose(struct load *load, struct connection *connection)
{
    struct storm_chain *chain = connection->chain;
    struct connection **at = &load->idle[connection->service];
    while (chain == NULL && *at != NULL && *at != connection)
        at = &(*at)->next;
    if (chain == NULL && *at == connection)
        *at = connection->next;
    close_connection(load, connection);
    if (chain != NULL)
        report(chain, STORM_ANSWER_ERROR);
}

static void take_answer(struct load *load, struct connection *connection)
{
    struct storm_message message;
    struct storm_chain *chain = connection->chain;
    if (!storm_wire_find(&connection->wire, &message))
        return;
    bool is_ok = span_starts_with(message.head, SPAN("HTTP/1.1 2"));
    bool is_no = span_starts_with(message.head, SPAN("HTTP/1.1 4"));
    storm_wire_drop(&connection->wire, message.size);
    connection->chain = NULL;
    connection->next = load->idle[connection->service];
    load->idle[connection->service] = connection;
    if (chain != NULL)
        report(chain, is_ok ? STORM_ANSWER_OK : is_no ? STORM_ANSWER_NO : STORM_ANSWER_ERROR);
}

static void handle(struct load *load, struct connection *connection, uint32_t events)
{
    if (connection->descriptor < 0)
        return;
    if (!connection->is_connected && (events & (EPOLLERR | EPOLLHUP)) == 0 &&
        (events & EPOLLOUT) != 0) {
        connection->is_connected = true;
        if (connection->chain != NULL && !send_request(connection)) {
            lose(load, connection);
            return;
        }
    }
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0)
        return;
    bool is_open = storm_wire_fill(&connection->wire, connection->descriptor);
    if (is_open)
        take_answer(load, connection);
    else
        lose(load, connection);
}

/* The other things a host does */

static void wake(void *context, uint32_t turn)
{
    struct storm_chain *chain = context;
    if (chain->turn == turn)
        storm_arm_woken(load_of(chain->host)->arm, chain);
}

static void sleep_for(struct storm_host *host, struct storm_chain *chain, moment_us delay)
{
    storm_agenda_add(&load_of(host)->agenda, now(host) + delay, wake, chain, ++chain->turn);
}

static void ended(struct storm_host *host, struct storm_chain *chain, bool is_done)
{
    struct load *load = load_of(host);
    load->open--;
    storm_result_write(load->results, chain->order, chain->intended, now(host), is_done);
}

static void arrive(void *context, uint32_t turn)
{
    struct load *load = context;
    struct storm_chain *chain = &load->chains[load->arrived];
    (void)turn;
    *chain = (struct storm_chain){.order = (uint32_t)load->arrived,
                                  .intended = load->arrivals.at[load->arrived],
                                  .host = &load->host};
    load->arrived++;
    load->open++;
    if (load->arrived < load->arrivals.count)
        storm_agenda_add(&load->agenda, load->arrivals.at[load->arrived], arrive, load, 0);
    storm_arm_arrive(load->arm, chain);
}

static int wait_ms(struct load *load)
{
    moment_us left = storm_agenda_due(&load->agenda) - now(&load->host);
    if (left <= 0)
        return 0;
    return left > 100000 ? 100 : (int)((left + 999) / 1000);
}

static void run(struct load *load, moment_us until)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    storm_agenda_add(&load->agenda, load->arrivals.at[0], arrive, load, 0);
    while ((load->arrived < load->arrivals.count || load->open > 0) &&
           now(&load->host) < until) {
        int count = epoll_wait(load->epoll, events, EVENTS_AT_ONCE, wait_ms(load));
        for (int i = 0; i < count; i++)
            handle(load, events[i].data.ptr, events[i].events);
        while (storm_agenda_due(&load->agenda) <= now(&load->host))
            storm_agenda_do_next(&load->agenda);
        while (load->closed != NULL) {
            struct connection *next = load->closed->next;
            memory_release(load->closed);
            load->closed = next;
        }
    }
}

/* The feed */

static bool write_line(size_t order)
{
    char line[64];
    int size = snprintf(line, sizeof line, "{\"id\":\"%06zu\"}\n", order);
    return write(STDOUT_FILENO, line, (size_t)size) ==
           size; /* below PIPE_BUF: all or nothing */
}

static void wait_until(int64_t moment)
{
    int64_t left = moment - storm_wire_clock();
    if (left > 0)
        nanosleep(
            &(struct timespec){.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000},
            NULL);
}

/* Ends also when the reader is gone before the end: whoever ended it begins a new feed. */
static int feed(const struct storm_arrivals *arrivals, int64_t start)
{
    for (size_t i = 0; i < arrivals->count; i++) {
        wait_until(start + arrivals->at[i]);
        if (!write_line(i))
            break;
    }
    return EXIT_SUCCESS;
}

/* The program */

struct arguments {
    const struct storm_care *care;
    bool is_feed;
    const char *arrivals;
    const char *results;
    int64_t start;
    double until;
    uint16_t ports[STORM_CHAIN_LENGTH];
};

static bool read_arguments(struct arguments *arguments, int count, char **words)
{
    *arguments = (struct arguments){.until = 60};
    const struct storm_option options[] = {
        {"feed", .flag = &arguments->is_feed},    {"arrivals", .text = &arguments->arrivals},
        {"results", .text = &arguments->results}, {"start", .number = &arguments->start},
        {"until", .seconds = &arguments->until},
    };
    int first = storm_options_read(options, sizeof options / sizeof *options, count, words);
    if (first < 0 || arguments->arrivals == NULL)
        return false;
    if (arguments->is_feed)
        return count == first;
    if (count - first != 1 + STORM_CHAIN_LENGTH || arguments->results == NULL)
        return false;
    arguments->care = storm_care_find(words[first]);
    for (int i = 0; i < STORM_CHAIN_LENGTH; i++)
        arguments->ports[i] = (uint16_t)strtoul(words[first + 1 + i], NULL, 10);
    return arguments->care != NULL;
}

static int run_arm(const struct arguments *arguments, const struct storm_arrivals *arrivals)
{
    struct rlimit files;
    struct load load = {.host = {now, call, sleep_for, ended},
                        .arrivals = *arrivals,
                        .start = arguments->start,
                        .epoll = epoll_create1(EPOLL_CLOEXEC),
                        .results = fopen(arguments->results, "w")};
    if (load.results == NULL || load.epoll < 0)
        return EXIT_ENVIRONMENT;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    memcpy(load.ports, arguments->ports, sizeof load.ports);
    load.chains = memory_get((arrivals->count + 1) * sizeof *load.chains);
    load.arm = storm_arm_open(arguments->care, &load.host, (uint64_t)arguments->start);
    if (arrivals->count > 0)
        run(&load, (moment_us)(arguments->until * 1e6));
    return fclose(load.results) == 0 ? EXIT_SUCCESS : EXIT_ENVIRONMENT;
}

int main(int count, char **texts)
{
    struct arguments arguments;
    struct storm_arrivals arrivals = {0};
    if (!read_arguments(&arguments, count, texts)) {
        fputs("usage: storm_load ARM --arrivals FILE --start US --results FILE [--until S]\n"
              "                  PORT PORT PORT PORT\n"
              "       storm_load --feed --arrivals FILE --start US\n",
              stderr);
        return EXIT_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    if (!storm_arrivals_read(&arrivals, arguments.arrivals))
        return EXIT_ENVIRONMENT;
    if (arguments.is_feed)
        return feed(&arrivals, arguments.start);
    return run_arm(&arguments, &arrivals);
}
