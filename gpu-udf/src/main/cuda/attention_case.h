// Attention over made-up sequences, and what it must give: shared by the checks that run in the emulator and by the
// benches' checks.
//
// A sequence is a seed: its queries, keys and values at each position follow from it, so that every step that
// contains a position, in whatever company and chunk, must give that position the same bits.
#pragma once

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <algorithm>
#include <string>
#include <vector>

#include "abi.h"
#include "layout.cuh"

namespace millrace {
namespace testing {

/** Where kernels run. */
struct Machine {
    virtual ~Machine() = default;
    virtual void* allocate(size_t bytes) = 0;
    virtual void release(void* memory) = 0;
    virtual void upload(void* to, const void* from, size_t bytes) = 0;
    virtual void download(void* to, const void* from, size_t bytes) = 0;
    virtual void launch(const char* kernel, int gridX, int gridY, int threads, int sharedBytes, const void* args) = 0;
};

/** Memory of a machine, filled with 0xff unless something is put there. */
class Buffer {
public:
    Buffer(Machine& machine, size_t bytes) : machine_(machine), bytes_(std::max<size_t>(bytes, 16)) {
        memory_ = machine.allocate(bytes_);
        fill(0xff);
    }
    ~Buffer() {
        machine_.release(memory_);
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    void fill(int byte) {
        std::vector<unsigned char> bytes(bytes_, static_cast<unsigned char>(byte));
        machine_.upload(memory_, bytes.data(), bytes_);
    }
    template <typename V> void put(const std::vector<V>& values) {
        machine_.upload(memory_, values.data(), values.size() * sizeof(V));
    }
    template <typename V> std::vector<V> get(size_t count) const {
        std::vector<V> values(count);
        machine_.download(values.data(), memory_, count * sizeof(V));
        return values;
    }
    template <typename V> V* as() const {
        return static_cast<V*>(memory_);
    }

private:
    Machine& machine_;
    size_t bytes_;
    void* memory_;
};

/** A 16-bit type, on the host. */
struct HostType {
    bool half;

    uint16_t round(float value) const {
        uint32_t bits;
        memcpy(&bits, &value, 4);
        if (!half) {
            return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
        }
        float magnitude = fabsf(value);
        uint16_t sign = static_cast<uint16_t>(bits >> 31 << 15);
        if (magnitude < 0x1p-14f) {
            return static_cast<uint16_t>(sign | static_cast<uint16_t>(nearbyintf(magnitude * 0x1p24f)));
        }
        int exponent = static_cast<int>(bits >> 23 & 0xff) - 127;
        int fraction = static_cast<int>(nearbyintf(ldexpf(magnitude, 10 - exponent))) - 1024;
        return static_cast<uint16_t>(sign | ((exponent + 15) * 1024 + fraction));
    }
    float widen(uint16_t value) const {
        float result;
        if (!half) {
            uint32_t bits = static_cast<uint32_t>(value) << 16;
            memcpy(&result, &bits, 4);
            return result;
        }
        int exponent = value >> 10 & 31;
        int fraction = value & 1023;
        result = exponent == 0 ? ldexpf(static_cast<float>(fraction), -24)
                               : ldexpf(static_cast<float>(1024 + fraction), exponent - 25);
        return value >> 15 != 0 ? -result : result;
    }
    const char* name() const {
        return half ? "f16" : "bf16";
    }
};

/** A number in [-1, 1) that follows from what it is for. */
inline float made_up(uint64_t seed, uint64_t part, uint64_t position, uint64_t index) {
    uint64_t z = seed * 0x9e3779b97f4a7c15ull + part * 0xd1b54a32d192ed03ull + position * 0x8cb92ba72f3d8dd7ull + index;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    z ^= z >> 31;
    return static_cast<float>(static_cast<int64_t>(z) >> 40) * 0x1p-23f;
}

/** What attention is over. */
struct Shape {
    HostType type;
    int headDim;
    int kvHeads;
    int group;
    int window;       // 0: all positions
    int blockTokens;

