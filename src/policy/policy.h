/*
 * policy.h - the front door of policy: when a step may be tried, how long, and how often.
 *
 * Policies are plain structs that live where their owner puts them, and pure functions over
 * them: time is an argument, nothing is allocated, nothing waits. What is configured (a rule)
 * is apart from what has happened (a state), so that a rule can change while its state stays.
 */
#pragma once

#include "policy/adaptive.h"
#include "policy/admission.h"
#include "policy/admission_rules.h"
#include "policy/breaker.h"
#include "policy/budget.h"
#include "policy/deadline.h"
#include "policy/error_kind.h"
#include "policy/fairness.h"
#include "policy/latency.h"
#include "policy/limit.h"
#include "policy/park.h"
#include "policy/policy_rules.h"
#include "policy/rate.h"
#include "policy/retry.h"
#include "policy/throttle.h"
