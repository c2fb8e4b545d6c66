/*
 * new_file.h - a file that is written whole or not at all.
 *
 * What is written goes beside the file under a name of its own and takes its place at the end,
 * in one step: a reader sees the old file or the new one, also after a crash. What is not a
 * plain file (a pipe, /dev/stderr) has no place to be taken, and is written as it comes.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"

struct new_file;

/* STATUS_NOT_FOUND or STATUS_IO, with the system's words in *problem, where nothing can be
 * written. */
enum status new_file_open(const char *path, struct new_file **opened,
                          const char **problem) must_check;

/* A failure shows at the end. */
void new_file_add(struct new_file *file, struct span bytes);

/* Puts it in its place, on disk; STATUS_IO with the reason where any of that failed, and then
 * nothing has changed. Releases it either way. */
enum status new_file_finish(struct new_file *file, const char **problem) must_check;

/* Releases it and leaves nothing behind. */
void new_file_drop(struct new_file *file);

/* Takes a plain file away, if it is there, once it is sure that another can be written in its
 * place. */
enum status new_file_clear(const char *path, const char **problem) must_check;
