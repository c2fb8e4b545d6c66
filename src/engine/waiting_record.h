/*
 * waiting_record.h - what waiting.h tells of instances whose state follows from a record.
 */
#pragma once

#include "chart/chart.h"

/* {"for":"record","fields","next"}: see derived_state_awaits(). Null: the machine is driven by
 * events, or nothing leads on. */
struct value waiting_record(const struct configuration *configuration, struct arena *arena);

/* Why it is in its state, and what each of the next ones still wants, a line each. */
void waiting_tell_record(const struct configuration *configuration, struct arena *arena,
                         struct text *text);
