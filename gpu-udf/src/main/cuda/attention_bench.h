// The machine of attention's benches: a GPU by the CUDA runtime. Included where BENCH is defined.
#pragma once

#include <map>
#include <string>

#include "attention_case.h"
#include "bench.h"

namespace bench {

/** Launches kernels that were added by their names. */
class CudaMachine : public millrace::testing::Machine {
public:
    template <typename Args> void add(const char* name, void (*kernel)(Args)) {
        kernels_[name] = reinterpret_cast<const void*>(kernel);
    }

    void* allocate(size_t bytes) override {
        void* memory;
        CUDA_CALL(cudaMalloc(&memory, bytes));
        return memory;
    }
    void release(void* memory) override {
        CUDA_CALL(cudaFree(memory));
    }
    void upload(void* to, const void* from, size_t bytes) override {
        CUDA_CALL(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice));
    }
    void download(void* to, const void* from, size_t bytes) override {
        CUDA_CALL(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost));
    }

    /** Kernels that this program has not are of sequences that it does not hand out; it leaves those out. */
    void launch(const char* kernel, int gridX, int gridY, int threads, int sharedBytes, const void* args) override {
        auto found = kernels_.find(kernel);
        if (found == kernels_.end()) {
            return;
        }
        if (sharedBytes > 48 * 1024) {
            CUDA_CALL(cudaFuncSetAttribute(found->second, cudaFuncAttributeMaxDynamicSharedMemorySize, sharedBytes));
        }
        void* parameters[] = {const_cast<void*>(args)};
        CUDA_CALL(cudaLaunchKernel(found->second, dim3(gridX, gridY), dim3(threads), parameters, sharedBytes, nullptr));
    }

private:
    std::map<std::string, const void*> kernels_;
};

}  // namespace bench
