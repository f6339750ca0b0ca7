// LSTM: all steps of a batch, forward and backward; and what it has in common with GRU.
//
// The gates i, f, g (the candidate) and o of LANES units stand side by side, a panel of ROW floats
// for each example, so that one product makes all four of them:
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
		int r_ = n_ * (i_ + 1) / k_ - n_ * i_ / k_;                            \
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

INLINE void forward_rows(const int n, const recurrence *l, int t, int at, int j) {
	const int features = l->features, units = l->units, batch = l->batch;
	const float *panel = l->packed + (size_t)j * (features + units) * ROW;
	vec sum[ROWS][4];
#pragma GCC unroll 4
	for (int g = 0; g < 4; g++) {
		vec b = load(l->b + g * units + j * LANES);
#pragma GCC unroll 6
		for (int r = 0; r < n; r++) sum[r][g] = b;
	}
	add(n, sum, l->x + ((size_t)at * l->steps + t) * features, (size_t)l->steps * features, features, panel);
	const float *h0 = hidden(l, t) + (size_t)at * units, *c0 = cells(l, t) + (size_t)at * units + j * LANES;
	add(n, sum, h0, units, units, panel + (size_t)features * ROW);
	float *h1 = hidden(l, t + 1) + (size_t)at * units + j * LANES, *c1 = cells(l, t + 1) + (size_t)at * units + j * LANES;
	float *gates = l->keep ? l->gates + (((size_t)j * l->steps + t) * batch + at) * ROW : NULL;
#pragma GCC unroll 6
	for (int r = 0; r < n; r++, c0 += units, h1 += units, c1 += units) {
		vec i = sigmoid_(sum[r][0]), f = sigmoid_(sum[r][1]), g = tanh_(sum[r][2]), o = sigmoid_(sum[r][3]);
		vec c = f * load(c0) + i * g, h = o * tanh_(c);
		if (l->mask != NULL && l->mask[(size_t)t * batch + at + r] == 0) {
			c = load(c0);
			h = load(h0 + (size_t)r * units + j * LANES);
		}
		store(c1, c);
		store(h1, h);
		if (gates != NULL) {
			store(gates, i);
			store(gates + LANES, f);
			store(gates + 2 * LANES, g);
			store(gates + 3 * LANES, o);
			gates += ROW;
		}
	}
}

static void forward_part(void *argument, int part) {
	recurrence *l = argument;
	int from = l->batch * part / l->parts, to = l->batch * (part + 1) / l->parts;
	for (int t = 0; t < l->steps; t++)
		for (int j = 0; j < l->units / LANES; j++) {
#define FORWARD(n) forward_rows(n, l, t, at, j)
			EACH_ROWS(from, to, FORWARD)
#undef FORWARD
		}
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

// forward runs an LSTM from the states at the start of hs and cs. It returns what is wrong.
static const char *forward(recurrence *l, ffi_frame *f, pool *p) {
	l->x = floats(argument(f, 0));
	l->b = floats(argument(f, 3));
	if (f->args.n > 6) l->mask = floats(argument(f, 6));
	const int units = l->units;
	l->packed = pack(floats(argument(f, 1)), floats(argument(f, 2)), l->features, units, 4);
	if (l->packed == NULL) return "no memory for the weights of an LSTM";
	size_t state = (size_t)l->batch * units * sizeof(float);
	memcpy(l->hs, floats(argument(f, 4)), state);
	memcpy(l->cs, floats(argument(f, 5)), state);
	gradbook_parallel(p, l->parts, forward_part, l);
	free(l->packed);
	return NULL;
}

// x [batch, steps, features], w [features, 4 units], u [units, 4 units], b [4 units], h0, c0
// [batch, units], and, if there are seven, mask [steps, batch]: 0 where a step does not count.
// Results: hs, cs, gates.
void *NAMED(gradbook_lstm_forward)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	recurrence l = { .keep = 1, .all = 1 };
	measure(&l, argument(f, 0), argument(f, 2), &p);
	l.hs = floats(result(f, 0));
	l.cs = floats(result(f, 1));
	l.gates = floats(result(f, 2));
	const char *wrong = forward(&l, f, &p);
	return wrong == NULL ? NULL : gradbook_wrong(f, wrong);
}

// The same for predictions. Results: the last h and c, and, by a setting, hs.
void *NAMED(gradbook_lstm_infer)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	recurrence l = { .all = (int)setting(f, 0) };
	measure(&l, argument(f, 0), argument(f, 2), &p);
	size_t state = (size_t)l.batch * l.units;
	float *two = l.all ? NULL : scratch(2 * state);
	if (!l.all && two == NULL) return gradbook_wrong(f, "no memory for the states of an LSTM");
	l.hs = l.all ? floats(result(f, 2)) : two;
	l.cs = floats(result(f, 1));
	const char *wrong = forward(&l, f, &p);
	memcpy(floats(result(f, 0)), hidden(&l, l.steps), state * sizeof(float));
	free(two);
	return wrong == NULL ? NULL : gradbook_wrong(f, wrong);
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

