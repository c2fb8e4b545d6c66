/*
 * column_kernel.c - the loops over rows and words.
 *
 * Three times the same few loops: in plain C, with AVX2 and with AVX-512. The plain ones are
 * also the ends of the others: what does not fill a vector is left to them.
 */
#include "expr/column_kernel.h"

#include <string.h>

#include "base/ensure.h"

#if defined(__x86_64__)
#define HAS_VECTORS 1
#include <immintrin.h>
#else
#define HAS_VECTORS 0
#endif

/* Plain C */

/* Sets the bits of `count` rows from what `test` says of row i. */
#define EACH_ROW(test)                                                \
    for (size_t word = 0; word * 64 < count; word++) {                \
        size_t end = count - word * 64 < 64 ? count - word * 64 : 64; \
        uint64_t set = 0;                                             \
        for (size_t bit = 0; bit < end; bit++) {                      \
            size_t i = word * 64 + bit;                               \
            set |= (uint64_t)(test) << bit;                           \
        }                                                             \
        bits[word] = set;                                             \
    }

static void one_of_bytes(const uint8_t *data, size_t count, uint64_t *bits)
{
    EACH_ROW(data[i] != 0)
}

static void plain_bytes(const uint8_t *const *data, uint64_t *const *bits, size_t columns,
                        size_t count)
{
    for (size_t i = 0; i < columns; i++)
        one_of_bytes(data[i], count, bits[i]);
}

static void plain_ints(const int64_t *data, size_t count, int64_t low, int64_t high,
                       uint64_t *bits)
{
    EACH_ROW((data[i] >= low) & (data[i] <= high))
}

static void plain_reals(const double *data, size_t count, double low, double high,
                        uint64_t *bits)
{
    EACH_ROW((data[i] >= low) & (data[i] <= high))
}

#define PLAIN_PAIRS                                             \
    if (comparison == COLUMN_LESS) {                            \
        EACH_ROW(left[i] < right[i])                            \
    } else if (comparison == COLUMN_LESS_EQUAL) {               \
        EACH_ROW(left[i] <= right[i])                           \
    } else {                                                    \
        EACH_ROW((left[i] >= right[i]) & (left[i] <= right[i])) \
    }

static void plain_int_pairs(const int64_t *left, const int64_t *right, size_t count,
                            enum column_comparison comparison, uint64_t *bits)
{
    PLAIN_PAIRS
}

static void plain_real_pairs(const double *left, const double *right, size_t count,
                             enum column_comparison comparison, uint64_t *bits)
{
    PLAIN_PAIRS
}

static void plain_codes(const uint32_t *data, size_t count, const uint8_t *table,
                        uint32_t limit, unsigned bit_of_table, uint64_t *bits)
{
    EACH_ROW(table[data[i] < limit ? data[i] : limit] >> bit_of_table & 1)
}

static void plain_and(const uint64_t *a, const uint64_t *b, uint64_t *result)
{
    for (size_t i = 0; i < COLUMN_WORDS; i++)
        result[i] = a[i] & b[i];
}

static void plain_or(const uint64_t *a, const uint64_t *b, uint64_t *result)
{
    for (size_t i = 0; i < COLUMN_WORDS; i++)
        result[i] = a[i] | b[i];
}

static void plain_and_not(const uint64_t *a, const uint64_t *b, uint64_t *result)
{
    for (size_t i = 0; i < COLUMN_WORDS; i++)
        result[i] = a[i] & ~b[i];
}

static const struct column_kernels plain = {
    plain_bytes, plain_ints, plain_reals, plain_int_pairs, plain_real_pairs,
    plain_codes, plain_and,  plain_or,    plain_and_not,
};

#if HAS_VECTORS

/* The rows of whole words, then the rest in plain C. */
#define WHOLE_WORDS (count & ~(size_t)63)

/* AVX2 */

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline uint64_t avx2_word_of_bytes(const uint8_t *data)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i low = _mm256_loadu_si256((const void *)data);
    __m256i high = _mm256_loadu_si256((const void *)(data + 32));
    uint32_t low_zeros = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, zero));
    uint32_t high_zeros = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, zero));
    return ~((uint64_t)high_zeros << 32 | low_zeros);
}

AVX2 static void avx2_bytes(const uint8_t *const *data, uint64_t *const *bits, size_t columns,
                            size_t count)
{
    for (size_t i = 0; i < WHOLE_WORDS; i += 64) {
        for (size_t k = 0; k < columns; k++)
            bits[k][i / 64] = avx2_word_of_bytes(data[k] + i);
    }
    for (size_t k = 0; k < columns; k++)
        one_of_bytes(data[k] + WHOLE_WORDS, count - WHOLE_WORDS, bits[k] + count / 64);
}

/* Four rows of eight bytes to four bits. */
AVX2 static inline uint64_t four_bits(__m256i lanes)
{
    return (uint64_t)(uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(lanes));
}

