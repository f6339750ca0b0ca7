package serve

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

func defaultTracer() trace.Tracer { return otel.Tracer("github.com/gradbook/gradbook/dl/serve") }

// traceparent reads what W3C's Trace Context says of a caller.
var traceparent = propagation.TraceContext{}

// remoteSpan begins the span of a request, below the caller's.
func (s *Server) remoteSpan(r *http.Request) (context.Context, trace.Span) {
	ctx := traceparent.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	return s.config.Tracer.Start(ctx, r.Method+" "+r.URL.Path, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", r.Method), attribute.String("url.path", r.URL.Path)))
}

func endSpan(span trace.Span, status int) {
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= 500 {
		span.SetStatus(codes.Error, http.StatusText(status))
	}
	span.End()
}

// span begins a span of a model's work; end says what came of it.
func (s *Server) span(ctx context.Context, name string, l *loaded) (context.Context, func(outcome, error)) {
	ctx, span := s.config.Tracer.Start(ctx, name, trace.WithAttributes(attribute.String("model", l.name), attribute.String("version", l.version)))
	return ctx, func(o outcome, err error) {
		if err != nil {
			span.RecordError(err)
			span.SetStatus(codes.Error, err.Error())
		} else if span.IsRecording() {
			span.SetAttributes(attribute.Float64("queued_ms", o.queued.Seconds()*1000), attribute.Float64("computed_ms", o.worked.Seconds()*1000))
		}
		span.End()
	}
}
