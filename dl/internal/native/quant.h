// Convolutions and dense layers whose weights are whole numbers of 8 bits. Their inputs become whole
// numbers from 0 to 255 on the way in: x is about (q − zero) · scale. The sums are exact, so that all sets of
// instructions come to the same result.
//
// Source: Jacob et al., Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference, 2018, https://arxiv.org/abs/1712.05877

#include "dot.h"

// So many places and vectors of the result stay in registers.
#if LANES == 16 && defined(DOT)
#define PLACES_AT_ONCE 6
#define VECTORS 4
#elif LANES == 4
#define PLACES_AT_ONCE 4
#define VECTORS 4
#elif defined(DOT)
#define PLACES_AT_ONCE 6
#define VECTORS 2
#else
#define PLACES_AT_ONCE 4
#define VECTORS 2
#endif

#define PANEL 16 // filters lie behind one another in as many

typedef uint8_t quarter __attribute__((vector_size(LANES)));

typedef struct {
	conv c;
	const float *x, *scale, *bias, *also; // scale: of the result; also, which is added behind it, may be null
	const int8_t *w;               // [runs · quads, panels, 4]
	const int32_t *sum;            // of each filter's weights, behind them
	float *y;
	float per; // 1 / scale of the input
	int32_t zero;
	int64_t runs, length, quads, panels; // of the weights; length: bytes of a run
	chunks by;
	int failed, strange; // for want of memory, or for what is no number
} quant_job;

// quantize makes whole numbers of n floats. It says whether one of them is no number.
static int quantize(const quant_job *job, const float *x, int64_t n, uint8_t *to) {
	const vec magic = all(12582912.f); // whose last bits count ones
	vec per = all(job->per), zero = all((float)job->zero), top = all(255.f);
	ivec strange = { 0 };
	for (int64_t i = 0; i < n; i += LANES) {
		int64_t some = n - i < LANES ? n - i : LANES;
		vec v = some == LANES ? load(x + i) : load_some(x + i, some);
		strange |= v != v;
		v = v * per + zero;
		v = (vec)((v > 0.f) & (ivec)v);
		ivec below = v < top;
		v = (vec)((below & (ivec)v) | (~below & (ivec)top));
		quarter q = __builtin_convertvector((ivec)(v + magic) & 255, quarter);
		memcpy(to + i, &q, (size_t)some);
	}
	int found = 0;
	for (int i = 0; i < LANES; i++) found |= strange[i];
	return found;
}

// quantize_frame makes whole numbers of rows of an image, as framed copies them; what is outside is 0,
// which zero stands for.
static int quantize_frame(const quant_job *job, int64_t image, int64_t top, int64_t left, int64_t rows, int64_t columns, uint8_t *to) {
	const conv *c = &job->c;
	const float *x = job->x + image * c->height * c->width * c->channels;
	int64_t from = left < 0 ? -left : 0, end = c->width - left < columns ? c->width - left : columns;
	if (from > columns) from = columns;
	if (end < from) end = from;
	int strange = 0;
	for (int64_t y = top; y < top + rows; y++, to += columns * c->channels) {
		if (y < 0 || y >= c->height) {
			memset(to, job->zero, (size_t)(columns * c->channels));
			continue;
		}
		memset(to, job->zero, (size_t)(from * c->channels));
		strange |= quantize(job, x + (y * c->width + left + from) * c->channels, (end - from) * c->channels, to + from * c->channels);
		memset(to + end * c->channels, job->zero, (size_t)((columns - end) * c->channels));
	}
	return strange;
}

// quads_tile is the result at n places, with m vectors of filters from f on.
INLINE void quads_tile(const int n, const int m, const quant_job *job, const uint8_t *in, const int64_t *offsets, int64_t f, float *out) {
	ivec sum[PLACES_AT_ONCE][VECTORS] = { { { 0 } } };
	const int8_t *w = job->w + 4 * f;
	int64_t apart = job->c.stride[1] * job->c.channels, quads = job->quads, next = 4 * job->panels;
	for (int64_t r = 0; r < job->runs; r++) {
		const uint8_t *x = in + offsets[r];
		for (int64_t k = 0; k < quads; k++, w += next) {
			ivec b[VECTORS];
#pragma GCC unroll 4
			for (int v = 0; v < m; v++) memcpy(&b[v], w + 4 * LANES * v, sizeof b[v]);
#pragma GCC unroll 6
			for (int p = 0; p < n; p++) {
				int32_t four;
				memcpy(&four, x + p * apart + 4 * k, sizeof four);
				ivec a = four - (ivec){ 0 };
#pragma GCC unroll 4
				for (int v = 0; v < m; v++) sum[p][v] = dots(sum[p][v], a, b[v]);
			}
		}
	}
#pragma GCC unroll 4
	for (int v = 0; v < m; v++) {
		int64_t at = f + v * LANES, some = job->c.filters - at;
		if (some <= 0) break;
		if (some > LANES) some = LANES;
		vec scale = some_of(job->scale + at, some), bias = some_of(job->bias + at, some);
		ivec less;
		memcpy(&less, job->sum + at, sizeof less);
		less *= job->zero - LESS;
#pragma GCC unroll 6
		for (int p = 0; p < n; p++) {
			float *to = out + p * job->c.filters + at;
			vec y = __builtin_convertvector(sum[p][v] - less, vec) * scale + bias;
			if (job->also != NULL) y += some_of(job->also + (to - job->y), some);
			y = then(y, job->c.after);
			some_to(to, y, some);
		}
	}
}

