package book

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/kernel/notebook"
)

// site is a book in the making.
type site struct {
	source, out string
	options     Options
	names       []string
	languages   []string
	chapters    map[string][]chapter
	took        map[string]notebook.Result // by language and name
}

// chapter is a notebook as the index shows it.
type chapter struct {
	File        string // its address from the index
	Title, Goal string
	Picture     string // its address from the site's root
	Took        string // how long it ran when the book was made
}

// SVG says whether the picture is a chart, which is turned over on a dark page.
func (c chapter) SVG() bool { return strings.HasSuffix(c.Picture, ".svg") }

// language is a language as a page names it: HTML's code for it, and its own name.
type language struct{ Code, Name, Title, Contents, Before, After, Took string }

var known = map[string]language{
	"":   {"en", "English", "Deep learning in Go", "Contents", "Back", "Next", "runs in %.0f s, %.0f s of the processor"},
	"zh": {"zh-CN", "中文", "用 Go 学深度学习", "目录", "上一篇", "下一篇", "运行 %.0f 秒，处理器 %.0f 秒"},
}

// languageOf is a language of a folder's name; one that is not known is named by it.
func languageOf(dir string) language {
	l, ok := known[dir]
	if !ok {
		l = known[""]
		l.Code, l.Name = dir, dir
	}
	return l
}

// link is a link as a page shows it; one without an address is where one is.
type link struct{ Name, Address string }

var (
	//go:embed index.html
	indexSource string
	//go:embed nav.html
	navSource string
	indexPage = template.Must(template.New("index").Parse(indexSource))
	navPart   = template.Must(template.New("nav").Parse(navSource))
)

// has says whether a notebook is there in a language.
func (s *site) has(lang, name string) bool {
	return exists(filepath.Join(s.source, lang, name+".ipynb"))
}

// address is a file's name as a link has it.
func address(file string) string { return (&url.URL{Path: file}).String() }

// up leads from a page of a language to the site's root.
func up(lang string) string {
	if lang == "" {
		return ""
	}
	return "../"
}

// others are the links to the same page in the other languages; of the index, if name
// is "".
func (s *site) others(lang, name string) (links []link) {
	file := "index.html"
	if name != "" {
		file = address(name + ".html")
	}
	for _, l := range s.languages {
		if name != "" && !s.has(l, name) {
			continue
		}
		a := link{Name: languageOf(l).Name}
		if l != lang {
			a.Address = up(lang) + strings.TrimPrefix(l+"/", "/") + file
		}
		links = append(links, a)
	}
	return links
}

func (s *site) index(lang string) error {
	var page bytes.Buffer
	err := indexPage.Execute(&page, map[string]any{
		"Language": languageOf(lang), "Up": up(lang), "Chapters": s.chapters[lang], "Languages": s.others(lang, ""),
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.out, lang, "index.html"), page.Bytes(), 0o644)
}

var (
	body     = regexp.MustCompile(`<body[^>]*>`)
	htmlLang = regexp.MustCompile(`<html[^>]*>`)
	pageName = regexp.MustCompile(`<title>[^<]*</title>`)
	toNB     = regexp.MustCompile(`href="([^":?#]+)\.ipynb(#[^"]*)?"`)
)

// frame puts what leads through the book around a page, whose links to notebooks
// become links to their pages.
func (s *site) frame(path string, i int, lang, title string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	place := body.FindIndex(raw)
	if place == nil {
		return fmt.Errorf("%s: expected a page with a body", path)
	}
	neighbour := func(step int) string {
		for k := i + step; k >= 0 && k < len(s.names); k += step {
			if s.has(lang, s.names[k]) {
				return address(s.names[k] + ".html")
			}
		}
		return ""
	}
	var nav bytes.Buffer
	err = navPart.Execute(&nav, map[string]any{
		"Language": languageOf(lang), "Before": neighbour(-1), "After": neighbour(1), "Languages": s.others(lang, s.names[i]), "Notebook": address(s.names[i] + ".ipynb"),
	})
	if err != nil {
		return err
	}
	head, rest := raw[:place[1]], raw[place[1]:]
	head = htmlLang.ReplaceAllLiteral(head, []byte(`<html lang="`+languageOf(lang).Code+`">`))
	head = pageName.ReplaceAllLiteral(head, []byte("<title>"+template.HTMLEscapeString(title)+"</title>"))
	rest = toNB.ReplaceAllFunc(rest, func(href []byte) []byte {
		m := toNB.FindSubmatch(href)
		if name, err := url.PathUnescape(string(m[1])); err == nil && slices.Contains(s.names, name) && s.has(lang, name) {
			return fmt.Appendf(nil, `href="%s.html%s"`, m[1], m[2])
		}
		return href
	})
	end := bytes.LastIndex(rest, []byte("</main>"))
	if end < 0 {
		end = len(rest)
	}
	// The same row above and below.
	return os.WriteFile(path, bytes.Join([][]byte{head, nav.Bytes(), rest[:end], nav.Bytes(), rest[end:]}, nil), 0o644)
}
