// Tokens from logits: the likeliest, or a draw by Gumbel noise, which are those of the Java class PlainSampler bit for
// bit. All sums and comparisons are in doubles, in a total order (larger sum, then lower token), so the order in which
// tokens are looked at is no matter.
//
// sample_max (SampleArgs): the likeliest token of each chunk of each row, or that a logit there is NaN or infinite.
// sample_choose (SampleArgs): of each row of SAMPLE_GREEDY the likeliest token, the lowest of equals; of SAMPLE_NOISE
//   that with the largest (logit - max) * scale + noise(key, token) of those that min-p keeps; -1 where a logit is no
//   number. Each chunk's CTA finds its best, and the last of a row compares them.
//
// Shapes: logits f32 [row][stride]; maxima and bests [row][chunks], chunks = gridDim.x, at most 64.
// Launch: one after the other on a stream, both with grid (chunks, logits rows of the bucket), block 256, no dynamic
//   shared memory. chunks = min(64, ceil(vocabulary / 4096)) keeps a GPU busy with one row; any number from 1 to 64 gives
//   the same tokens. CTAs of rows from the count on, and of rows that are the host's, leave at once.
#include "abi.h"
#include "device.cuh"
#include "gumbel.cuh"

using namespace millrace;

namespace {

constexpr int SAMPLE_THREADS = 256;
constexpr int SAMPLE_WARPS = SAMPLE_THREADS / WARP;

/** Tokens of every chunk but the last, a multiple of 4. */
MILLRACE_INDEX int chunk_tokens(int vocabulary, int chunks) {
    return ((vocabulary + chunks - 1) / chunks + 3) / 4 * 4;
}

MILLRACE_INDEX bool is_above(float logit, int token, float otherLogit, int otherToken) {
    return logit > otherLogit || (logit == otherLogit && token < otherToken);
}

MILLRACE_INDEX bool is_better(double sum, int token, double otherSum, int otherToken) {
    return sum > otherSum || (sum == otherSum && token < otherToken);
}

/** A chunk that is empty loses to every other. */
FORCE_INLINE float lowest() {
    return bits_float(0xff800000u);
}

constexpr int NO_TOKEN_YET = 0x7fffffff;

/** The likeliest so far; once a logit is no number, token -1. */
struct Likeliest {
    float logit;
    int token;

    FORCE_INLINE void see(float other, int otherToken) {
        if ((float_bits(other) & 0x7f800000u) == 0x7f800000u) {
            token = -1;
        } else if (token >= 0 && is_above(other, otherToken, logit, token)) {
            logit = other;
            token = otherToken;
        }
    }

    FORCE_INLINE void join(float other, int otherToken) {
        if (otherToken < 0) {
            token = -1;
        } else if (token >= 0 && is_above(other, otherToken, logit, token)) {
            logit = other;
            token = otherToken;
        }
    }

    /** Joins those of a warp's lanes. */
    FORCE_INLINE void join_warp() {
        for (int mask = WARP / 2; mask > 0; mask /= 2) {
            float other = shuffle_xor(logit, mask);
            int otherToken = shuffle_xor(token, mask);
            join(other, otherToken);
        }
    }
};

struct Best {
    double sum;
    int token;

    FORCE_INLINE void join(double other, int otherToken) {
        if (is_better(other, otherToken, sum, token)) {
            sum = other;
            token = otherToken;
        }
    }

