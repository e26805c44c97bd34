// attention_prefill_{bf16,f16}_h{head dim}: attention of sequences with many rows. The same bits as decode and
// combine give.
//
// Shapes: query T [row][head][dim]; keys and values in their blocks (layout.cuh); output T in activation order,
// columns head * dim. What is computed is said in attention.cuh. attention_plan says which sequences are prefill's.
//
// Launch: grid (any, kv heads), block prefill_warps(head dim) * 32, dynamic shared memory prefill_shared_bytes(head
// dim). A CTA takes a tile of prefill_pairs(head dim) pairs (rows x heads of the kv head's group) of one sequence,
// then that `gridDim.x` further. A good grid.x is the number of tiles: the sum over prefill's sequences of rows *
// group / pairs, rounded up. Tiles with long contexts first.
//
//   head dim   pairs   warps   ring   shared bytes
//         16     128       8      3          18432
//         32     128       8      3          36864
//         64     128       8      3          73728
//         80     128       8      3          92160
//         96      96       6      3          92160
//        128     128       8      4         163840
//        256      64       4      2         163840
//
// A warp has 16 pairs: 16 x 64 scores, then 16 x head dim outputs in registers. Keys and values come tile by tile
// through a ring of parts in shared memory (64 keys, 64 values, 64 keys, ...), all copied as they lie in the blocks,
// since that is the order of fragments. Queries, and the sums of the splits before the running one, lie in shared
// memory too: each lane reads there only what it wrote.
#include "attention.cuh"

using namespace millrace;

namespace {

constexpr int prefill_warps(int headDim) {
    return headDim > 128 ? 4 : headDim == 96 ? 6 : 8;
}

constexpr int prefill_pairs(int headDim) {
    return prefill_warps(headDim) * TILE_PAIRS;
}

/** Parts of the ring: as many as leave room for two CTAs, where that is possible at all. */
constexpr int prefill_ring(int headDim) {
    return headDim > 128 ? 2 : headDim > 96 ? 4 : 3;
}

constexpr int prefill_ctas(int headDim) {
    return headDim > 96 ? 1 : 2;
}

constexpr int prefill_shared_bytes(int headDim) {
    return prefill_pairs(headDim) * headDim * (2 + 4) + prefill_ring(headDim) * TILE_KEYS * headDim * 2;
}

static_assert(prefill_shared_bytes(64) == 73728 && prefill_shared_bytes(128) == 163840, "as the host computes it");
static_assert(prefill_shared_bytes(256) == 163840, "as the host computes it");

/** The pairs of one CTA: of one sequence and kv head. In shared memory, written by one warp. */
struct PrefillTile {
    Run run;
    HeadBlocks blocks;
    int kvHead;
    int group;
    int firstPair;
    int endPair;
    Span seen;                       // what any of the rows sees
    Span spans[8 * TILE_PAIRS];      // what each pair's row sees; nothing where there is no pair

