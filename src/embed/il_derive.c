/*
 * il_derive.c - states from data for programs outside, a record at a time.
 */
#include "embed/il_derive.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "embed/il_diagnose.h"
#include "embed/il_source.h"

enum { RECORD_BYTES = 64 * RECORD_LINE_BYTES_MAX, VALUES_BYTES = 16 << 10 };

static const char default_file[] = "definition";

/* Names end with a NUL for programs outside. */
static void copy_names(struct il_derivation *loaded)
{
    const struct derivation *derivation = loaded->derivation;
    struct arena *arena = &loaded->arena;
    loaded->states = arena_new_array(arena, derivation->leaf_count, const char *);
    loaded->fields = arena_new_array(arena, derivation->read_count, const char *);
    for (uint32_t i = 0; i < derivation->leaf_count; i++)
        loaded->states[i] = arena_copy(arena, derivation_path(derivation, i)).text;
    for (uint32_t i = 0; i < derivation->read_count; i++)
        loaded->fields[i] = arena_copy(arena, derivation->fields[i].name).text;
}

static bool reads_more(const struct derivation *derivation, struct arena *arena)
{
    for (uint32_t i = 0; i < derivation->validator_count; i++) {
        const struct footprint *use =
            footprint_read(derivation->validators[i].program, derivation->record, arena);
        for (; use != NULL; use = use->next) {
            if (use->kind == FOOTPRINT_WHOLE)
                return true;
        }
    }
    return false;
}

static const struct derivation *read(struct il_derivation *loaded, struct span text,
                                     const char *file, struct diagnostics *diagnostics)
{
    struct arena *arena = &loaded->arena;
    struct span name = arena_copy(arena, span_from_text(file == NULL ? default_file : file));
    const struct node *root = il_source_read(arena_copy(arena, text), name, arena, diagnostics);
    return root == NULL ? NULL : derivation_read(root, arena, diagnostics);
}

static il_status load(struct il_derivation *loaded, struct span text, const char *file,
                      il_diagnose *diagnose, void *context)
{
    struct diagnostics diagnostics;
    struct arena_guard guard;
    diagnostics_init(&diagnostics, &loaded->arena);
    if (arena_is_spent(&loaded->arena, &guard))
        return IL_NO_SPACE;
    loaded->derivation = read(loaded, text, file, &diagnostics);
    il_diagnose_all(&diagnostics, diagnose, context);
    if (loaded->derivation != NULL) {
        copy_names(loaded);
        loaded->reads_more = reads_more(loaded->derivation, &loaded->arena);
        if (!loaded->reads_more)
            loaded->flags = derivation_flags_open(
                loaded->derivation, loaded->derivation->regions[0].initial, &loaded->arena);
    }
    arena_release_guard(&loaded->arena, &guard);
    return loaded->derivation == NULL ? IL_INVALID : IL_OK;
}

il_status il_derive_load(const char *text, size_t size, const char *file, il_diagnose *diagnose,
                         void *context, il_derivation **loaded)
{
    if (text == NULL || loaded == NULL)
        return IL_MISUSE;
    if (size > DEFINITION_BYTES_MAX)
        return IL_NO_SPACE;
    struct il_derivation *derivation = memory_get(sizeof *derivation);
    arena_open(&derivation->arena, DEFINITION_ARENA_BYTES);
    il_status status = load(derivation, span_of(text, size), file, diagnose, context);
    if (status == IL_OK)
        *loaded = derivation;
    else
        il_derive_close(derivation);
    return status;
}

il_status il_derive_check(const il_derivation *derivation, il_diagnose *diagnose, void *context)
{
    struct arena arena;
    struct diagnostics diagnostics;
    struct arena_guard guard;
    if (derivation == NULL)
        return IL_MISUSE;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    diagnostics_init(&diagnostics, &arena);
    if (arena_is_spent(&arena, &guard)) {
        arena_close(&arena);
        return IL_NO_SPACE;
    }
    derivation_check(derivation->derivation, &diagnostics);
    il_diagnose_all(&diagnostics, diagnose, context);
    arena_release_guard(&arena, &guard);
    il_status status = diagnostics.errors > 0 ? IL_INVALID : IL_OK;
    arena_close(&arena);
    return status;
}

void il_derive_close(il_derivation *derivation)
{
    if (derivation == NULL)
        return;
    arena_close(&derivation->arena);
    memory_release(derivation);
}

uint32_t il_derive_state_count(const il_derivation *derivation)
{
    return derivation == NULL ? 0 : derivation->derivation->leaf_count;
}

const char *il_derive_state(const il_derivation *derivation, uint32_t state)
{
    return state < il_derive_state_count(derivation) ? derivation->states[state] : NULL;
}

