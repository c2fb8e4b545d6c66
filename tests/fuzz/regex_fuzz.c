/*
 * regex_fuzz.c - any first line as a pattern, the rest as a text: the search ends in time, and
 * finds what a backtracking matcher finds that shares nothing with it but the tree.
 *
 * The matcher tries one way after the other, depth first, and never the same one twice, which
 * is what the search does with all of them at once. Small patterns and texts only: it takes
 * as many places as both multiplied.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/ensure.h"
#include "base/limits.h"
#include "base/text.h"
#include "expr/regex_find.h"
#include "expr/regex_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum {
    ARENA_BYTES = 32 << 20,
    NODES_MAX = 600,
    TEXT_MAX = 40, /* that the matcher looks at */
    SPANS_MAX = 2 * REGEX_GROUPS_MAX,
    FIND_STEPS_MAX = 2000000
};

enum node_kind { NODE_SET, NODE_ASSERT, NODE_FORK, NODE_SAVE, NODE_END };

struct node {
    enum node_kind kind;
    const struct regex_tree *tree;
    struct node *next;
    struct node *other; /* FORK: the second way */
    uint32_t span;      /* SAVE */
};

struct matcher {
    struct span text;
    struct node nodes[NODES_MAX];
    uint32_t count;
    uint8_t seen[NODES_MAX][TEXT_MAX + 1];
    size_t spans[SPANS_MAX];
};

/* Building: each part is given what comes behind it. NULL when there is no room. */

static struct node *build(struct matcher *matcher, const struct regex_tree *tree,
                          struct node *next);

static struct node *add(struct matcher *matcher, struct node node)
{
    if (matcher->count == NODES_MAX || (node.next == NULL && node.kind != NODE_END))
        return NULL;
    matcher->nodes[matcher->count] = node;
    return &matcher->nodes[matcher->count++];
}

static struct node *add_fork(struct matcher *matcher, struct node *in, struct node *past,
                             bool is_lazy)
{
    if (in == NULL || past == NULL)
        return NULL;
    return add(matcher, (struct node){.kind = NODE_FORK,
                                      .next = is_lazy ? past : in,
                                      .other = is_lazy ? in : past});
}

static struct node *build_sequence(struct matcher *matcher, const struct regex_tree *part,
                                   struct node *next)
{
    if (part == NULL || next == NULL)
        return next;
    return build(matcher, part, build_sequence(matcher, part->next, next));
}

static struct node *build_choice(struct matcher *matcher, const struct regex_tree *part,
                                 struct node *next)
{
    if (part->next == NULL)
        return build(matcher, part, next);
    return add_fork(matcher, build(matcher, part, next),
                    build_choice(matcher, part->next, next), false);
}

static struct node *build_group(struct matcher *matcher, const struct regex_tree *tree,
                                struct node *next)
{
    if (tree->group >= REGEX_GROUPS_MAX)
        return build(matcher, tree->first, next);
    struct node *end = add(
        matcher, (struct node){.kind = NODE_SAVE, .next = next, .span = 2 * tree->group + 1});
    return add(matcher, (struct node){.kind = NODE_SAVE,
                                      .next = build(matcher, tree->first, end),
                                      .span = 2 * tree->group});
}

/* x+, or (x+)? for x*: a loop that goes through its fork. */
static struct node *build_loop(struct matcher *matcher, const struct regex_tree *tree,
                               struct node *next)
{
    struct node *fork = add_fork(matcher, next, next, false);
    if (fork == NULL)
        return NULL;
    struct node *in = build(matcher, tree->first, fork);
    *(tree->is_lazy ? &fork->other : &fork->next) = in;
    return tree->min > 0 ? in : add_fork(matcher, in, next, tree->is_lazy);
}

static struct node *build_repeat(struct matcher *matcher, const struct regex_tree *tree,
                                 struct node *next)
{
    bool is_endless = tree->max == UINT32_MAX;
    uint32_t copies = tree->min - (is_endless && tree->min > 0);
    struct node *in = is_endless ? build_loop(matcher, tree, next) : next;
    for (uint32_t i = tree->min; !is_endless && i < tree->max && in != NULL; i++)
        in = add_fork(matcher, build(matcher, tree->first, in), next, tree->is_lazy);
    for (uint32_t i = 0; i < copies && in != NULL; i++) {
        struct node *before = in;
        in = build(matcher, tree->first, in);
        if (in == before)
            break; /* nothing, however often */
    }
    return in;
}

