// Convolution of images, [batch, height, width, channels], with a window [height, width, channels,
// filters]: forward, and the gradients by the window and by the images. Strides, dilations and
// zeros around the images are as they come; channels of the result must fill vectors.
//
// All are sums of products along runs of numbers that lie one behind the other in an image: a row
// of the window, or, with a dilation, a place of it.

// So many places and vectors of the result stay in registers: TILE × 2 sums, 2 vectors, and one.
#if LANES == 8
#define TILE 6
#else
#define TILE 13
#endif

typedef struct {
	int64_t batch, height, width, channels;    // of the images
	int64_t rows, columns, filters;            // of the result
	int64_t window[2], stride[2], dilation[2], before[2];
} conv;

// conv_settings reads strides, dilations, and zeros before each axis. A window of one place makes
// one row of an image, if it goes over all places.
static conv conv_settings(ffi_frame *f, ffi_buffer *x, ffi_buffer *w, ffi_buffer *y) {
	conv c = { x->dims[0], x->dims[1], x->dims[2], x->dims[3], y->dims[1], y->dims[2], y->dims[3], { w->dims[0], w->dims[1] },
		{ setting(f, 0), setting(f, 1) }, { setting(f, 2), setting(f, 3) }, { setting(f, 4), setting(f, 5) } };
	if (c.window[0] == 1 && c.window[1] == 1 && c.stride[0] == 1 && c.stride[1] == 1 && c.rows == c.height && c.columns == c.width && c.before[0] == 0 && c.before[1] == 0) {
		c.width *= c.height;
		c.columns = c.width;
		c.height = c.rows = 1;
	}
	return c;
}

// tile is a sum over runs, for n places and m vectors: places are `apart` in the image, and
// out_apart in the result.
INLINE void tile(const int n, const int m, const float *in, int64_t apart, int runs, const int64_t *offsets, int64_t length, const float *w, int64_t filters, float *out, int64_t out_apart) {
	vec sum[TILE][2];
#pragma GCC unroll 13
	for (int r = 0; r < n; r++)
#pragma GCC unroll 2
		for (int v = 0; v < m; v++) sum[r][v] = all(0.f);
	for (int s = 0; s < runs; s++) {
		const float *x = in + offsets[s];
		for (int64_t k = 0; k < length; k++, w += filters) {
			vec b[2];
#pragma GCC unroll 2
			for (int v = 0; v < m; v++) b[v] = load(w + v * LANES);
#pragma GCC unroll 13
			for (int r = 0; r < n; r++) {
				vec a = all(x[r * apart + k]);
#pragma GCC unroll 2
				for (int v = 0; v < m; v++) sum[r][v] += a * b[v];
			}
		}
	}
#pragma GCC unroll 13
	for (int r = 0; r < n; r++)
#pragma GCC unroll 2
		for (int v = 0; v < m; v++) store(out + r * out_apart + v * LANES, sum[r][v]);
}

// sweep is what tiles go over: rows × columns places of a result, of which each next row is
// in_row further in the image.
typedef struct {
	const float *in, *w;
	float *out;
	int64_t rows, columns, filters, length;
	int64_t in_row, in_column, out_row, out_column;
	int runs;
	const int64_t *offsets;
} sweep;

static void swept(const sweep *s, const int m, int64_t filter) {
	int64_t parts = (s->columns + TILE - 1) / TILE;
	for (int64_t y = 0; y < s->rows; y++)
		for (int64_t i = 0; i < parts; i++) {
			int64_t at = s->columns * i / parts, n = s->columns * (i + 1) / parts - at;
			const float *in = s->in + y * s->in_row + at * s->in_column;
			float *out = s->out + y * s->out_row + at * s->out_column + filter;
#define PLACES(n, m) tile(n, m, in, s->in_column, s->runs, s->offsets, s->length, s->w + filter, s->filters, out, s->out_column)
#define TILES(n) case n: if (m == 2) PLACES(n, 2); else PLACES(n, 1); break;
			switch (n) {
			TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6)
#if TILE > 6
			TILES(7) TILES(8) TILES(9) TILES(10) TILES(11) TILES(12) TILES(13)
#endif
			}
#undef TILES
#undef PLACES
		}
}

