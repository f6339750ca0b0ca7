package book

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// site is a book in the making.
type site struct {
	source, out string
	options     Options
	names       []string
	languages   []string
	chapters    map[string][]chapter
}

// chapter is a notebook as the index shows it.
type chapter struct {
	Number      int
	File        string
	Title, Goal string
	Picture     string // its path in the site
}

// SVG says whether the picture is a chart, which is turned over on a dark page.
func (c chapter) SVG() bool { return strings.HasSuffix(c.Picture, ".svg") }

// language is a language as a page names it: HTML's code for it, and its own name.
type language struct{ Code, Name, Title, Contents, Before, After string }

var known = map[string]language{
	"":   {"en", "English", "Deep learning in Go", "Contents", "Back", "Next"},
	"zh": {"zh-CN", "中文", "用 Go 学深度学习", "目录", "上一篇", "下一篇"},
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

// up leads from a page of a language to the site's root.
func up(lang string) string {
	if lang == "" {
		return ""
	}
	return "../"
}

// others are the links to the same page in the other languages.
func (s *site) others(lang, file string) (links []link) {
	for _, l := range s.languages {
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
		"Generator": template.HTML(generator), "Language": languageOf(lang), "Up": up(lang), "Chapters": s.chapters[lang], "Languages": s.others(lang, "index.html"),
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
	toNB     = regexp.MustCompile(`href="([\w./-]+)\.ipynb(#[^"]*)?"`)
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
	neighbour := func(i int) string {
		if i < 0 || i >= len(s.names) {
			return ""
		}
		return s.names[i] + ".html"
	}
	var nav bytes.Buffer
	err = navPart.Execute(&nav, map[string]any{
		"Language": languageOf(lang), "Before": neighbour(i - 1), "After": neighbour(i + 1), "Languages": s.others(lang, s.names[i]+".html"), "Notebook": s.names[i] + ".ipynb",
	})
	if err != nil {
		return err
	}
	head, rest := raw[:place[1]], raw[place[1]:]
	head = htmlLang.ReplaceAllLiteral(head, []byte(`<html lang="`+languageOf(lang).Code+`">`))
	head = pageName.ReplaceAllLiteral(head, []byte("<title>"+template.HTMLEscapeString(title)+"</title>"))
	rest = toNB.ReplaceAll(rest, []byte(`href="$1.html$2"`))
	end := bytes.LastIndex(rest, []byte("</main>"))
	if end < 0 {
		end = len(rest)
	}
	// The same row above and below.
	return os.WriteFile(path, bytes.Join([][]byte{head, nav.Bytes(), rest[:end], nav.Bytes(), rest[end:]}, nil), 0o644)
}
