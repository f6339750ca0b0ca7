// Batch normalization in training, of [rows, channels]: y = (x − mean) / √(variance + ε) · gamma + beta
// with the mean and variance of each channel over all rows, and perhaps max(y, 0), or min(max(y, 0), 6).
//
// Source: Ioffe, Szegedy, Batch Normalization, 2015, https://arxiv.org/abs/1502.03167; means and
// variances of parts are put together as by Chan, Golub, LeVeque, Updating Formulae, 1979.

#define NORM_PARTS 16 // the same with any number of threads
#define NORM_CHUNK 4096 // numbers of which the mean is taken before they are looked at again

typedef struct {
	int64_t rows, channels, parts;
	int after;
	float epsilon;
	const float *x, *y, *dy, *gamma, *beta;
	float *mean, *variance, *factor; // factor: gamma / √(variance + ε)
	float *out, *sums;               // sums: of each part, twice a number for each channel
} norm;

static norm norm_settings(ffi_frame *f, ffi_buffer *x) {
	norm n = { .rows = 1, .channels = x->dims[x->rank - 1], .after = (int)setting(f, 0), .x = floats(x) };
	for (int i = 0; i + 1 < x->rank; i++) n.rows *= x->dims[i];
	n.parts = n.rows < NORM_PARTS ? n.rows : NORM_PARTS;
	return n;
}

// chunk_of adds rows to the mean and to the sum of squares around it, of `before` rows, for n ≤ LANES
// channels.
INLINE void chunk_of(const float *x, int64_t rows, int64_t channels, float *mean, float *squares, int64_t before, int64_t n) {
	vec sum[4] = { { 0 } };
	int64_t r = 0;
	for (; r + 4 <= rows; r += 4)
#pragma GCC unroll 4
		for (int k = 0; k < 4; k++) sum[k] += some_of(x + (r + k) * channels, n);
	for (; r < rows; r++) sum[0] += some_of(x + r * channels, n);
	vec own = ((sum[0] + sum[1]) + (sum[2] + sum[3])) / (float)rows;
	vec square[4] = { { 0 } };
	for (r = 0; r + 4 <= rows; r += 4)
#pragma GCC unroll 4
		for (int k = 0; k < 4; k++) {
			vec d = some_of(x + (r + k) * channels, n) - own;
			square[k] += d * d;
		}
	for (; r < rows; r++) {
		vec d = some_of(x + r * channels, n) - own;
		square[0] += d * d;
	}
	vec all_squares = (square[0] + square[1]) + (square[2] + square[3]);
	if (before == 0) {
		some_to(mean, own, n);
		some_to(squares, all_squares, n);
		return;
	}
	float share = (float)rows / (float)(before + rows);
	vec apart = own - some_of(mean, n);
	some_to(mean, some_of(mean, n) + apart * share, n);
	some_to(squares, some_of(squares, n) + all_squares + apart * apart * (share * (float)before), n);
}

static void norm_moments(void *argument, int part) {
	const norm *n = argument;
	int64_t first = n->rows * part / n->parts, end = n->rows * (part + 1) / n->parts, most = NORM_CHUNK / n->channels;
	float *mean = n->sums + 2 * part * n->channels, *squares = mean + n->channels;
	if (most < 16) most = 16;
	for (int64_t r = first; r < end; r += most) {
		const float *x = n->x + r * n->channels;
		int64_t rows = end - r < most ? end - r : most, c = 0;
		for (; c + LANES <= n->channels; c += LANES) chunk_of(x + c, rows, n->channels, mean + c, squares + c, r - first, LANES);
		if (c < n->channels) chunk_of(x + c, rows, n->channels, mean + c, squares + c, r - first, n->channels - c);
	}
}

