/*
 * test_engine_record.c - instances that follow a record: patches, over crashes too.
 */
#include "base/json_merge.h"
#include "base/random.h"
#include "rig.h"

/* PACKING asks the step; nothing passes it by without a label. */
#define ORDER(on_error)                                                                       \
    "{\"id\":\"m\",\"version\":\"1\",\"record\":{\"as\":\"o\",\"defaults\":{\"items\":false," \
    "\"paid\":false,\"sent\":false,\"label\":\"\"}},\"initial\":\"DRAFT\",\"states\":{"       \
    "\"DRAFT\":{\"validator\":\"!o.items\",\"transitions\":[\"PAYING\"]},"                    \
    "\"PAYING\":{\"validator\":\"o.items && !o.paid\",\"transitions\":[\"PACKING\","          \
    "\"DRAFT\"]},"                                                                            \
    "\"PACKING\":{\"validator\":\"o.paid && (o.label == '' || !o.sent)\","                    \
    "\"transitions\":[\"SENT\"],\"invoke\":{\"src\":\"ask\"," on_error "\"onDone\":{"         \
    "\"assign\":{\"label\":\"${event.output}\"}}}},"                                          \
    "\"SENT\":{\"validator\":\"o.label != '' && o.sent\"}},"                                  \
    "\"steps\":{\"ask\":{\"fake\":{},\"timeout\":\"20s\"}}}"

static const char order[] = ORDER("");
/* A crash may cut the only attempt off, and then the step has failed. */
static const char forgiving[] = ORDER("\"onError\":{},");

enum { PATCHES = 24, ORDERS = 8 };

static struct fake_answer labelled(void *context, const struct fake_call *call)
{
    (void)context;
    (void)call;
    return (struct fake_answer){.done = true, .delay_ms = 1, .output = "\"L\""};
}

static struct fake_answer refused(void *context, const struct fake_call *call)
{
    (void)context;
    (void)call;
    return (struct fake_answer){.kind = ERROR_KIND_REJECTED, .output = "null"};
}

/* Sends and waits for whatever the answer is. */
static enum engine_answer patch(struct rig *rig, const char *id, const char *payload,
                                const char *key)
{
    memset(rig->replies, 0, sizeof rig->replies);
    rig_send(rig, id, PATCH_EVENT, payload, key);
    for (;;) {
        for (size_t i = 0; i < sizeof rig->replies / sizeof rig->replies[0]; i++) {
            if (rig->replies[i] > 0)
                return (enum engine_answer)i;
        }
        loop_run_once(rig->loop, true);
    }
}

static void start(struct rig *rig, const char *id, const char *record)
{
    rig->replies[ANSWER_OK] = 0;
    rig_start(rig, id, record, "", "");
    rig_until_replies(rig, ANSWER_OK, 1);
}

static void patches_and_results_move_an_instance(void **state)
{
    (void)state;
    struct rig *rig = rig_open(labelled, order);
    start(rig, "a", "{}");
    assert_int_equal(patch(rig, "a", "{\"patch\":{\"items\":true,\"sent\":true}}", ""),
                     ANSWER_OK);
    rig_assert_state(rig, "a", "PAYING");
    assert_int_equal(patch(rig, "a", "{\"patch\":{\"paid\":true}}", ""), ANSWER_OK);
    rig_until_final(rig, 1);
    rig_assert_state(rig, "a", "SENT");
    rig_verify(rig);
    rig_assert_keys(rig);
    assert_int_equal(patch(rig, "a", "{\"patch\":{\"note\":1}}", ""), ANSWER_OK);
    assert_int_equal(rig->last_outcome, OUTCOME_APPLIED);
    assert_int_equal(patch(rig, "a", "{\"patch\":{\"note\":1}}", ""), ANSWER_OK);
    assert_int_equal(rig->last_outcome, OUTCOME_IGNORED);
    rig_verify(rig);
    rig_close(rig);
}