    FORCE_INLINE void join_warp() {
        for (int mask = WARP / 2; mask > 0; mask /= 2) {
            double other = shuffle_xor(sum, mask);
            int otherToken = shuffle_xor(token, mask);
            join(other, otherToken);
        }
    }
};

/** Whether this CTA's row is one that is sampled here. */
FORCE_INLINE bool has_row(const SampleArgs& args, int row) {
    return row < args.step->logitsRows && args.rows[row].mode != SAMPLE_HOST;
}

/** The likeliest token of a row, by the chunks' own, in every lane of every warp. */
FORCE_INLINE Likeliest likeliest_of(const SampleArgs& args, int row, int chunks) {
    const SampleMax* maxima = args.maxima + static_cast<int64_t>(row) * chunks;
    Likeliest best{lowest(), NO_TOKEN_YET};
    for (int chunk = lane_index(); chunk < chunks; chunk += WARP) {
        best.join(maxima[chunk].logit, maxima[chunk].token);
    }
    best.join_warp();
    return best;
}

/** The least logit that min-p keeps: the largest + offset, rounded up. */
FORCE_INLINE float min_logit(float largest, double offset) {
    double exact = strict::sum(static_cast<double>(largest), offset);
#ifdef __CUDA_ARCH__
    float rounded = __double2float_rn(exact);
#else
    float rounded = static_cast<float>(exact);
#endif
    if (!(static_cast<double>(rounded) < exact)) {
        return rounded;
    }
    uint32_t bits = float_bits(rounded);
    if ((bits & 0x7fffffffu) == 0) {
        return bits_float(1);  // the least above both zeros
    }
    return bits_float((bits & 0x80000000u) != 0 ? bits - 1 : bits + 1);
}

/** The best token of this thread's part of a chunk; starts at the likeliest, and so passes over nearly all others. */
FORCE_INLINE Best best_of(const SampleArgs& args, int row, const Likeliest& likeliest, int from, int to) {
    const float* logits = args.logits + static_cast<int64_t>(row) * args.stride;
    SampleRow how = args.rows[row];
    float least = min_logit(likeliest.logit, how.minLogitOffset);
    double largest = static_cast<double>(likeliest.logit);
    Best best{strict::gumbel(strict::noise_bits(how.noiseKey, likeliest.token)), likeliest.token};
    for (int token = from + static_cast<int>(threadIdx.x); token < to; token += SAMPLE_THREADS) {
        float logit = logits[token];
        double distance = strict::product(strict::difference(static_cast<double>(logit), largest), how.scale);
        double needed = strict::difference(best.sum, distance);
        if (needed > strict::NOISE_MAX || token == likeliest.token || logit < least) {
            continue;
        }
        int64_t bits = strict::noise_bits(how.noiseKey, token);
        if (!strict::noise_is_below(bits, needed)) {
            best.join(strict::sum(distance, strict::gumbel(bits)), token);
        }
    }
    return best;
}

/** Thread 0: leaves the chunk's best, and as the last of the row the row's token. */
FORCE_INLINE void leave(const SampleArgs& args, int row, int chunks, const Best& best) {
    volatile SampleBest* bests = args.bests + static_cast<int64_t>(row) * chunks;
    bests[blockIdx.x].sum = best.sum;
    bests[blockIdx.x].token = best.token;
    device_fence();
    if (atomic_add(args.arrivals + row, 1) < chunks - 1) {
        return;
    }
    device_fence();
    Best all = best;
    for (int chunk = 0; chunk < chunks; chunk++) {
        all.join(bests[chunk].sum, bests[chunk].token);
    }
    args.tokens[row] = all.token;
    args.arrivals[row] = 0;
}

}  // namespace

KERNEL_BOUNDS(sample_max, SampleArgs, SAMPLE_THREADS, 4) {
    int row = static_cast<int>(blockIdx.y);
    if (!has_row(args, row)) {
        return;
    }
    SHARED_ARRAY(SampleMax, found, SAMPLE_WARPS);
    int chunks = static_cast<int>(gridDim.x);
    int tokens = chunk_tokens(args.vocabulary, chunks);
    int from = static_cast<int>(blockIdx.x) * tokens;
    int to = from + tokens < args.vocabulary ? from + tokens : args.vocabulary;
    const float* logits = args.logits + static_cast<int64_t>(row) * args.stride;
    Likeliest best{lowest(), NO_TOKEN_YET};
    int token = from + 4 * static_cast<int>(threadIdx.x);
    for (; token + 3 < to; token += 4 * SAMPLE_THREADS) {
        uint4 four = load16(logits + token);
        best.see(bits_float(four.x), token);
        best.see(bits_float(four.y), token + 1);
        best.see(bits_float(four.z), token + 2);
        best.see(bits_float(four.w), token + 3);
    }
    for (; token < to; token++) {  // the row's last: fewer than four, of one thread
        best.see(logits[token], token);
    }
    best.join_warp();
    if (lane_index() == 0) {
        found[warp_index()] = SampleMax{best.logit, best.token};
    }
    cta_barrier();
    if (threadIdx.x == 0) {
        for (int warp = 1; warp < SAMPLE_WARPS; warp++) {
            best.join(found[warp].logit, found[warp].token);
        }
        args.maxima[static_cast<int64_t>(row) * chunks + blockIdx.x] = SampleMax{best.logit, best.token};
    }
}

