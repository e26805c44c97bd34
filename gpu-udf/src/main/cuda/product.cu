// Products of a packed matrix with the rows of a step: product_{bf16,f16}_w{16,8,4}_{r8,r16,r32,r64,tile}, ProductArgs.
//
// Shapes: weights features x columns in fragment order (layout.cuh), features padded to 16, columns to 64, in format 0
//   (w16), 1 (w8) or 2 (w4); activations T in activation order with a multiple of 128 rows; the output by args.epilogue
//   (abi.h, epilogue.cuh). Rows are step->rows or step->logitsRows; those beyond may hold anything and are not written.
// Launch, block 256 always, CTAs without rows leave:
//   r8, r16:   grid (features / 16,           rows of the bucket / 8 or 16), no dynamic shared memory
//   r32, r64:  grid (features / 32 rounded up, rows of the bucket / 32 or 64), no dynamic shared memory
//   tile:      grid (features / 128 rounded up, rows of the bucket / 128 rounded up), dynamic shared memory
//              131072 bytes (w16), 100352 (w8), 86016 (w4)
// Any of them does any count of rows that its grid covers: r8 to r64 read the weights once for each of their row groups
// and are for decode; tile is for prefill.
//
// One result: an output element is the sum, in order, of at most 8 segments (a function of the columns alone), each a
// chain of mma.m16n8k16 over rising k from zero. r8 to r64 give a warp to each segment, and add the warps' sums through
// shared memory; tile walks the segments and folds its accumulators into a second set at each one's end. So all kernels
// of one T and format give the same bits, at every count of rows.
//
// Why no wgmma: it is another instruction, with another order of additions inside, and needs 64 rows where decode has a
// few. Decode with mma and prefill with wgmma would differ in last bits, and a turn's tokens with the batch it was in.
//
// r8 to r64 load weights straight from global memory, 16 bytes a lane (8 in format 2), a batch of tiles ahead of their
// use; activations come from the caches. tile keeps 4 stages of 64 columns under way with cp.async. Packed formats
// become operands between load and mma, in both.
#include "abi.h"
#include "epilogue.cuh"
#include "weights.cuh"

using namespace millrace;