// norm_put_together makes means and variances of those of the parts.
static void norm_put_together(norm *n) {
	for (int64_t c = 0; c < n->channels; c++) {
		float mean = 0, squares = 0;
		int64_t before = 0;
		for (int64_t p = 0; p < n->parts; p++) {
			int64_t rows = n->rows * (p + 1) / n->parts - n->rows * p / n->parts;
			float share = (float)rows / (float)(before + rows), apart = n->sums[2 * p * n->channels + c] - mean;
			mean += apart * share;
			squares += n->sums[(2 * p + 1) * n->channels + c] + apart * apart * (share * (float)before);
			before += rows;
		}
		n->mean[c] = mean;
		n->variance[c] = squares / (float)n->rows;
	}
}

static void norm_factors(norm *n) {
	for (int64_t c = 0; c < n->channels; c++) n->factor[c] = n->gamma[c] / __builtin_sqrtf(n->variance[c] + n->epsilon);
}

INLINE void normalized(const norm *n, int64_t first, int64_t end, int64_t c, const int after, int64_t count) {
	vec mean = some_of(n->mean + c, count), factor = some_of(n->factor + c, count), beta = some_of(n->beta + c, count);
	for (int64_t r = first; r < end; r++) {
		int64_t at = r * n->channels + c;
		some_to(n->out + at, then((some_of(n->x + at, count) - mean) * factor + beta, after), count);
	}
}

// NORM_AFTER does work(after, count) for what comes after, of so many channels.
#define NORM_AFTER(work, count)                              \
	switch (n->after) {                                  \
	case RELU: work(RELU, count); break;         \
	case RELU6: work(RELU6, count); break;       \
	default: work(NOTHING, count);               \
	}

// Rows are taken a few at a time, so that what is read of them stays in the first cache.
#define NORM_ROWS(work)                                                                                                                    \
	int64_t first = n->rows * part / n->parts, end = n->rows * (part + 1) / n->parts, most = 2 * NORM_CHUNK / n->channels + 1;         \
	for (int64_t from = first; from < end; from += most) {                                                                             \
		int64_t to = end - from < most ? end : from + most, c = 0;                                                                 \
		for (; c + LANES <= n->channels; c += LANES) NORM_AFTER(work, LANES)                                                       \
		if (c < n->channels) NORM_AFTER(work, n->channels - c)                                                                     \
	}

static void norm_part(void *argument, int part) {
	const norm *n = argument;
#define WORK(after, count) normalized(n, from, to, c, after, count)
	NORM_ROWS(WORK)
#undef WORK
}

// x. Results: mean, variance.
void *NAMED(gradbook_norm_moments)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	norm n = norm_settings(f, argument(f, 0));
	n.mean = floats(result(f, 0));
	n.variance = floats(result(f, 1));
	n.sums = scratch((size_t)(2 * n.parts * n.channels));
	if (n.sums == NULL) return gradbook_wrong(f, "no memory for a batch normalization");
	gradbook_parallel(&p, (int)n.parts, norm_moments, &n);
	norm_put_together(&n);
	free(n.sums);
	return NULL;
}

// x, mean, variance, gamma, beta, ε; setting: what comes after. Result: y.
void *NAMED(gradbook_norm_apply)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	norm n = norm_settings(f, argument(f, 0));
	n.mean = floats(argument(f, 1));
	n.variance = floats(argument(f, 2));
	n.gamma = floats(argument(f, 3));
	n.beta = floats(argument(f, 4));
	n.epsilon = *floats(argument(f, 5));
	n.out = floats(result(f, 0));
	n.factor = scratch((size_t)n.channels);
	if (n.factor == NULL) return gradbook_wrong(f, "no memory for a batch normalization");
	norm_factors(&n);
	gradbook_parallel(&p, (int)n.parts, norm_part, &n);
	free(n.factor);
	return NULL;
}

// before_norm is the gradient by what is normalized, of that by what comes after it, which is y.
INLINE vec before_norm(vec dy, vec y, const int after) {
	if (after != NOTHING) dy = (vec)(~(y <= 0.f) & (ivec)dy);
	if (after == RELU6) dy = (vec)(~(y >= 6.f) & (ivec)dy);
	return dy;
}

