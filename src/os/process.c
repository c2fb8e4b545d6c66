/*
 * process.c - programs, over libuv's uv_spawn.
 *
 * The program gets plain pipes, not the sockets that libuv would make, so that it may open
 * /dev/stdin and /dev/stderr. Our ends are closed on exec, and so is every other descriptor
 * that any library may have opened without saying so.
 *
 * It leads a session of its own, and a signal goes to its whole group. The struct lives until
 * its handles are closed: the child is reaped, the pipes are at their end or given up, and
 * after a cancel what is left of the group has been killed.
 */
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/memory.h"
#include "os/file.h"
#include "os/loop_uv.h"

extern char **environ;

enum { PIPES_PATIENCE_MS = 500 };

struct process {
    uv_process_t child;
    uv_pipe_t input;
    uv_pipe_t output;
    uv_pipe_t errors;
    uv_timer_t
        patience;     /* for pipes that stay open after the end; also tells of a failed start */
    uv_timer_t grace; /* between SIGTERM and SIGKILL */
    uv_write_t write;
    unsigned holds; /* handles that are not closed */

    process_done *done; /* NULL when nobody wants to know any more */
    void *context;
    struct text input_text;
    struct text output_text;
    struct text tail;
    size_t output_bytes_max;
    size_t tail_bytes_max;
    struct process_result result;
    pid_t group;    /* 0 when it did not start */
    bool has_child; /* uv_spawn made a handle, even where it failed */
    bool has_ended;
    bool is_last_round; /* patience is over but for one look at the pipes */
    bool is_finished;   /* done was called, or will not be */
};

static void let_go(uv_handle_t *handle)
{
    struct process *process = handle->data;
    if (--process->holds > 0)
        return;
    text_fini(&process->input_text);
    text_fini(&process->output_text);
    text_fini(&process->tail);
    memory_release(process);
}

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, let_go);
}

static void close_pipes(struct process *process)
{
    close_handle(&process->input);
    close_handle(&process->output);
    close_handle(&process->errors);
}

static bool pipes_are_done(struct process *process)
{
    return uv_is_closing((uv_handle_t *)&process->output) &&
           uv_is_closing((uv_handle_t *)&process->errors);
}

static bool group_is_alive(const struct process *process)
{
    return process->group > 0 && kill(-process->group, 0) == 0;
}

static void signal_group(const struct process *process, int number)
{
    if (process->group > 0)
        kill(-process->group, number);
}

/* Tells what came of it, and closes all but the grace that a cancelled group still has. */
static void finish(struct process *process)
{
    if (process->is_finished)
        return;
    process->is_finished = true;
    process_done *done = process->done;
    process->done = NULL;
    process->result.output = text_span(&process->output_text);
    process->result.stderr_tail = text_span(&process->tail);
    if (done != NULL)
        done(process->context, &process->result);
    close_pipes(process);
    close_handle(&process->patience);
    if (process->has_child)
        close_handle(&process->child);
    bool is_dying = uv_is_active((uv_handle_t *)&process->grace) && group_is_alive(process);
    if (!is_dying)
        close_handle(&process->grace);
}

static void finish_when_done(struct process *process)
{
    if (process->has_ended && pipes_are_done(process))
        finish(process);
}

/* When the loop comes late, timers ring before it looks at the pipes again: so it is given one
 * more round, which reads what the program had written. */
static void on_patience(uv_timer_t *timer)
{
    struct process *process = timer->data;
    if (process->has_ended && !process->is_last_round) {
        process->is_last_round = true;
        uv_timer_start(timer, on_patience, 1, 0);
        return;
    }
    finish(process);
}

static void on_grace(uv_timer_t *timer)
{
    struct process *process = timer->data;
    signal_group(process, SIGKILL);
    if (process->is_finished)
        close_handle(timer);
}

