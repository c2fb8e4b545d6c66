/*
 * expect.h - what the tests of base say beside cmocka's own assertions.
 *
 * cmocka reports a line; in a table that is not enough, so these also say which row or
 * which text it was.
 */
#pragma once

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/span.h"

/* A span of a literal that is a constant, for tables; may hold NUL bytes. */
#define ROW(literal)                 \
    {                                \
        literal, sizeof(literal) - 1 \
    }

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The condition must hold; the row's bytes are shown when it does not. */
#define expect_row(condition, row) \
    expect_row_at((condition), #condition, (row), __FILE__, __LINE__)

static inline void expect_row_at(bool holds, const char *condition, struct span row,
                                 const char *file, int line)
{
    if (holds)
        return;
    print_error("row \"%.*s\": %s\n", SPAN_ARGS(row), condition);
    _fail(file, line);
}

/* The span must hold exactly the bytes of the C text. */
#define expect_text(actual, expected) expect_text_at((actual), (expected), __FILE__, __LINE__)

static inline void expect_text_at(struct span actual, const char *expected, const char *file,
                                  int line)
{
    if (span_is(actual, expected))
        return;
    print_error("\"%.*s\" instead of \"%s\"\n", SPAN_ARGS(actual), expected);
    _fail(file, line);
}

/* The action must end the process by ensure(), whose message is not shown. */
static inline void expect_broken(void (*action)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        action();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}
