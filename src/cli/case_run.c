/*
 * case_run.c - running a text case, and comparing.
 *
 * The family is the one that `step` runs on, so a case sees what a person at the command line
 * sees: snapshots between macrosteps, children, a clock that only moves when told.
 */
#include "cli/case_run.h"

#include <inttypes.h>

#include "base/checked.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/document.h"

enum { ARENA_BYTES = 1 << 30, SHOWN_BYTES_MAX = 400 };

/* `invoke charge` is the head of an effect, its input the rest: who does not care about the
 * rest leaves it out. */
struct case_effect {
    struct span head;
    struct span rest;
    struct case_effect *next;
};

/* An invocation that there was, by its id. */
struct known_invocation {
    struct span id;
    uint64_t current;
    uint64_t previous; /* of the visit before: for late results */
    struct known_invocation *next;
};

struct running {
    const struct case_text *text;
    const struct case_line *line;
    const struct machine *machine;
    struct family family;
    bool is_endless;
    bool has_started;
    bool is_wrong;
    struct text *said;
    struct arena arena;      /* of a line */
    struct arena seen_arena; /* of what is looked at */
    struct arena known_arena;
    struct known_invocation *known;
    uint64_t *before; /* the active states after the last macrostep */

    /* Of the last line that did something. */
    enum outcome outcome;
    bool is_refused;
    bool is_late;
    bool changed;
    struct value event;
    uint32_t steps;
    uint32_t error_count;
    struct text errors;
    struct text via; /* the states that derivations passed */
    struct case_effect *effects;
    struct case_effect **effects_end;
};

static void begin_line(struct running *running)
{
    arena_clear(&running->arena);
    text_clear(&running->errors);
    text_clear(&running->via);
    running->outcome = OUTCOME_IGNORED;
    running->is_refused = false;
    running->is_late = false;
    running->event = value_null();
    running->changed = false;
    running->is_endless = false;
    running->steps = 0;
    running->error_count = 0;
    running->effects = NULL;
    running->effects_end = &running->effects;
}

/* Effects */

static struct span to_json(struct running *running, struct value value)
{
    struct text text;
    text_init(&text, &running->arena);
    json_write(&text, value);
    return text_span(&text);
}

static struct span effect_head(struct running *running, const struct effect *effect)
{
    struct arena *arena = &running->arena;
    switch (effect->kind) {
    case EFFECT_INVOKE:
        return text_print(arena, "invoke %.*s", SPAN_ARGS(effect->id));
    case EFFECT_STOP:
        return text_print(arena, "stop %.*s", SPAN_ARGS(effect->id));
    case EFFECT_SCHEDULE:
        return text_print(arena, "schedule %.*s %" PRId64 "ms", SPAN_ARGS(effect->id),
                          effect->due - running->family.now);
    case EFFECT_CANCEL:
        return text_print(arena, "cancel %.*s", SPAN_ARGS(effect->id));
    case EFFECT_ACTION:
        return text_print(arena, "action %.*s", SPAN_ARGS(effect->name));
    case EFFECT_LOG:
        return SPAN("log");
    case EFFECT_EMIT:
        return text_print(arena, "emit %.*s", SPAN_ARGS(effect->name));
    case EFFECT_SEND:
        return text_print(arena, "send %.*s %.*s", SPAN_ARGS(effect->id),
                          SPAN_ARGS(effect->name));
    }
    never();
}

static bool has_rest(const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_INVOKE:
    case EFFECT_ACTION:
    case EFFECT_LOG:
        return true;
    case EFFECT_EMIT:
    case EFFECT_SEND:
        return effect->input.count > 0;
    case EFFECT_STOP:
    case EFFECT_SCHEDULE:
    case EFFECT_CANCEL:
        return false;
    }
    never();
}

static void add_effect(struct running *running, const struct effect *effect)
{
    struct case_effect *added = arena_new(&running->arena, struct case_effect);
    added->head = effect_head(running, effect);
    if (has_rest(effect))
        added->rest = to_json(running, effect->input);
    *running->effects_end = added;
    running->effects_end = &added->next;
}

