/*
 * scxml_script.c - <script>: as it is, or as the assignments that it consists of.
 *
 * A variable that a script assigns to without declaring it is a variable from then on, as in
 * ECMAScript. Everything else that scripts can do needs what runs them.
 */
#include "chart/scxml_converter.h"

/* The place of a byte in a script that stands in the document. */
static struct place place_in(const struct markup *element, struct span text, size_t offset)
{
    struct place place = element->children == NULL ? element->place : element->children->place;
    for (size_t i = 0; i < offset && i < text.size; i++) {
        bool is_inside = ((unsigned char)text.text[i] & 0xc0) == 0x80;
        place.line += text.text[i] == '\n';
        place.column = text.text[i] == '\n' ? 1 : place.column + !is_inside;
    }
    return place;
}

static bool find_text(struct scxml_converter *converter, const struct markup *element,
                      struct span *text)
{
    const struct markup_attribute *src = markup_find(element, "src");
    *text = markup_all_text(element, converter->arena);
    if (src == NULL || scxml_read_file(converter, src->value, text))
        return true;
    scxml_error(converter, "IL0105", src->place, "`%.*s` cannot be read",
                SPAN_ARGS(src->value));
    return false;
}

static void add_foreign(struct scxml_converter *converter, const struct markup *element,
                        struct span text, struct scxml_list *list)
{
    struct scxml_map map = {.place = element->place};
    scxml_map_add(converter, &map, SPAN("script"),
                  scxml_foreign(converter, text, place_in(element, text, 0)));
    scxml_list_add(converter, list, scxml_map_node(converter, &map));
}

void scxml_add_script(struct scxml_converter *converter, const struct markup *element,
                      struct scxml_list *list)
{
    struct span text;
    struct ecma_problem problem;
    const struct ecma_assignment *assignment;
    if (!find_text(converter, element, &text))
        return;
    if (converter->keeps_scripts) {
        add_foreign(converter, element, text, list);
        return;
    }
    enum ecma_result result =
        ecma_translate_script(text, &converter->scope, converter->arena, &assignment, &problem);
    bool is_here = markup_find(element, "src") == NULL;
    struct place place = is_here
                             ? place_in(element, text, result == ECMA_OK ? 0 : problem.offset)
                             : element->place;
    if (result == ECMA_ILLEGAL) {
        scxml_list_add(converter, list, scxml_fail(converter, place, problem.message));
    } else if (result == ECMA_UNSUPPORTED) {
        scxml_refuse(converter, place, problem.message,
                     "write it with `<assign>`, `<if>` and `<foreach>`, or build with Debian's "
                     "package duktape-dev");
    }
    for (; result == ECMA_OK && assignment != NULL; assignment = assignment->next) {
        const struct node *value = scxml_expression(converter, assignment->cel, place);
        scxml_declare(converter, assignment->names[0]);
        scxml_list_add(
            converter, list,
            scxml_assign_path(converter, assignment->names, assignment->count, place, value));
    }
}
