package dl

import (
	"fmt"
	"strings"
)

// History is what Fit measured, epoch by epoch.
type History struct {
	// Names lists what was measured, in the order in which it is shown: the
	// metrics, the loss, then the same of the validation.
	Names []string
	// Metrics holds the values of each epoch by name: "loss", "accuracy",
	// "val_loss", …
	Metrics map[string][]float64
}

// Epochs is the number of epochs that were finished.
func (h *History) Epochs() int {
	if len(h.Names) == 0 {
		return 0
	}
	return len(h.Metrics[h.Names[0]])
}

// Last returns the values of the last epoch; nil if there is none.
func (h *History) Last() Logs {
	n := h.Epochs()
	if n == 0 {
		return nil
	}
	logs := make(Logs)
	for _, name := range h.Names {
		logs[name] = h.Metrics[name][n-1]
	}
	return logs
}

// String is a table with a line for each epoch.
func (h *History) String() string {
	var b strings.Builder
	b.WriteString("epoch")
	for _, n := range h.Names {
		fmt.Fprintf(&b, "  %12s", n)
	}
	for e := range h.Epochs() {
		fmt.Fprintf(&b, "\n%5d", e+1)
		for _, n := range h.Names {
			fmt.Fprintf(&b, "  %*.4f", max(12, len(n)), h.Metrics[n][e])
		}
	}
	return b.String()
}
