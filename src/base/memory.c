/*
 * memory.c - malloc, with one answer when there is none.
 */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"

void *memory_get(size_t size)
{
    void *memory = calloc(1, size == 0 ? 1 : size);
    ensure(memory != NULL);
    return memory;
}

void *memory_resize(void *old, size_t size)
{
    void *memory = realloc(old, size == 0 ? 1 : size);
    ensure(memory != NULL);
    return memory;
}

void memory_release(void *memory)
{
    free(memory);
}

char *memory_copy_text(struct span text)
{
    char *copy = memory_get(text.size + 1);
    if (text.size > 0)
        memcpy(copy, text.text, text.size);
    return copy;
}
