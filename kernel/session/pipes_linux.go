package session

import "syscall"

// pipe makes a pipe whose ends block in the system call, which shows in /proc; those of
// os.Pipe do not.
func pipe() (fds [2]int, err error) {
	err = syscall.Pipe2(fds[:], syscall.O_CLOEXEC)
	return fds, err
}

// mkfifo makes a pipe that has a name.
func mkfifo(path string) error { return syscall.Mkfifo(path, 0o600) }
