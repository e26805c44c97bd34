// Runs the kernels' own source on a processor: one fiber a CUDA thread, CTAs spread over a few host threads.
//
// A CTA's fibers live on one host thread and take turns: a fiber runs until it waits at a barrier or in a warp's
// collective, or ends. The last lane to reach a collective computes it for all. Where nothing can run and something
// waits, the launch fails and names the kernel. Shared memory starts as NaNs and ends at a page that faults.
// Asynchronous copies happen as late as the kernel allows, or at once, fibers start in rising or falling order, and
// warps go on by turns or as far as they can, as millrace_configure says: a kernel with a race shows different results.
//
// For tests and for machines without a GPU; not fast. One launch uses the host threads, others meanwhile run on their
// caller's.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "abi.h"
#include "device.cuh"
#include "fiber.h"
#undef threadIdx
#undef blockIdx
#undef blockDim
#undef gridDim

namespace millrace {
namespace emulation {

thread_local const Coordinates* here __attribute__((tls_model("initial-exec"))) = nullptr;

namespace {

constexpr size_t STACK_BYTES = 64 * 1024;
constexpr int THREADS_MAX = 1024;
constexpr size_t SHARED_BYTES_MAX = 227 * 1024;
constexpr int HOST_THREADS_MAX = 64;

std::atomic<int> hostThreads{2};
std::atomic<int> fallingOrder{0};
std::atomic<int> hasty{0};
std::atomic<int> copiesAtOnce{0};

const Kernel* kernels = nullptr;

struct PendingCopy {
    void* to;
    const void* from;
    bool valid;

    void run() const {
        if (valid) {
            memcpy(to, from, 16);
        } else {
            memset(to, 0, 16);
        }
    }
};

struct Fiber {
    Context context;
    Coordinates coordinates;
    std::vector<PendingCopy> copies;   // of groups not waited for, oldest first
    std::vector<size_t> groups;        // where each committed group ends in copies
    const char* waitsIn;
};

struct Warp {
    int arrived;
    int live;
    Collective kind;
    void* deposits[WARP];
};

/** A CTA at work: the fibers of one host thread. */
struct Cta {
    std::vector<std::unique_ptr<GuardedBytes>> stacks;
    std::vector<Fiber> fibers;
    std::vector<Warp> warps;
    std::vector<int> ready;   // a ring of fibers that can run
    size_t readyHead;
    size_t readyCount;
    std::vector<int> atBarrier;
    std::vector<std::pair<const void*, unsigned char*>> arrays;
    std::unique_ptr<GuardedBytes> shared;
    std::unique_ptr<GuardedBytes> sharedArrays;
    size_t sharedArraysBytes;
    unsigned char* dynamicShared;
    Context host;
    int running;
    int live;
    const Kernel* kernel;
    const void* args;
    std::string error;

