/*
 * shop_ledger.c - who asked the shop for what, and whose money moved.
 *
 * Everything the shop remembers is what its lines say: opening a ledger reads them again,
 * so a shop started on an old ledger still knows every key and every order.
 *
 * Why a refund leaves a tombstone: a charge may be on its way, or in the shop's queue,
 * when its order is cancelled. Were it let in after the refund, it would stand for ever.
 * So a refund also says "no charge for this order from now on", even when there was
 * nothing to give back.
 *
 * Always: money[order] is the sum of `moved` over the order's lines, and no key moves
 * money twice.
 */
#include "shop_ledger.h"

#include "base/ensure.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define STEP_NAME(name, text) text,
static const char *const step_names[] = {SHOP_STEP_LIST(STEP_NAME)};
#undef STEP_NAME

static const struct {
    int status;
    const char *code;
    const char *sentence;
} outcomes[] = {
#define OUTCOME_ROW(name, status, code, sentence) {status, code, sentence},
    SHOP_OUTCOME_LIST(OUTCOME_ROW)
#undef OUTCOME_ROW
};

/* What a key was used for, and what came of it. */
struct key_record {
    enum shop_step step;
    struct span order;
    int64_t amount;
    enum shop_outcome outcome;
    int64_t number;
};

struct order_record {
    int64_t standing; /* cents charged and not given back */
    bool is_refunded; /* the tombstone */
};

struct shop_ledger {
    int file;
    struct table keys;   /* key → struct key_record */
    struct table orders; /* order → struct order_record */
    struct arena arena;  /* both, and their names */
    int64_t number;      /* of the latest payment or reservation */
    struct text line;
};

const char *shop_step_name(enum shop_step step)
{
    return step_names[step];
}

int shop_outcome_status(enum shop_outcome outcome)
{
    return outcomes[outcome].status;
}

const char *shop_outcome_code(enum shop_outcome outcome)
{
    return outcomes[outcome].code;
}

const char *shop_outcome_sentence(enum shop_outcome outcome)
{
    return outcomes[outcome].sentence;
}

static bool is_decision(enum shop_outcome outcome)
{
    return outcome <= SHOP_SOLD_OUT;
}

/* Reading */

bool shop_ledger_load(const char *path, struct text *bytes)
{
    FILE *file = fopen(path, "rb");
    size_t size = file == NULL ? 0 : 1;
    while (size > 0) {
        size = fread(text_reserve(bytes, 1 << 16), 1, 1 << 16, file);
        bytes->size += size;
    }
    bool is_read = file != NULL && !ferror(file);
    if (!is_read)
        fprintf(stderr, "shop: cannot read %s: %s\n", path, strerror(errno));
    if (file != NULL)
        fclose(file);
    return is_read;
}

static int64_t integer_member(struct value map, struct span key)
{
    struct value member = value_member(map, key);
    return member.kind == VALUE_INT ? member.integer : 0;
}

static struct span string_member(struct value map, struct span key)
{
    struct value member = value_member(map, key);
    return member.kind == VALUE_STRING ? value_span(member) : SPAN("");
}

static bool find_step(struct span name, enum shop_step *step)
{
    for (int i = 0; i < SHOP_STEP_COUNT; i++)
        if (span_is(name, step_names[i])) {
            *step = (enum shop_step)i;
            return true;
        }
    return false;
}

static bool find_outcome(struct span code, enum shop_outcome *outcome)
{
    for (int i = 0; i < SHOP_OUTCOME_COUNT; i++)
        if (span_is(code, outcomes[i].code)) {
            *outcome = (enum shop_outcome)i;
            return true;
        }
    return false;
}

static bool read_line(struct span text, struct arena *arena, struct shop_line *line)
{
    struct value value;
    struct json_error error;
    if (json_read(text, arena, &value, &error) != STATUS_OK || value.kind != VALUE_MAP)
        return false;
    *line = (struct shop_line){
        .key = string_member(value, SPAN("key")),
        .order = string_member(value, SPAN("order")),
        .attempt = integer_member(value, SPAN("attempt")),
        .amount = integer_member(value, SPAN("amount")),
        .moved = integer_member(value, SPAN("moved")),
        .number = integer_member(value, SPAN("number")),
        .is_repeated = value_is_true(value_member(value, SPAN("repeated"))),
        .answered = integer_member(value, SPAN("answered")),
    };
    return find_step(string_member(value, SPAN("service")), &line->step) &&
           find_outcome(string_member(value, SPAN("outcome")), &line->outcome);
}

