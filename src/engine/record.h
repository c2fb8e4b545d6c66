/*
 * record.h - what a log record holds.
 *
 * A record holds an input and its result. Recovery applies results; only a replay (I8)
 * runs inputs again. An event record is one turn of an instance and has the next number
 * of its history. A progress record is soft: how far a request has come.
 *
 * Every record names where the record before it of the same instance stands, so that a
 * history can be followed without an index.
 *
 *   u32 size of the rest | u8 kind | instance | previous lsn | previous offset | now | …
 *   event:    u8 semantics | seq | u8 event kind | type | number | payload | u8 outcome
 *             | u8 flags | errors | snapshot | context (when it changed)
 *             | of a letter: sender, invoke id, origin, send id, session
 *   progress: number | progress
 */
#pragma once

#include "engine/instance.h"

enum record_kind { RECORD_EVENT = 1, RECORD_PROGRESS = 2 };

enum { SEMANTICS_VERSION = 1 };

struct record {
    enum record_kind kind;
    struct span instance;
    lsn previous_lsn; /* 0: there is none */
    uint32_t previous_offset;
    instant_ms now;

    uint64_t seq;
    enum event_kind event_kind;
    struct span type;
    uint64_t number;     /* of the timer or invocation; PROGRESS: of the invocation */
    struct span payload; /* JSON */
    enum outcome outcome;
    bool late;
    enum giving_up gave_up; /* the result is that of step_give_up() */
    bool has_context;
    struct span errors; /* JSON list, or empty */
    struct span snapshot;
    struct span context; /* JSON, when it changed */

    /* A letter: what another instance of the family sent. START: its parent, and the id of the
     * invocation that it is there; `number` is that invocation's. */
    struct span sender; /* empty: the instance itself */
    struct span invoke_id;
    struct span origin;
    struct span send_id;
    struct span session;

    struct request_progress progress;
};

/* Appends a record. A PROGRESS takes `request` for its progress, an EVENT ignores it. */
void record_write(struct text *text, const struct record *record,
                  const struct request *request);

/* Reads the record at the offset and moves the offset behind it; false when the bytes are
 * damaged. Spans point into the bytes. */
bool record_read(struct span records, size_t *offset, struct record *record);
