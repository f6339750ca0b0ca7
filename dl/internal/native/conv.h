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
	const float *x, *w;
	float *y;
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
