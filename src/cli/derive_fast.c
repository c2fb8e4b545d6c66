/*
 * derive_fast.c - a line, its tokens, its key, its fate.
 */
#include "cli/derive_fast.h"

#include <stdlib.h>

#include "base/ensure.h"
#include "base/json_row.h"
#include "base/limits.h"
#include "base/memory.h"

enum { FAST_ARENA_BYTES = 64 << 20, OUT_BYTES = 64 << 10, PLAIN_MEMBERS = MEMBER_OTHER };

/* The members of a key that are looked up by a token's kind stand in the order of the tokens.
 */
_Static_assert((int)JSON_TOKEN_MISSING == (int)MEMBER_MISSING &&
                   (int)JSON_TOKEN_NULL == (int)MEMBER_NULL &&
                   (int)JSON_TOKEN_FALSE == (int)MEMBER_FALSE &&
                   (int)JSON_TOKEN_TRUE == (int)MEMBER_TRUE,
               "one order");

/* What becomes of all records with one key. */
struct fate {
    uint64_t count;
    struct derived derived;
    uint32_t stored; /* a leaf, NO_STATE: none */
    enum derive_class class;
    bool is_conflict;
    struct span tail; /* of its line of NDJSON, behind the key */
};

struct derive_fast {
    struct derive_job *job;
    struct arena arena;
    const struct derivation_classes *classes;
    struct derivation_table *table;
    struct json_row *row;
    uint64_t (*bits)[PLAIN_MEMBERS]; /* of the key, by field and kind of token */
    uint32_t field_count;            /* of the validators; their tokens come first */
    uint32_t key_token;
    uint32_t from_token; /* NO_INDEX: none */
    uint32_t compare_token;
    uint32_t from_shift;
    uint32_t compare_shift;
    struct table paths; /* leaf + 1 by path */
    struct fate *fates;
    uint32_t fate_count;
    bool is_written; /* a line for each record */
    struct text out;
};

static uint32_t bits_of(uint32_t count)
{
    return 32 - (uint32_t)__builtin_clz(count);
}

static uint32_t add_wanted(struct span *wanted, uint32_t *count, const char *name)
{
    struct span span = span_from_text(name);
    for (uint32_t i = 0; i < *count; i++) {
        if (span_equal(wanted[i], span))
            return i;
    }
    wanted[*count] = span;
    return (*count)++;
}

/* Which tokens a line is asked for. */
static void open_row(struct derive_fast *fast)
{
    const struct derive_options *options = &fast->job->options;
    const struct derivation *derivation = fast->job->derivation;
    struct span *wanted =
        arena_new_array(&fast->arena, (size_t)derivation->read_count + 3, struct span);
    uint32_t count = 0;
    for (uint32_t i = 0; i < derivation->read_count; i++)
        wanted[count++] = derivation->fields[i].name;
    fast->field_count = count;
    fast->from_token =
        options->from == NULL ? NO_INDEX : add_wanted(wanted, &count, options->from);
    fast->compare_token =
        options->compare == NULL ? NO_INDEX : add_wanted(wanted, &count, options->compare);
    fast->key_token = NO_INDEX;
    if (fast->is_written)
        fast->key_token =
            add_wanted(wanted, &count, options->key == NULL ? "id" : options->key);
    fast->row = json_row_open(wanted, count, &fast->arena);
}

static void open_bits(struct derive_fast *fast)
{
    fast->bits = arena_get_array(&fast->arena, fast->field_count, sizeof *fast->bits);
    for (uint32_t i = 0; i < fast->field_count; i++) {
        for (uint32_t member = 0; member < PLAIN_MEMBERS; member++)
            fast->bits[i][member] = (uint64_t)fast->classes[i].of_member[member]
                                    << fast->classes[i].shift;
    }
}

static void open_paths(struct derive_fast *fast)
{
    const struct derivation *derivation = fast->job->derivation;
    table_init(&fast->paths);
    for (uint32_t leaf = 0; leaf < derivation->leaf_count; leaf++)
        table_add(&fast->paths, derivation_path(derivation, leaf),
                  (void *)(uintptr_t)(leaf + 1));
}

static bool is_of_use(const struct derive_job *job)
{
    const struct derive_options *options = &job->options;
    return options->where == NULL && !options->is_explained && !options->only_conflicts &&
           options->format != OUTPUT_CSV && !job->derivation->is_parallel;
}

