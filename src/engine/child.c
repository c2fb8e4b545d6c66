/*
 * child.c - children: what a turn asks of them, what they tell, and when that arrives.
 *
 * A family writes letters, and they are read at once, in the order in which they were written,
 * before anything else is turned. Every letter is a turn of the one it is for, with a record of
 * its own, and all of them stand in the batch of the turn that caused the first: a crash keeps
 * all or none. So nothing has to be sent again, no letter arrives twice, and where an instance
 * stands with its family is never in between.
 *
 * A family that does not come to rest is stopped: who gets a letter too many ends in an error.
 */
#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/kin.h"
#include "engine/shard.h"

/* The spans stand behind it. */
struct letter {
    struct letter *next;
    struct instance *to;
    uint64_t child;            /* not 0: for the child of `to` that is this invocation */
    struct deployed *deployed; /* EVENT_START: what is started */
    struct event event;        /* without its payload */
    struct span payload;       /* JSON */
};

static struct span place(char **at, struct span text)
{
    char *copy = *at;
    if (text.size > 0)
        memcpy(copy, text.text, text.size);
    *at += text.size;
    return span_of(copy, text.size);
}

static struct letter *write_letter(struct engine *engine, struct instance *to, uint64_t child,
                                   const struct event *event, const struct instance *sender)
{
    struct text json;
    text_init(&json, NULL);
    json_write(&json, event->payload);
    struct span id = sender == NULL ? SPAN("") : instance_id(sender);
    size_t size = json.size + event->type.size + event->session.size + event->invoke_id.size +
                  event->origin.size + event->send_id.size + id.size;
    struct letter *letter = memory_get(sizeof *letter + size);
    char *at = (char *)(letter + 1);
    letter->to = to;
    letter->child = child;
    letter->event = *event;
    letter->payload = place(&at, text_span(&json));
    letter->event.type = place(&at, event->type);
    letter->event.session = place(&at, event->session);
    letter->event.invoke_id = place(&at, event->invoke_id);
    letter->event.origin = place(&at, event->origin);
    letter->event.send_id = place(&at, event->send_id);
    letter->event.sender = place(&at, id);
    letter->event.payload = value_null();
    text_fini(&json);
    *engine->letters_end = letter;
    engine->letters_end = &letter->next;
    return letter;
}

static struct letter *take_letter(struct engine *engine)
{
    struct letter *letter = engine->letters;
    if (letter == NULL)
        return NULL;
    engine->letters = letter->next;
    if (engine->letters == NULL)
        engine->letters_end = &engine->letters;
    return letter;
}

/* The invocation never became an instance. */
static void tell_not_started(struct engine *engine, struct instance *parent, uint64_t number,
                             struct span invoke_id, const char *kind, struct span message)
{
    struct value_entry entries[2] = {
        {value_string(SPAN("kind")), value_string(span_from_text(kind))},
        {value_string(SPAN("message")), value_string(message)}};
    struct event event = {.kind = EVENT_ERROR,
                          .number = number,
                          .invoke_id = invoke_id,
                          .payload = value_map(entries, 2)};
    if (parent->deployed->definition->machine->semantics == SEMANTICS_SCXML)
        event = letter_unreachable(invoke_id, SPAN(""));
    write_letter(engine, parent, 0, &event, NULL);
}

__attribute__((format(printf, 5, 6))) static void
refuse_child(struct engine *engine, struct instance *parent, uint64_t number,
             struct span invoke_id, const char *format, ...)
{
    struct text message;
    va_list arguments;
    text_init(&message, NULL);
    va_start(arguments, format);
    text_format_list(&message, format, arguments);
    va_end(arguments);
    tell_not_started(engine, parent, number, invoke_id, "invalid", text_span(&message));
    text_fini(&message);
}

