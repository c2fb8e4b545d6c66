/*
 * loop_uv.h - the libuv loop behind a loop. Only os includes this.
 *
 * Streams read into the loop's scratch: libuv fills a buffer and hands it back in one go, so
 * all streams of a loop can share one.
 */
#pragma once

#include <uv.h>

#include "os/loop.h"

struct loop {
    uv_loop_t uv;
    char scratch[64 << 10];
};

/* The uv_alloc_cb for it. */
void loop_uv_scratch(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer);
