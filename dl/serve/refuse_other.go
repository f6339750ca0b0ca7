//go:build !linux

package serve

import "net"

// refuseNew is for Linux: elsewhere, connections that nobody has accepted yet are reset when the
// port is closed.
func refuseNew(net.Listener) {}
