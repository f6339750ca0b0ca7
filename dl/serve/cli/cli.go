// Package cli is the command line of a service: its flags, its end by a signal, and its traces.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/gradbook/gradbook/dl/serve"
)

// Main runs a service until SIGINT or SIGTERM, by a config and what the command line says, and
// ends the program: with status 0 if all requests were answered.
func Main(c serve.Config) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, c, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "gradbook:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, c serve.Config, args []string) (err error) {
	c, err = parse(c, args)
	if err != nil {
		return err
	}
	end, err := traces(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	s, err := serve.New(c)
	if err != nil {
		return err
	}
	if a := s.Addr(); a != nil {
		scheme := "http"
		if c.CertFile != "" {
			scheme = "https"
		}
		fmt.Printf("%s://%s\n", scheme, a)
	}
	return s.Run(ctx)
}

func parse(c serve.Config, args []string) (serve.Config, error) {
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	f.Usage = func() {
		models := " MODEL…   (PATH or NAME=PATH; a folder has versions: 1/model.keras)"
		if c.Load == nil {
			models = ""
		}
		fmt.Fprintf(f.Output(), "usage: %s [flags]%s\n", filepath.Base(os.Args[0]), models)
		f.PrintDefaults()
	}
	f.StringVar(&c.Address, "http", "localhost:8080", "address of HTTP; - is none")
	f.StringVar(&c.GRPC, "grpc", "localhost:8081", "address of gRPC; - is none")
	f.StringVar(&c.CertFile, "cert", "", "certificate of TLS")
	f.StringVar(&c.KeyFile, "key", "", "key of the certificate")
	tokens := f.String("tokens", "", "file of tokens, one a line, of which callers need one")
	f.IntVar(&c.Batch.Size, "batch", 64, "examples that are computed together, at most")
	f.DurationVar(&c.Batch.Delay, "delay", 0, "how long a batch waits for others")
	f.IntVar(&c.Batch.Queue, "queue", 4096, "requests that may wait")
	f.Int64Var(&c.MaxBody, "max-body", 64<<20, "bytes that a request may have")
	f.IntVar(&c.MaxExamples, "max-examples", 4096, "examples that a request may have")
	f.DurationVar(&c.Timeout, "timeout", 30*time.Second, "time that an answer may take")
	f.DurationVar(&c.Grace, "grace", time.Second, "time to go on at the end, not ready, so that requests go elsewhere")
	f.DurationVar(&c.Drain, "drain", 30*time.Second, "time that requests may take at the end")
	verbose := f.Bool("v", false, "log each request")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if c.Models = f.Args(); len(c.Models) > 0 && c.Load == nil {
		return c, fmt.Errorf("this service has its models in itself, and loads no others: %s", f.Arg(0))
	}
	level := slog.LevelInfo
	if *verbose {
		level = slog.LevelDebug
	}
	c.Log = slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	if *tokens != "" {
		text, err := os.ReadFile(*tokens)
		if err != nil {
			return c, err
		}
		if c.Tokens = strings.Fields(string(text)); len(c.Tokens) == 0 {
			return c, fmt.Errorf("%s: expected tokens, got none", *tokens)
		}
	}
	return c, nil
}

// traces sends traces where OpenTelemetry's variables say, if they do.
func traces(ctx context.Context) (end func() error, err error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		return func() error { return nil }, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, err
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
	otel.SetTracerProvider(provider)
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return provider.Shutdown(ctx)
	}, nil
}
