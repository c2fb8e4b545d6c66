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

enum {
    DEPTH_MAX = 100,
    REPEAT_MAX = 1000,
    CODE_MAX = 4096,
    CODE_POINT_MAX = 0x10ffff,
};

enum tree_kind { TREE_SET, TREE_ASSERT, TREE_SEQUENCE, TREE_CHOICE, TREE_REPEAT };

enum assertion {
    ASSERT_START,
    ASSERT_END,
    ASSERT_LINE,
    ASSERT_LINE_END,
    ASSERT_WORD,
    ASSERT_NO_WORD
};

struct range {
    uint32_t first;
    uint32_t last;
};

struct tree {
    enum tree_kind kind;
    const struct tree *next; /* of the sequence or choice it is in */
    const struct tree *first;
    struct tree *last; /* while the sequence or choice grows */
    const struct range *ranges;
    uint32_t range_count;
    bool is_negated;
    enum assertion assertion;
    uint32_t min;
    uint32_t max; /* UINT32_MAX: without an end */
};

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
    const struct range *ranges;
};

struct regex {
    const struct step *steps;
    uint32_t count;
};

/* Patterns to trees */

struct reader {
    struct span pattern;
    size_t at;
    struct arena *arena;
    struct regex_problem problem; /* message is NULL while all is well */
    unsigned depth;
    bool ignores_case;
    bool is_multiline;
    bool dot_is_all;
};

static const struct tree *read_choice(struct reader *reader);

static void fail(struct reader *reader, size_t offset, const char *message)
{
    if (reader->problem.message == NULL)
        reader->problem = (struct regex_problem){offset, message};
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

/* The code point at `at` of well-formed UTF-8; moves behind it. */
static uint32_t next_code_point(struct span text, size_t *at)
{
    unsigned char lead = (unsigned char)text.text[(*at)++];
    uint32_t point = lead < 0x80   ? lead
                     : lead < 0xe0 ? lead & 0x1fu
                     : lead < 0xf0 ? lead & 0xfu
                                   : lead & 7u;
    if (lead < 0x80)
        return point;
    while (*at < text.size && ((unsigned char)text.text[*at] & 0xc0) == 0x80)
        point = point << 6 | ((unsigned char)text.text[(*at)++] & 0x3fu);
    return point;
}

static struct tree *new_tree(struct reader *reader, enum tree_kind kind)
{
    struct tree *tree = arena_new(reader->arena, struct tree);
    tree->kind = kind;
    return tree;
}

static void append(struct tree *parent, struct tree *child)
{
    if (parent->last == NULL)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
}

/* A set that grows while a class is read. */
struct set {
    struct range *ranges;
    uint32_t count;
    uint32_t capacity;
};

static void add_range(struct reader *reader, struct set *set, uint32_t first, uint32_t last)
{
    if (set->count == set->capacity) {
        set->capacity = set->capacity == 0 ? 4 : set->capacity * 2;
        struct range *larger = arena_new_array(reader->arena, set->capacity, struct range);
        if (set->count > 0)
            memcpy(larger, set->ranges, set->count * sizeof *larger);
        set->ranges = larger;
    }
    set->ranges[set->count++] = (struct range){first, last};
}

/* The part of [first, last] that lies in [low, high], moved by `distance`. */
static void add_folded(struct reader *reader, struct set *set, struct range range, uint32_t low,
                       uint32_t high, int distance)
{
    uint32_t first = range.first > low ? range.first : low;
    uint32_t last = range.last < high ? range.last : high;
    if (first <= last)
        add_range(reader, set, (uint32_t)((int)first + distance),
                  (uint32_t)((int)last + distance));
}

static void add_characters(struct reader *reader, struct set *set, uint32_t first,
                           uint32_t last)
{
    add_range(reader, set, first, last);
    if (!reader->ignores_case)
        return;
    add_folded(reader, set, (struct range){first, last}, 'a', 'z', 'A' - 'a');
    add_folded(reader, set, (struct range){first, last}, 'A', 'Z', 'a' - 'A');
}

struct named_set {
    const char *name;
    struct range ranges[6];
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
    uint32_t next = 0;
    for (uint32_t i = 0; i < named->count; i++) {
        if (!is_negated)
            add_characters(reader, set, named->ranges[i].first, named->ranges[i].last);
        else if (named->ranges[i].first > next)
            add_range(reader, set, next, named->ranges[i].first - 1);
        next = named->ranges[i].last + 1;
    }
    if (is_negated)
        add_range(reader, set, next, CODE_POINT_MAX);
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

static uint32_t hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
        return (uint32_t)((c | 0x20) - 'a') + 10;
    return 16;
}

/* Behind \x: two digits, or any number of them in braces. */
static uint32_t read_hex(struct reader *reader)
{
    size_t from = reader->at;
    bool is_braced = take(reader, "{");
    uint32_t point = 0;
    size_t digits = 0;
    while (hex_value(peek(reader, 0)) < 16 && (is_braced || digits < 2) &&
           point <= CODE_POINT_MAX) {
        point = point * 16 + hex_value(peek(reader, 0));
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
             c == 'p' || c == 'P'   ? "classes of Unicode by name are not there"
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
    return next_code_point(reader->pattern, &reader->at);
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

static struct tree *set_tree(struct reader *reader, const struct set *set, bool is_negated)
{
    struct tree *tree = new_tree(reader, TREE_SET);
    tree->ranges = set->ranges;
    tree->range_count = set->count;
    tree->is_negated = is_negated;
    return tree;
}

/* Behind '['. */
static struct tree *read_class(struct reader *reader)
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
        if (!take_perl_set(reader, &set) && !take_posix_set(reader, &set) && !is_at_end(reader))
            read_class_range(reader, &set);
    }
    reader->at += !is_at_end(reader);
    return set_tree(reader, &set, is_negated);
}

static struct tree *read_character(struct reader *reader, uint32_t point)
{
    struct set set = {NULL, 0, 0};
    add_characters(reader, &set, point, point);
    return set_tree(reader, &set, false);
}

static struct tree *assert_tree(struct reader *reader, enum assertion assertion)
{
    struct tree *tree = new_tree(reader, TREE_ASSERT);
    tree->assertion = assertion;
    return tree;
}

static struct tree *read_dot(struct reader *reader)
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
        else if (!take(reader, "U")) { /* which match is found first does not matter here */
            fail(reader, reader->at, "there is no such group or flag");
            return;
        }
    }
}