// times adds n rows of dz, times a panel of a turned matrix. apart is from one of dz's panels to
// the next.
INLINE void times(const int n, vec sum[ROWS][4], const float *dz, size_t apart, int units, const float *panel) {
	for (int j = 0; j < units / LANES; j++, dz += apart, panel += ROW * ROW) add(n, sum, dz, ROW, ROW, panel);
}

INLINE void put(const int n, vec sum[ROWS][4], float *to, size_t stride, int columns) {
	float part[ROW];
#pragma GCC unroll 6
	for (int r = 0; r < n; r++) {
		for (int g = 0; g < 4; g++) store(part + g * LANES, sum[r][g]);
		memcpy(to + r * stride, part, columns * sizeof(float));
	}
}

INLINE void backward_rows(const int n, const recurrence *l, float *dh, int t, int at, int from, int column) {
	const int units = l->units, batch = l->batch, columns = units - column < ROW ? units - column : ROW;
	vec sum[ROWS][4];
#pragma GCC unroll 6
	for (int r = 0; r < n; r++)
#pragma GCC unroll 4
		for (int g = 0; g < 4; g++) sum[r][g] = all(0.f);
	const size_t apart = (size_t)l->steps * batch * ROW;
	times(n, sum, l->dz + ((size_t)t * batch + at) * ROW, apart, units, l->turned + (size_t)column * 4 * units);
	for (int r = 0; r < n; r++)
		if (l->mask == NULL || l->mask[(size_t)t * batch + at + r] != 0) {
			float part[ROW];
			for (int g = 0; g < 4; g++) store(part + g * LANES, sum[r][g]);
			memcpy(dh + (size_t)(at + r - from) * units + column, part, columns * sizeof(float));
		}
}

static void backward_part(void *argument, int part) {
	recurrence *l = argument;
	const int units = l->units, batch = l->batch;
	int from = batch * part / l->parts, to = batch * (part + 1) / l->parts;
	float *dh = l->dh0 + (size_t)from * units, *dc = l->dc0 + (size_t)from * units;
	for (int t = l->steps - 1; t >= 0; t--) {
		if (l->dall != NULL) {
			const float *more = l->dall + ((size_t)t * batch + from) * units;
			for (int k = 0; k < (to - from) * units; k += LANES) store(dh + k, load(dh + k) + load(more + k));
		}
		for (int j = 0; j < units / LANES; j++)
			for (int r = from; r < to; r++) {
				size_t place = (((size_t)j * l->steps + t) * batch + r) * ROW, own = (size_t)(r - from) * units + j * LANES;
				float *dz = l->dz + place;
				if (l->mask != NULL && l->mask[(size_t)t * batch + r] == 0) {
					memset(dz, 0, ROW * sizeof(float));
					continue;
				}
				const float *gates = l->gates + place;
				size_t before = ((size_t)t * batch + r) * units + j * LANES;
				vec i = load(gates), f = load(gates + LANES), g = load(gates + 2 * LANES), o = load(gates + 3 * LANES);
				vec y = tanh_(load(l->cs + before + (size_t)batch * units)), d = load(dh + own);
				vec c = load(dc + own) + d * o * (1 - y * y);
				store(dz, c * g * i * (1 - i));
				store(dz + LANES, c * load(l->cs + before) * f * (1 - f));
				store(dz + 2 * LANES, c * i * (1 - g * g));
				store(dz + 3 * LANES, d * y * o * (1 - o));
				store(dc + own, c * f);
			}
		for (int column = 0; column < units; column += ROW) {
#define BACKWARD(n) backward_rows(n, l, dh, t, at, from, column)
			EACH_ROWS(from, to, BACKWARD)
#undef BACKWARD
		}
	}
}

// x, for its shape, u, cs, gates, and the gradients dh, dc [batch, units] by the last states; by
// settings, dall [steps, batch, units] by all outputs and the mask. Results: dz, dh0, dc0.
void *NAMED(gradbook_lstm_backward)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	recurrence l = { 0 };
	measure(&l, argument(f, 0), argument(f, 1), &p);
	l.cs = floats(argument(f, 2));
	l.gates = floats(argument(f, 3));
	int next = 6;
	if (setting(f, 0)) l.dall = floats(argument(f, next++));
	if (setting(f, 1)) l.mask = floats(argument(f, next++));
	l.dz = floats(result(f, 0));
	l.dh0 = floats(result(f, 1));
	l.dc0 = floats(result(f, 2));
	l.turned = turn(floats(argument(f, 1)), l.units, l.units, 4);
	if (l.turned == NULL) return gradbook_wrong(f, "no memory for the weights of an LSTM");
	size_t state = (size_t)l.batch * l.units * sizeof(float);
	memcpy(l.dh0, floats(argument(f, 4)), state);
	memcpy(l.dc0, floats(argument(f, 5)), state);
	gradbook_parallel(&p, l.parts, backward_part, &l);
	free(l.turned);
	return NULL;
}

