package book_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/book"
	"github.com/gradbook/gradbook/kernel/install/installtest"
)

// write writes a notebook of a text and cells; a cell that begins with a name and a
// bar has it for a tag.
func write(t *testing.T, path, text string, code ...string) {
	t.Helper()
	cells := []any{map[string]any{"cell_type": "markdown", "id": "text", "metadata": map[string]any{}, "source": text}}
	for i, c := range code {
		tags := []string{}
		if tag, rest, ok := strings.Cut(c, "|"); ok {
			tags, c = append(tags, tag), rest
		}
		cells = append(cells, map[string]any{"cell_type": "code", "id": fmt.Sprint("c", i), "metadata": map[string]any{"tags": tags}, "execution_count": nil, "outputs": []any{}, "source": c})
	}
	raw, err := json.Marshal(map[string]any{"cells": cells, "metadata": map[string]any{}, "nbformat": 4, "nbformat_minor": 5})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

func options(t *testing.T, out string) book.Options {
	t.Helper()
	l := installtest.Layout(t)
	return book.Options{Python: l.Python(), Env: l.JupyterEnv(), OutDir: out, Log: &bytes.Buffer{}}
}

func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("it executes notebooks; make check")
	}
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "site")
	slash := out + string(filepath.Separator)
	code := []string{
		`viz.Lines(viz.LinesConfig{}, viz.Series{Y: []float64{1, 2}})`,
		`thumbnail|viz.Lines(viz.LinesConfig{}, viz.Series{Name: "the second", Y: []float64{2, 1}})`,
		`fmt.Println("number", rand.Int())`,
		`remove-cell|fmt.Println("secret")`,
	}
	write(t, filepath.Join(dir, "1.ipynb"), "# A <title> & more\n\n**Goal.** To *see* [this](2.ipynb).\n\nOther words.", code...)
	write(t, filepath.Join(dir, "2.ipynb"), "# The second\n\nIts goal.", `fmt.Println("two")`)
	write(t, filepath.Join(dir, "zh", "1.ipynb"), "# 标题\n\n**目标。** 看。", code...)
	write(t, filepath.Join(dir, "zh", "2.ipynb"), "# 第二\n\n目标。", `fmt.Println("另一个")`)
	write(t, filepath.Join(dir, "2 a#b.ipynb"), "# Not translated\n\n[The second](2.ipynb), [elsewhere](../x.ipynb).")
	write(t, filepath.Join(dir, "drafts", "1.ipynb"), "# No language\n\nNone.")
	index, err := book.Build(t.Context(), dir, options(t, slash))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range []string{"index.html", "1.html", "2.html", "zh/index.html", "zh/1.html", "zh/2.html", "2 a#b.html", "1.ipynb", "zh/1.ipynb", "pictures/1.svg"} {
		raw, err := os.ReadFile(filepath.Join(out, f))
		if err != nil {
			t.Fatal(err)
		}
		files[f] = string(raw)
	}
	if index != filepath.Join(out, "index.html") {
		t.Errorf("expected the path of the index, got %s", index)
	}
	for f, parts := range map[string][]string{
		"index.html":     {"A &lt;title&gt; &amp; more", "<p>To see this.</p>", `src="pictures/1.svg"`, `href="zh/index.html"`, `href="2.html"`, "prefers-color-scheme: dark"},
		"zh/index.html":  {`lang="zh-CN"`, "标题", "<p>看。</p>", `src="../pictures/zh/1.svg"`, `href="../index.html"`},
		"1.html":         {`<html lang="en">`, "<title>A &lt;title&gt; &amp; more</title>", "Content-Security-Policy", `href="2%20a%23b.html"`, `href="zh/1.html"`, "prefers-color-scheme: dark"},
		"zh/1.html":      {`<html lang="zh-CN">`, `href="../1.html"`, `href="2.html"`},
		"zh/2.html":      {"另一个"},
		"2 a#b.html":     {`href="2.html"`, `href="../x.ipynb"`, `href="2%20a%23b.ipynb"`},
		"pictures/1.svg": {"the second"},
	} {
		for _, part := range parts {
			if !strings.Contains(files[f], part) {
				t.Errorf("expected %q in %s", part, f)
			}
		}
		for _, part := range []string{`src="http`, `<script src`, "secret", "zh/2%20a", "drafts"} {
			if strings.Contains(files[f], part) {
				t.Errorf("expected no %q in %s", part, f)
			}
		}
	}
	// The translation has the outputs of the first, which no second run would give.
	number := between(t, files["1.html"], "number ", "\n")
	if got := between(t, files["zh/1.html"], "number ", "\n"); got != number {
		t.Errorf("expected the output %s in Chinese, got %s", number, got)
	}

	// A cell that fails leaves the old book as it is.
	write(t, filepath.Join(dir, "2.ipynb"), "# The second\n\nIts goal.", `panic("no")`)
	if _, err := book.Build(t.Context(), dir, options(t, out)); err == nil {
		t.Error("expected an error")
	}
	if raw, err := os.ReadFile(filepath.Join(out, "2.html")); err != nil || string(raw) != files["2.html"] {
		t.Errorf("expected the old page, %v", err)
	}
}

func between(t *testing.T, s, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(s, from)
	if !ok {
		t.Fatalf("expected %q", from)
	}
	part, _, _ := strings.Cut(rest, to)
	return part
}

// TestBuildKeeps: a folder that is no book is not written into.
func TestBuildKeeps(t *testing.T) {
	if testing.Short() {
		t.Skip("it executes notebooks; make check")
	}
	dir, out := t.TempDir(), t.TempDir()
	mine := filepath.Join(out, "thesis.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := book.Options{OutDir: out, Log: &bytes.Buffer{}}
	if _, err := book.Build(context.Background(), dir, o); err == nil || !strings.Contains(err.Error(), "has none") {
		t.Errorf("expected an error about a folder without notebooks, got %v", err)
	}
	write(t, filepath.Join(dir, "1.ipynb"), "# One")
	if _, err := book.Build(context.Background(), dir, o); err == nil || !strings.Contains(err.Error(), "other files") {
		t.Errorf("expected an error about the folder, got %v", err)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(out, "index.html"), []byte(`<meta name="generator" content="gradbook book">`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := book.Build(context.Background(), dir, o); err == nil || !strings.Contains(err.Error(), "thesis.txt") {
		t.Errorf("expected an error about the file beside the book, got %v", err)
	}
	if err := os.Rename(filepath.Join(dir, "1.ipynb"), filepath.Join(dir, "index.ipynb")); err != nil {
		t.Fatal(err)
	}
	if _, err := book.Build(context.Background(), dir, o); err == nil || !strings.Contains(err.Error(), "another name") {
		t.Errorf("expected an error about a notebook named index, got %v", err)
	}
}
