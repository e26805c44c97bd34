// Embedding and norms against references in double, of odd widths, with and without gathering.
#include <string>

#include "check.h"

using namespace check;

namespace {

template <typename T> void check_embedding(int width, int format, Random& random) {
    int vocabulary = 37;
    int rows = 11;
    Matrix<T> matrix(vocabulary, width, format, random);
    Array<int32_t> tokens(static_cast<size_t>(rows));
    for (int row = 0; row < rows; row++) {
        tokens[row] = random.below(vocabulary);
    }
    Array<float> residual(static_cast<size_t>(rows) * width);
    StepHeader step = header(rows, 1, 1);
    EmbeddingArgs args{&step, tokens.data(), matrix.weights.data(), matrix.scales.data(), residual.data(),
                       width, matrix.columns, format,               1.5f};
    launch((std::string("embedding_") + type_name<T>()).c_str(), 16, 1, 256, 0, args);
    for (int row = 0; row < rows; row++) {
        for (int k = 0; k < width; k++) {
            float expected = matrix.exact[static_cast<size_t>(tokens[row]) * matrix.columns + k] * 1.5f;
            float got = residual[static_cast<size_t>(row) * width + k];
            CHECK(got == expected, "embedding format %d (%d, %d): %g, not %g", format, row, k, got, expected);
        }
    }
}

double inverse_root(const float* row, int width) {
    double sum = 0;
    for (int k = 0; k < width; k++) {
        sum += static_cast<double>(row[k]) * row[k];
    }
    return 1 / sqrt(sum / width + 1e-5);
}

template <typename T> void check_norm(int width, bool gathered, Random& random) {
    int rows = 9;
    int outputs = gathered ? 4 : rows;
    int columns = round_up(width, 64);
    Array<float> input(static_cast<size_t>(rows) * width);
    Array<float> weight(static_cast<size_t>(width));
    Array<int32_t> gather(static_cast<size_t>(outputs));
    for (size_t i = 0; i < input.size(); i++) {
        input[i] = 3 * random.even();
    }
    for (int k = 0; k < width; k++) {
        weight[k] = random.even();
    }
    for (int i = 0; i < outputs; i++) {
        gather[i] = random.below(rows);
    }
    Array<T> output(static_cast<size_t>(ROW_PADDING) * columns);
    output.fill(0);
    StepHeader step = header(rows, 1, outputs);
    NormArgs args{&step,           input.data(), weight.data(), gathered ? gather.data() : nullptr,
                  output.data(),   gathered ? COUNT_LOGITS_ROWS : COUNT_ROWS,
                  width,           columns,      1e-5f};
    launch((std::string("rms_norm_") + type_name<T>()).c_str(), 16, 1, 256, 0, args);
    double tolerance = strcmp(type_name<T>(), "f16") == 0 ? 0.0006 : 0.004;
    for (int row = 0; row < ROW_PADDING; row++) {
        int source = row >= outputs ? 0 : gathered ? gather[row] : row;
        const float* from = input.data() + static_cast<size_t>(source) * width;
        double factor = inverse_root(from, width);
        for (int k = 0; k < columns; k++) {
            double got = to_float(output[activation_index(row, k, columns)]);
            double expected = row < outputs && k < width ? from[k] * factor * weight[k] : 0;
            CHECK(fabs(got - expected) <= tolerance * fabs(expected) + 1e-6, "norm of %d (%d, %d): %g, not %g", width,
                  row, k, got, expected);
        }
    }
}

void check_norm_add(int width, Random& random) {
    int rows = 3;
    Array<float> input(static_cast<size_t>(rows) * width);
    Array<float> residual(input.size());
    Array<float> weight(static_cast<size_t>(width));
    for (size_t i = 0; i < input.size(); i++) {
        input[i] = random.even();
        residual[i] = 1;
    }
    for (int k = 0; k < width; k++) {
        weight[k] = random.even();
    }
    StepHeader step = header(rows, 1, 1);
    NormAddArgs args{&step, input.data(), weight.data(), residual.data(), width, 1e-5f};
    launch("rms_norm_add", 8, 1, 256, 0, args);
    for (int row = 0; row < rows; row++) {
        double factor = inverse_root(input.data() + row * width, width);
        for (int k = 0; k < width; k++) {
            double expected = 1 + input[row * width + k] * factor * weight[k];
            CHECK(fabs(residual[row * width + k] - expected) < 1e-6, "norm add of %d (%d, %d)", width, row, k);
        }
    }
}

}  // namespace

int main() {
    Random random{7};
    for (int order = 0; order < 4; order++) {
        millrace_configure(2, order, 0);
        for (int width : {1, 40, 64, 576, 601, 2048}) {
            for (int format = WEIGHT_16; format <= WEIGHT_4; format++) {
                check_embedding<bf16>(width, format, random);
                check_embedding<f16>(width, format, random);
            }
            for (bool gathered : {false, true}) {
                check_norm<bf16>(width, gathered, random);
                check_norm<f16>(width, gathered, random);
            }
            check_norm_add(width, random);
        }
    }
    return finish("norm_check");
}
