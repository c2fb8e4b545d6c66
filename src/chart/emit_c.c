/*
 * emit_c.c - names, tables and the order of an emitted file.
 *
 * States are bits of one word, so a machine may have 64. What is refused is refused before
 * anything is written.
 */
#include "chart/emit_c.h"

#include "base/ensure.h"
#include "base/limits.h"
#include "chart/emit_c_writer.h"

enum { EMIT_STATES_MAX = 64 };

void emit_c_refuse(struct emitter *emitter, struct place place, const char *format, ...)
{
    struct text text;
    va_list arguments;
    text_init(&text, emitter->arena);
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    if (!emitter->is_refused)
        diagnostics_add(emitter->diagnostics, SEVERITY_ERROR, "IL0106", place, "in C: %.*s",
                        SPAN_ARGS(text_span(&text)));
    emitter->is_refused = true;
}

/* Names */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Keywords are taken, and macros of compilers and of C's own headers. */
struct span emit_c_name(struct emitter *emitter, struct span from, bool is_upper)
{
    static const char *const taken[] = {
        "alignas", "alignof",  "and",    "and_eq",    "asm",      "auto",
        "bitand",  "bitor",    "bool",   "break",     "case",     "char",
        "compl",   "complex",  "const",  "constexpr", "continue", "default",
        "do",      "double",   "else",   "enum",      "errno",    "extern",
        "false",   "float",    "for",    "goto",      "if",       "imaginary",
        "inline",  "int",      "linux",  "long",      "noreturn", "not",
        "not_eq",  "nullptr",  "or",     "or_eq",     "register", "restrict",
        "return",  "short",    "signed", "sizeof",    "static",   "static_assert",
        "stderr",  "stdin",    "stdout", "struct",    "switch",   "thread_local",
        "true",    "typedef",  "typeof", "union",     "unix",     "unsigned",
        "void",    "volatile", "while",  "xor",       "xor_eq"};
    struct text name;
    text_init(&name, emitter->arena);
    if (from.size == 0 || !is_letter(from.text[0])) /* _Bool and its like are C's own */
        text_add(&name, is_upper ? SPAN("M_") : SPAN("m_"));
    for (size_t i = 0; i < from.size; i++) {
        char c = from.text[i];
        bool is_digit = c >= '0' && c <= '9';
        if (c >= 'a' && c <= 'z' && is_upper)
            c = (char)(c - 'a' + 'A');
        text_add_byte(&name, is_letter(c) || is_digit ? c : '_');
    }
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        if (span_is(text_span(&name), taken[i]))
            text_add_byte(&name, '_');
    }
    return text_span(&name);
}

/* The machine's, which is a tag in C beside those of the runtime. */
static struct span machine_name(struct emitter *emitter)
{
    struct span name = emit_c_name(emitter, emitter->machine->id, false);
    bool is_taken =
        span_is(name, "entry") || span_is(name, "transition") || span_is(name, "turn");
    return is_taken ? text_print(emitter->arena, "%.*s_", SPAN_ARGS(name)) : name;
}

/* A member's. In capitals it may be a macro: NULL, or one of the file's own. */
struct span emit_c_member_name(struct emitter *emitter, struct span key)
{
    struct span name = emit_c_name(emitter, key, false);
    for (size_t i = 0; i < name.size; i++) {
        if (name.text[i] >= 'a' && name.text[i] <= 'z')
            return name;
    }
    return text_print(emitter->arena, "%.*s_", SPAN_ARGS(name));
}

uint32_t emit_c_add_name(struct emitter *emitter, struct emit_c_enum *names, struct span text)
{
    if (names->count == names->capacity) {
        uint32_t larger = names->capacity == 0 ? 16 : names->capacity * 2;
        struct span *list = arena_new_array(emitter->arena, (size_t)larger * 2, struct span);
        for (uint32_t i = 0; i < names->count; i++) {
            list[i] = names->names[i];
            list[larger + i] = names->meanings[i];
        }
        names->names = list;
        names->meanings = list + larger;
        names->capacity = larger;
    }
    struct span name = emit_c_name(emitter, text, false);
    for (uint32_t i = 0; i < names->count; i++) {
        if (span_equal(names->names[i], name)) {
            name = text_print(emitter->arena, "%.*s_%u", SPAN_ARGS(name), names->count);
            i = UINT32_MAX; /* look once more */
        }
    }
    names->names[names->count] = name;
    names->meanings[names->count] = text;
    return names->count++;
}

