/*
 * output.c - writing to standard output through the C library's buffer.
 */
#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/json.h"
#include "cli/report.h"
#include "os/os.h"

static const char *format_name(enum output_format format)
{
#define FORMAT_NAME(name, text) [OUTPUT_##name] = text,
    static const char *const names[] = {OUTPUT_FORMAT_LIST(FORMAT_NAME)};
#undef FORMAT_NAME
    ensure(format < OUTPUT_FORMAT_COUNT);
    return names[format];
}

void output_list_formats(uint32_t formats, struct text *text)
{
    const char *between = "";
    for (enum output_format format = 0; format < OUTPUT_FORMAT_COUNT; format++) {
        if ((formats & OUTPUT_BIT(format)) == 0)
            continue;
        text_format(text, "%s%s", between, format_name(format));
        between = "|";
    }
}

bool output_find_format(const char *name, uint32_t formats, enum output_format *format,
                        char problem[256])
{
    for (enum output_format each = 0; each < OUTPUT_FORMAT_COUNT; each++) {
        if ((formats & OUTPUT_BIT(each)) != 0 && strcmp(name, format_name(each)) == 0) {
            *format = each;
            return true;
        }
    }
    struct text known;
    text_init(&known, NULL);
    output_list_formats(formats, &known);
    snprintf(problem, 256, "-o %s is not known here; there is %.*s", name,
             SPAN_ARGS(text_span(&known)));
    text_fini(&known);
    return false;
}

void output_add(struct span text)
{
    if (!ferror(stdout))
        fwrite(text.text, 1, text.size, stdout);
}

void output_lines(struct span lines)
{
    struct text text;
    text_init(&text, NULL);
    text_add_visible_lines(&text, lines);
    output_add(text_span(&text));
    text_fini(&text);
}

void output_format(const char *format, ...)
{
    struct text text;
    text_init(&text, NULL);
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    output_add(text_span(&text));
    text_fini(&text);
}

void output_value(struct value value)
{
    struct text text;
    text_init(&text, NULL);
    json_write(&text, value);
    text_add_byte(&text, '\n');
    output_add(text_span(&text));
    text_fini(&text);
}

void output_value_pretty(struct value value)
{
    struct text text;
    text_init(&text, NULL);
    json_write_pretty(&text, value, 0);
    text_add_byte(&text, '\n');
    output_add(text_span(&text));
    text_fini(&text);
}

bool output_flush(void)
{
    return !ferror(stdout) && fflush(stdout) == 0;
}

/* What was wrong with an earlier write is no longer known, but it is still wrong. */
static int ask_again(void)
{
    clearerr(stdout);
    errno = 0;
    if (fputc('\n', stdout) == EOF || fflush(stdout) != 0)
        return errno;
    return EIO;
}

enum cli_exit output_end(enum cli_exit exit)
{
    if (output_flush())
        return exit;
    int problem = ask_again();
    if (problem == EPIPE)
        return exit;
    report_problem("standard output: %s", strerror(problem));
    return CLI_WORLD;
}

bool output_has_colour(int descriptor)
{
    const char *no_colour = getenv("NO_COLOR");
    return file_is_terminal(descriptor) && (no_colour == NULL || *no_colour == '\0');
}
