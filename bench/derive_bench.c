/*
 * derive_bench.c - how many orders a second have their state derived: six states over five
 * booleans, in memory and from a file of NDJSON, beside what others do with the same data.
 *
 * In memory: the table over bytes and the boolean functions over bits, beside both by hand in C
 * for this one machine. With `node` in the PATH also its queue-and-Set and an if-chain. From a
 * file: `interlock derive` (the program beside this one) and Node's readline.
 *
 * All count the orders in each state, and the counts are compared. In memory the median of
 * several rounds is told, by this thread's time on the processor; of other processes the best
 * of a few, by both clocks, since what else the machine does shows in one of them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "base/ensure.h"
#include "base/limits.h"
#include "base/random.h"
#include "chart/chart.h"
#include "rounds.h"
#include "wire/wire.h"

enum {
    FIELDS = 5,
    STATES = 6,
    ORDERS = 64 << 20, /* more than the caches hold */
    LINES = 1000000,
    ROUNDS = 7,
    PLANES = 3,
};

static const char definition[] =
    "id: order-status\n"
    "record: { as: o, defaults: { itemsAdded: false, paymentReceived: false, approved: false, "
    "shipped: false, delivered: false } }\n"
    "initial: DRAFT\n"
    "transitions: { DRAFT: AWAITING_PAYMENT, AWAITING_PAYMENT: AWAITING_APPROVAL, "
    "AWAITING_APPROVAL: READY_TO_SHIP, READY_TO_SHIP: SHIPPED, SHIPPED: COMPLETED, COMPLETED: "
    "[] }\n"
    "validators:\n"
    "  DRAFT: \"!o.itemsAdded\"\n"
    "  AWAITING_PAYMENT: o.itemsAdded && !o.paymentReceived\n"
    "  AWAITING_APPROVAL: o.paymentReceived && !o.approved\n"
    "  READY_TO_SHIP: o.approved && !o.shipped\n"
    "  SHIPPED: o.shipped && !o.delivered\n"
    "  COMPLETED: o.delivered\n";

static const char *const flag_names[FIELDS] = {"itemsAdded", "paymentReceived", "approved",
                                               "shipped", "delivered"};

struct bench {
    struct arena arena;
    const struct derivation *derivation;
    const struct derivation_flags *flags;
    uint32_t order[FIELDS]; /* where the derivation's field i is among the flags */
    uint8_t *bytes[FIELDS];
    uint64_t *bits[FIELDS];
    uint8_t *states;
    uint64_t *planes[PLANES];
    uint64_t counts[STATES];
};

static void *get(size_t size)
{
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
    ensure(memory != NULL);
    return memory;
}

/* By hand, for this machine: the furthest step whose flag is set, as far as the rules say. */
static uint32_t state_by_hand(const bool *flag)
{
    if (flag[4])
        return 5;
    if (flag[3])
        return 4;
    if (flag[2])
        return 3;
    if (flag[1])
        return 2;
    return flag[0] ? 1 : 0;
}

static void make_orders(struct bench *bench)
{
    struct random random = {.state = 1};
    for (uint32_t f = 0; f < FIELDS; f++) {
        bench->bytes[f] = get(ORDERS);
        bench->bits[f] = get(ORDERS / 8);
        for (size_t word = 0; word < ORDERS / 64; word++) {
            uint64_t bits = random_next(&random) & (f < 2 ? UINT64_MAX : random_next(&random));
            bench->bits[f][word] = bits;
            for (uint32_t i = 0; i < 64; i++)
                bench->bytes[f][word * 64 + i] = bits >> i & 1;
        }
    }
    bench->states = get(ORDERS);
    for (uint32_t plane = 0; plane < PLANES; plane++)
        bench->planes[plane] = get(ORDERS / 8);
}

static void find_order(struct bench *bench)
{
    for (uint32_t i = 0; i < FIELDS; i++) {
        for (uint32_t f = 0; f < FIELDS; f++) {
            if (span_is(bench->derivation->fields[i].name, flag_names[f]))
                bench->order[i] = f;
        }
    }
}

static void open_bench(struct bench *bench)
{
    struct diagnostics diagnostics;
    arena_open(&bench->arena, DEFINITION_ARENA_BYTES);
    diagnostics_init(&diagnostics, &bench->arena);
    const struct node *root = wire_read_definition(span_from_text(definition), SPAN("bench"),
                                                   &bench->arena, &diagnostics);
    ensure(root != NULL);
    bench->derivation = derivation_read(root, &bench->arena, &diagnostics);
    ensure(bench->derivation != NULL && bench->derivation->read_count == FIELDS);
    bench->flags = derivation_flags_open(bench->derivation,
                                         bench->derivation->regions[0].initial, &bench->arena);
    ensure(bench->flags != NULL && derivation_flags_planes(bench->flags) == PLANES);
    find_order(bench);
    make_orders(bench);
}

