/*
 * ext_list.c - lists as sequences (slice, sort, flatten, …), as sets, and of optionals.
 *
 * Sorting merges from short runs to long ones: stable, and n log n comparisons for any
 * input. All it compares must be of one kind that has an order.
 */
#include "expr/ext.h"

#include "base/ensure.h"
#include "base/limits.h"
#include "base/value_index.h"
#include "expr/access.h"
#include "expr/compare.h"

/* A list with room for so many elements; NULL when that is more than a value may have. */
static struct value *new_items(struct vm *vm, uint64_t count)
{
    vm_charge(vm, count);
    if (count > VALUE_BYTES_MAX / sizeof(struct value))
        return NULL;
    return arena_get(vm->arena, (size_t)count * sizeof(struct value));
}

static struct value too_long(struct vm *vm)
{
    return vm_error(vm, "a list of more than %d bytes", VALUE_BYTES_MAX);
}

/* list.slice(start, end), the end excluded; shares the list's elements. */
static struct value slice(struct vm *vm, const struct value *arguments, size_t count)
{
    int64_t start = arguments[1].integer;
    int64_t end = arguments[2].integer;
    (void)count;
    if (start < 0 || start > end || end > arguments[0].count)
        return vm_error(vm, "slice(%lld, %lld) of a list of %u elements", (long long)start,
                        (long long)end, arguments[0].count);
    return value_list(arguments[0].items + start, (size_t)(end - start));
}

static struct value range(struct vm *vm, const struct value *arguments, size_t count)
{
    uint64_t length = arguments[0].integer < 0 ? 0 : (uint64_t)arguments[0].integer;
    struct value *items = new_items(vm, length > VALUE_BYTES_MAX ? VALUE_BYTES_MAX : length);
    (void)count;
    if (items == NULL)
        return too_long(vm);
    for (uint64_t i = 0; i < length; i++)
        items[i] = value_int((int64_t)i);
    return value_list(items, (size_t)length);
}

struct value ext_list_reverse(struct vm *vm, struct value list)
{
    struct value *items = new_items(vm, list.count);
    if (items == NULL)
        return too_long(vm);
    for (uint32_t i = 0; i < list.count; i++)
        items[i] = list.items[list.count - 1 - i];
    return value_list(items, list.count);
}

static struct value first(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return arguments[0].count == 0 ? access_none() : access_wrap(vm, arguments[0].items[0]);
}

static struct value last(struct vm *vm, const struct value *arguments, size_t count)
{
    uint32_t length = arguments[0].count;
    (void)count;
    return length == 0 ? access_none() : access_wrap(vm, arguments[0].items[length - 1]);
}

/* [optional.of(1), optional.none()] → [1] */
static struct value unwrap(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value list = arguments[0];
    struct value *items = new_items(vm, list.count);
    uint32_t kept = 0;
    (void)count;
    if (items == NULL)
        return too_long(vm);
    for (uint32_t i = 0; i < list.count; i++) {
        if (list.items[i].kind != VALUE_OPTIONAL)
            return vm_no_overload(vm, "optional.unwrap", &list.items[i], 1);
        if (list.items[i].items != NULL)
            items[kept++] = *list.items[i].items;
    }
    return value_list(items, kept);
}

/* Flattening first counts, then writes: `to` is NULL while it counts. */
struct flattening {
    struct vm *vm;
    struct value *to;
    uint64_t count;
};

/* Lists nest no deeper than values may, which bounds the recursion. */
static void flatten_into(struct flattening *flattening, struct value list, int64_t levels)
{
    for (uint32_t i = 0; i < list.count && flattening->vm->cost_left >= 0; i++) {
        if (list.items[i].kind == VALUE_LIST && levels > 0) {
            flatten_into(flattening, list.items[i], levels - 1);
            continue;
        }
        if (flattening->to != NULL)
            flattening->to[flattening->count] = list.items[i];
        flattening->count++;
    }
    vm_charge(flattening->vm, 1 + list.count);
}

