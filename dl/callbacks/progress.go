package callbacks

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// ProgressBar prints a line for each epoch. Fit adds one unless it is told to be
// silent.
//
// In a terminal and in a notebook the line is drawn anew while the epoch runs;
// elsewhere it is printed once, when the epoch is over.
type ProgressBar struct {
	Base
	// W is where to print; nil is os.Stdout.
	W io.Writer
	// Every is the time between two drawings. 0 means a tenth of a second in a
	// terminal and a quarter in a notebook; it is never more often than that a
	// batch ends.
	Every time.Duration

	w        io.Writer
	live     bool
	every    time.Duration
	bar      int
	columns  func() int
	now      func() time.Time
	began    time.Time // of the epoch
	first    time.Time // end of its first batch, which may have compiled
	drawn    time.Time
	width    int // of the line as drawn
	lineOpen bool
}

// notebookEnv is set where GoNB runs a cell.
const notebookEnv = "GONB_PIPE"

// A notebook does not tell how wide it is; a shorter bar leaves room for what
// is written behind it.
const barWidth, notebookBarWidth = 20, 10

// OnTrainBegin implements Callback.
func (p *ProgressBar) OnTrainBegin(*Training) error {
	p.w, p.now, p.every, p.bar = p.W, time.Now, p.Every, barWidth
	if p.w == nil {
		p.w = os.Stdout
	}
	p.columns = func() int { return 0 }
	f, isFile := p.w.(*os.File)
	switch {
	case isFile && term.IsTerminal(int(f.Fd())):
		p.live = true
		p.every = orDuration(p.every, 100*time.Millisecond)
		p.columns = func() int {
			columns, _, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 0
			}
			return columns
		}
	case isFile && os.Getenv(notebookEnv) != "":
		p.live = true
		p.every = orDuration(p.every, 250*time.Millisecond)
		p.bar = notebookBarWidth
	default:
		p.live = p.Every > 0
	}
	return nil
}

// OnEpochBegin implements Callback.
func (p *ProgressBar) OnEpochBegin(t *Training) error {
	p.began, p.first = p.now(), time.Time{}
	p.drawn = p.began
	if !p.live {
		return nil
	}
	return p.draw(p.line(t, 0, nil, ""))
}

// OnTrainBatchEnd implements Callback.
func (p *ProgressBar) OnTrainBatchEnd(t *Training) error {
	now := p.now()
	if p.first.IsZero() {
		p.first = now
	}
	if !p.live || now.Sub(p.drawn) < p.every {
		return nil
	}
	p.drawn = now
	logs, err := t.Logs()
	if err != nil {
		return err
	}
	done := t.Batch + 1
	eta := ""
	if done > 1 && t.Steps > 0 {
		left := time.Duration(float64(now.Sub(p.first)) / float64(done-1) * float64(t.Steps-done))
		eta = "ETA " + short(left.Truncate(time.Second)+time.Second)
	}
	return p.draw(p.line(t, done, logs, eta))
}

// OnEpochEnd implements Callback.
func (p *ProgressBar) OnEpochEnd(t *Training, logs Logs) error {
	if err := p.draw(p.line(t, t.Batch+1, logs, short(p.now().Sub(p.began)))); err != nil {
		return err
	}
	return p.endLine()
}

// OnTrainEnd implements Callback.
func (p *ProgressBar) OnTrainEnd(*Training) error { return p.endLine() }

// line is the text for an epoch of which some batches are done.
func (p *ProgressBar) line(t *Training, done int, logs Logs, clock string) string {
	steps := fmt.Sprint(t.Steps)
	if t.Steps < 0 {
		steps = "?" // a stream's end is seen when it is reached
	}
	n := len(steps)
	head := fmt.Sprintf("Epoch %*d/%d ", len(fmt.Sprint(t.Epochs)), t.Epoch+1, t.Epochs)
	tail := fmt.Sprintf(" %*d/%s", n, done, steps)
	if clock != "" {
		tail += " " + clock
	}
	if now := p.now(); done > 1 && !p.first.IsZero() && now.After(p.first) {
		step := now.Sub(p.first) / time.Duration(done-1)
		tail += fmt.Sprintf(" %s/step %s/s", short(step), thousands(float64(t.BatchSize)/step.Seconds()))
	}
	names := t.Metrics
	if t.Validation {
		for _, name := range t.Metrics {
			names = append(names[:len(names):len(names)], "val_"+name)
		}
	}
	for _, name := range names {
		if v, ok := logs[name]; ok {
			tail += fmt.Sprintf(" - %s %s", name, number(v))
		}
	}
	bar := p.bar
	if p.bar == notebookBarWidth && done == t.Steps || t.Steps < 0 {
		bar = 0 // it has said what it had to say
	}
	if columns := p.columns(); columns > 0 {
		room := columns - 1 - utf8.RuneCountInString(head+tail)
		bar = max(min(bar, room), 0)
		if room < 0 {
			return string([]rune(head + tail)[:max(columns-1, 0)])
		}
	}
	filled := bar * done / max(t.Steps, 1)
	if bar == 0 {
		return head + strings.TrimLeft(tail, " ")
	}
	return head + strings.Repeat("━", filled) + strings.Repeat("─", bar-filled) + tail
}

// draw replaces the open line. Blanks wipe out what an older line had more:
// notebooks understand a carriage return, but no escape codes.
func (p *ProgressBar) draw(line string) error {
	width := utf8.RuneCountInString(line)
	start := ""
	if p.lineOpen {
		start = "\r"
	}
	_, err := io.WriteString(p.w, start+line+strings.Repeat(" ", max(p.width-width, 0)))
	p.width, p.lineOpen = width, true
	return err
}

func (p *ProgressBar) endLine() error {
	if !p.lineOpen {
		return nil
	}
	p.width, p.lineOpen = 0, false
	_, err := io.WriteString(p.w, "\n")
	return err
}

// number is v in four digits behind the point, or in powers of ten where that
// would show nothing.
func number(v float64) string {
	if v != 0 && v > -1e-3 && v < 1e-3 {
		return fmt.Sprintf("%.4e", v)
	}
	return fmt.Sprintf("%.4f", v)
}

// short is a duration in one or two units: 1m05s, 9s, 4.9ms.
func short(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d >= 10*time.Second || d >= time.Second && d%time.Second == 0:
		return fmt.Sprintf("%.0fs", d.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%dµs", d.Microseconds())
}

// thousands is a count with separators: 6,530.
func thousands(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func orDuration(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}
