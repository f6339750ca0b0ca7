package serve

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"

	"github.com/gradbook/gradbook/dl/export/page"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.js
	pageScript string

	pageTemplate = template.Must(template.New("").Parse(pageHTML))
)

// page is a page that tries a model: the first one, if none is named.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	names := s.registry.names()
	name := r.PathValue("model")
	if name == "" && len(names) > 0 {
		name = names[0]
	}
	l, err := s.registry.find(name, "")
	if err != nil {
		writeError(w, err)
		return
	}
	type port struct {
		Name     string `json:"name"`
		Datatype string `json:"datatype"`
		Shape    []int  `json:"shape"`
		Whole    bool   `json:"whole"`
	}
	ports := func(all []Port) (out []port) {
		for _, p := range all {
			_, whole := bounds[p.Datatype]
			out = append(out, port{p.Name, p.Datatype, append([]int{}, p.Shape...), whole})
		}
		return out
	}
	model, err := json.Marshal(map[string]any{
		"name": name, "inputs": ports(l.described.Inputs), "outputs": ports(l.described.Outputs), "white": 1, "chat": l.generator != nil,
	})
	if err != nil {
		writeError(w, err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src data: blob:; frame-ancestors 'none'; base-uri 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	_ = pageTemplate.Execute(w, map[string]any{"Name": name, "Names": names, "Model": string(model)})
}

func (s *Server) pageFile(w http.ResponseWriter, r *http.Request) {
	kind := "text/javascript"
	var text string
	switch r.PathValue("file") {
	case "page.js":
		text = page.Script
	case "serve.js":
		text = pageScript
	case "page.css":
		kind, text = "text/css", page.Style
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind+"; charset=utf-8")
	_, _ = w.Write([]byte(text))
}
