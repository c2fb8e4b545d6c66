/*
 * registry.c - machines and instances, and filling them from the store.
 *
 * Recovery never steps a machine: it takes rows, then the results of the log's records in
 * order. A record that a row already reflects is skipped by its lsn, so rows and log may
 * overlap in any way a crash leaves them.
 */
#include "engine/registry.h"

#include <stdio.h>
#include <string.h>

#include "base/ensure.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/place_map.h"
#include "engine/kin.h"
#include "engine/record.h"
#include "engine/seal.h"
#include "os/os.h"

#define INSTANCE_COLUMNS                                                                 \
    {                                                                                    \
        "machine", "version", "state", "status", "tags", "context", "created", "updated" \
    }

static const struct store_kind kinds[ROW_KIND_COUNT] = {
    [ROW_MACHINE] = {"machine", {"hash"}},
    [ROW_DEPLOYMENT] = {"deployment", {"version"}},
    [ROW_INSTANCE] = {"instance", INSTANCE_COLUMNS},
    [ROW_IDEMPOTENCY] = {"idempotency", {"expires"}},
    [ROW_POLICY] = {"policy", {"state"}},
};

const struct store_schema engine_schema = {kinds, ROW_KIND_COUNT, 1};

struct retired {
    struct arena arena;
    struct retired *next;
};

void registry_init(struct registry *registry, struct store *store, struct strategy_types types)
{
    *registry = (struct registry){.store = store, .types = types};
    registry->end = &registry->first;
    registry->dirty_end = &registry->dirty;
    registry->scratch = memory_get(TURN_ARENA_BYTES);
    struct hash_key key;
    file_random(&key, sizeof key);
    table_init_keyed(&registry->instances, key);
    table_init_keyed(&registry->machines, key);
}

void registry_fini(struct registry *registry)
{
    while (registry->first != NULL) {
        struct instance *instance = registry->first;
        registry->first = instance->next;
        instance_close(instance);
    }
    while (registry->deployments != NULL) {
        struct deployed *deployed = registry->deployments;
        registry->deployments = deployed->next;
        arena_close(&deployed->arena);
        memory_release(deployed->key);
        memory_release(deployed);
    }
    while (registry->retired != NULL) {
        struct retired *retired = registry->retired;
        registry->retired = retired->next;
        arena_close(&retired->arena);
        memory_release(retired);
    }
    table_fini(&registry->instances);
    table_fini(&registry->machines);
    memory_release(registry->scratch);
}

__attribute__((format(printf, 3, 4))) static enum status
fail(struct registry *registry, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(registry->problem, sizeof registry->problem, format, arguments);
    va_end(arguments);
    return status;
}

static enum status fail_store(struct registry *registry, enum status status)
{
    return fail(registry, status, "%s", store_problem(registry->store));
}

struct instance *registry_find(const struct registry *registry, struct span id)
{
    return table_find(&registry->instances, id);
}

struct deployed *registry_find_machine(const struct registry *registry, struct span id,
                                       struct span version)
{
    for (struct deployed *deployed = registry->deployments; deployed != NULL;
         deployed = deployed->next) {
        const struct machine *machine = deployed->definition->machine;
        bool wanted =
            version.size == 0 ? deployed->latest : span_equal(machine->version, version);
        if (wanted && span_equal(machine->id, id))
            return deployed;
    }
    return NULL;
}

struct instance *registry_add(struct registry *registry, struct span id,
                              struct deployed *deployed)
{
    struct instance *instance = memory_get(sizeof *instance);
    instance->id = memory_copy_text(id);
    instance->id_size = (uint32_t)id.size;
    instance->deployed = deployed;
    instance->next_timer = INSTANT_NEVER;
    instance->previous = registry->end;
    *registry->end = instance;
    registry->end = &instance->next;
    registry->instance_count++;
    table_add(&registry->instances, instance_id(instance), instance);
    return instance;
}

void registry_remove_last(struct registry *registry, struct instance *instance)
{
    ensure(registry->end == &instance->next && instance->dirty_since == 0);
    registry->end = instance->previous;
    *registry->end = NULL;
    registry->instance_count--;
    ensure(table_remove(&registry->instances, instance_id(instance)));
    instance_close(instance);
}

void registry_mark_dirty(struct registry *registry, struct instance *instance, lsn record)
{
    if (instance->dirty_since != 0)
        return;
    instance->dirty_since = record;
    instance->next_dirty = NULL;
    *registry->dirty_end = instance;
    registry->dirty_end = &instance->next_dirty;
    registry->dirty_count++;
}

