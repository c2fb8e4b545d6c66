/*
 * fold.c - construction and repetition.
 *
 * Lists and maps grow in place: nothing else has seen them yet. Their room doubles, so a
 * walk that keeps n elements copies at most 2n.
 */
#include "expr/fold.h"

#include "base/ensure.h"
#include "base/limits.h"
#include "expr/access.h"
#include "expr/ext.h"

struct value fold_new_list(struct vm *vm, uint32_t room)
{
    struct value *items = arena_get(vm->arena, room * sizeof *items);
    return value_list(items, 0);
}

struct value fold_new_map(struct vm *vm, uint32_t room)
{
    struct value_entry *entries = arena_get(vm->arena, room * sizeof *entries);
    return value_map(entries, 0);
}

/* False when the optional element is none or wrong; *element is its value otherwise. */
static bool unwrap(struct vm *vm, struct value *into, struct value *element)
{
    if (element->kind != VALUE_OPTIONAL) {
        *into = vm_error(vm, "no such overload: ?%s, where an optional is needed",
                         vm_kind_name(element->kind));
        return false;
    }
    if (element->items == NULL)
        return false;
    *element = *element->items;
    return true;
}

static void append(struct value *list, struct value element)
{
    /* The arena's memory under a list that is being built belongs to it alone. */
    ((struct value *)(uintptr_t)list->items)[list->count++] = element;
}

void fold_add_element(struct vm *vm, struct value *list, struct value element, bool is_optional)
{
    if (list->kind == VALUE_ERROR)
        return;
    if (element.kind == VALUE_ERROR) {
        *list = element;
        return;
    }
    if (is_optional && !unwrap(vm, list, &element))
        return;
    append(list, element);
}

static bool is_key(struct value key)
{
    return key.kind == VALUE_STRING || key.kind == VALUE_INT || key.kind == VALUE_UINT ||
           key.kind == VALUE_BOOL;
}

static void append_entry(struct value *map, struct value key, struct value value)
{
    struct value_entry *entries = (struct value_entry *)(uintptr_t)map->entries;
    entries[map->count++] = (struct value_entry){key, value};
}

void fold_add_entry(struct vm *vm, struct value *map, struct value key, struct value value,
                    bool is_optional)
{
    if (map->kind == VALUE_ERROR)
        return;
    if (key.kind == VALUE_ERROR || value.kind == VALUE_ERROR)
        *map = key.kind == VALUE_ERROR ? key : value;
    else if (!is_key(key))
        *map = vm_error(vm, "unsupported key type: %s", vm_kind_name(key.kind));
    else if (is_optional && !unwrap(vm, map, &value))
        return;
    else if (access_find(vm, *map, key) != NULL)
        *map = key.kind == VALUE_STRING
                   ? vm_error(vm, "duplicate key: '%.*s'", SPAN_ARGS(value_span(key)))
                   : vm_error(vm, "duplicate key in a map");
    else
        append_entry(map, key, value);
}

bool fold_begin(struct vm *vm, struct value *places, enum ast_fold fold)
{
    struct value *range = &places[FOLD_RANGE];
    bool is_range =
        range->kind == VALUE_LIST || (range->kind == VALUE_MAP && fold != FOLD_SORT);
    if (!is_range) {
        if (range->kind != VALUE_ERROR)
            *range = vm_error(vm, "no such overload: %s.%s(…), where a list%s is needed",
                              vm_kind_name(range->kind), ast_fold_name(fold),
                              fold == FOLD_SORT ? "" : " or map");
        return false;
    }
    places[FOLD_POSITION] = value_int(0);
    if (fold == FOLD_ALL || fold == FOLD_EXISTS)
        places[FOLD_RESULT] = value_bool(fold == FOLD_ALL);
    else if (fold == FOLD_EXISTS_ONE)
        places[FOLD_RESULT] = value_int(0);
    else if (fold == FOLD_LIST || fold == FOLD_SORT)
        places[FOLD_RESULT] = value_list(NULL, 0);
    else
        places[FOLD_RESULT] = value_map(NULL, 0);
    places[FOLD_FIRST] = value_null();
    places[FOLD_SECOND] = value_null();
    return true;
}

bool fold_next(struct value *places, unsigned variables)
{
    struct value range = places[FOLD_RANGE];
    int64_t position = places[FOLD_POSITION].integer;
    if (position == range.count)
        return false;
    places[FOLD_POSITION].integer++;
    if (range.kind == VALUE_MAP) {
        places[FOLD_FIRST] = range.entries[position].key;
        places[FOLD_SECOND] = range.entries[position].value;
    } else if (variables == 1) {
        places[FOLD_FIRST] = range.items[position];
    } else {
        places[FOLD_FIRST] = value_int(position);
        places[FOLD_SECOND] = range.items[position];
    }
    return true;
}

bool fold_is_over(const struct value *places)
{
    return places[FOLD_RESULT].kind == VALUE_ERROR;
}

static struct value not_a_bool(struct vm *vm, struct value value)
{
    if (value.kind == VALUE_ERROR)
        return value;
    return vm_error(vm, "no such overload: a condition of type %s", vm_kind_name(value.kind));
}

