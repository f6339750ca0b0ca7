package toolchain

import (
	"os"
	"runtime"
	"slices"
	"strings"
)

// heeded are the variables of the user's environment that builds see: where things are,
// how they are fetched, and which C compiler there is. Others that change what Go
// builds would make cells that do not fit the session.
var heeded = []string{
	"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TMP", "TEMP", "LANG", "LC_ALL", "TERM", "SHELL", "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
	"GOPATH", "GOMODCACHE", "GOCACHE", "GOTMPDIR", "GOENV", "GOROOT", "GOTOOLCHAIN",
	"GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOVCS", "GOAUTH", "GONOSUMCHECK",
	"CGO_ENABLED", "CC", "CXX", "AR", "PKG_CONFIG", "PKG_CONFIG_PATH", "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS", "LD_LIBRARY_PATH",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC",
	"SSH_AUTH_SOCK", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_ASKPASS",
	"GOMEMLIMIT", "GOGC", "GOMAXPROCS", "NIX_CFLAGS_COMPILE", "NIX_LDFLAGS",
}

// Environ is the environment of builds: what they heed of the user's, and extra.
func Environ(extra ...string) []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if slices.Contains(heeded, name) || runtime.GOOS == "windows" {
			env = append(env, kv)
		}
	}
	env = append(env, "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "GOWORK=off", "GO111MODULE=on", "GOFLAGS="+goFlags())
	return append(env, extra...)
}

// goFlags keeps those of the user's flags that change nothing of what is built. It is
// never empty, since Go would look for others in a file of the user's.
func goFlags() string {
	keep := []string{"-buildvcs=false"}
	for f := range strings.FieldsSeq(os.Getenv("GOFLAGS")) {
		if f == "-modcacherw" || strings.HasPrefix(f, "-p=") {
			keep = append(keep, f)
		}
	}
	return strings.Join(keep, " ")
}
