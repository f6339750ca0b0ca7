package device

import (
	"fmt"
	"os"
	"strings"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/dl/internal/native"
	"github.com/gradbook/gradbook/dl/internal/plugin"
)

// CompilationCacheEnv names the environment variable with the folder in which compiled programs are
// kept; "off" keeps none.
const CompilationCacheEnv = "GRADBOOK_COMPILATION_CACHE"

// programsLimit is how many bytes of compiled programs are kept.
const programsLimit = 512 << 20

// store is where the programs are kept that a plugin compiles; nil if they are not. Only the pinned
// plugin's are: with another version, writing one may end the process, as it does with this one
// where programs call oneDNN.
func store(kind, path, config string) (*plugin.Store, error) {
	dir := os.Getenv(CompilationCacheEnv)
	if dir == "off" || !isPinned(kind, path) || callsOthers(os.Getenv("XLA_FLAGS")) {
		return nil, nil
	}
	if dir == "" {
		var err error
		if dir, err = cache.Dir("pjrt", "programs"); err != nil {
			return nil, nil //nolint:nilerr // without a cache nothing is kept
		}
	}
	made, err := madeOf(kind, path)
	if err != nil {
		return nil, err
	}
	set, err := native.Set()
	if err != nil {
		return nil, err
	}
	of := fmt.Sprintf("%s\n%s\n%s\n%s %s", made, config, set, os.Getenv("NPROC"), os.Getenv("PJRT_NPROC"))
	return plugin.NewStore(dir, of, programsLimit), nil
}

// callsOthers says whether flags of XLA's may have it call other libraries, or others than usual.
func callsOthers(flags string) bool {
	return strings.Contains(flags, "onednn") || strings.Contains(flags, "xnn") || strings.Contains(flags, "ynn")
}
