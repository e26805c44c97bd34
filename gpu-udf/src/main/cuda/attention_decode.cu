// attention_decode_{bf16,f16}_h{head dim}: attention of sequences with few rows, cut over keys; and
// attention_combine_{bf16,f16}.
//
// Shapes: query T [row][head][dim]; keys and values in their blocks (layout.cuh); output T in activation order,
// columns head * dim. What is computed is said in attention.cuh. The units of work come from attention_plan: 16
// pairs x one split of 512 positions, or 16 pairs x all their splits.
//
// Launch of decode: block 256, no dynamic shared memory, any grid (x only): CTAs take unit x kv head after each
// other, and leave where there are none left. Good grids: units x kv heads of the bucket's usual contexts, but no
// more than some 16 a multiprocessor. Warp w computes the scores of tile w of the split, all from the 16-byte
// fragments in the blocks; the warps tell each other their largest scores, turn scores to weights, leave those in
// shared memory, and each takes head dim / 8 / 8 columns of the output. A unit that is one split of several leaves
// its sums in scratch: partials f32 [slot][head][dim], partialSums f32 [slot][head]{m, l}, slot = slotStart of the
// sequence + row of the run x splits of the sequence + split.
//
// Launch of combine: block 128, grid (any, head count x dim / 4 / 128 rounded up): adds the splits of rows whose
// sums lie in scratch; a thread has 4 dims of one head. May be left out where no context of the step exceeds 512
// positions.
#include "attention.cuh"

using namespace millrace;

namespace {

constexpr int DECODE_WARPS = SPLIT_TILES;
constexpr int COMBINE_AHEAD = 4;

/** A unit of work: 16 pairs of one sequence and kv head, and which splits. In shared memory, written by one warp. */
struct DecodeUnit {
    Run run;
    HeadBlocks blocks;
    int kvHead;
    int group;
    int firstPair;
    Span seen;  // what any of the rows sees
    int firstSplit;
    int endSplit;
    int slot;        // of the first row and split in scratch; below zero: the splits are added up
    int slotStride;  // from row to row
    Span spans[TILE_PAIRS];  // what each pair's row sees; nothing where there is no pair

