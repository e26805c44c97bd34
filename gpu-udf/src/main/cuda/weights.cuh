// Packed weights on their way to the operands of mma: one lane's part of a tile of 16 rows and 32 columns, loaded and
// made into two A fragments. What a packed weight is worth is said here, once, for all products.
#pragma once

#include "device.cuh"
#include "layout.cuh"

namespace millrace {

/** Which path a load takes: weights of decode are used once, those of prefill come out of shared memory. */
enum Source { FROM_GLOBAL, FROM_SHARED };

/** Bytes of quants and of scales of a tile of 16 rows and 32 columns. */
MILLRACE_INDEX constexpr int tile_bytes(int format) {
    return format == WEIGHT_16 ? 1024 : format == WEIGHT_8 ? 512 : 256;
}

MILLRACE_INDEX constexpr int tile_scale_bytes(int format) {
    return format == WEIGHT_16 ? 0 : format == WEIGHT_8 ? 32 : 64;
}

/** Byte `index` of a word as a float, exactly: the bits of 2^23 + byte, less 2^23. */
FORCE_INLINE float byte_float(uint32_t word, int index) {
    return bits_float(((word >> (8 * index)) & 0xffu) | 0x4b000000u) - 8388608.0f;
}

/** Byte `index` of a word of signed bytes that were turned to byte + 128. */
FORCE_INLINE float signed_byte_float(uint32_t word, int index) {
    return bits_float(((word >> (8 * index)) & 0xffu) | 0x4b000000u) - 8388736.0f;
}

/** Nibble `index` of a word as a float. */
FORCE_INLINE float nibble_float(uint32_t word, int index) {
    return bits_float(((word >> (4 * index)) & 0xfu) | 0x4b000000u) - 8388608.0f;
}

/** lane_quants and lane_scales say where a lane's part begins in the first tile; load takes them moved on by tiles. */
template <typename T, int FORMAT> struct Packed;

template <typename T> struct Packed<T, WEIGHT_16> {
    uint4 halves[2];

    FORCE_INLINE static const unsigned char* lane_quants(const void* quants) {
        return static_cast<const unsigned char*>(quants) + lane_index() * 16;
    }

    FORCE_INLINE static const unsigned char* lane_scales(const void* scales) {
        return static_cast<const unsigned char*>(scales);
    }

    template <Source SOURCE> FORCE_INLINE void load(const unsigned char* quants, const unsigned char*) {
        halves[0] = SOURCE == FROM_GLOBAL ? load16_once(quants) : load16(quants);
        halves[1] = SOURCE == FROM_GLOBAL ? load16_once(quants + 512) : load16(quants + 512);
    }

    /** The A fragment of columns 16 half to 16 half + 15. */
    FORCE_INLINE void fragment(int half, uint32_t (&a)[4]) const {
        a[0] = halves[half].x;
        a[1] = halves[half].y;
        a[2] = halves[half].z;
        a[3] = halves[half].w;
    }
};

template <typename T> struct Packed<T, WEIGHT_8> {
    uint4 quants;
    f16 scales[2];  // of rows g and g + 8

    FORCE_INLINE static const unsigned char* lane_quants(const void* quants) {
        return static_cast<const unsigned char*>(quants) + lane_index() * 16;
    }

    FORCE_INLINE static const unsigned char* lane_scales(const void* scales) {
        return static_cast<const unsigned char*>(scales) + lane_index() / 4 * 2;
    }

    template <Source SOURCE> FORCE_INLINE void load(const unsigned char* from, const unsigned char* scalesFrom) {
        quants = SOURCE == FROM_GLOBAL ? load16_once(from) : load16(from);
        scales[0] = *reinterpret_cast<const f16*>(scalesFrom);
        scales[1] = *reinterpret_cast<const f16*>(scalesFrom + 16);
    }

    FORCE_INLINE void fragment(int half, uint32_t (&a)[4]) const {
        uint32_t low = (half == 0 ? quants.x : quants.z) ^ 0x80808080u;
        uint32_t high = (half == 0 ? quants.y : quants.w) ^ 0x80808080u;
        float upper = to_float(scales[0]);
        float lower = to_float(scales[1]);
        a[0] = pack<T>(upper * signed_byte_float(low, 0), upper * signed_byte_float(low, 1));
        a[1] = pack<T>(lower * signed_byte_float(low, 2), lower * signed_byte_float(low, 3));
        a[2] = pack<T>(upper * signed_byte_float(high, 0), upper * signed_byte_float(high, 1));
        a[3] = pack<T>(lower * signed_byte_float(high, 2), lower * signed_byte_float(high, 3));
    }
};

template <typename T> struct Packed<T, WEIGHT_4> {
    uint2 quants;
    uint32_t scales[2];  // f16 scale and minimum of rows g and g + 8

    FORCE_INLINE static const unsigned char* lane_quants(const void* quants) {
        return static_cast<const unsigned char*>(quants) + lane_index() * 8;
    }

    FORCE_INLINE static const unsigned char* lane_scales(const void* scales) {
        return static_cast<const unsigned char*>(scales) + lane_index() / 4 * 4;
    }

    template <Source SOURCE> FORCE_INLINE void load(const unsigned char* from, const unsigned char* scalesFrom) {
        quants = SOURCE == FROM_GLOBAL ? load8_once(from) : load8(from);
        scales[0] = *reinterpret_cast<const uint32_t*>(scalesFrom);
        scales[1] = *reinterpret_cast<const uint32_t*>(scalesFrom + 32);
    }

    FORCE_INLINE void fragment(int half, uint32_t (&a)[4]) const {
        float upper = low_float<f16>(scales[0]);
        float upperMinimum = high_float<f16>(scales[0]);
        float lower = low_float<f16>(scales[1]);
        float lowerMinimum = high_float<f16>(scales[1]);
        a[0] = pair(quants.x, half, upper, upperMinimum);
        a[1] = pair(quants.x, half + 4, lower, lowerMinimum);
        a[2] = pair(quants.y, half, upper, upperMinimum);
        a[3] = pair(quants.y, half + 4, lower, lowerMinimum);
    }

private:
    FORCE_INLINE static uint32_t pair(uint32_t word, int nibble, float scale, float minimum) {
        return pack<T>(fmaf(scale, nibble_float(word, nibble), minimum),
                       fmaf(scale, nibble_float(word, nibble + 2), minimum));
    }
};

/** One weight as a float: what a fragment holds, before it is rounded to T. */
template <typename T>
FORCE_INLINE float weight_at(const void* weights, const void* scales, int format, int row, int k, int columns) {
    if (format == WEIGHT_16) {
        return to_float(static_cast<const T*>(weights)[weight16_index(row, k, columns)]);
    }
    int64_t scale = scale_index(row, k, columns);
    if (format == WEIGHT_8) {
        const int8_t* quants = static_cast<const int8_t*>(weights);
        return to_float(static_cast<const f16*>(scales)[scale]) *
               static_cast<float>(quants[weight8_index(row, k, columns)]);
    }
    uint32_t byte = static_cast<const unsigned char*>(weights)[weight4_index(row, k, columns)];
    uint32_t pair = static_cast<const uint32_t*>(scales)[scale];
    float quant = static_cast<float>(weight4_upper(k) ? byte >> 4 : byte & 0xfu);
    return fmaf(low_float<f16>(pair), quant, high_float<f16>(pair));
}

}  // namespace millrace
