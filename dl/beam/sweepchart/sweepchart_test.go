package sweepchart_test

import (
	"strings"
	"testing"

	dlbeam "github.com/gradbook/gradbook/dl/beam"
	"github.com/gradbook/gradbook/dl/beam/sweepchart"
)

func TestCharts(t *testing.T) {
	r := dlbeam.Results{
		{Number: 0, Params: dlbeam.Params{"rate": 0.1}, Value: 3},
		{Number: 1, Params: dlbeam.Params{"rate": 0.001}, Value: 1},
		{Number: 2, Params: dlbeam.Params{"rate": 0.01}, Error: "unlucky"},
		{Number: 3, Params: dlbeam.Params{"rate": 0.1}, Value: 0.5, Stopped: true},
	}
	progress, err := sweepchart.Progress(r)
	if err != nil {
		t.Fatal(err)
	}
	option, err := progress.Option()
	if err != nil {
		t.Fatal(err)
	}
	text := string(option)
	for _, want := range []string{"each trial", "the best so far", "trial"} {
		if !strings.Contains(text, want) {
			t.Errorf("expected %q in %s", want, text)
		}
	}
	svg, err := progress.SVG()
	if err != nil || !strings.Contains(svg, "<svg") {
		t.Errorf("got %.100s, %v", svg, err)
	}
	if _, err := sweepchart.Parameter(r, "rate", true); err != nil {
		t.Error(err)
	}
	if _, err := sweepchart.Parameter(r, "units", false); err == nil || !strings.Contains(err.Error(), `no parameter "units"`) {
		t.Errorf("got %v", err)
	}
	if _, err := sweepchart.Progress(nil); err == nil {
		t.Error("expected an error of no results")
	}
}