    FORCE_INLINE int pair(int half) const {
        return firstPair + lane_index() / 4 + 8 * half;
    }
    FORCE_INLINE bool valid(int half) const {
        return pair(half) < run.rows * group;
    }
    FORCE_INLINE bool sees_group(int position) const {
        return position + GROUP_KEYS > seen.from && position < seen.end;
    }
};

/** What the warps of a CTA share. */
struct DecodeShared {
    DecodeUnit* unit;
    uint4* queries;  // [dim / 16][lane]
    uint4* weights;  // [tile][key / 16][lane]
    float* largest;  // [tile][pair]
    float* sums;     // [tile][pair]
};

/** Fills in a unit; by a whole warp. */
template <int HEAD_DIM>
FORCE_INLINE void find_unit(const AttentionArgs& args, int index, int kvHead, DecodeUnit& unit) {
    PlanView plan{args.plan, args.sequencesMax};
    int sequence = find_sequence(plan.unit_start(), args.step->sequences, index);
    int local = index - plan.unit_start()[sequence];
    int slot = plan.slot_start()[sequence];
    bool walks = slot < 0;
    int group = args.queryHeads / args.kv.kvHeads;
    Run run = run_of(sequence, args.queryStart, args.contextLengths);
    int firstSplit = run.span(0, args.window).from / SPLIT_KEYS;
    int splits = (run.firstPosition + run.rows - 1) / SPLIT_KEYS - firstSplit + 1;
    int firstPair = (walks ? local : local / splits) * TILE_PAIRS;
    int pairs = run.rows * group;
    int endPair = min(firstPair + TILE_PAIRS, pairs);
    Span seen = {run.span(firstPair / group, args.window).from, run.span((endPair - 1) / group, args.window).end};
    if (lane_index() < TILE_PAIRS) {
        int pair = firstPair + lane_index();
        unit.spans[lane_index()] = pair < pairs ? run.span(pair / group, args.window) : Span{0, 0};
    }
    if (lane_index() == 0) {
        int first = walks ? seen.from / SPLIT_KEYS : firstSplit + local % splits;
        unit.run = run;
        unit.blocks = head_blocks<HEAD_DIM>(args, sequence, kvHead);
        unit.kvHead = kvHead;
        unit.group = group;
        unit.firstPair = firstPair;
        unit.seen = seen;
        unit.firstSplit = first;
        unit.endSplit = walks ? (seen.end - 1) / SPLIT_KEYS + 1 : first + 1;
        unit.slot = walks ? -1 : slot + local % splits;
        unit.slotStride = splits;
    }
}

template <typename T, int HEAD_DIM> struct Decode {
    static constexpr int STEPS = HEAD_DIM / 16;
    static constexpr int COLUMN_TILES = HEAD_DIM / 8;
    static constexpr int WARP_COLUMN_TILES = (COLUMN_TILES + DECODE_WARPS - 1) / DECODE_WARPS;
    static constexpr int KEY_STEPS_AHEAD = 2;
    static constexpr int VALUE_TILES_AHEAD = WARP_COLUMN_TILES >= 4 ? 1 : 4 / WARP_COLUMN_TILES;
    using Shared = DecodeShared;
    using Output = float[WARP_COLUMN_TILES][4];
    using ValueFragments = uint4[2][WARP_COLUMN_TILES];

    /** Lane i, and lane i + 16, get where the split's group i of 32 positions lies. */
    static FORCE_INLINE uint32_t load_groups(const Shared& shared, int splitStart) {
        int position = splitStart + lane_index() % (SPLIT_KEYS / GROUP_KEYS) * GROUP_KEYS;
        return shared.unit->sees_group(position) ? shared.unit->blocks.template group<HEAD_DIM>(position) : 0;
    }

    /** Keys of all 64 positions of a tile for 16 dims; where nobody sees a group of 32, zeros. */
    static FORCE_INLINE void load_keys(uint4 (&to)[4], const unsigned char* const (&groups)[2], int step) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const unsigned char* from = groups[i / 2] + (i % 2 * STEPS + step) * 512 + lane_index() * 16;
            to[i] = groups[i / 2] != nullptr ? load16_once(from) : make_uint4(0, 0, 0, 0);
        }
    }

    /** The warp's columns of the values of tile `index` of the split. */
    static FORCE_INLINE void load_values(ValueFragments& to, const Shared& shared, int splitStart, uint32_t groups,
                                         int index) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const HeadBlocks& blocks = shared.unit->blocks;
            const unsigned char* group = blocks.keys_of(shuffle(groups, 2 * index + half)) + blocks.valueOffset;
            bool seen = shared.unit->sees_group(splitStart + index * TILE_KEYS + half * GROUP_KEYS);