uint32_t il_derive_find_state(const il_derivation *derivation, const char *path)
{
    if (derivation == NULL || path == NULL)
        return IL_NO_STATE;
    uint32_t found = IL_NO_STATE;
    for (uint32_t region = 0; region < derivation->derivation->region_count; region++) {
        if (found == IL_NO_STATE)
            found = derivation_find(derivation->derivation, region, span_from_text(path));
    }
    return found;
}

uint32_t il_derive_region_count(const il_derivation *derivation)
{
    return derivation == NULL ? 0 : derivation->derivation->region_count;
}

uint32_t il_derive_initial(const il_derivation *derivation, uint32_t region)
{
    return region < il_derive_region_count(derivation)
               ? derivation->derivation->regions[region].initial
               : IL_NO_STATE;
}

uint32_t il_derive_field_count(const il_derivation *derivation)
{
    return derivation == NULL ? 0 : derivation->derivation->read_count;
}

const char *il_derive_field(const il_derivation *derivation, uint32_t field)
{
    return field < il_derive_field_count(derivation) ? derivation->fields[field] : NULL;
}

/* One record */

static void derive(const struct il_derivation *derivation, uint32_t from, struct value record,
                   struct arena *arena, il_derived *derived)
{
    const struct derivation *about = derivation->derivation;
    struct value *slots = arena_new_array(arena, derivation_slot_count(about), struct value);
    uint32_t start = from == IL_NO_STATE ? about->regions[0].initial : from;
    derivation_bind(about, record, slots, arena);
    struct derived found = derivation_run(about, start, slots, arena);
    uint32_t place = about->leaves[start].order.first + found.place;
    *derived = (il_derived){found.state, found.holds, found.errors, about->visits[place].level};
}

static il_status derive_text(const struct il_derivation *derivation, uint32_t from,
                             struct span text, struct arena *arena, il_derived *derived)
{
    struct arena_guard guard;
    struct value record;
    struct json_error error;
    if (arena_is_spent(arena, &guard))
        return IL_NO_SPACE;
    bool is_good =
        json_read(text, arena, &record, &error) == STATUS_OK && record.kind == VALUE_MAP;
    if (is_good)
        derive(derivation, from, record, arena, derived);
    arena_release_guard(arena, &guard);
    return is_good ? IL_OK : IL_INVALID;
}

static bool is_start(const struct il_derivation *derivation, uint32_t from)
{
    return from == IL_NO_STATE || from < derivation->derivation->leaf_count;
}

il_status il_derive_json(const il_derivation *derivation, uint32_t from, const char *json,
                         size_t size, il_derived *derived)
{
    struct arena arena;
    if (derivation == NULL || json == NULL || derived == NULL || !is_start(derivation, from))
        return IL_MISUSE;
    arena_open(&arena, RECORD_BYTES);
    il_status status = derive_text(derivation, from, span_of(json, size), &arena, derived);
    arena_close(&arena);
    return status;
}

static bool read_value(const il_value *given, struct value *value)
{
    switch (given->kind) {
    case IL_KIND_MISSING:
        return false;
    case IL_KIND_NULL:
        *value = value_null();
        return true;
    case IL_KIND_BOOL:
        *value = value_bool(given->boolean);
        return true;
    case IL_KIND_INT:
        *value = value_int(given->integer);
        return true;
    case IL_KIND_DOUBLE:
        *value = value_double(given->real);
        return true;
    case IL_KIND_TEXT:
        *value = value_string(span_of(given->text, given->size));
        return true;
    }
    return false;
}

static il_status derive_values(const struct il_derivation *derivation, uint32_t from,
                               const il_value *values, struct arena *arena, il_derived *derived)
{
    struct arena_guard guard;
    uint32_t count = 0;
    if (arena_is_spent(arena, &guard))
        return IL_NO_SPACE;
    struct value_entry *entries =
        arena_new_array(arena, derivation->derivation->read_count, struct value_entry);
    for (uint32_t i = 0; i < derivation->derivation->read_count; i++) {
        struct value value;
        if (read_value(&values[i], &value))
            entries[count++] = (struct value_entry){
                value_string(derivation->derivation->fields[i].name), value};
    }
    derive(derivation, from, value_map(entries, count), arena, derived);
    arena_release_guard(arena, &guard);
    return IL_OK;
}

il_status il_derive_values(const il_derivation *derivation, uint32_t from,
                           const il_value *values, il_derived *derived)
{
    struct arena arena;
    _Alignas(16) char memory[VALUES_BYTES];
    if (derivation == NULL || values == NULL || derived == NULL || !is_start(derivation, from))
        return IL_MISUSE;
    if (derivation->reads_more)
        return IL_INVALID;
    arena_init(&arena, memory, sizeof memory);
    return derive_values(derivation, from, values, &arena, derived);
}
