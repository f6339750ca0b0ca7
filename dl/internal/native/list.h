// The kernels by name, for Go.
#include "ffi.h"

typedef struct {
	const char *name;
	ffi_handler *handler;
} kernel;

// gradbook_kernel is the i-th kernel for vectors of so many floats; behind the last its name is
// null.
kernel gradbook_kernel(int lanes, int i);

// gradbook_dot_kernel is the i-th of those that use instructions for products of bytes, if the
// compiler knows them.
kernel gradbook_dot_kernel(int lanes, int i);

#if defined(__x86_64__) && (defined(__clang__) || __GNUC__ >= 9)
#define GRADBOOK_AVX512_VNNI
#endif
#if defined(__x86_64__) && (defined(__clang__) ? __clang_major__ >= 12 : __GNUC__ >= 11)
#define GRADBOOK_AVX_VNNI
#endif
#if defined(__aarch64__) && (defined(__clang__) ? __clang_major__ >= 16 : __GNUC__ >= 9)
#define GRADBOOK_NEON_DOT
#endif

// gradbook_processors is how many threads compute at a time at most: XLA's pool has more.
extern int gradbook_processors;

// gradbook_run calls a handler without XLA, in the caller's thread. It returns what is wrong.
const char *gradbook_run(ffi_handler *handler, int inputs, ffi_buffer *in, int outputs, ffi_buffer *out, int64_t *settings, int n);
