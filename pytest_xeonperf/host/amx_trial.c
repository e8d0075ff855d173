/* Runs the instructions of Inductor's AMX micro-kernels as they do: with palette 1 written down, CPUID not asked.
 *
 * Exit code 0: they work and the sums are right; 1 with the reason on stderr: they do not. A processor or hypervisor
 * that cannot execute them kills the process with SIGILL, which is what the caller wants to know.
 */
#define _GNU_SOURCE
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILEDATA 18

struct palette {
    uint8_t palette_id, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} __attribute__((aligned(64)));

static uint16_t ones_bf16[16][32] __attribute__((aligned(64)));
static int8_t ones_int8[16][64] __attribute__((aligned(64)));
static float sums_fp32[16][16] __attribute__((aligned(64)));
static int32_t sums_int32[16][16] __attribute__((aligned(64)));

/* The tile intrinsics do not tell the compiler that they read and write memory. */
static void settle_memory(void) { __asm__ volatile("" ::: "memory"); }

static int complain(const char *reason) {
    fprintf(stderr, "%s\n", reason);
    return 1;
}

int main(void) {
    if (syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) != 0)
        return complain("the kernel grants no tile state");
    struct palette palette = {.palette_id = 1};
    for (int tile = 0; tile < 3; ++tile) {
        palette.row_bytes[tile] = 64;
        palette.rows[tile] = 16;
    }
    for (int at = 0; at < 16 * 32; ++at)
        (&ones_bf16[0][0])[at] = 0x3F80; /* 1.0 */
    memset(ones_int8, 1, sizeof ones_int8);
    settle_memory();

    _tile_loadconfig(&palette);
    _tile_zero(0);
    _tile_loadd(1, ones_bf16, 64);
    _tile_loadd(2, ones_bf16, 64);
    _tile_dpbf16ps(0, 1, 2);
    _tile_stored(0, sums_fp32, 64);
    _tile_zero(0);
    _tile_loadd(1, ones_int8, 64);
    _tile_loadd(2, ones_int8, 64);
    _tile_dpbssd(0, 1, 2);
    _tile_stored(0, sums_int32, 64);
    _tile_release();
    settle_memory();

    for (int row = 0; row < 16; ++row)
        for (int column = 0; column < 16; ++column)
            if (sums_fp32[row][column] != 32.0f || sums_int32[row][column] != 64)
                return complain("the tiles give wrong sums");
    return 0;
}
