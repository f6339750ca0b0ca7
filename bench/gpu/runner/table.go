package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/bench/gpu/record"
	"github.com/gradbook/gradbook/bench/page"
)

// writeTable writes the table of what is known so far.
func (s *session) writeTable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := record.Read(filepath.Join(s.out, resultsName))
	if err != nil {
		return err
	}
	path := filepath.Join(s.out, "table.md")
	if err := os.WriteFile(path+".new", []byte(table(all)), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// table is all records as a page.
func table(all []record.Record) string {
	var b strings.Builder
	f := findings{all}
	f.heading(&b)
	f.steps(&b)
	f.rest(&b)
	f.parts(&b)
	return b.String()
}

// findings are records to ask.
type findings struct{ all []record.Record }

// text is the first text of a name.
func (f findings) text(name string) string {
	for _, r := range f.all {
		if t := r.Text[name]; t != "" {
			return t
		}
	}
	return "?"
}

// values are all of ours of a name in a part, in order.
func (f findings) values(part, name string) (all []float64) {
	for _, r := range f.all {
		if v, ok := r.Values[name]; ok && r.Part == part && r.Who == "gradbook" {
			all = append(all, v)
		}
	}
	return all
}

func (f findings) heading(b *strings.Builder) {
	fmt.Fprintf(b, "On one %s (compute capability %s, driver %s), %s", f.text("gpu"), f.text("capability"), f.text("driver"), f.text("date"))
	var versions []string
	for _, name := range []string{"jax-cuda13-pjrt", "jax-cuda12-pjrt", "jax", "torch", "nvidia-cudnn-cu13"} {
		if v := f.text(name); v != "?" {
			versions = append(versions, name+" "+v)
		}
	}
	if len(versions) > 0 {
		fmt.Fprintf(b, "; %s", strings.Join(versions, ", "))
	}
	b.WriteString(".\n\n")
}

// row is what was measured of one configuration.
type row struct {
	model, dtype string
	batch        int
	by           map[string]record.Record
}

// peersOf are the columns of the table of steps.
var peersOf = []string{"jax", "pytorch eager", "pytorch channels last", "pytorch compiled"}

// steps is the table of steps: ours in milliseconds, and as ratios to the peers'.
func (f findings) steps(b *strings.Builder) {
	var rows []*row
	for _, r := range f.all {
		if r.Values["step_ms"] == 0 || r.Model == "" || r.Part == "memory" || r.Part == "host" || r.Part == "same" {
			continue
		}
		i := slices.IndexFunc(rows, func(w *row) bool { return w.model == r.Model && w.dtype == r.DType && w.batch == r.Batch })
		if i < 0 {
			i = len(rows)
			rows = append(rows, &row{r.Model, r.DType, r.Batch, map[string]record.Record{}})
		}
		rows[i].by[r.Who] = r
	}
	if len(rows) == 0 {
		return
	}
	slices.SortStableFunc(rows, func(a, c *row) int {
		return cmp.Or(strings.Compare(a.model, c.model), a.batch-c.batch, strings.Compare(a.dtype, c.dtype))
	})
	b.WriteString("| training | batch | type | step ms |")
	for _, p := range peersOf {
		fmt.Fprintf(b, " / %s |", p)
	}
	b.WriteString(" first step s | / jax | digits predicted a second | / jax |\n|---|---|---|---|")
	b.WriteString(strings.Repeat("---|", len(peersOf)+4) + "\n")
	for _, w := range rows {
		ours := w.by["gradbook"].Values
		fmt.Fprintf(b, "| %s | %d | %s | %s |", w.model, w.batch, w.dtype, number(ours["step_ms"], 3))
		for _, p := range peersOf {
			fmt.Fprintf(b, " %s |", ratio(ours["step_ms"], w.by[p].Values["step_ms"]))
		}
		jax := w.by["jax"].Values
		fmt.Fprintf(b, " %s | %s | %s | %s |\n", number(ours["first_s"], 1), ratio(ours["first_s"], jax["first_s"]),
			number(ours["predict_per_s"], 0), ratio(ours["predict_per_s"], jax["predict_per_s"]))
	}
	b.WriteString("\nRatios are ours to theirs: of steps and first steps, less than 1 is faster; of predictions, more than 1. A step is what training takes for each over a while, with all that the host does.\n\n")
}

func number(v float64, digits int) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.*f", digits, v)
}

