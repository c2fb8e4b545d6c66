/*
 * sarif.h - diagnostics in SARIF 2.1.0, the form in which code hosts and editors show findings
 * beside the lines they are about (OASIS, "Static Analysis Results Interchange Format").
 */
#pragma once

#include "base/diagnostic.h"
#include "base/text.h"

/* Adds one result object; the results of a log are separated by commas. A help follows the
 * message as a sentence. A diagnostic without a line is about the file as a whole. */
void sarif_add_result(struct text *text, const struct diagnostic *diagnostic);

/* The whole log around its results. */
void sarif_add_log(struct text *text, struct span results);