namespace {

constexpr int PRODUCT_THREADS = 256;
constexpr int PARTIAL_STRIDE = 20;  // floats from row to row of a strip's sums: lanes (g, t) meet no bank twice

FORCE_INLINE int count_rows(const ProductArgs& args) {
    return args.rowCount == COUNT_LOGITS_ROWS ? args.step->logitsRows : args.step->rows;
}

// ---- decode: a warp a segment ----

/** The weights of a few tiles of 32 columns, of neighbouring strips, on their way. */
template <typename T, int FORMAT, int STRIPS, int TILES> struct Batch {
    Packed<T, FORMAT> packed[TILES][STRIPS];

    /** Tiles from `tile` on, but for those from `end` on; the strips' weights and scales begin at their first tiles. */
    FORCE_INLINE void load(const unsigned char* const (&weights)[STRIPS], const unsigned char* const (&scales)[STRIPS],
                           int tile, int end) {
#pragma unroll
        for (int i = 0; i < TILES; i++) {
            if (tile + i < end) {
#pragma unroll
                for (int s = 0; s < STRIPS; s++) {
                    packed[i][s].template load<FROM_GLOBAL>(weights[s] + (tile + i) * tile_bytes(FORMAT),
                                                            scales[s] + (tile + i) * tile_scale_bytes(FORMAT));
                }
            }
        }
    }
};

/** Adds this warp's segment to `sums`: tiles of 32 columns from `begin` to `end`. */
template <typename T, int FORMAT, int GROUPS, int STRIPS>
FORCE_INLINE void sum_segment(const ProductArgs& args, int firstRow, int firstStrip, int begin, int end,
                              float (&sums)[STRIPS][GROUPS][4]) {
    constexpr int TILES = FORMAT == WEIGHT_16 || STRIPS > 1 ? 2 : 4;
    int columnTiles = args.columns / 32;
    const unsigned char* weights[STRIPS];
    const unsigned char* scales[STRIPS];
#pragma unroll
    for (int s = 0; s < STRIPS; s++) {
        int64_t tile = static_cast<int64_t>(min(firstStrip + s, args.features / STRIP_ROWS - 1)) * columnTiles;
        weights[s] = Packed<T, FORMAT>::lane_quants(args.weights) + tile * tile_bytes(FORMAT);
        scales[s] = Packed<T, FORMAT>::lane_scales(args.scales) + tile * tile_scale_bytes(FORMAT);
    }
    const unsigned char* activations = static_cast<const unsigned char*>(args.activations) +
                                       (static_cast<int64_t>(firstRow / 8) * columnTiles + begin) * 512 +
                                       lane_index() * 16;
    int groupBytes = columnTiles * 512;
    Batch<T, FORMAT, STRIPS, TILES> next;
    next.load(weights, scales, begin, end);
    for (int tile = begin; tile < end; tile += TILES) {
        Batch<T, FORMAT, STRIPS, TILES> batch = next;
        next.load(weights, scales, tile + TILES, end);
#pragma unroll
        for (int i = 0; i < TILES; i++) {
            if (tile + i >= end) {
                break;
            }
            uint32_t a[STRIPS][2][4];
#pragma unroll
            for (int s = 0; s < STRIPS; s++) {
                batch.packed[i][s].fragment(0, a[s][0]);
                batch.packed[i][s].fragment(1, a[s][1]);
            }
#pragma unroll
            for (int group = 0; group < GROUPS; group++) {
                uint4 b = load16(activations + group * groupBytes);
#pragma unroll
                for (int s = 0; s < STRIPS; s++) {
                    mma<T>(sums[s][group], a[s][0], b.x, b.y);
                    mma<T>(sums[s][group], a[s][1], b.z, b.w);
                }
            }
            activations += 512;
        }
    }
}

template <typename T, int FORMAT, int ROWS, int STRIPS> FORCE_INLINE void product_rows(const ProductArgs& args) {
    constexpr int GROUPS = ROWS / 8;
    constexpr int WARP_FLOATS = ROWS * PARTIAL_STRIDE;
    SHARED_ARRAY(float, partials, SEGMENTS_MAX * WARP_FLOATS);
    int rows = count_rows(args);
    int firstRow = static_cast<int>(blockIdx.y) * ROWS;
    if (firstRow >= rows) {
        return;
    }
    int firstStrip = static_cast<int>(blockIdx.x) * STRIPS;
    int segmentTiles = segment_columns(args.columns) / 32;
    int columnTiles = args.columns / 32;
    int warp = warp_index();
    int begin = min(warp * segmentTiles, columnTiles);
    int end = min(begin + segmentTiles, columnTiles);
    float sums[STRIPS][GROUPS][4] = {};
    sum_segment<T, FORMAT, GROUPS, STRIPS>(args, firstRow, firstStrip, begin, end, sums);

    int segments = (columnTiles + segmentTiles - 1) / segmentTiles;
    int g = lane_index() / 4;
    int t = lane_index() % 4;
#pragma unroll
    for (int s = 0; s < STRIPS; s++) {
        if (s > 0) {
            cta_barrier();
        }
        if (begin < end) {
#pragma unroll
            for (int group = 0; group < GROUPS; group++) {
                float* to = partials + warp * WARP_FLOATS + (group * 8 + 2 * t) * PARTIAL_STRIDE + g;
                to[0] = sums[s][group][0];
                to[PARTIAL_STRIDE] = sums[s][group][1];
                to[8] = sums[s][group][2];
                to[PARTIAL_STRIDE + 8] = sums[s][group][3];
            }
        }
        cta_barrier();
        int strip = firstStrip + s;
        for (int i = static_cast<int>(threadIdx.x); i < ROWS * 8; i += PRODUCT_THREADS) {
            SumPair pair{firstRow + i / 8, strip, i % 8, 0.0f, 0.0f};
            const float* from = partials + i / 8 * PARTIAL_STRIDE + i % 8;
            for (int segment = 0; segment < segments; segment++) {
                pair.first += from[segment * WARP_FLOATS];
                pair.second += from[segment * WARP_FLOATS + 8];
            }
            if (pair.row < rows && strip < args.features / STRIP_ROWS) {
                finish<T>(args, pair);
            }
        }
    }
}

// ---- prefill: a tile of 128 features x 128 rows ----

constexpr int TILE_STRIPS = 8;
constexpr int TILE_GROUPS = 16;
constexpr int TILE_ROWS = TILE_GROUPS * 8;
constexpr int STAGES = 4;
constexpr int WARP_STRIPS = 2;        // a warp's part: 32 features x 64 rows
constexpr int WARP_GROUPS = 8;
constexpr int RASTER_ROW_TILES = 8;   // row tiles that neighbouring CTAs share weights over

/** The shared memory of one stage: 64 columns of 8 strips of weights and of 16 groups of 8 rows. */
template <int FORMAT> struct Stage {
    static constexpr int WEIGHTS = TILE_STRIPS * 2 * tile_bytes(FORMAT);
    static constexpr int SCALES = TILE_STRIPS * 2 * tile_scale_bytes(FORMAT);
    static constexpr int ACTIVATIONS = TILE_GROUPS * 1024;
    static constexpr int BYTES = WEIGHTS + SCALES + ACTIVATIONS;
};

static_assert(STAGES * Stage<WEIGHT_16>::BYTES == 131072, "said in the file comment");
static_assert(STAGES * Stage<WEIGHT_8>::BYTES == 100352, "said in the file comment");
static_assert(STAGES * Stage<WEIGHT_4>::BYTES == 86016, "said in the file comment");

/** Where a CTA's tile lies. */
struct TilePlace {
    int firstStrip;
    int firstRow;
    bool exists;
};

/** Tiles in the order of CTAs: 8 row tiles beside each other for each tile of features, so that L2 has both. */
FORCE_INLINE TilePlace tile_place(int rows) {
    int featureTiles = static_cast<int>(gridDim.x);
    int rowTiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    int index = static_cast<int>(blockIdx.y) * featureTiles + static_cast<int>(blockIdx.x);
    int band = index / (featureTiles * RASTER_ROW_TILES);
    int bandRowTiles = min(RASTER_ROW_TILES, rowTiles - band * RASTER_ROW_TILES);
    if (bandRowTiles <= 0) {
        return {0, 0, false};
    }
    int within = index - band * featureTiles * RASTER_ROW_TILES;
    int rowTile = band * RASTER_ROW_TILES + within % bandRowTiles;
    int featureTile = within / bandRowTiles;
    return {featureTile * TILE_STRIPS, rowTile * TILE_ROWS, featureTile < featureTiles};
}

/** Begins the copies of one stage: `unit` is the index of its 64 columns. */
template <int FORMAT>
FORCE_INLINE void copy_stage(const ProductArgs& args, const TilePlace& place, int unit, unsigned char* stage) {
    int units = args.columns / UNIT_COLUMNS;
    int lastStrip = args.features / STRIP_ROWS - 1;
    int thread = static_cast<int>(threadIdx.x);
    constexpr int STRIP_BYTES = 2 * tile_bytes(FORMAT);
#pragma unroll
    for (int at = 0; at < Stage<FORMAT>::WEIGHTS; at += PRODUCT_THREADS * 16) {
        int byte = at + thread * 16;
        int strip = min(place.firstStrip + byte / STRIP_BYTES, lastStrip);
        const unsigned char* from = static_cast<const unsigned char*>(args.weights) +
                                    (static_cast<int64_t>(strip) * units + unit) * STRIP_BYTES + byte % STRIP_BYTES;
        copy_async(stage + byte, from);
    }
    stage += Stage<FORMAT>::WEIGHTS;
    if constexpr (FORMAT != WEIGHT_16) {
        constexpr int STRIP_SCALE_BYTES = 2 * tile_scale_bytes(FORMAT);
        int byte = thread * 16;
        if (byte < Stage<FORMAT>::SCALES) {
            int strip = min(place.firstStrip + byte / STRIP_SCALE_BYTES, lastStrip);
            const unsigned char* from = static_cast<const unsigned char*>(args.scales) +
                                        (static_cast<int64_t>(strip) * units + unit) * STRIP_SCALE_BYTES +
                                        byte % STRIP_SCALE_BYTES;
            copy_async(stage + byte, from);
        }
        stage += Stage<FORMAT>::SCALES;
    }
#pragma unroll
    for (int at = 0; at < Stage<FORMAT>::ACTIVATIONS; at += PRODUCT_THREADS * 16) {
        int byte = at + thread * 16;
        int64_t group = place.firstRow / 8 + byte / 1024;
        const unsigned char* from = static_cast<const unsigned char*>(args.activations) +
                                    (group * units + unit) * 1024 + byte % 1024;
        copy_async(stage + byte, from);
    }
}

/** Adds a stage's 64 columns to a warp's sums. */
template <typename T, int FORMAT>
FORCE_INLINE void sum_stage(const unsigned char* stage, int warpStrip, int warpGroup,
                            float (&sums)[WARP_STRIPS][WARP_GROUPS][4]) {
    const unsigned char* weights = Packed<T, FORMAT>::lane_quants(stage);
    const unsigned char* scales = Packed<T, FORMAT>::lane_scales(stage + Stage<FORMAT>::WEIGHTS);
    const unsigned char* activations = stage + Stage<FORMAT>::WEIGHTS + Stage<FORMAT>::SCALES + warpGroup * 1024 +
                                       lane_index() * 16;
#pragma unroll
    for (int tile = 0; tile < 2; tile++) {
        uint4 b[WARP_GROUPS];
#pragma unroll
        for (int group = 0; group < WARP_GROUPS; group++) {
            b[group] = load16(activations + group * 1024 + tile * 512);
        }
#pragma unroll
        for (int s = 0; s < WARP_STRIPS; s++) {
            int at = (warpStrip + s) * 2 + tile;
            Packed<T, FORMAT> packed;
            packed.template load<FROM_SHARED>(weights + at * tile_bytes(FORMAT),
                                              scales + at * tile_scale_bytes(FORMAT));
            uint32_t a[2][4];
            packed.fragment(0, a[0]);
            packed.fragment(1, a[1]);
#pragma unroll
            for (int group = 0; group < WARP_GROUPS; group++) {
                mma<T>(sums[s][group], a[0], b[group].x, b[group].y);
            }
#pragma unroll
            for (int group = 0; group < WARP_GROUPS; group++) {
                mma<T>(sums[s][group], a[1], b[group].z, b[group].w);
            }
        }
    }
}

/** totals += sums; sums = 0. */
FORCE_INLINE void fold(float (&totals)[WARP_STRIPS][WARP_GROUPS][4], float (&sums)[WARP_STRIPS][WARP_GROUPS][4]) {
#pragma unroll
    for (int s = 0; s < WARP_STRIPS; s++) {
#pragma unroll
        for (int group = 0; group < WARP_GROUPS; group++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                totals[s][group][i] += sums[s][group][i];
                sums[s][group][i] = 0.0f;
            }
        }
    }
}

