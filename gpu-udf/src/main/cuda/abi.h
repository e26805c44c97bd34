// The arguments of every kernel: one struct by value, pointers first, then 8-byte integers, 4-byte integers, floats;
// sizes are asserted, since the host writes them byte by byte. All pointers are device addresses, fixed for a graph's
// life; what changes from step to step is read through them.
#pragma once

#include <stdint.h>

namespace millrace {

/** Counts of one step, the first 64 bytes of the step block; the arrays lie after it where the host says. */
struct StepHeader {
    int32_t rows;        // tokens of this step, over all sequences
    int32_t sequences;   // sequences of this step
    int32_t logitsRows;  // rows whose logits are wanted
    int32_t reserved[13];
};
static_assert(sizeof(StepHeader) == 64, "StepHeader");

/** Which count of the step header a kernel's rows are. */
enum RowCount : int32_t { COUNT_ROWS = 0, COUNT_LOGITS_ROWS = 1 };

/** The model's numbers that say where a token's keys and values lie. */
struct KvShape {
    int64_t blockBytes;   // from one block to the next
    int32_t layer;
    int32_t kvHeads;
    int32_t headDim;
    int32_t blockTokens;
};
static_assert(sizeof(KvShape) == 24, "KvShape");

/** embedding_{bf16,f16}: the token's row times scale into the f32 residual. */
struct EmbeddingArgs {
    const StepHeader* step;
    const int32_t* tokenIds;  // [row]
    const void* weights;      // vocabulary x width, packed
    const void* scales;       // of formats 1 and 2
    float* residual;          // [row][width]
    int32_t width;            // true columns
    int32_t columns;          // padded columns of the matrix
    int32_t format;           // WeightFormat
    float scale;
};
static_assert(sizeof(EmbeddingArgs) == 56, "EmbeddingArgs");

/** rms_norm_{bf16,f16}: activations = T(row * weight / root of mean square). */
struct NormArgs {
    const StepHeader* step;
    const float* input;       // [row][width]
    const float* weight;      // [width]
    const int32_t* gather;    // input row of an output row (logits), or null: the same row
    void* output;             // T, activation order
    int32_t rowCount;         // RowCount
    int32_t width;
    int32_t columns;          // padded columns of the output
    float epsilon;
};
static_assert(sizeof(NormArgs) == 56, "NormArgs");

/** rms_norm_add: residual += row * weight / root of mean square (post norms). */
struct NormAddArgs {
    const StepHeader* step;
    const float* input;       // [row][width]
    const float* weight;      // [width]
    float* residual;          // [row][width]
    int32_t width;
    float epsilon;
};
static_assert(sizeof(NormAddArgs) == 40, "NormAddArgs");

/** What a product does with its sums. */
enum Epilogue : int32_t {
    EPILOGUE_STORE = 0,  // f32 output[row][feature] = sum + bias, features < outputColumns
    EPILOGUE_ADD = 1,    // f32 output[row][feature] += sum + bias
    EPILOGUE_GATED = 2,  // T output in activation order: act(gate) * up, matrix rows interleaved by eights
    EPILOGUE_QKV = 3,    // bias, rotation; query T [row][head][dim], keys and values into their blocks
};

/** The function of the gate. */
enum Activation : int32_t { ACTIVATION_SILU = 0, ACTIVATION_GELU = 1 };  // GELU in its tanh form

/** How heads rotate: which dims are a pair, see decision on operand order. */
enum Rotation : int32_t { ROTATION_INTERLEAVED = 0, ROTATION_HALVES = 1 };

/** product_{bf16,f16}_w{16,8,4}_{r8,r16,r32,r64,tile}: output = epilogue(weights x activations). */
struct ProductArgs {
    const StepHeader* step;
    const void* weights;
    const void* scales;         // of formats 1 and 2, else null
    const void* activations;    // T, activation order, rows padded to 128
    const float* bias;          // [feature] in the matrix's own order of rows, or null
    void* output;               // by epilogue; QKV: the query
    const float* rotations;     // QKV: [position][rotating/2]{cos, sin}
    const int32_t* positions;   // QKV: [row]
    const int32_t* slots;       // QKV: [row] block * blockTokens + token; below zero: keys and values are not kept
    void* kvBlocks;             // QKV: T
    KvShape kv;                 // QKV
    int32_t features;           // padded rows of the matrix, a multiple of 16
    int32_t columns;            // padded columns K, a multiple of 64
    int32_t rowCount;           // RowCount
    int32_t epilogue;           // Epilogue
    int32_t outputColumns;      // STORE, ADD: true features; GATED: padded columns of the output
    int32_t outputStride;       // STORE, ADD: from row to row
    int32_t innerColumns;       // GATED: true inner features
    int32_t activation;         // GATED: Activation
    int32_t queryHeads;         // QKV
    int32_t rotating;           // QKV: dims that rotate, even
    int32_t rotation;           // QKV: Rotation
    int32_t reserved;
};
static_assert(sizeof(ProductArgs) == 152, "ProductArgs");

/** prepare_heads_{bf16,f16}: norm, rotation and storing of heads that a product left (models with q and k norms). */
struct PrepareHeadsArgs {
    const StepHeader* step;
    const float* input;         // [row][inputStride], Q|K|V features in the matrix's own order of rows
    const float* queryNorm;     // [dim] in true order
    const float* keyNorm;       // [dim] in true order
    const float* rotations;
    const int32_t* positions;
    const int32_t* slots;
    void* query;                // T [row][head][dim]
    void* kvBlocks;
    KvShape kv;
    int32_t inputStride;
    int32_t queryHeads;
    int32_t rotating;
    int32_t rotation;
    float epsilon;
    int32_t reserved;
};
static_assert(sizeof(PrepareHeadsArgs) == 120, "PrepareHeadsArgs");

/**
 * What attention_plan leaves in device memory for the attention of one kind of layer (full, sliding window). After it lie four arrays of
 * sequencesMax + 1 ints: unitStart (decode's units of work before each sequence), tileStart (prefill's), combineStart (rows whose
 * splits are to be combined), slotStart (first slot of scratch; below zero: none is used).
 */
struct AttentionPlan {
    int32_t units;        // of decode, for each kv head
    int32_t tiles;        // of prefill, for each kv head
    int32_t combineRows;
    int32_t reserved[13];
};
static_assert(sizeof(AttentionPlan) == 64, "AttentionPlan");

/** attention_plan: see there. */
struct PlanArgs {
    const StepHeader* step;
    const int32_t* queryStart;      // [sequence + 1] first row of each sequence
    const int32_t* contextLengths;  // [sequence] position of its last row + 1
    AttentionPlan* plan;            // 64 + 16 * (sequencesMax + 1) bytes
    int32_t sequencesMax;
    int32_t window;                 // positions a row sees, itself included; 0: all
    int32_t group;                  // query heads of a kv head
    int32_t decodeRows;             // sequences with more rows are prefill's; 0: all are
    int32_t slots;                  // slots of scratch: (row, split) pairs there is room for
    int32_t prefillPairs;           // of attention_prefill for the head dim: 64 for 256, 96 for 96, else 128
};
static_assert(sizeof(PlanArgs) == 56, "PlanArgs");

/** attention_decode_{bf16,f16}_h{dim}, attention_combine_{bf16,f16}, attention_prefill_{bf16,f16}_h{dim}. */
struct AttentionArgs {
    const StepHeader* step;
    const AttentionPlan* plan;      // for layers of this window
    const void* query;              // T [row][head][dim]
    const void* kvBlocks;
    const int32_t* queryStart;
    const int32_t* contextLengths;
    const int32_t* blockTableStart; // [sequence] first entry of its table
    const int32_t* blockTables;
    float* partials;                // scratch f32 [slot][query head][dim]
    float* partialSums;             // scratch f32 [slot][query head][2]
    void* output;                   // T, activation order
    KvShape kv;
    int32_t sequencesMax;
    int32_t queryHeads;
    int32_t outputColumns;          // padded columns of the output
    int32_t window;                 // as in the plan
    float scale;                    // of scores, times log2 e
    int32_t reserved;
};
static_assert(sizeof(AttentionArgs) == 136, "AttentionArgs");

/** How a row of logits is sampled; the values are those of the Java class Batch. */
enum RowSampling : int32_t { SAMPLE_HOST = 0, SAMPLE_GREEDY = 1, SAMPLE_NOISE = 2 };

/** What the host says of a row of logits. */
struct SampleRow {
    double scale;           // SAMPLE_NOISE: of the distance to the largest logit
    double minLogitOffset;  // SAMPLE_NOISE: from the largest logit to the least that is kept; -infinity: all are
    int64_t noiseKey;       // SAMPLE_NOISE
    int32_t mode;           // RowSampling
    int32_t reserved;
};
static_assert(sizeof(SampleRow) == 32, "SampleRow");

/** The likeliest token of a chunk of a row; token -1: a logit is no number. */
struct SampleMax {
    float logit;
    int32_t token;
};
static_assert(sizeof(SampleMax) == 8, "SampleMax");

/** The best token of a chunk of a row, noise included. */
struct SampleBest {
    double sum;
    int32_t token;
    int32_t reserved;
};
static_assert(sizeof(SampleBest) == 16, "SampleBest");

/** sample_max and sample_choose: tokens from logits. */
struct SampleArgs {
    const StepHeader* step;
    const float* logits;    // [row][stride], 16-byte aligned
    const SampleRow* rows;  // [row]
    SampleMax* maxima;      // scratch [row][chunks]
    SampleBest* bests;      // scratch [row][chunks]
    int32_t* arrivals;      // scratch [row]: zero before the first launch, and after each
    int32_t* tokens;        // [row]: the token, or -1; rows of SAMPLE_HOST stay as they are
    int32_t vocabulary;     // true tokens
    int32_t stride;         // from row to row, a multiple of 4
};
static_assert(sizeof(SampleArgs) == 64, "SampleArgs");

}  // namespace millrace