bool fold_passes(struct vm *vm, struct value *places, struct value condition)
{
    if (condition.kind != VALUE_BOOL)
        places[FOLD_RESULT] = not_a_bool(vm, condition);
    return condition.kind == VALUE_BOOL && condition.boolean;
}

/* all and exists: `deciding` ends the walk; an error stays until something decides. */
static bool step_logic(struct vm *vm, struct value *result, struct value body, bool deciding)
{
    if (body.kind != VALUE_BOOL) {
        if (result->kind != VALUE_ERROR)
            *result = not_a_bool(vm, body);
        return true;
    }
    if (body.boolean != deciding)
        return true;
    *result = body;
    return false;
}

/* exists_one looks at all elements, so an error is its result. */
static bool step_one(struct vm *vm, struct value *result, struct value body)
{
    if (body.kind != VALUE_BOOL) {
        *result = not_a_bool(vm, body);
        return false;
    }
    result->integer += body.boolean;
    return true;
}

/* Whether a row of count elements, whose room doubles from 4, is full. */
static bool is_full(uint32_t count)
{
    return count < 4 ? count == 0 : (count & (count - 1)) == 0;
}

static void *double_room(struct vm *vm, const void *row, uint32_t count, size_t size)
{
    void *larger = arena_get(vm->arena, (count < 4 ? 4 : (size_t)count * 2) * size);
    if (count > 0)
        memcpy(larger, row, count * size);
    return larger;
}

static bool step_list(struct vm *vm, struct value *result, struct value body)
{
    if (body.kind == VALUE_ERROR) {
        *result = body;
        return false;
    }
    if (is_full(result->count))
        result->items = double_room(vm, result->items, result->count, sizeof body);
    append(result, body);
    return true;
}

static void make_entry_room(struct vm *vm, struct value *map)
{
    if (is_full(map->count))
        map->entries = double_room(vm, map->entries, map->count, sizeof(struct value_entry));
}

/* The keys are those of a map or positions of a list, so none comes twice. */
static bool step_map(struct vm *vm, struct value *result, struct value key, struct value body)
{
    if (body.kind == VALUE_ERROR) {
        *result = body;
        return false;
    }
    make_entry_room(vm, result);
    append_entry(result, key, body);
    return true;
}

static bool step_entries(struct vm *vm, struct value *result, struct value body)
{
    if (body.kind != VALUE_MAP) {
        *result = body.kind == VALUE_ERROR
                      ? body
                      : vm_error(vm, "transformMapEntry needs a map, not %s",
                                 vm_kind_name(body.kind));
        return false;
    }
    vm_charge(vm, body.count);
    for (uint32_t i = 0; i < body.count && vm->cost_left >= 0; i++) {
        make_entry_room(vm, result);
        fold_add_entry(vm, result, body.entries[i].key, body.entries[i].value, false);
        if (result->kind == VALUE_ERROR)
            return false;
    }
    return true;
}

bool fold_step(struct vm *vm, struct value *places, struct value body, enum ast_fold fold)
{
    struct value *result = &places[FOLD_RESULT];
    switch (fold) {
    case FOLD_ALL:
        return step_logic(vm, result, body, false);
    case FOLD_EXISTS:
        return step_logic(vm, result, body, true);
    case FOLD_EXISTS_ONE:
        return step_one(vm, result, body);
    case FOLD_LIST:
    case FOLD_SORT:
        return step_list(vm, result, body);
    case FOLD_MAP:
        return step_map(vm, result, places[FOLD_FIRST], body);
    case FOLD_ENTRIES:
        return step_entries(vm, result, body);
    case FOLD_COUNT:
        break;
    }
    never();
}

struct value fold_end(struct vm *vm, const struct value *places, enum ast_fold fold)
{
    struct value result = places[FOLD_RESULT];
    if (fold == FOLD_SORT && result.kind == VALUE_LIST && vm->cost_left >= 0)
        return ext_list_sort_by(vm, places[FOLD_RANGE], result);
    if (fold == FOLD_EXISTS_ONE && result.kind == VALUE_INT)
        return value_bool(result.integer == 1);
    return result;
}

bool fold_open_optional(struct vm *vm, struct value *optional)
{
    if (optional->kind != VALUE_OPTIONAL) {
        if (optional->kind != VALUE_ERROR)
            *optional = vm_no_overload(vm, "optMap", optional, 1);
        return false;
    }
    if (optional->items == NULL)
        return false;
    *optional = *optional->items;
    return true;
}

struct value fold_close_optional(struct vm *vm, struct value body, bool is_flat)
{
    if (body.kind == VALUE_ERROR || (is_flat && body.kind == VALUE_OPTIONAL))
        return body;
    if (is_flat)
        return vm_no_overload(vm, "optFlatMap", &body, 1);
    return access_wrap(vm, body);
}

bool fold_is_decided(struct vm *vm, struct value *optional, bool takes_value)
{
    if (optional->kind != VALUE_OPTIONAL) {
        if (optional->kind != VALUE_ERROR)
            *optional = vm_no_overload(vm, takes_value ? "orValue" : "or", optional, 1);
        return true;
    }
    if (optional->items == NULL)
        return false;
    if (takes_value)
        *optional = *optional->items;
    return true;
}
