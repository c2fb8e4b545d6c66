/*
 * storm_options.c - options by getopt_long(), which tells what it does not know.
 */
#include "storm_options.h"

#include <getopt.h>
#include <stdlib.h>

#include "base/ensure.h"

static void take(const struct storm_option *option, const char *value)
{
    if (option->text != NULL)
        *option->text = value;
    else if (option->number != NULL)
        *option->number = strtoll(value, NULL, 10);
    else if (option->seconds != NULL)
        *option->seconds = strtod(value, NULL);
    else
        *option->flag = true;
}

int storm_options_read(const struct storm_option *options, size_t option_count, int count,
                       char **words)
{
    struct option table[STORM_OPTIONS_MAX + 1] = {0};
    int index;
    ensure(option_count <= STORM_OPTIONS_MAX);
    for (size_t i = 0; i < option_count; i++)
        table[i] = (struct option){.name = options[i].name,
                                   .has_arg = options[i].flag == NULL ? required_argument
                                                                      : no_argument};
    for (int answer; (answer = getopt_long(count, words, "", table, &index)) != -1;) {
        if (answer != 0)
            return -1;
        take(&options[index], optarg);
    }
    return optind;
}