constexpr int TILE_FEATURES = TILE_STRIPS * STRIP_ROWS;
constexpr int TOTALS_STRIDE = TILE_FEATURES + 4;  // floats from row to row: lanes (g, t) meet no bank twice

static_assert(TILE_ROWS * TOTALS_STRIDE * 4 <= STAGES * Stage<WEIGHT_4>::BYTES, "totals replace the stages");

/** A warp's totals into the CTA's, [row][feature]. */
FORCE_INLINE void store_totals(float* all, int warpStrip, int warpGroup,
                               const float (&totals)[WARP_STRIPS][WARP_GROUPS][4]) {
    int g = lane_index() / 4;
    int t = lane_index() % 4;
#pragma unroll
    for (int group = 0; group < WARP_GROUPS; group++) {
#pragma unroll
        for (int s = 0; s < WARP_STRIPS; s++) {
            const float(&c)[4] = totals[s][group];
            float* to = all + ((warpGroup + group) * 8 + 2 * t) * TOTALS_STRIDE + (warpStrip + s) * STRIP_ROWS + g;
            to[0] = c[0];
            to[TOTALS_STRIDE] = c[1];
            to[8] = c[2];
            to[TOTALS_STRIDE + 8] = c[3];
        }
    }
}

/** Two gates of one strip and row, inner values 2t and 2t + 1 of its 8, rounded to T. */
template <typename T> FORCE_INLINE uint32_t gate_pair(const ProductArgs& args, const float* sums, int strip, int t) {
    float gates[2] = {sums[2 * t], sums[2 * t + 1]};
    float ups[2] = {sums[2 * t + 8], sums[2 * t + 9]};
    if (args.bias != nullptr) {
        const float* bias = args.bias + strip * STRIP_ROWS + 2 * t;
        gates[0] += bias[0];
        gates[1] += bias[1];
        ups[0] += bias[8];
        ups[1] += bias[9];
    }
    return pack<T>(gated(gates[0], ups[0], args.activation), gated(gates[1], ups[1], args.activation));
}

