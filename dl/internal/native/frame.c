#include "frame.h"
#include <stdatomic.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

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

static void leave(job *j, int users) {
	if (atomic_fetch_sub(&j->users, users) == users) free(j);
}

static inline void rest(void) {
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

// To wake a thread takes as long as a small kernel, and a step calls one kernel after another. So
// helpers stay for a while when their work is done, and find the next job on a board; whoever else
// wants their processor gets it.
#define STAY 500e-6 // seconds

static struct {
	atomic_int busy, idle; // busy: somebody reads or writes what follows; idle: helpers that look
	job *posted;
	int wanted;
} board;

static void look(void) {
	for (int i = 0; atomic_exchange_explicit(&board.busy, 1, memory_order_acquire); i++) {
		if (i < 1000) rest();
		else sched_yield();
	}
}

static void looked(void) { atomic_store_explicit(&board.busy, 0, memory_order_release); }

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// taken is a job from the board, or null; who gets one, or leaves, looks no more.
static job *taken(int leaves) {
	look();
	job *j = board.wanted > 0 ? board.posted : NULL;
	if (j != NULL) board.wanted--;
	if (j != NULL || leaves) atomic_fetch_sub(&board.idle, 1);
	looked();
	return j;
}

static void help(void *data) {
	for (job *j = data; j != NULL;) {
		work(j);
		leave(j, 1);
		atomic_fetch_add(&board.idle, 1);
		for (double end = now() + STAY; (j = taken(0)) == NULL && now() < end;) sched_yield();
		if (j == NULL) j = taken(1);
	}
}

// post asks helpers that look for up to n of them, and says how many may come.
static int post(job *j, int n) {
	if (atomic_load(&board.idle) <= 0) return 0;
	look();
	int idle = atomic_load(&board.idle), asked = board.wanted > 0 || idle <= 0 ? 0 : idle < n ? idle : n;
	if (asked > 0) {
		board.posted = j;
		board.wanted = asked;
	}
	looked();
	return asked;
}

// retract takes a job from the board, and says how many of those asked did not come.
static int retract(job *j) {
	look();
	int left = board.posted == j ? board.wanted : 0;
	if (board.posted == j) {
		board.posted = NULL;
		board.wanted = 0;
	}
	looked();
	return left;
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
	int asked = post(j, helpers);
	for (int i = asked; i < helpers; i++) {
		ffi_schedule s = { .size = sizeof s, .context = p->frame->context, .task = help, .data = j };
		if (p->frame->api->schedule(&s) != NULL) leave(j, 1); // the caller does it
	}
	work(j);
	int missed = asked > 0 ? retract(j) : 0;
	// Who is to be waited for may want this processor.
	for (int i = 0; atomic_load(&j->done) < n; i++) {
		if (i < 1000) rest();
		else sched_yield();
	}
	leave(j, 1 + missed);
}
