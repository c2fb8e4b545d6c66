/*
 * script_heap.h - the heap of a script: what its files share. Only script includes this.
 *
 * The global object has nothing of its own between two runs: what ECMAScript gives stands in
 * its prototype and is locked, so that no run can change what the next one sees.
 */
#pragma once

#include <duktape.h>

#include "base/table.h"
#include "script/script.h"

struct script {
    struct expr_language language;
    duk_context *duk; /* NULL until it is needed, and after a run that left it unclean */
    size_t bytes;
    size_t bytes_max;  /* of this run */
    size_t bytes_left; /* that it may still ask for, given back or not */
    int64_t turns_left;
    bool is_spent;            /* memory, of the heap or of the arena, was not enough */
    struct expr_world *world; /* of this run */
    struct arena *arena;      /* of this run */
    uint32_t compiled_count;
    struct table functions; /* texts of functions that may be kept, owned */
};

/* What scripts are called in places. */
#define SCRIPT_FILE "script"

/* The script that a context belongs to. */
struct script *script_of(duk_context *duk);

/* Makes the heap when there is none. False when there is no memory for it. */
bool script_heap_open(struct script *script);
void script_heap_close(struct script *script);

/* Pushes the function that runs the text; throws what is wrong with it. */
void script_heap_compile(struct script *script, enum expr_form form, struct span text);

/* Properties of functions that no script sees. */
#define SCRIPT_SOURCE DUK_HIDDEN_SYMBOL("source") /* the text of one that can be kept */
#define SCRIPT_PURE DUK_HIDDEN_SYMBOL("pure")     /* of a compiled text that changes nothing */
#define SCRIPT_MARKUP DUK_HIDDEN_SYMBOL("markup") /* the XML that an element is */

/* Names in the heap's stash. */
#define SCRIPT_STASH_COMPILED "compiled"
#define SCRIPT_STASH_ELEMENT "element" /* the prototype of elements */
#define SCRIPT_STASH_CONSTANTS "constants"

/* Of the global object: not variables of the document. */
bool script_is_own(struct span name);
