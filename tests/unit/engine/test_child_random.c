/*
 * test_child_random.c - families at random: the engine and `step` give the same answers.
 *
 * Both carry the same letters, the one in batches of a store and over crashes, the other in a
 * queue. Every member keeps a log of what it took, and tells its parent when it ends or is
 * asked, so an order that differs anywhere is seen at the top.
 */
#include "base/random.h"
#include "engine/kin.h"
#include "rig.h"

enum { FAMILIES = 40, EVENTS = 12, STATES = 3, LEVELS = 3, TURNS_MAX = 30 };

static uint32_t below(struct random *random, uint32_t limit)
{
    return (uint32_t)(random_next(random) % limit);
}

static void add_send(struct random *random, struct text *text, uint32_t level)
{
    static const char *const children[] = {"kid0", "kid1", "other"};
    if (level > 0 && below(random, 2) == 0)
        text_format(text,
                    "{\"send\":{\"type\":\"U%u\",\"log\":\"${context.log}\"},\"to\":"
                    "\"#_parent\"}",
                    below(random, 2));
    else
        text_format(text, "{\"send\":\"D%u\",\"to\":\"#_%s\"}", below(random, 2),
                    children[below(random, 3)]);
}

static void add_action(struct random *random, struct text *text, uint32_t level)
{
    bool has_kids = level + 1 < LEVELS;
    switch (below(random, has_kids ? 6 : 3)) {
    case 0:
    case 1:
    case 2:
        add_send(random, text, level);
        return;
    case 3:
        text_add(text, SPAN("{\"spawn\":\"child\",\"id\":\"other\",\"input\":7}"));
        return;
    case 4:
        text_add(text, SPAN("{\"stop\":\"other\"}"));
        return;
    default:
        text_format(text, "{\"raise\":\"D%u\"}", below(random, 2));
        return;
    }
}

/* The counter ends what would go on for ever. */
static void add_transition(struct random *random, struct text *text, uint32_t level,
                           bool is_scxml, const char *mark)
{
    text_format(text, "{\"guard\":\"context.n < %d\",\"assign\":{\"n\":\"${context.n + 1}\",",
                TURNS_MAX);
    text_format(text, "\"log\":\"${context.log + '%s'}\"}", mark);
    if (below(random, 3) != 0)
        text_format(text, ",\"target\":\"%sS%u\"", is_scxml ? "#" : "", below(random, STATES));
    if (below(random, 3) == 0)
        text_add(text, SPAN(",\"reenter\":true"));
    text_add(text, SPAN(",\"actions\":["));
    uint32_t count = below(random, 3);
    for (uint32_t i = 0; i < count; i++) {
        text_add(text, i == 0 ? SPAN("") : SPAN(","));
        add_action(random, text, level);
    }
    text_add(text, SPAN("]}"));
}

static void add_handler(struct random *random, struct text *text, uint32_t level, bool is_scxml,
                        const char *event)
{
    if (below(random, 2) != 0)
        return;
    text_format(text, ",\"%s\":", event);
    add_transition(random, text, level, is_scxml, event);
}

static void add_invoke(struct random *random, struct text *text, uint32_t level, bool is_scxml,
                       int state)
{
    text_format(text, ",\"invoke\":{\"src\":\"child\",\"id\":\"kid%d\",\"input\":3", state);
    if (is_scxml && below(random, 2) == 0)
        text_add(text, SPAN(",\"autoForward\":true"));
    text_add(text, SPAN(",\"onDone\":"));
    add_transition(random, text, level, is_scxml, "done ");
    text_add(text, SPAN(",\"onError\":"));
    add_transition(random, text, level, is_scxml, "error ");
    if (!is_scxml && below(random, 3) == 0) {
        text_add(text, SPAN(",\"onSnapshot\":"));
        add_transition(random, text, level, is_scxml, "seen ");
    }
    text_add(text, SPAN("}"));
}

