/*
 * policy_metrics.h - what policies know, for those who collect figures: `policies -o
 * prometheus`.
 */
#pragma once

#include "base/text.h"
#include "base/value.h"

/* The key of a policy's row in its parts. */
struct policy_name {
    struct span machine;
    struct span step; /* empty: the row is that of the machine's door */
    struct span key;  /* empty: it is the step's own */
};

struct policy_name policy_name_of(struct span row_key);

struct policy_row {
    struct policy_name name;
    struct value value; /* a map, as the engine writes it */
};

/* Appends the rows in Prometheus' text format (0.0.4): one family after the other, and in each
 * the rows in their order. What a row does not have, it has no line for. */
void policy_metrics_write(struct text *text, const struct policy_row *rows, size_t count);
