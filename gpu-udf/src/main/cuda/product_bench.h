// The bench of product.cu: all kernels of a format against each other bit for bit and against sums in double, then
// decode in GB/s of weights and prefill in TFLOP/s, in the shapes of Llama 3.1 8B.
#pragma once

#include <utility>

#include "bench.h"

namespace bench {

using millrace::ProductArgs;

/** The kernels of one operand type and format. */
struct Products {
    const char* name;
    bool half;
    int format;
    void (*kernels[5])(ProductArgs);  // r8, r16, r32, r64, tile
};

#define PRODUCTS_OF(T, w, half, format)                                                                             \
    Products {                                                                                                      \
        #T " " #w, half, format, {                                                                                  \
            product_##T##_##w##_r8, product_##T##_##w##_r16, product_##T##_##w##_r32, product_##T##_##w##_r64,      \
                product_##T##_##w##_tile                                                                            \
        }                                                                                                           \
    }

constexpr int TILE = 4;
constexpr int KIND_ROWS[] = {8, 16, 32, 64, 128};
constexpr int KIND_FEATURES[] = {16, 16, 32, 32, 128};

inline void launch_product(const Products& products, int kind, int rows, const ProductArgs& args) {
    int tileBytes = products.format == WEIGHT_16 ? 131072 : products.format == WEIGHT_8 ? 100352 : 86016;
    launch(products.kernels[kind], (args.features + KIND_FEATURES[kind] - 1) / KIND_FEATURES[kind],
           (rows + KIND_ROWS[kind] - 1) / KIND_ROWS[kind], 256, kind == TILE ? tileBytes : 0, args);
}

inline size_t weight_bytes(int format, size_t weights) {
    return format == WEIGHT_16 ? weights * 2 : format == WEIGHT_8 ? weights : weights / 2;
}

inline size_t scale_bytes(int format, size_t weights) {
    return format == WEIGHT_16 ? 16 : weights / 32 * (format == WEIGHT_8 ? 2 : 4);
}

/** Random bytes that are good weights in their format, wherever each lies. */
inline std::vector<uint16_t> random_weights(const Products& products, size_t bytes, Random& random) {
    std::vector<uint16_t> words(bytes / 2);
    for (uint16_t& word : words) {
        word = products.format == WEIGHT_16 ? random.small(products.half) : static_cast<uint16_t>(random.bits());
    }
    return words;
}

inline std::vector<uint16_t> random_halves(size_t bytes, bool half, Random& random) {
    std::vector<uint16_t> words(bytes / 2);
    for (uint16_t& word : words) {
        word = random.small(half);
    }
    return words;
}

/** What weight (row, k) is as an operand. */
inline float weight_value(const Products& products, const std::vector<uint16_t>& weights,
                          const std::vector<uint16_t>& scales, int row, int k, int columns) {
    const unsigned char* bytes = reinterpret_cast<const unsigned char*>(weights.data());
    if (products.format == WEIGHT_16) {
        uint16_t bits = weights[weight16_index(row, k, columns)];
        return products.half ? half_value(bits) : bf16_value(bits);
    }
    int64_t scale = scale_index(row, k, columns);
    if (products.format == WEIGHT_8) {
        float quant = static_cast<float>(static_cast<int8_t>(bytes[weight8_index(row, k, columns)]));
        return rounded(half_value(scales[scale]) * quant, products.half);
    }
    int byte = bytes[weight4_index(row, k, columns)];
    float quant = static_cast<float>(weight4_upper(k) ? byte >> 4 : byte & 0xf);
    return rounded(fmaf(half_value(scales[2 * scale]), quant, half_value(scales[2 * scale + 1])), products.half);
}

/** All kernels give the same bits, near a sum in double; a row alone gives those of its batch. */
inline void check_products(const Products& products, int features, int columns, int rows, Random& random) {
    size_t count = static_cast<size_t>(features) * columns;
    std::vector<uint16_t> weights = random_weights(products, weight_bytes(products.format, count), random);
    std::vector<uint16_t> scales = random_halves(scale_bytes(products.format, count), true, random);
    std::vector<uint16_t> activations =
        random_halves(static_cast<size_t>((rows + 127) / 128 * 128) * columns * 2, products.half, random);
    DeviceArray<uint16_t> deviceWeights(weights);
    DeviceArray<uint16_t> deviceScales(scales);
    DeviceArray<uint16_t> deviceActivations(activations);
    DeviceArray<millrace::StepHeader> step(header(rows, 0));
    DeviceArray<millrace::StepHeader> eight(header(min(rows, 8), 0));
    DeviceArray<float> output(static_cast<size_t>(rows) * features);
    ProductArgs args{};
    args.step = step.data();
    args.weights = deviceWeights.data();
    args.scales = deviceScales.data();
    args.activations = deviceActivations.data();
    args.output = output.data();
    args.features = features;
    args.columns = columns;
    args.epilogue = millrace::EPILOGUE_STORE;
    args.outputColumns = features;
    args.outputStride = features;
    std::vector<float> first;
    for (int kind = 0; kind <= TILE; kind++) {
        output.fill(0xff);
        launch_product(products, kind, rows, args);
        std::vector<float> got = output.download();
        if (kind == 0) {
            first = got;
        }
        BENCH_CHECK(memcmp(first.data(), got.data(), got.size() * sizeof(float)) == 0,
                    "%s: kernel %d differs from r8 (%d x %d, %d rows)", products.name, kind, features, columns, rows);
    }
    output.fill(0xff);
    args.step = eight.data();
    launch_product(products, TILE, rows, args);
    std::vector<float> alone = output.download();
    BENCH_CHECK(memcmp(first.data(), alone.data(), static_cast<size_t>(min(rows, 8)) * features * sizeof(float)) == 0,
                "%s: the first rows alone differ (%d x %d, %d rows)", products.name, features, columns, rows);
    for (int i = 0; i < 100; i++) {
        int row = random.below(rows);
        int feature = random.below(features);
        double sum = 0;
        double size = 0;
        for (int k = 0; k < columns; k++) {
            uint16_t bits = activations[activation_index(row, k, columns)];
            double term = static_cast<double>(products.half ? half_value(bits) : bf16_value(bits)) *
                          weight_value(products, weights, scales, feature, k, columns);
            sum += term;
            size += fabs(term);
        }
        double got = first[static_cast<size_t>(row) * features + feature];
        BENCH_CHECK(fabs(got - sum) <= 1e-4 * size, "%s (%d, %d): %g, not %g", products.name, row, feature, got, sum);
    }
}

