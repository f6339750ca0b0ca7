package labextension_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/gradbook/gradbook/viz/browser"
)

// TestTable: a slice of a million structs is a table that is sorted, searched and turned
// by its kernel, and its first rows without one.
func TestTable(t *testing.T) {
	l := openLab(t, 1100, 900, `type Person struct { Name string; Age int; Height float64 }
people := make([]Person, 1_000_000)
for i := range people { people[i] = Person{fmt.Sprintf("person %d", i), (i * 7919) % 97, 1.5 + float64(i%400)/1000} }
people`, `map[string]float64{"b": 0.25, "a": 1.0/3}`)
	l.runAll()
	table := func(n int) string {
		return `document.querySelectorAll(".gradbook-table")[` + string(rune('0'+n)) + `]`
	}
	first := table(0) + `.querySelector("tbody tr").innerText.replaceAll("\t", "|")`
	l.Wait(t, "two tables", `document.querySelectorAll(".gradbook-table tbody tr").length === 22`)
	l.Wait(t, "the first row", first+` === "person 0|0|1.5"`)
	if got := browser.Eval[string](t, l.Page, table(1)+`.querySelector("tbody").innerText.replaceAll("\t", "|").replaceAll("\n", "/")`); got != "a|0.3333/b|0.25" {
		t.Errorf("the map is %q", got)
	}
	l.clickOn(table(0) + `.querySelectorAll("th button")[1]`)
	l.clickOn(table(0) + `.querySelectorAll("th button")[1]`)
	l.Wait(t, "rows sorted by age", table(0)+`.querySelector("tbody tr td:nth-child(2)").innerText === "96"`)
	l.Screenshot(t, "sorted")
	l.clickOn(`document.querySelector(".gradbook-table-bar input")`)
	l.Do(t, chromedp.KeyEvent("person 99999"))
	l.Wait(t, "rows that are found", `document.querySelector(".gradbook-table-bar").innerText.includes("of 11 rows")`)
	l.Do(t, chromedp.Evaluate(`(() => { const i = document.querySelector(".gradbook-table-bar input"); i.value = ""; i.dispatchEvent(new Event("input")); })()`, nil))
	l.Wait(t, "all rows", `document.querySelector(".gradbook-table-bar").innerText.includes("of 1,000,000 rows")`)
	l.clickOn(`document.querySelectorAll(".gradbook-table-bar button")[1]`)
	l.Wait(t, "the next rows", `document.querySelector(".gradbook-table-bar").innerText.includes("21 to 40 of")`)
	l.save()
	l.command("kernelmenu:shutdown", `{}`)
	l.Do(t, chromedp.Sleep(time.Second))
	l.clickOn(`document.querySelectorAll(".gradbook-table-bar button")[1]`)
	l.Wait(t, "why there are no more rows", `document.querySelector(".gradbook-table-bar").innerText.includes("run the cell again")`)
	l.command("apputils:change-theme", `{theme: "JupyterLab Dark"}`)
	l.Do(t, chromedp.Sleep(500*time.Millisecond))
	l.Screenshot(t, "dark")
	l.Innocent(t)
}
