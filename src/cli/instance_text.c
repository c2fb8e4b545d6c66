/*
 * instance_text.c - instances on a line, for people.
 */
#include "cli/instance_text.h"

#include "cli/report.h"
#include "os/os.h"

struct span instance_state(const struct instance *instance)
{
    return instance_path(instance);
}

/* What a wait is about stands under a key of its kind's name, or under `name`. */
static void add_wait(struct text *text, struct value wait)
{
    static const struct span subjects[] = {SPAN_INIT("step"),   SPAN_INIT("event"),
                                           SPAN_INIT("events"), SPAN_INIT("timer"),
                                           SPAN_INIT("fields"), SPAN_INIT("name")};
    text_add(text, value_span(value_member(wait, SPAN("for"))));
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        struct value subject = value_member(wait, subjects[i]);
        if (subject.kind == VALUE_STRING)
            text_format(text, " %.*s", SPAN_ARGS(value_span(subject)));
        for (uint32_t k = 0; subject.kind == VALUE_LIST && k < subject.count; k++)
            text_format(text, "%s %.*s", k == 0 ? "" : ",",
                        SPAN_ARGS(value_span(subject.items[k])));
    }
}

/* How many from the first on read the same, such as a crowd of children. */
static uint32_t count_alike(struct value waits, uint32_t first)
{
    struct text one;
    struct text other;
    uint32_t end = first + 1;
    text_init(&one, NULL);
    text_init(&other, NULL);
    add_wait(&one, waits.items[first]);
    for (; end < waits.count; end++) {
        other.size = 0;
        add_wait(&other, waits.items[end]);
        if (!span_equal(text_span(&one), text_span(&other)))
            break;
    }
    text_fini(&one);
    text_fini(&other);
    return end - first;
}

void instance_add_waits(struct text *text, struct value waits)
{
    uint32_t count = waits.kind == VALUE_LIST ? waits.count : 0;
    uint32_t alike = 0;
    for (uint32_t i = 0; i < count; i += alike) {
        alike = count_alike(waits, i);
        if (i > 0)
            text_add(text, SPAN("; "));
        if (alike > 1)
            text_format(text, "%ux ", alike);
        add_wait(text, waits.items[i]);
    }
}

void instance_add_line(struct text *text, const struct instance *instance,
                       struct value description, int id_width, int state_width)
{
    struct value waits = value_member(description, SPAN("waiting"));
    struct span state = instance_state(instance);
    size_t id_end = text->size + (size_t)id_width;
    text_add_visible(text, instance_id(instance));
    while (text->size < id_end)
        text_add_byte(text, ' ');
    text_format(text, "  %-*.*s  %-6s", state_width, (int)state.size, state.text,
                instance_status_name(instance->status));
    if (waits.kind == VALUE_LIST && waits.count > 0)
        text_add(text, SPAN("  waits for "));
    instance_add_waits(text, waits);
    while (text->size > 0 && text->bytes[text->size - 1] == ' ')
        text->size--;
    text_add_byte(text, '\n');
}

void instance_add_duration(struct text *text, duration_ms duration)
{
    double seconds = (double)duration / 1000;
    if (duration < 1000)
        text_format(text, "%jd ms", (intmax_t)duration);
    else if (seconds < 60)
        text_format(text, "%.1f s", seconds);
    else if (seconds < 3600)
        text_format(text, "%.1f min", seconds / 60);
    else
        text_format(text, "%.1f h", seconds / 3600);
}

static void print_text(const struct instance *instance, struct value description,
                       struct value reply)
{
    struct text line;
    text_init(&line, NULL);
    struct value outcome = value_member(reply, SPAN("outcome"));
    if (outcome.kind == VALUE_STRING)
        text_format(&line, "%.*s  ", SPAN_ARGS(value_span(outcome)));
    instance_add_line(&line, instance, description, 0, 0);
    output_lines(text_span(&line));
    text_fini(&line);
}

enum cli_exit instance_print(const struct cli_world *world, const char *path, const char *id,
                             enum output_format format, struct value reply)
{
    struct reader reader;
    enum cli_exit exit = reader_open(&reader, world, path);
    if (exit != CLI_OK)
        return exit;
    const struct instance *instance = reader_find(&reader, id);
    if (instance == NULL) {
        exit = CLI_FAILED;
    } else {
        struct value described =
            waiting_describe(&reader.registry, instance, clock_wall(), &reader.arena);
        if (format == OUTPUT_TEXT)
            print_text(instance, described, reply);
        else if (reply.kind == VALUE_MAP)
            output_value(value_with(&reader.arena, reply, SPAN("instance"), described));
        else
            output_value(described);
    }
    reader_close(&reader);
    return exit;
}

struct explanation {
    uint64_t seq;
    bool has_failed;
};

static bool explain_line(void *context, const struct history_line *line)
{
    struct explanation *explanation = context;
    explanation->has_failed = line->seq == explanation->seq && line->outcome == OUTCOME_FAILED;
    for (uint32_t i = 0; explanation->has_failed && i < line->errors.count; i++) {
        struct value error = line->errors.items[i];
        report_error(CODE_REFUSED, "%.*s failed: %.*s: %.*s",
                     SPAN_ARGS(value_span(value_member(line->event, SPAN("type")))),
                     SPAN_ARGS(value_span(value_member(error, SPAN("what")))),
                     SPAN_ARGS(value_span(value_member(error, SPAN("message")))));
    }
    return false;
}

bool instance_explain(const struct cli_world *world, const char *path, const char *id,
                      uint64_t seq)
{
    struct reader reader;
    struct explanation explanation = {.seq = seq};
    if (reader_open(&reader, world, path) != CLI_OK)
        return false;
    const struct instance *instance = reader_find(&reader, id);
    if (instance != NULL && history_read(&reader.registry, instance, seq - 1, &reader.arena,
                                         explain_line, &explanation) != STATUS_OK)
        report_problem("%s", reader.registry.problem);
    reader_close(&reader);
    return explanation.has_failed;
}
