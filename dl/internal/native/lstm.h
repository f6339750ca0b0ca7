// LSTM: all steps of a batch, forward and backward. The four of a panel are the gates i, f, g (the
// candidate) and o, or the gradients by their sums.

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
void *NAMED(gradbook_lstm_infer)(ffi_frame *f) { return by_inference(f, 2, forward, "no memory for the states of an LSTM"); }

// times adds n rows of dz, times a panel of a turned matrix. apart is from one of dz's panels to
// the next.
INLINE void times(const int n, vec sum[ROWS][4], const float *dz, size_t apart, int units, const float *panel) {
	for (int j = 0; j < units / LANES; j++, dz += apart, panel += ROW * ROW) add(n, sum, dz, ROW, ROW, panel);
}

INLINE void backward_rows(const int n, const recurrence *l, float *dh, int t, int at, int from, int column) {
	const int units = l->units, batch = l->batch, columns = units - column < ROW ? units - column : ROW;
	vec sum[ROWS][4];
	none(n, sum);
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

static void weights_part(void *argument, int j) {
	recurrence *l = argument;
	const int units = l->units, features = l->features, rows = l->steps * l->batch;
	enum { BLOCK = 128 }; // so many rows of dz stay in the first cache
	for (int k = 0; k < rows; k += BLOCK) {
		int count = rows - k < BLOCK ? rows - k : BLOCK;
		const float *dz = l->dz + ((size_t)j * rows + k) * ROW;
#define BY_X(n) weight_rows(n, l->packed + (size_t)k * features + at, features, dz, count, l->dw + (size_t)at * 4 * units + j * LANES, 4 * units, units, k == 0)
		EACH_ROWS(0, features, BY_X)
#undef BY_X
#define BY_H(n) weight_rows(n, l->hs + (size_t)k * units + at, units, dz, count, l->du + (size_t)at * 4 * units + j * LANES, 4 * units, units, k == 0)
		EACH_ROWS(0, units, BY_H)
#undef BY_H
	}
	vec sum[4];
	summed(l->dz + (size_t)j * rows * ROW, rows, sum);
	for (int g = 0; g < 4; g++) store(l->db + g * units + j * LANES, sum[g]);
}

// x, u for its shape, hs, dz. Results: dw, du, db.
void *NAMED(gradbook_lstm_weights)(ffi_frame *f) { return by_weights(f, LANES, 1, weights_part, "no memory for the input of an LSTM"); }

INLINE void input_rows(const int n, const recurrence *l, int t, int at, int column) {
	const int features = l->features, columns = features - column < ROW ? features - column : ROW;
	vec sum[ROWS][4];
	none(n, sum);
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

void *NAMED(gradbook_lstm_input)(ffi_frame *f) { return by_input(f, 4, input_part); }
