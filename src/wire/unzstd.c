/*
 * unzstd.c - libzstd, fed piece by piece.
 */
#include "wire/unzstd.h"

#include <zstd.h>

#include "base/ensure.h"
#include "base/memory.h"

/* Memory that a frame may ask for: as much as `zstd -d` gives without being asked. */
enum { WINDOW_LOG_MAX = 27 };

struct unzstd {
    ZSTD_DStream *stream;
    bool is_whole; /* between two frames */
};

struct unzstd *unzstd_open(void)
{
    struct unzstd *unzstd = memory_get(sizeof *unzstd);
    unzstd->stream = ZSTD_createDStream();
    ensure(unzstd->stream != NULL);
    ensure(!ZSTD_isError(
        ZSTD_DCtx_setParameter(unzstd->stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)));
    return unzstd;
}

void unzstd_close(struct unzstd *unzstd)
{
    if (unzstd == NULL)
        return;
    ZSTD_freeDStream(unzstd->stream);
    memory_release(unzstd);
}

bool unzstd_is_magic(struct span bytes)
{
    return span_starts_with(bytes, SPAN("\x28\xb5\x2f\xfd"));
}

bool unzstd_read(struct unzstd *unzstd, struct span *packed, char *room, size_t size,
                 size_t *got)
{
    ZSTD_inBuffer in = {packed->text, packed->size, 0};
    ZSTD_outBuffer out = {room, size, 0};
    *got = 0;
    if (packed->size == 0 && unzstd->is_whole)
        return true;
    size_t answer = ZSTD_decompressStream(unzstd->stream, &out, &in);
    *packed = span_slice(*packed, in.pos, packed->size);
    *got = out.pos;
    unzstd->is_whole = answer == 0;
    return !ZSTD_isError(answer);
}

bool unzstd_is_whole(const struct unzstd *unzstd)
{
    return unzstd->is_whole;
}
