/*
 * cel_runner.c - runs the CEL specification's conformance cases and counts.
 *
 * Reads conformance/cel/cases.jsonl from $INTERLOCK_SHARED, or from the folder given as the
 * argument; says so and passes when there is none. Value cases and error cases are counted
 * apart, since an engine that always fails would pass every error case. The floors below
 * are what we have reached: falling under one is a regression and fails.
 *
 * --failures prints every failing case, for docs/cel.md.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/memory.h"
#include "expr/expr.h"

enum tier { TIER_CORE, TIER_EXT, TIER_CHECKER, TIER_COUNT };

static const char *const tier_names[TIER_COUNT] = {"core", "ext", "checker"};

/* What was reached, of value and of error cases. Raise them with the engine. */
static const unsigned floors[TIER_COUNT][2] = {{703, 69}, {371, 56}, {18, 0}};

struct score {
    unsigned passed[2]; /* value cases, error cases */
    unsigned all[2];
};

enum { NAMES_MAX = 16, ARENA_BYTES = 64 << 20 };

struct runner {
    struct arena arena;
    struct score scores[TIER_COUNT];
    bool is_telling;
};

struct bindings {
    struct span names[NAMES_MAX];
    struct value values[NAMES_MAX];
    size_t count;
};

static struct value tagged(struct arena *arena, struct value json);

static struct value tagged_list(struct arena *arena, struct value json)
{
    struct value *items = arena_new_array(arena, json.count, struct value);
    for (uint32_t i = 0; i < json.count; i++)
        items[i] = tagged(arena, json.items[i]);
    return value_list(items, json.count);
}

static struct value tagged_map(struct arena *arena, struct value json)
{
    struct value_entry *entries = arena_new_array(arena, json.count, struct value_entry);
    for (uint32_t i = 0; i < json.count; i++) {
        entries[i].key = tagged(arena, json.items[i].items[0]);
        entries[i].value = tagged(arena, json.items[i].items[1]);
    }
    return value_map(entries, json.count);
}

static struct value from_hex(struct arena *arena, struct span hex)
{
    char *bytes = arena_get(arena, hex.size / 2 + 1);
    for (size_t i = 0; i < hex.size / 2; i++) {
        char digits[3] = {hex.text[2 * i], hex.text[2 * i + 1], '\0'};
        bytes[i] = (char)strtoul(digits, NULL, 16);
    }
    return value_bytes(span_of(bytes, hex.size / 2));
}

/* {"int":"1"} → 1 */
static struct value tagged(struct arena *arena, struct value json)
{
    struct span tag = value_span(json.entries[0].key);
    struct value value = json.entries[0].value;
    if (span_is(tag, "int"))
        return value_int(strtoll(arena_copy(arena, value_span(value)).text, NULL, 10));
    if (span_is(tag, "uint"))
        return value_uint(strtoull(arena_copy(arena, value_span(value)).text, NULL, 10));
    if (span_is(tag, "double"))
        return value_double(strtod(arena_copy(arena, value_span(value)).text, NULL));
    if (span_is(tag, "bytes_hex"))
        return from_hex(arena, value_span(value));
    if (span_is(tag, "type"))
        value.kind = VALUE_TYPE;
    if (span_is(tag, "list"))
        return tagged_list(arena, value);
    if (span_is(tag, "map"))
        return tagged_map(arena, value);
    return value;
}

/* Stricter than CEL's equality: kinds must be the same. NaN is NaN here. */
static bool is_same(struct value a, struct value b)
{
    if (a.kind != b.kind)
        return false;
    if (a.kind == VALUE_DOUBLE && isnan(a.real) && isnan(b.real))
        return true;
    if (a.kind == VALUE_LIST) {
        for (uint32_t i = 0; i < a.count && a.count == b.count; i++) {
            if (!is_same(a.items[i], b.items[i]))
                return false;
        }
        return a.count == b.count;
    }
    return value_equal(a, b);
}

