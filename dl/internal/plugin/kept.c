#include <stddef.h>
#include <stdlib.h>
#include "kept.h"

struct gradbook_keeper gradbook_keeper;

static void forget(const PJRT_Api *real, PJRT_Error *failed) {
	PJRT_Error_Destroy_Args end = { .struct_size = PJRT_Error_Destroy_Args_STRUCT_SIZE, .error = failed };
	real->PJRT_Error_Destroy(&end);
}

int gradbook_keeps(const PJRT_Api *real) {
	return real->struct_size >= offsetof(PJRT_Api, PJRT_Executable_DeserializeAndLoad) + sizeof(void *) &&
		real->PJRT_Executable_Serialize != NULL && real->PJRT_Executable_DeserializeAndLoad != NULL;
}

// keep writes a program for gradbook_keeper. One that cannot be is not kept.
static void keep(const PJRT_Api *real, PJRT_LoadedExecutable *loaded, char *key) {
	PJRT_LoadedExecutable_GetExecutable_Args get = {
		.struct_size = PJRT_LoadedExecutable_GetExecutable_Args_STRUCT_SIZE, .loaded_executable = loaded,
	};
	PJRT_Error *failed = real->PJRT_LoadedExecutable_GetExecutable(&get);
	if (failed != NULL) {
		forget(real, failed);
		return;
	}
	PJRT_Executable_Serialize_Args out = {
		.struct_size = PJRT_Executable_Serialize_Args_STRUCT_SIZE, .executable = get.executable,
	};
	failed = real->PJRT_Executable_Serialize(&out);
	if (failed != NULL) {
		forget(real, failed);
	} else {
		gradbook_keeper.keep((void *)real, key, (char *)out.serialized_bytes, out.serialized_bytes_size);
		out.serialized_executable_deleter(out.serialized_executable);
	}
	PJRT_Executable_Destroy_Args end = { .struct_size = PJRT_Executable_Destroy_Args_STRUCT_SIZE, .executable = get.executable };
	failed = real->PJRT_Executable_Destroy(&end);
	if (failed != NULL) forget(real, failed);
}

PJRT_Error *gradbook_compile(const PJRT_Api *real, PJRT_Client_Compile_Args *args) {
	if (gradbook_keeper.find == NULL) return real->PJRT_Client_Compile(args);
	char key[GRADBOOK_KEY] = { 0 };
	size_t size = 0;
	char *found = gradbook_keeper.find((void *)real, args->program->code, args->program->code_size,
		(char *)args->compile_options, args->compile_options_size, key, &size);
	if (found != NULL) {
		PJRT_Executable_DeserializeAndLoad_Args load = {
			.struct_size = PJRT_Executable_DeserializeAndLoad_Args_STRUCT_SIZE, .client = args->client,
			.serialized_executable = found, .serialized_executable_size = size,
		};
		PJRT_Error *failed = real->PJRT_Executable_DeserializeAndLoad(&load);
		free(found);
		if (failed == NULL) {
			args->executable = load.loaded_executable;
			return NULL;
		}
		forget(real, failed);
		gradbook_keeper.refuse((void *)real, key);
	}
	PJRT_Error *failed = real->PJRT_Client_Compile(args);
	if (failed == NULL && key[0] != 0) keep(real, args->executable, key);
	return failed;
}