/** Times a kernel over copies of a matrix that are larger than the caches together. */
inline double time_product(const Products& products, int kind, int features, int columns, int rows) {
    size_t count = static_cast<size_t>(features) * columns;
    size_t bytes = weight_bytes(products.format, count);
    size_t scales = scale_bytes(products.format, count);
    size_t copies = (size_t{256} << 20) / bytes + 1;
    DeviceArray<unsigned char> weights(bytes * copies);
    DeviceArray<unsigned char> allScales(scales * copies);
    DeviceArray<unsigned char> activations(static_cast<size_t>((rows + 127) / 128 * 128) * columns * 2);
    DeviceArray<float> output(static_cast<size_t>(rows) * features);
    DeviceArray<millrace::StepHeader> step(header(rows, 0));
    weights.fill(0x11);
    allScales.fill(0x11);
    activations.fill(0x11);
    ProductArgs args{};
    args.step = step.data();
    args.activations = activations.data();
    args.output = output.data();
    args.features = features;
    args.columns = columns;
    args.epilogue = millrace::EPILOGUE_STORE;
    args.outputColumns = features;
    args.outputStride = features;
    return milliseconds(kind == TILE ? 5 : 40, [&](int run) {
        args.weights = weights.data() + run % copies * bytes;
        args.scales = allScales.data() + run % copies * scales;
        launch_product(products, kind, rows, args);
    });
}

inline int run_products(int argumentCount, char** arguments) {
    const Products all[] = {PRODUCTS_OF(bf16, w16, false, WEIGHT_16), PRODUCTS_OF(bf16, w8, false, WEIGHT_8),
                            PRODUCTS_OF(bf16, w4, false, WEIGHT_4),   PRODUCTS_OF(f16, w16, true, WEIGHT_16),
                            PRODUCTS_OF(f16, w8, true, WEIGHT_8),     PRODUCTS_OF(f16, w4, true, WEIGHT_4)};
    bool checksOnly = checks_only(argumentCount, arguments);
    Random random{1};
    for (const Products& products : all) {
        check_products(products, 16, 64, 1, random);
        check_products(products, 144, 576, 7, random);
        check_products(products, 208, 1088, 33, random);
        check_products(products, 272, 4096, 200, random);
    }
    if (!checksOnly) {
        struct Shape {
            const char* name;
            int features;
            int columns;
        };
        const Shape shapes[] = {{"qkv", 6144, 4096},
                                {"attention output", 4096, 4096},
                                {"gate and up", 28672, 4096},
                                {"down", 4096, 14336},
                                {"head", 128256, 4096}};
        const std::pair<int, int> decode[] = {{1, 0}, {16, 1}, {32, 2}, {64, 3}};
        for (int i = 0; i < 3; i++) {
            for (const Shape& shape : shapes) {
                for (const auto& rowsAndKind : decode) {
                    size_t count = static_cast<size_t>(shape.features) * shape.columns;
                    double read = static_cast<double>(weight_bytes(all[i].format, count)) +
                                  (all[i].format == WEIGHT_16 ? 0 : scale_bytes(all[i].format, count));
                    int rows = rowsAndKind.first;
                    double ms = time_product(all[i], rowsAndKind.second, shape.features, shape.columns, rows);
                    double rate = read / ms / 1e6;
                    printf("%-9s %-16s %6d rows: %8.1f us %7.0f GB/s    %5.1f %% of memory\n", all[i].name, shape.name,
                           rows, ms * 1e3, rate, 100 * rate / memory_limit());
                }
                if (shape.features < 100000) {
                    double ms = time_product(all[i], TILE, shape.features, shape.columns, 4096);
                    double rate = 2.0 * shape.features * shape.columns * 4096 / ms / 1e9;
                    printf("%-9s %-16s   4096 rows: %8.1f us %7.0f TFLOP/s %5.1f %% of mma\n", all[i].name, shape.name,
                           ms * 1e3, rate, 100 * rate / mma_limit());
                }
            }
        }
    }
    return result("product");
}

}  // namespace bench
