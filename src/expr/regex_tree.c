/*
 * regex_tree.c - reading RE2's syntax.
 *
 * Recursive descent over choices, sequences and repetitions. The first mistake is kept, and
 * the rest of the pattern is then not looked at.
 */
#include "expr/regex_tree.h"

#include <string.h>

#include "base/digit.h"
#include "base/limits.h"
#include "base/sort.h"
#include "expr/unicode.h"

enum { CODE_POINT_MAX = 0x10ffff };

struct group_name {
    struct span text;
    const struct group_name *next;
};

struct reader {
    struct span pattern;
    size_t at;
    struct arena *arena;
    struct regex_problem problem; /* message is NULL while all is well */
    unsigned depth;
    uint32_t range_count; /* of all sets, parts of sets too */
    uint32_t group_count;
    const struct group_name *group_names; /* the last first */
    bool ignores_case;
    bool is_multiline;
    bool dot_is_all;
    bool is_lazy; /* `*` is what `*?` was, and the other way round */
};

static struct regex_tree *read_choice(struct reader *reader);

static void fail(struct reader *reader, size_t offset, const char *message)
{
    if (reader->problem.message == NULL)
        reader->problem = (struct regex_problem){offset, message, 0};
    reader->at = reader->pattern.size;
}

static bool is_at_end(const struct reader *reader)
{
    return reader->at >= reader->pattern.size;
}

static char peek(const struct reader *reader, size_t ahead)
{
    size_t at = reader->at + ahead;
    return at < reader->pattern.size ? reader->pattern.text[at] : '\0';
}

static bool take(struct reader *reader, const char *text)
{
    struct span rest = span_slice(reader->pattern, reader->at, reader->pattern.size);
    if (!span_starts_with(rest, span_from_text(text)))
        return false;
    reader->at += strlen(text);
    return true;
}

static struct regex_tree *new_tree(struct reader *reader, enum regex_tree_kind kind)
{
    struct regex_tree *tree = arena_new(reader->arena, struct regex_tree);
    tree->kind = kind;
    tree->may_be_empty = kind == TREE_ASSERT || kind == TREE_SEQUENCE;
    return tree;
}

static void append(struct regex_tree *parent, struct regex_tree *child)
{
    if (parent->kind == TREE_SEQUENCE)
        parent->may_be_empty = parent->may_be_empty && child->may_be_empty;
    else
        parent->may_be_empty = parent->may_be_empty || child->may_be_empty;
    if (parent->last == NULL)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
}

/* A set that grows while a class is read. */
struct set {
    struct regex_range *ranges;
    uint32_t count;
    uint32_t capacity;
};

static void add_range(struct reader *reader, struct set *set, uint32_t first, uint32_t last)
{
    if (reader->range_count++ == REGEX_RANGES_MAX)
        fail(reader, reader->at, "the classes of this pattern are too large");
    if (reader->range_count > REGEX_RANGES_MAX)
        return;
    if (set->count == set->capacity) {
        set->capacity = set->capacity == 0 ? 4 : set->capacity * 2;
        struct regex_range *larger =
            arena_new_array(reader->arena, set->capacity, struct regex_range);
        if (set->count > 0)
            memcpy(larger, set->ranges, set->count * sizeof *larger);
        set->ranges = larger;
    }
    set->ranges[set->count++] = (struct regex_range){first, last};
}

/* A set that is being written to, for unicode.h. */
struct adding {
    struct reader *reader;
    struct set *set;
};

static void add_found(void *context, uint32_t first, uint32_t last)
{
    struct adding *adding = context;
    add_range(adding->reader, adding->set, first, last);
}

static void add_characters(struct reader *reader, struct set *set, uint32_t first,
                           uint32_t last)
{
    struct adding adding = {reader, set};
    add_range(reader, set, first, last);
    if (reader->ignores_case)
        unicode_other_cases(first, last, add_found, &adding);
}

static void add_found_characters(void *context, uint32_t first, uint32_t last)
{
    struct adding *adding = context;
    add_characters(adding->reader, adding->set, first, last);
}

static int compare_ranges(const void *a, const void *b)
{
    uint32_t left = ((const struct regex_range *)a)->first;
    uint32_t right = ((const struct regex_range *)b)->first;
    return (left > right) - (left < right);
}

