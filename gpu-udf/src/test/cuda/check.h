// What the kernels' checks share: memory that ends at a page that faults, seeded numbers, launches, packing.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <vector>

#include "abi.h"
#include "device.cuh"
#include "layout.cuh"

extern "C" int millrace_launch(const char* kernel, int gx, int gy, int gz, int bx, int by, int bz, int sharedBytes,
                               const void* args);
extern "C" const char* millrace_error();
extern "C" void millrace_configure(int threads, int order, int atOnce);

namespace check {

using namespace millrace;

inline int failures = 0;

/** Counts a failure and prints what it was. */
#define CHECK(condition, ...)                     \
    do {                                          \
        if (!(condition)) {                       \
            if (check::failures++ < 20) {         \
                printf("FAILED %s: ", #condition); \
                printf(__VA_ARGS__);              \
                printf("\n");                     \
            }                                     \
        }                                         \
    } while (false)

/** Elements in memory whose last one lies before a page that faults; begins as bytes of 0xff. */
template <typename E> class Array {
public:
    explicit Array(size_t count) : count_(count) {
        size_t bytes = (count * sizeof(E) + 15) / 16 * 16;
        mapped_ = (bytes + 4095) / 4096 * 4096 + 4096;
        base_ = static_cast<unsigned char*>(
            mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        mprotect(base_ + mapped_ - 4096, 4096, PROT_NONE);
        data_ = reinterpret_cast<E*>(base_ + mapped_ - 4096 - bytes);
        memset(static_cast<void*>(data_), 0xff, bytes);
    }
    Array(const std::vector<E>& from) : Array(from.size()) {
        memcpy(static_cast<void*>(data_), from.data(), from.size() * sizeof(E));
    }
    ~Array() {
        munmap(base_, mapped_);
    }
    Array(const Array&) = delete;
    Array& operator=(const Array&) = delete;

    E* data() const {
        return data_;
    }
    size_t size() const {
        return count_;
    }
    E& operator[](size_t i) const {
        return data_[i];
    }
    void fill(int byte) {
        memset(static_cast<void*>(data_), byte, count_ * sizeof(E));
    }
    bool same_bits(const Array& other) const {
        return count_ == other.count_ && memcmp(data_, other.data_, count_ * sizeof(E)) == 0;
    }

private:
    size_t count_;
    size_t mapped_;
    unsigned char* base_;
    E* data_;
};

/** SplitMix64. */
struct Random {
    uint64_t state;

    uint64_t bits() {
        uint64_t z = state += 0x9e3779b97f4a7c15ull;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        return z ^ (z >> 31);
    }
    int below(int limit) {
        return static_cast<int>(bits() % static_cast<uint64_t>(limit));
    }
    /** Evenly in [-1, 1). */
    float even() {
        return static_cast<float>(static_cast<double>(bits() >> 11) * 0x1p-52 - 1.0);
    }
};

template <typename Args>
void launch(const char* kernel, int gx, int gy, int threads, int sharedBytes, const Args& args) {
    if (millrace_launch(kernel, gx, gy, 1, threads, 1, 1, sharedBytes, &args) != 0) {
        failures++;
        printf("FAILED launch: %s\n", millrace_error());
        exit(1);
    }
}

inline int round_up(int value, int multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

inline StepHeader header(int rows, int sequences, int logitsRows) {
    StepHeader step{};
    step.rows = rows;
    step.sequences = sequences;
    step.logitsRows = logitsRows;
    return step;
}

template <typename T> const char* type_name();
template <> inline const char* type_name<bf16>() {
    return "bf16";
}
template <> inline const char* type_name<f16>() {
    return "f16";
}

/** A packed matrix, and what each weight is worth after rounding to T. */
template <typename T> struct Matrix {
    int features;
    int columns;
    int format;
    std::vector<float> exact;    // before rounding
    std::vector<float> rounded;
    Array<unsigned char> weights;
    Array<unsigned char> scales;

    /** Random weights of about 1 / sqrt(columns) in `trueFeatures` x `trueColumns`; padding is zeros. */
    Matrix(int trueFeatures, int trueColumns, int packing, Random& random)
        : features(round_up(trueFeatures, 16)), columns(round_up(trueColumns, 64)), format(packing),
          exact(static_cast<size_t>(features) * columns), rounded(exact.size()),
          weights(exact.size() * (packing == WEIGHT_16 ? 4 : packing == WEIGHT_8 ? 2 : 1) / 2),
          scales(packing == WEIGHT_16 ? 16 : exact.size() / 32 * (packing == WEIGHT_8 ? 2 : 4)) {
        weights.fill(0);
        scales.fill(0);
        float size = 1.7f / sqrtf(static_cast<float>(trueColumns));
        for (int row = 0; row < trueFeatures; row++) {
            for (int first = 0; first < columns; first += 32) {
                fill_group(row, first, trueColumns, size, random);
            }
        }
    }

private:
    void fill_group(int row, int first, int trueColumns, float size, Random& random) {
        f16 scale = from_float<f16>(size * (0.5f + 0.5f * fabsf(random.even())) / (format == WEIGHT_8 ? 127.0f : 7.5f));
        f16 minimum = from_float<f16>(-size * fabsf(random.even()));
        int64_t scaleAt = scale_index(row, first, columns);
        if (format == WEIGHT_8) {
            reinterpret_cast<f16*>(scales.data())[scaleAt] = scale;
        } else if (format == WEIGHT_4) {
            reinterpret_cast<f16*>(scales.data())[2 * scaleAt] = scale;
            reinterpret_cast<f16*>(scales.data())[2 * scaleAt + 1] = minimum;
        }
        for (int k = first; k < first + 32 && k < trueColumns; k++) {
            float value;
            if (format == WEIGHT_16) {
                T weight = from_float<T>(size * random.even());
                reinterpret_cast<T*>(weights.data())[weight16_index(row, k, columns)] = weight;
                value = to_float(weight);
            } else if (format == WEIGHT_8) {
                int quant = random.below(256) - 128;
                reinterpret_cast<int8_t*>(weights.data())[weight8_index(row, k, columns)] = static_cast<int8_t>(quant);
                value = to_float(scale) * static_cast<float>(quant);
            } else {
                int quant = random.below(16);
                int nibble = weight4_upper(k) ? quant << 4 : quant;
                weights[weight4_index(row, k, columns)] |= static_cast<unsigned char>(nibble);
                value = fmaf(to_float(scale), static_cast<float>(quant), to_float(minimum));
            }
            exact[static_cast<size_t>(row) * columns + k] = value;
            rounded[static_cast<size_t>(row) * columns + k] = to_float(from_float<T>(value));
        }
    }
};

/** Activations in their order, and what each is worth. Rows from `rows` on are NaN, padding columns zero. */
template <typename T> struct Activations {
    int rows;
    int columns;
    Array<T> packed;
    std::vector<float> values;

    Activations(int count, int trueColumns, Random& random)
        : rows(count), columns(round_up(trueColumns, 64)),
          packed(static_cast<size_t>(round_up(count, ROW_PADDING)) * columns),
          values(static_cast<size_t>(count) * columns) {
        for (int row = 0; row < rows; row++) {
            for (int k = 0; k < columns; k++) {
                T value = from_float<T>(k < trueColumns ? random.even() : 0.0f);
                packed[activation_index(row, k, columns)] = value;
                values[static_cast<size_t>(row) * columns + k] = to_float(value);
            }
        }
    }

    /** One row as a batch of its own. */
    Activations(const Activations& from, int row)
        : rows(1), columns(from.columns), packed(static_cast<size_t>(ROW_PADDING) * from.columns),
          values(from.values.begin() + static_cast<size_t>(row) * columns,
                 from.values.begin() + static_cast<size_t>(row + 1) * columns) {
        for (int k = 0; k < columns; k++) {
            packed[activation_index(0, k, columns)] = from.packed[activation_index(row, k, columns)];
        }
    }
};

/** Prints the count of failures; what main returns. */
inline int finish(const char* name) {
    printf("%s: %s\n", name, failures == 0 ? "passed" : "FAILED");
    return failures == 0 ? 0 : 1;
}

}  // namespace check
