// Compiled programs that are kept between processes, in files that Go reads and writes.
#include "pjrt_c_api.h"

#define GRADBOOK_KEY 32

// What keeps programs. The first finds one by what is compiled with which options, in memory from
// malloc, or returns null; either way it writes the key under which to keep it; an empty one means
// not to. The last is told of one that could not be loaded. real is the plugin's own table.
struct gradbook_keeper {
	char *(*find)(void *real, char *code, size_t code_size, char *options, size_t options_size, char *key, size_t *size);
	void (*keep)(void *real, char *key, char *bytes, size_t size);
	void (*refuse)(void *real, char *key);
};
extern struct gradbook_keeper gradbook_keeper;

// gradbook_keeps says whether a plugin can write programs and load them.
int gradbook_keeps(const PJRT_Api *real);

// gradbook_compile compiles a program, or loads what was kept of it.
PJRT_Error *gradbook_compile(const PJRT_Api *real, PJRT_Client_Compile_Args *args);