/* Sorts the ranges and joins those that touch, so that they can be searched. */
static void settle(struct set *set)
{
    uint32_t kept = 0;
    bool is_sorted = true;
    for (uint32_t i = 1; i < set->count; i++)
        is_sorted = is_sorted && set->ranges[i].first > set->ranges[i - 1].last;
    if (!is_sorted)
        sort_items(set->ranges, set->count, sizeof *set->ranges, compare_ranges);
    for (uint32_t i = 1; i < set->count; i++) {
        struct regex_range *last = &set->ranges[kept];
        if (set->ranges[i].first > last->last + 1)
            set->ranges[++kept] = set->ranges[i];
        else if (set->ranges[i].last > last->last)
            last->last = set->ranges[i].last;
    }
    if (set->count > 0)
        set->count = kept + 1;
}

/* Adds the characters of the other set, or all the rest. */
static void add_set(struct reader *reader, struct set *set, struct set *other, bool is_negated)
{
    uint32_t next = 0;
    settle(other);
    for (uint32_t i = 0; i < other->count; i++) {
        if (!is_negated)
            add_range(reader, set, other->ranges[i].first, other->ranges[i].last);
        else if (other->ranges[i].first > next)
            add_range(reader, set, next, other->ranges[i].first - 1);
        next = other->ranges[i].last + 1;
    }
    if (is_negated && next <= CODE_POINT_MAX)
        add_range(reader, set, next, CODE_POINT_MAX);
}

struct named_set {
    const char *name;
    struct regex_range ranges[6];
    uint32_t count;
};

/* \d and its like; the capital letter is the complement. */
static const struct named_set perl_sets[] = {
    {"d", {{'0', '9'}}, 1},
    {"s", {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}, 3},
    {"w", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, 4},
};

static const struct named_set posix_sets[] = {
    {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}, 3},
    {"alpha", {{'A', 'Z'}, {'a', 'z'}}, 2},
    {"ascii", {{0, 0x7f}}, 1},
    {"blank", {{'\t', '\t'}, {' ', ' '}}, 2},
    {"cntrl", {{0, 0x1f}, {0x7f, 0x7f}}, 2},
    {"digit", {{'0', '9'}}, 1},
    {"graph", {{'!', '~'}}, 1},
    {"lower", {{'a', 'z'}}, 1},
    {"print", {{' ', '~'}}, 1},
    {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}, 4},
    {"space", {{'\t', '\r'}, {' ', ' '}}, 2},
    {"upper", {{'A', 'Z'}}, 1},
    {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, 4},
    {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}, 3},
};

static void add_named(struct reader *reader, struct set *set, const struct named_set *named,
                      bool is_negated)
{
    struct set all = {NULL, 0, 0};
    for (uint32_t i = 0; i < named->count; i++)
        add_characters(reader, &all, named->ranges[i].first, named->ranges[i].last);
    add_set(reader, set, &all, is_negated);
}

/* What stands behind \p: a letter, or a name in braces. */
static struct span take_unicode_name(struct reader *reader, bool *is_negated)
{
    size_t from = reader->at;
    if (!take(reader, "{")) {
        reader->at += !is_at_end(reader);
        return span_slice(reader->pattern, from, reader->at);
    }
    *is_negated ^= take(reader, "^");
    size_t name = reader->at;
    while (!is_at_end(reader) && peek(reader, 0) != '}')
        reader->at++;
    struct span text = span_slice(reader->pattern, name, reader->at);
    if (!take(reader, "}"))
        fail(reader, from, "this name is not closed");
    return text;
}

/* \pL, \p{Greek}, \P{Lu}, \p{^Lu} */
static bool take_unicode_set(struct reader *reader, struct set *set)
{
    struct set all = {NULL, 0, 0};
    struct adding adding = {reader, &all};
    size_t from = reader->at;
    bool is_negated = take(reader, "\\P");
    if (!is_negated && !take(reader, "\\p"))
        return false;
    struct span name = take_unicode_name(reader, &is_negated);
    if (!unicode_named(name, add_found_characters, &adding))
        fail(reader, from, "Unicode has no category or script of this name");
    add_set(reader, set, &all, is_negated);
    return true;
}

/* \d, \D, \s, … behind a backslash that is not consumed. */
static bool take_perl_set(struct reader *reader, struct set *set)
{
    char letter = peek(reader, 1);
    for (size_t i = 0; peek(reader, 0) == '\\' && i < 3; i++) {
        char small = perl_sets[i].name[0];
        if (letter != small && letter != small - 'a' + 'A')
            continue;
        reader->at += 2;
        add_named(reader, set, &perl_sets[i], letter != small);
        return true;
    }
    return false;
}

