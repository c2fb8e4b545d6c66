/*
 * regex_find.c - the set of places of regex.c, in the order in which they are preferred.
 *
 * A thread is a place with what its groups have been so far. Threads stand in a row, the
 * preferred ones first; two at one place have the same future, so the second is dropped. The
 * first one that reaches MATCH ends all behind it, and those before it go on (R. Pike's way
 * in the editor sam; R. Cox, "Regular Expression Matching: the Virtual Machine Approach").
 *
 * Always: a row has at most as many threads as the program has instructions.
 */
#include "expr/regex_find.h"

#include <string.h>

#include "base/ensure.h"
#include "expr/regex_code.h"

enum { SPANS_MAX = 2 * REGEX_GROUPS_MAX };

#define NOWHERE UINT32_MAX

struct row {
    uint16_t *places;
    uint32_t *spans; /* of each thread */
    uint64_t *marks;
    uint32_t count;
};

/* What is left to do: to go on at a place, or (behind that) to set a span back. */
struct task {
    bool is_undo;
    uint16_t place;
    uint32_t value;
};

struct regex_threads {
    struct row rows[2];
    struct task *tasks;
    uint32_t spans[SPANS_MAX]; /* of the thread at hand */
    uint32_t found[SPANS_MAX]; /* of the best match */
    uint32_t span_count;
};

static void make_row(struct row *row, uint32_t count, uint32_t span_count, struct arena *arena)
{
    row->places = arena_new_array(arena, count, uint16_t);
    row->spans = arena_new_array(arena, (size_t)count * span_count, uint32_t);
    row->marks = arena_new_array(arena, count / 64 + 1, uint64_t);
}

void regex_find_begin(struct regex_find *find, const struct regex *regex, struct span text,
                      struct arena *arena)
{
    struct regex_threads *threads = arena_new(arena, struct regex_threads);
    uint32_t groups = regex->group_count + 1;
    uint32_t parts = groups < REGEX_GROUPS_MAX ? groups : REGEX_GROUPS_MAX;
    ensure(regex->has_groups && text.size < UINT32_MAX);
    threads->span_count = 2 * parts;
    threads->tasks = arena_new_array(arena, 2 * (size_t)regex->count + 1, struct task);
    make_row(&threads->rows[0], regex->count, threads->span_count, arena);
    make_row(&threads->rows[1], regex->count, threads->span_count, arena);
    *find = (struct regex_find){
        .regex = regex, .text = text, .end = SIZE_MAX, .part_count = parts, .threads = threads};
}

static void clear_row(struct row *row, const struct regex *regex)
{
    row->count = 0;
    memset(row->marks, 0, (regex->count / 64 + 1) * sizeof *row->marks);
}

static bool mark(struct row *row, uint16_t place)
{
    uint64_t bit = (uint64_t)1 << place % 64;
    bool is_new = (row->marks[place / 64] & bit) == 0;
    row->marks[place / 64] |= bit;
    return is_new;
}

static void add_thread(struct row *row, uint16_t place, const uint32_t *spans, uint32_t count)
{
    memcpy(row->spans + (size_t)row->count * count, spans, count * sizeof *spans);
    row->places[row->count++] = place;
}

/* Follows what needs no character from `place`, the preferred way first, with the spans of
 * the thread at hand. Each place adds two tasks at most, and is done once. */
