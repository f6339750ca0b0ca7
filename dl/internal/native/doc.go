// Package native has kernels of our own, in C, for what XLA's CPU compiler makes slow programs of.
//
// A program calls them as XLA's foreign functions: the plugin is told their addresses when it is
// opened (Enable), a graph gets a call by Call, and package plugin turns that into XLA's custom
// call when the program is compiled. A call takes 5 µs; inputs and outputs are XLA's buffers, and
// threads are those of XLA's pool, so that no more run than it has.
//
// The kernels are written once, in vectors of GCC's and Clang's, and compiled for each set of
// instructions: AVX-512, AVX2 and NEON. Which one is used is decided when the program runs
// (GRADBOOK_NATIVE=avx2, say, takes that one, off none). They take float32 and shapes that
// fit; layers ask For, and build XLA's own graph where it is 0: on other processors and devices,
// with other plugins, of other types. Both compute the same but for rounding, which the tests
// compare for every case of parity with Keras.
//
// Weights of whole numbers (quant.h) go to the kernels in an order of their own, which Pack makes when they are
// moved to the device. Their sums are exact, so that each set of instructions comes to the same numbers; which of
// a processor's instructions for products of bytes there are is found out apart from the sets.
//
// What each kernel computes has a twin in plain Go, in the tests.
package native
