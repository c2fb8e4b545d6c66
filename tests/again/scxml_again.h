/*
 * scxml_again.h - a machine that was written as an SCXML document and read again.
 */
#pragma once

#include "chart/chart.h"

/* NULL where the document does not load: why is among the diagnostics. The text is the
 * document. */
const struct machine *scxml_again(const struct machine *machine, struct arena *arena,
                                  struct diagnostics *diagnostics, struct span *text);
