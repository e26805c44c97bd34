// What the emulator's fibers stand on: a switch of stacks, and memory that ends at a page that faults.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdexcept>
#include <sys/mman.h>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace millrace {
namespace emulation {

constexpr size_t PAGE_BYTES = 4096;

#if defined(__x86_64__)
extern "C" void millrace_switch(void** save, void* to);
asm(R"(
.text
.p2align 4
.hidden millrace_switch
.globl millrace_switch
.type millrace_switch,@function
millrace_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size millrace_switch,.-millrace_switch
)");

/** Where a context was left. */
struct Context {
    void* stackPointer;

    void prepare(unsigned char* stack, size_t bytes, void (*entry)()) {
        void** top = reinterpret_cast<void**>(stack + bytes) - 2;
        top[1] = nullptr;
        top[0] = reinterpret_cast<void*>(entry);
        for (int i = 1; i <= 6; i++) {
            top[-i] = nullptr;
        }
        stackPointer = top - 6;
    }

    void switch_to(Context& to) {
        millrace_switch(&stackPointer, to.stackPointer);
    }
};
#else
struct Context {
    ucontext_t context;

    void prepare(unsigned char* stack, size_t bytes, void (*entry)()) {
        getcontext(&context);
        context.uc_stack.ss_sp = stack;
        context.uc_stack.ss_size = bytes;
        context.uc_link = nullptr;
        makecontext(&context, entry, 0);
    }

    void switch_to(Context& to) {
        swapcontext(&context, &to.context);
    }
};
#endif

/** Memory that ends at a page that faults. */
class GuardedBytes {
public:
    explicit GuardedBytes(size_t bytes) : bytes_((bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES) {
        void* base = mmap(nullptr, bytes_ + PAGE_BYTES, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (base == MAP_FAILED) {
            throw std::runtime_error("no memory for the emulator");
        }
        base_ = static_cast<unsigned char*>(base);
        mprotect(base_ + bytes_, PAGE_BYTES, PROT_NONE);
    }
    ~GuardedBytes() {
        munmap(base_, bytes_ + PAGE_BYTES);
    }
    GuardedBytes(const GuardedBytes&) = delete;
    GuardedBytes& operator=(const GuardedBytes&) = delete;

    /** The last `bytes` before the guard, aligned down to `alignment`. */
    unsigned char* last(size_t bytes, size_t alignment) const {
        uintptr_t end = reinterpret_cast<uintptr_t>(base_ + bytes_);
        return reinterpret_cast<unsigned char*>((end - bytes) / alignment * alignment);
    }
    unsigned char* base() const {
        return base_;
    }

private:
    size_t bytes_;
    unsigned char* base_;
};

}  // namespace emulation
}  // namespace millrace
