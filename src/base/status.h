/*
 * status.h - how the world answered.
 *
 * A status is for what our code cannot decide: disks, networks, limits, other
 * processes. Wrong definitions get diagnostics, wrong data in an expression gets an
 * error value, and our own mistakes get ensure().
 */
#pragma once

#define STATUS_LIST(X)                             \
    X(OK, "ok")                                    \
    X(NO_SPACE, "a configured limit was reached")  \
    X(NOT_FOUND, "not found")                      \
    X(INVALID, "the input is not valid")           \
    X(CONFLICT, "it exists with other content")    \
    X(STALE, "another owner committed first")      \
    X(FULL, "the disk or database is full")        \
    X(BUSY, "owned by another process")            \
    X(VERSION, "written by another version")       \
    X(CORRUPT, "damaged or not what it should be") \
    X(IO, "reading or writing failed")             \
    X(UNKNOWN, "the outcome is unknown")

#define STATUS_ENUM(name, text) STATUS_##name,
enum status { STATUS_LIST(STATUS_ENUM) STATUS_COUNT };
#undef STATUS_ENUM

/* A short sentence for people; never NULL, static. */
const char *status_text(enum status status);

#define must_check __attribute__((warn_unused_result))