/* Counts, for comparing: they are not part of what is measured in memory. */

static void count_bytes(struct bench *bench)
{
    memset(bench->counts, 0, sizeof bench->counts);
    for (size_t i = 0; i < ORDERS; i++)
        bench->counts[bench->states[i] & 0x7f]++;
}

static void count_planes(struct bench *bench)
{
    memset(bench->counts, 0, sizeof bench->counts);
    for (size_t word = 0; word < ORDERS / 64; word++) {
        for (uint32_t state = 0; state < STATES; state++) {
            uint64_t match = UINT64_MAX;
            for (uint32_t plane = 0; plane < PLANES; plane++) {
                uint64_t bits = bench->planes[plane][word];
                match &= state >> plane & 1 ? bits : ~bits;
            }
            bench->counts[state] += (uint64_t)__builtin_popcountll(match);
        }
    }
}

static void count_by_hand(struct bench *bench, uint64_t *counts)
{
    for (size_t i = 0; i < ORDERS; i++) {
        bool flags[FIELDS];
        for (uint32_t f = 0; f < FIELDS; f++)
            flags[f] = bench->bytes[f][i];
        counts[state_by_hand(flags)]++;
    }
}

/* Ways to do it in memory */

static void derive_bytes(struct bench *bench)
{
    const uint8_t *fields[FIELDS];
    for (uint32_t i = 0; i < FIELDS; i++)
        fields[i] = bench->bytes[bench->order[i]];
    derivation_flags_bytes(bench->flags, fields, ORDERS, bench->states);
}

static void derive_bits(struct bench *bench)
{
    const uint64_t *fields[FIELDS];
    for (uint32_t i = 0; i < FIELDS; i++)
        fields[i] = bench->bits[bench->order[i]];
    derivation_flags_bits(bench->flags, fields, ORDERS / 64, bench->planes, NULL);
}

static void derive_rows(struct bench *bench)
{
    struct derivation_column columns[FIELDS];
    uint16_t *states = get(ORDERS / 16 * sizeof *states);
    struct arena_mark mark = arena_mark(&bench->arena);
    struct derivation_batch *batch = derivation_batch_open(bench->derivation, &bench->arena);
    for (uint32_t i = 0; i < FIELDS; i++)
        columns[i] = (struct derivation_column){
            .kind = DERIVATION_COLUMN_BOOL, .data = bench->bytes[bench->order[i]], .stride = 1};
    derivation_batch_run(batch, columns, ORDERS / 16, NULL, states, NULL);
    arena_rewind(&bench->arena, mark);
    free(states);
}

static void chain_by_hand(struct bench *bench)
{
    for (size_t i = 0; i < ORDERS; i++) {
        bool flags[FIELDS];
        for (uint32_t f = 0; f < FIELDS; f++)
            flags[f] = bench->bytes[f][i];
        bench->states[i] = (uint8_t)state_by_hand(flags);
    }
}

#ifdef __x86_64__
/* A mask for each step, the furthest last: what one would write for this machine alone. */
__attribute__((target("avx2"))) static void avx2_by_hand(struct bench *bench)
{
    for (size_t i = 0; i < ORDERS; i += 32) {
        __m256i state = _mm256_setzero_si256();
        for (uint32_t f = 0; f < FIELDS; f++) {
            __m256i flag =
                _mm256_load_si256((const __m256i *)(const void *)(bench->bytes[f] + i));
            __m256i mask = _mm256_cmpeq_epi8(flag, _mm256_set1_epi8(1));
            state = _mm256_blendv_epi8(state, _mm256_set1_epi8((char)(f + 1)), mask);
        }
        _mm256_store_si256((__m256i *)(void *)(bench->states + i), state);
    }
}
#endif

static void bits_by_hand(struct bench *bench)
{
    for (size_t i = 0; i < ORDERS / 64; i++) {
        uint64_t a = bench->bits[0][i];
        uint64_t b = bench->bits[1][i];
        uint64_t c = bench->bits[2][i];
        uint64_t d = bench->bits[3][i];
        uint64_t e = bench->bits[4][i];
        bench->planes[0][i] = e | (~d & (c | (~b & a)));
        bench->planes[1][i] = ~e & ~d & (c | b);
        bench->planes[2][i] = e | d;
    }
}