struct instance *registry_take_dirty(struct registry *registry)
{
    struct instance *instance = registry->dirty;
    if (instance == NULL)
        return NULL;
    registry->dirty = instance->next_dirty;
    if (registry->dirty == NULL)
        registry->dirty_end = &registry->dirty;
    registry->dirty_count--;
    instance->dirty_since = 0;
    return instance;
}

void registry_hash_input(struct span input_json, uint8_t hash[16])
{
    struct sha256 sum;
    uint8_t digest[32];
    sha256_init(&sum);
    sha256_add(&sum, input_json.text, input_json.size);
    sha256_end(&sum, digest);
    memcpy(hash, digest, 16);
}

/* Reads the JSON texts into the arena; NULL and a problem when they do not load any more. */
static const struct definition *read_definition(struct registry *registry,
                                                const struct stored_definition *stored,
                                                struct arena *arena)
{
    struct arena_guard guard;
    if (arena_is_spent(arena, &guard))
        return NULL;
    struct diagnostics diagnostics;
    struct span file = SPAN("deployed definition");
    const struct definition *definition = NULL;
    diagnostics_init(&diagnostics, arena);
    const struct node *root =
        json_read_tree(arena_copy(arena, stored->json), file, arena, &diagnostics);
    const struct node *steps =
        json_read_tree(arena_copy(arena, stored->apart_json), file, arena, &diagnostics);
    if (root != NULL)
        root = place_map_apply(root, arena_copy(arena, stored->places), arena);
    if (root != NULL && steps != NULL)
        definition =
            definition_read(root, steps, stored->folder, registry->types, arena, &diagnostics);
    if (definition == NULL && diagnostics.first != NULL)
        fail(registry, STATUS_INVALID, "a deployed definition does not load: %.*s",
             SPAN_ARGS(diagnostics.first->message));
    arena_release_guard(arena, &guard);
    return definition;
}

static void set_latest(struct registry *registry, struct deployed *latest)
{
    for (struct deployed *deployed = registry->deployments; deployed != NULL;
         deployed = deployed->next) {
        if (span_equal(deployed->definition->machine->id, latest->definition->machine->id))
            deployed->latest = deployed == latest;
    }
}

/* A commit under way, an attempt and a step that is no longer there may point into it: it stays
 * as long as the registry. Revisions are rare. */
static void retire(struct registry *registry, struct arena arena)
{
    struct retired *retired = memory_get(sizeof *retired);
    *retired = (struct retired){arena, registry->retired};
    registry->retired = retired;
}

struct deployed *registry_deploy(struct registry *registry,
                                 const struct stored_definition *stored)
{
    struct arena arena;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    const struct definition *definition = read_definition(registry, stored, &arena);
    if (definition == NULL) {
        arena_close(&arena);
        return NULL;
    }
    struct span key = definition_key(definition->machine, &arena);
    struct deployed *deployed = table_find(&registry->machines, key);
    if (deployed == NULL) {
        deployed = memory_get(sizeof *deployed);
        deployed->key = memory_copy_text(key);
        deployed->next = registry->deployments;
        registry->deployments = deployed;
        table_add(&registry->machines, span_from_text(deployed->key), deployed);
    } else {
        retire(registry, deployed->arena);
    }
    deployed->arena = arena;
    deployed->definition = definition;
    set_latest(registry, deployed);
    return deployed;
}

void registry_write_machine(struct text *text, const struct deployed *deployed)
{
    bytes_add_span(text, deployed->definition->machine->definition);
    bytes_add_span(text, deployed->definition->apart_json);
    bytes_add_span(text, span_from_text(deployed->definition->folder));
    bytes_add_span(text, deployed->definition->places);
    seal_add(text, span_from_text(deployed->key), 0);
}

struct recovery {
    struct registry *registry;
    struct arena arena; /* of one row or record */
    enum status status;
};

static bool stop(struct recovery *recovery, enum status status)
{
    recovery->status = status;
    return false;
}

