/* The repair's shim on a machine that hides its tile leaves, as Firecracker did: for machines that have them and can
 * make CPUID fault. Whatever the shim asks of the processor is answered as such a hypervisor answers. */
#define _GNU_SOURCE /* as the shim below has it: the first header decides */
#include <cpuid.h>
#include <stdint.h>

#define LAST_LEAF 0x1C

static void hidden_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t *eax, uint32_t *ebx, uint32_t *ecx, uint32_t *edx) {
    __cpuid_count(leaf, subleaf, *eax, *ebx, *ecx, *edx);
    if (leaf == 0)
        *eax = LAST_LEAF;
    else if (leaf > LAST_LEAF && leaf < 0x40000000)
        *eax = *ebx = *ecx = *edx = 0;
}

#undef __cpuid_count
#define __cpuid_count(leaf, subleaf, eax, ebx, ecx, edx) hidden_cpuid(leaf, subleaf, &(eax), &(ebx), &(ecx), &(edx))

#include "cpuid_shim.c"

/* The hypervisor alone, without the repair. */
static void on_hidden_cpuid(int number, siginfo_t *info, void *context) {
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (!is_cpuid((uintptr_t)registers[REG_RIP])) {
        die(number, info);
        return;
    }
    syscall(SYS_arch_prctl, SET_CPUID, 1);
    struct registers got = ask_machine((uint32_t)registers[REG_RAX], (uint32_t)registers[REG_RCX]);
    syscall(SYS_arch_prctl, SET_CPUID, 0);
    registers[REG_RAX] = got.eax;
    registers[REG_RBX] = got.ebx;
    registers[REG_RCX] = got.ecx;
    registers[REG_RDX] = got.edx;
    registers[REG_RIP] += 2;
}

int hide_without_repair(void) {
    struct sigaction ours = {.sa_sigaction = on_hidden_cpuid, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&ours.sa_mask);
    return sigaction(SIGSEGV, &ours, NULL) == 0 ? 0 : errno;
}