uint32_t emit_c_enumerate(struct emitter *emitter, struct emit_c_enum *names, struct span text)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (span_equal(names->meanings[i], text))
            return i;
    }
    return emit_c_add_name(emitter, names, text);
}

/* The first word stands for all texts that the machine does not name. */
struct span emit_c_word(struct emitter *emitter, struct span text)
{
    struct emit_c_enum *words = &emitter->words;
    uint32_t i = 1;
    if (words->count == 0)
        emit_c_add_name(emitter, words, SPAN("OTHER"));
    while (i < words->count && !span_equal(words->meanings[i], text))
        i++;
    if (i == words->count)
        emit_c_add_name(emitter, words, text);
    return text_print(emitter->arena, "%.*s_WORD_%.*s", SPAN_ARGS(emitter->upper),
                      SPAN_ARGS(words->names[i]));
}

struct span emit_c_type(struct emitter *emitter, enum c_kind kind)
{
    switch (kind) {
    case C_BOOL:
        return SPAN("bool");
    case C_INT:
        return SPAN("int64_t");
    case C_DOUBLE:
        return SPAN("double");
    case C_WORD:
        return text_print(emitter->arena, "enum %.*s_word", SPAN_ARGS(emitter->lower));
    }
    never();
}

static void emit_enum(struct emitter *emitter, const struct emit_c_enum *names,
                      const char *type)
{
    if (names->count == 0)
        return;
    emit_c_names(emitter, "enum @_");
    text_format(emitter->text, "%s {\n", type);
    for (uint32_t i = 0; i < names->count; i++)
        text_format(emitter->text, "    %.*s_%s_%.*s,\n", SPAN_ARGS(emitter->upper),
                    names->word, SPAN_ARGS(names->names[i]));
    text_add(emitter->text, SPAN("};\n\n"));
}

bool emit_c_has(const struct emitter *emitter, char part)
{
    return emitter->has[part - 'A'];
}

void emit_c_need(struct emitter *emitter, char part, bool is_needed)
{
    emitter->has[part - 'A'] |= is_needed;
}

int64_t emit_c_list(struct emitter *emitter, struct range actions)
{
    if (actions.count == 0)
        return 0;
    for (uint32_t i = 0; i < emitter->list_count; i++) {
        if (emitter->lists[i].first == actions.first &&
            emitter->lists[i].count == actions.count)
            return i + 1;
    }
    emitter->lists[emitter->list_count++] = actions;
    return emitter->list_count;
}

struct range emit_c_initial(const struct machine *machine, uint32_t state)
{
    uint32_t initial = machine->states[state].initial;
    return initial == NO_INDEX ? (struct range){0} : machine->transitions[initial].actions;
}

/* Numbers the lists and finds out what the machine has. */
static void survey(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    emitter->lists = arena_new_array(
        emitter->arena, (size_t)machine->state_count * 3 + machine->transition_count,
        struct range);
    for (uint32_t i = 0; i < machine->state_count; i++) {
        const struct machine_state *state = &machine->states[i];
        emit_c_need(emitter, 'N', emit_c_list(emitter, state->entry) != 0);
        emit_c_need(emitter, 'X', emit_c_list(emitter, state->exit) != 0);
        emit_c_need(emitter, 'J', emit_c_list(emitter, emit_c_initial(machine, i)) != 0);
        emit_c_need(emitter, 'D', state->type == STATE_FINAL);
        emit_c_need(emitter, 'Q', state->type == STATE_FINAL);
        emit_c_need(emitter, 'M', state->type == STATE_HISTORY);
    }
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        const struct machine_transition *transition = &machine->transitions[i];
        emit_c_need(emitter, 'G', transition->guard != NO_INDEX);
        emit_c_need(emitter, 'E', transition->event == EVENT_ID_NONE);
        emit_c_need(emitter, 'A',
                    transition->event != NO_INDEX &&
                        emit_c_list(emitter, transition->actions) != 0);
    }
    emit_c_need(emitter, 'Y', machine->semantics == SEMANTICS_SCXML);
    emit_c_need(emitter, 'P', machine->has_parallel);
    emit_c_need(emitter, 'T', machine->timer_count > 0);
    emit_c_need(emitter, 'I', machine->invoke_count > 0);
    emit_c_need(emitter, 'B', emit_c_has(emitter, 'T') || emit_c_has(emitter, 'I'));
    emit_c_need(emitter, 'S', emit_c_has(emitter, 'B'));
    emit_c_need(emitter, 'V', machine->invariant_count > 0);
    emit_c_need(emitter, 'L',
                emit_c_has(emitter, 'P') || emit_c_has(emitter, 'M') ||
                    emit_c_has(emitter, 'B'));
}

