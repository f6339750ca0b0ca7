package metrics

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/losses"
)

// Accumulator is a Metric that is no mean over examples: it is computed from sums
// over all of them.
type Accumulator interface {
	Metric
	// Size is how many sums there are.
	Size(labels, output []int) int
	// Sums returns those of a batch, of shape [Size]. weights has the shape of
	// the labels' batch, or of the output without its last axis; nil is 1.
	Sums(labels, output, weights *graph.Node) *graph.Node
	// Result computes the metric from the sums over all examples.
	Result(sums []float64) float64
}

// confusion counts how often an output above a threshold is right and wrong: sums of
// true positives, false positives, true negatives and false negatives, each for all
// thresholds.
func confusion(labels, output, weights *graph.Node, thresholds []float64) *graph.Node {
	y := losses.Align(labels, output)
	n := y.Shape().Size()
	g := output.Graph()
	flatY, flatP := graph.Reshape(y, n, 1), graph.Reshape(output, n, 1)
	limits := make([]float32, len(thresholds))
	for i, t := range thresholds {
		limits[i] = float32(t)
	}
	at := graph.ConvertDType(graph.InsertAxes(graph.Const(g, limits), 0), output.DType())
	said := graph.ConvertDType(graph.GreaterThan(flatP, at), output.DType()) // [n, thresholds]
	w := graph.OnesLike(flatY)
	if weights != nil {
		w = graph.Reshape(spread(weights, output), n, 1)
	}
	yes, no := graph.Mul(flatY, w), graph.Mul(graph.OneMinus(flatY), w)
	sum := func(a, b *graph.Node) *graph.Node { return graph.ReduceSum(graph.Mul(a, b), 0) }
	not := graph.OneMinus(said)
	return graph.Concatenate([]*graph.Node{sum(yes, said), sum(no, said), sum(no, not), sum(yes, not)}, 0)
}

// spread gives weights the shape of the output.
func spread(weights, output *graph.Node) *graph.Node {
	w := graph.ConvertDType(weights, output.DType())
	for w.Rank() < output.Rank() {
		w = graph.InsertAxes(w, -1)
	}
	return graph.BroadcastToDims(w, output.Shape().Dimensions...)
}