static struct value flatten(struct vm *vm, const struct value *arguments, size_t count)
{
    int64_t levels = count == 1 ? 1 : arguments[1].integer;
    struct flattening counting = {.vm = vm};
    if (levels < 0)
        return vm_error(vm, "flatten(%lld): a negative number of levels", (long long)levels);
    flatten_into(&counting, arguments[0], levels);
    if (vm->cost_left < 0)
        return value_null();
    struct flattening writing = {.vm = vm, .to = new_items(vm, counting.count)};
    if (writing.to == NULL)
        return too_long(vm);
    flatten_into(&writing, arguments[0], levels);
    return vm->cost_left < 0 ? value_null() : value_list(writing.to, (size_t)writing.count);
}

/* Of elements that are equal the first is kept. Chains of those with like hashes keep the work
 * near linear. */
static struct value distinct(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value list = arguments[0];
    struct value *items = new_items(vm, list.count);
    uint32_t bucket_count = 16;
    uint32_t kept = 0;
    (void)count;
    if (items == NULL)
        return too_long(vm);
    while (bucket_count < list.count)
        bucket_count *= 2;
    /* Positions in items, plus one: the first of a chain, and the next in it. */
    uint32_t *buckets = arena_new_array(vm->arena, bucket_count, uint32_t);
    uint32_t *next = arena_new_array(vm->arena, (size_t)list.count + 1, uint32_t);
    for (uint32_t i = 0; i < list.count && vm->cost_left >= 0; i++) {
        uint32_t *place = &buckets[compare_hash(vm, list.items[i]) & (bucket_count - 1)];
        while (*place != 0 && !compare_equal(vm, items[*place - 1], list.items[i]))
            place = &next[*place];
        if (*place != 0)
            continue;
        items[kept++] = list.items[i];
        *place = kept;
    }
    return value_list(items, kept);
}

static bool has_order(struct value value)
{
    return ((KINDS_NUMBER | KINDS_BOOL | KINDS_STRING | KINDS_BYTES | KINDS_MOMENT) >>
                value.kind &
            1) != 0;
}

/* Null when all keys can be sorted; else an error. */
static struct value check_keys(struct vm *vm, struct value keys)
{
    for (uint32_t i = 0; i < keys.count; i++) {
        if (keys.items[i].kind != keys.items[0].kind)
            return vm_error(vm, "sorting %s and %s: all must be of one type",
                            vm_kind_name(keys.items[0].kind), vm_kind_name(keys.items[i].kind));
    }
    if (keys.count > 0 && !has_order(keys.items[0]))
        return vm_error(vm, "sorting: %s has no order", vm_kind_name(keys.items[0].kind));
    return value_null();
}

/* Merges the runs [from, middle) and [middle, to) of positions. */
static void merge(struct vm *vm, const struct value *keys, const uint32_t *positions,
                  uint32_t *merged, uint32_t bounds[3])
{
    uint32_t left = bounds[0];
    uint32_t right = bounds[1];
    for (uint32_t i = bounds[0]; i < bounds[2]; i++) {
        bool takes_right =
            left == bounds[1] ||
            (right < bounds[2] &&
             compare_values(vm, keys[positions[right]], keys[positions[left]]) == COMPARE_LESS);
        merged[i] = positions[takes_right ? right++ : left++];
    }
    vm_charge(vm, bounds[2] - bounds[0]);
}

