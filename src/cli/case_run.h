/*
 * case_run.h - one text case: an instance on a virtual clock, and what was expected of it.
 */
#pragma once

#include "cli/case_file.h"

/* Runs the case and counts what it covers. True when everything came out as expected;
 * otherwise `said` has a line for each thing that did not:
 *
 *     order.cases:7: expected value SHUT, is OPEN
 *
 * The case ends with the first line of it that something is wrong with. */
bool case_run(const struct case_text *text, struct text *said);
