package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/notebooks/internal/ipynb"
)

var decimal = regexp.MustCompile(`-?\d+\.\d+(?:e[-+]\d+)?`)

// table is what a variation's results have in common.
func (v variation) table(n *ipynb.Notebook, results []result) string {
	var rows, claims []string
	for _, c := range n.Solved().Code() {
		if len(v.cells) > 0 && !slices.Contains(v.cells, c.ID) {
			continue
		}
		switch {
		case c.Tagged("test"):
			if _, ran := results[0].printed[c.ID]; !ran {
				continue
			}
			holds := 0
			for _, r := range results {
				if _, failed := r.failed[c.ID]; !failed {
					holds++
				}
			}
			line := fmt.Sprintf("`%s` %d of %d", c.ID, holds, len(results))
			if holds < len(results) {
				line = "**" + line + "**"
			}
			claims = append(claims, line)
		case !c.Tagged("machine"):
			rows = append(rows, lines(c.ID, results)...)
		}
	}
	text := fmt.Sprintf("\n## %s\n\n", v.name)
	if len(rows) > 0 {
		text += "| cell | printed |\n|---|---|\n" + strings.Join(rows, "\n") + "\n\n"
	}
	if len(claims) > 0 {
		text += "Claims that hold: " + strings.Join(claims, ", ") + ".\n"
	}
	return text
}

// lines are what a cell printed, line by line, with the numbers of all results in the
// place of each number. Lines without chance are left out, and cells that printed other
// lines with other seeds.
func lines(id string, results []result) (rows []string) {
	first := strings.Split(strings.TrimSpace(results[0].printed[id]), "\n")
	if len(first) > 24 {
		return nil
	}
	for i, line := range first {
		places := decimal.FindAllStringIndex(line, -1)
		if len(places) == 0 {
			continue
		}
		values := make([][]float64, len(places))
		for _, r := range results {
			all := strings.Split(strings.TrimSpace(r.printed[id]), "\n")
			if len(all) != len(first) {
				return nil
			}
			found := decimal.FindAllString(all[i], -1)
			if len(found) != len(places) {
				return nil
			}
			for k, s := range found {
				if x, err := strconv.ParseFloat(s, 64); err == nil {
					values[k] = append(values[k], x)
				}
			}
		}
		text, end := "", 0
		for k, p := range places {
			text += line[end:p[0]] + spread(values[k], line[p[0]:p[1]])
			end = p[1]
		}
		if !strings.Contains(text, "**") {
			continue // chance has no part in it
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s |", id, strings.ReplaceAll(strings.TrimSpace(text+line[end:]), "|", "\\|")))
	}
	return rows
}

// spread is a mean with the least and the largest, in the form of an example.
func spread(values []float64, like string) string {
	sum := 0.0
	for _, v := range values {
		sum += v / float64(len(values))
	}
	low, high := slices.Min(values), slices.Max(values)
	_, after, _ := strings.Cut(like, ".")
	form := fmt.Sprintf("%%.%df", len(after))
	if strings.ContainsAny(like, "e") {
		form = "%.1e"
	}
	if low == high {
		return fmt.Sprintf(form, low)
	}
	return fmt.Sprintf("**"+form+"** ("+form+"–"+form+")", sum, low, high)
}
