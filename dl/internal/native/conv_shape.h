// What a convolution goes over, and how it is divided.

typedef struct {
	int64_t batch, height, width, channels;    // of the images
	int64_t rows, columns, filters;            // of the result
	int64_t window[2], stride[2], dilation[2], before[2];
	int64_t groups, in, out; // channels and filters of a group
	int depth, after;        // depth: each channel is a group of one filter
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

// heavy says whether the weights do not fit into a processor's second cache.
INLINE int heavy(const conv *c) { return c->window[0] * c->window[1] * c->in * c->filters > 1 << 18; }

// together is how many images are computed at once, so that heavy weights are read for all of them: as few as
// leave each thread several times.
INLINE int64_t together(const conv *c, const pool *p) {
	int64_t most = c->batch / (2 * p->threads);
	return !heavy(c) || most < 1 ? 1 : most < 4 ? most : 4;
}

// A chunk is some rows, columns and filters of one image's result, or of those of some images.
typedef struct {
	int64_t size[3], times[3]; // of a chunk, and how many there are in an image
	int64_t images;            // at once
	int n;                     // of all images
} chunks;

typedef struct {
	int64_t image, images, from[3], size[3];
} chunk;

// divide divides images, if there are not enough of them for all threads: by filters, blocks of which stay
// together, where there are more weights than numbers in an image, so that no weight is read twice; else by
// rows, and where these are few by columns, of which a tile wants so many.
INLINE chunks divide(const conv *c, const pool *p, int64_t tile, int64_t block, int64_t images) {
	int64_t want = p->threads == 1 ? 1 : (4 * p->threads + c->batch - 1) / c->batch, weights = c->window[0] * c->window[1] * c->channels * c->filters;
	int64_t length[3] = { c->rows, c->columns / tile + 1, c->groups == 1 && weights > c->height * c->width * c->channels ? (c->filters + block - 1) / block : 1 };
	int64_t pieces[3];
	const int order[3] = { 2, 0, 1 };
	for (int i = 0; i < 3; i++) {
		int axis = order[i];
		pieces[axis] = want < length[axis] ? want : length[axis];
		want /= pieces[axis];
	}
	length[1] = c->columns;
	chunks all = { .images = images };
	all.n = (int)((c->batch + all.images - 1) / all.images);
	for (int i = 0; i < 3; i++) {
		all.size[i] = (length[i] + pieces[i] - 1) / pieces[i];
		all.times[i] = (length[i] + all.size[i] - 1) / all.size[i];
		all.n *= (int)all.times[i];
	}
	all.size[2] = all.times[2] == 1 ? c->filters : all.size[2] * block;
	return all;
}

INLINE chunk chunk_at(const conv *c, const chunks *all, int i) {
	const int64_t most[3] = { c->rows, c->columns, c->filters };
	chunk one;
	for (int axis = 2; axis >= 0; axis--) {
		one.from[axis] = i % all->times[axis] * all->size[axis];
		one.size[axis] = most[axis] - one.from[axis] < all->size[axis] ? most[axis] - one.from[axis] : all->size[axis];
		i /= (int)all->times[axis];
	}
	one.image = i * all->images;
	one.images = c->batch - one.image < all->images ? c->batch - one.image : all->images;
	return one;
}
