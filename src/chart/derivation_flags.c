/*
 * derivation_flags.c - booleans side by side, many records an instruction.
 *
 * k booleans have 2^k records, each derived once: a table of answers. For bytes, the k bytes of
 * a record are put together to its number, which a shuffle looks up for 32 records at once. For
 * bits, each bit of the answer is a boolean function of the k words, written as a diagram of
 * choices ("where paid is set this one, elsewhere that one") in which equal parts are the same
 * node; nodes are computed one after the other over blocks that stay in the first cache.
 */
#include "base/ensure.h"
#include "chart/derivation_columns.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

enum {
    RECORDS_MAX = 1 << DERIVATION_FLAGS_MAX,
    PLANES_MAX = 8, /* seven of the leaf's number, and whether it holds */
    NODES_MAX = PLANES_MAX * RECORDS_MAX,
    BLOCK_WORDS = 64,
    LIVE_MAX = 64, /* nodes whose words are kept */
    LEAVES_MAX = 0x7f,
};

enum { NODE_FALSE, NODE_TRUE, NODE_FIRST };

/* Where `field` is set `then`, elsewhere `otherwise`. */
struct choice {
    uint16_t field;
    uint16_t then;
    uint16_t otherwise;
};

struct derivation_flags {
    uint32_t field_count;
    uint32_t plane_count; /* without holds */
    uint32_t node_count;
    uint16_t roots[PLANES_MAX]; /* of the planes, then of holds */
    uint8_t answers[RECORDS_MAX];
    struct choice nodes[NODES_MAX];
};

/* Tables */

static void fill_answers(const struct derivation *derivation, uint32_t start,
                         struct derivation_flags *flags, struct arena *arena)
{
    struct arena_mark mark = arena_mark(arena);
    struct value *slots =
        arena_new_array(arena, derivation_slot_count(derivation), struct value);
    struct value_entry *entries =
        arena_new_array(arena, derivation->read_count, struct value_entry);
    for (uint32_t number = 0; number < 1u << flags->field_count; number++) {
        for (uint32_t i = 0; i < flags->field_count; i++)
            entries[i] = (struct value_entry){value_string(derivation->fields[i].name),
                                              value_bool(number >> i & 1)};
        derivation_bind(derivation, value_map(entries, flags->field_count), slots, arena);
        struct derived derived = derivation_run(derivation, start, slots, arena);
        flags->answers[number] = (uint8_t)(derived.state | (derived.holds ? 0 : 0x80u));
    }
    arena_rewind(arena, mark);
}

/* A node for a choice, the same one for the same choice; none where there is nothing to choose.
 */
static uint16_t find_node(struct derivation_flags *flags, uint32_t field, uint16_t then,
                          uint16_t otherwise)
{
    if (then == otherwise)
        return then;
    for (uint32_t i = NODE_FIRST; i < flags->node_count; i++) {
        const struct choice *node = &flags->nodes[i];
        if (node->field == field && node->then == then && node->otherwise == otherwise)
            return (uint16_t)i;
    }
    ensure(flags->node_count < NODES_MAX);
    flags->nodes[flags->node_count] = (struct choice){(uint16_t)field, then, otherwise};
    return (uint16_t)flags->node_count++;
}

/* The function of bit `plane` over the records whose fields from `field` on are `number`. */
static uint16_t make_node(struct derivation_flags *flags, uint32_t plane, uint32_t fields_left,
                          uint32_t number)
{
    if (fields_left == 0) {
        bool is_set = flags->answers[number] >> plane & 1;
        return (is_set ? NODE_TRUE : NODE_FALSE);
    }
    uint32_t field = fields_left - 1;
    uint16_t then = make_node(flags, plane, field, number | 1u << field);
    uint16_t otherwise = make_node(flags, plane, field, number);
    return find_node(flags, field, then, otherwise);
}