    void push(int fiber) {
        ready[(readyHead + readyCount++) % ready.size()] = fiber;
    }
    void push_front(int fiber) {
        readyHead = (readyHead + ready.size() - 1) % ready.size();
        ready[readyHead] = fiber;
        readyCount++;
    }
    int pop() {
        int fiber = ready[readyHead];
        readyHead = (readyHead + 1) % ready.size();
        readyCount--;
        return fiber;
    }
};

thread_local Cta* cta __attribute__((tls_model("initial-exec"))) = nullptr;

const char* name_of(Collective kind) {
    switch (kind) {
        case WARP_BARRIER: return "a warp's barrier";
        case SHUFFLE: return "a shuffle";
        case MMA_BF16: return "mma<bf16>";
        case MMA_F16: return "mma<f16>";
    }
    return "?";
}

std::string place(const Cta& c) {
    uint3 b = c.fibers[c.running].coordinates.block;
    return std::string("kernel ") + c.kernel->name + ", CTA (" + std::to_string(b.x) + ", " + std::to_string(b.y) +
           ", " + std::to_string(b.z) + ")";
}

std::string deadlock(const Cta& c) {
    std::string text = place(c) + ": nothing can run: " + std::to_string(c.atBarrier.size()) +
                       " threads wait at the CTA's barrier";
    for (size_t w = 0; w < c.warps.size(); w++) {
        if (c.warps[w].arrived > 0) {
            text += "; " + std::to_string(c.warps[w].arrived) + " lanes of warp " + std::to_string(w) + " (" +
                    std::to_string(c.warps[w].live) + " live) wait in " + name_of(c.warps[w].kind);
        }
    }
    return text;
}

/** Runs the next fiber; the running one has queued itself or waits somewhere. */
void dispatch() {
    Cta& c = *cta;
    int from = c.running;
    if (c.readyCount == 0) {
        if (c.error.empty() && c.live > 0) {
            c.error = deadlock(c);
        }
        c.fibers[from].context.switch_to(c.host);
        return;
    }
    int to = c.pop();
    if (to == from) {
        return;
    }
    c.running = to;
    here = &c.fibers[to].coordinates;
    c.fibers[from].context.switch_to(c.fibers[to].context);
}

void open_barrier(Cta& c, int but) {
    for (int fiber : c.atBarrier) {
        if (fiber != but) {
            c.push(fiber);
        }
    }
    c.atBarrier.clear();
}

void fiber_main() {
    Cta& c = *cta;
    c.kernel->run(c.args);
    c.live--;
    c.warps[c.running / WARP].live--;
    if (c.live > 0 && c.live == static_cast<int>(c.atBarrier.size())) {
        open_barrier(c, -1);  // a barrier waits for the threads that have not ended
    }
    dispatch();
    abort();  // a fiber that ended does not run again
}

void poison(unsigned char* bytes, size_t count) {
    memset(bytes, 0xff, count);
}

/** Runs one CTA on this host thread; its error, or nothing. */
std::string run_cta(const Kernel& kernel, const void* args, uint3 block, uint3 gridSize, uint3 blockSize,
                    size_t sharedBytes) {
    static thread_local std::unique_ptr<Cta> own;
    if (!own) {
        own = std::make_unique<Cta>();
        own->shared = std::make_unique<GuardedBytes>(SHARED_BYTES_MAX + 128);
        own->sharedArrays = std::make_unique<GuardedBytes>(SHARED_BYTES_MAX);
    }
    Cta& c = *own;
    cta = &c;
    int count = static_cast<int>(blockSize.x * blockSize.y * blockSize.z);
    while (static_cast<int>(c.stacks.size()) < count) {
        c.stacks.push_back(std::make_unique<GuardedBytes>(STACK_BYTES));
    }
    c.fibers.resize(std::max(c.fibers.size(), static_cast<size_t>(count)));
    c.warps.assign((count + WARP - 1) / WARP, Warp{});
    c.ready.resize(count);
    c.readyHead = 0;
    c.readyCount = 0;
    c.atBarrier.clear();
    c.arrays.clear();
    c.sharedArraysBytes = 0;
    c.dynamicShared = c.shared->last(sharedBytes, 128);
    poison(c.dynamicShared, sharedBytes);
    c.live = count;
    c.kernel = &kernel;
    c.args = args;
    c.error.clear();
    for (int i = 0; i < count; i++) {
        Fiber& fiber = c.fibers[i];
        unsigned u = static_cast<unsigned>(i);
        fiber.coordinates.thread = {u % blockSize.x, u / blockSize.x % blockSize.y, u / blockSize.x / blockSize.y};
        fiber.coordinates.block = block;
        fiber.coordinates.blockSize = blockSize;
        fiber.coordinates.gridSize = gridSize;
        fiber.copies.clear();
        fiber.groups.clear();
        fiber.context.prepare(c.stacks[i]->base(), STACK_BYTES, fiber_main);
        c.warps[i / WARP].live++;
    }
    for (int i = 0; i < count; i++) {
        c.push(fallingOrder ? count - 1 - i : i);
    }
    c.running = c.pop();
    here = &c.fibers[c.running].coordinates;
    c.host.switch_to(c.fibers[c.running].context);
    here = nullptr;
    return c.error;
}

}  // namespace

Kernel::Kernel(const char* kernelName, size_t bytes, void (*body)(const void*))
    : name(kernelName), argsBytes(bytes), run(body), next(kernels) {
    kernels = this;
}

void fail(const char* text) {
    Cta& c = *cta;
    c.error = place(c) + ", thread " + std::to_string(c.running) + ": " + text;
    c.fibers[c.running].context.switch_to(c.host);
    abort();
}

void barrier() {
    Cta& c = *cta;
    c.atBarrier.push_back(c.running);
    if (static_cast<int>(c.atBarrier.size()) == c.live) {
        open_barrier(c, c.running);
        return;
    }
    dispatch();
}

bool arrive(Collective kind, void* deposit, void**& deposits) {
    Cta& c = *cta;
    Warp& warp = c.warps[c.running / WARP];
    if (warp.live != WARP) {
        fail("a warp's collective without all of its 32 lanes");
    }
    if (warp.arrived > 0 && warp.kind != kind) {
        static thread_local std::string text;
        text = std::string("a lane is in ") + name_of(kind) + " while others of its warp are in " + name_of(warp.kind);
        fail(text.c_str());
    }
    warp.kind = kind;
    warp.deposits[c.running % WARP] = deposit;
    if (++warp.arrived < WARP) {
        dispatch();
        return false;
    }
    deposits = warp.deposits;
    return true;
}

void release() {
    Cta& c = *cta;
    int first = c.running / WARP * WARP;
    c.warps[c.running / WARP].arrived = 0;
    for (int lane = 0; lane < WARP; lane++) {
        if (first + lane != c.running) {
            if (hasty) {
                c.push_front(first + lane);
            } else {
                c.push(first + lane);
            }
        }
    }
}

unsigned char* dynamic_shared() {
    return cta->dynamicShared;
}

void* shared_array(const void* key, size_t bytes) {
    Cta& c = *cta;
    for (const auto& array : c.arrays) {
        if (array.first == key) {
            return array.second;
        }
    }
    size_t end = (c.sharedArraysBytes + bytes + 15) / 16 * 16;
    if (end > 48 * 1024) {
        fail("more than 48 KiB of shared arrays");
    }
    unsigned char* array = c.sharedArrays->base() + c.sharedArraysBytes;
    poison(array, bytes);
    c.sharedArraysBytes = end;
    c.arrays.emplace_back(key, array);
    return array;
}

void copy(void* shared, const void* global, bool valid) {
    check_aligned(shared, 16);
    check_aligned(global, 16);
    PendingCopy copy{shared, global, valid};
    if (copiesAtOnce) {
        copy.run();
        return;
    }
    cta->fibers[cta->running].copies.push_back(copy);
}

void commit() {
    Fiber& fiber = cta->fibers[cta->running];
    fiber.groups.push_back(fiber.copies.size());
}

void wait(int pending) {
    Fiber& fiber = cta->fibers[cta->running];
    if (static_cast<int>(fiber.groups.size()) <= pending) {
        return;
    }
    size_t done = fiber.groups.size() - pending;
    size_t copied = fiber.groups[done - 1];
    for (size_t i = 0; i < copied; i++) {
        fiber.copies[i].run();
    }
    fiber.copies.erase(fiber.copies.begin(), fiber.copies.begin() + copied);
    fiber.groups.erase(fiber.groups.begin(), fiber.groups.begin() + done);
    for (size_t& group : fiber.groups) {
        group -= copied;
    }
}

template <typename T> void mma_tile(void** deposits) {
    float a[16][16];
    float b[16][8];
    float c[16][8];
    for (int lane = 0; lane < WARP; lane++) {
        const MmaDeposit& mine = *static_cast<const MmaDeposit*>(deposits[lane]);
        int g = lane / 4;
        int t = lane % 4;
        for (int i = 0; i < 4; i++) {
            int row = g + i % 2 * 8;
            int k = 2 * t + i / 2 * 8;
            a[row][k] = low_float<T>(mine.a[i]);
            a[row][k + 1] = high_float<T>(mine.a[i]);
        }
        for (int i = 0; i < 2; i++) {
            b[2 * t + 8 * i][g] = low_float<T>(mine.b[i]);
            b[2 * t + 8 * i + 1][g] = high_float<T>(mine.b[i]);
        }
        for (int i = 0; i < 4; i++) {
            c[g + i / 2 * 8][2 * t + i % 2] = mine.c[i];
        }
    }
    for (int row = 0; row < 16; row++) {
        for (int k = 0; k < 16; k++) {
            for (int n = 0; n < 8; n++) {
                c[row][n] = fmaf(a[row][k], b[k][n], c[row][n]);
            }
        }
    }
    for (int lane = 0; lane < WARP; lane++) {
        const MmaDeposit& mine = *static_cast<const MmaDeposit*>(deposits[lane]);
        for (int i = 0; i < 4; i++) {
            mine.c[i] = c[lane / 4 + i / 2 * 8][2 * (lane % 4) + i % 2];
        }
    }
}

template void mma_tile<bf16>(void**);
template void mma_tile<f16>(void**);

namespace {

/** The CTAs of one launch, taken by whichever host thread is free. */
struct Launch {
    const Kernel* kernel;
    const void* args;
    uint3 grid;
    uint3 block;
    size_t sharedBytes;
    std::atomic<uint64_t> next{0};
    std::mutex lock;
    std::string error;

