// The functions of PJRT's table that are replaced, for Go.
#include "pjrt_c_api.h"

// gradbook_open loads a plugin, which stays loaded, and makes a table of its functions
// with ours in place of some; own is the plugin's. It returns what is wrong, or null.
const char *gradbook_open(const char *path, const PJRT_Api **table, const PJRT_Api **own, void **handle);

// What follows is about the calls of one thread.

// gradbook_ahead has executing not wait for the devices, until gradbook_behind gives the
// events that say when they are done, one for each device of each execution.
void gradbook_ahead(void);
size_t gradbook_behind(PJRT_Event ***events);

// gradbook_options adds bytes to the options that programs are compiled with; null ends it.
void gradbook_options(const char *bytes, size_t size);

// gradbook_await waits for an event and destroys it. What is wrong is written into message.
int gradbook_await(const PJRT_Api *table, PJRT_Event *event, char *message, size_t size);
// gradbook_ready says whether an event has come to pass.
int gradbook_ready(const PJRT_Api *table, PJRT_Event *event);

// gradbook_handler makes a handler of XLA's foreign function interface known to a plugin, for
// programs on the CPU to call by a name. It returns 0, or what is wrong in message.
int gradbook_handler(const PJRT_Api *table, const char *name, void *handler, char *message, size_t size);

// gradbook_rewriter is given each program's text before it is compiled, and returns another in its
// place, in memory from malloc, or null to leave it.
typedef char *(*gradbook_rewriter)(char *text, size_t size, size_t *new_size);
extern gradbook_rewriter gradbook_rewrite;