/* The positions of the keys in their order. */
static const uint32_t *sort_positions(struct vm *vm, const struct value *keys, uint32_t count)
{
    uint32_t *positions = arena_get(vm->arena, (size_t)count * sizeof *positions);
    uint32_t *merged = arena_get(vm->arena, (size_t)count * sizeof *merged);
    for (uint32_t i = 0; i < count; i++)
        positions[i] = i;
    for (uint32_t run = 1; run < count && vm->cost_left >= 0; run *= 2) {
        for (uint32_t from = 0; from < count; from += 2 * run) {
            uint32_t middle = from + run < count ? from + run : count;
            uint32_t to = middle + run < count ? middle + run : count;
            merge(vm, keys, positions, merged, (uint32_t[]){from, middle, to});
        }
        uint32_t *swap = positions;
        positions = merged;
        merged = swap;
    }
    return positions;
}

struct value ext_list_sort_by(struct vm *vm, struct value list, struct value keys)
{
    ensure(list.count == keys.count);
    struct value wrong = check_keys(vm, keys);
    struct value *items = new_items(vm, list.count);
    if (wrong.kind == VALUE_ERROR)
        return wrong;
    if (items == NULL)
        return too_long(vm);
    const uint32_t *positions = sort_positions(vm, keys.items, keys.count);
    for (uint32_t i = 0; i < list.count; i++)
        items[i] = list.items[positions[i]];
    return value_list(items, list.count);
}

static struct value sort(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return ext_list_sort_by(vm, arguments[0], arguments[0]);
}

/* Whether each element (or, for `wanted` true, any) of one list is in the other. */
static bool is_found(struct vm *vm, struct value elements, struct value list, bool wanted)
{
    for (uint32_t i = 0; i < elements.count && vm->cost_left >= 0; i++) {
        if (value_is_true(compare_in(vm, elements.items[i], list)) == wanted)
            return wanted;
    }
    return !wanted;
}

static struct value sets_contains(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return value_bool(is_found(vm, arguments[1], arguments[0], false));
}

static struct value sets_equivalent(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return value_bool(is_found(vm, arguments[1], arguments[0], false) &&
                      is_found(vm, arguments[0], arguments[1], false));
}

static struct value sets_intersects(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return value_bool(is_found(vm, arguments[0], arguments[1], true));
}

static const struct builtin functions[] = {
    {SPAN_INIT("slice"),
     BUILTIN_METHOD,
     3,
     3,
     false,
     {KINDS_LIST, KINDS_INT, KINDS_INT},
     slice},
    {SPAN_INIT("flatten"), BUILTIN_METHOD, 1, 2, true, {KINDS_LIST, KINDS_INT}, flatten},
    {SPAN_INIT("distinct"), BUILTIN_METHOD, 1, 1, true, {KINDS_LIST}, distinct},
    {SPAN_INIT("sort"), BUILTIN_METHOD, 1, 1, true, {KINDS_LIST}, sort},
    {SPAN_INIT("first"), BUILTIN_METHOD, 1, 1, true, {KINDS_LIST}, first},
    {SPAN_INIT("last"), BUILTIN_METHOD, 1, 1, true, {KINDS_LIST}, last},
    {SPAN_INIT("lists.range"), BUILTIN_GLOBAL, 1, 1, true, {KINDS_INT}, range},
    {SPAN_INIT("optional.unwrap"), BUILTIN_GLOBAL, 1, 1, true, {KINDS_LIST}, unwrap},
    {SPAN_INIT("unwrapOpt"), BUILTIN_METHOD, 1, 1, true, {KINDS_LIST}, unwrap},
    {SPAN_INIT("sets.contains"),
     BUILTIN_GLOBAL,
     2,
     2,
     false,
     {KINDS_LIST, KINDS_LIST},
     sets_contains},
    {SPAN_INIT("sets.equivalent"),
     BUILTIN_GLOBAL,
     2,
     2,
     false,
     {KINDS_LIST, KINDS_LIST},
     sets_equivalent},
    {SPAN_INIT("sets.intersects"),
     BUILTIN_GLOBAL,
     2,
     2,
     false,
     {KINDS_LIST, KINDS_LIST},
     sets_intersects},
};

const struct builtin_library ext_list_library = {functions,
                                                 sizeof functions / sizeof *functions};
