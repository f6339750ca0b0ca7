package install

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/kernel/gocmd"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// Tools is what a kernel of the checkout works with.
type Tools struct {
	Layout
	// Go is the real go command.
	Go string
	// Home is the module of a person's that the notebook lies in; nil if there is none.
	Home *toolchain.Home
	// Session is the layout that has the session's program, see [Layout.For].
	Session Layout
}

// Workspace is the folder of the module in which cells are built.
func (t Tools) Workspace() string { return t.Session.Workspace() }

// KernelTools finds them.
func KernelTools(l Layout) (Tools, error) {
	goCmd, err := l.Go()
	if err != nil {
		return Tools{}, err
	}
	return Tools{Layout: l, Go: goCmd, Session: l}, nil
}

// Env is the environment of cells and of GoNB: with the checkout's programs
// first on the PATH.
func (t Tools) Env() []string {
	path := strings.Join([]string{t.Toolchain(), t.Bin(), filepath.Dir(t.Go), os.Getenv("PATH")}, string(os.PathListSeparator))
	return append(SessionEnv(),
		"PATH="+path,
		gocmd.GoEnv+"="+t.Go,
		gocmd.WorkspaceEnv+"="+t.Workspace(),
	)
}

// SessionEnv is the environment of cells: the user's, but for what would change the go
// commands that they call.
func SessionEnv() []string {
	return append(slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains([]string{"GOFLAGS", "GOWORK", "GO111MODULE", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT", "GOROOT"}, name)
	}), "GOMLX_NO_AUTO_INSTALL=1") // a cell must never start a download by itself
}

// GoNB is the command that starts GoNB for a connection file, with its log in
// the checkout's and its files in dir.
func (t Tools) GoNB(connectionFile, dir string) *exec.Cmd {
	cmd := exec.Command(t.Program("gonb"), "--kernel", connectionFile,
		"-raw_error", "-logtostderr=false", "-alsologtostderr=false", "-stderrthreshold=FATAL", "-log_file="+t.Log(), "-log_file_max_size=16")
	cmd.Env = append(t.Env(), "TMPDIR="+dir)
	return cmd
}

// Doc returns go doc in the workspace.
func (t Tools) Doc(args ...string) *exec.Cmd {
	cmd := exec.Command(t.Go, append([]string{"doc"}, args...)...)
	cmd.Dir, cmd.Env = t.Workspace(), toolchain.Environ("GOPROXY=off", "GOFLAGS=-mod=mod")
	if t.Home != nil {
		cmd.Dir, cmd.Env = t.Home.Dir, toolchain.Environ(append(t.Home.Env(), "GOPROXY=off")...)
	}
	return cmd
}

// Gopls is the command that starts gopls, with its files in dir, for a module. It holds on to no more
// memory than it must: there is a session beside it.
func (t Tools) Gopls(dir, module string) *exec.Cmd {
	cmd := exec.Command(t.Program("gopls"), "serve")
	extra := []string{}
	if keep, err := cache.Dir("gopls"); err == nil {
		extra = append(extra, "GOPLSCACHE="+keep)
		if os.Getenv("GOCACHE") != "" { // or that would be another, too
			extra = append(extra, "XDG_CACHE_HOME="+filepath.Dir(keep)) // goimports knows no other variable
		}
	}
	cmd.Env = toolchain.Environ(append(extra, "GOMEMLIMIT=512MiB", "PATH="+filepath.Dir(t.Go)+string(os.PathListSeparator)+os.Getenv("PATH"), "GOPROXY=off", "GOFLAGS=-mod=mod", "TMPDIR="+dir)...)
	if t.Home != nil {
		if with, err := t.Home.With(module, filepath.Join(dir, "gopls", "go.work")); err == nil {
			cmd.Env = append(cmd.Env, with.Env()...)
		}
	}
	return cmd
}

// realGo passes over the go command for cells, in case a kernel is started from
// a cell.
func realGo(l Layout, found string) (string, error) {
	if filepath.Dir(found) != l.Toolchain() {
		return found, nil
	}
	if path := os.Getenv(gocmd.GoEnv); path != "" {
		return path, nil
	}
	return "", errNoGo
}
