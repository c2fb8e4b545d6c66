/*
 * file.h - whole files, paths, terminals and randomness.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

/* Appends the file's bytes. STATUS_NOT_FOUND, STATUS_NO_SPACE over bytes_max, STATUS_IO (also a
 * folder); `problem` (when not NULL) gets the system's words, such as "Permission denied". "-"
 * is standard input. */
enum status file_read(const char *path, size_t bytes_max, struct text *content,
                      const char **problem) must_check;

/* Reads a file ("-": standard input) line by line in constant memory; see file_lines_next(). A
 * byte order mark at the start is skipped. */
struct file_lines;
enum status file_lines_open(const char *path, size_t line_bytes_max, struct file_lines **lines,
                            const char **problem) must_check;

/* The next line without its newline (and without a CR before it), valid until the next call.
 * False at the end or when reading failed; *too_long tells that the line was cut at
 * line_bytes_max. */
bool file_lines_next(struct file_lines *lines, struct span *line, bool *too_long);

/* STATUS_OK unless reading failed before the end. */
enum status file_lines_close(struct file_lines *lines) must_check;

/* Reads a file ("-": standard input) piece by piece: the next bytes, valid until the next call,
 * empty at the end. STATUS_IO when reading failed. */
struct file_stream;
enum status file_stream_open(const char *path, struct file_stream **stream,
                             const char **problem) must_check;
enum status file_stream_read(struct file_stream *stream, struct span *bytes,
                             const char **problem) must_check;
void file_stream_close(struct file_stream *stream); /* NULL is fine */

/* Bytes of the file, 0 when unknown: for progress. */
int64_t file_size(const char *path);

/* True when something that is not a folder is there. */
bool file_exists(const char *path);

/* True when both name one plain file, also by links; where neither is there yet, when they are
 * the same text. */
bool file_is_same(const char *path, const char *other);

/* The folder of a path as an absolute path without a final slash; general memory. */
char *file_folder(const char *path);

/* The absolute path of `path` seen from `folder`; general memory. */
char *file_resolve(const char *folder, struct span path);

/* True when the descriptor is a terminal; its columns (80 when unknown). */
bool file_is_terminal(int descriptor);
int file_terminal_columns(int descriptor);

/* Bytes from the system's secure source. */
void file_random(void *bytes, size_t size);
