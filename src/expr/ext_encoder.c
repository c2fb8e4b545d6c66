/*
 * ext_encoder.c - bytes as text and back.
 */
#include "base/base64.h"
#include "expr/ext.h"

static struct value encode(struct vm *vm, const struct value *arguments, size_t count)
{
    struct text text;
    struct value wrong = ext_check_size(vm, ((uint64_t)arguments[0].count + 2) / 3 * 4);
    (void)count;
    if (wrong.kind == VALUE_ERROR)
        return wrong;
    text_init(&text, vm->arena);
    base64_add(&text, value_span(arguments[0]));
    return value_string(text_span(&text));
}

static struct value decode(struct vm *vm, const struct value *arguments, size_t count)
{
    struct text bytes;
    (void)count;
    vm_charge_bytes(vm, arguments[0].count);
    text_init(&bytes, vm->arena);
    if (!base64_read(&bytes, value_span(arguments[0])))
        return vm_error(vm, "base64.decode: this text is not base64");
    return value_bytes(text_span(&bytes));
}

static const struct builtin functions[] = {
    {SPAN_INIT("base64.encode"), BUILTIN_GLOBAL, 1, 1, true, {KINDS_BYTES}, encode},
    {SPAN_INIT("base64.decode"), BUILTIN_GLOBAL, 1, 1, true, {KINDS_STRING}, decode},
};

const struct builtin_library ext_encoder_library = {functions,
                                                    sizeof functions / sizeof *functions};
