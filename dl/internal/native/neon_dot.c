#include "list.h"
#if defined(GRADBOOK_NEON_DOT)
#include <arm_neon.h>
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#else
#pragma GCC target("arch=armv8.2-a+dotprod")
#endif
#define SET neon_dot
#define LANES 4
#define DOT
#include "quantized.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
