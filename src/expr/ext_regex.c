/*
 * ext_regex.c - what matches a regular expression, taken out of a text or replaced.
 *
 * As cel-go has it: extract and extractAll give the group when the pattern has one, and the
 * match when it has none; a group that is empty, or takes no part, counts for nothing. A
 * replacement is looked at only when something is replaced.
 */
#include "base/limits.h"
#include "base/text.h"
#include "expr/access.h"
#include "expr/ext.h"
#include "expr/regex_find.h"

struct search {
    struct vm *vm;
    struct regex_find find;
};

/* The pattern as the program holds it, when it was a literal there: the very same bytes. */
static const struct regex *find_compiled(const struct expr_program *program,
                                         struct span pattern)
{
    for (uint32_t i = 0; i < program->pattern_count; i++) {
        const struct regex *regex = program->patterns[i];
        struct span text = regex_pattern(regex);
        if (text.text == pattern.text && text.size == pattern.size && regex_has_groups(regex))
            return regex;
    }
    return NULL;
}

/* A search for arguments[1] in arguments[0]; false after setting the error. */
static bool begin(struct search *search, struct vm *vm, const struct value *arguments,
                  struct value *error)
{
    struct span pattern = value_span(arguments[1]);
    const struct regex *regex = find_compiled(vm->program, pattern);
    if (regex == NULL)
        regex = builtin_compile(vm, pattern, regex_compile_groups, error);
    if (regex == NULL)
        return false;
    search->vm = vm;
    regex_find_begin(&search->find, regex, value_span(arguments[0]), vm->arena);
    return true;
}

/* The next match, charged. */
static bool next(struct search *search)
{
    struct vm *vm = search->vm;
    int64_t before = search->find.effort;
    if (vm->cost_left < 0)
        return false;
    bool is_found =
        regex_find_next(&search->find, before + vm->cost_left * BUILTIN_STEPS_A_COST);
    vm_charge(vm, (uint64_t)(search->find.effort - before) / BUILTIN_STEPS_A_COST + 1);
    return is_found && vm->cost_left >= 0;
}

/* For extract and extractAll, which would not know which of several groups is meant. */
static bool begin_extraction(struct search *search, struct vm *vm,
                             const struct value *arguments, struct value *error)
{
    if (!begin(search, vm, arguments, error))
        return false;
    uint32_t groups = regex_groups(search->find.regex);
    if (groups > 1)
        *error = vm_error(vm, "a pattern to extract has one group at most, not %u", groups);
    return groups <= 1;
}

/* What the match at hand gives: its group or itself; false when that counts for nothing. */
static bool take(const struct search *search, struct value *value)
{
    bool has_group = search->find.part_count > 1;
    struct span part = search->find.parts[has_group ? 1 : 0];
    *value = value_string(part);
    return part.size > 0 || !has_group;
}

/* regex.extract(text, pattern): of the first match. */
static struct value extract(struct vm *vm, const struct value *arguments, size_t count)
{
    struct search search;
    struct value value;
    (void)count;
    if (!begin_extraction(&search, vm, arguments, &value))
        return value;
    return next(&search) && take(&search, &value) ? access_wrap(vm, value) : access_none();
}

static struct value *grow(struct arena *arena, struct value *items, uint32_t count,
                          uint32_t *capacity)
{
    *capacity = *capacity == 0 ? 8 : *capacity * 2;
    struct value *larger = arena_new_array(arena, *capacity, struct value);
    if (count > 0)
        memcpy(larger, items, count * sizeof *larger);
    return larger;
}

/* regex.extractAll(text, pattern): of all matches. */
static struct value extract_all(struct vm *vm, const struct value *arguments, size_t count)
{
    struct search search;
    struct value value;
    struct value *items = NULL;
    uint32_t item_count = 0;
    uint32_t capacity = 0;
    (void)count;
    if (!begin_extraction(&search, vm, arguments, &value))
        return value;
    while (next(&search)) {
        if (!take(&search, &value))
            continue;
        if ((item_count + 1) * sizeof *items > VALUE_BYTES_MAX)
            return vm_error(vm, "a list of more than %d bytes", VALUE_BYTES_MAX);
        if (item_count == capacity)
            items = grow(vm->arena, items, item_count, &capacity);
        items[item_count++] = value;
    }
    return value_list(items, item_count);
}