/* Bit 7 of an answer is set where it does not hold: the other way round than `holds`. */
static uint16_t make_holds(struct derivation_flags *flags)
{
    for (uint32_t i = 0; i < RECORDS_MAX; i++)
        flags->answers[i] ^= 0x80;
    uint16_t root = make_node(flags, 7, flags->field_count, 0);
    for (uint32_t i = 0; i < RECORDS_MAX; i++)
        flags->answers[i] ^= 0x80;
    return root;
}

const struct derivation_flags *derivation_flags_open(const struct derivation *derivation,
                                                     uint32_t start, struct arena *arena)
{
    uint32_t fields = derivation->read_count;
    if (fields == 0 || fields > DERIVATION_FLAGS_MAX || derivation->is_parallel ||
        derivation->leaf_count > LEAVES_MAX)
        return NULL;
    struct derivation_flags *flags = arena_new(arena, struct derivation_flags);
    flags->field_count = fields;
    flags->node_count = NODE_FIRST;
    while (1u << flags->plane_count < derivation->leaf_count)
        flags->plane_count++;
    fill_answers(derivation, start, flags, arena);
    for (uint32_t plane = 0; plane < flags->plane_count; plane++)
        flags->roots[plane] = make_node(flags, plane, fields, 0);
    flags->roots[flags->plane_count] = make_holds(flags);
    return flags->node_count <= LIVE_MAX ? flags : NULL;
}

uint32_t derivation_flags_planes(const struct derivation_flags *flags)
{
    return flags->plane_count;
}

/* Bytes */

static void look_up_bytes(const struct derivation_flags *flags, const uint8_t *const *fields,
                          size_t from, size_t count, uint8_t *states)
{
    for (size_t i = from; i < count; i++) {
        uint32_t number = 0;
        for (uint32_t field = 0; field < flags->field_count; field++)
            number |= (uint32_t)(fields[field][i] & 1) << field;
        states[i] = flags->answers[number];
    }
}

#ifdef __x86_64__
/* The answers to 32 numbers below 32: two shuffles, and bit 4 chooses between them. */
__attribute__((target("avx2"))) static size_t
shuffle_bytes(const struct derivation_flags *flags, const uint8_t *const *fields, size_t count,
              uint8_t *states)
{
    const __m128i *answers = (const __m128i *)(const void *)flags->answers;
    const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128(answers));
    const __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128(answers + 1));
    size_t at = 0;
    for (; at + 32 <= count; at += 32) {
        __m256i number = _mm256_setzero_si256();
        for (uint32_t field = flags->field_count; field-- > 0;) {
            __m256i bytes =
                _mm256_loadu_si256((const __m256i *)(const void *)(fields[field] + at));
            number = _mm256_or_si256(_mm256_add_epi8(number, number), bytes);
        }
        __m256i is_high = _mm256_slli_epi16(number, 3); /* bit 4 to the top of its byte */
        __m256i answer = _mm256_blendv_epi8(_mm256_shuffle_epi8(low, number),
                                            _mm256_shuffle_epi8(high, number), is_high);
        _mm256_storeu_si256((__m256i *)(void *)(states + at), answer);
    }
    return at;
}
#endif

void derivation_flags_bytes(const struct derivation_flags *flags, const uint8_t *const *fields,
                            size_t count, uint8_t *states)
{
    size_t done = 0;
#ifdef __x86_64__
    if (flags->field_count <= 5 && __builtin_cpu_supports("avx2"))
        done = shuffle_bytes(flags, fields, count, states);
#endif
    look_up_bytes(flags, fields, done, count, states);
}

/* Bits */

/* Four words, wherever they are. Without AVX2 the compiler makes two halves of it. */
typedef uint64_t lane __attribute__((vector_size(32), aligned(8), may_alias));

enum { LANE_WORDS = sizeof(lane) / sizeof(uint64_t), BLOCK_LANES = BLOCK_WORDS / LANE_WORDS };

/* The words of all nodes over some records; those of the constants are unused. */
struct block {
    lane words[LIVE_MAX][BLOCK_LANES];
};

