/*
 * startup_bench.c - what a script pays for each command: from the fork to the end of the
 * process.
 *
 * Beside it `true`, which is the floor of this machine, and an empty program of node where
 * there is one. The commands take turns, so a busy moment falls on all of them; medians are
 * told, of the time that passed and of the processor's, which others disturb less. The program
 * beside this one, ../interlock, is what is measured.
 */
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ensure.h"
#include "os/os.h"
#include "rounds.h"

enum { ROUNDS = 100, WORDS_MAX = 6, COMMAND_COUNT = 7 };

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
    double worked_ms[ROUNDS];
};

/* Its exit status; 127 when it cannot be started. */
static int run(const char *program, const char *const words[WORDS_MAX], struct rusage *used)
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
    if (failed != 0 || wait4(pid, &status, 0, used) != pid || !WIFEXITED(status))
        return 127;
    return WEXITSTATUS(status);
}

static double milliseconds(struct timeval time)
{
    return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static bool measure(struct bench_command *command, const char *interlock, size_t round)
{
    bool is_ours = strcmp(command->words[0], "interlock") == 0;
    int64_t begin = clock_measure_ns();
    struct rusage used = {0};
    int status = run(is_ours ? interlock : command->words[0], command->words, &used);
    command->took_ms[round] = (double)(clock_measure_ns() - begin) / 1e6;
    command->worked_ms[round] = milliseconds(used.ru_utime) + milliseconds(used.ru_stime);
    return status == 0;
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
    struct bench_command commands[COMMAND_COUNT] = {
        {.name = "true", .words = {"true"}},
        {.name = "--version", .words = {"interlock", "--version"}},
        {.name = "check", .words = {"interlock", "check", "turnstile.yaml"}},
        {.name = "step, one event", .words = {"interlock", "step", "turnstile.yaml", "COIN"}},
        {.name = "start", .words = {"interlock", "start", "turnstile.yaml", "--id=t"}},
        {.name = "show", .words = {"interlock", "show", "t"}},
        {.name = "node, empty program", .words = {"node", "-e", "0"}},
    };
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
    double floor_ms = rounds_median(commands[0].took_ms, ROUNDS);
    printf("start to end of a process, median of %d; of that on the processor\n", ROUNDS);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (works[i])
            printf("  %-20s %7.2f ms %7.2f ms %7.1f of `true`\n", commands[i].name,
                   rounds_median(commands[i].took_ms, ROUNDS),
                   rounds_median(commands[i].worked_ms, ROUNDS),
                   rounds_median(commands[i].took_ms, ROUNDS) / floor_ms);
        else
            printf("  %-20s is not there, or failed\n", commands[i].name);
    }
    return 0;
}