static void invoke(struct engine *engine, struct instance *parent, const struct effect *effect)
{
    const struct definition *definition = parent->deployed->definition;
    const struct machine_reference *reference =
        definition_find_machine(definition, effect->name);
    struct deployed *deployed =
        reference == NULL
            ? NULL
            : registry_find_machine(&engine->registry, reference->id, reference->version);
    if (deployed == NULL) {
        refuse_child(engine, parent, effect->number, effect->id, "there is no machine `%.*s`",
                     SPAN_ARGS(span_slice(effect->name, 0,
                                          effect->name.size < 80 ? effect->name.size : 80)));
        return;
    }
    struct event event = {.kind = EVENT_START,
                          .number = effect->number,
                          .payload = effect->input,
                          .invoke_id = effect->id};
    write_letter(engine, parent, 0, &event, parent)->deployed = deployed;
}

/* From here on it takes nothing but its end, and neither do its children. */
static void mark_leaving(struct instance *instance)
{
    instance->kin->is_leaving = true;
    for (struct instance *child = instance->kin->children; child != NULL;
         child = child->kin->next)
        mark_leaving(child);
}

/* A start that nobody has read yet is not read any more. */
static void forget_start(struct engine *engine, const struct instance *parent, uint64_t number)
{
    for (struct letter *letter = engine->letters; letter != NULL; letter = letter->next) {
        if (letter->event.kind == EVENT_START && letter->to == parent &&
            letter->event.number == number)
            letter->deployed = NULL;
    }
}

static void stop_child(struct engine *engine, struct instance *parent, uint64_t number)
{
    struct instance *child = kin_find(parent, number);
    struct event event = {.kind = EVENT_STOP, .payload = value_map(NULL, 0)};
    if (child == NULL) {
        forget_start(engine, parent, number);
        return;
    }
    mark_leaving(child);
    write_letter(engine, child, 0, &event, parent);
}

/* SCXML's _sessionid: an instance's own id, but for the one that is nobody's child. */
static struct span session_of(const struct instance *instance)
{
    return kin_is_child(instance) ? instance_id(instance)
                                  : instance->deployed->definition->machine->id;
}

static struct instance *find_session(struct engine *engine, const struct instance *instance,
                                     struct span session)
{
    const struct instance *root = kin_root(instance);
    if (span_equal(session_of(root), session))
        return registry_find(&engine->registry, instance_id(root));
    struct instance *found = registry_find(&engine->registry, session);
    return found != NULL && found != root && kin_root(found) == root ? found : NULL;
}

/* Members of a family know each other by their sessions. */
static void pass_to_session(struct engine *engine, struct instance *instance,
                            const struct effect *effect, struct span session)
{
    struct instance *to = find_session(engine, instance, session);
    struct event event = letter_across(effect, session_of(instance), &engine->turn_arena);
    if (to == NULL) {
        to = instance;
        event = letter_unreachable(SPAN(""), effect->send_id);
    }
    write_letter(engine, to, 0, &event, to == instance ? NULL : instance);
}

static void pass_on(struct engine *engine, struct instance *instance,
                    const struct effect *effect)
{
    struct span session = SPAN("#_scxml_");
    if (span_starts_with(effect->id, session)) {
        pass_to_session(engine, instance, effect,
                        span_slice(effect->id, session.size, effect->id.size));
        return;
    }
    if (effect->number != 0) {
        struct event down = letter_down(effect);
        write_letter(engine, instance, effect->number, &down, instance);
        return;
    }
    if (kin_parent(instance) != NULL) {
        struct event up =
            letter_up(effect, span_from_text(instance->kin->invoke_id), &engine->turn_arena);
        write_letter(engine, kin_parent(instance), 0, &up, instance);
        return;
    }
    struct event nobody = letter_unreachable(SPAN(""), effect->send_id);
    if (instance->deployed->definition->machine->semantics == SEMANTICS_SCXML)
        write_letter(engine, instance, 0, &nobody, NULL);
}

