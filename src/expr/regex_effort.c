/*
 * regex_effort.c - how long an engine that backtracks could take, found without doing it.
 *
 * What is tried from an instruction at a place in the text does not depend on how one came
 * there. So the steps of all ways from there on are a sum over what comes next, and the sums
 * of all instructions at a place follow from those one character further: a table is filled
 * from the end of the text to its beginning, in the time that regex_matches() takes.
 */
#include "expr/regex_effort.h"

#include "base/ensure.h"
#include "expr/regex_code.h"

enum { RANGES_A_STEP = 8, OWN_STEPS = 8 /* of ours in one of theirs */ };

struct table {
    const struct regex *regex;
    struct span text;
    bool any_case;
    uint64_t most;
    uint16_t *order;
    uint32_t order_count;
    uint64_t *now;  /* of each instruction, at a place */
    uint64_t *next; /* one character further */
};

enum { WAYS_MAX = 2 };

/* The instructions that one leads to without a character; how many. */
static uint32_t ways_of(const struct regex *regex, uint16_t at, uint16_t ways[WAYS_MAX])
{
    const struct regex_step *step = &regex->steps[at];
    ways[0] = step->to;
    ways[1] = step->other;
    switch ((enum regex_operation)step->operation) {
    case REGEX_SET:
    case REGEX_MATCH:
        return 0;
    case REGEX_ASSERT:
    case REGEX_SAVE:
        ways[0] = (uint16_t)(at + 1);
        return 1;
    case REGEX_JUMP:
        return 1;
    case REGEX_FORK:
        return 2;
    }
    never();
}

/* Each instruction behind all that it leads to without a character. False when there is a
 * circle: a loop around what may be nothing. */
static bool sort_from(struct table *table, uint16_t first, uint8_t *done, uint16_t *stack)
{
    enum { NEW, OPEN, WAYS_DONE = OPEN + WAYS_MAX, DONE };
    uint32_t depth = 0;
    if (done[first] != NEW)
        return true;
    stack[depth++] = first;
    done[first] = OPEN;
    while (depth > 0) {
        uint16_t ways[WAYS_MAX];
        uint16_t at = stack[depth - 1];
        uint32_t way = done[at] - OPEN;
        if (way == ways_of(table->regex, at, ways)) {
            done[at] = DONE;
            table->order[table->order_count++] = at;
            depth--;
            continue;
        }
        done[at]++;
        if (done[ways[way]] != NEW && done[ways[way]] != DONE)
            return false;
        if (done[ways[way]] == DONE)
            continue;
        done[ways[way]] = OPEN;
        stack[depth++] = ways[way];
    }
    return true;
}

static bool sort(struct table *table, struct arena *arena)
{
    uint32_t count = table->regex->count;
    uint8_t *done = arena_get_zeroed(arena, count);
    uint16_t *stack = arena_new_array(arena, count, uint16_t);
    bool has_circle = false;
    table->order = arena_new_array(arena, count, uint16_t);
    for (uint32_t i = 0; i < count && !has_circle; i++)
        has_circle = !sort_from(table, (uint16_t)i, done, stack);
    return !has_circle;
}

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What other engines make of a character beyond ASCII, or of its case, may differ from what
 * is known here: it is taken. */
static bool takes(const struct table *table, const struct regex_step *step, size_t at)
{
    unsigned char c = (unsigned char)table->text.text[at];
    return c >= 0x80 || (table->any_case && is_letter(c)) || regex_code_accepts(step, c);
}

static uint64_t steps_of(const struct table *table, uint16_t place, size_t at)
{
    const struct regex_step *step = &table->regex->steps[place];
    uint64_t steps = 1;
    switch ((enum regex_operation)step->operation) {
    case REGEX_SET:
        steps += step->range_count / RANGES_A_STEP;
        if (at < table->text.size && takes(table, step, at))
            steps += table->next[place + 1];
        break;
    case REGEX_ASSERT:
        if (regex_code_holds((enum regex_assertion)step->to, table->text, at))
            steps += table->now[place + 1];
        break;
    case REGEX_FORK:
        steps += table->now[step->to] + table->now[step->other];
        break;
    case REGEX_JUMP:
        steps += table->now[step->to];
        break;
    case REGEX_SAVE:
        steps += table->now[place + 1];
        break;
    case REGEX_MATCH:
        break;
    }
    return steps < table->most ? steps : table->most;
}

uint64_t regex_effort(const struct regex *regex, struct span text, size_t from, bool any_case,
                      uint64_t most, struct arena *arena)
{
    struct table table = {.regex = regex, .text = text, .any_case = any_case, .most = most};
    uint64_t total = 0;
    ensure(from <= text.size && most < UINT64_MAX / 4);
    if (!sort(&table, arena))
        return most;
    table.now = arena_new_array(arena, regex->count, uint64_t);
    table.next = arena_new_array(arena, regex->count, uint64_t);
    for (size_t at = text.size; total < most; at--) {
        for (uint32_t i = 0; i < table.order_count; i++)
            table.now[table.order[i]] = steps_of(&table, table.order[i], at);
        total += table.now[0] + regex->count / OWN_STEPS;
        while (at > from && ((unsigned char)text.text[at - 1] & 0xc0) == 0x80)
            at--;
        if (at <= from)
            break;
        uint64_t *swap = table.now;
        table.now = table.next;
        table.next = swap;
    }
    return total < most ? total : most;
}
