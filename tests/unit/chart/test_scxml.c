/*
 * test_scxml.c - attacks the conversion of SCXML documents, and children that run.
 *
 * Conversions are compared as JSON, without what every document has in common.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "chart/chart.h"
#include "wire/wire.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define DOCUMENT(inside) "<scxml xmlns='http://www.w3.org/2005/07/scxml'>" inside "</scxml>"

enum { ARENA_BYTES = 64 << 20 };

static bool read_file(void *context, struct span path, struct arena *arena, struct span *text)
{
    (void)context;
    (void)arena;
    if (span_is(path, "list.json"))
        *text = SPAN(" [1, 2] ");
    else if (span_is(path, "text.txt"))
        *text = SPAN("  two \n words ");
    else if (span_is(path, "script.js"))
        *text = SPAN("x = 1");
    return text->text != NULL && !span_is(path, "missing");
}

static const struct node *convert(const char *document, struct arena *arena,
                                  struct diagnostics *diagnostics)
{
    static const struct scxml_files files = {read_file, NULL};
    const struct markup *root =
        wire_read_markup(span_from_text(document), SPAN("doc.scxml"), arena, diagnostics);
    assert_non_null(root);
    return scxml_convert(root, &files, SCXML_SCRIPTS_REFUSED, arena, diagnostics);
}

struct row {
    const char *document;
    const char *expected;
};

static void add_part(struct text *text, const struct node *root, const char *key)
{
    const struct node *part = node_find(root, span_from_text(key));
    if (part == NULL || (part->kind == NODE_LIST && part->count == 0))
        return;
    text_format(text, "%s%s=", text->size > 0 ? " " : "", key);
    json_write(text, node_value(part, text->arena));
}

static void what_is_written_becomes_a_definition(void **state)
{
    static const struct row rows[] = {
        {DOCUMENT("<state id='a'/>"), "initial=[\"#a\"] states={\"a\":{\"id\":\"a\"}}"},
        {DOCUMENT("<state/><final/>"),
         "initial=[\"#state_1\"] states={\"state_1\":{\"id\":\"state_1\"},"
         "\"final_2\":{\"id\":\"final_2\",\"type\":\"final\"}}"},
        {DOCUMENT("<state id='a'><transition event='e f.* g.' cond='x==1' target='a b' "
                  "type='internal'/></state>"),
         "initial=[\"#a\"] states={\"a\":{\"id\":\"a\",\"on\":[{\"event\":\"e f g\",\"guard\":"
         "\"ecma.equal(context.x, 1)\",\"target\":[\"#a\",\"#b\"],\"internal\":true}]}}"},
        {DOCUMENT("<datamodel><data id='x' expr='1'/><data id='y'>[1, 2]</data><data id='z'/>"
                  "<data id='t'> a  text </data><data id='f' src='file:list.json'/></datamodel>"
                  "<final id='a'/>"),
         "context={\"x\":{\"@expr\":\"1\"},\"y\":[1,2],\"t\":\"a text\",\"f\":[1,2]} "
         "data=[\"x\",\"y\",\"z\",\"t\",\"f\"] initial=[\"#a\"] "
         "states={\"a\":{\"id\":\"a\",\"type\":\"final\"}}"},
        {DOCUMENT("<datamodel><data id='d'>${no}</data></datamodel><final id='a'/>"),
         "context={\"d\":{\"@expr\":\"\\\"${no}\\\"\"}} data=[\"d\"] initial=[\"#a\"] "
         "states={\"a\":{\"id\":\"a\",\"type\":\"final\"}}"},
        {DOCUMENT("<script>var x = 1; x += 2</script><final id='a'/>"),
         "data=[\"x\"] run=[{\"assign\":{\"x\":{\"@expr\":\"1\"}}},{\"assign\":{\"x\":"
         "{\"@expr\":\"ecma.add(context.x, 2)\"}}}] initial=[\"#a\"] "
         "states={\"a\":{\"id\":\"a\",\"type\":\"final\"}}"},
        {DOCUMENT("<parallel id='p'><history id='h' type='deep'><transition target='r'/>"
                  "</history><state id='r'/></parallel>"),
         "initial=[\"#p\"] states={\"p\":{\"id\":\"p\",\"type\":\"parallel\",\"states\":{\"h\":"
         "{\"id\":\"h\",\"type\":\"history\",\"history\":\"deep\",\"target\":[\"#r\"]},"
         "\"r\":{\"id\":\"r\"}}}}"},
        {DOCUMENT(
             "<state id='a'><initial><transition target='b'><raise event='e'/></transition>"
             "</initial><state id='b'/></state>"),
         "initial=[\"#a\"] states={\"a\":{\"id\":\"a\",\"initial\":{\"target\":[\"#b\"],"
         "\"actions\":[{\"raise\":\"e\"}]},\"states\":{\"b\":{\"id\":\"b\"}}}}"},
        {DOCUMENT("<final id='a'><onentry><raise event='e'/></onentry><onentry/><onentry>"
                  "<raise event='f'/></onentry><donedata><param name='n' expr='1'/></donedata>"
                  "</final>"),
         "initial=[\"#a\"] states={\"a\":{\"id\":\"a\",\"type\":\"final\",\"entry\":"
         "[[{\"raise\":\"e\"}],[{\"raise\":\"f\"}]],\"output\":{\"n\":{\"@expr\":\"1\"}}}}"},
        {"<scxml datamodel='cel' name='n'><state id='a'><transition cond='context.x > 1'/>"
         "</state></scxml>",
         "initial=[\"#a\"] states={\"a\":{\"id\":\"a\",\"on\":[{\"guard\":"
         "\"context.x > 1\"}]}}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct diagnostics diagnostics;
        struct text text;
        arena_open(&arena, ARENA_BYTES);
        diagnostics_init(&diagnostics, &arena);
        text_init(&text, &arena);
        const struct node *root = convert(rows[i].document, &arena, &diagnostics);
        assert_non_null(root);
        static const char *const parts[] = {"context", "data", "run", "initial", "states"};
        for (size_t j = 0; j < COUNT(parts); j++)
            add_part(&text, root, parts[j]);
        if (!span_is(text_span(&text), rows[i].expected))
            fail_msg("%s\nbecomes %.*s\nnot     %s", rows[i].document,
                     SPAN_ARGS(text_span(&text)), rows[i].expected);
        arena_close(&arena);
    }
}

/* The entry actions of one state. */
static void actions_become_actions(void **state)
{
    static const struct row rows[] = {
        {"<assign location='a' expr='1'/>", "[[{\"assign\":{\"a\":{\"@expr\":\"1\"}}}]]"},
        {"<assign location='a.b' expr='1'/>",
         "[[{\"assign\":[{\"path\":[\"a\",\"b\"],\"value\":{\"@expr\":\"1\"}}]}]]"},
        {"<assign location='_event' expr='1'/>",
         "[[{\"fail\":\"`_event` cannot be assigned to\"}]]"},
        {"<assign location='1' expr='1'/>",
         "[[{\"fail\":\"nothing can be assigned to this\"}]]"},
        {"<assign location='a'><b xmlns=''>1</b></assign>",
         "[[{\"assign\":{\"a\":\"<b xmlns=''>1</b>\"}}]]"},
        {"<send event='e' delay='1s' id='i' target='#_internal'/>",
         "[[{\"send\":{\"type\":\"e\"},\"to\":\"#_internal\",\"delay\":\"1s\",\"id\":\"i\"}]]"},
        {"<send eventexpr='a' namelist='x y' idlocation='l'/>",
         "[[{\"send\":{\"type\":{\"@expr\":\"context.a\"},\"data\":{\"x\":{\"@expr\":"
         "\"context.x\"},\"y\":{\"@expr\":\"context.y\"}}},\"idlocation\":\"l\"}]]"},
        {"<send event='e'><content>{\"a\": 1}</content></send>",
         "[[{\"send\":{\"type\":\"e\",\"data\":{\"a\":1}}}]]"},
        {"<cancel sendid='i'/>", "[[{\"cancel\":\"i\"}]]"},
        {"<log label='l' expr='1'/>", "[[{\"log\":{\"@expr\":\"1\"},\"label\":\"l\"}]]"},
        {"<if cond='a'><log/><elseif cond='b'/><else/><log/></if>",
         "[[{\"if\":\"ecma.truthy(context.a)\",\"then\":[{\"log\":\"\"}],\"else\":[{\"if\":"
         "\"ecma.truthy(context.b)\",\"then\":[],\"else\":[{\"log\":\"\"}]}]}]]"},
        {"<foreach item='i' index='n' array='[1]'><log/></foreach>",
         "[[{\"foreach\":{\"@expr\":\"[1]\"},\"item\":\"i\",\"index\":\"n\",\"do\":"
         "[{\"log\":\"\"}]}]]"},
        {"<foreach item='1' array='[1]'/>", "[[{\"fail\":\"`1` is no variable's name\"}]]"},
        {"<script>a.b = 1\nc++</script>",
         "[[{\"assign\":[{\"path\":[\"a\",\"b\"],\"value\":{\"@expr\":\"1\"}}]},{\"assign\":"
         "{\"c\":{\"@expr\":\"ecma.add(ecma.number(context.c), 1)\"}}}]]"},
        {"<script src='script.js'/>", "[[{\"assign\":{\"x\":{\"@expr\":\"1\"}}}]]"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct diagnostics diagnostics;
        struct text text;
        arena_open(&arena, ARENA_BYTES);
        diagnostics_init(&diagnostics, &arena);
        text_init(&text, &arena);
        text_format(&text, DOCUMENT("<state id='s'><onentry>%s</onentry></state>"),
                    rows[i].document);
        const struct node *root = convert(text.bytes, &arena, &diagnostics);
        assert_non_null(root);
        const struct node *states = node_find(root, SPAN("states"));
        text_clear(&text);
        json_write(&text,
                   node_value(node_find(node_find(states, SPAN("s")), SPAN("entry")), &arena));
        if (!span_is(text_span(&text), rows[i].expected))
            fail_msg("%s\nbecomes %.*s\nnot     %s", rows[i].document,
                     SPAN_ARGS(text_span(&text)), rows[i].expected);
        arena_close(&arena);
    }
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    static const struct row rows[] = {
        {"<a/>", "1:1 IL0104 an SCXML document begins with `<scxml>`, not `<a>`"},
        {"<scxml datamodel='xpath'/>", "1:19 IL0106 the datamodel `xpath` is not supported"},
        {"<scxml>\n<state id='a'/>\n<state id='a'/></scxml>",
         "3:1 IL0109 the id `a` is used twice"},
        {"<scxml><state id='a'>\n <transition cond='a &amp;&amp; x++'/></state></scxml>",
         "2:34 IL0106 `++` is not translated"},
        {"<scxml><state id='a'><onentry><raise/></onentry></state></scxml>",
         "1:31 IL0103 `<raise>` needs `event`"},
        {"<scxml><state id='a'><onentry><bark/></onentry></state></scxml>",
         "1:31 IL0106 `<bark>` is not supported here"},
        {"<scxml><stat/></scxml>", "1:8 IL0102 `<stat>` does not belong here"},
        {"<scxml><state><history/></state></scxml>",
         "1:15 IL0103 `<history>` needs a transition with a target"},
        {"<scxml><script>\n x = 1\n while (1) {}</script></scxml>",
         "3:2 IL0106 only assignments are translated in scripts"},
        {"<scxml><script src='missing'/></scxml>", "1:21 IL0105 `missing` cannot be read"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct diagnostics diagnostics;
        arena_open(&arena, ARENA_BYTES);
        diagnostics_init(&diagnostics, &arena);
        assert_null(convert(rows[i].document, &arena, &diagnostics));
        const struct diagnostic *first = diagnostics.first;
        struct span told =
            text_print(&arena, "%u:%u %.*s %.*s", first->place.line, first->place.column,
                       SPAN_ARGS(first->code), SPAN_ARGS(first->message));
        if (!span_is(told, rows[i].expected))
            fail_msg("%s\nis told as %.*s\nnot as     %s", rows[i].document, SPAN_ARGS(told),
                     rows[i].expected);
        arena_close(&arena);
    }
}

static void a_document_in_a_document_stands_alone(void **state)
{
    struct arena arena;
    struct diagnostics diagnostics;
    struct text text;
    (void)state;
    arena_open(&arena, ARENA_BYTES);
    diagnostics_init(&diagnostics, &arena);
    text_init(&text, &arena);
    const struct node *root = convert(
        DOCUMENT("<state id='s'><invoke id='kid' autoforward='true'><content><scxml/></content>"
                 "<param name='p' location='x'/><finalize/></invoke></state>"),
        &arena, &diagnostics);
    const struct node *states = node_find(root, SPAN("states"));
    json_write(&text,
               node_value(node_find(node_find(states, SPAN("s")), SPAN("invoke")), &arena));
    assert_string_equal(
        text.bytes,
        "[{\"id\":\"kid\",\"content\":\"<scxml "
        "xmlns=\\\"http://www.w3.org/2005/07/scxml\\\"/>\",\"input\":{\"p\":{\"@expr\":"
        "\"context.x\"}},\"autoForward\":true,\"finalize\":[{\"if\":\"has(_event.data) && "
        "type(_event.data) == map && \\\"p\\\" in _event.data\",\"then\":[{\"assign\":{\"x\":"
        "{\"@expr\":\"_event.data[\\\"p\\\"]\"}}}]}]}]");
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_becomes_a_definition),
        cmocka_unit_test(actions_become_actions),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(a_document_in_a_document_stands_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
