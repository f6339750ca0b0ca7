// Package serve is a service for models: the Open Inference Protocol (V2) of KServe and Triton, by
// HTTP with its binary extension and by gRPC, and for models of language OpenAI's chat completions.
//
//	s, err := serve.New(serve.Config{Models: []string{"digits.keras"}, Load: xla.Load})
//	err = s.Run(ctx)
//
// Requests that come while a model computes are computed together. A model's file that is replaced
// is loaded beside the old one, which is served until the new one predicts. Ending the context
// drains: what has come is answered, and nothing more is let in.
//
// It is a module of its own, so that nobody else has its dependencies.
//
// Source: https://github.com/kserve/open-inference-protocol
package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
)

// Config says what is served, and how. What is not given has the value that stands with it.
type Config struct {
	// Models are files, or folders of versions (1/model.keras, 2/model.keras), as PATH or
	// NAME=PATH. The name is that of the file otherwise.
	Models []string
	// Load makes a model of a file: xla.Load for those that XLA computes.
	Load Loader
	// Own are models that the program has itself, by their names.
	Own map[string]Model
	// Address and GRPC are where HTTP and gRPC are served: "localhost:8080" and
	// "localhost:8081". "-" is nowhere.
	Address, GRPC string
	// CertFile and KeyFile are of TLS, which is not used without.
	CertFile, KeyFile string
	// Tokens are what callers must have one of, as "Authorization: Bearer TOKEN"; nobody
	// needs one without. Health needs none.
	Tokens []string
	// Batch says how requests are computed together.
	Batch BatchConfig
	// MaxBody is how many bytes a request may have (64 MiB), MaxExamples how many examples
	// (4,096), and Timeout how long its answer may take (30 s).
	MaxBody     int64
	MaxExamples int
	Timeout     time.Duration
	// Reload is how often files are looked at for changes (1 s).
	Reload time.Duration
	// Grace is how long the service goes on after its end was asked for, and says that it is
	// not ready, so that whoever sends it requests looks elsewhere (1 s). Drain is how long
	// requests may take after that (30 s).
	Grace, Drain time.Duration
	// Log gets a line for each request at level debug, and for what happens to models; by
	// default JSON on standard error from level info.
	Log *slog.Logger
	// Tracer gets spans of requests; OpenTelemetry's own by default, which does nothing
	// unless the program sets an exporter.
	Tracer trace.Tracer
}

// Server serves models.
type Server struct {
	config   Config
	registry *registry
	stats    *stats
	ready    atomic.Bool
	http     *http.Server
	grpc     *grpc.Server

	httpListener, grpcListener net.Listener
}

func (c Config) filled() Config {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	def(&c.Address, "localhost:8080")
	def(&c.GRPC, "localhost:8081")
	if c.MaxBody <= 0 {
		c.MaxBody = 64 << 20
	}
	if c.MaxExamples <= 0 {
		c.MaxExamples = 4096
	}
	for _, d := range []struct {
		at        *time.Duration
		otherwise time.Duration
	}{{&c.Timeout, 30 * time.Second}, {&c.Reload, time.Second}, {&c.Grace, time.Second}, {&c.Drain, 30 * time.Second}} {
		if *d.at <= 0 {
			*d.at = d.otherwise
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewJSONHandler(os.Stderr, nil))
	}
	if c.Tracer == nil {
		c.Tracer = defaultTracer()
	}
	return c
}

// New loads the models, has each predict once, and begins to listen. A model that cannot be
// loaded is an error.
func New(c Config) (*Server, error) {
	if len(c.Models)+len(c.Own) == 0 {
		return nil, errors.New("serve: expected a model to serve, got none")
	}
	if c.Load == nil && len(c.Models) > 0 {
		return nil, errors.New("serve: expected Load for the models' files, got nil")
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		return nil, errors.New("serve: expected a certificate and its key, got one of them")
	}
	c = c.filled()
	s := &Server{config: c, stats: newStats()}
	s.registry = &registry{load: c.Load, batch: c.Batch, stats: s.stats, log: c.Log}
	s.registry.models.Store(&map[string]*versions{})
	names := make(map[string]bool)
	for _, arg := range c.Models {
		from, err := sourceOf(arg)
		if err != nil {
			return nil, fmt.Errorf("serve: %w", err)
		}
		if names[from.name] {
			return nil, fmt.Errorf("serve: two models are called %q; name one: NAME=PATH", from.name)
		}
		names[from.name] = true
		s.registry.sources = append(s.registry.sources, from)
	}
	err := s.registry.keep(context.Background(), c.Own, names)
	if err == nil {
		err = s.registry.refresh(context.Background())
	}
	if err != nil {
		s.registry.close()
		return nil, fmt.Errorf("serve: %w", err)
	}
	if err := s.listen(); err != nil {
		s.registry.close()
		return nil, fmt.Errorf("serve: %w", err)
	}
	return s, nil
}

