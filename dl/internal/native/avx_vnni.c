#include "list.h"
#if defined(GRADBOOK_AVX_VNNI)
#include <immintrin.h>
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,avxvnni,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,avxvnni,fma")
#endif
#define SET avx_vnni
#define LANES 8
#define DOT
#include "quantized.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