/* A text that becomes no longer than a value may be. */
struct replaced {
    struct vm *vm;
    struct text text;
    struct value error; /* null while all is well */
};

static void fail(struct replaced *replaced, struct value error)
{
    if (replaced->error.kind == VALUE_NULL)
        replaced->error = error;
}

static void add(struct replaced *replaced, struct span part)
{
    size_t size = replaced->text.size + part.size;
    vm_charge_bytes(replaced->vm, part.size);
    if (size > VALUE_BYTES_MAX)
        fail(replaced, ext_check_size(replaced->vm, size));
    else
        text_add(&replaced->text, part);
}

/* What a character behind a backslash stands for. */
static void add_escaped(struct replaced *replaced, const struct regex_find *find, char c)
{
    struct vm *vm = replaced->vm;
    unsigned groups = regex_groups(find->regex);
    unsigned group = (unsigned)(c - '0');
    if (c == '\\')
        add(replaced, SPAN("\\"));
    else if (c < '0' || c > '9')
        fail(replaced, vm_error(vm, "in a replacement a digit or another \\ follows a \\"));
    else if (group > groups)
        fail(replaced,
             vm_error(vm, "the replacement has group %u, the pattern only %u", group, groups));
    else
        add(replaced, find->parts[group]);
}

static void add_replacement(struct replaced *replaced, const struct regex_find *find,
                            struct span replacement)
{
    size_t from = 0;
    vm_charge_bytes(replaced->vm, replacement.size);
    while (from < replacement.size && replaced->error.kind == VALUE_NULL) {
        size_t to = span_find(replacement, SPAN("\\"), from);
        to = to == SIZE_MAX ? replacement.size : to;
        add(replaced, span_slice(replacement, from, to));
        if (to < replacement.size)
            add_escaped(replaced, find,
                        to + 1 < replacement.size ? replacement.text[to + 1] : '\0');
        from = to + 2;
    }
}

/* regex.replace(text, pattern, replacement[, times at most]) */
static struct value replace(struct vm *vm, const struct value *arguments, size_t count)
{
    struct replaced replaced = {.vm = vm, .error = value_null()};
    struct search search;
    struct span text = value_span(arguments[0]);
    bool is_limited = count == 4 && arguments[3].integer >= 0;
    uint64_t times = is_limited ? arguments[3].uinteger : UINT64_MAX;
    size_t from = 0;
    if (times == 0)
        return arguments[0];
    if (!begin(&search, vm, arguments, &replaced.error))
        return replaced.error;
    text_init(&replaced.text, vm->arena);
    for (; times > 0 && replaced.error.kind == VALUE_NULL && next(&search); times--) {
        add(&replaced, span_slice(text, from, search.find.end - search.find.parts[0].size));
        add_replacement(&replaced, &search.find, value_span(arguments[2]));
        from = search.find.end;
    }
    add(&replaced, span_slice(text, from, text.size));
    return replaced.error.kind == VALUE_NULL ? value_string(text_span(&replaced.text))
                                             : replaced.error;
}

#define TEXT KINDS_STRING

static const struct builtin functions[] = {
    {SPAN_INIT("regex.extract"), BUILTIN_GLOBAL, 2, 2, true, {TEXT, TEXT}, extract},
    {SPAN_INIT("regex.extractAll"), BUILTIN_GLOBAL, 2, 2, true, {TEXT, TEXT}, extract_all},
    {SPAN_INIT("regex.replace"),
     BUILTIN_GLOBAL,
     3,
     4,
     true,
     {TEXT, TEXT, TEXT, KINDS_INT},
     replace},
};

const struct builtin_library ext_regex_library = {functions,
                                                  sizeof functions / sizeof *functions};
