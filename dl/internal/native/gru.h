// GRU that applies the reset gate behind the product with U: all steps of a batch, forward and
// backward.
//
// Of LANES units there are, side by side in a panel of ROW floats for each example, while it runs
// forward z, r, the candidate, and what U makes of h for the candidate; and backward the gradients
// of z and r, and of the candidate's two parts, by x and by h:
//
//	gates, dz  [units/LANES, steps, batch, ROW]
//
// W and U have three columns for each unit, z, r and the candidate.

enum { BY_X = 2, BY_H = 3 }; // which of the four the third column of W, or U, belongs to

// add_three adds the products of n rows of a with a panel of k rows of three columns.
INLINE void add_three(const int n, const int third, vec sum[ROWS][4], const float *a, size_t stride, int k, const float *panel) {
	for (int i = 0; i < k; i++, panel += 3 * LANES) {
		vec p0 = load(panel), p1 = load(panel + LANES), p2 = load(panel + 2 * LANES);
#pragma GCC unroll 6
		for (int r = 0; r < n; r++) {
			vec v = all(a[r * stride + i]);
			sum[r][0] += v * p0;
			sum[r][1] += v * p1;
			sum[r][third] += v * p2;
		}
	}
}

INLINE void gru_forward_rows(const int n, const recurrence *l, int t, int at, int j) {
	const int features = l->features, units = l->units;
	const float *panel = l->packed + (size_t)j * (features + units) * 3 * LANES, *bx = l->b + j * LANES, *bh = l->bh + j * LANES;
	vec sum[ROWS][4];
#pragma GCC unroll 6
	for (int r = 0; r < n; r++) {
		sum[r][0] = load(bx) + load(bh);
		sum[r][1] = load(bx + units) + load(bh + units);
		sum[r][2] = load(bx + 2 * units);
		sum[r][3] = load(bh + 2 * units);
	}
	add_three(n, BY_X, sum, l->x + ((size_t)at * l->steps + t) * features, (size_t)l->steps * features, features, panel);
	const float *h0 = hidden(l, t) + (size_t)at * units;
	add_three(n, BY_H, sum, h0, units, units, panel + (size_t)features * 3 * LANES);
	float *h1 = hidden(l, t + 1) + (size_t)at * units + j * LANES;
	float *gates = l->keep ? l->gates + (((size_t)j * l->steps + t) * l->batch + at) * ROW : NULL;
	h0 += j * LANES;
#pragma GCC unroll 6
	for (int r = 0; r < n; r++, h0 += units, h1 += units) {
		vec z = sigmoid_(sum[r][0]), reset = sigmoid_(sum[r][1]), g = tanh_(sum[r][2] + reset * sum[r][3]), before = load(h0);
		vec h = g + z * (before - g);
		if (l->mask != NULL && l->mask[(size_t)t * l->batch + at + r] == 0) h = before;
		store(h1, h);
		if (gates != NULL) {
			store(gates, z);
			store(gates + LANES, reset);
			store(gates + 2 * LANES, g);
			store(gates + 3 * LANES, sum[r][3]);
			gates += ROW;
		}
	}
}

static void gru_forward_part(void *argument, int part) {
	recurrence *l = argument;
	int from = l->batch * part / l->parts, to = l->batch * (part + 1) / l->parts;
	for (int t = 0; t < l->steps; t++)
		for (int j = 0; j < l->units / LANES; j++) {
#define FORWARD(n) gru_forward_rows(n, l, t, at, j)
			EACH_ROWS(from, to, FORWARD)
#undef FORWARD
		}
}

// gru_forward runs a GRU from the state at the start of hs. It returns what is wrong.
static const char *gru_forward(recurrence *l, ffi_frame *f, pool *p) {
	l->x = floats(argument(f, 0));
	l->b = floats(argument(f, 3));
	l->bh = floats(argument(f, 4));
	if (f->args.n > 6) l->mask = floats(argument(f, 6));
	l->packed = pack(floats(argument(f, 1)), floats(argument(f, 2)), l->features, l->units, 3);
	if (l->packed == NULL) return "no memory for the weights of a GRU";
	memcpy(l->hs, floats(argument(f, 5)), (size_t)l->batch * l->units * sizeof(float));
	gradbook_parallel(p, l->parts, gru_forward_part, l);
	free(l->packed);
	return NULL;
}

