package serve

import (
	"math"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// refuseNew has the system refuse new connections to a port that stays open, so that none is waiting
// to be accepted when it is closed: those would be reset, though who asked believes to be connected.
// To that end the socket listens at an interface that there is not; what has begun goes on.
func refuseNew(l net.Listener) {
	t, ok := l.(*net.TCPListener)
	if !ok {
		return
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, math.MaxInt32)
	})
	if err == nil {
		time.Sleep(50 * time.Millisecond) // for those that wait
	}
}
