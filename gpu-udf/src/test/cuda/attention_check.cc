// Attention in the emulator: against a reference in double precision, and decode, prefill and every chunking against each other.
#include <chrono>
#include <map>
#include <memory>

#include "attention_case.h"
#include "check.h"

using namespace millrace;
using namespace millrace::testing;

namespace {

int checked = 0;

void check_that(bool holds, const std::string& what) {
    checked++;
    CHECK(holds, "%s", what.c_str());
}

/** Memory ends at pages that fault. */
struct Emulator : Machine {
    std::map<void*, std::unique_ptr<check::Array<uint4>>> arrays;

    void* allocate(size_t bytes) override {
        auto array = std::make_unique<check::Array<uint4>>((bytes + 15) / 16);
        void* memory = array->data();
        arrays[memory] = std::move(array);
        return memory;
    }
    void release(void* memory) override {
        arrays.erase(memory);
    }
    void upload(void* to, const void* from, size_t bytes) override {
        memcpy(to, from, bytes);
    }
    void download(void* to, const void* from, size_t bytes) override {
        memcpy(to, from, bytes);
    }
    void launch(const char* kernel, int gridX, int gridY, int threads, int sharedBytes, const void* args) override {
        if (millrace_launch(kernel, gridX, gridY, 1, threads, 1, 1, sharedBytes, args) != 0) {
            printf("%s\n", millrace_error());
            exit(1);
        }
    }
};

Emulator emulator;

std::string describe(const Shape& shape) {
    return std::string(shape.type.name()) + ", head dim " + std::to_string(shape.headDim) + ", group " +
           std::to_string(shape.group) + ", kv heads " + std::to_string(shape.kvHeads) + ", window " +
           std::to_string(shape.window) + ", blocks of " + std::to_string(shape.blockTokens);
}

std::vector<uint16_t> run(const Shape& shape, const std::vector<Part>& parts, Sharing sharing) {
    return AttentionStep(emulator, shape, parts, sharing).run();
}

void check_same(const Shape& shape, const std::vector<uint16_t>& expected, int expectedRow,
                const std::vector<uint16_t>& actual, int actualRow, int rows, const std::string& how) {
    size_t width = static_cast<size_t>(shape.width());
    for (int row = 0; row < rows; row++) {
        bool same = memcmp(&expected[(expectedRow + row) * width], &actual[(actualRow + row) * width], width * 2) == 0;
        check_that(same, describe(shape) + ": position " + std::to_string(expectedRow + row) + " " + how);
    }
}

/** Decode of single rows with contexts of all these lengths, in one step. */
void check_lengths(const Shape& shape, const std::vector<int>& lengths, Sharing sharing) {
    std::vector<Part> parts;
    for (int length : lengths) {
        parts.push_back({static_cast<uint64_t>(length), length - 1, 1});
    }
    std::vector<uint16_t> rows = run(shape, parts, sharing);
    for (size_t i = 0; i < lengths.size(); i++) {
        double error = difference(shape, parts[i].seed, lengths[i] - 1, &rows[i * static_cast<size_t>(shape.width())]);
        check_that(error <= tolerance(shape),
              describe(shape) + ", length " + std::to_string(lengths[i]) + ": differs by " + std::to_string(error));
    }
}

/** A sequence of so many positions in one prefill, by other chunks, by decode, and among other sequences. */
void check_chunks(const Shape& shape, int length, const std::vector<int>& chunks) {
    const uint64_t seed = 5;
    const Sharing prefill{0, 1, 3};
    std::vector<uint16_t> whole = run(shape, {{seed, 0, length}}, prefill);
    for (int position : {0, 1, 62, 63, 64, 511, 512, length - 1}) {
        if (position < length) {
            double error = difference(shape, seed, position, &whole[static_cast<size_t>(position) * shape.width()]);
            check_that(error <= tolerance(shape), describe(shape) + ", prefill, position " + std::to_string(position) +
                                                 ": differs by " + std::to_string(error));
        }
    }
    for (int chunk : chunks) {
        // Of short chunks only some: around the ends of tiles, of splits, and at the end.
        for (int first = 0; first < length; first += chunk) {
            int rows = std::min(chunk, length - first);
            int near = (first + rows) % 512;
            if (chunk * 20 < length && near > chunk + 2 && near < 510 && (first / chunk) % 9 != 0 && first + rows < length) {
                continue;
            }
            check_same(shape, whole, first, run(shape, {{seed, first, rows}}, prefill), 0, rows,
                       "by prefill in chunks of " + std::to_string(chunk));
            if (chunk <= 32) {
                // Few rows are decode's too: with scratch, and with none.
                check_same(shape, whole, first, run(shape, {{seed, first, rows}}, {64, 32 * chunk, 5}), 0, rows,
                           "by decode of " + std::to_string(chunk) + " rows");
            }
            if (chunk == 7) {
                check_same(shape, whole, first, run(shape, {{seed, first, rows}}, {64, 0, 2}), 0, rows,
                           "by decode that walks");
            }
        }
    }
    int middle = length / 2;
    std::vector<Part> company{{11, 40, 1}, {12, 0, 90}, {seed, length - 1, 1}, {13, 0, 1}, {seed, middle, 37},
                              {14, 600, 2}, {seed, length - 3, 3}};
    std::vector<uint16_t> together = run(shape, company, {3, 9, 4});
    check_same(shape, whole, length - 1, together, 91 + 0, 1, "among others, by decode");
    check_same(shape, whole, middle, together, 93, 37, "among others, by prefill");
    check_same(shape, whole, length - 3, together, 132, 3, "among others, the last three by decode");
}

}  // namespace

