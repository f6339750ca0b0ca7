package dl

import (
	"errors"
	"slices"
	"testing"

	"github.com/gradbook/gradbook/dl/pjrt"
	"github.com/gradbook/gradbook/dl/pjrt/pjrttest"
)

// fakeGPU has a test compute on the CPU in the guise of a GPU, which can fail in all ways
// that pjrttest.StepOutOfMemory and the environment say. A program opens it only once.
func fakeGPU(t *testing.T) {
	t.Helper()
	if pjrt.HasGPU() {
		t.Skip("there is a GPU")
	}
	must(Device())(t) // the best there is, to go back to
	t.Cleanup(func() {
		if err := UseDevice(""); err != nil {
			t.Error(err)
		}
	})
	t.Setenv(pjrt.PathEnv, pjrttest.CUDA(t, pjrttest.StepOutOfMemory))
	if err := UseDevice("cuda"); err != nil {
		t.Fatal(err)
	}
}

// TestOutOfMemory: a device that has too little memory for a step is an error that says
// how much was wanted and what to lower, and the model is as it was before.
func TestOutOfMemory(t *testing.T) {
	fakeGPU(t)
	m, points := xorModel(t), xor(t)
	if _, err := m.Fit(t.Context(), points, FitConfig{Silent: true}); err != nil {
		t.Fatal(err)
	}
	before := weightsOf(t, m)
	t.Setenv("FAKE_STEPS", "0")
	_, err := m.Fit(t.Context(), points, FitConfig{BatchSize: 2, Silent: true})
	wantError(t, err, "out of memory on cuda:0", "32.0 GiB", "a batch of 2 examples", "lower the batch size")
	var e *OutOfMemoryError
	if !errors.As(err, &e) || e.Wanted != 32<<30 {
		t.Errorf("expected an OutOfMemoryError of 32 GiB, got %+v", err)
	}
	_, err = m.Evaluate(t.Context(), points)
	wantError(t, err, "out of memory on cuda:0", "lower the batch size")
	if after := weightsOf(t, m); !slices.Equal(before, after) {
		t.Errorf("the weights changed from %v to %v", before, after)
	}
}

func weightsOf(t *testing.T, m *Model) (all []float32) {
	t.Helper()
	for _, w := range must(m.Weights())(t) {
		err := w.ConstFlatData(func(flat any) { all = append(all, flat.([]float32)...) })
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}