static struct node *build(struct matcher *matcher, const struct regex_tree *tree,
                          struct node *next)
{
    if (next == NULL)
        return NULL;
    switch (tree->kind) {
    case TREE_SET:
        return add(matcher, (struct node){.kind = NODE_SET, .tree = tree, .next = next});
    case TREE_ASSERT:
        return add(matcher, (struct node){.kind = NODE_ASSERT, .tree = tree, .next = next});
    case TREE_SEQUENCE:
        return build_sequence(matcher, tree->first, next);
    case TREE_CHOICE:
        return build_choice(matcher, tree->first, next);
    case TREE_REPEAT:
        return build_repeat(matcher, tree, next);
    case TREE_GROUP:
        return build_group(matcher, tree, next);
    }
    never();
}

/* Matching */

static bool is_word(struct span text, size_t at)
{
    return at < text.size &&
           strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
                  "0123456789",
                  text.text[at]) != NULL &&
           text.text[at] != '\0';
}

static bool holds(struct span text, enum regex_assertion assertion, size_t at)
{
    bool is_start = at == 0;
    bool is_end = at == text.size;
    bool is_edge = (!is_start && is_word(text, at - 1)) != is_word(text, at);
    if (assertion == ASSERT_START || assertion == ASSERT_LINE)
        return is_start || (assertion == ASSERT_LINE && text.text[at - 1] == '\n');
    if (assertion == ASSERT_END || assertion == ASSERT_LINE_END)
        return is_end || (assertion == ASSERT_LINE_END && text.text[at] == '\n');
    return is_edge == (assertion == ASSERT_WORD);
}

static bool accepts(const struct regex_tree *set, uint32_t point)
{
    bool is_in = false;
    for (uint32_t i = 0; i < set->range_count; i++)
        is_in = is_in || (point >= set->ranges[i].first && point <= set->ranges[i].last);
    return is_in != set->is_negated;
}

static bool match(struct matcher *matcher, const struct node *node, size_t at);

static bool match_save(struct matcher *matcher, const struct node *node, size_t at)
{
    size_t before = matcher->spans[node->span];
    matcher->spans[node->span] = at;
    if (match(matcher, node->next, at))
        return true;
    matcher->spans[node->span] = before;
    return false;
}

static bool match(struct matcher *matcher, const struct node *node, size_t at)
{
    size_t next = at;
    if (matcher->seen[node - matcher->nodes][at]++)
        return false;
    switch (node->kind) {
    case NODE_SET:
        return at < matcher->text.size &&
               accepts(node->tree, span_next_character(matcher->text, &next)) &&
               match(matcher, node->next, next);
    case NODE_ASSERT:
        return holds(matcher->text, node->tree->assertion, at) &&
               match(matcher, node->next, at);
    case NODE_FORK:
        return match(matcher, node->next, at) || match(matcher, node->other, at);
    case NODE_SAVE:
        return match_save(matcher, node, at);
    case NODE_END:
        matcher->spans[1] = at;
        return true;
    }
    never();
}

/* The first match from `at` on. */
static bool match_from(struct matcher *matcher, const struct node *first, size_t at)
{
    for (;;) {
        memset(matcher->seen, 0, sizeof matcher->seen);
        memset(matcher->spans, 0xff, sizeof matcher->spans);
        matcher->spans[0] = at;
        if (match(matcher, first, at))
            return true;
        if (at == matcher->text.size)
            return false;
        (void)span_next_character(matcher->text, &at);
    }
}

/* Both ways */

static void expect_parts(const struct regex_find *find, const struct matcher *matcher)
{
    for (uint32_t i = 0; i < find->part_count; i++) {
        size_t from = matcher->spans[2 * i];
        size_t end = matcher->spans[2 * i + 1];
        bool takes_part = from != SIZE_MAX && end != SIZE_MAX;
        ensure((find->parts[i].text != NULL) == takes_part);
        if (!takes_part)
            continue;
        ensure(find->parts[i].text == find->text.text + from);
        ensure(find->parts[i].size == end - from);
    }
}

