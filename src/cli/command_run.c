/*
 * command_run.c - `interlock run`: one durable instance per record, to completion.
 *
 * Records are read only as fast as instances come to rest: a bounded number is at work, the
 * rest waits in the file. The run is over when the input is, and every instance of this run
 * has ended or waits for somebody outside. Nothing here must survive: the database holds it
 * all, so a killed run is continued by the same command, which finds started what it started
 * (the same id and record) and starts the rest.
 */
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/definition_file.h"
#include "cli/reader.h"
#include "cli/report.h"
#include "cli/run_input.h"
#include "cli/run_progress.h"
#include "cli/run_records.h"
#include "cli/run_refused.h"
#include "cli/run_report.h"
#include "cli/run_summary.h"
#include "cli/session.h"

enum { INPUT, FORMAT, DB, ID, EVENT, STEPS, OUTPUT, REPORT, REFUSED, SERVER, OPTION_COUNT };

static const struct option options[] = {
    [INPUT] = {.name = "input", .value = "FILE", .help = "the records; - is standard input"},
    [FORMAT] = {.name = "format",
                .value = "NAME",
                .help = "csv, ndjson or json, where name and content do not tell",
                .words = "csv ndjson json"},
    [DB] = OPTION_DB,
    [ID] = {.name = "id",
            .value = "FIELD",
            .help = "the member with the instance's id (default: id, else the line)"},
    [EVENT] = {.name = "event",
               .value = "TYPE",
               .help = "an event to send at once, with the record"},
    [STEPS] = OPTION_STEPS,
    [OUTPUT] = OPTION_OUTPUT,
    [REPORT] = {.name = "report",
                .value = "FORM",
                .help = "case by case: tap, or junit=FILE; may be repeated",
                .words = "tap junit=",
                .is_repeatable = true},
    [REFUSED] = {.name = "refused",
                 .value = "FILE",
                 .help = "where records go that are not let in now; else they wait"},
    [SERVER] = OPTION_SERVER,
};

enum {
    WORKING_MAX = 4096,     /* instances that are not at rest, of those in a file */
    ARRIVING_MAX = 100000,  /* … of those that come by standard input */
    FEED_RECORDS_MAX = 256, /* before the loop does something else */
    COMPLAINTS_MAX = DIAGNOSTICS_SHOWN_MAX,
    GRACE_MS = 2000,
    DRAW_EVERY_MS = 100,
    SAMPLE = 16, /* instances replayed at the opening */
    RECORD_ARENA_BYTES = 64 * RECORD_LINE_BYTES_MAX,
};

struct run {
    const struct arguments *arguments;
    const char *path;  /* of the input */
    const char *label; /* what messages call it */
    enum stream_format format;
    const struct definition *definition;
    struct session session;
    struct run_input input;
    struct run_records records;
    struct run_progress progress;
    struct run_report report;
    struct run_refused refused;
    struct arena arena; /* of one record */

    struct loop_wake *more;   /* there may be room for more records */
    struct loop_timer *retry; /* the engine was full */
    struct loop_timer *redraw;
    struct run_record **full; /* records that the engine had no room for */
    size_t full_count;
    size_t full_capacity;

    instant_ms began;
    uint64_t number; /* of the record read last */
    uint64_t bad;
    uint64_t complaints;
    uint64_t resumed;
    uint64_t unread;   /* records of the input that nobody came to */
    bool has_ended;    /* the input */
    bool is_stopping;  /* nothing more is read */
    bool is_declaring; /* … but what there would have been, for a report */
};

/* Where a record stands that is complained about. */
struct record_place {
    uint64_t number; /* among the records */
    uint64_t line;
    uint32_t column; /* 0: unknown */
};

__attribute__((format(printf, 4, 5))) static void
complain(struct run *run, struct record_place place, const char *code, const char *format, ...)
{
    struct text text;
    va_list arguments;
    text_init(&text, NULL);
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    run_report_note(&run->report, place.number, place.line, text_span(&text));
    if (run->complaints++ < COMPLAINTS_MAX) {
        run_progress_clear(&run->progress);
        report_line(run->label, place.line, place.column, code, "%.*s",
                    SPAN_ARGS(text_span(&text)));
    }
    text_fini(&text);
}

static uint64_t asked_or_working(const struct run *run)
{
    return run->records.counts[RUN_ASKED] + run->records.counts[RUN_WORKING];
}

/* A file waits as well as an instance does. Who sends records as they happen does not: while a
 * step is parked, what comes next must not stand in a pipe behind thousands that cannot go. */
static uint64_t working_max(const struct run *run)
{
    return strcmp(run->path, "-") == 0 ? ARRIVING_MAX : WORKING_MAX;
}

