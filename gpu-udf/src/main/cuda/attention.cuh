// What decode, combine and prefill attention share, so that all three give the same bits.
//
// A query row sees the positions from its window's start to its own. Keys are cut from position 0 into tiles of 64
// and splits of 512 positions. For one (row, head):
//   score     = one chain of mma over the head's dims, in rising dims
//   split     : over its tiles in order, with m = -infinity, l = 0, O = 0 before the first
//               m' = max(m, largest score of the tile);  a = 2^((m - m') scale);  p = 2^(score scale - m' scale)
//               l = l a + sum of p (a lane's own columns rising, then lanes xor 1, xor 2)
//               O = O a, then mma of T(p) and V over the tile's keys in rising order;  m = m'
//   row       : over its splits in order, with M = -infinity, L = 0, A = 0 before the first
//               M' = max(M, m);  a = 2^((M - M') scale);  b = 2^((m - M') scale)
//               L = L a + l b;  A = A a + O b;  M = M'
//   output    = A (1 / L), with -0 made +0
// where scale is the model's attention scale times log2 e.
//
// A tile or split that is wholly masked for a row leaves no trace: m' = m, so a = 2^0 = 1, every p is 2^-infinity =
// 0, and the mma adds products that are 0. So it makes no difference which rows share a CTA, nor whether such a tile
// is left out. Two things are relied on. Of the hardware: an mma whose products are all 0 returns its sums unchanged
// (but for the sign of 0, which the last step settles). Of the block pool: values are finite, also where nothing was
// ever written and where a block's last owner left something, since 0 times infinity is no 0; so a pool is zeroed
// when it is allocated and keys and values are stored through finite<T>().
//
// Rows of mma tiles are pairs: pair i of a sequence's run of rows is its row i / group with head i % group of the kv
// head's group.
#pragma once

#include "abi.h"
#include "device.cuh"
#include "layout.cuh"

namespace millrace {

constexpr int TILE_KEYS = 64;
constexpr int SPLIT_TILES = 8;
constexpr int SPLIT_KEYS = TILE_KEYS * SPLIT_TILES;
constexpr int TILE_PAIRS = 16;
constexpr int GROUP_KEYS = 32;  // keys and values of so many tokens of a head lie together, whatever the block's size
constexpr int GROUP_UNIT = 512;  // bytes; blocks are multiples of it
constexpr float NOTHING = -INFINITY;

/** The positions a row sees: from <= position < end. */
struct Span {
    int from;
    int end;
};

FORCE_INLINE Span span_of(int position, int window) {
    return {window > 0 ? max(0, position - window + 1) : 0, position + 1};
}

/** The run of rows of one sequence. */
struct Run {
    int firstRow;
    int rows;
    int firstPosition;  // of the first row; the others follow

    FORCE_INLINE Span span(int row, int window) const {
        return span_of(firstPosition + row, window);
    }
};

FORCE_INLINE Run run_of(int sequence, const int32_t* queryStart, const int32_t* contextLengths) {
    int first = queryStart[sequence];
    int rows = queryStart[sequence + 1] - first;
    return {first, rows, contextLengths[sequence] - rows};
}

/** The arrays of a plan; see AttentionPlan. */
struct PlanView {
    const AttentionPlan* counts;
    int capacity;

    FORCE_INLINE const int32_t* array(int index) const {
        return reinterpret_cast<const int32_t*>(counts + 1) + index * (capacity + 1);
    }
    FORCE_INLINE const int32_t* unit_start() const {
        return array(0);
    }
    FORCE_INLINE const int32_t* tile_start() const {
        return array(1);
    }
    FORCE_INLINE const int32_t* combine_start() const {
        return array(2);
    }
    FORCE_INLINE const int32_t* slot_start() const {
        return array(3);
    }
};

/** The sequence of item `index`, where sequence i has items starts[i] to starts[i + 1]; by a whole warp. */
FORCE_INLINE int find_sequence(const int32_t* starts, int sequences, int index) {
    int before = 0;
    for (int i = lane_index(); i < sequences; i += WARP) {
        before += starts[i + 1] <= index ? 1 : 0;
    }
    for (int mask = WARP / 2; mask > 0; mask >>= 1) {
        before += shuffle_xor(before, mask);
    }
    return before;
}

/** Where the keys and values of one kv head of one sequence lie. */
struct HeadBlocks {
    const unsigned char* keys;  // of this layer and head, in block 0
    const int32_t* table;
    int64_t blockBytes;
    int64_t valueOffset;  // bytes from a group's keys to its values
    int blockTokens;

    /** Where the keys of the 32 positions from `position`, a multiple of 32, lie, in units of 512 bytes. */
    template <int HEAD_DIM> FORCE_INLINE uint32_t group(int position) const {
        int64_t block = table[position / blockTokens];
        return static_cast<uint32_t>(block * blockBytes / GROUP_UNIT) +
               static_cast<uint32_t>(position % blockTokens / GROUP_KEYS * (GROUP_KEYS * HEAD_DIM * 2 / GROUP_UNIT));
    }

