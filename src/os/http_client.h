/*
 * http_client.h - HTTP requests on the loop: libcurl's multi interface over libuv.
 *
 * Connections are kept and used again. Redirects are not followed. `Expect:` is never sent.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"
#include "os/loop.h"

struct http_client;
struct http_call;

struct http_request {
    struct span method;
    struct span url;
    const struct span *headers; /* "Name: value" */
    size_t header_count;
    struct span body;
    duration_ms timeout_ms; /* of the whole call, 0: none */
    size_t body_bytes_max;  /* of the answer */
};

enum http_failure {
    HTTP_ANSWERED,
    HTTP_TIMED_OUT,
    HTTP_NOT_CONNECTED, /* refused, unreachable, name unknown: certainly not acted */
    HTTP_BROKEN,        /* connection lost, malformed answer: may have acted */
    HTTP_TOO_LARGE,     /* the status and the beginning of the body are there */
    HTTP_BAD_REQUEST,   /* the URL or a header is not valid */
};

struct http_result {
    enum http_failure failure;
    int status;                 /* when answered, also when too large */
    duration_ms retry_after_ms; /* -1 when not said (seconds or an HTTP date) */
    struct span body;
    struct span content_type;
    struct span problem; /* when not answered: what happened, in words */
};

typedef void http_done(void *context, const struct http_result *result);

/* Never NULL. connections_max bounds open connections in all, as does the limit on descriptors.
 */
struct http_client *http_client_open(struct loop *loop, uint32_t connections_max);

/* Cancels what runs; NULL is fine. Not from within a `done`. */
void http_client_close(struct http_client *client);

/* Starts a call; request is copied as needed. `done` comes once, in a later round. Never NULL.
 */
struct http_call *http_client_start(struct http_client *client,
                                    const struct http_request *request, http_done *done,
                                    void *context);

/* Ends a call whose `done` has not come; it never comes. Fine from within another call's
 * `done`. */
void http_client_cancel(struct http_call *call);
