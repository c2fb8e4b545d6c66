/*
 * scxml_write.h - a machine as an SCXML document (W3C).
 *
 * Read by scxml_convert() it is the same machine again; read by other programs it is what
 * SCXML can say of it. What it cannot say stands in a namespace of ours (scxml_own.c).
 */
#pragma once

#include "base/diagnostic.h"
#include "base/text.h"
#include "chart/machine.h"

/* What other programs will read otherwise is told by warnings (IL0106), each difference once.
 * An error, and no document, where XML has no form for a name: one with control characters;
 * and for a machine that has scripts, which came out of such a document. */
void scxml_write(const struct machine *machine, struct arena *arena, struct text *text,
                 struct diagnostics *diagnostics);
