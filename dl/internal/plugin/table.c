#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kept.h"
#include "table.h"

// What the calls of this thread are to do otherwise than the plugin does.
static __thread struct {
	int ahead;
	PJRT_Event **events;
	size_t n, room;
	const char *options;
	size_t options_size;
} mine;

void gradbook_ahead(void) {
	mine.ahead = 1;
	mine.n = 0;
}

size_t gradbook_behind(PJRT_Event ***events) {
	mine.ahead = 0;
	*events = mine.events;
	return mine.n;
}

void gradbook_options(const char *bytes, size_t size) {
	mine.options = bytes;
	mine.options_size = size;
}

// The event that callers get in place of one that they are not to wait for.
static char past;
#define PAST ((PJRT_Event *)&past)

static PJRT_Error *execute(const PJRT_Api *real, PJRT_LoadedExecutable_Execute_Args *args) {
	if (mine.ahead && args->device_complete_events != NULL && mine.n + args->num_devices > mine.room) {
		size_t room = 2 * (mine.n + args->num_devices);
		PJRT_Event **more = realloc(mine.events, room * sizeof *more);
		if (more != NULL) {
			mine.events = more;
			mine.room = room;
		}
	}
	PJRT_Error *failed = real->PJRT_LoadedExecutable_Execute(args);
	if (failed != NULL || !mine.ahead || args->device_complete_events == NULL || mine.n + args->num_devices > mine.room)
		return failed;
	for (size_t i = 0; i < args->num_devices; i++) {
		mine.events[mine.n++] = args->device_complete_events[i];
		args->device_complete_events[i] = PAST;
	}
	return NULL;
}

static PJRT_Error *await(const PJRT_Api *real, PJRT_Event_Await_Args *args) {
	return args->event == PAST ? NULL : real->PJRT_Event_Await(args);
}

static PJRT_Error *destroy(const PJRT_Api *real, PJRT_Event_Destroy_Args *args) {
	return args->event == PAST ? NULL : real->PJRT_Event_Destroy(args);
}

gradbook_rewriter gradbook_rewrite;

static PJRT_Error *optioned(const PJRT_Api *real, PJRT_Client_Compile_Args *args);

static PJRT_Error *compile(const PJRT_Api *real, PJRT_Client_Compile_Args *args) {
	size_t size = 0;
	char *text = gradbook_rewrite == NULL ? NULL : gradbook_rewrite(args->program->code, args->program->code_size, &size);
	if (text == NULL) return optioned(real, args);
	PJRT_Program program = *args->program;
	const PJRT_Program *before = args->program;
	program.code = text;
	program.code_size = size;
	args->program = &program;
	PJRT_Error *failed = optioned(real, args);
	args->program = before;
	free(text);
	return failed;
}

// Options are a protocol buffer: what stands behind it is merged with it.
static PJRT_Error *optioned(const PJRT_Api *real, PJRT_Client_Compile_Args *args) {
	if (mine.options == NULL) return gradbook_compile(real, args);
	size_t size = args->compile_options_size;
	char *all = malloc(size + mine.options_size);
	if (all == NULL) return gradbook_compile(real, args);
	memcpy(all, args->compile_options, size);
	memcpy(all + size, mine.options, mine.options_size);
	args->compile_options = all;
	args->compile_options_size = size + mine.options_size;
	PJRT_Error *failed = gradbook_compile(real, args);
	free(all);
	return failed;
}

// A function of the table is not told whose it is, so each plugin has functions of its own.
#define SLOTS 8
static const PJRT_Api *reals[SLOTS];
static int used;

#define SLOT(N)                                                                                                                            \
	static PJRT_Error *execute##N(PJRT_LoadedExecutable_Execute_Args *a) { return execute(reals[N], a); }                              \
	static PJRT_Error *await##N(PJRT_Event_Await_Args *a) { return await(reals[N], a); }                                               \
	static PJRT_Error *destroy##N(PJRT_Event_Destroy_Args *a) { return destroy(reals[N], a); }                                         \
	static PJRT_Error *compile##N(PJRT_Client_Compile_Args *a) { return compile(reals[N], a); }
#define OURS(N) { execute##N, await##N, destroy##N, compile##N }

SLOT(0) SLOT(1) SLOT(2) SLOT(3) SLOT(4) SLOT(5) SLOT(6) SLOT(7)

static const struct {
	PJRT_Error *(*execute)(PJRT_LoadedExecutable_Execute_Args *);
	PJRT_Error *(*await)(PJRT_Event_Await_Args *);
	PJRT_Error *(*destroy)(PJRT_Event_Destroy_Args *);
	PJRT_Error *(*compile)(PJRT_Client_Compile_Args *);
} ours[SLOTS] = { OURS(0), OURS(1), OURS(2), OURS(3), OURS(4), OURS(5), OURS(6), OURS(7) };