    int heads() const {
        return kvHeads * group;
    }
    int width() const {
        return heads() * headDim;
    }
    int columns() const {
        return (width() + UNIT_COLUMNS - 1) / UNIT_COLUMNS * UNIT_COLUMNS;
    }
    float scale() const {
        return 1.0f / sqrtf(static_cast<float>(headDim)) * 1.44269504f;
    }
    // Queries are large enough for scores to differ by some units, values of which weights are far from even.
    uint16_t query(uint64_t seed, int position, int head, int dim) const {
        return type.round(4.0f * made_up(seed, 1, position, static_cast<uint64_t>(head * headDim + dim)));
    }
    uint16_t key(uint64_t seed, int position, int kvHead, int dim) const {
        return type.round(made_up(seed, 2, position, static_cast<uint64_t>(kvHead * headDim + dim)));
    }
    uint16_t value(uint64_t seed, int position, int kvHead, int dim) const {
        return type.round(made_up(seed, 3, position, static_cast<uint64_t>(kvHead * headDim + dim)));
    }
};

/** Rows firstPosition to firstPosition + rows - 1 of a sequence, as part of a step. */
struct Part {
    uint64_t seed;
    int firstPosition;
    int rows;
};

/** How a step's sequences are shared out. */
struct Sharing {
    int decodeRows;  // AttentionArgs of the plan
    int slots;
    int grid;        // CTAs of every launch, in x
};

inline int prefill_pairs_of(int headDim) {
    return headDim > 128 ? 64 : headDim == 96 ? 96 : 128;
}

inline int prefill_threads_of(int headDim) {
    return prefill_pairs_of(headDim) * 2;
}

inline int prefill_shared_bytes_of(int headDim) {
    int ring = headDim > 128 ? 2 : headDim > 96 ? 4 : 3;
    return headDim * (prefill_pairs_of(headDim) * 6 + ring * 128);
}

/** One step in a machine's memory. */
class AttentionStep {
public:
    static constexpr int LAYERS = 2;
    static constexpr int LAYER = 1;

    /** `madeUp`: whether keys and values are what the seeds say, else something cheap, for timing. */
    AttentionStep(Machine& machine, const Shape& shape, const std::vector<Part>& parts, Sharing sharing,
                  bool madeUp = true)
        : shape_(shape), sharing_(sharing), parts_(parts), machine_(machine), rows_(count_rows(parts)),
          sequencesMax_(static_cast<int>(parts.size()) + 3), blocks_(count_blocks()),
          step_(machine, sizeof(StepHeader)), queryStart_(machine, 4 * (parts.size() + 1)),
          contextLengths_(machine, 4 * parts.size()), tableStart_(machine, 4 * parts.size()),
          tables_(machine, 4 * static_cast<size_t>(blocks_)), plan_(machine, 64 + 16 * (sequencesMax_ + 1)),
          query_(machine, 2 * static_cast<size_t>(rows_) * shape.width()),
          pool_(machine, static_cast<size_t>(blocks_) * block_bytes()),
          partials_(machine, 4 * static_cast<size_t>(sharing.slots) * shape.width()),
          partialSums_(machine, 8 * static_cast<size_t>(sharing.slots) * shape.heads()),
          output_(machine, 2 * static_cast<size_t>((rows_ + 127) / 128 * 128) * shape.columns()) {
        put_sequences();
        if (madeUp) {
            put_queries();
            put_blocks();
        } else {
            put_anything(query_, static_cast<size_t>(rows_) * shape.width());
            put_anything(pool_, static_cast<size_t>(blocks_) * block_bytes() / 2);
        }
    }

    void plan() {
        PlanArgs args{step_.as<StepHeader>(), queryStart_.as<int32_t>(), contextLengths_.as<int32_t>(),
                      plan_.as<AttentionPlan>(), sequencesMax_, shape_.window, shape_.group, sharing_.decodeRows,
                      sharing_.slots, prefill_pairs_of(shape_.headDim)};
        machine_.launch("attention_plan", 1, 1, 32, 0, &args);
    }
    void decode() {
        launch("attention_decode_", true, sharing_.grid, 1, 256, 0);
    }
    void combine() {
        launch("attention_combine_", false, sharing_.grid, (shape_.width() / 4 + 127) / 128, 128, 0);
    }
    void prefill() {
        launch("attention_prefill_", true, sharing_.grid, shape_.kvHeads, prefill_threads_of(shape_.headDim),
               prefill_shared_bytes_of(shape_.headDim));
    }

    /** All kernels in their order; the output's bits, [row][head * dim]. */
    std::vector<uint16_t> run() {
        plan();
        prefill();
        decode();
        combine();
        return output();
    }

    std::vector<uint16_t> output() const {
        size_t padded = static_cast<size_t>((rows_ + 127) / 128 * 128);
        std::vector<uint16_t> bits = output_.get<uint16_t>(padded * shape_.columns());
        std::vector<uint16_t> result;
        for (int row = 0; row < rows_; row++) {
            for (int column = 0; column < shape_.width(); column++) {
                result.push_back(bits[activation_index(row, column, shape_.columns())]);
            }
        }
        return result;
    }