static bool has_room(const struct run *run)
{
    return run->full_count == 0 && asked_or_working(run) < working_max(run);
}

static void look_for_end(struct run *run)
{
    if (run->has_ended && asked_or_working(run) + run->records.counts[RUN_TIMER] == 0)
        session_end(&run->session);
}

static void move(struct run *run, struct run_record *record, enum run_place place)
{
    run_records_move(&run->records, record, place);
    if (!run->has_ended)
        loop_wake_send(run->more);
    look_for_end(run);
}

static void take_existing(struct run *run, struct run_record *record, bool is_new)
{
    const struct instance *instance =
        registry_find(engine_registry(run->session.engine), run_record_id(record));
    enum instance_rest rest = waiting_rest(instance);
    if (!is_new && rest == REST_FINAL && instance->updated < run->began)
        run->resumed++;
    move(run, record, run_place_of(rest));
}

static void take_refusal(struct run *run, struct run_record *record, enum run_place place,
                         struct span message)
{
    const char *code = place == RUN_CONFLICT ? CODE_CONFLICT
                       : place == RUN_LATER  ? CODE_BUSY
                                             : CODE_REFUSED;
    complain(run, (struct record_place){record->number, record->line, record->column}, code,
             "%.*s", SPAN_ARGS(message));
    run->bad += place == RUN_REFUSED;
    move(run, record, place);
}

/* There is no room for the record now. It waits, and nothing is read meanwhile, unless it can
 * be kept for later. */
static void take_full(struct run *run, struct run_record *record,
                      const struct engine_reply *reply)
{
    if (run_refused_add(&run->refused, record)) {
        memory_release(record->json);
        record->json = NULL;
        take_refusal(run, record, RUN_LATER, reply->message);
        return;
    }
    memory_reserve(run->full, run->full_count, run->full_capacity);
    run->full[run->full_count++] = record;
    loop_timer_start(run->retry, reply->retry_ms);
}

static void on_answer(void *context, const struct engine_reply *reply)
{
    struct run_record *record = context;
    struct run *run = record->owner;
    if (reply->answer == ANSWER_FULL) {
        take_full(run, record, reply);
        return;
    }
    memory_release(record->json);
    record->json = NULL;
    switch (reply->answer) {
    case ANSWER_OK:
    case ANSWER_REPEATED:
        take_existing(run, record, reply->answer == ANSWER_OK);
        return;
    case ANSWER_CONFLICT:
        take_refusal(run, record, RUN_CONFLICT, reply->message);
        return;
    case ANSWER_NOT_FOUND:
    case ANSWER_REFUSED:
        take_refusal(run, record, RUN_REFUSED, reply->message);
        return;
    case ANSWER_FULL:
    case ANSWER_UNKNOWN:
        return; /* the store failed: the session ends by that */
    }
}

static void ask(struct run *run, struct run_record *record)
{
    const struct machine *machine = run->definition->machine;
    struct span json = span_from_text(record->json);
    const char *event = run->arguments->values[EVENT];
    struct engine_start start = {.machine = machine->id,
                                 .version = machine->version,
                                 .id = run_record_id(record),
                                 .input = json,
                                 .event = span_from_text(event),
                                 .event_json = event == NULL ? SPAN("") : json};
    engine_start(run->session.engine, &start, on_answer, record);
}

static void retry_full(void *context)
{
    struct run *run = context;
    size_t count = run->full_count;
    struct run_record **records = run->full;
    run->full = NULL;
    run->full_count = 0;
    run->full_capacity = 0;
    for (size_t i = 0; i < count; i++)
        ask(run, records[i]);
    memory_release(records);
    loop_wake_send(run->more);
}

static void on_rested(void *context, const struct instance *instance, enum instance_rest rest)
{
    struct run *run = context;
    struct run_record *record = run_records_find(&run->records, instance_id(instance));
    if (record != NULL && record->place != RUN_ASKED && record->place != RUN_CONFLICT)
        move(run, record, run_place_of(rest));
}

/* Where a record stands that is being read. */
static struct record_place place_of(const struct run *run, const struct stream_record *record)
{
    return (struct record_place){run->number, record->line, record->column};
}

