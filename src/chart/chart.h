/*
 * chart.h - statecharts: definition to machine, and the macrostep. The front door.
 */
#pragma once

#include "chart/check.h"
#include "chart/configuration.h"
#include "chart/derivation.h"
#include "chart/derivation_columns.h"
#include "chart/derivation_table.h"
#include "chart/derived_state.h"
#include "chart/describe.h"
#include "chart/door.h"
#include "chart/draw.h"
#include "chart/emit_c.h"
#include "chart/family.h"
#include "chart/letter.h"
#include "chart/load.h"
#include "chart/machine.h"
#include "chart/scxml.h"
#include "chart/scxml_write.h"
#include "chart/snapshot.h"
#include "chart/step.h"
#include "chart/step_light.h"
