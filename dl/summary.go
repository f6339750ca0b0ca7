package dl

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Summary returns Keras's table of the layers, their output shapes and their
// numbers of parameters. Before the model is built, those are not known.
func (m *Model) Summary() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := table{
		header: []string{"Layer (type)", "Output Shape", "Param #"},
		widths: []int{31, 22, 13},
		right:  []bool{false, false, true},
	}
	for _, l := range m.layers {
		shape, params := "?", "0 (unbuilt)"
		if m.input != nil {
			shape, params = l.spec.Output.String(), group(count(l.weights, nil))
		}
		t.rows = append(t.rows, []string{fmt.Sprintf("%s (%s)", l.name, typeName(l.Layer)), shape, params})
	}
	trainable := func(v *variable) bool { return v.trainable }
	frozen := func(v *variable) bool { return !v.trainable }
	var b strings.Builder
	fmt.Fprintf(&b, "Model: %q\n%s", m.name, t.String())
	fmt.Fprintf(&b, " Total params: %s\n", total(count(m.weights, nil)+m.optimizerParams()))
	fmt.Fprintf(&b, " Trainable params: %s\n", total(count(m.weights, trainable)))
	fmt.Fprintf(&b, " Non-trainable params: %s\n", total(count(m.weights, frozen)))
	if n := m.optimizerParams(); n > 0 {
		fmt.Fprintf(&b, " Optimizer params: %s\n", total(n))
	}
	return b.String()
}

// optimizerParams counts what the optimizer remembers, once it has begun, with
// its iteration and its rate, as Keras does.
func (m *Model) optimizerParams() int {
	if m.compiled == nil || m.compiled.slots == nil {
		return 0
	}
	return count(m.compiled.slots, nil) + 2
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
