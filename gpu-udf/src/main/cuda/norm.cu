// RMSNorm of the residual stream.
//
// rms_norm_{bf16,f16} (NormArgs): output = T(x / sqrt(mean of squares + epsilon) * weight) in activation order, for
//   products; with `gather`, output row i is of input row gather[i]. Rows from the count on are left as they are.
// rms_norm_add (NormAddArgs): residual += x / sqrt(mean of squares + epsilon) * weight, all f32 (norms after a layer).
//
// Shapes: input f32 [row][width], weight f32 [width]; output T, columns padded to 64; padding is not written.
// Launch: grid (rows of the bucket), block 256, no dynamic shared memory; CTAs from the count on leave.
//
// The sum of squares: thread i's columns 2i, 2i + 1, 2i + 512, ... in order with fmaf; a butterfly over a warp's lanes;
// the 8 warps' sums in order. A function of the row and the width alone.
#include "abi.h"
#include "device.cuh"
#include "layout.cuh"

using namespace millrace;

namespace {

constexpr int NORM_THREADS = 256;
constexpr int NORM_WARPS = NORM_THREADS / WARP;

/** 1 / sqrt(mean of squares + epsilon) of a row, in every thread. */
FORCE_INLINE float inverse_root(const float* input, int width, float epsilon) {
    SHARED_ARRAY(float, sums, NORM_WARPS);
    float sum = 0.0f;
    for (int k = 2 * static_cast<int>(threadIdx.x); k < width; k += 2 * NORM_THREADS) {
        sum = fmaf(input[k], input[k], sum);
        if (k + 1 < width) {
            sum = fmaf(input[k + 1], input[k + 1], sum);
        }
    }
    sum = warp_sum(sum);
    if (lane_index() == 0) {
        sums[warp_index()] = sum;
    }
    cta_barrier();
    float total = sums[0];
    for (int warp = 1; warp < NORM_WARPS; warp++) {
        total += sums[warp];
    }
    return 1.0f / sqrtf(total / static_cast<float>(width) + epsilon);
}

template <typename T> FORCE_INLINE void normalise(const NormArgs& args) {
    int row = static_cast<int>(blockIdx.x);
    if (row >= (args.rowCount == COUNT_LOGITS_ROWS ? args.step->logitsRows : args.step->rows)) {
        return;
    }
    int64_t from = args.gather == nullptr ? row : args.gather[row];
    const float* input = args.input + from * args.width;
    float factor = inverse_root(input, args.width, args.epsilon);
    T* output = static_cast<T*>(args.output);
    for (int k = 2 * static_cast<int>(threadIdx.x); k < args.width; k += 2 * NORM_THREADS) {
        int64_t to = activation_index(row, k, args.columns);
        float first = input[k] * factor * args.weight[k];
        if (k + 1 < args.width) {
            *reinterpret_cast<uint32_t*>(output + to) = pack<T>(first, input[k + 1] * factor * args.weight[k + 1]);
        } else {
            output[to] = from_float<T>(first);
        }
    }
}

}  // namespace

KERNEL_BOUNDS(rms_norm_bf16, NormArgs, NORM_THREADS, 4) {
    normalise<bf16>(args);
}

KERNEL_BOUNDS(rms_norm_f16, NormArgs, NORM_THREADS, 4) {
    normalise<f16>(args);
}

KERNEL_BOUNDS(rms_norm_add, NormAddArgs, NORM_THREADS, 4) {
    int row = static_cast<int>(blockIdx.x);
    if (row >= args.step->rows) {
        return;
    }
    const float* input = args.input + static_cast<int64_t>(row) * args.width;
    float factor = inverse_root(input, args.width, args.epsilon);
    float* residual = args.residual + static_cast<int64_t>(row) * args.width;
    for (int k = static_cast<int>(threadIdx.x); k < args.width; k += NORM_THREADS) {
        residual[k] += input[k] * factor * args.weight[k];
    }
}
