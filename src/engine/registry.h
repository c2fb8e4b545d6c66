/*
 * registry.h - everything a shard knows: its deployed machines and its instances.
 *
 * The registry is what recovery fills from the store: rows first, then the log from the
 * watermark on, by applying results, never by executing again. The owner works on it;
 * a reader in another process fills its own and only looks.
 */
#pragma once

#include "engine/instance.h"

/* The kinds of rows in the store. */
#define ROW_KIND_LIST(X) X(MACHINE) X(DEPLOYMENT) X(INSTANCE) X(IDEMPOTENCY) X(POLICY)
#define ROW_KIND_ENUM(name) ROW_##name,
enum row_kind { ROW_KIND_LIST(ROW_KIND_ENUM) ROW_KIND_COUNT };
#undef ROW_KIND_ENUM

extern const struct store_schema engine_schema;

struct registry {
    struct store *store;
    struct strategy_types types;
    struct table instances; /* id → struct instance */
    struct instance *first;
    struct instance **end;
    uint64_t instance_count;
    struct table machines; /* "id@version" → struct deployed */
    struct deployed *deployments;
    struct store_shard shard; /* as recovered; the owner keeps lsn and crc current */
    struct instance *dirty;   /* instances whose rows are behind, oldest first */
    struct instance **dirty_end;
    uint64_t dirty_count;
    struct retired
        *retired;      /* replaced definitions: attempts and live steps may point into them */
    void *scratch;     /* memory of a turn's size for decoding */
    char problem[512]; /* a sentence behind the last status that was not OK */
};

void registry_init(struct registry *registry, struct store *store, struct strategy_types types);
void registry_fini(struct registry *registry);

/* Fills the registry from the store, from registry->shard on (set by store_own() or
 * store_recover()). */
enum status registry_recover(struct registry *registry) must_check;

/* For readers: store_recover() and registry_recover(). */
enum status registry_read(struct registry *registry) must_check;

struct instance *registry_find(const struct registry *registry, struct span id);

/* The machine of an id: the version named, or with an empty version the one deployed last.
 * NULL. */
struct deployed *registry_find_machine(const struct registry *registry, struct span id,
                                       struct span version);

/* Adds a new instance without state. */
struct instance *registry_add(struct registry *registry, struct span id,
                              struct deployed *deployed);

/* Takes it out again and releases it: a start that failed. It must be the newest. */
void registry_remove_last(struct registry *registry, struct instance *instance);

/* What of a definition is stored. */
struct stored_definition {
    struct span json; /* without the steps */
    struct span apart_json;
    struct span places; /* see base/place_map.h; empty in databases of older programs */
    const char *folder;
};

/* Adds a machine, or gives a known one other steps: everything is read again from the JSON into
 * an arena of its own. It becomes the latest of its versions. NULL: the definition no longer
 * loads, see problem. */
struct deployed *registry_deploy(struct registry *registry,
                                 const struct stored_definition *stored);

/* A machine's row: definition, steps, folder, places; and back. */
void registry_write_machine(struct text *text, const struct deployed *deployed);

/* Remembers that the instance's row is behind since the record. */
void registry_mark_dirty(struct registry *registry, struct instance *instance, lsn record);

/* Takes the instance whose row is behind for the longest; NULL when none is. */
struct instance *registry_take_dirty(struct registry *registry);

/* Sets what depends on the input: its hash tells a repeated start from another one. */
void registry_hash_input(struct span input_json, uint8_t hash[16]);

/* A step's breaker as it was last written down: JSON text, or empty. In general memory. */
enum status registry_read_policy(struct registry *registry, struct span machine,
                                 struct span step, struct text *json) must_check;
