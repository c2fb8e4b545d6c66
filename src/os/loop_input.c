/*
 * loop_input.c - bytes of a descriptor on the loop.
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
#include "os/loop_uv.h"

enum { PIECE_BYTES = 64 << 10 };

struct loop_input {
    uv_timer_t soon; /* continues in a later round */
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tty_t tty;
        uv_tcp_t tcp;
    } uv;
    uv_fs_t request; /* reading a file */
    loop_piece *piece;
    loop_callback *end;
    void *context;
    int descriptor; /* our duplicate, or -1 */
    int flags;      /* of the descriptor before libuv made it non-blocking */
    unsigned holds;
    size_t size; /* of what was read and not yet handed over */
    bool is_stream;
    bool is_reading; /* a file read is under way */
    bool is_paused;
    bool is_ended;
    bool has_failed;
    bool is_told; /* `end` has come */
    bool is_closed;
    char bytes[PIECE_BYTES];
};

static void let_go(struct loop_input *input)
{
    if (--input->holds > 0)
        return;
    if (!input->is_stream && input->descriptor >= 0)
        close(input->descriptor);
    memory_release(input);
}

static void on_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

static bool is_flowing(const struct loop_input *input)
{
    return !input->is_paused && !input->is_closed;
}

static void read_more(struct loop_input *input);

static void advance(struct loop_input *input)
{
    struct span piece = span_of(input->bytes, input->size);
    if (is_flowing(input) && piece.size > 0) {
        input->size = 0;
        input->piece(input->context, piece);
    }
    if (!is_flowing(input) || input->is_told)
        return;
    if (!input->is_ended) {
        read_more(input);
        return;
    }
    input->is_told = true;
    input->end(input->context);
}

static void on_soon(uv_timer_t *timer)
{
    advance(timer->data);
}

static void advance_soon(struct loop_input *input)
{
    ensure(uv_timer_start(&input->soon, on_soon, 0, 0) == 0);
}

/* What read(2) or libuv answered. */
static void take(struct loop_input *input, ssize_t size)
{
    input->size = size > 0 ? (size_t)size : 0;
    input->is_ended = size <= 0;
    input->has_failed = size < 0 && size != UV_EOF;
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    (void)suggested;
    struct loop_input *input = handle->data;
    *room = uv_buf_init(input->bytes, PIECE_BYTES);
}

static void on_stream(uv_stream_t *stream, ssize_t size, const uv_buf_t *room)
{
    (void)room;
    struct loop_input *input = stream->data;
    if (size == 0)
        return;
    take(input, size);
    if (input->is_ended)
        uv_read_stop(stream);
    advance(input);
}

static void on_file(uv_fs_t *request)
{
    struct loop_input *input = request->data;
    ssize_t size = request->result;
    uv_fs_req_cleanup(request);
    input->is_reading = false;
    take(input, size);
    advance(input);
    let_go(input);
}

static void read_file(struct loop_input *input)
{
    if (input->is_reading)
        return;
    uv_buf_t room = uv_buf_init(input->bytes, PIECE_BYTES);
    input->is_reading = true;
    input->holds++;
    input->request.data = input;
    ensure(uv_fs_read(input->soon.loop, &input->request, input->descriptor, &room, 1, -1,
                      on_file) == 0);
}

static void read_more(struct loop_input *input)
{
    if (!input->is_stream) {
        read_file(input);
        return;
    }
    int answer = uv_read_start(&input->uv.stream, give_room, on_stream);
    if (answer != 0 && answer != UV_EALREADY) {
        take(input, answer);
        advance_soon(input);
    }
}

/* False when the descriptor is none that libuv knows as a stream. */
static bool open_stream(struct loop_input *input, uv_loop_t *loop)
{
    int answer = UV_EINVAL;
    switch ((int)uv_guess_handle(input->descriptor)) {
    case UV_NAMED_PIPE:
        ensure(uv_pipe_init(loop, &input->uv.pipe, 0) == 0);
        answer = uv_pipe_open(&input->uv.pipe, input->descriptor);
        break;
    case UV_TCP:
        ensure(uv_tcp_init(loop, &input->uv.tcp) == 0);
        answer = uv_tcp_open(&input->uv.tcp, input->descriptor);
        break;
    case UV_TTY:
        return uv_tty_init(loop, &input->uv.tty, input->descriptor, 1) == 0;
    default:
        return false;
    }
    if (answer != 0)
        take(input, answer); /* the handle is there, and is closed as one that is open */
    return true;
}

struct loop_input *loop_input_open(struct loop *loop, int descriptor, loop_piece *piece,
                                   loop_callback *end, void *context)
{
    struct loop_input *input = memory_get(sizeof *input);
    input->piece = piece;
    input->end = end;
    input->context = context;
    ensure(uv_timer_init(&loop->uv, &input->soon) == 0);
    input->soon.data = input;
    input->holds = 1;
    input->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    input->flags = fcntl(descriptor, F_GETFL);
    if (input->descriptor < 0) {
        take(input, -1);
    } else if (open_stream(input, &loop->uv)) {
        input->is_stream = true;
        input->uv.handle.data = input;
        input->holds++;
    }
    advance_soon(input);
    return input;
}

void loop_input_pause(struct loop_input *input)
{
    input->is_paused = true;
    if (input->is_stream)
        uv_read_stop(&input->uv.stream);
}

void loop_input_resume(struct loop_input *input)
{
    input->is_paused = false;
    advance_soon(input);
}

bool loop_input_has_failed(const struct loop_input *input)
{
    return input->has_failed;
}

void loop_input_close(struct loop_input *input)
{
    if (input == NULL)
        return;
    input->is_closed = true;
    if (input->is_stream) {
        /* Others may hold the same pipe and not expect that reading it does not wait. */
        fcntl(input->descriptor, F_SETFL, input->flags);
        uv_close(&input->uv.handle, on_closed);
    }
    if (input->is_reading)
        uv_cancel((uv_req_t *)&input->request);
    uv_close((uv_handle_t *)&input->soon, on_closed);
}
