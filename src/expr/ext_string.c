/*
 * ext_string.c - searching, cutting and joining strings.
 *
 * Positions count code points, the text is UTF-8 that was checked where it came from. A
 * position is found by a walk from the front: strings are short, and an index would cost
 * every string that is never cut. A part of a string shares its bytes.
 */
#include "expr/ext.h"

#include "base/limits.h"
#include "base/text.h"

struct value ext_check_size(struct vm *vm, uint64_t bytes)
{
    vm_charge_bytes(vm, bytes);
    if (bytes > VALUE_BYTES_MAX)
        return vm_error(vm, "a value of more than %d bytes", VALUE_BYTES_MAX);
    return value_null();
}

static struct value out_of_range(struct vm *vm, struct value index)
{
    return vm_error(vm, "index out of range: %lld", (long long)index.integer);
}

/* Where the character at this index begins; SIZE_MAX when there is none. */
static size_t offset_of(struct vm *vm, struct span text, struct value index)
{
    vm_charge_bytes(vm, text.size);
    return index.integer < 0 ? SIZE_MAX : span_character_offset(text, (uint64_t)index.integer);
}

/* Behind the character at this offset. */
static size_t next_of(struct span text, size_t at)
{
    return at + span_character_offset(span_slice(text, at, text.size), 1);
}

static struct value char_at(struct vm *vm, const struct value *arguments, size_t count)
{
    struct span text = value_span(arguments[0]);
    size_t at = offset_of(vm, text, arguments[1]);
    (void)count;
    if (at == SIZE_MAX)
        return out_of_range(vm, arguments[1]);
    return value_string(span_slice(text, at, at == text.size ? at : next_of(text, at)));
}

/* Pays for a search that is as slow as a plain one can be; false when that is too much. */
static bool pay_search(struct vm *vm, struct span text, struct span needle)
{
    vm_charge_bytes(vm, (uint64_t)text.size * (1 + needle.size / 16));
    return vm->cost_left >= 0;
}

static struct value position_of(struct span text, size_t at)
{
    return value_int(at == SIZE_MAX ? -1 : (int64_t)span_characters(span_slice(text, 0, at)));
}

/* text.indexOf(needle[, from]) */
static struct value index_of(struct vm *vm, const struct value *arguments, size_t count)
{
    struct span text = value_span(arguments[0]);
    struct span needle = value_span(arguments[1]);
    size_t from = count == 2 ? 0 : offset_of(vm, text, arguments[2]);
    if (from == SIZE_MAX)
        return out_of_range(vm, arguments[2]);
    if (!pay_search(vm, text, needle))
        return value_null();
    return position_of(text, span_find(text, needle, from));
}

/* The last needle that begins at or before `at`, or SIZE_MAX. */
static size_t find_last(struct span text, struct span needle, size_t at)
{
    if (needle.size > text.size)
        return SIZE_MAX;
    at = at > text.size - needle.size ? text.size - needle.size : at;
    for (;; at--) {
        if (span_starts_with(span_slice(text, at, text.size), needle))
            return at;
        if (at == 0)
            return SIZE_MAX;
    }
}

/* text.lastIndexOf(needle[, from]): the search goes to the front. */
static struct value last_index_of(struct vm *vm, const struct value *arguments, size_t count)
{
    struct span text = value_span(arguments[0]);
    struct span needle = value_span(arguments[1]);
    size_t from = count == 2 ? text.size : offset_of(vm, text, arguments[2]);
    if (from == SIZE_MAX)
        return out_of_range(vm, arguments[2]);
    if (!pay_search(vm, text, needle))
        return value_null();
    return position_of(text, find_last(text, needle, from));
}

/* text.substring(start[, end]), the end excluded. */
static struct value substring(struct vm *vm, const struct value *arguments, size_t count)
{
    struct span text = value_span(arguments[0]);
    if (count == 3 && arguments[1].integer > arguments[2].integer)
        return vm_error(vm, "a substring from %lld to %lld", (long long)arguments[1].integer,
                        (long long)arguments[2].integer);
    size_t start = offset_of(vm, text, arguments[1]);
    size_t end = count == 2 ? text.size : offset_of(vm, text, arguments[2]);
    if (start == SIZE_MAX || end == SIZE_MAX)
        return out_of_range(vm, arguments[start == SIZE_MAX ? 1 : 2]);
    return value_string(span_slice(text, start, end));
}

static bool is_space(uint32_t point)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } spaces[] = {
        {'\t', '\r'},     {' ', ' '},       {0x85, 0x85},     {0xa0, 0xa0},
        {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f},
        {0x205f, 0x205f}, {0x3000, 0x3000},
    };
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        if (point >= spaces[i].first && point <= spaces[i].last)
            return true;
    }
    return false;
}

