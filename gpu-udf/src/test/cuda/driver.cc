// A stand-in for NVIDIA's driver: the calls that JcudaDevice makes, over the host's memory and the emulated kernels.
// Linked as libcuda.so.1, it lets JCuda's binding itself be tested where there is no GPU: how addresses, buffers and
// arguments go through it, and which flags calls have.
//
// Streams do their work at once; a capture keeps launches, and graphs run them. A context must be current for most
// calls, as in the real driver. MILLRACE_DRIVER_FAULT=N makes the Nth launch, and all that follows in its context, fail
// as an illegal address does.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

extern "C" int millrace_launch(const char*, int, int, int, int, int, int, int, const void*);
extern "C" int millrace_args_bytes(const char*);
extern "C" const char* millrace_error();

namespace {

enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_CONTEXT = 201, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, ALREADY_REGISTERED = 712, NOT_REGISTERED = 713 };

struct Context { bool alive = true; };
struct Module { std::string image; };
struct Function { std::string name; int argumentBytes; int sharedBytes = 48 * 1024; };
struct Stream { bool capturing = false; std::vector<std::function<int()>> work; };
struct Graph { std::vector<std::function<int()>> work; };
struct Event { int marks = 0; };

std::mutex lock;
thread_local Context* current = nullptr;
int fault = 0;
long launches = 0;
std::map<uint64_t, size_t> memory;
std::map<uint64_t, size_t> pinned;
constexpr size_t TOTAL = size_t(2) << 30;
size_t taken = 0;

int enter() {
    if (fault) return fault;
    return current && current->alive ? SUCCESS : INVALID_CONTEXT;
}
#define ENTER() if (int code = enter()) return code

bool on_device(uint64_t address, size_t bytes) {
    std::lock_guard<std::mutex> held(lock);
    auto next = memory.upper_bound(address);
    if (next == memory.begin()) return false;
    --next;
    return address + bytes <= next->first + next->second;
}

int run(Stream* stream, std::function<int()> work) {
    if (stream && stream->capturing) { stream->work.push_back(work); return SUCCESS; }
    return work();
}

}  // namespace