#pragma unroll
            for (int n = 0; n < WARP_COLUMN_TILES; n++) {
                int column = warp_index() + n * DECODE_WARPS;
                to[half][n] = seen && column < COLUMN_TILES ? load16_once(group + column * 512 + lane_index() * 16)
                                                           : make_uint4(0, 0, 0, 0);
            }
        }
    }

    static FORCE_INLINE void score(float (&scores)[8][4], const Shared& shared, int splitStart,
                                   uint32_t splitGroups) {
        int lane = lane_index();
        const unsigned char* groups[2];
#pragma unroll
        for (int half = 0; half < 2; half++) {
            uint32_t group = shuffle(splitGroups, 2 * warp_index() + half);
            bool seen = shared.unit->sees_group(splitStart + warp_index() * TILE_KEYS + half * GROUP_KEYS);
            groups[half] = seen ? shared.unit->blocks.keys_of(group) : nullptr;
        }
        uint4 keys[KEY_STEPS_AHEAD][4];
#pragma unroll
        for (int step = 0; step < KEY_STEPS_AHEAD && step < STEPS; step++) {
            load_keys(keys[step], groups, step);
        }
#pragma unroll
        for (int step = 0; step < STEPS; step++) {
            uint4 query = shared.queries[step * WARP + lane];
#pragma unroll
            for (int i = 0; i < 4; i++) {
                mma_columns<T>(scores[2 * i], scores[2 * i + 1], query, keys[step % KEY_STEPS_AHEAD][i]);
            }
            if (step + KEY_STEPS_AHEAD < STEPS) {
                load_keys(keys[step % KEY_STEPS_AHEAD], groups, step + KEY_STEPS_AHEAD);
            }
        }
        int tileStart = splitStart + warp_index() * TILE_KEYS;
        const Span spans[2] = {shared.unit->spans[lane / 4], shared.unit->spans[lane / 4 + 8]};
        mask_scores(scores, tileStart, spans);
    }

    /** The largest score of the split's tiles up to `index`, which nobody before it saw if there is none. */
    static FORCE_INLINE float largest_until(const Shared& shared, int index, int pair) {
        float largest = NOTHING;
        for (int i = 0; i <= index; i++) {
            largest = fmaxf(largest, shared.largest[i * TILE_PAIRS + pair]);
        }
        return largest;
    }

    /** One split: sums for the lane's two rows and the warp's columns of the output. */
    static FORCE_INLINE void split(const Shared& shared, int splitStart, float scale, Output& output,
                                   float (&largest)[2], float (&sum)[2]) {
        int lane = lane_index();
        int warp = warp_index();
        uint32_t groups = load_groups(shared, splitStart);
        int firstTile = max(0, shared.unit->seen.from - splitStart) / TILE_KEYS;
        int endTile = min(SPLIT_TILES, (shared.unit->seen.end - splitStart + TILE_KEYS - 1) / TILE_KEYS);
        bool seen = warp >= firstTile && warp < endTile;
        float scores[8][4] = {};
        float tileLargest[2] = {NOTHING, NOTHING};
        if (seen) {
            score(scores, shared, splitStart, groups);
            largest_scores(scores, tileLargest);
        }
        if (lane % 4 == 0) {
            shared.largest[warp * TILE_PAIRS + lane / 4] = tileLargest[0];
            shared.largest[warp * TILE_PAIRS + lane / 4 + 8] = tileLargest[1];
        }
        ValueFragments values[VALUE_TILES_AHEAD];
#pragma unroll
        for (int i = 0; i < VALUE_TILES_AHEAD; i++) {
            load_values(values[i], shared, splitStart, groups, i);
        }
        cta_barrier();
        if (seen) {
            float until[2] = {largest_until(shared, warp, lane / 4), largest_until(shared, warp, lane / 4 + 8)};
            uint4 weights[4];
            float sums[2];
            weigh_scores<T>(scores, until, scale, weights, sums);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                shared.weights[(warp * 4 + i) * WARP + lane] = weights[i];
            }
            if (lane % 4 == 0) {
                shared.sums[warp * TILE_PAIRS + lane / 4] = sums[0];
                shared.sums[warp * TILE_PAIRS + lane / 4 + 8] = sums[1];
            }
        }
        cta_barrier();
#pragma unroll
        for (int i = 0; i < SPLIT_TILES; i++) {
            if (i >= firstTile && i < endTile) {
                add_tile(shared, i, scale, values[i % VALUE_TILES_AHEAD], output, largest, sum);
            }
            if (i + VALUE_TILES_AHEAD < SPLIT_TILES) {
                load_values(values[i % VALUE_TILES_AHEAD], shared, splitStart, groups, i + VALUE_TILES_AHEAD);
            }
        }
    }

    /** Adds a tile's weighted values. */
    static FORCE_INLINE void add_tile(const Shared& shared, int index, float scale, const ValueFragments& values,
                                      Output& output, float (&largest)[2], float (&sum)[2]) {
        int lane = lane_index();
        float factor[2];
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int at = index * TILE_PAIRS + lane / 4 + 8 * half;
            float after = fmaxf(largest[half], shared.largest[at]);
            factor[half] = rescale(largest[half], after, scale);
            sum[half] = fmaf(sum[half], factor[half], shared.sums[at]);
            largest[half] = after;
        }
        uint4 weights[4];
#pragma unroll
        for (int i = 0; i < 4; i++) {
            weights[i] = shared.weights[(index * 4 + i) * WARP + lane];
        }
