package device

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/dl/pjrt"
)

// A plugin is foreign code, and it may end the program that loads it: for want of a
// library, with a flag that it does not know, on a machine that it was not built for.
// In a notebook, everything that was computed would be lost. So the first time that a
// plugin is met on a machine, it is opened and used by a second process of the same
// program, which ends before its main begins.

const (
	// tryEnv tells that process who has started it and which plugin to try:
	// 4711:cuda:/its/path. In a program that this process has not started itself it
	// means nothing, wherever it comes from.
	tryEnv = "GRADBOOK_TRY_PLUGIN"
	// tryTimeout is how long it may take. CUDA may compile its kernels for a new GPU.
	tryTimeout = 2 * time.Minute
	// tryQuiet is how long it is not worth a word.
	tryQuiet = 3 * time.Second
	// tryFailed is its exit status if it could say what is wrong.
	tryFailed = 10
	// tryFD is where it says so: user code may print.
	tryFD = 3
)

func init() {
	parent, what, _ := strings.Cut(os.Getenv(tryEnv), ":")
	kind, path, ok := strings.Cut(what, ":")
	if !ok || parent != strconv.Itoa(os.Getppid()) {
		return
	}
	report := os.NewFile(tryFD, "report")
	_ = os.Unsetenv(tryEnv)
	if err := use(kind, path); err != nil {
		_, _ = io.WriteString(report, saidByXLA(OneLine(err)))
		os.Exit(tryFailed)
	}
	os.Exit(0)
}

// use opens a plugin and computes with it.
func use(kind, path string) error {
	defer tuneXLA(kind, path)()
	b, _, err := newXLA(kind, path)
	if err != nil {
		return err
	}
	if b.NumDevices() == 0 {
		return errors.New("it has no device")
	}
	return convolve(b)
}

// verify returns why a plugin cannot be used, or nil. What went well is remembered.
func verify(kind, path string) error {
	stamp, stampErr := stampOf(kind, path)
	if stampErr == nil {
		if _, err := os.Stat(stamp); err == nil {
			return nil
		}
	}
	word := time.AfterFunc(tryQuiet, func() {
		fmt.Fprintf(os.Stderr, "dl: trying XLA's plugin %s, once on this machine; for %v at most\n", path, tryTimeout)
	})
	defer word.Stop()
	if err := try(kind, path, tryTimeout); err != nil {
		return err
	}
	if stampErr == nil {
		_ = cache.WriteFile(stamp, nil, 0o644) // else it is tried again the next time
	}
	return nil
}

// madeOf tells all on which the code depends that a plugin runs and makes: the file, the
// processor, the driver, and the flags.
func madeOf(kind, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %s\n%d %d\n%s\n%s\n%s %s\n", kind, path, info.Size(), info.ModTime().Unix(), processor(), pjrt.Driver(), os.Getenv("XLA_FLAGS"), flagsFor(kind, path)), nil
}

// stampOf is the file that says that a plugin went well. It is in the cache or, where that
// cannot be written, in the user's own.
func stampOf(kind, path string) (string, error) {
	made, err := madeOf(kind, path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(made))
	name := hex.EncodeToString(sum[:16])
	stamp, err := cache.Dir("pjrt", "verified", name)
	if err != nil || cache.Writable(stamp) {
		return stamp, err
	}
	if _, err := os.Stat(stamp); err == nil {
		return stamp, nil // who made the cache tried it, on such a processor
	}
	user, err := os.UserCacheDir()
	return filepath.Join(user, "gradbook", "pjrt", "verified", name), err
}

// processor tells what the CPU can do, for which code may have been compiled.
var processor = sync.OnceValue(func() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close() //nolint:errcheck // only read from
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := s.Text(); strings.HasPrefix(line, "flags") || strings.HasPrefix(line, "Features") {
			return line
		}
	}
	return runtime.GOARCH
})

// try runs the second process.
func try(kind, path string, timeout time.Duration) error {
	self, err := os.Executable()
	if err != nil {
		return nil // it cannot be tried apart; then here
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	// A file, not a pipe, which would not end while another process has it.
	report, err := os.CreateTemp("", "plugin-*")
	if err != nil {
		return nil
	}
	defer os.Remove(report.Name()) //nolint:errcheck // a leftover is only clutter
	defer report.Close()           //nolint:errcheck // the other process wrote it
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d:%s:%s", tryEnv, os.Getpid(), kind, path))
	cmd.Stdout, cmd.Stderr = io.Discard, &log
	cmd.ExtraFiles = []*os.File{report}
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return nil
	}
	err = cmd.Wait()
	switch {
	case cmd.ProcessState.Success():
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("it did not answer within %v", timeout)
	case cmd.ProcessState.ExitCode() == tryFailed:
		said, err := os.ReadFile(report.Name())
		if err != nil || len(said) == 0 {
			return errors.New("it cannot be opened")
		}
		return errors.New(string(said))
	}
	return fmt.Errorf("it ended the program that tried it (%w)%s", err, reason(log.String()))
}

// reason is what a program said when it ended: of the lines in XLA's log the fatal one,
// else the first.
func reason(log string) string {
	var said string
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		fatal := len(line) > 1 && line[0] == 'F' && line[1] >= '0' && line[1] <= '9'
		if said == "" || fatal {
			said = line
		}
		if fatal {
			break
		}
	}
	if said == "" {
		return ""
	}
	if _, message, ok := strings.Cut(said, "] "); ok {
		said = message // without XLA's time and place
	}
	if r := []rune(said); len(r) > 300 {
		said = string(r[:300]) + "…"
	}
	return ": " + said
}
