package callbacks

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Mode says whether a number is to become smaller or larger.
type Mode int

const (
	// Auto is Max for what is better when larger, by its name: accuracy,
	// precision, recall, AUC, F1 and R²; and Min for all else.
	Auto Mode = iota
	// Min wants it smaller.
	Min
	// Max wants it larger.
	Max
)

// monitor watches one number of the logs.
type monitor struct {
	name  string
	mode  Mode
	delta float64
	best  float64
}

func newMonitor(name string, mode Mode, delta float64) monitor {
	if name == "" {
		name = "val_loss"
	}
	if mode == Auto {
		mode = Min
		for _, part := range []string{"acc", "precision", "recall", "auc", "f1", "fbeta", "r2", "positives", "negatives", "iou", "io_u"} {
			if strings.Contains(name, part) && !strings.Contains(name, "false_") {
				mode = Max
			}
		}
	}
	m := monitor{name: name, mode: mode, delta: math.Abs(delta)}
	m.reset()
	return m
}

func (m *monitor) reset() {
	m.best = math.Inf(1)
	if m.mode == Max {
		m.best = math.Inf(-1)
	}
}

// value finds the number in the logs; one that is not there is a mistake in the
// program.
func (m *monitor) value(logs Logs) (float64, error) {
	v, ok := logs[m.name]
	if !ok {
		var names []string
		for n := range logs {
			names = append(names, n)
		}
		slices.Sort(names)
		return 0, fmt.Errorf("expected to monitor one of %s, got %q", strings.Join(names, ", "), m.name)
	}
	return v, nil
}

// better says whether a value beats another by more than delta.
func (m *monitor) better(v, than float64) bool {
	if m.mode == Max {
		return v-m.delta > than
	}
	return v+m.delta < than
}
