/*
 * json_row.c - shapes as a tree of what stands between values.
 *
 *     {"id":  ──►  ,"paid":  ──►  ,"note":  ──►  }
 *                           └──►  }
 *
 * A path from the root is a sequence of keys that was seen in one good line, so the keys on it
 * differ from each other. A node has its child that matched last first.
 */
#include "base/json_row.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { LITERAL_MAX = 48, NODES_MAX = 4096, NO_NODE = 0 };

struct shape {
    char literal[LITERAL_MAX]; /* from the end of a value to the beginning of the next */
    uint16_t size;
    int16_t field; /* of the value behind it; FIELD_NONE, FIELD_END */
    uint16_t child;
    uint16_t sibling;
};

enum { FIELD_NONE = -1, FIELD_END = -2 };

struct json_row {
    const struct span *fields;
    uint32_t field_count;
    uint32_t shape_count; /* the first is the root, which has no literal */
    struct shape shapes[NODES_MAX];
};

struct json_row *json_row_open(const struct span *fields, uint32_t count, struct arena *arena)
{
    struct json_row *row = arena_get(arena, sizeof *row);
    row->fields = fields;
    row->field_count = count;
    row->shape_count = 1;
    row->shapes[0] = (struct shape){.field = FIELD_NONE};
    return count <= JSON_ROW_FIELDS_MAX ? row : NULL;
}

/* Values */

/* Bytes before the first that ends plain text: a quote, a backslash, a control character, or
 * one that is not ASCII. Reads at most 16 bytes beyond it. */
static size_t count_plain(const char *text)
{
    size_t at = 0;
#ifdef __SSE2__
    for (;; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + at));
        __m128i is_end = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                      _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        __m128i is_control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        unsigned mask = (unsigned)_mm_movemask_epi8(
            _mm_or_si128(_mm_or_si128(is_end, is_control), bytes)); /* the top bit of each */
        if (mask != 0)
            return at + (size_t)__builtin_ctz(mask);
    }
#else
    for (;; at++) {
        unsigned char c = (unsigned char)text[at];
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
            return at;
    }
#endif
}

/* Behind an escape that is good by itself, or NULL: halves of surrogate pairs are left to the
 * full reader. */
static const char *pass_escape(const char *at)
{
    static const char names[] = "\"\\/bfnrt";
    if (at[1] != 'u')
        return at[1] != '\0' && strchr(names, at[1]) != NULL ? at + 2 : NULL;
    for (int i = 2; i < 6; i++) {
        char c = at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return NULL;
    }
    bool is_surrogate = (at[2] == 'd' || at[2] == 'D') && at[3] >= '8';
    return is_surrogate ? NULL : at + 6;
}

/* Behind the opening quote; NULL when it is not well formed. A newline ends the search at the
 * latest, so it never leaves its line. */
