package serve

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/gradbook/gradbook/dl/serve/internal/oip"
)

// certificate makes one for this machine, and the pool that knows it.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(cert, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600); err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return cert, key, pool
}

// TestTLS asks by HTTP/2 and gRPC over TLS, with and without a token.
func TestTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	s, _ := run(t, Config{CertFile: cert, KeyFile: key, Tokens: []string{"one", "two"}})
	url := "https://" + s.Addr().String()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}}
	get := func(path, token string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		a, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		return a.StatusCode, a.Proto
	}
	for _, c := range []struct {
		path, token string
		want        int
	}{{"/v2/models/m", "two", 200}, {"/v2/models/m", "", 401}, {"/v2/models/m", "three", 401}, {"/metrics", "", 401}, {"/", "", 401}, {"/v2/health/ready", "", 200}, {"/v2/health/live", "", 200}} {
		if got, proto := get(c.path, c.token); got != c.want || proto != "HTTP/2.0" {
			t.Errorf("%s with %q: got status %d by %s, want %d by HTTP/2.0", c.path, c.token, got, proto, c.want)
		}
	}
	conn, err := grpc.NewClient(s.GRPCAddr().String(), grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(pool, "")))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	service := oip.NewGRPCInferenceServiceClient(conn)
	ask := &oip.ModelInferRequest{ModelName: "m", Inputs: []*oip.ModelInferRequest_InferInputTensor{{Name: "x", Datatype: "FP32", Shape: []int64{1, 2}, Contents: &oip.InferTensorContents{Fp32Contents: []float32{3, 4}}}}}
	if _, err := service.ModelInfer(t.Context(), ask); status.Code(err) != codes.Unauthenticated {
		t.Errorf("expected to be let in with a token only, got %v", err)
	}
	a, err := service.ModelInfer(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer one"), ask)
	if err != nil || !bytes.Equal(a.GetRawOutputContents()[0], encode(nil, []float32{6, 8}, "FP32")) {
		t.Errorf("got %v, %v", a, err)
	}
	health, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil || health.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health: got %v, %v", health, err)
	}
}

// TestWatched looks at what a service tells of itself: metrics, traces, and its log.
func TestWatched(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	provider := trace.NewTracerProvider(trace.WithSyncer(spans))
	var log bytes.Buffer
	path := filepath.Join(t.TempDir(), "m.keras")
	if err := os.WriteFile(path, []byte("2end"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{
		Models: []string{path}, Load: loadScaled(nil), Address: "127.0.0.1:0", GRPC: "-", Grace: time.Millisecond,
		Tracer: provider.Tracer("test"), Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	url := "http://" + s.Addr().String()
	for range 3 {
		if y, code, err := ask(http.DefaultClient, url, 3); y != 6 {
			t.Errorf("got %v, status %d, %v", y, code, err)
		}
	}
	if _, code, _ := ask(http.DefaultClient, url, 14); code != 500 {
		t.Errorf("got status %d", code)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	const caller = "0af7651916cd43dd8448eb211c80319c"
	r.Header.Set("Traceparent", "00-"+caller+"-b7ad6b7169203331-01")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(a.Body)
	if err := a.Body.Close(); err != nil {
		t.Error(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`gradbook_request_seconds_count{protocol="http",status="200"} 3`, `gradbook_request_seconds_count{protocol="http",status="500"} 1`,
		`gradbook_examples_total{model="m",version="1"} 4`, `gradbook_batch_examples_count{model="m",version="1"} 4`, "go_goroutines", "gradbook_load_errors_total 0",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("expected the metric %s, got\n%s", want, text)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	names := make(map[string]int)
	followed := false
	for _, span := range spans.GetSpans() {
		names[span.Name]++
		followed = followed || span.SpanContext.TraceID().String() == caller
	}
	if names["POST /v2/models/m/infer"] != 4 || names["compute"] != 4 || !followed {
		t.Errorf("expected spans of four requests, and one below the caller's, got %v", names)
	}
	for _, want := range []string{`"msg":"model loaded"`, `"msg":"request"`, `"status":500`, `"msg":"drained"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("expected %s in the log, got\n%s", want, log.String())
		}
	}
}

// TestVersions serves a folder of versions: the newest, or the one that is asked for, and what comes
// and goes.
func TestVersions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "m")
	put := func(version, text string) {
		t.Helper()
		folder := filepath.Join(dir, version)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "model.keras"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("2", "2end")
	put("10", "10end")
	s, err := New(Config{
		Models: []string{dir}, Load: loadScaled(nil), Address: "127.0.0.1:0", GRPC: "-", Grace: time.Millisecond, Reload: 5 * time.Millisecond,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	url := "http://" + s.Addr().String()
	is := func(what, version string, want float32) {
		t.Helper()
		var got float32
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			a, err := http.Post(url+"/v2/models/m"+version+"/infer", "application/json", strings.NewReader(`{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[3,1]}]}`))
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(a.Body)
			_ = a.Body.Close()
			got = 0
			if _, data, ok := strings.Cut(string(text), `"data":[`); ok {
				_, _ = fmt.Sscanf(data, "%g", &got)
			}
			if got == want {
				return
			}
		}
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
	is("the newest", "", 30)
	is("an old one", "/versions/2", 6)
	put("11", "11end")
	is("a new one", "", 33)
	put("12", "12")
	is("one that is half a file", "", 33)
	if err := os.RemoveAll(filepath.Join(dir, "11")); err != nil {
		t.Fatal(err)
	}
	is("one that is gone", "/versions/11", 0)
	is("the newest that is left", "", 30)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