AVX2 static void avx2_ints(const int64_t *data, size_t count, int64_t low, int64_t high,
                           uint64_t *bits)
{
    const __m256i lows = _mm256_set1_epi64x(low);
    const __m256i highs = _mm256_set1_epi64x(high);
    for (size_t word = 0; word < WHOLE_WORDS / 64; word++) {
        uint64_t outside = 0;
        for (size_t i = 0; i < 64; i += 4) {
            __m256i rows = _mm256_loadu_si256((const void *)(data + word * 64 + i));
            __m256i out = _mm256_or_si256(_mm256_cmpgt_epi64(lows, rows),
                                          _mm256_cmpgt_epi64(rows, highs));
            outside |= four_bits(out) << i;
        }
        bits[word] = ~outside;
    }
    plain_ints(data + WHOLE_WORDS, count - WHOLE_WORDS, low, high, bits + count / 64);
}

AVX2 static void avx2_reals(const double *data, size_t count, double low, double high,
                            uint64_t *bits)
{
    const __m256d lows = _mm256_set1_pd(low);
    const __m256d highs = _mm256_set1_pd(high);
    for (size_t word = 0; word < WHOLE_WORDS / 64; word++) {
        uint64_t inside = 0;
        for (size_t i = 0; i < 64; i += 4) {
            __m256d rows = _mm256_loadu_pd(data + word * 64 + i);
            __m256d in = _mm256_and_pd(_mm256_cmp_pd(rows, lows, _CMP_GE_OQ),
                                       _mm256_cmp_pd(rows, highs, _CMP_LE_OQ));
            inside |= (uint64_t)(uint32_t)_mm256_movemask_pd(in) << i;
        }
        bits[word] = inside;
    }
    plain_reals(data + WHOLE_WORDS, count - WHOLE_WORDS, low, high, bits + count / 64);
}

AVX2 static void avx2_int_pairs(const int64_t *left, const int64_t *right, size_t count,
                                enum column_comparison comparison, uint64_t *bits)
{
    for (size_t word = 0; word < WHOLE_WORDS / 64; word++) {
        uint64_t set = 0;
        for (size_t i = 0; i < 64; i += 4) {
            __m256i a = _mm256_loadu_si256((const void *)(left + word * 64 + i));
            __m256i b = _mm256_loadu_si256((const void *)(right + word * 64 + i));
            __m256i lanes = comparison == COLUMN_LESS         ? _mm256_cmpgt_epi64(b, a)
                            : comparison == COLUMN_LESS_EQUAL ? _mm256_cmpgt_epi64(a, b)
                                                              : _mm256_cmpeq_epi64(a, b);
            set |= four_bits(lanes) << i;
        }
        bits[word] = comparison == COLUMN_LESS_EQUAL ? ~set : set;
    }
    plain_int_pairs(left + WHOLE_WORDS, right + WHOLE_WORDS, count - WHOLE_WORDS, comparison,
                    bits + count / 64);
}

AVX2 static void avx2_real_pairs(const double *left, const double *right, size_t count,
                                 enum column_comparison comparison, uint64_t *bits)
{
    for (size_t word = 0; word < WHOLE_WORDS / 64; word++) {
        uint64_t set = 0;
        for (size_t i = 0; i < 64; i += 4) {
            __m256d a = _mm256_loadu_pd(left + word * 64 + i);
            __m256d b = _mm256_loadu_pd(right + word * 64 + i);
            __m256d lanes = comparison == COLUMN_LESS         ? _mm256_cmp_pd(a, b, _CMP_LT_OQ)
                            : comparison == COLUMN_LESS_EQUAL ? _mm256_cmp_pd(a, b, _CMP_LE_OQ)
                                                              : _mm256_cmp_pd(a, b, _CMP_EQ_OQ);
            set |= (uint64_t)(uint32_t)_mm256_movemask_pd(lanes) << i;
        }
        bits[word] = set;
    }
    plain_real_pairs(left + WHOLE_WORDS, right + WHOLE_WORDS, count - WHOLE_WORDS, comparison,
                     bits + count / 64);
}

/* Reads four bytes for each code: the table has three more behind its end. */
AVX2 static void avx2_codes(const uint32_t *data, size_t count, const uint8_t *table,
                            uint32_t limit, unsigned bit, uint64_t *bits)
{
    const __m256i limits = _mm256_set1_epi32((int)limit);
    const __m128i up = _mm_cvtsi32_si128((int)(31 - bit));
    for (size_t word = 0; word < WHOLE_WORDS / 64; word++) {
        uint64_t set = 0;
        for (size_t i = 0; i < 64; i += 8) {
            __m256i codes = _mm256_loadu_si256((const void *)(data + word * 64 + i));
            codes = _mm256_min_epu32(codes, limits);
            __m256i found = _mm256_i32gather_epi32((const void *)table, codes, 1);
            found = _mm256_sll_epi32(found, up);
            set |= (uint64_t)(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(found)) << i;
        }
        bits[word] = set;
    }
    plain_codes(data + WHOLE_WORDS, count - WHOLE_WORDS, table, limit, bit, bits + count / 64);
}

