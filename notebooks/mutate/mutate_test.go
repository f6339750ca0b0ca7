package main

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/install/installtest"
)

// With -all, every mutation is tried, not only those that take a second or so:
//
//	go test ./notebooks/mutate -run TestMutations -args -all -part 1/2
var (
	all  = flag.Bool("all", false, "try every mutation")
	part = flag.String("part", "1/1", "which of how many parts")
)

const folder = ".."

// TestEdits: there are at least six mutations of every chapter, and one for each claim;
// each edit fits its cell.
func TestEdits(t *testing.T) {
	trials, err := load(folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	count, tried := map[string]int{}, map[string]bool{}
	for _, m := range trials {
		count[m.notebook]++
		tried[m.notebook+" "+m.catch.String()] = true
	}
	for _, m := range trials {
		if count[m.notebook] < 6 {
			t.Errorf("%s: expected at least six mutations, got %d", m.notebook, count[m.notebook])
		}
		count[m.notebook] = 6
		for _, c := range m.source.Solved().Code() {
			if !c.Tagged("test") {
				continue
			}
			for n := range claims(c) {
				if where := fmt.Sprintf("%s %v", m.notebook, place{c.ID, n + 1}); !tried[where] {
					t.Errorf("%s: expected a mutation that this claim catches", where)
					tried[where] = true // say it once
				}
			}
		}
	}
	t.Logf("%d mutations", len(trials))
}

// TestMutations makes the text of the notebooks false, one edit at a time: a claim
// says so. Without -all, it does so in the chapters that train next to nothing.
func TestMutations(t *testing.T) {
	installtest.Layout(t)
	names := []string{"00-start", "01-feedforward"}
	if *all {
		names = nil
	} else if testing.Short() {
		names = names[:1]
	}
	if err := run(context.Background(), folder, names, *part, "", 2, false); err != nil {
		t.Error(err)
	}
}

// TestRead: what is no list of edits is an error that names the line.
func TestRead(t *testing.T) {
	for file, want := range map[string]string{
		"bad.txt":     "bad.txt:3: expected a line of a mutation",
		"missing.txt": "no such file",
	} {
		_, err := read("testdata", strings.TrimSuffix(file, filepath.Ext(file)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected an error with %q, got %v", file, want, err)
		}
	}
}