static void on_exit_of_child(uv_process_t *child, int64_t exit_status, int number)
{
    struct process *process = child->data;
    process->has_ended = true;
    process->result.exit_status = (int)exit_status;
    process->result.signal = number;
    uv_timer_start(&process->patience, on_patience, PIPES_PATIENCE_MS, 0);
    finish_when_done(process);
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *bytes)
{
    struct process *process = stream->data;
    if (size > 0) {
        size_t room = process->output_bytes_max - process->output_text.size;
        size_t kept = (size_t)size < room ? (size_t)size : room;
        text_add(&process->output_text, span_of(bytes->base, kept));
        process->result.output_truncated |= kept < (size_t)size;
    } else if (size < 0) {
        close_handle(stream);
        finish_when_done(process);
    }
}

/* Keeps up to twice the tail, so that bytes move only once in a while. */
static void add_to_tail(struct process *process, struct span bytes)
{
    struct text *tail = &process->tail;
    size_t max = process->tail_bytes_max;
    if (bytes.size > max)
        bytes = span_slice(bytes, bytes.size - max, bytes.size);
    if (tail->size + bytes.size > 2 * max) {
        size_t kept = max - bytes.size;
        memmove(tail->bytes, tail->bytes + tail->size - kept, kept);
        tail->size = kept;
    }
    text_add(tail, bytes);
}

static void on_errors(uv_stream_t *stream, ssize_t size, const uv_buf_t *bytes)
{
    struct process *process = stream->data;
    if (size > 0) {
        add_to_tail(process, span_of(bytes->base, (size_t)size));
    } else if (size < 0) {
        close_handle(stream);
        finish_when_done(process);
    }
}

/* A program need not read its input: that it closed the pipe is no failure. */
static void on_written(uv_write_t *write, int answer)
{
    (void)answer;
    close_handle(write->handle);
}

static void feed(struct process *process)
{
    struct text *input = &process->input_text;
    uv_buf_t bytes = uv_buf_init(input->bytes, (unsigned)input->size);
    if (input->size == 0 ||
        uv_write(&process->write, (uv_stream_t *)&process->input, &bytes, 1, on_written) != 0)
        close_handle(&process->input);
}

static void init_handles(struct process *process, uv_loop_t *loop)
{
    ensure(uv_pipe_init(loop, &process->input, 0) == 0);
    ensure(uv_pipe_init(loop, &process->output, 0) == 0);
    ensure(uv_pipe_init(loop, &process->errors, 0) == 0);
    ensure(uv_timer_init(loop, &process->patience) == 0);
    ensure(uv_timer_init(loop, &process->grace) == 0);
    process->input.data = process;
    process->output.data = process;
    process->errors.data = process;
    process->patience.data = process;
    process->grace.data = process;
    process->holds = 5;
}

/* The ends that become the child's descriptors 0, 1 and 2. */
struct child_ends {
    uv_file ends[3];
};

/* One pipe; `mine` is the end (0 reads, 1 writes) that the handle takes. */
static int open_pipe(uv_pipe_t *handle, int mine, uv_file *child_end)
{
    uv_file ends[2];
    int answer =
        uv_pipe(ends, mine == 0 ? UV_NONBLOCK_PIPE : 0, mine == 1 ? UV_NONBLOCK_PIPE : 0);
    if (answer != 0)
        return answer;
    *child_end = ends[1 - mine];
    answer = uv_pipe_open(handle, ends[mine]);
    if (answer != 0)
        close(ends[mine]);
    return answer;
}

static int open_pipes(struct process *process, struct child_ends *child)
{
    int answer = open_pipe(&process->input, 1, &child->ends[0]);
    if (answer == 0)
        answer = open_pipe(&process->output, 0, &child->ends[1]);
    if (answer == 0)
        answer = open_pipe(&process->errors, 0, &child->ends[2]);
    return answer;
}

static void close_child_ends(const struct child_ends *child)
{
    for (size_t i = 0; i < 3; i++) {
        if (child->ends[i] >= 0)
            close(child->ends[i]);
    }
}

static bool has_same_name(const char *variable, const char *other)
{
    size_t name = strcspn(variable, "=") + 1;
    return strncmp(variable, other, name) == 0;
}

static bool is_replaced(const char *variable, const char *const *added)
{
    for (; added != NULL && *added != NULL; added++) {
        if (has_same_name(*added, variable))
            return true;
    }
    return false;
}

