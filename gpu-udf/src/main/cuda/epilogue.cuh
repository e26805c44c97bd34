// What a product does with its sums: bias and f32 output, the gate of a feed-forward, or heads into queries and blocks.
//
// Sums arrive as pairs: features 16 strip + g and 16 strip + g + 8 of one row, of which the gate makes one value and
// the rotation two. All of it is a function of the pair and its row alone, the same for decode and prefill.
#pragma once

#include "abi.h"
#include "device.cuh"
#include "heads.cuh"
#include "layout.cuh"

namespace millrace {

constexpr float LOG2_E = 1.44269504f;
constexpr float GELU_SCALE = 0.797884561f;  // sqrt(2 / pi)
constexpr float GELU_CUBIC = 0.044715f;

/** silu(gate) * up or gelu(gate) * up; GELU in its tanh form, as x / (1 + exp(-2 u)). */
FORCE_INLINE float gated(float gate, float up, int activation) {
    float exponent = gate;
    if (activation == ACTIVATION_GELU) {
        exponent = 2.0f * GELU_SCALE * fmaf(GELU_CUBIC * gate * gate, gate, gate);
    }
    return gate / (1.0f + exp2_approx(-exponent * LOG2_E)) * up;
}

/** The sums of features 16 strip + g and 16 strip + g + 8 of one row. */
struct SumPair {
    int row;
    int strip;
    int g;
    float first;
    float second;
};

/** f32 output, stored or added to what is there. */
FORCE_INLINE void finish_floats(const ProductArgs& args, const SumPair& sums) {
    int feature = sums.strip * STRIP_ROWS + sums.g;
    float* to = static_cast<float*>(args.output) + static_cast<int64_t>(sums.row) * args.outputStride + feature;
    bool adds = args.epilogue == EPILOGUE_ADD;
    if (feature < args.outputColumns) {
        to[0] = adds ? to[0] + sums.first : sums.first;
    }
    if (feature + 8 < args.outputColumns) {
        to[8] = adds ? to[8] + sums.second : sums.second;
    }
}

/** One inner value of a feed-forward in activation order. */
template <typename T> FORCE_INLINE void finish_gated(const ProductArgs& args, const SumPair& sums) {
    int inner = sums.strip * 8 + sums.g;
    if (inner < args.innerColumns) {
        static_cast<T*>(args.output)[activation_index(sums.row, inner, args.outputColumns)] =
            from_float<T>(gated(sums.first, sums.second, args.activation));
    }
}

/** Two dims of a query, a key or a value. */
template <typename T> FORCE_INLINE void finish_heads(const ProductArgs& args, const SumPair& sums) {
    int headDim = args.kv.headDim;
    int headStrips = headDim / STRIP_ROWS;
    int head = sums.strip / headStrips;
    int pair = sums.strip % headStrips * 8 + sums.g;
    int kvHead = head - args.queryHeads;
    int slot = args.slots[sums.row];
    if (kvHead >= 0 && slot < 0) {
        return;
    }
    if (kvHead >= args.kv.kvHeads) {
        kvHead -= args.kv.kvHeads;
        if (kvHead < args.kv.kvHeads) {
            int dim = sums.strip % headStrips * STRIP_ROWS + sums.g;
            int token = slot % args.kv.blockTokens;
            T* values = head_in_block<T>(args.kvBlocks, args.kv, slot, 1, kvHead);
            values[value_index(token, dim, headDim)] = finite<T>(sums.first);
            values[value_index(token, dim + 8, headDim)] = finite<T>(sums.second);
        }
        return;
    }
    PairDims dims = pair_dims(pair, args.rotating, args.rotation);
    float2 turned = make_float2(sums.first, sums.second);
    if (pair < args.rotating / 2) {
        const float* angle = args.rotations + static_cast<int64_t>(args.positions[sums.row]) * args.rotating + 2 * pair;
        turned = rotate(sums.first, sums.second, angle[0], angle[1]);
    }
    if (kvHead >= 0) {
        int token = slot % args.kv.blockTokens;
        T* keys = head_in_block<T>(args.kvBlocks, args.kv, slot, 0, kvHead);
        keys[key_index(token, dims.first, headDim)] = finite<T>(turned.x);
        keys[key_index(token, dims.second, headDim)] = finite<T>(turned.y);
    } else {
        T* query = static_cast<T*>(args.output) + (static_cast<int64_t>(sums.row) * args.queryHeads + head) * headDim;
        query[dims.first] = from_float<T>(turned.x);
        query[dims.second] = from_float<T>(turned.y);
    }
}

/** Bias, and what the arguments ask for. */
template <typename T> FORCE_INLINE void finish(const ProductArgs& args, SumPair sums) {
    if (args.bias != nullptr) {
        sums.first += args.bias[sums.strip * STRIP_ROWS + sums.g];
        sums.second += args.bias[sums.strip * STRIP_ROWS + sums.g + 8];
    }
    if (args.epilogue == EPILOGUE_GATED) {
        finish_gated<T>(args, sums);
    } else if (args.epilogue == EPILOGUE_QKV) {
        finish_heads<T>(args, sums);
    } else {
        finish_floats(args, sums);
    }
}

}  // namespace millrace