/* [:alpha:] and [:^alpha:] inside of a class. */
static bool take_posix_set(struct reader *reader, struct set *set)
{
    size_t from = reader->at;
    if (!take(reader, "[:"))
        return false;
    bool is_negated = take(reader, "^");
    for (size_t i = 0; i < sizeof posix_sets / sizeof posix_sets[0]; i++) {
        size_t before = reader->at;
        if (take(reader, posix_sets[i].name) && take(reader, ":]")) {
            add_named(reader, set, &posix_sets[i], is_negated);
            return true;
        }
        reader->at = before;
    }
    reader->at = from;
    if (span_find(reader->pattern, SPAN(":]"), from) != SIZE_MAX)
        fail(reader, from, "there is no class of this name");
    return false;
}

/* Behind \x: two digits, or any number of them in braces. */
static uint32_t read_hex(struct reader *reader)
{
    size_t from = reader->at;
    bool is_braced = take(reader, "{");
    uint32_t point = 0;
    size_t digits = 0;
    while (digit_value(peek(reader, 0)) < 16 && (is_braced || digits < 2) &&
           point <= CODE_POINT_MAX) {
        point = point * 16 + digit_value(peek(reader, 0));
        reader->at++;
        digits++;
    }
    bool is_closed = is_braced ? take(reader, "}") && digits > 0 : digits == 2;
    if (!is_closed || point > CODE_POINT_MAX)
        fail(reader, from, "\\x is followed by two hexadecimal digits or a code in braces");
    return point;
}

static uint32_t read_octal(struct reader *reader)
{
    uint32_t point = 0;
    for (int i = 0; i < 3 && peek(reader, 0) >= '0' && peek(reader, 0) <= '7'; i++)
        point = point * 8 + (uint32_t)(reader->pattern.text[reader->at++] - '0');
    return point;
}

/* Behind a backslash: one character. */
static uint32_t read_escape(struct reader *reader)
{
    static const char letters[] = "aftnrv";
    static const char bytes[] = "\a\f\t\n\r\v";
    char c = peek(reader, 0);
    size_t from = reader->at - 1;
    const char *letter = c == '\0' ? NULL : strchr(letters, c);
    if (is_at_end(reader)) {
        fail(reader, from, "a backslash stands at the end");
        return 0;
    }
    if (letter != NULL) {
        reader->at++;
        return (uint32_t)bytes[letter - letters];
    }
    if (take(reader, "x"))
        return read_hex(reader);
    if (c == '0' || (c >= '1' && c <= '7' && peek(reader, 1) >= '0' && peek(reader, 1) <= '7'))
        return read_octal(reader);
    bool is_word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_word || ((unsigned char)c & 0x80)) {
        fail(reader, from,
             c == 'C' ? "\\C, a byte of a character, is not there: texts are Unicode"
             : c >= '1' && c <= '9' ? "there are no references to groups"
                                    : "there is no such escape");
        return 0;
    }
    reader->at++;
    return (unsigned char)c;
}

/* One character of a class, escaped or not. */
static uint32_t read_class_character(struct reader *reader)
{
    if (take(reader, "\\"))
        return read_escape(reader);
    return span_next_character(reader->pattern, &reader->at);
}

static void read_class_range(struct reader *reader, struct set *set)
{
    size_t from = reader->at;
    uint32_t first = read_class_character(reader);
    uint32_t last = first;
    if (peek(reader, 0) == '-' && peek(reader, 1) != ']' && peek(reader, 1) != '\0') {
        reader->at++;
        last = read_class_character(reader);
    }
    if (last < first)
        fail(reader, from, "this range runs backwards");
    add_characters(reader, set, first, last);
}

static struct regex_tree *set_tree(struct reader *reader, struct set *set, bool is_negated)
{
    settle(set);
    struct regex_tree *tree = new_tree(reader, TREE_SET);
    tree->ranges = set->ranges;
    tree->range_count = set->count;
    tree->is_negated = is_negated;
    return tree;
}

/* Behind '['. */
static struct regex_tree *read_class(struct reader *reader)
{
    struct set set = {NULL, 0, 0};
    size_t from = reader->at - 1;
    bool is_negated = take(reader, "^");
    bool is_first = true;
    while (is_first || peek(reader, 0) != ']') {
        if (is_at_end(reader)) {
            fail(reader, from, "this class is not closed");
            break;
        }
        is_first = false;
        if (!take_perl_set(reader, &set) && !take_posix_set(reader, &set) &&
            !take_unicode_set(reader, &set) && !is_at_end(reader))
            read_class_range(reader, &set);
    }
    reader->at += !is_at_end(reader);
    return set_tree(reader, &set, is_negated);
}

