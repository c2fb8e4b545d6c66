/*
 * script_markup.c - from a document's tree to objects. Each element knows its own text, so
 * that it can be kept by itself.
 */
#include "script/script_markup.h"

#include "script/script_value.h"
#include "wire/wire.h"

static void push_element(struct script *script, const struct markup *markup);

static void set_text(struct script *script, const char *name, struct span text)
{
    script_value_push(script, value_string(text));
    duk_put_prop_string(script->duk, -2, name);
}

static void push_attributes(struct script *script, const struct markup *markup)
{
    const struct markup_attribute *attribute = markup->attributes;
    duk_push_bare_object(script->duk);
    for (; attribute != NULL; attribute = attribute->next) {
        script_value_push(script, value_string(attribute->name));
        script_value_push(script, value_string(attribute->value));
        duk_put_prop(script->duk, -3);
    }
}

static void push_children(struct script *script, const struct markup *markup)
{
    const struct markup *child = markup->children;
    duk_push_array(script->duk);
    for (duk_uarridx_t i = 0; child != NULL; child = child->next) {
        if (markup_is_element(child)) {
            push_element(script, child);
        } else {
            duk_push_object(script->duk);
            set_text(script, "nodeName", SPAN("#text"));
            set_text(script, "nodeValue", child->text);
        }
        duk_put_prop_index(script->duk, -2, i++);
    }
}

static void push_element(struct script *script, const struct markup *markup)
{
    duk_context *duk = script->duk;
    duk_require_stack(duk, 8);
    duk_push_object(duk);
    set_text(script, "nodeName", markup->name);
    set_text(script, "tagName", markup->name);
    set_text(script, "namespaceURI", markup->space);
    set_text(script, "textContent", markup_all_text(markup, script->arena));
    push_attributes(script, markup);
    duk_put_prop_string(duk, -2, "attributes");
    push_children(script, markup);
    duk_put_prop_string(duk, -2, "childNodes");
    set_text(script, SCRIPT_MARKUP, markup_alone(markup, script->arena));
    duk_push_heap_stash(duk);
    duk_get_prop_string(duk, -1, SCRIPT_STASH_ELEMENT);
    duk_set_prototype(duk, -3);
    duk_pop(duk);
}

/* Reads within its own guard: nothing of Duktape's runs in between. */
static const struct markup *read_markup(struct script *script, struct span text)
{
    struct diagnostics diagnostics;
    struct arena_guard guard;
    const struct markup *volatile root = NULL;
    if (arena_is_spent(script->arena, &guard)) {
        script->is_spent = true;
        return NULL;
    }
    diagnostics_init(&diagnostics, script->arena);
    root = wire_read_markup(text, SPAN("xml"), script->arena, &diagnostics);
    arena_release_guard(script->arena, &guard);
    return root;
}

bool script_markup_push(struct script *script, struct span text)
{
    const struct markup *root = read_markup(script, text);
    if (root != NULL)
        push_element(script, root);
    return root != NULL;
}
