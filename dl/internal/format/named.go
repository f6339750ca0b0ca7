package format

import (
	"maps"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
)

var (
	lossAliases = map[string]string{
		"mse": "MeanSquaredError", "mae": "MeanAbsoluteError", "mape": "MeanAbsolutePercentageError",
		"msle": "MeanSquaredLogarithmicError", "kld": "KLDivergence", "kullback_leibler_divergence": "KLDivergence",
		"kl_divergence": "KLDivergence", "logcosh": "LogCosh", "log_cosh": "LogCosh", "huber": "Huber", "huber_loss": "Huber",
	}
	metricAliases = map[string]string{
		"acc": "Accuracy", "accuracy": "Accuracy", "mse": "MeanSquaredError", "mae": "MeanAbsoluteError", "mape": "MeanAbsolutePercentageError",
		"msle": "MeanSquaredLogarithmicError", "auc": "AUC", "cosine_similarity": "CosineSimilarity",
	}
)

func init() {
	config.Alias(slices.Collect(maps.Keys(lossAliases))...)
	config.Alias(slices.Collect(maps.Keys(metricAliases))...)
	config.Alias("Sequential", "Functional", "Model", "InputLayer") // what construct reads by itself
}

// namedLoss returns the loss that Keras knows by a name or an alias: "mse".
func namedLoss(name string) (losses.Loss, error) {
	if l, _, ok := config.Value[losses.Loss](name); ok {
		return l, nil
	}
	if long, ok := lossAliases[name]; ok {
		name = long
	}
	return config.Decode[losses.Loss](config.Object{Class: name})
}

// namedMetric returns the metric that Keras knows by class or by name: "Precision",
// "mean_squared_error", "accuracy".
func namedMetric(name string) (metrics.Metric, error) {
	if m, _, ok := config.Value[metrics.Metric](name); ok {
		return m, nil
	}
	if long, ok := metricAliases[name]; ok {
		name = long
	}
	if m, err := config.Decode[metrics.Metric](config.Object{Class: "metrics." + name}); err == nil {
		return m, nil
	}
	return config.Decode[metrics.Metric](config.Object{Class: name})
}

// DescribedMetric returns the metric that Keras's JSON describes.
func DescribedMetric(object map[string]any) (metrics.Metric, error) {
	class, _ := object["class_name"].(string)
	fields, _ := object["config"].(map[string]any)
	if strings.HasPrefix(class, "metrics.") {
		return config.Decode[metrics.Metric](config.Object{Class: class, Config: fields})
	}
	if m, err := config.Decode[metrics.Metric](config.Object{Class: "metrics." + class, Config: fields}); err == nil {
		return m, nil
	}
	return config.Decode[metrics.Metric](config.Object{Class: class, Config: fields})
}