/* Ours without what is replaced, then what is added. The strings are shared. */
static const char **build_environment(const char *const *added)
{
    size_t count = 1;
    for (char **ours = environ; *ours != NULL; ours++)
        count++;
    for (const char *const *one = added; one != NULL && *one != NULL; one++)
        count++;
    const char **all = memory_get(count * sizeof *all);
    size_t used = 0;
    for (char **ours = environ; *ours != NULL; ours++) {
        if (!is_replaced(*ours, added))
            all[used++] = *ours;
    }
    for (; added != NULL && *added != NULL; added++)
        all[used++] = *added;
    return all;
}

static int spawn(struct process *process, uv_loop_t *loop,
                 const struct process_request *request, const struct child_ends *child)
{
    uv_stdio_container_t streams[3];
    for (size_t i = 0; i < 3; i++) {
        streams[i].flags = UV_INHERIT_FD;
        streams[i].data.fd = child->ends[i];
    }
    const char **environment = build_environment(request->environment);
    const uv_process_options_t options = {
        .exit_cb = on_exit_of_child,
        .file = request->arguments[0],
        .args = (char **)(uintptr_t)request->arguments,
        .env = (char **)(uintptr_t)environment,
        .cwd = request->folder,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = 3,
        .stdio = streams,
    };
    close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC);
    int answer = uv_spawn(loop, &process->child, &options);
    memory_release(environment);
    process->child.data = process;
    process->has_child = true;
    process->holds++;
    return answer;
}

/* The system says ENOENT for three different things. */
static const char *explain_missing(const struct process_request *request)
{
    if (request->folder != NULL && access(request->folder, X_OK) != 0)
        return "no such working folder";
    if (strchr(request->arguments[0], '/') != NULL && file_exists(request->arguments[0]))
        return "its interpreter (the #! line) does not exist";
    return "no such file";
}

static void note_failure(struct process *process, const struct process_request *request,
                         int answer)
{
    struct process_result *result = &process->result;
    result->problem = uv_strerror(answer);
    result->started = STATUS_IO;
    if (answer == UV_ENOENT || answer == UV_ENOTDIR) {
        result->started = STATUS_NOT_FOUND;
        result->problem = explain_missing(request);
    } else if (answer == UV_EACCES || answer == UV_EPERM || answer == UV_E2BIG) {
        result->started = STATUS_INVALID;
    }
}

static void start_reading(struct process *process)
{
    ensure(uv_read_start((uv_stream_t *)&process->output, loop_uv_scratch, on_output) == 0);
    ensure(uv_read_start((uv_stream_t *)&process->errors, loop_uv_scratch, on_errors) == 0);
}

struct process *process_start(struct loop *loop, const struct process_request *request,
                              process_done *done, void *context)
{
    struct process *process = memory_get(sizeof *process);
    process->done = done;
    process->context = context;
    process->output_bytes_max = request->output_bytes_max;
    process->tail_bytes_max = request->stderr_tail_bytes;
    text_add(&process->input_text, request->input);
    init_handles(process, &loop->uv);
    struct child_ends child = {{-1, -1, -1}};
    int answer = open_pipes(process, &child);
    if (answer == 0)
        answer = spawn(process, &loop->uv, request, &child);
    close_child_ends(&child);
    if (answer == 0) {
        process->group = process->child.pid;
        start_reading(process);
        feed(process);
    } else {
        note_failure(process, request, answer);
        uv_timer_start(&process->patience, on_patience, 0, 0);
    }
    return process;
}

void process_cancel(struct process *process, duration_ms grace_ms, bool quietly)
{
    if (quietly) {
        process->done = NULL;
        close_pipes(process);
    }
    signal_group(process, grace_ms > 0 ? SIGTERM : SIGKILL);
    if (grace_ms > 0) {
        uv_update_time(process->grace.loop); /* else it began when the loop's round did */
        uv_timer_start(&process->grace, on_grace, (uint64_t)grace_ms + 1, 0);
    }
    finish_when_done(process);
}
