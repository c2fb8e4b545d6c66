/*
 * base64.c - three bytes as four letters.
 */
#include "base/base64.h"

static const char letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct text *text, struct span bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.text;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)p[i] << 16;
        group |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        group |= left > 2 ? p[i + 2] : 0;
        char four[4] = {letters[group >> 18], letters[group >> 12 & 63],
                        left > 1 ? letters[group >> 6 & 63] : '=',
                        left > 2 ? letters[group & 63] : '='};
        text_add(text, span_of(four, 4));
    }
}

/* Without the padding, which fills a group of four when it is there. */
static struct span without_padding(struct span text)
{
    struct span bare = text;
    while (bare.size > 0 && text.size - bare.size < 2 && bare.text[bare.size - 1] == '=')
        bare.size--;
    return bare.size < text.size && text.size % 4 != 0 ? text : bare;
}

bool base64_read(struct text *bytes, struct span text)
{
    struct span bare = without_padding(text);
    uint32_t group = 0;
    if (bare.size % 4 == 1)
        return false;
    for (size_t i = 0; i < bare.size; i++) {
        const char *found = memchr(letters, bare.text[i], sizeof letters - 1);
        if (found == NULL)
            return false;
        group = group << 6 | (uint32_t)(found - letters);
        if (i % 4 > 0) /* the second letter completes a byte, the third and the fourth too */
            text_add_byte(bytes, (char)(group >> (6 - 2 * (i % 4))));
    }
    return true;
}
