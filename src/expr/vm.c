/*
 * vm.c - the row VM: one program, one frame, one value.
 *
 * A switch over small instructions. What is common and cheap (ints, bools, strings that
 * are equal) is done in place, the rest by the files that know how. Straight code is
 * bounded by its length, so only what repeats or grows takes from the cost budget.
 */
#include "expr/vm.h"

#include "base/ensure.h"
#include "base/limits.h"
#include "expr/access.h"
#include "expr/arithmetic.h"
#include "expr/builtin.h"
#include "expr/compare.h"
#include "expr/fold.h"

/* The compiler counts what lies on the stack, so no code reads what none has written there; the
 * analyser follows single instructions and cannot know.
 * NOLINTBEGIN(clang-analyzer-core.CallAndMessage)
 * NOLINTBEGIN(clang-analyzer-core.UndefinedBinaryOperatorResult) */

struct value vm_unspoken(struct vm *vm)
{
    vm->is_unspoken = true;
    return value_error(SPAN("an error"));
}

struct value vm_error(struct vm *vm, const char *format, ...)
{
    if (vm->arena == NULL)
        return vm_unspoken(vm);
    struct text text;
    va_list arguments;
    text_init(&text, vm->arena);
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    vm_charge(vm, 8);
    return value_error(text_span(&text));
}

const char *vm_kind_name(enum value_kind kind)
{
    if (kind == VALUE_TIMESTAMP)
        return "timestamp";
    if (kind == VALUE_DURATION)
        return "duration";
    if (kind == VALUE_OPTIONAL)
        return "optional";
    return kind == VALUE_NULL ? "null" : value_kind_name(kind);
}

struct value vm_no_overload(struct vm *vm, const char *name, const struct value *arguments,
                            size_t count)
{
    struct text text;
    if (vm->arena == NULL)
        return vm_unspoken(vm);
    text_init(&text, vm->arena);
    text_format(&text, "no such overload: %s(", name);
    for (size_t i = 0; i < count; i++)
        text_format(&text, "%s%s", i == 0 ? "" : ", ", vm_kind_name(arguments[i].kind));
    text_add_byte(&text, ')');
    return value_error(text_span(&text));
}

struct value vm_no_operator(struct vm *vm, struct value left, enum ast_operator operator,
                            struct value right)
{
    if (left.kind == VALUE_ERROR || right.kind == VALUE_ERROR)
        return left.kind == VALUE_ERROR ? left : right;
    return vm_error(vm, "no such overload: %s %s %s", vm_kind_name(left.kind),
                    ast_operator_text(operator), vm_kind_name(right.kind));
}

static enum ast_operator operator_of_orders(uint32_t orders)
{
    if (orders & COMPARE_LESS)
        return orders & COMPARE_EQUAL ? AST_LESS_EQUAL : AST_LESS;
    return orders & COMPARE_EQUAL ? AST_GREATER_EQUAL : AST_GREATER;
}

static inline struct value compare(struct vm *vm, struct value a, uint32_t orders,
                                   struct value b)
{
    enum compare_order order;
    if (a.kind == VALUE_INT && b.kind == VALUE_INT)
        order = a.integer < b.integer   ? COMPARE_LESS
                : a.integer > b.integer ? COMPARE_GREATER
                                        : COMPARE_EQUAL;
    else
        order = compare_values(vm, a, b);
    if (order == COMPARE_IMPOSSIBLE)
        return vm_no_operator(vm, a, operator_of_orders(orders), b);
    return value_bool((orders & order) != 0);
}

static inline struct value equal(struct vm *vm, struct value a, struct value b, bool is_not)
{
    if (a.kind == VALUE_ERROR || b.kind == VALUE_ERROR)
        return a.kind == VALUE_ERROR ? a : b;
    return value_bool(compare_equal(vm, a, b) != is_not);
}

/* `in` a constant list of strings is the usual guard: currency in ['USD', 'EUR']. */
static inline struct value is_in(struct vm *vm, struct value element, struct value container)
{
    if (element.kind != VALUE_STRING || container.kind != VALUE_LIST)
        return compare_in(vm, element, container);
    vm_charge(vm, container.count);
    for (uint32_t i = 0; i < container.count; i++) {
        const struct value *item = &container.items[i];
        if (item->kind != VALUE_STRING || item->count != element.count)
            continue;
        if (element.count > 0 && item->text[0] != element.text[0])
            continue;
        vm_charge_bytes(vm, element.count);
        if (memcmp(item->text, element.text, element.count) == 0)
            return value_bool(true);
    }
    return value_bool(false);
}