    FORCE_INLINE bool sees_group(int position) const {
        return position + GROUP_KEYS > seen.from && position < seen.end;
    }
};

/** Fills in a tile; by a whole warp. */
template <int HEAD_DIM, int PAIRS>
FORCE_INLINE void find_tile(const AttentionArgs& args, int index, int kvHead, PrefillTile& tile) {
    PlanView plan{args.plan, args.sequencesMax};
    int sequence = find_sequence(plan.tile_start(), args.step->sequences, index);
    int firstPair = (index - plan.tile_start()[sequence]) * PAIRS;
    int group = args.queryHeads / args.kv.kvHeads;
    Run run = run_of(sequence, args.queryStart, args.contextLengths);
    int endPair = min(firstPair + PAIRS, run.rows * group);
    for (int i = lane_index(); i < PAIRS; i += WARP) {
        int pair = firstPair + i;
        tile.spans[i] = pair < endPair ? run.span(pair / group, args.window) : Span{0, 0};
    }
    if (lane_index() == 0) {
        tile.run = run;
        tile.blocks = head_blocks<HEAD_DIM>(args, sequence, kvHead);
        tile.kvHead = kvHead;
        tile.group = group;
        tile.firstPair = firstPair;
        tile.endPair = endPair;
        tile.seen = {run.span(firstPair / group, args.window).from, run.span((endPair - 1) / group, args.window).end};
    }
}

template <typename T, int HEAD_DIM> struct Prefill {
    static constexpr int THREADS = prefill_warps(HEAD_DIM) * WARP;
    static constexpr int PAIRS = prefill_pairs(HEAD_DIM);
    static constexpr int RING = prefill_ring(HEAD_DIM);
    static constexpr int STEPS = HEAD_DIM / 16;
    static constexpr int COLUMN_TILES = HEAD_DIM / 8;
    static constexpr int PART_BYTES = TILE_KEYS * HEAD_DIM * 2;
    static constexpr int COLUMNS_AT_ONCE = COLUMN_TILES % 4 == 0 ? 4 : 2;
    using Output = float[COLUMN_TILES][4];

    /** The ring, and which part is copied into it next. */
    struct Ring {
        unsigned char* parts;
        const PrefillTile* tile;
        int parted;     // parts copied so far, of parts in all
        int end;
        int copySlot;
        int useSlot;
        uint32_t groups[2];  // of the next part's tile

        FORCE_INLINE int position() const {
            return (tile->seen.from / TILE_KEYS + parted / 2) * TILE_KEYS;
        }

        FORCE_INLINE bool seen(int half) const {
            int position = this->position() + half * GROUP_KEYS;
            return tile->sees_group(position);
        }

        /** Asks early where the next tile lies, so that nobody waits for it when it is copied. */
        FORCE_INLINE void load_groups() {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int position = this->position() + half * GROUP_KEYS;
                groups[half] = parted < end && seen(half) ? tile->blocks.template group<HEAD_DIM>(position) : 0;
            }
        }

        /** Begins to copy the next part, if there is one. What nobody sees becomes zeros. */
        FORCE_INLINE void copy() {
            if (parted < end) {
                int64_t offset = parted % 2 == 0 ? 0 : tile->blocks.valueOffset;
                unsigned char* to = parts + copySlot * PART_BYTES;
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    const unsigned char* from = tile->blocks.keys_of(groups[half]) + offset;
                    for (int i = static_cast<int>(threadIdx.x); i < PART_BYTES / 32; i += THREADS) {
                        copy_async_or_zero(to + half * (PART_BYTES / 2) + i * 16, from + i * 16, seen(half));
                    }
                }
                parted++;
                copySlot = copySlot + 1 == RING ? 0 : copySlot + 1;
                if (parted % 2 == 0) {
                    load_groups();
                }
            }
            copy_commit();
        }

        FORCE_INLINE void begin(unsigned char* memory, const PrefillTile& of) {
            parts = memory;
            tile = &of;
            parted = 0;
            end = 2 * ((of.seen.end - 1) / TILE_KEYS - of.seen.from / TILE_KEYS + 1);
            copySlot = 0;
            useSlot = 0;
            load_groups();
#pragma unroll
            for (int i = 0; i < RING - 1; i++) {
                copy();
            }
        }

        /** The next part to compute with; begins to copy another one into the place of the one before it. */
        FORCE_INLINE const unsigned char* next() {
            copy_wait<RING - 2>();
            cta_barrier();
            copy();
            const unsigned char* part = parts + useSlot * PART_BYTES;
            useSlot = useSlot + 1 == RING ? 0 : useSlot + 1;
            return part;
        }
    };

    static FORCE_INLINE void score(float (&scores)[8][4], const unsigned char* queries, const unsigned char* keys) {
#pragma unroll
        for (int n = 0; n < 8; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                scores[n][i] = 0.0f;
            }
        }
