package serve

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// serverName is what the service calls itself.
const serverName = "gradbook"

// headerLength is the header of the binary extension: how many bytes of the body are JSON.
//
// Source: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
const headerLength = "Inference-Header-Content-Length"

func (s *Server) handler() http.Handler {
	open, mux := http.NewServeMux(), http.NewServeMux()
	open.HandleFunc("GET /v2/health/live", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, map[string]any{"live": true}) })
	open.HandleFunc("GET /v2/health/ready", s.healthReady)
	open.Handle("/", s.guarded(mux))

	mux.HandleFunc("GET /v2", s.serverMetadata)
	mux.HandleFunc("GET /v2/{$}", s.serverMetadata)
	mux.HandleFunc("POST /v2/repository/index", s.index)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.stats.registry, promhttp.HandlerOpts{}))
	for _, version := range []string{"", "/versions/{version}"} {
		mux.HandleFunc("GET /v2/models/{model}"+version, s.modelMetadata)
		mux.HandleFunc("GET /v2/models/{model}"+version+"/ready", s.modelReady)
		mux.HandleFunc("POST /v2/models/{model}"+version+"/infer", s.inferHTTP)
	}
	mux.HandleFunc("GET /v1/models", s.chatModels)
	mux.HandleFunc("POST /v1/chat/completions", s.chat)
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /models/{model}", s.page)
	mux.HandleFunc("GET /page/{file}", s.pageFile)
	return s.watched(open)
}

// guarded lets callers in who have a token, if there are any.
func (s *Server) guarded(h http.Handler) http.Handler {
	if len(s.config.Tokens) == 0 {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || !s.known(token) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeError(w, &statusError{401, errors.New("expected a token that this service knows, as Authorization: Bearer TOKEN")})
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (s *Server) known(token string) bool {
	found := 0
	for _, t := range s.config.Tokens {
		found |= subtle.ConstantTimeCompare([]byte(t), []byte(token))
	}
	return found == 1
}

// watched limits, measures, traces and logs a request, and survives its panics.
func (s *Server) watched(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		if !s.ready.Load() { // the connection is not to be used again
			w.Header().Set("Connection", "close")
		}
		out := &recorder{ResponseWriter: w, status: 200}
		r.Body = http.MaxBytesReader(out, r.Body, s.config.MaxBody)
		ctx, span := s.remoteSpan(r)
		if !strings.HasSuffix(r.URL.Path, "/chat/completions") { // which goes on as long as somebody reads
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, s.config.Timeout)
			defer cancel()
		}
		defer func() {
			if p := recover(); p != nil {
				s.config.Log.Error("panic", "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				if !out.wrote {
					writeError(out, errors.New("the service has made a mistake; its log says more"))
				}
			}
			took := time.Since(start)
			s.stats.request("http", strconv.Itoa(out.status), took)
			endSpan(span, out.status)
			s.config.Log.Debug("request", "method", r.Method, "path", r.URL.Path, "status", out.status, "ms", took.Seconds()*1000, "from", r.RemoteAddr)
		}()
		h.ServeHTTP(out, r.WithContext(ctx))
	})
}

