/* Answers the CPUID leaves that describe AMX tiles where the hypervisor leaves them out.
 *
 * A window turns CPUID faulting on for the calling thread (and for threads born from it): every CPUID then raises
 * SIGSEGV, and the handler below answers it. Leaves 0x0, 0x1D and 0x1E are made up if and only if the machine has no
 * tile palette of its own; all others are the machine's. Whatever is not a CPUID goes to the handler that was
 * installed before. The handler outlives the window, because a thread born inside it keeps faulting.
 *
 * Everything called from the handler is async-signal-safe: raw system calls, no allocation, no stdio.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

/* From <asm/prctl.h>, which not every C library installs. */
#define GET_CPUID 0x1011
#define SET_CPUID 0x1012

#define TILE_LEAF 0x1D
#define TMUL_LEAF 0x1E

struct registers {
    uint32_t eax, ebx, ecx, edx;
};

static struct sigaction previous; /* whom we forward to; SIG_DFL until install() */
static struct sigaction beneath;  /* the same without faulthandler */
static atomic_bool forwarding;
static atomic_long answered;

static struct registers ask_machine(uint32_t leaf, uint32_t subleaf) {
    struct registers got;
    __cpuid_count(leaf, subleaf, got.eax, got.ebx, got.ecx, got.edx);
    return got;
}

/* Figures: Intel SDM volume 2A, CPUID, of the one palette that exists. */
static struct registers answer(uint32_t leaf, uint32_t subleaf) {
    uint32_t max_leaf = ask_machine(0, 0).eax;
    struct registers real = ask_machine(leaf, subleaf);
    if (max_leaf >= TILE_LEAF && ask_machine(TILE_LEAF, 0).eax >= 1)
        return real; /* nothing is missing here: the machine's own word holds */
    if (leaf == 0) {
        real.eax = max_leaf > TMUL_LEAF ? max_leaf : TMUL_LEAF;
        return real;
    }
    if (leaf == TILE_LEAF && subleaf == 0)
        return (struct registers){.eax = 1}; /* highest palette */
    if (leaf == TILE_LEAF && subleaf == 1)
        return (struct registers){
            .eax = 8192 | 1024u << 16, /* bytes of all tiles | of one */
            .ebx = 64 | 8u << 16,      /* bytes of a row | tile names */
            .ecx = 16,                 /* rows */
        };
    if (leaf == TMUL_LEAF && subleaf == 0)
        return (struct registers){.ebx = 16 | 64u << 8}; /* largest K | N */
    if (leaf == TILE_LEAF || leaf == TMUL_LEAF)
        return (struct registers){0};
    return real;
}

/* RIP may be garbage (a call through NULL): the kernel reads it for us and fails instead of faulting. */
static bool read_code(uintptr_t from, uint8_t bytes[2]) {
    struct iovec local = {.iov_base = bytes, .iov_len = 2};
    struct iovec remote = {.iov_base = (void *)from, .iov_len = 2};
    return syscall(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1, 0) == 2;
}

static bool is_cpuid(uintptr_t instruction) {
    uint8_t bytes[2];
    return read_code(instruction, bytes) && bytes[0] == 0x0F && bytes[1] == 0xA2;
}

static void step_over_cpuid(greg_t *registers) {
    bool faulting = syscall(SYS_arch_prctl, GET_CPUID, 0) == 0;
    if (faulting)
        syscall(SYS_arch_prctl, SET_CPUID, 1);
    struct registers got = answer((uint32_t)registers[REG_RAX], (uint32_t)registers[REG_RCX]);
    if (faulting)
        syscall(SYS_arch_prctl, SET_CPUID, 0);
    registers[REG_RAX] = got.eax; /* zero-extended, as the instruction does */
    registers[REG_RBX] = got.ebx;
    registers[REG_RCX] = got.ecx;
    registers[REG_RDX] = got.edx;
    registers[REG_RIP] += 2;
    atomic_fetch_add(&answered, 1);
}

static void die(int number, const siginfo_t *info) {
    signal(number, SIG_DFL);
    if (info->si_code <= 0)
        raise(number); /* sent by somebody; a true fault repeats itself when we return */
}

/* A disabled faulthandler returns and changes nothing: the same fault would come back for ever. */
static bool is_stuck(const siginfo_t *info, greg_t instruction) {
    static _Atomic greg_t last_instruction;
    static _Atomic uintptr_t last_address;
    static atomic_int repeats;
    bool same = atomic_exchange(&last_instruction, instruction) == instruction;
    same &= atomic_exchange(&last_address, (uintptr_t)info->si_addr) == (uintptr_t)info->si_addr;
    atomic_store(&repeats, same ? atomic_load(&repeats) + 1 : 0);
    return info->si_code > 0 && atomic_load(&repeats) > 1000;
}

/* faulthandler puts back what it found (perhaps us) and raises again: a second entry while forwarding means that
 * everybody has had their say. */
static void forward(int number, siginfo_t *info, void *context) {
    struct sigaction next = previous;
    bool sent = info->si_code <= 0;
    if (next.sa_handler == SIG_IGN && sent)
        return;
    bool nobody = next.sa_handler == SIG_DFL || next.sa_handler == SIG_IGN;
    if (nobody || is_stuck(info, ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP]) ||
        atomic_exchange(&forwarding, true)) {
        die(number, info);
        return;
    }
    if (next.sa_flags & SA_SIGINFO)
        next.sa_sigaction(number, info, context);
    else
        next.sa_handler(number);
    atomic_store(&forwarding, false);
}

static void on_segv(int number, siginfo_t *info, void *context) {
    int saved_errno = errno;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (info->si_code > 0 && is_cpuid((uintptr_t)registers[REG_RIP]))
        step_over_cpuid(registers);
    else
        forward(number, info, context);
    errno = saved_errno;
}

/* 0 or an errno. Called again, it puts the handler back on top of whoever came in between.
 *
 * faulthandler enabled on top of us and then disabled puts us back, and is still the one we forward to: it has to be
 * said that it is gone. */
int xeonperf_install(int faulthandler_enabled) {
    uint8_t bytes[2];
    if (!read_code((uintptr_t)&xeonperf_install, bytes))
        return errno; /* a seccomp filter forbids process_vm_readv: better no repair than a wild guess */
    struct sigaction current;
    if (sigaction(SIGSEGV, NULL, &current) != 0)
        return errno;
    if ((current.sa_flags & SA_SIGINFO) && current.sa_sigaction == on_segv) {
        if (!faulthandler_enabled)
            previous = beneath;
        return 0;
    }
    previous = current;
    if (!faulthandler_enabled)
        beneath = current;
    /* SA_ONSTACK: a stack overflow must still reach faulthandler. SA_NODEFER: faulthandler raises from inside. */
    struct sigaction ours = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigemptyset(&ours.sa_mask);
    return sigaction(SIGSEGV, &ours, NULL) == 0 ? 0 : errno;
}

/* 0 or an errno (ENODEV: no CPUID faulting here). For this thread and those born from it. */
int xeonperf_set_faulting(int on) {
    return syscall(SYS_arch_prctl, SET_CPUID, on ? 0 : 1) == 0 ? 0 : errno;
}

long xeonperf_answered(void) { return atomic_load(&answered); }
