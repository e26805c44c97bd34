// The plain C++ twin of what device.cuh takes from a GPU; emulator.cc holds the fibers. Included by device.cuh alone.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __F16C__
#include <immintrin.h>
#endif

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__ __restrict
#define FORCE_INLINE inline
#define KERNEL(name, Args)                                                                      \
    static void name##_body(const Args& args);                                                  \
    static void name##_run(const void* args) {                                                  \
        name##_body(*static_cast<const Args*>(args));                                           \
    }                                                                                           \
    static const ::millrace::emulation::Kernel name##_kernel(#name, sizeof(Args), name##_run);  \
    static void name##_body(const Args& args)
#define KERNEL_BOUNDS(name, Args, threads, ctasPerSm) KERNEL(name, Args)
#define SHARED_ARRAY(type, name, count)  \
    static const char name##_key = 0;    \
    type* const name = static_cast<type*>(::millrace::emulation::shared_array(&name##_key, sizeof(type) * (count)))

struct alignas(16) uint4 {
    unsigned x, y, z, w;
};
struct alignas(8) uint2 {
    unsigned x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(8) float2 {
    float x, y;
};
struct uint3 {
    unsigned x, y, z;
};
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) {
    return {x, y, z, w};
}
inline uint2 make_uint2(unsigned x, unsigned y) {
    return {x, y};
}
inline float2 make_float2(float x, float y) {
    return {x, y};
}
inline float4 make_float4(float x, float y, float z, float w) {
    return {x, y, z, w};
}
inline int min(int a, int b) {
    return a < b ? a : b;
}
inline int max(int a, int b) {
    return a > b ? a : b;
}

namespace millrace {
struct bf16;
struct f16;

namespace emulation {

/** What a running thread sees of itself and of its grid. */
struct Coordinates {
    uint3 thread;
    uint3 block;
    uint3 blockSize;
    uint3 gridSize;
};

/** A kernel that launches can name. */
struct Kernel {
    Kernel(const char* name, size_t argsBytes, void (*run)(const void*));
    const char* name;
    size_t argsBytes;
    void (*run)(const void*);
    const Kernel* next;
};

enum Collective { WARP_BARRIER, SHUFFLE, MMA_BF16, MMA_F16 };

// Points at the running fiber's coordinates; the fibers of one CTA never leave their host thread.
extern thread_local const Coordinates* here __attribute__((tls_model("initial-exec")));

void barrier();
/** Leaves a lane's deposit; true in the warp's last lane, which computes with all `deposits` and calls release(). */
bool arrive(Collective kind, void* deposit, void**& deposits);
void release();
[[noreturn]] void fail(const char* text);
unsigned char* dynamic_shared();
void* shared_array(const void* key, size_t bytes);
void copy(void* shared, const void* global, bool valid);
void commit();
void wait(int pending);

/** c += a * b over all lanes' fragments, in rising k with fmaf. */
template <typename T> void mma_tile(void** deposits);

struct MmaDeposit {
    float* c;
    const uint32_t* a;
    uint32_t b[2];
};

struct ShuffleDeposit {
    uint64_t value;
    int source;
};

inline uint64_t exchange(uint64_t value, int source) {
    ShuffleDeposit mine{value, source & 31};
    void** deposits;
    if (arrive(SHUFFLE, &mine, deposits)) {
        uint64_t before[32];
        for (int lane = 0; lane < 32; lane++) {
            before[lane] = static_cast<ShuffleDeposit*>(deposits[lane])->value;
        }
        for (int lane = 0; lane < 32; lane++) {
            ShuffleDeposit* to = static_cast<ShuffleDeposit*>(deposits[lane]);
            to->value = before[to->source];
        }
        release();
    }
    return mine.value;
}

template <typename V> V exchange_value(V value, int source) {
    static_assert(sizeof(V) == 4 || sizeof(V) == 8, "shuffles move 4 or 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof(V));
    bits = exchange(bits, source);
    memcpy(&value, &bits, sizeof(V));
    return value;
}

inline int lane() {
    return static_cast<int>(
               here->thread.x + here->blockSize.x * (here->thread.y + here->blockSize.y * here->thread.z)) %
           32;
}

inline void check_aligned(const void* address, size_t bytes) {
    if (reinterpret_cast<uintptr_t>(address) % bytes != 0) {
        fail("an address is not aligned to the bytes it is read or written in");
    }
}

inline float half_to_float(uint16_t bits) {
#ifdef __F16C__
    return _cvtsh_ss(bits);
#else
    uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
    uint32_t exponent = (bits >> 10) & 0x1f;
    uint32_t fraction = bits & 0x3ffu;
    uint32_t word;
    if (exponent == 31) {
        word = sign | 0x7f800000u | fraction << 13 | (fraction != 0 ? 0x400000u : 0);
    } else if (exponent != 0) {
        word = sign | (exponent + 112) << 23 | fraction << 13;
    } else {
        float value = static_cast<float>(fraction) * 0x1p-24f;
        return sign != 0 ? -value : value;
    }
    float result;
    memcpy(&result, &word, 4);
    return result;
#endif
}

inline uint16_t float_to_half(float value) {
#ifdef __F16C__
    return value != value ? 0x7fff : static_cast<uint16_t>(_cvtss_sh(value, _MM_FROUND_TO_NEAREST_INT));
#else
    uint32_t word;
    memcpy(&word, &value, 4);
    uint32_t sign = (word >> 16) & 0x8000u;
    uint32_t magnitude = word & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
        return 0x7fff;
    }
    if (magnitude >= 0x477ff000u) {
        return static_cast<uint16_t>(sign | 0x7c00u);
    }
    if (magnitude < 0x38800000u) {  // below the smallest normal half: a multiple of 2^-24, rounded by the addition
        float shifted;
        memcpy(&shifted, &magnitude, 4);
        shifted += 0.5f;
        uint32_t fraction;
        memcpy(&fraction, &shifted, 4);
        return static_cast<uint16_t>(sign | (fraction - 0x3f000000u));
    }
    uint32_t odd = (magnitude >> 13) & 1;
    return static_cast<uint16_t>(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
#endif
}

}  // namespace emulation

inline unsigned char* dynamic_shared() {
    return emulation::dynamic_shared();
}
inline void cta_barrier() {
    emulation::barrier();
}
inline void warp_barrier() {
    void** deposits;
    if (emulation::arrive(emulation::WARP_BARRIER, nullptr, deposits)) {
        emulation::release();
    }
}
template <typename V> V shuffle_xor(V value, int mask) {
    return emulation::exchange_value(value, emulation::lane() ^ mask);
}
template <typename V> V shuffle_down(V value, int delta) {
    int source = emulation::lane() + delta;
    return emulation::exchange_value(value, source < 32 ? source : emulation::lane());
}
template <typename V> V shuffle_up(V value, int delta) {
    int source = emulation::lane() - delta;
    return emulation::exchange_value(value, source >= 0 ? source : emulation::lane());
}
template <typename V> V shuffle(V value, int lane) {
    return emulation::exchange_value(value, lane);
}
template <typename T> constexpr emulation::Collective mma_collective();
template <> constexpr emulation::Collective mma_collective<bf16>() {
    return emulation::MMA_BF16;
}
template <> constexpr emulation::Collective mma_collective<f16>() {
    return emulation::MMA_F16;
}
template <typename T> void mma(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    emulation::MmaDeposit mine{c, a, {b0, b1}};
    void** deposits;
    if (emulation::arrive(mma_collective<T>(), &mine, deposits)) {
        emulation::mma_tile<T>(deposits);
        emulation::release();
    }
    asm volatile("" ::: "memory");
}
inline void copy_async(void* shared, const void* global) {
    emulation::copy(shared, global, true);
}
inline void copy_async_or_zero(void* shared, const void* global, bool valid) {
    emulation::copy(shared, global, valid);
}
inline void copy_commit() {
    emulation::commit();
}
template <int pending> void copy_wait() {
    emulation::wait(pending);
}
inline uint4 load16(const void* from) {
    emulation::check_aligned(from, 16);
    return *static_cast<const uint4*>(from);
}
inline uint4 load16_once(const void* from) {
    return load16(from);
}
inline uint2 load8(const void* from) {
    emulation::check_aligned(from, 8);
    return *static_cast<const uint2*>(from);
}
inline uint2 load8_once(const void* from) {
    return load8(from);
}
inline void store16(void* to, uint4 value) {
    emulation::check_aligned(to, 16);
    *static_cast<uint4*>(to) = value;
}
inline uint32_t float_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}
inline float bits_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}
template <typename T> float to_float(T value);
template <typename T> T from_float(float value);
template <typename T> uint32_t pack(float low, float high) {
    return from_float<T>(low).bits | static_cast<uint32_t>(from_float<T>(high).bits) << 16;
}
inline float exp2_approx(float value) {
    return exp2f(value);
}
inline int atomic_add(int* to, int value) {
    return __atomic_fetch_add(to, value, __ATOMIC_RELAXED);
}
inline void device_fence() {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

}  // namespace millrace

#define threadIdx (::millrace::emulation::here->thread)
#define blockIdx (::millrace::emulation::here->block)
#define blockDim (::millrace::emulation::here->blockSize)
#define gridDim (::millrace::emulation::here->gridSize)
