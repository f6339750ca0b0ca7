package train

import "github.com/gradbook/gradbook/dl/callbacks"

// History is what Fit measured, epoch by epoch; the fields are those of dl.History.
type History struct {
	Names   []string
	Metrics map[string][]float64
}

func newHistory(names []string, validation bool) *History {
	h := &History{Names: append([]string{}, names...), Metrics: make(map[string][]float64)}
	if validation {
		for _, n := range names {
			h.Names = append(h.Names, "val_"+n)
		}
	}
	return h
}

func (h *History) add(logs callbacks.Logs) {
	for _, n := range h.Names {
		h.Metrics[n] = append(h.Metrics[n], logs[n])
	}
}

func (h *History) epochs() int {
	if len(h.Names) == 0 {
		return 0
	}
	return len(h.Metrics[h.Names[0]])
}
