/*
 * store_sqlite_open.c - opening a SQLite database: is it ours, is it free, is it the original.
 *
 * Nothing is changed before all three are answered: a text file, another program's
 * database or a copy given by mistake leaves as it came.
 *
 * Ownership is a flock on the database file. SQLite's own locks cannot serve: they are
 * taken and dropped with each transaction. They are POSIX record locks, and POSIX drops
 * all of a process's record locks on a file when the process closes any descriptor of it.
 * So the descriptor with our flock is opened before SQLite's and closed after it, and
 * readers open none at all. The system drops a flock when its process dies, however it
 * dies, so nothing needs to be cleaned up after a crash.
 *
 * Identity: a copied database would send the same idempotency keys as the original. So a
 * database remembers the inode and the moment of birth of its file. A copy and a restore
 * have others, and are refused until somebody adopts them, which renews the incarnation.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/memory.h"
#include "store/store_sqlite.h"

enum { IDENTITY_BYTES = 80, LOCK_TRIES = 10, LOCK_PAUSE_NS = 20 * 1000 * 1000 };

/* What the file said before anything was changed. */
struct header {
    int64_t application_id;
    int64_t version;
    bool is_empty; /* no tables: just created, or its creation was cut short */
};

static enum status say_system(struct store_sqlite *store, enum status status, const char *what,
                              int error)
{
    char words[128];
    /* GNU's strerror_r: the answer may or may not be in words. */
    const char *text = strerror_r(error, words, sizeof words);
    return store_say(&store->base, status, "%s %s: %s", store->base.name, what, text);
}

static enum status say_sqlite(struct store_sqlite *store, sqlite3 *connection, int code)
{
    enum status status = store_sqlite_status(code);
    const char *words = connection == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(connection);
    switch (code & 0xff) {
    case SQLITE_NOTADB:
        return store_say(&store->base, status, "%s is not a database", store->base.name);
    case SQLITE_CORRUPT:
        return store_say(&store->base, status, "%s is damaged: %s (SQLite %d)",
                         store->base.name, words, code);
    case SQLITE_FULL:
        return store_say(&store->base, status, "%s cannot be opened: %s", store->base.name,
                         words);
    default:
        return store_say(&store->base, status, "%s cannot be opened: %s (SQLite %d)",
                         store->base.name, words, code);
    }
}

/* SQLite takes ":memory:" and "file:…" for something else than files. */
static char *plain_path(const char *path)
{
    struct text plain;
    text_init(&plain, NULL);
    if (path[0] != '/')
        text_add(&plain, SPAN("./"));
    text_add(&plain, span_from_text(path));
    char *copy = memory_copy_text(text_span(&plain));
    text_fini(&plain);
    return copy;
}

/* The file is there (or will be made) and is a file; no descriptor is opened to learn it. */
static enum status check_file(struct store_sqlite *store, enum store_access access)
{
    struct stat found;
    if (stat(store->path, &found) != 0) {
        if (errno == ENOENT && access == STORE_CREATE)
            return STATUS_OK;
        if (errno == ENOENT)
            return store_say(&store->base, STATUS_NOT_FOUND, "%s does not exist",
                             store->base.name);
        return say_system(store, STATUS_IO, "cannot be opened", errno);
    }
    if (S_ISDIR(found.st_mode))
        return store_say(&store->base, STATUS_CORRUPT, "%s is a folder, not a database",
                         store->base.name);
    if (!S_ISREG(found.st_mode))
        return store_say(&store->base, STATUS_CORRUPT, "%s is not a file", store->base.name);
    return STATUS_OK;
}

/* The whole of one column of one row, or false. */
static bool read_text(sqlite3 *connection, const char *sql, struct text *text)
{
    sqlite3_stmt *statement = NULL;
    bool is_there = sqlite3_prepare_v2(connection, sql, -1, &statement, NULL) == SQLITE_OK &&
                    sqlite3_step(statement) == SQLITE_ROW &&
                    sqlite3_column_type(statement, 0) == SQLITE_TEXT;
    if (is_there)
        text_add(text, span_from_text((const char *)sqlite3_column_text(statement, 0)));
    sqlite3_finalize(statement);
    return is_there;
}