    void work() {
        uint64_t count = static_cast<uint64_t>(grid.x) * grid.y * grid.z;
        for (uint64_t i = next++; i < count; i = next++) {
            uint3 at{static_cast<unsigned>(i % grid.x), static_cast<unsigned>(i / grid.x % grid.y),
                     static_cast<unsigned>(i / grid.x / grid.y)};
            std::string failure;
            try {
                failure = run_cta(*kernel, args, at, grid, block, sharedBytes);
            } catch (const std::exception& e) {
                failure = e.what();
            }
            if (!failure.empty()) {
                std::lock_guard<std::mutex> hold(lock);
                error = failure;
                next = count;
            }
        }
    }
};

/** Host threads that stay; never torn down, since the library is never unloaded. */
struct Workers {
    std::mutex busy;    // held by the launch that uses them
    std::mutex lock;
    std::condition_variable wake;
    std::condition_variable done;
    std::vector<std::thread> threads;
    Launch* launch = nullptr;
    int wanted = 0;
    int working = 0;

    void loop() {
        std::unique_lock<std::mutex> hold(lock);
        while (true) {
            wake.wait(hold, [this] { return wanted > 0; });
            wanted--;
            Launch* mine = launch;
            hold.unlock();
            mine->work();
            hold.lock();
            if (--working == 0) {
                done.notify_all();
            }
        }
    }

