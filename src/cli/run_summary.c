/*
 * run_summary.c - counting instances by where they are.
 *
 *     state       instances       p50       p99
 *     COMPLETED         962    212 ms     3.1 s
 *     FAILED             38    190 ms     2.9 s
 *     never ran           0
 */
#include "cli/run_summary.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cli/instance_text.h"
#include "os/os.h"

enum { DESCRIBE_ARENA_BYTES = 1 << 30 };

/* All instances that are in one state in one way. */
struct group {
    struct span state;
    enum run_place place;
    enum instance_status status;
    uint32_t leaf; /* for the order of the groups */
    const struct instance *sample;
    duration_ms *durations;
    size_t count;
    size_t capacity;
};

struct tally {
    const struct run_summary *summary;
    struct group *groups;
    size_t count;
    size_t capacity;
    uint64_t never_ran;
    uint64_t failed; /* status error */
    uint64_t waiting;
    uint64_t unfinished;
    struct arena arena;
};

static struct group *find_group(struct tally *tally, const struct instance *instance,
                                enum run_place place)
{
    struct span state = instance_state(instance);
    for (size_t i = 0; i < tally->count; i++) {
        struct group *group = &tally->groups[i];
        if (group->place == place && group->status == instance->status &&
            span_equal(group->state, state))
            return group;
    }
    memory_reserve(tally->groups, tally->count, tally->capacity);
    struct group *added = &tally->groups[tally->count++];
    *added = (struct group){.state = state,
                            .place = place,
                            .status = instance->status,
                            .leaf = instance->leaf,
                            .sample = instance};
    return added;
}

static void count_instance(struct tally *tally, const struct instance *instance)
{
    enum run_place place = run_place_of(waiting_rest(instance));
    struct group *group = find_group(tally, instance, place);
    memory_reserve(group->durations, group->count, group->capacity);
    group->durations[group->count++] = instance->updated - instance->created;
    tally->failed += instance->status == INSTANCE_ERROR;
    tally->waiting += place == RUN_EVENT;
    tally->unfinished += place == RUN_WORKING || place == RUN_TIMER;
}

static int by_duration(const void *a, const void *b)
{
    const duration_ms *left = a;
    const duration_ms *right = b;
    return (*left > *right) - (*left < *right);
}

/* What is final first, then in the order of the definition. */
static int by_place(const void *a, const void *b)
{
    const struct group *left = a;
    const struct group *right = b;
    if (left->place != right->place)
        return left->place == RUN_FINAL ? -1 : right->place == RUN_FINAL ? 1 : 0;
    return (left->leaf > right->leaf) - (left->leaf < right->leaf);
}

static void count_all(struct tally *tally)
{
    const struct run_record *record = tally->summary->records->first;
    for (; record != NULL; record = record->next) {
        const struct instance *instance =
            registry_find(tally->summary->registry, run_record_id(record));
        if (record->place == RUN_CONFLICT || record->place == RUN_REFUSED ||
            record->place == RUN_LATER)
            continue;
        if (instance == NULL)
            tally->never_ran++;
        else
            count_instance(tally, instance);
    }
    tally->never_ran += tally->summary->unread;
    for (size_t i = 0; i < tally->count; i++)
        qsort(tally->groups[i].durations, tally->groups[i].count, sizeof(duration_ms),
              by_duration);
    if (tally->count > 0)
        qsort(tally->groups, tally->count, sizeof *tally->groups, by_place);
}

/* The nearest rank. */
static duration_ms percentile(const struct group *group, size_t percent)
{
    return group->durations[(group->count * percent + 99) / 100 - 1];
}

static void add_waits(struct tally *tally, const struct group *group, struct text *text)
{
    arena_clear(&tally->arena);
    struct value described =
        waiting_describe(tally->summary->registry, group->sample, clock_wall(), &tally->arena);
    instance_add_waits(text, value_member(described, SPAN("waiting")));
}

static void add_group(struct tally *tally, const struct group *group, int width,
                      struct text *text)
{
    struct text p50;
    struct text p99;
    text_init(&p50, NULL);
    text_init(&p99, NULL);
    instance_add_duration(&p50, percentile(group, 50));
    instance_add_duration(&p99, percentile(group, 99));
    text_format(text, "%-*.*s  %9zu", width, (int)group->state.size, group->state.text,
                group->count);
    if (group->place == RUN_FINAL)
        text_format(text, "  %8.*s  %8.*s", SPAN_ARGS(text_span(&p50)),
                    SPAN_ARGS(text_span(&p99)));
    if (group->place == RUN_FINAL && group->status != INSTANCE_DONE)
        text_format(text, "  %s", instance_status_name(group->status));
    if (group->place != RUN_FINAL) {
        text_add(text, SPAN("  waits for "));
        add_waits(tally, group, text);
    }
    text_add_byte(text, '\n');
    text_fini(&p50);
    text_fini(&p99);
}