static void sweep_all(const sweep *s) {
	int64_t filter = 0;
	for (; filter + 2 * LANES <= s->filters; filter += 2 * LANES) swept(s, 2, filter);
	if (filter < s->filters) swept(s, 1, filter);
}

// framed copies rows of an image with zeros around it: `rows` rows of `columns` places, of which
// the first is `top`, `left` in the image, which may be outside.
static void framed(const float *image, int64_t height, int64_t width, int64_t channels, int64_t top, int64_t left, int64_t rows, int64_t columns, float *to) {
	int64_t from = left < 0 ? -left : 0, end = width - left < columns ? width - left : columns;
	if (from > columns) from = columns; // all of it is outside
	if (end < from) end = from;
	for (int64_t y = 0; y < rows; y++, to += columns * channels) {
		int64_t row = top + y;
		if (row < 0 || row >= height) {
			memset(to, 0, (size_t)(columns * channels) * sizeof(float));
			continue;
		}
		memset(to, 0, (size_t)(from * channels) * sizeof(float));
		memcpy(to + from * channels, image + (row * width + left + from) * channels, (size_t)((end - from) * channels) * sizeof(float));
		memset(to + end * channels, 0, (size_t)((columns - end) * channels) * sizeof(float));
	}
}

// runs_of are where the runs of a window begin, in rows of so many places; their length.
static int64_t runs_of(const conv *c, int64_t width, int64_t *offsets, int *runs) {
	int whole = c->dilation[1] == 1;
	*runs = 0;
	for (int64_t y = 0; y < c->window[0]; y++)
		for (int64_t x = 0; x < (whole ? 1 : c->window[1]); x++)
			offsets[(*runs)++] = (y * c->dilation[0] * width + x * c->dilation[1]) * c->channels;
	return whole ? c->window[1] * c->channels : c->channels;
}

// reach is how many places of an axis so many places of the result see.
static int64_t reach(const conv *c, int axis, int64_t places) { return (places - 1) * c->stride[axis] + (c->window[axis] - 1) * c->dilation[axis] + 1; }

// bordered says whether the result sees zeros around the images.
static int bordered(const conv *c) {
	return c->before[0] != 0 || c->before[1] != 0 || reach(c, 0, c->rows) > c->height || reach(c, 1, c->columns) > c->width;
}

typedef struct {
	conv c;
	const float *x, *w, *dy;
	float *y, *dw, *dx;
	int64_t chunk[2], chunks[2]; // rows and columns of the result at a time, and how often in an image
	int failed;            // for want of memory
} conv_job;

// conv_forward_part is a chunk of an image.
static void conv_forward_part(void *argument, int part) {
	conv_job *job = argument;
	const conv *c = &job->c;
	int64_t image = part / (job->chunks[0] * job->chunks[1]);
	int64_t from[2] = { part / job->chunks[1] % job->chunks[0] * job->chunk[0], part % job->chunks[1] * job->chunk[1] };
	int64_t rows = c->rows - from[0] < job->chunk[0] ? c->rows - from[0] : job->chunk[0], columns = c->columns - from[1] < job->chunk[1] ? c->columns - from[1] : job->chunk[1];
	int border = bordered(c);
	int64_t height = reach(c, 0, rows), width = border ? reach(c, 1, columns) : c->width;
	const float *x = job->x + image * c->height * c->width * c->channels, *in = x + (from[0] * c->stride[0] * c->width + from[1] * c->stride[1]) * c->channels;
	int64_t *offsets = malloc((size_t)(c->window[0] * c->window[1]) * sizeof *offsets);
	float *frame = border ? scratch((size_t)(height * width * c->channels)) : NULL;
	if (offsets == NULL || (border && frame == NULL)) {
		job->failed = 1;
	} else {
		if (border) {
			framed(x, c->height, c->width, c->channels, from[0] * c->stride[0] - c->before[0], from[1] * c->stride[1] - c->before[1], height, width, frame);
			in = frame;
		}
		sweep s = { .in = in, .w = job->w, .out = job->y + ((image * c->rows + from[0]) * c->columns + from[1]) * c->filters, .rows = rows, .columns = columns, .filters = c->filters,
			.in_row = c->stride[0] * width * c->channels, .in_column = c->stride[1] * c->channels, .out_row = c->columns * c->filters, .out_column = c->filters, .offsets = offsets };
		s.length = runs_of(c, width, offsets, &s.runs);
		sweep_all(&s);
	}
	free(frame);
	free(offsets);
}