/* The first operand is not what decides (false for AND, true for OR). */
static inline struct value join_logic(struct vm *vm, struct value a, struct value b,
                                      bool deciding)
{
    if (b.kind == VALUE_BOOL && (b.boolean == deciding || a.kind == VALUE_BOOL))
        return b;
    if (a.kind == VALUE_ERROR)
        return a;
    if (b.kind == VALUE_ERROR)
        return b;
    return vm_error(vm, "no such overload: %s %s %s", vm_kind_name(a.kind),
                    deciding ? "||" : "&&", vm_kind_name(b.kind));
}

/* An unbound slot reads as the error behind it. */
static inline struct value read_slot(struct value slot, const struct value *unbound)
{
    return slot.kind == VALUE_ERROR && slot.count == 0 ? *unbound : slot;
}

static inline bool is_deciding(struct value operand, bool deciding)
{
    return operand.kind == VALUE_BOOL && operand.boolean == deciding;
}

static struct value negate_logic(struct vm *vm, struct value operand)
{
    if (operand.kind == VALUE_BOOL)
        return value_bool(!operand.boolean);
    if (operand.kind == VALUE_ERROR)
        return operand;
    return vm_error(vm, "no such overload: !%s", vm_kind_name(operand.kind));
}

static struct value matches(struct vm *vm, const struct regex *pattern, struct value text)
{
    if (text.kind == VALUE_STRING)
        return builtin_match(vm, pattern, value_span(text));
    if (text.kind == VALUE_ERROR)
        return text;
    return vm_no_overload(vm, "matches", &text, 1);
}

static struct value call_host(struct vm *vm, struct instruction call,
                              const struct value *arguments)
{
    for (size_t i = 0; i < call.count; i++) {
        if (arguments[i].kind == VALUE_ERROR)
            return arguments[i];
    }
    const struct expr_frame *frame = vm->frame;
    ensure(frame->host_function != NULL);
    vm_charge(vm, 8);
    return frame->host_function(frame->host, call.operand, arguments, call.count, vm->arena);
}

/* What `? :` does with its condition: false when an error took the condition's place. */
static bool is_condition(struct vm *vm, struct value *condition)
{
    if (condition->kind == VALUE_BOOL)
        return true;
    if (condition->kind != VALUE_ERROR)
        *condition = vm_error(vm, "no such overload: %s ? :", vm_kind_name(condition->kind));
    return false;
}

