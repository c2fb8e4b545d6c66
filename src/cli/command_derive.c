/*
 * command_derive.c - `interlock derive`: the state of every record, from its data.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/command.h"
#include "cli/definition_file.h"
#include "cli/derive_fast.h"
#include "cli/derive_sql.h"
#include "cli/report.h"
#include "os/os.h"

enum {
    OUTPUT,
    FORMAT,
    EXPLAIN,
    KEY,
    FROM,
    COMPARE,
    CONFLICTS,
    WHERE,
    LIMIT,
    SQL,
    STRICT,
    OPTION_COUNT
};

static const struct option options[] = {
    [OUTPUT] = OPTION_OUTPUT,
    [FORMAT] = {.name = "format",
                .value = "NAME",
                .help = "csv, ndjson or json, where name and content do not tell",
                .words = "csv ndjson json"},
    [EXPLAIN] = {.name = "explain", .help = "how each record came to its state"},
    [KEY] = {.name = "key",
             .value = "FIELD",
             .help = "the member that names a record (default: id, else the line)"},
    [FROM] = {.name = "from",
              .value = "FIELD",
              .help = "the member with the stored state, where the search starts"},
    [COMPARE] = {.name = "compare",
                 .value = "FIELD",
                 .help = "the member with a recorded state, which is only compared"},
    [CONFLICTS] = {.name = "conflicts", .help = "only records that conflict, with their class"},
    [WHERE] = {.name = "where",
               .value = "CEL",
               .help =
                   "only records for which it holds; sees state, holds, stored and key too"},
    [LIMIT] = {.name = "limit", .value = "N", .help = "stop after so many records"},
    [SQL] = {.name = "sql",
             .value = "SELECT",
             .help = "INPUT is a SQLite file or postgres://…: the rows that this gives"},
    [STRICT] = {.name = "strict", .help = "stop at the first bad record"},
};

enum { LOOK_EVERY = 8192, DRAW_EVERY_US = 100000 };

struct deriving {
    struct derive_job job;
    struct derive_fast *fast; /* NULL: of no use here */
    struct definition_file file;
    const char *path;
    struct file_stream *input;
    struct record_stream *stream;
    const char *problem; /* why the input ended too early */
    uint64_t bytes;      /* of the input, read */
    int64_t size;        /* of the input, 0: unknown */
    int64_t began_us;
    int64_t drawn_us;
    bool has_progress;
};

/* Progress */

static void draw(struct deriving *deriving)
{
    int64_t now_us = clock_elapsed_us();
    if (!deriving->has_progress || now_us - deriving->drawn_us < DRAW_EVERY_US)
        return;
    deriving->drawn_us = now_us;
    uint64_t done = deriving->job.records + deriving->job.errors;
    double seconds = (double)(now_us - deriving->began_us) / 1e6;
    fprintf(stderr, "\r  %" PRIu64 " records, %.1f M/s", done,
            seconds <= 0 ? 0 : (double)done / seconds / 1e6);
    if (deriving->size > 0)
        fprintf(stderr, ", %3.0f %%", (double)deriving->bytes * 100 / (double)deriving->size);
    fputs("\033[K", stderr);
}

static void clear_progress(const struct deriving *deriving)
{
    if (deriving->has_progress && deriving->drawn_us > deriving->began_us)
        fputs("\r\033[K", stderr);
}

/* Input */

/* What a column of CSV holds, as schema and presets say. */
static enum value_kind kind_of_column(void *context, struct span column)
{
    const struct derivation *derivation = context;
    for (uint32_t i = 0; i < derivation->field_count; i++) {
        if (span_equal(derivation->fields[i].name, column) &&
            derivation->fields[i].kind != VALUE_NULL)
            return derivation->fields[i].kind;
    }
    return VALUE_STRING;
}

static enum cli_exit open_input(struct deriving *deriving, enum stream_format format)
{
    const char *problem = NULL;
    struct stream_options about = {
        .format = format,
        .record_bytes_max = RECORD_LINE_BYTES_MAX,
        .kind_of = kind_of_column,
        .context = (void *)(uintptr_t)deriving->job.derivation,
    };
    if (format == STREAM_UNKNOWN)
        about.format = stream_format_of_path(span_from_text(deriving->path));
    if (file_stream_open(deriving->path, &deriving->input, &problem) != STATUS_OK) {
        report_file(deriving->path, problem);
        return CLI_WORLD;
    }
    deriving->stream = record_stream_open(&about);
    deriving->size = file_size(deriving->path);
    return CLI_OK;
}

static void read_more(struct deriving *deriving)
{
    struct span bytes = SPAN("");
    enum status status = file_stream_read(deriving->input, &bytes, &deriving->problem);
    deriving->bytes += bytes.size;
    if (status == STATUS_OK && bytes.size > 0)
        record_stream_feed(deriving->stream, bytes);
    else
        record_stream_end(deriving->stream, status == STATUS_OK);
}