static bool read_lines(struct span file, const char *path, shop_visit *visit, void *context)
{
    struct arena arena;
    arena_open(&arena, SIZE_MAX);
    bool is_read = true;
    size_t number = 0;
    size_t from = 0;
    for (size_t to; is_read && (to = span_find(file, SPAN("\n"), from)) != SIZE_MAX;
         from = to + 1) {
        struct shop_line line;
        number++;
        is_read = read_line(span_slice(file, from, to), &arena, &line);
        if (is_read)
            visit(context, &line);
        else
            fprintf(stderr, "%s:%zu: not a line of a ledger\n", path, number);
        arena_clear(&arena);
    }
    arena_close(&arena);
    return is_read;
}

bool shop_ledger_read(const char *path, shop_visit *visit, void *context)
{
    struct text file;
    text_init(&file, NULL);
    bool is_read =
        shop_ledger_load(path, &file) && read_lines(text_span(&file), path, visit, context);
    text_fini(&file);
    return is_read;
}

/* Remembering */

static struct order_record *get_order(struct shop_ledger *ledger, struct span name)
{
    struct order_record *order = table_find(&ledger->orders, name);
    if (order == NULL) {
        order = arena_new(&ledger->arena, struct order_record);
        table_add(&ledger->orders, arena_copy(&ledger->arena, name), order);
    }
    return order;
}

static void remember_key(struct shop_ledger *ledger, const struct shop_line *line)
{
    struct key_record *key = arena_new(&ledger->arena, struct key_record);
    *key = (struct key_record){line->step, arena_copy(&ledger->arena, line->order),
                               line->amount, line->outcome, line->number};
    table_add(&ledger->keys, arena_copy(&ledger->arena, line->key), key);
}

/* The shop_visit of opening, and what acting does: a line's effect on what is known. */
static void remember(void *context, const struct shop_line *line)
{
    struct shop_ledger *ledger = context;
    if (!is_decision(line->outcome) || line->is_repeated)
        return;
    if (table_find(&ledger->keys, line->key) == NULL)
        remember_key(ledger, line);
    struct order_record *order = get_order(ledger, line->order);
    order->standing += line->moved;
    order->is_refunded |= line->step == SHOP_REFUND;
    if (line->number > ledger->number)
        ledger->number = line->number;
}

struct shop_ledger *shop_ledger_open(const char *path)
{
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) {
        fprintf(stderr, "shop: cannot write %s: %s\n", path, strerror(errno));
        return NULL;
    }
    struct shop_ledger *ledger = memory_get(sizeof *ledger);
    ledger->file = file;
    table_init(&ledger->keys);
    table_init(&ledger->orders);
    arena_open(&ledger->arena, SIZE_MAX);
    text_init(&ledger->line, NULL);
    if (shop_ledger_read(path, remember, ledger))
        return ledger;
    shop_ledger_close(ledger);
    return NULL;
}

void shop_ledger_close(struct shop_ledger *ledger)
{
    close(ledger->file);
    table_fini(&ledger->keys);
    table_fini(&ledger->orders);
    arena_close(&ledger->arena);
    text_fini(&ledger->line);
    memory_release(ledger);
}

int shop_ledger_file(const struct shop_ledger *ledger)
{
    return ledger->file;
}

/* Writing */

static instant_ms read_wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (instant_ms)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void add_string(struct text *text, const char *name, struct span string)
{
    text_format(text, ",\"%s\":", name);
    json_write_string(text, string);
}