static void add_count(struct text *text, int width, const char *name, uint64_t count)
{
    text_format(text, "%-*s  %9" PRIu64 "\n", width, name, count);
}

static void print_text(struct tally *tally)
{
    const struct run_summary *summary = tally->summary;
    uint64_t conflicts = summary->records->counts[RUN_CONFLICT];
    uint64_t later = summary->records->counts[RUN_LATER];
    struct text text;
    int width = (int)sizeof "bad records" - 1;
    text_init(&text, NULL);
    for (size_t i = 0; i < tally->count; i++)
        width =
            (int)tally->groups[i].state.size > width ? (int)tally->groups[i].state.size : width;
    text_format(&text, "%-*s  %9s  %8s  %8s\n", width, "state", "instances", "p50", "p99");
    for (size_t i = 0; i < tally->count; i++)
        add_group(tally, &tally->groups[i], width, &text);
    add_count(&text, width, "never ran", tally->never_ran);
    if (summary->bad > 0)
        add_count(&text, width, "bad records", summary->bad);
    if (conflicts > 0)
        add_count(&text, width, "conflicts", conflicts);
    if (later > 0)
        add_count(&text, width, "not let in", later);
    if (summary->resumed > 0)
        text_format(&text, "resumed: %" PRIu64 " were finished before\n", summary->resumed);
    if (summary->dropped > 0)
        text_format(&text, "dropped: %" PRIu64 " events came too late for a child or parent\n",
                    summary->dropped);
    if (summary->is_stopped)
        text_add(&text, SPAN("stopped: run the same command again to go on\n"));
    output_add(text_span(&text));
    text_fini(&text);
}

static struct value count_value(uint64_t count)
{
    return value_int((int64_t)count);
}

static struct value describe_group(const struct group *group, struct arena *arena)
{
    struct value value = value_map(NULL, 0);
    bool is_final = group->place == RUN_FINAL;
    value = value_with(arena, value, SPAN("state"), value_string(group->state));
    value = value_with(arena, value, SPAN("status"),
                       value_string(span_from_text(instance_status_name(group->status))));
    value = value_with(arena, value, SPAN("count"), count_value(group->count));
    if (is_final) {
        value = value_with(arena, value, SPAN("p50_ms"), value_int(percentile(group, 50)));
        value = value_with(arena, value, SPAN("p99_ms"), value_int(percentile(group, 99)));
    }
    return value;
}

static void print_json(struct tally *tally)
{
    const struct run_summary *summary = tally->summary;
    struct arena *arena = &tally->arena;
    struct value *groups = arena_new_array(arena, tally->count, struct value);
    for (size_t i = 0; i < tally->count; i++)
        groups[i] = describe_group(&tally->groups[i], arena);
    const struct value_entry members[] = {
        {value_string(SPAN("states")), value_list(groups, tally->count)},
        {value_string(SPAN("waiting")), count_value(tally->waiting)},
        {value_string(SPAN("unfinished")), count_value(tally->unfinished)},
        {value_string(SPAN("never_ran")), count_value(tally->never_ran)},
        {value_string(SPAN("bad_records")), count_value(summary->bad)},
        {value_string(SPAN("conflicts")), count_value(summary->records->counts[RUN_CONFLICT])},
        {value_string(SPAN("not_let_in")), count_value(summary->records->counts[RUN_LATER])},
        {value_string(SPAN("resumed")), count_value(summary->resumed)},
        {value_string(SPAN("dropped")), count_value(summary->dropped)},
        {value_string(SPAN("stopped")), value_bool(summary->is_stopped)},
    };
    output_value(value_map(members, sizeof members / sizeof members[0]));
}

bool run_summary_print(const struct run_summary *summary, enum output_format format)
{
    struct tally tally = {.summary = summary};
    arena_open(&tally.arena, DESCRIBE_ARENA_BYTES);
    count_all(&tally);
    if (format == OUTPUT_JSON)
        print_json(&tally);
    else
        print_text(&tally);
    for (size_t i = 0; i < tally.count; i++)
        memory_release(tally.groups[i].durations);
    memory_release(tally.groups);
    arena_close(&tally.arena);
    return tally.never_ran + tally.failed + tally.waiting + tally.unfinished + summary->bad +
               summary->records->counts[RUN_CONFLICT] + summary->records->counts[RUN_LATER] ==
           0;
}
