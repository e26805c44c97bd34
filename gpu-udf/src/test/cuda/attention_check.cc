// Attention in the emulator: against a reference in double precision, and decode, prefill and every chunking against
// each other.
#include <chrono>
#include <map>
#include <memory>

#include "attention_case.h"
#include "check.h"

using namespace millrace;
using namespace millrace::testing;

namespace {

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

}  // namespace

int main() {
    AttentionChecks checks(emulator);
    auto begin = std::chrono::steady_clock::now();
    const HostType bf16{false};
    const HostType f16{true};
    const std::vector<int> lengths{1, 31, 32, 33, 63, 64, 65, 511, 512, 513, 1100};
    millrace_configure(2, 0, 0);
    for (int headDim : {64, 80, 96, 128}) {
        for (int group : {1, 2, 3, 4, 7, 8}) {
            Shape shape{group % 2 == 0 ? bf16 : f16, headDim, 1, group, group == 3 ? 100 : 0, group == 4 ? 64 : 32};
            checks.lengths(shape, lengths, {4, group == 7 ? 0 : 100, 7});
        }
    }
    millrace_configure(2, 2, 0);
    checks.lengths({bf16, 16, 2, 2, 0, 32}, {8191}, {4, 16, 9});
    checks.lengths({f16, 32, 1, 4, 700, 96}, {8191, 1}, {4, 16, 9});
    checks.lengths({bf16, 256, 2, 2, 0, 32}, {1, 65, 1100}, {4, 16, 9});
    checks.lengths({bf16, 32, 1, 20, 0, 32}, lengths, {4, 16, 9});
    millrace_configure(2, 1, 1);
    checks.chunks({bf16, 64, 2, 3, 0, 32}, 1100, {1, 7, 32, 200});
    millrace_configure(2, 3, 0);
    checks.chunks({f16, 64, 1, 4, 130, 64}, 700, {1, 7, 32, 200});
    checks.chunks({bf16, 80, 1, 7, 0, 32}, 600, {7, 32, 200});
    checks.chunks({bf16, 96, 1, 1, 520, 32}, 1100, {1, 7, 200});
    millrace_configure(2, 2, 1);
    checks.chunks({f16, 128, 1, 8, 0, 96}, 600, {7, 200});
    checks.chunks({bf16, 256, 1, 2, 64, 32}, 600, {7, 200});
    checks.chunks({bf16, 16, 1, 20, 40, 32}, 600, {1, 32, 200});
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    printf("%d checks of attention in %.1f s\n", checks.checked(), seconds);
    check::failures += checks.failed();
    return check::finish("attention_check");
}
