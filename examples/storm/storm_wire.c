/*
 * storm_wire.c - sockets, and messages in them.
 */
#include "storm_wire.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

bool storm_wire_fill(struct storm_wire *wire, int descriptor)
{
    for (;;) {
        size_t room = sizeof wire->bytes - wire->size;
        ssize_t got = room == 0 ? 0 : read(descriptor, wire->bytes + wire->size, room);
        if (got < 0)
            return errno == EAGAIN || errno == EINTR;
        if (got == 0)
            return false;
        wire->size += (size_t)got;
        if ((size_t)got < room)
            return true;
    }
}

struct span storm_message_header(const struct storm_message *message, const char *name)
{
    struct span head = message->head;
    size_t name_size = strlen(name);
    for (size_t line = span_find(head, SPAN("\r\n"), 0); line != SIZE_MAX;
         line = span_find(head, SPAN("\r\n"), line + 2)) {
        const char *at = head.text + line + 2;
        size_t left = head.size - line - 2;
        if (left <= name_size || at[name_size] != ':')
            continue;
        size_t same = 0;
        while (same < name_size && tolower((unsigned char)at[same]) == name[same])
            same++;
        if (same < name_size)
            continue;
        struct span rest = span_of(at + name_size + 1, left - name_size - 1);
        size_t end = span_find(rest, SPAN("\r\n"), 0);
        return span_trim(end == SIZE_MAX ? rest : span_slice(rest, 0, end));
    }
    return SPAN("");
}

bool storm_wire_find(const struct storm_wire *wire, struct storm_message *message)
{
    struct span all = span_of(wire->bytes, wire->size);
    size_t end = span_find(all, SPAN("\r\n\r\n"), 0);
    if (end == SIZE_MAX)
        return false;
    *message = (struct storm_message){.head = span_slice(all, 0, end)};
    struct span length = storm_message_header(message, "content-length");
    size_t body = length.size == 0 ? 0 : strtoul(length.text, NULL, 10);
    if (body > all.size - end - 4)
        return false;
    message->body = span_slice(all, end + 4, end + 4 + body);
    message->size = end + 4 + body;
    return true;
}

void storm_wire_drop(struct storm_wire *wire, size_t size)
{
    memmove(wire->bytes, wire->bytes + size, wire->size - size);
    wire->size -= size;
}

bool storm_wire_send(int descriptor, struct span bytes)
{
    return send(descriptor, bytes.text, bytes.size, MSG_NOSIGNAL) == (ssize_t)bytes.size;
}

static struct sockaddr_in address_of(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int storm_wire_connect(uint16_t port)
{
    struct sockaddr_in address = address_of(port);
    int yes = 1;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0 ||
        errno == EINPROGRESS)
        return descriptor;
    close(descriptor);
    return -1;
}

int storm_wire_listen(uint16_t *port)
{
    struct sockaddr_in address = address_of(*port);
    socklen_t size = sizeof address;
    int yes = 1;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(descriptor, SOMAXCONN) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &size) != 0) {
        close(descriptor);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return descriptor;
}

int64_t storm_wire_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
