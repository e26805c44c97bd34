// Heads of queries, keys and values: which dims are a pair, how a pair turns, where a head lies in a block.
//
// Rows of query and key heads in a matrix are ordered so that pair p of a head lies in rows g and g + 8 of its strip
// p / 8, g = p % 8: one thread's c0 and c2, or c1 and c3, are a pair.
#pragma once

#include "abi.h"
#include "device.cuh"
#include "layout.cuh"

namespace millrace {

/** The two dims of a head's pair. */
struct PairDims {
    int first;
    int second;
};

/** The dims of pair `pair` of a head of which the first `rotating` dims turn; the others are pairs of neighbours. */
FORCE_INLINE PairDims pair_dims(int pair, int rotating, int rotation) {
    int turning = rotating / 2;
    if (rotation == ROTATION_HALVES && pair < turning) {
        return {pair, pair + turning};
    }
    return {2 * pair, 2 * pair + 1};
}

/** (first, second) turned by the angle of (cosine, sine). */
FORCE_INLINE float2 rotate(float first, float second, float cosine, float sine) {
    return make_float2(first * cosine - second * sine, first * sine + second * cosine);
}

/** The elements of one head's keys (part 0) or values (part 1) in the block of a slot. */
template <typename T>
FORCE_INLINE T* head_in_block(void* kvBlocks, const KvShape& kv, int slot, int part, int kvHead) {
    unsigned char* block = static_cast<unsigned char*>(kvBlocks) + slot / kv.blockTokens * kv.blockBytes;
    return reinterpret_cast<T*>(block) +
           block_index(kv.layer, part, kvHead, kv.kvHeads, kv.headDim, kv.blockTokens);
}

}  // namespace millrace
