/*
 * strategy_fixture.c - see the header.
 */
#include "strategy_fixture.h"

#include <stdio.h>

#include "base/ensure.h"
#include "base/json.h"

void bench_open(struct bench *bench, const struct strategy_type *type, const char *folder)
{
    *bench = (struct bench){.loop = loop_open(), .type = type, .folder = folder};
    arena_open(&bench->arena, 64 << 20);
    bench->strategy = type->open(type, bench->loop);
}

void bench_close(struct bench *bench)
{
    strategy_close(bench->strategy);
    loop_close(bench->loop);
    arena_close(&bench->arena);
}

const void *bench_parse(struct bench *bench, const char *step)
{
    diagnostics_init(&bench->diagnostics, &bench->arena);
    const struct node *tree = json_read_tree(span_from_text(step), SPAN("step.json"),
                                             &bench->arena, &bench->diagnostics);
    ensure(tree != NULL);
    const struct node *settings = node_find(tree, span_from_text(bench->type->name));
    ensure(settings != NULL);
    return bench->type->parse(settings, tree, bench->folder, &bench->arena,
                              &bench->diagnostics);
}

struct span bench_diagnostics(struct bench *bench)
{
    struct text text;
    text_init(&text, &bench->arena);
    for (struct diagnostic *one = bench->diagnostics.first; one != NULL; one = one->next) {
        text_format(&text, "%.*s %u:%u %.*s", SPAN_ARGS(one->code), one->place.line,
                    one->place.column, SPAN_ARGS(one->message));
        if (one->help.size > 0)
            text_format(&text, " (%.*s)", SPAN_ARGS(one->help));
        text_add_byte(&text, '\n');
    }
    return text_span(&text);
}

struct attempt_request bench_request(struct bench *bench, const char *input)
{
    struct json_error error;
    struct attempt_request request = {
        .context = value_null(),
        .instance = SPAN("order-7"),
        .step = SPAN("charge"),
        .key = SPAN("key-7"),
        .trace = SPAN("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        .attempt = 2,
        .timeout_ms = 10000,
    };
    ensure(json_read(span_from_text(input), &bench->arena, &request.input, &error) ==
           STATUS_OK);
    return request;
}

void told_keep(void *context, const struct attempt_result *result)
{
    struct told *told = context;
    told->count++;
    told->result = *result;
    text_add(&told->output, result->output);
    text_add(&told->message, result->message);
    text_add(&told->details, result->details);
    if (told->loop != NULL)
        loop_stop(told->loop);
}

void told_release(struct told *told)
{
    text_fini(&told->output);
    text_fini(&told->message);
    text_fini(&told->details);
}

struct told bench_run(struct bench *bench, const char *step,
                      const struct attempt_request *request)
{
    struct told told = {.loop = bench->loop};
    const void *settings = bench_parse(bench, step);
    if (settings == NULL)
        fprintf(stderr, "%.*s", SPAN_ARGS(bench_diagnostics(bench)));
    strategy_start(bench->strategy, settings, request, told_keep, &told);
    ensure(told.count == 0);
    loop_run(bench->loop);
    ensure(told.count == 1);
    return told;
}
