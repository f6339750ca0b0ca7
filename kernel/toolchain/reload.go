package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/kernel/cell"
)

// What is loaded cannot be unloaded, so a package that a person has edited is compiled as
// another, under its path with a version behind it, and so are the packages of the person's
// that import it. Cells go on to say its path, and mean the newest.

// linkPath is the path that compiler, linker and types know a package by.
func (p Package) linkPath() string {
	if p.Version == 0 {
		return p.Path
	}
	return p.Path + cell.VersionSign + strconv.Itoa(p.Version)
}

// Reload compiles the packages whose source has been edited since they were imported or
// this was called last, and those that import them. It returns their paths, sorted; stale
// are those that only another session can have as they are now, since they have C or
// assembly in them. A package that does not compile is an error, and stays as it was.
func (b *Builder) Reload(ctx context.Context) (reloaded, stale []string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	edited := map[string]bool{}
	for path, before := range b.edited {
		if stateOf(b.packages[path].Dir) != before {
			edited[path] = true
		}
	}
	if len(edited) == 0 {
		return nil, nil, nil
	}
	order, err := b.affected(ctx, edited)
	if err != nil {
		return nil, nil, err
	}
	packages, times := maps.Clone(b.packages), maps.Clone(b.edited)
	for _, s := range order {
		path := s.ImportPath
		if len(s.CgoFiles)+len(s.SFiles)+len(s.CFiles) > 0 || slices.ContainsFunc(stale, func(p string) bool { return slices.Contains(s.Imports, p) }) {
			stale = append(stale, path)
			b.edited[path] = stateOf(s.Dir)
			continue
		}
		if err := b.recompile(ctx, s); err != nil {
			b.packages, b.edited = packages, times // all or nothing
			return nil, nil, err
		}
		reloaded = append(reloaded, path)
	}
	slices.Sort(reloaded)
	slices.Sort(stale)
	return reloaded, stale, nil
}

// source is what the go command says of a package's.
type source struct {
	ImportPath, Dir                   string
	GoFiles, CgoFiles, SFiles, CFiles []string
	Imports, EmbedPatterns            []string
	Module                            *struct{ GoVersion string }
}

// affected are the packages that have been edited and those that import them, each behind
// what it imports.
func (b *Builder) affected(ctx context.Context, edited map[string]bool) ([]source, error) {
	var own []string
	for path := range b.edited {
		own = append(own, path)
	}
	slices.Sort(own)
	// Compiling them all has the go command say what is wrong, and find what they import anew.
	if err := b.list(ctx, own...); err != nil {
		return nil, err
	}
	dir, env, err := b.module()
	if err != nil {
		return nil, err
	}
	out, err := b.goCommand(ctx, dir, env, append([]string{"list", "-json=ImportPath,Dir,GoFiles,CgoFiles,SFiles,CFiles,Imports,EmbedPatterns,Module", "--"}, own...)...)
	if err != nil {
		return nil, err
	}
	all := map[string]source{}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var s source
		if err := d.Decode(&s); err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		all[s.ImportPath] = s
	}
	var order []source
	state := map[string]bool{} // whether a package is affected, once that is known
	var visit func(path string) bool
	visit = func(path string) bool {
		s, own := all[path]
		if hit, known := state[path]; known || !own {
			return hit
		}
		hit := edited[path]
		for _, i := range s.Imports {
			hit = visit(i) || hit
		}
		if state[path] = hit; hit {
			order = append(order, s)
		}
		return hit
	}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		visit(path)
	}
	return order, nil
}

// recompile compiles a package under a further version, and puts it in the place of the
// one before.
func (b *Builder) recompile(ctx context.Context, s source) error {
	p := b.packages[s.ImportPath]
	b.versions++ // of all packages: none is used twice, also where an edit is not taken
	p.Version = b.versions
	dir := filepath.Join(b.dir, "packages", fmt.Sprintf("%s-%d", strings.ReplaceAll(p.Path, "/", "_"), p.Version))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	language := b.index.language()
	if s.Module != nil && s.Module.GoVersion != "" {
		language = "go" + strings.Join(strings.SplitN(s.Module.GoVersion, ".", 3)[:2], ".")
	}
	p.Export = filepath.Join(dir, "package.a")
	args := []string{
		"-dynlink", "-complete", "-nolocalimports", "-c=2", "-pack", "-lang=" + language, "-p", p.linkPath(),
		"-trimpath", s.Dir + "=>" + s.ImportPath, "-importcfg", filepath.Join(dir, "compile.cfg"), "-o", p.Export,
	}
	if b.index.Way == Shared {
		args = append(args, "-linkshared")
	}
	if err := os.WriteFile(filepath.Join(dir, "compile.cfg"), b.compileConfig(), 0o600); err != nil {
		return err
	}
	if len(s.EmbedPatterns) > 0 {
		config, err := embedConfig(s.Dir, s.EmbedPatterns)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "embed.cfg"), config, 0o600); err != nil {
			return err
		}
		args = append(args, "-embedcfg", filepath.Join(dir, "embed.cfg"))
	}
	for _, name := range s.GoFiles {
		args = append(args, filepath.Join(s.Dir, name))
	}
	if out, err := b.tool(ctx, s.Dir, "compile", args...); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%s: %s", s.ImportPath, lastLines(out, 6))
	}
	p.Dir = s.Dir
	b.replace(p)
	return nil
}
