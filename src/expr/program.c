/*
 * program.c - the front door: compile, run, ask.
 */
#include "expr/program.h"

#include "base/ensure.h"
#include "base/limits.h"
#include "expr/ast.h"
#include "expr/code.h"
#include "expr/cost.h"
#include "expr/decision.h"
#include "expr/emit.h"
#include "expr/lexer.h"
#include "expr/parser.h"
#include "expr/remark.h"
#include "expr/type_check.h"
#include "expr/vm.h"

static const struct expr_program *compile(struct remarks *remarks,
                                          const struct expr_scope *scope, struct arena *arena)
{
    ensure(scope->variable_count <= UINT16_MAX);
    const struct ast *root = parser_read(arena, remarks, !scope->has_no_macros);
    return root == NULL ? NULL : emit_program(root, scope, arena, remarks);
}

const struct expr_program *expr_compile(struct span text, struct place place,
                                        const struct expr_scope *scope, struct arena *arena,
                                        struct diagnostics *diagnostics)
{
    struct remarks remarks = {.text = text, .place = place, .diagnostics = diagnostics};
    return compile(&remarks, scope, arena);
}

const struct expr_program *expr_compile_part(const struct node *node, size_t from, size_t to,
                                             const struct expr_scope *scope,
                                             struct arena *arena,
                                             struct diagnostics *diagnostics)
{
    struct remarks remarks = {.text = span_slice(node_text(node), from, to),
                              .node = node,
                              .start = from,
                              .diagnostics = diagnostics};
    return compile(&remarks, scope, arena);
}

const struct type *expr_check(const struct expr_program *program,
                              const struct expr_scope *scope, struct arena *arena,
                              struct diagnostics *diagnostics)
{
    struct remarks remarks = program->source;
    remarks.diagnostics = diagnostics;
    return type_check(program->root, scope, arena, &remarks);
}

void expr_object(const struct expr_program *program, struct diagnostics *diagnostics,
                 const char *format, ...)
{
    struct remarks remarks = program->source;
    struct text message;
    va_list arguments;
    text_init(&message, diagnostics->arena);
    va_start(arguments, format);
    text_format_list(&message, format, arguments);
    va_end(arguments);
    remarks.diagnostics = diagnostics;
    remark_type(&remarks, SEVERITY_ERROR, 0, "%.*s", SPAN_ARGS(text_span(&message)));
}

const struct type *expr_type_of(struct span text, struct place place,
                                const struct expr_scope *scope, struct arena *arena,
                                struct diagnostics *diagnostics)
{
    struct remarks remarks = {.text = text, .place = place, .diagnostics = diagnostics};
    uint32_t errors = diagnostics->errors + diagnostics->dropped;
    const struct ast *root = parser_read(arena, &remarks, !scope->has_no_macros);
    const struct type *type = root == NULL ? NULL : type_check(root, scope, arena, &remarks);
    return diagnostics->errors + diagnostics->dropped == errors ? type : NULL;
}

/* Adds the least bytes that the value takes as JSON; false when they are over the limit.
 * Shared parts count each time, as they do when the value is stored or sent. */
static bool add_size(struct value value, size_t *bytes)
{
    *bytes += sizeof "1," - 1;
    if (value.kind == VALUE_STRING || value.kind == VALUE_BYTES)
        *bytes += value.count;
    if (value.kind == VALUE_OPTIONAL && value.items != NULL)
        return add_size(*value.items, bytes);
    for (uint32_t i = 0; value.kind == VALUE_LIST && i < value.count; i++) {
        if (!add_size(value.items[i], bytes))
            return false;
    }
    for (uint32_t i = 0; value.kind == VALUE_MAP && i < value.count; i++) {
        if (!add_size(value.entries[i].key, bytes) || !add_size(value.entries[i].value, bytes))
            return false;
    }
    return *bytes <= VALUE_BYTES_MAX;
}

static inline void add_cost(const struct vm *vm)
{
    if (vm->frame->cost != NULL)
        *vm->frame->cost += (uint64_t)(EXPRESSION_COST_MAX - vm->cost_left);
}

/* Sets the guard for all that the program allocates. */
static struct value run_guarded(const struct expr_program *program,
                                const struct expr_frame *frame, struct arena *arena)
{
    struct arena_guard guard;
    struct arena_mark mark = arena_mark(arena);
    struct vm vm = {program, frame, arena, EXPRESSION_COST_MAX, false};
    size_t bytes = 0;
    if (arena_is_spent(arena, &guard)) {
        arena_rewind(arena, mark);
        if (arena->guard != NULL)
            arena_spend(arena);
        if (frame->cost != NULL)
            *frame->cost += EXPRESSION_COST_MAX;
        return value_error(SPAN("the expression needs more memory than it may use"));
    }
    struct value result = vm_run(&vm);
    arena_release_guard(arena, &guard);
    add_cost(&vm);
    if (!add_size(result, &bytes))
        return value_error(SPAN("the value is larger than a value may be"));
    return result;
}

/* First without an arena, when it probably needs none. */
static struct value run_code(const struct expr_program *program, const struct expr_frame *frame,
                             struct arena *arena)
{
    if (!program->may_allocate) {
        struct vm vm = {program, frame, NULL, EXPRESSION_COST_MAX, false};
        struct value result = vm_run(&vm);
        add_cost(&vm);
        if (!vm.is_unspoken || result.kind != VALUE_ERROR)
            return result;
    }
    return run_guarded(program, frame, arena);
}

struct value expr_run(const struct expr_program *program, const struct expr_frame *frame,
                      struct arena *arena)
{
    ensure(frame->slot_count >= program->slot_count);
    if (program->tests != NULL) {
        enum decision decision = decision_run(program->tests, frame->slots);
        if (decision != DECISION_OPEN)
            return value_bool(decision == DECISION_TRUE);
    }
    return run_code(program, frame, arena);
}

uint64_t expr_cost(const struct expr_program *program, uint64_t size)
{
    return cost_estimate(program->root, size);
}

uint32_t expr_next_use(const struct expr_program *program, uint32_t variable)
{
    uint32_t next = UINT32_MAX;
    for (uint32_t i = 0; i < program->code_count; i++) {
        const struct instruction *at = &program->code[i];
        bool reads = at->code == CODE_SLOT || at->code == CODE_COMPARE_SLOT ||
                     at->code == CODE_EQUAL_SLOT || at->code == CODE_IN_SLOT;
        if (reads && at->index >= variable && at->index < next)
            next = at->index;
    }
    return next;
}

bool expr_uses(const struct expr_program *program, uint32_t variable)
{
    return expr_next_use(program, variable) == variable;
}

void expr_write(struct text *text, const struct expr_program *program)
{
    ast_write(text, program->root);
}

size_t expr_find_end(struct span text, size_t from)
{
    struct lexer lexer = {text, from};
    size_t open = 0;
    for (;;) {
        struct token token = lexer_next(&lexer);
        if (token.kind == TOKEN_END)
            return SIZE_MAX;
        if (token.kind == TOKEN_LEFT_BRACE)
            open++;
        if (token.kind == TOKEN_RIGHT_BRACE && open-- == 0)
            return token.offset;
    }
}
