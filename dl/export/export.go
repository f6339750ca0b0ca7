package export

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/export/internal/golang"
	"github.com/gradbook/gradbook/dl/internal/atomicfile"
	"github.com/gradbook/gradbook/dl/internal/proto"
	"github.com/gradbook/gradbook/dl/onnx"
)

//go:embed plain/*.go plain/*.s
var sources embed.FS

// Format is what a model becomes.
type Format string

const (
	// GoPackage is a package of Go source with the weights, which imports the standard
	// library only.
	GoPackage Format = "go"
	// WebAssembly is a page, index.html, that holds the model and works without a server;
	// beside it are the sources that it was built of.
	WebAssembly Format = "wasm"
	// CLibrary is a shared library and its header; beside them are the sources.
	CLibrary Format = "c"
	// Program is a program that reads examples and computes with XLA; beside it are its
	// source and XLA's library.
	Program Format = "program"
	// Service is a static program that serves the model (package serve), without XLA and cgo;
	// beside it are its sources, a Dockerfile, and a manifest for KServe.
	Service Format = "service"
)

// String is the format's name.
func (f Format) String() string { return string(f) }

// Formats are all formats.
func Formats() []Format { return []Format{GoPackage, WebAssembly, CLibrary, Program, Service} }

// Config says how a model is exported.
type Config struct {
	// Format is GoPackage if it is not given.
	Format Format
	// Package is the name of the package, of the library or the program; that of the folder
	// if it is not given.
	Package string
	// Int8 stores the weights of layers as whole numbers of 8 bits, with a scale for each
	// unit or filter: a quarter of the size. The computation is in float32 as before.
	Int8 bool
	// Labels are the names of a classifier's classes, which a page shows.
	Labels []string
}

// Save exports a model into a folder, which it makes. What an earlier export wrote there is
// replaced; a folder that holds anything else under the names of an export is an error.
//
// Examples of a batch are computed apart, on all processors that Go may use.
func Save(m *dl.Model, dir string, config ...Config) error {
	e, err := newExport(dir, m.Name(), config)
	if err != nil {
		return err
	}
	e.model = m
	return e.save()
}

// File exports the model of a file of Keras or dl (.keras), or of ONNX (.onnx). The graph of
// an ONNX file may do anything with its batch, so it is computed as one.
func File(path, dir string, config ...Config) error {
	e, err := newExport(dir, filepath.Base(path), config)
	if err != nil {
		return err
	}
	if strings.EqualFold(filepath.Ext(path), ".onnx") {
		e.path = path
		return e.save()
	}
	if e.model, err = dl.Load(path); err != nil {
		return err
	}
	return e.save()
}

// exported is a model on its way.
type exported struct {
	Config
	dir, from string
	model     *dl.Model // nil for a file of ONNX
	path      string    // of a file of ONNX
}

func newExport(dir, from string, config []Config) (*exported, error) {
	if len(config) > 1 {
		return nil, fmt.Errorf("export: expected at most one Config, got %d", len(config))
	}
	e := &exported{dir: dir, from: from}
	if len(config) > 0 {
		e.Config = config[0]
	}
	if e.Format == "" {
		e.Format = GoPackage
	}
	if e.Package == "" {
		full, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		e.Package = packageName(filepath.Base(full))
	}
	if !token.IsIdentifier(e.Package) || e.Package != strings.ToLower(e.Package) || e.Package == "main" {
		return nil, fmt.Errorf("export: expected the name of a Go package, in lower case, got %q: give one as Package", e.Package)
	}
	return e, nil
}

// packageName is the name that a folder's package would have.
func packageName(folder string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(folder) {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) && b.Len() > 0) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (e *exported) save() error {
	if err := e.write(); err != nil {
		return fmt.Errorf("export: cannot export %s as %s: %w", e.from, e.Format, err)
	}
	return nil
}

func (e *exported) write() error {
	if e.Format == Program {
		return e.program()
	}
	p, err := e.plain()
	if err != nil {
		return err
	}
	switch e.Format {
	case GoPackage:
		files := p.Files
		if !inModule(e.dir) {
			files["go.mod"] = goMod(e.Package)
		}
		return e.files(files)
	case WebAssembly:
		return e.page(p)
	case CLibrary:
		return e.library(p)
	case Service:
		return e.service(p)
	}
	return fmt.Errorf("expected a format of %v", Formats())
}

// graph is the model's graph as ONNX has it.
func (e *exported) graph() (*proto.Model, error) {
	if e.path != "" {
		return proto.Open(e.path)
	}
	var b bytes.Buffer
	if err := onnx.Write(&b, e.model); err != nil {
		return nil, err
	}
	return proto.Read(b.Bytes())
}

// plain is the model as a package of plain Go.
func (e *exported) plain() (*golang.Package, error) {
	m, err := e.graph()
	if err != nil {
		return nil, err
	}
	plain, err := fs.Sub(sources, "plain")
	if err != nil {
		return nil, err
	}
	return golang.New(m, golang.Options{Package: e.Package, From: e.from, Apart: e.model != nil, Int8: e.Int8, Plain: plain})
}

// generated is how a file that an export wrote begins.
const generated = "// Code generated by gradbook export"

// goMod is the file of a module of an export's own.
func goMod(name string) []byte {
	return fmt.Appendf(nil, "%s. DO NOT EDIT.\n\nmodule exported/%s\n\ngo 1.24\n", generated, name)
}

// inModule says whether a folder lies in a module of somebody's.
func inModule(dir string) bool {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	for ; ; dir = filepath.Dir(dir) {
		if content, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			return !bytes.HasPrefix(content, []byte(generated))
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// files writes files into the export's folder, by their names in it.
func (e *exported) files(files map[string][]byte) error {
	if err := e.free(); err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(e.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		err := atomicfile.Write(path, 0, func(w io.Writer) error {
			_, err := w.Write(content)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// free looks whether the folder can be written to: it is new, empty, or an export's.
func (e *exported) free() error {
	entries, err := os.ReadDir(e.dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range []string{e.Package + ".go", "go.mod", "main.go"} {
		content, err := os.ReadFile(filepath.Join(e.dir, name))
		if err == nil && bytes.HasPrefix(content, []byte(generated)) {
			return nil
		}
	}
	return fmt.Errorf("expected a new or an empty folder, or one with an earlier export, and %s has other files", e.dir)
}
