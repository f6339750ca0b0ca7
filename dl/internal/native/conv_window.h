// The gradient by the window: for each of its numbers a sum over all places.

#if LANES == 8
#define WROWS 3
#else
#define WROWS 6
#endif
#define WVECTORS 4

// window_tile adds, to n rows and m vectors of the gradient, the places of `rows` rows of an image;
// dy's places are `apart`.
INLINE void window_tile(const int n, const int m, vec sum[WROWS][WVECTORS], const float *x, const int64_t *offsets, const float *dy, int64_t rows, int64_t columns, int64_t row, int64_t column, int64_t apart) {
	for (int64_t y = 0; y < rows; y++) {
		const float *in = x + y * row;
		for (int64_t i = 0; i < columns; i++, in += column, dy += apart) {
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
	float *dw, *frames;              // frames: of the images at hand, if they have zeros around
	float *wide;                     // dy of the images at hand, if a group's filters do not fill vectors
	int64_t apart, group;            // from a place of dy to the next, and from a group
	int64_t *offsets, width, places; // of all numbers of a group's window of one filter, in rows of width; places: a frame's size
	int64_t first, images, numbers, parts;
} conv_window_job;

static void frame_part(void *argument, int i) {
	conv_window_job *job = argument;
	const conv *c = &job->c;
	int64_t image = job->first + i, results = c->rows * c->columns;
	if (job->frames != NULL)
		framed(job->x + image * c->height * c->width * c->channels, c->height, c->width, c->channels, -c->before[0], -c->before[1], reach(c, 0, c->rows), job->width, job->frames + i * job->places);
	if (job->wide == NULL) return;
	const float *from = job->dy + image * results * c->filters;
	float *to = job->wide + i * results * job->apart;
	for (int64_t k = 0; k < results * c->groups; k++, from += c->out, to += job->group) {
		memcpy(to, from, (size_t)c->out * sizeof *to);
		memset(to + c->out, 0, (size_t)(job->group - c->out) * sizeof *to);
	}
}

// window_at is where an image at hand begins.
static const float *window_at(const conv_window_job *job, int64_t i) {
	return job->frames != NULL ? job->frames + i * job->places : job->x + (job->first + i) * job->places;
}

static const float *window_dy(const conv_window_job *job, int64_t i) {
	int64_t results = job->c.rows * job->c.columns;
	return job->wide != NULL ? job->wide + i * results * job->apart : job->dy + (job->first + i) * results * job->apart;
}

INLINE void window_rows(const int n, const int m, const conv_window_job *job, int64_t group, int64_t number, int64_t filter, int64_t some) {
	const conv *c = &job->c;
	vec sum[WROWS][WVECTORS];
	float *dw = job->dw + number * c->filters + group * c->out + filter;
#pragma GCC unroll 6
	for (int r = 0; r < n; r++)
#pragma GCC unroll 4
		for (int v = 0; v < m; v++) {
			const float *before = dw + r * c->filters + v * LANES;
			sum[r][v] = job->first == 0 ? all(0.f) : some != 0 && v == m - 1 ? load_some(before, some) : load(before);
		}
	for (int64_t i = 0; i < job->images; i++)
		window_tile(n, m, sum, window_at(job, i) + group * c->in, job->offsets + number, window_dy(job, i) + group * job->group + filter, c->rows, c->columns, c->stride[0] * job->width * c->channels, c->stride[1] * c->channels, job->apart);
#pragma GCC unroll 6
	for (int r = 0; r < n; r++)
#pragma GCC unroll 4
		for (int v = 0; v < m; v++) {
			float *to = dw + r * c->filters + v * LANES;
			if (some != 0 && v == m - 1) store_some(to, sum[r][v], some);
			else store(to, sum[r][v]);
		}
}

static void window_block(const conv_window_job *job, int64_t group, int64_t at, int n) {
	for (int64_t filter = 0; filter < job->c.out; filter += WVECTORS * LANES) {
		int64_t left = job->c.out - filter, vectors = (left + LANES - 1) / LANES, some = vectors <= WVECTORS ? left % LANES : 0;
#define VECTORS(n, m) case m: window_rows(n, m, job, group, at, filter, some); break;
#define NUMBERS(n) case n: switch (vectors) { VECTORS(n, 1) VECTORS(n, 2) VECTORS(n, 3) default: window_rows(n, 4, job, group, at, filter, some); } break;
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

static void window_part(void *argument, int part) {
	conv_window_job *job = argument;
	int64_t blocks = (job->numbers + WROWS - 1) / WROWS, all_blocks = blocks * job->c.groups;
	for (int64_t b = all_blocks * part / job->parts; b < all_blocks * (part + 1) / job->parts; b++) {
		int64_t i = b % blocks, at = job->numbers * i / blocks;
		window_block(job, b / blocks, at, (int)(job->numbers * (i + 1) / blocks - at));
	}
}

// depth_rows is n places of the window, where each channel has a filter, for a vector of channels.
INLINE void depth_rows(const int n, const conv_window_job *job, int64_t number, int64_t channel, int64_t some) {
	const conv *c = &job->c;
	vec sum[WROWS];
	float *dw = job->dw + number * c->channels + channel;
#pragma GCC unroll 6
	for (int r = 0; r < n; r++) sum[r] = job->first == 0 ? all(0.f) : some != 0 ? load_some(dw + r * c->channels, some) : load(dw + r * c->channels);
	for (int64_t i = 0; i < job->images; i++) {
		const float *x = window_at(job, i) + channel, *dy = window_dy(job, i) + channel;
		for (int64_t y = 0; y < c->rows; y++) {
			const float *in = x + y * c->stride[0] * job->width * c->channels;
			for (int64_t k = 0; k < c->columns; k++, in += c->stride[1] * c->channels, dy += c->channels) {
				vec d = some != 0 ? load_some(dy, some) : load(dy);
#pragma GCC unroll 6
				for (int r = 0; r < n; r++) {
					const float *a = in + job->offsets[number + r];
					sum[r] += (some != 0 ? load_some(a, some) : load(a)) * d;
				}
			}
		}
	}
#pragma GCC unroll 6
	for (int r = 0; r < n; r++) {
		if (some != 0) store_some(dw + r * c->channels, sum[r], some);
		else store(dw + r * c->channels, sum[r]);
	}
}

static void depth_part(void *argument, int part) {
	conv_window_job *job = argument;
	int64_t blocks = (job->numbers + WROWS - 1) / WROWS, vectors = (job->c.channels + LANES - 1) / LANES;
	for (int64_t b = blocks * vectors * part / job->parts; b < blocks * vectors * (part + 1) / job->parts; b++) {
		int64_t i = b % blocks, at = job->numbers * i / blocks, channel = b / blocks * LANES, left = job->c.channels - channel, some = left < LANES ? left : 0;
#define NUMBERS(n) case n: depth_rows(n, job, at, channel, some); break;
		switch (job->numbers * (i + 1) / blocks - at) {
		NUMBERS(1) NUMBERS(2) NUMBERS(3)
#if WROWS > 3
		NUMBERS(4) NUMBERS(5) NUMBERS(6)
#endif
		}
#undef NUMBERS
	}
}

// x, dy; settings as forward. Result: dw.
void *NAMED(gradbook_conv_window)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	conv_window_job job = { .c = conv_settings(f, argument(f, 0), result(f, 0), argument(f, 1)), .x = floats(argument(f, 0)), .dy = floats(argument(f, 1)), .dw = floats(result(f, 0)) };
	const conv *c = &job.c;
	int border = bordered(c), wide = !c->depth && c->out % LANES != 0;
	job.width = border ? reach(c, 1, c->columns) : c->width;
	job.places = border ? reach(c, 0, c->rows) * job.width * c->channels : c->height * c->width * c->channels;
	job.group = wide ? filled(c->out) : c->out;
	job.apart = job.group * c->groups;
	job.numbers = c->window[0] * c->window[1] * c->in;
	job.parts = 4 * p.threads;
	// So many images at a time as stay in the second cache with their gradients.
	const int64_t cache = 1 << 17;
	int64_t most = cache / (job.places + c->rows * c->columns * job.apart) + 1;
	if (most > c->batch || (!border && !wide)) most = c->batch;
	job.offsets = malloc((size_t)job.numbers * sizeof *job.offsets);
	job.frames = border ? scratch((size_t)(most * job.places)) : NULL;
	job.wide = wide ? scratch((size_t)(most * c->rows * c->columns * job.apart)) : NULL;
	int failed = job.offsets == NULL || (border && job.frames == NULL) || (wide && job.wide == NULL);
	if (!failed) {
		int64_t *at = job.offsets;
		for (int64_t y = 0; y < c->window[0]; y++)
			for (int64_t x = 0; x < c->window[1]; x++)
				for (int64_t ch = 0; ch < c->in; ch++) *at++ = (y * c->dilation[0] * job.width + x * c->dilation[1]) * c->channels + ch;
		for (job.first = 0; job.first < c->batch; job.first += most) {
			job.images = c->batch - job.first < most ? c->batch - job.first : most;
			if (border || wide) gradbook_parallel(&p, (int)job.images, frame_part, &job);
			gradbook_parallel(&p, (int)job.parts, c->depth ? depth_part : window_part, &job);
		}
	}
	free(job.offsets);
	free(job.frames);
	free(job.wide);
	return failed ? gradbook_wrong(f, "no memory for the gradient of a convolution") : NULL;
}