/** The gates of a tile that has no padding: a thread makes 8 values of one row, 16 bytes in activation order. */
template <typename T>
FORCE_INLINE void finish_gated_tile(const ProductArgs& args, const TilePlace& place, int rows, const float* all) {
    for (int i = static_cast<int>(threadIdx.x); i < TILE_ROWS * TILE_STRIPS; i += PRODUCT_THREADS) {
        int t = i % 4;
        int strips = i / 32 % 2 * 4;                // the first of 4, which make 32 inner columns
        int rowInTile = i / 64 * 8 + i / 4 % 8;
        int row = place.firstRow + rowInTile;
        if (row < rows) {
            int strip = place.firstStrip + strips;
            const float* sums = all + rowInTile * TOTALS_STRIDE + strips * STRIP_ROWS;
            uint4 eight = make_uint4(gate_pair<T>(args, sums, strip, t),
                                     gate_pair<T>(args, sums + STRIP_ROWS, strip + 1, t),
                                     gate_pair<T>(args, sums + 2 * STRIP_ROWS, strip + 2, t),
                                     gate_pair<T>(args, sums + 3 * STRIP_ROWS, strip + 3, t));
            store16(static_cast<T*>(args.output) + activation_index(row, strip * 8 + 2 * t, args.outputColumns), eight);
        }
    }
}