/* Now and then: whether anybody still reads, and progress. */
static void look(struct deriving *deriving)
{
    struct derive_job *job = &deriving->job;
    bool is_streamed =
        job->options.format == OUTPUT_NDJSON || job->options.format == OUTPUT_CSV;
    draw(deriving);
    job->is_over = job->is_over || (is_streamed && !output_flush());
}

static void read_records(struct deriving *deriving)
{
    struct derive_job *job = &deriving->job;
    struct stream_record record;
    for (uint64_t round = 1; !job->is_over; round++) {
        struct span line = SPAN("");
        arena_clear(&job->arena);
        if (deriving->fast != NULL)
            line = derive_fast_run(deriving->fast, deriving->stream);
        if (job->is_over)
            break;
        switch (record_stream_next(deriving->stream, &job->arena, &record)) {
        case STREAM_RECORD:
            derive_job_take(job, &record);
            if (line.size > 0)
                derive_fast_note(deriving->fast, line);
            break;
        case STREAM_WANTS:
            read_more(deriving);
            draw(deriving);
            break;
        case STREAM_ENDED:
            job->is_over = true;
            break;
        }
        if (round % LOOK_EVERY == 0)
            look(deriving);
    }
    if (deriving->problem == NULL)
        deriving->problem = record_stream_problem(deriving->stream);
}

static enum cli_exit refuse_rows(const struct deriving *deriving, enum status status,
                                 const struct derive_sql *sql)
{
    clear_progress(deriving);
    report_file(status == STATUS_INVALID ? "--sql" : deriving->job.options.label,
                text_span(&sql->problem).text);
    return status == STATUS_INVALID ? CLI_USAGE : CLI_WORLD;
}

static enum cli_exit read_rows(struct deriving *deriving, const char *statement)
{
    struct derive_job *job = &deriving->job;
    struct derive_sql sql;
    struct stream_record record;
    enum status status = derive_sql_open(&sql, deriving->path, statement, job->derivation);
    bool is_open = status == STATUS_OK;
    if (is_open)
        derive_row_begin(job);
    while (status == STATUS_OK && !job->is_over) {
        arena_clear(&job->arena);
        status = derive_sql_next(&sql, &job->arena, &record);
        if (status == STATUS_OK)
            derive_job_take(job, &record);
        if (sql.number % LOOK_EVERY == 0)
            look(deriving);
    }
    bool is_good = is_open && (status == STATUS_OK || status == STATUS_NOT_FOUND);
    enum cli_exit exit = is_good ? CLI_OK : refuse_rows(deriving, status, &sql);
    derive_sql_close(&sql);
    return exit;
}

static enum cli_exit judge(const struct deriving *deriving)
{
    const struct derive_job *job = &deriving->job;
    if (deriving->problem != NULL) {
        report_file(job->options.label, deriving->problem);
        return CLI_WORLD;
    }
    return job->errors > 0 || job->conflicts > 0 ? CLI_FAILED : CLI_OK;
}

static enum cli_exit read_stream(struct deriving *deriving, enum stream_format format)
{
    enum cli_exit exit = open_input(deriving, format);
    if (exit != CLI_OK)
        return exit;
    derive_row_begin(&deriving->job);
    deriving->fast = derive_fast_open(&deriving->job);
    read_records(deriving);
    if (deriving->fast != NULL)
        derive_fast_settle(deriving->fast);
    derive_fast_close(deriving->fast);
    record_stream_close(deriving->stream);
    file_stream_close(deriving->input);
    return CLI_OK;
}

static enum cli_exit derive_all(struct deriving *deriving, enum stream_format format,
                                const char *statement)
{
    deriving->has_progress = file_is_terminal(STDERR_FILENO);
    deriving->began_us = clock_elapsed_us();
    deriving->drawn_us = deriving->began_us;
    enum cli_exit exit =
        statement == NULL ? read_stream(deriving, format) : read_rows(deriving, statement);
    if (exit != CLI_OK)
        return exit;
    clear_progress(deriving);
    derive_summary_print(&deriving->job, clock_elapsed_us() - deriving->began_us);
    return judge(deriving);
}

/* The definition */

static const struct derivation *read_definition(struct deriving *deriving, enum cli_exit *exit)
{
    struct definition_file *file = &deriving->file;
    const struct derivation *derivation =
        *exit == CLI_OK ? definition_file_derivation(file) : NULL;
    if (derivation != NULL)
        return derivation;
    int lines_left = DIAGNOSTICS_SHOWN_MAX;
    report_diagnostics(&file->diagnostics, SEVERITY_ERROR, &lines_left);
    *exit = *exit == CLI_OK ? CLI_FAILED : *exit;
    return NULL;
}

