package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/kernel/children"
	"github.com/gradbook/gradbook/kernel/engine"
	"github.com/gradbook/gradbook/kernel/gateway"
	"github.com/gradbook/gradbook/kernel/install"
	"github.com/gradbook/gradbook/kernel/language"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

func kernelCmd() *cobra.Command {
	var stateless bool
	cmd := &cobra.Command{
		Use:   "kernel CONNECTION-FILE",
		Short: "Start a kernel, as Jupyter does",
		Long:  "Kernel is what the kernelspec calls. A person has no use for it.",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := kernelLayout()
			if err != nil {
				return err
			}
			return runKernel(l, args[0], stateless)
		},
	}
	cmd.Flags().BoolVar(&stateless, "stateless", os.Getenv("GRADBOOK_STATELESS") != "", "run each cell as a program of its own, as GoNB does")
	return cmd
}

func guardCmd() *cobra.Command {
	return &cobra.Command{
		Use: "guard MARK DIR", Hidden: true, Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error { return children.Guard(args[0], args[1]) },
	}
}

// runKernel puts the kernel's parts together and serves until its end.
func runKernel(l install.Layout, connectionFile string, stateless bool) (err error) {
	connection, err := gateway.ReadConnection(connectionFile)
	if err != nil {
		return err
	}
	tools, err := install.KernelTools(l)
	if err != nil {
		return err
	}
	id := make([]byte, 6)
	_, _ = rand.Read(id) // it never fails
	mark := hex.EncodeToString(id)
	if err := os.MkdirAll(filepath.Dir(l.Log()), 0o755); err != nil {
		return fmt.Errorf("the kernel needs a folder for its logs: %w", err)
	}
	tmp, err := install.RunFolder(l)
	if err != nil {
		return err
	}
	dir := filepath.Join(tmp, "kernel-"+mark)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the kernel needs a folder for its files: %w", err)
	}
	defer func() {
		if e := os.RemoveAll(dir); err == nil {
			err = e
		}
	}()
	log, closeLog := openLog(l)
	defer closeLog()
	family, err := children.NewFamily(l.Program("gradbook"), mark, dir)
	if err != nil {
		return err
	}
	defer family.End()

	start := func(cmd *exec.Cmd) (gateway.Process, error) { return family.Start(cmd) }
	c := gateway.Config{
		Connection: connection, Dir: dir, History: filepath.Join(filepath.Dir(l.Log()), "history.jsonl"),
		Version: version(), GoVersion: strings.TrimPrefix(runtime.Version(), "go"), Log: log,
		GoNB:  func(file string) (gateway.Process, error) { return start(tools.GoNB(file, dir)) },
		Start: start,
		Command: func(name string, args ...string) *exec.Cmd {
			cmd := exec.Command(name, args...)
			cmd.Env = append(tools.Env(), "TMPDIR="+dir)
			return cmd
		},
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	k := &kernel{l, tools, family, dir, log, stateless}
	if install.IsReady(l) && !inModule() {
		if c.Parts, err = k.parts(); err != nil {
			return err
		}
		k.rest(ctx)
	} else {
		c.Prepare = k.prepare
	}
	if jupyter := os.Getenv("JPY_PARENT_PID"); jupyter != "" {
		go endWithParent(jupyter, stop)
	}
	g, err := gateway.New(ctx, c)
	if err != nil {
		return err
	}
	interrupts := make(chan os.Signal, 4)
	signal.Notify(interrupts, os.Interrupt)
	go func() {
		for range interrupts {
			g.Interrupt()
		}
	}()
	return g.Run(ctx)
}

// kernel is what one is made of.
type kernel struct {
	layout    install.Layout
	tools     install.Tools
	family    *children.Family
	dir       string
	log       *slog.Logger
	stateless bool
}

// prepare sets up what the first cell needs, and then, while cells run, the rest.
func (k *kernel) prepare(ctx context.Context, say io.Writer) (gateway.Parts, error) {
	progress := install.NewProgress(say)
	if !install.IsReady(k.layout) {
		fmt.Fprintln(say, "Setting up, once; the cell runs when it is done.")
		if err := install.Ready(ctx, k.layout, progress); err != nil {
			return gateway.Parts{}, err
		}
	}
	if err := k.home(ctx, progress); err != nil {
		return gateway.Parts{}, err
	}
	parts, err := k.parts()
	if err == nil {
		k.rest(ctx)
	}
	return parts, err
}

