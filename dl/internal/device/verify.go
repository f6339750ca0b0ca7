package device

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
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
	// tryEnv tells that process which plugin to try.
	tryEnv = "GRADBOOK_TRY_PLUGIN"
	// tryTimeout is how long it may take. CUDA may compile its kernels for a new GPU.
	tryTimeout = 3 * time.Minute
	// tryFailed is its exit status if it could say what is wrong.
	tryFailed = 10
	// tryFD is where it says so: user code may print.
	tryFD = 3
)

func init() {
	path := os.Getenv(tryEnv)
	if path == "" {
		return
	}
	report := os.NewFile(tryFD, "report")
	_ = os.Unsetenv(tryEnv)
	if err := use(path); err != nil {
		_, _ = io.WriteString(report, oneLine(err))
		os.Exit(tryFailed)
	}
	os.Exit(0)
}

// use opens a plugin and computes with it.
func use(path string) error {
	if err := checkVersion(path); err != nil {
		return err
	}
	defer tuneXLA(path)()
	b, err := newXLA(path)
	if err != nil {
		return err
	}
	if b.NumDevices() == 0 {
		return errors.New("it has no device")
	}
	return compute1(b)
}

// verify returns why a plugin cannot be used, or nil. What went well is remembered.
func verify(path string) error {
	stamp, stampErr := stampOf(path)
	if stampErr == nil {
		if _, err := os.Stat(stamp); err == nil {
			return nil
		}
	}
	if err := try(path, tryTimeout); err != nil {
		return err
	}
	if stampErr == nil {
		_ = cache.WriteFile(stamp, nil, 0o644) // else it is tried again the next time
	}
	return nil
}

// stampOf is the file that says that a plugin went well. It is named for all on which
// that depends: the file, the driver, and the flags.
func stampOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%d %d\n%s\n%s\n", path, info.Size(), info.ModTime().Unix(), pjrt.Driver(), os.Getenv("XLA_FLAGS"))
	return cache.Dir("pjrt", "verified", hex.EncodeToString(h.Sum(nil)[:16]))
}

// try runs the second process.
func try(path string, timeout time.Duration) error {
	self, err := os.Executable()
	if err != nil {
		return nil // it cannot be tried apart; then here
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	r, w, err := os.Pipe()
	if err != nil {
		return nil
	}
	defer r.Close() //nolint:errcheck // only read from
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), tryEnv+"="+path)
	cmd.Stdout, cmd.Stderr = io.Discard, &log
	cmd.ExtraFiles = []*os.File{w}
	cmd.WaitDelay = time.Second
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		return nil
	}
	report, _ := io.ReadAll(r)
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("it did not answer within %v", timeout)
	case errors.As(err, &exit) && exit.ExitCode() == tryFailed:
		return errors.New(string(report))
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
	if r := []rune(said); len(r) > 300 {
		said = string(r[:300]) + "…"
	}
	return ": " + said
}
