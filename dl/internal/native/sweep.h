// Sums of products along runs of numbers that lie one behind the other in an image, for all places of
// a result: what convolutions and their gradients by the images are made of.

// So many places and vectors of the result stay in registers: TILE × 2 sums, 2 vectors, and one.
#if LANES == 8
#define TILE 6
#else
#define TILE 13
#endif

// sweep is what tiles go over: rows × columns places of a result, of which each next row is
// in_row further in the image, in some images, which are in_image and out_image apart. Channels and filters are in groups, each with weights of its own:
// [runs, length, filters] of a group, w_apart from one number's filters to the next. With depth,
// each channel is a group of one filter.
typedef struct {
	const float *in, *w;
	const float *bias, *scale; // of filters, to add before, and to multiply by behind; may be null
	const float *also;         // to add behind that to what lies at y in the result; may be null
	const float *y;
	float *out;
	int64_t rows, columns, groups, filters, channels, length; // filters and channels of a group
	int64_t in_row, in_column, out_row, out_column, w_apart, w_group, images, in_image, out_image;
	int runs, depth, after, ahead; // ahead: how many numbers before their time weights are asked for; 0 is never
	const int64_t *offsets;
} sweep;

// ends writes n places of m vectors, of the last of which `some` numbers are wanted if not all. With a scale,
// the bias is added here.
INLINE void ends(const int n, const int m, vec sum[TILE][2], const sweep *s, int64_t f, float *out, int64_t some) {
	const float *also = s->also == NULL ? NULL : s->also + (out - s->y);
	int64_t apart = s->out_column;
#pragma GCC unroll 2
	for (int v = 0; v < m; v++) {
		int64_t left = some != 0 && v == m - 1 ? some : LANES;
		vec scale = all(1.f), bias = all(0.f);
		if (s->scale != NULL) {
			scale = some_of(s->scale + f + v * LANES, left);
			if (s->bias != NULL) bias = some_of(s->bias + f + v * LANES, left);
		}
#pragma GCC unroll 13
		for (int r = 0; r < n; r++) {
			vec y = sum[r][v];
			if (s->scale != NULL) y = y * scale + bias;
			if (also != NULL) y += some_of(also + r * apart + v * LANES, left);
			y = then(y, s->after);
			some_to(out + r * apart + v * LANES, y, left);
		}
	}
}

INLINE void begins(const int n, const int m, vec sum[TILE][2], const sweep *s, int64_t f, int64_t some) {
	const float *bias = s->bias == NULL || s->scale != NULL ? NULL : s->bias + f;
#pragma GCC unroll 2
	for (int v = 0; v < m; v++) {
		vec b = bias == NULL ? all(0.f) : some != 0 && v == m - 1 ? load_some(bias + v * LANES, some) : load(bias + v * LANES);
#pragma GCC unroll 13
		for (int r = 0; r < n; r++) sum[r][v] = b;
	}
}

// tile is a sum over runs, for n places and m vectors of filters.
INLINE void tile(const int n, const int m, const sweep *s, const float *in, const float *w, int64_t f, float *out, int64_t some) {
	vec sum[TILE][2];
	int64_t apart = s->in_column, length = s->length, w_apart = s->w_apart, far = s->ahead * w_apart;
	begins(n, m, sum, s, f, some);
	for (int i = 0; i < s->runs; i++) {
		const float *x = in + s->offsets[i];
		for (int64_t k = 0; k < length; k++, w += w_apart) {
			vec b[2];
#pragma GCC unroll 2
			for (int v = 0; v < m; v++) b[v] = load(w + v * LANES);
			if (far)
				for (int v = 0; v < m * LANES; v += 16) __builtin_prefetch(w + far + v, 0, 2);
#pragma GCC unroll 13
			for (int r = 0; r < n; r++) {
				vec a = all(x[r * apart + k]);
#pragma GCC unroll 2
				for (int v = 0; v < m; v++) sum[r][v] += a * b[v];
			}
		}
	}
	ends(n, m, sum, s, f, out, some);
}

// depth_tile is tile where each channel has a filter: runs are of one place each.
INLINE void depth_tile(const int n, const int m, const sweep *s, const float *in, const float *w, int64_t f, float *out, int64_t some) {
	vec sum[TILE][2];
	begins(n, m, sum, s, f, some);
	for (int i = 0; i < s->runs; i++, w += s->w_apart) {
		const float *x = in + s->offsets[i];
#pragma GCC unroll 2
		for (int v = 0; v < m; v++) {
			int last = some != 0 && v == m - 1;
			vec b = last ? load_some(w + v * LANES, some) : load(w + v * LANES);
#pragma GCC unroll 13
			for (int r = 0; r < n; r++) {
				const float *a = x + r * s->in_column + v * LANES;
				sum[r][v] += (last ? load_some(a, some) : load(a)) * b;
			}
		}
	}
	ends(n, m, sum, s, f, out, some);
}

