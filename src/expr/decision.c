/*
 * decision.c - the tests of a program, and running them.
 *
 * They are read off the finished instructions: a test is a path, then what is asked of it;
 * where its truth leads is found by following it through the NOTs, DECIDEs, JOINs and jumps
 * behind. All of them lead forward, so tests are made in the order of their instructions.
 */
#include "expr/decision.h"

#include "base/ensure.h"
#include "base/limits.h"
#include "base/sort.h"
#include "expr/builtin.h"

enum test_kind {
    TEST_BOOL,   /* it is true */
    TEST_INT,    /* its order to an int is among `orders` */
    TEST_NUMBER, /* the same with any number */
    TEST_ORDER,  /* the same with another field */
    TEST_TEXT,   /* it is one of some short texts */
    TEST_EQUAL,  /* it equals the constant */
    TEST_SAME,   /* it equals another field */
    TEST_IN,     /* an item of the constant list equals it */
    TEST_HAS     /* it is a map with the member that the constant names */
};

/* In place of the next test: what has been decided. */
enum { NEXT_FALSE = UINT16_MAX - 1, NEXT_TRUE };

/* A slot, or what the names lead to from there. */
struct field {
    const struct span *names;
    uint16_t slot;
    uint8_t count;
    bool is_size; /* the size() of what is there */
    bool is_slot; /* it is the slot's own value */
};

struct decision_test {
    uint8_t kind; /* enum test_kind */
    uint8_t orders;
    bool is_not;      /* `next` has been turned round for `!=` */
    uint16_t next[2]; /* behind false and behind true */
    struct field field;
    union {
        struct value constant;
        struct field other;
        struct {
            const struct short_text *texts; /* ascending when there are many */
            uint32_t text_count;
        };
    };
};

/* More costs something, and is left to the program, which counts it. A path of one letter and a
 * constant of one digit are the least that a text of the language has for one test, so all of
 * them stay far below the budget. */
enum { MAP_MAX = 64, TEXT_MAX = 256 };
_Static_assert(EXPRESSION_BYTES_MAX / 2 * (MAP_MAX / 8 + TEXT_MAX / 16) < EXPRESSION_COST_MAX,
               "tests need no budget");

/* Short texts are their size and both their ends as words, which overlap: equal texts have
 * equal ones, others do not, and no byte outside of a text is read. */

enum { SHORT_TEXT_MAX = 16, FEW_TEXTS = 8 };

struct short_text {
    uint64_t size;
    uint64_t ends[2];
};

#define LOAD(bits)                                       \
    static inline uint64_t load_##bits(const char *text) \
    {                                                    \
        uint##bits##_t word;                             \
        memcpy(&word, text, sizeof word);                \
        return word;                                     \
    }
LOAD(16)
LOAD(32)
LOAD(64)
#undef LOAD

static inline struct short_text short_text_of(const char *text, uint32_t size)
{
    if (size >= 8)
        return (struct short_text){size, {load_64(text), load_64(text + size - 8)}};
    if (size >= 4)
        return (struct short_text){size, {load_32(text), load_32(text + size - 4)}};
    if (size >= 2)
        return (struct short_text){size, {load_16(text), load_16(text + size - 2)}};
    return (struct short_text){size, {size == 0 ? 0 : (unsigned char)*text, 0}};
}

static inline int order_words(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int order_texts(const void *left, const void *right)
{
    const struct short_text *a = left;
    const struct short_text *b = right;
    if (a->size != b->size)
        return order_words(a->size, b->size);
    if (a->ends[0] != b->ends[0])
        return order_words(a->ends[0], b->ends[0]);
    return order_words(a->ends[1], b->ends[1]);
}

/* A few are looked at one after the other; of many, which are sorted, one half at a time goes.
 */
static inline bool find_text(const struct short_text *texts, uint32_t count,
                             struct short_text text)
{
    while (count > FEW_TEXTS) {
        uint32_t half = count / 2;
        bool is_behind = order_texts(&texts[half], &text) <= 0;
        texts += is_behind ? half : 0;
        count = is_behind ? count - half : half;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (((texts[i].size ^ text.size) | (texts[i].ends[0] ^ text.ends[0]) |
             (texts[i].ends[1] ^ text.ends[1])) == 0)
            return true;
    }
    return false;
}

/* Running */

static const struct value *find_member(const struct value *map, struct span name)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct value *key = &map->entries[i].key;
        if (key->kind == VALUE_STRING && span_equal_short(value_span(*key), name))
            return &map->entries[i].value;
    }
    return NULL;
}