#pragma unroll
        for (int step = 0; step < STEPS; step++) {
            uint4 query = load16(queries + step * WARP * 16 + lane_index() * 16);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                uint4 key = load16(keys + ((i * STEPS + step) * WARP + lane_index()) * 16);
                mma_columns<T>(scores[2 * i], scores[2 * i + 1], query, key);
            }
        }
    }

    static FORCE_INLINE void add_values(Output& output, const uint4 (&weights)[4], const unsigned char* values) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const uint4 low = weights[2 * i];
            const uint4 high = weights[2 * i + 1];
            const uint32_t lowFragment[4] = {low.x, low.y, low.z, low.w};
            const uint32_t highFragment[4] = {high.x, high.y, high.z, high.w};
#pragma unroll
            for (int first = 0; first < COLUMN_TILES; first += COLUMNS_AT_ONCE) {
                uint4 value[COLUMNS_AT_ONCE];
#pragma unroll
                for (int n = 0; n < COLUMNS_AT_ONCE; n++) {
                    value[n] = load16(values + ((i * COLUMN_TILES + first + n) * WARP + lane_index()) * 16);
                    mma<T>(output[first + n], lowFragment, value[n].x, value[n].y);
                }
#pragma unroll
                for (int n = 0; n < COLUMNS_AT_ONCE; n++) {
                    mma<T>(output[first + n], highFragment, value[n].z, value[n].w);
                }
            }
        }
    }

    /** Where the totals of a lane's column tile lie. */
    static FORCE_INLINE float4* total_at(float4* totals, int column) {
        return totals + (warp_index() * COLUMN_TILES + column) * WARP + lane_index();
    }

    static FORCE_INLINE void fold_tile(float (&output)[4], float4 total, const Folding (&folding)[2]) {
        output[0] = fold_output(total.x, output[0], folding[0]);
        output[1] = fold_output(total.y, output[1], folding[0]);
        output[2] = fold_output(total.z, output[2], folding[1]);
        output[3] = fold_output(total.w, output[3], folding[1]);
    }

    /** Adds the split that ended to the splits before it; `first` where there are none. */
    static FORCE_INLINE void fold(float4* totals, bool first, Output& output, const Folding (&folding)[2]) {
        if (first) {
#pragma unroll
            for (int n = 0; n < COLUMN_TILES; n++) {
                fold_tile(output[n], make_float4(0.0f, 0.0f, 0.0f, 0.0f), folding);
            }
        } else {
#pragma unroll
            for (int n = 0; n < COLUMN_TILES; n++) {
                fold_tile(output[n], *total_at(totals, n), folding);
            }
        }
    }

    /** Keeps the total, and begins the next split. */
    static FORCE_INLINE void keep(float4* totals, Output& output) {
#pragma unroll
        for (int n = 0; n < COLUMN_TILES; n++) {
            *total_at(totals, n) = make_float4(output[n][0], output[n][1], output[n][2], output[n][3]);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                output[n][i] = 0.0f;
            }
        }
    }

    static FORCE_INLINE void store(const AttentionArgs& args, const PrefillTile& tile, const Output& output,
                                   const float (&sum)[2]) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int pair = tile.firstPair + warp_index() * TILE_PAIRS + lane_index() / 4 + 8 * half;
            if (pair < tile.endPair) {
                float inverse = 1.0f / sum[half];
                int row = tile.run.firstRow + pair / tile.group;
                int column = (tile.kvHead * tile.group + pair % tile.group) * HEAD_DIM + lane_index() % 4 * 2;
#pragma unroll
                for (int n = 0; n < COLUMN_TILES; n++) {
                    store_output<T>(args, row, column + 8 * n, output[n][2 * half], output[n][2 * half + 1], inverse);
                }
            }
        }
    }

    /** All that the warp's rows see. */
    static FORCE_INLINE void attend(const AttentionArgs& args, const PrefillTile& tile, Ring& ring,
                                    const unsigned char* queries, float4* totals) {
        Output output = {};
        float largest[2] = {NOTHING, NOTHING};
        float sum[2] = {0.0f, 0.0f};
        float totalLargest[2] = {NOTHING, NOTHING};
        float totalSum[2] = {0.0f, 0.0f};
        bool firstSplit = true;
        int lastTile = (tile.seen.end - 1) / TILE_KEYS;
        const Span* spans = tile.spans + warp_index() * TILE_PAIRS;
        int lastPair = min(TILE_PAIRS, tile.endPair - tile.firstPair - warp_index() * TILE_PAIRS) - 1;
        Span warpSeen = {0, 0};  // what any row of the warp sees
        Span warpAll = {0, 0};   // what every row of the warp sees
        if (lastPair >= 0) {
            warpSeen = {spans[0].from, spans[lastPair].end};
            warpAll = {spans[lastPair].from, spans[0].end};
        }
        for (int index = tile.seen.from / TILE_KEYS; index <= lastTile; index++) {
            int tileStart = index * TILE_KEYS;
            bool seen = tileStart < warpSeen.end && tileStart + TILE_KEYS > warpSeen.from;
            const unsigned char* keys = ring.next();
            uint4 weights[4];
            if (seen) {
                float scores[8][4];
                score(scores, queries, keys);
                if (tileStart < warpAll.from || tileStart + TILE_KEYS > warpAll.end) {
                    const Span rows[2] = {spans[lane_index() / 4], spans[lane_index() / 4 + 8]};
                    mask_scores(scores, tileStart, rows);
                }
                float tileLargest[2];
                largest_scores(scores, tileLargest);
                float factor[2];
                float sums[2];
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    float after = fmaxf(largest[half], tileLargest[half]);
                    factor[half] = rescale(largest[half], after, args.scale);
                    largest[half] = after;
                }
                weigh_scores<T>(scores, largest, args.scale, weights, sums);
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    sum[half] = fmaf(sum[half], factor[half], sums[half]);
                }
#pragma unroll
                for (int n = 0; n < COLUMN_TILES; n++) {
#pragma unroll
                    for (int i = 0; i < 4; i++) {
                        output[n][i] = output[n][i] * factor[i / 2];
                    }
                }
            }
            const unsigned char* values = ring.next();
            if (seen) {
                add_values(output, weights, values);
            }
            if (index % SPLIT_TILES == SPLIT_TILES - 1 || index == lastTile) {
                Folding folding[2];
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    folding[half] =
                        fold_sums(totalLargest[half], totalSum[half], largest[half], sum[half], args.scale);
                    largest[half] = NOTHING;
                    sum[half] = 0.0f;
                }
                fold(totals, firstSplit, output, folding);
                if (index < lastTile) {
                    keep(totals, output);
                }
                firstSplit = false;
            }
        }
        store(args, tile, output, totalSum);
    }

    static FORCE_INLINE void run(const AttentionArgs& args, PrefillTile& tile) {
        unsigned char* memory = dynamic_shared();
        unsigned char* queries = memory + RING * PART_BYTES + warp_index() * (TILE_PAIRS * HEAD_DIM * 2);
        float4* totals = reinterpret_cast<float4*>(memory + RING * PART_BYTES + PAIRS * HEAD_DIM * 2);
        int tiles = args.plan->tiles;
        for (int i = static_cast<int>(blockIdx.x); i < tiles; i += static_cast<int>(gridDim.x)) {
            if (warp_index() == 0) {
                find_tile<HEAD_DIM, PAIRS>(args, tiles - 1 - i, static_cast<int>(blockIdx.y), tile);
            }
            cta_barrier();
            Ring ring;
            ring.begin(memory, tile);
            int firstPair = tile.firstPair + warp_index() * TILE_PAIRS;
            for (int step = 0; step < STEPS; step++) {
                uint4 query = load_queries<HEAD_DIM>(args, tile.run, tile.kvHead, tile.group, firstPair, step);
                store16(queries + (step * WARP + lane_index()) * 16, query);
            }
            attend(args, tile, ring, queries, totals);
            cta_barrier();  // the next tile, and its parts, come where others may still read
        }
    }
};

}  // namespace

