/*
 * draw.h - a machine as a drawing, in the notation of other programs.
 */
#pragma once

#include "base/text.h"
#include "chart/machine.h"

/* A `stateDiagram-v2` of Mermaid. */
void draw_mermaid(const struct machine *machine, struct text *text);

/* A digraph for Graphviz's `dot`. */
void draw_dot(const struct machine *machine, struct text *text);
