/*
 * command_history.c - `interlock history`: everything that happened to one instance.
 *
 *    1  10:02:10.001  start                        PENDING
 *    2  10:02:10.001  SUBMIT         PENDING     → VALIDATING
 */
#include <inttypes.h>

#include "base/json.h"
#include "cli/command.h"
#include "cli/reader.h"
#include "cli/report.h"
#include "os/os.h"

enum { DB, FOLLOW, VERIFY, OUTPUT, SERVER, OPTION_COUNT };

static const struct option options[] = {
    [DB] = OPTION_DB,
    [FOLLOW] = {.name = "follow", .letter = 'f', .help = "go on until the instance has ended"},
    [VERIFY] = {.name = "verify", .help = "replay it and compare with what is stored"},
    [OUTPUT] = OPTION_OUTPUT,
    [SERVER] = OPTION_SERVER,
};

enum { FOLLOW_EVERY_MS = 250 };

struct telling {
    const struct cli_world *world;
    const char *path;
    const char *id;
    enum output_format format;
    bool follows;
    int event_width;
    int from_width;
    uint64_t told; /* seq of the last line printed */
    bool has_ended;
    struct arena arena; /* of the visit; the reader's own describes */
    struct arena line_arena;
    struct loop *loop;
    struct loop_timer *timer;
    enum cli_exit exit;
};

static struct span event_name(const struct history_line *line)
{
    return line->kind == EVENT_START ? SPAN("start")
                                     : value_span(value_member(line->event, SPAN("type")));
}

static void add_errors(struct text *text, struct value errors)
{
    for (uint32_t i = 0; errors.kind == VALUE_LIST && i < errors.count; i++) {
        struct value error = errors.items[i];
        struct value at = value_member(error, SPAN("at"));
        text_format(text, "\n%20s%.*s: %.*s", "",
                    SPAN_ARGS(value_span(value_member(error, SPAN("what")))),
                    SPAN_ARGS(value_span(value_member(error, SPAN("message")))));
        if (at.kind == VALUE_STRING)
            text_format(text, " (%.*s)", SPAN_ARGS(value_span(at)));
    }
}

/* What is unusual about a line: nothing for most of them. */
static void add_remark(struct text *text, const struct history_line *line)
{
    if (line->late)
        text_add(text, SPAN("  (too late, ignored)"));
    else if (line->outcome != OUTCOME_APPLIED)
        text_format(text, "  (%s)", outcome_name(line->outcome));
    if (line->status == INSTANCE_ERROR || line->status == INSTANCE_STOPPED)
        text_format(text, "  (%s)", instance_status_name(line->status));
}

static void add_line(const struct telling *telling, const struct history_line *line,
                     struct text *text)
{
    struct span name = event_name(line);
    bool moved = line->kind != EVENT_START && !span_equal(line->from_path, line->to_path);
    text_format(text, "%4" PRIu64 "  ", line->seq);
    time_add_clock(text, line->at);
    text_format(text, "  %-*.*s  %-*.*s", telling->event_width, (int)name.size, name.text,
                telling->from_width, (int)line->from_path.size, line->from_path.text);
    if (moved || line->kind == EVENT_START)
        text_format(text, " %s %.*s", moved ? "→" : " ", SPAN_ARGS(line->to_path));
    while (text->bytes[text->size - 1] == ' ')
        text->size--;
    for (uint32_t i = 0; i < line->via.count; i++)
        text_format(text, "%s%.*s", i == 0 ? "  via " : ", ",
                    SPAN_ARGS(value_span(line->via.items[i])));
    if (line->sender.size > 0) {
        text_add(text, SPAN("  from "));
        text_add_visible(text, line->sender);
    }
    add_remark(text, line);
    add_errors(text, line->errors);
    text_add_byte(text, '\n');
}

static int wider(int width, struct span text)
{
    return (int)text.size > width ? (int)text.size : width;
}

static bool measure(void *context, const struct history_line *line)
{
    struct telling *telling = context;
    telling->event_width = wider(telling->event_width, event_name(line));
    telling->from_width = wider(telling->from_width, line->from_path);
    return true;
}

