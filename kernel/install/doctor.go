package install

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/dl/pjrt"
	"github.com/gradbook/gradbook/kernel/children"
)

// Finding is a line of the doctor's.
type Finding struct {
	// What was looked at, for example "python".
	What string `json:"what"`
	// OK is false if something must be mended.
	OK bool `json:"ok"`
	// Is says what was found.
	Is string `json:"is"`
	// Mend is the command that mends it.
	Mend string `json:"mend,omitempty"`
}

// Examine looks at everything that notebooks need. It changes nothing.
func Examine(ctx context.Context, l Layout) []Finding {
	setup := "make setup"
	if !l.IsCheckout() {
		setup = "gradbook setup"
	}
	checks := []struct {
		what, mend string
		look       func() (string, error)
	}{
		{"system", "", func() (string, error) {
			return fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), l.kind()), nil
		}},
		{"go", "", func() (string, error) {
			path, err := l.Go()
			if err != nil {
				return "", err
			}
			version, err := l.goVersion(ctx)
			return path + ", version " + version, err
		}},
		{"c compiler", "", func() (string, error) { return l.compilerVersion(ctx) }},
		{"python", "", func() (string, error) {
			if l.Shipped != "" {
				version, err := output(ctx, l.Python(), "--version")
				return l.Python() + ", " + version, err
			}
			path, version, err := l.systemPython(ctx)
			return path + ", version " + version, err
		}},
		{"jupyter", setup, func() (string, error) { return l.jupyterVersion(ctx) }},
		{"gonb", setup, func() (string, error) { return output(ctx, l.Program("gonb"), "-V") }},
		{"gopls", setup, func() (string, error) { return output(ctx, l.Program("gopls"), "version") }},
		{"goimports", setup, func() (string, error) { return l.Program("goimports"), missing(l.Program("goimports")) }},
		{"kernelspec", setup, l.kernelspecPath},
		{"workspace", setup, func() (string, error) {
			return l.Workspace(), missing(filepath.Join(l.Workspace(), "go.mod"))
		}},
		{"cache", "", cacheUse},
		{"mnist", setup, func() (string, error) {
			path, err := datasets.MNISTPath()
			if err != nil {
				return "", err
			}
			return path, missing(path)
		}},
		{"plugin (cpu)", setup, func() (string, error) { return pjrt.Find("cpu") }},
		{"gpu", setup, gpu},
		{"device", setup, func() (string, error) { return l.device(ctx) }},
		{"cells", setup, func() (string, error) { return l.cells(ctx) }},
		{"training", setup, func() (string, error) { return l.training(ctx) }},
		{"chart", setup, func() (string, error) { return l.chart(ctx) }},
		{"kernels", "", func() (string, error) { return kernels(), nil }},
	}
	var findings []Finding
	for _, c := range checks {
		is, err := c.look()
		f := Finding{What: c.what, OK: err == nil, Is: is}
		if err != nil {
			f.Is, f.Mend = err.Error(), c.mend
		}
		findings = append(findings, f)
	}
	return findings
}

// kernels tells of the kernels that run, and the memory that they hold.
func kernels() string {
	running := children.Running()
	if len(running) == 0 {
		return "none runs"
	}
	var list []string
	for _, k := range running {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(k.Resident)) {
			parts = append(parts, fmt.Sprintf("%s %d MB", name, k.Resident[name]>>20))
		}
		list = append(list, k.Mark+": "+strings.Join(parts, ", "))
	}
	return strings.Join(list, "; ")
}

func missing(path string) error {
	if !exists(path) {
		return fmt.Errorf("missing: %s", path)
	}
	return nil
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	if err := missing(name); filepath.IsAbs(name) && err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, lastLines(string(out), 3))
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return first, nil
}

func (l Layout) compilerVersion(ctx context.Context) (string, error) {
	if err := l.checkCompiler(ctx); err != nil {
		if _, ok := l.shippedWay(); ok {
			return "none, and none is needed, but for C in packages of your own", nil
		}
		return "", err
	}
	c, err := l.cgo(ctx)
	if err != nil || len(strings.Fields(c.CC)) == 0 {
		return "", err
	}
	if pureGo() {
		return "not needed: GRADBOOK_DEVICE=go", nil
	}
	return output(ctx, strings.Fields(c.CC)[0], "--version")
}

func (l Layout) jupyterVersion(ctx context.Context) (string, error) {
	if err := missing(l.Python()); err != nil {
		return "", err
	}
	v, err := output(ctx, l.Python(), "-c", "import jupyterlab, nbclient, nbconvert; print('JupyterLab', jupyterlab.__version__ + ', nbclient', nbclient.__version__ + ', nbconvert', nbconvert.__version__)")
	return v, err
}

func cacheUse() (string, error) {
	dir, err := cache.Dir()
	if err != nil {
		return "", err
	}
	var bytes int64
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return nil
	})
	return fmt.Sprintf("%s, %d MB", dir, bytes>>20), nil
}

// gpu tells which GPUs there are, how much of their memory is free, and whether XLA's
// plugin for them is installed.
func gpu() (string, error) {
	var parts []string
	for i, g := range pjrt.GPUs() {
		is := fmt.Sprintf("cuda:%d %s", i, g.Name)
		if g.Memory > 0 {
			is += fmt.Sprintf(", %d of %d MiB free", g.Free, g.Memory)
		}
		parts = append(parts, is)
	}
	if driver := pjrt.Driver(); driver != "" {
		parts = append(parts, "driver "+driver)
	}
	c, err := pjrt.ChooseCUDA()
	if err != nil {
		return "", err
	}
	if c == nil && !pjrt.Preferred("cuda") {
		return strings.Join(append(parts, "none"), "; "), nil
	}
	path, err := pjrt.Find("cuda")
	if err != nil {
		return "", err
	}
	return strings.Join(append(parts, "plugin "+path), "; "), nil
}
