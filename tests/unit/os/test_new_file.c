/*
 * test_new_file.c - a file is there whole or not at all, and nothing is left beside it.
 */
#include "os/new_file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "expect_os.h"
#include "os/file.h"

static char folder[64];
static char path[128];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/interlock-test-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails when anything is left beside the file */
}

static size_t count_files(void)
{
    size_t count = 0;
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (const struct dirent *each; (each = readdir(listing)) != NULL;)
        count += each->d_name[0] != '.';
    closedir(listing);
    return count;
}

static struct new_file *open_new(const char *name)
{
    struct new_file *file = NULL;
    const char *problem = NULL;
    assert_int_equal(new_file_open(name, &file, &problem), STATUS_OK);
    return file;
}

static void finish(struct new_file *file)
{
    const char *problem = NULL;
    assert_int_equal(new_file_finish(file, &problem), STATUS_OK);
}

static void expect_content(const char *words)
{
    struct text content = {.arena = NULL};
    assert_int_equal(file_read(path, 100, &content, NULL), STATUS_OK);
    expect_text(text_span(&content), words);
    text_fini(&content);
}

static void write_new(const char *words)
{
    struct new_file *file = open_new(path);
    new_file_add(file, span_from_text(words));
    finish(file);
}

static void the_old_file_stays_until_the_new_one_is_whole(void **state)
{
    (void)state;
    write_new("old");
    struct new_file *file = open_new(path);
    new_file_add(file, SPAN("new"));
    expect_content("old");
    finish(file);
    expect_content("new");
    assert_int_equal(count_files(), 1);
}

static void a_dropped_file_leaves_nothing(void **state)
{
    (void)state;
    struct new_file *file = open_new(path);
    new_file_add(file, SPAN("never"));
    new_file_drop(file);
    assert_int_equal(count_files(), 0);
}

static void what_is_large_is_written_in_pieces(void **state)
{
    (void)state;
    static char piece[1000];
    struct new_file *file = open_new(path);
    for (int i = 0; i < 300; i++)
        new_file_add(file, span_of(piece, sizeof piece));
    finish(file);
    assert_int_equal(file_size(path), 300 * sizeof piece);
}

static void a_link_stays_a_link(void **state)
{
    (void)state;
    char link[160];
    struct stat about;
    snprintf(link, sizeof link, "%s/link", folder);
    write_new("old");
    assert_int_equal(symlink("file", link), 0);
    struct new_file *file = open_new(link);
    new_file_add(file, SPAN("new"));
    finish(file);
    assert_int_equal(lstat(link, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    expect_content("new");
    unlink(link);
}

static void what_is_no_plain_file_is_written_in_place(void **state)
{
    (void)state;
    struct stat about;
    struct new_file *file = open_new("/dev/null");
    new_file_add(file, SPAN("gone"));
    finish(file);
    assert_int_equal(stat("/dev/null", &about), 0);
    assert_true(S_ISCHR(about.st_mode));
}

static void a_place_that_cannot_be_written_is_told_at_once(void **state)
{
    (void)state;
    char inside[160];
    const char *problem = NULL;
    struct new_file *file;
    snprintf(inside, sizeof inside, "%s/none/file", folder);
    assert_int_equal(new_file_open(inside, &file, &problem), STATUS_NOT_FOUND);
    assert_string_equal(problem, "No such file or directory");
    assert_int_equal(new_file_open(folder, &file, &problem), STATUS_IO);
    assert_string_equal(problem, "Is a directory");
    assert_int_equal(new_file_clear(inside, &problem), STATUS_NOT_FOUND);
}

static void a_full_disk_is_told_at_the_end(void **state)
{
    (void)state;
    const char *problem = NULL;
    struct new_file *file = open_new("/dev/full");
    new_file_add(file, SPAN("bytes"));
    assert_int_equal(new_file_finish(file, &problem), STATUS_IO);
    assert_string_equal(problem, "No space left on device");
}

static void an_old_file_is_cleared_away(void **state)
{
    (void)state;
    const char *problem = NULL;
    write_new("old");
    assert_int_equal(new_file_clear(path, &problem), STATUS_OK);
    assert_int_equal(count_files(), 0);
    assert_int_equal(new_file_clear(path, &problem), STATUS_OK);
    assert_int_equal(new_file_clear("/dev/null", &problem), STATUS_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(the_old_file_stays_until_the_new_one_is_whole),
        TEST(a_dropped_file_leaves_nothing),
        TEST(what_is_large_is_written_in_pieces),
        TEST(a_link_stays_a_link),
        TEST(what_is_no_plain_file_is_written_in_place),
        TEST(a_place_that_cannot_be_written_is_told_at_once),
        TEST(a_full_disk_is_told_at_the_end),
        TEST(an_old_file_is_cleared_away),
    };
#undef TEST
    return cmocka_run_group_tests_name("new_file", tests, NULL, NULL);
}