/* SCXML: what it sends itself without a delay comes behind what was sent before. */
static void queue_due(struct engine *engine, struct instance *instance, uint64_t first_new,
                      const struct configuration *after)
{
    if (after->machine->semantics != SEMANTICS_SCXML)
        return;
    for (uint32_t i = 0; i < after->timer_count; i++) {
        const struct armed_timer *timer = &after->timers[i];
        struct event event = {
            .kind = EVENT_TIMER, .number = timer->number, .payload = value_null()};
        if (timer->number >= first_new && timer->due <= engine->now)
            write_letter(engine, instance, 0, &event, NULL);
    }
}

static void tell_parent(struct engine *engine, struct instance *instance,
                        const struct event *event, const struct configuration *after)
{
    struct instance *parent = kin_parent(instance);
    struct span invoke_id = span_from_text(instance->kin->invoke_id);
    struct event told;
    if (after->status != INSTANCE_ACTIVE)
        kin_unlink(instance);
    if (event->kind == EVENT_STOP)
        return;
    if (after->status != INSTANCE_ACTIVE)
        told = letter_end(after, instance->kin->invocation, invoke_id);
    else if (!letter_snapshot(parent->deployed->definition->machine, after, invoke_id,
                              &engine->turn_arena, &told))
        return;
    write_letter(engine, parent, 0, &told, instance);
}

static void follow(struct engine *engine, struct instance *instance,
                   const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_STOP:
        stop_child(engine, instance, effect->number);
        return;
    case EFFECT_SEND:
        pass_on(engine, instance, effect);
        return;
    case EFFECT_INVOKE: /* those were written first: what is sent may be for them */
    case EFFECT_SCHEDULE:
    case EFFECT_CANCEL:
    case EFFECT_ACTION:
    case EFFECT_LOG:
    case EFFECT_EMIT:
        return;
    }
    never();
}

static bool is_child(const struct instance *instance, const struct effect *effect)
{
    const struct definition *definition = instance->deployed->definition;
    return effect->index == NO_INDEX || definition->invoke_steps[effect->index] == NO_INDEX;
}

/* Who is stopped is heard by its family no more, but by sessions that it knows. */
static bool is_heard(const struct event *event, const struct effect *effect)
{
    return event->kind != EVENT_STOP || effect->kind != EFFECT_SEND ||
           span_starts_with(effect->id, SPAN("#_scxml_"));
}

void child_follow(struct engine *engine, struct instance *instance, const struct event *event,
                  uint64_t first_new, const struct plan *plan)
{
    bool was_child = kin_parent(instance) != NULL &&
                     kin_find(kin_parent(instance), instance->kin->invocation) == instance;
    queue_due(engine, instance, first_new, &plan->after);
    for (uint32_t i = 0; i < plan->effect_count; i++) {
        if (plan->effects[i].kind == EFFECT_INVOKE && is_child(instance, &plan->effects[i]))
            invoke(engine, instance, &plan->effects[i]);
    }
    for (uint32_t i = 0; i < plan->effect_count; i++) {
        if (is_heard(event, &plan->effects[i]))
            follow(engine, instance, &plan->effects[i]);
    }
    if (was_child)
        tell_parent(engine, instance, event, &plan->after);
}

static struct instance *add_child(struct engine *engine, const struct letter *letter)
{
    struct instance *parent = letter->to;
    struct text id;
    text_init(&id, NULL);
    kin_write_id(&id, parent, letter->event.invoke_id, letter->event.number);
    bool fits = id.size <= INSTANCE_ID_BYTES_MAX;
    struct instance *child = NULL;
    if (!fits)
        refuse_child(engine, parent, letter->event.number, letter->event.invoke_id,
                     "the child's id would have more than %d bytes", INSTANCE_ID_BYTES_MAX);
    else if (registry_find(&engine->registry, text_span(&id)) != NULL)
        refuse_child(engine, parent, letter->event.number, letter->event.invoke_id,
                     "there is an instance %.*s already", SPAN_ARGS(text_span(&id)));
    else
        child = registry_add(&engine->registry, text_span(&id), letter->deployed);
    text_fini(&id);
    return child;
}

