/*
 * script_heap.c - a heap with what ECMAScript has, less what a history could not repeat.
 *
 * Why everything is locked, and not made anew for each run: that takes half a millisecond.
 * Locked prototypes would also keep objects from having members of the same names, so what
 * stands in them becomes a pair of functions, of which the second defines it in the object.
 */
#include "script/script_heap.h"

#include <string.h>

#include "base/ensure.h"
#include "base/limits.h"
#include "base/memory.h"
#include "script/script_pattern.h"
#include "script/script_text.h"
#include "script/script_value.h"

/* What both of the programs below begin with. */
#define HELPERS                                                                                \
    "'use strict';\n"                                                                          \
    "var Object = global.Object;\n"                                                            \
    "function each(object, f) { Object.getOwnPropertyNames(object).forEach(f); }\n"            \
    "function define(object, name, value) {\n"                                                 \
    "  Object.defineProperty(object, name,\n"                                                  \
    "    {value: value, writable: true, enumerable: false, configurable: true});\n"            \
    "}\n"                                                                                      \
    "function isObject(value) {\n"                                                             \
    "  return (typeof value === 'object' && value !== null) || typeof value === 'function';\n" \
    "}\n"

/* Run once, with the global object, what charges for a walk, a text and a pattern, and how long
 * a pattern may be: what comes with the language then pays for what it does in one call. */
static const char BOUNDS[] =
    "(function (global, charge, chargeText, chargePattern, most) {\n" HELPERS
    /* They walk over as many elements as a length says, without a turn of a loop. */
    "each(Array.prototype, function (name) {\n"
    "  var inner = Array.prototype[name];\n"
    "  if (typeof inner !== 'function' || name === 'constructor') return;\n"
    "  define(Array.prototype, name, function () {\n"
    "    charge(this, arguments);\n"
    "    return inner.apply(this, arguments);\n"
    "  });\n"
    "});\n"
    /* They look at a whole text, or search one, in one call. What is charged for and what is
     * then worked on are the same, whatever an object's toString() says next time. */
    "var String = global.String, JSON = global.JSON, RangeError = global.RangeError;\n"
    "var Pattern = global.RegExp;\n"
    "var classOf = Object.prototype.toString;\n"
    "function getter(name) {\n"
    "  return Object.getOwnPropertyDescriptor(Pattern.prototype, name).get;\n"
    "}\n"
    "var source = getter('source'), isGlobal = getter('global');\n"
    "var ignoresCase = getter('ignoreCase'), isMultiline = getter('multiline');\n"
    "function isPattern(value) { return classOf.call(value) === '[object RegExp]'; }\n"
    "function chargeSearch(pattern, text) {\n"
    "  var last = pattern.lastIndex;\n"
    "  chargePattern(source.call(pattern), ignoresCase.call(pattern),\n"
    "                isMultiline.call(pattern), text,\n"
    "                isGlobal.call(pattern) && typeof last === 'number' ? last : 0);\n"
    "}\n"
    /* Making a pattern may take the square of its size; without regard to case all of the
     * characters in a range are looked at. */
    "function RegExp(pattern, flags) {\n"
    "  var isOne = isPattern(pattern);\n"
    "  if (isOne && flags === undefined && !(this instanceof RegExp)) return pattern;\n"
    "  if (!isOne) pattern = pattern === undefined ? '' : String(pattern);\n"
    "  if (flags !== undefined) flags = String(flags);\n"
    "  else flags = isOne ? pattern.flags + '' : '';\n"
    "  var text = isOne ? source.call(pattern) : pattern;\n"
    "  if (text.length > most)\n"
    "    throw new RangeError('a pattern of more than ' + most + ' characters');\n"
    "  var ranges = flags.indexOf('i') < 0 ? 0 : text.split('-').length - 1;\n"
    "  charge({length: text.length + ranges * 16384}, []);\n"
    "  return new Pattern(text, flags);\n"
    "}\n"
    "RegExp.prototype = Pattern.prototype;\n"
    "define(Pattern.prototype, 'constructor', RegExp);\n"
    "define(global, 'RegExp', RegExp);\n"
    "each(String.prototype, function (name) {\n"
    "  var inner = String.prototype[name];\n"
    "  var makesPattern = name === 'match' || name === 'search';\n"
    "  var takesText = "
    "/^(replace|split|(lastI|i)ndexOf|includes|localeC.*|.*With)$/.test(name);\n"
    "  if (/^(constructor|toString|valueOf|length)$/.test(name)) return;\n"
    "  define(String.prototype, name, function (first) {\n"
    "    if (this === undefined || this === null) return inner.apply(this, arguments);\n"
    "    var text = String(this), given = arguments;\n"
    "    if (makesPattern && !isPattern(first)) given = [new RegExp(first)];\n"
    "    else if (takesText && isObject(first) && !isPattern(first)) given[0] = "
    "String(first);\n"
    "    if (isPattern(given[0])) chargeSearch(given[0], text);\n"
    "    else chargeText(text, takesText ? given[0] : '');\n"
    "    return inner.apply(text, given);\n"
    "  });\n"
    "});\n"
    "function chargeFirst(object, name) {\n"
    "  var inner = object[name];\n"
    "  define(object, name, function (text, second) {\n"
    "    text = String(text);\n"
    "    chargeText(text, '');\n"
    "    return inner(text, second);\n"
    "  });\n"
    "}\n"
    "chargeFirst(global, 'parseInt');\n"
    "chargeFirst(global, 'parseFloat');\n"
    "chargeFirst(JSON, 'parse');\n"
    "['exec', 'test'].forEach(function (name) {\n"
    "  var inner = Pattern.prototype[name];\n"
    "  define(Pattern.prototype, name, function (text) {\n"
    "    text = String(text);\n"
    "    chargeSearch(this, text);\n"
    "    return inner.call(this, text);\n"
    "  });\n"
    "});\n"
    "})";

