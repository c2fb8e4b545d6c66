/*
 * definition.c - reading a machine with its steps.
 */
#include "engine/definition.h"

#include <string.h>

#include "base/json.h"
#include "base/place_map.h"

/* An overlay may be bare, or have its steps under `steps`. */
static const struct node *overlay_steps(const struct node *overlay,
                                        struct diagnostics *diagnostics)
{
    const struct node *steps = node_find(overlay, SPAN("steps"));
    if (steps == NULL)
        return overlay;
    for (uint32_t i = 0; i < overlay->count; i++) {
        const struct node_entry *entry = &overlay->entries[i];
        if (entry->value != steps && !span_is(entry->key, "admission"))
            diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0102", entry->place,
                            "`%.*s` stands beside `steps`, where it would not be read",
                            SPAN_ARGS(entry->key));
    }
    return steps;
}

/* The steps of the file with those of the overlay in their place. */
static const struct node *merge_steps(const struct node *steps, const struct node *overlay,
                                      struct arena *arena, struct diagnostics *diagnostics)
{
    if (overlay == NULL)
        return steps;
    if (overlay->kind != NODE_MAP) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0104", overlay->place,
                        "steps must be a map, not %s", node_kind_name(overlay));
        return steps;
    }
    if (steps == NULL)
        return overlay;
    struct node *merged = arena_new(arena, struct node);
    struct node_entry *entries =
        arena_new_array(arena, steps->count + overlay->count, struct node_entry);
    *merged = *steps;
    memcpy(entries, steps->entries, steps->count * sizeof *entries);
    for (uint32_t i = 0; i < overlay->count; i++) {
        uint32_t at = 0;
        while (at < merged->count && !span_equal(entries[at].key, overlay->entries[i].key))
            at++;
        entries[at] = overlay->entries[i];
        merged->count += at == merged->count;
    }
    merged->entries = entries;
    return merged;
}

struct step_reader {
    const char *folder;
    struct strategy_types types;
    struct arena *arena;
    struct diagnostics *diagnostics;
};

static void check_step_keys(const struct step_reader *reader, const struct node *node,
                            const struct step *step)
{
    size_t policy_count;
    const struct span *policy_keys = policy_rules_keys(&policy_count);
    struct span known[64] = {SPAN("description")};
    size_t count = 1;
    for (size_t i = 0; i < policy_count && count < 48; i++)
        known[count++] = policy_keys[i];
    for (size_t i = 0; i < reader->types.count && count < 56; i++)
        known[count++] = span_from_text(reader->types.types[i]->name);
    for (const char *const *key = step->type->extra_keys;
         key != NULL && *key != NULL && count < 64; key++)
        known[count++] = span_from_text(*key);
    for (uint32_t i = 0; i < node->count; i++) {
        struct span key = node->entries[i].key;
        size_t at = 0;
        while (at < count && !span_equal(known[at], key))
            at++;
        if (at < count)
            continue;
        struct diagnostic *error = diagnostics_add(
            reader->diagnostics, SEVERITY_ERROR, "IL0102", node->entries[i].place,
            "unknown key `%.*s` in a step", SPAN_ARGS(key));
        diagnostic_suggest(reader->diagnostics, error, key, known, count);
    }
}

/* A key of the step that is nearly the name of a strategy. */
static void suggest_type(const struct step_reader *reader, struct diagnostic *error,
                         const struct node *node)
{
    struct span *names = arena_new_array(reader->arena, reader->types.count, struct span);
    for (size_t i = 0; i < reader->types.count; i++)
        names[i] = span_from_text(reader->types.types[i]->name);
    for (uint32_t i = 0; i < node->count && error->help.size == 0; i++)
        diagnostic_suggest(reader->diagnostics, error, node->entries[i].key, names,
                           reader->types.count);
}

