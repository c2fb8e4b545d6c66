/*
 * web_fixture.h - web servers inside the test's process, on free ports of 127.0.0.1.
 *
 * `web` is a proper one (libmicrohttpd, a thread for each connection):
 *   /echo                           {"method":…,"body":…,"headers":{…}}, names in small letters
 *   /answer?status=&type=&retry=&body=   exactly that
 *   /slow?ms=                       {} after a while
 *   /large?bytes=                   that many digits
 * `scripted` answers each request with the next bytes of a script, right or wrong.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct web;

struct web *web_open(void);
void web_close(struct web *web);
uint16_t web_port(const struct web *web);
int web_connections(struct web *web); /* made so far */
int web_requests(struct web *web);

struct reply {
    const char *bytes; /* "" is no answer */
    bool closes;       /* the connection, after the bytes */
    bool stops;        /* listening, before it closes: later connections are refused */
};

struct scripted;

/* The replies must outlive it; after the last one it only reads. */
struct scripted *scripted_open(const struct reply *replies, size_t count);
void scripted_close(struct scripted *scripted);
uint16_t scripted_port(const struct scripted *scripted);
int scripted_requests(struct scripted *scripted);

/* A socket that holds a free port without listening, so that connections are refused. */
int refused_open(uint16_t *port);