/* Run then, with the global object, In() and the accessors of SCXML's own variables; gives the
 * prototype of elements. */
static const char PRELUDE[] =
    "(function (global, In, read, refuse) {\n" HELPERS "var TypeError = global.TypeError;\n"
    "var base = {}, seen = [], setPrototype = Object.setPrototypeOf;\n"
    /* What tells the time, throws dice, runs texts, or holds bytes. */
    "['Duktape', 'CBOR', 'Buffer', 'ArrayBuffer', 'DataView', 'Int8Array', 'Uint8Array',\n"
    " 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',\n"
    " 'Float32Array', 'Float64Array', 'TextEncoder', 'TextDecoder', 'performance', 'Date',\n"
    " 'Proxy', 'Reflect', 'Symbol', 'eval', 'globalThis'].forEach(function (name) {\n"
    "  delete global[name];\n"
    "});\n"
    "delete Math.random;\n"
    "delete Object.setPrototypeOf;\n"
    "delete Object.prototype.__proto__;\n"
    "function NoFunction() { throw new TypeError('functions are not made from texts'); }\n"
    "NoFunction.prototype = Function.prototype;\n"
    "define(Function.prototype, 'constructor', NoFunction);\n"
    "define(global, 'Function', NoFunction);\n"
    "each(global, function (name) {\n"
    "  if (['NaN', 'Infinity', 'undefined'].indexOf(name) >= 0) return;\n"
    "  define(base, name, global[name]);\n"
    "  delete global[name];\n"
    "});\n"
    "define(base, 'In', In);\n"
    "['_event', '_sessionid', '_name', '_ioprocessors', '_x'].forEach(function (name) {\n"
    "  Object.defineProperty(base, name,\n"
    "    {get: function () { return read(name); }, set: refuse, configurable: false});\n"
    "});\n"
    "function shield(object, name, was) {\n"
    "  Object.defineProperty(object, name, {\n"
    "    get: function () { return was.value; },\n"
    "    set: function (value) {\n"
    "      Object.defineProperty(this, name,\n"
    "        {value: value, writable: true, enumerable: true, configurable: true});\n"
    "    },\n"
    "    enumerable: was.enumerable, configurable: false});\n"
    "}\n"
    "function lock(object, isInherited) {\n"
    "  if (seen.indexOf(object) >= 0) return;\n"
    "  seen.push(object);\n"
    "  each(object, function (name) {\n"
    "    var was = Object.getOwnPropertyDescriptor(object, name);\n"
    "    if (isObject(was.value)) lock(was.value, name === 'prototype');\n"
    "    if (isObject(was.get)) lock(was.get, false);\n"
    "    if (isObject(was.set)) lock(was.set, false);\n"
    "    if (isInherited && was.configurable && 'value' in was) shield(object, name, was);\n"
    "  });\n"
    "  Object.freeze(object);\n"
    "}\n"
    "var element = {\n"
    "  get documentElement() { return this; },\n"
    "  getAttribute: function (name) {\n"
    "    return name in this.attributes ? this.attributes[name] : null;\n"
    "  },\n"
    "  hasAttribute: function (name) { return name in this.attributes; },\n"
    "  getElementsByTagName: function (name) {\n"
    "    var found = [];\n"
    "    function look(node) {\n"
    "      node.childNodes.forEach(function (child) {\n"
    "        if (!child.tagName) return;\n"
    "        if (name === '*' || child.tagName === name) found.push(child);\n"
    "        look(child);\n"
    "      });\n"
    "    }\n"
    "    look(this);\n"
    "    return found;\n"
    "  }\n"
    "};\n"
    "lock(base, true);\n"
    "lock(element, false);\n"
    "setPrototype(global, base);\n"
    "return element;\n"
    "})";

