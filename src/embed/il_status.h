/*
 * il_status.h - our statuses as programs outside see them.
 */
#pragma once

#include <interlock.h>

#include "base/status.h"

il_status il_status_of(enum status status);