/* The id of a record, or an empty span after saying what is wrong with it. */
static struct span find_id(struct run *run, const struct stream_record *record)
{
    const char *field = run->arguments->values[ID];
    const struct value *id =
        value_find(record->value, field == NULL ? SPAN("id") : span_from_text(field));
    if (id == NULL && field == NULL)
        return text_print(&run->arena, "%" PRIu64, record->number);
    if (id == NULL) {
        complain(run, place_of(run, record), CODE_RECORD,
                 "the record has no member `%s` for its id", field);
    } else if (id->kind == VALUE_INT) {
        return text_print(&run->arena, "%" PRId64, id->integer);
    } else if (id->kind != VALUE_STRING || id->count == 0 ||
               id->count > INSTANCE_ID_BYTES_MAX || memchr(id->text, '\0', id->count) != NULL) {
        complain(run, place_of(run, record), CODE_RECORD,
                 "the id must be a whole number or a string of 1 to %d bytes",
                 INSTANCE_ID_BYTES_MAX);
    } else {
        return value_span(*id);
    }
    run->bad++;
    return SPAN("");
}

static void take_name(struct run_record *record, struct value value)
{
    struct value name = value_member(value, SPAN("name"));
    if (name.kind == VALUE_STRING)
        record->name = memory_copy_text(value_span(name));
}

/* A record that nobody came to: what an earlier run made of the same one is still true. */
static void declare(struct run *run, struct run_record *record, struct span json)
{
    uint8_t hash[16];
    const struct instance *instance =
        registry_find(engine_registry(run->session.engine), run_record_id(record));
    if (instance == NULL ||
        !span_equal(instance->deployed->definition->machine->id, run->definition->machine->id))
        return;
    registry_hash_input(json, hash);
    if (memcmp(hash, instance->input_hash, sizeof hash) == 0)
        run_records_move(&run->records, record, run_place_of(waiting_rest(instance)));
}

static void start_record(struct run *run, const struct stream_record *read)
{
    struct text json;
    struct span id = find_id(run, read);
    if (id.size == 0)
        return;
    struct run_record *record = run_records_add(&run->records, id, read->line);
    if (record == NULL) {
        complain(run, place_of(run, read), CODE_DUPLICATE,
                 "duplicate id %.*s: line %" PRIu64 " has it", SPAN_ARGS(id),
                 run_records_find(&run->records, id)->line);
        run->bad++;
        return;
    }
    record->number = run->number;
    record->column = read->column;
    record->is_numbered =
        run->arguments->values[ID] == NULL && value_find(read->value, SPAN("id")) == NULL;
    if (run->report.is_wanted)
        take_name(record, read->value);
    text_init(&json, &run->arena);
    json_write(&json, read->value);
    if (run->is_declaring) {
        declare(run, record, text_span(&json));
        return;
    }
    record->json = memory_copy_text(text_span(&json));
    ask(run, record);
}

static void refuse_record(struct run *run, const struct stream_record *record,
                          struct span problem)
{
    complain(run, place_of(run, record), record->is_malformed ? CODE_JSON : CODE_RECORD, "%.*s",
             SPAN_ARGS(problem));
    run->bad++;
}

static void take_record(struct run *run, const struct stream_record *record)
{
    bool is_event = run->arguments->values[EVENT] != NULL;
    if (record->problem.size > 0)
        refuse_record(run, record, record->problem);
    else if (is_event && value_find(record->value, SPAN("type")) != NULL)
        refuse_record(run, record,
                      SPAN("a record that is sent as an event cannot have a member `type`"));
    else
        start_record(run, record);
}

static void on_record(void *context, const struct stream_record *record)
{
    struct run *run = context;
    struct arena_guard guard;
    run->number++;
    if (arena_is_spent(&run->arena, &guard)) {
        refuse_record(run, record, SPAN("the record is too large"));
        return;
    }
    take_record(run, record);
    arena_release_guard(&run->arena, &guard);
    if (!run->is_declaring && !has_room(run))
        run_input_pause(&run->input);
}

static void on_input_end(void *context)
{
    struct run *run = context;
    run->has_ended = true;
    if (!run->is_stopping)
        look_for_end(run);
}

static void feed(void *context)
{
    struct run *run = context;
    uint64_t room = working_max(run) - asked_or_working(run);
    if (run->has_ended || run->is_stopping || !has_room(run))
        return;
    bool is_more = run_input_feed(&run->input,
                                  room < FEED_RECORDS_MAX ? (uint32_t)room : FEED_RECORDS_MAX);
    if (is_more && has_room(run))
        loop_wake_send(run->more);
}

static void draw(struct run *run)
{
    run_progress_draw(&run->progress, run->session.engine, run->records.counts[RUN_FINAL],
                      run->resumed);
}

static void redraw(void *context)
{
    struct run *run = context;
    draw(run);
    loop_timer_start(run->redraw, DRAW_EVERY_MS);
}

