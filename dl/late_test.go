package dl

import (
	"os"
	"slices"
	"testing"
)

// TestLateError: a device says only later that a step failed, when others have been begun.
// The error names the step that failed, and the model is as it was before.
func TestLateError(t *testing.T) {
	fakeGPU(t)
	m, points := learner(t), spiral(t)
	if _, err := m.Fit(t.Context(), points, FitConfig{Silent: true, BatchSize: 8}); err != nil {
		t.Fatal(err)
	}
	before := weightsOf(t, m)
	t.Setenv("FAKE_LATE", "3")
	_, err := m.Fit(t.Context(), points, FitConfig{Silent: true, BatchSize: 8})
	wantError(t, err, "epoch 1, batch 3:", "an illegal memory access was encountered", "as it was at the beginning of the epoch")
	if after := weightsOf(t, m); !slices.Equal(before, after) {
		t.Error("the weights changed")
	}
	if err := os.Unsetenv("FAKE_LATE"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Fit(t.Context(), points, FitConfig{Silent: true, BatchSize: 8}); err != nil {
		t.Errorf("expected that the model can be trained on, got %v", err)
	}

	if _, err := m.Evaluate(t.Context(), points.Batch(10)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FAKE_LATE", "2")
	_, err = m.Evaluate(t.Context(), points.Batch(10))
	wantError(t, err, "examples 10 to 19:", "an illegal memory access was encountered")
	if err := os.Unsetenv("FAKE_LATE"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Predict(t.Context(), points.Batch(10)); err != nil {
		t.Errorf("expected predictions afterwards, got %v", err)
	}
}