    AttentionPlan counts() const {
        return plan_.get<AttentionPlan>(1)[0];
    }

private:
    static int count_rows(const std::vector<Part>& parts) {
        int rows = 0;
        for (const Part& part : parts) {
            rows += part.rows;
        }
        return rows;
    }
    int blocks_of(const Part& part) const {
        return (part.firstPosition + part.rows + shape_.blockTokens - 1) / shape_.blockTokens;
    }
    int count_blocks() const {
        int blocks = 1;
        for (const Part& part : parts_) {
            blocks += blocks_of(part);
        }
        return blocks;
    }
    int64_t block_bytes() const {
        return static_cast<int64_t>(LAYERS) * 2 * shape_.kvHeads * shape_.headDim * shape_.blockTokens * 2;
    }

    /** Blocks lie scattered: the n-th that is asked for. */
    int scattered(int n) const {
        int step = 1;
        for (int candidate : {7, 11, 13, 17}) {
            step = blocks_ % candidate != 0 ? candidate : step;
        }
        return static_cast<int>(static_cast<int64_t>(n) * step % blocks_);
    }

    void put_sequences() {
        std::vector<int32_t> queryStart{0};
        std::vector<int32_t> contextLengths;
        std::vector<int32_t> tableStart;
        std::vector<int32_t> tables;
        for (const Part& part : parts_) {
            queryStart.push_back(queryStart.back() + part.rows);
            contextLengths.push_back(part.firstPosition + part.rows);
            tableStart.push_back(static_cast<int32_t>(tables.size()));
            for (int i = 0; i < blocks_of(part); i++) {
                tables.push_back(scattered(static_cast<int>(tables.size())));
            }
        }
        StepHeader header{};
        header.rows = rows_;
        header.sequences = static_cast<int32_t>(parts_.size());
        step_.put(std::vector<StepHeader>{header});
        queryStart_.put(queryStart);
        contextLengths_.put(contextLengths);
        tableStart_.put(tableStart);
        tables_.put(tables);
        hostTables_ = tables;
    }

    void put_queries() {
        std::vector<uint16_t> queries;
        for (const Part& part : parts_) {
            for (int row = 0; row < part.rows; row++) {
                for (int head = 0; head < shape_.heads(); head++) {
                    for (int dim = 0; dim < shape_.headDim; dim++) {
                        queries.push_back(shape_.query(part.seed, part.firstPosition + row, head, dim));
                    }
                }
            }
        }
        query_.put(queries);
    }

    void put_anything(Buffer& buffer, size_t count) {
        std::vector<uint16_t> values(count);
        uint32_t state = 1;
        uint16_t one = shape_.type.round(1.0f);
        for (uint16_t& value : values) {
            state = state * 1664525u + 1013904223u;
            value = static_cast<uint16_t>((state >> 16 & 0x8000) | (one - (state >> 8 & 0x1ff)));
        }
        buffer.put(values);
    }

    /** What lies beyond a sequence's end is what another owner left: large, but finite. */
    void put_blocks() {
        std::vector<uint16_t> pool(static_cast<size_t>(blocks_) * block_bytes() / 2, shape_.type.round(30000.0f));
        int entry = 0;
        for (const Part& part : parts_) {
            for (int position = 0; position < part.firstPosition + part.rows; position++) {
                int64_t block = hostTables_[entry + position / shape_.blockTokens];
                int token = position % shape_.blockTokens;
                for (int kvHead = 0; kvHead < shape_.kvHeads; kvHead++) {
                    uint16_t* keys = &pool[block * block_bytes() / 2 + head_at(0, kvHead)];
                    uint16_t* values = &pool[block * block_bytes() / 2 + head_at(1, kvHead)];
                    for (int dim = 0; dim < shape_.headDim; dim++) {
                        keys[key_index(token, dim, shape_.headDim)] = shape_.key(part.seed, position, kvHead, dim);
                        int at = value_index(token, dim, shape_.headDim);
                        values[at] = shape_.value(part.seed, position, kvHead, dim);
                    }
                }
            }
            entry += blocks_of(part);
        }
        pool_.put(pool);
    }

    int64_t head_at(int part, int kvHead) const {
        return block_index(LAYER, part, kvHead, shape_.kvHeads, shape_.headDim, shape_.blockTokens);
    }

