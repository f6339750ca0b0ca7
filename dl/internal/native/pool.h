// The largest number of each window of images, [batch, height, width, channels], and its gradient,
// which goes to the first of equal numbers; and the gradient of what lies before it where that is
// max(x + bias, 0). What is no number is the largest.

typedef struct {
	int64_t batch, height, width, channels, rows, columns;
	int64_t window[2], stride[2], before[2];
	const float *x, *y, *dy;
	float *out, *sums; // sums: over each image, of what the gradient is
} pooling;

// pooling_settings reads windows, strides, and how many places are before each axis that are none.
static pooling pooling_settings(ffi_frame *f, ffi_buffer *x, ffi_buffer *y) {
	return (pooling){ x->dims[0], x->dims[1], x->dims[2], x->dims[3], y->dims[1], y->dims[2],
		{ setting(f, 0), setting(f, 1) }, { setting(f, 2), setting(f, 3) }, { setting(f, 4), setting(f, 5) } };
}

// pooling_back is the pooling of x to y, of which dy comes back.
static pooling pooling_back(ffi_frame *f) {
	pooling p = pooling_settings(f, argument(f, 0), argument(f, 1));
	p.x = floats(argument(f, 0));
	p.y = floats(argument(f, 1));
	p.dy = floats(argument(f, 2));
	p.out = floats(result(f, 0));
	return p;
}

typedef struct { int64_t first, end; } range;

// seen is which places of an axis the window at a place of the result covers.
static range seen(const pooling *p, int axis, int64_t at) {
	int64_t length = axis == 0 ? p->height : p->width, first = at * p->stride[axis] - p->before[axis], end = first + p->window[axis];
	return (range){ first < 0 ? 0 : first, end > length ? length : end };
}

// larger says of each number whether it takes the place of the largest so far.
INLINE ivec larger(vec v, vec most) { return ~(most >= v) & (most == most); }

INLINE vec chosen(ivec which, vec a, vec b) { return (vec)((which & (ivec)a) | (~which & (ivec)b)); }

INLINE vec most_of(const pooling *p, const float *x, range rows, range columns, int64_t some) {
	vec most = all(-__builtin_inff());
	for (int64_t k = rows.first; k < rows.end; k++)
		for (int64_t l = columns.first; l < columns.end; l++) {
			const float *at = x + (k * p->width + l) * p->channels;
			vec v = some != 0 ? load_some(at, some) : load(at);
			most = chosen(larger(v, most), v, most);
		}
	return most;
}

static void pool_part(void *argument, int part) {
	const pooling *p = argument;
	int64_t row = part % p->rows;
	const float *image = p->x + part / p->rows * p->height * p->width * p->channels;
	float *out = p->out + (int64_t)part * p->columns * p->channels;
	range rows = seen(p, 0, row);
	for (int64_t i = 0; i < p->columns; i++, out += p->channels) {
		range columns = seen(p, 1, i);
		int64_t c = 0;
		for (; c + LANES <= p->channels; c += LANES) store(out + c, most_of(p, image + c, rows, columns, 0));
		if (c < p->channels) store_some(out + c, most_of(p, image + c, rows, columns, p->channels - c), p->channels - c);
	}
}

// x; settings: window, strides, places before. Result: y.
void *NAMED(gradbook_pool_max)(ffi_frame *f) {
	pool threads;
	if (!gradbook_begins(f, &threads)) return NULL;
	pooling p = pooling_settings(f, argument(f, 0), result(f, 0));
	p.x = floats(argument(f, 0));
	p.out = floats(result(f, 0));
	gradbook_parallel(&threads, (int)(p.batch * p.rows), pool_part, &p);
	return NULL;
}

// back sends a window's gradient to the first place that has its largest number. With relu, that
// number is one of max(x, 0), and what goes through is returned.
INLINE vec back(const pooling *p, const float *x, float *dx, vec y, vec dy, range rows, range columns, const int added, const int relu, int64_t some) {
	if (relu) dy = (vec)(~(y <= 0.f) & (ivec)dy);
	ivec left = ~(ivec){ 0 };
	for (int64_t k = rows.first; k < rows.end; k++)
		for (int64_t l = columns.first; l < columns.end; l++) {
			int64_t at = (k * p->width + l) * p->channels;
			vec v = some != 0 ? load_some(x + at, some) : load(x + at);
			ivec here = left & ((v == y) | (v != v));
			left &= ~here;
			vec d = (vec)(here & (ivec)dy);
			if (added) d += some != 0 ? load_some(dx + at, some) : load(dx + at);
			if (some != 0) store_some(dx + at, d, some);
			else store(dx + at, d);
		}
	return dy;
}

INLINE void back_vector(const pooling *p, int image, const int added, const int relu, int64_t c, int64_t some) {
	const float *x = p->x + image * p->height * p->width * p->channels + c;
	float *dx = p->out + image * p->height * p->width * p->channels + c;
	vec sum = all(0.f);
	for (int64_t r = 0; r < p->rows; r++) {
		range rows = seen(p, 0, r);
		for (int64_t i = 0; i < p->columns; i++) {
			int64_t at = ((image * p->rows + r) * p->columns + i) * p->channels + c;
			vec y = some != 0 ? load_some(p->y + at, some) : load(p->y + at), dy = some != 0 ? load_some(p->dy + at, some) : load(p->dy + at);
			sum += back(p, x, dx, y, dy, rows, seen(p, 1, i), added, relu, some);
		}
	}
	if (!relu) return;
	if (some != 0) store_some(p->sums + image * p->channels + c, sum, some);
	else store(p->sums + image * p->channels + c, sum);
}

