/*
 * span.c - comparing, searching and cutting runs of bytes.
 */
#include "base/span.h"

#include "base/ensure.h"

enum { DISTANCE_BYTES_MAX = 64 };

int span_compare(struct span a, struct span b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.text, b.text, common);
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

bool span_starts_with(struct span a, struct span prefix)
{
    return a.size >= prefix.size && span_equal(span_slice(a, 0, prefix.size), prefix);
}

bool span_ends_with(struct span a, struct span suffix)
{
    return a.size >= suffix.size &&
           span_equal(span_slice(a, a.size - suffix.size, a.size), suffix);
}

struct span span_slice(struct span a, size_t from, size_t to)
{
    ensure(from <= to && to <= a.size);
    return a.text == NULL ? a : span_of(a.text + from, to - from);
}

size_t span_find(struct span a, struct span needle, size_t from)
{
    if (needle.size == 0)
        return from <= a.size ? from : SIZE_MAX;
    for (; from < a.size && needle.size <= a.size - from; from++) {
        const char *first =
            memchr(a.text + from, needle.text[0], a.size - from - needle.size + 1);
        if (first == NULL)
            return SIZE_MAX;
        from = (size_t)(first - a.text);
        if (memcmp(first, needle.text, needle.size) == 0)
            return from;
    }
    return SIZE_MAX;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span a)
{
    size_t from = 0;
    size_t to = a.size;
    while (from < to && is_blank(a.text[from]))
        from++;
    while (to > from && is_blank(a.text[to - 1]))
        to--;
    return span_slice(a, from, to);
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

size_t span_distance(struct span a, struct span b)
{
    if (a.size > DISTANCE_BYTES_MAX || b.size > DISTANCE_BYTES_MAX)
        return SIZE_MAX;
    size_t row[DISTANCE_BYTES_MAX + 1];
    for (size_t i = 0; i <= b.size; i++)
        row[i] = i;
    for (size_t i = 0; i < a.size; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.size; j++) {
            size_t replaced = diagonal + (a.text[i] != b.text[j]);
            diagonal = row[j + 1];
            row[j + 1] = smallest(row[j] + 1, row[j + 1] + 1, replaced);
        }
    }
    return row[b.size];
}

size_t span_distance_max(struct span name)
{
    return name.size < 2 ? name.size : name.size < 4 ? 2 : name.size / 3 + 2;
}

size_t span_nearest(struct span name, const struct span *candidates, size_t count)
{
    size_t best = SIZE_MAX;
    size_t best_distance = span_distance_max(name);
    for (size_t i = 0; i < count; i++) {
        size_t distance = span_distance(name, candidates[i]);
        if (distance < best_distance) {
            best = i;
            best_distance = distance;
        }
    }
    return best;
}

/* Table 3-7 of the Unicode standard. */
size_t span_utf8_size(struct span a)
{
    const unsigned char *p = (const unsigned char *)a.text;
    ensure(a.size > 0);
    if (p[0] < 0x80)
        return 1;
    size_t size = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || a.size < size)
        return 0;
    unsigned char low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
    unsigned char high = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    }
    return size;
}

bool span_is_utf8(struct span a)
{
    for (size_t i = 0; i < a.size;) {
        size_t size = span_utf8_size(span_of(a.text + i, a.size - i));
        if (size == 0)
            return false;
        i += size;
    }
    return true;
}

static bool is_inside_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t span_characters(struct span a)
{
    size_t count = 0;
    for (size_t i = 0; i < a.size; i++)
        count += !is_inside_character(a.text[i]);
    return count;
}

size_t span_character_offset(struct span a, uint64_t index)
{
    size_t at = 0;
    for (; index > 0 && at < a.size; index--) {
        at++;
        while (at < a.size && is_inside_character(a.text[at]))
            at++;
    }
    return index == 0 ? at : SIZE_MAX;
}

size_t span_put_character(char *to, uint32_t point)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = size - 1; i > 0; i--, point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3F));
    to[0] = (char)(lead[size] | point);
    return size;
}