/* Macrosteps */

static void add_error(struct running *running, struct span what, struct span message)
{
    text_format(&running->errors, "%s%.*s: %.*s", running->error_count++ == 0 ? "" : "; ",
                SPAN_ARGS(what), SPAN_ARGS(message));
}

static void note_coverage(struct running *running, const struct plan *plan)
{
    case_coverage_note(&running->text->machine->coverage,
                       running->has_started ? running->before : NULL, plan);
    running->has_started = true;
    memcpy(running->before, plan->after.active,
           running->machine->word_count * sizeof *running->before);
}

static struct known_invocation *find_known(const struct running *running, struct span id)
{
    struct known_invocation *known = running->known;
    while (known != NULL && !span_equal(known->id, id))
        known = known->next;
    return known;
}

static void note_invocations(struct running *running, const struct configuration *after)
{
    for (uint32_t i = 0; i < after->invocation_count; i++) {
        struct span id = configuration_invoke_id(after, &after->invocations[i]);
        struct known_invocation *known = find_known(running, id);
        if (known == NULL) {
            known = arena_new(&running->known_arena, struct known_invocation);
            known->id = arena_copy(&running->known_arena, id);
            known->current = UINT64_MAX;
            known->next = running->known;
            running->known = known;
        }
        if (known->current == after->invocations[i].number)
            continue;
        known->previous = known->current;
        known->current = after->invocations[i].number;
    }
}

/* What a line did is kept whole up to half of the arena: one macrostep needs less than the
 * other half, and a family is no place to jump out of. */
static void keep(struct running *running, const struct plan *plan)
{
    if (running->arena.total > ARENA_BYTES / 2) {
        add_error(running, SPAN("case"), SPAN("the line did more than can be kept"));
        return;
    }
    for (uint32_t i = 0; i < plan->effect_count; i++)
        add_effect(running, &plan->effects[i]);
    running->event = value_copy(&running->arena,
                                step_event_value(plan->type, plan->payload, &running->arena));
}

static void add_via(struct running *running, const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->via_count; i++)
        text_format(&running->via, "%s%.*s", running->via.size == 0 ? "" : ", ",
                    SPAN_ARGS(running->machine->states[plan->via[i]].path));
}

static void take_plan(struct running *running, const struct plan *plan)
{
    keep(running, plan);
    for (const struct step_error *error = plan->errors; error != NULL; error = error->next)
        add_error(running, error->what, error->message);
    running->changed = running->changed || plan->changed;
    if (plan->outcome == OUTCOME_FAILED || running->outcome == OUTCOME_IGNORED)
        running->outcome = plan->outcome;
    running->is_late = plan->late;
    add_via(running, plan);
    note_invocations(running, &plan->after);
    note_coverage(running, plan);
}

static void observe(void *context, const struct plan *plan, instant_ms now)
{
    struct running *running = context;
    (void)now;
    running->steps++;
    if (plan != NULL) {
        take_plan(running, plan);
        return;
    }
    running->outcome = OUTCOME_FAILED;
    add_error(running, SPAN("macrostep"), SPAN("the step needs more memory than it may have"));
}

/* Words about what is wrong */

static struct span shorten(struct span words)
{
    return words.size > SHOWN_BYTES_MAX ? span_slice(words, 0, SHOWN_BYTES_MAX) : words;
}

static void begin_complaint(struct running *running)
{
    if (running->said->size > 0)
        text_add_byte(running->said, '\n');
    text_format(running->said, "%s:%u: ", running->text->file, running->line->number);
    running->is_wrong = true;
}

static void complain(struct running *running, struct span message)
{
    begin_complaint(running);
    text_add(running->said, message);
}

static void differ(struct running *running, struct span expected, struct span actual)
{
    begin_complaint(running);
    text_format(running->said, "expected %.*s, is %.*s", SPAN_ARGS(shorten(expected)),
                SPAN_ARGS(shorten(actual)));
}