static struct regex_tree *read_character(struct reader *reader, uint32_t point)
{
    struct set set = {NULL, 0, 0};
    add_characters(reader, &set, point, point);
    return set_tree(reader, &set, false);
}

static struct regex_tree *assert_tree(struct reader *reader, enum regex_assertion assertion)
{
    struct regex_tree *tree = new_tree(reader, TREE_ASSERT);
    tree->assertion = assertion;
    return tree;
}

static struct regex_tree *read_dot(struct reader *reader)
{
    struct set set = {NULL, 0, 0};
    if (!reader->dot_is_all)
        add_range(reader, &set, '\n', '\n');
    return set_tree(reader, &set, true);
}

/* Flags up to ')' or ':'. */
static void read_flags(struct reader *reader)
{
    bool value = true;
    while (peek(reader, 0) != ')' && peek(reader, 0) != ':') {
        if (take(reader, "-"))
            value = false;
        else if (take(reader, "i"))
            reader->ignores_case = value;
        else if (take(reader, "m"))
            reader->is_multiline = value;
        else if (take(reader, "s"))
            reader->dot_is_all = value;
        else if (take(reader, "U"))
            reader->is_lazy = value;
        else {
            fail(reader, reader->at, "there is no such group or flag");
            return;
        }
    }
}

static void keep_group_name(struct reader *reader, size_t from)
{
    struct span text = span_of(reader->pattern.text + from, reader->at - from);
    for (const struct group_name *name = reader->group_names; name != NULL; name = name->next) {
        if (span_equal(name->text, text))
            fail(reader, from, "a group of this name is there already");
    }
    struct group_name *name = arena_new(reader->arena, struct group_name);
    *name = (struct group_name){text, reader->group_names};
    reader->group_names = name;
}

/* The name of (?P<name> or (?<name>; false when there is none. */
static bool take_group_name(struct reader *reader)
{
    if (!take(reader, "?P<") && !take(reader, "?<"))
        return false;
    size_t from = reader->at;
    while (peek(reader, 0) == '_' || digit_value(peek(reader, 0)) < 16 ||
           ((peek(reader, 0) | 0x20) >= 'a' && (peek(reader, 0) | 0x20) <= 'z'))
        reader->at++;
    keep_group_name(reader, from);
    if (reader->at == from || !take(reader, ">"))
        fail(reader, from, "a group's name holds letters, digits and '_'");
    return true;
}

/* Behind '('. NULL when it only sets flags for the rest of its surroundings. */
static struct regex_tree *read_group(struct reader *reader)
{
    size_t from = reader->at - 1;
    struct reader before = *reader;
    bool is_counted = take_group_name(reader) || !take(reader, "?");
    struct regex_tree *group = new_tree(reader, is_counted ? TREE_GROUP : TREE_SEQUENCE);
    if (is_counted) {
        group->group = ++reader->group_count;
    } else {
        read_flags(reader);
        if (take(reader, ")"))
            return NULL;
        take(reader, ":");
    }
    if (++reader->depth > REGEX_DEPTH_MAX)
        fail(reader, from, "groups nest too deeply");
    append(group, read_choice(reader));
    reader->depth--;
    if (!take(reader, ")"))
        fail(reader, from, "this group is not closed");
    reader->ignores_case = before.ignores_case;
    reader->is_multiline = before.is_multiline;
    reader->dot_is_all = before.dot_is_all;
    reader->is_lazy = before.is_lazy;
    return group;
}

static bool take_assertion(struct reader *reader, struct regex_tree **tree)
{
    enum regex_assertion assertion;
    if (take(reader, "^"))
        assertion = reader->is_multiline ? ASSERT_LINE : ASSERT_START;
    else if (take(reader, "$"))
        assertion = reader->is_multiline ? ASSERT_LINE_END : ASSERT_END;
    else if (take(reader, "\\A"))
        assertion = ASSERT_START;
    else if (take(reader, "\\z"))
        assertion = ASSERT_END;
    else if (take(reader, "\\b"))
        assertion = ASSERT_WORD;
    else if (take(reader, "\\B"))
        assertion = ASSERT_NO_WORD;
    else
        return false;
    *tree = assert_tree(reader, assertion);
    return true;
}

