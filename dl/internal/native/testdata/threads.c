// A pool of threads that takes tasks as XLA's does, late and in any order, for the thread
// sanitizer to watch kernels divide their work: TestThreads builds and runs it.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../list.h"

static void *task(void *s) {
	ffi_schedule own = *(ffi_schedule *)s;
	free(s);
	own.task(own.data);
	return NULL;
}

static void *schedule(ffi_schedule *s) {
	ffi_schedule *copy = malloc(sizeof *copy);
	pthread_t thread;
	*copy = *s;
	if (pthread_create(&thread, NULL, task, copy) != 0) {
		free(copy);
		return s; // an error: the caller does the work
	}
	pthread_detach(thread);
	return NULL;
}

static void *threads(ffi_threads *t) {
	*t->threads = 4;
	return NULL;
}

static ffi_buffer array(int64_t *dims, int rank) {
	int64_t n = 1;
	for (int i = 0; i < rank; i++) n *= dims[i];
	float *values = malloc((size_t)n * sizeof *values);
	for (int64_t i = 0; i < n; i++) values[i] = (float)(i % 17) / 17;
	return (ffi_buffer){ .dtype = FFI_F32, .data = values, .rank = rank, .dims = dims };
}

static void run(int lanes, const char *name, int inputs, int outputs, ffi_buffer *all, int64_t *settings, int n) {
	ffi_api api = { .schedule = schedule, .threads = threads };
	ffi_array numbers = { .n = (size_t)n, .data = settings };
	void *values[] = { &numbers }, *arguments[12];
	for (int i = 0; i < inputs + outputs; i++) arguments[i] = &all[i];
	ffi_frame f = { .api = &api, .stage = FFI_EXECUTE, .args = { .n = inputs, .values = arguments }, .results = { .n = outputs, .values = arguments + inputs }, .settings = { .n = 1, .values = values } };
	for (int i = 0; gradbook_kernel(lanes, i).name != NULL; i++) {
		kernel k = gradbook_kernel(lanes, i);
		if (strcmp(k.name, name) == 0 && k.handler(&f) != NULL) printf("%s failed\n", name);
	}
}