/* Expectations */

static bool is_blank(struct span text, size_t at)
{
    return at < text.size && (text.text[at] == ' ' || text.text[at] == '\t');
}

/* The same but for blanks outside of strings, which nobody should have to count. */
static bool looks_same(struct span a, struct span b)
{
    size_t i = 0;
    size_t j = 0;
    bool is_string = false;
    for (;; i++, j++) {
        while (!is_string && is_blank(a, i))
            i++;
        while (!is_string && is_blank(b, j))
            j++;
        if (i >= a.size || j >= b.size)
            return i >= a.size && j >= b.size;
        if (a.text[i] != b.text[j])
            return false;
        if (a.text[i] == '"' && (i == 0 || a.text[i - 1] != '\\'))
            is_string = !is_string;
    }
}

static bool is_effect(struct running *running, const struct case_effect *effect,
                      struct span expected)
{
    return looks_same(effect->head, expected) ||
           looks_same(text_print(&running->seen_arena, "%.*s %.*s", SPAN_ARGS(effect->head),
                                 SPAN_ARGS(effect->rest)),
                      expected);
}

static bool are_effects(struct running *running, struct span expected)
{
    const struct case_effect *effect = running->effects;
    if (span_is(expected, "none"))
        return effect == NULL;
    for (; expected.size > 0 && effect != NULL; effect = effect->next) {
        if (!is_effect(running, effect, case_file_take(&expected, ',')))
            return false;
    }
    return effect == NULL && expected.size == 0;
}

static struct span effects_text(struct running *running)
{
    struct text text;
    text_init(&text, &running->seen_arena);
    for (const struct case_effect *each = running->effects; each != NULL; each = each->next) {
        text_add(&text, text.size == 0 ? SPAN("") : SPAN(", "));
        text_add(&text, each->head);
        text_add(&text, each->rest.size == 0 ? SPAN("") : SPAN(" "));
        text_add(&text, each->rest);
    }
    return running->effects == NULL ? SPAN("none") : text_span(&text);
}

static struct span clause_text(struct running *running, const struct case_clause *clause)
{
#define CLAUSE_NAME(name, text, form) [CASE_CLAUSE_##name] = text,
    static const char *const names[] = {CASE_CLAUSE_LIST(CLAUSE_NAME)};
#undef CLAUSE_NAME
    return text_print(&running->seen_arena, "%s%s%.*s %.*s", names[clause->kind],
                      clause->path.size == 0 ? "" : ".", SPAN_ARGS(clause->path),
                      SPAN_ARGS(clause->words));
}

static void expect_words(struct running *running, const struct case_clause *clause,
                         struct span actual)
{
    if (!looks_same(clause->words, actual))
        differ(running, clause_text(running, clause), actual);
}

static void expect_json(struct running *running, const struct case_clause *clause,
                        struct value actual)
{
    struct text text;
    if (value_equal(clause->value, actual))
        return;
    text_init(&text, &running->seen_arena);
    json_write(&text, actual);
    differ(running, clause_text(running, clause), text_span(&text));
}

static void expect_context(struct running *running, const struct case_clause *clause,
                           struct value context)
{
    struct span path = clause->path;
    while (path.size > 0) {
        size_t dot = span_find(path, SPAN("."), 0);
        size_t end = dot == SIZE_MAX ? path.size : dot;
        const struct value *member = value_find(context, span_slice(path, 0, end));
        if (member == NULL) {
            differ(running, clause_text(running, clause), SPAN("not there"));
            return;
        }
        context = *member;
        path = span_slice(path, dot == SIZE_MAX ? end : end + 1, path.size);
    }
    expect_json(running, clause, context);
}

static void expect_count(struct running *running, const struct case_clause *clause,
                         uint32_t actual)
{
    expect_words(running, clause, text_print(&running->seen_arena, "%u", actual));
}

