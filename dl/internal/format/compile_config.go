package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/privacy"
)

// describeCompiled returns how a model is compiled in the form of Keras's
// compile_config.
func describeCompiled(c train.CompileConfig) (map[string]any, error) {
	out := make(map[string]any)
	if c.Optimizer != nil {
		o, err := config.Encode(c.Optimizer)
		if err != nil {
			return nil, err
		}
		if s := c.Optimizer.Common().Schedule; s != nil {
			if o.Config["learning_rate"], err = config.Encode(s); err != nil {
				return nil, err
			}
			if err := config.Readable(c.Optimizer, o); err != nil {
				return nil, err
			}
		}
		out["optimizer"] = o
	}
	var err error
	encode := func(v any) any {
		o, e := config.EncodeAny(v)
		if e != nil && err == nil {
			err = e
		}
		return o
	}
	encodeAll := func(all []metrics.Metric) (list []any) {
		for _, m := range all {
			list = append(list, encode(m))
		}
		return list
	}
	if c.Loss != nil {
		out["loss"] = encode(c.Loss)
	} else {
		byOutput := make(map[string]any)
		for name, l := range c.Losses {
			byOutput[name] = encode(l)
		}
		out["loss"] = byOutput
	}
	if len(c.LossWeights) > 0 {
		out["loss_weights"] = c.LossWeights
	}
	out["metrics"], out["weighted_metrics"] = encodeAll(c.Metrics), encodeAll(c.WeightedMetrics)
	if len(c.OutputMetrics) > 0 {
		byOutput := make(map[string]any)
		for name, all := range c.OutputMetrics {
			byOutput[name] = encodeAll(all)
		}
		out["output_metrics"] = byOutput
	}
	if c.Privacy != nil {
		out["privacy"] = c.Privacy
	}
	return out, err
}

// constructCompiled reads a compile_config, of ours or of Keras.
func constructCompiled(raw map[string]any) (c train.CompileConfig, err error) {
	if o := raw["optimizer"]; o != nil {
		if c.Optimizer, err = config.DecodeAny[optimizers.Optimizer](o); err != nil {
			return c, fmt.Errorf("optimizer: %w", err)
		}
	}
	switch l := raw["loss"].(type) {
	case string:
		c.Loss, err = lossOf(l)
	case map[string]any:
		if _, one := l["class_name"]; one {
			c.Loss, err = config.DecodeAny[losses.Loss](l)
			break
		}
		c.Losses = make(map[string]losses.Loss)
		for name, v := range l {
			if c.Losses[name], err = lossOf(v); err != nil {
				break
			}
		}
	}
	if err != nil {
		return c, fmt.Errorf("loss: %w", err)
	}
	if p := raw["privacy"]; p != nil {
		if c.Privacy, err = privacyOf(p); err != nil {
			return c, fmt.Errorf("privacy: %w", err)
		}
	}
	if w, ok := raw["loss_weights"].(map[string]any); ok {
		c.LossWeights = make(map[string]float64)
		for name, v := range w {
			c.LossWeights[name], _ = v.(float64)
		}
	}
	if c.Metrics, err = metricsOf(raw["metrics"]); err != nil {
		return c, err
	}
	if c.WeightedMetrics, err = metricsOf(raw["weighted_metrics"]); err != nil {
		return c, err
	}
	for _, key := range []string{"metrics", "output_metrics"} {
		byOutput, ok := raw[key].(map[string]any)
		if !ok {
			continue
		}
		c.OutputMetrics = make(map[string][]metrics.Metric)
		for _, name := range slices.Sorted(maps.Keys(byOutput)) {
			if c.OutputMetrics[name], err = metricsOf(byOutput[name]); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

// privacyOf reads how a training is private; what is not known would make it less so.
func privacyOf(raw any) (*privacy.SGD, error) {
	text, err := json.Marshal(raw)
	if err != nil {
		return nil, err
	}
	p := new(privacy.SGD)
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return nil, err
	}
	return p, p.Check()
}

func lossOf(raw any) (losses.Loss, error) {
	if name, ok := raw.(string); ok {
		return namedLoss(name)
	}
	return config.DecodeAny[losses.Loss](raw)
}

func metricsOf(raw any) (all []metrics.Metric, err error) {
	for _, v := range list(raw) {
		var m metrics.Metric
		switch v := v.(type) {
		case string:
			m, err = namedMetric(v)
		case map[string]any:
			m, err = DescribedMetric(v)
		default:
			err = fmt.Errorf("expected a metric, got %v", v)
		}
		if err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
		all = append(all, m)
	}
	return all, nil
}