// x [batch, steps, features], w [features, 3 units], u [units, 3 units], bx, bh [3 units], h0
// [batch, units], and, if there are seven, mask [steps, batch]: 0 where a step does not count.
// Results: hs [steps + 1, batch, units], gates.
void *NAMED(gradbook_gru_forward)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	recurrence l = { .keep = 1, .all = 1 };
	measure(&l, argument(f, 0), argument(f, 2), &p);
	l.hs = floats(result(f, 0));
	l.gates = floats(result(f, 1));
	const char *wrong = gru_forward(&l, f, &p);
	return wrong == NULL ? NULL : gradbook_wrong(f, wrong);
}

// The same for predictions. Results: the last h, and, by a setting, hs.
void *NAMED(gradbook_gru_infer)(ffi_frame *f) { return by_inference(f, 1, gru_forward, "no memory for the states of a GRU"); }

// times_three adds n rows of dz, of which the third is by x or by h, times a panel of a turned
// matrix.
INLINE void times_three(const int n, const int third, vec sum[ROWS][4], const float *dz, size_t apart, int units, const float *panel) {
	for (int j = 0; j < units / LANES; j++, dz += apart, panel += 3 * LANES * ROW) {
		add(n, sum, dz, ROW, 2 * LANES, panel);
		add(n, sum, dz + third * LANES, ROW, LANES, panel + 2 * LANES * ROW);
	}
}

INLINE void gru_backward_rows(const int n, const recurrence *l, float *dh, int t, int at, int from, int column) {
	const int units = l->units, columns = units - column < ROW ? units - column : ROW;
	vec sum[ROWS][4];
	none(n, sum);
	times_three(n, BY_H, sum, l->dz + ((size_t)t * l->batch + at) * ROW, (size_t)l->steps * l->batch * ROW, units, l->turned + (size_t)column * 3 * units);
	for (int r = 0; r < n; r++) {
		float part[ROW], *to = dh + (size_t)(at + r - from) * units + column;
		for (int g = 0; g < 4; g++) store(part + g * LANES, sum[r][g]);
		for (int k = 0; k < columns; k++) to[k] += part[k]; // what stays of h is there already
	}
}

static void gru_backward_part(void *argument, int part) {
	recurrence *l = argument;
	const int units = l->units, batch = l->batch;
	int from = batch * part / l->parts, to = batch * (part + 1) / l->parts;
	float *dh = l->dh0 + (size_t)from * units;
	for (int t = l->steps - 1; t >= 0; t--) {
		by_outputs(l, dh, t, from, to);
		for (int j = 0; j < units / LANES; j++)
			for (int r = from; r < to; r++) {
				size_t place = (((size_t)j * l->steps + t) * batch + r) * ROW, own = (size_t)(r - from) * units + j * LANES;
				float *dz = l->dz + place;
				if (l->mask != NULL && l->mask[(size_t)t * batch + r] == 0) {
					memset(dz, 0, ROW * sizeof(float));
					continue;
				}
				const float *gates = l->gates + place;
				vec z = load(gates), reset = load(gates + LANES), g = load(gates + 2 * LANES), seen = load(gates + 3 * LANES);
				vec d = load(dh + own), candidate = d * (1 - z) * (1 - g * g);
				store(dz, d * (load(l->hs + ((size_t)t * batch + r) * units + j * LANES) - g) * z * (1 - z));
				store(dz + LANES, candidate * seen * reset * (1 - reset));
				store(dz + BY_X * LANES, candidate);
				store(dz + BY_H * LANES, candidate * reset);
				store(dh + own, d * z);
			}
		for (int column = 0; column < units; column += ROW) {
#define BACKWARD(n) gru_backward_rows(n, l, dh, t, at, from, column)
			EACH_ROWS(from, to, BACKWARD)
#undef BACKWARD
		}
	}
}

// x, for its shape, u, hs, gates, and the gradient dh [batch, units] by the last state; by
// settings, dall [steps, batch, units] by all outputs and the mask. Results: dz, dh0.
void *NAMED(gradbook_gru_backward)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	recurrence l = { 0 };
	measure(&l, argument(f, 0), argument(f, 1), &p);
	l.hs = floats(argument(f, 2));
	l.gates = floats(argument(f, 3));
	int next = 5;
	if (setting(f, 0)) l.dall = floats(argument(f, next++));
	if (setting(f, 1)) l.mask = floats(argument(f, next++));
	l.dz = floats(result(f, 0));
	l.dh0 = floats(result(f, 1));
	l.turned = turn(floats(argument(f, 1)), l.units, l.units, 3);
	if (l.turned == NULL) return gradbook_wrong(f, "no memory for the weights of a GRU");
	memcpy(l.dh0, floats(argument(f, 4)), (size_t)l.batch * l.units * sizeof(float));
	gradbook_parallel(&p, l.parts, gru_backward_part, &l);
	free(l.turned);
	return NULL;
}

