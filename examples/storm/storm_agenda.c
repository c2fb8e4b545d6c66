/*
 * storm_agenda.c - a binary heap by moment, then by order of arrival.
 */
#include "storm_agenda.h"

#include "base/ensure.h"
#include "base/memory.h"

struct storm_entry {
    moment_us at;
    uint64_t sequence;
    storm_act *act;
    void *context;
    uint32_t turn;
};

void storm_agenda_fini(struct storm_agenda *agenda)
{
    memory_release(agenda->heap);
    *agenda = (struct storm_agenda){0};
}

static bool is_before(const struct storm_entry *a, const struct storm_entry *b)
{
    return a->at != b->at ? a->at < b->at : a->sequence < b->sequence;
}

void storm_agenda_add(struct storm_agenda *agenda, moment_us at, storm_act *act, void *context,
                      uint32_t turn)
{
    struct storm_entry added = {at, agenda->sequence++, act, context, turn};
    memory_reserve(agenda->heap, agenda->count, agenda->capacity);
    size_t i = agenda->count++;
    for (; i > 0 && is_before(&added, &agenda->heap[(i - 1) / 2]); i = (i - 1) / 2)
        agenda->heap[i] = agenda->heap[(i - 1) / 2];
    agenda->heap[i] = added;
}

moment_us storm_agenda_due(const struct storm_agenda *agenda)
{
    return agenda->count == 0 ? MOMENT_NEVER : agenda->heap[0].at;
}

static void take_first(struct storm_agenda *agenda)
{
    struct storm_entry *heap = agenda->heap;
    struct storm_entry last = heap[--agenda->count];
    size_t i = 0;
    for (size_t child = 1; child < agenda->count; child = 2 * i + 1) {
        if (child + 1 < agenda->count && is_before(&heap[child + 1], &heap[child]))
            child++;
        if (!is_before(&heap[child], &last))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
}

void storm_agenda_do_next(struct storm_agenda *agenda)
{
    ensure(agenda->count > 0);
    struct storm_entry first = agenda->heap[0];
    take_first(agenda);
    first.act(first.context, first.turn);
}
