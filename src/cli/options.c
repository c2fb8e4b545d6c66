/*
 * options.c - the reader of options.
 */
#include "cli/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/ensure.h"
#include "base/memory.h"
#include "base/span.h"

struct reading {
    const struct option *options;
    size_t count;
    char **next; /* what is left */
    char **end;
    struct arguments *read;
    char *problem;
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct reading *reading,
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reading->problem, 256, format, arguments);
    va_end(arguments);
    return false;
}

static bool refuse_unknown(struct reading *reading, struct span name)
{
    struct span names[OPTIONS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < reading->count; i++) {
        if (!reading->options[i].is_later)
            names[count++] = span_from_text(reading->options[i].name);
    }
    size_t nearest = span_nearest(name, names, count);
    if (nearest == SIZE_MAX)
        return refuse(reading, "unknown option --%.*s", SPAN_ARGS(name));
    return refuse(reading, "unknown option --%.*s; did you mean --%.*s?", SPAN_ARGS(name),
                  SPAN_ARGS(names[nearest]));
}

/* Keeps the value of an option; value NULL: none was attached, so it is the next argument. */
static bool take(struct reading *reading, size_t index, const char *value)
{
    const struct option *option = &reading->options[index];
    if (option->is_later)
        return refuse(reading, "--%s is not there yet", option->name);
    if (reading->read->values[index] != NULL && !option->is_repeatable)
        return refuse(reading, "--%s is given twice", option->name);
    if (option->value == NULL) {
        if (value != NULL)
            return refuse(reading, "--%s takes no value", option->name);
        value = "";
    } else if (value == NULL) {
        if (reading->next == reading->end)
            return refuse(reading, "--%s needs a value: %s", option->name, option->value);
        value = *reading->next++;
    }
    if (option->is_repeatable)
        reading->read->repeated[reading->read->repeated_count++] = value;
    reading->read->values[index] = value;
    return true;
}

static bool take_long(struct reading *reading, const char *argument)
{
    const char *equals = strchr(argument, '=');
    struct span name = equals == NULL ? span_from_text(argument)
                                      : span_of(argument, (size_t)(equals - argument));
    for (size_t i = 0; i < reading->count; i++) {
        if (span_is(name, reading->options[i].name))
            return take(reading, i, equals == NULL ? NULL : equals + 1);
    }
    return refuse_unknown(reading, name);
}

static bool take_letter(struct reading *reading, const char *argument)
{
    for (size_t i = 0; i < reading->count; i++) {
        if (reading->options[i].letter == argument[0])
            return take(reading, i, argument[1] == '\0' ? NULL : argument + 1);
    }
    return refuse(reading, "unknown option -%s", argument);
}

static bool take_any(struct reading *reading, bool *options_ended)
{
    const char *argument = *reading->next++;
    if (!*options_ended && strcmp(argument, "--") == 0) {
        *options_ended = true;
        return true;
    }
    if (*options_ended || argument[0] != '-' || argument[1] == '\0') {
        reading->read->operands[reading->read->operand_count++] = argument;
        return true;
    }
    if (argument[1] == '-')
        return take_long(reading, argument + 2);
    return take_letter(reading, argument + 1);
}

bool options_read(const struct option *options, size_t count, int argument_count,
                  char **arguments, struct arguments *read, char problem[256])
{
    ensure(count <= OPTIONS_MAX);
    *read = (struct arguments){0};
    read->operands = memory_get((size_t)argument_count * sizeof *read->operands);
    read->repeated = memory_get((size_t)argument_count * sizeof *read->repeated);
    struct reading reading = {options, count,  arguments, arguments + argument_count,
                              read,    problem};
    bool options_ended = false;
    while (reading.next != reading.end) {
        if (!take_any(&reading, &options_ended))
            return false;
    }
    return true;
}

void arguments_fini(struct arguments *arguments)
{
    memory_release(arguments->operands);
    memory_release(arguments->repeated);
    arguments->operands = NULL;
    arguments->repeated = NULL;
}

bool options_number(const char *text, uint64_t max, uint64_t *number)
{
    uint64_t sum = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || sum > max / 10)
            return false;
        sum = sum * 10 + (uint64_t)(*text - '0');
    }
    if (sum > max)
        return false;
    *number = sum;
    return true;
}
