/*
 * adaptive.h - how many calls may run at once, found out from how the calls go.
 *
 * A fixed number is right for one size of a dependency. When the dependency has a third of its
 * servers left, or three times as many, it is wrong. An adaptive limit is moved by every call
 * that ends: up while calls answer as quickly as they can, down when they queue or time out.
 *
 *   aimd      a call that was dropped: ⌊0.9 L⌋, once for all that ran then; else up by one for
 *             L calls (TCP's additive increase; Netflix' AIMDLimit without its haste)
 *   vegas     the queue at the other side, L (1 − rtt_min / rtt), is kept between 3 and 6 log10
 * L (TCP Vegas; Netflix' VegasLimit) gradient  L' = 0.8 L + 0.2 (L · clamp(1.5 · long / rtt,
 * 0.5, 1) + 4), where long is the average of the last 600 (Netflix' Gradient2Limit)
 *
 * A limit that is not used is not moved up: 2 · running < L says nothing about L.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

#define ADAPTIVE_LIST(X) \
    X(NONE, "none")      \
    X(AIMD, "aimd")      \
    X(VEGAS, "vegas")    \
    X(GRADIENT, "gradient")

#define ADAPTIVE_ENUM(name, text) ADAPTIVE_##name,
enum adaptive_kind { ADAPTIVE_LIST(ADAPTIVE_ENUM) ADAPTIVE_COUNT };
#undef ADAPTIVE_ENUM

struct adaptive_rule {
    enum adaptive_kind kind;
    uint32_t initial;
    uint32_t minimum; /* at least 1 */
    uint32_t maximum;
};

/* Plain data that may be copied and stored. */
struct adaptive {
    double limit;
    double rtt_us;         /* vegas: the least; gradient: the long average */
    instant_ms lowered_at; /* aimd: calls that began before it do not lower it again */
    uint32_t samples;      /* that rtt_us is made of */
    uint32_t renew_at;     /* vegas: rtt_us begins anew after so many */
};

struct adaptive_sample {
    int64_t rtt_us;
    uint32_t running; /* when it ended, itself included */
    bool dropped;     /* timed out, or was turned away */
};

void adaptive_init(struct adaptive *adaptive, const struct adaptive_rule *rule);

/* A call has ended. Those whose end says nothing (cancelled, refused by the business in no
 * time) are not told. */
void adaptive_record(struct adaptive *adaptive, const struct adaptive_rule *rule,
                     instant_ms now, const struct adaptive_sample *sample);

/* From minimum to maximum. */
uint32_t adaptive_limit(const struct adaptive *adaptive, const struct adaptive_rule *rule);

/* "aimd" */
const char *adaptive_name(enum adaptive_kind kind);
