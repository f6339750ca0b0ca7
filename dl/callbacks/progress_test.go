package callbacks

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gradbook/gradbook/dl/internal/hooks"
)

// bar is a ProgressBar on a screen of some columns, with a clock that the test
// moves.
func bar(t *testing.T, columns int) (*ProgressBar, *Training, *bytes.Buffer, func(time.Duration)) {
	t.Helper()
	var out bytes.Buffer
	p := &ProgressBar{W: &out, Every: 100 * time.Millisecond}
	if err := p.OnTrainBegin(nil); err != nil {
		t.Fatal(err)
	}
	now := time.Unix(0, 0)
	p.now, p.columns = func() time.Time { return now }, func() int { return columns }
	training := &Training{Epochs: 12, Steps: 100, BatchSize: 32, Metrics: []string{"accuracy", "loss"}}
	hooks.Attach(training, hooks.Hooks{Logs: func() (map[string]float64, error) {
		return Logs{"accuracy": 0.5, "loss": 0.0001234}, nil
	}})
	return p, training, &out, func(d time.Duration) { now = now.Add(d) }
}

// epoch runs an epoch of 100 batches, of 50 ms each after the first.
func epoch(t *testing.T, p *ProgressBar, training *Training, wait func(time.Duration)) {
	t.Helper()
	if err := p.OnEpochBegin(training); err != nil {
		t.Fatal(err)
	}
	for training.Batch = range 100 {
		if training.Batch == 0 {
			wait(time.Second)
		} else {
			wait(50 * time.Millisecond)
		}
		if err := p.OnTrainBatchEnd(training); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.OnEpochEnd(training, Logs{"accuracy": 1, "loss": 0.25}); err != nil {
		t.Fatal(err)
	}
}

// screen is what a terminal shows of text: a carriage return goes back, and what
// follows is written over what was there.
func screen(text string) []string {
	var lines []string
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		var cells []rune
		for _, part := range strings.Split(line, "\r") {
			runes := []rune(part)
			if len(runes) < len(cells) {
				runes = append(runes, cells[len(runes):]...)
			}
			cells = runes
		}
		lines = append(lines, strings.TrimRight(string(cells), " "))
	}
	return lines
}

func TestProgressBar(t *testing.T) {
	p, training, out, wait := bar(t, 0)
	epoch(t, p, training, wait)
	training.Epoch = 9
	epoch(t, p, training, wait)
	lines := screen(out.String())
	want := []string{
		"Epoch  1/12 ━━━━━━━━━━━━━━━━━━━━ 100/100 6.0s 50.0ms/step 640/s - accuracy 1.0000 - loss 0.2500",
		"Epoch 10/12 ━━━━━━━━━━━━━━━━━━━━ 100/100 6.0s 50.0ms/step 640/s - accuracy 1.0000 - loss 0.2500",
	}
	if len(lines) != 2 || lines[0] != want[0] || lines[1] != want[1] {
		t.Errorf("expected\n%s\ngot\n%s", strings.Join(want, "\n"), strings.Join(lines, "\n"))
	}
	for _, part := range []string{" ETA 3s ", "loss 1.2340e-04", "━━━━━━━━━━──────────"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("expected the bar to show %q on its way", part)
		}
	}
	if n := strings.Count(out.String(), "\r"); n > 2*60 {
		t.Errorf("expected at most 10 drawings a second, got %d in 12 seconds", n)
	}
}

// TestProgressBarWidth: a line never wraps, however narrow the terminal.
func TestProgressBarWidth(t *testing.T) {
	for _, columns := range []int{1, 20, 60, 80, 90, 200} {
		p, training, out, wait := bar(t, columns)
		epoch(t, p, training, wait)
		for _, line := range strings.FieldsFunc(out.String(), func(r rune) bool { return r == '\r' || r == '\n' }) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, " ")); n >= max(columns, 2) {
				t.Fatalf("%d columns: a line of %d: %q", columns, n, line)
			}
		}
	}
}

// TestProgressBarInFile: what is no screen gets a line an epoch, and nothing else.
func TestProgressBarInFile(t *testing.T) {
	p, training, out, wait := bar(t, 0)
	p.live = false
	epoch(t, p, training, wait)
	if s := out.String(); strings.Contains(s, "\r") || strings.Count(s, "\n") != 1 {
		t.Errorf("expected one plain line, got %q", s)
	}
}

// TestProgressBarInterrupted: the open line is ended.
func TestProgressBarInterrupted(t *testing.T) {
	p, training, out, _ := bar(t, 0)
	if err := p.OnEpochBegin(training); err != nil {
		t.Fatal(err)
	}
	if err := p.OnTrainEnd(training); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); !strings.HasSuffix(s, "\n") {
		t.Errorf("expected the line to be ended, got %q", s)
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		5 * time.Microsecond:    "5µs",
		4900 * time.Microsecond: "4.9ms",
		1500 * time.Millisecond: "1.5s",
		3 * time.Second:         "3s",
		42 * time.Second:        "42s",
		65 * time.Second:        "1m05s",
		3725 * time.Second:      "1h02m",
	} {
		if got := short(d); got != want {
			t.Errorf("expected %s, got %s", want, got)
		}
	}
	if got := thousands(1234567.4); got != "1,234,567" {
		t.Errorf("expected 1,234,567, got %s", got)
	}
}
