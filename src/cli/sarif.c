/*
 * sarif.c - diagnostics in SARIF 2.1.0.
 *
 * The log is written from above to below; nothing of it is wanted as a value.
 */
#include "cli/sarif.h"

#include <ctype.h>
#include <string.h>

#include "base/ensure.h"
#include "base/json.h"

static struct span level_of(enum severity severity)
{
    switch (severity) {
    case SEVERITY_INFO:
        return SPAN("note");
    case SEVERITY_WARNING:
        return SPAN("warning");
    case SEVERITY_ERROR:
        return SPAN("error");
    }
    never();
}

/* Paths are URI references: RFC 3986, section 2.3, and the slash between folders. A first
 * segment with a colon would be a scheme (section 4.2), so that is encoded too. */
static void add_uri(struct text *text, struct span path)
{
    for (size_t i = 0; i < path.size; i++) {
        unsigned char byte = (unsigned char)path.text[i];
        if (isascii(byte) && (isalnum(byte) || strchr("-._~/", byte) != NULL) && byte != 0)
            text_add_byte(text, (char)byte);
        else
            text_format(text, "%%%02X", byte);
    }
}

static void add_location(struct text *text, struct place place)
{
    text_add(text, SPAN("{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\""));
    add_uri(text, place.file);
    text_add(text, SPAN("\"}"));
    if (place.line > 0)
        text_format(text, ",\"region\":{\"startLine\":%u", place.line);
    if (place.line > 0 && place.column > 0)
        text_format(text, ",\"startColumn\":%u", place.column);
    text_add(text, place.line > 0 ? SPAN("}}}") : SPAN("}}"));
}

static void add_message(struct text *text, const struct diagnostic *diagnostic)
{
    struct text message;
    text_init(&message, NULL);
    text_add(&message, diagnostic->message);
    if (diagnostic->help.size > 0)
        text_format(&message, "; %.*s", SPAN_ARGS(diagnostic->help));
    json_write_string(text, text_span(&message));
    text_fini(&message);
}

void sarif_add_result(struct text *text, const struct diagnostic *diagnostic)
{
    text_format(text, "{\"ruleId\":\"%.*s\",\"level\":\"%.*s\",\"message\":{\"text\":",
                SPAN_ARGS(diagnostic->code), SPAN_ARGS(level_of(diagnostic->severity)));
    add_message(text, diagnostic);
    text_add(text, SPAN("},\"locations\":["));
    add_location(text, diagnostic->place);
    text_add(text, SPAN("]}"));
}

/* Columns of a place count code points; SARIF's own unit would be UTF-16's. */
void sarif_add_log(struct text *text, struct span results)
{
    text_format(
        text,
        "{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"Interlock\","
        "\"version\":\"%s\"}},\"columnKind\":\"unicodeCodePoints\",\"results\":[",
        INTERLOCK_VERSION);
    text_add(text, results);
    text_add(text, SPAN("]}]}\n"));
}