#define QUADS(n)                                                                        \
	case n:                                                                         \
		if (m == VECTORS) quads_tile(n, VECTORS, job, in, offsets, f, out);     \
		else if (m == 2) quads_tile(n, 2, job, in, offsets, f, out);            \
		else quads_tile(n, 1, job, in, offsets, f, out);                        \
		break;

// quads_row is a row of places, with the filters from f up to end.
static void quads_row(const quant_job *job, int64_t columns, const uint8_t *from, const int64_t *offsets, int64_t f, int64_t end, float *to) {
	int64_t apart = job->c.stride[1] * job->c.channels, parts = (columns + PLACES_AT_ONCE - 1) / PLACES_AT_ONCE;
	for (int m = VECTORS; f < end; f += m * LANES) {
		while (m > 1 && f + m * LANES > end) m /= 2;
		for (int64_t i = 0; i < parts; i++) {
			int64_t at = columns * i / parts, n = columns * (i + 1) / parts - at;
			const uint8_t *in = from + at * apart;
			float *out = to + at * job->c.filters;
			switch (n) {
				QUADS(1) QUADS(2) QUADS(3) QUADS(4)
#if PLACES_AT_ONCE > 4
				QUADS(5) QUADS(6)
#endif
			}
		}
	}
}

static void quads_runs(const quant_job *job, int64_t width, int64_t *offsets) {
	const conv *c = &job->c;
	int64_t across = job->runs / c->window[0];
	for (int64_t r = 0; r < job->runs; r++) offsets[r] = (r / across * c->dilation[0] * width + r % across * c->dilation[1]) * c->channels;
}

// quant_part is a chunk of an image.
static void quant_part(void *argument, int part) {
	quant_job *job = argument;
	const conv *c = &job->c;
	chunk here = chunk_at(c, &job->by, part);
	int64_t height = reach(c, 0, here.size[0]), width = reach(c, 1, here.size[1]);
	int64_t *offsets = malloc((size_t)job->runs * sizeof *offsets);
	uint8_t *bytes = malloc((size_t)(height * width * c->channels) + 4); // a run's last four bytes may be fewer
	if (offsets == NULL || bytes == NULL) {
		job->failed = 1;
	} else {
		if (quantize_frame(job, here.image, here.from[0] * c->stride[0] - c->before[0], here.from[1] * c->stride[1] - c->before[1], height, width, bytes)) job->strange = 1;
		memset(bytes + height * width * c->channels, 0, 4);
		quads_runs(job, width, offsets);
		int64_t end = here.from[2] + here.size[2];
		if (end == c->filters) end = job->panels;
		for (int64_t y = 0; y < here.size[0]; y++)
			quads_row(job, here.size[1], bytes + y * c->stride[0] * width * c->channels, offsets, here.from[2], end, job->y + (((here.image * c->rows + here.from[0] + y) * c->columns) + here.from[1]) * c->filters);
	}
	free(bytes);
	free(offsets);
}

// x, w, scale, bias, and perhaps something to add; settings: window, strides, dilations, zeros before, what comes after,
// zero, the bits of 1 / scale of the input, and how many runs there are. Result: y.
void *NAMED(gradbook_quant)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	ffi_buffer *x = argument(f, 0), *w = argument(f, 1), *y = result(f, 0);
	quant_job job = {
		.c = { x->dims[0], x->dims[1], x->dims[2], x->dims[3], y->dims[1], y->dims[2], y->dims[3], { setting(f, 0), setting(f, 1) },
			{ setting(f, 2), setting(f, 3) }, { setting(f, 4), setting(f, 5) }, { setting(f, 6), setting(f, 7) }, .groups = 1, .after = (int)setting(f, 8) },
		.x = floats(x), .w = w->data, .scale = floats(argument(f, 2)), .y = floats(y), .zero = (int32_t)setting(f, 9),
		.runs = setting(f, 11), .panels = w->dims[1],
	};
	if (job.runs < 1 || (w->dims[0] - 1) % job.runs != 0) return gradbook_wrong(f, "expected weights of whole runs");
	job.quads = (w->dims[0] - 1) / job.runs;
	job.sum = (const int32_t *)(const void *)(job.w + (w->dims[0] - 1) * 4 * job.panels);
	job.bias = floats(argument(f, 3));
	if (f->args.n > 4) job.also = floats(argument(f, 4));
	int32_t bits = (int32_t)setting(f, 10);
	memcpy(&job.per, &bits, sizeof bits);
	conv *c = &job.c;
	if (flat(c)) { // of all images
		c->columns = c->width *= c->batch;
		c->batch = 1;
	}
	job.by = divide(c, &p, PLACES_AT_ONCE, VECTORS * LANES, 1);
	gradbook_parallel(&p, job.by.n, quant_part, &job);
	if (job.failed) return gradbook_wrong(f, "no memory for a layer of whole numbers");
	return job.strange ? gradbook_wrong(f, "expected numbers for a quantized layer, got NaN, for which there is no whole number") : NULL;
}
