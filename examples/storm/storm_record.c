/*
 * storm_record.c - arrivals and results as lines of text.
 */
#include "storm_record.h"

#include <math.h>

#include "base/memory.h"

static void add(struct storm_arrivals *arrivals, moment_us at)
{
    memory_reserve(arrivals->at, arrivals->count, arrivals->capacity);
    arrivals->at[arrivals->count++] = at;
}

bool storm_arrivals_read(struct storm_arrivals *arrivals, const char *path)
{
    long long at;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "storm: cannot read %s\n", path);
        return false;
    }
    while (fscanf(file, "%lld", &at) == 1)
        add(arrivals, at);
    fclose(file);
    return true;
}

void storm_arrivals_throw(struct storm_arrivals *arrivals, double rate, double seconds,
                          uint64_t seed)
{
    struct random dice = {seed};
    for (double at = 0; (at -= log(1 - random_unit(&dice)) / rate) < seconds;)
        add(arrivals, (moment_us)(at * 1e6));
}

void storm_arrivals_fini(struct storm_arrivals *arrivals)
{
    memory_release(arrivals->at);
    *arrivals = (struct storm_arrivals){0};
}

void storm_result_write(FILE *file, uint32_t order, moment_us intended, moment_us ended,
                        bool is_done)
{
    fprintf(file, "%u,%lld,%lld,%d\n", order, (long long)intended, (long long)ended, is_done);
}