static void add_name(struct bindings *bindings, struct span name, struct value value)
{
    for (size_t i = 0; i < bindings->count; i++) {
        if (span_equal(bindings->names[i], name)) {
            bindings->values[i] = value;
            return;
        }
    }
    if (bindings->count < NAMES_MAX) {
        bindings->names[bindings->count] = name;
        bindings->values[bindings->count++] = value;
    }
}

static struct bindings read_bindings(struct arena *arena, struct value json)
{
    struct bindings bindings = {.count = 0};
    struct value types = value_member(json, SPAN("type_env"));
    struct value values = value_member(json, SPAN("bindings"));
    for (uint32_t i = 0; types.kind == VALUE_LIST && i < types.count; i++) {
        struct value name = value_member(types.items[i], SPAN("name"));
        if (name.kind == VALUE_LIST && name.count > 0)
            add_name(&bindings, value_span(name.items[0]), value_error(SPAN("")));
    }
    for (uint32_t i = 0; values.kind == VALUE_MAP && i < values.count; i++)
        add_name(&bindings, value_span(values.entries[i].key),
                 tagged(arena, values.entries[i].value));
    return bindings;
}

static struct value evaluate(struct arena *arena, struct value json)
{
    struct bindings bindings = read_bindings(arena, json);
    struct diagnostics diagnostics;
    struct value container = value_member(json, SPAN("container"));
    struct expr_scope scope = {
        .variables = bindings.names,
        .variable_count = bindings.count,
        .container = container.kind == VALUE_STRING ? value_span(container) : SPAN(""),
        .is_open = value_is_true(value_member(json, SPAN("disable_check"))),
    };
    struct expr_frame frame = {.slots = bindings.values, .slot_count = bindings.count};
    diagnostics_init(&diagnostics, arena);
    const struct expr_program *program =
        expr_compile(value_span(value_member(json, SPAN("expr"))), (struct place){0}, &scope,
                     arena, &diagnostics);
    if (program == NULL)
        return value_error(diagnostics.first->message);
    return expr_run(program, &frame, arena);
}

/* The case's type as text, or the error. */
static struct value deduce(struct arena *arena, struct value json)
{
    struct diagnostics diagnostics;
    struct type_env env;
    const char *problem;
    struct text text;
    diagnostics_init(&diagnostics, arena);
    text_init(&text, arena);
    if (!type_env_read(value_member(json, SPAN("type_env")), arena, &env, &problem))
        return value_error(span_from_text(problem));
    struct expr_scope scope = {
        .variables = env.names,
        .variable_count = env.count,
        .types = env.types,
        .signatures = env.signatures,
        .signature_count = env.signature_count,
    };
    const struct type *type = expr_type_of(value_span(value_member(json, SPAN("expr"))),
                                           (struct place){0}, &scope, arena, &diagnostics);
    if (type == NULL)
        return value_error(diagnostics.first->message);
    type_write(&text, type);
    return value_string(text_span(&text));
}

/* True when the type is the one that the case expects, if it says one. */
static bool has_type(struct arena *arena, struct value json, struct value deduced)
{
    struct value expected = value_member(json, SPAN("deduced_type"));
    struct text text;
    if (expected.kind == VALUE_NULL)
        return true;
    const struct type *type = type_env_read_type(expected, arena);
    text_init(&text, arena);
    if (type != NULL)
        type_write(&text, type);
    return deduced.kind == VALUE_STRING && span_equal(value_span(deduced), text_span(&text));
}

/* TIER_COUNT for the cases that are not run. */
static enum tier tier_of(struct value json)
{
    struct span name = value_span(value_member(json, SPAN("tier")));
    enum tier tier = TIER_CORE;
    while (tier < TIER_COUNT && !span_is(name, tier_names[tier]))
        tier++;
    return tier;
}

