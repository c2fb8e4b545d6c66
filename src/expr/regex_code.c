/*
 * regex_code.c - from the tree of a regular expression to its instructions.
 *
 * Repetitions are written out, so that there is nothing to count while it runs.
 */
#include "expr/regex_code.h"

#include <string.h>

#include "base/ensure.h"
#include "base/limits.h"

enum { RANGES_A_STEP = 64 }; /* in what it costs to make them and to search them */

struct writer {
    struct arena *arena;
    struct regex_step *steps;
    uint32_t count;
    uint32_t capacity;
    uint32_t range_count;
    bool has_groups;
    bool is_full;
};

static void grow(struct writer *writer)
{
    writer->capacity = writer->capacity == 0 ? 32 : writer->capacity * 2;
    struct regex_step *larger =
        arena_new_array(writer->arena, writer->capacity, struct regex_step);
    if (writer->count > 0)
        memcpy(larger, writer->steps, writer->count * sizeof *larger);
    writer->steps = larger;
}

static uint32_t put(struct writer *writer, enum regex_operation operation)
{
    if (writer->count == REGEX_CODE_MAX) {
        writer->is_full = true;
        return 0; /* overwritten without harm: the program is thrown away */
    }
    if (writer->count == writer->capacity)
        grow(writer);
    writer->steps[writer->count] = (struct regex_step){.operation = (uint8_t)operation};
    return writer->count++;
}

static struct regex_step *put_step(struct writer *writer, enum regex_operation operation)
{
    uint32_t at = put(writer, operation);
    return &writer->steps[at];
}

/* A fork between what comes next and what comes behind fork_end(), or the other way round. */
static uint32_t fork_begin(struct writer *writer)
{
    uint32_t fork = put(writer, REGEX_FORK);
    writer->steps[fork].to = (uint16_t)writer->count;
    return fork;
}

static void fork_end(struct writer *writer, uint32_t fork, bool is_lazy)
{
    struct regex_step *step = &writer->steps[fork];
    uint16_t next = step->to;
    step->to = is_lazy ? (uint16_t)writer->count : next;
    step->other = is_lazy ? next : (uint16_t)writer->count;
}

static void write_tree(struct writer *writer, const struct regex_tree *tree);

/* fork a, b; a: first; jump end; b: … */
static void write_choice(struct writer *writer, const struct regex_tree *tree)
{
    uint32_t jumps = UINT16_MAX; /* a chain through `to` of the jumps to the end */
    for (const struct regex_tree *part = tree->first; part != NULL; part = part->next) {
        if (part->next == NULL) {
            write_tree(writer, part);
            break;
        }
        uint32_t fork = fork_begin(writer);
        write_tree(writer, part);
        uint32_t jump = put(writer, REGEX_JUMP);
        writer->steps[jump].to = (uint16_t)jumps;
        jumps = jump;
        fork_end(writer, fork, false);
    }
    while (jumps != UINT16_MAX && !writer->is_full) {
        uint32_t next = writer->steps[jumps].to;
        writer->steps[jumps].to = (uint16_t)writer->count;
        jumps = next;
    }
}

/* a: inner; fork a, b; b: … */
static void write_plus(struct writer *writer, const struct regex_tree *tree)
{
    uint32_t from = writer->count;
    write_tree(writer, tree->first);
    uint32_t fork = put(writer, REGEX_FORK);
    writer->steps[fork].to = (uint16_t)from;
    fork_end(writer, fork, tree->is_lazy);
}

/* x* is (x+)?: if x was nothing, the second way through the fork ends there, and the groups in
 * x are those of its first time. */
static void write_star(struct writer *writer, const struct regex_tree *tree)
{
    uint32_t fork = fork_begin(writer);
    write_plus(writer, tree);
    fork_end(writer, fork, tree->is_lazy);
}

/* x{2,4} is xx(x(x)?)?; each optional one forks to the end. */
static void write_optional(struct writer *writer, const struct regex_tree *tree)
{
    uint32_t forks = UINT16_MAX; /* a chain through `other` */
    for (uint32_t i = tree->min; i < tree->max && !writer->is_full; i++) {
        uint32_t fork = fork_begin(writer);
        writer->steps[fork].other = (uint16_t)forks;
        forks = fork;
        write_tree(writer, tree->first);
    }
    while (forks != UINT16_MAX && !writer->is_full) {
        uint32_t next = writer->steps[forks].other;
        fork_end(writer, forks, tree->is_lazy);
        forks = next;
    }
}