/* The one strategy whose name is a key of the step; false after an error. */
static bool find_type(const struct step_reader *reader, const struct node *node,
                      struct step *step, const struct node **settings)
{
    struct text names;
    text_init(&names, reader->arena);
    for (size_t i = 0; i < reader->types.count; i++) {
        const struct strategy_type *type = reader->types.types[i];
        const struct node *found = node_find(node, span_from_text(type->name));
        text_format(&names, "%s`%s`", i == 0 ? "" : " or ", type->name);
        if (found == NULL)
            continue;
        if (step->type != NULL) {
            diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "IL0104", found->place,
                            "a step is done in one way: `%s` or `%s`, not both",
                            step->type->name, type->name);
            return false;
        }
        step->type = type;
        step->type_index = (uint32_t)i;
        *settings = found;
    }
    if (step->type != NULL)
        return true;
    struct diagnostic *error =
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "IL0103", node->place,
                        "step `%.*s` needs %.*s: how it is done", SPAN_ARGS(step->name),
                        SPAN_ARGS(text_span(&names)));
    suggest_type(reader, error, node);
    return false;
}

static bool read_step(const struct step_reader *reader, const struct node_entry *entry,
                      struct step *step)
{
    const struct node *node = entry->value;
    const struct node *settings = NULL;
    *step = (struct step){.name = entry->key,
                          .place = entry->place,
                          .fallback = NO_INDEX,
                          .compensate = NO_INDEX};
    if (node->kind != NODE_MAP) {
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "IL0104", node->place,
                        "a step must be a map, not %s", node_kind_name(node));
        return false;
    }
    if (!find_type(reader, node, step, &settings))
        return false;
    check_step_keys(reader, node, step);
    step->settings =
        step->type->parse(settings, node, reader->folder, reader->arena, reader->diagnostics);
    if (!policy_rules_read(node, &step->rules, reader->diagnostics))
        return false;
    definition_read_policy(step, reader->arena, reader->diagnostics);
    return step->settings != NULL;
}

/* `src: compensate` calls no step of its own, unless the definition has one of that name. */
static void add_compensation(struct definition *definition, struct step *steps)
{
    const struct machine *machine = definition->machine;
    for (uint32_t i = 0; i < definition->step_count; i++) {
        if (span_is(steps[i].name, "compensate"))
            return;
    }
    for (uint32_t i = 0; machine != NULL && i < machine->invoke_count; i++) {
        if (!span_is(machine->invokes[i].src, "compensate"))
            continue;
        definition->compensation = definition->step_count;
        steps[definition->step_count++] = definition_compensation(machine->invokes[i].place);
        return;
    }
}

static void read_steps(const struct step_reader *reader, const struct node *node,
                       struct definition *definition)
{
    uint32_t count = node == NULL ? 0 : node->count;
    struct step *steps = arena_new_array(reader->arena, count + 1, struct step);
    for (uint32_t i = 0; i < count; i++) {
        read_step(reader, &node->entries[i], &steps[definition->step_count]);
        definition->step_count++;
    }
    definition->compensation = NO_INDEX;
    add_compensation(definition, steps);
    definition_bind_policies(steps, definition->step_count, reader->diagnostics);
    definition->steps = steps;
}

/* Written as an overlay is, so that it is read back as one. */
static struct span write_apart(const struct node *steps, const struct node *admission,
                               struct arena *arena)
{
    struct value apart = value_map(NULL, 0);
    struct text json;
    text_init(&json, arena);
    if (steps != NULL || admission != NULL) /* without `steps` all members would be steps */
        apart = value_with(arena, apart, SPAN("steps"),
                           steps == NULL ? value_map(NULL, 0) : node_value(steps, arena));
    if (admission != NULL)
        apart = value_with(arena, apart, SPAN("admission"), node_value(admission, arena));
    json_write(&json, apart);
    return text_span(&json);
}

/* What an overlay says replaces what the file says. */
static const struct node *find_admission(const struct node *root, const struct node *overlay)
{
    const struct node *steps =
        overlay == NULL ? NULL : node_find(overlay, SPAN("steps")); /* else it is bare */
    const struct node *found = steps == NULL ? NULL : node_find(overlay, SPAN("admission"));
    return found != NULL ? found : node_find(root, SPAN("admission"));
}

