// What only a GPU has, behind small wrappers with a plain C++ twin.
//
// nvcc sees intrinsics and PTX. g++ with -DMILLRACE_EMULATED sees twins that run one fiber a CUDA thread (emulator.cc):
// a kernel's source is the same in both. Rules for kernels that want to run in both:
//  * declare kernels with KERNEL(name, Args) or KERNEL_BOUNDS(name, Args, threads, ctasPerSm); the body sees `args`;
//  * shared memory is dynamic_shared() (the launch's bytes) or SHARED_ARRAY(type, name, count), never __shared__;
//  * warp collectives (warp_barrier, shuffle*, mma) are called by all 32 lanes of a warp, with no lane gone;
//  * asynchronous copies are visible to their own thread after copy_wait, to others after a barrier following it.
// The emulator fails a launch, with the kernel's name, where lanes of a warp meet in different collectives or nothing
// can run any more.
//
// Numbers. Compile with -fmad=false (nvcc) and -ffp-contract=off (g++): a product and a sum are fused only where fmaf
// is written. Then everything but mma and exp2_approx gives the same bits in both; those two are each deterministic,
// but the emulator's mma adds its products in rising k with fmaf, where the hardware's order and intermediate width
// are its own.
#pragma once

#include <stdint.h>

#ifdef MILLRACE_EMULATED
#include "emulation.h"
#else
#define FORCE_INLINE __device__ __forceinline__
#define KERNEL(name, Args) extern "C" __global__ void name(const __grid_constant__ Args args)
#define KERNEL_BOUNDS(name, Args, threads, ctasPerSm) \
    extern "C" __global__ void __launch_bounds__(threads, ctasPerSm) name(const __grid_constant__ Args args)
#define SHARED_ARRAY(type, name, count) __shared__ __align__(16) type name[count]
#endif

namespace millrace {

/** The 16 bits of a bfloat16. */
struct bf16 {
    uint16_t bits;
};

/** The 16 bits of an IEEE half. */
struct f16 {
    uint16_t bits;
};

constexpr int WARP = 32;

#ifndef MILLRACE_EMULATED

/** The launch's dynamic shared memory, aligned to 1024 bytes on a GPU and to 128 in emulation. */
FORCE_INLINE unsigned char* dynamic_shared() {
    extern __shared__ __align__(1024) unsigned char millrace_dynamic_shared[];
    return millrace_dynamic_shared;
}

/** __syncthreads. */
FORCE_INLINE void cta_barrier() {
    __syncthreads();
}

/** __syncwarp. */
FORCE_INLINE void warp_barrier() {
    __syncwarp();
}

template <typename V> FORCE_INLINE V shuffle_xor(V value, int mask) {
    return __shfl_xor_sync(0xffffffffu, value, mask);
}

/** The value of the lane `delta` above; lanes without one get their own. */
template <typename V> FORCE_INLINE V shuffle_down(V value, int delta) {
    return __shfl_down_sync(0xffffffffu, value, delta);
}

/** The value of the lane `delta` below; lanes without one get their own. */
template <typename V> FORCE_INLINE V shuffle_up(V value, int delta) {
    return __shfl_up_sync(0xffffffffu, value, delta);
}

template <typename V> FORCE_INLINE V shuffle(V value, int lane) {
    return __shfl_sync(0xffffffffu, value, lane);
}

/** c += a * b for one 16x8x16 tile of operands T (bf16 or f16) with f32 sums. */
template <typename T> FORCE_INLINE void mma(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1);

template <> FORCE_INLINE void mma<bf16>(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                 "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

template <> FORCE_INLINE void mma<f16>(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
                 "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/** Begins to copy 16 bytes from global to shared memory; both ends aligned to 16. */
FORCE_INLINE void copy_async(void* shared, const void* global) {
    unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(shared));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address), "l"(global) : "memory");
}

/** Like copy_async, but writes zeros, and reads nothing, where `valid` is false. */
FORCE_INLINE void copy_async_or_zero(void* shared, const void* global, bool valid) {
    unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(shared));
    int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(global), "r"(bytes) : "memory");
}

/** Ends a group of asynchronous copies. */
FORCE_INLINE void copy_commit() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

/** Waits until at most `pending` of this thread's groups of copies are under way. */
template <int pending> FORCE_INLINE void copy_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

/** Reads 16 aligned bytes. */
FORCE_INLINE uint4 load16(const void* from) {
    return *static_cast<const uint4*>(from);
}

/** Reads 8 aligned bytes. */
FORCE_INLINE uint2 load8(const void* from) {
    return *static_cast<const uint2*>(from);
}