// counts takes sums apart into true positives, false positives, true negatives and
// false negatives.
func counts(sums []float64) (tp, fp, tn, fn []float64) {
	n := len(sums) / 4
	return sums[:n], sums[n : 2*n], sums[2*n : 3*n], sums[3*n:]
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func threshold(t float64) []float64 {
	if t == 0 {
		t = 0.5
	}
	return []float64{t}
}

// Precision is the part of the outputs above Threshold whose label is 1.
//
// Labels are 0 or 1, of the output's shape.
//
// Source: https://keras.io/api/metrics/classification_metrics/
type Precision struct {
	// Threshold 0 means 0.5.
	Threshold float64 `keras:"thresholds"`
}

// Recall is the part of the labels of 1 whose output is above Threshold.
type Recall struct {
	// Threshold 0 means 0.5.
	Threshold float64 `keras:"thresholds"`
}

// TruePositives counts outputs above Threshold whose label is 1.
type TruePositives struct {
	// Threshold 0 means 0.5.
	Threshold float64 `keras:"thresholds"`
}

// FalsePositives counts outputs above Threshold whose label is 0.
type FalsePositives struct {
	// Threshold 0 means 0.5.
	Threshold float64 `keras:"thresholds"`
}

// TrueNegatives counts outputs up to Threshold whose label is 0.
type TrueNegatives struct {
	// Threshold 0 means 0.5.
	Threshold float64 `keras:"thresholds"`
}

// FalseNegatives counts outputs up to Threshold whose label is 1.
type FalseNegatives struct {
	// Threshold 0 means 0.5.
	Threshold float64 `keras:"thresholds"`
}

// Name implements Metric.
func (Precision) Name() string { return "precision" }

// Name implements Metric.
func (Recall) Name() string { return "recall" }

// Name implements Metric.
func (TruePositives) Name() string { return "true_positives" }

// Name implements Metric.
func (FalsePositives) Name() string { return "false_positives" }

// Name implements Metric.
func (TrueNegatives) Name() string { return "true_negatives" }

// Name implements Metric.
func (FalseNegatives) Name() string { return "false_negatives" }

// Check implements Metric.
func (m Precision) Check(labels, output []int) error {
	return checkThreshold(m.Threshold, labels, output)
}

// Check implements Metric.
func (m Recall) Check(labels, output []int) error { return checkThreshold(m.Threshold, labels, output) }

// Check implements Metric.
func (m TruePositives) Check(labels, output []int) error {
	return checkThreshold(m.Threshold, labels, output)
}

// Check implements Metric.
func (m FalsePositives) Check(labels, output []int) error {
	return checkThreshold(m.Threshold, labels, output)
}

// Check implements Metric.
func (m TrueNegatives) Check(labels, output []int) error {
	return checkThreshold(m.Threshold, labels, output)
}

// Check implements Metric.
func (m FalseNegatives) Check(labels, output []int) error {
	return checkThreshold(m.Threshold, labels, output)
}

func checkThreshold(t float64, labels, output []int) error {
	if !(t >= 0 && t < 1) {
		return fmt.Errorf("expected a Threshold in (0, 1), got %g", t)
	}
	return losses.BinaryCrossentropy{}.Check(labels, output)
}

// Size implements Accumulator.
func (Precision) Size(_, _ []int) int { return 4 }

// Size implements Accumulator.
func (Recall) Size(_, _ []int) int { return 4 }

// Size implements Accumulator.
func (TruePositives) Size(_, _ []int) int { return 4 }

// Size implements Accumulator.
func (FalsePositives) Size(_, _ []int) int { return 4 }

// Size implements Accumulator.
func (TrueNegatives) Size(_, _ []int) int { return 4 }

// Size implements Accumulator.
func (FalseNegatives) Size(_, _ []int) int { return 4 }

// Sums implements Accumulator.
func (m Precision) Sums(labels, output, weights *graph.Node) *graph.Node {
	return confusion(labels, output, weights, threshold(m.Threshold))
}

// Sums implements Accumulator.
func (m Recall) Sums(labels, output, weights *graph.Node) *graph.Node {
	return confusion(labels, output, weights, threshold(m.Threshold))
}

// Sums implements Accumulator.
func (m TruePositives) Sums(labels, output, weights *graph.Node) *graph.Node {
	return confusion(labels, output, weights, threshold(m.Threshold))
}

// Sums implements Accumulator.
func (m FalsePositives) Sums(labels, output, weights *graph.Node) *graph.Node {
	return confusion(labels, output, weights, threshold(m.Threshold))
}

// Sums implements Accumulator.
func (m TrueNegatives) Sums(labels, output, weights *graph.Node) *graph.Node {
	return confusion(labels, output, weights, threshold(m.Threshold))
}

// Sums implements Accumulator.
func (m FalseNegatives) Sums(labels, output, weights *graph.Node) *graph.Node {
	return confusion(labels, output, weights, threshold(m.Threshold))
}

// Result implements Accumulator.
func (Precision) Result(s []float64) float64 { return ratio(s[0], s[0]+s[1]) }

// Result implements Accumulator.
func (Recall) Result(s []float64) float64 { return ratio(s[0], s[0]+s[3]) }

// Result implements Accumulator.
func (TruePositives) Result(s []float64) float64 { return s[0] }

// Result implements Accumulator.
func (FalsePositives) Result(s []float64) float64 { return s[1] }

// Result implements Accumulator.
func (TrueNegatives) Result(s []float64) float64 { return s[2] }

// Result implements Accumulator.
func (FalseNegatives) Result(s []float64) float64 { return s[3] }

// Compute implements Metric; the metric is computed from Sums.
func (Precision) Compute(_, output *graph.Node) *graph.Node { return output }

// Compute implements Metric; the metric is computed from Sums.
func (Recall) Compute(_, output *graph.Node) *graph.Node { return output }

// Compute implements Metric; the metric is computed from Sums.
func (TruePositives) Compute(_, output *graph.Node) *graph.Node { return output }

// Compute implements Metric; the metric is computed from Sums.
func (FalsePositives) Compute(_, output *graph.Node) *graph.Node { return output }

// Compute implements Metric; the metric is computed from Sums.
func (TrueNegatives) Compute(_, output *graph.Node) *graph.Node { return output }

// Compute implements Metric; the metric is computed from Sums.
func (FalseNegatives) Compute(_, output *graph.Node) *graph.Node { return output }

// AUC is the area under a curve that all thresholds together draw.
//
// Labels are 0 or 1, of the output's shape; outputs are in [0, 1].
//
// Source: https://keras.io/api/metrics/classification_metrics/#auc-class
type AUC struct {
	// NumThresholds is how many points the curve has; 0 means 200.
	NumThresholds int
	// Curve is "ROC" (recall over the part of false alarms; "" means it) or "PR"
	// (precision over recall).
	Curve string
}

// Name implements Metric.
func (AUC) Name() string { return "auc" }

// Check implements Metric.
func (m AUC) Check(labels, output []int) error {
	if m.NumThresholds < 0 || m.NumThresholds == 1 {
		return fmt.Errorf("expected NumThresholds of at least 2 (or 0 for 200), got %d", m.NumThresholds)
	}
	if m.Curve != "" && m.Curve != "ROC" && m.Curve != "PR" {
		return fmt.Errorf("expected Curve ROC or PR, got %q", m.Curve)
	}
	return losses.BinaryCrossentropy{}.Check(labels, output)
}

// ReadConfig implements config.Reader.
func (*AUC) ReadConfig(c map[string]any) error {
	if c["summation_method"] == "interpolation" {
		delete(c, "summation_method")
	}
	return nil
}

func (m AUC) thresholds() []float64 {
	n := m.NumThresholds
	if n == 0 {
		n = 200
	}
	t := make([]float64, n)
	for i := range t {
		t[i] = float64(i) / float64(n-1)
	}
	t[0], t[n-1] = -1e-7, 1+1e-7
	return t
}

// Size implements Accumulator.
func (m AUC) Size(_, _ []int) int { return 4 * len(m.thresholds()) }

// Compute implements Metric; the metric is computed from Sums.
func (AUC) Compute(_, output *graph.Node) *graph.Node { return output }

// Sums implements Accumulator.
func (m AUC) Sums(labels, output, weights *graph.Node) *graph.Node {
	return confusion(labels, output, weights, m.thresholds())
}

// Result implements Accumulator.
func (m AUC) Result(sums []float64) float64 {
	tp, fp, tn, fn := counts(sums)
	area := 0.0
	if m.Curve == "PR" {
		// Between two points, precision is interpolated as Davis and Goadrich
		// (2006) say, not in a straight line.
		for i := range len(tp) - 1 {
			dtp, p, dp := tp[i]-tp[i+1], tp[i]+fp[i], tp[i]+fp[i]-tp[i+1]-fp[i+1]
			slope := ratio(dtp, max(dp, 0))
			intercept := tp[i+1] - slope*(tp[i+1]+fp[i+1])
			log := 0.0
			if p > 0 && tp[i+1]+fp[i+1] > 0 {
				log = math.Log(p / (tp[i+1] + fp[i+1]))
			}
			area += ratio(slope*(dtp+intercept*log), max(tp[i+1]+fn[i+1], 0))
		}
		return area
	}
	for i := range len(tp) - 1 {
		recall := func(j int) float64 { return ratio(tp[j], tp[j]+fn[j]) }
		alarm := func(j int) float64 { return ratio(fp[j], fp[j]+tn[j]) }
		area += (alarm(i) - alarm(i+1)) * (recall(i) + recall(i+1)) / 2
	}
	return area
}

// FBetaScore is the weighted harmonic mean of precision and recall:
// (1 + β²) P R / (β² P + R).
//
// Labels are one-hot, of the output's shape [batch, classes].
//
// Source: https://keras.io/api/metrics/classification_metrics/#fbetascore-class
type FBetaScore struct {
	// Average says what becomes of the scores of the classes: "micro" counts all
	// classes together, "macro" takes their mean, "weighted" by how often each
	// occurs. Keras's default, a score for each class, is no number; "" means
	// "macro".
	Average string
	// Beta is β; 0 means 1.
	Beta float64 `zero:"1"`
	// Threshold is the output above which a class counts; 0 takes the largest
	// output.
	Threshold float64
}

// F1Score is FBetaScore with β = 1.
type F1Score struct {
	// Average and Threshold are as in FBetaScore.
	Average   string
	Threshold float64
}

func (m F1Score) beta() FBetaScore { return FBetaScore{Average: m.Average, Threshold: m.Threshold} }

// Name implements Metric.
func (FBetaScore) Name() string { return "fbeta_score" }

// Name implements Metric.
func (F1Score) Name() string { return "f1_score" }

// Check implements Metric.
func (m FBetaScore) Check(labels, output []int) error {
	switch m.Average {
	case "", "micro", "macro", "weighted":
	default:
		return fmt.Errorf("expected Average micro, macro or weighted, got %q", m.Average)
	}
	if len(output) != 1 {
		return fmt.Errorf("expected an output of shape [classes], got %v", output)
	}
	return losses.CategoricalCrossentropy{}.Check(labels, output)
}

// Check implements Metric.
func (m F1Score) Check(labels, output []int) error { return m.beta().Check(labels, output) }

// Size implements Accumulator.
func (FBetaScore) Size(_, output []int) int { return 4 * output[0] }

// Size implements Accumulator.
func (F1Score) Size(_, output []int) int { return 4 * output[0] }

// Compute implements Metric; the metric is computed from Sums.
func (FBetaScore) Compute(_, output *graph.Node) *graph.Node { return output }

// Compute implements Metric; the metric is computed from Sums.
func (F1Score) Compute(_, output *graph.Node) *graph.Node { return output }

// Sums implements Accumulator: four counts of each class.
func (m FBetaScore) Sums(labels, output, weights *graph.Node) *graph.Node {
	y := losses.Align(labels, output)
	var said *graph.Node
	if m.Threshold > 0 {
		said = graph.GreaterThan(output, graph.Scalar(output.Graph(), output.DType(), m.Threshold))
	} else {
		best := graph.Equal(output, graph.ReduceAndKeep(output, graph.ReduceMax, -1))
		said = graph.LogicalAnd(best, graph.GreaterThan(graph.Abs(output), graph.Scalar(output.Graph(), output.DType(), 1e-9)))
	}
	p := graph.ConvertDType(said, output.DType())
	w := graph.OnesLike(output)
	if weights != nil {
		w = spread(weights, output)
	}
	sum := func(a, b *graph.Node) *graph.Node { return graph.ReduceSum(graph.Mul(w, graph.Mul(a, b)), 0) }
	return graph.Concatenate([]*graph.Node{
		sum(y, p), sum(graph.OneMinus(y), p), sum(graph.OneMinus(y), graph.OneMinus(p)), sum(y, graph.OneMinus(p)),
	}, 0)
}

// Sums implements Accumulator.
func (m F1Score) Sums(labels, output, weights *graph.Node) *graph.Node {
	return m.beta().Sums(labels, output, weights)
}

// Result implements Accumulator.
func (m FBetaScore) Result(sums []float64) float64 {
	tp, fp, _, fn := counts(sums)
	beta := m.Beta
	if beta == 0 {
		beta = 1
	}
	score := func(tp, fp, fn float64) float64 {
		p, r := ratio(tp, tp+fp), ratio(tp, tp+fn)
		return ratio((1+beta*beta)*p*r, beta*beta*p+r)
	}
	if m.Average == "micro" {
		return score(total(tp), total(fp), total(fn))
	}
	var sum, weights float64
	for i := range tp {
		w := 1.0
		if m.Average == "weighted" {
			w = tp[i] + fn[i]
		}
		sum, weights = sum+w*score(tp[i], fp[i], fn[i]), weights+w
	}
	return ratio(sum, weights)
}

// Result implements Accumulator.
func (m F1Score) Result(sums []float64) float64 { return m.beta().Result(sums) }

func total(v []float64) (sum float64) {
	for _, x := range v {
		sum += x
	}
	return sum
}

// R2Score is 1 − Σ(label − output)²/Σ(label − mean)², averaged over the outputs: the part
// of the labels' variance that the model explains.
//
// Labels and output: [batch, n], or labels [batch] and output [batch, 1].
//
// Source: https://keras.io/api/metrics/regression_metrics/#r2score-class
type R2Score struct{}

// Name implements Metric.
func (R2Score) Name() string { return "r2_score" }

// Check implements Metric.
func (R2Score) Check(labels, output []int) error {
	if len(output) != 1 {
		return fmt.Errorf("expected an output of shape [n], got %v", output)
	}
	return losses.MeanSquaredError{}.Check(labels, output)
}

// ReadConfig implements config.Reader.
func (*R2Score) ReadConfig(c map[string]any) error {
	if c["class_aggregation"] == "uniform_average" {
		delete(c, "class_aggregation")
	}
	if c["num_regressors"] == 0.0 {
		delete(c, "num_regressors")
	}
	return nil
}

// Size implements Accumulator: Σw, Σwy, Σwy² and Σw(y − p)² for each output.
func (R2Score) Size(_, output []int) int { return 4 * output[0] }

// Compute implements Metric; the metric is computed from Sums.
func (R2Score) Compute(_, output *graph.Node) *graph.Node { return output }

// Sums implements Accumulator.
func (R2Score) Sums(labels, output, weights *graph.Node) *graph.Node {
	y := losses.Align(labels, output)
	w := graph.OnesLike(output)
	if weights != nil {
		w = spread(weights, output)
	}
	sum := func(v *graph.Node) *graph.Node { return graph.ReduceSum(graph.Mul(w, v), 0) }
	return graph.Concatenate([]*graph.Node{sum(graph.OnesLike(y)), sum(y), sum(graph.Square(y)), sum(graph.Square(graph.Sub(y, output)))}, 0)
}

// Result implements Accumulator.
func (R2Score) Result(sums []float64) float64 {
	n, y, square, rest := counts(sums)
	var score float64
	for i := range n {
		mean := ratio(y[i], n[i])
		variance := square[i] - 2*y[i]*mean + n[i]*mean*mean
		score += 1 - ratio(rest[i], variance)
	}
	return score / float64(len(n))
}

// MeanIoU is the mean over the classes of how far what is said and what is true
// overlap: intersection over union, TP/(TP + FP + FN).
//
// Labels are class numbers; the output is [batch, …, classes], of which the largest
// counts.
//
// Source: https://keras.io/api/metrics/segmentation_metrics/#meaniou-class
type MeanIoU struct {
	NumClasses int
}

// Name implements Metric.
func (MeanIoU) Name() string { return "mean_io_u" }

// Check implements Metric.
func (m MeanIoU) Check(labels, output []int) error {
	if len(output) == 0 || output[len(output)-1] != m.NumClasses {
		return fmt.Errorf("expected an output of NumClasses = %d at the last axis, got %v", m.NumClasses, output)
	}
	return losses.SparseCategoricalCrossentropy{}.Check(labels, output)
}

// Size implements Accumulator: for each class what is in both, said and true.
func (m MeanIoU) Size(_, _ []int) int { return 3 * m.NumClasses }

// Compute implements Metric; the metric is computed from Sums.
func (MeanIoU) Compute(_, output *graph.Node) *graph.Node { return output }

// Sums implements Accumulator.
func (m MeanIoU) Sums(labels, output, weights *graph.Node) *graph.Node {
	n := output.Shape().Size() / m.NumClasses
	y := graph.OneHot(graph.Reshape(losses.ClassNumbers(labels, output), n), m.NumClasses, output.DType())
	p := graph.OneHot(graph.ArgMax(graph.Reshape(output, n, m.NumClasses), -1), m.NumClasses, output.DType())
	if weights != nil {
		w := graph.Reshape(graph.SliceAxis(spread(weights, output), -1, graph.AxisRange(0, 1)), n, 1)
		y, p = graph.Mul(y, w), graph.Mul(p, w)
		both := graph.Where(graph.GreaterThan(w, graph.ZerosLike(w)), graph.Div(graph.Mul(y, p), w), graph.ZerosLike(y))
		return graph.Concatenate([]*graph.Node{graph.ReduceSum(both, 0), graph.ReduceSum(p, 0), graph.ReduceSum(y, 0)}, 0)
	}
	return graph.Concatenate([]*graph.Node{graph.ReduceSum(graph.Mul(y, p), 0), graph.ReduceSum(p, 0), graph.ReduceSum(y, 0)}, 0)
}

// Result implements Accumulator.
func (m MeanIoU) Result(s []float64) float64 {
	n := m.NumClasses
	var sum, seen float64
	for i := range n {
		if union := s[n+i] + s[2*n+i] - s[i]; union > 0 {
			sum, seen = sum+s[i]/union, seen+1
		}
	}
	return ratio(sum, seen)
}

// RootMeanSquaredError is the root of the mean of (output − label)².
//
// Source: https://keras.io/api/metrics/regression_metrics/
type RootMeanSquaredError struct{}

// Perplexity is e to the mean crossentropy, for labels that are class numbers: among how
// many words a model of language wavers.
//
// Source: https://keras.io/keras_hub/api/metrics/perplexity/
type Perplexity struct {
	// Logits says that the output has not been through a softmax.
	Logits bool `keras:"from_logits"`
}

// Name implements Metric.
func (RootMeanSquaredError) Name() string { return "root_mean_squared_error" }

// Name implements Metric.
func (Perplexity) Name() string { return "perplexity" }

// Check implements Metric.
func (RootMeanSquaredError) Check(labels, output []int) error {
	return losses.MeanSquaredError{}.Check(labels, output)
}

// Check implements Metric.
func (m Perplexity) Check(labels, output []int) error {
	return losses.SparseCategoricalCrossentropy{}.Check(labels, output)
}

// Size implements Accumulator: a sum and a number.
func (RootMeanSquaredError) Size(_, _ []int) int { return 2 }

// Size implements Accumulator: a sum and a number.
func (Perplexity) Size(_, _ []int) int { return 2 }

// Compute implements Metric; the metric is computed from Sums.
func (RootMeanSquaredError) Compute(labels, output *graph.Node) *graph.Node {
	return losses.MeanSquaredError{}.Compute(labels, output)
}

// Compute implements Metric; the metric is computed from Sums.
func (m Perplexity) Compute(labels, output *graph.Node) *graph.Node {
	return losses.SparseCategoricalCrossentropy{Logits: m.Logits}.Compute(labels, output)
}

// Sums implements Accumulator.
func (m RootMeanSquaredError) Sums(labels, output, weights *graph.Node) *graph.Node {
	return MeanSums(m.Compute(labels, output), weights)
}

// Sums implements Accumulator.
func (m Perplexity) Sums(labels, output, weights *graph.Node) *graph.Node {
	return MeanSums(m.Compute(labels, output), weights)
}

// Result implements Accumulator.
func (RootMeanSquaredError) Result(s []float64) float64 { return math.Sqrt(ratio(s[0], s[1])) }

// Result implements Accumulator.
func (Perplexity) Result(s []float64) float64 { return math.Exp(ratio(s[0], s[1])) }

// MeanSums returns the sums that a mean is computed from: of the values, and of
// their weights. weights may have fewer axes than the values; nil is 1.
func MeanSums(values, weights *graph.Node) *graph.Node {
	if weights == nil {
		n := graph.Scalar(values.Graph(), values.DType(), float64(values.Shape().Size()))
		return graph.Stack([]*graph.Node{graph.ReduceAllSum(values), n}, 0)
	}
	w := graph.ConvertDType(weights, values.DType())
	for w.Rank() > values.Rank() {
		w = graph.ReduceMax(w, -1)
	}
	for w.Rank() < values.Rank() {
		w = graph.InsertAxes(w, -1)
	}
	w = graph.BroadcastToDims(w, values.Shape().Dimensions...)
	return graph.Stack([]*graph.Node{graph.ReduceAllSum(graph.Mul(values, w)), graph.ReduceAllSum(w)}, 0)
}
