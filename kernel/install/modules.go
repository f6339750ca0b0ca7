package install

import (
	"context"
	"embed"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gradbook/gradbook/dl/cache"
)

//go:embed python/*.py
var modules embed.FS

// module is one of Python that others find by its entry points.
//
// Source: https://packaging.python.org/en/latest/specifications/entry-points/
type module struct{ name, summary, entries string }

var (
	papermillModule = module{"gradbook_papermill", "Parameters in Go for papermill", "[papermill.engine]\ngradbook = gradbook_papermill:Engine\n"}
	exportModule    = module{"gradbook_export", "Notebooks as Go programs and PDF", "[nbconvert.exporters]\ngo = gradbook_export:GoExporter\n\n[nbconvert.exporters.script]\ngo = gradbook_export:GoExporter\n"}
)

// files are what pip would write for a package with the module, by their paths.
func (m module) files() (map[string][]byte, error) {
	source, err := modules.ReadFile("python/" + m.name + ".py")
	if err != nil {
		return nil, err
	}
	info := m.name + "-1.dist-info/"
	files := map[string][]byte{
		m.name + ".py":            source,
		info + "METADATA":         []byte("Metadata-Version: 2.1\nName: " + strings.ReplaceAll(m.name, "_", "-") + "\nVersion: 1\nSummary: " + m.summary + "\n"),
		info + "entry_points.txt": []byte(m.entries),
		info + "INSTALLER":        []byte("gradbook\n"),
	}
	record := info + "RECORD,,\n"
	for path := range files {
		record += path + ",,\n"
	}
	files[info+"RECORD"] = []byte(record)
	return files, nil
}

// papermill teaches the environment's papermill Go.
func (l Layout) papermill() step { return l.module("papermill", papermillModule, nil) }

// export teaches the environment's nbconvert Go, and its server PDF without TeX.
func (l Layout) export() step {
	const enabled = `{"ServerApp": {"jpserver_extensions": {"gradbook_export": true}}}` + "\n"
	return l.module("export", exportModule, map[string]string{filepath.Join("etc", "jupyter", "jupyter_server_config.d", "gradbook_export.json"): enabled})
}

// module installs a module, and other files of the environment.
func (l Layout) module(name string, m module, others map[string]string) step {
	return step{
		name: name,
		fingerprint: func(context.Context) (string, error) {
			source, err := modules.ReadFile("python/" + m.name + ".py")
			if err != nil {
				return "", err
			}
			return fingerprint([]string{string(source), fmt.Sprint(m, others)})
		},
		present: func() bool {
			found, _ := filepath.Glob(filepath.Join(l.Venv(), "*", "*", "site-packages", m.name+".py"))
			windows, _ := filepath.Glob(filepath.Join(l.Venv(), "Lib", "site-packages", m.name+".py"))
			return len(found)+len(windows) > 0
		},
		run: func(ctx context.Context, _ *Progress) error {
			packages, err := output(ctx, l.Python(), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
			if err != nil {
				return err
			}
			files, err := m.files()
			if err != nil {
				return err
			}
			for path, content := range files {
				if err := cache.WriteFile(filepath.Join(packages, filepath.FromSlash(path)), content, 0o644); err != nil {
					return err
				}
			}
			for path, content := range others {
				if err := cache.WriteFile(filepath.Join(l.Venv(), path), []byte(content), 0o644); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