/* The machine of a row; NULL after saying in *status what is wrong. */
static struct deployed *deploy_row(struct registry *registry, struct span key, struct span data,
                                   enum status *status)
{
    bool is_whole = seal_take(&data, key, 0);
    struct byte_reader reader = byte_reader_of(data);
    struct stored_definition stored = {.json = bytes_read_span(&reader)};
    stored.apart_json = bytes_read_span(&reader);
    struct span folder = bytes_read_span(&reader);
    if (reader.at < reader.end)
        stored.places = bytes_read_span(&reader);
    if (!is_whole || reader.failed) {
        *status = fail(registry, STATUS_CORRUPT, "the row of machine %.*s is damaged",
                       SPAN_ARGS(key));
        return NULL;
    }
    char *folder_text = memory_copy_text(folder);
    stored.folder = folder_text;
    struct deployed *deployed = registry_deploy(registry, &stored);
    memory_release(folder_text);
    *status = deployed == NULL ? STATUS_VERSION : STATUS_OK;
    return deployed;
}

static bool visit_machine(void *context, const struct store_row *row)
{
    struct recovery *recovery = context;
    return deploy_row(recovery->registry, row->key, row->data, &recovery->status) != NULL;
}

/* A reader looks at one kind of rows after the other, so the owner may have deployed a machine
 * after the machines were read. */
static struct deployed *find_machine(struct registry *registry, struct span id,
                                     struct span version)
{
    enum status status;
    struct text key;
    struct text data;
    struct deployed *deployed = registry_find_machine(registry, id, version);
    if (deployed != NULL)
        return deployed;
    text_init(&key, NULL);
    text_init(&data, NULL);
    text_format(&key, "%.*s@%.*s", SPAN_ARGS(id), SPAN_ARGS(version));
    if (store_get(registry->store, ROW_MACHINE, text_span(&key), &data, NULL) == STATUS_OK)
        deployed = deploy_row(registry, text_span(&key), text_span(&data), &status);
    text_fini(&key);
    text_fini(&data);
    return deployed;
}

static bool visit_deployment(void *context, const struct store_row *row)
{
    struct recovery *recovery = context;
    struct registry *registry = recovery->registry;
    struct deployed *deployed = find_machine(registry, row->key, row->data);
    if (deployed == NULL)
        return stop(recovery, fail(registry, STATUS_CORRUPT, "machine %.*s has no version %.*s",
                                   SPAN_ARGS(row->key), SPAN_ARGS(row->data)));
    set_latest(registry, deployed);
    return true;
}

static struct deployed *machine_of_snapshot(struct registry *registry, struct span snapshot)
{
    struct span id;
    struct span version;
    if (!snapshot_machine(snapshot, &id, &version))
        return NULL;
    return find_machine(registry, id, version);
}

/* The snapshot within a row's bytes, to know the machine before the rest can be read. */
static struct span row_snapshot(struct span data)
{
    struct byte_reader reader = byte_reader_of(data);
    for (int i = 0; i < 3; i++)
        bytes_read_varint(&reader);
    bytes_read_signed(&reader);
    bytes_read_signed(&reader);
    for (int i = 0; i < 16; i++)
        bytes_read_u8(&reader);
    return bytes_read_span(&reader);
}

static bool visit_instance(void *context, const struct store_row *row)
{
    struct recovery *recovery = context;
    struct registry *registry = recovery->registry;
    struct deployed *deployed = machine_of_snapshot(registry, row_snapshot(row->data));
    if (deployed == NULL)
        return stop(recovery, fail(registry, STATUS_CORRUPT,
                                   "the row of instance %.*s names no known machine",
                                   SPAN_ARGS(row->key)));
    struct instance *instance = registry_add(registry, row->key, deployed);
    instance->lsn = row->lsn;
    arena_clear(&recovery->arena);
    enum status status = instance_read(instance, row->data, &recovery->arena);
    if (status == STATUS_OK)
        return true;
    return stop(recovery, fail(registry, status, "the row of instance %.*s is damaged",
                               SPAN_ARGS(row->key)));
}

static void release_requests(struct request *gone)
{
    while (gone != NULL) {
        struct request *request = gone;
        gone = gone->next;
        memory_release(request);
    }
}