// inModule says whether the notebook may lie in a module of a person's.
func inModule() bool {
	dir, err := os.Getwd()
	for err == nil {
		for _, name := range []string{"go.mod", "go.work"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				return true
			}
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	return os.Getenv("GOWORK") != "" && os.Getenv("GOWORK") != "off"
}

// home has k work with the module of a person's that the notebook lies in, if there is one,
// and with a session of the versions that it asks for.
func (k *kernel) home(ctx context.Context, p *install.Progress) error {
	dir, err := os.Getwd()
	if err != nil || k.stateless {
		return err
	}
	found, err := install.Home(k.layout, dir, filepath.Join(k.dir, "home"))
	if found == nil || err != nil {
		return err
	}
	if k.tools.Session, err = k.layout.For(ctx, found, p); err != nil {
		return err
	}
	k.tools.Home = found
	if k.tools.Session != k.layout { // whose workspace module has other requirements
		k.tools.Home, err = install.Home(k.tools.Session, dir, filepath.Join(k.dir, "home"))
	}
	return err
}

// rest sets up what the first cell does not need. Nobody waits for it, and what goes wrong
// is in the log.
func (k *kernel) rest(ctx context.Context) {
	if install.IsComplete(k.layout) {
		return
	}
	go func() {
		if err := install.Rest(ctx, k.layout, install.NewProgress(io.Discard)); err != nil {
			k.log.Warn("the rest of setup", "error", err)
		}
	}()
}

// parts are what runs Go cells in a session, where there can be one.
func (k *kernel) parts() (p gateway.Parts, err error) {
	l, tools, family, dir := k.layout, k.tools, k.family, k.dir
	if k.stateless {
		return p, nil
	}
	ways, err := toolchain.Ways()
	if err != nil {
		return p, err
	}
	way, built := toolchain.HostBuilt(tools.Workspace(), ways...)
	switch {
	case !built:
		fmt.Fprintln(os.Stderr, "gradbook: there is no session here; each cell is a program of its own, and no state is kept")
		return p, nil
	case way != toolchain.Shared:
		k.log.Warn("cells are linked as plugins, which takes about a second each", "way", way)
		p.Notice = "Cells are linked as Go's plugins here, so each takes about a second to build."
	}
	p.Engine, err = engine.New(engine.Config{
		Workspace: tools.Workspace(), Ways: ways, Dir: filepath.Join(dir, "cells"), OutputDir: filepath.Dir(l.Log()),
		Env: family.Env(append(tools.Env(), "TMPDIR="+dir)), Grace: grace(), MemoryLimit: memoryLimit(),
	})
	if err != nil {
		return p, err
	}
	p.Engine.Builder().Set(func(s *toolchain.Settings) { s.Home = tools.Home })
	p.Language, err = language.New(language.Config{
		Gopls: func() *exec.Cmd { return tools.Gopls(dir, filepath.Join(dir, "language")) }, Start: func(cmd *exec.Cmd) error { _, err := family.Start(cmd); return err },
		Doc: tools.Doc, Workspace: tools.Workspace(), Dir: filepath.Join(dir, "language"), Context: p.Engine.Context, Packages: p.Engine.Builder().Packages(context.Background()),
	})
	if err != nil {
		return p, errors.Join(err, p.Engine.Close())
	}
	return p, nil
}

// startedBy is the process that started this one. A kernel takes a while to start,
// in which it may end.
var startedBy = os.Getppid()

// endWithParent ends the kernel when the Jupyter that started it is gone; jupyter is
// its number, as it says. One that was gone before this process could ask who it was
// has left it to process 1.
func endWithParent(jupyter string, end func()) {
	orphan := startedBy == 1 && jupyter != "1"
	for !orphan && os.Getppid() == startedBy {
		time.Sleep(time.Second)
	}
	end()
}

// grace is how long an interrupted cell may take to end.
func grace() time.Duration {
	d, err := time.ParseDuration(os.Getenv("GRADBOOK_GRACE"))
	if err != nil || d <= 0 {
		return 5 * time.Second
	}
	return d
}

func openLog(l install.Layout) (*slog.Logger, func()) {
	f, err := os.OpenFile(filepath.Join(filepath.Dir(l.Log()), "gateway.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return slog.New(slog.DiscardHandler), func() {}
	}
	return slog.New(slog.NewTextHandler(f, nil)), func() { _ = f.Close() }
}

// kernelLayout is the checkout that this program belongs to, wherever the
// notebook is.
func kernelLayout() (install.Layout, error) {
	exe, err := os.Executable()
	if err != nil {
		return install.Layout{}, err
	}
	if exe, err = filepath.EvalSymlinks(exe); err != nil {
		return install.Layout{}, err
	}
	l, err := install.Find(filepath.Dir(exe))
	if err != nil {
		return l, err
	}
	return l, l.Enter()
}