/* A ledger that cannot be written must not go on moving money: the shop closes. */
static void write_line(struct shop_ledger *ledger, const struct shop_line *line)
{
    struct text *text = &ledger->line;
    text_clear(text);
    text_add(text, SPAN("{\"at\":\""));
    time_add_instant(text, line->at);
    text_format(text, "\",\"service\":\"%s\"", shop_step_name(line->step));
    add_string(text, "key", line->key);
    add_string(text, "order", line->order);
    text_format(text, ",\"attempt\":%lld,\"amount\":%lld", (long long)line->attempt,
                (long long)line->amount);
    text_format(text, ",\"outcome\":\"%s\",\"moved\":%lld", shop_outcome_code(line->outcome),
                (long long)line->moved);
    text_format(text, ",\"number\":%lld,\"repeated\":%s,\"answered\":%lld}\n",
                (long long)line->number, line->is_repeated ? "true" : "false",
                (long long)line->answered);
    ssize_t written = write(ledger->file, text->bytes, text->size);
    if (written == (ssize_t)text->size)
        return;
    fprintf(stderr, "shop: the ledger cannot be written: %s\n", strerror(errno));
    _exit(3);
}

static struct shop_line line_of(const struct shop_request *request, enum shop_outcome outcome,
                                int answered)
{
    return (struct shop_line){
        .at = read_wall_clock(),
        .step = request->step,
        .key = request->key,
        .order = request->order,
        .attempt = request->attempt,
        .amount = request->amount,
        .outcome = outcome,
        .answered = answered < 0 ? shop_outcome_status(outcome) : answered,
    };
}

struct shop_line shop_ledger_note(struct shop_ledger *ledger,
                                  const struct shop_request *request, enum shop_outcome outcome,
                                  int answered)
{
    ensure(!is_decision(outcome));
    struct shop_line line = line_of(request, outcome, answered);
    write_line(ledger, &line);
    return line;
}

/* Deciding */

static enum shop_outcome decide(struct shop_ledger *ledger, const struct shop_request *request)
{
    const struct order_record *order = get_order(ledger, request->order);
    switch (request->step) {
    case SHOP_VALIDATE:
        return request->has_items && request->amount > 0 ? SHOP_VALID : SHOP_INVALID;
    case SHOP_CHARGE:
        if (order->is_refunded)
            return SHOP_CANCELLED;
        if (request->is_declined)
            return SHOP_DECLINED;
        return request->amount > 0 ? SHOP_CHARGED : SHOP_INVALID;
    case SHOP_REFUND:
        return order->standing > 0 ? SHOP_REFUNDED : SHOP_UNCHARGED;
    case SHOP_RESERVE:
        return request->has_sold_out ? SHOP_SOLD_OUT : SHOP_RESERVED;
    case SHOP_STEP_COUNT:
        break;
    }
    never();
}

static struct shop_line decide_line(struct shop_ledger *ledger,
                                    const struct shop_request *request, int answered)
{
    struct shop_line line = line_of(request, decide(ledger, request), answered);
    if (line.outcome == SHOP_CHARGED)
        line.moved = line.amount;
    if (line.outcome == SHOP_REFUNDED)
        line.moved = -get_order(ledger, line.order)->standing;
    if (line.outcome == SHOP_CHARGED || line.outcome == SHOP_RESERVED)
        line.number = ledger->number + 1;
    return line;
}

static struct shop_line repeat_line(const struct key_record *key,
                                    const struct shop_request *request, int answered)
{
    struct shop_line line = line_of(request, key->outcome, answered);
    line.is_repeated = true;
    line.number = key->number;
    return line;
}

struct shop_line shop_ledger_act(struct shop_ledger *ledger, const struct shop_request *request,
                                 int answered)
{
    ensure(request->key.size > 0 && request->order.size > 0);
    const struct key_record *key = table_find(&ledger->keys, request->key);
    if (key != NULL && (key->step != request->step || key->amount != request->amount ||
                        !span_equal(key->order, request->order)))
        return shop_ledger_note(ledger, request, SHOP_KEY_REUSED, -1);
    struct shop_line line = key != NULL ? repeat_line(key, request, answered)
                                        : decide_line(ledger, request, answered);
    write_line(ledger, &line);
    remember(ledger, &line);
    return line;
}
