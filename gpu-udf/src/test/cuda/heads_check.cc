// prepare_heads against a reference in double: norms, both rotations, heads that rotate in part, and where
// everything is stored.
#include <string>

#include "check.h"

using namespace check;

namespace {

struct Heads {
    int headDim;
    int queryHeads;
    int kvHeads;
    int rotating;
    int rotation;
    int blockTokens;
};

constexpr int ROWS = 5;
constexpr int POSITIONS = 40;
constexpr int BLOCKS = 3;
constexpr float EPSILON = 1e-5f;

/** Which dim the matrix's own row `at` of a query or key head is. */
int dim_of(const Heads& heads, int at) {
    int pair = at / 16 * 8 + at % 8;
    bool second = at % 16 >= 8;
    if (heads.rotation == ROTATION_HALVES && pair < heads.rotating / 2) {
        return second ? pair + heads.rotating / 2 : pair;
    }
    return second ? 2 * pair + 1 : 2 * pair;
}

/** A head in true order, normed and turned. */
std::vector<double> expected_head(const Heads& heads, const float* input, const float* norm, int position) {
    std::vector<double> x(heads.headDim);
    double sum = 0;
    for (int at = 0; at < heads.headDim; at++) {
        x[dim_of(heads, at)] = input[at];
        sum += static_cast<double>(input[at]) * input[at];
    }
    for (int dim = 0; dim < heads.headDim; dim++) {
        x[dim] = x[dim] / sqrt(sum / heads.headDim + EPSILON) * norm[dim];
    }
    for (int pair = 0; pair < heads.rotating / 2; pair++) {
        int first = heads.rotation == ROTATION_HALVES ? pair : 2 * pair;
        int second = heads.rotation == ROTATION_HALVES ? pair + heads.rotating / 2 : 2 * pair + 1;
        double angle = position * 0.3 / (pair + 1);
        double before = x[first];
        x[first] = before * cos(angle) - x[second] * sin(angle);
        x[second] = before * sin(angle) + x[second] * cos(angle);
    }
    return x;
}

template <typename T>
void check_element(const char* what, const Heads& heads, int row, int dim, T got, double expected) {
    double tolerance = strcmp(type_name<T>(), "f16") == 0 ? 0.0006 : 0.0045;
    CHECK(fabs(to_float(got) - expected) <= tolerance * fabs(expected) + 2e-6, "%s of %d, row %d, dim %d: %g, not %g",
          what, heads.headDim, row, dim, to_float(got), expected);
}

template <typename T> void check_heads(const Heads& heads, Random& random) {
    int all = heads.queryHeads + 2 * heads.kvHeads;
    int stride = all * heads.headDim;
    Array<float> input(static_cast<size_t>(ROWS) * stride);
    Array<float> queryNorm(static_cast<size_t>(heads.headDim));
    Array<float> keyNorm(static_cast<size_t>(heads.headDim));
    Array<float> rotations(static_cast<size_t>(POSITIONS) * heads.rotating);
    Array<int32_t> positions(ROWS);
    Array<int32_t> slots(ROWS);
    int64_t blockElements = 2 * 2 * heads.kvHeads * heads.headDim * heads.blockTokens;
    Array<T> blocks(static_cast<size_t>(BLOCKS) * blockElements);
    Array<T> queries(static_cast<size_t>(ROWS) * heads.queryHeads * heads.headDim);
    for (size_t i = 0; i < input.size(); i++) {
        input[i] = 2 * random.even();
    }
    input[static_cast<size_t>(stride) - 1] = INFINITY;  // a value: kept as the largest finite one
    for (int dim = 0; dim < heads.headDim; dim++) {
        queryNorm[dim] = random.even();
        keyNorm[dim] = random.even();
    }
    for (int position = 0; position < POSITIONS; position++) {
        for (int pair = 0; pair < heads.rotating / 2; pair++) {
            rotations[position * heads.rotating + 2 * pair] = static_cast<float>(cos(position * 0.3 / (pair + 1)));
            rotations[position * heads.rotating + 2 * pair + 1] = static_cast<float>(sin(position * 0.3 / (pair + 1)));
        }
    }
    for (int row = 0; row < ROWS; row++) {
        positions[row] = random.below(POSITIONS);
        slots[row] = row == 2 ? -1 : row * 11 % BLOCKS * heads.blockTokens + row * 13 % heads.blockTokens;
    }
    StepHeader step = header(ROWS, 1, 1);
    KvShape kv{blockElements * 2, 1, heads.kvHeads, heads.headDim, heads.blockTokens};
    PrepareHeadsArgs args{&step,        input.data(), queryNorm.data(), keyNorm.data(),   rotations.data(),
                          positions.data(), slots.data(), queries.data(), blocks.data(), kv,
                          stride,       heads.queryHeads, heads.rotating, heads.rotation, EPSILON,
                          0};
    launch((std::string("prepare_heads_") + type_name<T>()).c_str(), ROWS + 3, (all + 7) / 8, 256, 0, args);
    size_t written = 0;
    for (int row = 0; row < ROWS; row++) {
        for (int head = 0; head < all; head++) {
            const float* from = input.data() + static_cast<size_t>(row) * stride + head * heads.headDim;
            int kvHead = (head - heads.queryHeads) % heads.kvHeads;
            bool isValue = head >= heads.queryHeads + heads.kvHeads;
            bool isQuery = head < heads.queryHeads;
            if (!isQuery && slots[row] < 0) {
                continue;
            }
            std::vector<double> expected(from, from + heads.headDim);
            if (!isValue) {
                expected = expected_head(heads, from, isQuery ? queryNorm.data() : keyNorm.data(), positions[row]);
            }
            for (int dim = 0; dim < heads.headDim; dim++) {
                if (isQuery) {
                    check_element("query", heads, row, dim,
                                  queries[(static_cast<size_t>(row) * heads.queryHeads + head) * heads.headDim + dim],
                                  expected[dim]);
                    continue;
                }
                written++;
                int token = slots[row] % heads.blockTokens;
                int64_t at = slots[row] / heads.blockTokens * blockElements +
                             block_index(1, isValue ? 1 : 0, kvHead, heads.kvHeads, heads.headDim, heads.blockTokens) +
                             (isValue ? value_index(token, dim, heads.headDim) : key_index(token, dim, heads.headDim));
                double wanted = std::isinf(expected[dim]) ? largest_finite<T>() : expected[dim];
                check_element(isValue ? "value" : "key", heads, row, dim, blocks[at], wanted);
            }
        }
    }
    size_t touched = 0;
    for (size_t i = 0; i < blocks.size(); i++) {
        touched += blocks[i].bits != 0xffff ? 1 : 0;
    }
    CHECK(touched == written, "%zu elements of blocks written, not %zu", touched, written);
}

}  // namespace

int main() {
    Random random{11};
    for (int headDim : {16, 32, 64, 80, 96, 128, 256}) {
        for (int rotation : {ROTATION_INTERLEAVED, ROTATION_HALVES}) {
            for (int rotating : {headDim, headDim / 2, 0}) {
                Heads heads{headDim, 6, 2, rotating, rotation, headDim == 80 ? 96 : 32};
                check_heads<bf16>(heads, random);
                check_heads<f16>(heads, random);
            }
        }
    }
    return finish("heads_check");
}
