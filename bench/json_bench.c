/*
 * json_bench.c - what it costs to read and write an event of 300 bytes, on one thread.
 *
 * Each round reads into the same small arena and writes into the same text, as a turn does.
 * The median of several rounds is told. Figures are printed, never asserted.
 */
#include <stdint.h>
#include <stdio.h>

#include "base/ensure.h"
#include "base/json.h"
#include "rounds.h"

enum { CALLS = 200000, ROUNDS = 9 };

struct sample {
    const char *name;
    struct span text;
};

#define SAMPLE(name, text)         \
    {                              \
        name,                      \
        {                          \
            text, sizeof(text) - 1 \
        }                          \
    }

static const struct sample samples[] = {
    SAMPLE(
        "order, 300 B",
        "{\"id\":\"ord-2026-000042\",\"customer\":\"c-7731\",\"currency\":\"EUR\","
        "\"total\":149.97,\"items\":[{\"sku\":\"A-100\",\"quantity\":2,\"price\":49.99},"
        "{\"sku\":\"B-7\",\"quantity\":1,\"price\":49.99}],\"express\":false,"
        "\"note\":\"Please leave the parcel with the neighbours on the second floor, thanks.\","
        "\"placed\":\"2026-01-31T09:00:00Z\"}"),
    SAMPLE("flat, 300 B",
           "{\"id\":42,\"name\":\"a name of some length\",\"state\":\"AWAITING_PAYMENT\","
           "\"amount\":1999,\"description\":\"ordinary text, as people write it in a field of "
           "a form, "
           "with commas and blanks and nothing that must be escaped in any way, until it comes "
           "to an "
           "end after about two hundred bytes of it\",\"active\":true}"),
    SAMPLE("escapes, 90 B", "{\"text\":\"a \\\"quoted\\\" word,\\na line\\tand \\u20ac "
                            "5\",\"path\":\"C:\\\\temp\\\\file\"}"),
    SAMPLE("doubles, 90 B",
           "[0.1,12.5,-3.75e-3,1e21,0.30000000000000004,3.141592653589793,49.99,1234567.125]"),
    SAMPLE("small, 20 B", "{\"id\":7,\"ok\":true}"),
};

static double read_ns(struct span text)
{
    static _Alignas(16) char memory[16 << 10];
    struct arena arena;
    arena_init(&arena, memory, sizeof memory);
    double begin = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < CALLS; i++) {
        struct value value;
        struct json_error error;
        ensure(json_read(text, &arena, &value, &error) == STATUS_OK);
        arena_clear(&arena);
    }
    return (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / CALLS;
}

static double write_ns(struct span text)
{
    static _Alignas(16) char memory[16 << 10];
    struct arena arena;
    struct value value;
    struct json_error error;
    struct text out;
    arena_init(&arena, memory, sizeof memory);
    text_init(&out, NULL);
    ensure(json_read(text, &arena, &value, &error) == STATUS_OK);
    double begin = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < CALLS; i++) {
        text_clear(&out);
        json_write(&out, value);
    }
    double ns = (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / CALLS;
    text_fini(&out);
    return ns;
}

static double median_of(double (*measure)(struct span), struct span text)
{
    double rounds[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        rounds[i] = measure(text);
    return rounds_median(rounds, ROUNDS);
}

int main(void)
{
    printf("json                 bytes     read ns    write ns\n");
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct span text = samples[i].text;
        printf("  %-16s %7zu %11.0f %11.0f\n", samples[i].name, text.size,
               median_of(read_ns, text), median_of(write_ns, text));
    }
    return 0;
}
