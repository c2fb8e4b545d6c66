/*
 * crowd_places.h - where the members of a crowd stand, by numbers.
 *
 * Very many instances of one machine stand at few places: the same states are active in them,
 * and history remembers the same. A place gets its number when somebody comes there first. From
 * there an event that only moves states, and asks no guard about more than those, leads to the
 * same place every time; that is noted when it was found out, and from then on the event is one
 * look into a table. Where it asks one guard, there are two such places, and what remains to do
 * is to ask it. So regions and histories become the table of a flat machine, as far as it
 * is needed: what lexers do with the states of an automaton that they meet.
 *
 * Always: place 0 is nowhere, words of zeros, and nothing leads there or away.
 */
#pragma once

#include "chart/chart.h"
#include "expr/expr.h"

/* Where an event leads that asks one guard. */
struct crowd_question {
    uint32_t guard;
    uint32_t column;   /* NO_INDEX; or whose plain value the comparison decides, if an int */
    uint32_t moves[2]; /* by what it says */
    struct expr_comparison comparison;
};

struct crowd_places {
    size_t words; /* of one place */
    uint32_t count;
    uint32_t capacity;
    uint64_t *states; /* the words of each */
    uint32_t *table;  /* numbers by the hash of the words; 0: free */
    uint32_t table_size;

    uint32_t *moves;      /* by place and event */
    uint32_t event_count; /* of one place */
    uint32_t move_places; /* those before it have moves */
    struct crowd_question *questions;
    uint32_t question_count;
    uint32_t question_capacity;
};

/* A move: 0 as long as it is not known; else these and the place where it leads, or the number
 * of the question that it depends on. */
enum {
    CROWD_MOVE_KNOWN = 1,
    CROWD_MOVE_APPLIED = 2,
    CROWD_MOVE_CHANGED = 4,
    CROWD_MOVE_ASKS = 8,
    CROWD_MOVE_SHIFT = 4
};

void crowd_places_open(struct crowd_places *places, size_t words);
void crowd_places_close(struct crowd_places *places);

/* The number of the place with these words; a new one where nobody was. */
uint32_t crowd_places_find(struct crowd_places *places, const uint64_t *words);

static inline const uint64_t *crowd_places_words(const struct crowd_places *places,
                                                 uint32_t place)
{
    return &places->states[place * places->words];
}

/* So many types of events there may be from now on. Forgets all moves. */
void crowd_places_set_events(struct crowd_places *places, uint32_t event_count);

static inline uint32_t crowd_places_move(const struct crowd_places *places, uint32_t place,
                                         uint32_t event)
{
    return place < places->move_places
               ? places->moves[(size_t)place * places->event_count + event]
               : 0;
}

/* Notes where the event leads from there; far away, where there is no room, it does not. */
void crowd_places_note(struct crowd_places *places, uint32_t place, uint32_t event,
                       uint32_t move);

/* Notes where it leads when that guard says so. The question is new (`moves` are 0) or as it
 * was; NULL where there is no room. */
struct crowd_question *crowd_places_note_asked(struct crowd_places *places, uint32_t place,
                                               uint32_t event, uint32_t guard, bool holds,
                                               uint32_t move);

/* Forgets all places but 0 and those that are marked, whose new numbers replace their marks:
 * one mark for each place, not 0. Forgets all moves. */
void crowd_places_keep(struct crowd_places *places, uint32_t *marks);

size_t crowd_places_bytes(const struct crowd_places *places);