struct way {
    const char *name;
    void (*run)(struct bench *bench);
    void (*count)(struct bench *bench); /* NULL: of a part only */
    size_t orders;
};

static void measure(struct bench *bench, const struct way *way, const uint64_t *wanted)
{
    double rounds[ROUNDS];
    for (uint32_t i = 0; i < ROUNDS; i++) {
        double begin = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
        way->run(bench);
        rounds[i] = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
    }
    const char *remark = "";
    if (way->count != NULL) {
        way->count(bench);
        remark = memcmp(bench->counts, wanted, sizeof bench->counts) == 0
                     ? ""
                     : "  (ANOTHER ANSWER)";
    }
    printf("  %-44s %10.1f M orders/s%s\n", way->name,
           (double)way->orders / rounds_median(rounds, ROUNDS) * 1e3, remark);
}

static void measure_memory(struct bench *bench)
{
    static const struct way ways[] = {
        {"a byte a flag, table by shuffles", derive_bytes, count_bytes, ORDERS},
        {"a bit a flag, boolean functions", derive_bits, count_planes, ORDERS},
        {"any columns, table of keys", derive_rows, NULL, ORDERS / 16},
        {"by hand in C: an if-chain", chain_by_hand, count_bytes, ORDERS},
#ifdef __x86_64__
        {"by hand in C: AVX2, bytes", avx2_by_hand, count_bytes, ORDERS},
#endif
        {"by hand in C: bits", bits_by_hand, count_planes, ORDERS},
    };
    uint64_t wanted[STATES] = {0};
    count_by_hand(bench, wanted);
    printf("six states over five booleans, %d M orders in memory, one thread\n", ORDERS >> 20);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        measure(bench, &ways[i], wanted);
}

/* Files */

static void write_lines(const char *path)
{
    static const char *const words[STATES] = {
        "DRAFT",         "AWAITING_PAYMENT", "AWAITING_APPROVAL",
        "READY_TO_SHIP", "SHIPPED",          "COMPLETED"};
    struct random random = {.state = 2};
    FILE *file = fopen(path, "w");
    ensure(file != NULL);
    for (uint32_t i = 0; i < LINES; i++) {
        bool flags[FIELDS];
        for (uint32_t f = 0; f < FIELDS; f++)
            flags[f] = random_up_to(&random, f < 2 ? 1 : 2) == 0;
        fprintf(file, "{\"id\":\"ord-%07u\",\"total\":%u", i,
                (unsigned)random_up_to(&random, 99999));
        for (uint32_t f = 0; f < FIELDS; f++)
            fprintf(file, ",\"%s\":%s", flag_names[f], flags[f] ? "true" : "false");
        fprintf(file, ",\"status\":\"%s\"}\n", words[state_by_hand(flags)]);
    }
    ensure(fclose(file) == 0);
}

