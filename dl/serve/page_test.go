package serve_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/gradbook/gradbook/dl/serve"
	"github.com/gradbook/gradbook/viz/browser"
)

// TestPage tries models on the service's page: a network on drawn images, and a GPT that goes on
// with a text while it is read.
func TestPage(t *testing.T) {
	p := browser.Open(t, 900, 700)
	dir := t.TempDir()
	path, _ := digits(t, dir, 1)
	_, http, _ := start(t, serve.Config{Models: []string{path, gpt(t, dir)}})
	p.Do(t, chromedp.Navigate("http://"+http+"/"))
	p.Wait(t, "ten classes", `document.querySelectorAll("#outputs tr").length === 10 && document.getElementById("say").textContent.includes("by the service")`)
	p.Screenshot(t, "serve-page")
	p.Do(t, chromedp.Navigate("http://"+http+"/models/gpt"))
	p.Wait(t, "a place for a text", `document.querySelector("textarea") !== null`)
	p.Do(t, chromedp.Evaluate(`document.querySelector("textarea").value = "func main() {"; document.querySelector("button").click()`, nil))
	p.Wait(t, "a text that goes on", `document.getElementById("say").textContent === "The model has finished." && document.querySelector("pre").textContent.length > 100`)
	p.Dark(t, true)
	p.Size(t, 380, 800)
	p.Screenshot(t, "serve-page-gpt-narrow-dark")
	p.Innocent(t)
	if e := p.Errors(); len(e) > 0 {
		t.Errorf("expected no errors of scripts, got %q", e)
	}
}
