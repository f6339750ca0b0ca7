#include "list.h"

// KERNELS does DO(name, set) for each kernel.
#define KERNELS(DO, set)       \
	DO(lstm_forward, set)  \
	DO(lstm_infer, set)    \
	DO(lstm_backward, set) \
	DO(lstm_weights, set)  \
	DO(lstm_input, set)    \
	DO(gru_forward, set)   \
	DO(gru_infer, set)     \
	DO(gru_backward, set)  \
	DO(gru_weights, set)   \
	DO(gru_input, set)     \
	DO(simple_forward, set) \
	DO(simple_infer, set)  \
	DO(simple_backward, set) \
	DO(simple_weights, set) \
	DO(simple_input, set)  \
	DO(conv_forward, set)  \
	DO(conv_input, set)    \
	DO(conv_window, set)   \
	DO(pool_max, set)      \
	DO(pool_back, set)     \
	DO(pool_pick, set)     \
	DO(relu_back, set)     \
	DO(norm_moments, set)  \
	DO(norm_apply, set)    \
	DO(norm_back, set)     \
	DO(quant, set)
#define DOT_KERNELS(DO, set) DO(quant, set)

#define DECLARE(name, set) void *gradbook_##name##_##set(ffi_frame *);
#define ENTRY(name, set) { #name, gradbook_##name##_##set },
#define LIST(KERNELS, set) \
	KERNELS(DECLARE, set) \
	static const kernel set[] = { KERNELS(ENTRY, set) { 0, 0 } };

#if defined(__x86_64__)
LIST(KERNELS, avx512)
LIST(KERNELS, avx2)
kernel gradbook_kernel(int lanes, int i) { return lanes == 16 ? avx512[i] : avx2[i]; }
#elif defined(__aarch64__)
LIST(KERNELS, neon)
kernel gradbook_kernel(int lanes, int i) {
	(void)lanes;
	return neon[i];
}
#endif

#if defined(GRADBOOK_AVX512_VNNI)
LIST(DOT_KERNELS, avx512_vnni)
#endif
#if defined(GRADBOOK_AVX_VNNI)
LIST(DOT_KERNELS, avx_vnni)
#endif
#if defined(GRADBOOK_NEON_DOT)
LIST(DOT_KERNELS, neon_dot)
#endif

kernel gradbook_dot_kernel(int lanes, int i) {
	switch (lanes) {
#if defined(GRADBOOK_AVX512_VNNI)
	case 16: return avx512_vnni[i];
#endif
#if defined(GRADBOOK_AVX_VNNI)
	case 8: return avx_vnni[i];
#endif
#if defined(GRADBOOK_NEON_DOT)
	case 4: return neon_dot[i];
#endif
	}
	(void)i;
	return (kernel){ 0, 0 };
}