const char *gradbook_open(const char *path, const PJRT_Api **table, const PJRT_Api **own, void **handle) {
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (library == NULL) return dlerror();
	*handle = library;
	const PJRT_Api *(*get)(void) = (const PJRT_Api *(*)(void))dlsym(library, "GetPjrtApi");
	if (get == NULL) return "it is no PJRT plugin: it has no function GetPjrtApi";
	const PJRT_Api *real = get();
	if (real == NULL) return "its GetPjrtApi returns nothing";
	*table = *own = real;
	if (used == SLOTS || real->struct_size < offsetof(PJRT_Api, PJRT_LoadedExecutable_Execute) + sizeof(void *)) return NULL;
	PJRT_Api *copy = malloc(real->struct_size < sizeof *copy ? sizeof *copy : real->struct_size);
	if (copy == NULL) return NULL;
	memset(copy, 0, sizeof *copy);
	memcpy(copy, real, real->struct_size);
	copy->PJRT_LoadedExecutable_Execute = ours[used].execute;
	copy->PJRT_Event_Await = ours[used].await;
	copy->PJRT_Event_Destroy = ours[used].destroy;
	copy->PJRT_Client_Compile = ours[used].compile;
	reals[used++] = real;
	*table = copy;
	return NULL;
}

// report writes what an error says, and destroys it.
static void report(const PJRT_Api *table, PJRT_Error *failed, char *message, size_t size) {
	PJRT_Error_GetCode_Args code = { .struct_size = PJRT_Error_GetCode_Args_STRUCT_SIZE, .error = failed };
	PJRT_Error_Message_Args text = { .struct_size = PJRT_Error_Message_Args_STRUCT_SIZE, .error = failed };
	PJRT_Error_Destroy_Args end = { .struct_size = PJRT_Error_Destroy_Args_STRUCT_SIZE, .error = failed };
	if (table->PJRT_Error_GetCode(&code) != NULL) code.code = 0;
	table->PJRT_Error_Message(&text);
	snprintf(message, size, "PJRT error (code=%d): %.*s", (int)code.code, (int)text.message_size, text.message);
	table->PJRT_Error_Destroy(&end);
}

int gradbook_await(const PJRT_Api *table, PJRT_Event *event, char *message, size_t size) {
	PJRT_Event_Await_Args wait = { .struct_size = PJRT_Event_Await_Args_STRUCT_SIZE, .event = event };
	PJRT_Event_Destroy_Args end = { .struct_size = PJRT_Event_Destroy_Args_STRUCT_SIZE, .event = event };
	PJRT_Error *failed = table->PJRT_Event_Await(&wait);
	if (failed != NULL) report(table, failed, message, size);
	table->PJRT_Event_Destroy(&end);
	return failed != NULL;
}

int gradbook_ready(const PJRT_Api *table, PJRT_Event *event) {
	PJRT_Event_IsReady_Args args = { .struct_size = PJRT_Event_IsReady_Args_STRUCT_SIZE, .event = event };
	PJRT_Error *failed = table->PJRT_Event_IsReady(&args);
	if (failed != NULL) {
		PJRT_Error_Destroy_Args end = { .struct_size = PJRT_Error_Destroy_Args_STRUCT_SIZE, .error = failed };
		table->PJRT_Error_Destroy(&end);
		return 1; // waiting will say what is wrong
	}
	return args.is_ready;
}

// What PJRT's description has of the extension for foreign functions since version 0.115.
struct ffi_handler {
	size_t struct_size;
	const char *name;
	size_t name_size;
	void *handler;
	const char *platform;
	size_t platform_size;
	int traits;
};
struct ffi {
	PJRT_Extension_Base base;
	void *type_register, *user_data_add;
	PJRT_Error *(*register_handler)(struct ffi_handler *);
};

int gradbook_handler(const PJRT_Api *table, const char *name, void *handler, char *message, size_t size) {
	struct ffi *found = NULL;
	for (PJRT_Extension_Base *e = table->extension_start; e != NULL; e = e->next)
		if (e->type == PJRT_Extension_Type_FFI) found = (struct ffi *)e;
	if (found == NULL || found->base.struct_size < sizeof *found) {
		snprintf(message, size, "the plugin takes no foreign functions");
		return 1;
	}
	struct ffi_handler args = {
		.struct_size = offsetof(struct ffi_handler, traits) + sizeof(int),
		.name = name, .name_size = strlen(name), .handler = handler, .platform = "Host", .platform_size = 4,
	};
	PJRT_Error *failed = found->register_handler(&args);
	if (failed != NULL) report(table, failed, message, size);
	return failed != NULL;
}