static bool apply_event(struct recovery *recovery, const struct record *record,
                        struct instance *instance)
{
    struct configuration configuration;
    struct span context = record->has_context
                              ? record->context
                              : span_of(instance->context, instance->context_size);
    arena_clear(&recovery->arena);
    if (record->seq != instance->seq + 1 ||
        snapshot_read(record->snapshot, context, instance->deployed->definition->machine,
                      &recovery->arena, &configuration) != STATUS_OK)
        return false;
    struct span changed = record->has_context ? record->context : (struct span){0};
    bool is_ignored = record->outcome == OUTCOME_IGNORED;
    release_requests(instance_take(instance, &configuration, record->snapshot, changed,
                                   is_ignored ? instance->updated : record->now));
    instance->seen = record->now;
    instance->seq = record->seq;
    if (record->event_kind == EVENT_START) {
        if (record->sender.size > 0)
            kin_set_parent(instance, record->sender, record->invoke_id, record->number);
        instance->created = record->now;
        registry_hash_input(record->payload, instance->input_hash);
    }
    return true;
}

static bool apply_progress(const struct record *record, struct instance *instance)
{
    struct request *request = instance_find_request(instance, record->number);
    if (request != NULL)
        request->progress = record->progress;
    return request != NULL;
}

static bool apply_record(struct recovery *recovery, const struct record *record, lsn at,
                         uint32_t offset)
{
    struct registry *registry = recovery->registry;
    struct instance *instance = registry_find(registry, record->instance);
    if (instance == NULL) {
        struct deployed *deployed = machine_of_snapshot(registry, record->snapshot);
        if (record->kind != RECORD_EVENT || record->event_kind != EVENT_START ||
            deployed == NULL)
            return false;
        instance = registry_add(registry, record->instance, deployed);
    }
    if (at <= instance->lsn)
        return true;
    bool applied = record->kind == RECORD_EVENT ? apply_event(recovery, record, instance)
                                                : apply_progress(record, instance);
    instance->lsn = at;
    instance->previous_lsn = at;
    instance->previous_offset = offset;
    registry_mark_dirty(registry, instance, at);
    return applied;
}

static bool visit_log(void *context, const struct store_log *log)
{
    struct recovery *recovery = context;
    size_t offset = 0;
    for (lsn number = log->lsn_before + 1; number <= log->lsn_after; number++) {
        struct record record;
        uint32_t start = (uint32_t)offset;
        if (record_read(log->records, &offset, &record) &&
            apply_record(recovery, &record, number, start))
            continue;
        return stop(recovery, fail(recovery->registry, STATUS_CORRUPT,
                                   "record %llu of the log is damaged or does not fit",
                                   (unsigned long long)number));
    }
    return true;
}

static enum status page(struct recovery *recovery, enum row_kind kind, store_visit_row *visit)
{
    if (recovery->status != STATUS_OK)
        return recovery->status;
    enum status status =
        store_page(recovery->registry->store, kind, SPAN(""), SIZE_MAX, visit, recovery);
    if (recovery->status == STATUS_OK && status != STATUS_OK)
        recovery->status = fail_store(recovery->registry, status);
    return recovery->status;
}

static enum status recover(struct recovery *recovery)
{
    struct registry *registry = recovery->registry;
    page(recovery, ROW_MACHINE, visit_machine);
    page(recovery, ROW_DEPLOYMENT, visit_deployment);
    page(recovery, ROW_INSTANCE, visit_instance);
    if (recovery->status != STATUS_OK)
        return recovery->status;
    enum status status =
        store_scan_log(registry->store, 0, registry->shard.watermark, visit_log, recovery);
    if (recovery->status == STATUS_OK && status != STATUS_OK)
        recovery->status = fail_store(registry, status);
    return recovery->status;
}

enum status registry_recover(struct registry *registry)
{
    struct recovery recovery = {.registry = registry};
    struct arena_guard guard;
    arena_init(&recovery.arena, registry->scratch, TURN_ARENA_BYTES);
    if (arena_is_spent(&recovery.arena, &guard))
        return fail(registry, STATUS_NO_SPACE, "an instance is too large to be read back");
    enum status status = recover(&recovery);
    kin_link_all(registry);
    arena_release_guard(&recovery.arena, &guard);
    return status;
}

enum status registry_read(struct registry *registry)
{
    enum status status = store_recover(registry->store, 0, &registry->shard);
    return status == STATUS_OK ? registry_recover(registry) : fail_store(registry, status);
}

enum status registry_read_policy(struct registry *registry, struct span machine,
                                 struct span step, struct text *json)
{
    struct text key;
    lsn row;
    text_init(&key, NULL);
    text_format(&key, "%.*s/%.*s", SPAN_ARGS(machine), SPAN_ARGS(step));
    enum status status = store_get(registry->store, ROW_POLICY, text_span(&key), json, &row);
    text_fini(&key);
    return status;
}