/* x{2,} is xx+. */
static void write_repeat(struct writer *writer, const struct regex_tree *tree)
{
    bool is_endless = tree->max == UINT32_MAX;
    uint32_t copies = is_endless && tree->min > 0 ? tree->min - 1 : tree->min;
    for (uint32_t i = 0; i < copies && !writer->is_full; i++) {
        uint32_t before = writer->count;
        write_tree(writer, tree->first);
        if (writer->count == before)
            break; /* nothing, however often */
    }
    if (!is_endless)
        write_optional(writer, tree);
    else if (tree->min > 0)
        write_plus(writer, tree);
    else
        write_star(writer, tree);
}

static void write_set(struct writer *writer, const struct regex_tree *tree)
{
    struct regex_step *step = put_step(writer, REGEX_SET);
    step->ranges = tree->ranges;
    step->range_count = (uint16_t)tree->range_count;
    step->is_negated = tree->is_negated;
    writer->range_count += tree->range_count;
}

static void write_group(struct writer *writer, const struct regex_tree *tree)
{
    bool is_told = writer->has_groups && tree->group < REGEX_GROUPS_MAX;
    if (is_told)
        put_step(writer, REGEX_SAVE)->to = (uint16_t)(tree->group * 2);
    write_tree(writer, tree->first);
    if (is_told)
        put_step(writer, REGEX_SAVE)->to = (uint16_t)(tree->group * 2 + 1);
}

static void write_tree(struct writer *writer, const struct regex_tree *tree)
{
    if (writer->is_full)
        return;
    switch (tree->kind) {
    case TREE_SET:
        write_set(writer, tree);
        return;
    case TREE_ASSERT:
        put_step(writer, REGEX_ASSERT)->to = (uint16_t)tree->assertion;
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
    case TREE_GROUP:
        write_group(writer, tree);
        return;
    }
    never();
}

static const struct regex *compile(struct span pattern, bool has_groups, struct arena *arena,
                                   struct regex_problem *problem)
{
    uint32_t group_count;
    if (pattern.size > REGEX_BYTES_MAX) {
        *problem = (struct regex_problem){0, "this pattern is too long", 0};
        return NULL;
    }
    const struct regex_tree *tree = regex_tree_read(pattern, arena, problem, &group_count);
    if (tree == NULL)
        return NULL;
    struct writer writer = {.arena = arena, .has_groups = has_groups};
    write_tree(&writer, tree);
    put(&writer, REGEX_MATCH);
    if (writer.is_full) {
        *problem = (struct regex_problem){0, "this pattern is too large", problem->work};
        return NULL;
    }
    struct regex *regex = arena_new(arena, struct regex);
    *regex = (struct regex){.steps = writer.steps,
                            .count = writer.count,
                            .range_count = writer.range_count,
                            .group_count = group_count,
                            .has_groups = has_groups,
                            .pattern = pattern};
    return regex;
}

const struct regex *regex_compile(struct span pattern, struct arena *arena,
                                  struct regex_problem *problem)
{
    return compile(pattern, false, arena, problem);
}

const struct regex *regex_compile_groups(struct span pattern, struct arena *arena,
                                         struct regex_problem *problem)
{
    return compile(pattern, true, arena, problem);
}

uint32_t regex_groups(const struct regex *regex)
{
    return regex->group_count;
}

struct span regex_pattern(const struct regex *regex)
{
    return regex->pattern;
}

bool regex_has_groups(const struct regex *regex)
{
    return regex->has_groups;
}

size_t regex_cost(const struct regex *regex)
{
    return regex->count + regex->range_count / RANGES_A_STEP;
}

static bool is_word_at(struct span text, size_t at)
{
    char c = at < text.size ? text.text[at] : ' ';
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

bool regex_code_holds(enum regex_assertion assertion, struct span text, size_t at)
{
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
