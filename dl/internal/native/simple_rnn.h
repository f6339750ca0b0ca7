// A SimpleRNN: all steps of a batch, forward and backward. A panel is ROW units, so that their number
// fills panels, and
//
//	dz  [units/ROW, steps, batch, ROW]

#define EACH_PANEL(l) ((l)->units / ROW)

INLINE void simple_rows(const int n, const recurrence *l, int t, int at, int j) {
	const int features = l->features, units = l->units;
	const float *panel = l->packed + (size_t)j * (features + units) * ROW;
	vec sum[ROWS][4];
#pragma GCC unroll 4
	for (int g = 0; g < 4; g++) {
		vec b = load(l->b + j * ROW + g * LANES);
#pragma GCC unroll 6
		for (int r = 0; r < n; r++) sum[r][g] = b;
	}
	add(n, sum, l->x + ((size_t)at * l->steps + t) * features, (size_t)l->steps * features, features, panel);
	const float *h0 = hidden(l, t) + (size_t)at * units;
	add(n, sum, h0, units, units, panel + (size_t)features * ROW);
	float *h1 = hidden(l, t + 1) + (size_t)at * units + j * ROW;
#pragma GCC unroll 6
	for (int r = 0; r < n; r++, h1 += units) {
		int counts = l->mask == NULL || l->mask[(size_t)t * l->batch + at + r] != 0;
#pragma GCC unroll 4
		for (int g = 0; g < 4; g++) store(h1 + g * LANES, counts ? tanh_(sum[r][g]) : load(h0 + (size_t)r * units + j * ROW + g * LANES));
	}
}

static void simple_part(void *argument, int part) {
	recurrence *l = argument;
	int from = l->batch * part / l->parts, to = l->batch * (part + 1) / l->parts;
	for (int t = 0; t < l->steps; t++)
		for (int j = 0; j < EACH_PANEL(l); j++) {
#define FORWARD(n) simple_rows(n, l, t, at, j)
			EACH_ROWS(from, to, FORWARD)
#undef FORWARD
		}
}

// simple_pack puts the rows of W and U one below the other, and of each ROW columns side by side:
// [units/ROW, features + units, ROW].
static float *simple_pack(const float *w, const float *u, int features, int units) {
	float *packed = scratch((size_t)(features + units) * units), *to = packed;
	if (packed == NULL) return NULL;
	for (int j = 0; j < units / ROW; j++)
		for (int k = 0; k < features + units; k++, to += ROW) memcpy(to, (k < features ? w + (size_t)k * units : u + (size_t)(k - features) * units) + j * ROW, ROW * sizeof(float));
	return packed;
}

static const char *simple_run(recurrence *l, ffi_frame *f, pool *p) {
	l->x = floats(argument(f, 0));
	l->b = floats(argument(f, 3));
	if (f->args.n > 5) l->mask = floats(argument(f, 5));
	l->packed = simple_pack(floats(argument(f, 1)), floats(argument(f, 2)), l->features, l->units);
	if (l->packed == NULL) return "no memory for the weights of a SimpleRNN";
	memcpy(l->hs, floats(argument(f, 4)), (size_t)l->batch * l->units * sizeof(float));
	gradbook_parallel(p, l->parts, simple_part, l);
	free(l->packed);
	return NULL;
}

// x [batch, steps, features], w [features, units], u [units, units], b [units], h0 [batch, units], and,
// if there are six, mask [steps, batch]: 0 where a step does not count. Result: hs.
void *NAMED(gradbook_simple_forward)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	recurrence l = { .keep = 1, .all = 1 };
	measure(&l, argument(f, 0), argument(f, 2), &p);
	l.hs = floats(result(f, 0));
	const char *wrong = simple_run(&l, f, &p);
	return wrong == NULL ? NULL : gradbook_wrong(f, wrong);
}

// The same for predictions. Results: the last h, and, by a setting, hs.
void *NAMED(gradbook_simple_infer)(ffi_frame *f) { return by_inference(f, 1, simple_run, "no memory for the states of a SimpleRNN"); }

INLINE void simple_back_rows(const int n, const recurrence *l, float *dh, int t, int at, int from, int column) {
	const int units = l->units;
	vec sum[ROWS][4];
	none(n, sum);
	times(n, sum, l->dz + ((size_t)t * l->batch + at) * ROW, (size_t)l->steps * l->batch * ROW, units / 4, l->turned + (size_t)column * units);
	for (int r = 0; r < n; r++)
		if (l->mask == NULL || l->mask[(size_t)t * l->batch + at + r] != 0)
			for (int g = 0; g < 4; g++) store(dh + (size_t)(at + r - from) * units + column + g * LANES, sum[r][g]);
}

