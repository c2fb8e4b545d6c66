/*
 * scxml_fuzz.c - any text as an SCXML document, and what it does when it loads.
 *
 * Whatever the text is, it is a definition or errors with places; a definition loads into a
 * machine in which every "always" holds, or has errors too. A machine that loads runs with its
 * children, whose documents may be anything as well, and comes to rest or is stopped. What does
 * not translate to CEL is run as the ECMAScript that it is.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/ensure.h"
#include "base/limits.h"
#include "chart/chart.h"
#include "script/script.h"
#include "wire/wire.h"

enum { ARENA_BYTES = 64 << 20, BIRTHS_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct machine *load(struct span text, const struct expr_language *language,
                                  struct arena *arena)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics, arena);
    const struct markup *root = wire_read_markup(text, SPAN("fuzz.scxml"), arena, &diagnostics);
    const struct node *node =
        root == NULL
            ? NULL
            : scxml_convert(root, NULL,
                            language == NULL ? SCXML_SCRIPTS_REFUSED : SCXML_SCRIPTS_NEEDED,
                            arena, &diagnostics);
    const struct machine *machine =
        node == NULL ? NULL : machine_load_with(node, language, arena, &diagnostics);
    ensure((machine == NULL) == (diagnostics.errors > 0));
    if (machine != NULL)
        machine_verify(machine);
    return machine;
}

/* The context counts the children that may still be born. */
static enum family_source find(void *context, const struct machine *parent, struct span source,
                               struct arena *arena, const struct machine **machine)
{
    struct arena_guard guard;
    int *left = context;
    if (!scxml_is_document(source) || --*left < 0)
        return FAMILY_OUTSIDE;
    if (arena_is_spent(arena, &guard))
        return FAMILY_BROKEN;
    *machine = load(source, parent->language, arena);
    arena_release_guard(arena, &guard);
    return *machine == NULL ? FAMILY_BROKEN : FAMILY_CHILD;
}

static void observe(void *context, const struct plan *plan, instant_ms now)
{
    (void)context;
    (void)now;
    ensure(plan == NULL || configuration_is_valid(&plan->after));
}

static void run(const struct machine *machine)
{
    int left = BIRTHS_MAX;
    struct family family;
    struct family_host host = {find, observe, &left};
    bool rests = family_open(&family, machine, &host, value_null());
    for (uint32_t id = EVENT_ID_FIRST; rests && id < machine->event_count; id++) {
        struct event event = {.kind = EVENT_EXTERNAL,
                              .type = machine->event_types[id],
                              .payload = value_map(NULL, 0)};
        rests = family_send(&family, &event) && family_advance(&family, family.now + 1000);
    }
    family_close(&family);
}

static void load_within(struct span text, size_t arena_bytes)
{
    struct script *script = script_open();
    struct arena arena;
    struct arena_guard guard;
    const struct machine *volatile machine = NULL;
    arena_open(&arena, arena_bytes);
    if (!arena_is_spent(&arena, &guard)) {
        machine = load(text, script_language(script), &arena);
        arena_release_guard(&arena, &guard);
    }
    if (machine != NULL)
        run(machine);
    arena_close(&arena);
    script_close(script);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct span text = span_of((const char *)bytes, size);
    load_within(text, ARENA_BYTES);
    load_within(text, 24 << 10);
    return 0;
}