/** Reads 16 aligned bytes of read-only global memory that are used once: not kept in the first cache. */
FORCE_INLINE uint4 load16_once(const void* from) {
    uint4 v;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0,%1,%2,%3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "l"(from));
    return v;
}

/** Reads 8 aligned bytes of read-only global memory that are used once. */
FORCE_INLINE uint2 load8_once(const void* from) {
    uint2 v;
    asm volatile("ld.global.nc.L1::no_allocate.v2.u32 {%0,%1}, [%2];" : "=r"(v.x), "=r"(v.y) : "l"(from));
    return v;
}

/** Writes 16 aligned bytes. */
FORCE_INLINE void store16(void* to, uint4 value) {
    *static_cast<uint4*>(to) = value;
}

FORCE_INLINE uint32_t float_bits(float value) {
    return __float_as_uint(value);
}

FORCE_INLINE float bits_float(uint32_t bits) {
    return __uint_as_float(bits);
}

FORCE_INLINE float to_float(bf16 value) {
    return __uint_as_float(static_cast<uint32_t>(value.bits) << 16);
}

FORCE_INLINE float to_float(f16 value) {
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
    return result;
}

/** Rounds to the nearest T, ties to even. */
template <typename T> FORCE_INLINE T from_float(float value);

template <> FORCE_INLINE bf16 from_float<bf16>(float value) {
    bf16 result;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
}

template <> FORCE_INLINE f16 from_float<f16>(float value) {
    f16 result;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
}

/** Two values rounded to T in one register, `low` in its lower half. */
template <typename T> FORCE_INLINE uint32_t pack(float low, float high);

template <> FORCE_INLINE uint32_t pack<bf16>(float low, float high) {
    uint32_t result;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
    return result;
}

template <> FORCE_INLINE uint32_t pack<f16>(float low, float high) {
    uint32_t result;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
    return result;
}

/** 2 to the power of `value`, to about 2 units in the last place; exp2_approx(-infinity) is 0, exp2_approx(0) is 1. */
FORCE_INLINE float exp2_approx(float value) {
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(value));
    return result;
}

/** Adds and gives back what was there before. */
FORCE_INLINE int atomic_add(int* to, int value) {
    return atomicAdd(to, value);
}

/** What this thread wrote before is seen by other CTAs before what it writes after. */
FORCE_INLINE void device_fence() {
    __threadfence();
}

#else

template <> inline float to_float<bf16>(bf16 value) {
    return bits_float(static_cast<uint32_t>(value.bits) << 16);
}

template <> inline float to_float<f16>(f16 value) {
    return emulation::half_to_float(value.bits);
}

template <> inline bf16 from_float<bf16>(float value) {
    uint32_t bits = float_bits(value);
    return bf16{static_cast<uint16_t>(value != value ? 0x7fff : (bits + 0x7fffu + ((bits >> 16) & 1)) >> 16)};
}

template <> inline f16 from_float<f16>(float value) {
    return f16{emulation::float_to_half(value)};
}

#endif

/** The lower and the upper T of a register as floats. */
template <typename T> FORCE_INLINE float low_float(uint32_t packed) {
    return to_float(T{static_cast<uint16_t>(packed & 0xffffu)});
}

template <typename T> FORCE_INLINE float high_float(uint32_t packed) {
    return to_float(T{static_cast<uint16_t>(packed >> 16)});
}

/** The largest finite T. */
template <typename T> FORCE_INLINE float largest_finite();

template <> FORCE_INLINE float largest_finite<bf16>() {
    return bits_float(0x7f7f0000u);
}

template <> FORCE_INLINE float largest_finite<f16>() {
    return 65504.0f;
}

/** The value rounded to a finite T: infinities become the largest, what is no number the least. Keys and values are stored so. */
template <typename T> FORCE_INLINE T finite(float value) {
    float limit = largest_finite<T>();
    return from_float<T>(fminf(fmaxf(value, -limit), limit));
}

/** The lane of this thread, in blocks of one dimension. */
FORCE_INLINE int lane_index() {
    return static_cast<int>(threadIdx.x) % WARP;
}

/** The warp of this thread, in blocks of one dimension. */
FORCE_INLINE int warp_index() {
    return static_cast<int>(threadIdx.x) / WARP;
}

/** The same sum in every lane: a butterfly over 16, 8, 4, 2, 1. */
FORCE_INLINE float warp_sum(float value) {
    for (int mask = 16; mask > 0; mask >>= 1) {
        value += shuffle_xor(value, mask);
    }
    return value;
}

/** The same maximum in every lane. */
FORCE_INLINE float warp_max(float value) {
    for (int mask = 16; mask > 0; mask >>= 1) {
        value = fmaxf(value, shuffle_xor(value, mask));
    }
    return value;
}

}  // namespace millrace