static uint32_t find_step(const struct definition *definition, struct span name)
{
    for (uint32_t i = 0; i < definition->step_count; i++) {
        if (span_equal(definition->steps[i].name, name))
            return i;
    }
    return NO_INDEX;
}

static void suggest_step(const struct step_reader *reader, const struct definition *definition,
                         struct diagnostic *error, struct span name)
{
    struct span *names = arena_new_array(reader->arena, definition->step_count, struct span);
    for (uint32_t i = 0; i < definition->step_count; i++)
        names[i] = definition->steps[i].name;
    if (definition->step_count == 0)
        diagnostic_help(reader->diagnostics, error,
                        "declare it under `steps:`, such as `%.*s: { exec: [\"./%.*s\"] }`",
                        SPAN_ARGS(name), SPAN_ARGS(name));
    else
        diagnostic_suggest(reader->diagnostics, error, name, names, definition->step_count);
}

static void mark_fallbacks(const struct definition *definition, uint32_t step, bool *used)
{
    uint32_t next = definition->steps[step].fallback;
    for (uint32_t i = 0; next != NO_INDEX && i < definition->step_count; i++) {
        used[next] = true;
        next = definition->steps[next].fallback;
    }
}

/* What undoes is called where something undoes; nothing to undo is a mistake. */
static void mark_compensations(const struct step_reader *reader,
                               const struct definition *definition, bool *used)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < definition->step_count; i++) {
        uint32_t undoes = definition->steps[i].compensate;
        if (undoes == NO_INDEX || definition->compensation == NO_INDEX)
            continue;
        used[undoes] = true;
        mark_fallbacks(definition, undoes, used);
        found++;
    }
    if (definition->compensation == NO_INDEX || found > 0)
        return;
    struct diagnostic *error = diagnostics_add(
        reader->diagnostics, SEVERITY_ERROR, "IL0502",
        definition->steps[definition->compensation].place, "there is nothing to compensate");
    diagnostic_help(reader->diagnostics, error,
                    "a step names the one that undoes it: `charge: { …, compensate: refund }`");
}

static void tell_missing(const struct step_reader *reader, const struct definition *definition,
                         const struct machine_invoke *invoke)
{
    suggest_step(reader, definition,
                 diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "IL0502", invoke->place,
                                 "there is no step%s `%.*s`",
                                 definition->machine_count > 0 ? " or machine" : "",
                                 SPAN_ARGS(invoke->src)),
                 invoke->src);
}

/* A machine that is named, or one that is known only when it is invoked. */
static bool invokes_machine(const struct definition *definition,
                            const struct machine_invoke *invoke)
{
    return invoke->content != NULL ||
           (invoke->src_slot != NULL && span_is(invoke->src, "scxml")) ||
           definition_find_machine(definition, invoke->src) != NULL;
}

static void mark_inside(const struct definition *definition, bool *used)
{
    for (uint32_t i = 0; i < definition->inside_count; i++) {
        const struct definition *inside = definition->inside[i];
        for (uint32_t k = 0; k < inside->step_count; k++) {
            uint32_t step = find_step(definition, inside->steps[k].name);
            if (step != NO_INDEX && inside->uses[k])
                used[step] = true;
        }
    }
}

/* Steps of the definition around it may be there for others. */
static void tell_unused(const struct step_reader *reader, const struct definition *definition,
                        const struct node *inherited)
{
    for (uint32_t i = 0; i < definition->step_count; i++) {
        const struct step *step = &definition->steps[i];
        if (!definition->uses[i] && inherited == NULL)
            diagnostics_add(reader->diagnostics, SEVERITY_WARNING, "IL0502", step->place,
                            "no state invokes step `%.*s`", SPAN_ARGS(step->name));
    }
}

