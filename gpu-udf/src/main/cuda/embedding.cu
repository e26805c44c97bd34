// embedding_{bf16,f16}: a token's row of the packed embedding matrix, times a scale, as f32 into the residual stream.
//
// Shapes: tokenIds [row]; matrix vocabulary x width in any WeightFormat (the operand type of the name is that of format
// WEIGHT_16 only); residual f32 [row][width]. Weights of packed formats are not rounded to the operand type here.
// Launch (EmbeddingArgs): grid (rows of the bucket), block 256, no shared memory; CTAs from step->rows on leave.
#include "abi.h"
#include "weights.cuh"

using namespace millrace;

namespace {

constexpr int EMBEDDING_THREADS = 256;

template <typename T> FORCE_INLINE void embed(const EmbeddingArgs& args) {
    int row = static_cast<int>(blockIdx.x);
    if (row >= args.step->rows) {
        return;
    }
    int token = args.tokenIds[row];
    float* to = args.residual + static_cast<int64_t>(row) * args.width;
    for (int k = static_cast<int>(threadIdx.x); k < args.width; k += EMBEDDING_THREADS) {
        to[k] = weight_at<T>(args.weights, args.scales, args.format, token, k, args.columns) * args.scale;
    }
}

}  // namespace

KERNEL_BOUNDS(embedding_bf16, EmbeddingArgs, EMBEDDING_THREADS, 4) {
    embed<bf16>(args);
}

KERNEL_BOUNDS(embedding_f16, EmbeddingArgs, EMBEDDING_THREADS, 4) {
    embed<f16>(args);
}
