/*
 * shop_audit.c - does the ledger agree with what became of the orders?
 *
 * One pass over the ledger adds up each order; one pass over the results says where each
 * order ended; then every order is held against every rule. tests/long/shop_test.py has a
 * ledger for each rule that breaks it.
 */
#include "shop_audit.h"

#include "shop_ledger.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/table.h"

#include <stdio.h>

enum { OFFENDERS_SHOWN = 5 };

enum ending { ENDING_UNKNOWN, ENDING_OPEN, ENDING_COMPLETED, ENDING_FAILED };

struct tally {
    struct span order;
    struct span key; /* of the first charge that moved money */
    size_t charges;  /* that stand */
    size_t refunds;  /* that moved money */
    int64_t charged; /* cents, all together */
    int64_t refunded;
    bool is_charged_twice;
    enum ending ending;
    struct tally *next;
};

struct key_use {
    enum shop_step step;
    struct span order;
    bool has_moved;
};

struct books {
    struct shop_audit *audit;
    struct arena arena;
    struct table orders; /* order → struct tally */
    struct table keys;   /* key → struct key_use */
    struct tally *first; /* in the order of their first line */
    struct tally **end;
    bool has_results;
};

#define RULE_NAME(name, text, sentence) text,
static const char *const rule_names[] = {SHOP_RULE_LIST(RULE_NAME)};
#undef RULE_NAME

#define RULE_SENTENCE(name, text, sentence) sentence,
static const char *const rule_sentences[] = {SHOP_RULE_LIST(RULE_SENTENCE)};
#undef RULE_SENTENCE

static void accuse(struct shop_audit *audit, enum shop_rule rule, struct span name)
{
    struct text *offenders = &audit->offenders[rule];
    size_t count = audit->violations[rule]++;
    if (count < OFFENDERS_SHOWN)
        text_format(offenders, "%s%.*s", count == 0 ? "" : ", ", SPAN_ARGS(name));
    if (count == OFFENDERS_SHOWN)
        text_add(offenders, SPAN(", …"));
}

static struct tally *get_tally(struct books *books, struct span order)
{
    struct tally *tally = table_find(&books->orders, order);
    if (tally != NULL)
        return tally;
    tally = arena_new(&books->arena, struct tally);
    tally->order = arena_copy(&books->arena, order);
    table_add(&books->orders, tally->order, tally);
    *books->end = tally;
    books->end = &tally->next;
    return tally;
}

/* A key belongs to one request: one service and one order, and money moves under it once. */
static void judge_key(struct books *books, const struct shop_line *line)
{
    if (line->key.size == 0 || line->outcome == SHOP_UNREADABLE)
        return;
    struct key_use *use = table_find(&books->keys, line->key);
    if (use == NULL) {
        use = arena_new(&books->arena, struct key_use);
        *use = (struct key_use){line->step, arena_copy(&books->arena, line->order), false};
        table_add(&books->keys, arena_copy(&books->arena, line->key), use);
    }
    if (line->outcome == SHOP_KEY_REUSED || use->step != line->step ||
        !span_equal(use->order, line->order))
        accuse(books->audit, SHOP_RULE_KEY_SHARED, line->key);
    if (line->moved != 0 && use->has_moved)
        accuse(books->audit, SHOP_RULE_MOVED_TWICE, line->key);
    use->has_moved |= line->moved != 0;
}

static void add_charge(struct books *books, struct tally *tally, const struct shop_line *line)
{
    tally->charges++;
    tally->charged += line->moved;
    if (tally->key.size == 0)
        tally->key = arena_copy(&books->arena, line->key);
    else if (!span_equal(tally->key, line->key))
        tally->is_charged_twice = true;
}

static void add_line(void *context, const struct shop_line *line)
{
    struct books *books = context;
    books->audit->requests++;
    judge_key(books, line);
    if (line->moved == 0)
        return;
    struct tally *tally = get_tally(books, line->order);
    if (line->moved > 0) {
        add_charge(books, tally, line);
        return;
    }
    tally->charges = 0;
    tally->refunds++;
    tally->refunded -= line->moved;
}

/* Results */

static enum ending ending_of(struct value instance)
{
    struct value status = value_member(instance, SPAN("status"));
    struct value state = value_member(instance, SPAN("value"));
    if (status.kind != VALUE_STRING || !span_is(value_span(status), "done") ||
        state.kind != VALUE_STRING)
        return ENDING_OPEN;
    if (span_is(value_span(state), "COMPLETED"))
        return ENDING_COMPLETED;
    return span_is(value_span(state), "FAILED") ? ENDING_FAILED : ENDING_OPEN;
}

static bool add_result(struct books *books, struct span line, struct arena *arena)
{
    struct value instance;
    struct json_error error;
    if (json_read(line, arena, &instance, &error) != STATUS_OK)
        return false;
    struct value id = value_member(instance, SPAN("id"));
    if (id.kind != VALUE_STRING)
        return false;
    get_tally(books, value_span(id))->ending = ending_of(instance);
    return true;
}

