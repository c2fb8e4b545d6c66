/*
 * storm_wire.h - as much HTTP/1.1 as both ends of a storm speak: heads with a Content-Length,
 * connections that stay open, one request at a time.
 *
 * Nothing here copies a body. A message is looked at where it was read; what is found are the
 * few things that matter.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum { STORM_WIRE_BYTES = 4096 }; /* a head and its body; ours are a tenth of that */

struct storm_wire {
    char bytes[STORM_WIRE_BYTES];
    size_t size;
};

struct storm_message {
    struct span head; /* with the first line */
    struct span body;
    size_t size; /* of both together */
};

/* Reads what there is. False: the other end is gone, or sends more than there is room for. */
bool storm_wire_fill(struct storm_wire *wire, int descriptor);

/* True when a whole message stands at the beginning. */
bool storm_wire_find(const struct storm_wire *wire, struct storm_message *message);

/* Takes a message away. */
void storm_wire_drop(struct storm_wire *wire, size_t size);

/* Writes all of it or says false; what we send always fits a socket's buffer. */
bool storm_wire_send(int descriptor, struct span bytes);

/* A header's value, by its name in lower case; or an empty span. */
struct span storm_message_header(const struct storm_message *message, const char *name);

/* A socket that does not block, connected (or about to be) to 127.0.0.1, or listening there. */
int storm_wire_connect(uint16_t port);
int storm_wire_listen(uint16_t *port); /* 0: any; becomes the one it got */

/* Microseconds since 1970: what all processes of a storm agree on. */
int64_t storm_wire_clock(void);
