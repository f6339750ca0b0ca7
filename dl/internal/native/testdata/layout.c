// Compares the declarations of ffi.h with XLA's own: it compiles if they agree.
#include "../ffi.h"
#include "xla/ffi/api/c_api.h"

#define SIZE(ours, theirs) _Static_assert(sizeof(ours) == sizeof(theirs), #ours)
#define FIELD(ours, a, theirs, b) _Static_assert(offsetof(ours, a) == offsetof(theirs, b) && sizeof(((ours *)0)->a) == sizeof(((theirs *)0)->b), #ours "." #a)

_Static_assert(FFI_EXECUTE == XLA_FFI_ExecutionStage_EXECUTE && FFI_METADATA == XLA_FFI_Extension_Metadata && FFI_F32 == XLA_FFI_DataType_F32 && FFI_S8 == XLA_FFI_DataType_S8 && FFI_MAJOR == XLA_FFI_API_MAJOR && FFI_MINOR == XLA_FFI_API_MINOR, "numbers");
SIZE(ffi_extension, XLA_FFI_Extension_Base);
FIELD(ffi_extension, type, XLA_FFI_Extension_Base, type);
FIELD(ffi_extension, next, XLA_FFI_Extension_Base, next);
SIZE(ffi_buffer, XLA_FFI_Buffer);
FIELD(ffi_buffer, dtype, XLA_FFI_Buffer, dtype);
FIELD(ffi_buffer, data, XLA_FFI_Buffer, data);
FIELD(ffi_buffer, rank, XLA_FFI_Buffer, rank);
FIELD(ffi_buffer, dims, XLA_FFI_Buffer, dims);
SIZE(ffi_values, XLA_FFI_Args);
FIELD(ffi_values, n, XLA_FFI_Args, size);
FIELD(ffi_values, values, XLA_FFI_Args, args);
FIELD(ffi_values, values, XLA_FFI_Rets, rets);
SIZE(ffi_array, XLA_FFI_Array);
FIELD(ffi_array, n, XLA_FFI_Array, size);
FIELD(ffi_array, data, XLA_FFI_Array, data);
SIZE(ffi_settings, XLA_FFI_Attrs);
FIELD(ffi_settings, n, XLA_FFI_Attrs, size);
FIELD(ffi_settings, values, XLA_FFI_Attrs, attrs);
FIELD(ffi_frame, extensions, XLA_FFI_CallFrame, extension_start);
FIELD(ffi_frame, api, XLA_FFI_CallFrame, api);
FIELD(ffi_frame, context, XLA_FFI_CallFrame, ctx);
FIELD(ffi_frame, stage, XLA_FFI_CallFrame, stage);
FIELD(ffi_frame, args, XLA_FFI_CallFrame, args);
FIELD(ffi_frame, results, XLA_FFI_CallFrame, rets);
FIELD(ffi_frame, settings, XLA_FFI_CallFrame, attrs);
SIZE(ffi_version, XLA_FFI_Api_Version);
FIELD(ffi_version, major, XLA_FFI_Api_Version, major_version);
FIELD(ffi_version, minor, XLA_FFI_Api_Version, minor_version);
FIELD(ffi_metadata, version, XLA_FFI_Metadata, api_version);
FIELD(ffi_metadata, traits, XLA_FFI_Metadata, traits);
FIELD(ffi_asks, metadata, XLA_FFI_Metadata_Extension, metadata);
SIZE(ffi_schedule, XLA_FFI_ThreadPool_Schedule_Args);
FIELD(ffi_schedule, context, XLA_FFI_ThreadPool_Schedule_Args, ctx);
FIELD(ffi_schedule, task, XLA_FFI_ThreadPool_Schedule_Args, task);
FIELD(ffi_schedule, data, XLA_FFI_ThreadPool_Schedule_Args, data);
SIZE(ffi_threads, XLA_FFI_ThreadPool_NumThreads_Args);
FIELD(ffi_threads, threads, XLA_FFI_ThreadPool_NumThreads_Args, num_threads);
FIELD(ffi_create_error, message, XLA_FFI_Error_Create_Args, message);
FIELD(ffi_create_error, code, XLA_FFI_Error_Create_Args, errc);
FIELD(ffi_api, version, XLA_FFI_Api, api_version);
FIELD(ffi_api, create_error, XLA_FFI_Api, XLA_FFI_Error_Create);
FIELD(ffi_api, schedule, XLA_FFI_Api, XLA_FFI_ThreadPool_Schedule);
FIELD(ffi_api, threads, XLA_FFI_Api, XLA_FFI_ThreadPool_NumThreads);

int main(void) { return 0; }
