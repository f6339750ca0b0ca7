package viz

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// scored is a prediction with what it should have been.
type scored struct {
	score    float64
	positive bool
}

// byScore checks labels and scores, and returns them from the highest score down.
func byScore(labels []int, scores []float64) (all []scored, positives int, err error) {
	if len(labels) != len(scores) {
		return nil, 0, fmt.Errorf("expected as many scores as labels, got %d and %d", len(scores), len(labels))
	}
	for i, s := range scores {
		if math.IsNaN(s) {
			return nil, 0, fmt.Errorf("expected scores that are numbers, got NaN at %d", i)
		}
		if labels[i] != 0 && labels[i] != 1 {
			return nil, 0, fmt.Errorf("expected labels 0 and 1, got %d at %d", labels[i], i)
		}
		positives += labels[i]
		all = append(all, scored{s, labels[i] == 1})
	}
	if positives == 0 || positives == len(labels) {
		return nil, 0, fmt.Errorf("expected labels of both classes, got %d of 1 among %d", positives, len(labels))
	}
	slices.SortStableFunc(all, func(a, b scored) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	return all, positives, nil
}

// thresholds calls do after each group of equal scores, with the numbers of true
// and false positives if all scores down to that one count as positive.
func thresholds(all []scored, do func(score float64, tp, fp int)) {
	tp, fp := 0, 0
	for i, s := range all {
		if s.positive {
			tp++
		} else {
			fp++
		}
		if i == len(all)-1 || all[i+1].score != s.score {
			do(s.score, tp, fp)
		}
	}
}

// ROC draws how many of the positives are found against how many of the
// negatives are taken for positives, for each threshold of a binary classifier,
// with the area under the curve. labels are 0 or 1; a higher score means more
// likely 1.
//
// Source: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.roc_curve.html
func ROC(labels []int, scores []float64) (*Chart, error) {
	all, positives, err := byScore(labels, scores)
	if err != nil {
		return nil, fmt.Errorf("viz: ROC: %w", err)
	}
	x, y := []float64{0}, []float64{0}
	area := 0.0
	thresholds(all, func(_ float64, tp, fp int) {
		x, y = append(x, float64(fp)/float64(len(all)-positives)), append(y, float64(tp)/float64(positives))
		n := len(x)
		area += (x[n-1] - x[n-2]) * (y[n-1] + y[n-2]) / 2
	})
	words := fmt.Sprintf("ROC curve, area %.4f", area)
	return rates(words, say("false positive rate"), say("true positive rate"), []object{
		line(say("area %.4f", area), x, y, 0, curvePoints, object{"color": trainColor, "showSymbol": false, "areaStyle": object{"opacity": 0.12}}),
		line(say("chance"), []float64{0, 1}, []float64{0, 1}, 0, 2, object{"color": softColor, "showSymbol": false, "lineStyle": object{"type": "dashed", "width": 1}}),
	})
}

// PrecisionRecall draws how many of those called positive are, against how many
// of the positives are found, for each threshold of a binary classifier, with the
// average precision. labels are 0 or 1; a higher score means more likely 1.
//
// Source: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.precision_recall_curve.html
func PrecisionRecall(labels []int, scores []float64) (*Chart, error) {
	all, positives, err := byScore(labels, scores)
	if err != nil {
		return nil, fmt.Errorf("viz: precision and recall: %w", err)
	}
	var x, y []float64
	average, last := 0.0, 0.0
	thresholds(all, func(_ float64, tp, fp int) {
		recall, precision := float64(tp)/float64(positives), float64(tp)/float64(tp+fp)
		if x == nil {
			x, y = []float64{0}, []float64{precision}
		}
		x, y = append(x, recall), append(y, precision)
		average += (recall - last) * precision
		last = recall
	})
	base := float64(positives) / float64(len(all))
	words := fmt.Sprintf("precision and recall, average precision %.4f", average)
	return rates(words, say("recall"), say("precision"), []object{
		line(say("average precision %.4f", average), x, y, 0, curvePoints, object{"color": trainColor, "showSymbol": false, "areaStyle": object{"opacity": 0.12}}),
		line(say("chance"), []float64{0, 1}, []float64{base, base}, 0, 2, object{"color": softColor, "showSymbol": false, "lineStyle": object{"type": "dashed", "width": 1}}),
	})
}

// rates is a square chart of shares from 0 to 1.
func rates(words, xName, yName string, series []object) (*Chart, error) {
	option := optionOf{
		"tooltip": tooltip("axis"), "legend": object{"show": true, "top": 0},
		"xAxis": axis(xName, 0, object{"min": 0, "max": 1}),
		"yAxis": axis(yName, 0, object{"min": 0, "max": 1, "nameGap": 34}),
		"grid":  object{"left": 56, "right": 20, "top": 36, "bottom": 48},
	}
	option.add("series", series...)
	c, err := newChart(object(option), words)
	if err != nil {
		return nil, err
	}
	c.height, c.staticWidth, c.fixed = 380, 420, true
	return c, nil
}

// Calibration draws how often a prediction is right against how sure the model
// was of it, with the expected calibration error: a model that says 80 % should
// be right in 80 % of these cases. probabilities are from 0 to 1; right says
// which predictions were right, or which binary labels are 1; bins 0 means 10.
//
// Source: Guo et al., On Calibration of Modern Neural Networks, 2017.
func Calibration(probabilities []float64, right []bool, bins int) (*Chart, error) {
	if len(probabilities) != len(right) || len(right) == 0 {
		return nil, fmt.Errorf("viz: calibration: expected as many probabilities as answers, and at least one, got %d and %d", len(probabilities), len(right))
	}
	if bins == 0 {
		bins = 10
	}
	if bins < 1 || bins > 1000 {
		return nil, fmt.Errorf("viz: calibration: expected from 1 to 1000 bins, got %d", bins)
	}
	count, hits, sure := make([]int, bins), make([]int, bins), make([]float64, bins)
	for i, p := range probabilities {
		if !(p >= 0 && p <= 1) {
			return nil, fmt.Errorf("viz: calibration: expected probabilities from 0 to 1, got %v at %d", p, i)
		}
		b := min(int(p*float64(bins)), bins-1)
		count[b]++
		sure[b] += p
		if right[i] {
			hits[b]++
		}
	}
	off, text := 0.0, &strings.Builder{}
	var bars, curve array
	for b := range bins {
		if count[b] == 0 {
			continue
		}
		mean, share := sure[b]/float64(count[b]), float64(hits[b])/float64(count[b])
		off += math.Abs(mean-share) * float64(count[b]) / float64(len(right))
		words := fmt.Sprintf("sure by %.3f on average\nright in %.3f of %d cases", mean, share, count[b])
		curve = append(curve, object{"value": array{rounded(mean), rounded(share)}, "words": words})
		bars = append(bars, array{rounded((float64(b) + 0.5) / float64(bins)), count[b]})
		fmt.Fprintf(text, "\n%.3f: right in %.3f of %d", mean, share, count[b])
	}
	option := optionOf(panelled([]string{say("expected calibration error %.4f", off), say("number of cases")}))
	shares := object{"min": 0, "max": 1}
	option.add("xAxis", axis(say("predicted probability"), 0, shares), axis(say("predicted probability"), 1, shares))
	option.add("yAxis", axis(say("share that is right"), 0, object{"min": 0, "max": 1, "nameGap": 34}), axis("", 1, nil))
	option.add("series",
		object{"type": "line", "name": say("model"), "data": curve, "color": trainColor, "symbol": "circle", "symbolSize": 7, "lineStyle": object{"width": 2}},
		line(say("perfect"), []float64{0, 1}, []float64{0, 1}, 0, 2, object{"color": softColor, "showSymbol": false, "lineStyle": object{"type": "dashed", "width": 1}}),
		object{"type": "bar", "name": say("cases"), "xAxisIndex": 1, "yAxisIndex": 1, "data": bars, "color": thirdColor, "barWidth": "90%"},
	)
	option["tooltip"] = tooltip("item")
	c, err := curves(option, fmt.Sprintf("calibration, expected error %.4f", off)+text.String())
	if err != nil {
		return nil, err
	}
	c.panels.Height, c.panels.Left, c.panels.Above = 240, 60, 4
	return c, nil
}