/* The name of (?P<name> or (?<name>; false when there is none. */
static bool take_group_name(struct reader *reader)
{
    if (!take(reader, "?P<") && !take(reader, "?<"))
        return false;
    size_t from = reader->at;
    while (peek(reader, 0) == '_' || hex_value(peek(reader, 0)) < 16 ||
           ((peek(reader, 0) | 0x20) >= 'a' && (peek(reader, 0) | 0x20) <= 'z'))
        reader->at++;
    if (reader->at == from || !take(reader, ">"))
        fail(reader, from, "a group's name holds letters, digits and '_'");
    return true;
}

/* Behind '('. NULL when it only sets flags for the rest of its surroundings. */
static const struct tree *read_group(struct reader *reader)
{
    size_t from = reader->at - 1;
    struct reader before = *reader;
    if (!take_group_name(reader) && take(reader, "?")) {
        read_flags(reader);
        if (take(reader, ")"))
            return NULL;
        take(reader, ":");
    }
    if (++reader->depth > DEPTH_MAX)
        fail(reader, from, "groups nest too deeply");
    const struct tree *inner = read_choice(reader);
    reader->depth--;
    if (!take(reader, ")"))
        fail(reader, from, "this group is not closed");
    reader->ignores_case = before.ignores_case;
    reader->is_multiline = before.is_multiline;
    reader->dot_is_all = before.dot_is_all;
    return inner;
}

