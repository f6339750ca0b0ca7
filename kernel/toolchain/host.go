package toolchain

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/gradbook/gradbook/dl/cache"
)

//go:embed host/main.go.txt
var hostMain string

//go:embed host/shared.go.txt
var hostShared string

//go:embed host/keep.go.txt
var hostKeep string

//go:embed host/keep.s.txt
var hostKeepAsm string

// hostRoots are the packages that the session holds from the beginning, beside
// Go's own: what notebooks import.
var hostRoots = []string{
	"std",
	"github.com/gradbook/gradbook/kernel/session",
	"github.com/gradbook/gradbook/dl/...",
	"github.com/gradbook/gradbook/viz",
	"github.com/gradbook/gradbook/viz/gonb",
	"github.com/gradbook/gradbook/viz/widgets",
	"github.com/gradbook/gradbook/datasets",
	"github.com/gradbook/gradbook/datasets/speech",
	"github.com/gradbook/gradbook/notebooks/audit",
	"github.com/gradbook/gradbook/notebooks/claim",
	"github.com/gradbook/gradbook/notebooks/classic",
	"github.com/go-echarts/go-echarts/v2/...",
	"github.com/janpfeifer/gonb/gonbui",
	"github.com/janpfeifer/gonb/gonbui/comms",
	"github.com/janpfeifer/gonb/gonbui/dom",
	"github.com/janpfeifer/gonb/gonbui/widgets",
	"github.com/janpfeifer/gonb/cache",
	"github.com/gomlx/gomlx/core/graph",
	"github.com/gomlx/gomlx/core/tensors",
	"gonum.org/v1/gonum/dsp/fourier",
	"gonum.org/v1/gonum/floats",
	"gonum.org/v1/gonum/mat",
	"gonum.org/v1/gonum/stat",
}

// HostPackages are the packages that a host holds, with what they import.
func HostPackages() []string { return slices.Clone(hostRoots) }

// runtimePath is the package by which cells talk to the session.
const runtimePath = "github.com/gradbook/gradbook/kernel/session/calls"

// hostFlags build the host so that cells can refer to what is in it by name: the
// compiler's own switch for code that is linked against shared libraries.
func (w Way) hostFlags() []string {
	if w == Shared {
		return []string{"-trimpath", "-gcflags=all=-linkshared"}
	}
	return []string{"-trimpath"}
}

// exportFlags build the packages that a cell is compiled and linked with.
func (w Way) exportFlags() []string {
	if w == Shared {
		return w.hostFlags()
	}
	return []string{"-trimpath", "-buildmode=plugin"}
}

// moduleFlags build packages of the notebook's own module, which are linked into cells.
func (w Way) moduleFlags() []string {
	if w == Shared {
		return []string{"-trimpath", "-gcflags=all=-linkshared -dynlink"}
	}
	return w.exportFlags()
}

// HostFlags are the flags with which the host in the workspace is built, so that what it
// holds need not be compiled anew.
func HostFlags(workspace string) []string {
	way, ok := HostBuilt(workspace, Shared, Plugin)
	if !ok {
		return nil
	}
	return append(way.hostFlags(), "-overlay="+filepath.Join(HostDir(workspace, way), overlayFile))
}

// builder of a host.
type hostBuild struct {
	ctx       context.Context
	way       Way
	goCmd     string
	workspace string
	dir       string // of the host
	env       []string
}

// leaveModuleCache has Go's files go by another name if they are in the cache of modules,
// as those of a toolchain that Go has fetched are: there, no overlay may replace any.
func (h *hostBuild) leaveModuleCache() error {
	out, err := h.run("env", "GOROOT", "GOMODCACHE")
	if err != nil {
		return err
	}
	root, cache, ok := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if !ok || !strings.HasPrefix(root, cache+string(filepath.Separator)) {
		return nil
	}
	link := filepath.Join(h.workspace, "goroot")
	if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.Symlink(root, link); err != nil {
		return err
	}
	h.goCmd, h.env = filepath.Join(link, "bin", "go"), []string{"GOROOT=" + link, "GOTOOLCHAIN=local"}
	return nil
}

func (h hostBuild) run(args ...string) ([]byte, error) {
	cmd := exec.CommandContext(h.ctx, h.goCmd, args...)
	cmd.Dir, cmd.Env = h.workspace, Environ(append(h.env, "GOPROXY=off", "CGO_ENABLED=1")...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w: %s", args[0], err, lastLines(stderr.String(), 12))
	}
	return out, nil
}

