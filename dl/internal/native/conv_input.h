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
	float *w;              // of each group [window_rows, runs, length, channels], filled up
} phase;

typedef struct {
	conv c;
	const float *dy;
	float *dx;
	int64_t low[2], size[2]; // of the frame around dy
	int64_t apart;           // from one number's channels to the next, in the phases' weights
	int64_t images;          // at once
	int phases, failed;
	phase *phase;
} conv_input_job;

// seen_rows are those of the window that see more than zeros from a row of a phase: the others are at
// the window's ends.
static void seen_rows(const conv *c, const phase *p, int64_t y, int *first, int *end) {
	*first = 0;
	*end = p->window_rows;
	while (*first < *end && y + p->distance[*first] >= c->rows) (*first)++;
	while (*end > *first && y + p->distance[*end - 1] < 0) (*end)--;
}

// full says whether nearly all rows of the window see more than zeros.
static int full(const conv *c, const phase *p) {
	int64_t seen = 0;
	for (int64_t y = 0; y < p->rows; y++) {
		int first, end;
		seen_rows(c, p, y, &first, &end);
		seen += end - first;
	}
	return 5 * seen >= 4 * p->rows * p->window_rows;
}

// conv_input_part is some images.
static void conv_input_part(void *argument, int part) {
	conv_input_job *job = argument;
	const conv *c = &job->c;
	int64_t image = part * job->images, images = c->batch - image < job->images ? c->batch - image : job->images;
	int64_t size = job->size[0] * job->size[1] * c->filters;
	float *frame = scratch((size_t)(images * size));
	if (frame == NULL) {
		job->failed = 1;
		return;
	}
	for (int64_t i = 0; i < images; i++)
		framed(job->dy + (image + i) * c->rows * c->columns * c->filters, c->rows, c->columns, c->filters, -job->low[0], -job->low[1], job->size[0], job->size[1], frame + i * size);
	float *dx = job->dx + image * c->height * c->width * c->channels;
	for (int i = 0; i < job->phases; i++) {
		const phase *p = &job->phase[i];
		sweep whole = { .in = frame, .w = p->w, .out = dx + (p->y * c->width + p->x) * c->channels,
			.rows = p->rows, .columns = p->columns, .groups = c->groups, .filters = c->in, .channels = c->out, .depth = c->depth, .length = p->length, .w_apart = job->apart, .w_group = p->window_rows * p->runs * p->length * job->apart,
			.in_row = job->size[1] * c->filters, .in_column = c->filters, .out_row = c->stride[0] * c->width * c->channels, .out_column = c->stride[1] * c->channels, .runs = p->window_rows * p->runs, .offsets = p->offsets,
			.images = images, .in_image = size, .out_image = c->height * c->width * c->channels };
		int packed = packs(&whole);
		if ((packed || heavy(c)) && full(c, p)) {
			if (!packed) sweep_all(&whole);
			else if (!sweep_packed(&whole)) job->failed = 1;
			continue;
		}
		for (int64_t y = 0; y < p->rows; y++) {
			int first, end;
			seen_rows(c, p, y, &first, &end);
			sweep s = whole;
			s.in += y * whole.in_row;
			s.out += y * whole.out_row;
			s.rows = 1; // of each image
			s.runs = (end - first) * p->runs;
			s.offsets += first * p->runs;
			s.w += first * p->runs * p->length * job->apart;
			sweep_all(&s);
		}
	}
	free(frame);
}

// A turned place is of a group's weights of a place of the window: its filters and channels change places.
typedef struct {
	const float *from;
	float *to;
	int64_t group;
} turned_place;

typedef struct {
	const conv *c;
	int64_t apart;
	turned_place *turns;
} turn_job;

static void turn_part(void *argument, int i) {
	const turn_job *job = argument;
	const conv *c = job->c;
	const float *from = job->turns[i].from + job->turns[i].group * c->out;
	float *to = job->turns[i].to;
	if (c->depth) {
		memcpy(to, from, (size_t)c->channels * sizeof *to);
		return;
	}
	// A few channels at a time, whose lines stay in the first cache.
	for (int64_t first = 0; first < job->apart; first += 16) {
		int64_t end = first + 16 < job->apart ? first + 16 : job->apart;
		for (int64_t o = 0; o < c->out; o++)
			for (int64_t ch = first; ch < end; ch++) to[o * job->apart + ch] = ch < c->in ? from[ch * c->filters + o] : 0;
	}
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
	job.apart = c->depth ? c->channels : filled(c->in);
	float *turned = scratch((size_t)(all_runs * (c->depth ? 1 : c->filters) * job.apart));
	turned_place *turns = malloc((size_t)(all_runs * (c->depth ? 1 : c->groups)) * sizeof *turns);
	int turned_places = 0;
	if (turns == NULL || job.phase == NULL || offsets == NULL || known == NULL || distances == NULL || turned == NULL) {
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
				int whole = c->groups == 1 && (columns < 2 || distance[1][columns - 2] - distance[1][columns - 1] == 1);
				q->runs = columns == 0 ? 0 : whole ? 1 : columns;
				q->length = whole ? columns * c->filters : c->out;
				for (int i = 0; i < q->window_rows; i++) {
					*far++ = distance[0][i];
					for (int k = columns - 1; k >= 0; k--)
						if (!whole || k == columns - 1) *at++ = ((distance[0][i] + job.low[0]) * job.size[1] + distance[1][k] + job.low[1]) * c->filters;
				}
				for (int64_t g = 0; g < (c->depth ? 1 : c->groups); g++)
					for (int i = 0; i < q->window_rows; i++)
						for (int k = columns - 1; k >= 0; k--, panel += (c->depth ? 1 : c->out) * job.apart)
							turns[turned_places++] = (turned_place){ w + (places[0][i] * c->window[1] + places[1][k]) * c->in * c->filters, panel, g };
			}
		turn_job turning = { c, job.apart, turns };
		gradbook_parallel(&p, turned_places, turn_part, &turning);
		job.images = together(c, &p);
		gradbook_parallel(&p, (int)((c->batch + job.images - 1) / job.images), conv_input_part, &job);
	}
	free(job.phase);
	free(offsets);
	free(known);
	free(distances);
	free(turned);
	free(turns);
	return job.failed ? gradbook_wrong(f, "no memory for the gradient of a convolution") : NULL;
}
