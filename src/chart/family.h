/*
 * family.h - an instance with the machines that it invokes, on one virtual clock.
 *
 * Members send to each other and to themselves; what they send is taken in the order in which
 * it was sent, one macrostep each, until nothing is left. Only then time may pass.
 *
 * Between macrosteps a member is bytes, its snapshot and its context, as it is in a store. So
 * memory stays bounded however long the run is, and whatever a snapshot would lose shows here
 * too.
 */
#pragma once

#include "chart/snapshot.h"
#include "chart/step.h"

enum { FAMILY_STEPS_MAX = 100000 }; /* that one event or one move of the clock may cause */

enum family_source {
    FAMILY_CHILD,   /* a machine, which becomes a member */
    FAMILY_OUTSIDE, /* something else: whoever drives the family answers for it */
    FAMILY_BROKEN,  /* a machine that does not load */
};

/* What the family asks of its owner. */
struct family_host {
    /* The machine of an invocation's source: a name, a file, or a whole document. It lives in
     * the arena. */
    enum family_source (*find)(void *context, const struct machine *parent, struct span source,
                               struct arena *arena, const struct machine **machine);
    /* Is told each macrostep of the first member; NULL for one that there was no room for. */
    void (*observe)(void *context, const struct plan *plan, instant_ms now);
    void *context;
};

struct family_member;
struct family_delivery;

struct family {
    struct family_host host;
    instant_ms now;
    struct arena turn;              /* of one macrostep, as large as an engine's */
    struct arena arena;             /* of what is decoded before it */
    struct family_member **members; /* the first is nobody's child; NULL: gone */
    uint32_t member_count;
    uint32_t member_capacity;
    struct family_delivery *first;
    struct family_delivery **end;
};

/* Starts the machine at the epoch and lets everybody come to rest. False when that takes more
 * than FAMILY_STEPS_MAX; the family is there all the same. The machine must outlive it. */
bool family_open(struct family *family, const struct machine *machine,
                 const struct family_host *host, struct value input);
void family_close(struct family *family);

/* Sends to the first member and lets everybody come to rest; false as above. */
bool family_send(struct family *family, const struct event *event);

/* Fires timers in order, each at its due time, until the clock stands at `until`, or with
 * INSTANT_NEVER until none is armed; false as above. */
bool family_advance(struct family *family, instant_ms until);

/* The first member as it is; its parts live in the arena and in the family, until the next
 * event. */
struct configuration family_first(const struct family *family, struct arena *arena);
enum instance_status family_status(const struct family *family);