/* What the tables cannot say. */

static void check_states(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    for (uint32_t i = 0; i < machine->state_count; i++) {
        uint32_t initial = machine->states[i].initial;
        struct range targets =
            initial == NO_INDEX ? (struct range){0} : machine->transitions[initial].targets;
        for (uint32_t t = targets.first; t < targets.first + targets.count; t++) {
            if (machine->states[machine->targets[t]].type == STATE_HISTORY)
                emit_c_refuse(emitter, machine->states[i].place,
                              "`initial` leads to a history state");
        }
    }
}

static void check_timers(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    for (uint32_t i = 0; i < machine->timer_count; i++) {
        const struct machine_timer *timer = &machine->timers[i];
        const struct value *delay = timer->delay == NULL ? NULL : expr_slot_value(timer->delay);
        if (timer->invoke != NO_INDEX)
            emit_c_refuse(emitter, timer->place,
                          "the time of an invocation is for the caller to limit");
        else if (timer->delay != NULL && (delay == NULL || delay->kind != VALUE_INT))
            emit_c_refuse(emitter, timer->place, "a delay must be a constant");
    }
    for (uint32_t i = 0; i < machine->invoke_count; i++) {
        const struct machine_invoke *invoke = &machine->invokes[i];
        if (invoke->forwards || invoke->finalize.count > 0)
            emit_c_refuse(emitter, invoke->place,
                          "what is invoked gets no events: leave out `autoForward`");
    }
    if (machine->timer_count > EMIT_STATES_MAX || machine->invoke_count > EMIT_STATES_MAX)
        emit_c_refuse(emitter, machine->states[0].place, "more than %d timers or invocations",
                      EMIT_STATES_MAX);
}

static void check(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    struct place place = machine->states[0].place;
    if (machine->run.count > 0)
        emit_c_refuse(emitter, place, "what runs before the first state is not written so");
    if (machine->derivation != NULL)
        emit_c_refuse(emitter, place, "states that follow from a record are not written so");
    if (machine->state_count > EMIT_STATES_MAX) {
        emit_c_refuse(emitter, place, "more than %d states", EMIT_STATES_MAX);
        return;
    }
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        if (machine->transitions[i].is_broken)
            emit_c_refuse(emitter, machine->transitions[i].place,
                          "these targets cannot be entered together");
    }
    check_states(emitter);
    check_timers(emitter);
}

static bool find_kind(struct value value, enum c_kind *kind)
{
    *kind = value.kind == VALUE_BOOL     ? C_BOOL
            : value.kind == VALUE_INT    ? C_INT
            : value.kind == VALUE_DOUBLE ? C_DOUBLE
                                         : C_WORD;
    return *kind != C_WORD || value.kind == VALUE_STRING;
}

static void find_fields(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    struct emit_c_enum names = {0};
    emitter->fields =
        arena_new_array(emitter->arena, machine->context_count, struct emit_c_field);
    for (uint32_t i = 0; i < machine->context_count; i++) {
        const struct machine_assign *member = &machine->context[i];
        struct value first;
        struct emit_c_field *field = &emitter->fields[i];
        field->key = member->key;
        if (member->slot == NULL || !c_code_constant(member->slot, &first) ||
            !find_kind(first, &field->kind)) {
            emit_c_refuse(
                emitter, member->place,
                "`%.*s` must begin as a number, a text, true or false: that is its type",
                SPAN_ARGS(member->key));
            return;
        }
        field->first = first;
        if (field->kind == C_WORD)
            emit_c_word(emitter, value_span(first));
        uint32_t number =
            emit_c_add_name(emitter, &names, emit_c_member_name(emitter, member->key));
        field->name = names.names[number];
        emitter->field_count++;
    }
}

