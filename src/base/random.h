/*
 * random.h - pseudo-random numbers from a seed, for jitter and simulation.
 *
 * Not for secrets. Deterministic: the same seed gives the same sequence everywhere.
 * splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
 */
#pragma once

#include <stdint.h>

struct random {
    uint64_t state;
};

__extension__ typedef unsigned __int128 random_product;

static inline uint64_t random_next(struct random *random)
{
    uint64_t mixed = random->state += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

/* Uniform in [0, bound]; the bias of the multiplication is below 2^-32 for bounds under
 * 2^32. */
static inline uint64_t random_up_to(struct random *random, uint64_t bound)
{
    return (uint64_t)(random_next(random) * ((random_product)bound + 1) >> 64);
}

/* Uniform in [0, 1). */
static inline double random_unit(struct random *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}
