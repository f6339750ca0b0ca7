package dl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/schedules"
)

// spiral is a small set of examples of three classes.
func spiral(t testing.TB) *data.Dataset {
	t.Helper()
	var x [][]float32
	var y []int32
	for i := range 90 {
		x = append(x, []float32{float32(i%7) - 3, float32(i%11)/5 - 1, float32(i%3) - 1})
		y = append(y, int32(i%3))
	}
	ds, err := data.FromSlices(x, y)
	if err != nil {
		t.Fatal(err)
	}
	return ds.Batch(16)
}

// learner is a model with all that training remembers: slots, statistics, dropout, a
// schedule.
func learner(t testing.TB) *Model {
	t.Helper()
	SetRandomSeed(7)
	m, err := Sequential(
		layers.Input{Shape: layers.Shape{3}},
		layers.Dense{Units: 16, Activation: activations.ReLU},
		layers.BatchNormalization{},
		layers.Dropout{Rate: 0.3},
		layers.Dense{Units: 3, Activation: activations.Softmax},
	)
	if err != nil {
		t.Fatal(err)
	}
	err = m.Compile(CompileConfig{
		Optimizer: optimizers.Adam{Options: optimizers.Options{Schedule: schedules.ExponentialDecay{InitialLearningRate: 0.01, DecaySteps: 7, DecayRate: 0.9}}},
		Loss:      losses.SparseCategoricalCrossentropy{},
		Metrics:   []metrics.Metric{metrics.Accuracy{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sameWeights fails the test unless two models have the same weights to the bit.
func sameWeights(t testing.TB, got, want *Model) {
	t.Helper()
	a, err := got.Weights()
	if err != nil {
		t.Fatal(err)
	}
	b, err := want.Weights()
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		kerastest.Close(t, want.WeightNames()[i], a[i], b[i], 0)
	}
}

// TestResumeFromFile: training that was saved and goes on in another model ends as if it had
// not stopped, to the bit.
func TestResumeFromFile(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds; make check")
	}
	ds := spiral(t)
	whole := learner(t)
	if _, err := whole.Fit(t.Context(), ds, FitConfig{Epochs: 5, Silent: true}); err != nil {
		t.Fatal(err)
	}
	part := learner(t)
	if _, err := part.Fit(t.Context(), ds, FitConfig{Epochs: 3, Silent: true}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := part.Save(path); err != nil {
		t.Fatal(err)
	}
	m, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := m.Fit(t.Context(), ds, FitConfig{InitialEpoch: 3, Epochs: 5, Silent: true})
	if err != nil {
		t.Fatal(err)
	}
	if h.Epochs() != 2 {
		t.Errorf("expected 2 epochs more, got %d", h.Epochs())
	}
	sameWeights(t, m, whole)
}

// TestBackupAndRestore cuts training off in the middle of an epoch, and starts it anew.
func TestBackupAndRestore(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a quarter of a minute; make check")
	}
	ds := spiral(t)
	whole := learner(t)
	want, err := whole.Fit(t.Context(), ds, FitConfig{Epochs: 4, Silent: true})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sub", "backup")
	for _, freq := range []int{0, 2} {
		t.Run(fmt.Sprintf("every %d batches", freq), func(t *testing.T) {
			backup := &callbacks.BackupAndRestore{Path: path, SaveFreq: freq}
			ctx, cancel := context.WithCancel(t.Context())
			cut := callbacks.LambdaCallback{TrainBatchEnd: func(s *callbacks.Training) error {
				if s.Epoch == 2 && s.Batch == 3 {
					cancel()
				}
				return nil
			}}
			_, err := learner(t).Fit(ctx, ds, FitConfig{Epochs: 4, Silent: true, Callbacks: []callbacks.Callback{backup, cut}})
			var interrupted *InterruptedError
			if !errors.As(err, &interrupted) {
				t.Fatalf("expected an interruption, got %v", err)
			}
			m := learner(t) // as a new process would make it
			h, err := m.Fit(t.Context(), ds, FitConfig{Epochs: 4, Silent: true, Callbacks: []callbacks.Callback{backup}})
			if err != nil {
				t.Fatal(err)
			}
			sameWeights(t, m, whole)
			if got, want := h.Last()["loss"], want.Last()["loss"]; got != want {
				t.Errorf("expected a last loss of %v, got %v", want, got)
			}
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("expected the backup to be gone when training is complete, got %v", err)
			}
		})
	}
}

// TestCorruptBackup: what is no backup is left as it is, and the error says what to do.
func TestCorruptBackup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(path, []byte("not a backup"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := learner(t).Fit(t.Context(), spiral(t), FitConfig{Silent: true, Callbacks: []callbacks.Callback{&callbacks.BackupAndRestore{Path: path}}})
	if err == nil || !strings.Contains(err.Error(), "remove "+path) {
		t.Errorf("expected an error that says to remove %s, got %v", path, err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "not a backup" {
		t.Errorf("expected the file as it was, got %q, %v", text, err)
	}
}

// TestKilledWhileSaving kills a process that saves, and looks at the file: it is whole,
// each time.
func TestKilledWhileSaving(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many programs; make check")
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	m := savedModel(t, 0)
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	seen := make(map[float32]bool)
	for i := range 200 {
		cmd := exec.Command(os.Args[0], "-test.run=TestSaveWithoutEnd")
		cmd.Env = append(os.Environ(), "GRADBOOK_SAVE="+path, fmt.Sprintf("GRADBOOK_SAVE_FROM=%d", i*1000))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil { // it has begun
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i%20) * 500 * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		whole, err := Load(path)
		if err != nil {
			t.Fatalf("after kill %d: %v", i, err)
		}
		w, err := whole.Weights()
		if err != nil {
			t.Fatal(err)
		}
		values := kerastest.Floats(w[0])
		for _, v := range values {
			if v != values[0] {
				t.Fatalf("after kill %d: a file of two savings", i)
			}
		}
		seen[float32(values[0])] = true
	}
	if len(seen) < 10 {
		t.Errorf("expected the file to have been replaced many times, got %d versions", len(seen))
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*.tmp"))
	if err != nil || len(left) > 200 {
		t.Errorf("expected at most one file left by each, got %d, %v", len(left), err)
	}
}

// savedModel is a model all of whose weights have one value.
func savedModel(t testing.TB, value float32) *Model {
	t.Helper()
	m, err := Sequential(layers.Input{Shape: layers.Shape{100}}, layers.Dense{Units: 200, NoBias: true})
	if err != nil {
		t.Fatal(err)
	}
	setAll(m, value)
	return m
}

func setAll(m *Model, value float32) {
	for _, w := range m.m.Weights {
		values := make([]float32, w.Shape.Size())
		for i := range values {
			values[i] = value
		}
		w.Set(values)
	}
}

// TestSaveWithoutEnd is the process that TestKilledWhileSaving kills.
func TestSaveWithoutEnd(t *testing.T) {
	path := os.Getenv("GRADBOOK_SAVE")
	if path == "" {
		t.Skip("run by TestKilledWhileSaving")
	}
	var from int
	if _, err := fmt.Sscan(os.Getenv("GRADBOOK_SAVE_FROM"), &from); err != nil {
		t.Fatal(err)
	}
	m := savedModel(t, 0)
	fmt.Println("go")
	for i := from + 1; ; i++ {
		setAll(m, float32(i))
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFileErrors: a file that is not what it should be says so, and changes nothing.
func TestFileErrors(t *testing.T) {
	dir := t.TempDir()
	m := learner(t)
	whole := filepath.Join(dir, "whole")
	if err := m.Save(whole); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(dir, "weights")
	if err := m.SaveWeights(weights); err != nil {
		t.Fatal(err)
	}
	write := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	replaced := func(old, by string) []byte {
		if len(old) != len(by) || !strings.Contains(string(text), old) {
			t.Fatalf("cannot replace %q by %q", old, by)
		}
		return []byte(strings.Replace(string(text), old, by, 1))
	}
	for name, c := range map[string]struct {
		path string
		want []string
	}{
		"no file":            {filepath.Join(dir, "none"), []string{"none"}},
		"an empty file":      {write("empty", nil), []string{"empty", "8 bytes"}},
		"a foreign file":     {write("foreign", []byte(strings.Repeat("hello, world\n", 50))), []string{"foreign", "header"}},
		"a truncated file":   {write("cut", text[:len(text)-10]), []string{"cut off"}},
		"half a header":      {write("half", text[:100]), []string{"cut off"}},
		"weights only":       {weights, []string{"LoadWeights"}},
		"another version":    {write("version", replaced(`"version":"1"`, `"version":"9"`)), []string{"version"}},
		"unknown activation": {write("activation", replaced(`\"relu\"`, `\"what\"`)), []string{`layer "dense" (Dense)`, "what", "relu"}},
		"unknown layer":      {write("layer", replaced(`\"Dropout\"`, `\"Drapout\"`)), []string{"Drapout", "Dropout"}},
		"negative units":     {write("units", replaced(`\"units\":16`, `\"units\":-1`)), []string{`"dense"`, "Units", "-1"}},
		"a wrong type":       {write("type", replaced(`\"units\":16`, `\"units\":[]`)), []string{"units"}},
		"unknown setting":    {write("setting", replaced(`\"units\":16`, `\"tiuns\":16`)), []string{"tiuns"}},
		"another size":       {write("size", replaced(`\"units\":16`, `\"units\":17`)), []string{"dense/kernel", "[3 17]", "[3 16]"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(c.path)
			wantError(t, err, append(c.want, filepath.Base(c.path))...)
		})
	}
	other, err := Sequential(layers.Input{Shape: layers.Shape{3}}, layers.Dense{Units: 4})
	if err != nil {
		t.Fatal(err)
	}
	before, err := other.Weights()
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, other.LoadWeights(weights), "dense/kernel", "[3 4]", "[3 16]")
	wantError(t, other.LoadWeights(filepath.Join("testdata", "table.keras")), "[3 4]", "table.keras")
	after, err := other.Weights()
	if err != nil {
		t.Fatal(err)
	}
	for i := range before {
		kerastest.Close(t, "a weight that must not change", after[i], before[i], 0)
	}
	wantError(t, m.Save(filepath.Join(dir, "none", "model")), "cannot save")
	type mine struct{ layers.Flatten }
	custom, err := Sequential(layers.Input{Shape: layers.Shape{3}}, mine{}, layers.Dense{Units: 1})
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, custom.Save(filepath.Join(dir, "custom")), "mine", "Register")
}

// TestSaveWithoutOptimizer: a model that is only evaluated remembers nothing.
func TestSaveWithoutOptimizer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model")
	m := must(Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 1}))(t)
	if err := m.Compile(CompileConfig{Loss: losses.MeanSquaredError{}}); err != nil {
		t.Fatal(err)
	}
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	got := must(must(Load(path))(t).Evaluate(t.Context(), fours(t)))(t)
	if want := must(m.Evaluate(t.Context(), fours(t)))(t); got["loss"] != want["loss"] {
		t.Errorf("expected a loss of %v, got %v", want, got)
	}
}

// TestSchemaInFile: a model's file says what the columns of its tables are.
func TestSchemaInFile(t *testing.T) {
	_, s, err := data.ReadCSV(strings.NewReader("colour,weight,fruit\nred,150,apple\nyellow,120,banana\n"), data.CSVConfig{Label: "fruit"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 2})
	if err != nil {
		t.Fatal(err)
	}
	m.SetSchema(s)
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	d, err := again.Schema().FromCSV(strings.NewReader("weight,colour\n130,yellow\n"), data.CSVConfig{})
	if err != nil || d.Len() != 1 {
		t.Errorf("expected one example, got %v", err)
	}
}
