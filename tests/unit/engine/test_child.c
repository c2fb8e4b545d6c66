/*
 * test_child.c - machines that invoke machines, durably: what arrives, in which order, and what
 * is left of it after a crash.
 */
#include "engine/kin.h"
#include "rig.h"

/* An order with a parcel inside. The parcel asks a step, tells its parent when it is packed,
 * and waits to be delivered. */
static const char order[] =
    "{'id':'m','version':'1','context':{'packed':0,'seen':0,'got':null,'error':null},"
    "'machines':{'parcel':{'version':'1','context':{'item':'${input.item}','notes':0},"
    " 'initial':'PACKING','states':{"
    "  'PACKING':{'invoke':{'src':'pack','input':{'total':'${context.item}'},"
    "   'onDone':{'target':'WAITING','actions':[{'send':'PACKED','to':'#_parent'}]},"
    "   'onError':'BROKEN'}},"
    "  'WAITING':{'on':{'DELIVERED':'GONE','NOTE':{'assign':{'notes':'${context.notes + "
    "1}'}}}},"
    "  'BROKEN':{'always':{'target':'GONE','assign':{'item':'${1/0}'}}},"
    "  "
    "'GONE':{'type':'final'}},'output':{'item':'${context.item}','notes':'${context.notes}'}}},"
    "'initial':'NEW','states':{"
    " 'NEW':{'on':{'GO':'SHIPPING'}},"
    " 'SHIPPING':{'invoke':{'src':'parcel','id':'ship','input':{'item':7},"
    "   'onDone':{'target':'DONE','assign':{'got':'${event.output}'}},"
    "   'onError':{'target':'LOST','assign':{'error':'${event.error}'}},"
    "   'onSnapshot':{'assign':{'seen':'${context.seen + 1}'}}},"
    "  'on':{'PACKED':{'assign':{'packed':'${context.packed + 1}'}},"
    "   'TELL':{'actions':[{'send':'NOTE','to':'ship'}]},"
    "   'AGAIN':{'target':'SHIPPING','reenter':true},"
    "   'CANCEL':'NEW'}},"
    " 'LOST':{'type':'final'},'DONE':{'type':'final'}},"
    "'steps':{'pack':{'fake':{},'timeout':'20s'}}}";

/* Definitions are written with single quotes. */
static const char *json_of(const char *quoted)
{
    static char text[1 << 16];
    size_t size = strlen(quoted);
    assert_true(size < sizeof text);
    for (size_t i = 0; i <= size; i++)
        text[i] = quoted[i];
    for (size_t i = 0; i < size; i++)
        text[i] = text[i] == '\'' ? '"' : text[i];
    return text;
}

static struct fake_answer never_answers(void *context, const struct fake_call *call)
{
    (void)context;
    (void)call;
    return (struct fake_answer){.delay_ms = -1};
}

static struct fake_answer fails(void *context, const struct fake_call *call)
{
    (void)context;
    (void)call;
    return (struct fake_answer){.kind = ERROR_KIND_REJECTED};
}

static void assert_status(struct rig *rig, const char *id, enum instance_status status)
{
    assert_int_equal(rig_find(rig, id)->status, status);
}

static void assert_context(struct rig *rig, const char *id, const char *part)
{
    struct instance *instance = rig_find(rig, id);
    char *context = memory_copy_text(span_of(instance->context, instance->context_size));
    if (strstr(context, part) == NULL)
        fail_msg("%s has %s, not %s", id, context, part);
    memory_release(context);
}

static void assert_error(struct rig *rig, const char *id, const char *message)
{
    struct configuration configuration;
    assert_int_equal(instance_decode(rig_find(rig, id), &rig->arena, &configuration),
                     STATUS_OK);
    struct value told = value_member(configuration.error, SPAN("message"));
    assert_int_equal(told.kind, VALUE_STRING);
    assert_true(span_is(value_span(told), message));
}

static void send(struct rig *rig, const char *id, const char *type)
{
    rig_send(rig, id, type, "{}", "");
    rig_until_settled(rig);
}

