package install

import (
	"context"
	"path/filepath"

	"github.com/gradbook/gradbook/dl/cache"
)

// settingsOverrides are JupyterLab's defaults that differ here: it asks no other
// host for news or updates, and shows the index of a folder as a page.
const settingsOverrides = `{
  "@jupyterlab/apputils-extension:notification": {
    "fetchNews": "false",
    "checkForUpdates": false
  },
  "@jupyterlab/docmanager-extension:plugin": {
    "defaultViewers": {"markdown": "Markdown Preview"}
  }
}
`

// settings writes the defaults into the environment; what a user sets himself
// goes before them.
func (l Layout) settings() step {
	path := filepath.Join(l.Venv(), "share", "jupyter", "lab", "settings", "overrides.json")
	return step{
		name:        "settings",
		fingerprint: func(context.Context) (string, error) { return fingerprint([]string{settingsOverrides}) },
		present:     func() bool { return exists(path) },
		run: func(context.Context, *Progress) error {
			return cache.WriteFile(path, []byte(settingsOverrides), 0o644)
		},
	}
}
