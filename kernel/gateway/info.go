package gateway

import (
	"encoding/json"

	"github.com/gradbook/gradbook/kernel/dialect"
)

// kernelInfo tells of the kernel and its language.
func (g *Gateway) kernelInfo(*message) any {
	return map[string]any{
		"status":                 "ok",
		"protocol_version":       protocolVersion,
		"implementation":         "gradbook",
		"implementation_version": g.Version,
		"language_info": map[string]any{
			"name":               "go",
			"version":            g.GoVersion,
			"mimetype":           "text/x-go",
			"file_extension":     ".go",
			"pygments_lexer":     "go",
			"codemirror_mode":    "go", // JupyterLab finds no language by a MIME type here
			"nbconvert_exporter": "script",
		},
		"banner":             "Gradbook " + g.Version + " — Go " + g.GoVersion + ": deep learning in Go, as notebooks",
		"debugger":           true, // its panel of variables
		"supported_features": []string{"debugger", "kernel subshells"},
		"help_links": []map[string]string{
			{"text": "Go", "url": "https://go.dev/doc/"},
			{"text": "Go's packages", "url": "https://pkg.go.dev/std"},
			{"text": "GoNB", "url": "https://github.com/janpfeifer/gonb"},
			{"text": "GoMLX", "url": "https://pkg.go.dev/github.com/gomlx/gomlx"},
			{"text": "Keras", "url": "https://keras.io/api/"},
		},
	}
}

// isComplete says whether code could be executed as it stands.
func (g *Gateway) isComplete(m *message) any {
	var content struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(m.content, &content)
	status, indent := dialect.Status(content.Code)
	if status == "incomplete" {
		return map[string]any{"status": status, "indent": indent}
	}
	return map[string]any{"status": status}
}

// commInfo lists the open comms, of the session's widgets and of GoNB's.
func (g *Gateway) commInfo(m *message) any {
	var content struct {
		Target string `json:"target_name"`
	}
	_ = json.Unmarshal(m.content, &content) // without one, all are meant
	all := g.gonb.comms()
	if g.engine() != nil {
		for id, target := range g.engine().Comms() {
			all[id] = map[string]any{"target_name": target}
		}
	}
	for id, c := range all {
		if content.Target != "" && c.(map[string]any)["target_name"] != content.Target {
			delete(all, id)
		}
	}
	return map[string]any{"status": "ok", "comms": all}
}