    FORCE_INLINE const unsigned char* keys_of(uint32_t group) const {
        return keys + static_cast<uint64_t>(group) * GROUP_UNIT;
    }
};

template <int HEAD_DIM> FORCE_INLINE HeadBlocks head_blocks(const AttentionArgs& args, int sequence, int kvHead) {
    const KvShape& kv = args.kv;
    int64_t keys = block_index(kv.layer, 0, kvHead, kv.kvHeads, HEAD_DIM, kv.blockTokens);
    int64_t values = block_index(kv.layer, 1, kvHead, kv.kvHeads, HEAD_DIM, kv.blockTokens);
    const unsigned char* blocks = static_cast<const unsigned char*>(args.kvBlocks);
    return {blocks + keys * 2, args.blockTables + args.blockTableStart[sequence], kv.blockBytes,
            (values - keys) * 2, kv.blockTokens};
}

/** The lane's part of the queries of 16 pairs for dims 16 step to 16 step + 15; pairs beyond the run are zeros. */
template <int HEAD_DIM>
FORCE_INLINE uint4 load_queries(const AttentionArgs& args, const Run& run, int kvHead, int group, int firstPair,
                                int step) {
    int lane = lane_index();
    const unsigned char* queries = static_cast<const unsigned char*>(args.query);
    uint32_t part[4];
    for (int half = 0; half < 2; half++) {
        int pair = firstPair + lane / 4 + 8 * half;
        bool valid = pair < run.rows * group;
        int64_t row = run.firstRow + pair / group;
        int64_t element = (row * args.queryHeads + kvHead * group + pair % group) * HEAD_DIM + 16 * step + lane % 4 * 2;
        part[half] = valid ? *reinterpret_cast<const uint32_t*>(queries + element * 2) : 0;
        part[half + 2] = valid ? *reinterpret_cast<const uint32_t*>(queries + element * 2 + 16) : 0;
    }
    return make_uint4(part[0], part[1], part[2], part[3]);
}

/** sums += the product of A fragment `a` with both B fragments of `b`, which are of neighbouring columns. */
template <typename T> FORCE_INLINE void mma_columns(float (&left)[4], float (&right)[4], uint4 a, uint4 b) {
    const uint32_t fragment[4] = {a.x, a.y, a.z, a.w};
    mma<T>(left, fragment, b.x, b.y);
    mma<T>(right, fragment, b.z, b.w);
}

/** Makes what a row does not see nothing. `span` of the rows lane / 4 and lane / 4 + 8. */
FORCE_INLINE void mask_scores(float (&scores)[8][4], int tileStart, const Span (&span)[2]) {
    int column = tileStart + lane_index() % 4 * 2;
#pragma unroll
    for (int n = 0; n < 8; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            int position = column + 8 * n + i % 2;
            bool seen = position >= span[i / 2].from && position < span[i / 2].end;
            scores[n][i] = seen ? scores[n][i] : NOTHING;
        }
    }
}

/** The largest score of the tile in each of the lane's two rows. */
FORCE_INLINE void largest_scores(const float (&scores)[8][4], float (&largest)[2]) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float value = NOTHING;
#pragma unroll
        for (int n = 0; n < 8; n++) {
            value = fmaxf(value, fmaxf(scores[n][2 * half], scores[n][2 * half + 1]));
        }
        value = fmaxf(value, shuffle_xor(value, 1));
        largest[half] = fmaxf(value, shuffle_xor(value, 2));
    }
}

/** What sums are multiplied by when the largest score changes. */
FORCE_INLINE float rescale(float before, float after, float scale) {
    return after == NOTHING ? 1.0f : exp2_approx((before - after) * scale);
}

/** Turns scores into weights: as A fragments of T for 16 keys each, and their sums in each of the lane's two rows. */
template <typename T>
FORCE_INLINE void weigh_scores(const float (&scores)[8][4], const float (&largest)[2], float scale, uint4 (&weights)[4],
                               float (&sums)[2]) {
    uint32_t packed[8][2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float base = largest[half] == NOTHING ? 0.0f : largest[half] * scale;
        float sum = 0.0f;
#pragma unroll
        for (int n = 0; n < 8; n++) {
            float first = exp2_approx(fmaf(scores[n][2 * half], scale, -base));
            float second = exp2_approx(fmaf(scores[n][2 * half + 1], scale, -base));
            sum += first;
            sum += second;
            packed[n][half] = pack<T>(first, second);
        }
        sum += shuffle_xor(sum, 1);
        sums[half] = sum + shuffle_xor(sum, 2);
    }
#pragma unroll
    for (int j = 0; j < 4; j++) {
        weights[j] = make_uint4(packed[2 * j][0], packed[2 * j][1], packed[2 * j + 1][0], packed[2 * j + 1][1]);
    }
}

/** What the splits before, and a split, are multiplied by when the split is added. */
struct Folding {
    float before;
    float split;
};

/** Adds a split's largest score and sum to those of the splits before it. */
FORCE_INLINE Folding fold_sums(float& largest, float& sum, float splitLargest, float splitSum, float scale) {
    float after = fmaxf(largest, splitLargest);
    Folding folding{rescale(largest, after, scale), rescale(splitLargest, after, scale)};
    sum = fmaf(splitSum, folding.split, sum * folding.before);
    largest = after;
    return folding;
}

/** Adds an element of a split's output to that of the splits before it. */
FORCE_INLINE float fold_output(float before, float split, Folding folding) {
    return fmaf(split, folding.split, before * folding.before);
}

/** Output elements (row, column) and (row, column + 1), column even, from their sums and 1 / L. */
template <typename T>
FORCE_INLINE void store_output(const AttentionArgs& args, int row, int column, float first, float second,
                               float inverse) {
    uint32_t pair = pack<T>(first * inverse + 0.0f, second * inverse + 0.0f);
    int64_t at = activation_index(row, column, args.outputColumns);
    *reinterpret_cast<uint32_t*>(static_cast<unsigned char*>(args.output) + at * 2) = pair;
}

}  // namespace millrace
