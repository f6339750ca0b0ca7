package install

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gradbook/gradbook/kernel/toolchain"
)

// KernelCommand is GoNB, as Jupyter's kernel for a connection file: with the
// checkout's programs first on its PATH, and its log in a file.
func KernelCommand(l Layout, connectionFile string) (*exec.Cmd, error) {
	goCmd, err := exec.LookPath("go")
	if err != nil {
		return nil, errNoGo
	}
	if goCmd, err = realGo(l, goCmd); err != nil {
		return nil, err
	}
	if !exists(l.Program("gonb"), filepath.Join(l.Workspace(), "go.mod")) {
		return nil, fmt.Errorf("the kernel is not set up; run: make setup, or %s setup", l.Program("gradbook"))
	}
	cmd := exec.Command(l.Program("gonb"), "--kernel", connectionFile,
		"-logtostderr=false", "-alsologtostderr=false", "-stderrthreshold=FATAL", "-log_file="+l.Log(), "-log_file_max_size=16")
	path := strings.Join([]string{l.Toolchain(), l.Bin(), filepath.Dir(goCmd), os.Getenv("PATH")}, string(os.PathListSeparator))
	cmd.Env = append(os.Environ(),
		"PATH="+path,
		toolchain.GoEnv+"="+goCmd,
		toolchain.WorkspaceEnv+"="+l.Workspace(),
		"GOFLAGS="+goFlags(),
		"GOWORK=",
		"GOMLX_NO_AUTO_INSTALL=1", // a cell must never start a download by itself
	)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd, nil
}

// realGo passes over the go command for cells, in case a kernel is started from
// a cell.
func realGo(l Layout, found string) (string, error) {
	if filepath.Dir(found) != l.Toolchain() {
		return found, nil
	}
	if path := os.Getenv(toolchain.GoEnv); path != "" {
		return path, nil
	}
	return "", errNoGo
}
