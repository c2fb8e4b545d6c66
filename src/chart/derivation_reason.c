/*
 * derivation_reason.c - validators as predicates of one variable, the record.
 *
 * The programs that derive read fields from slots, with presets filled in. Here they are
 * compiled against the record alone, since an answer must be a record; what presets do is told
 * as facts about fields. A leaf holds when its validator and those of its ancestors do, so they
 * become one predicate.
 */
#include "chart/derivation_reason.h"

#include "base/json.h"

struct derivation_reason {
    const struct reason *reason;
    struct reason_world world;
    struct expr_scope scope;
};

static const struct expr_program *compile_leaf(const struct derivation *derivation,
                                               uint32_t leaf, const struct expr_scope *scope,
                                               struct arena *arena,
                                               struct diagnostics *diagnostics)
{
    struct range range = derivation->leaves[leaf].validators;
    struct text text;
    text_init(&text, arena);
    for (uint32_t i = 0; i < range.count; i++) {
        uint32_t validator = derivation->validator_refs[range.first + i];
        struct span part = derivation->validators[validator].text;
        text_format(&text, "%s(%.*s\n)", i == 0 ? "" : " && ", SPAN_ARGS(part));
    }
    struct span whole = range.count == 0 ? SPAN("false") : text_span(&text);
    return expr_compile(whole, derivation->states[derivation->leaves[leaf].state].place, scope,
                        arena, diagnostics);
}

/* A field with a preset is never missing nor null when a validator sees it. */
static uint32_t preset_kinds(const struct derivation_field *field, enum reason_unknown unknown)
{
    if (unknown == REASON_AS_USED && field->kind == VALUE_DOUBLE)
        return 1u << VALUE_INT | 1u << VALUE_DOUBLE;
    if (unknown == REASON_AS_USED && field->kind != VALUE_NULL)
        return 1u << field->kind;
    return 1u << VALUE_BOOL | 1u << VALUE_INT | 1u << VALUE_DOUBLE | 1u << VALUE_STRING |
           1u << VALUE_LIST | 1u << VALUE_MAP;
}

static void tell_fields(struct derivation_reason *reason, const struct derivation *derivation,
                        enum reason_unknown unknown, struct arena *arena)
{
    struct reason_field *fields =
        arena_new_array(arena, derivation->field_count + 1, struct reason_field);
    size_t count = 0;
    fields[count++] = (struct reason_field){
        .path = derivation->record, .kinds = 1u << VALUE_MAP, .is_required = true};
    for (uint32_t i = 0; i < derivation->field_count; i++) {
        const struct derivation_field *field = &derivation->fields[i];
        if (!field->has_preset)
            continue;
        struct span path = text_print(arena, "%.*s.%.*s", SPAN_ARGS(derivation->record),
                                      SPAN_ARGS(field->name));
        fields[count++] = (struct reason_field){
            .path = path, .kinds = preset_kinds(field, unknown), .is_required = true};
    }
    reason->world = (struct reason_world){
        .scope = &reason->scope, .fields = fields, .field_count = count, .unknown = unknown};
}

const struct derivation_reason *derivation_reason_open(const struct derivation *derivation,
                                                       enum reason_unknown unknown,
                                                       struct arena *arena)
{
    struct derivation_reason *reason = arena_new(arena, struct derivation_reason);
    struct diagnostics unused; /* the texts were compiled before; only limits can be met */
    const struct expr_program **programs =
        arena_new_array(arena, derivation->leaf_count, const struct expr_program *);
    diagnostics_init(&unused, arena);
    reason->scope = (struct expr_scope){.variables = &derivation->record, .variable_count = 1};
    for (uint32_t leaf = 0; leaf < derivation->leaf_count; leaf++) {
        programs[leaf] = compile_leaf(derivation, leaf, &reason->scope, arena, &unused);
        if (programs[leaf] == NULL)
            return NULL;
    }
    tell_fields(reason, derivation, unknown, arena);
    reason->reason = reason_open(programs, derivation->leaf_count, &reason->world, arena);
    return reason;
}

enum reason_verdict derivation_reason_ask(const struct derivation_reason *reason,
                                          const struct reason_wish *wishes, size_t count,
                                          struct value *record, struct arena *arena)
{
    struct reason_answer answer = reason_ask(reason->reason, wishes, count, arena);
    if (answer.verdict != REASON_YES)
        return answer.verdict;
    bool is_read = answer.slots[0].kind == VALUE_MAP; /* unbound when no validator reads it */
    *record = json_plain(arena, is_read ? answer.slots[0] : value_map(NULL, 0));
    return record->kind == VALUE_MAP ? REASON_YES : REASON_UNKNOWN;
}
