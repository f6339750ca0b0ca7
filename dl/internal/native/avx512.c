#if defined(__x86_64__)
#include <immintrin.h>
#if defined(__clang__) && __clang_major__ >= 18 && __clang_major__ <= 21 // which have a name of their own for vectors of 512 bits
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma,evex512"))), apply_to = function)
#elif defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,fma,prefer-vector-width=512")
#endif
#define SET avx512
#define LANES 16
#include "kernels.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
