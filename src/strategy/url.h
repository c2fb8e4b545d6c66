/*
 * url.h - values inside a URL, and URLs inside a message. Only strategy includes this.
 */
#pragma once

#include "base/text.h"

/* Adds a value to the URL that was written so far. It cannot leave the component it is in:
 * every byte that could is percent-encoded. At the very beginning, where a value is the
 * address of a service, it is taken as it is. */
void url_add_value(struct text *url, struct span value);

/* Adds the URL without what may be secret in it: user, password, query and fragment. */
void url_add_public(struct text *text, struct span url);
