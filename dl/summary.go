package dl

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/layers"
)

// Summary returns Keras's table of the layers, their output shapes and their
// numbers of parameters. Before the model is built, those are not known.
func (m *Model) Summary() string { return m.summary(false) }

// SummaryExpanded is Summary with the layers of models that are layers.
func (m *Model) SummaryExpanded() string { return m.summary(true) }

func (m *Model) summary(expand bool) string {
	m.m.Lock.Lock()
	defer m.m.Lock.Unlock()
	t := table{
		header: []string{"Layer (type)", "Output Shape", "Param #"},
		widths: []int{31, 22, 13},
		right:  []bool{false, false, true},
	}
	linear := m.m.Kind == network.Sequential
	if !linear {
		t.header, t.right = append(t.header, "Connected to"), append(t.right, false)
		t.widths = []int{21, 17, 10, 16}
	}
	summarize(m.m.Network, &t, "", linear, expand)
	all := network.VariablesOf(network.Kept(m.m.Weights))
	trainable := func(v *network.Variable) bool { return v.Trainable() }
	frozen := func(v *network.Variable) bool { return !v.Trainable() }
	var b strings.Builder
	fmt.Fprintf(&b, "Model: %q\n%s", m.m.Name, t.String())
	fmt.Fprintf(&b, " Total params: %s\n", total(count(all, nil)+m.optimizerParams()))
	fmt.Fprintf(&b, " Trainable params: %s\n", total(count(all, trainable)))
	fmt.Fprintf(&b, " Non-trainable params: %s\n", total(count(all, frozen)))
	if n := m.optimizerParams(); n > 0 {
		fmt.Fprintf(&b, " Optimizer params: %s\n", total(n))
	}
	return b.String()
}

// summarize adds the rows of a model's layers, indented if it is a layer itself.
func summarize(m *network.Network, t *table, indent string, linear, expand bool) {
	for _, l := range m.All() {
		shape, params := "?", "0 (unbuilt)"
		if m.Inputs != nil {
			shape, params = shapesText(l.Spec.All()), group(count(network.VariablesOf(l.Kept()), nil))
		}
		row := []string{fmt.Sprintf("%s%s (%s)", indent, l.Name, l.Type()), shape, params}
		if !linear {
			row = append(row, connected(m, l))
		}
		t.rows = append(t.rows, row)
		if inner := l.Nested(); inner != nil && expand {
			summarize(inner, t, indent+"└ ", linear, expand)
		}
	}
}

func shapesText(all []layers.Shape) string {
	var parts []string
	for _, s := range all {
		parts = append(parts, s.String())
	}
	return strings.Join(parts, ", ")
}

// connected tells which layers a layer takes its inputs from.
func connected(m *network.Network, l *network.Layer) string {
	var from []string
	for _, c := range m.Calls {
		if c.Layer != l {
			continue
		}
		for _, s := range c.In {
			node := max(slices.Index(s.From.Layer.Calls, s.From), 0)
			from = append(from, fmt.Sprintf("%s[%d][%d]", s.From.Layer.Name, node, slices.Index(s.From.Out, s)))
		}
	}
	if from == nil {
		return "-"
	}
	return strings.Join(from, ", ")
}

// optimizerParams counts what the optimizer remembers, once it has begun, with
// its iteration and its rate, as Keras does.
func (m *Model) optimizerParams() int {
	all := m.m.OptimizerVariables()
	if all == nil {
		return 0
	}
	return count(all, nil) + 2
}

func count(vars []*network.Variable, which func(*network.Variable) bool) int {
	n := 0
	for _, v := range vars {
		if which == nil || which(v) {
			n += v.Shape.Size()
		}
	}
	return n
}

// total is a number of parameters and the memory they take, 4 bytes each.
func total(n int) string {
	bytes, units := float64(4*n), []string{"B", "KB", "MB", "GB", "TB"}
	i := 0
	for bytes >= 1024 && i < len(units)-1 {
		bytes, i = bytes/1024, i+1
	}
	return fmt.Sprintf("%s (%.2f %s)", group(n), bytes, units[i])
}

// group writes a number with separators: 121,930.
func group(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// table draws a table in the manner of the library rich, which Keras uses.
type table struct {
	header []string
	widths []int // at least; a longer cell makes its column wider
	right  []bool
	rows   [][]string
}

func (t table) String() string {
	for _, row := range append(t.rows, t.header) {
		for i, cell := range row {
			t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	t.rule(&b, "┏", "━", "┳", "┓")
	t.line(&b, "┃", t.header)
	t.rule(&b, "┡", "━", "╇", "┩")
	for i, row := range t.rows {
		if i > 0 {
			t.rule(&b, "├", "─", "┼", "┤")
		}
		t.line(&b, "│", row)
	}
	t.rule(&b, "└", "─", "┴", "┘")
	return b.String()
}

func (t table) rule(b *strings.Builder, left, line, middle, right string) {
	for i, w := range t.widths {
		b.WriteString([]string{left, middle}[min(i, 1)])
		b.WriteString(strings.Repeat(line, w+2))
	}
	b.WriteString(right + "\n")
}

func (t table) line(b *strings.Builder, bar string, cells []string) {
	for i, cell := range cells {
		blanks := strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(cell))
		if t.right[i] {
			cell = blanks + cell
		} else {
			cell += blanks
		}
		b.WriteString(bar + " " + cell + " ")
	}
	b.WriteString(bar + "\n")
}
