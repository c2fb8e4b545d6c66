/*
 * run_records.c - the records of `run`.
 */
#include "cli/run_records.h"

#include "base/ensure.h"
#include "base/memory.h"
#include "os/os.h"

void run_records_init(struct run_records *records, void *owner)
{
    *records = (struct run_records){.owner = owner};
    struct hash_key key;
    file_random(&key, sizeof key);
    table_init_keyed(&records->by_id, key);
    records->end = &records->first;
}

void run_records_fini(struct run_records *records)
{
    while (records->first != NULL) {
        struct run_record *record = records->first;
        records->first = record->next;
        memory_release(record->json);
        memory_release(record->name);
        memory_release(record);
    }
    table_fini(&records->by_id);
}

struct run_record *run_records_add(struct run_records *records, struct span id, uint64_t line)
{
    if (table_find(&records->by_id, id) != NULL)
        return NULL;
    struct run_record *record = memory_get(sizeof *record + id.size + 1);
    memcpy(record->id, id.text, id.size);
    record->id_size = (uint32_t)id.size;
    record->line = line;
    record->place = RUN_ASKED;
    record->owner = records->owner;
    table_add(&records->by_id, run_record_id(record), record);
    *records->end = record;
    records->end = &record->next;
    records->counts[RUN_ASKED]++;
    records->count++;
    return record;
}

struct run_record *run_records_find(const struct run_records *records, struct span id)
{
    return table_find(&records->by_id, id);
}

void run_records_move(struct run_records *records, struct run_record *record,
                      enum run_place place)
{
    ensure(records->counts[record->place] > 0);
    records->counts[record->place]--;
    records->counts[place]++;
    record->place = place;
}

enum run_place run_place_of(enum instance_rest rest)
{
    switch (rest) {
    case REST_NOT:
        return RUN_WORKING;
    case REST_TIMER:
        return RUN_TIMER;
    case REST_EVENT:
        return RUN_EVENT;
    case REST_FINAL:
        return RUN_FINAL;
    }
    never();
}
