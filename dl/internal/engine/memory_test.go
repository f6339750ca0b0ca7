package engine

import (
	"errors"
	"testing"

	"github.com/gradbook/gradbook/dl/internal/device"
)

// TestShortage: what XLA's allocators say, on GPUs and CPUs, in several versions.
func TestShortage(t *testing.T) {
	d := &device.Device{Kind: "cpu"}
	for text, want := range map[string]uint64{
		"PJRT error (code=8): Out of memory while trying to allocate 34359738368 bytes.":                                             32 << 30,
		"PJRT error (code=8): Out of memory while trying to allocate 1.50GiB. [tf-allocator-allocation-error='']":                    3 << 29,
		"PJRT error (code=8): RESOURCE_EXHAUSTED: Failed to allocate request for 12.00MiB (12582912B) on device ordinal 0":           12 << 20,
		"PJRT error (code=8): Out of memory allocating 4398046511104 bytes.":                                                         4 << 40,
		"PJRT error (code=8): Failed to allocate 536870912 bytes for the context: CUDA_ERROR_OUT_OF_MEMORY: out of memory":           512 << 20,
		"while compiling: PJRT error (code=13): INTERNAL: RET_CHECK failure ... RESOURCE_EXHAUSTED: Out of memory allocating 2KiB ,": 2 << 10,
	} {
		var e *OutOfMemoryError
		if err := shortage(d, errors.New(text)); !errors.As(err, &e) || want > 0 && e.Wanted != want {
			t.Errorf("%s: expected %d bytes, got %+v", text, want, err)
		}
	}
	other := errors.New("PJRT error (code=3): INVALID_ARGUMENT: allocated 8 bytes, expected 4")
	if err := shortage(d, other); !errors.Is(err, other) || errors.As(err, new(*OutOfMemoryError)) {
		t.Errorf("another error: got %v", err)
	}
	if err := shortage(d, nil); err != nil {
		t.Errorf("no error: got %v", err)
	}
}

// TestOutOfMemory: who knows first what the memory was for says it.
func TestOutOfMemory(t *testing.T) {
	err := shortage(&device.Device{Kind: "cpu"}, errors.New("Out of memory allocating 3221225472 bytes"))
	err = OutOfMemory(err, "a batch of 512 examples", "lower the batch size")
	err = OutOfMemory(err, "the model", "do something else")
	const want = "out of memory on cpu: 3.0 GiB more were wanted for a batch of 512 examples; lower the batch size"
	if err.Error() != want {
		t.Errorf("expected %q, got %q", want, err)
	}
}
