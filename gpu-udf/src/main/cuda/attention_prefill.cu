// attention_prefill_{bf16,f16}_h{head dim}: attention of sequences with many rows. The same bits as decode and combine give.
//
// Shapes: query T [row][head][dim]; keys and values in their blocks (layout.cuh); output T in activation order, columns head * dim.
// What is computed is said in attention.cuh. attention_plan says which sequences are prefill's.
//
// Launch: grid (any, kv heads), block prefill_warps(head dim) * 32, dynamic shared memory prefill_shared_bytes(head dim). A CTA takes
// a tile of prefill_pairs(head dim) pairs (rows x heads of the kv head's group) of one sequence, then that `gridDim.x` further. A good
// grid.x is the number of tiles: the sum over prefill's sequences of rows * group / pairs, rounded up. Tiles with long contexts first.
//
//   head dim   pairs   warps   ring   shared bytes
//         16     128       8      4          20480
//         32     128       8      4          40960
//         64     128       8      4          81920
//         80     128       8      4         102400
//         96     128       8      3         110592
//        128     128       8      4         163840
//        256      64       4      2         163840
//
// A warp has 16 pairs: 16 x 64 scores, then 16 x head dim outputs in registers. Keys and values come tile by tile through a ring of
// parts in shared memory (64 keys, 64 values, 64 keys, ...), all copied as they lie in the blocks, since that is the order of
// fragments. Queries, and the sums of the splits before the running one, lie in shared memory too: each lane reads there only what
// it wrote.
#include "attention.cuh"

using namespace millrace;

namespace {

constexpr int prefill_warps(int headDim) {
    return headDim > 128 ? 4 : 8;
}

constexpr int prefill_pairs(int headDim) {
    return prefill_warps(headDim) * TILE_PAIRS;
}

/** Parts of the ring: as many as leave room for two CTAs, where that is possible at all. */
constexpr int prefill_ring(int headDim) {
    return headDim > 128 ? 2 : headDim == 96 ? 3 : 4;
}

constexpr int prefill_ctas(int headDim) {
    return headDim > 96 ? 1 : 2;
}

constexpr int prefill_shared_bytes(int headDim) {
    return prefill_pairs(headDim) * headDim * (2 + 4) + prefill_ring(headDim) * TILE_KEYS * headDim * 2;
}

/** What a CTA, and in it a warp, has before it. */
struct PrefillTile {
    Run run;
    HeadBlocks blocks;
    int kvHead;
    int group;
    int firstPair;  // of the warp
    int pairs;      // of the run
    Span seen;      // what any row of the CTA sees
    Span warpSeen;  // what any row of the warp sees; empty where it has none
    Span warpAll;   // what every row of the warp sees
    Span rows[2];   // what the rows lane / 4 and lane / 4 + 8 see

    FORCE_INLINE int pair(int half) const {
        return firstPair + lane_index() / 4 + 8 * half;
    }
    FORCE_INLINE Span span(int pair, int window) const {
        return run.span(pair / group, window);
    }
};

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
            return position + GROUP_KEYS > tile->seen.from && position < tile->seen.end;
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

    /** Adds the split that ended to the splits before it; `first` where there are none. */
    static FORCE_INLINE void fold(float4* totals, bool first, Output& output, const Folding (&folding)[2]) {
#pragma unroll
        for (int n = 0; n < COLUMN_TILES; n++) {
            float4 total = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
            if (!first) {
                total = *total_at(totals, n);
            }
            output[n][0] = fold_output(total.x, output[n][0], folding[0]);
            output[n][1] = fold_output(total.y, output[n][1], folding[0]);
            output[n][2] = fold_output(total.z, output[n][2], folding[1]);
            output[n][3] = fold_output(total.w, output[n][3], folding[1]);
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
            int pair = tile.pair(half);
            if (pair < tile.pairs) {
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
        for (int index = tile.seen.from / TILE_KEYS; index <= lastTile; index++) {
            int tileStart = index * TILE_KEYS;
            bool seen = tileStart < tile.warpSeen.end && tileStart + TILE_KEYS > tile.warpSeen.from;
            const unsigned char* keys = ring.next();
            uint4 weights[4];
            if (seen) {
                float scores[8][4];
                score(scores, queries, keys);
                if (tileStart < tile.warpAll.from || tileStart + TILE_KEYS > tile.warpAll.end) {
                    mask_scores(scores, tileStart, tile.rows);
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

    static FORCE_INLINE PrefillTile tile_of(const AttentionArgs& args, const PlanView& plan, int index) {
        PrefillTile tile;
        int sequence = find_sequence(plan.tile_start(), args.step->sequences, index);
        int first = (index - plan.tile_start()[sequence]) * PAIRS;
        tile.run = run_of(sequence, args.queryStart, args.contextLengths);
        tile.kvHead = static_cast<int>(blockIdx.y);
        tile.blocks = head_blocks<HEAD_DIM>(args, sequence, tile.kvHead);
        tile.group = args.queryHeads / args.kv.kvHeads;
        tile.pairs = tile.run.rows * tile.group;
        tile.seen = {tile.span(first, args.window).from, tile.span(min(first + PAIRS, tile.pairs) - 1, args.window).end};
        tile.firstPair = first + warp_index() * TILE_PAIRS;
        tile.warpSeen = {0, 0};
        tile.warpAll = {0, 0};
        if (tile.firstPair < tile.pairs) {
            Span top = tile.span(tile.firstPair, args.window);
            Span bottom = tile.span(min(tile.firstPair + TILE_PAIRS, tile.pairs) - 1, args.window);
            tile.warpSeen = {top.from, bottom.end};
            tile.warpAll = {bottom.from, top.end};
        }
        for (int half = 0; half < 2; half++) {
            tile.rows[half] = tile.pair(half) < tile.pairs ? tile.span(tile.pair(half), args.window) : Span{0, 0};
        }
        return tile;
    }

    static FORCE_INLINE void run(const AttentionArgs& args) {
        unsigned char* memory = dynamic_shared();
        unsigned char* queries = memory + RING * PART_BYTES + warp_index() * (TILE_PAIRS * HEAD_DIM * 2);
        float4* totals = reinterpret_cast<float4*>(memory + RING * PART_BYTES + PAIRS * HEAD_DIM * 2);
        PlanView plan{args.plan, args.sequencesMax};
        int tiles = args.plan->tiles;
        for (int i = static_cast<int>(blockIdx.x); i < tiles; i += static_cast<int>(gridDim.x)) {
            PrefillTile tile = tile_of(args, plan, tiles - 1 - i);
            Ring ring;
            ring.begin(memory, tile);
            for (int step = 0; step < STEPS; step++) {
                uint4 query = load_queries<HEAD_DIM>(args, tile.run, tile.kvHead, tile.group, tile.firstPair, step);
                store16(queries + (step * WARP + lane_index()) * 16, query);
            }
            attend(args, tile, ring, queries, totals);
            cta_barrier();  // the next tile's parts come where others may still read
        }
    }
};

}  // namespace

#define ATTENTION_PREFILL(type, headDim)                                                                       \
    KERNEL_BOUNDS(attention_prefill_##type##_h##headDim, AttentionArgs, prefill_warps(headDim) * WARP, \
                  prefill_ctas(headDim)) {                                                                     \
        Prefill<type, headDim>::run(args);                                                                     \
    }

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
