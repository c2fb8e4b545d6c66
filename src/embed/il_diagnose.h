/*
 * il_diagnose.h - diagnostics, told to a function outside.
 */
#pragma once

#include <interlock.h>

#include "base/diagnostic.h"

/* Tells all of them by place; texts are copied to end with a NUL. Nothing when diagnose is
 * NULL. Jumps to the guard of the diagnostics' arena when that is spent. */
void il_diagnose_all(struct diagnostics *diagnostics, il_diagnose *diagnose, void *context);
