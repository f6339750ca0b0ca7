package beam

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/local" // files of the workers' own machine

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/onnx"
)

// models are those that this process has loaded, by their paths.
var models sync.Map

// load loads a model once in a process: from a file of one of Beam's file systems, such as
// gs://bucket/digits.keras where the program imports that.
func load(ctx context.Context, file string) (*dl.Model, error) {
	found, _ := models.LoadOrStore(file, sync.OnceValues(func() (*dl.Model, error) { return read(ctx, file) }))
	m, err := found.(func() (*dl.Model, error))()
	if err != nil {
		models.Delete(file) // the next bundle tries again
		return nil, fmt.Errorf("dl/beam: cannot load model %s: %w", file, err)
	}
	return m, nil
}

// single is load for a model of one input and one output.
func single(ctx context.Context, file string) (*dl.Model, error) {
	m, err := load(ctx, file)
	if err == nil && (len(m.Inputs()) != 1 || len(m.Outputs()) != 1) {
		return nil, fmt.Errorf("dl/beam: expected a model of one input and one output, %s has %d and %d", file, len(m.Inputs()), len(m.Outputs()))
	}
	return m, err
}

func read(ctx context.Context, file string) (*dl.Model, error) {
	fs, err := filesystem.New(ctx, file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = fs.Close() }()
	r, err := fs.OpenRead(ctx, file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	dir, err := os.MkdirTemp("", "gradbook-beam-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	local := filepath.Join(dir, path.Base(filepath.ToSlash(file)))
	w, err := os.Create(local)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, r); err != nil {
		_ = w.Close()
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if strings.EqualFold(filepath.Ext(local), ".onnx") {
		return onnx.Load(local)
	}
	return dl.Load(local)
}
