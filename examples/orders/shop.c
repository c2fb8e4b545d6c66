/*
 * shop.c - a shop to practise on: four services that are slow, full, wrong and down when
 * they are told to be, and a ledger that shows afterwards what that did to people's money.
 *
 *     shop [--port N] [--port-file PATH] [--ledger PATH] [--seed N]
 *          [--validate SETTINGS] [--charge SETTINGS] [--refund …] [--reserve …] [--all …]
 *     shop --audit LEDGER [--orders RESULTS] [--json]
 *
 * Exit status: 0 closed by SIGTERM or SIGINT, or a clean audit; 1 an audit that is not
 * clean; 2 usage; 3 files or network.
 */
#include "shop_audit.h"
#include "shop_http.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { EXIT_DIRTY = 1, EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3, PORT_DEFAULT = 9001 };

static const char usage[] =
    "usage: shop [--port N] [--port-file PATH] [--ledger PATH] [--seed N]\n"
    "            [--validate SETTINGS] [--charge SETTINGS] [--refund SETTINGS]\n"
    "            [--reserve SETTINGS] [--all SETTINGS]\n"
    "       shop --audit LEDGER [--orders RESULTS] [--json]\n"
    "\n"
    "SETTINGS   service=20,jitter=10,sigma=0.5,servers=64,queue=1000,errors=10%,\n"
    "           hangs=1%,hang=10000,outage=1000+2000,outage_drops=1   (times in ms)\n"
    "outage     after the service's first request: 1000 ms later, for 2000 ms\n"
    "RESULTS    what `interlock list -o ndjson` printed\n";

struct arguments {
    uint16_t port;
    const char *port_file;
    const char *ledger;
    const char *audit;
    const char *orders;
    bool is_json;
    uint64_t seed;
    const char *settings[SHOP_STEP_COUNT + 1]; /* the last: for all */
};

enum shop_option {
    OPTION_SETTINGS, /* and the steps behind it, then all */
    OPTION_PORT = OPTION_SETTINGS + SHOP_STEP_COUNT + 1,
    OPTION_PORT_FILE,
    OPTION_LEDGER,
    OPTION_SEED,
    OPTION_AUDIT,
    OPTION_ORDERS,
    OPTION_JSON,
    OPTION_HELP,
};

static const struct option options[] = {
    {"validate", required_argument, NULL, SHOP_VALIDATE},
    {"charge", required_argument, NULL, SHOP_CHARGE},
    {"refund", required_argument, NULL, SHOP_REFUND},
    {"reserve", required_argument, NULL, SHOP_RESERVE},
    {"all", required_argument, NULL, SHOP_STEP_COUNT},
    {"port", required_argument, NULL, OPTION_PORT},
    {"port-file", required_argument, NULL, OPTION_PORT_FILE},
    {"ledger", required_argument, NULL, OPTION_LEDGER},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"audit", required_argument, NULL, OPTION_AUDIT},
    {"orders", required_argument, NULL, OPTION_ORDERS},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static bool read_whole(const char *text, unsigned long long max, unsigned long long *number)
{
    char *end = NULL;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *text != '-' && *number <= max;
}

static bool take_option(struct arguments *arguments, int option)
{
    unsigned long long number = 0;
    if (option >= OPTION_SETTINGS && option <= SHOP_STEP_COUNT) {
        arguments->settings[option] = optarg;
        return true;
    }
    switch (option) {
    case OPTION_PORT:
        if (!read_whole(optarg, UINT16_MAX, &number))
            return false;
        arguments->port = (uint16_t)number;
        return true;
    case OPTION_PORT_FILE:
        arguments->port_file = optarg;
        return true;
    case OPTION_LEDGER:
        arguments->ledger = optarg;
        return true;
    case OPTION_SEED:
        if (!read_whole(optarg, UINT64_MAX, &number))
            return false;
        arguments->seed = number;
        return true;
    case OPTION_AUDIT:
        arguments->audit = optarg;
        return true;
    case OPTION_ORDERS:
        arguments->orders = optarg;
        return true;
    case OPTION_JSON:
        arguments->is_json = true;
        return true;
    default:
        return false;
    }
}

