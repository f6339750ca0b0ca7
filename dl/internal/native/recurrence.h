// What LSTM and GRU have in common: their numbers in memory, and products with them.
//
// What a step makes of LANES units, four vectors of them, stands side by side, a panel of ROW floats
// for each example, so that one product makes all of it:
//
//	gates, dz  [units/LANES, steps, batch, ROW]
//	hs, cs     [steps + 1, batch, units], the states before the first step, and after each
//
// An example's steps do not need other examples, so threads take a part of the batch each.

#define ROW (4 * LANES)
// As many examples at a time as there are registers for: ROWS × 4 sums, 4 of a panel, and one.
#if LANES == 8
#define ROWS 2
#else
#define ROWS 6
#endif

typedef struct {
	int batch, steps, features, units, parts;
	int keep, all; // the gates and states of all steps, for a gradient; the outputs of all
	const float *x, *b, *bh, *mask; // bh: a GRU's second
	float *hs, *cs, *gates;
	const float *dall, *dh, *dc;
	float *dz, *dh0, *dc0, *dw, *du, *db, *dbh, *dx;
	float *packed, *turned;
} recurrence;

// The rational function that XLA's CPU compiler takes for tanh, which is Eigen's.
INLINE vec tanh_(vec x) {
	const vec most = all(7.90531110763549805f);
	x = (vec)(((ivec)most & (x > most)) | ((ivec)x & ~(x > most)));
	x = (vec)(((ivec)-most & (x < -most)) | ((ivec)x & ~(x < -most)));
	vec s = x * x;
	vec p = s * -2.76076847742355e-16f + 2.00018790482477e-13f;
	p = p * s + -8.60467152213735e-11f;
	p = p * s + 5.12229709037114e-08f;
	p = p * s + 1.48572235717979e-05f;
	p = p * s + 6.37261928875436e-04f;
	p = p * s + 4.89352455891786e-03f;
	vec q = s * 1.19825839466702e-06f + 1.18534705686654e-04f;
	q = q * s + 2.26843463243900e-03f;
	q = q * s + 4.89352518554385e-03f;
	return x * p / q;
}

INLINE vec sigmoid_(vec x) { return tanh_(x * 0.5f) * 0.5f + 0.5f; }

// EACH_ROWS does DO(n) for n rows at a time, ROWS at most, of which `at` is the first.
#define EACH_ROWS(from, to, DO)                                                    \
	for (int n_ = (to) - (from), k_ = (n_ + ROWS - 1) / ROWS, i_ = 0, at = (from); i_ < k_; i_++) { \
		int r_ = (int)((int64_t)n_ * (i_ + 1) / k_ - (int64_t)n_ * i_ / k_);   \
		switch (r_) {                                                           \
		case 1: DO(1); break;                                                   \
		case 2: DO(2); break;                                                   \
		MORE_ROWS(DO)                                                           \
		}                                                                       \
		at += r_;                                                               \
	}
#if ROWS == 6
#define MORE_ROWS(DO) case 3: DO(3); break; case 4: DO(4); break; case 5: DO(5); break; case 6: DO(6); break;
#else
#define MORE_ROWS(DO)
#endif

// add adds the products of n rows of a, `stride` apart, with a panel of k rows.
INLINE void add(const int n, vec sum[ROWS][4], const float *a, size_t stride, int k, const float *panel) {
	for (int i = 0; i < k; i++, panel += ROW) {
		vec p0 = load(panel), p1 = load(panel + LANES), p2 = load(panel + 2 * LANES), p3 = load(panel + 3 * LANES);
#pragma GCC unroll 6
		for (int r = 0; r < n; r++) {
			vec v = all(a[r * stride + i]);
			sum[r][0] += v * p0;
			sum[r][1] += v * p1;
			sum[r][2] += v * p2;
			sum[r][3] += v * p3;
		}
	}
}

