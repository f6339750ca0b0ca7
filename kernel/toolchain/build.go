package toolchain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// CellPath is the import path of all cells' package. It is that of the session's own
// main package, too, which declares nothing that a cell could: so types, functions and
// panics are told of as in a program.
const CellPath = "main"

// Linker makes a library of a cell that has been compiled. There is one for each [Way].
type Linker interface {
	// Companion is a file that is compiled with the cell's; cell number n.
	Companion(n int) string
	// Link links p, and returns the library's file.
	Link(ctx context.Context, p Piece) (string, error)
	// Close lets go of what it holds.
	Close() error
}

// Piece is a compiled cell.
type Piece struct {
	// N is the number of its library.
	N int
	// Dir is a folder of its own, in which it is Archive.
	Dir, Archive string
	// Config is the linker's table of imports, Archives are those of packages in it that
	// the session does not hold.
	Config   []byte
	Archives []string
}

func (p Piece) path(name string) string { return filepath.Join(p.Dir, name) }

// CompileError is what the compiler says of a cell.
type CompileError struct{ Output string }

func (e *CompileError) Error() string { return e.Output }

// Library is the file of the library of cell number n.
func (b *Builder) Library(n int) string {
	return filepath.Join(b.dir, fmt.Sprintf("cell%06d", n), "cell.so")
}

// padding is the name of a file that is longer than there can be files in a cell: for a
// small library, Go's runtime takes the length of all names for their number.
//
// Source: runtime/symtab.go, func funcline1.
var padding = strings.Repeat("_", 4096)

// mainFile is a file with the main function that Go asks of a package main. It is compiled
// first, since Go's runtime has no name for a library's first function.
//
// Source: runtime/symtab.go, func (*moduledata) funcName.
const mainFile = "package main\n\n%s//line %s:1\nfunc main() {}\n"

// Build compiles and links source, cell number n, and returns the library's path.
func (b *Builder) Build(ctx context.Context, n int, source []byte, embeds []string) (string, error) {
	b.mu.Lock()
	compile, notebook := b.compileConfig(), b.settings.Dir
	link, own := b.linkConfig()
	b.mu.Unlock()
	p := Piece{N: n, Dir: filepath.Dir(b.Library(n)), Archive: "cell.a", Config: link, Archives: own}
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return "", err
	}
	files := map[string][]byte{"cell.go": source, "main.go": []byte(b.linker.Companion(n)), "compile.cfg": compile}
	args := []string{
		"-dynlink", "-complete", "-nolocalimports", "-c=2", "-pack", "-lang=" + b.index.language(), "-p", CellPath,
		"-trimpath", p.Dir, "-importcfg", "compile.cfg", "-o", p.Archive,
	}
	if b.index.Way == Shared {
		args = append(args, "-linkshared")
	}
	if len(embeds) > 0 {
		config, err := embedConfig(notebook, embeds)
		if err != nil {
			return "", err
		}
		files["embed.cfg"] = config
		args = append(args, "-embedcfg", "embed.cfg")
	}
	for name, content := range files {
		if err := os.WriteFile(p.path(name), content, 0o600); err != nil {
			return "", err
		}
	}
	library, err := b.compileAndLink(ctx, p, args)
	var mistake *CompileError
	if err != nil && ctx.Err() == nil && !errors.As(err, &mistake) {
		// The session has all that packages export. What they inline may call more.
		if again, errAgain := b.compileAndLink(ctx, p, append(args, "-l")); errAgain == nil {
			library, err = again, nil
		}
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", err
	}
	tidy(p.Dir)
	return library, nil
}

func (b *Builder) compileAndLink(ctx context.Context, p Piece, args []string) (library string, err error) {
	if out, err := b.tool(ctx, p.Dir, "compile", append(slices.Clip(args), "main.go", "cell.go")...); err != nil {
		return "", &CompileError{out}
	}
	if library, err = b.linker.Link(ctx, p); err != nil {
		return "", fmt.Errorf("cannot link the cell: %w", err)
	}
	return library, nil
}

// tidy removes what a build has left in a folder, but for the library and the source.
func tidy(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.Name() != "cell.so" && e.Name() != "cell.go" {
			_ = os.RemoveAll(filepath.Join(dir, e.Name())) // what is left goes with the folder
		}
	}
}

// embedConfig resolves the patterns of go:embed directives for the compiler, by the rules
// of package embed.
func embedConfig(dir string, patterns []string) ([]byte, error) {
	config := struct {
		Patterns map[string][]string
		Files    map[string]string
	}{map[string][]string{}, map[string]string{}}
	for _, pattern := range patterns {
		pattern = strings.Trim(pattern, "\"`")
		files, err := embedFiles(dir, pattern)
		if err != nil {
			return nil, err
		}
		config.Patterns[pattern] = files
		for _, f := range files {
			config.Files[f] = filepath.Join(dir, filepath.FromSlash(f))
		}
	}
	return json.Marshal(config)
}

// embedFiles are the files that a pattern names. In a folder, those whose names begin
// with . or _ count only with the prefix all:.
func embedFiles(dir, pattern string) (files []string, err error) {
	glob, all := strings.CutPrefix(pattern, "all:")
	matches, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(glob)))
	if err != nil || len(matches) == 0 {
		return nil, fmt.Errorf("go:embed: pattern %s: no matching files in %s", pattern, dir)
	}
	for _, match := range matches {
		err := filepath.WalkDir(match, func(path string, d fs.DirEntry, err error) error {
			hidden := strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_")
			switch {
			case err != nil:
				return err
			case path != match && hidden && !all && d.IsDir():
				return filepath.SkipDir
			case d.IsDir(), path != match && hidden && !all:
				return nil
			}
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			if rel = filepath.ToSlash(rel); !slices.Contains(files, rel) {
				files = append(files, rel)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(files)
	return files, nil
}
