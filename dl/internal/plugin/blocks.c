// A program's results and what it computes in between are one large block, which XLA asks for when
// the program begins, and frees at its end. The C library gives such blocks back to the system, and
// the next step takes a page fault for every 4 KiB of them: half the time of a step where layers are
// wide and cheap. So the plugin's calls of posix_memalign and free come here, by its table of
// imported functions, as a preloaded library's would.
//
// What is kept and what is used are together never more than what was used at once.
#if defined(__linux__)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "blocks.h"

#define LARGE (1 << 20)
#define MOST 512

static struct {
	void *at;
	size_t size;
	int used;
	double freed; // when
} blocks[MOST];
static size_t used, kept, peak;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock(void) { pthread_mutex_lock(&mutex); }
static void unlock(void) { pthread_mutex_unlock(&mutex); }

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void drop(int i) {
	munmap(blocks[i].at, blocks[i].size);
	kept -= blocks[i].size;
	blocks[i].at = NULL;
}

// fitting is the smallest block that is kept and large enough without being much larger; −1 is none.
static int fitting(size_t size) {
	int best = -1;
	for (int i = 0; i < MOST; i++)
		if (blocks[i].at != NULL && !blocks[i].used && blocks[i].size >= size && blocks[i].size - size <= size / 4 && (best < 0 || blocks[i].size < blocks[best].size)) best = i;
	return best;
}

static int oldest(void) {
	int found = -1;
	for (int i = 0; i < MOST; i++)
		if (blocks[i].at != NULL && !blocks[i].used && (found < 0 || blocks[i].freed < blocks[found].freed)) found = i;
	return found;
}

static int place(void) {
	for (int i = 0; i < MOST; i++)
		if (blocks[i].at == NULL) return i;
	return -1;
}

static void *take(size_t size) {
	int i = fitting(size);
	if (i >= 0) {
		kept -= blocks[i].size;
	} else {
		size_t most = used + size > peak ? used + size : peak;
		for (int old; used + size + kept > most && (old = oldest()) >= 0;) drop(old);
		if ((i = place()) < 0) return NULL;
		void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (at == MAP_FAILED && kept > 0) { // there is no more, but for what is kept
			for (int old; (old = oldest()) >= 0;) drop(old);
			at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		}
		if (at == MAP_FAILED) return NULL;
		blocks[i].at = at;
		blocks[i].size = size;
	}
	blocks[i].used = 1;
	used += blocks[i].size;
	if (used > peak) peak = used;
	return blocks[i].at;
}

static int block_memalign(void **at, size_t alignment, size_t size) {
	static size_t page;
	if (page == 0) page = (size_t)sysconf(_SC_PAGESIZE);
	if (size >= LARGE && size <= SIZE_MAX - page && alignment <= page) {
		lock();
		void *block = take((size + page - 1) / page * page);
		unlock();
		if (block != NULL) {
			*at = block;
			return 0;
		}
	}
	return posix_memalign(at, alignment, size);
}

static void block_free(void *at) {
	if (at != NULL && ((uintptr_t)at & 4095) == 0) {
		lock();
		for (int i = 0; i < MOST; i++)
			if (blocks[i].at == at) {
				blocks[i].used = 0;
				blocks[i].freed = now();
				used -= blocks[i].size;
				kept += blocks[i].size;
				unlock();
				return;
			}
		unlock();
	}
	free(at);
}

static void *block_realloc(void *at, size_t size) {
	size_t before = 0;
	if (at != NULL && ((uintptr_t)at & 4095) == 0) {
		lock();
		for (int i = 0; i < MOST; i++)
			if (blocks[i].at == at) before = blocks[i].size;
		unlock();
	}
	if (before == 0) return realloc(at, size);
	void *other = size == 0 ? NULL : malloc(size);
	if (other != NULL) memcpy(other, at, before < size ? before : size);
	if (other != NULL || size == 0) block_free(at);
	return other;
}

void gradbook_blocks_tidy(double seconds) {
	double before = now() - seconds;
	lock();
	for (int i = 0; i < MOST; i++)
		if (blocks[i].at != NULL && !blocks[i].used && blocks[i].freed < before) drop(i);
	if (kept == 0) peak = used;
	unlock();
}

void gradbook_blocks_held(size_t *in_use, size_t *free_ones) {
	lock();
	*in_use = used;
	*free_ones = kept;
	unlock();
}

