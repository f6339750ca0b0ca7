package install

import (
	"context"
	"io/fs"
	"path/filepath"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/viz/labextension"
)

// labextension installs the renderer of viz's charts into the environment.
func (l Layout) labextension() step {
	dir := l.Labextension()
	return step{
		name: "labextension",
		fingerprint: func(context.Context) (string, error) {
			var contents []string
			err := eachExtensionFile(func(name string, content []byte) error {
				contents = append(contents, name, string(content))
				return nil
			})
			if err != nil {
				return "", err
			}
			return fingerprint(contents)
		},
		present: func() bool { return exists(filepath.Join(dir, "package.json")) },
		run: func(context.Context, *Progress) error {
			return eachExtensionFile(func(name string, content []byte) error {
				return cache.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), content, 0o644)
			})
		},
	}
}

func eachExtensionFile(do func(name string, content []byte) error) error {
	return fs.WalkDir(labextension.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(labextension.Files, name)
		if err != nil {
			return err
		}
		return do(name, content)
	})
}
