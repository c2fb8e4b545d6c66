/*
 * sort.c - heapsort.
 */
#include "base/sort.h"

struct heap {
    char *items;
    size_t size;
    sort_compare *compare;
};

static void swap(const struct heap *heap, size_t a, size_t b)
{
    char *left = heap->items + a * heap->size;
    char *right = heap->items + b * heap->size;
    for (size_t i = 0; i < heap->size; i++) {
        char kept = left[i];
        left[i] = right[i];
        right[i] = kept;
    }
}

static int compare(const struct heap *heap, size_t a, size_t b)
{
    return heap->compare(heap->items + a * heap->size, heap->items + b * heap->size);
}

/* Lets the item at the root of a part of the heap sink to where nothing below is larger. */
static void sink(const struct heap *heap, size_t root, size_t count)
{
    for (size_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
        if (child + 1 < count && compare(heap, child, child + 1) < 0)
            child++;
        if (compare(heap, root, child) >= 0)
            return;
        swap(heap, root, child);
        root = child;
    }
}

void sort_items(void *items, size_t count, size_t size, sort_compare *compare_items)
{
    const struct heap heap = {items, size, compare_items};
    for (size_t root = count / 2; root > 0; root--)
        sink(&heap, root - 1, count);
    for (size_t end = count; end > 1; end--) {
        swap(&heap, 0, end - 1);
        sink(&heap, 0, end - 1);
    }
}
