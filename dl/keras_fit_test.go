package dl

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
)

// TestKerasFits trains models that Keras saved, as the files say they are compiled, on
// the same examples in the same order: the logs of each epoch and the weights at the
// end are those of Keras's fit. Each case has something that training can do: weights of
// examples and classes, masks, several outputs, frozen layers, regularizers and
// constraints, clipping, accumulation, schedules, running means of weights.
func TestKerasFits(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute; make check")
	}
	text, err := os.ReadFile(filepath.Join("testdata", "fits.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]struct {
		Labels      int
		ClassWeight map[int]float64 `json:"class_weight"`
		History     map[string][]float64
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	f := kerastest.Load(t, "fits.npz")
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m, err := Load(filepath.Join("testdata", "fit_"+name+".keras"))
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := m.m.Config(); !ok {
				t.Fatal("expected a model that is compiled, got one that is not")
			}
			ds, err := data.New(f.Get(t, name+".x"), nil)
			if err != nil {
				t.Fatal(err)
			}
			for k := range c.Labels {
				y, err := data.New(f.Get(t, fmt.Sprintf("%s.y%d", name, k)), nil)
				if err != nil {
					t.Fatal(err)
				}
				ds = ds.WithLabels(y)
			}
			if w := f[name+".weights"]; w != nil {
				values, err := tensors.CopyFlatData[float32](w)
				if err != nil {
					t.Fatal(err)
				}
				ds = ds.WithWeights(values)
			}
			h, err := m.Fit(t.Context(), ds, FitConfig{Epochs: 3, BatchSize: 8, NoShuffle: true, ClassWeight: c.ClassWeight, Silent: true})
			if err != nil {
				t.Fatal(err)
			}
			for key, want := range c.History {
				if key == "learning_rate" {
					continue
				}
				for e, v := range want {
					got, ok := h.Metrics[key]
					if !ok {
						t.Errorf("expected %s in the history, got %v", key, h.Names)
						break
					}
					if math.Abs(got[e]-v) > kerastest.Tolerance(1e-4)*math.Max(1, math.Abs(v)) {
						t.Errorf("%s of epoch %d: expected %v, got %v", key, e+1, v, got[e])
					}
				}
			}
			weights, err := m.Weights()
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range weights {
				kerastest.Close(t, m.WeightNames()[i], w, f.Get(t, fmt.Sprintf("%s.after%d", name, i)), 1e-4)
			}
		})
	}
}
