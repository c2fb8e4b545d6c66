/*
 * stream_fixture.h - a whole input through a record stream, told as one text.
 *
 * A good record is its line and its JSON, `3 {"a":"b"}`; a bad one its place and what is wrong,
 * `3:7 the column has no name`; a problem of the whole input comes last, behind `!`. Each is
 * ended by a newline.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "wire/wire.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Reads the bytes, fed in pieces of this size, and appends what came of them. */
void read_stream(const struct stream_options *options, struct span bytes, size_t piece_bytes,
                 struct text *told);

/* The bytes fed whole, byte by byte and in some pieces between must tell this. */
void expect_stream(const struct stream_options *options, struct span bytes, const char *wanted);
