/*
 * ensure.c - the one way out when our own code is wrong.
 *
 * Written without buffers or allocation, so that it works with the heap in ruins.
 */
#include "base/ensure.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void ensure_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "interlock: %s:%d: broken: %s\n", file, line, condition);
    abort();
}
