/*
 * base64.h - bytes as text in the standard alphabet of RFC 4648.
 */
#pragma once

#include "base/text.h"

/* Adds the bytes, padded. */
void base64_add(struct text *text, struct span bytes);

/* Adds what the text stands for, which may be padded or not; false when it is no base64. */
bool base64_read(struct text *bytes, struct span text);
