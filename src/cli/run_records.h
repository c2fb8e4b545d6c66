/*
 * run_records.h - the records of `run`: which there were, and how far each has come.
 *
 * Always: counts[r] is the number of records at r; ids are unique.
 */
#pragma once

#include "base/table.h"
#include "engine/engine.h"

/* Where the instance of a record is. */
enum run_place {
    RUN_ASKED,   /* its start is not answered yet */
    RUN_WORKING, /* REST_NOT */
    RUN_TIMER,
    RUN_EVENT,
    RUN_FINAL,
    RUN_CONFLICT, /* started earlier with another record */
    RUN_REFUSED,  /* the machine does not start with it */
    RUN_LATER,    /* there was too much to do: it is kept for later */
    RUN_PLACE_COUNT,
};

struct run_record {
    struct run_record *next;
    uint64_t number; /* in the input, from 1 */
    uint64_t line;
    uint32_t column; /* 0: the line says it all */
    enum run_place place;
    bool is_numbered; /* its id is its number, and no member of it */
    char *json;       /* canonical; kept until the start is answered */
    char *name;       /* for reports, or NULL */
    void *owner;      /* of the records: for callbacks that get one of them */
    uint32_t id_size;
    char id[];
};

struct run_records {
    struct table by_id;
    struct run_record *first;
    struct run_record **end;
    uint64_t count;
    uint64_t counts[RUN_PLACE_COUNT];
    void *owner;
};

void run_records_init(struct run_records *records, void *owner);
void run_records_fini(struct run_records *records);

static inline struct span run_record_id(const struct run_record *record)
{
    return span_of(record->id, record->id_size);
}

/* A new record at RUN_ASKED; NULL when the id is taken. */
struct run_record *run_records_add(struct run_records *records, struct span id, uint64_t line);

struct run_record *run_records_find(const struct run_records *records, struct span id);

void run_records_move(struct run_records *records, struct run_record *record,
                      enum run_place place);

enum run_place run_place_of(enum instance_rest rest);
