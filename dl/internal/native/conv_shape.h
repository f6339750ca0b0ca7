// What a convolution goes over, and how it is divided.

typedef struct {
	int64_t batch, height, width, channels;    // of the images
	int64_t rows, columns, filters;            // of the result
	int64_t window[2], stride[2], dilation[2], before[2];
	int64_t groups, in, out; // channels and filters of a group
	int depth, relu;         // depth: each channel is a group of one filter
} conv;

// flat makes one row of an image, if the window is one place that goes over all. It says whether.
INLINE int flat(conv *c) {
	if (c->window[0] != 1 || c->window[1] != 1 || c->stride[0] != 1 || c->stride[1] != 1 || c->rows != c->height || c->columns != c->width || c->before[0] != 0 || c->before[1] != 0) return 0;
	c->width *= c->height;
	c->columns = c->width;
	c->height = c->rows = 1;
	return 1;
}

// reach is how many places of an axis so many places of the result see.
INLINE int64_t reach(const conv *c, int axis, int64_t places) { return (places - 1) * c->stride[axis] + (c->window[axis] - 1) * c->dilation[axis] + 1; }

// bordered says whether the result sees zeros around the images.
INLINE int bordered(const conv *c) {
	return c->before[0] != 0 || c->before[1] != 0 || reach(c, 0, c->rows) > c->height || reach(c, 1, c->columns) > c->width;
}

// A chunk is some rows and columns of one image's result.
typedef struct {
	int64_t size[2], times[2]; // of a chunk, and how many there are in an image
	int n;                     // in all images
} chunks;

typedef struct {
	int64_t image, from[2], size[2];
} chunk;

// divide divides images, if there are not enough of them for all threads: by rows, and where these
// are few by columns, of which a tile wants so many.
INLINE chunks divide(const conv *c, const pool *p, int64_t tile) {
	int64_t want = p->threads == 1 ? 1 : (4 * p->threads + c->batch - 1) / c->batch;
	int64_t length[2] = { c->rows, c->columns / tile + 1 };
	int64_t pieces[2] = { want < length[0] ? want : length[0], 1 };
	pieces[1] = want / pieces[0] < length[1] ? want / pieces[0] : length[1];
	length[1] = c->columns;
	chunks all;
	for (int i = 0; i < 2; i++) {
		all.size[i] = (length[i] + pieces[i] - 1) / pieces[i];
		all.times[i] = (length[i] + all.size[i] - 1) / all.size[i];
	}
	all.n = (int)(c->batch * all.times[0] * all.times[1]);
	return all;
}

INLINE chunk chunk_at(const conv *c, const chunks *all, int i) {
	chunk one = { i / (all->times[0] * all->times[1]), { i / all->times[1] % all->times[0] * all->size[0], i % all->times[1] * all->size[1] }, { all->size[0], all->size[1] } };
	if (c->rows - one.from[0] < one.size[0]) one.size[0] = c->rows - one.from[0];
	if (c->columns - one.from[1] < one.size[1]) one.size[1] = c->columns - one.from[1];
	return one;
}
