//go:build !go1.27

package session

// tablesAreOnce says that the runtime's table of tables of methods has one of each.
const tablesAreOnce = false