#define ATTENTION_PREFILL(type, headDim)                                                                       \
    KERNEL_BOUNDS(attention_prefill_##type##_h##headDim, AttentionArgs, prefill_warps(headDim) * WARP, \
                  prefill_ctas(headDim)) {                                                                     \
        SHARED_ARRAY(PrefillTile, tile, 1);                                                                    \
        Prefill<type, headDim>::run(args, *tile);                                                              \
    }

#ifdef BENCH
ATTENTION_PREFILL(bf16, 64)
ATTENTION_PREFILL(bf16, 128)
ATTENTION_PREFILL(f16, 128)
#else
#define ATTENTION_PREFILL_ALL(type) \
    ATTENTION_PREFILL(type, 16)     \
    ATTENTION_PREFILL(type, 32)     \
    ATTENTION_PREFILL(type, 64)     \
    ATTENTION_PREFILL(type, 80)     \
    ATTENTION_PREFILL(type, 96)     \
    ATTENTION_PREFILL(type, 128)    \
    ATTENTION_PREFILL(type, 256)

ATTENTION_PREFILL_ALL(bf16)
ATTENTION_PREFILL_ALL(f16)
#endif

#ifdef BENCH
#define ATTENTION_BENCH_OF_PREFILL
#include "attention_decode.cu"

