// Package pip installs what tests need of PyPI, pinned by hashes, in folders of their own.
package pip

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
)

// Root is the folder of the checkout that a test runs in.
var Root = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "dl", "onnx", "testdata")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("not inside the module")
		}
	}
})

// Python is the interpreter that make setup makes, in a checkout.
func Python(root string) string { return filepath.Join(root, ".gradbook", "venv", "bin", "python") }

// Install makes a folder of that name, below .gradbook, of the packages that a list pins, and
// returns it. It is made again when the list has changed.
func Install(name, list string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, ".gradbook", name)
	wanted, err := os.ReadFile(list)
	if err != nil {
		return "", err
	}
	stamp := filepath.Join(dir, "requirements.txt")
	if have, err := os.ReadFile(stamp); err == nil && slices.Equal(have, wanted) {
		return dir, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	cmd := exec.Command(Python(root), "-m", "pip", "install", "--quiet",
		"--require-hashes", "--no-deps", "--only-binary", ":all:", "--target", dir, "-r", list)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("installing %s: %w\n%s", list, err, out)
	}
	return dir, os.WriteFile(stamp, wanted, 0o600)
}
