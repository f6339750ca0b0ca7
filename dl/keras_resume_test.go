package dl

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
)

// TestKerasResumes goes on with what Keras saved in the middle of a training: two epochs later
// the weights are those of Keras, which went on itself. What the optimizer remembers, its
// steps and its learning rate are needed for that.
func TestKerasResumes(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "resume", "*.keras"))
	if err != nil || len(files) == 0 {
		t.Fatalf("expected files, got %v, %v", files, err)
	}
	if testing.Short() {
		files = files[:1]
	}
	f := kerastest.Load(t, filepath.Join("resume", "after.npz"))
	ds := must(data.New(f.Get(t, "x"), f.Get(t, "y")))(t)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".keras")
		t.Run(name, func(t *testing.T) {
			m := must(Load(file))(t)
			if _, err := m.Fit(t.Context(), ds, FitConfig{Epochs: 2, BatchSize: 8, NoShuffle: true, Silent: true}); err != nil {
				t.Fatal(err)
			}
			weights := must(m.Weights())(t)
			for i, w := range weights {
				kerastest.Close(t, m.WeightNames()[i], w, f.Get(t, fmt.Sprintf("%s.%d", name, i)), 2e-4)
			}
		})
	}
}

// TestKerasResumesNot: a file in which the optimizer remembers less than it says, is refused.
func TestKerasResumesNot(t *testing.T) {
	z := must(zip.OpenReader(filepath.Join("testdata", "resume", "adam.keras")))(t)
	defer func() { _ = z.Close() }()
	path := filepath.Join(t.TempDir(), "m.keras")
	f := must(os.Create(path))(t)
	out := zip.NewWriter(f)
	for _, part := range z.File {
		text := must(io.ReadAll(must(part.Open())(t)))(t)
		text = bytes.Replace(text, []byte(`"amsgrad": false`), []byte(`"amsgrad": true`), 1)
		must(must(out.Create(part.Name))(t).Write(text))(t)
	}
	if err := errors.Join(out.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	if err == nil || !strings.Contains(err.Error(), "adam") || !strings.Contains(err.Error(), "velocity_hat") {
		t.Errorf("expected an error that names what is missing, got %v", err)
	}
}