static bool add_results(struct books *books, struct span file, const char *path)
{
    struct arena arena;
    arena_open(&arena, SIZE_MAX);
    bool is_read = true;
    size_t from = 0;
    for (size_t number = 1; is_read && from < file.size; number++) {
        size_t to = span_find(file, SPAN("\n"), from);
        to = to == SIZE_MAX ? file.size : to;
        is_read = add_result(books, span_slice(file, from, to), &arena);
        if (!is_read)
            fprintf(stderr, "%s:%zu: not an instance as JSON\n", path, number);
        arena_clear(&arena);
        from = to + 1;
    }
    arena_close(&arena);
    return is_read;
}

static bool read_results(struct books *books, const char *path)
{
    struct text file;
    text_init(&file, NULL);
    books->has_results = true;
    bool is_read = shop_ledger_load(path, &file) && add_results(books, text_span(&file), path);
    text_fini(&file);
    return is_read;
}

/* Judging */

static void judge_order(struct books *books, const struct tally *tally)
{
    const bool broken[SHOP_RULE_COUNT] = {
        [SHOP_RULE_CHARGED_TWICE] = tally->is_charged_twice,
        [SHOP_RULE_CHARGED_FAILED] = tally->ending == ENDING_FAILED && tally->charges > 0,
        [SHOP_RULE_REFUNDED_TWICE] = tally->refunds > 1 || tally->refunded > tally->charged,
        [SHOP_RULE_COMPLETED_UNCHARGED] =
            tally->ending == ENDING_COMPLETED && tally->charged == 0,
        [SHOP_RULE_COMPLETED_REFUNDED] =
            tally->ending == ENDING_COMPLETED && tally->refunds > 0,
        [SHOP_RULE_CHARGED_UNKNOWN] =
            books->has_results && tally->ending == ENDING_UNKNOWN && tally->charges > 0,
    };
    for (int rule = 0; rule < SHOP_RULE_COUNT; rule++)
        if (broken[rule])
            accuse(books->audit, (enum shop_rule)rule, tally->order);
    books->audit->charges += tally->charges;
    books->audit->refunds += tally->refunds;
}

bool shop_audit_read(struct shop_audit *audit, const char *ledger, const char *results)
{
    *audit = (struct shop_audit){0};
    for (int rule = 0; rule < SHOP_RULE_COUNT; rule++)
        text_init(&audit->offenders[rule], NULL);
    struct books books = {.audit = audit};
    books.end = &books.first;
    arena_open(&books.arena, SIZE_MAX);
    table_init(&books.orders);
    table_init(&books.keys);
    bool is_read = shop_ledger_read(ledger, add_line, &books) &&
                   (results == NULL || read_results(&books, results));
    for (const struct tally *tally = books.first; tally != NULL; tally = tally->next)
        judge_order(&books, tally);
    table_fini(&books.orders);
    table_fini(&books.keys);
    arena_close(&books.arena);
    return is_read;
}

void shop_audit_fini(struct shop_audit *audit)
{
    for (int rule = 0; rule < SHOP_RULE_COUNT; rule++)
        text_fini(&audit->offenders[rule]);
}

bool shop_audit_is_clean(const struct shop_audit *audit)
{
    for (int rule = 0; rule < SHOP_RULE_COUNT; rule++)
        if (audit->violations[rule] > 0)
            return false;
    return true;
}

void shop_audit_write(const struct shop_audit *audit, struct text *text)
{
    text_format(text, "ledger     %zu charges stand, %zu refunded", audit->charges,
                audit->refunds);
    for (int rule = SHOP_RULE_CHARGED_TWICE; rule <= SHOP_RULE_CHARGED_FAILED; rule++)
        text_format(text, ", %zu %s", audit->violations[rule], rule_sentences[rule]);
    text_add(text, SPAN("\n"));
    for (int rule = 0; rule < SHOP_RULE_COUNT; rule++)
        if (audit->violations[rule] > 0)
            text_format(text, "  WRONG    %zu %s: %.*s\n", audit->violations[rule],
                        rule_sentences[rule], SPAN_ARGS(text_span(&audit->offenders[rule])));
}

void shop_audit_write_json(const struct shop_audit *audit, struct text *text)
{
    text_format(text, "{\"requests\":%zu,\"charges\":%zu,\"refunds\":%zu", audit->requests,
                audit->charges, audit->refunds);
    for (int rule = 0; rule < SHOP_RULE_COUNT; rule++)
        text_format(text, ",\"%s\":%zu", rule_names[rule], audit->violations[rule]);
    text_format(text, ",\"clean\":%s}\n", shop_audit_is_clean(audit) ? "true" : "false");
}