#define AVX2_WORDS(name, operation)                                               \
    AVX2 static void name(const uint64_t *a, const uint64_t *b, uint64_t *result) \
    {                                                                             \
        for (size_t i = 0; i < COLUMN_WORDS; i += 4) {                            \
            __m256i left = _mm256_loadu_si256((const void *)(a + i));             \
            __m256i right = _mm256_loadu_si256((const void *)(b + i));            \
            _mm256_storeu_si256((void *)(result + i), operation);                 \
        }                                                                         \
    }

AVX2_WORDS(avx2_and, _mm256_and_si256(left, right))
AVX2_WORDS(avx2_or, _mm256_or_si256(left, right))
AVX2_WORDS(avx2_and_not, _mm256_andnot_si256(right, left))

static const struct column_kernels avx2 = {
    avx2_bytes, avx2_ints, avx2_reals, avx2_int_pairs, avx2_real_pairs,
    avx2_codes, avx2_and,  avx2_or,    avx2_and_not,
};

/* AVX-512: comparisons give bits at once. Gathers gain nothing over AVX2. */

#define AVX512 __attribute__((target("avx512f,avx512bw")))

AVX512 static void avx512_bytes(const uint8_t *const *data, uint64_t *const *bits,
                                size_t columns, size_t count)
{
    for (size_t i = 0; i < WHOLE_WORDS; i += 64) {
        for (size_t k = 0; k < columns; k++) {
            __m512i rows = _mm512_loadu_si512((const void *)(data[k] + i));
            bits[k][i / 64] = _mm512_test_epi8_mask(rows, rows);
        }
    }
    for (size_t k = 0; k < columns; k++)
        one_of_bytes(data[k] + WHOLE_WORDS, count - WHOLE_WORDS, bits[k] + count / 64);
}

AVX512 static void avx512_ints(const int64_t *data, size_t count, int64_t low, int64_t high,
                               uint64_t *bits)
{
    const __m512i lows = _mm512_set1_epi64(low);
    const __m512i highs = _mm512_set1_epi64(high);
    for (size_t word = 0; word < WHOLE_WORDS / 64; word++) {
        uint64_t inside = 0;
        for (size_t i = 0; i < 64; i += 8) {
            __m512i rows = _mm512_loadu_si512((const void *)(data + word * 64 + i));
            __mmask8 in =
                _mm512_mask_cmple_epi64_mask(_mm512_cmpge_epi64_mask(rows, lows), rows, highs);
            inside |= (uint64_t)in << i;
        }
        bits[word] = inside;
    }
    plain_ints(data + WHOLE_WORDS, count - WHOLE_WORDS, low, high, bits + count / 64);
}

AVX512 static void avx512_reals(const double *data, size_t count, double low, double high,
                                uint64_t *bits)
{
    const __m512d lows = _mm512_set1_pd(low);
    const __m512d highs = _mm512_set1_pd(high);
    for (size_t word = 0; word < WHOLE_WORDS / 64; word++) {
        uint64_t inside = 0;
        for (size_t i = 0; i < 64; i += 8) {
            __m512d rows = _mm512_loadu_pd(data + word * 64 + i);
            __mmask8 in = _mm512_mask_cmp_pd_mask(_mm512_cmp_pd_mask(rows, lows, _CMP_GE_OQ),
                                                  rows, highs, _CMP_LE_OQ);
            inside |= (uint64_t)in << i;
        }
        bits[word] = inside;
    }
    plain_reals(data + WHOLE_WORDS, count - WHOLE_WORDS, low, high, bits + count / 64);
}

#define AVX512_WORDS(name, operation)                                               \
    AVX512 static void name(const uint64_t *a, const uint64_t *b, uint64_t *result) \
    {                                                                               \
        for (size_t i = 0; i < COLUMN_WORDS; i += 8) {                              \
            __m512i left = _mm512_loadu_si512((const void *)(a + i));               \
            __m512i right = _mm512_loadu_si512((const void *)(b + i));              \
            _mm512_storeu_si512((void *)(result + i), operation);                   \
        }                                                                           \
    }

AVX512_WORDS(avx512_and, _mm512_and_si512(left, right))
AVX512_WORDS(avx512_or, _mm512_or_si512(left, right))
AVX512_WORDS(avx512_and_not, _mm512_andnot_si512(right, left))

static const struct column_kernels avx512 = {
    avx512_bytes, avx512_ints, avx512_reals, avx2_int_pairs, avx2_real_pairs,
    avx2_codes,   avx512_and,  avx512_or,    avx512_and_not,
};

#endif

enum column_level column_best_level(void)
{
#if HAS_VECTORS
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        return COLUMN_AVX512;
    if (__builtin_cpu_supports("avx2"))
        return COLUMN_AVX2;
#endif
    return COLUMN_PORTABLE;
}

const struct column_kernels *column_kernels_of(enum column_level level)
{
    ensure(level <= column_best_level());
#if HAS_VECTORS
    if (level == COLUMN_AVX512)
        return &avx512;
    if (level == COLUMN_AVX2)
        return &avx2;
#endif
    return &plain;
}