static void add_state(struct random *random, struct text *text, uint32_t level, bool is_scxml,
                      int state)
{
    static const char *const events[] = {"D0", "D1", "U0", "U1", "done.invoke.other"};
    text_add(text, SPAN("\"on\":{\"none\":{}"));
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        add_handler(random, text, level, is_scxml, events[i]);
    text_add(text, SPAN("}"));
    if (level + 1 < LEVELS && below(random, 3) != 0)
        add_invoke(random, text, level, is_scxml, state);
    if (below(random, 4) == 0) {
        text_add(text, SPAN(",\"entry\":["));
        add_send(random, text, level);
        text_add(text, SPAN("]"));
    }
}

static void add_machine(struct random *random, struct text *text, uint32_t level)
{
    bool is_scxml = below(random, 3) == 0;
    text_format(text, "{\"id\":\"%s\",\"semantics\":\"%s\",", level == 0 ? "m" : "child",
                is_scxml ? "scxml" : "xstate");
    if (is_scxml)
        text_add(text, SPAN("\"data\":[\"n\",\"log\"],"));
    text_add(text, SPAN("\"context\":{\"n\":0,\"log\":\"\"},\"output\":\"${context.log}\","));
    if (level + 1 < LEVELS) {
        text_add(text, SPAN("\"machines\":{\"child\":"));
        add_machine(random, text, level + 1);
        text_add(text, SPAN("},"));
    }
    text_format(text, "\"initial\":\"%sS0\",\"states\":{", is_scxml ? "#" : "");
    for (int i = 0; i < STATES; i++) {
        text_format(text, "\"S%d\":{", i);
        if (is_scxml)
            text_format(text, "\"id\":\"S%d\",", i);
        if (i + 1 == STATES && level > 0)
            text_add(text, SPAN("\"type\":\"final\""));
        else
            add_state(random, text, level, is_scxml, i);
        text_add(text, i + 1 == STATES ? SPAN("}}") : SPAN("},"));
    }
    text_add(text, SPAN("}"));
}

/* The family of `step`. */
struct other {
    struct family family;
    struct arena arena;
    const struct machine *machine;
    bool is_endless;
};

static enum family_source find(void *context, const struct machine *parent, struct span source,
                               struct arena *arena, const struct machine **machine)
{
    struct diagnostics diagnostics;
    (void)context;
    diagnostics_init(&diagnostics, arena);
    const struct node *node = node_find(parent->machines, source);
    *machine = node == NULL ? NULL : machine_load(node, arena, &diagnostics);
    return *machine == NULL ? FAMILY_BROKEN : FAMILY_CHILD;
}

static void ignore_plan(void *context, const struct plan *plan, instant_ms now)
{
    (void)context;
    (void)plan;
    (void)now;
}

static void open_other(struct other *other, struct span definition)
{
    struct family_host host = {find, ignore_plan, NULL};
    struct diagnostics diagnostics;
    arena_open(&other->arena, DEFINITION_ARENA_BYTES);
    diagnostics_init(&diagnostics, &other->arena);
    const struct node *root =
        json_read_tree(definition, SPAN("test"), &other->arena, &diagnostics);
    other->machine = root == NULL ? NULL : machine_load(root, &other->arena, &diagnostics);
    if (other->machine == NULL)
        fail_msg("%.*s in %.*s", SPAN_ARGS(diagnostics.first->message), SPAN_ARGS(definition));
    other->is_endless = !family_open(&other->family, other->machine, &host, value_null());
}

static void send_other(struct other *other, const char *type)
{
    struct event event = {
        .kind = EVENT_EXTERNAL, .type = span_from_text(type), .payload = value_map(NULL, 0)};
    other->is_endless = !family_send(&other->family, &event) || other->is_endless;
}

static void describe(const struct configuration *configuration, struct arena *arena,
                     struct text *text)
{
    text_format(text, "%s ", instance_status_name(configuration->status));
    json_write(text, configuration_value(configuration, arena));
    json_write(text, configuration->context);
}