static bool tell(void *context, const struct history_line *line)
{
    struct telling *telling = context;
    telling->told = line->seq;
    if (telling->format == OUTPUT_TEXT) {
        struct text text;
        text_init(&text, NULL);
        add_line(telling, line, &text);
        output_lines(text_span(&text));
        text_fini(&text);
        return true;
    }
    arena_clear(&telling->line_arena);
    if (telling->format == OUTPUT_JSON)
        output_add(line->seq == 1 ? SPAN("[") : SPAN(" ,"));
    output_value(history_describe(line, &telling->line_arena));
    return true;
}

static enum cli_exit judge(const struct reader *reader, enum status status)
{
    if (status == STATUS_OK)
        return CLI_OK;
    report_store(status, reader->registry.problem);
    return CLI_WORLD;
}

static enum cli_exit tell_new(struct telling *telling, struct reader *reader,
                              const struct instance *instance)
{
    struct registry *registry = &reader->registry;
    uint64_t after = telling->told;
    enum status status = STATUS_OK;
    if (telling->format == OUTPUT_TEXT)
        status = history_read(registry, instance, after, &telling->arena, measure, telling);
    if (status == STATUS_OK)
        status = history_read(registry, instance, after, &telling->arena, tell, telling);
    telling->has_ended = waiting_rest(instance) == REST_FINAL;
    return judge(reader, status);
}

/* Opens the database each time: a look that stays open would keep the owner from tidying up. */
static enum cli_exit look(struct telling *telling)
{
    struct reader reader;
    enum cli_exit exit = reader_open(&reader, telling->world, telling->path);
    if (exit != CLI_OK)
        return exit;
    const struct instance *instance = reader_find(&reader, telling->id);
    exit = instance == NULL ? CLI_FAILED : tell_new(telling, &reader, instance);
    reader_close(&reader);
    return exit;
}

static void look_again(void *context)
{
    struct telling *telling = context;
    telling->exit = look(telling);
    bool is_over = telling->exit != CLI_OK || telling->has_ended || !output_flush();
    if (is_over)
        loop_stop(telling->loop);
    else
        loop_timer_start(telling->timer, FOLLOW_EVERY_MS);
}

static void follow(struct telling *telling)
{
    telling->loop = loop_open();
    telling->timer = loop_timer_open(telling->loop, look_again, telling);
    loop_timer_start(telling->timer, FOLLOW_EVERY_MS);
    loop_run(telling->loop);
    loop_timer_close(telling->timer);
    loop_close(telling->loop);
}

static enum cli_exit tell_all(struct telling *telling)
{
    telling->exit = look(telling);
    if (telling->exit == CLI_OK && telling->follows && !telling->has_ended && output_flush())
        follow(telling);
    if (telling->format == OUTPUT_JSON && telling->told > 0)
        output_add(SPAN("]\n"));
    return telling->exit;
}

static enum cli_exit verify(const struct cli_world *world, const char *path, const char *id)
{
    struct reader reader;
    enum cli_exit exit = reader_open(&reader, world, path);
    if (exit != CLI_OK)
        return exit;
    const struct instance *instance = reader_find(&reader, id);
    if (instance == NULL)
        exit = CLI_FAILED;
    else
        exit = judge(&reader, history_verify(&reader.registry, instance, &reader.arena));
    if (exit == CLI_OK)
        output_format("%s: replaying %" PRIu64 " events gives the stored state\n", id,
                      instance->seq);
    reader_close(&reader);
    return exit;
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    const char *path = arguments->values[DB];
    const char *id = arguments->operands[0];
    if (arguments->values[VERIFY] != NULL)
        return verify(world, path, id);
    struct telling telling = {.world = world,
                              .path = path,
                              .id = id,
                              .format = format,
                              .follows = arguments->values[FOLLOW] != NULL,
                              .event_width = 5};
    arena_open(&telling.arena, 1 << 30);
    arena_open(&telling.line_arena, 1 << 30);
    enum cli_exit exit = tell_all(&telling);
    arena_close(&telling.arena);
    arena_close(&telling.line_arena);
    return exit;
}

const struct command command_history = {
    .name = "history",
    .summary = "everything that happened to one instance",
    .usage = "ID [-f] [--verify] [--db PATH] [-o text|json|ndjson]",
    .text =
        "Tells every event of an instance in order, also those that were ignored or failed.\n"
        "With --verify, replays them and compares the result with what is stored.",
    .example = "  interlock history 0042",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_min = 1,
    .operands_max = 1,
    .formats = OUTPUT_BIT(OUTPUT_TEXT) | OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_NDJSON),
    .output_option = OUTPUT,
    .run = run,
};