static void find_both_ways(const struct regex *regex, const struct regex_tree *tree,
                           struct span text, struct arena *arena)
{
    static struct matcher matcher;
    struct regex_find find;
    size_t at = 0;
    size_t end = SIZE_MAX;
    matcher.text = text;
    matcher.count = 0;
    struct node *first = build(&matcher, tree, add(&matcher, (struct node){.kind = NODE_END}));
    if (first == NULL || text.size > TEXT_MAX)
        return;
    regex_find_begin(&find, regex, text, arena);
    while (at <= text.size && match_from(&matcher, first, at)) {
        bool is_empty = matcher.spans[0] == matcher.spans[1];
        bool is_again = is_empty && matcher.spans[0] == end;
        at = end = matcher.spans[1];
        if (is_empty && at < text.size)
            (void)span_next_character(text, &at);
        else if (is_empty)
            at = SIZE_MAX;
        if (is_again)
            continue;
        ensure(regex_find_next(&find, INT64_MAX));
        expect_parts(&find, &matcher);
    }
    ensure(!regex_find_next(&find, INT64_MAX));
}

/* What holds for every text: bounded effort, parts within the match, one behind the other. */
static bool find_all(const struct regex *regex, struct span text, struct arena *arena)
{
    struct regex_find find;
    bool is_found = false;
    int64_t bound = (int64_t)(text.size + 1) * (int64_t)regex_cost(regex);
    const char *end = text.text;
    int64_t before = 0;
    regex_find_begin(&find, regex, text, arena);
    while (regex_find_next(&find, FIND_STEPS_MAX)) {
        struct span all = find.parts[0];
        ensure(find.effort - before <= 2 * bound); /* an empty match again takes two */
        ensure(all.text >= end && all.text + all.size <= text.text + text.size);
        for (uint32_t i = 1; i < find.part_count; i++)
            ensure(find.parts[i].text == NULL ||
                   (find.parts[i].text >= text.text &&
                    find.parts[i].text + find.parts[i].size <= all.text + all.size));
        before = find.effort;
        end = all.text + all.size;
        is_found = true;
    }
    ensure(find.effort <= FIND_STEPS_MAX + (int64_t)regex_cost(regex));
    return is_found || find.effort > FIND_STEPS_MAX;
}

static void check_grouped(struct span pattern, struct span text, bool matches,
                          struct arena *arena)
{
    struct regex_problem problem;
    if (span_find(pattern, SPAN("\\Q"), 0) != SIZE_MAX)
        return; /* a quotation without an end would go on behind the bracket */
    struct text grouped;
    text_init(&grouped, arena);
    text_add(&grouped, SPAN("(?:"));
    text_add(&grouped, pattern);
    text_add(&grouped, SPAN(")|[^\\x{0}-\\x{10FFFF}]"));
    const struct regex *regex = regex_compile(text_span(&grouped), arena, &problem);
    ensure(regex == NULL || regex_matches(regex, text) == matches);
}

static void check(struct span pattern, struct span text, struct arena *arena)
{
    struct regex_problem problem = {0, NULL, 0};
    uint32_t groups;
    const struct regex *regex = regex_compile(pattern, arena, &problem);
    ensure((regex == NULL) == (problem.message != NULL) && problem.offset <= pattern.size);
    const struct regex *with_groups = regex_compile_groups(pattern, arena, &problem);
    ensure(regex != NULL || with_groups == NULL);
    if (with_groups == NULL)
        return;
    bool matches = regex_matches(regex, text);
    ensure(find_all(with_groups, text, arena) == matches ||
           (int64_t)(text.size + 1) * (int64_t)regex_cost(with_groups) > FIND_STEPS_MAX);
    check_grouped(pattern, text, matches, arena);
    const struct regex_tree *tree = regex_tree_read(pattern, arena, &problem, &groups);
    ensure(tree != NULL && groups == regex_groups(with_groups));
    find_both_ways(with_groups, tree, text, arena);
}

static void check_within(struct span pattern, struct span text, size_t arena_bytes)
{
    struct arena arena;
    struct arena_guard guard;
    arena_open(&arena, arena_bytes);
    if (!arena_is_spent(&arena, &guard)) {
        check(pattern, text, &arena);
        arena_release_guard(&arena, &guard);
    }
    arena_close(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct span all = span_of((const char *)bytes, size);
    size_t end = span_find(all, SPAN("\n"), 0);
    if (end == SIZE_MAX || !span_is_utf8(all))
        return 0;
    check_within(span_slice(all, 0, end), span_slice(all, end + 1, size), ARENA_BYTES);
    check_within(span_slice(all, 0, end), span_slice(all, end + 1, size), 4096 + size * 64);
    return 0;
}
