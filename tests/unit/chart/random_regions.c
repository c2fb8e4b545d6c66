/*
 * random_regions.c - machines from a seed that mostly move.
 *
 * Targets are any states at all, so regions get in each other's way.
 */
#include "random_regions.h"

#include "base/text.h"
#include "chart/chart.h"

enum { STATES_SHOWN = 14 };

struct tree {
    struct random *random;
    struct text text;
    uint32_t count;
    uint32_t parent[STATES_SHOWN];
    bool has_history[STATES_SHOWN];
    bool is_scxml;
};

static bool chance(struct tree *tree, uint64_t of)
{
    return random_up_to(tree->random, of - 1) == 0;
}

static uint32_t child_count(const struct tree *tree, uint32_t state)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i < tree->count; i++)
        count += tree->parent[i] == state;
    return count;
}

static void plant(struct tree *tree)
{
    tree->count = 4 + (uint32_t)random_up_to(tree->random, STATES_SHOWN - 4);
    for (uint32_t i = 1; i < tree->count; i++)
        tree->parent[i] = (uint32_t)random_up_to(tree->random, i < 3 ? 0 : i - 1);
    for (uint32_t i = 0; i < tree->count; i++)
        tree->has_history[i] = child_count(tree, i) > 0 && chance(tree, 2);
}

static void add_transition(struct tree *tree)
{
    uint32_t target = 1 + (uint32_t)random_up_to(tree->random, tree->count - 2);
    bool to_history = tree->has_history[target] && chance(tree, 2);
    text_format(&tree->text, "{\"target\":\"#%s%u\"", to_history ? "H" : "S", target);
    if (chance(tree, 3))
        text_format(&tree->text, ",\"guard\":\"%s.n %s %u\"",
                    chance(tree, 3) ? "context" : "event", chance(tree, 2) ? "==" : ">",
                    (uint32_t)random_up_to(tree->random, 2));
    if (chance(tree, 4))
        text_add(&tree->text, SPAN(",\"reenter\":true"));
    if (chance(tree, 9))
        text_add(&tree->text, SPAN(",\"actions\":{\"log\":\"taken\"}"));
    if (chance(tree, 9))
        text_add(&tree->text, SPAN(",\"assign\":{\"n\":\"${event.n}\"}"));
    text_add(&tree->text, SPAN("}"));
}

static void add_reactions(struct tree *tree)
{
    text_add(&tree->text, SPAN(",\"on\":{\"NEVER\":{}"));
    for (uint32_t event = 0; event < RANDOM_REGIONS_EVENTS; event++) {
        if (chance(tree, 2))
            continue;
        text_format(&tree->text, ",\"E%u\":[", event);
        add_transition(tree);
        text_add(&tree->text, SPAN(","));
        add_transition(tree);
        text_add(&tree->text, SPAN("]"));
    }
    text_add(&tree->text, SPAN("}"));
    if (chance(tree, 12))
        text_add(&tree->text, SPAN(",\"entry\":{\"log\":\"in\"}"));
    if (chance(tree, 12))
        text_add(&tree->text, SPAN(",\"exit\":{\"log\":\"out\"}"));
    if (chance(tree, 12))
        text_add(&tree->text, SPAN(",\"after\":{\"1s\":{}}"));
    if (chance(tree, 20)) {
        text_add(&tree->text, SPAN(",\"always\":"));
        add_transition(tree);
    }
}

static void add_children(struct tree *tree, uint32_t state);

static void add_state(struct tree *tree, uint32_t state)
{
    text_format(&tree->text, "\"S%u\":{\"id\":\"S%u\"", state, state);
    add_reactions(tree);
    if (child_count(tree, state) > 0)
        add_children(tree, state);
    text_add(&tree->text, SPAN("}"));
}

static void add_children(struct tree *tree, uint32_t state)
{
    uint32_t first = NO_STATE;
    for (uint32_t i = 1; i < tree->count && first == NO_STATE; i++)
        first = tree->parent[i] == state ? i : NO_STATE;
    if (chance(tree, 2))
        text_add(&tree->text, SPAN(",\"type\":\"parallel\""));
    else
        text_format(&tree->text, ",\"initial\":\"%sS%u\"", tree->is_scxml ? "#" : "", first);
    text_add(&tree->text, SPAN(",\"states\":{"));
    for (uint32_t i = first; i < tree->count; i++) {
        if (tree->parent[i] != state)
            continue;
        text_add(&tree->text, i == first ? SPAN("") : SPAN(","));
        add_state(tree, i);
    }
    if (tree->has_history[state])
        text_format(&tree->text,
                    ",\"H%u\":{\"id\":\"H%u\",\"type\":\"history\",\"history\":\"%s\"}", state,
                    state, chance(tree, 2) ? "deep" : "shallow");
    text_add(&tree->text, SPAN("}"));
}

struct span random_regions(struct random *random, bool is_scxml, struct arena *arena)
{
    struct tree tree = {.random = random, .is_scxml = is_scxml};
    text_init(&tree.text, arena);
    plant(&tree);
    text_format(&tree.text, "{\"semantics\":\"%s\",\"context\":{\"n\":%u}",
                is_scxml ? "scxml" : "xstate", (uint32_t)random_up_to(random, 2));
    add_children(&tree, 0);
    text_add(&tree.text, SPAN("}"));
    return text_span(&tree.text);
}
