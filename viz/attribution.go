package viz

import (
	"cmp"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"math"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl/tensor"
)

// Attribution lays what a method of dl/explain attributes over an image: blue speaks for the
// target, red against it, the stronger the more. a is [height, width] or [height, width,
// channels], or one example of those, of the image's size or coarser; of channels, the sum
// counts. Saliency is for what has no sign.
func Attribution(img image.Image, a *tensor.Tensor) (*Picture, error) {
	if img == nil || img.Bounds().Empty() {
		return nil, fmt.Errorf("viz: attribution: expected an image, got none")
	}
	m, err := mapOf(a, img.Bounds().Dy())
	if err != nil {
		return nil, fmt.Errorf("viz: attribution: %w", err)
	}
	low, high, found := span(m.v)
	if !found {
		return nil, fmt.Errorf("viz: attribution: expected at least one finite value, got none")
	}
	most := max(-low, high, math.SmallestNonzeroFloat64)
	against, speaks := rgb("#dc2626"), rgb("#2563eb")
	out := overlay(img, func(y, x, height, width float64) (color.NRGBA, float64) {
		t := m.smooth((y+0.5)/height, (x+0.5)/width) / most
		ink := speaks
		if t < 0 {
			ink = against
		}
		return ink, min(0.9, 1.2*math.Abs(t))
	})
	return &Picture{out, say("attributions over an image of %d × %d, from %s to %s", img.Bounds().Dx(), img.Bounds().Dy(), shortNumber(low), shortNumber(high))}, nil
}

// mapOf is what is attributed to the places of an image: [height, width], [height, width,
// channels], whose sum counts, or one example of those; height is the image's.
func mapOf(a *tensor.Tensor, height int) (matrix, error) {
	if a == nil {
		return matrix{}, fmt.Errorf("expected attributions, got nil")
	}
	values, err := floats(a)
	d := a.Shape().Dimensions
	if len(d) == 4 && d[0] == 1 || len(d) == 3 && d[0] == 1 && height > 1 {
		d = d[1:]
	}
	if err != nil || len(d) != 2 && len(d) != 3 || len(values) == 0 {
		return matrix{}, fmt.Errorf("expected attributions of shape (height, width), (height, width, channels) or (1, height, width, channels), got %v", a.Shape())
	}
	channels := len(values) / (d[0] * d[1])
	return newMatrix(d[0], d[1], func(i, j int) (sum float64) {
		for k := range channels {
			sum += values[(i*d[1]+j)*channels+k]
		}
		return sum
	}), nil
}

// attributed are names with values, checked.
func attributed(what string, names []string, a *tensor.Tensor) ([]float64, error) {
	if a == nil {
		return nil, fmt.Errorf("viz: %s: expected attributions, got nil", what)
	}
	values, err := floats(a)
	if err != nil || len(values) == 0 || len(values) != len(names) {
		return nil, fmt.Errorf("viz: %s: expected an attribution for each of %d names, got %v", what, len(names), a.Shape())
	}
	if _, _, found := span(values); !found {
		return nil, fmt.Errorf("viz: %s: expected at least one finite value, got none", what)
	}
	return values, nil
}

// AttributedWords shows a text with what is attributed to each of its words: those in blue speak
// for the target, those in red against it, the stronger the more. a is [words] or [1, words].
func AttributedWords(words []string, a *tensor.Tensor) (Viewable, error) {
	values, err := attributed("attributed words", words, a)
	if err != nil {
		return nil, err
	}
	low, high, _ := span(values)
	most := max(-low, high, math.SmallestNonzeroFloat64)
	var all []attributedWord
	var text []string
	for i, w := range words {
		v := values[i]
		one := attributedWord{Word: visible(w), Value: shortNumber(v)}
		if strength := math.Abs(v) / most; strength > 0 {
			ink := "37, 99, 235"
			if v < 0 {
				ink = "220, 38, 38"
			}
			one.Style = template.CSS(fmt.Sprintf("background-color: rgba(%s, %.2f)", ink, 0.75*strength)) //nolint:gosec // numbers of our own
		}
		all = append(all, one)
		text = append(text, fmt.Sprintf("%s (%s)", one.Word, one.Value))
	}
	var b strings.Builder
	if err := wordsTemplate.Execute(&b, all); err != nil {
		return nil, err
	}
	return bundleView{MIMEHTML: b.String(), MIMEPlain: strings.Join(text, " ")}, nil
}

type attributedWord struct {
	Word, Value string
	Style       template.CSS
}

// What is shown has its numbers for those who point at a word, and for those who cannot see.
var wordsTemplate = template.Must(template.New("words").Parse(
	`<p>{{range .}}<span title="{{.Value}}" style="{{.Style}}">{{.Word}}</span> {{end}}</p>`))

// bundleView is what is ready to be shown.
type bundleView Bundle

// Bundle implements Viewable.
func (v bundleView) Bundle() (Bundle, error) { return Bundle(v), nil }

// AttributedFeatures draws what is attributed to the columns of a table, one row of it, as bars:
// those that matter most at the top, and no more than most; 0 means 15. a is [columns] or
// [1, columns].
func AttributedFeatures(names []string, a *tensor.Tensor, most int) (*Chart, error) {
	values, err := attributed("attributed features", names, a)
	if err != nil {
		return nil, err
	}
	if most < 0 {
		return nil, fmt.Errorf("viz: attributed features: expected to show one at least (or 0 for 15), got %d", most)
	}
	if most == 0 {
		most = 15
	}
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(math.Abs(values[b]), math.Abs(values[a])) })
	order = order[:min(most, len(order))]
	var shown []string
	var bars array
	text := say("attributions of %d of %d columns", len(order), len(values))
	for _, i := range order {
		shown = append(shown, names[i])
		ink := trainColor
		if values[i] < 0 {
			ink = wrongColor
		}
		bars = append(bars, object{"value": number(values[i]), "itemStyle": object{"color": ink}})
		text += fmt.Sprintf("\n%s: %s", names[i], shortNumber(values[i]))
	}
	longest := 0
	for _, name := range shown {
		longest = max(longest, min(len([]rune(name)), 24))
	}
	c, err := newChart(object{
		"tooltip": tooltip("item"),
		"xAxis":   axis(say("attribution"), 0, nil),
		"yAxis":   categories("", shown, 0, object{"inverse": true, "axisTick": object{"show": false}, "axisLabel": object{"width": 170, "overflow": "truncate", "interval": 0}}),
		"grid":    object{"left": 24 + 7*longest, "right": 24, "top": 12, "bottom": 48},
		"series":  array{object{"type": "bar", "data": bars, "barMaxWidth": 18}},
	}, text)
	if err != nil {
		return nil, err
	}
	c.height = 76 + 26*len(order)
	return c, nil
}
