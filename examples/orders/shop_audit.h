/*
 * shop_audit.h - does the ledger agree with what became of the orders?
 *
 * The audit reads only what was written: the ledger's lines and, where given, the final
 * states that `interlock list -o ndjson` printed. It shares no memory and no bookkeeping
 * with the shop that wrote them.
 */
#pragma once

#include "base/text.h"

/* What must never be: its name, and how it is said with a number before it. */
#define SHOP_RULE_LIST(X)                                                                  \
    X(CHARGED_TWICE, "charged_twice", "orders charged under two keys")                     \
    X(CHARGED_FAILED, "charged_failed", "charged and failed")                              \
    X(MOVED_TWICE, "moved_twice", "keys that moved money twice")                           \
    X(KEY_SHARED, "key_shared", "keys used for two requests")                              \
    X(REFUNDED_TWICE, "refunded_twice", "orders refunded twice, or more than was charged") \
    X(COMPLETED_UNCHARGED, "completed_uncharged", "completed without a charge")            \
    X(COMPLETED_REFUNDED, "completed_refunded", "completed and refunded")                  \
    X(CHARGED_UNKNOWN, "charged_unknown", "charged, but not among the results")

#define SHOP_RULE_ENUM(name, text, sentence) SHOP_RULE_##name,
enum shop_rule { SHOP_RULE_LIST(SHOP_RULE_ENUM) SHOP_RULE_COUNT };
#undef SHOP_RULE_ENUM

struct shop_audit {
    size_t requests;
    size_t charges; /* that stand */
    size_t refunds;
    size_t violations[SHOP_RULE_COUNT];
    struct text offenders[SHOP_RULE_COUNT]; /* the first few, by name */
};

/* Reads the ledger and the results (NULL: none; then only what needs no states is judged).
 * False after saying what could not be read. Release it with shop_audit_fini() either way. */
bool shop_audit_read(struct shop_audit *audit, const char *ledger, const char *results);
void shop_audit_fini(struct shop_audit *audit);

bool shop_audit_is_clean(const struct shop_audit *audit);

/* For people, a line and one more for every rule broken; and as one JSON object. */
void shop_audit_write(const struct shop_audit *audit, struct text *text);
void shop_audit_write_json(const struct shop_audit *audit, struct text *text);