#pragma unroll
        for (int n = 0; n < WARP_COLUMN_TILES; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                output[n][i] = output[n][i] * factor[i / 2];
            }
        }
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const uint32_t fragment[4] = {weights[i].x, weights[i].y, weights[i].z, weights[i].w};
#pragma unroll
            for (int n = 0; n < WARP_COLUMN_TILES; n++) {
                uint4 value = values[i / 2][n];
                mma<T>(output[n], fragment, i % 2 == 0 ? value.x : value.z, i % 2 == 0 ? value.y : value.w);
            }
        }
    }

    static FORCE_INLINE void store_partial(const AttentionArgs& args, const DecodeUnit& unit, const Output& output,
                                           const float (&largest)[2], const float (&sum)[2]) {
        int lane = lane_index();
#pragma unroll
        for (int half = 0; half < 2; half++) {
            if (!unit.valid(half)) {
                continue;
            }
            int slot = unit.slot + unit.pair(half) / unit.group * unit.slotStride;
            int64_t head =
                static_cast<int64_t>(slot) * args.queryHeads + unit.kvHead * unit.group + unit.pair(half) % unit.group;
            if (warp_index() == 0 && lane % 4 == 0) {
                args.partialSums[head * 2] = largest[half];
                args.partialSums[head * 2 + 1] = sum[half];
            }
#pragma unroll
            for (int n = 0; n < WARP_COLUMN_TILES; n++) {
                int column = warp_index() + n * DECODE_WARPS;
                if (column < COLUMN_TILES) {
                    float* to = args.partials + head * HEAD_DIM + column * 8 + lane % 4 * 2;
                    *reinterpret_cast<float2*>(to) = make_float2(output[n][2 * half], output[n][2 * half + 1]);
                }
            }
        }
    }

    static FORCE_INLINE void store_total(const AttentionArgs& args, const DecodeUnit& unit, const Output& output,
                                         const float (&sum)[2]) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            if (!unit.valid(half)) {
                continue;
            }
            float inverse = 1.0f / sum[half];
            int row = unit.run.firstRow + unit.pair(half) / unit.group;
            int head = unit.kvHead * unit.group + unit.pair(half) % unit.group;
#pragma unroll
            for (int n = 0; n < WARP_COLUMN_TILES; n++) {
                int column = warp_index() + n * DECODE_WARPS;
                if (column < COLUMN_TILES) {
                    store_output<T>(args, row, head * HEAD_DIM + column * 8 + lane_index() % 4 * 2, output[n][2 * half],
                                    output[n][2 * half + 1], inverse);
                }
            }
        }
    }

    /** All splits of the unit in shared memory. Ends at a barrier. */
    static FORCE_INLINE void attend(const AttentionArgs& args, const Shared& shared) {
        const DecodeUnit& unit = *shared.unit;
        Output total = {};
        float totalLargest[2] = {NOTHING, NOTHING};
        float totalSum[2] = {0.0f, 0.0f};
        int endSplit = unit.endSplit;  // kept: after the last barrier the unit is another one
        for (int i = unit.firstSplit; i < endSplit; i++) {
            Output output = {};
            float largest[2] = {NOTHING, NOTHING};
            float sum[2] = {0.0f, 0.0f};
            split(shared, i * SPLIT_KEYS, args.scale, output, largest, sum);
            if (unit.slot >= 0) {
                store_partial(args, unit, output, largest, sum);
            } else {
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    Folding folding =
                        fold_sums(totalLargest[half], totalSum[half], largest[half], sum[half], args.scale);
#pragma unroll
                    for (int n = 0; n < WARP_COLUMN_TILES; n++) {
                        total[n][2 * half] = fold_output(total[n][2 * half], output[n][2 * half], folding);
                        total[n][2 * half + 1] = fold_output(total[n][2 * half + 1], output[n][2 * half + 1], folding);
                    }
                }
                if (i == endSplit - 1) {
                    store_total(args, unit, total, totalSum);
                }
            }
            cta_barrier();  // the next split, or unit, writes to shared memory
        }
    }

    static FORCE_INLINE void run(const AttentionArgs& args, const Shared& shared) {
        int works = args.plan->units * args.kv.kvHeads;
        for (int work = static_cast<int>(blockIdx.x); work < works; work += static_cast<int>(gridDim.x)) {
            DecodeUnit& unit = *shared.unit;
            if (warp_index() == 0) {
                find_unit<HEAD_DIM>(args, work / args.kv.kvHeads, work % args.kv.kvHeads, unit);
            }
            cta_barrier();
            for (int step = warp_index(); step < STEPS; step += DECODE_WARPS) {
                shared.queries[step * WARP + lane_index()] =
                    load_queries<HEAD_DIM>(args, unit.run, unit.kvHead, unit.group, unit.firstPair, step);
            }
            cta_barrier();
            attend(args, shared);
        }
    }
};

