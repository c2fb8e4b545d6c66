/*
 * answer.c - reading answers that may be anything.
 */
#include "strategy/answer.h"

#include "base/json.h"
#include "base/limits.h"

static bool is_blank(struct span text)
{
    return span_trim(text).size == 0;
}

static enum status read_guarded(struct span text, struct arena *arena, struct value *value,
                                struct json_error *error)
{
    struct arena_guard guard;
    if (arena_is_spent(arena, &guard))
        return STATUS_NO_SPACE;
    enum status status = json_read(text, arena, value, error);
    arena_release_guard(arena, &guard);
    return status;
}

bool answer_read_json(struct span text, struct arena *arena, struct value *value,
                      struct span *problem)
{
    struct json_error error = {0, NULL};
    if (text.size > STEP_OUTPUT_BYTES_MAX) {
        *problem = SPAN("it is larger than 1 MiB");
        return false;
    }
    if (is_blank(text)) {
        *value = value_null();
        return true;
    }
    enum status status = read_guarded(text, arena, value, &error);
    if (status == STATUS_OK)
        return true;
    bool is_known = status == STATUS_INVALID && error.message != NULL;
    *problem = is_known ? span_from_text(error.message) : SPAN("it needs too much memory");
    return false;
}

/* Bytes of the well-formed UTF-8 sequence that the text begins with, 0 when there is none. */
static size_t sequence_size(struct span text)
{
    for (size_t size = 1; size <= 4 && size <= text.size; size++) {
        if (span_is_utf8(span_of(text.text, size)))
            return size;
    }
    return 0;
}

static bool is_control(char byte)
{
    return (unsigned char)byte < ' ' || byte == 0x7f;
}

static void add_cleaned(struct text *message, struct span text, size_t bytes_max, bool one_line)
{
    struct span rest = span_trim(text);
    size_t end = message->size + bytes_max;
    while (rest.size > 0) {
        size_t size = sequence_size(rest);
        bool is_kept =
            size > 1 ||
            (size == 1 && (!is_control(rest.text[0]) || (rest.text[0] == '\n' && !one_line)));
        struct span piece = is_kept     ? span_of(rest.text, size)
                            : size == 1 ? SPAN(" ")
                                        : SPAN("?");
        if (message->size + piece.size > end) {
            text_add(message, SPAN("\u2026"));
            return;
        }
        text_add(message, piece);
        rest = span_slice(rest, size == 0 ? 1 : size, rest.size);
    }
}

void answer_add_words(struct text *message, struct span text, size_t bytes_max)
{
    add_cleaned(message, text, bytes_max, false);
}

void answer_add_line(struct text *message, struct span text, size_t bytes_max)
{
    add_cleaned(message, text, bytes_max, true);
}

struct span answer_reason(struct value answer)
{
    static const char *const names[] = {"error", "message", "detail", "title"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct value member = value_member(answer, span_from_text(names[i]));
        if (member.kind == VALUE_MAP)
            member = value_member(member, SPAN("message"));
        if (member.kind == VALUE_STRING && member.count > 0)
            return value_span(member);
    }
    return SPAN("");
}