static bool may_have_child(struct engine *engine, const struct letter *letter)
{
    const struct instance *parent = letter->to;
    bool has_room = parent->kin == NULL || parent->kin->child_count < CHILDREN_MAX;
    bool is_deep = kin_depth(parent) + 1 > FAMILY_DEPTH_MAX;
    if (!has_room)
        refuse_child(engine, letter->to, letter->event.number, letter->event.invoke_id,
                     "an instance has at most %d children at a time", CHILDREN_MAX);
    else if (is_deep)
        refuse_child(engine, letter->to, letter->event.number, letter->event.invoke_id,
                     "children of children may be %d deep", FAMILY_DEPTH_MAX);
    return has_room && !is_deep;
}

/* A child that fails at its start is there all the same: its history says why. */
static void start_child(struct engine *engine, struct letter *letter)
{
    struct instance *parent = letter->to;
    struct event event = letter->event;
    bool is_wanted = letter->deployed != NULL && parent->status == INSTANCE_ACTIVE;
    struct instance *child =
        is_wanted && may_have_child(engine, letter) ? add_child(engine, letter) : NULL;
    if (child == NULL)
        return;
    kin_set_parent(child, instance_id(parent), event.invoke_id, event.number);
    kin_link(child, parent);
    shard_attach(engine, child);
    child->created = engine->now;
    registry_hash_input(letter->payload, child->input_hash);
    event.session = instance_id(child);
    if (turn_take_letter(engine, child, &event, letter->payload) == STATUS_OK)
        return;
    refuse_child(engine, parent, event.number, event.invoke_id,
                 "its input is too large for a turn");
    kin_unlink(child);
    shard_forget(engine, child);
    registry_remove_last(&engine->registry, child);
}

/* Until it fits or says why not, the letter is the same turn. */
static void deliver(struct engine *engine, struct letter *letter, bool is_over)
{
    struct instance *to = letter->child == 0 ? letter->to : kin_find(letter->to, letter->child);
    struct event event = letter->event;
    bool is_stop = event.kind == EVENT_STOP;
    if (to == NULL || to->status != INSTANCE_ACTIVE ||
        (to->kin != NULL && to->kin->is_leaving && !is_stop)) {
        engine->letters_dropped += !is_stop;
        return;
    }
    if (is_over && !is_stop)
        turn_give_up(engine, to, &event, letter->payload, GIVING_UP_REST);
    else if (turn_take_letter(engine, to, &event, letter->payload) != STATUS_OK)
        turn_give_up(engine, to, &event, letter->payload, GIVING_UP_ROOM);
}

static void read_letter(struct engine *engine, struct letter *letter, bool is_over)
{
    struct arena_guard guard;
    arena_clear(&engine->turn_arena);
    if (arena_is_spent(&engine->turn_arena, &guard)) {
        shard_break(engine, STATUS_NO_SPACE, "a letter needs more memory than a turn may have");
        return;
    }
    if (letter->event.kind != EVENT_START)
        deliver(engine, letter, is_over);
    else if (!is_over)
        start_child(engine, letter);
    else
        refuse_child(engine, letter->to, letter->event.number, letter->event.invoke_id,
                     "the family does not come to rest");
    arena_release_guard(&engine->turn_arena, &guard);
}

bool child_settle(struct engine *engine)
{
    struct letter *letter;
    uint32_t turns = 0;
    size_t bytes = engine->open->records.size;
    bool has_letters = engine->letters != NULL;
    engine->is_settling = true;
    while ((letter = take_letter(engine)) != NULL) {
        bool is_over = turns++ >= FAMILY_TURNS_MAX ||
                       engine->open->records.size - bytes > FAMILY_BYTES_MAX;
        if (engine->mode != ENGINE_BROKEN)
            read_letter(engine, letter, is_over);
        memory_release(letter);
    }
    engine->is_settling = false;
    turn_tell_rests(engine);
    return has_letters;
}