// hidden and cells are the states before step t. What need not be kept takes turns in two places,
// or is changed where it is.
INLINE float *hidden(const recurrence *l, int t) { return l->hs + (size_t)(l->keep || l->all ? t : t & 1) * l->batch * l->units; }
INLINE float *cells(const recurrence *l, int t) { return l->cs + (size_t)(l->keep ? t : 0) * l->batch * l->units; }

// none starts n rows of sums.
INLINE void none(const int n, vec sum[ROWS][4]) {
#pragma GCC unroll 6
	for (int r = 0; r < n; r++)
#pragma GCC unroll 4
		for (int g = 0; g < 4; g++) sum[r][g] = all(0.f);
}

static void measure(recurrence *l, ffi_buffer *x, ffi_buffer *u, pool *p) {
	l->batch = (int)x->dims[0];
	l->steps = (int)x->dims[1];
	l->features = (int)x->dims[2];
	l->units = (int)u->dims[0];
	l->parts = p->threads < l->batch ? p->threads : l->batch;
}

// pack puts the rows of W and U one below the other, and of each the columns of LANES units, so many
// for each, side by side: [units/LANES, features + units, columns · LANES]. It is null for want of
// memory.
static float *pack(const float *w, const float *u, int features, int units, int columns) {
	float *packed = scratch((size_t)(features + units) * columns * units), *to = packed;
	if (packed == NULL) return NULL;
	for (int j = 0; j < units / LANES; j++)
		for (int k = 0; k < features + units; k++) {
			const float *from = (k < features ? w + (size_t)k * columns * units : u + (size_t)(k - features) * columns * units) + j * LANES;
			for (int g = 0; g < columns; g++, to += LANES) store(to, load(from + g * units));
		}
	return packed;
}

// turn packs a matrix whose columns are gates, so many for each unit, for products with dz: panels
// of ROW rows of it side by side, [rows/ROW, columns · units in dz's order, ROW]. What rows are
// missing of the last panel are 0. It is null for want of memory.
static float *turn(const float *m, int rows, int units, int columns) {
	float *turned = scratch((size_t)(rows + ROW - 1) / ROW * ROW * columns * units), *to = turned;
	if (turned == NULL) return NULL;
	for (int at = 0; at < rows; at += ROW)
		for (int j = 0; j < units / LANES; j++)
			for (int g = 0; g < columns; g++)
				for (int i = 0; i < LANES; i++, to += ROW)
					for (int c = 0; c < ROW; c++) to[c] = at + c < rows ? m[(size_t)(at + c) * columns * units + g * units + j * LANES + i] : 0;
	return turned;
}

// put stores n rows of sums, the first columns of each.
INLINE void put(const int n, vec sum[ROWS][4], float *to, size_t stride, int columns) {
	float part[ROW];
#pragma GCC unroll 6
	for (int r = 0; r < n; r++) {
		for (int g = 0; g < 4; g++) store(part + g * LANES, sum[r][g]);
		memcpy(to + r * stride, part, columns * sizeof(float));
	}
}

// weight_rows adds n rows of aᵀ·dz, of `count` examples, to a weight's gradient, whose rows are so far
// apart, and what belongs to the vectors of a panel.
INLINE void weight_rows(const int n, const float *a, size_t stride, const float *dz, int count, float *to, size_t row, size_t apart, int first) {
	vec sum[ROWS][4];
#pragma GCC unroll 6
	for (int r = 0; r < n; r++)
#pragma GCC unroll 4
		for (int g = 0; g < 4; g++) sum[r][g] = first ? all(0.f) : load(to + r * row + g * apart);
	for (int k = 0; k < count; k++, a += stride, dz += ROW) {
		vec z0 = load(dz), z1 = load(dz + LANES), z2 = load(dz + 2 * LANES), z3 = load(dz + 3 * LANES);
#pragma GCC unroll 6
		for (int r = 0; r < n; r++) {
			vec v = all(a[r]);
			sum[r][0] += v * z0;
			sum[r][1] += v * z1;
			sum[r][2] += v * z2;
			sum[r][3] += v * z3;
		}
	}
#pragma GCC unroll 6
	for (int r = 0; r < n; r++)
#pragma GCC unroll 4
		for (int g = 0; g < 4; g++) store(to + r * row + g * apart, sum[r][g]);
}

