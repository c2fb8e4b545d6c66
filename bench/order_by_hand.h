/*
 * order_by_hand.h - the order of the benchmarks as a table by hand: the ceiling.
 *
 * States and events by number, [state][event], as a switch would have them: no names, no
 * context, no guard, no plan.
 */
#pragma once

#include <stdint.h>

#include "rounds.h"

enum { BY_HAND_EVENTS = 1000000, BY_HAND_ROUNDS = 9, BY_HAND_SIZE = 6 };

static const uint8_t order_by_hand[BY_HAND_SIZE][BY_HAND_SIZE] = {
    {1, 0, 0, 0, 0, 0}, {1, 2, 1, 1, 1, 1}, {2, 2, 3, 2, 2, 2},
    {3, 3, 3, 4, 3, 3}, {4, 4, 4, 4, 5, 4}, {5, 5, 5, 5, 5, 0},
};

/* ns an event, one order over and over; the events are read anew each time. */
static inline double order_by_hand_measure(void)
{
    static volatile uint8_t sent[BY_HAND_SIZE] = {0, 1, 2, 3, 4, 5};
    double rounds[BY_HAND_ROUNDS];
    volatile uint8_t end;
    for (int round = 0; round < BY_HAND_ROUNDS; round++) {
        uint8_t state = 0;
        uint32_t at = 0;
        double from = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (uint32_t i = 0; i < BY_HAND_EVENTS; i++) {
            state = order_by_hand[state][sent[at]];
            at = at + 1 == BY_HAND_SIZE ? 0 : at + 1;
        }
        end = state;
        rounds[round] = (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - from) / BY_HAND_EVENTS;
    }
    (void)end;
    return rounds_median(rounds, BY_HAND_ROUNDS);
}
