// What the kernels' benches share: device memory, seeded bits, timing, the device's limits. Included where BENCH is
// defined; a bench is `nvcc -O3 -std=c++17 -fmad=false -arch=sm_90a -DBENCH FAMILY.cu`, and runs its checks alone with
// --check. It ends with 1 where a check fails.
#pragma once

#include <cuda_runtime.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vector>

#include "abi.h"

namespace bench {

/** Ends the program with the reason where a call of the CUDA runtime fails. */
#define CUDA_CALL(call)                                                                             \
    do {                                                                                            \
        cudaError_t error = (call);                                                                 \
        if (error != cudaSuccess) {                                                                 \
            printf("%s:%d: %s: %s\n", __FILE__, __LINE__, #call, cudaGetErrorString(error));        \
            exit(1);                                                                                \
        }                                                                                           \
    } while (false)

inline int failures = 0;

/** Counts a failure, and prints the first few. */
#define BENCH_CHECK(condition, ...)                \
    do {                                           \
        if (!(condition) && bench::failures++ < 20) { \
            printf("FAILED %s: ", #condition);     \
            printf(__VA_ARGS__);                   \
            printf("\n");                          \
        }                                          \
    } while (false)

/** Elements in device memory. */
template <typename E> class DeviceArray {
public:
    explicit DeviceArray(size_t count) : count_(count) {
        CUDA_CALL(cudaMalloc(&data_, count * sizeof(E) + 16));
    }
    explicit DeviceArray(const std::vector<E>& values) : DeviceArray(values.size()) {
        CUDA_CALL(cudaMemcpy(data_, values.data(), count_ * sizeof(E), cudaMemcpyHostToDevice));
    }
    ~DeviceArray() {
        cudaFree(data_);
    }
    DeviceArray(const DeviceArray&) = delete;
    DeviceArray& operator=(const DeviceArray&) = delete;

    E* data() const {
        return data_;
    }
    void fill(int byte) {
        CUDA_CALL(cudaMemset(data_, byte, count_ * sizeof(E)));
    }
    std::vector<E> download() const {
        std::vector<E> values(count_);
        CUDA_CALL(cudaMemcpy(values.data(), data_, count_ * sizeof(E), cudaMemcpyDeviceToHost));
        return values;
    }

private:
    size_t count_;
    E* data_ = nullptr;
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
    /** The bits of a bf16, or of a half, of a size from 1/64 to 1. */
    uint16_t small(bool half) {
        uint64_t b = bits();
        uint64_t exponent = b >> 32;
        uint64_t rest = half ? (9 + exponent % 6) << 10 | (b & 0x3ff) : (121 + exponent % 6) << 7 | (b & 0x7f);
        return static_cast<uint16_t>((b >> 16 & 0x8000) | rest);
    }
};

inline float bf16_value(uint16_t bits) {
    uint32_t word = static_cast<uint32_t>(bits) << 16;
    float value;
    memcpy(&value, &word, 4);
    return value;
}

inline float half_value(uint16_t bits) {
    int exponent = bits >> 10 & 0x1f;
    float fraction = static_cast<float>(bits & 0x3ff);
    float value = exponent == 0 ? ldexpf(fraction, -24) : ldexpf(1024.0f + fraction, exponent - 25);
    return (bits & 0x8000) != 0 ? -value : value;
}

/** The bf16 or half nearest to a value that is not close to its type's limits, ties to even. */
inline float rounded(float value, bool half) {
    if (value == 0.0f) {
        return value;
    }
    int exponent;
    frexpf(value, &exponent);
    int digits = half ? 11 : 8;
    int scale = half && exponent < -13 ? 24 : digits - exponent;
    return ldexpf(nearbyintf(ldexpf(value, scale)), -scale);
}

/** Launches a kernel of one argument struct. */
template <typename Args>
void launch(void (*kernel)(Args), int gridX, int gridY, int threads, int sharedBytes, Args args) {
    const void* function = reinterpret_cast<const void*>(kernel);
    if (sharedBytes > 48 * 1024) {
        CUDA_CALL(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, sharedBytes));
    }
    void* parameters[] = {&args};
    CUDA_CALL(cudaLaunchKernel(function, dim3(gridX, gridY), dim3(threads), parameters, sharedBytes, nullptr));
}

/** Milliseconds of one of `repeats` runs, after one that does not count. */
template <typename Run> double milliseconds(int repeats, Run run) {
    cudaEvent_t start;
    cudaEvent_t stop;
    CUDA_CALL(cudaEventCreate(&start));
    CUDA_CALL(cudaEventCreate(&stop));
    run(0);
    CUDA_CALL(cudaEventRecord(start));
    for (int i = 0; i < repeats; i++) {
        run(i + 1);
    }
    CUDA_CALL(cudaEventRecord(stop));
    CUDA_CALL(cudaEventSynchronize(stop));
    float elapsed;
    CUDA_CALL(cudaEventElapsedTime(&elapsed, start, stop));
    CUDA_CALL(cudaEventDestroy(start));
    CUDA_CALL(cudaEventDestroy(stop));
    return elapsed / repeats;
}

inline int attribute(cudaDeviceAttr which) {
    int value;
    CUDA_CALL(cudaDeviceGetAttribute(&value, which, 0));
    return value;
}

/** GB/s of the memory's clock and width. */
inline double memory_limit() {
    return 2.0 * attribute(cudaDevAttrMemoryClockRate) * 1e3 * attribute(cudaDevAttrGlobalMemoryBusWidth) / 8 / 1e9;
}

/** TFLOP/s of dense 16-bit mma at the highest clock: 2048 multiply-adds a cycle and SM, 1024 before 9.0. */
inline double mma_limit() {
    double perCycle = attribute(cudaDevAttrComputeCapabilityMajor) >= 9 ? 2048 : 1024;
    return 2 * perCycle * attribute(cudaDevAttrMultiProcessorCount) * attribute(cudaDevAttrClockRate) * 1e3 / 1e12;
}

/** Whether the program was asked for checks alone; prints the device. */
inline bool checks_only(int count, char** arguments) {
    cudaDeviceProp properties;
    CUDA_CALL(cudaGetDeviceProperties(&properties, 0));
    printf("%s: %.0f GB/s of memory, %.0f TFLOP/s of mma at most\n", properties.name, memory_limit(), mma_limit());
    return count > 1 && strcmp(arguments[1], "--check") == 0;
}

/** The program's exit code, said. */
inline int result(const char* name) {
    CUDA_CALL(cudaDeviceSynchronize());
    printf("%s: %s\n", name, failures == 0 ? "checks passed" : "checks FAILED");
    return failures == 0 ? 0 : 1;
}

/** A step block of counts alone. */
inline std::vector<millrace::StepHeader> header(int rows, int logitsRows) {
    std::vector<millrace::StepHeader> step(1);
    memset(step.data(), 0, sizeof(millrace::StepHeader));
    step[0].rows = rows;
    step[0].sequences = 1;
    step[0].logitsRows = logitsRows;
    return step;
}

}  // namespace bench
