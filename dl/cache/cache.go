// Package cache is Gradbook's folder among the user's caches: plugins and parsed
// datasets live there, and everything in it can be made again.
package cache

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gradbook/gradbook/dl/internal/atomicfile"
)

// Env names the environment variable that moves the folder.
const Env = "GRADBOOK_CACHE"

// Dir returns the folder, or what elem names in it. It creates nothing. The
// folder is $GRADBOOK_CACHE, else gradbook in os.UserCacheDir.
func Dir(elem ...string) (string, error) {
	dir := os.Getenv(Env)
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("cache: no cache folder for this user: %w; set %s to a folder", err, Env)
		}
		dir = filepath.Join(user, "gradbook")
	}
	return filepath.Join(append([]string{dir}, elem...)...), nil
}

// Writable says whether a file can be made at path, or its folders: there is a folder
// above it in which this user may make some.
func Writable(path string) bool {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			return access(dir)
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// Write makes a file of what write puts out, and the folders above it. The file
// appears whole or not at all, also when two programs write it at once.
func Write(path string, perm os.FileMode, write func(io.Writer) error) (err error) {
	defer func() {
		if errors.Is(err, syscall.ENOSPC) {
			err = fmt.Errorf("the disk of %s is full: free some space, or set %s to a folder on another one: %w", filepath.Dir(path), Env, err)
		}
	}()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicfile.Write(path, perm, write)
}

// WriteFile is Write for content that is at hand.
func WriteFile(path string, content []byte, perm os.FileMode) error {
	return Write(path, perm, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}
