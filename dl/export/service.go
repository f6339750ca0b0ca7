package export

import (
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/gradbook/gradbook/dl/export/internal/golang"
)

var (
	//go:embed templates/service.go.tmpl
	serviceMain string
	//go:embed templates/Dockerfile.tmpl
	serviceDockerfile string
	//go:embed templates/kserve.yaml.tmpl
	serviceKServe string

	serviceFiles = map[string]*template.Template{
		"main.go": serviceTemplate(serviceMain), "Dockerfile": serviceTemplate(serviceDockerfile), "kserve.yaml": serviceTemplate(serviceKServe),
	}
)

func serviceTemplate(text string) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"datatype": func(t string) string { return datatypes[t] },
		"dims":     func(d []int) string { return strings.Trim(strings.ReplaceAll(fmt.Sprint(d), " ", ", "), "[]") },
	}).Parse(text))
}

// serveFolder is the module of package serve, within this one.
const serveFolder = "/dl/serve"

// datatypes are the V2 protocol's names for Go's types.
var datatypes = map[string]string{
	"float32": "FP32", "float64": "FP64", "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64",
	"uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64",
}

// service writes and builds a static program that serves the model, and what deploys it.
func (e *exported) service(p *golang.Package) error {
	if p.Shapes {
		return errors.New("expected a model whose shapes are known but for the batch, as the protocol's batches are")
	}
	others := false
	for _, t := range append(p.Inputs[:len(p.Inputs):len(p.Inputs)], p.Outputs...) {
		if datatypes[t.Type] == "" || !t.Open {
			return fmt.Errorf("%s: expected numbers with the batch as the first axis, got %s of shape %v", t.Name, t.Type, t.Shape)
		}
		others = others || t.Type != "float32"
	}
	mod, sum, err := requirements(e.Package, serveFolder)
	if err != nil {
		return err
	}
	files := map[string][]byte{"go.mod": mod, "go.sum": sum}
	data := map[string]any{"Name": p.Name, "DNS": strings.Trim(p.Name, "_"), "Inputs": p.Inputs, "Outputs": p.Outputs, "Others": others}
	for name, t := range serviceFiles {
		if files[name], err = execute(t, data); err != nil {
			return err
		}
	}
	if err := e.around(p, files); err != nil {
		return err
	}
	return e.build([]string{"CGO_ENABLED=0", "GOFLAGS=-mod=mod"}, filepath.Join("bin", e.Package))
}
