/*
 * test_xml.c - attacks the reader of XML: places, namespaces, and what must not get in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "wire/wire.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { MEMORY_BYTES = 64 << 20 };

static void write_markup(struct text *text, const struct markup *markup)
{
    text_format(text, "%u:%u", markup->place.line, markup->place.column);
    if (!markup_is_element(markup)) {
        text_format(text, "'%.*s'", SPAN_ARGS(markup->text));
        return;
    }
    text_format(text, "<%.*s%s%.*s", SPAN_ARGS(markup->space),
                markup->space.size > 0 ? "|" : "", SPAN_ARGS(markup->name));
    const struct markup_attribute *attribute = markup->attributes;
    for (; attribute != NULL; attribute = attribute->next)
        text_format(text, " %u:%u%.*s=%.*s", attribute->place.line, attribute->place.column,
                    SPAN_ARGS(attribute->name), SPAN_ARGS(attribute->value));
    text_add_byte(text, '>');
    for (const struct markup *child = markup->children; child != NULL; child = child->next)
        write_markup(text, child);
    text_add(text, SPAN("</>"));
}

/* The tree, or "!line:column message". */
static const char *read(struct arena *arena, struct span document)
{
    struct diagnostics diagnostics;
    struct text text;
    diagnostics_init(&diagnostics, arena);
    text_init(&text, arena);
    const struct markup *root = xml_read(document, SPAN("file"), arena, &diagnostics);
    if (root != NULL)
        write_markup(&text, root);
    else
        text_format(&text, "!%u:%u %.*s", diagnostics.first->place.line,
                    diagnostics.first->place.column, SPAN_ARGS(diagnostics.first->message));
    text_add_byte(&text, '\0');
    return text.bytes;
}

