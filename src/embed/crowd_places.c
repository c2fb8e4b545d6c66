/*
 * crowd_places.c - where the members of a crowd stand, by numbers.
 *
 * A table by hash with linear probing, at most half full; what is in it is never removed one by
 * one, but all is put in anew when places are forgotten.
 */
#include "embed/crowd_places.h"

#include <string.h>

#include "base/ensure.h"
#include "base/limits.h"
#include "base/memory.h"

enum { CAPACITY_MIN = 16 };

static uint32_t hash(const struct crowd_places *places, const uint64_t *words)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < places->words; i++) {
        sum = (sum ^ words[i]) * 0x9E3779B97F4A7C15u; /* 2^64 by the golden ratio */
        sum ^= sum >> 32;
    }
    return (uint32_t)sum & (places->table_size - 1);
}

/* Where the number of a place with these words is, or would be. */
static uint32_t *slot_of(const struct crowd_places *places, const uint64_t *words)
{
    uint32_t at = hash(places, words);
    while (places->table[at] != 0 && memcmp(crowd_places_words(places, places->table[at]),
                                            words, places->words * sizeof *words) != 0)
        at = (at + 1) & (places->table_size - 1);
    return &places->table[at];
}

static void build_table(struct crowd_places *places)
{
    memory_release(places->table);
    places->table_size = places->capacity * 2;
    places->table = memory_get(places->table_size * sizeof *places->table);
    for (uint32_t place = 1; place < places->count; place++)
        *slot_of(places, crowd_places_words(places, place)) = place;
}

/* As many as the limit lets; a place without moves only takes longer. */
static void build_moves(struct crowd_places *places)
{
    memory_release(places->moves);
    places->moves = NULL;
    places->move_places = 0;
    if (places->event_count == 0)
        return;
    uint32_t most = CROWD_MOVES_MAX / places->event_count;
    places->move_places = places->capacity < most ? places->capacity : most;
    places->moves =
        memory_get((size_t)places->move_places * places->event_count * sizeof *places->moves);
}

static void grow_moves(struct crowd_places *places)
{
    uint32_t *old = places->moves;
    size_t bytes = (size_t)places->move_places * places->event_count * sizeof *old;
    places->moves = NULL;
    build_moves(places);
    if (bytes > 0)
        memcpy(places->moves, old, bytes);
    memory_release(old);
}

static void grow(struct crowd_places *places)
{
    places->capacity *= 2;
    places->states =
        memory_resize(places->states, places->capacity * places->words * sizeof(uint64_t));
    build_table(places);
    grow_moves(places);
}

void crowd_places_open(struct crowd_places *places, size_t words)
{
    *places = (struct crowd_places){.words = words, .count = 1, .capacity = CAPACITY_MIN};
    places->states = memory_get(places->capacity * words * sizeof(uint64_t));
    build_table(places);
}

void crowd_places_close(struct crowd_places *places)
{
    memory_release(places->states);
    memory_release(places->table);
    memory_release(places->moves);
    memory_release(places->questions);
}

uint32_t crowd_places_find(struct crowd_places *places, const uint64_t *words)
{
    uint32_t *slot = slot_of(places, words);
    if (*slot != 0)
        return *slot;
    if (places->count == places->capacity) {
        grow(places);
        slot = slot_of(places, words);
    }
    *slot = places->count++;
    memcpy(&places->states[*slot * places->words], words, places->words * sizeof *words);
    return *slot;
}

void crowd_places_set_events(struct crowd_places *places, uint32_t event_count)
{
    places->event_count = event_count;
    places->question_count = 0;
    build_moves(places);
}

void crowd_places_note(struct crowd_places *places, uint32_t place, uint32_t event,
                       uint32_t move)
{
    if (place < places->move_places)
        places->moves[(size_t)place * places->event_count + event] = move | CROWD_MOVE_KNOWN;
}

static struct crowd_question *add_question(struct crowd_places *places, uint32_t guard)
{
    memory_reserve(places->questions, places->question_count, places->question_capacity);
    struct crowd_question *question = &places->questions[places->question_count++];
    *question = (struct crowd_question){.guard = guard, .column = NO_INDEX};
    return question;
}

struct crowd_question *crowd_places_note_asked(struct crowd_places *places, uint32_t place,
                                               uint32_t event, uint32_t guard, bool holds,
                                               uint32_t move)
{
    uint32_t known = crowd_places_move(places, place, event);
    if (place >= places->move_places ||
        (known == 0 && places->question_count == CROWD_QUESTIONS_MAX))
        return NULL;
    struct crowd_question *question = known == 0
                                          ? add_question(places, guard)
                                          : &places->questions[known >> CROWD_MOVE_SHIFT];
    ensure(question->guard == guard);
    question->moves[holds] = move | CROWD_MOVE_KNOWN;
    uint32_t number = (uint32_t)(question - places->questions);
    crowd_places_note(places, place, event, number << CROWD_MOVE_SHIFT | CROWD_MOVE_ASKS);
    return question;
}

void crowd_places_keep(struct crowd_places *places, uint32_t *marks)
{
    uint32_t kept = 1;
    for (uint32_t place = 1; place < places->count; place++) {
        if (marks[place] == 0)
            continue;
        memmove(&places->states[kept * places->words], crowd_places_words(places, place),
                places->words * sizeof(uint64_t));
        marks[place] = kept++;
    }
    places->count = kept;
    places->question_count = 0;
    build_table(places);
    build_moves(places);
}

size_t crowd_places_bytes(const struct crowd_places *places)
{
    return places->capacity * places->words * sizeof(uint64_t) +
           places->table_size * sizeof *places->table +
           (size_t)places->move_places * places->event_count * sizeof *places->moves +
           places->question_capacity * sizeof *places->questions;
}