template <typename T, int HEAD_DIM> FORCE_INLINE void decode(const AttentionArgs& args) {
    SHARED_ARRAY(DecodeUnit, unit, 1);
    SHARED_ARRAY(uint4, queries, HEAD_DIM / 16 * WARP);
    SHARED_ARRAY(uint4, weights, SPLIT_TILES * 4 * WARP);
    SHARED_ARRAY(float, largest, SPLIT_TILES * TILE_PAIRS);
    SHARED_ARRAY(float, sums, SPLIT_TILES * TILE_PAIRS);
    Decode<T, HEAD_DIM>::run(args, {unit, queries, weights, largest, sums});
}

/** Adds the splits of 4 dims of one head of one row. */
template <typename T>
FORCE_INLINE void combine_dims(const AttentionArgs& args, int row, int slot, int splits, int column) {
    int headDim = args.kv.headDim;
    int head = column / headDim;
    int64_t first = static_cast<int64_t>(slot) * args.queryHeads + head;
    const float* partials = args.partials + first * headDim + column % headDim;
    const float* sums = args.partialSums + first * 2;
    int64_t stride = static_cast<int64_t>(args.queryHeads) * headDim;
    float largest = NOTHING;
    float sum = 0.0f;
    float output[4] = {};
    for (int i = 0; i < splits; i += COMBINE_AHEAD) {
        float4 split[COMBINE_AHEAD];
        float2 splitSums[COMBINE_AHEAD];
#pragma unroll
        for (int j = 0; j < COMBINE_AHEAD; j++) {
            int from = min(i + j, splits - 1);
            split[j] = *reinterpret_cast<const float4*>(partials + from * stride);
            splitSums[j] = *reinterpret_cast<const float2*>(sums + static_cast<int64_t>(from) * args.queryHeads * 2);
        }
#pragma unroll
        for (int j = 0; j < COMBINE_AHEAD; j++) {
            if (i + j < splits) {
                Folding folding = fold_sums(largest, sum, splitSums[j].x, splitSums[j].y, args.scale);
                output[0] = fold_output(output[0], split[j].x, folding);
                output[1] = fold_output(output[1], split[j].y, folding);
                output[2] = fold_output(output[2], split[j].z, folding);
                output[3] = fold_output(output[3], split[j].w, folding);
            }
        }
    }
    float inverse = 1.0f / sum;
    store_output<T>(args, row, column, output[0], output[1], inverse);
    store_output<T>(args, row, column + 2, output[2], output[3], inverse);
}

template <typename T> FORCE_INLINE void combine(const AttentionArgs& args) {
    PlanView plan{args.plan, args.sequencesMax};
    int rows = args.plan->combineRows;
    int column = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x) * 4;
    for (int i = static_cast<int>(blockIdx.x); i < rows; i += static_cast<int>(gridDim.x)) {
        int sequence = find_sequence(plan.combine_start(), args.step->sequences, i);
        int local = i - plan.combine_start()[sequence];
        Run run = run_of(sequence, args.queryStart, args.contextLengths);
        int firstSplit = run.span(0, args.window).from / SPLIT_KEYS;
        int splits = (run.firstPosition + run.rows - 1) / SPLIT_KEYS - firstSplit + 1;
        if (column < args.queryHeads * args.kv.headDim) {
            combine_dims<T>(args, run.firstRow + local, plan.slot_start()[sequence] + local * splits, splits, column);
        }
    }
}

}  // namespace

#define ATTENTION_DECODE(type, headDim)                                                               \
    KERNEL_BOUNDS(attention_decode_##type##_h##headDim, AttentionArgs, DECODE_WARPS * WARP, 2) { \
        decode<type, headDim>(args);                                                                  \
    }

