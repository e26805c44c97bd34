// prepare_heads_{bf16,f16}: what happens to queries, keys and values of models with query and key norms before attention: RMSNorm of
// each head, rotation, and storing: queries as T [row][head][dim], keys and values into the token's place in its block.
//
// Shapes: input f32 [row][inputStride], Q|K|V features of each head as the product with EPILOGUE_STORE leaves them: those of query and
// key heads in the matrix's own order (pair p of a head in rows 16 (p / 8) + p % 8 and 8 further), those of value heads in true order.
// Launch: grid (rows, (query heads + 2 kv heads) / 8 rounded up), block 256: a warp has one head of one row. A head's sum of squares
// is lane i's pairs i, i + 32, ... in order, then a butterfly: a function of the row alone.
#include "abi.h"
#include "device.cuh"
#include "layout.cuh"

using namespace millrace;

namespace {

constexpr int HEADS_WARPS = 8;

/** The dims of a head's pair. */
struct PairDims {
    int first;
    int second;
};

FORCE_INLINE PairDims pair_dims(int pair, int rotating, int rotation) {
    int rotated = rotating / 2;
    if (pair >= rotated) {
        return {2 * pair, 2 * pair + 1};  // rotating + 2 (pair - rotated)
    }
    return rotation == ROTATION_HALVES ? PairDims{pair, pair + rotated} : PairDims{2 * pair, 2 * pair + 1};
}

/** The token's block, from where its element indices count. */
template <typename T> FORCE_INLINE T* block_of(const PrepareHeadsArgs& args, int slot) {
    unsigned char* blocks = static_cast<unsigned char*>(args.kvBlocks);
    return reinterpret_cast<T*>(blocks + slot / args.kv.blockTokens * args.kv.blockBytes);
}

/** Norm, rotation and storing of one query or key head. */
template <typename T> FORCE_INLINE void turn_head(const PrepareHeadsArgs& args, const float* input, int row, int head) {
    int headDim = args.kv.headDim;
    bool isKey = head >= args.queryHeads;
    const float* norm = isKey ? args.keyNorm : args.queryNorm;
    float squares = 0.0f;
    for (int pair = lane_index(); pair < headDim / 2; pair += WARP) {
        int at = pair / 8 * 16 + pair % 8;
        squares = fmaf(input[at], input[at], squares);
        squares = fmaf(input[at + 8], input[at + 8], squares);
    }
    float factor = 1.0f / sqrtf(warp_sum(squares) / static_cast<float>(headDim) + args.epsilon);
    int slot = args.slots[row];
    if (isKey && slot < 0) {
        return;
    }
    const float* angles = args.rotations + static_cast<int64_t>(args.positions[row]) * args.rotating;
    for (int pair = lane_index(); pair < headDim / 2; pair += WARP) {
        int at = pair / 8 * 16 + pair % 8;
        PairDims dims = pair_dims(pair, args.rotating, args.rotation);
        float first = input[at] * factor * norm[dims.first];
        float second = input[at + 8] * factor * norm[dims.second];
        if (pair < args.rotating / 2) {
            float cosine = angles[2 * pair];
            float sine = angles[2 * pair + 1];
            float turned = first * cosine - second * sine;
            second = first * sine + second * cosine;
            first = turned;
        }
        if (isKey) {
            T* keys = block_of<T>(args, slot) + block_index(args.kv.layer, 0, head - args.queryHeads, args.kv.kvHeads,
                                                            headDim, args.kv.blockTokens);
            int token = slot % args.kv.blockTokens;
            keys[key_index(token, dims.first, headDim)] = finite<T>(first);
            keys[key_index(token, dims.second, headDim)] = finite<T>(second);
        } else {
            T* query = static_cast<T*>(args.query) + (static_cast<int64_t>(row) * args.queryHeads + head) * headDim;
            query[dims.first] = from_float<T>(first);
            query[dims.second] = from_float<T>(second);
        }
    }
}

template <typename T> FORCE_INLINE void store_value(const PrepareHeadsArgs& args, const float* input, int row, int kvHead) {
    int headDim = args.kv.headDim;
    int slot = args.slots[row];
    if (slot < 0) {
        return;
    }
    T* values = block_of<T>(args, slot) +
                block_index(args.kv.layer, 1, kvHead, args.kv.kvHeads, headDim, args.kv.blockTokens);
    for (int dim = lane_index(); dim < headDim; dim += WARP) {
        values[value_index(slot % args.kv.blockTokens, dim, headDim)] = finite<T>(input[dim]);
    }
}

template <typename T> FORCE_INLINE void prepare_head(const PrepareHeadsArgs& args) {
    int row = static_cast<int>(blockIdx.x);
    int head = static_cast<int>(blockIdx.y) * HEADS_WARPS + warp_index();
    int turned = args.queryHeads + args.kv.kvHeads;
    if (row >= args.step->rows || head >= turned + args.kv.kvHeads) {
        return;
    }
    const float* input = args.input + static_cast<int64_t>(row) * args.inputStride + head * args.kv.headDim;
    if (head < turned) {
        turn_head<T>(args, input, row, head);
    } else {
        store_value<T>(args, input, row, head - turned);
    }
}

}  // namespace

KERNEL_BOUNDS(prepare_heads_bf16, PrepareHeadsArgs, HEADS_WARPS * WARP, 4) {
    prepare_head<bf16>(args);
}

KERNEL_BOUNDS(prepare_heads_f16, PrepareHeadsArgs, HEADS_WARPS * WARP, 4) {
    prepare_head<f16>(args);
}