/* NULL when something on the way is no small map, has no such member, or has no size. Out of
 * line, like all but the common cases, so that those need few registers. */
__attribute__((noinline)) static const struct value *
find_behind(const struct field *field, const struct value *value, struct value *size)
{
    for (uint32_t i = 0; i < field->count && value != NULL; i++) {
        if (value->kind != VALUE_MAP || value->count > MAP_MAX)
            return NULL;
        value = find_member(value, field->names[i]);
    }
    if (!field->is_size || value == NULL)
        return value;
    *size = value_int(value->count);
    return value->kind == VALUE_LIST || value->kind == VALUE_MAP ? size : NULL;
}

static inline const struct value *find_field(const struct field *field,
                                             const struct value *slots, struct value *size)
{
    const struct value *value = &slots[field->slot];
    return field->is_slot ? value : find_behind(field, value, size);
}

static bool is_number(const struct value *value)
{
    return value->kind == VALUE_INT || value->kind == VALUE_UINT || value->kind == VALUE_DOUBLE;
}

static bool is_simple(const struct value *value)
{
    return value->kind == VALUE_NULL || value->kind == VALUE_BOOL || is_number(value) ||
           (value->kind == VALUE_STRING && value->count <= TEXT_MAX);
}

static enum decision compare(const struct value *a, uint32_t orders, const struct value *b)
{
    if (!is_number(a) || !is_number(b))
        return DECISION_OPEN;
    int order = value_compare_numbers(*a, *b);
    return order == 2 ? DECISION_FALSE : orders >> (order + 1) & 1;
}

static enum decision equal(const struct value *a, const struct value *b)
{
    return is_simple(a) && is_simple(b) ? value_equal(*a, *b) : DECISION_OPEN;
}

static enum decision is_in(const struct value *element, const struct value *list)
{
    if (!is_simple(element))
        return DECISION_OPEN;
    for (uint32_t i = 0; i < list->count; i++) {
        if (value_equal(*element, list->items[i]))
            return DECISION_TRUE;
    }
    return DECISION_FALSE;
}

static enum decision has(const struct value *operand, struct span name)
{
    if (operand->kind != VALUE_MAP || operand->count > MAP_MAX)
        return DECISION_OPEN;
    return find_member(operand, name) != NULL;
}

static enum decision run_pair(const struct decision_test *test, const struct value *value,
                              const struct value *slots)
{
    struct value size;
    const struct value *other = find_field(&test->other, slots, &size);
    if (other == NULL)
        return DECISION_OPEN;
    return test->kind == TEST_SAME ? equal(value, other) : compare(value, test->orders, other);
}

__attribute__((noinline)) static enum decision
run_rare(const struct decision_test *test, const struct value *value, const struct value *slots)
{
    switch ((enum test_kind)test->kind) {
    case TEST_BOOL:
        return DECISION_OPEN;
    case TEST_INT:
    case TEST_NUMBER:
        return compare(value, test->orders, &test->constant);
    case TEST_TEXT: /* it is none of them: too long, or of another kind */
        return is_simple(value) ? DECISION_FALSE : DECISION_OPEN;
    case TEST_EQUAL:
        return is_simple(value) ? value_equal(*value, test->constant) : DECISION_OPEN;
    case TEST_ORDER:
    case TEST_SAME:
        return run_pair(test, value, slots);
    case TEST_IN:
        return is_in(value, &test->constant);
    case TEST_HAS:
        return has(value, value_span(test->constant));
    }
    never();
}

static inline enum decision run_test(const struct decision_test *test,
                                     const struct value *value, const struct value *slots)
{
    if (test->kind == TEST_INT && value->kind == VALUE_INT) {
        int64_t a = value->integer;
        int64_t b = test->constant.integer;
        return test->orders >> (1 + (a > b) - (a < b)) & 1;
    }
    if (test->kind == TEST_TEXT && value->kind == VALUE_STRING &&
        value->count <= SHORT_TEXT_MAX)
        return find_text(test->texts, test->text_count,
                         short_text_of(value->text, value->count));
    if (test->kind == TEST_BOOL && value->kind == VALUE_BOOL)
        return value->boolean;
    return run_rare(test, value, slots);
}