static const struct expr_program *compile_where(struct deriving *deriving, const char *text,
                                                const struct derivation *derivation)
{
    struct definition_file *file = &deriving->file;
    const struct span names[DERIVE_WHERE_COUNT] = {
        [DERIVE_WHERE_RECORD] = derivation->record, [DERIVE_WHERE_STATE] = SPAN("state"),
        [DERIVE_WHERE_HOLDS] = SPAN("holds"),       [DERIVE_WHERE_STORED] = SPAN("stored"),
        [DERIVE_WHERE_KEY] = SPAN("key"),
    };
    const struct expr_scope scope = {.variables = names, .variable_count = DERIVE_WHERE_COUNT};
    const struct place place = {.file = SPAN("--where"), .line = 1, .column = 1};
    struct arena_guard guard;
    if (arena_is_spent(&file->arena, &guard))
        return NULL;
    const struct expr_program *program =
        expr_compile(span_from_text(text), place, &scope, &file->arena, &file->diagnostics);
    arena_release_guard(&file->arena, &guard);
    return program;
}

static enum cli_exit refuse(const char *problem)
{
    report_problem("derive: %s", problem);
    return CLI_USAGE;
}

/* What messages call the input; an address may have a password in it. */
static const char *label_of(const char *path)
{
    if (strcmp(path, "-") == 0)
        return "standard input";
    return strncmp(path, "postgres", 8) == 0 && strstr(path, "://") != NULL ? "PostgreSQL"
                                                                            : path;
}

static enum cli_exit run_derivation(struct deriving *deriving,
                                    const struct arguments *arguments,
                                    const struct derivation *derivation,
                                    enum output_format output)
{
    struct derive_options about = {
        .label = label_of(deriving->path),
        .key = arguments->values[KEY],
        .from = arguments->values[FROM],
        .compare = arguments->values[COMPARE],
        .is_strict = arguments->values[STRICT] != NULL,
        .is_explained = arguments->values[EXPLAIN] != NULL,
        .only_conflicts = arguments->values[CONFLICTS] != NULL,
        .format = output,
    };
    enum stream_format format = STREAM_UNKNOWN;
    if (arguments->values[FORMAT] != NULL &&
        !stream_format_find(span_from_text(arguments->values[FORMAT]), &format))
        return refuse("--format is csv, ndjson or json");
    if (arguments->values[LIMIT] != NULL &&
        !options_number(arguments->values[LIMIT], INT64_MAX, &about.limit))
        return refuse("--limit takes a whole number");
    if (about.only_conflicts && about.from == NULL && about.compare == NULL)
        return refuse("--conflicts needs --from or --compare");
    if (arguments->values[SQL] != NULL && strcmp(deriving->path, "-") == 0)
        return refuse("--sql needs INPUT: a SQLite file, or the address of a server");
    if (arguments->values[WHERE] != NULL) {
        about.where = compile_where(deriving, arguments->values[WHERE], derivation);
        if (about.where == NULL) {
            int lines_left = DIAGNOSTICS_SHOWN_MAX;
            report_diagnostics(&deriving->file.diagnostics, SEVERITY_ERROR, &lines_left);
            return CLI_USAGE;
        }
    }
    derive_job_init(&deriving->job, derivation, &about);
    enum cli_exit exit = derive_all(deriving, format, arguments->values[SQL]);
    derive_job_fini(&deriving->job);
    return exit;
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    struct deriving deriving = {.path = arguments->operand_count > 1 ? arguments->operands[1]
                                                                     : "-"};
    enum cli_exit exit =
        definition_file_open(&deriving.file, arguments->operands[0], NULL, world);
    const struct derivation *derivation = read_definition(&deriving, &exit);
    if (derivation != NULL)
        exit = run_derivation(&deriving, arguments, derivation, format);
    definition_file_close(&deriving.file);
    return exit;
}

const struct command command_derive = {
    .name = "derive",
    .summary = "tell the state of records from their data",
    .usage = "FILE [INPUT] [--from FIELD] [--compare FIELD] [--explain] [-o FORMAT]",
    .text =
        "Reads records (NDJSON, CSV or JSON, as they are or packed; - or nothing is standard\n"
        "input) and derives the state of each by the validators of FILE: how many are in\n"
        "which state, or with -o ndjson or csv a line for each. With --from or --compare the\n"
        "states that were recorded are compared, and conflicts make exit status 1.",
    .example =
        "  interlock derive order-status.yaml orders.ndjson\n"
        "  interlock derive order-status.yaml orders.csv --compare status -o json\n"
        "  interlock derive order-status.yaml shop.db --sql 'select * from orders'\n"
        "  interlock derive order-status.yaml orders.csv --where 'key == \"42\"' --explain",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_min = 1,
    .operands_max = 2,
    .formats = OUTPUT_BIT(OUTPUT_TEXT) | OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_NDJSON) |
               OUTPUT_BIT(OUTPUT_CSV),
    .output_option = OUTPUT,
    .run = run,
};