static void simple_back_part(void *argument, int part) {
	recurrence *l = argument;
	const int units = l->units, batch = l->batch;
	int from = batch * part / l->parts, to = batch * (part + 1) / l->parts;
	float *dh = l->dh0 + (size_t)from * units;
	for (int t = l->steps - 1; t >= 0; t--) {
		by_outputs(l, dh, t, from, to);
		for (int j = 0; j < EACH_PANEL(l); j++)
			for (int r = from; r < to; r++) {
				float *dz = l->dz + (((size_t)j * l->steps + t) * batch + r) * ROW;
				const float *h = l->hs + ((size_t)(t + 1) * batch + r) * units + j * ROW, *d = dh + (size_t)(r - from) * units + j * ROW;
				int counts = l->mask == NULL || l->mask[(size_t)t * batch + r] != 0;
				for (int g = 0; g < ROW; g += LANES) {
					vec y = load(h + g);
					store(dz + g, counts ? load(d + g) * (1 - y * y) : all(0.f));
				}
			}
		for (int column = 0; column < units; column += ROW) {
#define BACKWARD(n) simple_back_rows(n, l, dh, t, at, from, column)
			EACH_ROWS(from, to, BACKWARD)
#undef BACKWARD
		}
	}
}

// x, for its shape, u, hs, and the gradient dh [batch, units] by the last state; by settings, dall
// [steps, batch, units] by all outputs and the mask. Results: dz, dh0.
void *NAMED(gradbook_simple_backward)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	recurrence l = { 0 };
	measure(&l, argument(f, 0), argument(f, 1), &p);
	l.hs = floats(argument(f, 2));
	int next = 4;
	if (setting(f, 0)) l.dall = floats(argument(f, next++));
	if (setting(f, 1)) l.mask = floats(argument(f, next++));
	l.dz = floats(result(f, 0));
	l.dh0 = floats(result(f, 1));
	l.turned = turn(floats(argument(f, 1)), l.units, l.units, 1);
	if (l.turned == NULL) return gradbook_wrong(f, "no memory for the weights of a SimpleRNN");
	memcpy(l.dh0, floats(argument(f, 3)), (size_t)l.batch * l.units * sizeof(float));
	gradbook_parallel(&p, l.parts, simple_back_part, &l);
	free(l.turned);
	return NULL;
}

// A panel's weights are divided among two threads or more: by rows of U, and W with the first.
static void simple_weights_part(void *argument, int part) {
	recurrence *l = argument;
	const int j = part / l->parts, units = l->units, features = l->features, rows = l->steps * l->batch;
	const int from = units * (part % l->parts) / l->parts, to = units * (part % l->parts + 1) / l->parts, first = part % l->parts == 0;
	enum { BLOCK = 128 }; // so many rows of dz stay in the first cache
	for (int k = 0; k < rows; k += BLOCK) {
		int count = rows - k < BLOCK ? rows - k : BLOCK;
		const float *dz = l->dz + ((size_t)j * rows + k) * ROW;
		if (first) {
#define BY_X(n) weight_rows(n, l->packed + (size_t)k * features + at, features, dz, count, l->dw + (size_t)at * units + j * ROW, units, LANES, k == 0)
			EACH_ROWS(0, features, BY_X)
#undef BY_X
		}
#define BY_H(n) weight_rows(n, l->hs + (size_t)k * units + at, units, dz, count, l->du + (size_t)at * units + j * ROW, units, LANES, k == 0)
		EACH_ROWS(from, to, BY_H)
#undef BY_H
	}
	if (!first) return;
	vec sum[4];
	summed(l->dz + (size_t)j * rows * ROW, rows, sum);
	for (int g = 0; g < 4; g++) store(l->db + j * ROW + g * LANES, sum[g]);
}

// x, u for its shape, hs, dz. Results: dw, du, db.
void *NAMED(gradbook_simple_weights)(ffi_frame *f) { return by_weights(f, ROW, 4, simple_weights_part, "no memory for the input of a SimpleRNN"); }

INLINE void simple_input_rows(const int n, const recurrence *l, int t, int at, int column) {
	const int features = l->features, columns = features - column < ROW ? features - column : ROW;
	vec sum[ROWS][4];
	none(n, sum);
	times(n, sum, l->dz + ((size_t)t * l->batch + at) * ROW, (size_t)l->steps * l->batch * ROW, l->units / 4, l->turned + (size_t)column * l->units);
	put(n, sum, l->dx + ((size_t)at * l->steps + t) * features + column, (size_t)l->steps * features, columns);
}

static void simple_input_part(void *argument, int part) {
	recurrence *l = argument;
	int from = l->batch * part / l->parts, to = l->batch * (part + 1) / l->parts;
	for (int column = 0; column < l->features; column += ROW)
		for (int t = 0; t < l->steps; t++) {
#define INPUT(n) simple_input_rows(n, l, t, at, column)
			EACH_ROWS(from, to, INPUT)
#undef INPUT
		}
}

void *NAMED(gradbook_simple_input)(ffi_frame *f) { return by_input(f, 1, simple_input_part); }