/* Without white space, as Unicode has it, at both ends. */
static struct value trim(struct vm *vm, const struct value *arguments, size_t count)
{
    struct span text = value_span(arguments[0]);
    size_t from = text.size;
    size_t to = text.size;
    (void)count;
    vm_charge_bytes(vm, text.size);
    for (size_t at = 0; at < text.size;) {
        size_t begin = at;
        if (is_space(span_next_character(text, &at)))
            continue;
        from = begin < from ? begin : from;
        to = at;
    }
    return value_string(span_slice(text, from, to));
}

static struct value change_case(struct vm *vm, struct value string, char first, char last)
{
    struct value wrong = ext_check_size(vm, string.count);
    if (wrong.kind == VALUE_ERROR)
        return wrong;
    char *bytes = arena_get(vm->arena, string.count);
    for (uint32_t i = 0; i < string.count; i++) {
        char c = string.text[i];
        bytes[i] = c >= first && c <= last ? (char)(c ^ 0x20) : c;
    }
    return value_string(span_of(bytes, string.count));
}

static struct value lower_ascii(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return change_case(vm, arguments[0], 'A', 'Z');
}

static struct value upper_ascii(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return change_case(vm, arguments[0], 'a', 'z');
}

static struct value reverse_string(struct vm *vm, struct value string)
{
    struct span text = value_span(string);
    struct value wrong = ext_check_size(vm, text.size);
    if (wrong.kind == VALUE_ERROR)
        return wrong;
    char *bytes = arena_get(vm->arena, text.size);
    for (size_t at = 0; at < text.size;) {
        size_t end = next_of(text, at);
        memcpy(bytes + text.size - end, text.text + at, end - at);
        at = end;
    }
    return value_string(span_of(bytes, text.size));
}

static struct value reverse(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)count;
    return arguments[0].kind == VALUE_LIST ? ext_list_reverse(vm, arguments[0])
                                           : reverse_string(vm, arguments[0]);
}

/* Where the next separator begins and how long it is; an empty one stands between any two
 * characters. */
static size_t find_separator(struct span text, struct span separator, size_t from)
{
    if (separator.size > 0)
        return span_find(text, separator, from);
    size_t at = from < text.size ? next_of(text, from) : text.size;
    return at < text.size ? at : SIZE_MAX;
}

/* How often a needle stands in the text, at most `limit` times. */
static uint64_t count_separators(struct span text, struct span separator, uint64_t limit)
{
    uint64_t count = 0;
    size_t at = 0;
    while (count < limit && (at = find_separator(text, separator, at)) != SIZE_MAX) {
        at += separator.size;
        count++;
    }
    return count;
}

/* The optional count behind the arguments: how many at most; negative is no limit. */
static uint64_t read_limit(const struct value *arguments, size_t count, size_t index)
{
    bool is_limited = count > index && arguments[index].integer >= 0;
    return is_limited ? (uint64_t)arguments[index].integer : UINT64_MAX;
}

/* text.split(separator[, pieces at most]) */
static struct value split(struct vm *vm, const struct value *arguments, size_t count)
{
    struct span text = value_span(arguments[0]);
    struct span separator = value_span(arguments[1]);
    uint64_t limit = read_limit(arguments, count, 2);
    if (limit == 0 || (text.size == 0 && separator.size == 0))
        return value_list(NULL, 0);
    if (!pay_search(vm, text, separator))
        return value_null();
    uint64_t pieces = count_separators(text, separator, limit - 1) + 1;
    struct value wrong = ext_check_size(vm, pieces * sizeof(struct value));
    if (wrong.kind == VALUE_ERROR)
        return wrong;
    struct value *items = arena_new_array(vm->arena, pieces, struct value);
    size_t from = 0;
    for (uint64_t i = 0; i + 1 < pieces; i++) {
        size_t to = find_separator(text, separator, from);
        items[i] = value_string(span_slice(text, from, to));
        from = to + separator.size;
    }
    items[pieces - 1] = value_string(span_slice(text, from, text.size));
    return value_list(items, pieces);
}

/* list.join([separator]) */
static struct value join(struct vm *vm, const struct value *arguments, size_t count)
{
    struct value list = arguments[0];
    struct span separator = count == 2 ? value_span(arguments[1]) : SPAN("");
    uint64_t size = list.count == 0 ? 0 : (uint64_t)separator.size * (list.count - 1);
    for (uint32_t i = 0; i < list.count; i++) {
        if (list.items[i].kind != VALUE_STRING)
            return vm_error(vm, "join: %s among the strings", vm_kind_name(list.items[i].kind));
        size += list.items[i].count;
    }
    vm_charge(vm, list.count);
    struct value wrong = ext_check_size(vm, size);
    if (wrong.kind == VALUE_ERROR)
        return wrong;
    struct text text;
    text_init(&text, vm->arena);
    text_reserve(&text, size);
    for (uint32_t i = 0; i < list.count; i++) {
        if (i > 0)
            text_add(&text, separator);
        text_add(&text, value_span(list.items[i]));
    }
    return value_string(text_span(&text));
}