// BuildHost builds the session's program in the workspace module, and what cells are
// compiled and linked with.
func BuildHost(ctx context.Context, way Way, goCmd, workspace string) error {
	h := hostBuild{ctx: ctx, way: way, goCmd: goCmd, workspace: workspace, dir: HostDir(workspace, way)}
	if err := os.MkdirAll(filepath.Join(h.dir, "keep"), 0o755); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(h.dir, indexFile)); err != nil && !os.IsNotExist(err) {
		return err // half a host is none
	}
	if err := h.leaveModuleCache(); err != nil {
		return err
	}
	index, err := h.index()
	if err != nil {
		return err
	}
	if index.Packages, err = h.packages(index.Overlay); err != nil {
		return err
	}
	if index.Hash, err = h.writeSource(index); err != nil {
		return err
	}
	pkg := "./" + filepath.Base(h.dir)
	flags := append(way.hostFlags(), "-overlay="+index.Overlay)
	if _, err := h.run(append(append([]string{"build", "-o", filepath.Join(h.dir, HostProgram), "-ldflags=-checklinkname=0 -s -w"}, flags...), pkg)...); err != nil {
		return err
	}
	out, err := h.run(append(append([]string{"list", "-export", "-f", "{{.Export}}"}, flags...), pkg)...)
	if err != nil {
		return err
	}
	main, err := openArchive(strings.TrimSpace(string(out)))
	if err != nil {
		return err
	}
	index.Main = main.fingerprint()
	encoded, err := json.MarshalIndent(index, "", "\t")
	if err != nil {
		return err
	}
	return cache.WriteFile(filepath.Join(h.dir, indexFile), encoded, 0o644)
}

// index asks the go command of itself, and prepares package os.
func (h hostBuild) index() (Index, error) {
	index := Index{Way: h.way, Go: h.goCmd, Settings: map[string]string{}, Modules: map[string]string{}}
	var env map[string]string
	out, err := h.run("env", "-json", "GOTOOLDIR", "GOVERSION", "GOROOT", "GOEXPERIMENT", "GOAMD64", "GOARM64", "CC")
	if err != nil {
		return index, err
	}
	if err := json.Unmarshal(out, &env); err != nil {
		return index, fmt.Errorf("go env: %w", err)
	}
	index.Tool, index.Version, index.Root = env["GOTOOLDIR"], env["GOVERSION"], env["GOROOT"]
	for _, name := range []string{"GOEXPERIMENT", "GOAMD64", "GOARM64", "CC"} {
		if env[name] != "" {
			index.Settings[name] = env[name]
		}
	}
	for _, kv := range h.env {
		name, value, _ := strings.Cut(kv, "=")
		index.Settings[name] = value
	}
	content, err := os.ReadFile(filepath.Join(h.workspace, "go.mod"))
	if err != nil {
		return index, err
	}
	mod, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		return index, err
	}
	for _, r := range mod.Require {
		index.Modules[r.Mod.Path] = r.Mod.Version
	}
	index.Overlay, err = writeOverlay(index.Root, h.dir)
	return index, err
}

// listFormat is what of a package is asked for.
const listFormat = "{{if .Export}}{{.ImportPath}}\t{{.Name}}\t{{.Export}}\t" +
	"{{with .Module}}{{if or .Main (and .Replace (not .Replace.Version))}}{{$.Dir}}\t{{else}}\t{{.Path}} {{with .Replace}}{{.Path}} {{end}}{{.Version}}{{end}}{{else}}\t{{end}}{{end}}"

// packages compiles the host's packages, as cells see them.
func (h hostBuild) packages(overlay string) ([]Package, error) {
	args := append([]string{"list", "-deps", "-export", "-overlay=" + overlay, "-f", listFormat}, h.way.exportFlags()...)
	out, err := h.run(append(args, hostRoots...)...)
	if err != nil {
		return nil, err
	}
	list := parseList(out)
	for i := range list {
		list[i].Host, list[i].Dir = true, "" // it stays as it is until it is set up again
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Path < list[j].Path })
	return list, nil
}

// parseList reads what go list prints in listFormat.
func parseList(out []byte) (list []Package) {
	for line := range strings.Lines(string(out)) {
		if f := strings.Split(strings.TrimRight(line, "\r\n"), "\t"); len(f) == 5 && f[1] != "main" {
			list = append(list, Package{Path: f[0], Name: f[1], Export: f[2], Dir: f[3], Module: f[4]})
		}
	}
	return list
}

// writeSource writes the host's program, and returns a hash of what it holds.
func (h hostBuild) writeSource(index Index) (hash string, err error) {
	kept, err := keepSource(index.Packages)
	if err != nil {
		return "", err
	}
	keptRuntime, err := h.keepRuntime(index)
	if err != nil {
		return "", err
	}
	if hash, err = index.hash(kept); err != nil {
		return "", err
	}
	files := map[string]string{
		"main.go":         strings.ReplaceAll(hostMain, "@DIR@", filepath.Base(h.dir)),
		"kept.go":         string(kept),
		"keep/keep.go":    hostKeep,
		"keep/runtime.go": keptRuntime,
		"keep/keep.s":     hostKeepAsm,
	}
	if h.way == Shared {
		files["shared.go"] = strings.ReplaceAll(hostShared, "@HASH@", hash)
	}
	for name, content := range files {
		if err := cache.WriteFile(filepath.Join(h.dir, name), []byte(content), 0o644); err != nil {
			return "", err
		}
	}
	return hash, nil
}

// hash tells what hosts hold apart, not where they are: Go names compiled packages by what
// is in them.
func (i Index) hash(kept []byte) (string, error) {
	i.Go, i.Tool, i.Root, i.Overlay = "", "", "", ""
	i.Packages = slices.Clone(i.Packages)
	for at := range i.Packages {
		i.Packages[at].Export = filepath.Base(i.Packages[at].Export)
	}
	encoded, err := json.Marshal(i)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(encoded, kept...))
	return hex.EncodeToString(sum[:])[:20], nil
}
