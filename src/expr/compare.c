/*
 * compare.c - comparing values.
 *
 * Values can share their parts, so a small value may be very large to walk over; every
 * step is charged, and a spent budget ends the walk (the answer is then thrown away).
 */
#include "expr/compare.h"

#include "base/ensure.h"
#include "base/value_index.h"
#include "expr/access.h"

static bool is_number(struct value value)
{
    return value.kind == VALUE_INT || value.kind == VALUE_UINT || value.kind == VALUE_DOUBLE;
}

static enum compare_order order_of(int order)
{
    return order == 2 ? COMPARE_UNORDERED
                      : (enum compare_order)(order < 0   ? COMPARE_LESS
                                             : order > 0 ? COMPARE_GREATER
                                                         : COMPARE_EQUAL);
}

static bool lists_equal(struct vm *vm, struct value a, struct value b)
{
    if (a.count != b.count)
        return false;
    for (uint32_t i = 0; i < a.count && vm->cost_left >= 0; i++) {
        if (!compare_equal(vm, a.items[i], b.items[i]))
            return false;
    }
    return true;
}

/* As in base/value.c, charged. */
static bool large_maps_equal(struct vm *vm, struct value a, struct value b)
{
    struct value_index index;
    uint32_t found = 0;
    for (uint32_t first = 0; first < b.count && vm->cost_left >= 0; first += VALUE_INDEX_MAX) {
        value_index_fill(&index, b, first);
        vm_charge(vm, (a.count + VALUE_INDEX_MAX) / 4);
        for (uint32_t i = 0; i < a.count && vm->cost_left >= 0; i++) {
            const struct value *other = value_index_find(&index, a.entries[i].key);
            if (other != NULL && !compare_equal(vm, a.entries[i].value, *other))
                return false;
            found += other != NULL;
        }
    }
    return found == a.count;
}

static bool maps_equal(struct vm *vm, struct value a, struct value b)
{
    if (a.count != b.count)
        return false;
    if (a.count >= VALUE_INDEX_MIN)
        return large_maps_equal(vm, a, b);
    for (uint32_t i = 0; i < a.count && vm->cost_left >= 0; i++) {
        const struct value *other = access_find(vm, b, a.entries[i].key);
        if (other == NULL || !compare_equal(vm, a.entries[i].value, *other))
            return false;
    }
    return true;
}

static bool optionals_equal(struct vm *vm, struct value a, struct value b)
{
    if (a.items == NULL || b.items == NULL)
        return a.items == b.items;
    return compare_equal(vm, *a.items, *b.items);
}

bool compare_equal(struct vm *vm, struct value a, struct value b)
{
    vm_charge(vm, 1);
    if (a.kind == VALUE_STRING || a.kind == VALUE_BYTES) {
        vm_charge_bytes(vm, a.count);
        return a.kind == b.kind && span_equal(value_span(a), value_span(b));
    }
    if (a.kind == b.kind && a.kind == VALUE_LIST)
        return lists_equal(vm, a, b);
    if (a.kind == b.kind && a.kind == VALUE_MAP)
        return maps_equal(vm, a, b);
    if (a.kind == b.kind && a.kind == VALUE_OPTIONAL)
        return optionals_equal(vm, a, b);
    return value_equal(a, b);
}

/* Entries are added up, since their order says nothing. */
uint64_t compare_hash(struct vm *vm, struct value value)
{
    uint64_t hash = value_index_hash(value);
    vm_charge(vm, 1);
    vm_charge_bytes(vm,
                    value.kind == VALUE_STRING || value.kind == VALUE_BYTES ? value.count : 0);
    if (value.kind == VALUE_OPTIONAL && value.items != NULL)
        return hash + compare_hash(vm, *value.items);
    for (uint32_t i = 0; value.kind == VALUE_LIST && i < value.count && vm->cost_left >= 0; i++)
        hash = hash * 31 + compare_hash(vm, value.items[i]);
    for (uint32_t i = 0; value.kind == VALUE_MAP && i < value.count && vm->cost_left >= 0; i++)
        hash += compare_hash(vm, value.entries[i].key) * 31 +
                compare_hash(vm, value.entries[i].value);
    return hash;
}

static enum compare_order compare_times(struct value a, struct value b)
{
    if (a.integer != b.integer)
        return a.integer < b.integer ? COMPARE_LESS : COMPARE_GREATER;
    return order_of(((int32_t)a.count > (int32_t)b.count) -
                    ((int32_t)a.count < (int32_t)b.count));
}

enum compare_order compare_values(struct vm *vm, struct value a, struct value b)
{
    if (is_number(a) && is_number(b))
        return order_of(value_compare_numbers(a, b));
    if (a.kind != b.kind)
        return COMPARE_IMPOSSIBLE;
    switch ((enum value_kind)a.kind) {
    case VALUE_BOOL:
        return order_of((int)a.boolean - (int)b.boolean);
    case VALUE_STRING:
    case VALUE_BYTES:
        vm_charge_bytes(vm, a.count);
        int order = span_compare(value_span(a), value_span(b));
        return order_of((order > 0) - (order < 0));
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
        return compare_times(a, b);
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
    case VALUE_NULL:
    case VALUE_LIST:
    case VALUE_MAP:
    case VALUE_TYPE:
    case VALUE_IP:
    case VALUE_CIDR:
    case VALUE_OPTIONAL:
    case VALUE_ERROR:
        return COMPARE_IMPOSSIBLE;
    case VALUE_KIND_COUNT:
        break;
    }
    never();
}

struct value compare_in(struct vm *vm, struct value element, struct value container)
{
    if (element.kind == VALUE_ERROR)
        return element;
    if (container.kind == VALUE_MAP)
        return value_bool(access_find(vm, container, element) != NULL);
    if (container.kind != VALUE_LIST)
        return vm_no_operator(vm, element, AST_IN, container);
    for (uint32_t i = 0; i < container.count && vm->cost_left >= 0; i++) {
        if (compare_equal(vm, element, container.items[i]))
            return value_bool(true);
    }
    return value_bool(false);
}