/* The declarations */

static void emit_words(struct emitter *emitter)
{
    emitter->words.word = "WORD";
    if (emitter->words.count > 0)
        emit_c_names(emitter, "/* Texts: those that the machine names, and OTHER for any that "
                              "it does not. */\n");
    emit_enum(emitter, &emitter->words, "word");
}

static void emit_states(struct emitter *emitter)
{
    struct emit_c_enum names = {.word = "AT"};
    const struct machine *machine = emitter->machine;
    for (uint32_t i = 0; i < machine->state_count; i++)
        emit_c_add_name(emitter, &names,
                        i == 0 ? text_print(emitter->arena, "ROOT_%.*s", SPAN_ARGS(machine->id))
                               : machine->states[i].path);
    emit_enum(emitter, &names, "state");
}

static void emit_invokes(struct emitter *emitter)
{
    struct emit_c_enum names = {.word = "INVOKE"};
    const struct machine *machine = emitter->machine;
    for (uint32_t i = 0; i < machine->invoke_count; i++)
        emit_c_add_name(emitter, &names, machine->invokes[i].id);
    emit_enum(emitter, &names, "invoke");
}

static void emit_instance(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    emit_c_names(emitter, "enum @_status { ^_ACTIVE, ^_DONE, ^_ERROR };\n"
                          "enum @_outcome { ^_APPLIED, ^_IGNORED, ^_FAILED };\n\n");
    if (emitter->field_count > 0) {
        emit_c_names(emitter, "struct @_context {\n");
        for (uint32_t i = 0; i < emitter->field_count; i++)
            text_format(emitter->text, "    %.*s %.*s;\n",
                        SPAN_ARGS(emit_c_type(emitter, emitter->fields[i].kind)),
                        SPAN_ARGS(emitter->fields[i].name));
        text_add(emitter->text, SPAN("};\n\n"));
    }
    emit_c_names(emitter, "/* An instance: plain data, which may be copied and stored. */\n"
                          "struct @ {\n    uint64_t active; /* a bit for each state */\n");
    if (emit_c_has(emitter, 'M'))
        text_format(emitter->text,
                    "    uint64_t memory[%u]; /* what history states remember */\n",
                    machine->memory_count);
    if (emit_c_has(emitter, 'T'))
        text_add(emitter->text, SPAN("    uint64_t armed; /* timers */\n"));
    if (emit_c_has(emitter, 'I'))
        text_add(emitter->text, SPAN("    uint64_t running; /* invocations */\n"));
    emit_c_names(emitter, "    enum @_status status;\n");
    if (emitter->field_count > 0)
        emit_c_names(emitter, "    struct @_context context;\n");
    text_add(emitter->text, SPAN("};\n\n"));
}

static void emit_host(struct emitter *emitter)
{
    emit_c_names(emitter, "/* What the machine asks of its caller. None of it may step the "
                          "machine. */\nstruct @_host {\n    void *context;\n");
    if (emitter->guards.count > 0)
        emit_c_names(emitter,
                     "    bool (*guard)(void *context, const struct @ *self, enum @_guard "
                     "guard,\n                  const struct @_event *event);\n");
    if (emitter->actions.count > 0)
        emit_c_names(emitter,
                     "    void (*act)(void *context, const struct @ *self, enum @_action "
                     "action,\n                const struct @_event *event);\n");
    if (emit_c_has(emitter, 'T'))
        emit_c_names(emitter, "    /* Step with that event once the time is over; arming again "
                              "begins again. */\n"
                              "    void (*arm)(void *context, const struct @ *self, enum "
                              "@_event_type event,\n                int64_t delay_ms);\n"
                              "    void (*disarm)(void *context, const struct @ *self, enum "
                              "@_event_type event);\n");
    if (emit_c_has(emitter, 'I'))
        emit_c_names(emitter,
                     "    /* Step with its done or error event when it has ended. */\n"
                     "    void (*invoke)(void *context, const struct @ *self, enum @_invoke "
                     "invoke);\n"
                     "    void (*stop)(void *context, const struct @ *self, enum @_invoke "
                     "invoke);\n");
    text_add(emitter->text, SPAN("};\n\n"));
}

