package export

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/gradbook/gradbook/dl/export/internal/golang"
	"github.com/gradbook/gradbook/dl/export/page"
)

var (
	//go:embed templates/wasm.go.tmpl
	wasmMain string

	wasmTemplate = template.Must(template.New("").Parse(wasmMain))
)

// pageModel is what a page knows of its model.
type pageModel struct {
	Name    string     `json:"name"`
	Inputs  []pagePort `json:"inputs"`
	Outputs []pagePort `json:"outputs"`
	Labels  []string   `json:"labels,omitempty"`
	// White is the number that stands for white in images: 1, or 255 for a model that scales
	// itself.
	White float64 `json:"white"`
}

type pagePort struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
	Whole bool   `json:"whole,omitempty"`
}

// page writes a page with the model in it.
func (e *exported) page(p *golang.Package) error {
	if p.Shapes {
		return errors.New("expected a model whose shapes are known but for the batch: a page has no place for others")
	}
	for _, t := range append(p.Inputs[:len(p.Inputs):len(p.Inputs)], p.Outputs...) {
		if t.Type == "float64" || t.Type == "bool" || t.Type == "int64" || t.Type == "uint64" {
			return fmt.Errorf("%s: numbers of %s are not exported to a page", t.Name, t.Type)
		}
	}
	main, err := execute(wasmTemplate, p)
	if err != nil {
		return err
	}
	if err := e.around(p, map[string][]byte{"go.mod": goMod(e.Package), "main.go": main}); err != nil {
		return err
	}
	html, err := e.bundle(p)
	if err != nil {
		return err
	}
	return e.files(map[string][]byte{"index.html": html})
}

// bundle builds the model and puts it into a page, with Go's own support for browsers.
func (e *exported) bundle(p *golang.Package) ([]byte, error) {
	binary := filepath.Join(e.dir, e.Package+".wasm")
	if err := e.build([]string{"GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0"}, e.Package+".wasm"); err != nil {
		return nil, err
	}
	wasm, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(binary); err != nil {
		return nil, err
	}
	root, err := e.goCommand(nil, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	support, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return nil, fmt.Errorf("this installation of Go lacks what WebAssembly needs: %w", err)
	}
	model, err := json.Marshal(e.pageModel(p)) // with < as <
	if err != nil {
		return nil, err
	}
	html := page.HTML
	for mark, content := range map[string]string{
		"/*css*/": page.Style, "/*support*/": script(string(support)), "/*page*/": script(page.Script), "/*start*/": script(page.WebAssembly), "/*model*/": string(model),
		"/*wasm*/": base64.StdEncoding.EncodeToString(wasm),
	} {
		html = strings.Replace(html, mark, content, 1)
	}
	return bytes.ReplaceAll([]byte(html), []byte("{{title}}"), []byte(e.Package)), nil
}

// script is JavaScript as it may stand in a page.
func script(text string) string { return strings.ReplaceAll(text, "</script", `<\/script`) }

func (e *exported) pageModel(p *golang.Package) pageModel {
	m := pageModel{Name: e.Package, Labels: e.Labels, White: 1}
	for _, t := range p.Inputs {
		m.Inputs = append(m.Inputs, pagePort{t.Name, t.Shape, !strings.HasPrefix(t.Type, "float")})
	}
	for _, t := range p.Outputs {
		m.Outputs = append(m.Outputs, pagePort{t.Name, t.Shape, !strings.HasPrefix(t.Type, "float")})
	}
	if e.model != nil {
		for _, l := range e.model.Layers() {
			if l.Type() == "Rescaling" {
				m.White = 255
			}
		}
	}
	return m
}
