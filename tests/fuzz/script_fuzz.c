/*
 * script_fuzz.c - any text as ECMAScript: it ends, and whatever it did is gone afterwards.
 *
 * The first byte chooses the form, and whether the arena is a small one. A run leaves values
 * that JSON can hold, and the next run finds the world as it was.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "script/script.h"

enum { ARENA_BYTES = 64 << 20, SMALL_ARENA_BYTES = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct value in(void *host, uint32_t function, const struct value *arguments,
                       size_t count, struct arena *arena)
{
    (void)host;
    (void)arena;
    ensure(function == 0 && count == 1);
    return value_bool(arguments[0].kind == VALUE_STRING);
}

static struct value read_json(const char *text, struct arena *arena)
{
    struct value value;
    struct json_error error;
    ensure(json_read(span_from_text(text), arena, &value, &error) == STATUS_OK);
    return value;
}

static void expect_plain(struct value value, struct arena *arena)
{
    struct text text;
    struct value again;
    struct json_error error;
    text_init(&text, arena);
    json_write(&text, value);
    ensure(json_read(text_span(&text), arena, &again, &error) == STATUS_OK);
    ensure(value_equal(value, again));
}

static void run(const struct expr_language *language, enum expr_form form, struct span text,
                struct arena *arena)
{
    struct span message;
    struct expr_frame frame = {.host_function = in};
    struct expr_world world = {
        .variables = read_json(
            "{\"a\":1,\"b\":[1,{\"c\":\"d\"}],\"x\":{\"@xml\":\"<y z='1'/>\"}}", arena),
        .constants = read_json("{\"_event\":{\"name\":\"e\",\"data\":{\"n\":1}}}", arena),
        .given = value_int(7),
        .frame = &frame};
    language->check(language->context, form, text, arena, &message);
    struct value value = language->run(language->context, form, text, &world, arena);
    expect_plain(world.variables, arena);
    if (value.kind != VALUE_ERROR && value.kind != VALUE_OPTIONAL)
        expect_plain(value, arena);
    world.variables = value_map(NULL, 0);
    value = language->run(language->context, EXPR_VALUE,
                          SPAN("[typeof Math.max([].length, 1), Object.keys({q: 1}) + '']"),
                          &world, arena);
    ensure(value.kind == VALUE_LIST && span_is(value_span(value.items[0]), "number") &&
           span_is(value_span(value.items[1]), "q"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena arena;
    struct arena_guard guard;
    struct script *script = size == 0 ? NULL : script_open();
    if (script == NULL)
        return 0;
    arena_open(&arena, (bytes[0] & 4) != 0 ? SMALL_ARENA_BYTES : ARENA_BYTES);
    if (!arena_is_spent(&arena, &guard)) {
        run(script_language(script), (enum expr_form)(bytes[0] & 3),
            span_of((const char *)bytes + 1, size - 1), &arena);
        arena_release_guard(&arena, &guard);
    }
    arena_close(&arena);
    script_close(script);
    return 0;
}
