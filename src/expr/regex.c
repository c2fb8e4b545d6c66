/*
 * regex.c - Thompson's construction, run as a set of places.
 *
 *     pattern → tree → instructions → all places at once, one character at a time
 *
 * A place is an instruction that waits for a character. A set of places can not be larger
 * than the program, so each character costs at most the program's size, whatever the
 * pattern (K. Thompson, "Regular expression search algorithm", CACM 11:6, 1968).
 *
 * Always: no jump leaves the program, and it ends with MATCH.
 */
#include "expr/regex.h"

#include <string.h>

#include "base/ensure.h"
#include "base/limits.h"
#include "expr/regex_tree.h"

enum { RANGES_A_STEP = 64 }; /* in what it costs to make them and to search them */

enum operation {
    OPERATION_SET,
    OPERATION_ASSERT,
    OPERATION_FORK,
    OPERATION_JUMP,
    OPERATION_MATCH
};

struct step {
    uint8_t operation; /* enum operation */
    bool is_negated;
    uint16_t to; /* JUMP and FORK; the assertion of ASSERT */
    uint16_t other;
    uint16_t range_count;
    const struct regex_range *ranges;
};

struct regex {
    const struct step *steps;
    uint32_t count;
    uint32_t range_count; /* of all steps */
};

struct writer {
    struct arena *arena;
    struct step *steps;
    uint32_t count;
    uint32_t capacity;
    uint32_t range_count;
    bool is_full;
};

static void grow(struct writer *writer)
{
    writer->capacity = writer->capacity == 0 ? 32 : writer->capacity * 2;
    struct step *larger = arena_new_array(writer->arena, writer->capacity, struct step);
    if (writer->count > 0)
        memcpy(larger, writer->steps, writer->count * sizeof *larger);
    writer->steps = larger;
}

static uint32_t put(struct writer *writer, enum operation operation)
{
    if (writer->count == REGEX_CODE_MAX) {
        writer->is_full = true;
        return 0; /* overwritten without harm: the program is thrown away */
    }
    if (writer->count == writer->capacity)
        grow(writer);
    writer->steps[writer->count] = (struct step){.operation = (uint8_t)operation};
    return writer->count++;
}

static void write_tree(struct writer *writer, const struct regex_tree *tree);

/* fork a, b; a: first; jump end; b: … */
static void write_choice(struct writer *writer, const struct regex_tree *tree)
{
    uint32_t jumps = UINT32_MAX; /* a chain through `to` of the jumps to the end */
    for (const struct regex_tree *part = tree->first; part != NULL; part = part->next) {
        if (part->next == NULL) {
            write_tree(writer, part);
            break;
        }
        uint32_t fork = put(writer, OPERATION_FORK);
        writer->steps[fork].to = (uint16_t)writer->count;
        write_tree(writer, part);
        uint32_t jump = put(writer, OPERATION_JUMP);
        writer->steps[jump].to = (uint16_t)jumps;
        jumps = jump;
        writer->steps[fork].other = (uint16_t)writer->count;
    }
    while (jumps != UINT32_MAX && jumps != UINT16_MAX && !writer->is_full) {
        uint32_t next = writer->steps[jumps].to;
        writer->steps[jumps].to = (uint16_t)writer->count;
        jumps = next;
    }
}

/* fork a, end; a: inner; jump fork */
static void write_star(struct writer *writer, const struct regex_tree *inner)
{
    uint32_t fork = put(writer, OPERATION_FORK);
    writer->steps[fork].to = (uint16_t)writer->count;
    write_tree(writer, inner);
    uint32_t jump = put(writer, OPERATION_JUMP);
    writer->steps[jump].to = (uint16_t)fork;
    writer->steps[fork].other = (uint16_t)writer->count;
}

/* x{2,4} is xx(x(x)?)?; each optional one forks to the end. */
static void write_repeat(struct writer *writer, const struct regex_tree *tree)
{
    uint32_t first = UINT16_MAX; /* a chain through `other` of the forks to the end */
    for (uint32_t i = 0; i < tree->min && !writer->is_full; i++) {
        uint32_t before = writer->count;
        write_tree(writer, tree->first);
        if (writer->count == before)
            break; /* nothing, however often */
    }
    if (tree->max == UINT32_MAX) {
        write_star(writer, tree->first);
        return;
    }
    for (uint32_t i = tree->min; i < tree->max && !writer->is_full; i++) {
        uint32_t fork = put(writer, OPERATION_FORK);
        writer->steps[fork].to = (uint16_t)writer->count;
        writer->steps[fork].other = (uint16_t)first;
        first = fork;
        write_tree(writer, tree->first);
    }
    while (first != UINT16_MAX && !writer->is_full) {
        uint32_t next = writer->steps[first].other;
        writer->steps[first].other = (uint16_t)writer->count;
        first = next;
    }
}

static void write_tree(struct writer *writer, const struct regex_tree *tree)
{
    uint32_t at;
    if (writer->is_full)
        return;
    switch (tree->kind) {
    case TREE_SET:
        at = put(writer, OPERATION_SET);
        writer->steps[at].ranges = tree->ranges;
        writer->steps[at].range_count = (uint16_t)tree->range_count;
        writer->steps[at].is_negated = tree->is_negated;
        writer->range_count += tree->range_count;
        return;
    case TREE_ASSERT:
        at = put(writer, OPERATION_ASSERT);
        writer->steps[at].to = (uint16_t)tree->assertion;
        return;
    case TREE_SEQUENCE:
        for (const struct regex_tree *part = tree->first; part != NULL; part = part->next)
            write_tree(writer, part);
        return;
    case TREE_CHOICE:
        write_choice(writer, tree);
        return;
    case TREE_REPEAT:
        write_repeat(writer, tree);
        return;
    }
    never();
}

