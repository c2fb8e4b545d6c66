/*
 * rig.c - a store in front of the memory store, and an engine on it.
 */
#include "rig.h"

#include <unistd.h>

#include "base/hash.h"
#include "store/store_backend.h"

/* clock_wall(), replaced when the tests are linked. */
instant_ms __real_clock_wall(void);
instant_ms __wrap_clock_wall(void);

static duration_ms clock_ahead_ms;

instant_ms __wrap_clock_wall(void)
{
    return __real_clock_wall() + clock_ahead_ms;
}

void rig_set_clock(duration_ms ahead_ms)
{
    clock_ahead_ms = ahead_ms;
}

struct faulty {
    struct store base;
    struct store *inner;
    struct rig *rig;
    uint64_t commits;
    uint64_t fail_at;
    enum status status;
    bool is_written;
};

static enum status faulty_own(struct store *base, uint32_t shard, struct store_shard *state)
{
    return store_own(((struct faulty *)base)->inner, shard, state);
}

static void ignore_done(void *context, enum status status)
{
    *(enum status *)context = status;
}

static uint32_t sum_of(const struct batch *batch)
{
    uint32_t sum = hash_crc32c(0, batch->records.text, batch->records.size);
    for (size_t i = 0; i < batch->row_count; i++) {
        const struct store_row *row = &batch->rows[i];
        sum = hash_crc32c(sum, row->key.text, row->key.size);
        sum = hash_crc32c(sum, row->data.text, row->data.size);
        for (size_t k = 0; k < STORE_COLUMNS_MAX; k++)
            sum = hash_crc32c(sum, row->columns[k].text, row->columns[k].size);
    }
    return sum;
}

static void take_time(struct rig *rig, const struct batch *batch)
{
    uint32_t sum = sum_of(batch);
    usleep(rig->commit_us);
    rig->has_changed = rig->has_changed || sum != sum_of(batch);
}

static void faulty_commit(struct store *base, const struct batch *batch, store_done *done,
                          void *context)
{
    struct faulty *faulty = (struct faulty *)base;
    enum status status;
    if (faulty->rig->commit_us > 0)
        take_time(faulty->rig, batch);
    if (++faulty->commits != faulty->fail_at) {
        store_commit(faulty->inner, batch, done, context);
        return;
    }
    if (faulty->is_written) {
        store_commit(faulty->inner, batch, ignore_done, &status);
        assert_int_equal(status, STATUS_OK);
    }
    done(context, store_say_commit(base, faulty->status, "the test's disk: %s",
                                   status_text(faulty->status)));
}

static enum status faulty_recover(struct store *base, uint32_t shard, struct store_shard *state)
{
    return store_recover(((struct faulty *)base)->inner, shard, state);
}

static enum status faulty_get(struct store *base, uint32_t kind, struct span key,
                              struct text *data, lsn *row_lsn)
{
    return store_get(((struct faulty *)base)->inner, kind, key, data, row_lsn);
}

static enum status faulty_page(struct store *base, uint32_t kind, struct span after,
                               size_t limit, store_visit_row *visit, void *context)
{
    struct faulty *faulty = (struct faulty *)base;
    if (faulty->rig->before_page != NULL)
        faulty->rig->before_page(faulty->rig, kind);
    return store_page(faulty->inner, kind, after, limit, visit, context);
}

static enum status faulty_scan(struct store *base, uint32_t shard, lsn after,
                               store_visit_log *visit, void *context)
{
    return store_scan_log(((struct faulty *)base)->inner, shard, after, visit, context);
}

static enum status faulty_find(struct store *base, uint32_t shard, lsn record,
                               struct store_log *log)
{
    return store_find_log(((struct faulty *)base)->inner, shard, record, log);
}

static void faulty_close(struct store *base)
{
    memory_release(base);
}

static const struct store_ops faulty_ops = {.own = faulty_own,
                                            .commit = faulty_commit,
                                            .recover = faulty_recover,
                                            .get = faulty_get,
                                            .page = faulty_page,
                                            .scan_log = faulty_scan,
                                            .find_log = faulty_find,
                                            .close = faulty_close};

static void open_store(struct rig *rig)
{
    struct faulty *faulty = memory_get(sizeof *faulty);
    store_init(&faulty->base, &faulty_ops, &engine_schema, "faulty");
    memcpy(faulty->base.incarnation, rig->inner->incarnation, STORE_INCARNATION_BYTES);
    faulty->inner = rig->inner;
    faulty->rig = rig;
    rig->store = &faulty->base;
}