static int audit(const struct arguments *arguments)
{
    struct shop_audit audit;
    struct text text;
    text_init(&text, NULL);
    int status = EXIT_ENVIRONMENT;
    if (shop_audit_read(&audit, arguments->audit, arguments->orders)) {
        if (arguments->is_json)
            shop_audit_write_json(&audit, &text);
        else
            shop_audit_write(&audit, &text);
        printf("%.*s", SPAN_ARGS(text_span(&text)));
        status = shop_audit_is_clean(&audit) ? EXIT_SUCCESS : EXIT_DIRTY;
    }
    shop_audit_fini(&audit);
    text_fini(&text);
    return status;
}

/* Renamed into place, so that whoever waits for the file finds the number in it. */
static bool write_port(const char *path, uint16_t port)
{
    char draft[4096];
    int size = snprintf(draft, sizeof draft, "%s.draft", path);
    FILE *file = size > 0 && (size_t)size < sizeof draft ? fopen(draft, "w") : NULL;
    if (file == NULL)
        return false;
    fprintf(file, "%u\n", port);
    return fclose(file) == 0 && rename(draft, path) == 0;
}

static bool set_services(const struct arguments *arguments, struct shop_service *services)
{
    for (int step = 0; step < SHOP_STEP_COUNT; step++) {
        const char *for_all = arguments->settings[SHOP_STEP_COUNT];
        const char *for_one = arguments->settings[step];
        if (for_all != NULL && !shop_service_set_all(&services[step], span_from_text(for_all)))
            return false;
        if (for_one != NULL && !shop_service_set_all(&services[step], span_from_text(for_one)))
            return false;
    }
    return true;
}

static void wait_for_the_end(void)
{
    sigset_t ends;
    int signal = 0;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigwait(&ends, &signal);
}

/* Before any thread starts, so that all of them leave these signals to wait_for_the_end(). */
static void prepare_process(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int serve(const struct arguments *arguments, struct shop_service *services)
{
    struct shop_ledger *ledger = shop_ledger_open(arguments->ledger);
    if (ledger == NULL)
        return EXIT_ENVIRONMENT;
    int status = EXIT_ENVIRONMENT;
    struct shop *shop = shop_http_open(arguments->port, arguments->ledger, ledger, services);
    if (shop == NULL)
        goto out;
    printf("shop 127.0.0.1:%u\n", shop_http_port(shop));
    fflush(stdout);
    if (arguments->port_file == NULL ||
        write_port(arguments->port_file, shop_http_port(shop))) {
        wait_for_the_end();
        status = EXIT_SUCCESS;
    } else {
        fprintf(stderr, "shop: cannot write %s: %s\n", arguments->port_file, strerror(errno));
    }
    shop_http_close(shop);
out:
    shop_ledger_close(ledger);
    return status;
}

static int open_shop(const struct arguments *arguments)
{
    struct shop_service services[SHOP_STEP_COUNT];
    for (int step = 0; step < SHOP_STEP_COUNT; step++)
        shop_service_init(&services[step], arguments->seed + (uint64_t)step);
    int status = EXIT_USAGE;
    if (set_services(arguments, services)) {
        prepare_process();
        status = serve(arguments, services);
    } else {
        fprintf(stderr, "shop: a setting is not one\n%s", usage);
    }
    for (int step = 0; step < SHOP_STEP_COUNT; step++)
        shop_service_fini(&services[step]);
    return status;
}

int main(int count, char **words)
{
    struct arguments arguments = {
        .port = PORT_DEFAULT, .ledger = "shop-ledger.ndjson", .seed = 1};
    for (int option; (option = getopt_long(count, words, "", options, NULL)) != -1;) {
        if (option == OPTION_HELP) {
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        }
        if (!take_option(&arguments, option)) {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < count) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return arguments.audit != NULL ? audit(&arguments) : open_shop(&arguments);
}
