package export

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"text/template"

	"golang.org/x/mod/modfile"

	"github.com/gradbook/gradbook/dl/pjrt"
)

var (
	//go:embed templates/program.go.tmpl
	programMain string

	programTemplate = template.Must(template.New("").Parse(programMain))
)

// modulePath is the module that a program computes with.
const modulePath = "github.com/gradbook/gradbook"

// program writes a program that computes with XLA, builds it, and lays XLA's library beside it.
func (e *exported) program() error {
	if e.Int8 {
		return errors.New("a program has the model as it is: quantize it with dl.Quantize before, for whole numbers of 8 bits")
	}
	ending := ".keras"
	if e.path != "" {
		ending = ".onnx"
	}
	main, err := execute(programTemplate, map[string]any{"Name": e.Package, "Ending": ending, "ONNX": e.path != ""})
	if err != nil {
		return err
	}
	mod, sum, err := requirements(e.Package, "")
	if err != nil {
		return err
	}
	model, err := e.modelFile(ending)
	if err != nil {
		return err
	}
	files := map[string][]byte{"go.mod": mod, "go.sum": sum, "main.go": main, e.Package + ending: model}
	if err := e.files(files); err != nil {
		return err
	}
	name := e.Package
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if err := e.build([]string{"CGO_ENABLED=1"}, name); err != nil {
		return err
	}
	plugin, err := pjrt.Find("cpu")
	if err != nil {
		return err
	}
	library, err := os.ReadFile(plugin)
	if err != nil {
		return err
	}
	return e.files(map[string][]byte{"lib/" + filepath.Base(plugin): library})
}

// modelFile is the model as a file.
func (e *exported) modelFile(ending string) ([]byte, error) {
	if e.path != "" {
		return os.ReadFile(e.path)
	}
	dir, err := os.MkdirTemp("", "gradbook-export-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "model"+ending)
	if err := e.model.Save(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// requirements are the go.mod and the go.sum of a module that needs what this program was built of:
// this module, or one in a folder of it, as well, whose requirements are those then.
func requirements(name, folder string) (mod, sum []byte, err error) {
	root, version, err := source()
	if err != nil {
		return nil, nil, err
	}
	dir := filepath.Join(root, filepath.FromSlash(folder))
	content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return nil, nil, fmt.Errorf("the source of %s is not here: %w", modulePath+folder, err)
	}
	f, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		return nil, nil, err
	}
	err = f.AddModuleStmt("exported/" + name)
	for path, at := range map[string]string{modulePath: root, modulePath + folder: dir} {
		err = errors.Join(err, f.AddRequire(path, version))
		if version == local {
			err = errors.Join(err, f.AddReplace(path, "", at, ""))
		}
	}
	if err != nil {
		return nil, nil, err
	}
	if mod, err = f.Format(); err != nil {
		return nil, nil, err
	}
	sum, err = os.ReadFile(filepath.Join(dir, "go.sum"))
	return append([]byte(generated+".\n\n"), mod...), sum, err
}

// sourceEnv is the environment variable in which gradbook says where its source is.
const sourceEnv = "GRADBOOK_SOURCE"

// local is the version of what is no release.
const local = "v0.0.0"

// source is the folder with the source of this module, and its version.
func source() (dir, version string, err error) {
	if dir := os.Getenv(sourceEnv); dir != "" {
		return dir, local, nil
	}
	module, version := modulePath, local
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			switch {
			case d.Path != modulePath:
			case d.Replace != nil && filepath.IsAbs(d.Replace.Path):
				return d.Replace.Path, local, nil
			default:
				module, version = modulePath+"@"+d.Version, d.Version
			}
		}
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", "", fmt.Errorf("cannot find the source of %s, which the program is built of: %w", modulePath, err)
	}
	return strings.TrimSpace(string(out)), version, nil
}
