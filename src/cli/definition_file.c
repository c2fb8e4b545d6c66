/*
 * definition_file.c - from a path to a definition.
 */
#include "cli/definition_file.h"

#include "base/limits.h"
#include "base/memory.h"
#include "cli/document.h"
#include "cli/report.h"
#include "os/os.h"

static enum cli_exit read_tree(struct definition_file *file, const char *path,
                               const struct node **root)
{
    struct text content;
    const char *problem = NULL;
    text_init(&content, &file->arena);
    enum status status = file_read(path, DEFINITION_BYTES_MAX, &content, &problem);
    if (status != STATUS_OK) {
        report_unread(path, status, problem);
        return CLI_WORLD;
    }
    *root = document_read(text_span(&content), path, document_scripts(file->language),
                          &file->arena, &file->diagnostics);
    return *root == NULL ? CLI_FAILED : CLI_OK;
}

/* Diagnostics have no memory left either, so this is said at once. */
static void report_spent(const struct definition_file *file)
{
    report_error("IL0108", "%s is too large to be loaded", file->path);
}

enum cli_exit definition_file_open(struct definition_file *file, const char *path,
                                   const char *steps_path, const struct cli_world *world)
{
    *file = (struct definition_file){.path = path, .language = world->types.language};
    arena_open(&file->arena, DEFINITION_ARENA_BYTES);
    diagnostics_init(&file->diagnostics, &file->arena);
    struct arena_guard guard;
    if (arena_is_spent(&file->arena, &guard)) {
        report_spent(file);
        return CLI_FAILED;
    }
    enum cli_exit exit = read_tree(file, path, &file->root);
    if (exit == CLI_OK)
        file->root = document_expand(file->root, document_scripts(file->language), &file->arena,
                                     &file->diagnostics);
    if (exit == CLI_OK && file->root == NULL)
        exit = CLI_FAILED;
    if (exit == CLI_OK && steps_path != NULL)
        exit = read_tree(file, steps_path, &file->overlay);
    arena_release_guard(&file->arena, &guard);
    return exit;
}

void definition_file_close(struct definition_file *file)
{
    arena_close(&file->arena);
}

const struct machine *definition_file_machine(struct definition_file *file)
{
    struct arena_guard guard;
    if (arena_is_spent(&file->arena, &guard)) {
        report_spent(file);
        return NULL;
    }
    const struct machine *machine =
        machine_load_with(file->root, file->language, &file->arena, &file->diagnostics);
    arena_release_guard(&file->arena, &guard);
    return machine;
}

const struct derivation *definition_file_derivation(struct definition_file *file)
{
    struct arena_guard guard;
    if (arena_is_spent(&file->arena, &guard)) {
        report_spent(file);
        return NULL;
    }
    const struct derivation *derivation =
        derivation_read(file->root, &file->arena, &file->diagnostics);
    arena_release_guard(&file->arena, &guard);
    return derivation;
}

/* Steps that are wrong keep nobody from checking the machine; its own errors are known by now.
 */
static const struct machine *load_quietly(struct definition_file *file)
{
    struct diagnostics unheard;
    diagnostics_init(&unheard, &file->arena);
    return machine_load_with(file->root, file->language, &file->arena, &unheard);
}

static void check_machine(struct definition_file *file, const struct machine *machine)
{
    if (machine == NULL)
        return;
    machine_check(machine, &file->diagnostics);
    if (machine->derivation != NULL)
        derivation_check(machine->derivation, &file->diagnostics);
}

static void check_inside(struct definition_file *file, const struct definition *definition)
{
    for (uint32_t i = 0; i < definition->inside_count; i++) {
        machine_check(definition->inside[i]->machine, &file->diagnostics);
        check_inside(file, definition->inside[i]);
    }
}

const struct definition *definition_file_definition(struct definition_file *file,
                                                    const struct cli_world *world, bool check)
{
    struct arena_guard guard;
    char *folder = file_folder(file->path);
    if (arena_is_spent(&file->arena, &guard)) {
        report_spent(file);
        memory_release(folder);
        return NULL;
    }
    const struct definition *definition = definition_read(
        file->root, file->overlay, folder, check ? world->known_types : world->types,
        &file->arena, &file->diagnostics);
    if (check)
        check_machine(file, definition == NULL ? load_quietly(file) : definition->machine);
    if (check && definition != NULL)
        check_inside(file, definition);
    arena_release_guard(&file->arena, &guard);
    memory_release(folder);
    return definition;
}

/* A derivation that gives two answers would move instances to and fro for ever. */
static bool is_unstable(const struct definition_file *file)
{
    const struct diagnostic *found = file->diagnostics.first;
    while (found != NULL &&
           !(found->severity == SEVERITY_ERROR && span_is(found->code, "IL0311")))
        found = found->next;
    return found != NULL;
}

/* `run` goes on with a machine that `check` objects to: what was started yesterday must be able
 * to end although the checks know more today. But nobody should have to find out by himself.
 * False: what was started would never come to rest. */
static bool mention_findings(struct definition_file *file, const struct machine *machine)
{
    struct arena_guard guard;
    if (arena_is_spent(&file->arena, &guard))
        return true;
    check_machine(file, machine);
    bool is_fit = !is_unstable(file);
    if (is_fit && file->diagnostics.errors > 0)
        report_problem("%s: check finds %u %s here: interlock check %s", file->path,
                       file->diagnostics.errors,
                       file->diagnostics.errors == 1 ? "error" : "errors", file->path);
    arena_release_guard(&file->arena, &guard);
    return is_fit;
}

const struct definition *definition_file_load(struct definition_file *file, const char *path,
                                              const char *steps_path,
                                              const struct cli_world *world,
                                              enum cli_exit *exit)
{
    const struct definition *definition = NULL;
    *exit = definition_file_open(file, path, steps_path, world);
    if (*exit == CLI_OK)
        definition = definition_file_definition(file, world, false);
    if (definition != NULL && mention_findings(file, definition->machine))
        return definition;
    int lines_left = DIAGNOSTICS_SHOWN_MAX;
    report_diagnostics(&file->diagnostics, SEVERITY_ERROR, &lines_left);
    *exit = *exit == CLI_OK ? CLI_FAILED : *exit;
    return NULL;
}

static bool takes_event(const struct machine *machine, struct span event)
{
    uint32_t id = machine_find_event(machine, event);
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        const struct machine_transition *transition = &machine->transitions[i];
        if (transition->wildcard || (id != EVENT_ID_OTHER && transition->event == id))
            return true;
    }
    return false;
}

void definition_file_remark_event(const struct machine *machine, const char *event)
{
    struct span name = span_from_text(event);
    struct span nearest = {0};
    size_t distance = span_distance_max(name);
    if (name.size == 0 || takes_event(machine, name))
        return;
    for (uint32_t i = EVENT_ID_FIRST; i < machine->event_count; i++) {
        size_t other = span_distance(name, machine->event_types[i]);
        if (other < distance && takes_event(machine, machine->event_types[i])) {
            nearest = machine->event_types[i];
            distance = other;
        }
    }
    if (nearest.size > 0)
        report_problem("no transition takes the event `%s`; did you mean `%.*s`?", event,
                       SPAN_ARGS(nearest));
    else
        report_problem("no transition takes the event `%s`", event);
}
