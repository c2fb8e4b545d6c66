/*
 * expr.h - CEL, the Common Expression Language: the front door of this chapter.
 */
#pragma once

#include "expr/c_code.h"
#include "expr/column.h"
#include "expr/comparison.h"
#include "expr/ecma.h"
#include "expr/footprint.h"
#include "expr/foreign.h"
#include "expr/program.h"
#include "expr/reason.h"
#include "expr/regex.h"
#include "expr/regex_effort.h"
#include "expr/schema.h"
#include "expr/slot.h"
#include "expr/type.h"
#include "expr/type_env.h"