/* NOLINTNEXTLINE(readability-function-size): one flat switch */
struct value vm_run(struct vm *vm)
{
    const struct instruction *code = vm->program->code;
    const struct value *constants = vm->program->constants;
    const struct value *slots = vm->frame->slots;
    const struct instruction *at = code;
    struct value stack[EXPRESSION_STACK_MAX];
    struct value *top = stack; /* the first free place */
    ensure(vm->program->stack_depth <= EXPRESSION_STACK_MAX);
    for (;;) {
        struct instruction now = *at++;
        switch ((enum code)now.code) {
        case CODE_CONSTANT:
            *top++ = constants[now.operand];
            break;
        case CODE_SLOT:
            *top++ = read_slot(slots[now.index], &constants[now.operand]);
            break;
        case CODE_LOCAL:
            *top++ = stack[now.index];
            break;
        case CODE_SELECT:
            top[-1] = access_member(vm, top[-1], &constants[now.operand]);
            break;
        case CODE_SELECT_OPTIONAL:
            top[-1] = access_optional_member(vm, top[-1], constants[now.operand]);
            break;
        case CODE_HAS:
            top[-1] = access_has(vm, top[-1], constants[now.operand]);
            break;
        case CODE_INDEX:
            top--;
            top[-1] = access_element(vm, top[-1], top[0]);
            break;
        case CODE_INDEX_OPTIONAL:
            top--;
            top[-1] = access_optional_element(vm, top[-1], top[0]);
            break;
        case CODE_NOT:
            top[-1] = negate_logic(vm, top[-1]);
            break;
        case CODE_NEGATE:
            top[-1] = arithmetic_negate(vm, top[-1]);
            break;
        case CODE_ADD:
        case CODE_SUBTRACT:
        case CODE_MULTIPLY:
        case CODE_DIVIDE:
        case CODE_MODULO:
            top--;
            top[-1] = arithmetic_apply(
                vm, top[-1], (enum ast_operator)(now.code - CODE_ADD + AST_ADD), top[0]);
            break;
        case CODE_COMPARE:
            top--;
            top[-1] = compare(vm, top[-1], now.index, top[0]);
            break;
        case CODE_COMPARE_CONSTANT:
            top[-1] = compare(vm, top[-1], now.index, constants[now.operand]);
            break;
        case CODE_COMPARE_SLOT:
            *top++ = compare(vm, read_slot(slots[now.index], &constants[now.operand + 1]),
                             now.count, constants[now.operand]);
            break;
        case CODE_EQUAL:
            top--;
            top[-1] = equal(vm, top[-1], top[0], now.index);
            break;
        case CODE_EQUAL_CONSTANT:
            top[-1] = equal(vm, top[-1], constants[now.operand], now.index);
            break;
        case CODE_EQUAL_SLOT:
            *top++ = equal(vm, read_slot(slots[now.index], &constants[now.operand + 1]),
                           constants[now.operand], now.count);
            break;
        case CODE_IN:
            top--;
            top[-1] = is_in(vm, top[-1], top[0]);
            break;
        case CODE_IN_CONSTANT:
            top[-1] = is_in(vm, top[-1], constants[now.operand]);
            break;
        case CODE_IN_SLOT:
            *top++ = is_in(vm, read_slot(slots[now.index], &constants[now.operand + 1]),
                           constants[now.operand]);
            break;
        case CODE_JUMP:
            at = code + now.operand;
            break;
        case CODE_DECIDE:
            if (is_deciding(top[-1], now.index))
                at = code + now.operand;
            break;
        case CODE_JOIN:
            top--;
            top[-1] = join_logic(vm, top[-1], top[0], now.index);
            if (is_deciding(top[-1], now.index))
                at = code + now.operand;
            break;
        case CODE_BRANCH:
            top--;
            if (!is_condition(vm, top)) {
                top++;
                at = code + now.operand - 1;
            } else if (!top->boolean) {
                at = code + now.operand;
            }
            break;
        case CODE_LIST:
            *top++ = fold_new_list(vm, now.operand);
            break;
        case CODE_LIST_ADD:
            top--;
            fold_add_element(vm, &top[-1], top[0], now.index);
            break;
        case CODE_MAP:
            *top++ = fold_new_map(vm, now.operand);
            break;
        case CODE_MAP_ADD:
            top -= 2;
            fold_add_entry(vm, &top[-1], top[0], top[1], now.index);
            break;
        case CODE_CALL:
            top -= now.count;
            *top = builtin_call(vm, builtin_get(now.operand), top, now.count);
            top++;
            break;
        case CODE_MATCHES:
            top[-1] = matches(vm, vm->program->patterns[now.operand], top[-1]);
            break;
        case CODE_CALL_HOST:
            top -= now.count;
            *top = call_host(vm, now, top);
            top++;
            break;
        case CODE_FOLD:
            if (fold_begin(vm, top - 1, (enum ast_fold)now.index))
                top += FOLD_PLACES - 1;
            else
                at = code + now.operand;
            break;
        case CODE_FOLD_NEXT:
            vm_charge(vm, now.operand - (uint32_t)(at - code) + 1);
            if (vm->cost_left < 0 || !fold_next(top - FOLD_PLACES, now.count))
                at = code + now.operand;
            break;
        case CODE_FOLD_FILTER:
            top--;
            if (!fold_passes(vm, top - FOLD_PLACES, top[0]))
                at = code + (fold_is_over(top - FOLD_PLACES) ? code[now.operand].operand
                                                             : now.operand);
            break;
        case CODE_FOLD_STEP:
            top--;
            at = code + (fold_step(vm, top - FOLD_PLACES, top[0], (enum ast_fold)now.index)
                             ? now.operand
                             : code[now.operand].operand);
            break;
        case CODE_FOLD_END:
            top -= FOLD_PLACES - 1;
            top[-1] = fold_end(vm, top - 1, (enum ast_fold)now.index);
            break;
        case CODE_UNBIND:
            top--;
            top[-1] = top[0];
            break;
        case CODE_OPTIONAL_OPEN:
            if (!fold_open_optional(vm, &top[-1]))
                at = code + now.operand;
            break;
        case CODE_OPTIONAL_CLOSE:
            top--;
            top[-1] = fold_close_optional(vm, top[0], now.index);
            break;
        case CODE_OPTIONAL_ELSE:
            if (fold_is_decided(vm, &top[-1], now.index))
                at = code + now.operand;
            else
                top--;
            break;
        case CODE_OPTIONAL_CHECK:
            if (top[-1].kind != VALUE_OPTIONAL)
                top[-1] = vm_no_overload(vm, "or", &top[-1], 1);
            break;
        case CODE_RETURN:
            if (vm->cost_left < 0)
                return value_error(SPAN("the expression costs more than it may"));
            return top[-1];
        case CODE_COUNT:
            never();
        }
    }
}

/* NOLINTEND(clang-analyzer-core.UndefinedBinaryOperatorResult)
 * NOLINTEND(clang-analyzer-core.CallAndMessage) */
