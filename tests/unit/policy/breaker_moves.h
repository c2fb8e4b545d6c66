/*
 * breaker_moves.h - a breaker played through a list of moves: what its tests share.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"

enum { LEASE_MS = 1000 };

static const struct breaker_rule BASE_RULE = {
    .window_ms = 10000,
    .failures_percent = 50,
    .minimum = 4,
    .open_ms = 2000,
    .open_max_ms = 30000,
    .probes = 3,
    .ramp_ms = 0,
    .counted = ERROR_KINDS_INFRASTRUCTURE,
};

/* What happens at a moment:
 *   '+' '-' '0'  a call goes through and succeeds, fails, or says nothing
 *   'x'          a call is refused
 *   't'          a call goes through and keeps its permit
 *   's' 'f' 'n'  the kept permit is reported: success, failure, neutral */
struct move {
    instant_ms at;
    char what;
    int permit;
    enum breaker_state after;
};

#define C BREAKER_CLOSED
#define O BREAKER_OPEN
#define H BREAKER_HALF_OPEN

static inline enum breaker_result result_of(char what)
{
    if (what == '+' || what == 's')
        return BREAKER_SUCCESS;
    return what == '-' || what == 'f' ? BREAKER_FAILURE : BREAKER_NEUTRAL;
}

/* Plays the moves up to the one that does nothing. */
static inline void play(const struct breaker_rule *rule, const struct move *moves)
{
    struct breaker breaker;
    struct breaker_permit permits[8] = {0};
    breaker_init(&breaker, 0);
    for (size_t i = 0; moves[i].what != '\0'; i++) {
        const struct move *move = &moves[i];
        struct breaker_permit *permit = &permits[move->permit];
        bool asks = strchr("+-0xt", move->what) != NULL;
        if (asks &&
            breaker_allow(&breaker, rule, move->at, LEASE_MS, permit) != (move->what != 'x'))
            fail_msg("move %zu at %lld: %s", i, (long long)move->at,
                     move->what == 'x' ? "was let through" : "was refused");
        if (strchr("+-0sfn", move->what) != NULL)
            breaker_record(&breaker, rule, move->at, permit, result_of(move->what));
        if (breaker_state(&breaker, move->at) != move->after)
            fail_msg("move %zu at %lld: is %s", i, (long long)move->at,
                     breaker_state_name(breaker_state(&breaker, move->at)));
    }
}

#define PLAY(rule, ...) play((rule), (const struct move[]){__VA_ARGS__, {0, '\0', 0, C}})
