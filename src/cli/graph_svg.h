/*
 * graph_svg.h - a machine as a picture, made by Graphviz.
 */
#pragma once

#include "base/text.h"
#include "chart/chart.h"
#include "cli/cli.h"

/* Runs `dot`, which has to be installed; says why when there is no picture. */
enum cli_exit graph_svg(const struct machine *machine, struct text *svg);
