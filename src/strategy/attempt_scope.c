/*
 * attempt_scope.c - the names and values of an attempt.
 */
#include "strategy/attempt_scope.h"

#include <string.h>

#include "base/json.h"
#include "strategy/url.h"

const struct expr_scope *attempt_scope(void)
{
#define VARIABLE_NAME(name, text) {text, sizeof(text) - 1},
    static const struct span names[] = {ATTEMPT_VARIABLE_LIST(VARIABLE_NAME)};
#undef VARIABLE_NAME
    static const struct expr_scope scope = {
        .variables = names,
        .variable_count = ATTEMPT_VARIABLE_COUNT,
    };
    return &scope;
}

void attempt_frame_init(struct attempt_frame *frame, const struct attempt_request *request)
{
    frame->slots[ATTEMPT_VARIABLE_INPUT] = request->input;
    frame->slots[ATTEMPT_VARIABLE_CONTEXT] = request->context;
    frame->slots[ATTEMPT_VARIABLE_INSTANCE] = value_string(request->instance);
    frame->slots[ATTEMPT_VARIABLE_STEP] = value_string(request->step);
    frame->slots[ATTEMPT_VARIABLE_ATTEMPT] = value_int(request->attempt);
    frame->slots[ATTEMPT_VARIABLE_KEY] = value_string(request->key);
    frame->slots[ATTEMPT_VARIABLE_DEADLINE] = value_int(request->timeout_ms);
    frame->frame = (struct expr_frame){
        .slots = frame->slots,
        .slot_count = ATTEMPT_VARIABLE_COUNT,
    };
}

static bool take_text(struct value value, const char *what, struct arena *arena,
                      struct span *text, struct span *problem)
{
    if (value_is_error(value)) {
        *problem = text_print(arena, "%s: %.*s", what, SPAN_ARGS(value_span(value)));
        return false;
    }
    if (value.kind == VALUE_STRING) {
        *text = arena_copy(arena, value_span(value));
    } else {
        struct text json;
        text_init(&json, arena);
        json_write(&json, value);
        *text = text_span(&json);
    }
    if (memchr(text->text, '\0', text->size) == NULL)
        return true;
    *problem = text_print(arena, "%s: there is a NUL in it", what);
    return false;
}

bool attempt_frame_text(const struct attempt_frame *frame, const struct expr_slot *slot,
                        const char *what, struct arena *arena, struct span *text,
                        struct span *problem)
{
    struct value value = expr_slot_run(slot, &frame->frame, arena);
    return take_text(value, what, arena, text, problem);
}

bool attempt_frame_url(const struct attempt_frame *frame, const struct expr_slot *slot,
                       const char *what, struct arena *arena, struct span *text,
                       struct span *problem)
{
    struct value value = expr_slot_run_quoted(slot, &frame->frame, url_add_value, arena);
    return take_text(value, what, arena, text, problem);
}