/* Memory: every block knows its size, which is all that the limit needs. */

union block {
    size_t size;
    max_align_t align;
};

static void *block_resize(void *context, void *old, duk_size_t size)
{
    struct script *script = context;
    union block *block = old == NULL ? NULL : (union block *)old - 1;
    size_t before = block == NULL ? 0 : block->size;
    size_t more = size > before ? size - before : 0;
    if (more > script->bytes_max - script->bytes || more > script->bytes_left) {
        script->is_spent = true;
        return NULL;
    }
    script->bytes_left -= more;
    block = memory_resize(block, size + sizeof *block);
    script->bytes = script->bytes - before + size;
    block->size = size;
    return block + 1;
}

static void block_release(void *context, void *old)
{
    struct script *script = context;
    union block *block = old == NULL ? NULL : (union block *)old - 1;
    if (block == NULL)
        return;
    script->bytes -= block->size;
    memory_release(block);
}

static void *block_change(void *context, void *old, duk_size_t size)
{
    if (size > 0)
        return block_resize(context, old, size);
    block_release(context, old);
    return NULL;
}

static void *block_get(void *context, duk_size_t size)
{
    return size == 0 ? NULL : block_resize(context, NULL, size);
}

/* Everything runs protected, so this is our bug. */
static void end_fatally(void *context, const char *message)
{
    (void)context;
    (void)message;
    never();
}

struct script *script_of(duk_context *duk)
{
    duk_memory_functions functions;
    duk_get_memory_functions(duk, &functions);
    return functions.udata;
}

/* What the global object calls when a script runs */

static void spend(struct script *script, int64_t turns)
{
    script->turns_left -= turns;
    if (script->turns_left < 0) /* without a file of ours, the script's line is told */
        duk_error_raw(script->duk, DUK_ERR_RANGE_ERROR, NULL, 0,
                      "the script takes more than %d turns of loops and calls",
                      (int)SCRIPT_TURNS_MAX);
}

static duk_ret_t native_tick(duk_context *duk)
{
    spend(script_of(duk), 1);
    duk_push_true(duk);
    return 1;
}

/* A loop over the names of an object takes one turn for each. */
static duk_ret_t native_each(duk_context *duk)
{
    struct script *script = script_of(duk);
    if (!duk_is_object_coercible(duk, 0))
        return 1;
    duk_dup(duk, 0);
    duk_to_object(duk, -1);
    duk_enum(duk, -1, 0);
    for (spend(script, 1); duk_next(duk, -1, 0); spend(script, 1))
        duk_pop(duk);
    duk_dup(duk, 0);
    return 1;
}

