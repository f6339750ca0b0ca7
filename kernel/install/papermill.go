package install

import (
	"context"
	_ "embed"
	"fmt"
	"path/filepath"

	"github.com/gradbook/gradbook/dl/cache"
)

//go:embed python/gradbook_papermill.py
var papermillModule []byte

// papermillInfo is what pip would write for a package with that module: papermill finds
// it by its entry point.
//
// Source: https://packaging.python.org/en/latest/specifications/entry-points/
var papermillInfo = map[string]string{
	"METADATA":         "Metadata-Version: 2.1\nName: gradbook-papermill\nVersion: 1\nSummary: Parameters in Go for papermill\n",
	"entry_points.txt": "[papermill.engine]\ngradbook = gradbook_papermill:Engine\n",
	"INSTALLER":        "gradbook\n",
	"RECORD":           "gradbook_papermill.py,,\ngradbook_papermill-1.dist-info/METADATA,,\ngradbook_papermill-1.dist-info/entry_points.txt,,\ngradbook_papermill-1.dist-info/INSTALLER,,\ngradbook_papermill-1.dist-info/RECORD,,\n",
}

// papermill teaches the environment's papermill Go.
func (l Layout) papermill() step {
	return step{
		name: "papermill",
		fingerprint: func(context.Context) (string, error) {
			return fingerprint([]string{string(papermillModule), fmt.Sprint(papermillInfo)})
		},
		present: func() bool {
			found, _ := filepath.Glob(filepath.Join(l.Venv(), "*", "*", "site-packages", "gradbook_papermill.py"))
			windows, _ := filepath.Glob(filepath.Join(l.Venv(), "Lib", "site-packages", "gradbook_papermill.py"))
			return len(found)+len(windows) > 0
		},
		run: func(ctx context.Context, _ *Progress) error {
			packages, err := output(ctx, l.Python(), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
			if err != nil {
				return err
			}
			for name, content := range papermillInfo {
				if err := cache.WriteFile(filepath.Join(packages, "gradbook_papermill-1.dist-info", name), []byte(content), 0o644); err != nil {
					return err
				}
			}
			return cache.WriteFile(filepath.Join(packages, "gradbook_papermill.py"), papermillModule, 0o644)
		},
	}
}