KERNEL_BOUNDS(sample_choose, SampleArgs, SAMPLE_THREADS, 4) {
    int row = static_cast<int>(blockIdx.y);
    if (!has_row(args, row)) {
        return;
    }
    SHARED_ARRAY(SampleBest, found, SAMPLE_WARPS);
    int chunks = static_cast<int>(gridDim.x);
    Likeliest likeliest = likeliest_of(args, row, chunks);
    if (likeliest.token < 0 || args.rows[row].mode == SAMPLE_GREEDY) {
        if (threadIdx.x == 0 && blockIdx.x == 0) {
            args.tokens[row] = likeliest.token;
        }
        return;
    }
    int tokens = chunk_tokens(args.vocabulary, chunks);
    int from = static_cast<int>(blockIdx.x) * tokens;
    int to = from + tokens < args.vocabulary ? from + tokens : args.vocabulary;
    Best best = best_of(args, row, likeliest, from, to);
    best.join_warp();
    if (lane_index() == 0) {
        found[warp_index()] = SampleBest{best.sum, best.token, 0};
    }
    cta_barrier();
    if (threadIdx.x == 0) {
        for (int warp = 1; warp < SAMPLE_WARPS; warp++) {
            best.join(found[warp].sum, found[warp].token);
        }
        leave(args, row, chunks, best);
    }
}

#ifdef MILLRACE_EMULATED
/** For tests: the logarithms that the noise is made of. */
extern "C" void millrace_strict(const double* arguments, double* log, double* log1p, int count) {
    for (int i = 0; i < count; i++) {
        log[i] = strict::strict_log(arguments[i]);
        log1p[i] = strict::strict_log1p(arguments[i]);
    }
}
#endif

#ifdef BENCH
// sampling [--check]: tokens against those of a plain loop on the host, then the time of both kernels.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vector>

