#include "list.h"
#if defined(GRADBOOK_AVX512_VNNI)
#include <immintrin.h>
#if defined(__clang__) && __clang_major__ >= 18 && __clang_major__ <= 21 // as in avx512.c
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,fma,evex512"))), apply_to = function)
#elif defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,fma,prefer-vector-width=512")
#endif
#define SET avx512_vnni
#define LANES 16
#define DOT
#include "quantized.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
