package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
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
