package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCompatibleExpression(t *testing.T) {
	for e, want := range map[string]bool{
		"MIT": true, "Apache-2.0 OR GPL-3.0": true, "MIT AND PSF-2.0": true, "(MIT OR GPL-2.0) AND BSD-3-Clause": true,
		"GPL-3.0": false, "MIT AND GPL-3.0": false, "": false, "LicenseRef-X": false,
	} {
		if got := compatibleExpression(e); got != want {
			t.Errorf("%q: expected %v", e, want)
		}
	}
}

// TestCollect: every part has a licence that goes with ours, a version, and what it can
// be verified by.
func TestCollect(t *testing.T) {
	t.Chdir(".")
	if err := toCheckout(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(".gradbook/venv"); err != nil {
		t.Skip("not set up; run make setup")
	}
	parts, err := collect()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems(parts) {
		t.Error(p)
	}
	found := map[string]int{}
	for _, p := range parts {
		found[p.Kind]++
		if p.Version == "" || p.Sum == "" && len(p.SHA256) == 0 {
			t.Errorf("%s %q: expected a version and a sum", p.Name, p.Version)
		}
	}
	if found["golang"] < 50 || found["pypi"] < 100 || found["npm"] != 1 {
		t.Errorf("expected modules, wheels and echarts, got %v", found)
	}
	raw, err := bill("v1.2.3", time.Unix(1, 0).UTC(), parts)
	if err != nil {
		t.Fatal(err)
	}
	var bom struct {
		SpecVersion string
		Components  []struct{ Name string }
	}
	if err := json.Unmarshal(raw, &bom); err != nil || bom.SpecVersion != "1.6" || len(bom.Components) < 150 {
		t.Errorf("got %v, version %s, %d components", err, bom.SpecVersion, len(bom.Components))
	}
	page, err := os.ReadFile("docs/licenses.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(page, licenses(parts)) {
		t.Error("docs/licenses.md is old; run: make licenses")
	}
}

// TestArchive: the source as git has it, the program beside it, and the same bytes again.
func TestArchive(t *testing.T) {
	var source bytes.Buffer
	w := tar.NewWriter(&source)
	for _, h := range []*tar.Header{
		{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "commit"}},
		{Name: "gradbook-v1/README.md", Mode: 0o644, Size: 5, ModTime: time.Unix(9, 0)},
	} {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var written [2][]byte
	for i := range written {
		path := filepath.Join(t.TempDir(), "a.tar.gz")
		if err := archive(path, source.String(), "gradbook-v1/gradbook", []byte("program"), time.Unix(10, 0)); err != nil {
			t.Fatal(err)
		}
		var err error
		if written[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(written[0], written[1]) {
		t.Error("expected the same bytes twice")
	}
	z, err := gzip.NewReader(bytes.NewReader(written[0]))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name+" "+h.FileInfo().Mode().String())
	}
	if got := strings.Join(names, ", "); got != "gradbook-v1/README.md -rw-r--r--, gradbook-v1/gradbook -rwxr-xr-x" {
		t.Errorf("got %s", got)
	}
}

func TestPEP440(t *testing.T) {
	for version, want := range map[string]string{
		"v1.2.3": "1.2.3", "v1.2.3-rc.1": "1.2.3rc1", "v1.2.3-beta2": "1.2.3b2", "v0.2.0-14-g0abc123": "0.2.0.post14+g0abc123",
		"v0.2.0-14-g0abc123-dirty": "0.2.0.post14+g0abc123.dirty", "0abc123": "0.0.0+g0abc123", "0abc123-dirty": "0.0.0+g0abc123.dirty",
	} {
		if got := pep440(version); got != want {
			t.Errorf("%s: expected %s, got %s", version, want, got)
		}
	}
}

// TestWheel: pip installs a wheel and finds its records right, Jupyter finds the kernel and
// the extension, and pip uninstall leaves nothing.
func TestWheel(t *testing.T) {
	t.Chdir(".")
	if err := toCheckout(); err != nil {
		t.Fatal(err)
	}
	python := filepath.Join(".gradbook", "venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		t.Skip("not set up; run make setup")
	}
	w, err := newWheel("linux/amd64", "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	w.tag = "any" // for whatever system this is
	w.add(w.info()+"/WHEEL", []byte(wheelFileOf(w.tag)))
	w.addProgram("gradbook/bin/gradbook", []byte("#!/bin/sh\necho \"$GRADBOOK_PYTHON\" \"$@\"\n"))
	content, err := w.bytes(time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.bytes(time.Unix(1e9, 0))
	if err != nil || !bytes.Equal(content, again) {
		t.Error("expected the same bytes again", err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, w.name())
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) string {
		t.Helper()
		out, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	own := filepath.Join(dir, "venv")
	run(python, "-m", "venv", own)
	before := run("find", own, "-type", "f", "-not", "-name", "*.pyc")
	pip := filepath.Join(own, "bin", "pip")
	run(pip, "install", "--no-deps", "--no-index", file)
	if got, want := run(filepath.Join(own, "bin", "gradbook"), "kernel", "x"), filepath.Join(own, "bin", "python")+" kernel x"; !strings.HasPrefix(got, filepath.Dir(want)) || !strings.HasSuffix(got, " kernel x") {
		t.Errorf("expected the program to be told of %s, got %s", want, got)
	}
	for _, path := range []string{"share/jupyter/kernels/gradbook/kernel.json", "share/jupyter/kernels/gradbook/logo-svg.svg", "share/jupyter/labextensions/@gradbook/viz/package.json", "etc/jupyter/jupyter_server_config.d/gradbook_export.json"} {
		if _, err := os.Stat(filepath.Join(own, filepath.FromSlash(path))); err != nil {
			t.Error(err)
		}
	}
	run(pip, "uninstall", "-y", "gradbook")
	if after := run("find", own, "-type", "f", "-not", "-name", "*.pyc"); after != before {
		t.Errorf("expected the files of before, got\n%s", after)
	}
}