static enum cli_exit tell_reports(struct run *run)
{
    struct run_report_source source = {.label = run->label,
                                       .machine = run->definition->machine->id,
                                       .registry = engine_registry(run->session.engine),
                                       .records = &run->records,
                                       .began = run->began,
                                       .ended = clock_wall(),
                                       .is_whole = run->has_ended && run->unread == 0 &&
                                                   run->input.problem == NULL};
    return run->report.is_wanted ? run_report_tell(&run->report, &source) : CLI_OK;
}

/* The rest of a file, of which a report tells too. */
static void declare_rest(struct run *run)
{
    run->is_declaring = run->report.is_wanted && !run->has_ended && run->input.file != NULL;
    if (run->is_declaring)
        run_input_feed(&run->input, UINT32_MAX);
}

/* The end of a run that went through all its input, or of one that was told to stop. */
static enum cli_exit summarize(struct run *run, enum output_format format)
{
    declare_rest(run);
    run->unread = run_input_skip(&run->input);
    uint64_t hidden = run->complaints > COMPLAINTS_MAX ? run->complaints - COMPLAINTS_MAX : 0;
    struct run_summary summary = {.registry = engine_registry(run->session.engine),
                                  .records = &run->records,
                                  .unread = run->unread,
                                  .bad = run->bad,
                                  .resumed = run->resumed,
                                  .dropped = engine_view(run->session.engine).dropped,
                                  .is_stopped = run->session.is_interrupted};
    if (hidden > 0)
        report_problem("%ju more records are bad, in conflict or not let in",
                       (uintmax_t)hidden);
    bool is_fine = run->report.has_tap || run_summary_print(&summary, format);
    enum cli_exit exit = tell_reports(run);
    return exit == CLI_OK && !is_fine ? CLI_FAILED : exit;
}

static enum cli_exit give_up(const struct run *run)
{
    run_report_bail_out(&run->report);
    report_problem("what was accepted is safe: run the same command again to go on");
    return CLI_WORLD;
}

static void work(struct run *run)
{
    struct loop *loop = run->session.loop;
    run->more = loop_wake_open(loop, feed, run);
    run->retry = loop_timer_open(loop, retry_full, run);
    run->redraw = loop_timer_open(loop, redraw, run);
    run_progress_open(&run->progress, 0);
    if (run->progress.is_shown) {
        run->progress.total = run_input_count(&run->input);
        loop_timer_start(run->redraw, DRAW_EVERY_MS);
    }
    loop_wake_send(run->more);
    session_run(&run->session);
    run->is_stopping = true;
    run_input_pause(&run->input);
    loop_timer_stop(run->retry);
    session_stop(&run->session, GRACE_MS);
    draw(run);
    run_progress_leave(&run->progress);
    loop_timer_close(run->redraw);
    loop_timer_close(run->retry);
    loop_wake_close(run->more);
}

static enum cli_exit run_session(struct run *run, enum output_format format)
{
    enum cli_exit exit = session_deploy(&run->session, run->definition);
    if (exit != CLI_OK) {
        session_stop(&run->session, 0);
        return exit;
    }
    run_input_begin(&run->input, run->session.loop);
    work(run);
    exit = run->session.is_broken ? give_up(run) : summarize(run, format);
    run_input_end(&run->input);
    return exit;
}

static enum cli_exit run_definition(struct run *run, const struct cli_world *world,
                                    enum output_format format)
{
    struct session_options session_options = {.path = run->arguments->values[DB],
                                              .access = STORE_CREATE,
                                              .sample = SAMPLE,
                                              .rested = on_rested,
                                              .context = run};
    run_records_init(&run->records, run);
    arena_open(&run->arena, RECORD_ARENA_BYTES);
    enum cli_exit exit = session_open(&run->session, world, &session_options);
    if (exit == CLI_OK) {
        exit = run_session(run, format);
        session_close(&run->session);
    }
    memory_release(run->full);
    arena_close(&run->arena);
    run_records_fini(&run->records);
    return exit;
}

static enum cli_exit run_input(struct run *run, const struct cli_world *world,
                               enum output_format format)
{
    struct run_input_options input = {.path = run->path,
                                      .label = run->label,
                                      .format = run->format,
                                      .machine = run->definition->machine,
                                      .arena = &run->arena,
                                      .record = on_record,
                                      .ended = on_input_end,
                                      .context = run};
    enum cli_exit exit = run_input_open(&run->input, &input);
    if (exit != CLI_OK)
        return exit;
    exit = CLI_WORLD;
    if (run_refused_open(&run->refused, run->arguments->values[REFUSED]))
        exit = run_definition(run, world, format);
    if (!run_refused_close(&run->refused))
        exit = CLI_WORLD;
    enum cli_exit closed = run_input_close(&run->input);
    return closed == CLI_OK ? exit : closed;
}

