/*
 * step_line.c - reading a line of `step`'s input.
 */
#include "cli/step_line.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "chart/chart.h"

static bool refuse(struct step_line_problem *problem, const char *message)
{
    *problem = (struct step_line_problem){0, span_from_text(message)};
    return false;
}

static bool read_map(struct span text, struct arena *arena, struct value *map,
                     struct step_line_problem *problem)
{
    struct json_error error;
    if (json_read(text, arena, map, &error) != STATUS_OK) {
        problem->column = json_place(text, error.offset, SPAN("")).column;
        problem->message = span_from_text(error.message);
        return false;
    }
    return map->kind == VALUE_MAP || refuse(problem, "a line must be a JSON object");
}

static size_t skip_blanks(struct span text, size_t at)
{
    while (at < text.size && (text.text[at] == ' ' || text.text[at] == '\t'))
        at++;
    return at;
}

/* Behind the token, which stands at `at`; SIZE_MAX when it does not. */
static size_t skip_token(struct span text, size_t at, struct span token)
{
    if (at == SIZE_MAX)
        return SIZE_MAX;
    at = skip_blanks(text, at);
    if (!span_starts_with(span_slice(text, at, text.size), token))
        return SIZE_MAX;
    return at + token.size;
}

static size_t skip_string(struct span text, size_t at)
{
    at = skip_token(text, at, SPAN("\""));
    while (at < text.size && text.text[at] != '"')
        at += text.text[at] == '\\' ? 2 : 1;
    return at < text.size ? at + 1 : SIZE_MAX;
}

/* `{"error":ID,"error":…}` says `error` twice, which no JSON reader allows. The first one
 * becomes `fails`, which is as long, so that columns stay true. */
static struct span rename_first_error(struct span text, struct arena *arena)
{
    size_t brace = skip_token(text, 0, SPAN("{"));
    size_t name = skip_token(text, brace, SPAN("\"error\""));
    size_t colon = skip_token(text, name, SPAN(":"));
    size_t comma = skip_token(text, skip_string(text, colon), SPAN(","));
    if (skip_token(text, comma, SPAN("\"error\"")) == SIZE_MAX)
        return text;
    struct text renamed;
    text_init(&renamed, arena);
    text_add(&renamed, span_slice(text, 0, name - SPAN("error\"").size));
    text_add(&renamed, SPAN("fails"));
    text_add(&renamed, span_slice(text, name - 1, text.size));
    return text_span(&renamed);
}

static struct value without(struct value map, struct span key, struct arena *arena)
{
    struct value_entry *kept = arena_new_array(arena, map.count, struct value_entry);
    uint32_t count = 0;
    for (uint32_t i = 0; i < map.count; i++) {
        if (!span_equal(value_span(map.entries[i].key), key))
            kept[count++] = map.entries[i];
    }
    return value_map(kept, count);
}

static bool set_event(struct span type, struct value payload, struct step_line *line,
                      struct step_line_problem *problem)
{
    if (type.size == 0 || type.size > EVENT_TYPE_BYTES_MAX)
        return refuse(problem, "an event's type has 1 to 256 bytes");
    *line = (struct step_line){.kind = STEP_LINE_EVENT, .name = type, .payload = payload};
    return true;
}

static bool set_advance(struct value by, struct step_line *line,
                        struct step_line_problem *problem)
{
    *line = (struct step_line){.kind = STEP_LINE_ADVANCE};
    if (by.kind == VALUE_INT && by.integer >= 0) {
        line->advance_ms = by.integer;
        return true;
    }
    if (by.kind == VALUE_STRING && time_read_duration(value_span(by), &line->advance_ms))
        return true;
    return refuse(problem, "`advance` is a duration such as \"10s\", or milliseconds");
}

static bool set_result(enum step_line_kind kind, struct value id, struct value payload,
                       struct step_line *line, struct step_line_problem *problem)
{
    if (id.kind != VALUE_STRING)
        return refuse(problem, "`done` and `error` name an invoke's id, a string");
    *line = (struct step_line){.kind = kind, .name = value_span(id), .payload = payload};
    return true;
}

/* Members other than these two are a mistake that nobody would notice. */
static bool has_only(struct value map, struct span first, struct span second,
                     struct step_line_problem *problem, struct arena *arena)
{
    for (uint32_t i = 0; i < map.count; i++) {
        struct span key = value_span(map.entries[i].key);
        if (span_equal(key, first) || span_equal(key, second))
            continue;
        *problem = (struct step_line_problem){
            0, text_print(arena, "unknown member `%.*s`", SPAN_ARGS(key))};
        return false;
    }
    return true;
}

static bool read_result(struct value map, struct arena *arena, struct step_line *line,
                        struct step_line_problem *problem)
{
    const struct value *done = value_find(map, SPAN("done"));
    const struct value *fails = value_find(map, SPAN("fails"));
    const struct value *error = value_find(map, SPAN("error"));
    if (done != NULL)
        return has_only(map, SPAN("done"), SPAN("output"), problem, arena) &&
               set_result(STEP_LINE_DONE, *done, value_member(map, SPAN("output")), line,
                          problem);
    if (fails != NULL)
        return has_only(map, SPAN("fails"), SPAN("error"), problem, arena) &&
               set_result(STEP_LINE_ERROR, *fails, value_member(map, SPAN("error")), line,
                          problem);
    if (error != NULL)
        return has_only(map, SPAN("error"), SPAN("error"), problem, arena) &&
               set_result(STEP_LINE_ERROR, *error, value_null(), line, problem);
    return refuse(problem, "a line has `type`, `patch`, `advance`, `done` or `error`");
}

bool step_line_read(struct span text, struct arena *arena, struct step_line *line,
                    struct step_line_problem *problem)
{
    struct value map;
    if (!read_map(rename_first_error(text, arena), arena, &map, problem))
        return false;
    const struct value *type = value_find(map, SPAN("type"));
    const struct value *advance = value_find(map, SPAN("advance"));
    if (type != NULL && type->kind != VALUE_STRING)
        return refuse(problem, "`type` must be a string");
    if (type != NULL)
        return set_event(value_span(*type), without(map, SPAN("type"), arena), line, problem);
    if (value_find(map, SPAN("patch")) != NULL)
        return set_event(SPAN(PATCH_EVENT), map, line, problem);
    if (advance != NULL)
        return has_only(map, SPAN("advance"), SPAN("advance"), problem, arena) &&
               set_advance(*advance, line, problem);
    return read_result(map, arena, line, problem);
}

bool step_line_read_event(struct span type, struct span json, struct arena *arena,
                          struct step_line *line, struct step_line_problem *problem)
{
    struct value payload = value_map(NULL, 0);
    if (json.size > 0 && !read_map(json, arena, &payload, problem))
        return false;
    if (value_find(payload, SPAN("type")) != NULL)
        return refuse(problem, "a payload cannot have a member `type`: that is the event's");
    return set_event(type, payload, line, problem);
}