// weight_rows adds n rows of aᵀ·dz, of `count` examples, to a weight's gradient.
INLINE void weight_rows(const int n, const float *a, size_t stride, const float *dz, int count, float *to, int units, int first) {
	vec sum[ROWS][4];
#pragma GCC unroll 6
	for (int r = 0; r < n; r++)
#pragma GCC unroll 4
		for (int g = 0; g < 4; g++) sum[r][g] = first ? all(0.f) : load(to + (size_t)r * 4 * units + g * units);
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
		for (int g = 0; g < 4; g++) store(to + (size_t)r * 4 * units + g * units, sum[r][g]);
}

static void weights_part(void *argument, int j) {
	recurrence *l = argument;
	const int units = l->units, features = l->features, rows = l->steps * l->batch;
	enum { BLOCK = 128 }; // so many rows of dz stay in the first cache
	for (int k = 0; k < rows; k += BLOCK) {
		int count = rows - k < BLOCK ? rows - k : BLOCK;
		const float *dz = l->dz + ((size_t)j * rows + k) * ROW;
#define BY_X(n) weight_rows(n, l->packed + (size_t)k * features + at, features, dz, count, l->dw + (size_t)at * 4 * units + j * LANES, units, k == 0)
		EACH_ROWS(0, features, BY_X)
#undef BY_X
#define BY_H(n) weight_rows(n, l->hs + (size_t)k * units + at, units, dz, count, l->du + (size_t)at * 4 * units + j * LANES, units, k == 0)
		EACH_ROWS(0, units, BY_H)
#undef BY_H
	}
	vec sum[4] = { all(0.f), all(0.f), all(0.f), all(0.f) };
	const float *dz = l->dz + (size_t)j * rows * ROW;
	for (int k = 0; k < rows; k++, dz += ROW)
		for (int g = 0; g < 4; g++) sum[g] += load(dz + g * LANES);
	for (int g = 0; g < 4; g++) store(l->db + g * units + j * LANES, sum[g]);
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

// x, u for its shape, hs, dz. Results: dw, du, db.
void *NAMED(gradbook_lstm_weights)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	recurrence l = { 0 };
	measure(&l, argument(f, 0), argument(f, 1), &p);
	l.hs = floats(argument(f, 2));
	l.dz = floats(argument(f, 3));
	l.dw = floats(result(f, 0));
	l.du = floats(result(f, 1));
	l.db = floats(result(f, 2));
	if (!by_steps(&l, floats(argument(f, 0)))) return gradbook_wrong(f, "no memory for the input of an LSTM");
	gradbook_parallel(&p, l.units / LANES, weights_part, &l);
	free(l.packed);
	return NULL;
}

INLINE void input_rows(const int n, const recurrence *l, int t, int at, int column) {
	const int features = l->features, columns = features - column < ROW ? features - column : ROW;
	vec sum[ROWS][4];
#pragma GCC unroll 6
	for (int r = 0; r < n; r++)
#pragma GCC unroll 4
		for (int g = 0; g < 4; g++) sum[r][g] = all(0.f);
	times(n, sum, l->dz + ((size_t)t * l->batch + at) * ROW, (size_t)l->steps * l->batch * ROW, l->units, l->turned + (size_t)column * 4 * l->units);
	put(n, sum, l->dx + ((size_t)at * l->steps + t) * features + column, (size_t)l->steps * features, columns);
}

static void input_part(void *argument, int part) {
	recurrence *l = argument;
	int from = l->batch * part / l->parts, to = l->batch * (part + 1) / l->parts;
	for (int column = 0; column < l->features; column += ROW)
		for (int t = 0; t < l->steps; t++) {
#define INPUT(n) input_rows(n, l, t, at, column)
			EACH_ROWS(from, to, INPUT)
#undef INPUT
		}
}

// x and u for their shapes, w, dz. Result: dx.
void *NAMED(gradbook_lstm_input)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	recurrence l = { 0 };
	measure(&l, argument(f, 0), argument(f, 1), &p);
	l.dz = floats(argument(f, 3));
	l.dx = floats(result(f, 0));
	l.turned = turn(floats(argument(f, 2)), l.features, l.units, 4);
	if (l.turned == NULL) return gradbook_wrong(f, "no memory for the weights of an LSTM");
	gradbook_parallel(&p, l.parts, input_part, &l);
	free(l.turned);
	return NULL;
}