static void expect_value(struct running *running, const struct case_clause *clause,
                         const struct configuration *now)
{
    if (clause->words.text[0] == '{' || clause->words.text[0] == '"')
        expect_json(running, clause, configuration_value(now, &running->seen_arena));
    else
        expect_words(running, clause, configuration_path(now, &running->seen_arena));
}

static void expect_holds(struct running *running, const struct case_clause *clause,
                         const struct configuration *now)
{
    if (running->machine->derivation == NULL) {
        complain(running, SPAN("`holds` is for machines whose state follows from a record"));
        return;
    }
    struct value explained = derived_state_explain(now, &running->seen_arena);
    bool holds = value_is_true(value_member(explained, SPAN("holds")));
    expect_words(running, clause, holds ? SPAN("yes") : SPAN("no"));
}

static const char *outcome_word(const struct running *running)
{
    return running->is_refused ? "refused" : outcome_name(running->outcome);
}

static void expect(struct running *running, const struct case_clause *clause,
                   const struct configuration *now)
{
    switch (clause->kind) {
    case CASE_CLAUSE_VALUE:
        expect_value(running, clause, now);
        return;
    case CASE_CLAUSE_STATUS:
        expect_words(running, clause, span_from_text(instance_status_name(now->status)));
        return;
    case CASE_CLAUSE_CONTEXT:
        expect_context(running, clause, now->context);
        return;
    case CASE_CLAUSE_OUTPUT:
        expect_json(running, clause, now->output);
        return;
    case CASE_CLAUSE_ERROR:
        expect_json(running, clause, now->error);
        return;
    case CASE_CLAUSE_TAGS:
        expect_json(running, clause, configuration_tags(now, &running->seen_arena));
        return;
    case CASE_CLAUSE_EVENT:
        expect_json(running, clause, running->event);
        return;
    case CASE_CLAUSE_LATE:
        expect_words(running, clause, running->is_late ? SPAN("yes") : SPAN("no"));
        return;
    case CASE_CLAUSE_OUTCOME:
        expect_words(running, clause, span_from_text(outcome_word(running)));
        return;
    case CASE_CLAUSE_CHANGED:
        expect_words(running, clause, running->changed ? SPAN("yes") : SPAN("no"));
        return;
    case CASE_CLAUSE_EFFECTS:
        if (!are_effects(running, clause->words))
            differ(running, clause_text(running, clause), effects_text(running));
        return;
    case CASE_CLAUSE_ERRORS:
        expect_count(running, clause, running->error_count);
        return;
    case CASE_CLAUSE_HOLDS:
        expect_holds(running, clause, now);
        return;
    case CASE_CLAUSE_VIA:
        expect_words(running, clause,
                     running->via.size == 0 ? SPAN("none") : text_span(&running->via));
        return;
    case CASE_CLAUSE_SAYS:
        if (span_find(text_span(&running->errors), clause->words, 0) == SIZE_MAX)
            differ(running, clause_text(running, clause),
                   running->errors.size == 0 ? SPAN("silent") : text_span(&running->errors));
        return;
    case CASE_CLAUSE_STEPS:
        expect_count(running, clause, running->steps);
        return;
    case CASE_CLAUSE_COUNT:
        break;
    }
    never();
}

static void do_expect(struct running *running)
{
    arena_clear(&running->seen_arena);
    struct configuration now = family_first(&running->family, &running->seen_arena);
    for (const struct case_clause *each = running->line->clauses; each != NULL;
         each = each->next)
        expect(running, each, &now);
}

/* What happens */

static void do_event(struct running *running)
{
    struct event event = {
        .kind = EVENT_EXTERNAL, .type = running->line->name, .payload = running->line->payload};
    struct span problem;
    if (door_accepts(running->machine, event.type, event.payload, &running->arena,
                     &event.payload, &problem)) {
        running->is_endless = !family_send(&running->family, &event);
        return;
    }
    running->is_refused = true;
    add_error(running, SPAN("event"), problem);
}

