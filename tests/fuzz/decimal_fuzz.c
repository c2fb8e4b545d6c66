/*
 * decimal_fuzz.c - any bytes as a decimal: what is read is what the C library reads in its
 * own locale, and what is written of it reads back.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/decimal.h"
#include "base/ensure.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { BYTES_MAX = 2000 };

static void check_written(double number)
{
    struct text text;
    struct decimal decimal;
    double again = 0;
    text_init(&text, NULL);
    text_add_double(&text, number);
    bool is_read = decimal_read(text_span(&text), &again);
    ensure(is_read && again == number);
    decimal_from_double(&decimal, number);
    ensure(decimal_value(&decimal) == fabs(number));
    decimal_from_double_shortest(&decimal, number);
    ensure(decimal.count <= 17 && decimal_value(&decimal) == fabs(number));
    text_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char text[BYTES_MAX + 1];
    char *end;
    double number;
    if (size > BYTES_MAX)
        return 0;
    if (size == sizeof number) {
        memcpy(&number, bytes, sizeof number);
        if (isfinite(number))
            check_written(number);
    }
    if (!decimal_read(span_of((const char *)bytes, size), &number))
        return 0;
    memcpy(text, bytes, size);
    text[size] = '\0';
    double expected = strtod(text, &end);
    ensure(end == text + size && memcmp(&number, &expected, sizeof number) == 0);
    if (isfinite(number))
        check_written(number);
    return 0;
}
