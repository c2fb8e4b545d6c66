/*
 * expect_os.h - what the tests of os and strategy share: spans compared, descriptors counted.
 */
#pragma once

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/span.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static inline void expect_text(struct span got, const char *wanted)
{
    if (span_is(got, wanted))
        return;
    print_error("got    \"%.*s\"\nwanted \"%s\"\n", SPAN_ARGS(got), wanted);
    fail();
}

static inline void expect_part(struct span got, const char *wanted)
{
    if (span_find(got, span_from_text(wanted), 0) != SIZE_MAX)
        return;
    print_error("got    \"%.*s\"\nwanted \"…%s…\"\n", SPAN_ARGS(got), wanted);
    fail();
}

/* Descriptors that this process has open. */
static inline size_t count_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}