const struct regex *regex_compile(struct span pattern, struct arena *arena,
                                  struct regex_problem *problem)
{
    if (pattern.size > REGEX_BYTES_MAX) {
        *problem = (struct regex_problem){0, "this pattern is too long", 0};
        return NULL;
    }
    const struct regex_tree *tree = regex_tree_read(pattern, arena, problem);
    if (tree == NULL)
        return NULL;
    struct writer writer = {.arena = arena};
    write_tree(&writer, tree);
    put(&writer, OPERATION_MATCH);
    if (writer.is_full) {
        *problem = (struct regex_problem){0, "this pattern is too large", problem->work};
        return NULL;
    }
    struct regex *regex = arena_new(arena, struct regex);
    *regex = (struct regex){writer.steps, writer.count, writer.range_count};
    return regex;
}

size_t regex_cost(const struct regex *regex)
{
    return regex->count + regex->range_count / RANGES_A_STEP;
}

/* Running */

/* Places that wait for the next character, each once. */
struct places {
    uint16_t at[REGEX_CODE_MAX];
    uint32_t count;
    uint64_t marks[REGEX_CODE_MAX / 64];
};

struct runner {
    const struct regex *regex;
    struct span text;
    size_t at; /* between two characters */
    struct places *places;
    uint16_t stack[REGEX_CODE_MAX];
};

static bool is_word_at(struct span text, size_t at)
{
    char c = at < text.size ? text.text[at] : ' ';
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

static bool holds(const struct runner *runner, enum regex_assertion assertion)
{
    struct span text = runner->text;
    size_t at = runner->at;
    bool was_word = at > 0 && is_word_at(text, at - 1);
    switch (assertion) {
    case ASSERT_START:
        return at == 0;
    case ASSERT_END:
        return at == text.size;
    case ASSERT_LINE:
        return at == 0 || text.text[at - 1] == '\n';
    case ASSERT_LINE_END:
        return at == text.size || text.text[at] == '\n';
    case ASSERT_WORD:
        return was_word != is_word_at(text, at);
    case ASSERT_NO_WORD:
        return was_word == is_word_at(text, at);
    }
    never();
}

static bool mark(struct places *places, uint16_t place)
{
    uint64_t bit = (uint64_t)1 << place % 64;
    bool is_new = (places->marks[place / 64] & bit) == 0;
    places->marks[place / 64] |= bit;
    return is_new;
}

/* Follows what needs no character from `place`; true when that reaches the end. A place is
 * stacked once at most, so the stack is as large as the program. */
static bool enter(struct runner *runner, uint16_t place)
{
    uint32_t depth = 0;
    if (mark(runner->places, place))
        runner->stack[depth++] = place;
    while (depth > 0) {
        uint16_t now = runner->stack[--depth];
        const struct step *step = &runner->regex->steps[now];
        uint16_t next = step->operation == OPERATION_ASSERT ? (uint16_t)(now + 1) : step->to;
        if (step->operation == OPERATION_MATCH)
            return true;
        if (step->operation == OPERATION_SET) {
            runner->places->at[runner->places->count++] = now;
            continue;
        }
        if (step->operation == OPERATION_ASSERT &&
            !holds(runner, (enum regex_assertion)step->to))
            continue;
        if (mark(runner->places, next))
            runner->stack[depth++] = next;
        if (step->operation == OPERATION_FORK && mark(runner->places, step->other))
            runner->stack[depth++] = step->other;
    }
    return false;
}

/* The ranges are in order. */
static bool accepts(const struct step *step, uint32_t point)
{
    uint32_t from = 0;
    uint32_t to = step->range_count;
    while (from < to) {
        uint32_t middle = (from + to) / 2;
        if (point > step->ranges[middle].last)
            from = middle + 1;
        else
            to = middle;
    }
    bool is_in = from < step->range_count && point >= step->ranges[from].first;
    return is_in != step->is_negated;
}

static void clear(struct places *places, uint32_t count)
{
    places->count = 0;
    memset(places->marks, 0, (count / 64 + 1) * sizeof places->marks[0]);
}

bool regex_matches(const struct regex *regex, struct span text)
{
    struct places sets[2];
    struct runner runner = {.regex = regex, .text = text};
    unsigned now = 0;
    clear(&sets[0], regex->count - 1);
    for (;;) {
        /* A match may begin at any character: enter the program at each. */
        runner.places = &sets[now];
        if (enter(&runner, 0))
            return true;
        if (runner.at >= text.size)
            return false;
        uint32_t point = span_next_character(text, &runner.at);
        runner.places = &sets[1 - now];
        clear(runner.places, regex->count - 1);
        for (uint32_t i = 0; i < sets[now].count; i++) {
            uint16_t place = sets[now].at[i];
            if (accepts(&regex->steps[place], point) && enter(&runner, (uint16_t)(place + 1)))
                return true;
        }
        now = 1 - now;
    }
}
