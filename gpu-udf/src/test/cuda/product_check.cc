// Products of odd shapes in all formats: against a reference in double, decode and prefill kernels bit-equal, and each
// row alone as in its batch; all epilogues.
#include <functional>
#include <string>

#include "check.h"
#include "heads.cuh"

using namespace check;

namespace {

const char* const KINDS[] = {"r8", "r16", "r32", "r64", "tile"};

int tile_shared_bytes(int format) {
    return format == WEIGHT_16 ? 131072 : format == WEIGHT_8 ? 100352 : 86016;
}

template <typename T> void run(const char* kind, int format, int bucketRows, const ProductArgs& args) {
    std::string name = std::string("product_") + type_name<T>() +
                       (format == WEIGHT_16 ? "_w16_" : format == WEIGHT_8 ? "_w8_" : "_w4_") + kind;
    if (strcmp(kind, "tile") == 0) {
        int rowTiles = (bucketRows + 127) / 128;
        launch(name.c_str(), (args.features + 127) / 128, rowTiles, 256, tile_shared_bytes(format), args);
        return;
    }
    int rows = atoi(kind + 1);
    int ctaFeatures = rows >= 32 ? 32 : 16;
    launch(name.c_str(), (args.features + ctaFeatures - 1) / ctaFeatures, (bucketRows + rows - 1) / rows, 256, 0, args);
}

template <typename T>
ProductArgs arguments(const StepHeader& step, const Matrix<T>& matrix, const Activations<T>& activations,
                      const float* bias, int epilogue, void* output) {
    ProductArgs args{};
    args.step = &step;
    args.weights = matrix.weights.data();
    args.scales = matrix.format == WEIGHT_16 ? nullptr : matrix.scales.data();
    args.activations = activations.packed.data();
    args.bias = bias;
    args.output = output;
    args.features = matrix.features;
    args.columns = matrix.columns;
    args.rowCount = COUNT_ROWS;
    args.epilogue = epilogue;
    return args;
}

/** The sum in double, and the sum of absolute terms that bounds its error. */
template <typename T>
double reference(const Matrix<T>& matrix, const Activations<T>& activations, int row, int feature, double& size) {
    double sum = 0;
    size = 0;
    for (int k = 0; k < matrix.columns; k++) {
        double term = static_cast<double>(matrix.rounded[static_cast<size_t>(feature) * matrix.columns + k]) *
                      activations.values[static_cast<size_t>(row) * matrix.columns + k];
        sum += term;
        size += fabs(term);
    }
    return sum;
}

/** f32 output against the reference, all kernels against each other, rows alone against the batch. */
template <typename T> void check_store(int features, int columns, int rows, int format, bool withBias, Random& random) {
    Matrix<T> matrix(features, columns, format, random);
    Activations<T> activations(rows, columns, random);
    Array<float> bias(static_cast<size_t>(matrix.features));
    for (size_t i = 0; i < bias.size(); i++) {
        bias[i] = random.even();
    }
    StepHeader step = header(rows, 1, 0);
    const float* biasOrNull = withBias ? bias.data() : nullptr;
    int stride = features + 3;
    Array<float> first(static_cast<size_t>(rows) * stride);
    for (const char* kind : KINDS) {
        Array<float> output(first.size());
        ProductArgs args = arguments(step, matrix, activations, biasOrNull, EPILOGUE_STORE, output.data());
        args.outputColumns = features;
        args.outputStride = stride;
        run<T>(kind, format, rows + 20, args);
        if (kind == KINDS[0]) {
            memcpy(first.data(), output.data(), first.size() * sizeof(float));
            for (int row = 0; row < rows; row++) {
                for (int feature = 0; feature < features; feature++) {
                    double size;
                    double expected = reference(matrix, activations, row, feature, size);
                    expected += withBias ? bias[feature] : 0;
                    double got = output[static_cast<size_t>(row) * stride + feature];
                    CHECK(fabs(got - expected) <= 2e-6 * size + 1e-7, "%s format %d K %d (%d, %d): %g, not %g",
                          type_name<T>(), format, columns, row, feature, got, expected);
                }
                CHECK(float_bits(output[static_cast<size_t>(row) * stride + features]) == 0xffffffffu,
                      "wrote beyond its %d columns", features);
            }
        }
        CHECK(output.same_bits(first), "%s format %d: %s differs from r8 (%d x %d, %d rows)", type_name<T>(), format,
              kind, features, columns, rows);
    }
    for (int row = 0; row < rows; row += 1 + rows / 4) {
        Activations<T> alone(activations, row);
        StepHeader one = header(1, 1, 0);
        for (const char* kind : {"r8", "tile"}) {
            Array<float> output(static_cast<size_t>(stride));
            ProductArgs args = arguments(one, matrix, alone, biasOrNull, EPILOGUE_STORE, output.data());
            args.outputColumns = features;
            args.outputStride = stride;
            run<T>(kind, format, 1, args);
            CHECK(memcmp(output.data(), &first[static_cast<size_t>(row) * stride], features * sizeof(float)) == 0,
                  "%s format %d: row %d of %d is another alone (%s)", type_name<T>(), format, row, rows, kind);
        }
    }
}

/** The same output bits of all kernels, for an epilogue; `prepare` sets what it needs. */
template <typename T, typename E>
void all_kinds(const Matrix<T>& matrix, const Activations<T>& activations, const float* bias, int epilogue,
               Array<E>& first, int fill, const std::function<void(ProductArgs&, const char*)>& prepare) {
    StepHeader step = header(activations.rows, 1, 0);
    for (const char* kind : KINDS) {
        Array<E> output(first.size());
        output.fill(fill);
        ProductArgs args = arguments(step, matrix, activations, bias, epilogue, output.data());
        prepare(args, kind);
        run<T>(kind, matrix.format, activations.rows, args);
        if (kind == KINDS[0]) {
            memcpy(static_cast<void*>(first.data()), output.data(), first.size() * sizeof(E));
        }
        CHECK(output.same_bits(first), "%s epilogue %d: %s differs from r8", type_name<T>(), epilogue, kind);
    }
}

template <typename T> void check_add(int rows, int format, Random& random) {
    int features = 80;
    Matrix<T> matrix(features, 200, format, random);
    Activations<T> activations(rows, 200, random);
    Array<float> output(static_cast<size_t>(rows) * features);
    all_kinds<T, float>(matrix, activations, nullptr, EPILOGUE_ADD, output, 0x3c, [&](ProductArgs& args, const char*) {
        args.outputColumns = features;
        args.outputStride = features;
    });
    float before = bits_float(0x3c3c3c3cu);
    for (int row = 0; row < rows; row++) {
        for (int feature = 0; feature < features; feature++) {
            double size;
            double expected = reference(matrix, activations, row, feature, size) + before;
            double got = output[static_cast<size_t>(row) * features + feature];
            CHECK(fabs(got - expected) <= 2e-6 * size + 1e-7, "add (%d, %d): %g, not %g", row, feature, got, expected);
        }
    }
}

template <typename T> double tolerance() {
    return sizeof(T) == 2 && strcmp(type_name<T>(), "f16") == 0 ? 0.0006 : 0.004;
}

/** inner features of a gate: rows 0..7 of a strip are gates, 8..15 ups. */
template <typename T> void check_gated(int inner, int rows, int format, int activation, bool withBias, Random& random) {
    int padded = round_up(inner, 8);
    Matrix<T> matrix(2 * padded, 130, format, random);
    Activations<T> activations(rows, 130, random);
    Array<float> bias(static_cast<size_t>(matrix.features));
    for (size_t i = 0; i < bias.size(); i++) {
        bias[i] = random.even();
    }
    int columns = round_up(inner, 64);
    Array<T> output(static_cast<size_t>(round_up(rows, ROW_PADDING)) * columns);
    const float* biasOrNull = withBias ? bias.data() : nullptr;
    all_kinds<T, T>(matrix, activations, biasOrNull, EPILOGUE_GATED, output, 0, [&](ProductArgs& args, const char*) {
        args.outputColumns = columns;
        args.innerColumns = inner;
        args.activation = activation;
    });
    for (int row = 0; row < round_up(rows, ROW_PADDING); row++) {
        for (int j = 0; j < columns; j++) {
            double got = to_float(output[activation_index(row, j, columns)]);
            if (row >= rows || j >= inner) {
                CHECK(got == 0, "gated wrote to (%d, %d) of padding", row, j);
                continue;
            }
            double size;
            int gateRow = j / 8 * 16 + j % 8;
            double gate = reference(matrix, activations, row, gateRow, size) + (withBias ? bias[gateRow] : 0);
            double up = reference(matrix, activations, row, gateRow + 8, size) + (withBias ? bias[gateRow + 8] : 0);
            double cubic = 0.7978845608028654 * (gate + 0.044715 * gate * gate * gate);
            double act = activation == ACTIVATION_SILU ? gate / (1 + exp(-gate)) : 0.5 * gate * (1 + tanh(cubic));
            CHECK(fabs(got - act * up) <= tolerance<T>() * (fabs(act * up) + 0.01), "gated (%d, %d): %g, not %g", row,
                  j, got, act * up);
        }
    }
}

struct HeadShape {
    int queryHeads;
    int kvHeads;
    int headDim;
    int rotating;
    int rotation;
};

template <typename T> void check_heads(const HeadShape& shape, int rows, int format, Random& random) {
    constexpr int BLOCK_TOKENS = 32;
    constexpr int LAYERS = 2;
    int heads = shape.queryHeads + 2 * shape.kvHeads;
    int blocks = (rows + BLOCK_TOKENS - 1) / BLOCK_TOKENS + 1;
    int64_t blockElements = static_cast<int64_t>(LAYERS) * 2 * shape.kvHeads * shape.headDim * BLOCK_TOKENS + 64;
    Matrix<T> matrix(heads * shape.headDim, 96, format, random);
    Activations<T> activations(rows, 96, random);
    Array<int32_t> positions(static_cast<size_t>(rows));
    Array<int32_t> slots(static_cast<size_t>(rows));
    for (int row = 0; row < rows; row++) {
        positions[row] = random.below(50);
        slots[row] = row == 3 ? -1 : blocks * BLOCK_TOKENS - 1 - row;
    }
    Array<float> rotations(static_cast<size_t>(50) * shape.rotating);
    for (int i = 0; i < 50 * shape.rotating / 2; i++) {
        double angle = 3.0 * random.even();
        rotations[2 * i] = static_cast<float>(cos(angle));
        rotations[2 * i + 1] = static_cast<float>(sin(angle));
    }
    KvShape kv{blockElements * 2, 1, shape.kvHeads, shape.headDim, BLOCK_TOKENS};
    Array<T> query(static_cast<size_t>(rows) * shape.queryHeads * shape.headDim);
    Array<T> firstPool(static_cast<size_t>(blocks) * blockElements);
    Array<T> pool(firstPool.size());
    all_kinds<T, T>(matrix, activations, nullptr, EPILOGUE_QKV, query, 0, [&](ProductArgs& args, const char* kind) {
        if (kind == KINDS[1]) {
            memcpy(static_cast<void*>(firstPool.data()), pool.data(), pool.size() * sizeof(T));
        } else if (kind != KINDS[0]) {
            CHECK(pool.same_bits(firstPool), "%s: blocks before %s differ", type_name<T>(), kind);
        }
        pool.fill(0);
        args.rotations = rotations.data();
        args.positions = positions.data();
        args.slots = slots.data();
        args.kvBlocks = pool.data();
        args.kv = kv;
        args.queryHeads = shape.queryHeads;
        args.rotating = shape.rotating;
        args.rotation = shape.rotation;
    });
    CHECK(pool.same_bits(firstPool), "%s: blocks of the tile kernel differ", type_name<T>());
    auto near = [&](T got, double expected, const char* what, int row, int head, int dim) {
        CHECK(fabs(to_float(got) - expected) <= tolerance<T>() * (fabs(expected) + 0.01), "%s %d %d %d: %g, not %g",
              what, row, head, dim, to_float(got), expected);
    };
    for (int row = 0; row < rows; row++) {
        for (int head = 0; head < heads; head++) {
            int kvHead = head - shape.queryHeads;
            if (kvHead >= 0 && slots[row] < 0) {
                continue;
            }
            int token = slots[row] % BLOCK_TOKENS;
            int block = slots[row] / BLOCK_TOKENS;
            double size;
            if (kvHead >= shape.kvHeads) {
                int valueHead = kvHead - shape.kvHeads;
                T* values = &pool[block * blockElements +
                                  block_index(1, 1, valueHead, shape.kvHeads, shape.headDim, BLOCK_TOKENS)];
                for (int dim = 0; dim < shape.headDim; dim++) {
                    double expected = reference(matrix, activations, row, head * shape.headDim + dim, size);
                    near(values[value_index(token, dim, shape.headDim)], expected, "value", row, head, dim);
                }
                continue;
            }
            for (int pair = 0; pair < shape.headDim / 2; pair++) {
                int matrixRow = head * shape.headDim + pair / 8 * 16 + pair % 8;
                double a = reference(matrix, activations, row, matrixRow, size);
                double b = reference(matrix, activations, row, matrixRow + 8, size);
                int first = 2 * pair;
                int second = 2 * pair + 1;
                if (pair < shape.rotating / 2) {
                    const float* angle = &rotations[static_cast<size_t>(positions[row]) * shape.rotating + 2 * pair];
                    double turned = a * angle[0] - b * angle[1];
                    b = a * angle[1] + b * angle[0];
                    a = turned;
                    if (shape.rotation == ROTATION_HALVES) {
                        first = pair;
                        second = pair + shape.rotating / 2;
                    }
                }
                if (kvHead < 0) {
                    T* at = &query[(static_cast<size_t>(row) * shape.queryHeads + head) * shape.headDim];
                    near(at[first], a, "query", row, head, first);
                    near(at[second], b, "query", row, head, second);
                } else {
                    T* keys = &pool[block * blockElements +
                                    block_index(1, 0, kvHead, shape.kvHeads, shape.headDim, BLOCK_TOKENS)];
                    near(keys[key_index(token, first, shape.headDim)], a, "key", row, head, first);
                    near(keys[key_index(token, second, shape.headDim)], b, "key", row, head, second);
                }
            }
        }
    }
}

template <typename T> void check_all(Random& random) {
    const int shapes[][3] = {{16, 64, 1}, {48, 64, 7}, {7, 200, 8}, {130, 576, 9}, {112, 1088, 33}, {272, 320, 64},
                             {40, 130, 65}, {150, 704, 200}};
    for (int format = WEIGHT_16; format <= WEIGHT_4; format++) {
        for (const auto& shape : shapes) {
            check_store<T>(shape[0], shape[1], shape[2], format, shape[0] % 32 == 16, random);
        }
        check_add<T>(9, format, random);
        check_add<T>(70, format, random);
        check_gated<T>(72, 5, format, ACTIVATION_SILU, false, random);
        check_gated<T>(90, 130, format, ACTIVATION_GELU, true, random);
    }
    check_heads<T>({3, 1, 64, 64, ROTATION_HALVES}, 9, WEIGHT_16, random);
    check_heads<T>({4, 2, 80, 32, ROTATION_HALVES}, 70, WEIGHT_8, random);
    check_heads<T>({2, 2, 32, 32, ROTATION_INTERLEAVED}, 33, WEIGHT_4, random);
    check_heads<T>({2, 1, 48, 20, ROTATION_INTERLEAVED}, 5, WEIGHT_16, random);
}

}  // namespace

int main() {
    Random random{20240611};
    for (int order = 0; order < 4; order++) {
        for (int copiesAtOnce = 0; copiesAtOnce < 2; copiesAtOnce++) {
            millrace_configure(order == 0 ? 1 : 2, order, copiesAtOnce);
            if (order % 2 == copiesAtOnce) {
                check_all<bf16>(random);
            }
            if (order == 3) {
                check_all<f16>(random);
            }
        }
    }
    return finish("product_check");
}
