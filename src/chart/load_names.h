/*
 * load_names.h - names to numbers, for definitions of any size.
 */
#pragma once

#include "base/arena.h"

struct load_name {
    struct span name;
    uint32_t number;
    bool is_used;
};

/* Empty when zeroed. */
struct load_names {
    struct load_name *slots;
    uint32_t mask;
    uint32_t count;
};

/* The name now stands for the number. Jumps to the arena's guard. */
void load_names_put(struct load_names *names, struct span name, uint32_t number,
                    struct arena *arena);

/* UINT32_MAX: nobody has put it there. */
uint32_t load_names_find(const struct load_names *names, struct span name);
