/*
 * test_file.c - files read whole and by line, paths, clocks and randomness.
 */
#include "os/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "expect_os.h"
#include "os/clock.h"

static char folder[64];
static char path[128];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/interlock-test-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_file(struct span bytes)
{
    snprintf(path, sizeof path, "%s/file", folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.text, 1, bytes.size, file), bytes.size);
    fclose(file);
}

static void a_file_is_read_whole_up_to_the_limit(void **state)
{
    (void)state;
    static char bytes[200001];
    memset(bytes, 'x', sizeof bytes);
    bytes[17] = '\0';
    write_file(span_of(bytes, sizeof bytes));
    struct text content = {.arena = NULL};
    const char *problem = NULL;
    text_add(&content, SPAN("before"));
    assert_int_equal(file_read(path, sizeof bytes, &content, &problem), STATUS_OK);
    assert_int_equal(content.size, 6 + sizeof bytes);
    assert_memory_equal(content.bytes + 6, bytes, sizeof bytes);
    content.size = 6;
    assert_int_equal(file_read(path, sizeof bytes - 1, &content, &problem), STATUS_NO_SPACE);
    expect_text(text_span(&content), "before");
    assert_int_equal(file_size(path), sizeof bytes);
    text_fini(&content);
}

static void what_cannot_be_read_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum status status;
        const char *problem;
    } rows[] = {
        {"/no/such/file", STATUS_NOT_FOUND, "No such file or directory"},
        {"/dev/null/file", STATUS_NOT_FOUND, "Not a directory"},
        {"/tmp", STATUS_IO, "Is a directory"},
        {"/proc/self/mem", STATUS_IO, "Input/output error"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text content = {.arena = NULL};
        const char *problem = NULL;
        assert_int_equal(file_read(rows[i].path, 100, &content, &problem), rows[i].status);
        assert_string_equal(problem, rows[i].problem);
        assert_int_equal(content.size, 0);
        assert_int_equal(file_read(rows[i].path, 100, &content, NULL), rows[i].status);
        text_fini(&content);
    }
    struct file_lines *lines;
    assert_int_equal(file_lines_open("/no/file", 10, &lines, NULL), STATUS_NOT_FOUND);
    assert_int_equal(file_size("/no/such/file"), 0);
    assert_int_equal(file_size("/tmp"), 0);
}

static void reading_that_fails_in_the_middle_is_told_at_the_end(void **state)
{
    (void)state;
    struct file_lines *lines;
    struct span line;
    bool too_long;
    assert_int_equal(file_lines_open("/proc/self/mem", 10, &lines, NULL), STATUS_OK);
    assert_false(file_lines_next(lines, &line, &too_long));
    assert_int_equal(file_lines_close(lines), STATUS_IO);
}

static void add_numbered_line(struct text *text, size_t size, size_t number)
{
    for (size_t i = 0; i < size; i++)
        text_add_byte(text, (char)('a' + (number + i) % 26));
}

/* Sizes around the limit and around the piece that is read at once. */
static void lines_of_every_length_come_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,      1,      65534,  65535,  65536,  65537,  99999,
                                   100000, 100001, 100002, 165536, 200000, 300000, 5};
    enum { LINE_MAX_BYTES = 100000 };
    struct text content = {.arena = NULL};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        add_numbered_line(&content, sizes[i], i);
        text_add(&content, i % 2 == 0 ? SPAN("\n") : SPAN("\r\n"));
    }
    write_file(text_span(&content));
    struct file_lines *lines;
    struct span line;
    bool too_long;
    assert_int_equal(file_lines_open(path, LINE_MAX_BYTES, &lines, NULL), STATUS_OK);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct text wanted = {.arena = NULL};
        assert_true(file_lines_next(lines, &line, &too_long));
        assert_int_equal(too_long, sizes[i] > LINE_MAX_BYTES);
        add_numbered_line(&wanted, too_long ? LINE_MAX_BYTES : sizes[i], i);
        assert_int_equal(line.size, wanted.size);
        if (wanted.size > 0)
            assert_memory_equal(line.text, wanted.bytes, wanted.size);
        text_fini(&wanted);
    }
    assert_false(file_lines_next(lines, &line, &too_long));
    assert_false(file_lines_next(lines, &line, &too_long));
    assert_int_equal(file_lines_close(lines), STATUS_OK);
    text_fini(&content);
}