// swept goes over all places with m vectors of filters.
#define SWEPT(name, tile)                                                                                                                  \
	static void name(const sweep *s, const int m, const float *from, const float *w, int64_t f, float *to, int64_t some) {             \
		int64_t parts = (s->columns + TILE - 1) / TILE;                                                                            \
		for (int64_t y = 0; y < s->images * s->rows; y++)                                                                          \
			for (int64_t i = 0; i < parts; i++) {                                                                              \
				int64_t at = s->columns * i / parts, n = s->columns * (i + 1) / parts - at, image = y / s->rows;           \
				const float *in = from + image * s->in_image + y % s->rows * s->in_row + at * s->in_column;                \
				float *out = to + image * s->out_image + y % s->rows * s->out_row + at * s->out_column;                    \
				switch (n) { PLACES(tile) }                                                                                \
			}                                                                                                                  \
	}
#define PLACE(tile, n) case n: if (m == 2) tile(n, 2, s, in, w, f, out, some); else tile(n, 1, s, in, w, f, out, some); break;
#define FEW(tile) PLACE(tile, 1) PLACE(tile, 2) PLACE(tile, 3) PLACE(tile, 4) PLACE(tile, 5) PLACE(tile, 6)
#if TILE > 6
#define PLACES(tile) FEW(tile) PLACE(tile, 7) PLACE(tile, 8) PLACE(tile, 9) PLACE(tile, 10) PLACE(tile, 11) PLACE(tile, 12) PLACE(tile, 13)
#else
#define PLACES(tile) FEW(tile)
#endif
SWEPT(swept, tile)
SWEPT(swept_depth, depth_tile)

static void sweep_all(const sweep *s) {
	int64_t groups = s->depth ? 1 : s->groups, filters = s->depth ? s->groups : s->filters;
	for (int64_t g = 0; g < groups; g++)
		for (int64_t f = 0; f < filters; f += 2 * LANES) {
			int64_t left = filters - f, m = left > LANES ? 2 : 1, some = left < m * LANES ? left - (m - 1) * LANES : 0;
			const float *w = s->w + g * s->w_group + f;
			int64_t of = g * filters + f;
			if (s->depth) swept_depth(s, (int)m, s->in + f, w, of, s->out + of, some);
			else swept(s, (int)m, s->in + g * s->channels, w, of, s->out + of, some);
		}
}

// Rows of few places leave most of a tile empty, and read all weights for it. So where there are many
// weights, what each place of several rows sees is copied behind that of another, and all of them
// are one row.
#define PACKED 52 // places at a time
#define HEAVY (1 << 12) // weights

static int packs(const sweep *s) {
	return !s->depth && s->groups == 1 && s->columns <= TILE / 2 && s->images * s->rows > 1 && s->out_row == s->columns * s->out_column && (s->images == 1 || s->out_image == s->rows * s->out_row) && s->runs * s->length * s->filters > HEAVY;
}

static int64_t packed_rows(const sweep *s) {
	int64_t all = s->images * s->rows, most = PACKED / s->columns, times = (all + most - 1) / most;
	return (all + times - 1) / times;
}

// sweep_packed needs memory for the numbers that packed_rows rows of places see. It returns 0 where
// there is none.
static int sweep_packed(const sweep *s) {
	int64_t numbers = s->runs * s->length, all = s->images * s->rows, rows = packed_rows(s), none = 0;
	float *memory = scratch((size_t)(rows * s->columns * numbers));
	if (memory == NULL) return 0;
	for (int64_t from = 0; from < all; from += rows) {
		int64_t n = all - from < rows ? all - from : rows;
		float *to = memory;
		for (int64_t y = from; y < from + n; y++)
			for (int64_t x = 0; x < s->columns; x++)
				for (int r = 0; r < s->runs; r++, to += s->length) memcpy(to, s->in + y / s->rows * s->in_image + y % s->rows * s->in_row + x * s->in_column + s->offsets[r], (size_t)s->length * sizeof *to);
		sweep one = *s;
		one.in = memory;
		one.out = s->out + from * s->out_row;
		one.rows = one.images = 1;
		one.columns = n * s->columns;
		one.in_column = one.length = numbers;
		one.runs = 1;
		one.offsets = &none;
		sweep_all(&one);
	}
	free(memory);
	return 1;
}