int main() {
    auto begin = std::chrono::steady_clock::now();
    const HostType bf16{false};
    const HostType f16{true};
    const std::vector<int> lengths{1, 31, 32, 33, 63, 64, 65, 511, 512, 513, 1100};
    millrace_configure(2, 0, 0);
    for (int headDim : {64, 80, 96, 128}) {
        for (int group : {1, 2, 3, 4, 7, 8}) {
            Shape shape{group % 2 == 0 ? bf16 : f16, headDim, 1, group, group == 3 ? 100 : 0, group == 4 ? 64 : 32};
            check_lengths(shape, lengths, {4, group == 7 ? 0 : 100, 7});
        }
    }
    millrace_configure(2, 2, 0);
    check_lengths({bf16, 16, 2, 2, 0, 32}, {8191}, {4, 16, 9});
    check_lengths({f16, 32, 1, 4, 700, 96}, {8191, 1}, {4, 16, 9});
    check_lengths({bf16, 256, 2, 2, 0, 32}, {1, 65, 1100}, {4, 16, 9});
    check_lengths({bf16, 32, 1, 20, 0, 32}, lengths, {4, 16, 9});
    millrace_configure(2, 1, 1);
    check_chunks({bf16, 64, 2, 3, 0, 32}, 1100, {1, 7, 32, 200});
    millrace_configure(2, 3, 0);
    check_chunks({f16, 64, 1, 4, 130, 64}, 700, {1, 7, 32, 200});
    check_chunks({bf16, 80, 1, 7, 0, 32}, 600, {7, 32, 200});
    check_chunks({bf16, 96, 1, 1, 520, 32}, 1100, {1, 7, 200});
    millrace_configure(2, 2, 1);
    check_chunks({f16, 128, 1, 8, 0, 96}, 600, {7, 200});
    check_chunks({bf16, 256, 1, 2, 64, 32}, 600, {7, 200});
    check_chunks({bf16, 16, 1, 20, 40, 32}, 600, {1, 32, 200});
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    printf("%d checks of attention in %.1f s\n", checked, seconds);
    return check::finish("attention_check");
}
