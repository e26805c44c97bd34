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

#ifdef BENCH
#include "bench.h"

namespace {

/** Rows of a 16-bit and of a 4-bit matrix of random bytes, against the layout's own functions. */
void check_embeddings(int width, int rows, bench::Random& random) {
    int vocabulary = 64;
    int columns = (width + UNIT_COLUMNS - 1) / UNIT_COLUMNS * UNIT_COLUMNS;
    std::vector<uint16_t> weights(static_cast<size_t>(vocabulary) * columns);
    std::vector<uint16_t> scales(weights.size() / 16);
    std::vector<int32_t> tokens(rows);
    for (uint16_t& bits : weights) {
        bits = random.small(false);
    }
    for (uint16_t& bits : scales) {
        bits = random.small(true);
    }
    for (int32_t& token : tokens) {
        token = random.below(vocabulary);
    }
    bench::DeviceArray<uint16_t> deviceWeights(weights);
    bench::DeviceArray<uint16_t> deviceScales(scales);
    bench::DeviceArray<int32_t> deviceTokens(tokens);
    bench::DeviceArray<float> residual(static_cast<size_t>(rows) * width);
    bench::DeviceArray<StepHeader> step(bench::header(rows, 0));
    for (int format : {WEIGHT_16, WEIGHT_4}) {
        EmbeddingArgs args{step.data(), deviceTokens.data(), deviceWeights.data(), deviceScales.data(), residual.data(),
                           width,       columns,             format,               2.0f};
        bench::launch(embedding_bf16, rows + 2, 1, EMBEDDING_THREADS, 0, args);
        std::vector<float> got = residual.download();
        const unsigned char* bytes = reinterpret_cast<const unsigned char*>(weights.data());
        for (int i = 0; i < rows * width; i++) {
            int token = tokens[i / width];
            int k = i % width;
            float expected = bench::bf16_value(weights[weight16_index(token, k, columns)]);
            if (format == WEIGHT_4) {
                int byte = bytes[weight4_index(token, k, columns)];
                int64_t scale = 2 * scale_index(token, k, columns);
                expected = fmaf(bench::half_value(scales[scale]),
                                static_cast<float>(weight4_upper(k) ? byte >> 4 : byte & 0xf),
                                bench::half_value(scales[scale + 1]));
            }
            BENCH_CHECK(got[i] == 2.0f * expected, "embedding format %d, token %d, column %d", format, token, k);
        }
    }
}

}  // namespace

int main(int argumentCount, char** arguments) {
    bool checksOnly = bench::checks_only(argumentCount, arguments);
    bench::Random random{3};
    check_embeddings(576, 9, random);
    check_embeddings(601, 70, random);
    if (!checksOnly) {
        int rows = 4096;
        int width = 4096;
        bench::DeviceArray<uint16_t> weights(static_cast<size_t>(128256) * width);
        std::vector<int32_t> tokens(rows);
        for (int32_t& token : tokens) {
            token = random.below(128256);
        }
        bench::DeviceArray<int32_t> deviceTokens(tokens);
        bench::DeviceArray<float> residual(static_cast<size_t>(rows) * width);
        bench::DeviceArray<StepHeader> step(bench::header(rows, 0));
        weights.fill(0x11);
        EmbeddingArgs args{step.data(), deviceTokens.data(), weights.data(), nullptr, residual.data(), width, width,
                           WEIGHT_16,   1.0f};
        double ms = bench::milliseconds(
            20, [&](int) { bench::launch(embedding_bf16, rows, 1, EMBEDDING_THREADS, 0, args); });
        double rate = 6.0 * rows * width / ms / 1e6;
        printf("embedding_bf16 %d rows of %d: %.1f us %.0f GB/s, %.1f %% of memory\n", rows, width, ms * 1e3, rate,
               100 * rate / bench::memory_limit());
    }
    return bench::result("embedding");
}
#endif
