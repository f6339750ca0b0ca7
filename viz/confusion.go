package viz

import (
	"fmt"
	"slices"
	"strings"
)

// maxLabelled is how many classes of a confusion matrix get their counts written
// into the cells.
const maxLabelled = 20

// ConfusionMatrix counts, for each true class, how often each class was
// predicted. Right predictions are on the diagonal, so what shines beside it is
// what the model mixes up. classes names the classes in order.
func ConfusionMatrix(labels, predicted []int, classes []string) (*Chart, error) {
	counts, err := confusion(labels, predicted, len(classes))
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	most := 0
	var cells array
	for actual, row := range counts {
		for guess, n := range row {
			if n == 0 && len(classes) > maxLabelled {
				continue // most of a large matrix
			}
			cell := object{"value": array{guess, actual, n}, "words": say("true %s, predicted %s: %d", visible(classes[actual]), visible(classes[guess]), n)}
			if actual == guess {
				cell["itemStyle"], cell["visualMap"] = object{"color": "#bbf7d0"}, false
			} else {
				most = max(most, n)
			}
			cells = append(cells, cell)
		}
	}
	if len(labels) == 0 {
		return nil, fmt.Errorf("viz: expected at least one label, got none")
	}
	small := len(classes) <= maxLabelled
	size := max(240, 36*len(classes))
	if !small {
		size = max(480, min(900, 5*len(classes)))
	}
	longest := longestOf(classes)
	gap := 24 + 7*longest
	below, label := 28, object{"width": max(40, size/max(len(classes), 1))}
	if small { // each class has its name
		label["interval"], label["hideOverlap"] = 0, false
	}
	if longest > 5 { // aslant, if that is longer than its column
		label["rotate"], label["width"] = 40, 100
		below += 4 * longest
	}
	option := object{
		"tooltip": tooltip("item"),
		"xAxis":   categories(say("predicted"), classes, 0, object{"position": "bottom", "nameGap": below, "axisLabel": label}),
		"yAxis":   categories(say("true"), classes, 0, object{"inverse": true, "nameGap": gap, "axisLabel": object{"width": 100}}),
		"grid":    object{"left": gap + 28, "right": 16, "top": 16, "bottom": below + 28},
		// The scale ends at the most frequent mistake: with the diagonal in it,
		// all mistakes of a good model would look the same.
		"visualMap": object{"show": false, "type": "continuous", "min": 0, "max": max(most, 1), "dimension": 2, "inRange": object{"color": array{"#f1f5f9", "#fdba74", "#f97316"}}},
		"series":    array{object{"type": "heatmap", "name": say("examples"), "data": cells, "label": object{"show": small, "color": "#1e293b"}, "emphasis": object{"itemStyle": object{"borderColor": "#0f172a", "borderWidth": 1}}}},
	}
	c, err := newChart(option, confusionText(counts, classes))
	if err != nil {
		return nil, err
	}
	c.height, c.staticWidth, c.fixed = size+44+below, max(320, gap+44+size*6/5), true
	return c, nil
}

func confusion(labels, predicted []int, classes int) ([][]int, error) {
	if len(labels) != len(predicted) {
		return nil, fmt.Errorf("expected as many predictions as labels, got %d and %d", len(predicted), len(labels))
	}
	if classes == 0 {
		return nil, fmt.Errorf("expected at least one class, got none")
	}
	counts := make([][]int, classes)
	for i := range counts {
		counts[i] = make([]int, classes)
	}
	for i, l := range labels {
		p := predicted[i]
		if l < 0 || l >= classes || p < 0 || p >= classes {
			return nil, fmt.Errorf("expected classes from 0 to %d, got label %d and prediction %d at %d", classes-1, l, p, i)
		}
		counts[l][p]++
	}
	return counts, nil
}

// confusionText is the matrix as a table or, of many classes, a list of what is
// most often mixed up.
func confusionText(counts [][]int, classes []string) string {
	if len(classes) > maxLabelled {
		return confusionList(counts, classes)
	}
	width := 4
	for _, row := range counts {
		for _, n := range row {
			width = max(width, len(fmt.Sprint(n)))
		}
	}
	for _, name := range classes {
		width = max(width, min(len(name), 20))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%*s", width, "")
	for _, name := range classes {
		fmt.Fprintf(&b, "  %*s", width, name)
	}
	for i, row := range counts {
		fmt.Fprintf(&b, "\n%*s", width, classes[i])
		for _, n := range row {
			fmt.Fprintf(&b, "  %*d", width, n)
		}
	}
	return "confusion matrix; a row for each true class, a column for each predicted one\n" + b.String()
}

func confusionList(counts [][]int, classes []string) string {
	type mistake struct{ actual, guess, n int }
	var worst []mistake
	right, all := 0, 0
	for i, row := range counts {
		for j, n := range row {
			all += n
			if i == j {
				right += n
			} else if n > 0 {
				worst = append(worst, mistake{i, j, n})
			}
		}
	}
	slices.SortStableFunc(worst, func(a, b mistake) int { return b.n - a.n })
	text := say("confusion matrix of %d classes: %d of %d right", len(classes), right, all)
	for _, m := range worst[:min(len(worst), 10)] {
		text += say("\n%s taken for %s: %d", classes[m.actual], classes[m.guess], m.n)
	}
	return text
}
