/*
 * regex.c - whether a regular expression matches: run as a set of places.
 *
 *     pattern → tree → instructions → all places at once, one character at a time
 *
 * A place is an instruction that waits for a character. A set of places can not be larger
 * than the program, so each character costs at most the program's size, whatever the
 * pattern (K. Thompson, "Regular expression search algorithm", CACM 11:6, 1968).
 */
#include "expr/regex.h"

#include <string.h>

#include "base/ensure.h"
#include "base/limits.h"
#include "expr/regex_code.h"

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
        const struct regex_step *step = &runner->regex->steps[now];
        uint16_t next = step->operation == REGEX_ASSERT ? (uint16_t)(now + 1) : step->to;
        if (step->operation == REGEX_MATCH)
            return true;
        if (step->operation == REGEX_SET) {
            runner->places->at[runner->places->count++] = now;
            continue;
        }
        if (step->operation == REGEX_ASSERT &&
            !regex_code_holds((enum regex_assertion)step->to, runner->text, runner->at))
            continue;
        if (mark(runner->places, next))
            runner->stack[depth++] = next;
        if (step->operation == REGEX_FORK && mark(runner->places, step->other))
            runner->stack[depth++] = step->other;
    }
    return false;
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
    ensure(!regex->has_groups);
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
            if (regex_code_accepts(&regex->steps[place], point) &&
                enter(&runner, (uint16_t)(place + 1)))
                return true;
        }
        now = 1 - now;
    }
}