static bool take_assertion(struct reader *reader, struct tree **tree)
{
    enum assertion assertion;
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

static struct tree *read_atom(struct reader *reader)
{
    struct set set = {NULL, 0, 0};
    struct tree *assertion;
    if (take_assertion(reader, &assertion))
        return assertion;
    if (take_perl_set(reader, &set))
        return set_tree(reader, &set, false);
    if (take(reader, "["))
        return read_class(reader);
    if (take(reader, "."))
        return read_dot(reader);
    if (take(reader, "\\"))
        return read_character(reader, read_escape(reader));
    return read_character(reader, next_code_point(reader->pattern, &reader->at));
}

static bool take_number(struct reader *reader, uint32_t *number)
{
    size_t from = reader->at;
    *number = 0;
    while (peek(reader, 0) >= '0' && peek(reader, 0) <= '9' && *number <= REPEAT_MAX)
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
    if (!take(reader, "}") && *min <= REPEAT_MAX &&
        (*max <= REPEAT_MAX || *max == UINT32_MAX)) {
        reader->at = from;
        return false;
    }
    if (*min > REPEAT_MAX || (*max > REPEAT_MAX && *max != UINT32_MAX) || *max < *min)
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

static struct tree *repeat(struct reader *reader, struct tree *inner)
{
    uint32_t min;
    uint32_t max;
    if (!take_repetition(reader, &min, &max))
        return inner;
    take(reader, "?"); /* lazy or greedy: a match is a match */
    struct tree *tree = new_tree(reader, TREE_REPEAT);
    tree->first = inner;
    tree->min = min;
    tree->max = max;
    size_t from = reader->at;
    if (take_repetition(reader, &min, &max))
        fail(reader, from, "a repetition cannot be repeated");
    return tree;
}

/* A sequence around what other trees may share, so that it can have a `next` of its own. */
static struct tree *wrap(struct reader *reader, const struct tree *inner)
{
    struct tree *tree = new_tree(reader, TREE_SEQUENCE);
    tree->first = inner;
    return tree;
}

static void read_quoted(struct reader *reader, struct tree *sequence)
{
    while (!is_at_end(reader) && !take(reader, "\\E"))
        append(sequence, read_character(reader, next_code_point(reader->pattern, &reader->at)));
}

static struct tree *read_sequence(struct reader *reader)
{
    struct tree *sequence = new_tree(reader, TREE_SEQUENCE);
    while (!is_at_end(reader) && peek(reader, 0) != '|' && peek(reader, 0) != ')') {
        uint32_t min;
        uint32_t max;
        size_t from = reader->at;
        if (take(reader, "\\Q")) {
            read_quoted(reader, sequence);
        } else if (take(reader, "(")) {
            const struct tree *group = read_group(reader);
            if (group != NULL)
                append(sequence, repeat(reader, wrap(reader, group)));
        } else if (take_repetition(reader, &min, &max)) {
            fail(reader, from, "there is nothing to repeat here");
        } else {
            append(sequence, repeat(reader, read_atom(reader)));
        }
    }
    return sequence;
}

static const struct tree *read_choice(struct reader *reader)
{
    struct tree *choice = new_tree(reader, TREE_CHOICE);
    append(choice, read_sequence(reader));
    while (take(reader, "|"))
        append(choice, read_sequence(reader));
    return choice;
}

/* Trees to steps */

struct writer {
    struct arena *arena;
    struct step *steps;
    uint32_t count;
    uint32_t capacity;
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
    if (writer->count == CODE_MAX) {
        writer->is_full = true;
        return 0; /* overwritten without harm: the program is thrown away */
    }
    if (writer->count == writer->capacity)
        grow(writer);
    writer->steps[writer->count] = (struct step){.operation = (uint8_t)operation};
    return writer->count++;
}

static void write_tree(struct writer *writer, const struct tree *tree);

/* fork a, b; a: first; jump end; b: … */
static void write_choice(struct writer *writer, const struct tree *tree)
{
    uint32_t jumps = UINT32_MAX; /* a chain through `to` of the jumps to the end */
    for (const struct tree *part = tree->first; part != NULL; part = part->next) {
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
static void write_star(struct writer *writer, const struct tree *inner)
{
    uint32_t fork = put(writer, OPERATION_FORK);
    writer->steps[fork].to = (uint16_t)writer->count;
    write_tree(writer, inner);
    uint32_t jump = put(writer, OPERATION_JUMP);
    writer->steps[jump].to = (uint16_t)fork;
    writer->steps[fork].other = (uint16_t)writer->count;
}

/* x{2,4} is xx(x(x)?)?; each optional one forks to the end. */
static void write_repeat(struct writer *writer, const struct tree *tree)
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

static void write_tree(struct writer *writer, const struct tree *tree)
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
        return;
    case TREE_ASSERT:
        at = put(writer, OPERATION_ASSERT);
        writer->steps[at].to = (uint16_t)tree->assertion;
        return;
    case TREE_SEQUENCE:
        for (const struct tree *part = tree->first; part != NULL; part = part->next)
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
    enum { PATTERN_BYTES_MAX = 4096 };
    struct reader reader = {.pattern = pattern, .arena = arena};
    if (pattern.size > PATTERN_BYTES_MAX) {
        *problem = (struct regex_problem){0, "this pattern is too long"};
        return NULL;
    }
    const struct tree *tree = read_choice(&reader);
    if (!is_at_end(&reader))
        fail(&reader, reader.at, "this ')' closes nothing");
    if (reader.problem.message != NULL) {
        *problem = reader.problem;
        return NULL;
    }
    struct writer writer = {.arena = arena};
    write_tree(&writer, tree);
    put(&writer, OPERATION_MATCH);
    if (writer.is_full) {
        *problem = (struct regex_problem){0, "this pattern is too large"};
        return NULL;
    }
    struct regex *regex = arena_new(arena, struct regex);
    *regex = (struct regex){writer.steps, writer.count};
    return regex;
}

size_t regex_cost(const struct regex *regex)
{
    return regex->count;
}

/* Running */

/* Places that wait for the next character, each once. */
struct places {
    uint16_t at[CODE_MAX];
    uint32_t count;
    uint64_t marks[CODE_MAX / 64];
};

struct runner {
    const struct regex *regex;
    struct span text;
    size_t at; /* between two characters */
    struct places *places;
    uint16_t stack[CODE_MAX];
};

static bool is_word_at(struct span text, size_t at)
{
    char c = at < text.size ? text.text[at] : ' ';
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

static bool holds(const struct runner *runner, enum assertion assertion)
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
        if (step->operation == OPERATION_ASSERT && !holds(runner, (enum assertion)step->to))
            continue;
        if (mark(runner->places, next))
            runner->stack[depth++] = next;
        if (step->operation == OPERATION_FORK && mark(runner->places, step->other))
            runner->stack[depth++] = step->other;
    }
    return false;
}

static bool accepts(const struct step *step, uint32_t point)
{
    for (uint32_t i = 0; i < step->range_count; i++) {
        if (point >= step->ranges[i].first && point <= step->ranges[i].last)
            return !step->is_negated;
    }
    return step->is_negated;
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
        uint32_t point = next_code_point(text, &runner.at);
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
