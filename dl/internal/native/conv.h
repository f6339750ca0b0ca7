// Convolution of images, [batch, height, width, channels], with a window [height, width, channels of
// a group, filters]: forward, and the gradients by the window and by the images. Strides,
// dilations, groups and zeros around the images are as they come.
//
// All are sums of products along runs of numbers that lie one behind the other in an image: a row
// of the window, or, with a dilation or groups, a place of it.

// conv_settings reads strides, dilations, zeros before each axis, what comes after, and the number of groups, of
// which 0 is one.
static conv conv_settings(ffi_frame *f, ffi_buffer *x, ffi_buffer *w, ffi_buffer *y) {
	conv c = { x->dims[0], x->dims[1], x->dims[2], x->dims[3], y->dims[1], y->dims[2], y->dims[3], { w->dims[0], w->dims[1] },
		{ setting(f, 0), setting(f, 1) }, { setting(f, 2), setting(f, 3) }, { setting(f, 4), setting(f, 5) } };
	c.after = (int)setting(f, 6);
	c.groups = setting(f, 7) > 1 ? setting(f, 7) : 1;
	c.in = c.channels / c.groups;
	c.out = c.filters / c.groups;
	c.depth = c.groups > 1 && c.in == 1 && c.out == 1;
	flat(&c);
	return c;
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
	int whole = c->dilation[1] == 1 && c->groups == 1;
	*runs = 0;
	for (int64_t y = 0; y < c->window[0]; y++)
		for (int64_t x = 0; x < (whole ? 1 : c->window[1]); x++)
			offsets[(*runs)++] = (y * c->dilation[0] * width + x * c->dilation[1]) * c->channels;
	return whole ? c->window[1] * c->channels : c->in;
}

// Weights that few images share, and that do not fit into the second cache, come from memory, in strides which
// the processor does not foresee.
#define REUSED 4
#define AHEAD 64
static int from_memory(const conv *c) { return c->batch < REUSED && heavy(c); }

typedef struct {
	conv c;
	const float *x, *w, *bias, *scale, *also; // the last three may be null
	float *y;
	int64_t w_apart, w_group; // of the weights, as of a sweep
	chunks by;
	int failed;            // for want of memory
} conv_job;

static const float *behind(const float *p, int64_t n) { return p == NULL ? NULL : p + n; }

// conv_forward_part is a chunk of an image.
static void conv_forward_part(void *argument, int part) {
	conv_job *job = argument;
	const conv *c = &job->c;
	chunk here = chunk_at(c, &job->by, part);
	int64_t image = here.image, *from = here.from, rows = here.size[0], columns = here.size[1], first = here.from[2];
	int border = bordered(c);
	int64_t height = reach(c, 0, rows), width = border ? reach(c, 1, columns) : c->width, size = c->height * c->width * c->channels;
	const float *x = job->x + image * size, *in = x + (from[0] * c->stride[0] * c->width + from[1] * c->stride[1]) * c->channels;
	int64_t *offsets = malloc((size_t)(c->window[0] * c->window[1]) * sizeof *offsets);
	float *frame = border ? scratch((size_t)(here.images * height * width * c->channels)) : NULL;
	if (offsets == NULL || (border && frame == NULL)) {
		job->failed = 1;
	} else {
		if (border) {
			for (int64_t i = 0; i < here.images; i++)
				framed(x + i * size, c->height, c->width, c->channels, from[0] * c->stride[0] - c->before[0], from[1] * c->stride[1] - c->before[1], height, width, frame + i * height * width * c->channels);
			in = frame;
			size = height * width * c->channels;
		}
		sweep s = { .in = in, .w = job->w + first, .bias = behind(job->bias, first), .scale = behind(job->scale, first), .also = job->also, .y = job->y,
			.out = job->y + ((image * c->rows + from[0]) * c->columns + from[1]) * c->filters + first,
			.rows = rows, .columns = columns, .groups = c->groups, .filters = c->groups == 1 ? here.size[2] : c->out, .channels = c->in, .depth = c->depth, .after = c->after,
			.w_apart = job->w_apart, .w_group = job->w_group, .ahead = from_memory(c) ? AHEAD : 0,
			.in_row = c->stride[0] * width * c->channels, .in_column = c->stride[1] * c->channels, .out_row = c->columns * c->filters, .out_column = c->filters, .offsets = offsets,
			.images = here.images, .in_image = size, .out_image = c->rows * c->columns * c->filters };
		s.length = runs_of(c, width, offsets, &s.runs);
		if (!packs(&s)) sweep_all(&s);
		else if (!sweep_packed(&s)) job->failed = 1;
	}
	free(frame);
	free(offsets);
}

// panelled is the weights with the filters of each group one behind the other, filled up with zeros:
// vectors of them can be read where they do not fill them.
static float *panelled(const conv *c, const float *w, int64_t *apart, int64_t *group) {
	int64_t numbers = c->window[0] * c->window[1] * c->in;
	*apart = filled(c->out);
	*group = numbers * *apart;
	float *panels = scratch((size_t)(c->groups * *group)), *to = panels;
	if (panels == NULL) return NULL;
	for (int64_t g = 0; g < c->groups; g++)
		for (int64_t k = 0; k < numbers; k++, to += *apart) {
			memcpy(to, w + k * c->filters + g * c->out, (size_t)c->out * sizeof *w);
			memset(to + c->out, 0, (size_t)(*apart - c->out) * sizeof *w);
		}
	return panels;
}

// What a call has beside x and w, as bits, in this order.
enum { HAS_BIAS = 1, HAS_SCALE = 2, HAS_ALSO = 4 };

// x, w, and perhaps a bias, a scale, and something to add; settings: strides, dilations, zeros before, what comes
// after, groups, and which of the three there are. y is after(x * w + bias + also) or, with a scale,
// after(x * w · scale + bias + also).
void *NAMED(gradbook_conv_forward)(ffi_frame *f) {
	pool p;
	if (!gradbook_begins(f, &p)) return NULL;
	conv_job job = { .c = conv_settings(f, argument(f, 0), argument(f, 1), result(f, 0)), .x = floats(argument(f, 0)), .w = floats(argument(f, 1)), .y = floats(result(f, 0)) };
	const conv *c = &job.c;
	int has = (int)setting(f, 8), next = 2;
	if (has & HAS_BIAS) job.bias = floats(argument(f, next++));
	if (has & HAS_SCALE) job.scale = floats(argument(f, next++));
	if (has & HAS_ALSO) job.also = floats(argument(f, next++));
	float *panels = NULL;
	job.w_apart = c->filters;
	job.w_group = c->out;
	if (!c->depth && c->out % LANES != 0) {
		job.w = panels = panelled(c, job.w, &job.w_apart, &job.w_group);
		job.failed = panels == NULL;
	}
	job.by = divide(c, &p, TILE, 2 * LANES, together(c, &p));
	if (!job.failed) gradbook_parallel(&p, job.by.n, conv_forward_part, &job);
	free(panels);
	return job.failed ? gradbook_wrong(f, "no memory for a convolution") : NULL;
}