#if defined(__x86_64__)
#define SLOT(type) ((type) == R_X86_64_JUMP_SLOT || (type) == R_X86_64_GLOB_DAT)
#elif defined(__aarch64__)
#define SLOT(type) ((type) == R_AARCH64_JUMP_SLOT || (type) == R_AARCH64_GLOB_DAT)
#else
#define SLOT(type) 0
#endif

// imports are the parts of a library that say which functions of others it calls.
typedef struct {
	uintptr_t base;
	const ElfW(Sym) *symbols;
	const char *names;
	const ElfW(Rela) *tables[2];
	size_t sizes[2];
} imports;

static imports imports_of(const struct link_map *map) {
	imports in = { .base = map->l_addr };
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		// The C library may have added where the library lies, or not.
		uintptr_t at = d->d_un.d_ptr < map->l_addr ? d->d_un.d_ptr + map->l_addr : d->d_un.d_ptr;
		switch (d->d_tag) {
		case DT_SYMTAB: in.symbols = (const void *)at; break;
		case DT_STRTAB: in.names = (const void *)at; break;
		case DT_JMPREL: in.tables[0] = (const void *)at; break;
		case DT_RELA: in.tables[1] = (const void *)at; break;
		case DT_PLTRELSZ: in.sizes[0] = d->d_un.d_val; break;
		case DT_RELASZ: in.sizes[1] = d->d_un.d_val; break;
		}
	}
	return in;
}

// slots finds where a library keeps the address of a function, in n places at most.
static int slots(const imports *in, const char *name, void **found[], int n) {
	int k = 0;
	for (int t = 0; t < 2; t++)
		for (size_t i = 0; in->tables[t] != NULL && i < in->sizes[t] / sizeof(ElfW(Rela)); i++) {
			const ElfW(Rela) *r = &in->tables[t][i];
			if (SLOT(ELF64_R_TYPE(r->r_info)) && strcmp(in->names + in->symbols[ELF64_R_SYM(r->r_info)].st_name, name) == 0 && k < n)
				found[k++] = (void **)(in->base + r->r_offset);
		}
	return k;
}

typedef struct {
	uintptr_t base, from, to;
} sealed;

static int sealed_of(struct dl_phdr_info *info, size_t size, void *data) {
	(void)size;
	sealed *s = data;
	if (info->dlpi_addr != s->base) return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
			s->from = s->base + info->dlpi_phdr[i].p_vaddr;
			s->to = s->from + info->dlpi_phdr[i].p_memsz;
		}
	return 1;
}

// write_slot changes an address, which may be in pages that were sealed after loading.
static int write_slot(const sealed *s, void **slot, void *function) {
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)slot / page * page;
	int closed = (uintptr_t)slot >= s->from && (uintptr_t)slot < s->to;
	if (closed && mprotect((void *)at, page, PROT_READ | PROT_WRITE) != 0) return 0;
	*slot = function;
	if (closed) mprotect((void *)at, page, PROT_READ);
	return 1;
}

int gradbook_blocks(void *library) {
	struct link_map *map = NULL;
	if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || map == NULL) return 0;
	imports in = imports_of(map);
	if (in.symbols == NULL || in.names == NULL) return 0;
	void **takes[4], **frees[4], **changes[4];
	int n = slots(&in, "posix_memalign", takes, 4), m = slots(&in, "free", frees, 4), k = slots(&in, "realloc", changes, 4);
	if (n == 0 || m == 0) return 0;
	sealed s = { .base = map->l_addr };
	dl_iterate_phdr(sealed_of, &s);
	// First what frees: it also takes what is not from here.
	for (int i = 0; i < k; i++)
		if (!write_slot(&s, changes[i], (void *)block_realloc)) return 0;
	for (int i = 0; i < m; i++)
		if (!write_slot(&s, frees[i], (void *)block_free)) return 0;
	for (int i = 0; i < n; i++)
		if (!write_slot(&s, takes[i], (void *)block_memalign)) return 0;
	return 1;
}
#else
#include <stddef.h>
#include "blocks.h"
int gradbook_blocks(void *library) {
	(void)library;
	return 0;
}
void gradbook_blocks_tidy(double seconds) { (void)seconds; }
void gradbook_blocks_held(size_t *used, size_t *kept) { *used = *kept = 0; }
#endif
