package book

import (
	_ "embed"
	"os"
	"path/filepath"

	"github.com/gradbook/gradbook/viz/labextension"
)

//go:embed page.js
var pageScript string

// chartsDir is the folder of a site with what draws charts.
const chartsDir = "charts"

// charts writes what draws charts, as JupyterLab has it, beside the pages.
func (s *site) charts() error {
	dir := filepath.Join(s.out, chartsDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"echarts.min.js", "chart.js", "space.js", "mount.js", "echarts.LICENSE", "echarts.NOTICE"} {
		raw, err := labextension.Files.ReadFile("static/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "page.js"), []byte(pageScript), 0o644)
}
