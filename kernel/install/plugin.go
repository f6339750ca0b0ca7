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

	"github.com/gomlx/go-xla/installer"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/dl/pjrt"
)

// plugin gets XLA's plugin: one that is there, else the pinned wheel, else what
// GoMLX's installer finds for this platform. Where a GPU is, CUDA's too.
func (l Layout) plugin() step {
	return step{
		name: "plugin",
		fingerprint: func(context.Context) (string, error) {
			return fingerprint([]string{fmt.Sprint(pjrt.CPU), os.Getenv(pjrt.PathEnv), fmt.Sprint(hasGPU())})
		},
		present: func() bool { return found("cpu") && (!hasGPU() || found("cuda")) },
		run: func(ctx context.Context, p *Progress) error {
			if err := l.cpuPlugin(ctx, p); err != nil {
				// The pure-Go backend still works, and says that it is slow.
				p.Warn("no XLA plugin for %s/%s: %v", runtime.GOOS, runtime.GOARCH, err)
				p.Warn("cells will compute in pure Go, about a hundred times slower; or set %s to the folder of a plugin", pjrt.PathEnv)
			}
			if !hasGPU() || found("cuda") {
				return nil
			}
			p.Note("installing XLA for CUDA")
			lib, err := pjrt.InstallDir()
			if err != nil {
				return err
			}
			if err := installer.CudaAutoInstall(lib, true, installer.Quiet); err != nil {
				p.Warn("there is a GPU, but XLA's CUDA plugin could not be installed: %v; computing on the CPU", err)
			}
			return nil
		},
	}
}

func found(kind string) bool {
	_, err := pjrt.Find(kind)
	return err == nil
}

func hasGPU() bool { return exists("/proc/driver/nvidia/version") || exists("/dev/nvidiactl") }

func (l Layout) cpuPlugin(ctx context.Context, p *Progress) error {
	if os.Getenv(pjrt.PathEnv) != "" && found("cpu") {
		return nil
	}
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		path, err := pjrt.CPU.Path()
		if err != nil || exists(path) {
			return err
		}
		return l.wheel(ctx, p, pjrt.CPU, path)
	}
	if found("cpu") {
		return nil
	}
	lib, err := pjrt.InstallDir()
	if err != nil {
		return err
	}
	p.Note("installing XLA with GoMLX's installer")
	return installer.CPUAutoInstall(lib, true, installer.Quiet)
}

// wheel downloads a wheel with pip, which knows the user's index and proxies,
// and takes the library out of it.
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
	err = command(ctx, p, "", append(pipEnv(), "TMPDIR="+tmp), l.Python(), "-m", "pip", "download",
		"--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-cache-dir",
		"--progress-bar", "off", "--disable-pip-version-check", "--no-input", "-d", tmp, "-r", requirements)
	if err != nil {
		return err
	}
	wheels, err := filepath.Glob(filepath.Join(tmp, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return fmt.Errorf("expected pip to download one wheel, got %v", wheels)
	}
	p.Note("unpacking %s", filepath.Base(wheels[0]))
	return extract(wheels[0], w, path)
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
