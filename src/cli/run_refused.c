/*
 * run_refused.c - a file of records for later.
 */
#include "cli/run_refused.h"

#include <errno.h>
#include <string.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "cli/report.h"

struct run_refused_line {
    struct run_refused_line *next;
    uint8_t digest[16];
};

/* A record with the member that it may get for its id. */
enum { LINE_BYTES_MAX = RECORD_LINE_BYTES_MAX + 8 * INSTANCE_ID_BYTES_MAX };

static void fail(struct run_refused *refused)
{
    if (!refused->is_broken)
        report_file(refused->path, strerror(errno));
    refused->is_broken = true;
}

static struct span digest_of(const struct run_refused_line *line)
{
    return span_of((const char *)line->digest, sizeof line->digest);
}

static void remember(struct run_refused *refused, struct span text)
{
    struct run_refused_line *line = memory_get(sizeof *line);
    registry_hash_input(text, line->digest);
    if (table_find(&refused->by_digest, digest_of(line)) != NULL) {
        memory_release(line);
        return;
    }
    table_add(&refused->by_digest, digest_of(line), line);
    line->next = refused->lines;
    refused->lines = line;
}

static bool is_known(const struct run_refused *refused, struct span text)
{
    struct run_refused_line line;
    registry_hash_input(text, line.digest);
    return table_find(&refused->by_digest, digest_of(&line)) != NULL;
}

static void forget_lines(struct run_refused *refused)
{
    while (refused->lines != NULL) {
        struct run_refused_line *line = refused->lines;
        refused->lines = line->next;
        memory_release(line);
    }
    table_fini(&refused->by_digest);
}

/* What a pipe has is not read: it would be gone. False after saying why it cannot be. */
static bool read_lines(struct run_refused *refused)
{
    struct file_lines *lines;
    struct span line;
    bool too_long;
    const char *problem = NULL;
    if (file_size(refused->path) <= 0)
        return true;
    if (file_lines_open(refused->path, LINE_BYTES_MAX, &lines, &problem) != STATUS_OK) {
        report_file(refused->path, problem);
        return false;
    }
    while (file_lines_next(lines, &line, &too_long))
        remember(refused, line);
    if (file_lines_close(lines) == STATUS_OK)
        return true;
    report_file(refused->path, "reading failed");
    return false;
}

/* A line that was cut off by the end of a machine stays one by itself. */
static void end_last_line(const struct run_refused *refused)
{
    FILE *file = file_size(refused->path) > 0 ? fopen(refused->path, "rb") : NULL;
    if (file == NULL)
        return;
    if (fseek(file, -1, SEEK_END) == 0 && fgetc(file) != '\n')
        fputc('\n', refused->file);
    fclose(file);
}

bool run_refused_open(struct run_refused *refused, const char *path)
{
    *refused = (struct run_refused){.path = path};
    if (path == NULL)
        return true;
    table_init(&refused->by_digest);
    refused->file = fopen(path, "ab");
    if (refused->file == NULL)
        fail(refused);
    if (refused->file == NULL || !read_lines(refused))
        return false;
    end_last_line(refused);
    return true;
}

/* The record's JSON is an object as json_write() has it. */
static void write_line(struct text *line, const struct run_record *record)
{
    ensure(record->json != NULL);
    struct span json = span_from_text(record->json);
    if (record->is_numbered) {
        text_add(line, SPAN("{\"id\":"));
        json_write_string(line, run_record_id(record));
        text_add(line, span_is(json, "{}") ? SPAN("") : SPAN(","));
        json = span_of(json.text + 1, json.size - 1);
    }
    text_add(line, json);
}

bool run_refused_add(struct run_refused *refused, const struct run_record *record)
{
    struct text line;
    if (refused->file == NULL || refused->is_broken)
        return false;
    text_init(&line, NULL);
    write_line(&line, record);
    if (!is_known(refused, text_span(&line))) {
        text_add_byte(&line, '\n');
        if (fwrite(line.bytes, 1, line.size, refused->file) != line.size ||
            fflush(refused->file) != 0)
            fail(refused);
    }
    text_fini(&line);
    return !refused->is_broken;
}

bool run_refused_close(struct run_refused *refused)
{
    if (refused->file != NULL && fclose(refused->file) != 0)
        fail(refused);
    refused->file = NULL;
    forget_lines(refused);
    return !refused->is_broken;
}