// gru_weight_rows adds n rows of aᵀ·dz, of `count` examples, to a weight's gradient.
INLINE void gru_weight_rows(const int n, const int third, const float *a, size_t stride, const float *dz, int count, float *to, int units, int first) {
	vec sum[ROWS][3];
#pragma GCC unroll 6
	for (int r = 0; r < n; r++)
#pragma GCC unroll 3
		for (int g = 0; g < 3; g++) sum[r][g] = first ? all(0.f) : load(to + (size_t)r * 3 * units + g * units);
	for (int k = 0; k < count; k++, a += stride, dz += ROW) {
		vec z0 = load(dz), z1 = load(dz + LANES), z2 = load(dz + third * LANES);
#pragma GCC unroll 6
		for (int r = 0; r < n; r++) {
			vec v = all(a[r]);
			sum[r][0] += v * z0;
			sum[r][1] += v * z1;
			sum[r][2] += v * z2;
		}
	}
#pragma GCC unroll 6
	for (int r = 0; r < n; r++)
#pragma GCC unroll 3
		for (int g = 0; g < 3; g++) store(to + (size_t)r * 3 * units + g * units, sum[r][g]);
}

static void gru_weights_part(void *argument, int j) {
	recurrence *l = argument;
	const int units = l->units, features = l->features, rows = l->steps * l->batch;
	enum { BLOCK = 128 }; // so many rows of dz stay in the first cache
	for (int k = 0; k < rows; k += BLOCK) {
		int count = rows - k < BLOCK ? rows - k : BLOCK;
		const float *dz = l->dz + ((size_t)j * rows + k) * ROW;
#define FOR_X(n) gru_weight_rows(n, BY_X, l->packed + (size_t)k * features + at, features, dz, count, l->dw + (size_t)at * 3 * units + j * LANES, units, k == 0)
		EACH_ROWS(0, features, FOR_X)
#undef FOR_X
#define FOR_H(n) gru_weight_rows(n, BY_H, l->hs + (size_t)k * units + at, units, dz, count, l->du + (size_t)at * 3 * units + j * LANES, units, k == 0)
		EACH_ROWS(0, units, FOR_H)
#undef FOR_H
	}
	vec sum[4];
	summed(l->dz + (size_t)j * rows * ROW, rows, sum);
	for (int g = 0; g < 3; g++) {
		store(l->db + g * units + j * LANES, sum[g]);
		store(l->dbh + g * units + j * LANES, sum[g == 2 ? BY_H : g]);
	}
}

// x, u for its shape, hs, dz. Results: dw, du, and the gradients by bx and bh.
void *NAMED(gradbook_gru_weights)(ffi_frame *f) { return by_weights(f, LANES, 1, gru_weights_part, "no memory for the input of a GRU"); }

INLINE void gru_input_rows(const int n, const recurrence *l, int t, int at, int column) {
	const int features = l->features, columns = features - column < ROW ? features - column : ROW;
	vec sum[ROWS][4];
	none(n, sum);
	times_three(n, BY_X, sum, l->dz + ((size_t)t * l->batch + at) * ROW, (size_t)l->steps * l->batch * ROW, l->units, l->turned + (size_t)column * 3 * l->units);
	put(n, sum, l->dx + ((size_t)at * l->steps + t) * features + column, (size_t)l->steps * features, columns);
}

static void gru_input_part(void *argument, int part) {
	recurrence *l = argument;
	int from = l->batch * part / l->parts, to = l->batch * (part + 1) / l->parts;
	for (int column = 0; column < l->features; column += ROW)
		for (int t = 0; t < l->steps; t++) {
#define INPUT(n) gru_input_rows(n, l, t, at, column)
			EACH_ROWS(from, to, INPUT)
#undef INPUT
		}
}

void *NAMED(gradbook_gru_input)(ffi_frame *f) { return by_input(f, 3, gru_input_part); }
