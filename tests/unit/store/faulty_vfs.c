/*
 * faulty_vfs.c - see faulty_vfs.h.
 */
#include "faulty_vfs.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/random.h"

enum { FILES_MAX = 8, PATH_MAX_BYTES = 160, SECTOR_BYTES = 512 };

/* A write since the last sync, or (bytes == NULL) a truncation. */
struct pending {
    char *bytes;
    size_t size;
    sqlite3_int64 offset;
};

struct image {
    char path[PATH_MAX_BYTES]; /* empty: free */
    char *bytes;               /* durable */
    size_t size;
    struct pending *pending;
    size_t count;
    size_t capacity;
};

struct faulty_file {
    sqlite3_file base;
    struct image *image; /* NULL for files that need not last */
    sqlite3_file *real;  /* lies behind this */
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    struct image images[FILES_MAX];
    uint64_t count;
    uint64_t fail_at;
    enum faulty_answer answer;
    bool is_for_ever;
    bool has_failed;
} disk;

static void forget_pending(struct image *image)
{
    for (size_t i = 0; i < image->count; i++)
        free(image->pending[i].bytes);
    image->count = 0;
}

static void forget(struct image *image)
{
    forget_pending(image);
    free(image->pending);
    free(image->bytes);
    *image = (struct image){0};
}

static struct image *find_image(const char *path)
{
    for (int i = 0; i < FILES_MAX; i++) {
        if (strcmp(disk.images[i].path, path) == 0)
            return &disk.images[i];
    }
    return NULL;
}

/* A new image holds what the file holds. */
static struct image *get_image(const char *path)
{
    struct image *image = find_image(path);
    if (image != NULL)
        return image;
    image = find_image("");
    assert(image != NULL);
    snprintf(image->path, sizeof image->path, "%s", path);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return image;
    fseek(file, 0, SEEK_END);
    image->size = (size_t)ftell(file);
    image->bytes = malloc(image->size + 1);
    rewind(file);
    size_t size = fread(image->bytes, 1, image->size, file);
    assert(size == image->size);
    (void)size;
    fclose(file);
    return image;
}

static void add_pending(struct image *image, const void *bytes, size_t size,
                        sqlite3_int64 offset)
{
    if (image == NULL)
        return;
    if (image->count == image->capacity) {
        image->capacity = image->capacity * 2 + 16;
        image->pending = realloc(image->pending, image->capacity * sizeof *image->pending);
    }
    char *copy = bytes == NULL ? NULL : malloc(size + 1);
    if (bytes != NULL)
        memcpy(copy, bytes, size);
    image->pending[image->count++] = (struct pending){copy, size, offset};
}

static void resize_image(struct image *image, size_t size)
{
    image->bytes = realloc(image->bytes, size + 1);
    if (size > image->size)
        memset(image->bytes + image->size, 0, size - image->size);
    image->size = size;
}

/* Makes the first `size` bytes of a pending write durable. */
static void apply(struct image *image, const struct pending *pending, size_t size)
{
    size_t offset = (size_t)pending->offset;
    if (pending->bytes == NULL) {
        resize_image(image, offset);
        return;
    }
    if (offset + size > image->size)
        resize_image(image, offset + size);
    memcpy(image->bytes + offset, pending->bytes, size);
}

/* Counts an operation; true when it has to fail. */
static bool fails(void)
{
    disk.count++;
    if (disk.count == disk.fail_at || (disk.is_for_ever && disk.has_failed)) {
        disk.has_failed = true;
        return true;
    }
    return false;
}

static struct faulty_file *faulty_of(sqlite3_file *file)
{
    return (struct faulty_file *)(void *)file;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return faulty_of(file)->real;
}

static int faulty_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int faulty_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset)
{
    return real_of(file)->pMethods->xRead(real_of(file), bytes, size, offset);
}

static int faulty_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    bool has_failed_before = disk.has_failed;
    bool fails_now = fails();
    if (fails_now && has_failed_before)
        return SQLITE_IOERR_WRITE;
    int written = fails_now ? size / 2 : size;
    add_pending(faulty_of(file)->image, bytes, (size_t)written, offset);
    int code = real_of(file)->pMethods->xWrite(real_of(file), bytes, written, offset);
    if (!fails_now)
        return code;
    return disk.answer == FAULTY_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (fails())
        return SQLITE_IOERR_TRUNCATE;
    add_pending(faulty_of(file)->image, NULL, 0, size);
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    struct image *image = faulty_of(file)->image;
    bool has_failed = fails();
    for (size_t i = 0; image != NULL && !has_failed && i < image->count; i++)
        apply(image, &image->pending[i], image->pending[i].size);
    if (image != NULL)
        forget_pending(image);
    return has_failed ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int faulty_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int faulty_lock(sqlite3_file *file, int kind)
{
    return real_of(file)->pMethods->xLock(real_of(file), kind);
}

