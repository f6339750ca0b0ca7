#include "frame.h"
#include <stdatomic.h>
#include <stdlib.h>

int gradbook_processors = 1;

int gradbook_begins(ffi_frame *f, pool *p) {
	if (f->extensions != NULL && f->extensions->type == FFI_METADATA) {
		ffi_metadata *m = ((ffi_asks *)f->extensions)->metadata;
		m->version.major = FFI_MAJOR;
		m->version.minor = FFI_MINOR;
		m->traits = 0;
		return 0;
	}
	if (f->stage != FFI_EXECUTE) return 0;
	p->frame = f;
	p->threads = 1;
	int64_t n = 1;
	if (f->api != NULL) {
		ffi_threads ask = { .size = sizeof ask, .context = f->context, .threads = &n };
		if (f->api->threads(&ask) == NULL && n > 1) p->threads = (int)(n < gradbook_processors ? n : gradbook_processors);
	}
	return 1;
}

void *gradbook_wrong(ffi_frame *f, const char *what) {
	if (f->api == NULL) return (void *)what;
	ffi_create_error e = { .size = sizeof e, .message = what, .code = 3 };
	return f->api->create_error(&e);
}

// A job is done by whoever comes by: helpers that come late find nothing left of it.
typedef struct {
	void (*part)(void *, int);
	void *argument;
	int n;
	atomic_int next, done, users;
} job;

static void work(job *j) {
	int i;
	while ((i = atomic_fetch_add(&j->next, 1)) < j->n) {
		j->part(j->argument, i);
		atomic_fetch_add(&j->done, 1);
	}
}

static void leave(job *j) {
	if (atomic_fetch_sub(&j->users, 1) == 1) free(j);
}

static void help(void *data) {
	work(data);
	leave(data);
}

static inline void rest(void) {
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

void gradbook_parallel(pool *p, int n, void (*part)(void *, int), void *argument) {
	int helpers = (p->threads < n ? p->threads : n) - 1;
	job *j = helpers > 0 ? malloc(sizeof *j) : NULL;
	if (j == NULL) {
		for (int i = 0; i < n; i++) part(argument, i);
		return;
	}
	j->part = part;
	j->argument = argument;
	j->n = n;
	atomic_init(&j->next, 0);
	atomic_init(&j->done, 0);
	atomic_init(&j->users, helpers + 1);
	for (int i = 0; i < helpers; i++) {
		ffi_schedule s = { .size = sizeof s, .context = p->frame->context, .task = help, .data = j };
		if (p->frame->api->schedule(&s) != NULL) leave(j); // the caller does it
	}
	work(j);
	while (atomic_load(&j->done) < n) rest();
	leave(j);
}