static void tell(struct runner *runner, struct value json, struct value result)
{
    struct text text;
    text_init(&text, &runner->arena);
    if (value_is_error(result))
        text_format(&text, "error %.*s", SPAN_ARGS(value_span(result)));
    else
        json_write(&text, result);
    printf("# %.*s: %.*s gives %.*s\n", SPAN_ARGS(value_span(value_member(json, SPAN("id")))),
           SPAN_ARGS(value_span(value_member(json, SPAN("expr")))),
           SPAN_ARGS(text_span(&text)));
}

static void run_case(struct runner *runner, struct value json)
{
    enum tier tier = tier_of(json);
    if (tier == TIER_COUNT)
        return;
    bool is_error = value_is_true(value_member(json, SPAN("expect_error")));
    struct value expected = value_member(json, SPAN("expect"));
    bool is_type = value_is_true(value_member(json, SPAN("check_only")));
    struct value result =
        is_type ? deduce(&runner->arena, json) : evaluate(&runner->arena, json);
    bool passes = is_error ? value_is_error(result)
                           : is_type || (expected.kind == VALUE_MAP &&
                                         is_same(result, tagged(&runner->arena, expected)));
    if (passes && tier == TIER_CHECKER)
        passes = has_type(&runner->arena, json, deduce(&runner->arena, json));
    runner->scores[tier].all[is_error]++;
    runner->scores[tier].passed[is_error] += passes;
    if (!passes && runner->is_telling)
        tell(runner, json, result);
}

/* Each line is one case; the arena is emptied between them. */
static bool run_cases(struct runner *runner, struct span text)
{
    size_t at = 0;
    while (at < text.size) {
        size_t end = span_find(text, SPAN("\n"), at);
        struct span line = span_slice(text, at, end == SIZE_MAX ? text.size : end);
        struct json_error error;
        struct value json;
        at += line.size + 1;
        arena_clear(&runner->arena);
        if (json_read(line, &runner->arena, &json, &error) != STATUS_OK) {
            printf("Bail out! %s\n", error.message);
            return false;
        }
        run_case(runner, json);
    }
    return true;
}

static struct span read_file(const char *path)
{
    struct span text = {NULL, 0};
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return text;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fseek(file, 0, SEEK_SET);
    char *bytes = memory_get((size_t)size + 1);
    text = span_of(bytes, fread(bytes, 1, (size_t)size, file));
    fclose(file);
    return text;
}

/* One line of the result in TAP for each tier. */
static bool report(const struct runner *runner)
{
    bool is_fine = true;
    for (enum tier tier = TIER_CORE; tier < TIER_COUNT; tier++) {
        const struct score *score = &runner->scores[tier];
        bool holds = score->passed[0] >= floors[tier][0] && score->passed[1] >= floors[tier][1];
        printf("%s %d - cel %s: values %u/%u, errors %u/%u\n", holds ? "ok" : "not ok",
               (int)tier + 1, tier_names[tier], score->passed[0], score->all[0],
               score->passed[1], score->all[1]);
        is_fine &= holds;
    }
    return is_fine;
}

int main(int count, char **arguments)
{
    struct runner runner = {.is_telling = false};
    char path[4096];
    const char *folder = getenv("INTERLOCK_SHARED");
    for (int i = 1; i < count; i++) {
        if (span_is(span_from_text(arguments[i]), "--failures"))
            runner.is_telling = true;
        else if (folder == NULL)
            folder = arguments[i];
    }
    snprintf(path, sizeof path, "%s/conformance/cel/cases.jsonl",
             folder == NULL ? "." : folder);
    struct span text = read_file(path);
    if (text.text == NULL) {
        printf("1..0 # SKIP there are no conformance cases at %s\n", path);
        return 0;
    }
    printf("1..%d\n", (int)TIER_COUNT);
    arena_open(&runner.arena, ARENA_BYTES);
    arena_get(&runner.arena, 1);
    bool is_fine = run_cases(&runner, text) && report(&runner);
    arena_close(&runner.arena);
    memory_release((void *)(uintptr_t)text.text);
    return is_fine ? 0 : 1;
}
