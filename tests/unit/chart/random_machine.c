/*
 * random_machine.c - dice that write definitions.
 */
#include "random_machine.h"

enum { STATES_SHOWN = 12, EVENTS_SHOWN = 5, NUMBERS_SHOWN = 7, DEPTH_SHOWN = 4 };

struct maker {
    struct random *random;
    struct text text;
    uint32_t count;
    uint32_t parent[STATES_SHOWN]; /* of state i; 0 is the root */
    uint32_t depth[STATES_SHOWN];
    bool is_final[STATES_SHOWN];
};

static uint32_t dice(struct random *random, uint32_t sides)
{
    return (uint32_t)random_up_to(random, sides - 1);
}

static uint32_t child_count(const struct maker *maker, uint32_t state)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i < maker->count; i++)
        count += maker->parent[i] == state;
    return count;
}

static void plant(struct maker *maker)
{
    maker->count = 2 + dice(maker->random, STATES_SHOWN - 2);
    for (uint32_t i = 1; i < maker->count; i++) {
        uint32_t parent = dice(maker->random, i);
        while (maker->depth[parent] >= DEPTH_SHOWN)
            parent = maker->parent[parent];
        maker->parent[i] = parent;
        maker->depth[i] = maker->depth[parent] + 1;
    }
    for (uint32_t i = 1; i < maker->count; i++)
        maker->is_final[i] = child_count(maker, i) == 0 && dice(maker->random, 5) == 0;
}

/* Beginnings of guards; a number and the end follow. */
static void add_guard(struct maker *maker)
{
    static const char *const guards[] = {"context.n >",
                                         "context.n ==",
                                         "context.n <",
                                         "event.n ==",
                                         "context.missing >",
                                         "In('S1') || context.n >",
                                         "!named || context.n <",
                                         "named && context.n >",
                                         "now > timestamp(0) || 1 =="};
    uint32_t which = dice(maker->random, COUNT(guards));
    uint32_t number = dice(maker->random, NUMBERS_SHOWN);
    text_format(&maker->text, "\"guard\":\"%s %u\",", guards[which], number);
}

static void add_assign(struct maker *maker)
{
    static const char *const assigns[] = {
        "{\"n\":\"${(context.n + 1) % 7}\"}", "{\"n\":\"${event.n}\"}",
        "[{\"n\":3},{\"seen\":\"${context.n}\"}]", "{\"seen\":\"${event.type} ${context.n}\"}",
        "{\"seen\":\"${[context.n, {'in': context.n}]}\"}"};
    text_format(&maker->text, "\"assign\":%s,", assigns[dice(maker->random, COUNT(assigns))]);
}

static void add_path(struct maker *maker, uint32_t state)
{
    if (maker->parent[state] != 0) {
        add_path(maker, maker->parent[state]);
        text_add(&maker->text, SPAN("."));
    }
    text_format(&maker->text, "S%u", state);
}

static void add_transition(struct maker *maker, bool must_be_guarded)
{
    struct random *random = maker->random;
    text_add(&maker->text, SPAN("{"));
    if (must_be_guarded || dice(random, 2) == 0)
        add_guard(maker);
    if (dice(random, 3) == 0)
        add_assign(maker);
    if (dice(random, 6) == 0)
        text_add(&maker->text, SPAN("\"reenter\":true,"));
    if (dice(random, 5) == 0) {
        text_add(&maker->text, SPAN("\"meta\":0}"));
        return;
    }
    text_add(&maker->text, SPAN("\"target\":\"#m"));
    uint32_t target = dice(random, maker->count);
    if (target > 0) {
        text_add(&maker->text, SPAN("."));
        add_path(maker, target);
    }
    text_add(&maker->text, SPAN("\"}"));
}

static void add_transitions(struct maker *maker)
{
    text_add(&maker->text, SPAN("["));
    for (uint32_t i = 0, count = 1 + dice(maker->random, 3); i < count; i++) {
        text_add(&maker->text, i == 0 ? SPAN("") : SPAN(","));
        add_transition(maker, false);
    }
    text_add(&maker->text, SPAN("]"));
}