namespace {

/** A prompt's chunk of `rows` after `before` positions. */
void time_prefill(bench::CudaMachine& machine, const testing::Shape& shape, int before, int rows) {
    int pairs = testing::prefill_pairs_of(shape.headDim);
    int grid = (rows * shape.group + pairs - 1) / pairs;
    testing::AttentionStep step(machine, shape, {{1, before, rows}}, {0, 1, grid}, false);
    step.plan();
    double ms = bench::milliseconds(20, [&](int) { step.prefill(); });
    double positions = 0.5 * rows * (rows + 1.0) + static_cast<double>(rows) * before;
    double rate = 4.0 * positions * shape.heads() * shape.headDim / ms / 1e9;
    printf("prefill %4s h%-3d %2d kv heads x %d, %5d rows after %5d: %8.1f us %6.1f TFLOP/s %5.1f %% of mma\n",
           shape.type.name(), shape.headDim, shape.kvHeads, shape.group, rows, before, ms * 1e3, rate,
           100 * rate / bench::mma_limit());
}

}  // namespace

int main(int argumentCount, char** arguments) {
    bool checksOnly = bench::checks_only(argumentCount, arguments);
    bench::CudaMachine machine;
    add_decode(machine);
    machine.add("attention_prefill_bf16_h64", attention_prefill_bf16_h64);
    machine.add("attention_prefill_bf16_h128", attention_prefill_bf16_h128);
    machine.add("attention_prefill_f16_h128", attention_prefill_f16_h128);
    testing::AttentionChecks checks(machine);
    checks.chunks({{false}, 128, 2, 4, 0, 32}, 1100, {1, 7, 32, 200});
    checks.chunks({{true}, 128, 1, 8, 130, 64}, 1100, {7, 200});
    checks.chunks({{false}, 64, 3, 3, 0, 32}, 1100, {1, 7, 32, 200});
    printf("%d checks: prefill in any chunks and decode agree bit for bit, and with a reference\n", checks.checked());
    bench::failures += checks.failed();
    if (!checksOnly) {
        const testing::Shape demo{{false}, 64, 3, 3, 0, 32};
        const testing::Shape eight{{false}, 128, 8, 4, 0, 32};
        time_prefill(machine, demo, 0, 4096);
        time_prefill(machine, eight, 0, 512);
        time_prefill(machine, eight, 0, 4096);
        time_prefill(machine, eight, 0, 16384);
        time_prefill(machine, eight, 8192, 512);
        time_prefill(machine, {{true}, 128, 8, 4, 0, 64}, 0, 4096);
    }
    return bench::result("attention_prefill");
}
#endif
