// Where an element lies: activations, weights and KV blocks in fragment order. The Java twins of these functions must
// agree.
//
// The tile of one mma (m16n8k16), lane l, g = l / 4, t = l % 4:
//   A (row, k): a0..a7 = (g,2t) (g,2t+1) (g+8,2t) (g+8,2t+1) (g,2t+8) (g,2t+9) (g+8,2t+8) (g+8,2t+9)
//   B (k, n):   b0..b3 = (2t,g) (2t+1,g) (2t+8,g) (2t+9,g)
//   C (row, n): c0..c3 = (g,2t) (g,2t+1) (g+8,2t) (g+8,2t+1)
// All operands are stored so that a lane's elements are 16 contiguous bytes (8 or 16 for packed weights).
#pragma once

#include <stdint.h>

#ifdef __CUDACC__
#define MILLRACE_INDEX __host__ __device__ __forceinline__
#else
#define MILLRACE_INDEX inline
#endif

namespace millrace {

constexpr int STRIP_ROWS = 16;        // weight rows of one tile
constexpr int UNIT_COLUMNS = 64;      // columns are padded to this, and K segments are cut at its multiples
constexpr int SEGMENTS_MAX = 8;       // chains of mma a product is the sum of
constexpr int ROW_PADDING = 128;      // activation buffers hold a multiple of this many rows

/** How a matrix is stored. */
enum WeightFormat : int {
    WEIGHT_16 = 0,  // T: [strip][k/16][lane][8]
    WEIGHT_8 = 1,   // signed bytes: [strip][k/32][lane][16], f16 scales [strip][k/32][16 rows]
    WEIGHT_4 = 2,   // nibbles: [strip][k/32][lane][8 bytes], f16 (scale, minimum) [strip][k/32][16 rows]
};

/** Columns of one segment, by the padded columns alone. The last segment may be shorter, and some may be missing. */
MILLRACE_INDEX int segment_columns(int columns) {
    int units = columns / UNIT_COLUMNS;
    return (units + SEGMENTS_MAX - 1) / SEGMENTS_MAX * UNIT_COLUMNS;
}

/** The place in its fragment (0..7) and the lane of A's element (row, k) of a 16x16 tile: lane * 8 + place. */
MILLRACE_INDEX int fragment_a(int row, int k) {
    int lane = row % 8 * 4 + k % 8 / 2;
    return lane * 8 + k % 2 + row / 8 * 2 + k / 8 * 4;
}

/** The element of row `row`, column `k` in activations of `columns` padded columns: [row/8][k/32][lane][8]. */
MILLRACE_INDEX int64_t activation_index(int row, int k, int columns) {
    int lane = row % 8 * 4 + k % 8 / 2;
    int place = k % 2 + k % 16 / 8 * 2 + k % 32 / 16 * 4;
    return (static_cast<int64_t>(row / 8) * (columns / 32) + k / 32) * 256 + lane * 8 + place;
}

/** The 16-bit element of (row, k) of a matrix of `columns` padded columns in format WEIGHT_16. */
MILLRACE_INDEX int64_t weight16_index(int row, int k, int columns) {
    return (static_cast<int64_t>(row / 16) * (columns / 16) + k / 16) * 256 + fragment_a(row % 16, k % 16);
}

/** The byte of (row, k) in format WEIGHT_8. */
MILLRACE_INDEX int64_t weight8_index(int row, int k, int columns) {
    int within = fragment_a(row % 16, k % 16);
    int64_t tile = static_cast<int64_t>(row / 16) * (columns / 32) + k / 32;
    return tile * 512 + within / 8 * 16 + k % 32 / 16 * 8 + within % 8;
}

/** The byte of (row, k) in format WEIGHT_4; the upper nibble where weight4_upper(k), else the lower. */
MILLRACE_INDEX int64_t weight4_index(int row, int k, int columns) {
    return (static_cast<int64_t>(row / 16) * (columns / 32) + k / 32) * 256 + fragment_a(row % 16, k % 16);
}

MILLRACE_INDEX bool weight4_upper(int k) {
    return k % 32 >= 16;
}

/** The scale (WEIGHT_8), or the pair of scale and minimum (WEIGHT_4), of (row, k). */
MILLRACE_INDEX int64_t scale_index(int row, int k, int columns) {
    return (static_cast<int64_t>(row / 16) * (columns / 32) + k / 32) * 16 + row % 16;
}

/** The element of (token, dim) in the keys of one head of one layer of a block: [token/16][dim/16][lane][8]. */
MILLRACE_INDEX int key_index(int token, int dim, int headDim) {
    int lane = token % 8 * 4 + dim % 8 / 2;
    int place = dim % 2 + dim % 16 / 8 * 2 + token % 16 / 8 * 4;
    return (token / 16 * (headDim / 16) + dim / 16) * 256 + lane * 8 + place;
}

/** The element of (token, dim) in the values of one head of one layer of a block: [token/32][dim/8][lane][8]. */
MILLRACE_INDEX int value_index(int token, int dim, int headDim) {
    int lane = dim % 8 * 4 + token % 8 / 2;
    int place = token % 2 + token % 16 / 8 * 2 + token % 32 / 16 * 4;
    return (token / 32 * (headDim / 8) + dim / 8) * 256 + lane * 8 + place;
}

/** The first element of the keys (part 0) or values (part 1) of a head in a block: [layer][part][kv head][...]. */
MILLRACE_INDEX int64_t block_index(int layer, int part, int kvHead, int kvHeads, int headDim, int blockTokens) {
    return ((static_cast<int64_t>(layer) * 2 + part) * kvHeads + kvHead) * headDim * blockTokens;
}

}  // namespace millrace