// chunked divides images, if there are not enough of them for all threads: by rows, and where
// these are few by columns.
static int chunked(conv_job *job, const pool *p) {
	int64_t want = p->threads == 1 ? 1 : (4 * p->threads + job->c.batch - 1) / job->c.batch;
	int64_t length[2] = { job->c.rows, job->c.columns / TILE + 1 };
	int64_t pieces[2] = { want < length[0] ? want : length[0], 1 };
	pieces[1] = want / pieces[0] < length[1] ? want / pieces[0] : length[1];
	length[1] = job->c.columns;
	for (int i = 0; i < 2; i++) {
		job->chunk[i] = (length[i] + pieces[i] - 1) / pieces[i];
		job->chunks[i] = (length[i] + job->chunk[i] - 1) / job->chunk[i];
	}
	return (int)(job->c.batch * job->chunks[0] * job->chunks[1]);
}

// x, w; settings: strides, dilations, zeros before. Result: y.
void *NAMED(gradbook_conv_forward)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	conv_job job = { .c = conv_settings(f, argument(f, 0), argument(f, 1), result(f, 0)), .x = floats(argument(f, 0)), .w = floats(argument(f, 1)), .y = floats(result(f, 0)) };
	gradbook_parallel(&p, chunked(&job, &p), conv_forward_part, &job);
	return job.failed ? gradbook_wrong(f, "no memory for a convolution") : NULL;
}

// The gradient by the images is a convolution of that by the result: for each place of an image
// modulo the strides, with those places of the window that reach it.

// reached are, for the places q + stride·m of an axis, the places of the window that reach them,
// and how far from m the place of the result is that they belong to.
static int reached(const conv *c, int axis, int64_t q, int64_t *places, int64_t *distance) {
	int n = 0;
	for (int64_t k = 0; k < c->window[axis]; k++) {
		int64_t at = q + c->before[axis] - k * c->dilation[axis], s = c->stride[axis];
		if (((at % s) + s) % s != 0) continue;
		places[n] = k;
		distance[n++] = at >= 0 ? at / s : -((-at) / s);
	}
	return n;
}

typedef struct {
	int64_t y, x; // the first place
	int64_t rows, columns;
	int window_rows, runs; // runs in each of the rows of the window that reach it
	int64_t length;        // of a run
	int64_t *distance;     // from a row of the phase to that of the result, for each row of the window
	int64_t *offsets;      // of runs, in the frame
	float *w;              // [window_rows, runs, length, channels]
} phase;

typedef struct {
	conv c;
	const float *dy;
	float *dx;
	int64_t low[2], size[2]; // of the frame around dy
	int phases, failed;
	phase *phase;
} conv_input_job;

static void conv_input_part(void *argument, int image) {
	conv_input_job *job = argument;
	const conv *c = &job->c;
	float *frame = scratch((size_t)(job->size[0] * job->size[1] * c->filters));
	if (frame == NULL) {
		job->failed = 1;
		return;
	}
	framed(job->dy + (int64_t)image * c->rows * c->columns * c->filters, c->rows, c->columns, c->filters, -job->low[0], -job->low[1], job->size[0], job->size[1], frame);
	float *dx = job->dx + (int64_t)image * c->height * c->width * c->channels;
	for (int i = 0; i < job->phases; i++) {
		const phase *p = &job->phase[i];
		for (int64_t y = 0; y < p->rows; y++) {
			// Rows of the window that see only zeros are left out: those at its ends.
			int first = 0, end = p->window_rows;
			while (first < end && y + p->distance[first] >= c->rows) first++;
			while (end > first && y + p->distance[end - 1] < 0) end--;
			sweep s = { .in = frame + y * job->size[1] * c->filters, .w = p->w + first * p->runs * p->length * c->channels, .out = dx + ((p->y + y * c->stride[0]) * c->width + p->x) * c->channels,
				.rows = 1, .columns = p->columns, .filters = c->channels, .length = p->length, .in_column = c->filters, .out_column = c->stride[1] * c->channels,
				.runs = (end - first) * p->runs, .offsets = p->offsets + first * p->runs };
			sweep_all(&s);
		}
	}
	free(frame);
}

