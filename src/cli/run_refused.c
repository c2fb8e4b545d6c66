/*
 * run_refused.c - a file of records for later.
 */
#include "cli/run_refused.h"

#include <errno.h>
#include <string.h>

#include "base/ensure.h"
#include "base/json.h"
#include "cli/report.h"

static void fail(struct run_refused *refused)
{
    if (!refused->is_broken)
        report_file(refused->path, strerror(errno));
    refused->is_broken = true;
}

bool run_refused_open(struct run_refused *refused, const char *path)
{
    *refused = (struct run_refused){.path = path};
    if (path == NULL)
        return true;
    refused->file = fopen(path, "ab");
    if (refused->file == NULL)
        fail(refused);
    return refused->file != NULL;
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
    text_add_byte(line, '\n');
}

bool run_refused_add(struct run_refused *refused, const struct run_record *record)
{
    struct text line;
    if (refused->file == NULL || refused->is_broken)
        return false;
    text_init(&line, NULL);
    write_line(&line, record);
    struct span bytes = text_span(&line);
    if (fwrite(bytes.text, 1, bytes.size, refused->file) != bytes.size ||
        fflush(refused->file) != 0)
        fail(refused);
    text_fini(&line);
    return !refused->is_broken;
}

bool run_refused_close(struct run_refused *refused)
{
    if (refused->file != NULL && fclose(refused->file) != 0)
        fail(refused);
    refused->file = NULL;
    return !refused->is_broken;
}
