// Package book makes a static site of a folder of notebooks: a page for each, with
// its outputs, and an index. Nothing of it is loaded from anywhere, so it can be
// opened as a file.
package book

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/kernel/notebook"
)

// Options say how to make a book.
type Options struct {
	// Python and Env are as for notebook.Run.
	Python string
	Env    []string
	// OutDir is the folder of the site.
	OutDir string
	// Log gets what happens, a line each.
	Log io.Writer
}

// Build executes the notebooks of a folder, in the order of their names, and writes
// the site. A notebook of the same name in a folder within, zh/01.ipynb say, is a
// translation: if its code is the same, cell by cell, it gets the outputs of the
// notebook that it translates, else it is executed as well. The folders' names are
// their languages'; the notebooks of the folder itself are in English.
//
// It returns the path of the index. The site is written anew as a whole, or the old
// one stays.
func Build(ctx context.Context, dir string, o Options) (index string, err error) {
	if o.OutDir, err = filepath.Abs(o.OutDir); err != nil {
		return "", err
	}
	names, languages, err := list(dir, o.OutDir)
	if err != nil {
		return "", err
	}
	if err := replaceable(o.OutDir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(o.OutDir), 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(o.OutDir), ".book-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	site := site{source: dir, out: tmp, options: o, names: names, languages: languages, chapters: map[string][]chapter{}, took: map[string]notebook.Result{}}
	for i := range names {
		fmt.Fprintf(o.Log, "%d of %d: %s\n", i+1, len(names), names[i])
		for _, lang := range languages {
			if err := site.chapter(ctx, i, lang); err != nil {
				return "", err
			}
		}
	}
	for _, lang := range languages {
		if err := site.index(lang); err != nil {
			return "", err
		}
	}
	if err := site.charts(); err != nil {
		return "", err
	}
	if err := replace(tmp, o.OutDir); err != nil {
		return "", err
	}
	return filepath.Join(o.OutDir, "index.html"), nil
}

// tag is a folder's name that is a language's: "zh", "pt-BR".
var tag = regexp.MustCompile(`^[a-z]{2,3}(-\w+)*$`)

// list finds the notebooks of a folder, without their extension, and the languages
// in which they are; "" is that of the folder itself.
func list(dir, out string) (names, languages []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".ipynb")
		if !ok || e.IsDir() || strings.HasPrefix(name, ".") {
			continue
		}
		if name == "index" {
			return nil, nil, fmt.Errorf("%s: its page would be in the place of the book's index; give it another name", filepath.Join(dir, e.Name()))
		}
		if err := notebook.Check(filepath.Join(dir, e.Name())); err != nil {
			return nil, nil, err
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, nil, fmt.Errorf("expected a folder with notebooks, got %s, which has none", dir)
	}
	languages = []string{""}
	for _, e := range entries {
		own, err := filepath.Abs(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, nil, err
		}
		if !e.IsDir() || !tag.MatchString(e.Name()) || own == out {
			continue
		}
		if slices.ContainsFunc(names, func(name string) bool { return exists(filepath.Join(own, name+".ipynb")) }) {
			languages = append(languages, e.Name())
		}
	}
	return names, languages, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// generator is in the index of every book: index.html has it.
const generator = `<meta name="generator" content="gradbook book">`

// replaceable reports a folder that is neither a book nor empty: it would be lost.
func replaceable(dir string) error {
	files, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(files) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	index, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil || !bytes.Contains(index, []byte(generator)) {
		return fmt.Errorf("expected a new or empty folder, or an older book, got %s with other files in it", dir)
	}
	for _, f := range files {
		ext := filepath.Ext(f.Name())
		if f.IsDir() && (f.Name() == "pictures" || f.Name() == chartsDir || tag.MatchString(f.Name())) || !f.IsDir() && (ext == ".html" || ext == ".ipynb") {
			continue
		}
		return fmt.Errorf("expected a folder with a book and nothing else, got %s with %s in it", dir, f.Name())
	}
	return nil
}

// replace puts a new folder in the place of an old one, which stays if that fails.
func replace(from, to string) error {
	if err := os.Chmod(from, 0o755); err != nil {
		return err
	}
	old := from + "-old"
	had := exists(to)
	if had {
		if err := os.Rename(to, old); err != nil {
			return err
		}
	}
	if err := os.Rename(from, to); err != nil {
		if had {
			err = errors.Join(err, os.Rename(old, to))
		}
		return err
	}
	return os.RemoveAll(old)
}