#ifdef BENCH
ATTENTION_DECODE(bf16, 64)
ATTENTION_DECODE(bf16, 128)
ATTENTION_DECODE(f16, 128)
#else
#define ATTENTION_DECODE_ALL(type) \
    ATTENTION_DECODE(type, 16)     \
    ATTENTION_DECODE(type, 32)     \
    ATTENTION_DECODE(type, 64)     \
    ATTENTION_DECODE(type, 80)     \
    ATTENTION_DECODE(type, 96)     \
    ATTENTION_DECODE(type, 128)    \
    ATTENTION_DECODE(type, 256)

ATTENTION_DECODE_ALL(bf16)
ATTENTION_DECODE_ALL(f16)
#endif

KERNEL_BOUNDS(attention_combine_bf16, AttentionArgs, 128, 4) {
    combine<bf16>(args);
}

KERNEL_BOUNDS(attention_combine_f16, AttentionArgs, 128, 4) {
    combine<f16>(args);
}

#ifdef BENCH
#include "attention_bench.h"
#include "attention_plan.cu"

namespace {

void add_decode(bench::CudaMachine& machine) {
    machine.add("attention_plan", attention_plan);
    machine.add("attention_decode_bf16_h64", attention_decode_bf16_h64);
    machine.add("attention_decode_bf16_h128", attention_decode_bf16_h128);
    machine.add("attention_decode_f16_h128", attention_decode_f16_h128);
    machine.add("attention_combine_bf16", attention_combine_bf16);
    machine.add("attention_combine_f16", attention_combine_f16);
}

}  // namespace

#ifndef ATTENTION_BENCH_OF_PREFILL
namespace {

void time_decode(bench::CudaMachine& machine, const testing::Shape& shape, int sequences, int context) {
    int splits = (context + SPLIT_KEYS - 1) / SPLIT_KEYS;
    std::vector<testing::Part> parts;
    for (int i = 0; i < sequences; i++) {
        parts.push_back({static_cast<uint64_t>(i), context - 1, 1});
    }
    int grid = min(sequences * splits * shape.kvHeads, 16 * bench::attribute(cudaDevAttrMultiProcessorCount));
    testing::AttentionStep step(machine, shape, parts, {8, sequences * splits, grid}, false);
    step.plan();
    double ms = bench::milliseconds(50, [&](int) {
        step.decode();
        step.combine();
    });
    double bytes = 4.0 * sequences * context * shape.kvHeads * shape.headDim;
    double rate = bytes / ms / 1e6;
    printf("decode %4s h%-3d %2d kv heads x %d, %3d x %6d positions: %8.1f us %6.0f GB/s %5.1f %% of memory%s\n",
           shape.type.name(), shape.headDim, shape.kvHeads, shape.group, sequences, context, ms * 1e3, rate,
           100 * rate / bench::memory_limit(), bytes < 100e6 ? " (stays in caches)" : "");
}

}  // namespace

int main(int argumentCount, char** arguments) {
    bool checksOnly = bench::checks_only(argumentCount, arguments);
    bench::CudaMachine machine;
    add_decode(machine);
    testing::AttentionChecks checks(machine);
    const std::vector<int> lengths{1, 31, 32, 33, 63, 64, 65, 511, 512, 513, 1100, 8191};
    for (int window : {0, 100}) {
        checks.lengths({{false}, 128, 2, 4, window, 32}, lengths, {8, 100, 7});
        checks.lengths({{true}, 128, 1, 8, window, 64}, lengths, {8, 100, 300});
        checks.lengths({{false}, 64, 3, 3, window, 32}, lengths, {8, 0, 20});
    }
    printf("%d checks of decode against a reference\n", checks.checked());
    bench::failures += checks.failed();
    if (!checksOnly) {
        const testing::Shape demo{{false}, 64, 3, 3, 0, 32};
        const testing::Shape eight{{false}, 128, 8, 4, 0, 32};
        time_decode(machine, demo, 1, 512);
        time_decode(machine, demo, 64, 2048);
        time_decode(machine, eight, 1, 2048);
        time_decode(machine, eight, 1, 8192);
        time_decode(machine, eight, 1, 32768);
        time_decode(machine, eight, 8, 8192);
        time_decode(machine, eight, 32, 2048);
        time_decode(machine, {{true}, 128, 8, 4, 0, 64}, 8, 8192);
    }
    return bench::result("attention_decode");
}
#endif
#endif