static struct rig *open_shipping(fake_script *script)
{
    struct rig *rig = rig_open(script, json_of(order));
    rig_start(rig, "o", "{}", "GO", "{}");
    rig_until_settled(rig);
    return rig;
}

static void a_child_is_an_instance_with_its_own_history(void **state)
{
    (void)state;
    struct rig *rig = open_shipping(rig_all_well);
    rig_assert_state(rig, "o", "SHIPPING");
    rig_assert_state(rig, "o/ship.1", "WAITING");
    assert_context(rig, "o", "\"packed\":1");
    assert_ptr_equal(kin_parent(rig_find(rig, "o/ship.1")), rig_find(rig, "o"));
    send(rig, "o", "TELL");
    send(rig, "o/ship.1", "NOTE");
    assert_context(rig, "o/ship.1", "\"notes\":2");
    send(rig, "o/ship.1", "DELIVERED");
    assert_status(rig, "o/ship.1", INSTANCE_DONE);
    rig_assert_state(rig, "o", "DONE");
    assert_context(rig, "o", "\"got\":{\"item\":7,\"notes\":2}");
    assert_context(rig, "o", "\"seen\":4"); /* its start, packed, and two notes */
    rig_verify(rig);
    rig_close(rig);
}

static void who_leaves_takes_the_child_along(void **state)
{
    (void)state;
    struct rig *rig = open_shipping(never_answers);
    rig_assert_state(rig, "o/ship.1", "PACKING");
    assert_int_equal(rig->world->running, 1);
    send(rig, "o", "CANCEL");
    rig_assert_state(rig, "o", "NEW");
    assert_status(rig, "o/ship.1", INSTANCE_STOPPED);
    assert_null(rig_find(rig, "o/ship.1")->requests);
    assert_null(kin_children(rig_find(rig, "o")));
    assert_int_equal(rig->world->running, 0);
    send(rig, "o/ship.1", "DELIVERED"); /* too late */
    assert_int_equal(rig->last_outcome, OUTCOME_IGNORED);
    rig_assert_state(rig, "o", "NEW");
    rig_verify(rig);
    rig_close(rig);
}

static void each_visit_has_a_child_of_its_own(void **state)
{
    (void)state;
    struct rig *rig = open_shipping(rig_all_well);
    send(rig, "o", "AGAIN");
    assert_status(rig, "o/ship.1", INSTANCE_STOPPED);
    rig_assert_state(rig, "o/ship.2", "WAITING");
    send(rig, "o", "TELL");
    assert_context(rig, "o/ship.1", "\"notes\":0");
    assert_context(rig, "o/ship.2", "\"notes\":1");
    rig_verify(rig);
    rig_close(rig);
}

static void a_child_that_fails_is_an_error_of_its_parent(void **state)
{
    (void)state;
    struct rig *rig = open_shipping(fails);
    assert_status(rig, "o/ship.1", INSTANCE_ERROR);
    rig_assert_state(rig, "o", "LOST");
    assert_context(rig, "o", "\"kind\":\"execution\"");
    rig_verify(rig);
    rig_close(rig);
}

static void families_are_there_again_after_a_crash(void **state)
{
    (void)state;
    struct rig *rig = open_shipping(rig_all_well);
    rig_crash(rig);
    rig_open_engine(rig, NULL);
    assert_ptr_equal(kin_parent(rig_find(rig, "o/ship.1")), rig_find(rig, "o"));
    send(rig, "o/ship.1", "DELIVERED");
    rig_assert_state(rig, "o", "DONE");
    rig_verify(rig);
    rig_close(rig);
}

static void the_same_id_is_never_taken_twice(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, json_of(order));
    rig_start(rig, "o/ship.1", "{}", "", "");
    rig_start(rig, "o", "{}", "GO", "{}");
    rig_until_settled(rig);
    rig_assert_state(rig, "o/ship.1", "NEW");
    rig_assert_state(rig, "o", "LOST");
    assert_context(rig, "o", "there is an instance o/ship.1 already");
    rig_verify(rig);
    rig_close(rig);
}

