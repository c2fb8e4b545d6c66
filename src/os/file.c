/*
 * file.c - files and paths by the C library's plain calls.
 */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/memory.h"
#include "os/line_buffer.h"

enum { PIECE_BYTES = 64 << 10, COLUMNS_UNKNOWN = 80 };

static enum status fail(int error, const char **problem)
{
    if (problem != NULL)
        *problem = strerrordesc_np(error);
    return error == ENOENT || error == ENOTDIR ? STATUS_NOT_FOUND : STATUS_IO;
}

static enum status open_to_read(const char *path, int *descriptor, const char **problem)
{
    bool is_input = strcmp(path, "-") == 0;
    int opened =
        is_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
    if (opened < 0)
        return fail(errno, problem);
    struct stat about;
    if (fstat(opened, &about) == 0 && S_ISDIR(about.st_mode)) {
        close(opened);
        return fail(EISDIR, problem);
    }
    *descriptor = opened;
    return STATUS_OK;
}

/* As read(2), but goes on after a signal. */
static ssize_t read_some(int descriptor, char *bytes, size_t size)
{
    ssize_t got;
    do {
        got = read(descriptor, bytes, size);
    } while (got < 0 && errno == EINTR);
    return got;
}

static enum status read_all(int descriptor, size_t bytes_max, struct text *content,
                            const char **problem)
{
    size_t before = content->size;
    for (;;) {
        ssize_t got = read_some(descriptor, text_reserve(content, PIECE_BYTES), PIECE_BYTES);
        if (got < 0)
            return fail(errno, problem);
        if (got == 0)
            return STATUS_OK;
        content->size += (size_t)got;
        if (content->size - before <= bytes_max)
            continue;
        if (problem != NULL)
            *problem = "File too large";
        return STATUS_NO_SPACE;
    }
}

enum status file_read(const char *path, size_t bytes_max, struct text *content,
                      const char **problem)
{
    int descriptor;
    size_t before = content->size;
    enum status status = open_to_read(path, &descriptor, problem);
    if (status != STATUS_OK)
        return status;
    status = read_all(descriptor, bytes_max, content, problem);
    if (status != STATUS_OK)
        content->size = before;
    close(descriptor);
    return status;
}

struct file_lines {
    struct line_buffer buffer;
    int descriptor;
    bool is_ended;
    enum status status;
};

enum status file_lines_open(const char *path, size_t line_bytes_max, struct file_lines **lines,
                            const char **problem)
{
    int descriptor;
    enum status status = open_to_read(path, &descriptor, problem);
    if (status != STATUS_OK)
        return status;
    *lines = memory_get(sizeof **lines);
    (*lines)->descriptor = descriptor;
    line_buffer_init(&(*lines)->buffer, line_bytes_max);
    return STATUS_OK;
}

static void read_piece(struct file_lines *lines)
{
    char *room = line_buffer_reserve(&lines->buffer);
    ssize_t got = read_some(lines->descriptor, room, LINE_BUFFER_PIECE);
    if (got > 0)
        line_buffer_add(&lines->buffer, (size_t)got);
    lines->is_ended = got <= 0;
    if (got < 0)
        lines->status = STATUS_IO;
}

bool file_lines_next(struct file_lines *lines, struct span *line, bool *too_long)
{
    while (!line_buffer_next(&lines->buffer, lines->is_ended, line, too_long)) {
        if (lines->is_ended)
            return false;
        read_piece(lines);
    }
    return true;
}

enum status file_lines_close(struct file_lines *lines)
{
    enum status status = lines->status;
    close(lines->descriptor);
    line_buffer_fini(&lines->buffer);
    memory_release(lines);
    return status;
}

struct file_stream {
    int descriptor;
    char bytes[PIECE_BYTES];
};

enum status file_stream_open(const char *path, struct file_stream **stream,
                             const char **problem)
{
    int descriptor;
    enum status status = open_to_read(path, &descriptor, problem);
    if (status != STATUS_OK)
        return status;
    *stream = memory_get(sizeof **stream);
    (*stream)->descriptor = descriptor;
    return STATUS_OK;
}

enum status file_stream_read(struct file_stream *stream, struct span *bytes,
                             const char **problem)
{
    ssize_t got = read_some(stream->descriptor, stream->bytes, sizeof stream->bytes);
    if (got < 0)
        return fail(errno, problem);
    *bytes = span_of(stream->bytes, (size_t)got);
    return STATUS_OK;
}

void file_stream_close(struct file_stream *stream)
{
    if (stream == NULL)
        return;
    close(stream->descriptor);
    memory_release(stream);
}

int64_t file_size(const char *path)
{
    struct stat about;
    bool is_input = strcmp(path, "-") == 0;
    int answer = is_input ? fstat(STDIN_FILENO, &about) : stat(path, &about);
    return answer == 0 && S_ISREG(about.st_mode) ? about.st_size : 0;
}

bool file_exists(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && !S_ISDIR(about.st_mode);
}

bool file_is_same(const char *path, const char *other)
{
    struct stat about;
    struct stat about_other;
    bool is_there = stat(path, &about) == 0;
    bool is_other_there = stat(other, &about_other) == 0;
    if (!is_there || !is_other_there)
        return is_there == is_other_there && strcmp(path, other) == 0;
    return S_ISREG(about.st_mode) && about.st_dev == about_other.st_dev &&
           about.st_ino == about_other.st_ino;
}

static char *working_folder(void)
{
    char path[PATH_MAX];
    return memory_copy_text(span_from_text(getcwd(path, sizeof path) == NULL ? "/" : path));
}

char *file_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return working_folder();
    char *folder = memory_copy_text(span_of(path, slash == path ? 1 : (size_t)(slash - path)));
    char real[PATH_MAX];
    char *found = realpath(folder, real);
    char *answer;
    if (found != NULL) {
        answer = memory_copy_text(span_from_text(found));
    } else {
        char *here = working_folder();
        answer = file_resolve(here, span_from_text(folder));
        memory_release(here);
    }
    memory_release(folder);
    return answer;
}

char *file_resolve(const char *folder, struct span path)
{
    if (path.size > 0 && path.text[0] == '/')
        return memory_copy_text(path);
    while (span_starts_with(path, SPAN("./")))
        path = span_slice(path, 2, path.size);
    struct text joined;
    text_init(&joined, NULL);
    text_add(&joined, span_from_text(folder));
    if (!span_ends_with(text_span(&joined), SPAN("/")))
        text_add_byte(&joined, '/');
    text_add(&joined, path);
    char *answer = memory_copy_text(text_span(&joined));
    text_fini(&joined);
    return answer;
}

bool file_is_terminal(int descriptor)
{
    return isatty(descriptor) == 1;
}

int file_terminal_columns(int descriptor)
{
    struct winsize size;
    bool is_known = ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return is_known ? size.ws_col : COLUMNS_UNKNOWN;
}

void file_random(void *bytes, size_t size)
{
    char *to = bytes;
    while (size > 0) {
        ssize_t got = getrandom(to, size, 0);
        ensure(got > 0 || errno == EINTR);
        size_t filled = got > 0 ? (size_t)got : 0;
        to += filled;
        size -= filled;
    }
}