#define INLINE static inline __attribute__((always_inline))

#define CHOOSE(expression)                         \
    do {                                           \
        for (uint32_t i = 0; i < BLOCK_LANES; i++) \
            to[i] = (expression);                  \
        return;                                    \
    } while (0)

/* One node over a block. Most have a constant on one side, which need not be read. */
INLINE void choose(const struct choice *node, const lane *field, const lane *then,
                   const lane *otherwise, lane *to)
{
    if (node->then == NODE_TRUE && node->otherwise == NODE_FALSE)
        CHOOSE(field[i]);
    if (node->then == NODE_FALSE && node->otherwise == NODE_TRUE)
        CHOOSE(~field[i]);
    if (node->then == NODE_FALSE)
        CHOOSE(~field[i] & otherwise[i]);
    if (node->otherwise == NODE_FALSE)
        CHOOSE(field[i] & then[i]);
    if (node->then == NODE_TRUE)
        CHOOSE(field[i] | otherwise[i]);
    if (node->otherwise == NODE_TRUE)
        CHOOSE(~field[i] | then[i]);
    CHOOSE((field[i] & then[i]) | (~field[i] & otherwise[i]));
}

INLINE void compute_nodes(const struct derivation_flags *flags, const lane *const *fields,
                          struct block *block)
{
    for (uint32_t i = NODE_FIRST; i < flags->node_count; i++) {
        const struct choice *node = &flags->nodes[i];
        choose(node, fields[node->field], block->words[node->then],
               block->words[node->otherwise], block->words[i]);
    }
}

static void compute_plainly(const struct derivation_flags *flags, const lane *const *fields,
                            struct block *block)
{
    compute_nodes(flags, fields, block);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void compute_wide(const struct derivation_flags *flags,
                                                         const lane *const *fields,
                                                         struct block *block)
{
    compute_nodes(flags, fields, block);
}
#endif

static void compute(const struct derivation_flags *flags, const lane *const *fields,
                    struct block *block)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        compute_wide(flags, fields, block);
        return;
    }
#endif
    compute_plainly(flags, fields, block);
}

static void store(const struct block *block, uint16_t root, uint64_t *to, size_t words)
{
    if (root < NODE_FIRST)
        memset(to, root == NODE_TRUE ? 0xff : 0, words * sizeof *to);
    else
        memcpy(to, block->words[root], words * sizeof *to);
}

/* The last few words are computed in a block that is filled up. */
static void copy_rest(const struct derivation_flags *flags, const uint64_t *const *fields,
                      size_t at, size_t words, lane copies[][BLOCK_LANES], const lane **inputs)
{
    for (uint32_t i = 0; i < flags->field_count; i++) {
        memset(copies[i], 0, sizeof copies[i]);
        memcpy(copies[i], fields[i] + at, words * sizeof *fields[i]);
        inputs[i] = copies[i];
    }
}

void derivation_flags_bits(const struct derivation_flags *flags, const uint64_t *const *fields,
                           size_t words, uint64_t *const *planes, uint64_t *holds)
{
    struct block block;
    lane copies[DERIVATION_FLAGS_MAX][BLOCK_LANES];
    const lane *inputs[DERIVATION_FLAGS_MAX];
    for (size_t at = 0; at < words; at += BLOCK_WORDS) {
        size_t count = words - at < BLOCK_WORDS ? words - at : BLOCK_WORDS;
        for (uint32_t i = 0; i < flags->field_count; i++)
            inputs[i] = (const lane *)(const void *)(fields[i] + at);
        if (count < BLOCK_WORDS)
            copy_rest(flags, fields, at, count, copies, inputs);
        compute(flags, inputs, &block);
        for (uint32_t plane = 0; plane < flags->plane_count; plane++)
            store(&block, flags->roots[plane], planes[plane] + at, count);
        if (holds != NULL)
            store(&block, flags->roots[flags->plane_count], holds + at, count);
    }
}
