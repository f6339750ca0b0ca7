package serve

import (
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// stats are what is measured, for Prometheus.
type stats struct {
	registry   *prometheus.Registry
	requests   *prometheus.HistogramVec
	examples   *prometheus.CounterVec
	batches    *prometheus.HistogramVec
	compute    *prometheus.HistogramVec
	tokens     *prometheus.CounterVec
	loadErrors prometheus.Counter
}

// times are the bounds of histograms of seconds, from 0.1 ms to 30 s.
var times = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

func newStats() *stats {
	s := &stats{
		registry:   prometheus.NewRegistry(),
		requests:   prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "gradbook_request_seconds", Help: "Time that requests took, by protocol and status.", Buckets: times}, []string{"protocol", "status"}),
		examples:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gradbook_examples_total", Help: "Examples that models have computed."}, []string{"model", "version"}),
		batches:    prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "gradbook_batch_examples", Help: "Examples that were computed together.", Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256}}, []string{"model", "version"}),
		compute:    prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "gradbook_compute_seconds", Help: "Time that batches took.", Buckets: times}, []string{"model", "version"}),
		tokens:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gradbook_tokens_total", Help: "Tokens that models of language have generated."}, []string{"model", "version"}),
		loadErrors: prometheus.NewCounter(prometheus.CounterOpts{Name: "gradbook_load_errors_total", Help: "Models that could not be loaded."}),
	}
	s.registry.MustRegister(s.requests, s.examples, s.batches, s.compute, s.tokens, s.loadErrors, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return s
}

func (s *stats) request(protocol, status string, took time.Duration) {
	s.requests.WithLabelValues(protocol, status).Observe(took.Seconds())
}

// modelStats are those of one version.
type modelStats struct {
	examples        prometheus.Counter
	batches, worked prometheus.Observer
	tokens          prometheus.Counter
}

func (s *stats) of(name, version string) *modelStats {
	return &modelStats{
		s.examples.WithLabelValues(name, version), s.batches.WithLabelValues(name, version),
		s.compute.WithLabelValues(name, version), s.tokens.WithLabelValues(name, version),
	}
}

func (m *modelStats) batch(n int, took time.Duration) {
	m.examples.Add(float64(n))
	m.batches.Observe(float64(n))
	m.worked.Observe(took.Seconds())
}

// Version is that of the module, as the program was built.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range append(info.Deps, &info.Main) {
			if d.Path == "github.com/gradbook/gradbook" && d.Version != "" {
				return d.Version
			}
		}
	}
	return "unknown"
}