static int64_t length_of(duk_context *duk, duk_idx_t index)
{
    double length = 0;
    if (duk_is_object(duk, index)) {
        duk_get_prop_string(duk, index, "length");
        length = duk_to_number(duk, -1);
        duk_pop(duk);
    }
    return length > 0 ? (length < 1e15 ? (int64_t)length : (int64_t)1e15) : 0;
}

/* A step in C is quicker than one in a script: four for one. */
static duk_ret_t native_charge(duk_context *duk)
{
    struct script *script = script_of(duk);
    int64_t length = length_of(duk, 0);
    int64_t count = length_of(duk, 1);
    for (int64_t i = 0; i < count; i++) {
        spend(script, 1);
        duk_get_prop_index(duk, 1, (duk_uarridx_t)i);
        length += length_of(duk, -1);
        duk_pop(duk);
    }
    spend(script, 1 + length / 4);
    return 0;
}

/* Work on a text, or a search for another in it: as many turns as their sizes are worth. A
 * place in a text is found at once when all of its characters are of one byte. */
static duk_ret_t native_charge_text(duk_context *duk)
{
    enum { BYTES_A_TURN = 256, NEEDLE_BYTES = 16 };
    struct script *script = script_of(duk);
    duk_size_t size;
    duk_size_t needle = 0;
    duk_require_lstring(duk, 0, &size);
    if (duk_is_string(duk, 1))
        duk_get_lstring(duk, 1, &needle);
    spend(script, (int64_t)(size / BYTES_A_TURN * (1 + needle / NEEDLE_BYTES)));
    return 0;
}

/* Where the character at this index begins, in bytes. */
static size_t offset_of(struct span text, double index)
{
    if (!(index > 0))
        return 0;
    size_t at =
        index < (double)text.size ? span_character_offset(text, (uint64_t)index) : SIZE_MAX;
    return at < text.size ? at : text.size;
}

/* A search for a pattern, by source, ignoreCase and multiline, in a text from an index on. */
static duk_ret_t native_charge_pattern(duk_context *duk)
{
    enum { STEPS_A_TURN = 32 };
    struct script *script = script_of(duk);
    struct arena_guard guard;
    duk_size_t size;
    const char *source = duk_require_lstring(duk, 0, &size);
    struct script_pattern pattern = {span_of(source, size), duk_to_boolean(duk, 1),
                                     duk_to_boolean(duk, 2)};
    const char *bytes = duk_require_lstring(duk, 3, &size);
    struct span text = span_of(bytes, size);
    size_t from = offset_of(text, duk_to_number(duk, 4));
    uint64_t most = (uint64_t)(script->turns_left + 1) * STEPS_A_TURN;
    struct arena_mark mark = arena_mark(script->arena);
    if (arena_is_spent(script->arena, &guard)) {
        script->is_spent = true;
        return duk_range_error(duk, "there is no memory left");
    }
    uint64_t steps = script_pattern_steps(&pattern, text, from, most, script->arena);
    arena_release_guard(script->arena, &guard);
    arena_rewind(script->arena, mark);
    spend(script, (int64_t)(steps / STEPS_A_TURN));
    return 0;
}

static duk_ret_t native_keep(duk_context *duk)
{
    if (duk_is_function(duk, 0)) {
        duk_dup(duk, 1);
        duk_put_prop_string(duk, 0, SCRIPT_SOURCE);
    }
    duk_dup(duk, 0);
    return 1;
}

static duk_ret_t native_given(duk_context *duk)
{
    struct script *script = script_of(duk);
    script_value_push(script, script->world->given);
    return 1;
}

