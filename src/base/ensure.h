/*
 * ensure.h - stop the process when our own code is wrong.
 *
 * ensure() states what must hold and stays on in release builds: a machine that
 * continues from a state nobody thought of loses data, one that stops loses none.
 * It is never used for bad input; input gets a diagnostic, a value or a status.
 */
#pragma once

_Noreturn void ensure_failed(const char *condition, const char *file, int line);

#define ensure(condition) \
    ((condition) ? (void)0 : ensure_failed(#condition, __FILE__, __LINE__))

/* Marks a place that no correct program reaches, such as the end of a full switch. */
#define never() ensure_failed("never reached", __FILE__, __LINE__)