func ratio(a, b float64) string {
	if a == 0 || b == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", a/b)
}

// rest is what else was found, a line each.
func (f findings) rest(b *strings.Builder) {
	line := func(format string, args ...any) { fmt.Fprintf(b, "- "+format+"\n", args...) }
	if open := f.values("machine", "open_s"); len(open) > 1 {
		line("The device is open after %.1f s, the first time, when the plugin is tried apart, %.1f s; the plugin's loader needs %s.", open[1], open[0], f.text("loader"))
	}
	accuracy, whole := f.values("document", "test_accuracy"), f.values("document", "whole_s")
	epochs, examples := f.values("document", "epochs"), f.values("document", "examples")
	if len(whole) > 0 {
		text := fmt.Sprintf("The document's program, %.0f epochs of %.0f digits with compiling: %.1f s, test accuracy (测试准确度) %.4f", epochs[0], examples[0], whole[0], accuracy[0])
		if len(whole) > 1 {
			text += fmt.Sprintf("; again, with the kernels known: %.1f s, %.4f", whole[1], accuracy[1])
		}
		line("%s.", text)
	}
	if host := f.values("host", "step_ms"); len(host) > 0 {
		text := fmt.Sprintf("A step with as many weights as the document's and next to nothing to compute takes %.3f ms: at most so much is the host's, which works ahead of the device", host[0])
		for _, r := range f.all {
			if r.Part == "steps" && r.Who == "gradbook" && r.Model == "cnn" && r.DType == "tf32" && r.Batch >= 512 && r.Values["step_ms"] > 0 {
				text += fmt.Sprintf("; at batch %d it is %.0f %% of a step", r.Batch, 100*host[0]/r.Values["step_ms"])
			}
		}
		line("%s.", text)
	}
	for _, r := range f.all {
		if mb, ok := r.Values["gpu_memory_mb"]; ok {
			line("Memory of the GPU, at most, %s (%s): %.0f MB.", r.Who, r.Part, mb)
		}
		if e := r.Text["error"]; e != "" {
			line("Too little memory: “%s”; training then went on with a smaller batch.", e)
		}
		if p := r.Text["parity"]; p != "" {
			line("Parity with Keras, %s: %s.", r.Part, p)
		}
		if r.Part == "float32" || r.Part == "tf32" {
			if _, ok := r.Values["took_s"]; !ok {
				line("Tests, %s: %.0f passed, %.0f failed%s.", r.Part, r.Values["pass"], r.Values["fail"], behind(": ", r.Text["failed"]))
			}
		}
		if d, ok := r.Values["worst_difference"]; ok {
			line("A model saved there predicts the same on the CPU (%s), within %.1g.", r.Text["loaded_on"], d)
		}
	}
	if t := f.values("same", "step_ms"); len(t) > 2 {
		line("Two programs with the same seed end with the same weights: %s. A step of the document's network, batch 64, takes %.3f ms with the seed, %.3f ms without.", f.status("same"), t[2], t[1])
	}
	b.WriteString("\n")
}

func behind(sign, text string) string {
	if text == "" {
		return ""
	}
	return sign + text
}

// status is that of a part.
func (f findings) status(part string) string {
	for _, r := range f.all {
		if r.Part == part && r.Status != "" {
			if r.Status == "ok" {
				return "yes"
			}
			return "no"
		}
	}
	return "not known"
}

// parts says how each part went.
func (f findings) parts(b *strings.Builder) {
	b.WriteString("| part | | s | |\n|---|---|---|---|\n")
	for _, r := range f.all {
		if r.Status != "" {
			fmt.Fprintf(b, "| %s | %s | %.0f | %s |\n", r.Part, r.Status, r.Values["took_s"], strings.ReplaceAll(r.Note, "|", "/"))
		}
	}
}

// writePage writes the section. Figures of a stand-in are none of a GPU.
func writePage(to, results string) error {
	all, err := record.Read(results)
	if err != nil {
		return err
	}
	f := findings{all}
	if name := f.text("gpu"); name == "?" || strings.Contains(name, standInName) {
		return fmt.Errorf("expected figures of a GPU in %s, got those of %s", results, name)
	}
	return page.Write(to, "bench/gpu/try", table(all))
}

// standInName is part of the name of what is no GPU.
const standInName = "stand-in"
