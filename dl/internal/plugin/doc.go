// Package plugin stands between GoMLX and XLA's plugin. go-xla calls a plugin by a table
// of functions, and waits for whatever a device does; some of the table are replaced here,
// so that a program can be executed ahead of the device, and compiled with options of its
// own. On other systems than Linux and macOS, go-xla loads the plugin itself, and waits.
//
// pjrt_c_api.h is OpenXLA's, as go-xla has it: https://openxla.org/xla/pjrt
package plugin
