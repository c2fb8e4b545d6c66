/*
 * wake.c - a binary heap whose members know their place.
 */
#include "engine/wake.h"

#include "base/ensure.h"
#include "base/memory.h"

void wakes_init(struct wakes *wakes)
{
    *wakes = (struct wakes){0};
}

void wakes_fini(struct wakes *wakes)
{
    memory_release(wakes->heap);
    *wakes = (struct wakes){0};
}

void wake_init(struct wake *wake, wake_fire *fire, void *owner)
{
    *wake = (struct wake){.due = INSTANT_NEVER, .fire = fire, .owner = owner};
}

static bool is_before(const struct wake *a, const struct wake *b)
{
    return a->due < b->due || (a->due == b->due && a->order < b->order);
}

static void put(struct wakes *wakes, size_t place, struct wake *wake)
{
    wakes->heap[place] = wake;
    wake->place = place;
}

static void move_up(struct wakes *wakes, struct wake *wake)
{
    size_t place = wake->place;
    while (place > 1 && is_before(wake, wakes->heap[place / 2])) {
        put(wakes, place, wakes->heap[place / 2]);
        place /= 2;
    }
    put(wakes, place, wake);
}

static void move_down(struct wakes *wakes, struct wake *wake)
{
    size_t place = wake->place;
    for (;;) {
        size_t child = place * 2;
        if (child > wakes->count)
            break;
        if (child < wakes->count && is_before(wakes->heap[child + 1], wakes->heap[child]))
            child++;
        if (!is_before(wakes->heap[child], wake))
            break;
        put(wakes, place, wakes->heap[child]);
        place = child;
    }
    put(wakes, place, wake);
}

void wakes_clear(struct wakes *wakes, struct wake *wake)
{
    if (wake->place == 0)
        return;
    struct wake *last = wakes->heap[wakes->count--];
    if (last != wake) {
        put(wakes, wake->place, last);
        move_up(wakes, last);
        move_down(wakes, last);
    }
    wake->place = 0;
}

void wakes_set(struct wakes *wakes, struct wake *wake, instant_ms due)
{
    wakes_clear(wakes, wake);
    wake->due = due;
    wake->order = wakes->order++;
    if (wakes->count + 1 >= wakes->capacity) {
        wakes->capacity = wakes->capacity == 0 ? 64 : wakes->capacity * 2;
        wakes->heap = memory_resize(wakes->heap, wakes->capacity * sizeof(struct wake *));
    }
    put(wakes, ++wakes->count, wake);
    move_up(wakes, wake);
    ensure(wake->place > 0 && wake->place <= wakes->count);
}

instant_ms wakes_next(const struct wakes *wakes)
{
    return wakes->count == 0 ? INSTANT_NEVER : wakes->heap[1]->due;
}

void wakes_run(struct wakes *wakes, instant_ms now)
{
    while (wakes->count > 0 && wakes->heap[1]->due <= now) {
        struct wake *wake = wakes->heap[1];
        wakes_clear(wakes, wake);
        wake->fire(wake, now);
    }
}