static const char *scan_string(const char *at, const char *end, struct json_token *token)
{
    const char *start = at;
    uint32_t kind = JSON_TOKEN_STRING;
    for (;;) {
        at += count_plain(at);
        if (*at == '"')
            break;
        if (*at == '\\') {
            kind = JSON_TOKEN_ODD;
            at = pass_escape(at);
            if (at == NULL)
                return NULL;
            continue;
        }
        if ((unsigned char)*at < 0x80 || at >= end)
            return NULL;
        size_t size = span_utf8_size(span_of(at, (size_t)(end - at)));
        if (size == 0)
            return NULL;
        at += size;
    }
    *token = (struct json_token){start, (uint32_t)(at - start), kind};
    return at + 1;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *scan_number(const char *at, struct json_token *token)
{
    const char *start = at;
    at += *at == '-';
    const char *first = at;
    while (is_digit(*at))
        at++;
    size_t digits = (size_t)(at - first);
    if (digits == 0 || (*first == '0' && (digits > 1 || first != start)))
        return NULL; /* among them -0, which is no int */
    uint32_t kind = JSON_TOKEN_INT;
    if (*at == '.') {
        const char *point = at++;
        while (is_digit(*at))
            at++;
        if (at == point + 1)
            return NULL;
        digits += (size_t)(at - point - 1);
        kind = JSON_TOKEN_DECIMAL;
    }
    if (*at == 'e' || *at == 'E') {
        at += at[1] == '-' || at[1] == '+' ? 2 : 1;
        if (!is_digit(at[0]) || (is_digit(at[1]) && is_digit(at[2])))
            return NULL; /* two digits are no overflow */
        at += is_digit(at[1]) ? 2 : 1;
        kind = JSON_TOKEN_DECIMAL;
    }
    if (digits > (kind == JSON_TOKEN_INT ? 18u : 17u))
        return NULL;
    *token = (struct json_token){start, (uint32_t)(at - start), kind};
    return at;
}

static const char *scan_word(const char *at, const char *word, size_t size, uint32_t kind,
                             struct json_token *token)
{
    if (memcmp(at, word, size) != 0)
        return NULL;
    *token = (struct json_token){at, (uint32_t)size, kind};
    return at + size;
}

/* The end of a scalar, or NULL. */
static inline const char *scan_scalar(const char *at, const char *end, struct json_token *token)
{
    switch (*at) {
    case '"':
        return scan_string(at + 1, end, token);
    case 't':
        return scan_word(at, "true", 4, JSON_TOKEN_TRUE, token);
    case 'f':
        return scan_word(at, "false", 5, JSON_TOKEN_FALSE, token);
    case 'n':
        return scan_word(at, "null", 4, JSON_TOKEN_NULL, token);
    default:
        return scan_number(at, token);
    }
}

/* Lists and objects, which nobody wants: they must be well formed all the same */

enum { NESTED_KEYS_MAX = 16, NESTED_LEVELS_MAX = 16 };

static const char *scan_nested(const char *at, const char *end, unsigned levels);

static inline const char *pass_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

static const char *scan_element(const char *at, const char *end, unsigned levels)
{
    struct json_token token;
    if (*at == '[' || *at == '{')
        return levels == 0 ? NULL : scan_nested(at, end, levels - 1);
    return scan_scalar(at, end, &token);
}

/* A key with its colon; NULL where it is odd, or was there before. */
static const char *scan_key(const char *at, const char *end, struct json_token *keys,
                            uint32_t *count)
{
    if (*at != '"' || *count == NESTED_KEYS_MAX)
        return NULL;
    struct json_token *key = &keys[*count];
    at = scan_string(at + 1, end, key);
    if (at == NULL || key->kind != JSON_TOKEN_STRING)
        return NULL;
    for (uint32_t i = 0; i < *count; i++) {
        if (keys[i].size == key->size && memcmp(keys[i].text, key->text, key->size) == 0)
            return NULL;
    }
    (*count)++;
    at = pass_blanks(at);
    return *at == ':' ? pass_blanks(at + 1) : NULL;
}

static const char *scan_nested(const char *at, const char *end, unsigned levels)
{
    struct json_token keys[NESTED_KEYS_MAX];
    uint32_t count = 0;
    bool is_object = *at == '{';
    char closing = is_object ? '}' : ']';
    at = pass_blanks(at + 1);
    if (*at == closing)
        return at + 1;
    for (;;) {
        if (is_object)
            at = scan_key(at, end, keys, &count);
        if (at != NULL)
            at = scan_element(at, end, levels);
        if (at == NULL)
            return NULL;
        at = pass_blanks(at);
        if (*at == closing)
            return at + 1;
        if (*at != ',')
            return NULL;
        at = pass_blanks(at + 1);
    }
}

/* The end of a value, or NULL. */
static inline const char *scan_value(const char *at, const char *end, struct json_token *token)
{
    if (*at != '[' && *at != '{')
        return scan_scalar(at, end, token);
    token->kind = JSON_TOKEN_ODD;
    return scan_nested(at, end, NESTED_LEVELS_MAX);
}

/* Shapes */

static inline bool matches(const struct shape *shape, const char *at)
{
#ifdef __SSE2__
    for (unsigned from = 0; from < shape->size; from += 16) {
        __m128i wanted =
            _mm_loadu_si128((const __m128i *)(const void *)(shape->literal + from));
        __m128i given = _mm_loadu_si128((const __m128i *)(const void *)(at + from));
        unsigned same = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(wanted, given));
        unsigned left = shape->size - from;
        unsigned mask = left >= 16 ? 0xffffu : (1u << left) - 1;
        if ((same & mask) != mask)
            return false;
    }
    return true;
#else
    return memcmp(shape->literal, at, shape->size) == 0;
#endif
}

