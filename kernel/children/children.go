// Package children starts a kernel's processes and sees to it that none of them,
// nor any that they start, is left when the kernel ends, however it ends.
//
// Each gets a mark in its environment, which all of its descendants inherit,
// also those that leave their group or their parent. At the end, all processes
// with the mark are killed. If the kernel is killed itself, the guard does it: a
// process that waits for the kernel's end of a pipe to close.
package children

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

// markName is the environment variable that holds the mark.
const markName = "GRADBOOK_KERNEL"

// killTime is how long killed processes may take to go.
const killTime = 10 * time.Second

// Family is the processes of one kernel.
type Family struct {
	mark  string
	guard *exec.Cmd
	pipe  *os.File
}

// NewFamily begins a family. program is this program, whose command guard is
// called with the mark and the folder to remove at the end.
func NewFamily(program, mark, dir string) (*Family, error) {
	f := &Family{mark: mark}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // the guard has its own
	f.guard = exec.Command(program, "guard", mark, dir)
	f.guard.ExtraFiles = []*os.File{r}
	f.guard.SysProcAttr = ownSession()
	if err := f.guard.Start(); err != nil {
		_ = w.Close()
		return nil, fmt.Errorf("cannot start the guard: %w", err)
	}
	f.pipe = w
	return f, nil
}

// Env returns an environment with the mark.
func (f *Family) Env(env []string) []string { return append(env, markName+"="+f.mark) }

// End kills all processes of the family but the caller.
func (f *Family) End() {
	KillMarked(f.mark)
	if f.pipe != nil {
		_ = f.pipe.Close()
		_ = f.guard.Wait()
	}
}

// Guard waits for the kernel's end, then kills what it left and removes dir.
func Guard(mark, dir string) error {
	pipe := os.NewFile(3, "kernel")
	_, _ = pipe.Read(make([]byte, 1)) // an end of file, sooner or later
	KillMarked(mark)
	if filepath.Base(dir) == "kernel-"+mark {
		return os.RemoveAll(dir)
	}
	return nil
}

// KillMarked kills all processes with a mark, until none is seen three times in a row:
// a process has no environment for a moment while it begins another program, and
// a scan misses what is started behind it. A killed process may be slow to go,
// where memory is to be freed or the machine is busy, so there is time for it.
func KillMarked(mark string) {
	quiet := 0
	for end := time.Now().Add(killTime); quiet < 3 && time.Now().Before(end); {
		quiet++
		for _, pid := range Marked(mark) {
			quiet = 0
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill()
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// eachMarked calls f for each process with a mark; zombies, which are gone but
// for their parents' knowledge, are none.
func eachMarked(f func(pid int, mark string)) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		environ, err := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if err != nil {
			continue
		}
		for _, kv := range strings.Split(string(environ), "\x00") {
			if mark, ok := strings.CutPrefix(kv, markName+"="); ok {
				if !zombie(e.Name()) {
					f(pid, mark)
				}
				break
			}
		}
	}
}

func zombie(pid string) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(rest, "Z") || strings.HasPrefix(rest, "X")
}

// Marked returns the processes with a mark, but for the caller.
func Marked(mark string) []int {
	var pids []int
	eachMarked(func(pid int, m string) {
		if m == mark && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	})
	return pids
}

// Child is a process of the family.
type Child struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// Start starts cmd in a group of its own, with the mark.
func (f *Family) Start(cmd *exec.Cmd) (*Child, error) {
	cmd.Env = f.Env(cmd.Environ())
	cmd.SysProcAttr = OwnGroup()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &Child{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(c.done)
	}()
	return c, nil
}

// Interrupt sends the process, not its group, an interrupt.
func (c *Child) Interrupt() { _ = c.cmd.Process.Signal(os.Interrupt) }

// InterruptGroup sends the process and its group an interrupt, as a terminal does.
func (c *Child) InterruptGroup() { interruptGroup(c.cmd.Process.Pid) }

// Kill ends the process and its group.
func (c *Child) Kill() {
	KillGroup(c.cmd.Process.Pid)
	<-c.done
}

// Done is closed when the process has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Usage is what a running kernel's processes hold.
type Usage struct {
	Mark string
	// Resident is memory in bytes, by the program's name.
	Resident map[string]int64
}

// Running returns the kernels of this user that run.
func Running() []Usage {
	byMark := map[string]map[string]int64{}
	eachMarked(func(pid int, mark string) {
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if err != nil {
			return // it has ended
		}
		if byMark[mark] == nil {
			byMark[mark] = map[string]int64{}
		}
		byMark[mark][filepath.Base(strings.TrimSuffix(exe, " (deleted)"))] += Resident(pid)
	})
	var list []Usage
	for mark, r := range byMark {
		list = append(list, Usage{mark, r})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Mark < list[j].Mark })
	return list
}

// Resident is the memory that a process holds, in bytes; 0 if it has ended.
func Resident(pid int) int64 {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(content))
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(f[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