/* Spawned children are sent events by their ids, and stopped. */
static const char spawner[] =
    "{'id':'m','version':'1','context':{'heard':0},"
    "'machines':{'echo':{'version':'1','context':{'n':0},'initial':'A','states':{'A':{'on':{"
    "  'PING':{'assign':{'n':'${context.n + 1}'},'actions':[{'send':'PONG','to':'#_parent'}]},"
    "  'END':'Z'}},'Z':{'type':'final'}}}},"
    "'initial':'A','states':{'A':{'on':{"
    " 'MAKE':{'actions':[{'spawn':'echo','id':'e'},{'send':'PING','to':'e'}]},"
    " 'PONG':{'assign':{'heard':'${context.heard + 1}'}},"
    " 'PING':{'actions':[{'send':'PING','to':'e'}]},"
    " 'LATER':{'actions':[{'send':'PING','to':'e','delay':'30ms'}]},"
    " 'UNMAKE':{'actions':[{'stop':'e'}]},"
    " 'END':'Z'}},'Z':{'type':'final'}}}";

static void spawned_children_are_sent_events_and_stopped(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, json_of(spawner));
    rig_start(rig, "o", "{}", "MAKE", "{}");
    rig_until_settled(rig);
    assert_context(rig, "o/e.1", "\"n\":1");
    assert_context(rig, "o", "\"heard\":1");
    send(rig, "o", "PING");
    assert_context(rig, "o", "\"heard\":2");
    send(rig, "o", "LATER");
    assert_context(rig, "o", "\"heard\":3");
    send(rig, "o", "UNMAKE");
    assert_status(rig, "o/e.1", INSTANCE_STOPPED);
    send(rig, "o", "PING"); /* there is nobody called so */
    assert_int_equal(rig->last_outcome, OUTCOME_FAILED);
    send(rig, "o", "MAKE");
    send(rig, "o", "END");
    assert_status(rig, "o", INSTANCE_DONE);
    rig_verify(rig);
    for (struct instance *one = engine_registry(rig->engine)->first; one != NULL;
         one = one->next)
        assert_int_not_equal(one->status, INSTANCE_ACTIVE);
    rig_close(rig);
}

/* Two that never stop answering each other. */
static const char quarrel[] =
    "{'id':'m','version':'1',"
    "'machines':{'other':{'version':'1','initial':'A','states':{'A':{'on':{"
    "  'A':{'actions':[{'send':'B','to':'#_parent'}]}}}}}},"
    "'initial':'A','states':{'A':{'invoke':{'src':'other','id':'x'},'on':{"
    " 'GO':{'actions':[{'send':'A','to':'x'}]},'B':{'actions':[{'send':'A','to':'x'}]}}}}}";

static void a_family_that_does_not_come_to_rest_is_stopped(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, json_of(quarrel));
    rig_start(rig, "o", "{}", "GO", "{}");
    rig_until_settled(rig);
    assert_int_not_equal(rig_find(rig, "o")->status, INSTANCE_ACTIVE);
    assert_int_not_equal(rig_find(rig, "o/x.1")->status, INSTANCE_ACTIVE);
    assert_error(rig, "o", "the family does not come to rest");
    rig_verify(rig);
    rig_close(rig);
}

/* Children of children without end. */
static const char dynasty[] =
    "{'id':'m','version':'1','context':{'error':null},'machines':{'me':'m'},'initial':'A',"
    "'states':{'A':{'invoke':{'src':'me','id':'x','onError':{'target':'Z','assign':{'error':"
    "'${event.error.message}'}}},'on':{'END':'Z'}},'Z':{'type':'final'}}}";

static void children_of_children_have_a_limit(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, json_of(dynasty));
    rig_start(rig, "o", "{}", "", "");
    rig_until_settled(rig);
    uint32_t depth = 0;
    struct instance *one = rig_find(rig, "o");
    for (; one->kin != NULL && one->kin->children != NULL; one = one->kin->children)
        depth++;
    assert_int_equal(depth, FAMILY_DEPTH_MAX - 1); /* the last found no room and ended */
    send(rig, "o", "END");
    for (one = engine_registry(rig->engine)->first; one != NULL; one = one->next)
        assert_int_not_equal(one->status, INSTANCE_ACTIVE);
    rig_verify(rig);
    rig_close(rig);
}

