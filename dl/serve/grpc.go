package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/gradbook/gradbook/dl/serve/internal/oip"
)

func (s *Server) newGRPC(security *tls.Config) *grpc.Server {
	options := []grpc.ServerOption{
		grpc.UnaryInterceptor(s.intercept), grpc.MaxRecvMsgSize(int(s.config.MaxBody)), grpc.MaxSendMsgSize(1 << 30),
		grpc.ConnectionTimeout(10 * time.Second),
	}
	if security != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(security)))
	}
	server := grpc.NewServer(options...)
	oip.RegisterGRPCInferenceServiceServer(server, &service{s: s})
	healthpb.RegisterHealthServer(server, health.NewServer())
	return server
}

// intercept lets callers in, measures, traces, and survives panics.
func (s *Server) intercept(ctx context.Context, in any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (out any, err error) {
	start := time.Now()
	md, _ := metadata.FromIncomingContext(ctx)
	ctx, span := s.config.Tracer.Start(traceparent.Extract(ctx, carrier(md)), strings.TrimPrefix(info.FullMethod, "/"),
		trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("rpc.system", "grpc")))
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.config.Log.Error("panic", "method", info.FullMethod, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = status.Error(codes.Internal, "the service has made a mistake; its log says more")
		}
		code := status.Code(err)
		s.stats.request("grpc", code.String(), time.Since(start))
		if err != nil {
			span.SetStatus(otelcodes.Error, err.Error())
		}
		span.End()
		s.config.Log.Debug("call", "method", info.FullMethod, "code", code.String(), "ms", time.Since(start).Seconds()*1000)
	}()
	open := strings.HasSuffix(info.FullMethod, "/ServerLive") || strings.HasSuffix(info.FullMethod, "/ServerReady") || strings.HasPrefix(info.FullMethod, "/grpc.health.")
	if len(s.config.Tokens) > 0 && !open {
		token, ok := strings.CutPrefix(strings.Join(md.Get("authorization"), ""), "Bearer ")
		if !ok || !s.known(token) {
			return nil, status.Error(codes.Unauthenticated, "expected a token that this service knows, as authorization: Bearer TOKEN")
		}
	}
	if out, err = next(ctx, in); err != nil {
		err = grpcError(err)
	}
	return out, err
}

// carrier has the headers of a call as OpenTelemetry reads them.
type carrier metadata.MD

var _ propagation.TextMapCarrier = carrier{}

func (c carrier) Get(key string) string { return strings.Join(metadata.MD(c).Get(key), ",") }
func (c carrier) Set(key, value string) { metadata.MD(c).Set(key, value) }
func (c carrier) Keys() (keys []string) {
	for k := range c {
		keys = append(keys, k)
	}
	return keys
}

// grpcError is an error with gRPC's code for it.
func grpcError(err error) error {
	code := codes.Internal
	switch statusOf(err) {
	case 400:
		code = codes.InvalidArgument
	case 404:
		code = codes.NotFound
	case 413:
		code = codes.ResourceExhausted
	case 499:
		code = codes.Canceled
	case 503:
		code = codes.Unavailable
	case 504:
		code = codes.DeadlineExceeded
	}
	return status.Error(code, err.Error())
}

// service is the protocol's.
type service struct {
	oip.UnimplementedGRPCInferenceServiceServer
	s *Server
}

func (g *service) ServerLive(context.Context, *oip.ServerLiveRequest) (*oip.ServerLiveResponse, error) {
	return &oip.ServerLiveResponse{Live: true}, nil
}

func (g *service) ServerReady(context.Context, *oip.ServerReadyRequest) (*oip.ServerReadyResponse, error) {
	return &oip.ServerReadyResponse{Ready: g.s.ready.Load()}, nil
}

func (g *service) ModelReady(_ context.Context, in *oip.ModelReadyRequest) (*oip.ModelReadyResponse, error) {
	_, err := g.s.registry.find(in.GetName(), in.GetVersion())
	return &oip.ModelReadyResponse{Ready: err == nil && g.s.ready.Load()}, nil
}

func (g *service) ServerMetadata(context.Context, *oip.ServerMetadataRequest) (*oip.ServerMetadataResponse, error) {
	return &oip.ServerMetadataResponse{Name: serverName, Version: Version(), Extensions: extensions}, nil
}