static void paths_are_resolved_from_a_folder(void **state)
{
    (void)state;
    static const struct {
        const char *folder;
        const char *path;
        const char *answer;
    } rows[] = {
        {"/a/b", "c", "/a/b/c"},
        {"/a/b", "./c", "/a/b/c"},
        {"/a/b", "././c/d", "/a/b/c/d"},
        {"/a/b", "../c", "/a/b/../c"},
        {"/a/b", "/c", "/c"},
        {"/", "c", "/c"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *answer = file_resolve(rows[i].folder, span_from_text(rows[i].path));
        assert_string_equal(answer, rows[i].answer);
        memory_release(answer);
    }
}

static void the_folder_of_a_file_is_absolute(void **state)
{
    (void)state;
    char here[256];
    assert_non_null(getcwd(here, sizeof here));
    char missing[512];
    snprintf(missing, sizeof missing, "%s/no/such", here);
    const struct {
        const char *path;
        const char *folder;
    } rows[] = {
        {"file", here},   {"./file", here},          {"-", here},
        {"/file", "/"},   {"/tmp/../tmp/f", "/tmp"}, {"no/such/file", missing},
        {"/no/f", "/no"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *answer = file_folder(rows[i].path);
        assert_string_equal(answer, rows[i].folder);
        memory_release(answer);
    }
}

static void a_file_is_the_same_by_whatever_name(void **state)
{
    (void)state;
    char other[160];
    char missing[160];
    snprintf(other, sizeof other, "%s/other", folder);
    snprintf(missing, sizeof missing, "%s/none", folder);
    write_file(SPAN("1"));
    assert_int_equal(link(path, other), 0);
    assert_true(file_is_same(path, path));
    assert_true(file_is_same(path, other));
    assert_true(file_is_same(missing, missing));
    assert_false(file_is_same(path, missing));
    assert_false(file_is_same(missing, path));
    assert_false(file_is_same(missing, "none"));
    assert_false(file_is_same("/dev/null", "/dev/null"));
    unlink(other);
}

static void folders_are_no_files(void **state)
{
    (void)state;
    write_file(SPAN("x"));
    assert_true(file_exists(path));
    assert_false(file_exists(folder));
    assert_false(file_exists("/no/such/file"));
}

static void a_file_is_no_terminal(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_false(file_is_terminal(ends[0]));
    assert_int_equal(file_terminal_columns(ends[0]), 80);
    close(ends[0]);
    close(ends[1]);
}

static void random_bytes_differ(void **state)
{
    (void)state;
    unsigned char first[300] = {0};
    unsigned char second[300] = {0};
    file_random(first, sizeof first);
    file_random(second, sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
    assert_memory_not_equal(first + 268, first, 32);
}

static void clocks_go_forward(void **state)
{
    (void)state;
    int64_t elapsed = clock_elapsed_us();
    int64_t measured = clock_measure_ns();
    instant_ms wall = clock_wall();
    usleep(2000);
    assert_true(clock_elapsed_us() - elapsed >= 2000);
    assert_true(clock_measure_ns() - measured >= 2000000);
    assert_true(wall > 1600000000000);
}

int main(void)
{
#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_file_is_read_whole_up_to_the_limit),
        FILE_TEST(what_cannot_be_read_says_why),
        FILE_TEST(reading_that_fails_in_the_middle_is_told_at_the_end),
        FILE_TEST(lines_of_every_length_come_back),
        FILE_TEST(paths_are_resolved_from_a_folder),
        FILE_TEST(the_folder_of_a_file_is_absolute),
        FILE_TEST(a_file_is_the_same_by_whatever_name),
        FILE_TEST(folders_are_no_files),
        FILE_TEST(a_file_is_no_terminal),
        FILE_TEST(random_bytes_differ),
        FILE_TEST(clocks_go_forward),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