static bool has_invoke(const struct running *running, struct span id)
{
    for (uint32_t i = 0; i < running->machine->invoke_count; i++) {
        if (span_equal(running->machine->invokes[i].id, id))
            return true;
    }
    return false;
}

/* To the active invocation, or to the last one there was: that comes too late. */
static void do_result(struct running *running, enum event_kind kind, bool is_late)
{
    struct event event = {
        .kind = kind, .payload = running->line->payload, .number = UINT64_MAX};
    const struct known_invocation *known = find_known(running, running->line->name);
    if (known == NULL && !has_invoke(running, running->line->name)) {
        complain(running, text_print(&running->arena, "there is no invoke `%.*s`",
                                     SPAN_ARGS(running->line->name)));
        return;
    }
    if (known != NULL)
        event.number = is_late ? known->previous : known->current;
    running->is_endless = !family_send(&running->family, &event);
}

static void do_advance(struct running *running)
{
    instant_ms until;
    if (!checked_add(running->family.now, running->line->advance_ms, &until) ||
        until == INSTANT_NEVER)
        complain(running, SPAN("the clock cannot be moved that far"));
    else
        running->is_endless = !family_advance(&running->family, until);
}

static void do_line(struct running *running)
{
    if (running->line->action != CASE_EXPECT && running->line->action != CASE_START)
        begin_line(running);
    switch (running->line->action) {
    case CASE_START:
        break;
    case CASE_EVENT:
    case CASE_PATCH:
        do_event(running);
        break;
    case CASE_DONE:
        do_result(running, EVENT_DONE, false);
        break;
    case CASE_ERROR:
        do_result(running, EVENT_ERROR, false);
        break;
    case CASE_LATE_DONE:
        do_result(running, EVENT_DONE, true);
        break;
    case CASE_LATE_ERROR:
        do_result(running, EVENT_ERROR, true);
        break;
    case CASE_ADVANCE:
        do_advance(running);
        break;
    case CASE_EXPECT:
        do_expect(running);
        break;
    }
    if (running->is_endless && running->line->action != CASE_EXPECT)
        complain(running,
                 text_print(&running->arena, "stopped after %d macrosteps, with more to come",
                            FAMILY_STEPS_MAX));
}

static void open(struct running *running)
{
    struct family_host host = {document_find, observe, running};
    struct value input = value_null();
    if (running->line != NULL && running->line->action == CASE_START)
        input = running->line->payload;
    begin_line(running);
    running->is_endless = !family_open(&running->family, running->machine, &host, input);
}

/* Memory that a line runs out of, or that a comparison does: both are the case's failure. */
static void run_lines(struct running *running)
{
    struct arena_guard guard;
    struct arena_guard seen_guard;
    if (arena_is_spent(&running->arena, &guard)) {
        complain(running, SPAN("the line needs more memory than a line may have"));
        return;
    }
    if (arena_is_spent(&running->seen_arena, &seen_guard)) {
        complain(running, SPAN("the line needs more memory than a line may have"));
    } else {
        for (; running->line != NULL && !running->is_wrong; running->line = running->line->next)
            do_line(running);
        arena_release_guard(&running->seen_arena, &seen_guard);
    }
    arena_release_guard(&running->arena, &guard);
}

bool case_run(const struct case_text *text, struct text *said)
{
    struct running running = {
        .text = text, .line = text->lines, .machine = text->machine->machine, .said = said};
    arena_open(&running.arena, ARENA_BYTES);
    arena_open(&running.seen_arena, ARENA_BYTES);
    arena_open(&running.known_arena, ARENA_BYTES);
    text_init(&running.errors, NULL);
    text_init(&running.via, NULL);
    running.before = memory_get((running.machine->word_count + 1) * sizeof *running.before);
    open(&running);
    run_lines(&running);
    family_close(&running.family);
    memory_release(running.before);
    text_fini(&running.errors);
    text_fini(&running.via);
    arena_close(&running.arena);
    arena_close(&running.seen_arena);
    arena_close(&running.known_arena);
    return !running.is_wrong;
}
