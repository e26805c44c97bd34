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

#ifdef BENCH
#include "bench.h"

namespace {

/** Norms of random rows against a sum in double. */
void check_norms(int rows, int width, bench::Random& random) {
    int columns = (width + UNIT_COLUMNS - 1) / UNIT_COLUMNS * UNIT_COLUMNS;
    std::vector<float> input(static_cast<size_t>(rows) * width);
    std::vector<float> weight(width);
    for (float& value : input) {
        value = bench::bf16_value(random.small(false));
    }
    for (float& value : weight) {
        value = bench::bf16_value(random.small(false));
    }
    bench::DeviceArray<float> deviceInput(input);
    bench::DeviceArray<float> deviceWeight(weight);
    bench::DeviceArray<float> residual(input);
    bench::DeviceArray<uint16_t> output(static_cast<size_t>((rows + 127) / 128 * 128) * columns);
    bench::DeviceArray<StepHeader> step(bench::header(rows, 0));
    output.fill(0);
    NormArgs args{step.data(), deviceInput.data(), deviceWeight.data(), nullptr, output.data(),
                  COUNT_ROWS,  width,              columns,             1e-5f};
    NormAddArgs addArgs{step.data(), deviceInput.data(), deviceWeight.data(), residual.data(), width, 1e-5f};
    bench::launch(rms_norm_bf16, rows + 3, 1, NORM_THREADS, 0, args);
    bench::launch(rms_norm_add, rows + 3, 1, NORM_THREADS, 0, addArgs);
    std::vector<uint16_t> got = output.download();
    std::vector<float> added = residual.download();
    for (int row = 0; row < rows; row++) {
        const float* from = &input[static_cast<size_t>(row) * width];
        double squares = 0;
        for (int k = 0; k < width; k++) {
            squares += static_cast<double>(from[k]) * from[k];
        }
        for (int k = 0; k < width; k++) {
            double expected = from[k] / sqrt(squares / width + 1e-5) * weight[k];
            double value = bench::bf16_value(got[activation_index(row, k, columns)]);
            double sum = added[static_cast<size_t>(row) * width + k] - from[k];
            BENCH_CHECK(fabs(value - expected) <= 0.004 * fabs(expected), "norm (%d, %d): %g, not %g", row, k, value,
                        expected);
            BENCH_CHECK(fabs(sum - expected) <= 1e-5, "norm add (%d, %d): %g, not %g", row, k, sum, expected);
        }
    }
}

void time_norm(int rows, int width) {
    bench::DeviceArray<float> input(static_cast<size_t>(rows) * width);
    bench::DeviceArray<float> weight(width);
    bench::DeviceArray<uint16_t> output(static_cast<size_t>((rows + 127) / 128 * 128) * width);
    bench::DeviceArray<StepHeader> step(bench::header(rows, 0));
    input.fill(0x3c);
    weight.fill(0x3c);
    NormArgs args{step.data(), input.data(), weight.data(), nullptr, output.data(), COUNT_ROWS, width, width, 1e-5f};
    double ms = bench::milliseconds(100, [&](int) { bench::launch(rms_norm_bf16, rows, 1, NORM_THREADS, 0, args); });
    double rate = 6.0 * rows * width / ms / 1e6;
    printf("rms_norm_bf16 %5d rows of %d: %7.1f us %6.0f GB/s %5.1f %% of memory (small ones stay in caches)\n",
           rows, width, ms * 1e3, rate, 100 * rate / bench::memory_limit());
}

}  // namespace

int main(int argumentCount, char** arguments) {
    bool checksOnly = bench::checks_only(argumentCount, arguments);
    bench::Random random{2};
    check_norms(1, 576, random);
    check_norms(9, 601, random);
    check_norms(130, 4096, random);
    for (int rows : {1, 64, 4096, 32768}) {
        if (!checksOnly) {
            time_norm(rows, 4096);
        }
    }
    return bench::result("norm");
}
#endif
