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
	names, languages, err := list(dir)
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
	site := site{source: dir, out: tmp, options: o, names: names, languages: languages}
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
	if err := replace(tmp, o.OutDir); err != nil {
		return "", err
	}
	return filepath.Join(o.OutDir, "index.html"), nil
}

// list finds the notebooks of a folder, without their extension, and the languages
// in which they are; "" is that of the folder itself.
func list(dir string) (names, languages []string, err error) {
	found, err := filepath.Glob(filepath.Join(dir, "*.ipynb"))
	if err != nil {
		return nil, nil, err
	}
	if len(found) == 0 {
		return nil, nil, fmt.Errorf("expected a folder with notebooks, got %s, which has none", dir)
	}
	for _, path := range found {
		if err := notebook.Check(path); err != nil {
			return nil, nil, err
		}
		names = append(names, strings.TrimSuffix(filepath.Base(path), ".ipynb"))
	}
	languages = []string{""}
	twins, err := filepath.Glob(filepath.Join(dir, "*", "*.ipynb"))
	for _, path := range twins {
		lang := filepath.Base(filepath.Dir(path))
		if slices.Contains(names, strings.TrimSuffix(filepath.Base(path), ".ipynb")) && !slices.Contains(languages, lang) && !strings.HasPrefix(lang, ".") {
			languages = append(languages, lang)
		}
	}
	return names, languages, err
}

// generator is in the index of every book.
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
	return nil
}

// replace puts a new folder in the place of an old one.
func replace(from, to string) error {
	if err := os.Chmod(from, 0o755); err != nil {
		return err
	}
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.Rename(from, to)
}