// by_steps packs x as [steps, batch, features], and says whether there was memory.
static int by_steps(recurrence *l, const float *x) {
	const size_t features = l->features;
	l->packed = scratch((size_t)l->steps * l->batch * features);
	if (l->packed == NULL) return 0;
	for (int t = 0; t < l->steps; t++)
		for (int b = 0; b < l->batch; b++)
			memcpy(l->packed + ((size_t)t * l->batch + b) * features, x + ((size_t)b * l->steps + t) * features, features * sizeof(float));
	return 1;
}

// by_outputs adds, to the gradients dh of a part of the batch, those by the outputs of a step.
static void by_outputs(const recurrence *l, float *dh, int t, int from, int to) {
	if (l->dall == NULL) return;
	const float *more = l->dall + ((size_t)t * l->batch + from) * l->units;
	for (int k = 0; k < (to - from) * l->units; k += LANES) store(dh + k, load(dh + k) + load(more + k));
}

// summed is the sum of rows of a panel of dz.
static void summed(const float *dz, int rows, vec sum[4]) {
	for (int g = 0; g < 4; g++) sum[g] = all(0.f);
	for (int k = 0; k < rows; k++, dz += ROW)
		for (int g = 0; g < 4; g++) sum[g] += load(dz + g * LANES);
}

// by_inference runs a recurrence forward and keeps nothing for a gradient. Results: so many last
// states, of which the second are the cells, and, by a setting, hs.
static void *by_inference(ffi_frame *f, int states, const char *(*run)(recurrence *, ffi_frame *, pool *), const char *no_memory) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	recurrence l = { .all = (int)setting(f, 0) };
	measure(&l, argument(f, 0), argument(f, 2), &p);
	size_t state = (size_t)l.batch * l.units;
	float *two = l.all ? NULL : scratch(2 * state);
	if (!l.all && two == NULL) return gradbook_wrong(f, no_memory);
	l.hs = l.all ? floats(result(f, states)) : two;
	if (states > 1) l.cs = floats(result(f, 1));
	const char *wrong = run(&l, f, &p);
	memcpy(floats(result(f, 0)), hidden(&l, l.steps), state * sizeof(float));
	free(two);
	return wrong == NULL ? NULL : gradbook_wrong(f, wrong);
}

// by_weights calls part for the gradients by the weights, of panels of so many units, so many times
// each: x, u for its shape, hs, dz. Results: dw, du, db, and perhaps that by a second bias.
static void *by_weights(ffi_frame *f, int width, int parts, void (*part)(void *, int), const char *no_memory) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	recurrence l = { 0 };
	measure(&l, argument(f, 0), argument(f, 1), &p);
	l.parts = parts;
	l.hs = floats(argument(f, 2));
	l.dz = floats(argument(f, 3));
	l.dw = floats(result(f, 0));
	l.du = floats(result(f, 1));
	l.db = floats(result(f, 2));
	if (f->results.n > 3) l.dbh = floats(result(f, 3));
	if (!by_steps(&l, floats(argument(f, 0)))) return gradbook_wrong(f, no_memory);
	gradbook_parallel(&p, l.units / width * parts, part, &l);
	free(l.packed);
	return NULL;
}

// by_input calls part for the gradient by the input, of weights with so many columns for each unit:
// x and u for their shapes, w, dz. Result: dx.
static void *by_input(ffi_frame *f, int columns, void (*part)(void *, int)) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	recurrence l = { 0 };
	measure(&l, argument(f, 0), argument(f, 1), &p);
	l.dz = floats(argument(f, 3));
	l.dx = floats(result(f, 0));
	l.turned = turn(floats(argument(f, 2)), l.features, l.units, columns);
	if (l.turned == NULL) return gradbook_wrong(f, "no memory for the weights of a recurrence");
	gradbook_parallel(&p, l.parts, part, &l);
	free(l.turned);
	return NULL;
}