static void enter(struct regex_find *find, struct row *row, uint16_t place, size_t at)
{
    struct regex_threads *threads = find->threads;
    struct task *tasks = threads->tasks;
    uint32_t count = 0;
    tasks[count++] = (struct task){.place = place};
    while (count > 0) {
        struct task task = tasks[--count];
        if (task.is_undo) {
            threads->spans[task.place] = task.value;
            continue;
        }
        if (!mark(row, task.place))
            continue;
        const struct regex_step *step = &find->regex->steps[task.place];
        uint16_t next = (uint16_t)(task.place + 1);
        switch ((enum regex_operation)step->operation) {
        case REGEX_SET:
        case REGEX_MATCH:
            add_thread(row, task.place, threads->spans, threads->span_count);
            break;
        case REGEX_ASSERT:
            if (regex_code_holds((enum regex_assertion)step->to, find->text, at))
                tasks[count++] = (struct task){.place = next};
            break;
        case REGEX_FORK:
            tasks[count++] = (struct task){.place = step->other};
            tasks[count++] = (struct task){.place = step->to};
            break;
        case REGEX_JUMP:
            tasks[count++] = (struct task){.place = step->to};
            break;
        case REGEX_SAVE:
            tasks[count++] = (struct task){true, step->to, threads->spans[step->to]};
            tasks[count++] = (struct task){.place = next};
            threads->spans[step->to] = (uint32_t)at;
            break;
        }
    }
}

/* A new thread at the beginning of the program, behind all others. */
static void enter_anew(struct regex_find *find, struct row *row, size_t at)
{
    uint32_t *spans = find->threads->spans;
    for (uint32_t i = 0; i < find->threads->span_count; i++)
        spans[i] = NOWHERE;
    spans[0] = (uint32_t)at;
    enter(find, row, 0, at);
}

/* Takes the threads over the character [at, next) to the other row; true when one of them is
 * at the end of the pattern, which is then the best match. */
static bool step_over(struct regex_find *find, const struct row *from, struct row *to,
                      size_t at, size_t next, uint32_t point)
{
    struct regex_threads *threads = find->threads;
    size_t size = threads->span_count * sizeof *threads->spans;
    for (uint32_t i = 0; i < from->count; i++) {
        const struct regex_step *step = &find->regex->steps[from->places[i]];
        const uint32_t *spans = from->spans + (size_t)i * threads->span_count;
        if (step->operation == REGEX_MATCH) {
            memcpy(threads->found, spans, size);
            threads->found[1] = (uint32_t)at;
            return true;
        }
        if (next == at || !regex_code_accepts(step, point))
            continue;
        memcpy(threads->spans, spans, size);
        enter(find, to, (uint16_t)(from->places[i] + 1), next);
    }
    return false;
}

/* The first match that begins at `at` or behind it. */
static bool search(struct regex_find *find, size_t at, int64_t effort_max)
{
    struct row *row = &find->threads->rows[0];
    struct row *other = &find->threads->rows[1];
    bool is_found = false;
    clear_row(row, find->regex);
    for (;;) {
        uint32_t point = 0;
        size_t next = at;
        find->effort += (int64_t)regex_cost(find->regex);
        if (find->effort > effort_max)
            return false;
        if (!is_found)
            enter_anew(find, row, at);
        if (at < find->text.size)
            point = span_next_character(find->text, &next);
        clear_row(other, find->regex);
        is_found = step_over(find, row, other, at, next, point) || is_found;
        if (next == at || (is_found && other->count == 0))
            return is_found;
        struct row *swap = row;
        row = other;
        other = swap;
        at = next;
    }
}

static void tell_parts(struct regex_find *find)
{
    const uint32_t *found = find->threads->found;
    for (uint32_t i = 0; i < find->part_count; i++, found += 2) {
        bool takes_part = found[0] != NOWHERE && found[1] != NOWHERE;
        find->parts[i] = (struct span){NULL, 0};
        if (takes_part)
            find->parts[i] = span_slice(find->text, found[0], found[1]);
    }
}

bool regex_find_next(struct regex_find *find, int64_t effort_max)
{
    while (find->at <= find->text.size) {
        if (!search(find, find->at, effort_max)) {
            find->at = SIZE_MAX;
            return false;
        }
        size_t from = find->threads->found[0];
        size_t end = find->threads->found[1];
        bool is_again = from == end && from == find->end;
        find->at = find->end = end;
        if (from == end && end == find->text.size)
            find->at = SIZE_MAX;
        else if (from == end)
            (void)span_next_character(find->text, &find->at);
        if (is_again)
            continue;
        tell_parts(find);
        return true;
    }
    return false;
}
