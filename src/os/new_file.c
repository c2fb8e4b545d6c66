/*
 * new_file.c - write beside, sync, rename.
 */
#include "os/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "os/file.h"

enum { PIECE_BYTES = 64 << 10, MODE = 0666 };

struct new_file {
    int descriptor;
    int error; /* the first failure, as errno has it */
    char *path;
    char *beside;        /* NULL: written in place */
    struct text waiting; /* not handed to the system yet */
};

/* A link's target is replaced, and not the link. */
static char *real_path(const char *path)
{
    char real[PATH_MAX];
    const char *found = realpath(path, real);
    return memory_copy_text(span_from_text(found == NULL ? path : found));
}

static bool is_replaceable(const char *path)
{
    struct stat about;
    return stat(path, &about) != 0 || S_ISREG(about.st_mode);
}

static char *name_beside(const char *path)
{
    uint64_t dice;
    struct text name = {.arena = NULL};
    file_random(&dice, sizeof dice);
    text_format(&name, "%s.%016" PRIx64, path, dice);
    char *copy = memory_copy_text(text_span(&name));
    text_fini(&name);
    return copy;
}

static void release(struct new_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    text_fini(&file->waiting);
    memory_release(file->beside);
    memory_release(file->path);
    memory_release(file);
}

enum status new_file_open(const char *path, struct new_file **opened, const char **problem)
{
    struct new_file *file = memory_get(sizeof *file);
    file->path = real_path(path);
    if (is_replaceable(file->path)) {
        file->beside = name_beside(file->path);
        file->descriptor = open(file->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
    } else {
        file->descriptor = open(file->path, O_WRONLY | O_CLOEXEC);
    }
    if (file->descriptor < 0) {
        enum status status = errno == ENOENT || errno == ENOTDIR ? STATUS_NOT_FOUND : STATUS_IO;
        *problem = strerrordesc_np(errno);
        release(file);
        return status;
    }
    *opened = file;
    return STATUS_OK;
}

static void write_waiting(struct new_file *file)
{
    struct span rest = text_span(&file->waiting);
    while (rest.size > 0 && file->error == 0) {
        ssize_t written = write(file->descriptor, rest.text, rest.size);
        if (written >= 0)
            rest = span_slice(rest, (size_t)written, rest.size);
        else if (errno != EINTR)
            file->error = errno;
    }
    text_clear(&file->waiting);
}

void new_file_add(struct new_file *file, struct span bytes)
{
    text_add(&file->waiting, bytes);
    if (file->waiting.size >= PIECE_BYTES)
        write_waiting(file);
}

static void note(struct new_file *file, int answer)
{
    if (answer != 0 && file->error == 0)
        file->error = errno;
}

enum status new_file_finish(struct new_file *file, const char **problem)
{
    write_waiting(file);
    if (file->beside != NULL)
        note(file, fsync(file->descriptor));
    note(file, close(file->descriptor));
    file->descriptor = -1;
    if (file->beside != NULL && file->error == 0)
        note(file, rename(file->beside, file->path));
    int error = file->error;
    if (error == 0)
        release(file);
    else
        new_file_drop(file);
    if (error != 0)
        *problem = strerrordesc_np(error);
    return error == 0 ? STATUS_OK : STATUS_IO;
}

void new_file_drop(struct new_file *file)
{
    if (file->beside != NULL)
        unlink(file->beside);
    release(file);
}

enum status new_file_clear(const char *path, const char **problem)
{
    struct new_file *file;
    enum status status = new_file_open(path, &file, problem);
    if (status != STATUS_OK)
        return status;
    if (file->beside != NULL && unlink(file->path) != 0 && errno != ENOENT) {
        *problem = strerrordesc_np(errno);
        status = STATUS_IO;
    }
    new_file_drop(file);
    return status;
}
