// The gradient by the window: for each of its numbers a sum over all places.

#if LANES == 8
#define WROWS 3
#else
#define WROWS 6
#endif
#define WVECTORS 4

// window_tile adds, to n rows and m vectors of the gradient, the places of `rows` rows of an image.
INLINE void window_tile(const int n, const int m, vec sum[WROWS][WVECTORS], const float *x, const int64_t *offsets, const float *dy, int64_t rows, int64_t columns, int64_t row, int64_t column, int64_t filters) {
	for (int64_t y = 0; y < rows; y++) {
		const float *in = x + y * row;
		for (int64_t i = 0; i < columns; i++, in += column, dy += filters) {
			vec d[WVECTORS];
#pragma GCC unroll 4
			for (int v = 0; v < m; v++) d[v] = load(dy + v * LANES);
#pragma GCC unroll 6
			for (int r = 0; r < n; r++) {
				vec a = all(in[offsets[r]]);
#pragma GCC unroll 4
				for (int v = 0; v < m; v++) sum[r][v] += a * d[v];
			}
		}
	}
}

typedef struct {
	conv c;
	const float *x, *dy;
	float *dw, *frames;     // frames: of the images at hand, if they have zeros around
	int64_t *offsets, width, places; // of all numbers of a window of one filter, in rows of width; places: a frame's size
	int64_t first, images, numbers, parts;
} conv_window_job;

static void frame_part(void *argument, int i) {
	conv_window_job *job = argument;
	const conv *c = &job->c;
	framed(job->x + (job->first + i) * c->height * c->width * c->channels, c->height, c->width, c->channels, -c->before[0], -c->before[1], reach(c, 0, c->rows), job->width, job->frames + i * job->places);
}

INLINE void window_rows(const int n, const int m, const conv_window_job *job, int64_t number, int64_t filter) {
	const conv *c = &job->c;
	vec sum[WROWS][WVECTORS];
	float *dw = job->dw + number * c->filters + filter;
#pragma GCC unroll 6
	for (int r = 0; r < n; r++)
#pragma GCC unroll 4
		for (int v = 0; v < m; v++) sum[r][v] = job->first == 0 ? all(0.f) : load(dw + r * c->filters + v * LANES);
	for (int64_t i = 0; i < job->images; i++) {
		const float *x = job->frames != NULL ? job->frames + i * job->places : job->x + (job->first + i) * job->places;
		window_tile(n, m, sum, x, job->offsets + number, job->dy + (job->first + i) * c->rows * c->columns * c->filters + filter, c->rows, c->columns, c->stride[0] * job->width * c->channels, c->stride[1] * c->channels, c->filters);
	}
#pragma GCC unroll 6
	for (int r = 0; r < n; r++)
#pragma GCC unroll 4
		for (int v = 0; v < m; v++) store(dw + r * c->filters + v * LANES, sum[r][v]);
}

static void window_part(void *argument, int part) {
	conv_window_job *job = argument;
	int64_t blocks = (job->numbers + WROWS - 1) / WROWS;
	for (int64_t b = blocks * part / job->parts; b < blocks * (part + 1) / job->parts; b++) {
		int64_t at = job->numbers * b / blocks, n = job->numbers * (b + 1) / blocks - at;
		for (int64_t filter = 0; filter < job->c.filters; filter += WVECTORS * LANES) {
			int64_t vectors = (job->c.filters - filter) / LANES;
#define VECTORS(n, m) case m: window_rows(n, m, job, at, filter); break;
#define NUMBERS(n) case n: switch (vectors) { VECTORS(n, 1) VECTORS(n, 2) VECTORS(n, 3) default: window_rows(n, 4, job, at, filter); } break;
			switch (n) {
			NUMBERS(1) NUMBERS(2) NUMBERS(3)
#if WROWS > 3
			NUMBERS(4) NUMBERS(5) NUMBERS(6)
#endif
			}
#undef NUMBERS
#undef VECTORS
		}
	}
}

// x, dy; settings as forward. Result: dw.
void *NAMED(gradbook_conv_window)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	conv_window_job job = { .c = conv_settings(f, argument(f, 0), result(f, 0), argument(f, 1)), .x = floats(argument(f, 0)), .dy = floats(argument(f, 1)), .dw = floats(result(f, 0)) };
	const conv *c = &job.c;
	int border = bordered(c);
	job.width = border ? reach(c, 1, c->columns) : c->width;
	job.places = border ? reach(c, 0, c->rows) * job.width * c->channels : c->height * c->width * c->channels;
	job.numbers = c->window[0] * c->window[1] * c->channels;
	job.parts = 4 * p.threads;
	// So many images at a time as stay in the second cache with their gradients.
	const int64_t cache = 1 << 17;
	int64_t most = cache / (job.places + c->rows * c->columns * c->filters) + 1;
	if (most > c->batch || !border) most = c->batch;
	job.offsets = malloc((size_t)job.numbers * sizeof *job.offsets);
	job.frames = border ? scratch((size_t)(most * job.places)) : NULL;
	int failed = job.offsets == NULL || (border && job.frames == NULL);
	if (!failed) {
		int64_t *at = job.offsets;
		for (int64_t y = 0; y < c->window[0]; y++)
			for (int64_t x = 0; x < c->window[1]; x++)
				for (int64_t ch = 0; ch < c->channels; ch++) *at++ = (y * c->dilation[0] * job.width + x * c->dilation[1]) * c->channels + ch;
		for (job.first = 0; job.first < c->batch; job.first += most) {
			job.images = c->batch - job.first < most ? c->batch - job.first : most;
			if (border) gradbook_parallel(&p, (int)job.images, frame_part, &job);
			gradbook_parallel(&p, (int)job.parts, window_part, &job);
		}
	}
	free(job.offsets);
	free(job.frames);
	return failed ? gradbook_wrong(f, "no memory for the gradient of a convolution") : NULL;
}