template <typename T>
FORCE_INLINE void finish_tile(const ProductArgs& args, const TilePlace& place, int rows, const float* all) {
    if (args.epilogue == EPILOGUE_GATED && (place.firstStrip + TILE_STRIPS) * 8 <= args.innerColumns) {
        finish_gated_tile<T>(args, place, rows, all);
        return;
    }
    int strips = min(args.features / STRIP_ROWS - place.firstStrip, TILE_STRIPS);
    int tileRows = min(rows - place.firstRow, TILE_ROWS);
    for (int i = static_cast<int>(threadIdx.x); i < tileRows * TILE_STRIPS * 8; i += PRODUCT_THREADS) {
        int strip = i / 8 % TILE_STRIPS;
        int row = i / (8 * TILE_STRIPS);
        if (strip < strips) {
            const float* sums = all + row * TOTALS_STRIDE + strip * STRIP_ROWS + i % 8;
            finish<T>(args, SumPair{place.firstRow + row, place.firstStrip + strip, i % 8, sums[0], sums[8]});
        }
    }
}

template <typename T, int FORMAT> FORCE_INLINE void product_tile(const ProductArgs& args) {
    int rows = count_rows(args);
    TilePlace place = tile_place(rows);
    if (!place.exists) {
        return;
    }
    unsigned char* stages = dynamic_shared();
    int units = args.columns / UNIT_COLUMNS;
    int segmentUnits = segment_columns(args.columns) / UNIT_COLUMNS;
    int warpStrip = warp_index() % 4 * WARP_STRIPS;
    int warpGroup = warp_index() / 4 * WARP_GROUPS;
    bool idle = place.firstRow + warpGroup * 8 >= rows;
#pragma unroll
    for (int unit = 0; unit < STAGES - 1; unit++) {
        if (unit < units) {
            copy_stage<FORMAT>(args, place, unit, stages + unit * Stage<FORMAT>::BYTES);
        }
        copy_commit();
    }
    float totals[WARP_STRIPS][WARP_GROUPS][4] = {};
    float sums[WARP_STRIPS][WARP_GROUPS][4] = {};
    int inSegment = 0;
    for (int unit = 0; unit < units; unit++) {
        copy_wait<STAGES - 2>();
        cta_barrier();  // this stage is there for all, and all are done with the one before, which the next copies fill
        int ahead = unit + STAGES - 1;
        if (ahead < units) {
            copy_stage<FORMAT>(args, place, ahead, stages + ahead % STAGES * Stage<FORMAT>::BYTES);
        }
        copy_commit();
        if (!idle) {
            sum_stage<T, FORMAT>(stages + unit % STAGES * Stage<FORMAT>::BYTES, warpStrip, warpGroup, sums);
        }
        if (++inSegment == segmentUnits) {
            fold(totals, sums);
            inSegment = 0;
        }
    }
    if (inSegment > 0) {
        fold(totals, sums);
    }
    copy_wait<0>();
    cta_barrier();  // all are done with the stages
    float* all = reinterpret_cast<float*>(stages);
    store_totals(all, warpStrip, warpGroup, totals);
    cta_barrier();
    finish_tile<T>(args, place, rows, all);
}

}  // namespace

