// A PJRT plugin for tests, which fails in one of several ways (FAIL), or is the
// plugin of the CPU, named by FAKE_REAL_PLUGIN, under another name. The environment says
// what else it does:
//
//	FAKE_OPTIONS   the file to write the options to that it is opened with
//	FAKE_PROGRAMS  the folder to write all programs to, and the options they are compiled with
//	FAKE_STEPS     how many programs are executed before there is no memory for more
//	FAKE_LATE      from which program on, counted from when it is set, they fail after they were begun
//	FAKE_MEMORY    how many bytes a program may need beside its inputs and outputs
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

static void writeFile(const char *dir, int number, const char *extension, const char *content, size_t size) {
	char path[4096];
	snprintf(path, sizeof path, "%s/%d.%s", dir, number, extension);
	FILE *f = fopen(path, "w");
	if (f == NULL) return;
	fwrite(content, 1, size, f);
	fclose(f);
}

static PJRT_Error *compile(PJRT_Client_Compile_Args *args) {
	const char *dir = getenv("FAKE_PROGRAMS");
	if (dir != NULL) {
		static int number;
		int n = __atomic_add_fetch(&number, 1, __ATOMIC_SEQ_CST);
		writeFile(dir, n, "mlir", args->program->code, args->program->code_size);
		writeFile(dir, n, "options", args->compile_options, args->compile_options_size);
	}
	// A CPU does not know options for GPUs, which stand behind the others.
	PJRT_Client_Compile_Args own = *args;
	for (size_t i = 0; i + 8 < own.compile_options_size; i++) {
		if (memcmp(own.compile_options + i, "xla_gpu_", 8) == 0) {
			own.compile_options_size = i - 4; // tags and lengths of a map's entry and its key
			break;
		}
	}
	PJRT_Error *failed = real->PJRT_Client_Compile(&own);
	args->executable = own.executable;
	return failed;
}

// scratch is how many bytes a program needs beside its inputs and outputs.
static long long scratch(PJRT_LoadedExecutable *loaded) {
	PJRT_LoadedExecutable_GetExecutable_Args get = {.struct_size = PJRT_LoadedExecutable_GetExecutable_Args_STRUCT_SIZE, .loaded_executable = loaded};
	if (real->PJRT_LoadedExecutable_GetExecutable(&get) != NULL) return 0;
	PJRT_Executable_GetCompiledMemoryStats_Args stats = {.struct_size = PJRT_Executable_GetCompiledMemoryStats_Args_STRUCT_SIZE, .executable = get.executable};
	if (real->PJRT_Executable_GetCompiledMemoryStats(&stats) != NULL) stats.temp_size_in_bytes = 0;
	PJRT_Executable_Destroy_Args end = {.struct_size = PJRT_Executable_Destroy_Args_STRUCT_SIZE, .executable = get.executable};
	real->PJRT_Executable_Destroy(&end);
	return stats.temp_size_in_bytes;
}

// Events of programs that fail late; few are under way at once.
static PJRT_Event *late[64];
static int lates;

static PJRT_Error *execute(PJRT_LoadedExecutable_Execute_Args *args) {
	// The first programs are those that try the plugin, and may be small.
	static int calls, begun;
	if (FAIL == STEP_OUT_OF_MEMORY && getenv("FAKE_STEPS") && calls++ >= atoi(getenv("FAKE_STEPS")))
		return fail(PJRT_Error_Code_RESOURCE_EXHAUSTED, "Out of memory while trying to allocate 34359738368 bytes.");
	if (getenv("FAKE_MEMORY")) {
		static char message[100];
		long long bytes = scratch(args->executable);
		snprintf(message, sizeof message, "Out of memory while trying to allocate %lld bytes.", bytes);
		if (bytes > atoll(getenv("FAKE_MEMORY"))) return fail(PJRT_Error_Code_RESOURCE_EXHAUSTED, message);
	}
	PJRT_Error *failed = real->PJRT_LoadedExecutable_Execute(args);
	if (getenv("FAKE_LATE") == NULL) begun = 0;
	else if (failed == NULL && ++begun >= atoi(getenv("FAKE_LATE")))
		late[lates++ % 64] = args->device_complete_events[0];
	return failed;
}

static PJRT_Error *await(PJRT_Event_Await_Args *args) {
	PJRT_Error *failed = real->PJRT_Event_Await(args);
	if (failed != NULL) return failed;
	for (int i = 0; i < 64; i++) {
		if (late[i] == NULL || late[i] != args->event) continue;
		late[i] = NULL;
		return fail(PJRT_Error_Code_INTERNAL, "an illegal memory access was encountered");
	}
	return NULL;
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
	api.PJRT_Client_Compile = compile;
	api.PJRT_LoadedExecutable_Execute = execute;
	api.PJRT_Event_Await = await;
	return &api;
}