static enum cli_exit run_reports(struct run *run, const struct cli_world *world,
                                 enum output_format format)
{
    enum cli_exit exit = run_report_open(&run->report);
    if (exit == CLI_OK)
        exit = run_input(run, world, format);
    run_report_fini(&run->report);
    return exit;
}

/* Which reports are wanted; false after saying what is wrong with that. */
static bool read_reports(struct run_report *report, const struct arguments *arguments)
{
    char problem[256];
    for (uint32_t i = 0; i < arguments->repeated_count; i++) {
        if (!run_report_want(report, arguments->repeated[i], problem)) {
            report_problem("run: %s", problem);
            return false;
        }
    }
    if (!report->has_tap || arguments->values[OUTPUT] == NULL)
        return true;
    report_problem("run: --report tap and -o both want standard output");
    return false;
}

/* False after saying that there is no such format. */
static bool read_format(enum stream_format *format, const char *name)
{
    if (name == NULL || stream_format_find(span_from_text(name), format))
        return true;
    report_problem("run: --format is csv, ndjson or json, and not `%.100s`", name);
    return false;
}

/* What is written may be nothing that is read: it would be gone, or never come to an end. */
static bool is_apart(const struct run *run, const char *option, const char *path,
                     const char *other_path)
{
    const char *db = run->arguments->values[DB];
    bool is_stdin = strcmp(run->path, "-") == 0;
    const char *used[] = {run->arguments->operands[0], is_stdin ? "/dev/stdin" : run->path,
                          run->arguments->values[STEPS], db == NULL ? reader_default_path : db,
                          other_path};
    for (size_t i = 0; path != NULL && i < sizeof used / sizeof *used; i++) {
        if (used[i] == NULL || !file_is_same(path, used[i]))
            continue;
        report_problem("run: %s would write into %s, which this run needs itself", option,
                       used[i]);
        return false;
    }
    return true;
}

static enum cli_exit run_command(const struct cli_world *world,
                                 const struct arguments *arguments, enum output_format format)
{
    struct definition_file file;
    enum cli_exit exit;
    struct run run = {
        .arguments = arguments, .path = arguments->values[INPUT], .began = clock_wall()};
    if (run.path == NULL) {
        report_problem("run: --input is missing: where are the records?");
        return CLI_USAGE;
    }
    if (!read_format(&run.format, arguments->values[FORMAT]) ||
        !read_reports(&run.report, arguments) ||
        !is_apart(&run, "--refused", arguments->values[REFUSED], NULL) ||
        !is_apart(&run, "--report", run.report.junit_path, arguments->values[REFUSED]))
        return CLI_USAGE;
    run.label = strcmp(run.path, "-") == 0 ? "stdin" : run.path;
    run.definition = definition_file_load(&file, arguments->operands[0],
                                          arguments->values[STEPS], world, &exit);
    if (run.definition != NULL) {
        definition_file_remark_event(run.definition->machine, arguments->values[EVENT]);
        exit = run_reports(&run, world, format);
    }
    definition_file_close(&file);
    return exit;
}

const struct command command_run = {
    .name = "run",
    .summary = "one durable instance per record, to completion",
    .usage = "FILE --input INPUT [--format csv|ndjson|json] [--db PATH] [--id FIELD]\n"
             "                     [--event TYPE] [--steps FILE] [--report tap]\n"
             "                     [--report junit=FILE] [--refused FILE] [-o text|json]",
    .text =
        "Starts an instance for every record and runs them all until they have ended or wait\n"
        "for somebody outside. Safe to kill at any moment: the same command goes on where it\n"
        "was. Bad records are told and counted, the others are run. A report tells of every\n"
        "record, also of those that never ran; with one, the exit status is 1 unless all\n"
        "ended, in states without the tag `failure`.\n\n"
        "Records are CSV with a header, JSON objects line by line (.ndjson, .jsonl) or in a\n"
        "list (.json), each as it is or in gzip. Cells of CSV are strings; where the context\n"
        "of the machine has a member of the column's name that begins as a number, true or\n"
        "false, they are that. An empty cell is a missing member.",
    .example =
        "  interlock run order.yaml --input orders.ndjson --event SUBMIT --db orders.db\n"
        "  interlock run order.yaml --input orders.csv.gz --id order_id",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_min = 1,
    .operands_max = 1,
    .formats = OUTPUT_BIT(OUTPUT_TEXT) | OUTPUT_BIT(OUTPUT_JSON),
    .output_option = OUTPUT,
    .run = run_command,
};