static void every_part_has_its_place(void **state)
{
    static const struct {
        const char *document;
        const char *tree;
    } rows[] = {
        {"<a/>", "1:1<a></>"},
        {"<a b='1' c = \"2\"/>", "1:1<a 1:7b=1 1:15c=2></>"},
        {"<a\n  b='1'\n\n/>", "1:1<a 2:6b=1></>"},
        {"<a><b/>x<b> y </b></a>", "1:1<a>1:4<b></>1:8'x'1:9<b>1:12' y '</></>"},
        {"<a>1 &lt; 2<!-- no -->3<![CDATA[<&]]></a>", "1:1<a>1:4'1 < 23<&'</>"},
        {"<?xml version='1.0'?>\n<a b='&amp;&#65;'/>", "2:1<a 2:7b=&A></>"},
        {"<a xmlns='u' c='1'><b xmlns='v'/></a>", "1:1<u|a 1:17c=1>1:20<v|b></></>"},
        {"<p:a xmlns:p='u' p:b='1'/>", "1:1<u|a 1:23b=1></>"},
        {"<é ü='1'/>", "1:1<é 1:7ü=1></>"},
        {"<a b='>' c='1'/>", "1:1<a 1:7b=> 1:13c=1></>"},
        {"<a", "!1:1 unclosed token"},
        {"<a><b></a>", "!1:9 mismatched tag"},
        {"<a b='1' b='2'/>", "!1:10 duplicate attribute"},
        {"<a>&no;</a>", "!1:4 undefined entity"},
        {"<a/><b/>", "!1:5 junk after document element"},
        {"<p:a/>", "!1:1 unbound prefix"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        arena_open(&arena, MEMORY_BYTES);
        assert_string_equal(read(&arena, span_from_text(rows[i].document)), rows[i].tree);
        arena_close(&arena);
    }
}

static void no_entity_is_ever_declared(void **state)
{
    static const char *const documents[] = {
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        "<!DOCTYPE a [<!ENTITY b '1111'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>",
        "<!DOCTYPE a SYSTEM 'a.dtd'><a/>",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(documents); i++) {
        struct arena arena;
        arena_open(&arena, MEMORY_BYTES);
        assert_non_null(strstr(read(&arena, span_from_text(documents[i])),
                               "a document type (DOCTYPE) is not read"));
        arena_close(&arena);
    }
}

static void nesting_and_numbers_have_limits(void **state)
{
    struct arena arena;
    struct text text;
    (void)state;
    arena_open(&arena, MEMORY_BYTES);
    text_init(&text, &arena);
    for (int i = 0; i <= DEFINITION_DEPTH_MAX; i++)
        text_add(&text, SPAN("<a>"));
    assert_non_null(strstr(read(&arena, text_span(&text)), "nest deeper"));
    text_clear(&text);
    text_add(&text, SPAN("<a>"));
    for (int i = 0; i < DEFINITION_NODES_MAX; i++)
        text_add(&text, SPAN("<b/>"));
    text_add(&text, SPAN("</a>"));
    assert_non_null(strstr(read(&arena, text_span(&text)), "more parts"));
    arena_close(&arena);
}

static void a_spent_arena_jumps_to_the_guard(void **state)
{
    static char memory[2048];
    struct arena arena;
    struct arena_guard guard;
    struct diagnostics diagnostics;
    (void)state;
    for (volatile size_t size = 64; size < sizeof memory; size += 64) {
        arena_init(&arena, memory, size);
        diagnostics_init(&diagnostics, &arena);
        if (arena_is_spent(&arena, &guard))
            continue;
        xml_read(SPAN("<a b='c'><d xmlns='e'>f</d></a>"), SPAN("file"), &arena, &diagnostics);
        arena_release_guard(&arena, &guard);
    }
}

static void a_place_inside_of_a_value_counts_entities(void **state)
{
    struct arena arena;
    struct diagnostics diagnostics;
    (void)state;
    arena_open(&arena, MEMORY_BYTES);
    diagnostics_init(&diagnostics, &arena);
    const struct markup *root = xml_read(SPAN("<a b='1 &amp;&amp; \xc3\xa9\n x'/>"),
                                         SPAN("file"), &arena, &diagnostics);
    const struct markup_attribute *attribute = markup_find(root, "b");
    static const struct {
        size_t offset;
        uint32_t line;
        uint32_t column;
    } rows[] = {{0, 1, 7}, {2, 1, 9}, {3, 1, 14}, {5, 1, 20}, {7, 1, 21}, {8, 2, 1}, {9, 2, 2}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct place place = markup_value_place(attribute, rows[i].offset);
        assert_int_equal(place.line, rows[i].line);
        assert_int_equal(place.column, rows[i].column);
    }
    arena_close(&arena);
}

static void a_part_can_stand_alone(void **state)
{
    static const struct {
        const char *document;
        const char *alone;
    } rows[] = {
        {"<a xmlns='u'> <b c='1'><d/></b></a>", "<b xmlns=\"u\" c='1'><d/></b>"},
        {"<a xmlns='u'> <b xmlns='v'/></a>", "<b xmlns='v'/>"},
        {"<a xmlns='u' xmlns:p='w'> <b xmlns='v'/></a>", "<b xmlns:p=\"w\" xmlns='v'/>"},
        {"<a> <b/></a>", "<b/>"},
        {"<a> <b></b ></a>", "<b></b >"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct diagnostics diagnostics;
        arena_open(&arena, MEMORY_BYTES);
        diagnostics_init(&diagnostics, &arena);
        const struct markup *root =
            xml_read(span_from_text(rows[i].document), SPAN("file"), &arena, &diagnostics);
        struct span alone = markup_alone(root->children->next, &arena);
        if (!span_is(alone, rows[i].alone))
            fail_msg("%.*s\nnot %s", SPAN_ARGS(alone), rows[i].alone);
        assert_non_null(xml_read(alone, SPAN("file"), &arena, &diagnostics));
        arena_close(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_has_its_place),
        cmocka_unit_test(no_entity_is_ever_declared),
        cmocka_unit_test(nesting_and_numbers_have_limits),
        cmocka_unit_test(a_spent_arena_jumps_to_the_guard),
        cmocka_unit_test(a_place_inside_of_a_value_counts_entities),
        cmocka_unit_test(a_part_can_stand_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
