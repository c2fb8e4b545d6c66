/*
 * calendar.h - the parts of timestamps and durations.
 *
 * Timestamps are read in UTC or at an offset such as '+05:30'. Zones by name need a
 * database that a pure core cannot read, so they are errors.
 */
#pragma once

#include "expr/vm.h"

struct value calendar_full_year(struct vm *vm, const struct value *arguments, size_t count);
struct value calendar_month(struct vm *vm, const struct value *arguments, size_t count);
struct value calendar_date(struct vm *vm, const struct value *arguments, size_t count);
struct value calendar_day_of_month(struct vm *vm, const struct value *arguments, size_t count);
struct value calendar_day_of_week(struct vm *vm, const struct value *arguments, size_t count);
struct value calendar_day_of_year(struct vm *vm, const struct value *arguments, size_t count);
struct value calendar_hours(struct vm *vm, const struct value *arguments, size_t count);
struct value calendar_minutes(struct vm *vm, const struct value *arguments, size_t count);
struct value calendar_seconds(struct vm *vm, const struct value *arguments, size_t count);
struct value calendar_milliseconds(struct vm *vm, const struct value *arguments, size_t count);
