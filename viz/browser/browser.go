// Package browser drives a headless Chromium in tests: what a reader sees of a
// chart is tested where he sees it.
package browser

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Page is a page of a browser, with a record of what it did.
type Page struct {
	context.Context
	mu      sync.Mutex
	foreign []string // requests to other hosts
	alerts  []string // dialogs that scripts opened
	errors  []string // of scripts
}

// programs are names of Chromium, in the order of preference.
var programs = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

// Open opens a page, or skips the test if there is no browser, or no time.
func Open(t testing.TB, width, height int) *Page {
	t.Helper()
	if testing.Short() {
		t.Skip("pages in a browser take minutes; make check")
	}
	program := os.Getenv("GRADBOOK_BROWSER")
	for _, name := range programs {
		if program == "" {
			program, _ = exec.LookPath(name) // "" if there is none
		}
	}
	if program == "" {
		t.Skip("there is no Chromium on this machine; with one, charts are tested in it")
	}
	profile, err := os.MkdirTemp("", "gradbook-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) }) // it may still write
	opts := append(append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...),
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(width, height),
		chromedp.UserDataDir(profile), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancelPage := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(cancelPage)
	ctx, cancelTime := context.WithTimeout(ctx, 6*time.Minute)
	t.Cleanup(cancelTime)
	p := &Page{Context: ctx}
	chromedp.ListenTarget(ctx, func(ev any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			if u, err := url.Parse(ev.Request.URL); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" {
				p.foreign = append(p.foreign, ev.Request.URL)
			}
		case *page.EventJavascriptDialogOpening:
			p.alerts = append(p.alerts, ev.Message)
			go func() { _ = chromedp.Run(ctx, page.HandleJavaScriptDialog(true)) }()
		case *runtime.EventExceptionThrown:
			p.errors = append(p.errors, ev.ExceptionDetails.Error())
		}
	})
	p.Do(t, network.Enable(), emulation.SetDeviceMetricsOverride(int64(width), int64(height), 1, false))
	return p
}

// Do runs actions, and fails the test if one fails.
func (p *Page) Do(t testing.TB, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(p, actions...); err != nil {
		p.Screenshot(t, "failed")
		t.Fatalf("browser: %v", err)
	}
}

// Eval evaluates JavaScript.
func Eval[T any](t testing.TB, p *Page, script string) (v T) {
	t.Helper()
	p.Do(t, chromedp.Evaluate(script, &v, func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }))
	return v
}

// Limit ends a wait for what never comes: it is long, since a slow machine must not fail
// a test.
const Limit = 90 * time.Second

// Wait waits until an expression is true.
func (p *Page) Wait(t testing.TB, what, script string) {
	t.Helper()
	deadline := time.Now().Add(Limit)
	for {
		var ok bool
		if err := chromedp.Run(p, chromedp.Evaluate("Boolean("+script+")", &ok)); err == nil && ok {
			return
		}
		if time.Now().After(deadline) || p.Err() != nil {
			p.Screenshot(t, "failed")
			t.Fatalf("browser: expected %s within %s; it is not: %s", what, Limit, script)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Size sets the size of the page.
func (p *Page) Size(t testing.TB, width, height int) {
	t.Helper()
	p.Do(t, emulation.SetDeviceMetricsOverride(int64(width), int64(height), 1, false))
}

// Dark makes the reader one who likes dark pages.
func (p *Page) Dark(t testing.TB, dark bool) {
	t.Helper()
	value := "light"
	if dark {
		value = "dark"
	}
	p.Do(t, emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}}))
}

// ShotsEnv names a folder for the screenshots of the tests, for who looks at them.
const ShotsEnv = "GRADBOOK_SHOTS"

// Screenshot takes a picture of the page, and keeps it if someone wants to see it.
func (p *Page) Screenshot(t testing.TB, name string) []byte {
	t.Helper()
	var raw []byte
	if err := chromedp.Run(p, chromedp.CaptureScreenshot(&raw)); err != nil {
		t.Logf("screenshot %s: %v", name, err)
		return nil
	}
	if dir := os.Getenv(ShotsEnv); dir != "" {
		file := filepath.Join(dir, fmt.Sprintf("%s-%s.png", strings.ReplaceAll(t.Name(), "/", "-"), name))
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			t.Logf("screenshot %s: %v", name, err)
		}
	}
	return raw
}

// Innocent fails the test if the page asked another host for something, or a
// script of a text was run.
func (p *Page) Innocent(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.foreign) > 0 {
		t.Errorf("expected no request to another host, got %q", p.foreign)
	}
	if len(p.alerts) > 0 {
		t.Errorf("expected no text to be run, but it opened %q", p.alerts)
	}
}

// Errors are the errors of the page's scripts.
func (p *Page) Errors() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.errors...)
}
