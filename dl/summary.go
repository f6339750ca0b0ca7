package dl

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gradbook/gradbook/dl/layers"
)

// Summary returns Keras's table of the layers, their output shapes and their
// numbers of parameters. Before the model is built, those are not known.
func (m *Model) Summary() string { return m.summary(false) }

// SummaryExpanded is Summary with the layers of models that are layers.
func (m *Model) SummaryExpanded() string { return m.summary(true) }

func (m *Model) summary(expand bool) string {
	lock.Lock()
	defer lock.Unlock()
	t := table{
		header: []string{"Layer (type)", "Output Shape", "Param #"},
		widths: []int{31, 22, 13},
		right:  []bool{false, false, true},
	}
	linear := m.kind == "Sequential"
	if !linear {
		t.header, t.right = append(t.header, "Connected to"), append(t.right, false)
		t.widths = []int{21, 17, 10, 16}
	}
	m.summarize(&t, "", linear, expand)
	all := variablesOf(m.kept())
	trainable := func(v *variable) bool { return v.trainable() }
	frozen := func(v *variable) bool { return !v.trainable() }
	var b strings.Builder
	fmt.Fprintf(&b, "Model: %q\n%s", m.name, t.String())
	fmt.Fprintf(&b, " Total params: %s\n", total(count(all, nil)+m.optimizerParams()))
	fmt.Fprintf(&b, " Trainable params: %s\n", total(count(all, trainable)))
	fmt.Fprintf(&b, " Non-trainable params: %s\n", total(count(all, frozen)))
	if n := m.optimizerParams(); n > 0 {
		fmt.Fprintf(&b, " Optimizer params: %s\n", total(n))
	}
	return b.String()
}

// summarize adds the rows of a model's layers, indented if it is a layer itself.
func (m *Model) summarize(t *table, indent string, linear, expand bool) {
	for _, l := range m.all() {
		shape, params := "?", "0 (unbuilt)"
		if m.inputs != nil {
			shape, params = shapesText(l.spec.All()), group(count(variablesOf(l.kept()), nil))
		}
		row := []string{fmt.Sprintf("%s%s (%s)", indent, l.name, l.Type()), shape, params}
		if !linear {
			row = append(row, m.connected(l))
		}
		t.rows = append(t.rows, row)
		if inner, ok := l.Layer.(*Model); ok && expand {
			inner.summarize(t, indent+"└ ", linear, expand)
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
func (m *Model) connected(l *Layer) string {
	var from []string
	for _, c := range m.calls {
		if c.layer != l {
			continue
		}
		for _, s := range c.in {
			node := max(slices.Index(s.from.layer.calls, s.from), 0)
			from = append(from, fmt.Sprintf("%s[%d][%d]", s.from.layer.name, node, slices.Index(s.from.out, s)))
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
	if m.compiled == nil || len(m.compiled.slots) == 0 {
		return 0
	}
	return count(variablesOf(m.state()), nil) + 2
}

func count(vars []*variable, which func(*variable) bool) int {
	n := 0
	for _, v := range vars {
		if which == nil || which(v) {
			n += v.shape.Size()
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
