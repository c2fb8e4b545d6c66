/*
 * inbox.c - events in the order they were accepted.
 *
 * The bound holds for events from outside. Results and timers always get in: how many
 * there can be is bounded by the invocations and timers of accepted work, and refusing
 * one would leave its instance stuck (I9).
 */
#include "base/ensure.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/shard.h"

static struct span place(char **at, struct span text)
{
    char *copy = *at;
    if (text.size > 0)
        memcpy(copy, text.text, text.size);
    *at += text.size;
    return span_of(copy, text.size);
}

void inbox_add(struct engine *engine, const struct inbox_event *event)
{
    size_t size = event->id.size + event->type.size + event->payload.size + event->key.size +
                  event->first_type.size + event->first_payload.size;
    struct inbox_event *added = memory_get(sizeof *added + size);
    char *at = (char *)(added + 1);
    *added = *event;
    added->id = place(&at, event->id);
    added->type = place(&at, event->type);
    added->payload = place(&at, event->payload);
    added->key = place(&at, event->key);
    added->first_type = place(&at, event->first_type);
    added->first_payload = place(&at, event->first_payload);
    added->next = NULL;
    *engine->inbox_end = added;
    engine->inbox_end = &added->next;
    if (engine->inbox_count++ == 0)
        loop_wake_send(engine->wake);
}

struct inbox_event *inbox_take(struct engine *engine)
{
    struct inbox_event *event = engine->inbox;
    if (event == NULL)
        return NULL;
    engine->inbox = event->next;
    if (engine->inbox == NULL)
        engine->inbox_end = &engine->inbox;
    ensure(engine->inbox_count > 0);
    engine->inbox_count--;
    return event;
}

bool inbox_is_full(const struct engine *engine)
{
    return engine->inbox_count >= INBOX_EVENTS_MAX - INBOX_RESERVED;
}

void inbox_tell_unknown(struct engine *engine)
{
    for (struct inbox_event *event = engine->inbox; event != NULL; event = event->next)
        shard_tell_unknown(&event->done, event->context);
}
