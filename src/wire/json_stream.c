/*
 * json_stream.c - a count of brackets that does not lose its way.
 */
#include "wire/json_stream.h"

void json_stream_init(struct json_stream *stream)
{
    *stream = (struct json_stream){.is_blank = true};
}

void json_stream_pass(struct json_stream *stream)
{
    stream->at = 0;
    stream->before = '\0';
    stream->depth = 0;
    stream->in_string = false;
    stream->is_escaped = false;
    stream->too_deep = 0;
    stream->gap = stream->next_gap;
}

static bool is_in_list(const struct json_stream *stream)
{
    return stream->depth > 0 && stream->open[stream->depth - 1] == '[';
}

/* Whether a value can stand behind what was before. */
static bool is_value_expected(const struct json_stream *stream)
{
    char before = stream->before;
    return before == '\0' || before == '[' || before == ':' ||
           (before == ',' && is_in_list(stream));
}

static bool begins_another(const struct json_stream *stream)
{
    if (is_value_expected(stream))
        return false;
    if (stream->depth == 0 && stream->is_list)
        return true; /* only a comma is missing */
    return stream->is_blank && stream->indent <= stream->element_indent;
}

/* Deeper than JSON may be nested they are only counted: the element is wrong anyhow. */
static void open_bracket(struct json_stream *stream, char bracket)
{
    if (stream->depth < sizeof stream->open)
        stream->open[stream->depth++] = bracket;
    else
        stream->too_deep++;
}

static void close_bracket(struct json_stream *stream, char bracket)
{
    if (stream->too_deep > 0) {
        stream->too_deep--;
        return;
    }
    for (unsigned depth = stream->depth; depth > 0; depth--) {
        if (stream->open[depth - 1] != bracket)
            continue;
        stream->depth = depth - 1;
        return;
    }
}

static bool end_element(struct json_stream *stream, size_t end, size_t next, enum json_gap gap)
{
    stream->end = end;
    stream->next = next;
    stream->next_gap = gap;
    if (next > stream->at)
        stream->is_blank = false;
    return true;
}

static bool pass_in_string(struct json_stream *stream, char c)
{
    stream->in_string = c != '\n' && (c != '"' || stream->is_escaped);
    stream->is_escaped = c == '\\' && !stream->is_escaped;
    return false;
}

static bool pass_closing(struct json_stream *stream, char c)
{
    if (c == ']' && stream->depth == 0 && stream->is_list) {
        stream->is_closed = true;
        return end_element(stream, stream->at, stream->at + 1, JSON_GAP_NONE);
    }
    close_bracket(stream, c == ']' ? '[' : '{');
    stream->before = c;
    return stream->depth == 0 && !stream->is_list &&
           end_element(stream, stream->at + 1, stream->at + 1, JSON_GAP_NONE);
}

static bool pass_opening(struct json_stream *stream, char c)
{
    if (c == '{' && begins_another(stream)) {
        bool lacks_comma = stream->depth == 0 && stream->is_list;
        return end_element(stream, stream->at, stream->at,
                           lacks_comma ? JSON_GAP_MISSING : JSON_GAP_NONE);
    }
    if (stream->before == '\0')
        stream->element_indent = stream->indent;
    open_bracket(stream, c);
    stream->before = c;
    return false;
}

/* A byte outside of strings that is no blank. True: the element has ended. */
static bool pass(struct json_stream *stream, char c)
{
    switch (c) {
    case '{':
    case '[':
        return pass_opening(stream, c);
    case '}':
    case ']':
        return pass_closing(stream, c);
    case ',':
        if (stream->depth == 0 && stream->is_list)
            return end_element(stream, stream->at, stream->at + 1, JSON_GAP_COMMA);
        break;
    default:
        break;
    }
    if (stream->before == '\0')
        stream->element_indent = stream->indent;
    stream->in_string = c == '"';
    stream->before = c;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void pass_blank(struct json_stream *stream, char c)
{
    stream->indent = c == '\n' ? 0 : stream->indent + stream->is_blank;
    stream->is_blank = stream->is_blank || c == '\n';
}

/* The first byte tells whether it is a list: its bracket ends an element that is blank. */
static bool begin(struct json_stream *stream, char c)
{
    stream->is_begun = true;
    stream->is_list = c == '[';
    return stream->is_list ? end_element(stream, stream->at, stream->at + 1, JSON_GAP_NONE)
                           : pass(stream, c);
}

static bool pass_byte(struct json_stream *stream, char c)
{
    if (stream->in_string)
        return pass_in_string(stream, c);
    if (is_blank(c) || stream->is_closed)
        return false;
    return stream->is_begun ? pass(stream, c) : begin(stream, c);
}

bool json_stream_scan(struct json_stream *stream, struct span text)
{
    for (; stream->at < text.size; stream->at++) {
        char c = text.text[stream->at];
        if (pass_byte(stream, c))
            return true;
        if (is_blank(c))
            pass_blank(stream, c);
        else
            stream->is_blank = false;
    }
    return false;
}
