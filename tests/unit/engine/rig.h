/*
 * rig.h - an engine on a store that can be told to fail, with a strategy that follows a script:
 * what the tests of faults and of load share.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "fake_strategy.h"

struct rig {
    struct loop *loop;
    struct store *inner; /* keeps what was committed over crashes */
    struct store *store; /* in front of it: fails when told */
    struct engine *engine;
    struct fake_world *world;
    struct arena arena;
    uint64_t replies[ANSWER_UNKNOWN + 1];
    enum outcome last_outcome;
    uint64_t last_seq;
    duration_ms retry_ms; /* of the last that was refused for now */
    char message[200];
    bool is_broken;
    enum status broken_by;
    char problem[200];
    const char *focus;
    unsigned commit_us; /* that a commit takes longer; its batch may not change meanwhile */
    bool has_changed;   /* … and did */
    void (*before_page)(struct rig *rig, uint32_t kind); /* while somebody reads rows */
};

/* The rig's store: the commit that fails (counted from 1; 0: none), how, and whether it was
 * written all the same (only for UNKNOWN). */
void rig_fail_commit(struct rig *rig, uint64_t number, enum status status, bool is_written);
uint64_t rig_commits(const struct rig *rig); /* asked of the store */

/* How far the clock is ahead of the real one: rig_wall() is what clock_wall() gives. */
void rig_set_clock(duration_ms ahead_ms);

struct rig *rig_open(fake_script *script, const char *machine);
void rig_close(struct rig *rig);

/* A registry as a reader beside the engine fills it. */
enum status rig_read(struct rig *rig, struct registry *registry);

/* Flips a bit of a row behind the engine's back, reopens, and gives what came of it. */
enum status rig_flip(struct rig *rig, uint32_t kind, const char *key, size_t byte);

/* Cuts so many bytes off what a policy's row keeps, as if an older engine had written it. */
void rig_shorten_saved(struct rig *rig, const char *key, size_t bytes);

/* An engine on what the store holds; the machine is deployed when it is not NULL. */
void rig_open_engine(struct rig *rig, const char *machine);
void rig_deploy(struct rig *rig, const char *machine);

/* Drops the engine without a word, as a crash would. */
void rig_crash(struct rig *rig);
void rig_stop(struct rig *rig, duration_ms grace_ms);

void rig_start(struct rig *rig, const char *id, const char *input, const char *event,
               const char *payload);
void rig_start_many(struct rig *rig, uint64_t count);
void rig_send(struct rig *rig, const char *id, const char *type, const char *payload,
              const char *key);

/* Rounds of the loop until so many answers of a kind came, instances are final, attempts run.
 */
void rig_until_replies(struct rig *rig, enum engine_answer answer, uint64_t count);
void rig_until_final(struct rig *rig, uint64_t count);
void rig_until_running(struct rig *rig, size_t count);
void rig_until_settled(struct rig *rig); /* nothing more happens for a moment */
void rig_rest(struct rig *rig, duration_ms real_ms);

struct instance *rig_find(struct rig *rig, const char *id);
void rig_assert_state(struct rig *rig, const char *id, const char *state);

/* Every history has no gap and replays to what is stored (I4, I8). */
void rig_verify(struct rig *rig);
/* All attempts of a step of an instance had one key. Only for machines that enter it once. */
void rig_assert_keys(struct rig *rig);
/* Nothing is in flight or in line. */
void rig_assert_idle(struct rig *rig, const char *step);

/* JSON text of about so many bytes, or parts, between two pieces; memory_release() it. */
char *rig_filled(const char *before, size_t size, const char *behind);
char *rig_numbers(const char *before, size_t count, const char *behind);

/* A machine that keeps what it is given, asks a step, or waits. */
extern const char rig_keeper[];

struct fake_answer rig_all_well(void *context, const struct fake_call *call);
