/*
 * url.c - percent-encoding by place, and the part of a URL that anybody may see.
 *
 * What is written so far tells the component: behind `://` and before the next `/`, `?` or `#`
 * it is the host, where the marks of a port and of an IPv6 address stay; later nothing but
 * unreserved characters of RFC 3986 do, so a value with a `/` is still one segment.
 */
#include "strategy/url.h"

#include <string.h>

/* Where the host begins; SIZE_MAX when there is no `://`. */
static size_t host_start(struct span url)
{
    size_t at = span_find(url, SPAN("://"), 0);
    return at == SIZE_MAX ? at : at + 3;
}

/* Where the first of the bytes is, or the end. */
static size_t find_any(struct span url, size_t from, const char *bytes)
{
    while (from < url.size && (url.text[from] == '\0' || strchr(bytes, url.text[from]) == NULL))
        from++;
    return from;
}

static bool is_unreserved(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
           byte == '~';
}

static void add_encoded(struct text *url, char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char bits = (unsigned char)byte;
    char three[] = {'%', digits[bits >> 4], digits[bits & 15]};
    text_add(url, span_of(three, sizeof three));
}

void url_add_value(struct text *url, struct span value)
{
    struct span before = text_span(url);
    size_t host = host_start(before);
    bool is_host = host != SIZE_MAX && find_any(before, host, "/?#") == before.size;
    bool is_path = !is_host && find_any(before, 0, "?#") == before.size;
    /* As a segment these would be a way up. */
    bool is_dots = is_path && (span_is(value, ".") || span_is(value, ".."));
    if (before.size == 0) {
        text_add(url, value);
        return;
    }
    for (size_t i = 0; i < value.size; i++) {
        char byte = value.text[i];
        bool is_mark = is_host && (byte == ':' || byte == '[' || byte == ']');
        if (is_mark || (is_unreserved(byte) && !is_dots))
            text_add_byte(url, byte);
        else
            add_encoded(url, byte);
    }
}

void url_add_public(struct text *text, struct span url)
{
    size_t host = host_start(url);
    size_t from = host == SIZE_MAX ? url.size : host;
    size_t path = find_any(url, from, "/?#");
    size_t end = find_any(url, from, "?#");
    text_add(text, span_slice(url, 0, host == SIZE_MAX ? 0 : host));
    for (size_t i = from; i < path; i++) { /* a password may have an @ in it */
        if (url.text[i] == '@')
            from = i + 1;
    }
    text_add(text, span_slice(url, from, end));
}