static int read_integer(sqlite3 *connection, const char *sql, int64_t *number)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(connection, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    if (code == SQLITE_ROW)
        return SQLITE_OK;
    return code == SQLITE_DONE ? SQLITE_ERROR : code;
}

static int connect(const char *path, int flags, sqlite3 **connection)
{
    int code = sqlite3_open_v2(path, connection, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite3_extended_result_codes(*connection, 1);
    sqlite3_busy_timeout(*connection, STORE_SQLITE_BUSY_MS);
    /* The file may be hostile: its schema calls no functions, and odd cells are found early. */
    sqlite3_db_config(*connection, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* A missing column is an error, not a text in double quotes. */
    sqlite3_db_config(*connection, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    /* Until the database is known to be ours it is not touched, by closing either. */
    sqlite3_db_config(*connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return sqlite3_exec(*connection,
                        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;", NULL, NULL,
                        NULL);
}

/* The pid of the last owner, or 0. */
static int64_t read_owner(struct store_sqlite *store)
{
    sqlite3 *connection = NULL;
    int64_t pid = 0;
    if (connect(store->path, SQLITE_OPEN_READONLY, &connection) == SQLITE_OK &&
        read_integer(connection, "SELECT value FROM meta WHERE key = 'owner'", &pid) !=
            SQLITE_OK)
        pid = 0;
    sqlite3_close(connection);
    return pid;
}

static enum status say_owned(struct store_sqlite *store)
{
    int64_t pid = read_owner(store);
    /* Another store of this process: closing our descriptor would drop that one's record locks,
     * so it is left open. */
    if (pid == getpid())
        store->lock = -1;
    if (pid == 0)
        return store_say(&store->base, STATUS_BUSY, "%s is owned by another process",
                         store->base.name);
    return store_say(&store->base, STATUS_BUSY, "%s is owned by process %" PRId64,
                     store->base.name, pid);
}

/* A process that was just killed, or a child of it between fork and exec, may hold the lock for
 * some milliseconds more, so one refusal is not the answer. */
static enum status take_lock(struct store_sqlite *store)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(store->lock, LOCK_EX | LOCK_NB) == 0)
            return STATUS_OK;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return say_system(store, STATUS_IO, "cannot be locked", errno);
        nanosleep(&pause, NULL);
    }
    return say_owned(store);
}

static enum status open_lock(struct store_sqlite *store, enum store_access access)
{
    int flags = O_RDWR | O_CLOEXEC | (access == STORE_CREATE ? O_CREAT : 0);
    store->lock = open(store->path, flags, 0644);
    if (store->lock >= 0)
        return take_lock(store);
    if (errno == ENOENT)
        return store_say(&store->base, STATUS_NOT_FOUND,
                         "%s cannot be created: its folder does not exist", store->base.name);
    return say_system(store, STATUS_IO, "cannot be opened for writing", errno);
}

/* False also for an empty one: it holds no commits. */
static bool has_wal(const char *path)
{
    struct text wal;
    text_init(&wal, NULL);
    text_format(&wal, "%s-wal", path);
    struct stat found;
    bool is_there = stat(wal.bytes, &found) == 0 && found.st_size > 0;
    text_fini(&wal);
    return is_there;
}

/* SQLite takes a page that is cut off for one of zeros. Only with a WAL may the file be short:
 * what is missing is there. */
static enum status check_size(struct store_sqlite *store, sqlite3 *connection)
{
    int64_t page_count = 0;
    int64_t page_bytes = 0;
    struct stat found;
    int code = read_integer(connection, "PRAGMA page_count", &page_count);
    if (code == SQLITE_OK)
        code = read_integer(connection, "PRAGMA page_size", &page_bytes);
    if (code != SQLITE_OK)
        return say_sqlite(store, connection, code);
    if (has_wal(store->path) || stat(store->path, &found) != 0 ||
        found.st_size >= page_count * page_bytes)
        return STATUS_OK;
    return store_say(&store->base, STATUS_CORRUPT,
                     "%s is damaged: it is cut off after %" PRId64 " of %" PRId64 " bytes",
                     store->base.name, (int64_t)found.st_size, page_count * page_bytes);
}

static enum status read_header(struct store_sqlite *store, sqlite3 *connection,
                               struct header *header)
{
    int64_t tables = 0;
    int code = read_integer(connection, "SELECT count(*) FROM sqlite_schema", &tables);
    if (code == SQLITE_OK)
        code = read_integer(connection, "PRAGMA application_id", &header->application_id);
    if (code == SQLITE_OK)
        code = read_integer(connection, "PRAGMA user_version", &header->version);
    header->is_empty = tables == 0 && header->application_id == 0;
    return code == SQLITE_OK ? check_size(store, connection)
                             : say_sqlite(store, connection, code);
}

static enum status check_header(struct store_sqlite *store, const struct store_schema *schema,
                                const struct header *header)
{
    if (header->is_empty)
        return store_say(&store->base, STATUS_CORRUPT, "%s is empty, not an Interlock database",
                         store->base.name);
    if (header->application_id != STORE_SQLITE_APPLICATION_ID)
        return store_say(&store->base, STATUS_CORRUPT, "%s is not an Interlock database",
                         store->base.name);
    if (header->version != schema->version)
        return store_say(&store->base, STATUS_VERSION,
                         "%s has tables of version %" PRId64 ", this program reads version %u",
                         store->base.name, header->version, schema->version);
    return STATUS_OK;
}

/* Not every file system remembers births. */
static void write_identity(int descriptor, char identity[IDENTITY_BYTES])
{
    struct statx found;
    struct stat plain;
    if (statx(descriptor, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &found) == 0 &&
        (found.stx_mask & STATX_BTIME) != 0) {
        snprintf(identity, IDENTITY_BYTES, "inode %llu, born %lld.%09u",
                 (unsigned long long)found.stx_ino, (long long)found.stx_btime.tv_sec,
                 found.stx_btime.tv_nsec);
        return;
    }
    ensure(fstat(descriptor, &plain) == 0);
    snprintf(identity, IDENTITY_BYTES, "inode %llu", (unsigned long long)plain.st_ino);
}

static int write_meta(sqlite3 *writer, const char *key, const char *value)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(writer,
                                  "INSERT INTO meta (key, value) VALUES (?1, ?2)"
                                  " ON CONFLICT (key) DO UPDATE SET value = ?2",
                                  -1, &statement, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, value, -1, SQLITE_STATIC);
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static enum status check_identity(struct store_sqlite *store)
{
    char identity[IDENTITY_BYTES];
    write_identity(store->lock, identity);
    struct text kept;
    text_init(&kept, NULL);
    bool is_there =
        read_text(store->writer, "SELECT value FROM meta WHERE key = 'identity'", &kept);
    enum status status = STATUS_OK;
    if (!is_there)
        status = store_say(&store->base, STATUS_CORRUPT, "%s has lost its identity",
                           store->base.name);
    else if (!span_is(text_span(&kept), identity))
        status =
            store_say(&store->base, STATUS_CONFLICT,
                      "%s is a copy of another database (its file was %s): `interlock adopt"
                      " --db %s` makes it its own",
                      store->base.name, kept.bytes, store->base.name);
    text_fini(&kept);
    return status;
}

static int write_new_identity(struct store_sqlite *store)
{
    char identity[IDENTITY_BYTES];
    char incarnation[STORE_INCARNATION_BYTES];
    write_identity(store->lock, identity);
    store_renew_incarnation(incarnation);
    int code = write_meta(store->writer, "identity", identity);
    if (code == SQLITE_OK)
        code = write_meta(store->writer, "incarnation", incarnation);
    return code;
}

static int write_owner(struct store_sqlite *store)
{
    char pid[24];
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    return write_meta(store->writer, "owner", pid);
}

/* One transaction makes the tables of an empty database and the owner's marks. */
static int mark_owned(struct store_sqlite *store, const struct store_schema *schema,
                      bool is_empty, bool is_adopted)
{
    int code = sqlite3_exec(store->writer, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK && is_empty)
        code = store_sqlite_create_tables(store->writer, schema);
    if (code == SQLITE_OK && (is_empty || is_adopted))
        code = write_new_identity(store);
    if (code == SQLITE_OK)
        code = write_owner(store);
    if (code == SQLITE_OK)
        code = sqlite3_exec(store->writer, "COMMIT", NULL, NULL, NULL);
    return code;
}

/* Sets how the database is written, and reads back what a file system may refuse. */
static int configure_writer(sqlite3 *writer)
{
    struct text mode;
    text_init(&mode, NULL);
    bool is_wal = read_text(writer, "PRAGMA journal_mode = WAL", &mode) &&
                  span_is(text_span(&mode), "wal");
    text_fini(&mode);
    if (!is_wal)
        return sqlite3_errcode(writer) == SQLITE_OK ? SQLITE_CANTOPEN
                                                    : sqlite3_extended_errcode(writer);
    int code = sqlite3_exec(writer,
                            "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                            "PRAGMA secure_delete = OFF; PRAGMA cache_size = -32768;",
                            NULL, NULL, NULL);
    int64_t synchronous = 0;
    if (code == SQLITE_OK)
        code = read_integer(writer, "PRAGMA synchronous", &synchronous);
    ensure(code != SQLITE_OK || synchronous == 2);
    return code;
}

/* Moves the whole WAL into the database, so that what a crash left there is written and synced
 * anew. A reader in the way is no harm: the WAL then stays as it is. */
static int checkpoint_all(sqlite3 *writer)
{
    sqlite3_busy_timeout(writer, 0);
    int code =
        sqlite3_wal_checkpoint_v2(writer, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(writer, STORE_SQLITE_BUSY_MS);
    return store_sqlite_status(code) == STATUS_BUSY ? SQLITE_OK : code;
}

static int keep_wal_pages(void *context, sqlite3 *writer, const char *name, int pages)
{
    (void)writer;
    (void)name;
    struct store_sqlite *store = context;
    store->wal_pages = pages;
    return SQLITE_OK;
}

static enum status set_page_limit(struct store_sqlite *store, uint32_t page_count_max)
{
    if (page_count_max == 0)
        return STATUS_OK;
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA max_page_count = %u", page_count_max);
    int code = sqlite3_exec(store->writer, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? STATUS_OK : say_sqlite(store, store->writer, code);
}

static enum status check_original(struct store_sqlite *store, const struct store_schema *schema,
                                  enum store_access access, struct header *header)
{
    enum status status = read_header(store, store->writer, header);
    if (status != STATUS_OK || (header->is_empty && access == STORE_CREATE))
        return status;
    status = check_header(store, schema, header);
    if (status != STATUS_OK || access == STORE_ADOPT)
        return status;
    return check_identity(store);
}

static enum status open_writer(struct store_sqlite *store,
                               const struct store_sqlite_options *options,
                               const struct store_schema *schema)
{
    enum status status = open_lock(store, options->access);
    if (status != STATUS_OK)
        return status;
    int code = connect(store->path, SQLITE_OPEN_READWRITE, &store->writer);
    if (code != SQLITE_OK)
        return say_sqlite(store, store->writer, code);
    struct header header = {0};
    status = check_original(store, schema, options->access, &header);
    if (status == STATUS_OK)
        status = set_page_limit(store, options->page_count_max);
    if (status != STATUS_OK)
        return status;
    code = configure_writer(store->writer);
    sqlite3_wal_hook(store->writer, keep_wal_pages, store);
    if (code == SQLITE_OK)
        code = checkpoint_all(store->writer);
    if (code == SQLITE_OK)
        code = mark_owned(store, schema, header.is_empty, options->access == STORE_ADOPT);
    return code == SQLITE_OK ? STATUS_OK : say_sqlite(store, store->writer, code);
}

/* The same file as one that nobody changes, for folders in which SQLite cannot put its index.
 */
static char *immutable_uri(const char *path)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
    struct text uri;
    text_init(&uri, NULL);
    text_add(&uri, path[0] == '/' ? SPAN("file://") : SPAN("file:"));
    for (const char *c = path; *c != '\0'; c++) {
        if (strchr(plain, *c) != NULL)
            text_add_byte(&uri, *c);
        else
            text_format(&uri, "%%%02X", (unsigned)(unsigned char)*c);
    }
    text_add(&uri, SPAN("?immutable=1"));
    char *copy = memory_copy_text(text_span(&uri));
    text_fini(&uri);
    return copy;
}

static int connect_immutable(struct store_sqlite *store)
{
    sqlite3_close(store->reader);
    store->reader = NULL;
    char *uri = immutable_uri(store->path);
    int code = connect(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, &store->reader);
    memory_release(uri);
    return code;
}

/* Reading a WAL database needs its index beside it. Where that can neither be found nor made,
 * nobody can be writing either, so a file without a WAL may be read as it stands. */
static enum status open_reader(struct store_sqlite *store)
{
    int64_t version;
    int code = connect(store->path, SQLITE_OPEN_READONLY, &store->reader);
    if (code == SQLITE_OK)
        code = read_integer(store->reader, "PRAGMA schema_version", &version);
    bool has_no_index = (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY;
    if (has_no_index && access(store->path, R_OK) != 0)
        return say_system(store, STATUS_IO, "cannot be read", errno);
    if (has_no_index && has_wal(store->path))
        return store_say(
            &store->base, STATUS_IO,
            "%s cannot be read: its last owner did not end cleanly, and what it left"
            " in %s-wal can only be read where the folder is writable",
            store->base.name, store->base.name);
    if (has_no_index)
        code = connect_immutable(store);
    return code == SQLITE_OK ? STATUS_OK : say_sqlite(store, store->reader, code);
}

static enum status read_incarnation(struct store_sqlite *store)
{
    struct text kept;
    text_init(&kept, NULL);
    bool is_there =
        read_text(store->reader, "SELECT value FROM meta WHERE key = 'incarnation'", &kept);
    bool is_whole = is_there && kept.size == STORE_INCARNATION_BYTES - 1;
    if (is_whole)
        memcpy(store->base.incarnation, kept.bytes, STORE_INCARNATION_BYTES);
    text_fini(&kept);
    if (is_whole)
        return STATUS_OK;
    return store_say(&store->base, STATUS_CORRUPT, "%s has lost its incarnation",
                     store->base.name);
}

static enum status prepare_statements(struct store_sqlite *store,
                                      const struct store_schema *schema)
{
    int code = store_sqlite_prepare(store, schema);
    if (code == SQLITE_OK)
        return STATUS_OK;
    bool writer_failed = store->writer != NULL && sqlite3_errcode(store->writer) != SQLITE_OK;
    return say_sqlite(store, writer_failed ? store->writer : store->reader, code);
}

static enum status open_store(struct store_sqlite *store,
                              const struct store_sqlite_options *options,
                              const struct store_schema *schema)
{
    enum status status = check_file(store, options->access);
    if (status == STATUS_OK && options->access != STORE_READ)
        status = open_writer(store, options, schema);
    if (status == STATUS_OK)
        status = open_reader(store);
    struct header header = {0};
    if (status == STATUS_OK)
        status = read_header(store, store->reader, &header);
    if (status == STATUS_OK)
        status = check_header(store, schema, &header);
    if (status == STATUS_OK)
        status = read_incarnation(store);
    if (status == STATUS_OK)
        status = prepare_statements(store, schema);
    return status;
}

/* Leaves one file where it can: the last connection to close moves the WAL into the database
 * and removes it. Where readers are still there the WAL is only moved. A broken store leaves
 * the WAL alone: the next opening makes it good. */
void store_sqlite_disconnect(struct store_sqlite *store)
{
    sqlite3_close(store->reader); /* NULL is fine */
    if (store->is_ours && store->broken_by[0] == '\0') {
        sqlite3_db_config(store->writer, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
        sqlite3_wal_checkpoint_v2(store->writer, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    sqlite3_close(store->writer);
    if (store->lock >= 0)
        close(store->lock);
}

static struct store_sqlite *make_store(const struct store_sqlite_options *options,
                                       const struct store_schema *schema)
{
    struct store_sqlite *store = memory_get(sizeof *store);
    store_init(&store->base, &store_sqlite_ops, schema, options->path);
    store->path = plain_path(options->path);
    store->lock = -1;
    text_init(&store->found, NULL);
    return store;
}

enum status store_sqlite_open(const struct store_sqlite_options *options,
                              const struct store_schema *schema, struct store **opened,
                              char problem[STORE_PROBLEM_BYTES])
{
    struct store_sqlite *store = make_store(options, schema);
    enum status status = open_store(store, options, schema);
    if (status == STATUS_OK) {
        store->is_ours = store->writer != NULL;
        *opened = &store->base;
        return STATUS_OK;
    }
    snprintf(problem, STORE_PROBLEM_BYTES, "%s", store_problem(&store->base));
    *opened = NULL;
    store_close(&store->base);
    return status;
}
