/*
 * script_none.c - a build without ECMAScript.
 */
#include "script/script.h"

#include <stddef.h>

struct script *script_open(void)
{
    return NULL;
}

void script_close(struct script *script)
{
    (void)script;
}

const struct expr_language *script_language(const struct script *script)
{
    (void)script;
    return NULL;
}