/* Links are as kin.h says, and an invocation has its child. */
static void check_links(struct rig *rig)
{
    struct registry *registry = engine_registry(rig->engine);
    for (struct instance *one = registry->first; one != NULL; one = one->next) {
        struct configuration now;
        arena_clear(&rig->arena);
        assert_int_equal(instance_decode(one, &rig->arena, &now), STATUS_OK);
        uint32_t children = one->kin == NULL ? 0 : one->kin->child_count;
        assert_int_equal(children, now.invocation_count);
        for (uint32_t i = 0; i < now.invocation_count; i++)
            assert_non_null(kin_find(one, now.invocations[i].number));
        if (kin_is_child(one))
            assert_true((kin_find(kin_parent(one), one->kin->invocation) == one) ==
                        (one->status == INSTANCE_ACTIVE));
    }
}

static void compare(struct rig *rig, struct other *other, struct span definition)
{
    struct text ours;
    struct text theirs;
    struct configuration now;
    arena_clear(&rig->arena);
    text_init(&ours, &rig->arena);
    text_init(&theirs, &rig->arena);
    assert_int_equal(instance_decode(rig_find(rig, "o"), &rig->arena, &now), STATUS_OK);
    describe(&now, &rig->arena, &ours);
    now = family_first(&other->family, &rig->arena);
    describe(&now, &rig->arena, &theirs);
    if (!span_equal(text_span(&ours), text_span(&theirs)))
        fail_msg("the engine: %s\nstep: %s\nof %.*s", ours.bytes, theirs.bytes,
                 SPAN_ARGS(definition));
}

/* Returns the events that somebody of the family took. */
static uint64_t run_family(uint64_t seed)
{
    struct random random = {seed};
    struct text definition;
    struct other other;
    text_init(&definition, NULL);
    add_machine(&random, &definition, 0);
    if (getenv("DUMP")) {
        puts(definition.bytes);
        fflush(stdout);
    }
    open_other(&other, text_span(&definition));
    if (family_status(&other.family) == INSTANCE_ERROR) { /* the engine refuses such a start */
        family_close(&other.family);
        arena_close(&other.arena);
        text_fini(&definition);
        return 0;
    }
    struct rig *rig = rig_open(rig_all_well, definition.bytes);
    rig_start(rig, "o", "null", "", "");
    rig_until_replies(rig, ANSWER_OK, 2);
    for (uint64_t i = 0; i < EVENTS; i++) {
        char type[4];
        snprintf(type, sizeof type, "%s%u", below(&random, 4) == 0 ? "U" : "D",
                 below(&random, 2));
        send_other(&other, type);
        rig_send(rig, "o", type, "{}", "");
        rig_until_replies(rig, ANSWER_OK, 3 + i);
        if (below(&random, 6) == 0) {
            rig_crash(rig);
            rig_open_engine(rig, NULL);
        }
    }
    assert_false(other.is_endless);
    compare(rig, &other, text_span(&definition));
    check_links(rig);
    uint64_t turns = rig_find(rig, "o")->seq;
    struct arena arena;
    arena_open(&arena, HISTORY_ARENA_BYTES);
    struct registry *registry = engine_registry(rig->engine);
    for (struct instance *one = registry->first; one != NULL; one = one->next)
        assert_int_equal(history_verify(registry, one, &arena), STATUS_OK);
    arena_close(&arena);
    rig_close(rig);
    family_close(&other.family);
    arena_close(&other.arena);
    text_fini(&definition);
    return turns;
}

static void the_engine_and_step_agree_on_families(void **state)
{
    uint64_t turns = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= FAMILIES; seed++)
        turns += run_family(seed);
    assert_true(turns > (uint64_t)FAMILIES * EVENTS / 2); /* some do not even start */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_and_step_agree_on_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
