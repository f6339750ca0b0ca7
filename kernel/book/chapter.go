package book

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/kernel/notebook"
)

// document is a notebook; what is not named here is kept.
type document map[string]json.RawMessage

// cell is what a book needs to know of a cell.
type cell struct {
	Type     string        `json:"cell_type"`
	ID       string        `json:"id"`
	Source   notebook.Text `json:"source"`
	Metadata struct {
		Tags []string `json:"tags"`
	} `json:"metadata"`
	Outputs []struct {
		Data map[string]json.RawMessage `json:"data"`
	} `json:"outputs"`
}

func open(path string) (d document, raw []map[string]json.RawMessage, cells []cell, err error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := json.Unmarshal(file, &d); err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := json.Unmarshal(d["cells"], &raw); err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := json.Unmarshal(d["cells"], &cells); err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, raw, cells, nil
}

// chapter writes one notebook in one language, as .ipynb and as a page.
func (s *site) chapter(ctx context.Context, i int, lang string) error {
	name := s.names[i]
	source := filepath.Join(s.source, lang, name+".ipynb")
	out := filepath.Join(s.out, lang)
	executed, page := filepath.Join(out, name+".ipynb"), filepath.Join(out, name+".html")
	if !s.has(lang, name) {
		return nil // not translated
	}
	o := notebook.Options{Python: s.options.Python, Env: s.options.Env, OutDir: out, Log: s.options.Log, Script: up(lang) + chartsDir + "/page.js"}
	same := false
	if lang != "" {
		var err error
		if same, err = graft(source, filepath.Join(s.out, name+".ipynb"), executed); err != nil {
			return err
		}
	}
	if same {
		if err := notebook.Render(ctx, executed, page, o); err != nil {
			return err
		}
	} else {
		r, err := notebook.Run(ctx, source, o)
		if err != nil {
			return err
		}
		s.took[filepath.Join(lang, name)] = r
	}
	_, _, cells, err := open(executed)
	if err != nil {
		return err
	}
	c := chapter{File: address(name + ".html")}
	r, ok := s.took[filepath.Join(lang, name)]
	if !ok {
		r, ok = s.took[name] // what it translates was executed
	}
	if ok {
		c.Took = fmt.Sprintf(languageOf(lang).Took, r.Wall.Seconds(), r.Processor.Seconds())
	}
	c.Title, c.Goal = heading(cells)
	if c.Title == "" {
		c.Title = name
	}
	if c.Picture, err = s.thumbnail(filepath.Join(lang, name), cells); err != nil {
		return err
	}
	s.chapters[lang] = append(s.chapters[lang], c)
	return s.frame(page, i, lang, c.Title)
}

// graft writes a translation with the outputs of what it translates, and says
// whether it could: their code must be the same.
func graft(source, executed, target string) (bool, error) {
	d, raw, cells, err := open(source)
	if err != nil {
		return false, err
	}
	_, done, doneCells, err := open(executed)
	if err != nil {
		return false, err
	}
	var outputs []map[string]json.RawMessage
	var code []string
	for i, c := range doneCells {
		if c.Type == "code" {
			outputs, code = append(outputs, done[i]), append(code, string(c.Source))
		}
	}
	at := 0
	for i, c := range cells {
		if c.Type != "code" {
			continue
		}
		if at == len(code) || code[at] != string(c.Source) {
			return false, nil
		}
		raw[i]["outputs"], raw[i]["execution_count"] = outputs[at]["outputs"], outputs[at]["execution_count"]
		at++
	}
	if at != len(code) {
		return false, nil
	}
	if d["cells"], err = json.Marshal(raw); err != nil {
		return false, err
	}
	file, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return false, err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return false, err
	}
	return true, os.WriteFile(target, file, 0o644)
}

var label = regexp.MustCompile(`^\*\*[^*]+[.。:：]\*\*\s*`)

var marks = regexp.MustCompile(`\*\*|\*|` + "`" + `|\[([^\]]*)\]\([^)]*\)`)

// heading is a notebook's title, and what its first paragraph says, without a label in
// front of it such as "**Goal.**".
func heading(cells []cell) (title, goal string) {
	for _, c := range cells {
		if c.Type != "markdown" {
			continue
		}
		for part := range strings.SplitSeq(string(c.Source), "\n\n") {
			part = strings.TrimSpace(part)
			if t, ok := strings.CutPrefix(part, "# "); ok && title == "" {
				t, rest, _ := strings.Cut(t, "\n")
				title, part = marks.ReplaceAllString(t, "$1"), strings.TrimSpace(rest)
			}
			if strings.HasPrefix(part, "#") {
				continue
			}
			if title != "" && part != "" {
				return title, marks.ReplaceAllString(label.ReplaceAllString(part, ""), "$1")
			}
		}
	}
	return title, ""
}

// thumbnail writes the picture of the cell that is tagged "thumbnail", else the first
// picture, and returns its path in the site; "" if there is none.
func (s *site) thumbnail(name string, cells []cell) (string, error) {
	first := ""
	for _, c := range cells {
		tagged := slices.Contains(c.Metadata.Tags, "thumbnail")
		if first != "" && !tagged {
			continue
		}
		for _, o := range c.Outputs {
			path, err := s.picture(name, o.Data)
			if err != nil {
				return "", err
			}
			if path != "" {
				first = path
				break
			}
		}
		if tagged {
			break
		}
	}
	return first, nil
}

func (s *site) picture(name string, data map[string]json.RawMessage) (string, error) {
	for _, kind := range [][2]string{{"image/svg+xml", ".svg"}, {"image/png", ".png"}} {
		mime, ext := kind[0], kind[1]
		var t notebook.Text
		if json.Unmarshal(data[mime], &t) != nil || t == "" {
			continue
		}
		file := []byte(t)
		if mime == "image/png" {
			var err error
			if file, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(string(t), "\n", "")); err != nil {
				return "", fmt.Errorf("%s: a picture that is no base64: %w", name, err)
			}
		}
		path := filepath.Join("pictures", name+ext)
		if err := os.MkdirAll(filepath.Join(s.out, filepath.Dir(path)), 0o755); err != nil {
			return "", err
		}
		return address(filepath.ToSlash(path)), os.WriteFile(filepath.Join(s.out, path), file, 0o644)
	}
	return "", nil
}