// recorder remembers an answer's status.
type recorder struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (r *recorder) WriteHeader(status int) {
	r.status, r.wrote = status, true
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.wrote = true
	return r.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = 500, []byte(`{"error":"the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

func writeError(w http.ResponseWriter, err error) {
	status := statusOf(err)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		status, err = 413, fmt.Errorf("expected a body of at most %d bytes", large.Limit)
	}
	if status == 503 {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, status, map[string]string{"error": err.Error()})
}

func (s *Server) healthReady(w http.ResponseWriter, _ *http.Request) {
	status := 200
	if !s.ready.Load() {
		status = 503
	}
	writeJSON(w, status, map[string]any{"ready": status == 200})
}

func (s *Server) serverMetadata(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, 200, map[string]any{"name": serverName, "version": Version(), "extensions": extensions})
}

var extensions = []string{"binary_tensor_data", "model_repository"}

func (s *Server) modelMetadata(w http.ResponseWriter, r *http.Request) {
	m, err := s.metadata(r.PathValue("model"), r.PathValue("version"))
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, 200, m)
}

// metadata describes a model, in the protocol's words.
func (s *Server) metadata(name, version string) (map[string]any, error) {
	l, err := s.registry.find(name, version)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"name": name, "versions": s.registry.versions(name), "platform": l.described.Platform,
		"inputs": portsOf(l.described.Inputs), "outputs": portsOf(l.described.Outputs),
	}, nil
}

type portJSON struct {
	Name     string `json:"name"`
	Datatype string `json:"datatype"`
	Shape    []int  `json:"shape"`
}

func portsOf(ports []Port) []portJSON {
	var all []portJSON
	for _, p := range ports {
		all = append(all, portJSON{p.Name, p.Datatype, append([]int{-1}, p.Shape...)})
	}
	return all
}

func (s *Server) modelReady(w http.ResponseWriter, r *http.Request) {
	if _, err := s.registry.find(r.PathValue("model"), r.PathValue("version")); err != nil {
		writeError(w, err)
		return
	}
	status := 200
	if !s.ready.Load() {
		status = 503
	}
	writeJSON(w, status, map[string]any{"name": r.PathValue("model"), "ready": status == 200})
}

func (s *Server) index(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, s.registry.index()) }

func (s *Server) inferHTTP(w http.ResponseWriter, r *http.Request) {
	req, err := readRequest(r)
	if err != nil {
		writeError(w, err)
		return
	}
	a, err := s.infer(r.Context(), r.PathValue("model"), r.PathValue("version"), req)
	if err != nil {
		writeError(w, err)
		return
	}
	header, tail, err := a.json()
	if err != nil {
		writeError(w, err)
		return
	}
	if tail == nil {
		w.Header().Set("Content-Type", "application/json")
	} else {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set(headerLength, strconv.Itoa(len(header)))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(header)+len(tail)))
	// A client that is slow to read has as long as the answer took at most.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.config.Timeout))
	_, _ = w.Write(header) //nolint:gosec // JSON, and marked as such
	_, _ = w.Write(tail)   //nolint:gosec // numbers
}

// readRequest reads a request of the protocol, with the bytes behind it that the binary extension
// has.
func readRequest(r *http.Request) (*request, error) {
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, &statusError{415, fmt.Errorf("content encoding %q is not supported", e)}
	}
	body, err := readBody(r)
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, err
		}
		return nil, bad("the body cannot be read: %w", err)
	}
	header, tail := body, []byte(nil)
	if text := r.Header.Get(headerLength); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > len(body) {
			return nil, bad("%s: expected a number up to %d, got %q", headerLength, len(body), text)
		}
		header, tail = body[:n], body[n:]
	}
	req := new(request)
	if err := json.Unmarshal(header, req); err != nil {
		return nil, bad("the request is not what the protocol says: %w", err)
	}
	for i := range req.Inputs {
		in := &req.Inputs[i]
		size, ok := in.Parameters["binary_data_size"].(float64)
		if !ok {
			continue
		}
		if in.Data != nil {
			return nil, bad("input %q: expected data or binary_data_size, got both", in.Name)
		}
		if size < 0 || size > float64(len(tail)) || size != float64(int(size)) {
			return nil, bad("input %q: expected a binary_data_size of at most the %d bytes that are left, got %g", in.Name, len(tail), size)
		}
		in.raw, tail = tail[:int(size):int(size)], tail[int(size):]
	}
	if len(tail) > 0 {
		return nil, bad("%d bytes behind the inputs are nobody's", len(tail))
	}
	return req, nil
}

// readBody reads a body, at once if its length is known.
func readBody(r *http.Request) ([]byte, error) {
	if n := r.ContentLength; n >= 0 && n < 1<<20 {
		body := make([]byte, n)
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	return io.ReadAll(r.Body)
}
