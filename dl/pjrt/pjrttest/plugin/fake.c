// A PJRT plugin for tests, which fails in one of several ways (FAIL), or is the
// plugin of the CPU under another name. It writes the options that it is opened
// with to the file named by FAKE_OPTIONS.
//
// Interface: https://github.com/openxla/xla/blob/main/xla/pjrt/c/pjrt_c_api.h

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pjrt_c_api.h"

#define WORKS 0
#define MISSING_LIBRARY 1 // the linker sees to it
#define WRONG_VERSION 2
#define NO_DEVICE 3
#define OUT_OF_MEMORY 4
#define CRASH 5
#define HANG 6
#define STEP_OUT_OF_MEMORY 7

static PJRT_Api api; // the real one's, with some functions replaced
static const PJRT_Api *real;

// An error of our own, which is told apart from real ones by its address.
static struct { PJRT_Error_Code code; const char *message; } failure;

static PJRT_Error *fail(PJRT_Error_Code code, const char *message) {
	failure.code = code;
	failure.message = message;
	return (PJRT_Error *)&failure;
}

static void destroyError(PJRT_Error_Destroy_Args *args) {
	if ((void *)args->error != &failure) real->PJRT_Error_Destroy(args);
}

static void errorMessage(PJRT_Error_Message_Args *args) {
	if ((void *)args->error != &failure) {
		real->PJRT_Error_Message(args);
		return;
	}
	args->message = failure.message;
	args->message_size = strlen(failure.message);
}

static PJRT_Error *errorCode(PJRT_Error_GetCode_Args *args) {
	if ((void *)args->error != &failure) return real->PJRT_Error_GetCode(args);
	args->code = failure.code;
	return NULL;
}

static void writeOptions(PJRT_Client_Create_Args *args) {
	const char *path = getenv("FAKE_OPTIONS");
	FILE *f = path ? fopen(path, "w") : NULL;
	if (f == NULL) return;
	for (size_t i = 0; i < args->num_options; i++) {
		const PJRT_NamedValue *v = &args->create_options[i];
		fprintf(f, "%.*s=", (int)v->name_size, v->name);
		if (v->type == PJRT_NamedValue_kBool) fprintf(f, "%d\n", v->bool_value);
		else if (v->type == PJRT_NamedValue_kFloat) fprintf(f, "%g\n", v->float_value);
		else fprintf(f, "?\n");
	}
	fclose(f);
}

static PJRT_Error *createClient(PJRT_Client_Create_Args *args) {
	if (FAIL == NO_DEVICE)
		return fail(PJRT_Error_Code_NOT_FOUND, "no CUDA-capable device is detected");
	if (FAIL == OUT_OF_MEMORY)
		return fail(PJRT_Error_Code_RESOURCE_EXHAUSTED, "Failed to allocate 536870912 bytes for the context: CUDA_ERROR_OUT_OF_MEMORY: out of memory");
	writeOptions(args);
	args->num_options = 0; // a CPU does not know them
	return real->PJRT_Client_Create(args);
}

static PJRT_Error *execute(PJRT_LoadedExecutable_Execute_Args *args) {
	// The first programs are those that try the plugin, and may be small.
	static int calls;
	if (FAIL == STEP_OUT_OF_MEMORY && getenv("FAKE_STEPS") && calls++ >= atoi(getenv("FAKE_STEPS")))
		return fail(PJRT_Error_Code_RESOURCE_EXHAUSTED, "Out of memory while trying to allocate 34359738368 bytes.");
	return real->PJRT_LoadedExecutable_Execute(args);
}

const PJRT_Api *GetPjrtApi(void) {
	if (FAIL == CRASH) {
		fprintf(stderr, "I0000 00:00:00.000000       1 fake.c:1] opening\n");
		fprintf(stderr, "F0000 00:00:00.000000       1 fake.c:2] Check failed: the driver is not what it seems\n");
		abort();
	}
	if (FAIL == HANG) for (;;) ;
	void *library = dlopen(getenv("FAKE_REAL_PLUGIN"), RTLD_LAZY | RTLD_LOCAL);
	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		abort();
	}
	real = ((const PJRT_Api *(*)(void))dlsym(library, "GetPjrtApi"))();
	memcpy(&api, real, sizeof api < real->struct_size ? sizeof api : real->struct_size);
	if (FAIL == WRONG_VERSION) api.pjrt_api_version.minor_version = 23;
	api.PJRT_Error_Destroy = destroyError;
	api.PJRT_Error_Message = errorMessage;
	api.PJRT_Error_GetCode = errorCode;
	api.PJRT_Client_Create = createClient;
	api.PJRT_LoadedExecutable_Execute = execute;
	return &api;
}
