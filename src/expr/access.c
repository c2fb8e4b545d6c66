/*
 * access.c - reading out of maps, lists and optionals.
 *
 * Maps are rows of entries in written order. JSON objects are small, so a scan that first
 * compares sizes beats a hash; a scan of a large one is charged.
 */
#include "expr/access.h"

#include "base/ensure.h"

static const struct value *find_text(struct vm *vm, struct value map, struct value key)
{
    for (uint32_t i = 0; i < map.count; i++) {
        const struct value *candidate = &map.entries[i].key;
        if (candidate->kind == VALUE_STRING && candidate->count == key.count &&
            memcmp(candidate->text, key.text, key.count) == 0) {
            vm_charge(vm, i / 8);
            return &map.entries[i].value;
        }
    }
    vm_charge(vm, map.count / 8);
    return NULL;
}

const struct value *access_find(struct vm *vm, struct value map, struct value key)
{
    if (key.kind == VALUE_STRING)
        return find_text(vm, map, key);
    if (key.kind == VALUE_LIST || key.kind == VALUE_MAP)
        return NULL; /* never a key, and dear to compare */
    vm_charge(vm, map.count / 4);
    for (uint32_t i = 0; i < map.count; i++) {
        if (value_equal(map.entries[i].key, key))
            return &map.entries[i].value;
    }
    return NULL;
}

struct value access_wrap(struct vm *vm, struct value value)
{
    if (vm->arena == NULL)
        return vm_unspoken(vm);
    struct value *item = arena_get(vm->arena, sizeof *item);
    *item = value;
    return (struct value){.kind = VALUE_OPTIONAL, .count = 1, .items = item};
}

static struct value no_such_key(struct vm *vm, struct value key)
{
    if (key.kind == VALUE_STRING)
        return vm_error(vm, "no such key: '%.*s'", SPAN_ARGS(value_span(key)));
    if (key.kind == VALUE_INT)
        return vm_error(vm, "no such key: %lld", (long long)key.integer);
    if (key.kind == VALUE_UINT)
        return vm_error(vm, "no such key: %lluu", (unsigned long long)key.uinteger);
    if (key.kind == VALUE_BOOL)
        return vm_error(vm, "no such key: %s", key.boolean ? "true" : "false");
    return vm_error(vm, "no such key: a value of type %s", vm_kind_name(key.kind));
}

static struct value not_a_map(struct vm *vm, struct value operand, struct value field)
{
    return vm_error(vm, "no such member: '%.*s' of %s", SPAN_ARGS(value_span(field)),
                    vm_kind_name(operand.kind));
}

struct value access_member(struct vm *vm, struct value operand, const struct value field[2])
{
    if (operand.kind == VALUE_MAP) {
        const struct value *found = find_text(vm, operand, field[0]);
        return found != NULL ? *found : field[1];
    }
    if (operand.kind == VALUE_OPTIONAL)
        return access_optional_member(vm, operand, field[0]);
    return operand.kind == VALUE_ERROR ? operand : not_a_map(vm, operand, field[0]);
}

struct value access_optional_member(struct vm *vm, struct value operand, struct value field)
{
    if (operand.kind == VALUE_OPTIONAL) {
        if (operand.items == NULL)
            return operand;
        operand = *operand.items;
    }
    if (operand.kind == VALUE_MAP) {
        const struct value *found = find_text(vm, operand, field);
        return found != NULL ? access_wrap(vm, *found) : access_none();
    }
    return operand.kind == VALUE_ERROR ? operand : not_a_map(vm, operand, field);
}

struct value access_has(struct vm *vm, struct value operand, struct value field)
{
    if (operand.kind == VALUE_OPTIONAL) {
        if (operand.items == NULL)
            return value_bool(false);
        operand = *operand.items;
    }
    if (operand.kind == VALUE_MAP)
        return value_bool(find_text(vm, operand, field) != NULL);
    return operand.kind == VALUE_ERROR ? operand : not_a_map(vm, operand, field);
}

/* The whole number that an index stands for; false when it is none. */
static bool read_position(struct value index, uint64_t *position)
{
    if (index.kind == VALUE_INT) {
        *position = (uint64_t)index.integer;
        return index.integer >= 0;
    }
    if (index.kind == VALUE_UINT) {
        *position = index.uinteger;
        return true;
    }
    if (index.kind != VALUE_DOUBLE || !(index.real >= 0 && index.real < 0x1p63))
        return false;
    *position = (uint64_t)index.real;
    return (double)*position == index.real;
}

static bool is_index_kind(struct value index)
{
    return index.kind == VALUE_INT || index.kind == VALUE_UINT || index.kind == VALUE_DOUBLE;
}

/* The element, or NULL when it is not there; an error in *wrong when it cannot be. */
static const struct value *find_element(struct vm *vm, struct value operand, struct value index,
                                        struct value *wrong)
{
    uint64_t position;
    *wrong = value_null();
    if (operand.kind == VALUE_ERROR || index.kind == VALUE_ERROR) {
        *wrong = operand.kind == VALUE_ERROR ? operand : index;
    } else if (operand.kind == VALUE_MAP) {
        return access_find(vm, operand, index);
    } else if (operand.kind != VALUE_LIST || !is_index_kind(index)) {
        *wrong = vm_error(vm, "no such overload: %s[%s]", vm_kind_name(operand.kind),
                          vm_kind_name(index.kind));
    } else if (index.kind == VALUE_DOUBLE && !read_position(index, &position)) {
        *wrong = vm_error(vm, "a list's index is a whole number");
    } else if (read_position(index, &position) && position < operand.count) {
        return &operand.items[position];
    }
    return NULL;
}

struct value access_element(struct vm *vm, struct value operand, struct value index)
{
    struct value wrong;
    if (operand.kind == VALUE_OPTIONAL)
        return access_optional_element(vm, operand, index);
    const struct value *found = find_element(vm, operand, index, &wrong);
    if (found != NULL)
        return *found;
    if (wrong.kind == VALUE_ERROR)
        return wrong;
    if (operand.kind == VALUE_MAP)
        return no_such_key(vm, index);
    return vm_error(vm, "index out of bounds: the list has %u elements", operand.count);
}

struct value access_optional_element(struct vm *vm, struct value operand, struct value index)
{
    struct value wrong;
    if (operand.kind == VALUE_OPTIONAL) {
        if (index.kind == VALUE_ERROR || operand.items == NULL)
            return index.kind == VALUE_ERROR ? index : operand;
        operand = *operand.items;
    }
    const struct value *found = find_element(vm, operand, index, &wrong);
    if (found != NULL)
        return access_wrap(vm, *found);
    return wrong.kind == VALUE_ERROR ? wrong : access_none();
}
