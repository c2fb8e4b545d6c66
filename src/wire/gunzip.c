/*
 * gunzip.c - zlib, fed piece by piece.
 */
#include "wire/gunzip.h"

#include <limits.h>
#include <zlib.h>

#include "base/ensure.h"
#include "base/memory.h"

enum { GZIP_ONLY = 16 + MAX_WBITS };

struct gunzip {
    z_stream stream;
    bool is_whole; /* between two members */
};

static void *get_memory(void *context, unsigned count, unsigned size)
{
    (void)context;
    return memory_get((size_t)count * size);
}

static void release_memory(void *context, void *memory)
{
    (void)context;
    memory_release(memory);
}

struct gunzip *gunzip_open(void)
{
    struct gunzip *gunzip = memory_get(sizeof *gunzip);
    gunzip->stream.zalloc = get_memory;
    gunzip->stream.zfree = release_memory;
    ensure(inflateInit2(&gunzip->stream, GZIP_ONLY) == Z_OK);
    return gunzip;
}

void gunzip_close(struct gunzip *gunzip)
{
    if (gunzip == NULL)
        return;
    inflateEnd(&gunzip->stream);
    memory_release(gunzip);
}

bool gunzip_is_magic(struct span bytes)
{
    return span_starts_with(bytes, SPAN("\x1f\x8b"));
}

/* Behind the last member may be zeros: tapes and disks have blocks. */
static void skip_padding(struct gunzip *gunzip, struct span *packed)
{
    while (gunzip->is_whole && packed->size > 0 && packed->text[0] == '\0')
        *packed = span_slice(*packed, 1, packed->size);
}

static unsigned at_most(size_t size)
{
    return size < UINT_MAX ? (unsigned)size : UINT_MAX;
}

/* One call of zlib. */
static int unpack(struct gunzip *gunzip, struct span *packed, char *room, size_t size,
                  size_t *got)
{
    z_stream *stream = &gunzip->stream;
    unsigned given = at_most(packed->size);
    unsigned wanted = at_most(size);
    stream->next_in = (z_const Bytef *)(uintptr_t)packed->text;
    stream->avail_in = given;
    stream->next_out = (Bytef *)room;
    stream->avail_out = wanted;
    int answer = inflate(stream, Z_NO_FLUSH);
    *packed = span_slice(*packed, given - stream->avail_in, packed->size);
    *got = wanted - stream->avail_out;
    return answer;
}

bool gunzip_read(struct gunzip *gunzip, struct span *packed, char *room, size_t size,
                 size_t *got)
{
    *got = 0;
    skip_padding(gunzip, packed);
    if (packed->size == 0 && gunzip->is_whole)
        return true;
    gunzip->is_whole = false;
    int answer = unpack(gunzip, packed, room, size, got);
    if (answer == Z_STREAM_END) {
        gunzip->is_whole = true;
        ensure(inflateReset(&gunzip->stream) == Z_OK);
        return true;
    }
    return answer == Z_OK || answer == Z_BUF_ERROR; /* the latter: no progress, no harm */
}

bool gunzip_is_whole(const struct gunzip *gunzip)
{
    return gunzip->is_whole;
}
