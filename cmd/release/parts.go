package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// part is something of others that Gradbook uses.
type part struct {
	Name, Version string
	// Kind is that of its package URL: golang, pypi or npm.
	Kind string
	// Use says what for.
	Use string
	// Licenses are names of SPDX's, as far as they are known.
	Licenses []string
	// SHA256 are the hashes that are accepted.
	SHA256 []string
	// Sum is that of a Go module, as in go.sum.
	Sum string
}

// Uses of parts, in the order of the page.
const (
	useProgram = "in Gradbook's programs, and in cells"
	useTools   = "in the programs beside the kernel: GoNB, gopls, goimports"
	usePython  = "in the Python environment"
	useHub     = "in the image for containers, for JupyterHub"
	usePlugin  = "XLA's plugin for the CPU, downloaded by setup"
	useCUDA    = "XLA for GPUs and NVIDIA's libraries, downloaded by setup where there is a GPU"
	useCarried = "carried in the source"
	useBinder  = "on Binder"
)

// collect finds all parts.
func collect() ([]part, error) {
	var all []part
	for _, m := range []struct {
		dir, use string
		packages []string
	}{
		{".", useProgram, []string{"./cmd/gradbook", "./kernel/...", "./dl/...", "./viz/...", "./datasets/...", "./notebooks/..."}},
		{".gradbook/tools", useTools, tools},
	} {
		parts, err := modules(m.dir, m.use, m.packages)
		if err != nil {
			return nil, err
		}
		all = append(all, parts...)
	}
	for _, f := range []struct{ path, use string }{
		{"kernel/install/python/requirements.txt", usePython},
		{"docker/requirements.txt", useHub},
		{"binder/requirements.txt", useBinder},
		{"kernel/install/cuda/cuda12.txt", useCUDA},
		{"kernel/install/cuda/cuda13.txt", useCUDA},
	} {
		parts, err := requirements(f.path, f.use)
		if err != nil {
			return nil, err
		}
		all = append(all, parts...)
	}
	plugins, err := cpuPlugins()
	if err != nil {
		return nil, err
	}
	echarts, err := os.ReadFile("viz/labextension/static/echarts.min.js")
	if err != nil {
		return nil, err
	}
	return append(append(all, plugins...), part{
		Name: "echarts", Version: "5.6.0", Kind: "npm", Use: useCarried, Licenses: []string{"Apache-2.0"},
		SHA256: []string{fmt.Sprintf("%x", sha256.Sum256(echarts))},
	}), nil
}

// modules are those whose packages are in a program.
func modules(dir, use string, packages []string) ([]part, error) {
	type module struct {
		Path, Version, Dir, Sum string
		Main                    bool
		Replace                 *module
	}
	found := map[string]module{}
	for _, platform := range platforms {
		goos, goarch, _ := strings.Cut(platform, "/")
		out, err := output("env", append([]string{"GOOS=" + goos, "GOARCH=" + goarch, "CGO_ENABLED=1", "go", "list", "-C", dir, "-deps", "-json=Module"}, packages...)...)
		if err != nil {
			return nil, err
		}
		for d := json.NewDecoder(strings.NewReader(out)); ; {
			var p struct{ Module *module }
			if err := d.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			if p.Module == nil || p.Module.Main {
				continue
			}
			if p.Module.Replace != nil {
				p.Module = p.Module.Replace
			}
			found[p.Module.Path] = *p.Module
		}
	}
	var parts []part
	for _, m := range found {
		parts = append(parts, part{Name: m.Path, Version: m.Version, Kind: "golang", Use: use, Licenses: licensesIn(m.Dir), Sum: m.Sum})
	}
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.Name, b.Name) })
	return parts, nil
}

