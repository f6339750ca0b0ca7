package install

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	gomodule "golang.org/x/mod/module"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// Home is the module or workspace of a person's that dir lies in, with Gradbook's modules
// added to it in a file in tmp; nil if dir lies in none.
func Home(l Layout, dir, tmp string) (*toolchain.Home, error) {
	goCmd, err := l.Go()
	if err != nil {
		return nil, err
	}
	h, err := toolchain.FindHome(goCmd, dir, modulePath)
	if h == nil || err != nil {
		return nil, err
	}
	return h.With(l.Workspace(), filepath.Join(tmp, "go.work"))
}

// For returns the layout whose session is of the versions that a home asks for: l, if they
// are those of Gradbook's own. Else a session is built for them, once, where that is
// possible; if it is not, say why, and packages that need other versions are refused as they
// are imported.
func (l Layout) For(ctx context.Context, h *toolchain.Home, p *Progress) (Layout, error) {
	differ, err := l.differences(ctx, h)
	if err != nil {
		p.Warn("what %s requires is not known: %v", h.Dir, err)
		return l, nil
	}
	if len(differ) == 0 {
		return l, nil
	}
	var texts []string
	for _, m := range differ {
		texts = append(texts, m.String())
	}
	key := sha256.Sum256([]byte(strings.Join(texts, "\n")))
	ways, err := toolchain.Ways()
	if err != nil || len(ways) == 0 {
		return l, err
	}
	// Of a Gradbook that is older, or another, no session is of use.
	base := toolchain.HostHash(l.Workspace(), ways...)
	sweepHomes(l.UserDir("homes"), base)
	own := l
	own.State = l.UserDir("homes", base+"-"+hex.EncodeToString(key[:6]))
	if _, ok := toolchain.HostBuilt(own.Workspace(), ways...); ok {
		return own, nil
	}
	failed := filepath.Join(own.State, "failed")
	if why, err := os.ReadFile(failed); err == nil {
		p.Warn("the session has Gradbook's own versions of modules: %s", why)
		return l, nil
	}
	p.Warn("building a session with %s, once", strings.Join(texts, ", "))
	q := p.begin("session")
	if err := own.resolve(ctx, q, l, h, differ); err != nil {
		q.end("✗")
		p.Warn("their modules cannot be had now, so the session has Gradbook's own: %v", err)
		return l, ctx.Err()
	}
	if err = own.buildHost(ctx, q); err == nil {
		q.end("✓")
		return own, nil
	}
	q.end("✗")
	if ctx.Err() != nil {
		return l, ctx.Err()
	}
	p.Warn("Gradbook cannot be built with them, so the session has its own: %v", err)
	return l, cache.WriteFile(failed, []byte(lastLines(err.Error(), 3)), 0o644)
}

// sweepHomes removes the sessions that were built beside another than base.
func sweepHomes(dir, base string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // there is none
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), base+"-") {
			_ = os.RemoveAll(filepath.Join(dir, e.Name())) // a leftover is only clutter
		}
	}
}

// resolve writes the workspace module, and fetches what is built of it.
func (l Layout) resolve(ctx context.Context, p *Progress, base Layout, h *toolchain.Home, differ []required) error {
	if err := l.writeHome(base, h, differ); err != nil {
		return err
	}
	goCmd, err := l.Go()
	if err != nil {
		return err
	}
	p.Note("downloading modules")
	return command(ctx, p, l.Workspace(), goEnv(), goCmd, append([]string{"list", "-mod=mod", "-deps", "-f", "{{if .Error}}{{.Error}}{{end}}", "--"}, toolchain.HostPackages()...)...)
}

// required is a module that the session is to have otherwise.
type required struct{ path, version, replacedBy, replacedVersion string }

func (r required) String() string {
	s := strings.TrimSpace(r.path + " " + r.version)
	if r.replacedBy != "" {
		s += " => " + strings.TrimSpace(r.replacedBy+" "+r.replacedVersion)
	}
	return s
}

// differences are the modules that Gradbook requires, and of which the home's build list
// has another version or a replacement.
func (l Layout) differences(ctx context.Context, h *toolchain.Home) (list []required, err error) {
	goCmd, err := l.Go()
	if err != nil {
		return nil, err
	}
	const format = "{{.Path}}\t{{.Version}}\t{{with .Replace}}{{.Path}}\t{{.Version}}{{else}}\t{{end}}"
	cmd := exec.CommandContext(ctx, goCmd, "list", "-m", "-f", format, "all")
	cmd.Dir, cmd.Env = h.Dir, toolchain.Environ(h.Env()...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, lastLines(stderr.String(), 3))
	}
	have, err := l.requirementsOf()
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(f) != 4 {
			continue
		}
		r := required{f[0], f[1], f[2], f[3]}
		if filepath.IsAbs(filepath.FromSlash(r.replacedBy)) || strings.HasPrefix(r.replacedBy, ".") {
			r.replacedBy = absoluteFrom(h, r.replacedBy)
		}
		if own, ok := have[r.path]; ok && (own != r.version || r.replacedBy != "") {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b required) int { return strings.Compare(a.path, b.path) })
	return list, nil
}

// absoluteFrom finds the folder of a replacement, which the go command tells relative to the
// module that it is in.
func absoluteFrom(h *toolchain.Home, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	for _, dir := range append([]string{h.Dir}, h.Modules...) {
		if found := filepath.Join(dir, filepath.FromSlash(path)); exists(filepath.Join(found, "go.mod")) {
			return found
		}
	}
	return path
}

// requirementsOf are the versions of modules in the workspace module.
func (l Layout) requirementsOf() (map[string]string, error) {
	content, err := os.ReadFile(filepath.Join(l.Workspace(), "go.mod"))
	if err != nil {
		return nil, err
	}
	mod, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		return nil, err
	}
	have := map[string]string{}
	for _, r := range mod.Require {
		if r.Mod.Path != modulePath {
			have[r.Mod.Path] = r.Mod.Version
		}
	}
	return have, nil
}

// writeHome writes a workspace module like that of base, with other versions.
func (l Layout) writeHome(base Layout, h *toolchain.Home, differ []required) error {
	content, err := os.ReadFile(filepath.Join(base.Workspace(), "go.mod"))
	if err != nil {
		return err
	}
	mod, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		return err
	}
	for _, r := range differ {
		if r.version != "" && gomodule.Check(r.path, r.version) == nil {
			if err := mod.AddRequire(r.path, r.version); err != nil {
				return err
			}
		}
		if r.replacedBy != "" {
			if err := mod.AddReplace(r.path, "", r.replacedBy, r.replacedVersion); err != nil {
				return err
			}
		}
	}
	mod.Cleanup()
	if content, err = mod.Format(); err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(base.Workspace(), "go.sum"))
	if err != nil {
		return err
	}
	for _, file := range append([]string{h.Work + ".sum"}, sumFiles(h)...) {
		more, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		sums = append(append(sums, '\n'), more...)
	}
	for name, content := range map[string][]byte{"go.mod": content, "go.sum": sums} {
		if err := cache.WriteFile(filepath.Join(l.Workspace(), name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func sumFiles(h *toolchain.Home) (files []string) {
	for _, dir := range h.Modules {
		files = append(files, filepath.Join(dir, "go.sum"))
	}
	return files
}