enum decision decision_run(const struct decision_test *tests, const struct value *slots)
{
    uint32_t next = 0;
    do {
        struct value size;
        const struct decision_test *test = &tests[next];
        const struct value *value = find_field(&test->field, slots, &size);
        enum decision truth = value == NULL ? DECISION_OPEN : run_test(test, value, slots);
        if (truth == DECISION_OPEN)
            return DECISION_OPEN;
        next = test->next[truth];
    } while (next < NEXT_FALSE);
    return next == NEXT_TRUE;
}

/* Making */

/* Where a truth leads, beside the place of another test. */
enum { PLACE_TRUE = NEXT_TRUE, PLACE_FALSE = NEXT_FALSE, PLACE_NONE = NEXT_FALSE - 1 };

struct making {
    const struct instruction *code;
    const struct value *constants;
    struct arena *arena;
    struct decision_test *tests; /* `next` holds places until all of them are made */
    uint16_t *indexes; /* by instruction: of its test; before, whether one begins there */
    uint32_t count;
};

/* Follows a truth to what needs it. */
static uint32_t follow(const struct making *making, uint32_t at, bool truth)
{
    for (;;) {
        const struct instruction *now = &making->code[at];
        bool is_last = now->code == CODE_JOIN && now->operand == at + 1;
        if (now->code == CODE_NOT) {
            truth = !truth;
            at++;
        } else if (now->code == CODE_DECIDE || now->code == CODE_JOIN) {
            if (truth != (now->index != 0) && !is_last)
                return at + 1;
            at = now->operand;
        } else if (now->code == CODE_BRANCH) {
            return truth ? at + 1 : now->operand;
        } else if (now->code == CODE_JUMP) {
            at = now->operand;
        } else {
            return now->code != CODE_RETURN ? PLACE_NONE : truth ? PLACE_TRUE : PLACE_FALSE;
        }
    }
}

/* A text, or a list of nothing else, as short texts; false when one is too long. */
static bool read_texts(const struct making *making, const struct value *items, uint32_t count,
                       struct decision_test *test)
{
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].kind != VALUE_STRING || items[i].count > SHORT_TEXT_MAX)
            return false;
    }
    struct short_text *texts = arena_new_array(making->arena, count, struct short_text);
    for (uint32_t i = 0; i < count; i++)
        texts[i] = short_text_of(items[i].text, items[i].count);
    if (count > FEW_TEXTS)
        sort_items(texts, count, sizeof *texts, order_texts);
    test->kind = TEST_TEXT;
    test->texts = texts;
    test->text_count = count;
    return true;
}

static bool read_compare(const struct value *constant, uint32_t orders,
                         struct decision_test *test)
{
    test->kind = constant->kind == VALUE_INT ? TEST_INT : TEST_NUMBER;
    test->orders = (uint8_t)orders;
    test->constant = *constant;
    return is_number(constant);
}

static bool read_equal(const struct making *making, const struct value *constant, bool is_not,
                       struct decision_test *test)
{
    test->is_not = is_not;
    if (read_texts(making, constant, 1, test))
        return true;
    test->kind = TEST_EQUAL;
    test->constant = *constant;
    return true;
}

static bool read_in(const struct making *making, const struct value *constant,
                    struct decision_test *test)
{
    if (constant->kind != VALUE_LIST ||
        read_texts(making, constant->items, constant->count, test))
        return constant->kind == VALUE_LIST;
    test->kind = TEST_IN;
    test->constant = *constant;
    return true;
}

/* What an instruction with a constant asks of its operand; false when that is no test. */
static bool read_question(const struct making *making, struct instruction now, uint32_t index,
                          struct decision_test *test)
{
    const struct value *constants = making->constants;
    if (now.code == CODE_COMPARE_CONSTANT || now.code == CODE_COMPARE_SLOT)
        return read_compare(&constants[now.operand], index, test);
    if (now.code == CODE_EQUAL_CONSTANT || now.code == CODE_EQUAL_SLOT)
        return read_equal(making, &constants[now.operand], index != 0, test);
    if (now.code == CODE_IN_CONSTANT || now.code == CODE_IN_SLOT)
        return read_in(making, &constants[now.operand], test);
    if (now.code != CODE_HAS)
        return false;
    test->kind = TEST_HAS;
    test->constant = constants[now.operand];
    return true;
}

/* Whether the instruction takes a truth as such; what is only handed on may be no bool. */
static bool wants_truth(struct instruction now)
{
    return now.code == CODE_NOT || now.code == CODE_DECIDE || now.code == CODE_JOIN ||
           now.code == CODE_BRANCH;
}