/* The child of a shape that stands at `at`, moved to the front; NULL: none does. */
static inline const struct shape *step(struct json_row *row, struct shape *from, const char *at)
{
    struct shape *first = &row->shapes[from->child];
    if (from->child == NO_NODE)
        return NULL;
    if (matches(first, at))
        return first;
    for (struct shape *before = first; before->sibling != NO_NODE;) {
        uint16_t index = before->sibling;
        struct shape *found = &row->shapes[index];
        if (matches(found, at)) {
            before->sibling = found->sibling;
            found->sibling = from->child;
            from->child = index;
            return found;
        }
        before = found;
    }
    return NULL;
}

bool json_row_scan(struct json_row *row, const char *at, const char *end,
                   struct json_token *tokens, const char **next)
{
    struct shape *shape = &row->shapes[0];
    for (uint32_t i = 0; i < row->field_count; i++)
        tokens[i].kind = JSON_TOKEN_MISSING;
    while (at < end) {
        struct json_token unwanted;
        shape = (struct shape *)(uintptr_t)step(row, shape, at);
        if (shape == NULL)
            return false;
        at += shape->size;
        if (shape->field == FIELD_END) {
            *next = at;
            return at <= end;
        }
        at = scan_value(at, end, shape->field < 0 ? &unwanted : &tokens[shape->field]);
        if (at == NULL || (shape->field >= 0 && tokens[shape->field].kind == JSON_TOKEN_ODD))
            return false;
    }
    return false;
}

/* Learning: the line is good JSON, so little is asked. */

static size_t skip_blanks(struct span line, size_t at)
{
    while (at < line.size && (line.text[at] == ' ' || line.text[at] == '\t'))
        at++;
    return at;
}

/* From a key's opening quote to its value; 0 when it is not plain. */
static size_t pass_key(struct span line, size_t at, struct span *key)
{
    size_t start = ++at;
    while (at < line.size && line.text[at] != '"') {
        if (line.text[at] == '\\')
            return 0;
        at++;
    }
    *key = span_slice(line, start, at < line.size ? at : line.size);
    at = skip_blanks(line, at + 1);
    return at < line.size && line.text[at] == ':' ? skip_blanks(line, at + 1) : 0;
}

static int16_t find_field(const struct json_row *row, struct span key)
{
    for (uint32_t i = 0; i < row->field_count; i++) {
        if (span_equal(row->fields[i], key))
            return (int16_t)i;
    }
    return FIELD_NONE;
}

/* The child with that literal, new or known; NULL when there is no room. */
static struct shape *add_shape(struct json_row *row, struct shape *from, struct span literal,
                               int16_t field)
{
    for (uint16_t i = from->child; i != NO_NODE; i = row->shapes[i].sibling) {
        if (span_equal(span_of(row->shapes[i].literal, row->shapes[i].size), literal))
            return &row->shapes[i];
    }
    if (literal.size > LITERAL_MAX || row->shape_count == NODES_MAX)
        return NULL;
    struct shape *shape = &row->shapes[row->shape_count];
    *shape =
        (struct shape){.size = (uint16_t)literal.size, .field = field, .sibling = from->child};
    memcpy(shape->literal, literal.text, literal.size);
    from->child = (uint16_t)row->shape_count++;
    return shape;
}

/* `}`, with the blanks before and after it and the newline, which the line does not show. */
static bool learn_end(struct json_row *row, struct shape *from, struct span line, size_t start)
{
    char literal[LITERAL_MAX];
    size_t size = line.size - start;
    if (size + 1 > sizeof literal)
        return false;
    memcpy(literal, line.text + start, size);
    literal[size] = '\n';
    return add_shape(row, from, span_of(literal, size + 1), FIELD_END) != NULL;
}

bool json_row_learn(struct json_row *row, struct span line)
{
    struct shape *shape = &row->shapes[0];
    size_t start = 0;
    for (size_t at = 0; at < line.size;) {
        struct span key;
        struct json_token token;
        at = skip_blanks(line, at);
        at += at < line.size && (line.text[at] == '{' || line.text[at] == ',');
        at = skip_blanks(line, at);
        if (at < line.size && line.text[at] == '}')
            return learn_end(row, shape, line, start);
        if (at == line.size || line.text[at] != '"')
            return false;
        size_t value = pass_key(line, at, &key);
        if (value == 0)
            return false;
        shape = add_shape(row, shape, span_slice(line, start, value), find_field(row, key));
        if (shape == NULL)
            return false;
        const char *behind = scan_value(line.text + value, line.text + line.size, &token);
        if (behind == NULL)
            return false;
        start = at = (size_t)(behind - line.text);
    }
    return false;
}
