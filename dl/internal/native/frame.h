// What kernels see of a call: its arrays, its settings, and a pool of threads.
#ifndef GRADBOOK_FRAME_H
#define GRADBOOK_FRAME_H

#include "ffi.h"

// A pool runs parts of the work; one thread, or none but the caller's, will do.
typedef struct {
	ffi_frame *frame;
	int threads;
} pool;

// parallel calls part(argument, i) for i from 0 to n − 1, in whatever order and thread.
void gradbook_parallel(pool *p, int n, void (*part)(void *argument, int i), void *argument);

// gradbook_begins says whether a handler is to compute, rather than to tell of itself, and finds
// the pool.
int gradbook_begins(ffi_frame *f, pool *p);

// gradbook_wrong is the error that a handler returns.
void *gradbook_wrong(ffi_frame *f, const char *what);

static inline ffi_buffer *argument(ffi_frame *f, int i) { return f->args.values[i]; }
static inline ffi_buffer *result(ffi_frame *f, int i) { return f->results.values[i]; }
static inline float *floats(ffi_buffer *b) { return b->data; }

// setting is the i-th whole number of the call's settings, 0 if there is none.
static inline int64_t setting(ffi_frame *f, int i) {
	if (f->settings.n < 1) return 0;
	ffi_array *a = f->settings.values[0];
	return (size_t)i < a->n ? ((int64_t *)a->data)[i] : 0;
}

#endif