static void back_part(void *argument, int image) {
	const pooling *p = argument;
	int apart = p->stride[0] >= p->window[0] && p->stride[1] >= p->window[1];
	int tiled = p->stride[0] == p->window[0] && p->stride[1] == p->window[1] && p->before[0] >= 0 && p->before[1] >= 0 && p->rows * p->stride[0] - p->before[0] >= p->height && p->columns * p->stride[1] - p->before[1] >= p->width;
	if (!tiled) memset(p->out + image * p->height * p->width * p->channels, 0, (size_t)(p->height * p->width * p->channels) * sizeof(float));
	for (int64_t c = 0; c < p->channels; c += LANES) {
		int64_t some = p->channels - c < LANES ? p->channels - c : 0;
		if (p->sums != NULL) {
			if (apart) back_vector(p, image, 0, 1, c, some);
			else back_vector(p, image, 1, 1, c, some);
		} else {
			if (apart) back_vector(p, image, 0, 0, c, some);
			else back_vector(p, image, 1, 0, c, some);
		}
	}
}

static void pick_part(void *argument, int part) {
	const pooling *p = argument;
	int64_t row = part % p->rows, first = part / p->rows * p->height * p->width * p->channels;
	range rows = seen(p, 0, row);
	for (int64_t i = 0; i < p->columns; i++) {
		range columns = seen(p, 1, i);
		for (int64_t c = 0; c < p->channels; c += LANES) {
			int64_t n = p->channels - c < LANES ? p->channels - c : LANES, at = (part * p->columns + i) * p->channels + c;
			vec y = load_some(p->y + at, n), picked = all(0.f);
			ivec left = ~(ivec){ 0 };
			for (int64_t k = rows.first; k < rows.end; k++)
				for (int64_t l = columns.first; l < columns.end; l++) {
					int64_t place = first + (k * p->width + l) * p->channels + c;
					vec v = load_some(p->x + place, n);
					ivec here = left & ((v == y) | (v != v));
					left &= ~here;
					picked = chosen(here, load_some(p->dy + place, n), picked);
				}
			store_some(p->out + at, picked, n);
		}
	}
}

// x, y, and d as large as x; settings as pool_max. Result: for each window what d has where pool_back
// sends its gradient.
void *NAMED(gradbook_pool_pick)(ffi_frame *f) {
	pool threads;
	if (!gradbook_begins(f, &threads)) return NULL;
	pooling p = pooling_back(f);
	gradbook_parallel(&threads, (int)(p.batch * p.rows), pick_part, &p);
	return NULL;
}

// added_up is the sum of n rows of so many numbers, in their order.
static void added_up(const float *rows, int64_t n, int64_t numbers, float *to) {
	memset(to, 0, (size_t)numbers * sizeof *to);
	for (int64_t i = 0; i < n; i++)
		for (int64_t k = 0; k < numbers; k++) to[k] += rows[i * numbers + k];
}

// x, y, dy; settings as pool_max. Results: dx, and if x is max(z + bias, 0), in place of dx the
// gradient by z, and that by the bias.
void *NAMED(gradbook_pool_back)(ffi_frame *f) {
	pool threads;
	if (!gradbook_begins(f, &threads)) return NULL;
	pooling p = pooling_back(f);
	int relu = f->results.n > 1;
	if (relu && (p.sums = scratch((size_t)(p.batch * p.channels))) == NULL) return gradbook_wrong(f, "no memory for the gradient of a pooling layer");
	gradbook_parallel(&threads, (int)p.batch, back_part, &p);
	if (relu) added_up(p.sums, p.batch, p.channels, floats(result(f, 1)));
	free(p.sums);
	return NULL;
}

typedef struct {
	const float *y, *dy;
	float *dz, *sums;
	int64_t rows, numbers, parts;
} rectified;

static void relu_part(void *argument, int part) {
	const rectified *r = argument;
	int64_t first = r->rows * part / r->parts, end = r->rows * (part + 1) / r->parts, n = r->numbers;
	float *sums = r->sums + part * n;
	memset(sums, 0, (size_t)n * sizeof *sums);
	for (int64_t row = first; row < end; row++) {
		const float *y = r->y + row * n, *dy = r->dy + row * n;
		float *dz = r->dz + row * n;
		int64_t c = 0;
		for (; c + LANES <= n; c += LANES) {
			vec d = (vec)(~(load(y + c) <= 0.f) & (ivec)load(dy + c));
			store(dz + c, d);
			store(sums + c, load(sums + c) + d);
		}
		for (; c < n; c++) {
			dz[c] = y[c] <= 0.f ? 0.f : dy[c];
			sums[c] += dz[c];
		}
	}
}

// y, which is max(z + bias, 0), and dy. Results: the gradients by z and by the bias.
void *NAMED(gradbook_relu_back)(ffi_frame *f) {
	pool threads;
	if (!gradbook_begins(f, &threads)) return NULL;
	ffi_buffer *y = argument(f, 0);
	rectified r = { .y = floats(y), .dy = floats(argument(f, 1)), .dz = floats(result(f, 0)), .rows = 1, .numbers = y->dims[y->rank - 1] };
	for (int i = 0; i + 1 < y->rank; i++) r.rows *= y->dims[i];
	r.parts = r.rows < 16 ? r.rows : 16; // the same with any number of threads
	if (r.parts == 0) r.parts = 1;
	r.sums = scratch((size_t)(r.parts * r.numbers));
	if (r.sums == NULL) return gradbook_wrong(f, "no memory for the gradient of a bias");
	gradbook_parallel(&threads, (int)r.parts, relu_part, &r);
	added_up(r.sums, r.parts, r.numbers, floats(result(f, 1)));
	free(r.sums);
	return NULL;
}
