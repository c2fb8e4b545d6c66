/*
 * wire.c - which format a definition file is in.
 *
 * A file named .json is JSON and nothing else. Otherwise the text decides: what begins like
 * JSON is read as JSON first, because JSON has rules that YAML readers get wrong (surrogate
 * pairs, tabs). What is not JSON may still be YAML in flow style.
 */
#include "wire/wire.h"

#include "base/json.h"
#include "base/limits.h"
#include "wire/yaml_tree.h"

static const char BYTE_ORDER_MARK[] = "\xef\xbb\xbf";

static struct span without_mark(struct span text)
{
    size_t mark = sizeof BYTE_ORDER_MARK - 1;
    if (!span_starts_with(text, span_of(BYTE_ORDER_MARK, mark)))
        return text;
    return span_slice(text, mark, text.size);
}

static bool looks_like_json(struct span text)
{
    struct span trimmed = span_trim(text);
    return trimmed.size > 0 && (trimmed.text[0] == '{' || trimmed.text[0] == '[');
}

/* Bytes of the well-formed UTF-8 sequence at the offset, or 0. */
static size_t sequence_size(struct span text, size_t offset)
{
    for (size_t size = 1; size <= 4 && offset + size <= text.size; size++) {
        if (span_is_utf8(span_slice(text, offset, offset + size)))
            return size;
    }
    return 0;
}

static size_t first_malformed(struct span text)
{
    size_t offset = 0;
    while (offset < text.size) {
        size_t size = sequence_size(text, offset);
        if (size == 0)
            break;
        offset += size;
    }
    return offset;
}

/* What no reader has to think about any more: size, emptiness, encoding. */
static bool is_readable(struct span text, struct span file, struct diagnostics *diagnostics)
{
    struct place start = {file, 1, 1};
    if (text.size > DEFINITION_BYTES_MAX) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0101", start,
                        "the file has %zu bytes; a definition has at most %d", text.size,
                        DEFINITION_BYTES_MAX);
        return false;
    }
    if (!span_is_utf8(text)) {
        size_t offset = first_malformed(text);
        struct diagnostic *added = diagnostics_add(
            diagnostics, SEVERITY_ERROR, "IL0101", json_place(text, offset, file),
            "the byte 0x%02x is not valid UTF-8 here", (unsigned char)text.text[offset]);
        diagnostic_help(diagnostics, added, "save the file as UTF-8");
        return false;
    }
    if (span_trim(text).size == 0) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0101", start, "the file is empty");
        return false;
    }
    return true;
}

static const struct node *read_json_or_flow(struct span text, struct span file,
                                            struct arena *arena,
                                            struct diagnostics *diagnostics)
{
    struct diagnostics as_json;
    diagnostics_init(&as_json, arena);
    const struct node *root = json_read_tree(text, file, arena, &as_json);
    return root == NULL ? yaml_tree_read(text, file, arena, diagnostics) : root;
}

const struct node *wire_read_definition(struct span text, struct span file, struct arena *arena,
                                        struct diagnostics *diagnostics)
{
    struct span body = without_mark(text);
    if (!is_readable(body, file, diagnostics))
        return NULL;
    if (span_ends_with(file, SPAN(".json")))
        return json_read_tree(body, file, arena, diagnostics);
    if (looks_like_json(body))
        return read_json_or_flow(body, file, arena, diagnostics);
    return yaml_tree_read(body, file, arena, diagnostics);
}

const struct markup *wire_read_markup(struct span text, struct span file, struct arena *arena,
                                      struct diagnostics *diagnostics)
{
    struct span body = without_mark(text);
    return is_readable(body, file, diagnostics) ? xml_read(body, file, arena, diagnostics)
                                                : NULL;
}