static struct regex_tree *read_atom(struct reader *reader)
{
    struct set set = {NULL, 0, 0};
    struct regex_tree *assertion;
    if (take_assertion(reader, &assertion))
        return assertion;
    if (take_perl_set(reader, &set) || take_unicode_set(reader, &set))
        return set_tree(reader, &set, false);
    if (take(reader, "["))
        return read_class(reader);
    if (take(reader, "."))
        return read_dot(reader);
    if (take(reader, "\\"))
        return read_character(reader, read_escape(reader));
    return read_character(reader, span_next_character(reader->pattern, &reader->at));
}

static bool take_number(struct reader *reader, uint32_t *number)
{
    size_t from = reader->at;
    *number = 0;
    while (peek(reader, 0) >= '0' && peek(reader, 0) <= '9' && *number <= REGEX_REPEAT_MAX)
        *number = *number * 10 + (uint32_t)(reader->pattern.text[reader->at++] - '0');
    return reader->at > from;
}

/* {2}, {2,} and {2,5}; anything else in braces stands for itself. */
static bool take_count(struct reader *reader, uint32_t *min, uint32_t *max)
{
    size_t from = reader->at;
    if (!take(reader, "{") || !take_number(reader, min)) {
        reader->at = from;
        return false;
    }
    *max = *min;
    if (take(reader, ",") && !take_number(reader, max))
        *max = UINT32_MAX;
    if (!take(reader, "}") && *min <= REGEX_REPEAT_MAX &&
        (*max <= REGEX_REPEAT_MAX || *max == UINT32_MAX)) {
        reader->at = from;
        return false;
    }
    if (*min > REGEX_REPEAT_MAX || (*max > REGEX_REPEAT_MAX && *max != UINT32_MAX) ||
        *max < *min)
        fail(reader, from, "a repetition counts up to 1000, and not backwards");
    return true;
}

static bool take_repetition(struct reader *reader, uint32_t *min, uint32_t *max)
{
    *min = 0;
    *max = UINT32_MAX;
    if (take(reader, "*"))
        return true;
    if (take(reader, "+")) {
        *min = 1;
        return true;
    }
    if (take(reader, "?")) {
        *max = 1;
        return true;
    }
    return take_count(reader, min, max);
}

static struct regex_tree *repeat(struct reader *reader, struct regex_tree *inner)
{
    uint32_t min;
    uint32_t max;
    if (!take_repetition(reader, &min, &max))
        return inner;
    struct regex_tree *tree = new_tree(reader, TREE_REPEAT);
    tree->first = inner;
    tree->min = min;
    tree->max = max;
    tree->may_be_empty = min == 0 || inner->may_be_empty;
    tree->is_lazy = take(reader, "?") != reader->is_lazy;
    size_t from = reader->at;
    if (take_repetition(reader, &min, &max))
        fail(reader, from, "a repetition cannot be repeated");
    return tree;
}

static void read_quoted(struct reader *reader, struct regex_tree *sequence)
{
    while (!is_at_end(reader) && !take(reader, "\\E"))
        append(sequence,
               read_character(reader, span_next_character(reader->pattern, &reader->at)));
}

static struct regex_tree *read_sequence(struct reader *reader)
{
    struct regex_tree *sequence = new_tree(reader, TREE_SEQUENCE);
    while (!is_at_end(reader) && peek(reader, 0) != '|' && peek(reader, 0) != ')') {
        uint32_t min;
        uint32_t max;
        size_t from = reader->at;
        if (take(reader, "\\Q")) {
            read_quoted(reader, sequence);
        } else if (take(reader, "(")) {
            struct regex_tree *group = read_group(reader);
            if (group != NULL)
                append(sequence, repeat(reader, group));
        } else if (take_repetition(reader, &min, &max)) {
            fail(reader, from, "there is nothing to repeat here");
        } else {
            append(sequence, repeat(reader, read_atom(reader)));
        }
    }
    return sequence;
}

static struct regex_tree *read_choice(struct reader *reader)
{
    struct regex_tree *choice = new_tree(reader, TREE_CHOICE);
    append(choice, read_sequence(reader));
    while (take(reader, "|"))
        append(choice, read_sequence(reader));
    return choice;
}

const struct regex_tree *regex_tree_read(struct span pattern, struct arena *arena,
                                         struct regex_problem *problem, uint32_t *group_count)
{
    struct reader reader = {.pattern = pattern, .arena = arena};
    const struct regex_tree *tree = read_choice(&reader);
    if (!is_at_end(&reader))
        fail(&reader, reader.at, "this ')' closes nothing");
    reader.problem.work = reader.range_count;
    *problem = reader.problem;
    *group_count = reader.group_count;
    return problem->message == NULL ? tree : NULL;
}
