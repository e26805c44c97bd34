// prepare_heads_{bf16,f16}: what happens to queries, keys and values of models with query and key norms before attention: RMSNorm of
// each head, rotation, and storing: queries as T [row][head][dim], keys and values into the token's place in its block.
//
// Shapes: input f32 [row][inputStride], Q|K|V features of each head as the product with EPILOGUE_STORE leaves them: those of query and
// key heads in the matrix's own order (pair p of a head in rows 16 (p / 8) + p % 8 and 8 further), those of value heads in true order.
// Launch: grid (rows, (query heads + 2 kv heads) / 8 rounded up), block 256: a warp has one head of one row. A head's sum of squares
// is lane i's pairs i, i + 32, ... in order, then a butterfly: a function of the row alone.
#include "abi.h"
#include "device.cuh"
#include "heads.cuh"
#include "layout.cuh"

using namespace millrace;

namespace {

constexpr int HEADS_WARPS = 8;

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
        float2 turned = make_float2(first, second);
        if (pair < args.rotating / 2) {
            turned = rotate(first, second, angles[2 * pair], angles[2 * pair + 1]);
        }
        if (isKey) {
            T* keys = head_in_block<T>(args.kvBlocks, args.kv, slot, 0, head - args.queryHeads);
            int token = slot % args.kv.blockTokens;
            keys[key_index(token, dims.first, headDim)] = finite<T>(turned.x);
            keys[key_index(token, dims.second, headDim)] = finite<T>(turned.y);
        } else {
            T* query = static_cast<T*>(args.query) + (static_cast<int64_t>(row) * args.queryHeads + head) * headDim;
            query[dims.first] = from_float<T>(turned.x);
            query[dims.second] = from_float<T>(turned.y);
        }
    }
}

template <typename T> FORCE_INLINE void store_value(const PrepareHeadsArgs& args, const float* input, int row, int kvHead) {
    int headDim = args.kv.headDim;
    int slot = args.slots[row];
    if (slot < 0) {
        return;
    }
    T* values = head_in_block<T>(args.kvBlocks, args.kv, slot, 1, kvHead);
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