static void a_patch_is_refused_where_it_does_not_fit(void **state)
{
    static const struct {
        const char *id;
        const char *payload;
        enum engine_answer answer;
        const char *message;
    } rows[] = {
        {"a", "{\"patch\":{\"x\":1},\"if_version\":1}", ANSWER_OK, ""},
        {"a", "{\"patch\":{\"x\":2},\"if_version\":1}", ANSWER_CONFLICT,
         "a is at version 2, not 1"},
        {"a", "{\"patch\":{\"x\":2},\"if_version\":2}", ANSWER_OK, ""},
        {"a", "{\"patch\":3}", ANSWER_REFUSED, "must be an object"},
        {"a", "{}", ANSWER_REFUSED, "must be an object"},
        {"b", "{\"patch\":{}}", ANSWER_NOT_FOUND, "no instance b"},
        {"f", "{\"patch\":{}}", ANSWER_REFUSED, "f has ended: its status is error"},
    };
    (void)state;
    struct rig *rig = rig_open(refused, order);
    start(rig, "a", "{}");
    start(rig, "f", "{\"items\":true,\"paid\":true}"); /* nothing handles its step's error */
    rig_until_final(rig, 1);
    uint64_t seq = rig_find(rig, "a")->seq;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(patch(rig, rows[i].id, rows[i].payload, ""), rows[i].answer);
        if (rows[i].answer != ANSWER_OK)
            assert_non_null(strstr(rig->message, rows[i].message));
        seq += rows[i].answer == ANSWER_OK;
        assert_int_equal(rig_find(rig, "a")->seq, seq);
    }
    rig_verify(rig);
    rig_close(rig);
}

static void a_key_is_answered_before_the_version_is_looked_at(void **state)
{
    (void)state;
    const char *payload = "{\"patch\":{\"items\":true},\"if_version\":1}";
    struct rig *rig = rig_open(labelled, order);
    start(rig, "a", "{}");
    assert_int_equal(patch(rig, "a", payload, "k"), ANSWER_OK);
    rig_crash(rig);
    rig_open_engine(rig, NULL);
    assert_int_equal(patch(rig, "a", payload, "k"), ANSWER_REPEATED);
    assert_int_equal(rig->last_outcome, OUTCOME_APPLIED);
    assert_int_equal(patch(rig, "a", "{\"patch\":{\"paid\":true}}", "k"), ANSWER_CONFLICT);
    assert_int_equal(rig_find(rig, "a")->seq, 2);
    rig_close(rig);
}

/* The record after all patches, as if there had never been a crash. */
static struct value laid_over(struct value record, const char *payload, struct arena *arena)
{
    struct value value;
    struct json_error error;
    bool changed = false;
    struct span text =
        arena_copy(arena, span_from_text(payload)); /* the record points into it */
    assert_int_equal(json_read(text, arena, &value, &error), STATUS_OK);
    return json_merge(arena, record, value_member(value, SPAN("patch")), &changed);
}

static void random_patch(struct random *random, char payload[64])
{
    static const char *const names[] = {"items", "paid", "sent", "note"};
    static const char *const values[] = {"true", "false", "null"};
    snprintf(payload, 64, "{\"patch\":{\"%s\":%s}}", names[random_up_to(random, 3)],
             values[random_up_to(random, 2)]);
}

/* Cut off anywhere, each patch is repeated with its key until its answer is known: it counts
 * once, and the record is what the patches make of it, beside what the step assigns. */
static void patches_count_once_over_crashes(void **state)
{
    (void)state;
    struct random random = {.state = 11};
    struct rig *rig = rig_open(labelled, forgiving);
    for (int i = 0; i < ORDERS; i++) {
        char id[16];
        struct value record = value_map(NULL, 0);
        snprintf(id, sizeof id, "o%d", i);
        start(rig, id, "{}");
        for (int k = 0; k < PATCHES; k++) {
            char payload[64];
            char key[16];
            random_patch(&random, payload);
            snprintf(key, sizeof key, "%d", k);
            if (random_up_to(&random, 2) == 0) {
                rig_send(rig, id, PATCH_EVENT, payload, key);
                for (uint64_t rounds = random_up_to(&random, 3); rounds > 0; rounds--)
                    loop_run_once(rig->loop, false);
                rig_crash(rig);
                rig_open_engine(rig, NULL);
            }
            enum engine_answer answer = patch(rig, id, payload, key);
            assert_true(answer == ANSWER_OK || answer == ANSWER_REPEATED);
            record = laid_over(record, payload, &rig->arena);
        }
        rig_until_settled(rig);
        struct configuration now;
        assert_int_equal(instance_decode(rig_find(rig, id), &rig->arena, &now), STATUS_OK);
        struct value label = value_member(now.context, SPAN("label"));
        if (label.kind == VALUE_STRING)
            record = value_with(&rig->arena, record, SPAN("label"), label);
        assert_true(value_equal(now.context, record));
    }
    rig_verify(rig);
    rig_assert_idle(rig, "ask");
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_and_results_move_an_instance),
        cmocka_unit_test(a_patch_is_refused_where_it_does_not_fit),
        cmocka_unit_test(a_key_is_answered_before_the_version_is_looked_at),
        cmocka_unit_test(patches_count_once_over_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
