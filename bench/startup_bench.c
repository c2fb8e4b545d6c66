/*
 * startup_bench.c - what a script pays for each command: from the fork to the end of the
 * process.
 *
 * Beside it `true`, which is the floor of this machine, and an empty program of node where
 * there is one. The commands take turns, so a busy moment falls on all of them; medians are
 * told. The program beside this one, ../interlock, is what is measured.
 */
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ensure.h"
#include "os/os.h"

enum { ROUNDS = 100, WORDS_MAX = 6 };

static const char definition_yaml[] = "id: turnstile\n"
                                      "initial: LOCKED\n"
                                      "context: { coins: 0 }\n"
                                      "states:\n"
                                      "  LOCKED:\n"
                                      "    on:\n"
                                      "      COIN:\n"
                                      "        target: OPEN\n"
                                      "        assign: { coins: \"${context.coins + 1}\" }\n"
                                      "  OPEN: { on: { PUSH: LOCKED } }\n";

struct bench_command {
    const char *name;
    const char *words[WORDS_MAX];
    double took_ms[ROUNDS];
};

/* Its exit status; 127 when it cannot be started. */
static int run(const char *program, const char *const words[WORDS_MAX])
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    char *arguments[WORDS_MAX]; /* posix_spawn() changes none of them, but does not say so */
    memcpy(arguments, words, sizeof arguments);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    int failed = posix_spawnp(&pid, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return 127;
    return WEXITSTATUS(status);
}

static bool measure(struct bench_command *command, const char *interlock, size_t round)
{
    bool is_ours = strcmp(command->words[0], "interlock") == 0;
    int64_t begin = clock_measure_ns();
    int status = run(is_ours ? interlock : command->words[0], command->words);
    command->took_ms[round] = (double)(clock_measure_ns() - begin) / 1e6;
    return status == 0;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(struct bench_command *command)
{
    qsort(command->took_ms, ROUNDS, sizeof command->took_ms[0], by_size);
    return command->took_ms[ROUNDS / 2];
}

static void find_interlock(char path[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 32);
    ensure(size > 0);
    path[size] = '\0';
    for (int i = 0; i < 2; i++)
        *strrchr(path, '/') = '\0';
    memcpy(path + strlen(path), "/interlock", sizeof "/interlock");
}

static void enter_folder(char *folder)
{
    ensure(mkdtemp(folder) != NULL && chdir(folder) == 0);
    FILE *file = fopen("turnstile.yaml", "w");
    ensure(file != NULL && fputs(definition_yaml, file) >= 0 && fclose(file) == 0);
}

static void leave_folder(const char *folder)
{
    static const char *const files[] = {"turnstile.yaml", "interlock.db", "interlock.db-wal",
                                        "interlock.db-shm"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlink(files[i]);
    rmdir(folder);
}

int main(void)
{
    struct bench_command commands[] = {
        {"true", {"true"}, {0}},
        {"--version", {"interlock", "--version"}, {0}},
        {"check", {"interlock", "check", "turnstile.yaml"}, {0}},
        {"step, one event", {"interlock", "step", "turnstile.yaml", "COIN"}, {0}},
        {"start", {"interlock", "start", "turnstile.yaml", "--id=t"}, {0}},
        {"show", {"interlock", "show", "t"}, {0}},
        {"node, empty program", {"node", "-e", "0"}, {0}},
    };
    enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };
    char folder[] = "/tmp/interlock-bench-XXXXXX";
    char interlock[PATH_MAX];
    bool works[COMMAND_COUNT];
    find_interlock(interlock);
    enter_folder(folder);
    for (size_t i = 0; i < COMMAND_COUNT; i++) /* also warms the file cache */
        works[i] = measure(&commands[i], interlock, 0);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < COMMAND_COUNT; i++) {
            if (works[i])
                works[i] = measure(&commands[i], interlock, round);
        }
    }
    leave_folder(folder);
    double floor_ms = median(&commands[0]);
    printf("start to end of a process, median of %d\n", ROUNDS);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (works[i])
            printf("  %-20s %7.2f ms %7.1f of `true`\n", commands[i].name, median(&commands[i]),
                   median(&commands[i]) / floor_ms);
        else
            printf("  %-20s is not there, or failed\n", commands[i].name);
    }
    return 0;
}