/* An empty text to be replaced stands before each character and behind the last. */
static struct value replace_between(struct vm *vm, struct span text, struct span by,
                                    uint64_t limit)
{
    struct text to;
    text_init(&to, vm->arena);
    for (; limit > 0; limit--) {
        text_add(&to, by);
        if (text.size == 0)
            break;
        size_t end = next_of(text, 0);
        text_add(&to, span_slice(text, 0, end));
        text = span_slice(text, end, text.size);
    }
    text_add(&to, text);
    return value_string(text_span(&to));
}

static struct value replace_found(struct vm *vm, struct span text, struct span old,
                                  struct span by, uint64_t count)
{
    struct text to;
    size_t from = 0;
    text_init(&to, vm->arena);
    for (; count > 0; count--) {
        size_t at = span_find(text, old, from);
        text_add(&to, span_slice(text, from, at));
        text_add(&to, by);
        from = at + old.size;
    }
    text_add(&to, span_slice(text, from, text.size));
    return value_string(text_span(&to));
}

/* text.replace(old, by[, times at most]) */
static struct value replace(struct vm *vm, const struct value *arguments, size_t count)
{
    struct span text = value_span(arguments[0]);
    struct span old = value_span(arguments[1]);
    struct span by = value_span(arguments[2]);
    uint64_t limit = read_limit(arguments, count, 3);
    if (!pay_search(vm, text, old))
        return value_null();
    uint64_t times =
        old.size == 0 ? (uint64_t)text.size + 1 : count_separators(text, old, limit);
    times = times < limit ? times : limit;
    struct value wrong = ext_check_size(vm, text.size + times * by.size);
    if (wrong.kind == VALUE_ERROR)
        return wrong;
    return old.size == 0 ? replace_between(vm, text, by, times)
                         : replace_found(vm, text, old, by, times);
}

/* As a string literal in double quotes. */
static struct value quote(struct vm *vm, const struct value *arguments, size_t count)
{
    static const char escaped[] = "\a\b\f\n\r\t\v\\\"";
    static const char letters[] = "abfnrtv\\\"";
    struct span string = value_span(arguments[0]);
    struct value wrong = ext_check_size(vm, (uint64_t)string.size * 2 + 2);
    (void)count;
    if (wrong.kind == VALUE_ERROR)
        return wrong;
    struct text text;
    text_init(&text, vm->arena);
    text_add_byte(&text, '"');
    for (size_t i = 0; i < string.size; i++) {
        const char *found = memchr(escaped, string.text[i], sizeof escaped - 1);
        if (found != NULL)
            text_add_byte(&text, '\\');
        text_add_byte(&text, found == NULL ? string.text[i] : letters[found - escaped]);
    }
    text_add_byte(&text, '"');
    return value_string(text_span(&text));
}

#define TEXT KINDS_STRING

static const struct builtin functions[] = {
    {SPAN_INIT("charAt"), BUILTIN_METHOD, 2, 2, false, {TEXT, KINDS_INT}, char_at},
    {SPAN_INIT("indexOf"), BUILTIN_METHOD, 2, 3, false, {TEXT, TEXT, KINDS_INT}, index_of},
    {SPAN_INIT("lastIndexOf"),
     BUILTIN_METHOD,
     2,
     3,
     false,
     {TEXT, TEXT, KINDS_INT},
     last_index_of},
    {SPAN_INIT("substring"),
     BUILTIN_METHOD,
     2,
     3,
     false,
     {TEXT, KINDS_INT, KINDS_INT},
     substring},
    {SPAN_INIT("trim"), BUILTIN_METHOD, 1, 1, false, {TEXT}, trim},
    {SPAN_INIT("lowerAscii"), BUILTIN_METHOD, 1, 1, true, {TEXT}, lower_ascii},
    {SPAN_INIT("upperAscii"), BUILTIN_METHOD, 1, 1, true, {TEXT}, upper_ascii},
    {SPAN_INIT("reverse"), BUILTIN_METHOD, 1, 1, true, {TEXT | KINDS_LIST}, reverse},
    {SPAN_INIT("split"), BUILTIN_METHOD, 2, 3, true, {TEXT, TEXT, KINDS_INT}, split},
    {SPAN_INIT("join"), BUILTIN_METHOD, 1, 2, true, {KINDS_LIST, TEXT}, join},
    {SPAN_INIT("replace"), BUILTIN_METHOD, 3, 4, true, {TEXT, TEXT, TEXT, KINDS_INT}, replace},
    {SPAN_INIT("strings.quote"), BUILTIN_GLOBAL, 1, 1, true, {TEXT}, quote},
    {SPAN_INIT("format"), BUILTIN_METHOD, 2, 2, true, {TEXT, KINDS_LIST}, ext_format},
};

const struct builtin_library ext_string_library = {functions,
                                                   sizeof functions / sizeof *functions};