static void emit_head(struct emitter *emitter)
{
    emit_c_names(
        emitter,
        "/*\n * @.c - a statechart as C17: tables and a step function, and nothing else.\n *\n"
        " * Written by `interlock graph -o c`. Compile it as it is; where its declarations "
        "are\n"
        " * wanted, define ^_DECLARATIONS and include it.\n *\n"
        " *     struct @ it;\n"
        " *     @_start(&it, &host);\n"
        " *     @_step(&it, &host, &(struct @_event){.type = ^_ON_...});\n *\n"
        " * A step that fails (a sum that overflows, too many steps without end) is undone, "
        "but\n"
        " * for the actions that were called. Inputs, outputs and parameters are not passed:\n"
        " * the caller's functions see the instance. Nothing is allocated.\n */\n"
        "#ifndef ^_DECLARED\n#define ^_DECLARED\n\n#include <stdbool.h>\n"
        "#include <stddef.h>\n#include <stdint.h>\n\n"
        "/* Events that may wait inside during one step; one more fails it. */\n"
        "#ifndef ^_QUEUE_MAX\n#define ^_QUEUE_MAX 32\n#endif\n\n");
    emit_words(emitter);
    emit_c_events(emitter);
    emit_states(emitter);
    emitter->actions.word = "ACTION";
    emitter->guards.word = "GUARD";
    emit_enum(emitter, &emitter->actions, "action");
    emit_enum(emitter, &emitter->guards, "guard");
    emit_invokes(emitter);
    emit_instance(emitter);
    emit_host(emitter);
    emit_c_names(
        emitter,
        "/* Begins at the beginning. The host may be NULL when nothing is asked of it. */\n"
        "void @_start(struct @ *self, const struct @_host *host);\n\n"
        "/* One event, and all that follows from it. */\n"
        "enum @_outcome @_step(struct @ *self, const struct @_host *host,\n"
        "                      const struct @_event *event);\n\n"
        "bool @_is_in(const struct @ *self, enum @_state state);\n"
        "const char *@_state_name(enum @_state state);\n");
    if (emitter->words.count > 0)
        emit_c_names(emitter,
                     "\n/* A word's text, empty for OTHER; and the word of a text. */\n"
                     "const char *@_word_text(enum @_word word);\n"
                     "enum @_word @_word_of(const char *text);\n");
    emit_c_names(emitter, "\n#endif\n\n#ifndef ^_DECLARATIONS\n\n");
}

static void emit_file(struct emitter *emitter, struct text *text)
{
    struct text content;
    text_init(&content, emitter->arena);
    emitter->text = &content;
    emit_c_content(emitter); /* first: what it needs is declared before it */
    emit_c_need(emitter, 'Z', emitter->words.count > 0);
    emitter->text = text;
    emit_head(emitter);
    emit_c_tables(emitter);
    for (int i = 0; i < C_HELPER_COUNT; i++) {
        if (emitter->helpers[i])
            text_add(text, span_from_text(c_code_helper((enum c_helper)i)));
    }
    emit_c_runtime(emitter, text_span(&content));
    text_add(text, SPAN("\n#endif\n"));
}

void emit_c(const struct machine *machine, struct arena *arena, struct text *text,
            struct diagnostics *diagnostics)
{
    struct text whole;
    struct emitter emitter = {.machine = machine, .arena = arena, .diagnostics = diagnostics};
    text_init(&whole, arena);
    emitter.lower = machine_name(&emitter);
    emitter.upper = emit_c_name(&emitter, machine->id, true);
    check(&emitter);
    if (!emitter.is_refused)
        find_fields(&emitter);
    if (emitter.is_refused)
        return;
    emit_c_find_payloads(&emitter);
    survey(&emitter);
    emit_file(&emitter, &whole);
    if (!emitter.is_refused)
        text_add(text, text_span(&whole));
}