/* Calls the host within a guard of its own: nothing of Duktape's runs in between. */
static struct value ask_host(struct script *script, struct value argument)
{
    struct arena_guard guard;
    const struct expr_frame *frame = script->world->frame;
    struct value verdict;
    if (frame == NULL || frame->host_function == NULL)
        return value_error(SPAN("there are no states here"));
    if (arena_is_spent(script->arena, &guard)) {
        script->is_spent = true;
        return value_error(SPAN("there is no memory left"));
    }
    verdict = frame->host_function(frame->host, 0, &argument, 1, script->arena);
    arena_release_guard(script->arena, &guard);
    return verdict;
}

static duk_ret_t native_in(duk_context *duk)
{
    duk_size_t size;
    const char *name = duk_require_lstring(duk, 0, &size);
    struct value verdict = ask_host(script_of(duk), value_string(span_of(name, size)));
    if (value_is_error(verdict))
        return duk_type_error(duk, "%.*s", (int)verdict.count, verdict.text);
    duk_push_boolean(duk, verdict.boolean);
    return 1;
}

/* All members of an event are there, also those without a value. */
static void add_event_members(duk_context *duk)
{
    static const char *const names[] = {"name",       "type",     "sendid", "origin",
                                        "origintype", "invokeid", "data"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (duk_has_prop_string(duk, -1, names[i]))
            continue;
        duk_push_undefined(duk);
        duk_put_prop_string(duk, -2, names[i]);
    }
}

struct constant {
    struct value value;
    bool is_event;
};

static duk_ret_t push_constant(duk_context *duk, void *context)
{
    struct arena_guard guard;
    const struct constant *constant = context;
    struct script *script = script_of(duk);
    if (arena_is_spent(script->arena, &guard)) {
        script->is_spent = true;
        return duk_range_error(duk, "there is no memory left");
    }
    script_value_push(script, constant->value);
    if (constant->is_event)
        add_event_members(duk);
    arena_release_guard(script->arena, &guard);
    return 1;
}

/* A variable of SCXML's own: made when it is read first, and the same object from then on. */
static duk_ret_t native_read(duk_context *duk)
{
    struct script *script = script_of(duk);
    struct arena_guard *outer = script->arena->guard;
    struct span name = span_from_text(duk_require_string(duk, 0));
    const struct value *found = value_find(script->world->constants, name);
    duk_push_heap_stash(duk);
    duk_get_prop_string(duk, -1, SCRIPT_STASH_CONSTANTS);
    duk_dup(duk, 0);
    if (found == NULL || duk_get_prop(duk, -2))
        return found != NULL;
    duk_pop(duk);
    struct constant constant = {*found, span_is(name, "_event")};
    duk_int_t result = duk_safe_call(duk, push_constant, &constant, 0, 1);
    script->arena->guard = outer;
    if (result != DUK_EXEC_SUCCESS)
        return duk_throw(duk);
    duk_dup(duk, 0);
    duk_dup(duk, -2);
    duk_put_prop(duk, -4);
    return 1;
}

static duk_ret_t native_refuse(duk_context *duk)
{
    return duk_type_error(duk, "SCXML's own variables cannot be changed");
}

/* Making it */

static void add_native(duk_context *duk, const char *name, duk_c_function function,
                       duk_idx_t count)
{
    duk_push_global_object(duk);
    duk_push_string(duk, name);
    duk_push_c_function(duk, function, count);
    duk_def_prop(duk, -3,
                 DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_CLEAR_WRITABLE |
                     DUK_DEFPROP_CLEAR_ENUMERABLE | DUK_DEFPROP_CLEAR_CONFIGURABLE);
    duk_pop(duk);
}

static void open_stash(duk_context *duk)
{
    duk_push_heap_stash(duk);
    duk_push_bare_object(duk);
    duk_put_prop_string(duk, -2, SCRIPT_STASH_COMPILED);
    duk_pop(duk);
}

/* The function that the text is. */
static void push_program(duk_context *duk, const char *text)
{
    duk_push_string(duk, text);
    duk_push_string(duk, "prelude");
    duk_compile(duk, DUK_COMPILE_EVAL);
    duk_call(duk, 0);
}