static bool is_size(struct instruction now)
{
    return now.code == CODE_CALL && now.count == 1 &&
           span_is(builtin_get(now.operand)->name, "size");
}

/* The field that a SLOT and the SELECTs behind it name; where it ends. */
static uint32_t read_field(const struct making *making, uint32_t at, struct field *field)
{
    uint32_t end = at + 1;
    while (making->code[end].code == CODE_SELECT)
        end++;
    uint32_t count = end - at - 1;
    ensure(count <= EXPRESSION_DEPTH_MAX);
    struct span *names = arena_new_array(making->arena, count, struct span);
    for (uint32_t i = 0; i < count; i++)
        names[i] = value_span(making->constants[making->code[at + 1 + i].operand]);
    field->names = names;
    field->slot = making->code[at].index;
    field->count = (uint8_t)count;
    field->is_size = is_size(making->code[end]);
    field->is_slot = count == 0 && !field->is_size;
    return end + field->is_size;
}

/* A field and another one, up to the operator behind them. */
static uint32_t read_pair(const struct making *making, uint32_t at, struct decision_test *test)
{
    uint32_t end = read_field(making, at, &test->other);
    struct instruction now = making->code[end];
    test->kind = now.code == CODE_COMPARE ? TEST_ORDER : TEST_SAME;
    test->orders = (uint8_t)now.index;
    test->is_not = now.code == CODE_EQUAL && now.index != 0;
    return now.code == CODE_COMPARE || now.code == CODE_EQUAL ? end + 1 : PLACE_NONE;
}

/* The test that begins here; where it ends, or PLACE_NONE. */
static uint32_t read_test(const struct making *making, uint32_t at, struct decision_test *test)
{
    struct instruction now = making->code[at];
    uint32_t index = now.count;
    *test = (struct decision_test){.field = {.slot = now.index, .is_slot = true}};
    if (now.code == CODE_SLOT) {
        at = read_field(making, at, &test->field);
        now = making->code[at];
        index = now.index;
        if (now.code == CODE_SLOT)
            return read_pair(making, at, test);
        if (wants_truth(now))
            return at; /* a TEST_BOOL */
    }
    return read_question(making, now, index, test) ? at + 1 : PLACE_NONE;
}

/* False when it is no test, or its truth is wanted for something else. */
static bool make_test(struct making *making, uint32_t at)
{
    struct decision_test *test = &making->tests[making->count++];
    uint32_t end = read_test(making, at, test);
    if (end == PLACE_NONE)
        return false;
    for (int truth = 0; truth < 2; truth++) {
        uint32_t place = follow(making, end, truth != test->is_not);
        if (place == PLACE_NONE)
            return false;
        test->next[truth] = (uint16_t)place;
        if (place < PLACE_NONE)
            making->indexes[place] = 1;
    }
    return true;
}

static uint32_t count_tests(const struct instruction *code, uint32_t count)
{
    uint32_t tests = 0;
    for (uint32_t i = 0; i < count; i++)
        tests += code[i].code == CODE_SLOT || code[i].code == CODE_COMPARE_SLOT ||
                 code[i].code == CODE_EQUAL_SLOT || code[i].code == CODE_IN_SLOT;
    return tests;
}

const struct decision_test *decision_make(const struct instruction *code, uint32_t count,
                                          const struct value *constants, struct arena *arena)
{
    struct making making = {.code = code, .constants = constants, .arena = arena};
    uint32_t most = count_tests(code, count);
    if (most == 0 || count >= PLACE_NONE)
        return NULL;
    making.tests = arena_new_array(arena, most, struct decision_test);
    making.indexes = arena_new_array(arena, count, uint16_t);
    making.indexes[0] = 1;
    for (uint32_t at = 0; at < count; at++) {
        if (making.indexes[at] == 0)
            continue;
        making.indexes[at] = (uint16_t)making.count;
        if (making.count == most || !make_test(&making, at))
            return NULL;
    }
    for (uint32_t i = 0; i < making.count; i++) {
        for (int truth = 0; truth < 2; truth++) {
            uint16_t *next = &making.tests[i].next[truth];
            ensure(*next >= NEXT_FALSE || making.indexes[*next] > i);
            if (*next < NEXT_FALSE)
                *next = making.indexes[*next];
        }
    }
    return making.tests;
}