// licensesIn reads the licences that lie in a module's folder.
func licensesIn(dir string) (found []string) {
	for _, pattern := range []string{"LICENSE*", "LICENCE*", "COPYING*", "License*", "license*", "UNLICENSE*"} {
		files, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				continue
			}
			for _, m := range licensecheck.Scan(text).Match {
				if !m.IsURL && !slices.Contains(found, m.ID) {
					found = append(found, m.ID)
				}
			}
		}
	}
	// The FreeType licence, in a folder of its own.
	if len(found) == 0 {
		if _, err := os.Stat(filepath.Join(dir, "licenses", "ftl.txt")); err == nil {
			found = append(found, "FTL")
		}
	}
	slices.Sort(found)
	return found
}

var requirement = regexp.MustCompile(`^([a-zA-Z0-9._-]+)==(\S+)`)

// requirements reads a file of pip's, with the hashes.
func requirements(path, use string) ([]part, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	var parts []part
	for s := bufio.NewScanner(f); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		if m := requirement.FindStringSubmatch(line); m != nil {
			p := part{Name: m[1], Version: m[2], Kind: "pypi", Use: use, Licenses: pythonLicenses(m[1])}
			parts = append(parts, p)
		} else if _, hash, ok := strings.Cut(strings.TrimSuffix(line, " \\"), "--hash=sha256:"); ok && len(parts) > 0 {
			last := &parts[len(parts)-1]
			last.SHA256 = append(last.SHA256, hash)
		}
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("expected requirements in %s, found none", path)
	}
	return parts, nil
}

// pythonLicenses reads what the installed package says of itself.
func pythonLicenses(name string) []string {
	if known, ok := knownLicenses[name]; ok {
		return known
	}
	if strings.HasPrefix(name, "nvidia-") {
		return []string{"LicenseRef-NVIDIA-Proprietary"}
	}
	folder := strings.NewReplacer("-", "_", ".", "_").Replace(name)
	var found []string
	for _, pattern := range []string{folder, strings.ToLower(folder), name} {
		files, _ := filepath.Glob(".gradbook/venv/lib/python*/site-packages/" + pattern + "-*.dist-info/METADATA")
		if len(files) == 0 {
			continue
		}
		text, err := os.ReadFile(files[0])
		if err != nil {
			continue
		}
		header, _, _ := strings.Cut(string(text), "\n\n")
		for line := range strings.Lines(header) {
			line = strings.TrimSpace(line)
			switch {
			case strings.HasPrefix(line, "License-Expression: "):
				return []string{strings.TrimPrefix(line, "License-Expression: ")}
			case strings.HasPrefix(line, "Classifier: License :: "):
				last := line[strings.LastIndex(line, "::")+3:]
				if id, ok := classifiers[last]; ok {
					found = append(found, id)
				}
			case strings.HasPrefix(line, "License: ") && len(found) == 0:
				if id, ok := classifiers[strings.TrimPrefix(line, "License: ")]; ok {
					found = append(found, id)
				}
			}
		}
		if len(found) == 0 { // then the text of the licence
			found = licensesIn(filepath.Dir(files[0]))
		}
		if len(found) == 0 {
			found = licensesIn(filepath.Join(filepath.Dir(files[0]), "licenses"))
		}
		break
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// cpuPlugins reads the pins in dl/pjrt, which cannot be imported: it is another module's.
func cpuPlugins() (all []part, err error) {
	source, err := os.ReadFile("dl/pjrt/pjrt.go")
	if err != nil {
		return nil, err
	}
	for _, m := range regexp.MustCompile(`Name: "([^"]+)", Version: "([^"]+)",\s+SHA256:\s+"([0-9a-f]{64})"`).FindAllSubmatch(source, -1) {
		all = append(all, part{Name: string(m[1]), Version: string(m[2]), Kind: "pypi", Use: usePlugin, Licenses: []string{"Apache-2.0"}, SHA256: []string{string(m[3])}})
	}
	if len(all) == 0 {
		return nil, errors.New("expected the pinned plugins in dl/pjrt/pjrt.go")
	}
	return all, nil
}
