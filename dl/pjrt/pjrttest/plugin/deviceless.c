// Compiles a program for a GPU that is not there, with a plugin for GPUs. XLA_FLAGS say what
// it writes down of that.
//
//	deviceless PLUGIN TARGET TOPOLOGY PROGRAM OPTIONS
//
// TARGET is a file that describes the GPU, TOPOLOGY how many there are, as 1x1x2; PROGRAM and
// OPTIONS are files that a plugin would get.
//
// Source: https://github.com/openxla/xla/pull/16913

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pjrt_c_api.h"

static const PJRT_Api *api;

static void check(PJRT_Error *failed, const char *what) {
	if (failed == NULL) return;
	PJRT_Error_Message_Args text = {.struct_size = PJRT_Error_Message_Args_STRUCT_SIZE, .error = failed};
	api->PJRT_Error_Message(&text);
	fprintf(stderr, "%s: %.*s\n", what, (int)text.message_size, text.message);
	exit(1);
}

static char *contentOf(const char *path, size_t *size) {
	FILE *f = fopen(path, "r");
	if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
		perror(path);
		exit(1);
	}
	*size = ftell(f);
	rewind(f);
	char *content = malloc(*size + 1);
	*size = fread(content, 1, *size, f);
	fclose(f);
	return content;
}

static PJRT_NamedValue text(const char *name, const char *value, size_t size) {
	return (PJRT_NamedValue){
		.struct_size = PJRT_NamedValue_STRUCT_SIZE, .name = name, .name_size = strlen(name),
		.type = PJRT_NamedValue_kString, .string_value = value, .value_size = size,
	};
}

int main(int count, char **args) {
	if (count != 6) {
		fprintf(stderr, "usage: deviceless PLUGIN TARGET TOPOLOGY PROGRAM OPTIONS\n");
		return 2;
	}
	void *library = dlopen(args[1], RTLD_LAZY | RTLD_LOCAL);
	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	api = ((const PJRT_Api *(*)(void))dlsym(library, "GetPjrtApi"))();
	PJRT_Plugin_Initialize_Args begin = {.struct_size = PJRT_Plugin_Initialize_Args_STRUCT_SIZE};
	check(api->PJRT_Plugin_Initialize(&begin), "initialize");

	size_t targetSize, programSize, optionsSize;
	char *target = contentOf(args[2], &targetSize), *code = contentOf(args[4], &programSize), *options = contentOf(args[5], &optionsSize);
	PJRT_NamedValue named[] = {text("target_config", target, targetSize), text("topology", args[3], strlen(args[3]))};
	PJRT_TopologyDescription_Create_Args topology = {
		.struct_size = PJRT_TopologyDescription_Create_Args_STRUCT_SIZE, .topology_name = "", .create_options = named, .num_options = 2,
	};
	check(api->PJRT_TopologyDescription_Create(&topology), "topology");
	PJRT_Program program = {.struct_size = PJRT_Program_STRUCT_SIZE, .code = code, .code_size = programSize, .format = "mlir", .format_size = 4};
	PJRT_Compile_Args compile = {
		.struct_size = PJRT_Compile_Args_STRUCT_SIZE, .topology = topology.topology, .program = &program,
		.compile_options = options, .compile_options_size = optionsSize,
	};
	check(api->PJRT_Compile(&compile), "compile");
	return 0;
}
