/*
 * shop_ledger.h - who asked the shop for what, and whose money moved.
 *
 * The ledger is a file of one JSON object a line, one line a request, whatever came of
 * it. A line is written before its request is answered, so what a caller was told is
 * always in the file, and so is what a caller was never told because it had gone.
 *
 * A key moves money once. A repeated key gets the recorded answer again. Orders are not
 * protected beyond that: a caller that comes with two keys for one order is charged
 * twice, because that is what the audit is there to find.
 */
#pragma once

#include "base/span.h"
#include "base/time.h"

#define SHOP_STEP_LIST(X)   \
    X(VALIDATE, "validate") \
    X(CHARGE, "charge")     \
    X(REFUND, "refund")     \
    X(RESERVE, "reserve")

#define SHOP_STEP_ENUM(name, text) SHOP_##name,
enum shop_step { SHOP_STEP_LIST(SHOP_STEP_ENUM) SHOP_STEP_COUNT };
#undef SHOP_STEP_ENUM

/* What came of a request: name, HTTP status, code, sentence. The first nine are decisions
 * that a key keeps for ever; the rest are refusals that a later attempt may get past. */
#define SHOP_OUTCOME_LIST(X)                                                                   \
    X(VALID, 200, "valid", "the order is in order")                                            \
    X(INVALID, 422, "invalid", "an order has items and a total above zero")                    \
    X(CHARGED, 200, "charged", "the money was taken")                                          \
    X(DECLINED, 402, "declined", "the card was declined")                                      \
    X(CANCELLED, 409, "cancelled", "order cancelled: it was refunded before this charge came") \
    X(REFUNDED, 200, "refunded", "what was charged was given back")                            \
    X(UNCHARGED, 200, "nothing-to-refund", "no charge stands for this order")                  \
    X(RESERVED, 200, "reserved", "the goods were put aside")                                   \
    X(SOLD_OUT, 409, "out-of-stock", "an item is out of stock")                                \
    X(KEYLESS, 400, "no-key", "a request needs an Idempotency-Key")                            \
    X(UNREADABLE, 400, "unreadable", "a request is a JSON object that names its order")        \
    X(KEY_REUSED, 422, "key-reused", "this key belongs to another request")                    \
    X(BUSY, 503, "busy", "the queue is full")                                                  \
    X(OUTAGE, 503, "outage", "the service is down")                                            \
    X(FAILED, 500, "failed", "the service failed")

#define SHOP_OUTCOME_ENUM(name, status, code, sentence) SHOP_##name,
enum shop_outcome { SHOP_OUTCOME_LIST(SHOP_OUTCOME_ENUM) SHOP_OUTCOME_COUNT };
#undef SHOP_OUTCOME_ENUM

const char *shop_step_name(enum shop_step step);
int shop_outcome_status(enum shop_outcome outcome);
const char *shop_outcome_code(enum shop_outcome outcome);
const char *shop_outcome_sentence(enum shop_outcome outcome);

/* One request as far as the shop cares. Spans belong to whoever read it. */
struct shop_request {
    enum shop_step step;
    struct span key;
    struct span order;
    int64_t attempt;
    int64_t amount; /* cents: `amount`, else `total` */
    bool has_items;
    bool has_sold_out; /* an item with sku "out-of-stock" */
    bool is_declined;  /* card "declined" */
};

/* One line of the ledger, read or to be written. */
struct shop_line {
    instant_ms at;
    enum shop_step step;
    struct span key;
    struct span order;
    int64_t attempt;
    int64_t amount;
    enum shop_outcome outcome;
    int64_t moved;    /* cents that moved: from the customer above zero, back below */
    int64_t number;   /* of the payment or reservation */
    bool is_repeated; /* the key's recorded outcome, told again */
    int64_t answered; /* the HTTP status told; 0: the connection was left without an answer */
};

struct shop_ledger;

/* Opens for appending and takes up what the file says already; NULL after saying why. */
struct shop_ledger *shop_ledger_open(const char *path);
void shop_ledger_close(struct shop_ledger *ledger);
int shop_ledger_file(const struct shop_ledger *ledger);

/* Decides the request, moves the money and writes the line. `answered` is what the caller
 * will be told instead of the outcome's status, or -1 for the truth. */
struct shop_line shop_ledger_act(struct shop_ledger *ledger, const struct shop_request *request,
                                 int answered);

/* Writes down a request that was not acted on. */
struct shop_line shop_ledger_note(struct shop_ledger *ledger,
                                  const struct shop_request *request, enum shop_outcome outcome,
                                  int answered);

/* Calls visit for every line of a ledger file, in order; false after saying what is wrong.
 * A last line without its end is one that was being written: it is left out. */
typedef void shop_visit(void *context, const struct shop_line *line);
bool shop_ledger_read(const char *path, shop_visit *visit, void *context);

/* A whole file into the text, or false after saying why. */
bool shop_ledger_load(const char *path, struct text *bytes);