extern "C" {
int cuInit(unsigned) { return SUCCESS; }
int cuDeviceGetCount(int* count) { *count = 1; return SUCCESS; }
int cuDeviceGet(int* device, int ordinal) { *device = 0; return ordinal == 0 ? SUCCESS : 101; }
int cuDeviceGetName(char* name, int length, int) { snprintf(name, length, "stand-in"); return SUCCESS; }
int cuDeviceGetAttribute(int* value, int attribute, int) {
    *value = attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 16 ? 2 : -1;
    return *value < 0 ? INVALID_VALUE : SUCCESS;
}
int cuCtxCreate_v2(Context** context, unsigned, int) { *context = new Context; current = *context; return SUCCESS; }
int cuCtxSetCurrent(Context* context) { if (fault) return fault; current = context; return SUCCESS; }
int cuCtxDestroy_v2(Context* context) { context->alive = false; fault = 0; return SUCCESS; }
int cuCtxSynchronize() { ENTER(); return SUCCESS; }
int cuMemGetInfo_v2(size_t* free, size_t* total) { ENTER(); *free = TOTAL - taken; *total = TOTAL; return SUCCESS; }
int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
    ENTER();
    std::lock_guard<std::mutex> held(lock);
    if (taken + bytes > TOTAL) return OUT_OF_MEMORY;
    void* got = aligned_alloc(512, (bytes + 511) / 512 * 512);
    memset(got, 0xCD, bytes);
    *address = reinterpret_cast<uint64_t>(got);
    memory[*address] = bytes;
    taken += bytes;
    return SUCCESS;
}
int cuMemFree_v2(uint64_t address) {
    ENTER();
    std::lock_guard<std::mutex> held(lock);
    auto found = memory.find(address);
    if (found == memory.end()) return INVALID_VALUE;
    taken -= found->second;
    memory.erase(found);
    free(reinterpret_cast<void*>(address));
    return SUCCESS;
}
int cuMemsetD8_v2(uint64_t address, unsigned char value, size_t bytes) {
    ENTER();
    if (!on_device(address, bytes)) return INVALID_VALUE;
    memset(reinterpret_cast<void*>(address), value, bytes);
    return SUCCESS;
}
int cuMemsetD8Async(uint64_t a, unsigned char v, size_t n, Stream* s) { ENTER(); return run(s, [=] { return cuMemsetD8_v2(a, v, n); }); }
int cuMemHostAlloc(void** host, size_t bytes, unsigned flags) {
    ENTER();
    if (flags != 1) return INVALID_VALUE;
    *host = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    std::lock_guard<std::mutex> held(lock);
    pinned[reinterpret_cast<uint64_t>(*host)] = bytes;
    return SUCCESS;
}
int cuMemFreeHost(void* host) {
    ENTER();
    std::lock_guard<std::mutex> held(lock);
    if (!pinned.erase(reinterpret_cast<uint64_t>(host))) return INVALID_VALUE;
    free(host);
    return SUCCESS;
}
int cuMemHostRegister_v2(void* host, size_t bytes, unsigned flags) {
    ENTER();
    if (flags != 1) return INVALID_VALUE;
    std::lock_guard<std::mutex> held(lock);
    return pinned.emplace(reinterpret_cast<uint64_t>(host), bytes).second ? SUCCESS : ALREADY_REGISTERED;
}
int cuMemHostUnregister(void* host) {
    ENTER();
    std::lock_guard<std::mutex> held(lock);
    return pinned.erase(reinterpret_cast<uint64_t>(host)) ? SUCCESS : NOT_REGISTERED;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, Stream* stream) {
    ENTER();
    if (!on_device(to, bytes)) return INVALID_VALUE;
    return run(stream, [=] { memcpy(reinterpret_cast<void*>(to), from, bytes); return 0; });
}
int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, Stream* stream) {
    ENTER();
    if (!on_device(from, bytes)) return INVALID_VALUE;
    return run(stream, [=] { memcpy(to, reinterpret_cast<void*>(from), bytes); return 0; });
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, Stream* stream) {
    ENTER();
    if (!on_device(from, bytes) || !on_device(to, bytes)) return INVALID_VALUE;
    return run(stream, [=] { memmove(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes); return 0; });
}
int cuStreamCreate(Stream** stream, unsigned flags) { ENTER(); *stream = new Stream; return flags == 1 ? SUCCESS : INVALID_VALUE; }
int cuStreamDestroy_v2(Stream* stream) { ENTER(); delete stream; return SUCCESS; }
int cuStreamSynchronize(Stream* stream) { ENTER(); return stream->capturing ? 900 : SUCCESS; }
int cuStreamWaitEvent(Stream*, Event*, unsigned) { ENTER(); return SUCCESS; }
int cuStreamBeginCapture_v2(Stream* stream, int mode) { ENTER(); if (mode != 1) return INVALID_VALUE; stream->capturing = true; stream->work.clear(); return SUCCESS; }
int cuStreamEndCapture(Stream* stream, Graph** graph) { ENTER(); *graph = new Graph{stream->work}; stream->capturing = false; stream->work.clear(); return SUCCESS; }
int cuGraphInstantiateWithFlags(Graph** executable, Graph* graph, unsigned long long) { ENTER(); *executable = new Graph(*graph); return SUCCESS; }
int cuGraphDestroy(Graph* graph) { ENTER(); delete graph; return SUCCESS; }
int cuGraphExecDestroy(Graph* graph) { ENTER(); delete graph; return SUCCESS; }
int cuGraphLaunch(Graph* graph, Stream*) { ENTER(); for (auto& work : graph->work) if (int code = work()) return code; return SUCCESS; }
int cuEventCreate(Event** event, unsigned flags) { ENTER(); *event = new Event; return flags == 2 ? SUCCESS : INVALID_VALUE; }
int cuEventDestroy_v2(Event* event) { ENTER(); delete event; return SUCCESS; }
int cuEventRecord(Event* event, Stream*) { ENTER(); event->marks++; return SUCCESS; }
int cuEventSynchronize(Event*) { ENTER(); return SUCCESS; }
int cuModuleLoadData(Module** module, const void* image) {
    ENTER();
    const char* bytes = static_cast<const char*>(image);
    if (memcmp(bytes, "\177ELF", 4) != 0 && !strstr(bytes, ".version")) return 200;
    *module = new Module;
    return SUCCESS;
}
int cuModuleGetFunction(Function** function, Module*, const char* name) {
    ENTER();
    int bytes = millrace_args_bytes(name);
    if (bytes < 0) return NOT_FOUND;
    *function = new Function{name, bytes};
    return SUCCESS;
}
int cuFuncSetAttribute(Function* function, int attribute, int value) {
    ENTER();
    if (attribute != 8 || value > 227 * 1024) return INVALID_VALUE;
    function->sharedBytes = value;
    return SUCCESS;
}
int cuLaunchKernel(Function* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   Stream* stream, void** arguments, void** extra) {
    ENTER();
    if (extra || int(shared) > function->sharedBytes) return INVALID_VALUE;
    std::string copy(static_cast<const char*>(arguments[0]), function->argumentBytes);
    static const char* faultAt = getenv("MILLRACE_DRIVER_FAULT");
    return run(stream, [=] {
        if (faultAt && ++launches == atol(faultAt)) return fault = int(ILLEGAL_ADDRESS);
        alignas(16) char aligned[1024];
        memcpy(aligned, copy.data(), copy.size());
        int code = millrace_launch(function->name.c_str(), gx, gy, gz, bx, by, bz, shared, aligned);
        if (code) { fprintf(stderr, "%s: %s\n", function->name.c_str(), millrace_error()); return fault = int(ILLEGAL_ADDRESS); }
        return 0;
    });
}
}
