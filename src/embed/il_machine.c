/*
 * il_machine.c - machines for programs outside.
 */
#include "embed/il_machine.h"

#include "base/limits.h"
#include "base/memory.h"
#include "embed/il_diagnose.h"
#include "embed/il_source.h"

static const char default_file[] = "definition";

struct loading {
    struct span text;
    const char *file;
    il_diagnose *diagnose;
    void *context;
};

/* The machine keeps pointing into its text, so it gets a copy. */
static void load(struct il_machine *loaded, const struct loading *loading)
{
    struct arena *arena = &loaded->arena;
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics, arena);
    struct span file = arena_copy(arena, span_from_text(loading->file));
    const struct node *root =
        il_source_read(arena_copy(arena, loading->text), file, arena, &diagnostics);
    const struct machine *machine =
        root == NULL ? NULL : machine_load(root, arena, &diagnostics);
    il_diagnose_all(&diagnostics, loading->diagnose, loading->context);
    if (machine == NULL)
        return;
    loaded->machine = machine;
    loaded->id = arena_copy(arena, machine->id).text;
    loaded->version = arena_copy(arena, machine->version).text;
}

static il_status load_guarded(struct il_machine *loaded, const struct loading *loading)
{
    struct arena_guard guard;
    if (arena_is_spent(&loaded->arena, &guard))
        return IL_NO_SPACE;
    load(loaded, loading);
    arena_release_guard(&loaded->arena, &guard);
    return loaded->machine == NULL ? IL_INVALID : IL_OK;
}

il_status il_machine_load(const char *text, size_t size, const char *file,
                          il_diagnose *diagnose, void *context, il_machine **loaded)
{
    if (text == NULL || loaded == NULL)
        return IL_MISUSE;
    if (size > DEFINITION_BYTES_MAX)
        return IL_NO_SPACE;
    struct loading loading = {span_of(text, size), file == NULL ? default_file : file, diagnose,
                              context};
    struct il_machine *machine = memory_get(sizeof *machine);
    arena_open(&machine->arena, DEFINITION_ARENA_BYTES);
    il_status status = load_guarded(machine, &loading);
    if (status == IL_OK)
        *loaded = machine;
    else
        il_machine_close(machine);
    return status;
}

static il_status check(const il_machine *machine, struct arena *arena, il_diagnose *diagnose,
                       void *context)
{
    struct diagnostics diagnostics;
    struct arena_guard guard;
    diagnostics_init(&diagnostics, arena);
    if (arena_is_spent(arena, &guard))
        return IL_NO_SPACE;
    machine_check(machine->machine, &diagnostics);
    il_diagnose_all(&diagnostics, diagnose, context);
    arena_release_guard(arena, &guard);
    return diagnostics.errors > 0 ? IL_INVALID : IL_OK;
}

il_status il_machine_check(const il_machine *machine, il_diagnose *diagnose, void *context)
{
    struct arena arena;
    if (machine == NULL)
        return IL_MISUSE;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    il_status status = check(machine, &arena, diagnose, context);
    arena_close(&arena);
    return status;
}

const char *il_machine_id(const il_machine *machine)
{
    return machine == NULL ? NULL : machine->id;
}

const char *il_machine_version(const il_machine *machine)
{
    return machine == NULL ? NULL : machine->version;
}

const char *il_machine_hash(const il_machine *machine)
{
    return machine == NULL ? NULL : machine->machine->hash;
}

void il_machine_close(il_machine *machine)
{
    if (machine == NULL)
        return;
    arena_close(&machine->arena);
    memory_release(machine);
}
