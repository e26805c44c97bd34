// prepare_heads_{bf16,f16}: what happens to queries, keys and values of models with query and key norms before
// attention: RMSNorm of each head, rotation, and storing: queries as T [row][head][dim], keys and values into the
// token's place in its block.
//
// Shapes: input f32 [row][inputStride], Q|K|V features of each head as the product with EPILOGUE_STORE leaves them:
// those of query and key heads in the matrix's own order (pair p of a head in rows 16 (p / 8) + p % 8 and 8
// further), those of value heads in true order. Launch: grid (rows, (query heads + 2 kv heads) / 8 rounded up),
// block 256: a warp has one head of one row. A head's sum of squares is lane i's pairs i, i + 32, ... in order, then
// a butterfly: a function of the row alone.
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

template <typename T>
FORCE_INLINE void store_value(const PrepareHeadsArgs& args, const float* input, int row, int kvHead) {
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

#ifdef BENCH
#include "bench.h"

namespace {

/** Heads that turn by a quarter, with norms of 1: what they become is easily said. */
void run_heads(int rows, int queryHeads, int kvHeads, int headDim, bool timed) {
    int stride = (queryHeads + 2 * kvHeads) * headDim;
    int blockTokens = 32;
    int blocks = (rows + blockTokens - 1) / blockTokens;
    std::vector<float> input(static_cast<size_t>(rows) * stride);
    for (size_t i = 0; i < input.size(); i++) {
        input[i] = static_cast<float>(i * 7 % 13) - 6.0f;
    }
    std::vector<int32_t> positions(rows);
    std::vector<int32_t> slots(rows);
    for (int row = 0; row < rows; row++) {
        positions[row] = row % 64;
        slots[row] = rows - 1 - row;
    }
    std::vector<float> turns(static_cast<size_t>(64) * headDim);
    for (size_t i = 0; i < turns.size(); i += 2) {
        turns[i] = 0.0f;  // a quarter turn: (a, b) becomes (-b, a)
        turns[i + 1] = 1.0f;
    }
    bench::DeviceArray<float> deviceInput(input);
    bench::DeviceArray<float> norm(std::vector<float>(headDim, 1.0f));
    bench::DeviceArray<float> rotations(turns);
    bench::DeviceArray<int32_t> devicePositions(positions);
    bench::DeviceArray<int32_t> deviceSlots(slots);
    int64_t blockElements = 2 * static_cast<int64_t>(kvHeads) * headDim * blockTokens;
    bench::DeviceArray<uint16_t> kv(static_cast<size_t>(blocks) * blockElements);
    bench::DeviceArray<uint16_t> queries(static_cast<size_t>(rows) * queryHeads * headDim);
    bench::DeviceArray<StepHeader> step(bench::header(rows, 0));
    PrepareHeadsArgs args{step.data(), deviceInput.data(), norm.data(), norm.data(), rotations.data(),
                          devicePositions.data(), deviceSlots.data(), queries.data(), kv.data(),
                          {blockElements * 2, 0, kvHeads, headDim, blockTokens}, stride, queryHeads, headDim,
                          ROTATION_INTERLEAVED, 1e-6f, 0};
    int gridY = (queryHeads + 2 * kvHeads + HEADS_WARPS - 1) / HEADS_WARPS;
    if (timed) {
        double ms = bench::milliseconds(
            50, [&](int) { bench::launch(prepare_heads_bf16, rows, gridY, HEADS_WARPS * WARP, 0, args); });
        double rate = 6.0 * rows * stride / ms / 1e6;
        printf("prepare_heads_bf16 %5d rows of %d + 2 x %d heads of %d: %7.1f us %6.0f GB/s %5.1f %% of memory\n", rows,
               queryHeads, kvHeads, headDim, ms * 1e3, rate, 100 * rate / bench::memory_limit());
        return;
    }
    bench::launch(prepare_heads_bf16, rows + 2, gridY, HEADS_WARPS * WARP, 0, args);
    std::vector<uint16_t> gotQueries = queries.download();
    std::vector<uint16_t> gotKv = kv.download();
    for (int row = 0; row < rows; row++) {
        const float* from = &input[static_cast<size_t>(row) * stride];
        double squares = 0;
        for (int i = 0; i < headDim; i++) {
            squares += static_cast<double>(from[i]) * from[i];
        }
        for (int pair = 0; pair < headDim / 2; pair++) {
            double expected = -from[pair / 8 * 16 + pair % 8 + 8] / sqrt(squares / headDim + 1e-6);
            double got = bench::bf16_value(gotQueries[static_cast<size_t>(row) * queryHeads * headDim + 2 * pair]);
            BENCH_CHECK(fabs(got - expected) <= 0.005 * fabs(expected) + 1e-6, "query (%d, %d): %g, not %g", row,
                        2 * pair, got, expected);
        }
        const float* values = from + (queryHeads + kvHeads) * headDim;
        for (int dim = 0; dim < headDim; dim++) {
            int64_t at = slots[row] / blockTokens * blockElements +
                         block_index(0, 1, 0, kvHeads, headDim, blockTokens) +
                         value_index(slots[row] % blockTokens, dim, headDim);
            BENCH_CHECK(bench::bf16_value(gotKv[at]) == values[dim], "value (%d, %d)", row, dim);
        }
    }
}

}  // namespace

int main(int argumentCount, char** arguments) {
    bool checksOnly = bench::checks_only(argumentCount, arguments);
    run_heads(1, 4, 2, 64, false);
    run_heads(77, 16, 8, 128, false);
    run_heads(40, 8, 4, 256, false);
    for (int rows : {1, 64, 4096}) {
        if (!checksOnly) {
            run_heads(rows, 32, 8, 128, true);
        }
    }
    return bench::result("heads");
}
#endif