/* Runs a command of a shell and reads what it prints; the wall and processor's time it took. */
static bool run_command(const char *command, char *output, size_t size, double *wall,
                        double *processor)
{
    struct rusage before;
    struct rusage after;
    getrusage(RUSAGE_CHILDREN, &before);
    double begin = rounds_now_ns(CLOCK_MONOTONIC);
    FILE *pipe = popen(command, "r");
    ensure(pipe != NULL);
    size_t got = fread(output, 1, size - 1, pipe);
    output[got] = '\0';
    bool is_good = pclose(pipe) == 0;
    *wall = (rounds_now_ns(CLOCK_MONOTONIC) - begin) / 1e9;
    getrusage(RUSAGE_CHILDREN, &after);
    *processor = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
                 (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
                 (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) * 1e-6 +
                 (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec) * 1e-6;
    return is_good && got > 0;
}

static void measure_command(const char *name, const char *command, double orders,
                            const char *marker)
{
    enum { FEW = 3 };
    char output[4096];
    double best_wall = 1e9;
    double best_processor = 1e9;
    for (int i = 0; i < FEW; i++) {
        double wall;
        double processor;
        if (!run_command(command, output, sizeof output, &wall, &processor)) {
            printf("  %-44s not there\n", name);
            return;
        }
        best_wall = wall < best_wall ? wall : best_wall;
        best_processor = processor < best_processor ? processor : best_processor;
    }
    bool is_same = strstr(output, marker) != NULL;
    printf("  %-44s %10.2f M orders/s, %6.2f a second of processor%s\n", name,
           orders / best_wall / 1e6, orders / best_processor / 1e6,
           is_same ? "" : "  (ANOTHER ANSWER)");
}

static const char node_line[] =
    "node -e '"
    "const S=[\"DRAFT\",\"AWAITING_PAYMENT\",\"AWAITING_APPROVAL\",\"READY_TO_SHIP\","
    "\"SHIPPED\",\"COMPLETED\"];"
    "const V=[o=>!o.itemsAdded,o=>o.itemsAdded&&!o.paymentReceived,o=>o.paymentReceived&&"
    "!o.approved,o=>o.approved&&!o.shipped,o=>o.shipped&&!o.delivered,o=>o.delivered];"
    "const E=[[1],[2],[3],[4],[5],[]];"
    "function walk(o){const q=[0],seen=new Set([0]);let r=0;while(q.length){const s=q.shift();"
    "if(V[s](o))r=s;for(const n of E[s])if(!seen.has(n)){seen.add(n);q.push(n);}}return r;}"
    "function chain(o){return o.delivered?5:o.shipped?4:o.approved?3:o.paymentReceived?2:"
    "o.itemsAdded?1:0;}"
    "const c=[0,0,0,0,0,0];"
    "const end=()=>console.log(JSON.stringify(Object.fromEntries(S.map((s,i)=>[s,c[i]]))));";

static void make_orders_in_node(char *command, size_t size, const char *how, uint32_t count)
{
    snprintf(command, size,
             "%sconst a=[];for(let i=0;i<65536;i++)a.push({itemsAdded:!(i&1),paymentReceived:"
             "!(i&2),approved:!(i&4),shipped:!(i&8),delivered:!(i&16)});"
             "for(let i=0;i<%u;i++)c[%s(a[i&65535])]++;end();' 2>/dev/null",
             node_line, count, how);
}

static void measure_node(void)
{
    char command[4096];
    make_orders_in_node(command, sizeof command, "walk", 4 << 20);
    measure_command("Node: queue and Set, in memory", command, 4 << 20,
                    "\"COMPLETED\":2097152");
    make_orders_in_node(command, sizeof command, "chain", 64 << 20);
    measure_command("Node: an if-chain, in memory", command, 64 << 20,
                    "\"COMPLETED\":33554432");
}

static void measure_file(const char *folder)
{
    char path[] = "/tmp/interlock-bench-XXXXXX";
    char machine[64];
    char command[8192];
    char marker[256] = "";
    ensure(mkdtemp(path) != NULL);
    snprintf(machine, sizeof machine, "%s/orders.ndjson", path);
    write_lines(machine);
    snprintf(machine, sizeof machine, "%s/m.yaml", path);
    FILE *file = fopen(machine, "w");
    ensure(file != NULL && fputs(definition, file) >= 0 && fclose(file) == 0);
    printf("a file of NDJSON, %d lines of about 150 bytes\n", LINES);
    snprintf(command, sizeof command,
             "%s/../interlock derive %s/m.yaml %s/orders.ndjson -o json", folder, path, path);
    double wall;
    double processor;
    if (run_command(command, marker, sizeof marker, &wall, &processor)) {
        /* {"states":{…},…: the object of the counts is what the others print. */
        char *end = strchr(marker, '}');
        ensure(end != NULL);
        end[1] = '\0';
        measure_command("interlock derive", command, LINES, marker);
    }
    snprintf(command, sizeof command,
             "%srequire(\"readline\").createInterface({input:require(\"fs\").createReadStream("
             "\"%s/orders.ndjson\")}).on(\"line\",l=>c[walk(JSON.parse(l))]++).on(\"close\","
             "end);' 2>/dev/null",
             node_line, path);
    measure_command("Node: readline, JSON.parse, queue and Set", command, LINES,
                    marker[0] == '\0' ? "" : marker + strlen("{\"states\":"));
    snprintf(command, sizeof command, "rm -r %s", path);
    ensure(system(command) == 0);
}

int main(int argument_count, char **arguments)
{
    static struct bench bench;
    char folder[1024];
    ensure(argument_count > 0);
    snprintf(folder, sizeof folder, "%s", arguments[0]);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
    else
        snprintf(folder, sizeof folder, ".");
    open_bench(&bench);
    measure_memory(&bench);
    measure_node();
    measure_file(folder);
    arena_close(&bench.arena);
    return 0;
}