namespace {

#define CHECKED(call)                                                                          \
    do {                                                                                       \
        cudaError_t result = (call);                                                           \
        if (result != cudaSuccess) {                                                           \
            fprintf(stderr, "%s: %s\n", #call, cudaGetErrorString(result));                    \
            exit(1);                                                                           \
        }                                                                                      \
    } while (0)

template <typename V> V* on_device(const std::vector<V>& values) {
    V* memory;
    CHECKED(cudaMalloc(&memory, values.size() * sizeof(V)));
    CHECKED(cudaMemcpy(memory, values.data(), values.size() * sizeof(V), cudaMemcpyHostToDevice));
    return memory;
}

/** What sample_choose must choose, without min-p. */
int expected(const float* logits, int vocabulary, const SampleRow& how) {
    int best = 0;
    for (int token = 0; token < vocabulary; token++) {
        if (!isfinite(logits[token])) {
            return -1;
        }
        best = logits[token] > logits[best] ? token : best;
    }
    if (how.mode == SAMPLE_GREEDY) {
        return best;
    }
    int chosen = -1;
    double chosenSum = 0.0;
    for (int token = 0; token < vocabulary; token++) {
        double distance = strict::product(strict::difference(logits[token], logits[best]), how.scale);
        double sum = strict::sum(distance, strict::gumbel(strict::noise_bits(how.noiseKey, token)));
        if (chosen < 0 || sum > chosenSum) {
            chosen = token;
            chosenSum = sum;
        }
    }
    return chosen;
}

struct Case {
    int vocabulary;
    int rows;
    int32_t mode;
};

/** Whether a case's tokens are right; prints a line of its times if asked to. */
bool run(const Case& c, bool timed) {
    int stride = (c.vocabulary + 15) / 16 * 16;
    int chunks = (c.vocabulary + 4095) / 4096;
    chunks = chunks > 64 ? 64 : chunks;
    std::vector<float> logits(static_cast<size_t>(c.rows) * stride, NAN);
    std::vector<SampleRow> rows(c.rows);
    uint64_t state = 42;
    for (int row = 0; row < c.rows; row++) {
        rows[row] = SampleRow{1.0 / (0.5 + 0.1 * (row % 10)), -INFINITY, static_cast<int64_t>(strict::mix(row + 1)), c.mode, 0};
        for (int token = 0; token < c.vocabulary; token++) {
            state = strict::mix(state + 0x9E3779B97F4A7C15ull);
            logits[static_cast<size_t>(row) * stride + token] = static_cast<float>(state >> 40) * 0x1p-20f - 8.0f;
        }
        if (row == 5) {
            logits[static_cast<size_t>(row) * stride + c.vocabulary / 2] = NAN;
        }
    }
    StepHeader header{};
    header.logitsRows = c.rows;
    SampleArgs args{};
    args.step = on_device(std::vector<StepHeader>{header});
    args.logits = on_device(logits);
    args.rows = on_device(rows);
    args.maxima = on_device(std::vector<SampleMax>(static_cast<size_t>(c.rows) * chunks));
    args.bests = on_device(std::vector<SampleBest>(static_cast<size_t>(c.rows) * chunks));
    args.arrivals = on_device(std::vector<int32_t>(c.rows));
    args.tokens = on_device(std::vector<int32_t>(c.rows, -77));
    args.vocabulary = c.vocabulary;
    args.stride = stride;
    dim3 grid(chunks, c.rows);
    cudaEvent_t begin;
    cudaEvent_t end;
    CHECKED(cudaEventCreate(&begin));
    CHECKED(cudaEventCreate(&end));
    int repeats = timed ? 200 : 1;
    for (int i = -3; i < repeats; i++) {
        if (i == 0) {
            CHECKED(cudaEventRecord(begin));
        }
        sample_max<<<grid, SAMPLE_THREADS>>>(args);
        sample_choose<<<grid, SAMPLE_THREADS>>>(args);
    }
    CHECKED(cudaEventRecord(end));
    CHECKED(cudaEventSynchronize(end));
    CHECKED(cudaGetLastError());
    float milliseconds = 0.0f;
    CHECKED(cudaEventElapsedTime(&milliseconds, begin, end));
    std::vector<int32_t> tokens(c.rows);
    CHECKED(cudaMemcpy(tokens.data(), args.tokens, 4 * c.rows, cudaMemcpyDeviceToHost));
    bool right = true;
    for (int row = 0; row < c.rows; row++) {
        int wanted = expected(&logits[static_cast<size_t>(row) * stride], c.vocabulary, rows[row]);
        if (tokens[row] != wanted) {
            printf("vocabulary %d, row %d: token %d, not %d\n", c.vocabulary, row, tokens[row], wanted);
            right = false;
        }
    }
    if (timed) {
        double microseconds = 1e3 * milliseconds / repeats;
        // Both kernels read all logits; the second mostly from the cache.
        printf("%8d tokens %4d rows %s: %8.2f us, %8.1f GB/s of logits\n", c.vocabulary, c.rows,
               c.mode == SAMPLE_GREEDY ? "greedy" : "noise ", microseconds, 4e-3 * c.rows * c.vocabulary / microseconds);
    }
    for (const void* memory : {static_cast<const void*>(args.step), static_cast<const void*>(args.logits),
                               static_cast<const void*>(args.rows), static_cast<const void*>(args.maxima),
                               static_cast<const void*>(args.bests), static_cast<const void*>(args.arrivals),
                               static_cast<const void*>(args.tokens)}) {
        CHECKED(cudaFree(const_cast<void*>(memory)));
    }
    return right;
}

}  // namespace

int main(int count, char** arguments) {
    bool checkOnly = count > 1 && strcmp(arguments[1], "--check") == 0;
    bool right = true;
    for (const Case& c : {Case{1, 1, SAMPLE_NOISE}, Case{37, 7, SAMPLE_NOISE}, Case{4097, 9, SAMPLE_GREEDY},
                          Case{49152, 16, SAMPLE_NOISE}}) {
        right &= run(c, false);
    }
    printf(right ? "sampling: tokens are the host's\n" : "sampling: WRONG tokens\n");
    if (!checkOnly) {
        for (int vocabulary : {49152, 128256}) {
            for (int rows : {1, 32}) {
                right &= run(Case{vocabulary, rows, SAMPLE_GREEDY}, true);
                right &= run(Case{vocabulary, rows, SAMPLE_NOISE}, true);
            }
        }
    }
    return right ? 0 : 1;
}
#endif
