#if defined(__aarch64__)
#include <arm_neon.h>
#define SET neon
#define LANES 4
#include "kernels.h"
#endif
