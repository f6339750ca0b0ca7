package proto

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gradbook/gradbook/dl/internal/wholefile"
)

// Open reads a file, and those that it says its tensors are in.
func Open(path string) (*Model, error) {
	text, err := wholefile.Read(path)
	if err != nil {
		return nil, err
	}
	m, err := Read(text)
	if err != nil {
		return nil, err
	}
	return m, outside(m, filepath.Dir(path))
}

// outside reads the tensors that are in files of their own, which must be beside the
// model's.
func outside(m *Model, folder string) error {
	files := make(map[string][]byte)
	return m.Tensors(func(t *Tensor) error {
		if t.External == nil {
			return nil
		}
		name := t.External["location"]
		if !filepath.IsLocal(name) {
			return fmt.Errorf("tensor %q: expected its file beside the model's, got %q", t.Name, name)
		}
		if _, ok := files[name]; !ok {
			text, err := beside(folder, name)
			if err != nil {
				return fmt.Errorf("tensor %q: %w", t.Name, err)
			}
			files[name] = text
		}
		return t.From(files[name])
	})
}

// beside reads a file in a folder, which no link leads out of.
func beside(folder, name string) ([]byte, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	if _, err := root.Stat(name); err != nil {
		return nil, err
	}
	return wholefile.Read(filepath.Join(folder, name))
}
