/*
 * loop_lines.c - lines from a descriptor on the loop.
 *
 * A pipe, a terminal or a socket is a libuv stream; a file is read by libuv's threads, piece by
 * piece, because no system can wait for files. The descriptor is duplicated: closing ours
 * leaves the caller's open, so that number 0 never becomes somebody else's file.
 *
 * What holds the struct: the timer, the stream, a read under way. The last one to go
 * releases it.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/memory.h"
#include "os/line_buffer.h"
#include "os/loop_uv.h"

struct loop_lines {
    uv_timer_t soon; /* continues in a later round */
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tty_t tty;
        uv_tcp_t tcp;
    } uv;
    uv_fs_t request; /* reading a file */
    struct line_buffer buffer;
    loop_line *line;
    loop_callback *end;
    void *context;
    int descriptor; /* our duplicate, or -1 */
    int flags;      /* of the descriptor before libuv made it non-blocking */
    unsigned holds;
    bool is_stream;
    bool is_reading; /* a file read is under way */
    bool is_paused;
    bool is_ended;
    bool is_told; /* `end` has come */
    bool is_closed;
};

static void let_go(struct loop_lines *lines)
{
    if (--lines->holds > 0)
        return;
    if (!lines->is_stream && lines->descriptor >= 0)
        close(lines->descriptor);
    line_buffer_fini(&lines->buffer);
    memory_release(lines);
}

static void on_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

static bool is_flowing(const struct loop_lines *lines)
{
    return !lines->is_paused && !lines->is_closed;
}

static void read_more(struct loop_lines *lines);

static void advance(struct loop_lines *lines)
{
    struct span line;
    bool too_long;
    while (is_flowing(lines) &&
           line_buffer_next(&lines->buffer, lines->is_ended, &line, &too_long))
        lines->line(lines->context, line, too_long);
    if (!is_flowing(lines) || lines->is_told)
        return;
    if (!lines->is_ended) {
        read_more(lines);
        return;
    }
    lines->is_told = true;
    lines->end(lines->context);
}

static void on_soon(uv_timer_t *timer)
{
    advance(timer->data);
}

static void advance_soon(struct loop_lines *lines)
{
    ensure(uv_timer_start(&lines->soon, on_soon, 0, 0) == 0);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    (void)suggested;
    struct loop_lines *lines = handle->data;
    *room = uv_buf_init(line_buffer_reserve(&lines->buffer), LINE_BUFFER_PIECE);
}

static void on_stream(uv_stream_t *stream, ssize_t size, const uv_buf_t *room)
{
    (void)room;
    struct loop_lines *lines = stream->data;
    if (size == 0)
        return;
    if (size > 0)
        line_buffer_add(&lines->buffer, (size_t)size);
    lines->is_ended = size < 0;
    if (lines->is_ended)
        uv_read_stop(stream);
    advance(lines);
}

static void on_file(uv_fs_t *request)
{
    struct loop_lines *lines = request->data;
    ssize_t size = request->result;
    uv_fs_req_cleanup(request);
    lines->is_reading = false;
    if (size > 0)
        line_buffer_add(&lines->buffer, (size_t)size);
    lines->is_ended = size <= 0;
    advance(lines);
    let_go(lines);
}

static void read_file(struct loop_lines *lines)
{
    if (lines->is_reading)
        return;
    uv_buf_t room = uv_buf_init(line_buffer_reserve(&lines->buffer), LINE_BUFFER_PIECE);
    lines->is_reading = true;
    lines->holds++;
    lines->request.data = lines;
    ensure(uv_fs_read(lines->soon.loop, &lines->request, lines->descriptor, &room, 1, -1,
                      on_file) == 0);
}

static void read_more(struct loop_lines *lines)
{
    if (!lines->is_stream) {
        read_file(lines);
        return;
    }
    int answer = uv_read_start(&lines->uv.stream, give_room, on_stream);
    if (answer != 0 && answer != UV_EALREADY) {
        lines->is_ended = true;
        advance_soon(lines);
    }
}

/* False when the descriptor is none that libuv knows as a stream. */
static bool open_stream(struct loop_lines *lines, uv_loop_t *loop)
{
    int answer = UV_EINVAL;
    switch ((int)uv_guess_handle(lines->descriptor)) {
    case UV_NAMED_PIPE:
        ensure(uv_pipe_init(loop, &lines->uv.pipe, 0) == 0);
        answer = uv_pipe_open(&lines->uv.pipe, lines->descriptor);
        break;
    case UV_TCP:
        ensure(uv_tcp_init(loop, &lines->uv.tcp) == 0);
        answer = uv_tcp_open(&lines->uv.tcp, lines->descriptor);
        break;
    case UV_TTY:
        return uv_tty_init(loop, &lines->uv.tty, lines->descriptor, 1) == 0;
    default:
        return false;
    }
    if (answer != 0)
        lines->is_ended = true; /* the handle is there, and is closed as one that is open */
    return true;
}

struct loop_lines *loop_lines_open(struct loop *loop, int descriptor, size_t line_bytes_max,
                                   loop_line *line, loop_callback *end, void *context)
{
    struct loop_lines *lines = memory_get(sizeof *lines);
    lines->line = line;
    lines->end = end;
    lines->context = context;
    line_buffer_init(&lines->buffer, line_bytes_max);
    ensure(uv_timer_init(&loop->uv, &lines->soon) == 0);
    lines->soon.data = lines;
    lines->holds = 1;
    lines->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    lines->flags = fcntl(descriptor, F_GETFL);
    lines->is_ended = lines->descriptor < 0;
    if (!lines->is_ended && open_stream(lines, &loop->uv)) {
        lines->is_stream = true;
        lines->uv.handle.data = lines;
        lines->holds++;
    }
    advance_soon(lines);
    return lines;
}

void loop_lines_pause(struct loop_lines *lines)
{
    lines->is_paused = true;
    if (lines->is_stream)
        uv_read_stop(&lines->uv.stream);
}

void loop_lines_resume(struct loop_lines *lines)
{
    lines->is_paused = false;
    advance_soon(lines);
}

void loop_lines_close(struct loop_lines *lines)
{
    if (lines == NULL)
        return;
    lines->is_closed = true;
    if (lines->is_stream) {
        /* Others may hold the same pipe and not expect that reading it does not wait. */
        fcntl(lines->descriptor, F_SETFL, lines->flags);
        uv_close(&lines->uv.handle, on_closed);
    }
    if (lines->is_reading)
        uv_cancel((uv_req_t *)&lines->request);
    uv_close((uv_handle_t *)&lines->soon, on_closed);
}
