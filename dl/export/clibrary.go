package export

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"text/template"

	"github.com/gradbook/gradbook/dl/export/internal/golang"
)

var (
	//go:embed templates/clibrary.go.tmpl
	libraryMain string
	//go:embed templates/clibrary.h.tmpl
	libraryHeader string

	cTypes = template.FuncMap{"c": func(t string) string { return cNames[t] }, "args": cArguments}

	libraryTemplate = template.Must(template.New("").Funcs(cTypes).Parse(libraryMain))
	headerTemplate  = template.Must(template.New("").Funcs(cTypes).Parse(libraryHeader))
)

// cNames are C's names for Go's types.
var cNames = map[string]string{
	"float32": "float", "float64": "double", "int8": "int8_t", "int16": "int16_t", "int32": "int32_t", "int64": "int64_t",
	"uint8": "uint8_t", "uint16": "uint16_t", "uint32": "uint32_t", "uint64": "uint64_t", "bool": "bool",
}

// cArguments are those of the function in C.
func cArguments(p *golang.Package) string {
	text := "size_t examples"
	for _, t := range p.Inputs {
		text += fmt.Sprintf(", const %s *%s", cNames[t.Type], t.Ident)
	}
	for _, t := range p.Outputs {
		text += fmt.Sprintf(", %s *%s", cNames[t.Type], t.Ident)
	}
	return text
}

// libraryName is what a system calls a shared library.
func libraryName(name string) string {
	switch runtime.GOOS {
	case "windows":
		return name + ".dll"
	case "darwin":
		return "lib" + name + ".dylib"
	}
	return "lib" + name + ".so"
}

// library builds a shared library, and writes its header.
func (e *exported) library(p *golang.Package) error {
	if p.Shapes {
		return errors.New("expected a model whose shapes are known but for the batch: the library's function has no place for others")
	}
	main, err := execute(libraryTemplate, p)
	if err != nil {
		return err
	}
	header, err := execute(headerTemplate, p)
	if err != nil {
		return err
	}
	if err := e.around(p, map[string][]byte{"go.mod": goMod(e.Package), "main.go": main}); err != nil {
		return err
	}
	name := libraryName(e.Package)
	if err := e.build([]string{"CGO_ENABLED=1"}, name, "-buildmode=c-shared"); err != nil {
		return err
	}
	// Go writes a header of its own, with the types of its runtime.
	own := filepath.Join(e.dir, name[:len(name)-len(filepath.Ext(name))]+".h")
	if err := os.Remove(own); err != nil {
		return err
	}
	return e.files(map[string][]byte{e.Package + ".h": header})
}