struct derive_fast *derive_fast_open(struct derive_job *job)
{
    if (!is_of_use(job))
        return NULL;
    struct derive_fast *fast = memory_get(sizeof *fast);
    uint32_t leaf_bits = bits_of(job->derivation->leaf_count + 1);
    fast->job = job;
    fast->is_written = job->options.format == OUTPUT_NDJSON;
    arena_open(&fast->arena, FAST_ARENA_BYTES);
    text_init(&fast->out, NULL);
    fast->table = derivation_table_open(job->derivation, 2 * leaf_bits, &fast->arena);
    open_row(fast);
    open_paths(fast);
    if (fast->table == NULL || fast->row == NULL) {
        derive_fast_close(fast);
        return NULL;
    }
    fast->classes = derivation_table_classes(fast->table);
    fast->from_shift = derivation_table_shift(fast->table);
    fast->compare_shift = fast->from_shift + leaf_bits;
    fast->fates = arena_get_zeroed(&fast->arena, DERIVATION_ANSWERS_MAX * sizeof *fast->fates);
    open_bits(fast);
    return fast;
}

void derive_fast_close(struct derive_fast *fast)
{
    if (fast == NULL)
        return;
    for (uint32_t i = 0; i < fast->fate_count; i++)
        memory_release((void *)(uintptr_t)fast->fates[i].tail.text);
    table_fini(&fast->paths);
    text_fini(&fast->out);
    arena_close(&fast->arena);
    memory_release(fast);
}

/* Keys */

static struct value token_int(const struct json_token *token)
{
    int64_t number = 0;
    bool is_negative = token->text[0] == '-';
    for (uint32_t i = is_negative; i < token->size; i++)
        number = number * 10 + (token->text[i] - '0');
    return value_int(is_negative ? -number : number);
}

static struct value token_decimal(const struct json_token *token)
{
    char digits[32];
    ensure(token->size < sizeof digits);
    memcpy(digits, token->text, token->size);
    digits[token->size] = '\0';
    return value_double(strtod(digits, NULL));
}

static bool add_class(const struct derivation_classes *classes, const struct json_token *token,
                      uint64_t *key)
{
    struct value value = token->kind == JSON_TOKEN_STRING
                             ? value_string(span_of(token->text, token->size))
                         : token->kind == JSON_TOKEN_INT ? token_int(token)
                                                         : token_decimal(token);
    uint16_t class = derivation_table_class(classes, value);
    *key |= (uint64_t) class << classes->shift;
    return class != DERIVATION_CLASS_NONE;
}

/* A stored state in the key: 0 for none. False: none that is known here. */
static bool add_stored(const struct derive_fast *fast, const struct json_token *token,
                       uint32_t shift, uint64_t *key)
{
    if (token->kind == JSON_TOKEN_MISSING || token->kind == JSON_TOKEN_NULL ||
        (token->kind == JSON_TOKEN_STRING && token->size == 0))
        return true;
    void *found = token->kind != JSON_TOKEN_STRING
                      ? NULL
                      : table_find(&fast->paths, span_of(token->text, token->size));
    *key |= (uint64_t)(uintptr_t)found << shift;
    return found != NULL;
}

static inline bool key_of(const struct derive_fast *fast, const struct json_token *tokens,
                          uint64_t *found)
{
    uint64_t key = 0;
    for (uint32_t i = 0; i < fast->field_count; i++) {
        if (tokens[i].kind < PLAIN_MEMBERS)
            key |= fast->bits[i][tokens[i].kind];
        else if (!add_class(&fast->classes[i], &tokens[i], &key))
            return false;
    }
    if (fast->from_token != NO_INDEX &&
        !add_stored(fast, &tokens[fast->from_token], fast->from_shift, &key))
        return false;
    if (fast->compare_token != NO_INDEX &&
        !add_stored(fast, &tokens[fast->compare_token], fast->compare_shift, &key))
        return false;
    *found = key;
    return true;
}

/* Lines */

static void flush(struct derive_fast *fast)
{
    output_add(text_span(&fast->out));
    text_clear(&fast->out);
}