    void launch(const char* family, bool perHeadDim, int gridX, int gridY, int threads, int sharedBytes) {
        AttentionArgs args{};
        args.step = step_.as<StepHeader>();
        args.plan = plan_.as<AttentionPlan>();
        args.query = query_.as<void>();
        args.kvBlocks = pool_.as<void>();
        args.queryStart = queryStart_.as<int32_t>();
        args.contextLengths = contextLengths_.as<int32_t>();
        args.blockTableStart = tableStart_.as<int32_t>();
        args.blockTables = tables_.as<int32_t>();
        args.partials = partials_.as<float>();
        args.partialSums = partialSums_.as<float>();
        args.output = output_.as<void>();
        args.kv = {block_bytes(), LAYER, shape_.kvHeads, shape_.headDim, shape_.blockTokens};
        args.sequencesMax = sequencesMax_;
        args.queryHeads = shape_.heads();
        args.outputColumns = shape_.columns();
        args.window = shape_.window;
        args.scale = shape_.scale();
        std::string name = std::string(family) + shape_.type.name();
        if (perHeadDim) {
            name += "_h" + std::to_string(shape_.headDim);
        }
        machine_.launch(name.c_str(), gridX, gridY, threads, sharedBytes, &args);
    }

    Shape shape_;
    Sharing sharing_;
    std::vector<Part> parts_;
    Machine& machine_;
    int rows_;
    int sequencesMax_;
    int blocks_;
    std::vector<int32_t> hostTables_;
    Buffer step_;
    Buffer queryStart_;
    Buffer contextLengths_;
    Buffer tableStart_;
    Buffer tables_;
    Buffer plan_;
    Buffer query_;
    Buffer pool_;
    Buffer partials_;
    Buffer partialSums_;
    Buffer output_;
};

/** The output of one row and head, in double precision. */
inline std::vector<double> reference(const Shape& shape, uint64_t seed, int position, int head) {
    int kvHead = head / shape.group;
    int from = shape.window > 0 ? std::max(0, position - shape.window + 1) : 0;
    std::vector<double> query;
    for (int dim = 0; dim < shape.headDim; dim++) {
        query.push_back(shape.type.widen(shape.query(seed, position, head, dim)));
    }
    std::vector<double> scores;
    double largest = -INFINITY;
    for (int key = from; key <= position; key++) {
        double score = 0;
        for (int dim = 0; dim < shape.headDim; dim++) {
            score += query[dim] * shape.type.widen(shape.key(seed, key, kvHead, dim));
        }
        scores.push_back(score * shape.scale());
        largest = std::max(largest, scores.back());
    }
    std::vector<double> output(shape.headDim);
    double sum = 0;
    for (int key = from; key <= position; key++) {
        double weight = exp2(scores[key - from] - largest);
        sum += weight;
        for (int dim = 0; dim < shape.headDim; dim++) {
            output[dim] += weight * shape.type.widen(shape.value(seed, key, kvHead, dim));
        }
    }
    for (double& element : output) {
        element /= sum;
    }
    return output;
}

/** How far a row's output may be from the reference: weights and output are rounded to T. */
inline double tolerance(const Shape& shape) {
    return shape.type.half ? 0.0015 : 0.012;
}

/** The largest difference of a row to the reference over its heads. */
inline double difference(const Shape& shape, uint64_t seed, int position, const uint16_t* row) {
    double largest = 0;
    for (int head = 0; head < shape.heads(); head++) {
        std::vector<double> expected = reference(shape, seed, position, head);
        for (int dim = 0; dim < shape.headDim; dim++) {
            double error = fabs(shape.type.widen(row[head * shape.headDim + dim]) - expected[dim]);
            largest = error <= largest ? largest : error;  // NaN is larger than all
        }
    }
    return largest;
}

/** Counts what holds and what does not, and prints the first of the latter. */
class AttentionChecks {
public:
    explicit AttentionChecks(Machine& machine) : machine_(machine) {}

    int checked() const {
        return checked_;
    }
    int failed() const {
        return failed_;
    }

    /** Decode of single rows with contexts of all these lengths, in one step. */
    void lengths(const Shape& shape, const std::vector<int>& lengths, Sharing sharing) {
        std::vector<Part> parts;
        for (int length : lengths) {
            parts.push_back({static_cast<uint64_t>(length), length - 1, 1});
        }
        std::vector<uint16_t> rows = run(shape, parts, sharing);
        for (size_t i = 0; i < lengths.size(); i++) {
            const uint16_t* row = &rows[i * static_cast<size_t>(shape.width())];
            double error = difference(shape, parts[i].seed, lengths[i] - 1, row);
            check(error <= tolerance(shape),
                  describe(shape) + ", length " + std::to_string(lengths[i]) + ": differs by " + std::to_string(error));
        }
    }