    void run(Launch& job, int helpers) {
        {
            std::lock_guard<std::mutex> hold(lock);
            while (static_cast<int>(threads.size()) < helpers) {
                threads.emplace_back([this] { loop(); });
                threads.back().detach();
            }
            launch = &job;
            wanted = helpers;
            working = helpers;
        }
        wake.notify_all();
        job.work();
        std::unique_lock<std::mutex> hold(lock);
        done.wait(hold, [this] { return working == 0; });
    }
};

Workers& workers() {
    static Workers* all = new Workers();
    return *all;
}

thread_local std::string lastError;

std::string triple(int x, int y, int z) {
    return std::to_string(x) + " x " + std::to_string(y) + " x " + std::to_string(z);
}

int failed(const std::string& text) {
    lastError = text;
    return 1;
}

}  // namespace
}  // namespace emulation
}  // namespace millrace

using namespace millrace::emulation;

/** The text of this thread's last launch that failed. */
extern "C" const char* millrace_error() {
    return lastError.c_str();
}

/** The bytes of a kernel's argument, or -1 where there is no such kernel. */
extern "C" int millrace_args_bytes(const char* kernelName) {
    for (const Kernel* kernel = kernels; kernel != nullptr; kernel = kernel->next) {
        if (strcmp(kernel->name, kernelName) == 0) {
            return static_cast<int>(kernel->argsBytes);
        }
    }
    return -1;
}

/**
 * How launches run from now on: host threads; fibers from the first (0) or last (1), and 2 more where a warp whose lanes
 * have met goes on before all others; copies at once (1) or late (0).
 */
extern "C" void millrace_configure(int threads, int order, int atOnce) {
    hostThreads = std::max(1, std::min(threads, HOST_THREADS_MAX));
    fallingOrder = order & 1;
    hasty = order & 2;
    copiesAtOnce = atOnce;
}

/** Runs a kernel to its end: 0, or 1 with the reason in millrace_error(). */
extern "C" int millrace_launch(const char* kernelName, int gx, int gy, int gz, int bx, int by, int bz, int sharedBytes,
                               const void* args) {
    const Kernel* kernel = kernels;
    while (kernel != nullptr && strcmp(kernel->name, kernelName) != 0) {
        kernel = kernel->next;
    }
    if (kernel == nullptr) {
        return failed(std::string("no kernel named ") + kernelName);
    }
    std::string shape = std::string("kernel ") + kernelName + ": a grid of " + triple(gx, gy, gz) + " CTAs of " +
                        triple(bx, by, bz) + " threads with " + std::to_string(sharedBytes) + " bytes";
    bool threadsFit = bx >= 1 && by >= 1 && bz >= 1 && bx <= THREADS_MAX && by <= THREADS_MAX && bz <= 64 &&
                      bx * by * bz <= THREADS_MAX;
    if (gx < 1 || gy < 1 || gz < 1 || gy > 65535 || gz > 65535 || !threadsFit) {
        return failed(shape + " cannot be launched");
    }
    if (sharedBytes < 0 || static_cast<size_t>(sharedBytes) > SHARED_BYTES_MAX) {
        return failed(shape + " asks for more shared memory than there is: " + std::to_string(SHARED_BYTES_MAX));
    }
    Launch launch;
    launch.kernel = kernel;
    launch.args = args;
    launch.grid = {static_cast<unsigned>(gx), static_cast<unsigned>(gy), static_cast<unsigned>(gz)};
    launch.block = {static_cast<unsigned>(bx), static_cast<unsigned>(by), static_cast<unsigned>(bz)};
    launch.sharedBytes = static_cast<size_t>(sharedBytes);
    uint64_t ctas = static_cast<uint64_t>(gx) * gy * gz;
    int helpers = static_cast<int>(std::min<uint64_t>(hostThreads, ctas)) - 1;
    Workers& all = workers();
    if (helpers > 0 && all.busy.try_lock()) {
        all.run(launch, helpers);
        all.busy.unlock();
    } else {
        launch.work();
    }
    return launch.error.empty() ? 0 : failed(launch.error);
}
