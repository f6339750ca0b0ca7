#if defined(__aarch64__)
#define SET neon
#define LANES 4
#include "kernels.h"
#endif
