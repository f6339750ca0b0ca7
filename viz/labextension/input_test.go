package labextension_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/gradbook/gradbook/viz/browser"
)

// TestPassword: a password that a command of a shell asks for is on the page at no time,
// and not in the file.
func TestPassword(t *testing.T) {
	l := openLab(t, 900, 700, "%with_password\n!read secret; echo \"got ${#secret} letters\"")
	l.runAll()
	l.Wait(t, "a question", `document.querySelector(".jp-Stdin-input")?.type === "password"`)
	l.clickOn(`document.querySelector(".jp-Stdin-input")`)
	l.Do(t, chromedp.KeyEvent("hunter2\r"))
	l.Wait(t, "the command's end", output(0)+`.includes("got 7 letters")`)
	l.save()
	for what, text := range map[string]string{
		"page": browser.Eval[string](t, l.Page, `document.documentElement.outerHTML`),
		"file": browser.Eval[string](t, l.Page, `JSON.stringify([...jupyterapp.shell.widgets("main")][0].context.model.toJSON())`),
	} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("the password is on the %s", what)
		}
	}
	l.Screenshot(t, "password")
}