// dy, w, and x for its shape; settings as forward. Result: dx.
void *NAMED(gradbook_conv_input)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	conv_input_job job = { .c = conv_settings(f, result(f, 0), argument(f, 1), argument(f, 0)), .dy = floats(argument(f, 0)), .dx = floats(result(f, 0)) };
	const conv *c = &job.c;
	const float *w = floats(argument(f, 1));
	const int64_t all_runs = c->window[0] * c->window[1], taps = c->window[0] + c->window[1];
	job.phase = calloc((size_t)(c->stride[0] * c->stride[1]), sizeof *job.phase);
	int64_t *offsets = malloc((size_t)all_runs * sizeof *offsets), *known = malloc((size_t)(2 * taps) * sizeof *known);
	int64_t *distances = malloc((size_t)(c->window[0] * c->stride[1]) * sizeof *distances); // of all phases
	float *turned = scratch((size_t)(all_runs * c->filters * c->channels));
	if (job.phase == NULL || offsets == NULL || known == NULL || distances == NULL || turned == NULL) {
		job.failed = 1;
	} else {
		int64_t *places[2] = { known, known + c->window[0] }, *distance[2] = { known + taps, known + taps + c->window[0] };
		int64_t high[2] = { 0, 0 };
		for (int axis = 0; axis < 2; axis++) {
			int64_t length = axis == 0 ? c->height : c->width, result = axis == 0 ? c->rows : c->columns;
			high[axis] = result;
			for (int64_t q = 0; q < c->stride[axis] && q < length; q++) {
				int64_t m = (length - q + c->stride[axis] - 1) / c->stride[axis];
				int n = reached(c, axis, q, places[axis], distance[axis]);
				for (int i = 0; i < n; i++) {
					if (-distance[axis][i] > job.low[axis]) job.low[axis] = -distance[axis][i];
					if (distance[axis][i] + m > high[axis]) high[axis] = distance[axis][i] + m;
				}
			}
			job.size[axis] = high[axis] + job.low[axis];
		}
		int64_t *at = offsets, *far = distances;
		float *panel = turned;
		for (int64_t y = 0; y < c->stride[0] && y < c->height; y++)
			for (int64_t x = 0; x < c->stride[1] && x < c->width; x++) {
				phase *q = &job.phase[job.phases++];
				*q = (phase){ .y = y, .x = x, .rows = (c->height - y + c->stride[0] - 1) / c->stride[0], .columns = (c->width - x + c->stride[1] - 1) / c->stride[1], .distance = far, .offsets = at, .w = panel };
				q->window_rows = reached(c, 0, y, places[0], distance[0]);
				int columns = reached(c, 1, x, places[1], distance[1]);
				// From its end on a row of the window is one run, if nothing is between its places.
				int whole = columns < 2 || distance[1][columns - 2] - distance[1][columns - 1] == 1;
				q->runs = columns == 0 ? 0 : whole ? 1 : columns;
				q->length = whole ? columns * c->filters : c->filters;
				for (int i = 0; i < q->window_rows; i++) {
					*far++ = distance[0][i];
					for (int k = columns - 1; k >= 0; k--) {
						if (!whole || k == columns - 1) *at++ = ((distance[0][i] + job.low[0]) * job.size[1] + distance[1][k] + job.low[1]) * c->filters;
						const float *from = w + (places[0][i] * c->window[1] + places[1][k]) * c->channels * c->filters;
						for (int64_t o = 0; o < c->filters; o++)
							for (int64_t ch = 0; ch < c->channels; ch++) *panel++ = from[ch * c->filters + o];
					}
				}
			}
		gradbook_parallel(&p, (int)c->batch, conv_input_part, &job);
	}
	free(job.phase);
	free(offsets);
	free(known);
	free(distances);
	free(turned);
	return job.failed ? gradbook_wrong(f, "no memory for the gradient of a convolution") : NULL;
}

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
