// What a handler needs of XLA's foreign function interface, in declarations of our own; a test
// compares them with XLA's.
//
// Source: https://github.com/openxla/xla/blob/main/xla/ffi/api/c_api.h
#ifndef GRADBOOK_FFI_H
#define GRADBOOK_FFI_H

#include <stddef.h>
#include <stdint.h>

enum { FFI_MAJOR = 0, FFI_MINOR = 3 };
enum { FFI_EXECUTE = 3 };  // the stage in which arguments have values
enum { FFI_METADATA = 1 }; // the extension that asks for the version
enum { FFI_S8 = 2, FFI_F32 = 11 };

typedef struct ffi_extension {
	size_t size;
	int type;
	struct ffi_extension *next;
} ffi_extension;

typedef struct {
	size_t size;
	ffi_extension *extensions;
	int dtype;
	void *data;
	int64_t rank;
	int64_t *dims;
} ffi_buffer;

typedef struct {
	size_t size;
	ffi_extension *extensions;
	int64_t n;
	int *types;
	void **values; // ffi_buffer
} ffi_values;

typedef struct {
	const char *text;
	size_t size;
} ffi_span;

typedef struct {
	int dtype;
	size_t n;
	void *data;
} ffi_array;

typedef struct {
	size_t size;
	ffi_extension *extensions;
	int64_t n;
	int *types;
	ffi_span **names;
	void **values; // an ffi_array for an array
} ffi_settings;

typedef struct ffi_api ffi_api;

typedef struct {
	size_t size;
	ffi_extension *extensions;
	const ffi_api *api;
	void *context;
	int stage;
	ffi_values args, results;
	ffi_settings settings;
	void *future;
} ffi_frame;

typedef struct {
	size_t size;
	ffi_extension *extensions;
	int major, minor;
} ffi_version;

typedef struct {
	size_t size;
	ffi_version version;
	uint32_t traits;
} ffi_metadata;

typedef struct {
	ffi_extension base;
	ffi_metadata *metadata;
} ffi_asks;

typedef struct {
	size_t size;
	ffi_extension *extensions;
	void *context;
	void (*task)(void *);
	void *data;
} ffi_schedule;

typedef struct {
	size_t size;
	ffi_extension *extensions;
	void *context;
	int64_t *threads;
} ffi_threads;

typedef struct {
	size_t size;
	ffi_extension *extensions;
	const char *message;
	int code;
} ffi_create_error;

struct ffi_api {
	size_t size;
	ffi_extension *extensions;
	ffi_version version;
	const void *internal;
	void *(*create_error)(ffi_create_error *);
	void *others[10]; // up to ThreadPool_Schedule
	void *(*schedule)(ffi_schedule *);
	void *(*threads)(ffi_threads *);
};

typedef void *ffi_handler(ffi_frame *);

#endif