/* False when the key has to be written in another form than it has. */
static bool write_line(struct derive_fast *fast, const struct fate *fate,
                       const struct json_token *token, uint64_t line)
{
    if (token->kind == JSON_TOKEN_DECIMAL)
        return false;
    text_add(&fast->out, SPAN("{\"key\":"));
    if (token->kind <= JSON_TOKEN_NULL)
        text_add_uint(&fast->out, line);
    else if (token->kind == JSON_TOKEN_STRING)
        text_add(&fast->out, span_of(token->text - 1, (size_t)token->size + 2));
    else
        text_add(&fast->out, span_of(token->text, token->size));
    text_add(&fast->out, fate->tail);
    if (fast->out.size >= OUT_BYTES)
        flush(fast);
    return true;
}

static uint64_t lines_left(const struct derive_job *job)
{
    uint64_t done = job->records + job->errors;
    return job->options.limit == 0 ? UINT64_MAX : job->options.limit - done;
}

static struct fate *find_fate(struct derive_fast *fast, const struct json_token *tokens)
{
    uint64_t key;
    if (!key_of(fast, tokens, &key))
        return NULL;
    uint32_t number = derivation_table_find(fast->table, key);
    return number == NO_INDEX ? NULL : &fast->fates[number];
}

/* Takes known lines from `at` on; where it stopped. */
static const char *take_lines(struct derive_fast *fast, const char *at, const char *end,
                              uint64_t line, uint64_t *taken)
{
    struct json_token tokens[JSON_ROW_FIELDS_MAX];
    uint64_t most = lines_left(fast->job);
    bool keeps_conflicts = derive_job_keeps_conflicts(fast->job);
    const char *next;
    while (at < end && *taken < most && json_row_scan(fast->row, at, end, tokens, &next)) {
        struct fate *fate = find_fate(fast, tokens);
        if (fate == NULL || (fate->is_conflict && keeps_conflicts))
            break;
        if (fast->is_written &&
            !write_line(fast, fate, &tokens[fast->key_token], line + *taken))
            break;
        fate->count++;
        (*taken)++;
        at = next;
    }
    return at;
}

struct span derive_fast_run(struct derive_fast *fast, struct record_stream *stream)
{
    struct span lines = record_stream_lines(stream);
    if (lines.size == 0)
        return lines;
    uint64_t taken = 0;
    const char *end = lines.text + lines.size;
    const char *at = take_lines(fast, lines.text, end, record_stream_line(stream), &taken);
    record_stream_pass(stream, (size_t)(at - lines.text), taken);
    fast->job->records += taken;
    fast->job->is_over = fast->job->is_over || lines_left(fast->job) == 0;
    flush(fast);
    const char *newline = at == end ? NULL : memchr(at, '\n', (size_t)(end - at));
    return newline == NULL ? SPAN("") : span_of(at, (size_t)(newline - at) + 1);
}

/* Notes */

static struct span copy(struct span text)
{
    return span_of(memory_copy_text(text), text.size);
}

static void add_fate(struct derive_fast *fast, uint64_t key)
{
    const struct derive_row *row = &fast->job->last;
    uint32_t number = derivation_table_add(fast->table, key);
    if (number == NO_INDEX)
        return;
    fast->fates[number] = (struct fate){
        .derived = row->derived[0],
        .stored = row->stored_leaf,
        .class = row->class,
        .is_conflict = row->is_conflict,
        .tail = fast->is_written ? copy(derive_row_tail(fast->job, row)) : (struct span){0},
    };
    fast->fate_count = number + 1;
}

void derive_fast_note(struct derive_fast *fast, struct span line)
{
    struct json_token tokens[JSON_ROW_FIELDS_MAX];
    const char *next;
    uint64_t key;
    if (!fast->job->has_last)
        return;
    const char *end = line.text + line.size;
    if (!json_row_scan(fast->row, line.text, end, tokens, &next) &&
        (!json_row_learn(fast->row, span_slice(line, 0, line.size - 1)) ||
         !json_row_scan(fast->row, line.text, end, tokens, &next)))
        return;
    if (key_of(fast, tokens, &key) && derivation_table_find(fast->table, key) == NO_INDEX)
        add_fate(fast, key);
}

void derive_fast_settle(struct derive_fast *fast)
{
    for (uint32_t i = 0; i < fast->fate_count; i++) {
        struct fate *fate = &fast->fates[i];
        derive_job_count(fast->job, &fate->derived, fate->stored, fate->class,
                         fate->is_conflict, fate->count);
        fate->count = 0;
    }
}