static int faulty_unlock(sqlite3_file *file, int kind)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), kind);
}

static int faulty_check_reserved_lock(sqlite3_file *file, int *is_reserved)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), is_reserved);
}

static int faulty_file_control(sqlite3_file *file, int operation, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int faulty_sector_size(sqlite3_file *file)
{
    (void)file;
    return SECTOR_BYTES;
}

static int faulty_device_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int faulty_shm_map(sqlite3_file *file, int page, int size, int extends,
                          void volatile **map)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extends, map);
}

static int faulty_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void faulty_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int faulty_shm_unmap(sqlite3_file *file, int deletes)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), deletes);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = faulty_close,
    .xRead = faulty_read,
    .xWrite = faulty_write,
    .xTruncate = faulty_truncate,
    .xSync = faulty_sync,
    .xFileSize = faulty_file_size,
    .xLock = faulty_lock,
    .xUnlock = faulty_unlock,
    .xCheckReservedLock = faulty_check_reserved_lock,
    .xFileControl = faulty_file_control,
    .xSectorSize = faulty_sector_size,
    .xDeviceCharacteristics = faulty_device_characteristics,
    .xShmMap = faulty_shm_map,
    .xShmLock = faulty_shm_lock,
    .xShmBarrier = faulty_shm_barrier,
    .xShmUnmap = faulty_shm_unmap,
};

static int faulty_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *file, int flags,
                       int *flags_out)
{
    (void)vfs;
    enum { LASTING = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL };
    struct faulty_file *faulty = faulty_of(file);
    *faulty = (struct faulty_file){.real = (sqlite3_file *)(void *)(faulty + 1)};
    int code = disk.real->xOpen(disk.real, path, faulty->real, flags, flags_out);
    if (code != SQLITE_OK)
        return code;
    faulty->base.pMethods = &methods;
    if (path != NULL && (flags & LASTING) != 0)
        faulty->image = get_image(path);
    return SQLITE_OK;
}

static int faulty_delete(sqlite3_vfs *vfs, const char *path, int syncs_folder)
{
    (void)vfs;
    if (fails())
        return SQLITE_IOERR_DELETE;
    struct image *image = find_image(path);
    if (image != NULL)
        forget(image);
    return disk.real->xDelete(disk.real, path, syncs_folder);
}

void faulty_vfs_install(void)
{
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "faulty";
    disk.vfs.pNext = NULL;
    disk.vfs.szOsFile = (int)sizeof(struct faulty_file) + disk.real->szOsFile;
    disk.vfs.xOpen = faulty_open;
    disk.vfs.xDelete = faulty_delete;
    sqlite3_vfs_register(&disk.vfs, 1);
}

void faulty_vfs_remove(void)
{
    faulty_vfs_reset(0, FAULTY_IOERR, false);
    sqlite3_vfs_unregister(&disk.vfs);
    sqlite3_vfs_register(disk.real, 1);
}

void faulty_vfs_reset(uint64_t fail_at, enum faulty_answer answer, bool is_for_ever)
{
    for (int i = 0; i < FILES_MAX; i++)
        forget(&disk.images[i]);
    disk.count = 0;
    disk.fail_at = fail_at;
    disk.answer = answer;
    disk.is_for_ever = is_for_ever;
    disk.has_failed = false;
}

void faulty_vfs_die(void)
{
    disk.is_for_ever = true;
    disk.has_failed = true;
}

uint64_t faulty_vfs_count(void)
{
    return disk.count;
}

bool faulty_vfs_has_failed(void)
{
    return disk.has_failed;
}

/* Writes since the last sync may have reached the disk or not, in any order, or in part. */
static void keep_some_pending(struct image *image, struct random *random)
{
    for (size_t i = 0; i < image->count; i++) {
        const struct pending *pending = &image->pending[i];
        size_t sectors = pending->size / SECTOR_BYTES;
        switch (random_up_to(random, 2)) {
        case 0:
            break;
        case 1:
            apply(image, pending, pending->size);
            break;
        default:
            apply(image, pending, (size_t)random_up_to(random, sectors) * SECTOR_BYTES);
        }
    }
}

void faulty_vfs_cut_power(uint64_t seed)
{
    struct random random = {seed};
    for (int i = 0; i < FILES_MAX; i++) {
        struct image *image = &disk.images[i];
        if (image->path[0] == '\0')
            continue;
        keep_some_pending(image, &random);
        /* Written in place: another inode would make the database a copy. */
        FILE *file = fopen(image->path, access(image->path, F_OK) == 0 ? "r+b" : "wb");
        assert(file != NULL);
        size_t written = image->size == 0 ? 0 : fwrite(image->bytes, 1, image->size, file);
        assert(written == image->size);
        (void)written;
        fclose(file);
        int code = truncate(image->path, (off_t)image->size);
        assert(code == 0);
        (void)code;
    }
    faulty_vfs_reset(0, FAULTY_IOERR, false);
}
