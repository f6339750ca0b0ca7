package notebook

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// ErrNoBrowser says what prints a page as PDF.
var ErrNoBrowser = errors.New("a PDF is printed by a browser, and there is none: install Chromium, Chrome or Edge (on Debian and Ubuntu: sudo apt-get install chromium), or set GRADBOOK_BROWSER to yours")

// browsers are the programs that print pages, by the names of all systems.
var browsers = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge", "brave-browser",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
	"/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
}

// Browser is the program of a browser that can print; [ErrNoBrowser] if there is none.
func Browser() (string, error) {
	names := browsers
	if own := os.Getenv("GRADBOOK_BROWSER"); own != "" {
		names = []string{own}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoBrowser
}

// PDF prints a page, a file of HTML, into a file.
func PDF(ctx context.Context, page, out string) (err error) {
	browser, err := Browser()
	if err != nil {
		return err
	}
	if page, err = filepath.Abs(page); err != nil {
		return err
	}
	if out, err = filepath.Abs(out); err != nil {
		return err
	}
	profile, err := os.MkdirTemp("", "gradbook-pdf-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(profile)) }()
	args := []string{
		"--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--no-pdf-header-footer",
		"--user-data-dir=" + profile, "--print-to-pdf=" + out, (&url.URL{Scheme: "file", Path: filepath.ToSlash(page)}).String(),
	}
	if runtime.GOOS == "linux" && os.Geteuid() == 0 { // as which Chromium has no sandbox
		args = append([]string{"--no-sandbox"}, args...)
	}
	said, err := exec.CommandContext(ctx, browser, args...).CombinedOutput()
	if _, missing := os.Stat(out); err != nil || missing != nil {
		return fmt.Errorf("%s does not print the page: %w\n%s", browser, errors.Join(err, missing), strings.TrimSpace(string(said)))
	}
	return nil
}
