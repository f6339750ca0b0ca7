// dots adds to each sum of w the four products of its bytes, −128 to 127, with those of x, 0 to 255 less
// LESS: exact, in each set of instructions.

#if defined(DOT) && defined(__x86_64__)
#define LESS 0
#if LANES == 16
INLINE ivec dots(ivec sum, ivec x, ivec w) { return (ivec)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)w); }
#else
INLINE ivec dots(ivec sum, ivec x, ivec w) { return (ivec)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)x, (__m256i)w); }
#endif

#elif defined(__x86_64__)
#define LESS 0
// Two products of 16 bits at a time: of the even bytes, and of the odd.
typedef int16_t svec __attribute__((vector_size(4 * LANES)));
typedef uint16_t uvec __attribute__((vector_size(4 * LANES)));
#if LANES == 16
INLINE ivec pairs(svec x, svec w) { return (ivec)_mm512_madd_epi16((__m512i)x, (__m512i)w); }
#else
INLINE ivec pairs(svec x, svec w) { return (ivec)_mm256_madd_epi16((__m256i)x, (__m256i)w); }
#endif
INLINE ivec dots(ivec sum, ivec x, ivec w) { return sum + pairs((svec)((uvec)x & 255), (svec)w << 8 >> 8) + pairs((svec)((uvec)x >> 8), (svec)w >> 8); }

#else
#define LESS 128 // their bytes have signs
INLINE ivec dots(ivec sum, ivec x, ivec w) {
	int8x16_t a = (int8x16_t)(x ^ (int32_t)0x80808080), b = (int8x16_t)w;
#if defined(DOT)
	return (ivec)vdotq_s32((int32x4_t)sum, a, b);
#else
	int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(a), vget_low_s8(b))), high = vpaddlq_s16(vmull_s8(vget_high_s8(a), vget_high_s8(b)));
	return sum + (ivec)vpaddq_s32(low, high);
#endif
}
#endif