// Each part's sums of dy, and of dy · (x − mean).
INLINE void back_sums(const norm *n, float *sums, int64_t first, int64_t end, int64_t c, const int after, int64_t count) {
	vec mean = some_of(n->mean + c, count), plain[2] = { some_of(sums + c, count), all(0.f) }, times[2] = { some_of(sums + n->channels + c, count), all(0.f) };
	for (int64_t r = first; r < end; r += 2)
#pragma GCC unroll 2
		for (int k = 0; k < 2; k++) {
			if (r + k >= end) break;
			int64_t at = (r + k) * n->channels + c;
			vec dy = before_norm(some_of(n->dy + at, count), after == NOTHING ? mean : some_of(n->y + at, count), after);
			plain[k] += dy;
			times[k] += dy * (some_of(n->x + at, count) - mean);
		}
	some_to(sums + c, plain[0] + plain[1], count);
	some_to(sums + n->channels + c, times[0] + times[1], count);
}

static void norm_back_sums(void *argument, int part) {
	const norm *n = argument;
	float *sums = n->sums + 2 * part * n->channels;
	memset(sums, 0, (size_t)(2 * n->channels) * sizeof *sums);
#define WORK(after, count) back_sums(n, sums, from, to, c, after, count)
	NORM_ROWS(WORK)
#undef WORK
}

// The gradient by x is factor · (dy − mean of dy − (x − mean) · pull), whose last two vectors are in
// the first part's sums.
INLINE void back_rows(const norm *n, int64_t first, int64_t end, int64_t c, const int after, int64_t count) {
	vec mean = some_of(n->mean + c, count), factor = some_of(n->factor + c, count), level = some_of(n->sums + c, count), pull = some_of(n->sums + n->channels + c, count);
	for (int64_t r = first; r < end; r++) {
		int64_t at = r * n->channels + c;
		vec dy = before_norm(some_of(n->dy + at, count), after == NOTHING ? mean : some_of(n->y + at, count), after);
		some_to(n->out + at, factor * (dy - level - (some_of(n->x + at, count) - mean) * pull), count);
	}
}

static void norm_back_part(void *argument, int part) {
	const norm *n = argument;
#define WORK(after, count) back_rows(n, from, to, c, after, count)
	NORM_ROWS(WORK)
#undef WORK
}

// x, y, dy, gamma, mean, variance, ε; setting as forward. Results: the gradients by x, gamma and beta.
void *NAMED(gradbook_norm_back)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	norm n = norm_settings(f, argument(f, 0));
	n.y = floats(argument(f, 1));
	n.dy = floats(argument(f, 2));
	n.gamma = floats(argument(f, 3));
	n.mean = floats(argument(f, 4));
	n.variance = floats(argument(f, 5));
	n.epsilon = *floats(argument(f, 6));
	n.out = floats(result(f, 0));
	float *gamma = floats(result(f, 1)), *beta = floats(result(f, 2));
	n.sums = scratch((size_t)((2 * n.parts + 1) * n.channels));
	if (n.sums == NULL) return gradbook_wrong(f, "no memory for the gradient of a batch normalization");
	n.factor = n.sums + 2 * n.parts * n.channels;
	norm_factors(&n);
	gradbook_parallel(&p, (int)n.parts, norm_back_sums, &n);
	for (int64_t c = 0; c < n.channels; c++) {
		float plain = 0, times = 0, scale = 1 / __builtin_sqrtf(n.variance[c] + n.epsilon);
		for (int64_t i = 0; i < n.parts; i++) {
			plain += n.sums[2 * i * n.channels + c];
			times += n.sums[(2 * i + 1) * n.channels + c];
		}
		beta[c] = plain;
		gamma[c] = times * scale;
		n.sums[c] = plain / (float)n.rows;
		n.sums[n.channels + c] = times * scale * scale / (float)n.rows;
	}
	gradbook_parallel(&p, (int)n.parts, norm_back_part, &n);
	free(n.sums);
	return NULL;
}
