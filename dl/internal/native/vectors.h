// Vectors of LANES floats, in the words of GCC and Clang.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "frame.h"

#define INLINE static inline __attribute__((always_inline))
#define JOINED(a, b) a##_##b
#define JOIN(a, b) JOINED(a, b)
#define NAMED(name) JOIN(name, SET)

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));
typedef float anywhere __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE vec load(const float *p) { return *(const anywhere *)p; }
INLINE void store(float *p, vec v) { *(anywhere *)p = v; }
INLINE vec load_some(const float *p, int64_t n) {
	vec v = { 0 };
	memcpy(&v, p, (size_t)n * sizeof *p);
	return v;
}
INLINE void store_some(float *p, vec v, int64_t n) { memcpy(p, &v, (size_t)n * sizeof *p); }
INLINE vec some_of(const float *p, int64_t n) { return n < LANES ? load_some(p, n) : load(p); }
INLINE void some_to(float *p, vec v, int64_t n) {
	if (n < LANES) store_some(p, v, n);
	else store(p, v);
}
INLINE vec all(float x) { return x - (vec){ 0 }; }

// filled is n, as many as fill vectors.
INLINE int64_t filled(int64_t n) { return (n + LANES - 1) / LANES * LANES; }

// positive is v where it is not below or at 0, and 0 there; what is no number stays.
INLINE vec positive(vec v) { return (vec)(~(v <= 0.f) & (ivec)v); }

// What follows a sum: nothing, max(v, 0), min(max(v, 0), 6), or max(v, 0) where what is no number becomes 0, too.
enum { NOTHING, RELU, RELU6, POSITIVE };
INLINE vec then(vec v, int after) {
	if (after == NOTHING) return v;
	if (after == POSITIVE) return (vec)((v > 0.f) & (ivec)v);
	v = positive(v);
	if (after == RELU) return v;
	ivec above = v > 6.f;
	return (vec)((above & (ivec)all(6.f)) | (~above & (ivec)v));
}

// scratch is memory for n floats, which the caller frees.
INLINE float *scratch(size_t n) { return aligned_alloc(64, (n * sizeof(float) + 127) / 64 * 64); }
