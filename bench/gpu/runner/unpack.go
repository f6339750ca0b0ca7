package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// packed is the archive beside this program.
const packed = "files.tar.gz"

// unpack unpacks it into a folder of its own.
func unpack() (dir string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(filepath.Join(filepath.Dir(self), packed))
	if err != nil {
		return "", fmt.Errorf("expected %s beside %s, or -files: %w", packed, self, err)
	}
	defer f.Close() //nolint:errcheck // only read from
	z, err := gzip.NewReader(f)
	if err != nil {
		return "", err
	}
	dir, err = os.MkdirTemp("", "gradbook-gpu-*")
	if err != nil {
		return "", err
	}
	files := tar.NewReader(z)
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return dir, nil
		}
		if err == nil {
			err = unpackOne(dir, h, files)
		}
		if err != nil {
			return "", errors.Join(fmt.Errorf("%s: %w", packed, err), os.RemoveAll(dir))
		}
	}
}

func unpackOne(dir string, h *tar.Header, content io.Reader) (err error) {
	if !filepath.IsLocal(h.Name) {
		return fmt.Errorf("expected names inside the folder, got %q", h.Name)
	}
	path := filepath.Join(dir, h.Name)
	if h.Typeflag == tar.TypeDir {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, h.FileInfo().Mode().Perm())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.Copy(f, content)
	return err
}
