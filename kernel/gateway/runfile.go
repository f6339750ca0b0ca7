package gateway

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/kernel/script"
)

// RunFile runs the cells of a notebook's or a program's file, in its folder's stead: as if
// they stood in the cell.
func (e *execution) RunFile(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".go":
		if raw, err = script.Notebook(raw); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	case ".ipynb":
	default:
		return fmt.Errorf("expected a notebook (.ipynb) or a program (.go), got %s", path)
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if slices.Contains(e.files, whole) {
		return fmt.Errorf("%s runs itself", path)
	}
	cells, err := script.Cells(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	e.files = append(e.files, whole)
	defer func() { e.files = e.files[:len(e.files)-1] }()
	for i, code := range cells {
		if e.ctx.Err() != nil {
			return errors.New("interrupted")
		}
		if f := e.text(code); f != nil {
			f.Value = fmt.Sprintf("%s, cell %d: %s", path, i+1, f.Value)
			return &failureError{f}
		}
	}
	return nil
}