static void bind_invokes(const struct step_reader *reader, struct definition *definition)
{
    const struct machine *machine = definition->machine;
    uint32_t *bound = arena_new_array(reader->arena, machine->invoke_count, uint32_t);
    bool *used = arena_new_array(reader->arena, definition->step_count, bool);
    for (uint32_t i = 0; i < machine->invoke_count; i++) {
        bound[i] = find_step(definition, machine->invokes[i].src);
        if (bound[i] != NO_INDEX) {
            used[bound[i]] = true;
            continue;
        }
        if (!invokes_machine(definition, &machine->invokes[i]))
            tell_missing(reader, definition, &machine->invokes[i]);
    }
    mark_inside(definition, used);
    for (uint32_t i = 0; i < definition->step_count; i++) {
        if (used[i] && definition->steps[i].fallback != NO_INDEX)
            mark_fallbacks(definition, i, used);
    }
    mark_compensations(reader, definition, used);
    definition->uses = used;
    definition->invoke_steps = bound;
}

static struct span map_places(const struct node *root, struct arena *arena)
{
    struct text map;
    text_init(&map, arena);
    place_map_write(root, machine_apart, MACHINE_APART_COUNT, &map);
    return text_span(&map);
}

/* Those of the file over those of the file around it, and over both the overlay's. */
static const struct node *gather_steps(struct definition_source *source, struct arena *arena,
                                       struct diagnostics *diagnostics)
{
    const struct node *own = node_find(source->root, SPAN("steps"));
    if (own != NULL && own->kind != NODE_MAP)
        return NULL;
    source->steps = merge_steps(source->inherited, own, arena, diagnostics);
    const struct node *overlay =
        source->overlay == NULL ? NULL : overlay_steps(source->overlay, diagnostics);
    return merge_steps(source->steps, overlay, arena, diagnostics);
}

const struct definition *definition_read_source(struct definition_source *source,
                                                struct arena *arena,
                                                struct diagnostics *diagnostics)
{
    uint32_t errors_before = diagnostics->errors;
    struct definition *definition = arena_new(arena, struct definition);
    definition->place = source->root->place;
    definition->folder = arena_copy(arena, span_from_text(source->folder)).text;
    struct step_reader reader = {definition->folder, source->types, arena, diagnostics};
    const struct node *steps = gather_steps(source, arena, diagnostics);
    const struct node *root = definition_read_machines(definition, source, arena, diagnostics);
    definition->machine = machine_load_with(root, source->types.language, arena, diagnostics);
    definition->places = map_places(root, arena);
    const struct node *admission =
        find_admission(source->root, source->depth == 0 ? source->overlay : NULL);
    read_steps(&reader, steps, definition);
    definition_read_admission(definition, admission, arena, diagnostics);
    definition->apart_json = write_apart(steps, admission, arena);
    if (definition->machine != NULL) {
        bind_invokes(&reader, definition);
        tell_unused(&reader, definition, source->inherited);
        definition_check_reach(definition, diagnostics);
    }
    return diagnostics->errors == errors_before ? definition : NULL;
}

const struct definition *definition_read(const struct node *root, const struct node *overlay,
                                         const char *folder, struct strategy_types types,
                                         struct arena *arena, struct diagnostics *diagnostics)
{
    struct definition_source source = {
        .root = root, .overlay = overlay, .folder = folder, .types = types};
    return definition_read_source(&source, arena, diagnostics);
}

struct span definition_key(const struct machine *machine, struct arena *arena)
{
    return text_print(arena, "%.*s@%.*s", SPAN_ARGS(machine->id), SPAN_ARGS(machine->version));
}

uint32_t definition_fall_back(const struct definition *definition, uint32_t step,
                              uint32_t fallbacks)
{
    for (; fallbacks > 0 && definition->steps[step].fallback != NO_INDEX; fallbacks--)
        step = definition->steps[step].fallback;
    return step;
}

uint32_t definition_step(const struct definition *definition, uint32_t invoke,
                         uint32_t fallbacks)
{
    return definition_fall_back(definition, definition->invoke_steps[invoke], fallbacks);
}