    /** A sequence of so many positions in one prefill, by other chunks, by decode, and among other sequences. */
    void chunks(const Shape& shape, int length, const std::vector<int>& chunks) {
        const std::vector<uint16_t> whole = run(shape, {{SEED, 0, length}}, PREFILL);
        for (int position : {0, 1, 62, 63, 64, 511, 512, length - 1}) {
            if (position < length) {
                double error = difference(shape, SEED, position, &whole[static_cast<size_t>(position) * shape.width()]);
                check(error <= tolerance(shape), describe(shape) + ", prefill, position " + std::to_string(position) +
                                                     ": differs by " + std::to_string(error));
            }
        }
        for (int chunk : chunks) {
            // Of short chunks only some: around the ends of tiles, of splits, and at the end.
            for (int first = 0; first < length; first += chunk) {
                int rows = std::min(chunk, length - first);
                int near = (first + rows) % 512;
                bool edge = near <= chunk + 2 || near >= 510 || (first / chunk) % 9 == 0 || first + rows >= length;
                if (edge || chunk * 20 >= length) {
                    one_chunk(shape, whole, chunk, first, rows);
                }
            }
        }
        int middle = length / 2;
        std::vector<Part> company{{11, 40, 1}, {12, 0, 90}, {SEED, length - 1, 1}, {13, 0, 1}, {SEED, middle, 37},
                                  {14, 600, 2}, {SEED, length - 3, 3}};
        std::vector<uint16_t> together = run(shape, company, {3, 9, 4});
        same(shape, whole, length - 1, together, 91, 1, "among others, by decode");
        same(shape, whole, middle, together, 93, 37, "among others, by prefill");
        same(shape, whole, length - 3, together, 132, 3, "among others, the last three by decode");
    }

private:
    static constexpr uint64_t SEED = 5;
    static constexpr Sharing PREFILL{0, 1, 3};

    std::vector<uint16_t> run(const Shape& shape, const std::vector<Part>& parts, Sharing sharing) {
        return AttentionStep(machine_, shape, parts, sharing).run();
    }

    /** Few rows are decode's too: with scratch, and with none. */
    void one_chunk(const Shape& shape, const std::vector<uint16_t>& whole, int chunk, int first, int rows) {
        std::string of = " of " + std::to_string(chunk);
        same(shape, whole, first, run(shape, {{SEED, first, rows}}, PREFILL), 0, rows, "by prefill in chunks" + of);
        if (chunk <= 32) {
            std::vector<uint16_t> apart = run(shape, {{SEED, first, rows}}, {64, 32 * chunk, 5});
            same(shape, whole, first, apart, 0, rows, "by decode of rows" + of);
        }
        if (chunk == 7) {
            std::vector<uint16_t> walked = run(shape, {{SEED, first, rows}}, {64, 0, 2});
            same(shape, whole, first, walked, 0, rows, "by decode that walks");
        }
    }

    void same(const Shape& shape, const std::vector<uint16_t>& expected, int position,
              const std::vector<uint16_t>& actual, int actualRow, int rows, const std::string& how) {
        size_t width = static_cast<size_t>(shape.width());
        for (int row = 0; row < rows; row++) {
            const uint16_t* wanted = &expected[(position + row) * width];
            bool equal = memcmp(wanted, &actual[(actualRow + row) * width], width * 2) == 0;
            check(equal, describe(shape) + ": position " + std::to_string(position + row) + " " + how);
        }
    }

    void check(bool holds, const std::string& what) {
        checked_++;
        if (!holds && failed_++ < 20) {
            printf("FAILED: %s\n", what.c_str());
        }
    }

    static std::string describe(const Shape& shape) {
        return std::string(shape.type.name()) + ", head dim " + std::to_string(shape.headDim) + ", group " +
               std::to_string(shape.group) + ", kv heads " + std::to_string(shape.kvHeads) + ", window " +
               std::to_string(shape.window) + ", blocks of " + std::to_string(shape.blockTokens);
    }

    Machine& machine_;
    int checked_ = 0;
    int failed_ = 0;
};

}  // namespace testing
}  // namespace millrace