int main(int count, char **arguments) {
	int lanes = count > 1 ? atoi(arguments[1]) : 8;
	gradbook_processors = 4;
	int64_t x[] = { 5, 9, 11, 16 }, w[] = { 3, 3, 16, 32 }, y[] = { 5, 9, 11, 32 }, same[] = { 1, 1, 1, 1, 1, 1 };
	int64_t s[] = { 7, 4, 5 }, sw[] = { 5, 128 }, su[] = { 32, 128 }, sb[] = { 128 }, state[] = { 7, 32 }, states[] = { 5, 7, 32 }, gates[] = { 4, 7, 128 };
	for (int i = 0; i < 20; i++) {
		ffi_buffer images = array(x, 4), window = array(w, 4), result = array(y, 4);
		run(lanes, "conv_forward", 2, 1, (ffi_buffer[]){ images, window, result }, same, 6);
		run(lanes, "conv_input", 2, 1, (ffi_buffer[]){ result, window, images }, same, 6);
		run(lanes, "conv_window", 2, 1, (ffi_buffer[]){ images, result, window }, same, 6);
		int64_t dw[] = { 3, 3, 1, 32 }, few[] = { 3, 3, 16, 21 }, fy[] = { 5, 9, 11, 21 }, pooled[] = { 5, 4, 5, 32 }, bias[] = { 32 }, depth[] = { 1, 1, 1, 1, 1, 1, 1, 32, 1 };
		ffi_buffer deep = array(dw, 4), narrow = array(few, 4), out = array(fy, 4), again = array(y, 4), other = array(y, 4), most = array(pooled, 4), back = array(pooled, 4), sums = array(bias, 1);
		run(lanes, "conv_forward", 3, 1, (ffi_buffer[]){ result, deep, sums, again }, depth, 9);
		run(lanes, "conv_input", 2, 1, (ffi_buffer[]){ result, deep, again }, depth, 8);
		run(lanes, "conv_window", 2, 1, (ffi_buffer[]){ result, again, deep }, depth, 8);
		run(lanes, "conv_forward", 2, 1, (ffi_buffer[]){ images, narrow, out }, same, 6);
		run(lanes, "conv_window", 2, 1, (ffi_buffer[]){ images, out, narrow }, same, 6);
		int64_t quads[] = { 37, 32, 4 }, dense[] = { 41, 32, 4 }, row[] = { 1, 1, 3, 160 }, few_y[] = { 1, 1, 3, 32 }, plain[] = { 3, 3, 1, 1, 1, 1, 1, 1, 0, 3, 0x42c80000, 3 };
		ffi_buffer whole = array(quads, 3), product = array(dense, 3), rows = array(row, 4), rows_y = array(few_y, 4), factor = array(bias, 1);
		run(lanes, "quant", 4, 1, (ffi_buffer[]){ images, whole, factor, factor, result }, plain, 12);
		plain[0] = plain[1] = 1;
		plain[6] = plain[7] = 0;
		plain[11] = 1;
		run(lanes, "quant", 4, 1, (ffi_buffer[]){ rows, product, factor, factor, rows_y }, plain, 12);
		int64_t twos[] = { 2, 2, 2, 2, 0, 0 };
		run(lanes, "pool_max", 1, 1, (ffi_buffer[]){ result, most }, twos, 6);
		run(lanes, "pool_back", 3, 2, (ffi_buffer[]){ result, most, back, again, sums }, twos, 6);
		run(lanes, "pool_pick", 3, 1, (ffi_buffer[]){ result, most, again, back }, twos, 6);
		int64_t one[] = { 1 };
		ffi_buffer scale = array(bias, 1), shift = array(bias, 1), epsilon = array(one, 1), mean = array(bias, 1), variance = array(bias, 1);
		run(lanes, "norm_moments", 1, 2, (ffi_buffer[]){ result, mean, variance }, same, 0);
		run(lanes, "norm_apply", 6, 1, (ffi_buffer[]){ result, mean, variance, scale, shift, epsilon, again }, (int64_t[]){ 2 }, 1);
		run(lanes, "norm_back", 7, 3, (ffi_buffer[]){ result, again, other, scale, mean, variance, epsilon, again, sums, shift }, (int64_t[]){ 2 }, 1);
		run(lanes, "relu_back", 2, 2, (ffi_buffer[]){ result, again, other, sums }, twos, 0);
		ffi_buffer q = array(s, 3), a = array(sw, 2), u = array(su, 2), b = array(sb, 1), h = array(state, 2), c = array(state, 2), hs = array(states, 3), cs = array(states, 3), g = array(gates, 3), dz = array(gates, 3);
		run(lanes, "lstm_forward", 6, 3, (ffi_buffer[]){ q, a, u, b, h, c, hs, cs, g }, same, 0);
		run(lanes, "lstm_infer", 6, 2, (ffi_buffer[]){ q, a, u, b, h, c, h, c }, same, 0);
		run(lanes, "lstm_backward", 6, 3, (ffi_buffer[]){ q, u, cs, g, h, c, dz, h, c }, (int64_t[]){ 0, 0 }, 2);
		run(lanes, "lstm_weights", 4, 3, (ffi_buffer[]){ q, u, hs, dz, a, u, b }, same, 0);
		run(lanes, "lstm_input", 4, 1, (ffi_buffer[]){ q, u, a, dz, q }, same, 0);
		int64_t gw[] = { 5, 96 }, gu[] = { 32, 96 }, gb[] = { 96 };
		ffi_buffer ga = array(gw, 2), gru = array(gu, 2), gx = array(gb, 1), gh = array(gb, 1);
		run(lanes, "gru_forward", 6, 2, (ffi_buffer[]){ q, ga, gru, gx, gh, h, hs, g }, same, 0);
		run(lanes, "gru_infer", 6, 1, (ffi_buffer[]){ q, ga, gru, gx, gh, h, c }, same, 0);
		run(lanes, "gru_backward", 5, 2, (ffi_buffer[]){ q, gru, hs, g, h, dz, c }, (int64_t[]){ 0, 0 }, 2);
		run(lanes, "gru_weights", 4, 4, (ffi_buffer[]){ q, gru, hs, dz, ga, gru, gx, gh }, same, 0);
		run(lanes, "gru_input", 4, 1, (ffi_buffer[]){ q, gru, ga, dz, q }, same, 0);
		int64_t rw[] = { 5, 64 }, ru[] = { 64, 64 }, rb[] = { 64 }, rh[] = { 7, 64 }, rhs[] = { 5, 7, 64 }, rz[] = { 4, 7, 64 };
		ffi_buffer sw1 = array(rw, 2), su1 = array(ru, 2), sb1 = array(rb, 1), sh = array(rh, 2), shs = array(rhs, 3), sz = array(rz, 3);
		run(lanes, "simple_forward", 5, 1, (ffi_buffer[]){ q, sw1, su1, sb1, sh, shs }, same, 0);
		run(lanes, "simple_infer", 5, 1, (ffi_buffer[]){ q, sw1, su1, sb1, sh, sh }, same, 0);
		run(lanes, "simple_backward", 4, 2, (ffi_buffer[]){ q, su1, shs, sh, sz, sh }, (int64_t[]){ 0, 0 }, 2);
		run(lanes, "simple_weights", 4, 3, (ffi_buffer[]){ q, su1, shs, sz, sw1, su1, sb1 }, same, 0);
		run(lanes, "simple_input", 4, 1, (ffi_buffer[]){ q, su1, sw1, sz, q }, same, 0);
		ffi_buffer all[] = { sw1, su1, sb1, sh, shs, sz, scale, shift, epsilon, mean, variance, deep, narrow, out, again, other, most, back, sums, ga, gru, gx, gh, images, window, result, q, a, u, b, h, c, hs, cs, g, dz };
		for (size_t k = 0; k < sizeof all / sizeof *all; k++) free(all[k].data);
	}
	puts("done");
	return 0;
}