// listen opens the ports.
func (s *Server) listen() (err error) {
	var security *tls.Config
	if s.config.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(s.config.CertFile, s.config.KeyFile)
		if err != nil {
			return err
		}
		security = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	}
	if s.config.Address != "-" {
		if s.httpListener, err = net.Listen("tcp", s.config.Address); err != nil {
			return err
		}
		s.http = &http.Server{
			Handler: s.handler(), TLSConfig: security, ReadHeaderTimeout: 10 * time.Second,
			ReadTimeout: s.config.Timeout, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
			ErrorLog: slog.NewLogLogger(s.config.Log.Handler(), slog.LevelDebug),
		}
	}
	if s.config.GRPC != "-" {
		if s.grpcListener, err = net.Listen("tcp", s.config.GRPC); err != nil {
			if s.httpListener != nil {
				err = errors.Join(err, s.httpListener.Close())
			}
			return err
		}
		s.grpc = s.newGRPC(security)
	}
	return nil
}

// Addr is the address of HTTP, GRPCAddr that of gRPC; nil where it is not served.
func (s *Server) Addr() net.Addr { return addrOf(s.httpListener) }

// GRPCAddr is the address of gRPC; nil if it is not served.
func (s *Server) GRPCAddr() net.Addr { return addrOf(s.grpcListener) }

func addrOf(l net.Listener) net.Addr {
	if l == nil {
		return nil
	}
	return l.Addr()
}

// Run serves until the context ends, and then drains: it is not ready any more, lets nobody in,
// and answers what has come. It returns nil if all of it was answered in time.
func (s *Server) Run(ctx context.Context) error {
	watching, stop := context.WithCancel(context.Background())
	defer stop()
	go s.registry.watch(watching, s.config.Reload)
	failed := make(chan error, 2)
	if s.http != nil {
		go func() {
			if s.http.TLSConfig != nil {
				failed <- s.http.ServeTLS(s.httpListener, "", "")
			} else {
				failed <- s.http.Serve(s.httpListener)
			}
		}()
	}
	if s.grpc != nil {
		go func() { failed <- s.grpc.Serve(s.grpcListener) }()
	}
	s.ready.Store(true)
	s.config.Log.Info("serving", "http", fmt.Sprint(s.Addr()), "grpc", fmt.Sprint(s.GRPCAddr()))
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	return errors.Join(err, s.drain())
}

func (s *Server) drain() error {
	s.ready.Store(false)
	s.config.Log.Info("draining")
	time.Sleep(s.config.Grace)
	for _, l := range []net.Listener{s.httpListener, s.grpcListener} {
		if l != nil {
			refuseNew(l)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.config.Drain)
	defer cancel()
	var err error
	if s.http != nil {
		if err = s.http.Shutdown(ctx); err != nil {
			err = errors.Join(fmt.Errorf("serve: not all requests were answered within %v: %w", s.config.Drain, err), s.http.Close())
		}
	}
	if s.grpc != nil {
		done := make(chan struct{})
		go func() {
			s.grpc.GracefulStop()
			close(done)
		}()
		select {
		case <-done:
		case <-ctx.Done():
			s.grpc.Stop()
			err = errors.Join(err, fmt.Errorf("serve: not all calls were answered within %v", s.config.Drain))
		}
	}
	s.registry.close()
	s.config.Log.Info("drained")
	return err
}

// close ends all models.
func (r *registry) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range *r.models.Load() {
		for _, l := range v.all {
			l.retire()
		}
	}
	r.models.Store(&map[string]*versions{})
}