void rig_fail_commit(struct rig *rig, uint64_t number, enum status status, bool is_written)
{
    struct faulty *faulty = (struct faulty *)rig->store;
    faulty->commits = 0;
    faulty->fail_at = number;
    faulty->status = status;
    faulty->is_written = is_written;
}

uint64_t rig_commits(const struct rig *rig)
{
    return ((const struct faulty *)rig->store)->commits;
}

static void on_broken(void *context, enum status status, const char *problem)
{
    struct rig *rig = context;
    rig->is_broken = true;
    rig->broken_by = status;
    snprintf(rig->problem, sizeof rig->problem, "%s", problem);
}

static void on_reply(void *context, const struct engine_reply *reply)
{
    struct rig *rig = context;
    rig->replies[reply->answer]++;
    rig->last_outcome = reply->outcome;
    rig->last_seq = reply->seq;
    if (reply->answer == ANSWER_FULL)
        rig->retry_ms = reply->retry_ms;
    snprintf(rig->message, sizeof rig->message, "%.*s", SPAN_ARGS(reply->message));
}

static const struct strategy_type *const types[] = {&strategy_fake};
static const struct strategy_types all_types = {types, 1, NULL};

void rig_open_engine(struct rig *rig, const char *machine)
{
    char problem[512] = "";
    struct engine_options options = {.loop = rig->loop,
                                     .store = rig->store,
                                     .types = all_types,
                                     .broken = on_broken,
                                     .context = rig,
                                     .sample = 64};
    if (rig->focus != NULL)
        options.focus = span_from_text(rig->focus);
    rig->is_broken = false;
    enum status status = engine_open(&options, &rig->engine, problem);
    assert_string_equal(problem, "");
    assert_int_equal(status, STATUS_OK);
    if (machine != NULL)
        rig_deploy(rig, machine);
}

enum status rig_read(struct rig *rig, struct registry *registry)
{
    registry_init(registry, rig->store, all_types);
    return registry_read(registry);
}

static void overwrite(struct rig *rig, const struct store_row *row)
{
    struct store_shard shard;
    enum status status;
    assert_int_equal(store_own(rig->inner, 0, &shard), STATUS_OK);
    struct batch batch = {.epoch = shard.epoch,
                          .lsn_before = shard.lsn,
                          .lsn_after = shard.lsn,
                          .crc_before = shard.crc,
                          .crc = shard.crc,
                          .watermark = shard.watermark,
                          .rows = row,
                          .row_count = 1};
    store_commit(rig->inner, &batch, ignore_done, &status);
    assert_int_equal(status, STATUS_OK);
}

enum status rig_flip(struct rig *rig, uint32_t kind, const char *key, size_t byte)
{
    struct text data;
    struct registry registry;
    struct store_row row = {.kind = kind, .key = span_from_text(key)};
    text_init(&data, NULL);
    assert_int_equal(store_get(rig->inner, kind, row.key, &data, &row.lsn), STATUS_OK);
    row.data = text_span(&data);
    data.bytes[byte % data.size] ^= 4;
    overwrite(rig, &row);
    enum status status = rig_read(rig, &registry);
    registry_fini(&registry);
    data.bytes[byte % data.size] ^= 4;
    overwrite(rig, &row);
    text_fini(&data);
    return status;
}