static void a_machine_that_nobody_knows_is_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, json_of(spawner));
    rig->replies[ANSWER_REFUSED] = 0;
    rig_deploy(rig, json_of("{'id':'n','machines':{'x':'nobody@2'},'initial':'A','states':{"
                            "'A':{'invoke':{'src':'x'}}}}"));
    rig_until_replies(rig, ANSWER_REFUSED, 1);
    assert_string_equal(rig->message, "machine n invokes nobody@2, which is not deployed");
    rig_close(rig);
}

enum { ORDERS = 3 };

static void name_child(char name[32], int number)
{
    snprintf(name, 32, "%d/ship.1", number);
}

static bool is_child_at(struct rig *rig, int number, const char *state)
{
    char name[32];
    name_child(name, number);
    const struct instance *child =
        registry_find(engine_registry(rig->engine), span_from_text(name));
    return child != NULL && span_is(instance_path(child), state);
}

/* Rounds until every order's child stands in a state, or the store has failed. */
static void until_children(struct rig *rig, const char *state)
{
    for (int i = 0; i < ORDERS; i++) {
        while (!rig->is_broken && !is_child_at(rig, i, state))
            loop_run_once(rig->loop, true);
    }
}

/* May be done again: what was accepted before is not done twice. */
static void deliver_orders(struct rig *rig)
{
    for (int i = 0; i < ORDERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        rig_start(rig, id, "{}", "", "");
        rig_send(rig, id, "GO", "{}", "go");
        rig_send(rig, id, "TELL", "{}", "tell");
    }
    if (rig->is_broken || !is_child_at(rig, 0, "GONE"))
        until_children(rig, "WAITING");
    for (int i = 0; i < ORDERS && !rig->is_broken; i++) {
        char name[32];
        name_child(name, i);
        rig_send(rig, name, "DELIVERED", "{}", "delivered");
    }
    rig_until_final(rig, 2 * ORDERS);
}

/* Whatever commit fails, and whether it was written: nothing is lost, nothing is told twice. */
static bool survive_failure(uint64_t number, bool is_written)
{
    struct rig *rig = rig_open(rig_all_well, json_of(order));
    rig_fail_commit(rig, number, STATUS_UNKNOWN, is_written);
    deliver_orders(rig);
    rig_until_settled(rig); /* the last commit is of rows alone */
    bool has_failed = rig->is_broken;
    if (has_failed) {
        rig_crash(rig);
        rig_fail_commit(rig, 0, STATUS_OK, false);
        rig_open_engine(rig, json_of(order));
        deliver_orders(rig);
    }
    for (int i = 0; i < ORDERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        rig_assert_state(rig, id, "DONE");
        assert_context(rig, id, "\"packed\":1");
    }
    assert_int_equal(engine_registry(rig->engine)->instance_count, 2 * ORDERS);
    rig_verify(rig);
    rig_close(rig);
    return has_failed;
}

static void nothing_is_lost_whatever_commit_fails(void **state)
{
    (void)state;
    uint64_t number = 1;
    while (survive_failure(number, number % 2 == 0))
        number++;
    assert_true(number > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_is_an_instance_with_its_own_history),
        cmocka_unit_test(who_leaves_takes_the_child_along),
        cmocka_unit_test(each_visit_has_a_child_of_its_own),
        cmocka_unit_test(a_child_that_fails_is_an_error_of_its_parent),
        cmocka_unit_test(families_are_there_again_after_a_crash),
        cmocka_unit_test(the_same_id_is_never_taken_twice),
        cmocka_unit_test(spawned_children_are_sent_events_and_stopped),
        cmocka_unit_test(a_family_that_does_not_come_to_rest_is_stopped),
        cmocka_unit_test(children_of_children_have_a_limit),
        cmocka_unit_test(a_machine_that_nobody_knows_is_refused),
        cmocka_unit_test(nothing_is_lost_whatever_commit_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