static duk_ret_t prepare_heap(duk_context *duk, void *context)
{
    (void)context;
    open_stash(duk);
    push_program(duk, BOUNDS);
    duk_push_global_object(duk);
    duk_push_c_function(duk, native_charge, 2);
    duk_push_c_function(duk, native_charge_text, 2);
    duk_push_c_function(duk, native_charge_pattern, 5);
    duk_push_int(duk, REGEX_BYTES_MAX);
    duk_call(duk, 5);
    duk_pop(duk);
    duk_push_heap_stash(duk);
    push_program(duk, PRELUDE);
    duk_push_global_object(duk);
    duk_push_c_function(duk, native_in, 1);
    duk_push_c_function(duk, native_read, 1);
    duk_push_c_function(duk, native_refuse, 1);
    duk_call(duk, 4);
    duk_put_prop_string(duk, -2, SCRIPT_STASH_ELEMENT);
    add_native(duk, "$il_tick", native_tick, 0);
    add_native(duk, "$il_each", native_each, 1);
    add_native(duk, "$il_keep", native_keep, 2);
    add_native(duk, "$il_given", native_given, 0);
    return 0;
}

bool script_heap_open(struct script *script)
{
    if (script->duk != NULL)
        return true;
    script->bytes_max = SCRIPT_BYTES_MAX;
    script->bytes_left = SCRIPT_TAKEN_MAX;
    script->turns_left = SCRIPT_TURNS_MAX;
    script->compiled_count = 0;
    script->duk = duk_create_heap(block_get, block_change, block_release, script, end_fatally);
    if (script->duk == NULL)
        return false;
    if (duk_safe_call(script->duk, prepare_heap, NULL, 0, 1) == DUK_EXEC_SUCCESS) {
        duk_pop(script->duk);
        return true;
    }
    script_heap_close(script);
    return false;
}

void script_heap_close(struct script *script)
{
    if (script->duk != NULL)
        duk_destroy_heap(script->duk);
    script->duk = NULL;
}

bool script_is_own(struct span name)
{
    return span_starts_with(name, SPAN("$il_")) || span_is(name, "NaN") ||
           span_is(name, "Infinity") || span_is(name, "undefined");
}

/* Compiling */

static void keep_functions(struct script *script, const struct script_function *function)
{
    for (; function != NULL; function = function->next) {
        if (table_find(&script->functions, function->text) != NULL)
            continue;
        char *text = memory_copy_text(function->text);
        table_add(&script->functions, span_of(text, function->text.size), text);
    }
}

static void compile(struct script *script, enum expr_form form, struct span text)
{
    duk_context *duk = script->duk;
    struct script_text ready = script_text_prepare(form, text, script->arena);
    if (ready.problem.size > 0)
        (void)duk_syntax_error(duk, "%.*s", SPAN_ARGS(ready.problem));
    keep_functions(script, ready.functions);
    duk_push_lstring(duk, ready.code.text, ready.code.size);
    duk_push_string(duk, SCRIPT_FILE);
    duk_compile(duk, DUK_COMPILE_EVAL);
    duk_push_boolean(duk, !ready.may_change);
    duk_put_prop_string(duk, -2, SCRIPT_PURE);
}

/* Kept under its form and text. */
void script_heap_compile(struct script *script, enum expr_form form, struct span text)
{
    duk_context *duk = script->duk;
    if (script->compiled_count > SCRIPT_COMPILED_MAX) {
        open_stash(duk);
        script->compiled_count = 0;
    }
    duk_push_heap_stash(duk);
    duk_get_prop_string(duk, -1, SCRIPT_STASH_COMPILED);
    duk_remove(duk, -2);
    duk_push_int(duk, (duk_int_t)form);
    duk_push_lstring(duk, text.text, text.size);
    duk_concat(duk, 2);
    duk_dup_top(duk);
    if (duk_get_prop(duk, -3)) { /* [compiled key function] */
        duk_replace(duk, -3);
        duk_pop(duk);
        return;
    }
    duk_pop(duk);
    compile(script, form, text);
    script->compiled_count++;
    duk_dup_top(duk);
    duk_insert(duk, -4); /* [function compiled key function] */
    duk_put_prop(duk, -3);
    duk_pop(duk);
}