/* Behind a head of eight bytes, the last four of which are the checksum of what follows. */
static void seal(char *hex, size_t digits)
{
    uint8_t bytes[4096];
    size_t size = digits / 2 - 8;
    assert_true(size <= sizeof bytes);
    for (size_t i = 0; i < size; i++) {
        char pair[] = {hex[16 + 2 * i], hex[17 + 2 * i], 0};
        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    uint32_t sum = hash_crc32c(0, bytes, size);
    hash_to_hex((const uint8_t *)&sum, sizeof sum, (char *)bytes);
    memcpy(hex + 8, bytes, 2 * sizeof sum);
}

void rig_shorten_saved(struct rig *rig, const char *key, size_t bytes)
{
    struct text data;
    struct store_row row = {.kind = ROW_POLICY, .key = span_from_text(key)};
    text_init(&data, NULL);
    assert_int_equal(store_get(rig->inner, row.kind, row.key, &data, &row.lsn), STATUS_OK);
    text_add_byte(&data, '\0');
    char *hex = strstr(data.bytes, "\"saved\":\"");
    assert_non_null(hex);
    hex += strlen("\"saved\":\"");
    char *end = strchr(hex, '"');
    assert_true((size_t)(end - hex) > 2 * bytes + 16);
    memmove(end - 2 * bytes, end, strlen(end) + 1);
    seal(hex, (size_t)(end - hex) - 2 * bytes);
    row.data = span_from_text(data.bytes);
    overwrite(rig, &row);
    text_fini(&data);
}

void rig_deploy(struct rig *rig, const char *machine)
{
    struct diagnostics diagnostics;
    arena_clear(&rig->arena);
    diagnostics_init(&diagnostics, &rig->arena);
    const struct node *root =
        json_read_tree(span_from_text(machine), SPAN("test"), &rig->arena, &diagnostics);
    assert_non_null(root);
    const struct definition *definition =
        definition_read(root, NULL, "/", all_types, &rig->arena, &diagnostics);
    if (definition == NULL)
        fail_msg("%.*s", SPAN_ARGS(diagnostics.first->message));
    engine_deploy(rig->engine, definition, on_reply, rig);
}

struct rig *rig_open(fake_script *script, const char *machine)
{
    struct rig *rig = memory_get(sizeof *rig);
    rig->world = memory_get(sizeof *rig->world);
    rig->world->script = script;
    rig->world->context = rig;
    fake_set_world(rig->world);
    arena_open(&rig->arena, DEFINITION_ARENA_BYTES);
    rig->loop = loop_open();
    rig->inner = store_memory_open(&engine_schema);
    open_store(rig);
    rig_open_engine(rig, machine);
    return rig;
}

void rig_crash(struct rig *rig)
{
    engine_close(rig->engine);
    rig->engine = NULL;
}

static void note_stopped(void *context)
{
    *(bool *)context = true;
}

void rig_stop(struct rig *rig, duration_ms grace_ms)
{
    bool is_stopped = false;
    engine_stop(rig->engine, grace_ms, note_stopped, &is_stopped);
    while (!is_stopped && !rig->is_broken)
        loop_run_once(rig->loop, true);
    rig_crash(rig);
}

void rig_close(struct rig *rig)
{
    if (rig->engine != NULL)
        rig_stop(rig, 500);
    store_close(rig->store);
    store_close(rig->inner);
    loop_close(rig->loop);
    arena_close(&rig->arena);
    memory_release(rig->world);
    memory_release(rig);
    rig_set_clock(0);
}

void rig_start(struct rig *rig, const char *id, const char *input, const char *event,
               const char *payload)
{
    struct engine_start request = {.machine = SPAN("m"),
                                   .id = span_from_text(id),
                                   .input = span_from_text(input),
                                   .event = span_from_text(event),
                                   .event_json = span_from_text(payload)};
    engine_start(rig->engine, &request, on_reply, rig);
}

void rig_start_many(struct rig *rig, uint64_t count)
{
    char id[24];
    for (uint64_t i = 0; i < count; i++) {
        snprintf(id, sizeof id, "%06llu", (unsigned long long)i);
        rig_start(rig, id, "{\"total\":5}", "SUBMIT", "{\"total\":5}");
    }
}

void rig_send(struct rig *rig, const char *id, const char *type, const char *payload,
              const char *key)
{
    engine_send(rig->engine, span_from_text(id), span_from_text(type), span_from_text(payload),
                span_from_text(key), on_reply, rig);
}

void rig_until_replies(struct rig *rig, enum engine_answer answer, uint64_t count)
{
    while (rig->replies[answer] < count && !rig->is_broken)
        loop_run_once(rig->loop, true);
}

void rig_until_final(struct rig *rig, uint64_t count)
{
    while (engine_view(rig->engine).final < count && !rig->is_broken)
        loop_run_once(rig->loop, true);
}

void rig_until_running(struct rig *rig, size_t count)
{
    while (rig->world->running < count && !rig->is_broken)
        loop_run_once(rig->loop, true);
}

static void note_time(void *context)
{
    *(bool *)context = true;
}

void rig_rest(struct rig *rig, duration_ms real_ms)
{
    bool is_over = false;
    struct loop_timer *timer = loop_timer_open(rig->loop, note_time, &is_over);
    loop_timer_start(timer, real_ms);
    while (!is_over)
        loop_run_once(rig->loop, true);
    loop_timer_close(timer);
}

void rig_until_settled(struct rig *rig)
{
    uint64_t turns;
    do {
        turns = engine_view(rig->engine).turns;
        rig_rest(rig, 150);
    } while (engine_view(rig->engine).turns != turns);
}

struct instance *rig_find(struct rig *rig, const char *id)
{
    struct instance *instance = registry_find(engine_registry(rig->engine), span_from_text(id));
    assert_non_null(instance);
    return instance;
}

void rig_assert_state(struct rig *rig, const char *id, const char *state)
{
    struct instance *instance = rig_find(rig, id);
    struct span path = instance->deployed->definition->machine->states[instance->leaf].path;
    if (!span_is(path, state))
        fail_msg("%s is in %.*s, not %s", id, SPAN_ARGS(path), state);
}

static bool count_line(void *context, const struct history_line *line)
{
    uint64_t *seq = context;
    assert_int_equal(line->seq, *seq + 1);
    *seq = line->seq;
    return true;
}

void rig_verify(struct rig *rig)
{
    struct arena arena;
    struct registry *registry = engine_registry(rig->engine);
    rig_until_settled(rig);
    arena_open(&arena, HISTORY_ARENA_BYTES);
    for (struct instance *instance = registry->first; instance != NULL;
         instance = instance->next) {
        uint64_t seq = 0;
        assert_int_equal(history_read(registry, instance, 0, &arena, count_line, &seq),
                         STATUS_OK);
        assert_int_equal(seq, instance->seq);
        if (history_verify(registry, instance, &arena) != STATUS_OK)
            fail_msg("%s", registry->problem);
    }
    arena_close(&arena);
}

void rig_assert_keys(struct rig *rig)
{
    for (size_t i = 0; i < rig->world->call_count; i++) {
        for (size_t j = i + 1; j < rig->world->call_count; j++) {
            const struct fake_call *a = &rig->world->calls[i];
            const struct fake_call *b = &rig->world->calls[j];
            bool is_same_step =
                strcmp(a->instance, b->instance) == 0 && strcmp(a->step, b->step) == 0;
            assert_true((strcmp(a->key, b->key) == 0) == is_same_step);
        }
    }
}

void rig_assert_idle(struct rig *rig, const char *step)
{
    struct text text;
    text_init(&text, NULL);
    engine_describe_step(rig->engine, span_from_text(step), &text);
    if (strstr(text.bytes, " 0 in flight") == NULL || strstr(text.bytes, "waiting") != NULL)
        fail_msg("%s", text.bytes);
    text_fini(&text);
    assert_int_equal(rig->world->running, 0);
}

struct fake_answer rig_all_well(void *context, const struct fake_call *call)
{
    (void)context;
    (void)call;
    return (struct fake_answer){.done = true, .output = "{\"id\":\"p1\"}"};
}

char *rig_filled(const char *before, size_t size, const char *behind)
{
    struct text text;
    text_init(&text, NULL);
    text_add(&text, span_from_text(before));
    for (size_t i = 0; i < size; i++)
        text_add_byte(&text, 'x');
    text_add(&text, span_from_text(behind));
    return text.bytes;
}

char *rig_numbers(const char *before, size_t count, const char *behind)
{
    struct text text;
    text_init(&text, NULL);
    text_add(&text, span_from_text(before));
    for (size_t i = 0; i < count; i++)
        text_add(&text, i == 0 ? SPAN("1") : SPAN(",1"));
    text_add(&text, span_from_text(behind));
    return text.bytes;
}

const char rig_keeper[] =
    "{\"id\":\"m\",\"version\":\"1\",\"context\":{\"kept\":\"${input.kept}\",\"more\":null},"
    "\"initial\":\"A\",\"states\":{"
    "\"A\":{\"on\":{\"KEEP\":{\"assign\":{\"more\":\"${event.more}\"}},\"ASK\":\"B\",\"END\":"
    "\"Z\","
    "\"WAIT\":\"T\"}},"
    "\"T\":{\"after\":{\"5ms\":{\"target\":\"Z\",\"assign\":{\"more\":\"${context.kept + "
    "context.kept}\"}}}},"
    "\"B\":{\"invoke\":{\"src\":\"ask\",\"onDone\":{\"target\":\"Z\",\"assign\":{\"more\":\"${"
    "event.output}\"}},\"onError\":{\"target\":\"F\",\"assign\":{\"more\":\"${event.error."
    "kind}\"}}}},"
    "\"F\":{\"type\":\"final\"},"
    "\"Z\":{\"type\":\"final\"}},"
    "\"steps\":{\"ask\":{\"fake\":{},\"timeout\":\"200ms\"}}}";