static void add_reactions(struct maker *maker, uint32_t state)
{
    struct random *random = maker->random;
    struct text *text = &maker->text;
    text_add(text, SPAN(",\"on\":{"));
    for (uint32_t event = 0, added = 0; event < EVENTS_SHOWN; event++) {
        if (dice(random, 3) == 0)
            continue;
        text_add(text, added++ == 0 ? SPAN("") : SPAN(","));
        if (event == 0)
            text_add(text, SPAN("\"*\":"));
        else
            text_format(text, "\"E%u\":", event);
        add_transitions(maker);
    }
    text_add(text, SPAN("}"));
    if (dice(random, 4) == 0) {
        text_add(text, SPAN(",\"always\":"));
        add_transition(maker, true);
    }
    if (dice(random, 3) == 0) {
        text_format(text, ",\"after\":{\"%us\":", 1 + dice(random, 3));
        add_transitions(maker);
        text_add(text, SPAN(",\"500\":"));
        add_transition(maker, false);
        text_add(text, SPAN("}"));
    }
    if (dice(random, 3) == 0) {
        text_format(text,
                    ",\"invoke\":{\"src\":\"s%u\",\"input\":\"${context.n%s}\",\"onDone\":",
                    state, dice(random, 4) == 0 ? ".broken" : "");
        add_transition(maker, false);
        text_add(text, SPAN(",\"onError\":"));
        add_transition(maker, false);
        text_add(text, SPAN("}"));
    }
}

static void add_state(struct maker *maker, uint32_t state)
{
    struct text *text = &maker->text;
    uint32_t children = child_count(maker, state);
    if (maker->is_final[state]) {
        text_add(text, SPAN("\"type\":\"final\",\"output\":\"${context.n}\""));
        return;
    }
    text_format(text, "\"tags\":[\"t%u\",\"all\"]", state);
    add_reactions(maker, state);
    if (children == 0)
        return;
    if (state != 0 && dice(maker->random, 2) == 0) {
        text_add(text, SPAN(",\"onDone\":"));
        add_transition(maker, false);
    }
    uint32_t chosen = dice(maker->random, children);
    for (uint32_t i = 1, n = 0; i < maker->count; i++) {
        if (maker->parent[i] == state && n++ == chosen)
            text_format(text, ",\"initial\":\"S%u\"", i);
    }
    text_add(text, SPAN(",\"states\":{"));
    for (uint32_t i = 1, n = 0; i < maker->count; i++) {
        if (maker->parent[i] != state)
            continue;
        text_format(text, "%s\"S%u\":{", n++ == 0 ? "" : ",", i);
        add_state(maker, i);
        text_add(text, SPAN("}"));
    }
    text_add(text, SPAN("}"));
}

struct span random_machine(struct random *random, struct arena *arena)
{
    struct maker maker = {.random = random};
    text_init(&maker.text, arena);
    plant(&maker);
    text_add(&maker.text, SPAN("{\"id\":\"m\",\"context\":{\"n\":0,\"seen\":null},"
                               "\"guards\":{\"named\":\"context.n > 2 || event.n > 1\"},"));
    add_state(&maker, 0);
    text_add(&maker.text, SPAN("}"));
    return text_span(&maker.text);
}

static struct event of_outside(struct random *random, struct arena *arena)
{
    struct event event = {.kind = EVENT_EXTERNAL};
    event.type = text_print(arena, "E%u", dice(random, EVENTS_SHOWN + 2));
    event.payload =
        dice(random, 4) == 0
            ? value_map(NULL, 0)
            : fixture_json(arena, text_print(arena, "{\"n\":%u}", dice(random, NUMBERS_SHOWN)));
    return event;
}

struct event random_event(struct random *random, const struct configuration *configuration,
                          struct arena *arena)
{
    const struct armed_timer *timer = configuration_next_timer(configuration);
    uint64_t stray = random_up_to(random, configuration->next_number + 1);
    uint32_t kind = dice(random, 8);
    if (kind == 0 && timer != NULL)
        return (struct event){.kind = EVENT_TIMER, .number = timer->number};
    if (kind == 1)
        return (struct event){.kind = EVENT_TIMER, .number = stray};
    if (kind > 4)
        return of_outside(random, arena);
    if (kind > 2 && configuration->invocation_count > 0)
        stray =
            configuration->invocations[dice(random, configuration->invocation_count)].number;
    bool is_done = dice(random, 2) == 0;
    return (struct event){
        .kind = is_done ? EVENT_DONE : EVENT_ERROR,
        .number = stray,
        .payload =
            fixture_json(arena, is_done ? SPAN("{\"n\":3}") : SPAN("{\"kind\":\"timeout\"}"))};
}
