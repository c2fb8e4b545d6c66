/*
 * command_list.c - `interlock list`: which instances there are, and what they wait for.
 */
#include <string.h>

#include "cli/command.h"
#include "cli/instance_text.h"
#include "cli/reader.h"
#include "cli/report.h"
#include "os/os.h"

enum { DB, STATE, STATUS, TAG, OLDER, LIMIT, OUTPUT, WHERE, SERVER, OPTION_COUNT };

static const struct option options[] = {
    [DB] = OPTION_DB,
    [STATE] = {.name = "state", .value = "S", .help = "in this state, or in one within it"},
    [STATUS] = {.name = "status",
                .value = "S",
                .help = "active, done, error or stopped",
                .words = "active done error stopped"},
    [TAG] = {.name = "tag", .value = "T", .help = "in a state with this tag"},
    [OLDER] = {.name = "older", .value = "5m", .help = "not moved for so long"},
    [LIMIT] = {.name = "limit", .value = "N", .help = "at most so many"},
    [OUTPUT] = OPTION_OUTPUT,
    [WHERE] = {.name = "where", .value = "CEL", .help = "", .is_later = true},
    [SERVER] = OPTION_SERVER,
};

struct listing {
    struct reader reader;
    enum output_format format;
    instant_ms now;

    const char *state; /* NULL: any */
    const char *status;
    const char *tag;
    duration_ms older_ms;
    uint64_t limit;

    uint64_t count;
    int id_width;
    int state_width;
};

static bool is_in(const struct instance *instance, const char *name)
{
    const struct machine *machine = instance->deployed->definition->machine;
    uint32_t state = machine_find_state(machine, span_from_text(name));
    return state != NO_STATE && instance_is_in(instance, state);
}

static bool is_wanted(const struct listing *listing, const struct instance *instance)
{
    const char *status = instance_status_name(instance->status);
    return (listing->state == NULL || is_in(instance, listing->state)) &&
           (listing->status == NULL || strcmp(listing->status, status) == 0) &&
           (listing->tag == NULL || waiting_has_tag(instance, span_from_text(listing->tag))) &&
           listing->now - instance->updated >= listing->older_ms;
}

static void print_one(struct listing *listing, const struct instance *instance)
{
    arena_clear(&listing->reader.arena);
    struct value described = waiting_describe(&listing->reader.registry, instance, listing->now,
                                              &listing->reader.arena);
    if (listing->format == OUTPUT_TEXT) {
        struct text line;
        text_init(&line, NULL);
        instance_add_line(&line, instance, described, listing->id_width, listing->state_width);
        output_lines(text_span(&line));
        text_fini(&line);
        return;
    }
    if (listing->format == OUTPUT_JSON)
        output_add(listing->count == 0 ? SPAN("[") : SPAN(" ,"));
    output_value(described);
}

static int wider(int width, struct span text)
{
    return (int)text.size > width ? (int)text.size : width;
}

static void find_widths(struct listing *listing)
{
    uint64_t count = 0;
    const struct instance *each = listing->reader.registry.first;
    for (; each != NULL && count < listing->limit; each = each->next) {
        if (!is_wanted(listing, each))
            continue;
        listing->id_width = wider(listing->id_width, instance_id(each));
        listing->state_width = wider(listing->state_width, instance_state(each));
        count++;
    }
}

static void print_all(struct listing *listing)
{
    if (listing->format == OUTPUT_TEXT)
        find_widths(listing);
    const struct instance *each = listing->reader.registry.first;
    for (; each != NULL && listing->count < listing->limit; each = each->next) {
        if (!is_wanted(listing, each))
            continue;
        print_one(listing, each);
        listing->count++;
        if (listing->count % 64 == 0 && !output_flush())
            return;
    }
    if (listing->format == OUTPUT_JSON)
        output_add(listing->count == 0 ? SPAN("[]\n") : SPAN("]\n"));
}

static bool is_status(const char *name)
{
    for (enum instance_status each = 0; each < INSTANCE_STATUS_COUNT; each++) {
        if (strcmp(name, instance_status_name(each)) == 0)
            return true;
    }
    return false;
}

/* What to list, from the options; false after saying what is wrong with them. */
static bool read_filters(struct listing *listing, const struct arguments *arguments)
{
    const char *const *values = arguments->values;
    *listing = (struct listing){.state = values[STATE],
                                .status = values[STATUS],
                                .tag = values[TAG],
                                .limit = UINT64_MAX,
                                .now = clock_wall()};
    if (listing->status != NULL && !is_status(listing->status)) {
        report_problem("list: --status is active, done, error or stopped");
        return false;
    }
    if (values[LIMIT] != NULL && !options_number(values[LIMIT], UINT64_MAX, &listing->limit)) {
        report_problem("list: --limit is a whole number");
        return false;
    }
    if (values[OLDER] != NULL &&
        !time_read_duration(span_from_text(values[OLDER]), &listing->older_ms)) {
        report_problem("list: --older is a duration such as 5m");
        return false;
    }
    return true;
}

/* A state that no machine has is a typing error: nothing found would hide it. */
static bool knows_state(const struct registry *registry, const char *name)
{
    bool is_known = registry->deployments == NULL;
    for (const struct deployed *each = registry->deployments; each != NULL; each = each->next)
        is_known = is_known || machine_find_state(each->definition->machine,
                                                  span_from_text(name)) != NO_STATE;
    return is_known;
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    struct listing listing;
    if (!read_filters(&listing, arguments))
        return CLI_USAGE;
    listing.format = format;
    enum cli_exit exit = reader_open(&listing.reader, world, arguments->values[DB]);
    if (exit != CLI_OK)
        return exit;
    if (listing.state == NULL || knows_state(&listing.reader.registry, listing.state)) {
        print_all(&listing);
    } else {
        report_error(CODE_UNKNOWN, "no machine in %s has a state %s", listing.reader.path,
                     listing.state);
        exit = CLI_FAILED;
    }
    reader_close(&listing.reader);
    return exit;
}

const struct command command_list = {
    .name = "list",
    .summary = "which instances there are, and what they wait for",
    .usage =
        "[--state S] [--status S] [--tag T] [--older 5m] [--limit N] [--db PATH] [-o FORMAT]",
    .text = "Lists instances, all or those that every option fits. Works while another process "
            "runs\n"
            "them.",
    .example = "  interlock list --state CHARGING --older 5m",
    .options = options,
    .option_count = OPTION_COUNT,
    .formats = OUTPUT_BIT(OUTPUT_TEXT) | OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_NDJSON),
    .output_option = OUTPUT,
    .run = run,
};