#define PRODUCTS(T, name, format)                                                          \
    KERNEL_BOUNDS(product_##T##_##name##_r8, ProductArgs, PRODUCT_THREADS, 3) {            \
        product_rows<T, format, 8, 1>(args);                                               \
    }                                                                                      \
    KERNEL_BOUNDS(product_##T##_##name##_r16, ProductArgs, PRODUCT_THREADS, 2) {           \
        product_rows<T, format, 16, 1>(args);                                              \
    }                                                                                      \
    KERNEL_BOUNDS(product_##T##_##name##_r32, ProductArgs, PRODUCT_THREADS, 2) {           \
        product_rows<T, format, 32, 2>(args);                                              \
    }                                                                                      \
    KERNEL_BOUNDS(product_##T##_##name##_r64, ProductArgs, PRODUCT_THREADS, 1) {           \
        product_rows<T, format, 64, 2>(args);                                              \
    }                                                                                      \
    KERNEL_BOUNDS(product_##T##_##name##_tile, ProductArgs, PRODUCT_THREADS, 1) {          \
        product_tile<T, format>(args);                                                     \
    }

PRODUCTS(bf16, w16, WEIGHT_16)
PRODUCTS(bf16, w8, WEIGHT_8)
PRODUCTS(bf16, w4, WEIGHT_4)
PRODUCTS(f16, w16, WEIGHT_16)
PRODUCTS(f16, w8, WEIGHT_8)
PRODUCTS(f16, w4, WEIGHT_4)

#ifdef BENCH
#include "product_bench.h"

int main(int argumentCount, char** arguments) {
    return bench::run_products(argumentCount, arguments);
}
#endif
