package install

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/gomlx/go-xla/installer"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/dl/pjrt"
)

// plugin gets XLA's plugin for the CPU: one that is there, else the pinned wheel, else
// what GoMLX's installer finds for this platform.
func (l Layout) plugin() step {
	return step{
		name: "plugin",
		fingerprint: func(context.Context) (string, error) {
			return fingerprint([]string{fmt.Sprint(pjrt.CPU), os.Getenv(pjrt.PathEnv)})
		},
		// Where there is none to be had, the stamp says that it was tried.
		present: func() bool { return foundCPU() || !hasWheel() },
		run: func(ctx context.Context, p *Progress) error {
			if err := l.cpuPlugin(ctx, p); err != nil {
				if hasWheel() || ctx.Err() != nil {
					return err
				}
				// The pure-Go backend still works, and says that it is slow.
				p.Warn("no XLA plugin for %s/%s: %v", runtime.GOOS, runtime.GOARCH, err)
				p.Warn("cells will compute in pure Go, about a hundred times slower; or set %s to the folder of a plugin", pjrt.PathEnv)
			}
			return nil
		},
	}
}

// RetryPlugins makes the next Setup look again for plugins that could not be had.
func RetryPlugins(l Layout) error {
	forget := func(step string) error {
		if err := os.Remove(l.dir("state", step)); err != nil && !os.IsNotExist(err) {
			return err
		}
		return nil
	}
	if !foundCPU() {
		if err := forget("plugin"); err != nil {
			return err
		}
	}
	return forget(cudaFailed)
}

func foundCPU() bool {
	_, err := pjrt.Find("cpu")
	return err == nil
}

// hasWheel says whether the pinned wheel is for this platform.
func hasWheel() bool { return pjrt.CPU.Name != "" }

func (l Layout) cpuPlugin(ctx context.Context, p *Progress) error {
	if os.Getenv(pjrt.PathEnv) != "" && foundCPU() {
		return nil
	}
	if hasWheel() {
		path, err := pjrt.CPU.Path()
		if err != nil || exists(path) {
			return err
		}
		if ok, err := l.beside(pjrt.CPU, path); ok || err != nil {
			return err
		}
		return l.wheel(ctx, p, pjrt.CPU, path)
	}
	if foundCPU() {
		return nil
	}
	p.Note("installing XLA with GoMLX's installer")
	dir, err := pjrt.InstallDir()
	if err != nil {
		return err
	}
	if err := interruptible(ctx, func() error { return installer.CPUAutoInstall(dir, true, installer.Quiet) }); err != nil {
		return err
	}
	path, err := pjrt.Find("cpu")
	if err != nil {
		return err
	}
	return checkInstalled(p, path, pjrt.Installed[runtime.GOOS+"/"+runtime.GOARCH])
}

// checkInstalled compares a library with those that are known. One that is not is removed,
// unless none is known for the platform.
func checkInstalled(p *Progress, path string, known []string) error {
	sum, err := fileSHA256(path)
	switch {
	case err != nil:
		return err
	case slices.Contains(known, sum):
		return nil
	case len(known) > 0:
		return errors.Join(fmt.Errorf("%s: expected a SHA-256 of %v, got %s", path, known, sum), os.Remove(path))
	}
	p.Warn("XLA for %s/%s comes from a release page and has no pin yet: %s has the SHA-256 %s", runtime.GOOS, runtime.GOARCH, path, sum)
	return nil
}

// beside links the library of a plugin's wheel that pip has installed beside our own.
func (l Layout) beside(w pjrt.Wheel, path string) (bool, error) {
	if l.Shipped == "" {
		return false, nil
	}
	library := filepath.Join(filepath.Dir(l.Shipped), filepath.FromSlash(w.Member))
	if !exists(library) {
		return false, nil
	}
	sum, err := fileSHA256(library)
	if err != nil {
		return false, err
	}
	if sum != w.Library {
		return false, fmt.Errorf("%s: expected SHA-256 %s, got %s", library, w.Library, sum)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, err
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) { // a link to what is gone
		return false, err
	}
	return true, os.Symlink(library, path)
}

// interruptible returns when f does, or when ctx ends: f goes on then, until the
// program ends.
func interruptible(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wheel downloads a wheel and takes the library out of it.
func (l Layout) wheel(ctx context.Context, p *Progress, w pjrt.Wheel, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(path), ".wheel-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // a leftover is only clutter
	requirements := filepath.Join(tmp, "requirements.txt")
	line := fmt.Sprintf("%s==%s --hash=sha256:%s\n", w.Name, w.Version, w.SHA256)
	if err := os.WriteFile(requirements, []byte(line), 0o600); err != nil {
		return err
	}
	p.Note("downloading XLA: %s %s", w.Name, w.Version)
	err = l.pip(ctx, p, []string{"TMPDIR=" + tmp}, "download", "--no-cache-dir", "-d", tmp, "-r", requirements)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(tmp)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".whl" {
			p.Note("unpacking %s", e.Name())
			return extract(filepath.Join(tmp, e.Name()), w, path)
		}
	}
	return fmt.Errorf("expected pip to download the wheel %s, got %v", w.Name, entries)
}

// extract verifies a wheel and writes its library to path.
func extract(file string, w pjrt.Wheel, path string) error {
	sum, err := fileSHA256(file)
	if err != nil {
		return err
	}
	if sum != w.SHA256 {
		return fmt.Errorf("%s: expected SHA-256 %s, got %s", filepath.Base(file), w.SHA256, sum)
	}
	z, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer z.Close() //nolint:errcheck // only read from
	member, err := z.Open(w.Member)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	defer member.Close() //nolint:errcheck // only read from
	return cache.Write(path, 0o755, func(out io.Writer) error {
		_, err := io.Copy(out, member)
		return err
	})
}

func fileSHA256(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // only read from
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", errors.Join(errors.New("cannot read "+path), err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