func (g *service) ModelMetadata(_ context.Context, in *oip.ModelMetadataRequest) (*oip.ModelMetadataResponse, error) {
	l, err := g.s.registry.find(in.GetName(), in.GetVersion())
	if err != nil {
		return nil, err
	}
	ports := func(all []Port) (out []*oip.ModelMetadataResponse_TensorMetadata) {
		for _, p := range all {
			out = append(out, &oip.ModelMetadataResponse_TensorMetadata{Name: p.Name, Datatype: p.Datatype, Shape: int64s(append([]int{-1}, p.Shape...))})
		}
		return out
	}
	return &oip.ModelMetadataResponse{
		Name: l.name, Versions: g.s.registry.versions(l.name), Platform: l.described.Platform,
		Inputs: ports(l.described.Inputs), Outputs: ports(l.described.Outputs),
	}, nil
}

func (g *service) RepositoryIndex(context.Context, *oip.RepositoryIndexRequest) (*oip.RepositoryIndexResponse, error) {
	out := &oip.RepositoryIndexResponse{}
	for _, m := range g.s.registry.index() {
		out.Models = append(out.Models, &oip.RepositoryIndexResponse_ModelIndex{Name: m.Name, Version: m.Version, State: m.State, Reason: m.Reason})
	}
	return out, nil
}

func (g *service) ModelInfer(ctx context.Context, in *oip.ModelInferRequest) (*oip.ModelInferResponse, error) {
	r, err := requestOf(in)
	if err != nil {
		return nil, err
	}
	a, err := g.s.infer(ctx, in.GetModelName(), in.GetModelVersion(), r)
	if err != nil {
		return nil, err
	}
	out := &oip.ModelInferResponse{ModelName: a.loaded.name, ModelVersion: a.loaded.version, Id: a.id}
	for _, o := range a.outputs {
		out.Outputs = append(out.Outputs, &oip.ModelInferResponse_InferOutputTensor{Name: o.Name, Datatype: o.Datatype, Shape: int64s(o.Tensor.Shape)})
		out.RawOutputContents = append(out.RawOutputContents, encode(nil, o.Data, o.Datatype))
	}
	return out, nil
}

// requestOf is a call as a request.
func requestOf(in *oip.ModelInferRequest) (*request, error) {
	r := &request{ID: in.GetId()}
	raw := in.GetRawInputContents()
	if len(raw) > 0 && len(raw) != len(in.GetInputs()) {
		return nil, bad("expected raw contents for each of the %d inputs, got %d", len(in.GetInputs()), len(raw))
	}
	for i, t := range in.GetInputs() {
		one := requestInput{Name: t.GetName(), Datatype: t.GetDatatype()}
		for _, d := range t.GetShape() {
			one.Shape = append(one.Shape, int(d))
		}
		switch {
		case len(raw) > 0 && t.GetContents() != nil:
			return nil, bad("input %q: expected raw contents or contents, got both", t.GetName())
		case len(raw) > 0:
			one.raw = raw[i]
			if one.raw == nil {
				one.raw = []byte{} // given, and empty
			}
		default:
			numbers, err := contents(t)
			if err != nil {
				return nil, bad("input %q: %w", t.GetName(), err)
			}
			one.numbers = numbers
		}
		r.Inputs = append(r.Inputs, one)
	}
	for _, t := range in.GetOutputs() {
		o := requestOutput{Name: t.GetName()}
		if _, ok := t.GetParameters()["classification"]; ok {
			o.Parameters = map[string]any{"classification": true}
		}
		r.Outputs = append(r.Outputs, o)
	}
	return r, nil
}

// contents are an input's numbers that are not raw.
func contents(t *oip.ModelInferRequest_InferInputTensor) ([]float32, error) {
	c := t.GetContents()
	switch t.GetDatatype() {
	case "FP32":
		return append([]float32{}, c.GetFp32Contents()...), nil
	case "FP64":
		return converted(c.GetFp64Contents(), t.GetDatatype())
	case "INT64":
		return converted(c.GetInt64Contents(), t.GetDatatype())
	case "UINT64":
		return converted(c.GetUint64Contents(), t.GetDatatype())
	case "INT8", "INT16", "INT32":
		return converted(c.GetIntContents(), t.GetDatatype())
	case "UINT8", "UINT16", "UINT32":
		return converted(c.GetUintContents(), t.GetDatatype())
	case "BOOL":
		out := make([]float32, len(c.GetBoolContents()))
		for i, b := range c.GetBoolContents() {
			if b {
				out[i] = 1
			}
		}
		return out, nil
	}
	return nil, errors.New("numbers of " + t.GetDatatype() + " are not supported")
}

func converted[T float64 | int64 | uint64 | int32 | uint32](x []T, datatype string) ([]float32, error) {
	out := make([]float32, len(x))
	for i, v := range x {
		if err := fits(datatype, float64(v)); err != nil {
			return nil, err
		}
		out[i] = float32(v)
	}
	return out, nil
}

func int64s(shape []int) []int64 {
	out := make([]int64, len(shape))
	for i, d := range shape {
		out[i] = int64(d)
	}
	return out
}
