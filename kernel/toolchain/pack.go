package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/dl/cache"
)

// A pack is a host that has been built elsewhere, for one version of Go: its program and
// what its packages export, without the machine code that the program has already. Only
// hosts of the [Shared] way can be packed: what they hold is not linked into cells.
// Nothing in it says where it was built, since all is built with -trimpath.

// Pack copies the host of the workspace to dir, as a pack.
func Pack(workspace, dir string) error {
	host := HostDir(workspace, Shared)
	index, err := readIndex(host)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for i, p := range index.Packages {
		if p.Export == "" {
			continue
		}
		content, err := os.ReadFile(p.Export)
		if err != nil {
			return err
		}
		exported, err := exportsOf(content)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Path, err)
		}
		name := filepath.Join("exports", strconv.Itoa(i)+".a")
		if err := cache.WriteFile(filepath.Join(dir, name), exported, 0o644); err != nil {
			return err
		}
		index.Packages[i].Export = filepath.ToSlash(name)
	}
	index.Go, index.Tool, index.Root, index.Overlay = "", "", "", ""
	delete(index.Settings, "CC")
	delete(index.Settings, "GOROOT")
	delete(index.Settings, "GOTOOLCHAIN")
	encoded, err := json.MarshalIndent(index, "", "\t")
	if err != nil {
		return err
	}
	program, err := os.ReadFile(filepath.Join(host, HostProgram))
	if err != nil {
		return err
	}
	return errors.Join(cache.WriteFile(filepath.Join(dir, HostProgram), program, 0o755), cache.WriteFile(filepath.Join(dir, indexFile), encoded, 0o644))
}

// exportsOf is an archive with the first member of another: what the package exports.
func exportsOf(archive []byte) ([]byte, error) {
	const magic, header, sizeAt = "!<arch>\n", 60, 48
	if !bytes.HasPrefix(archive, []byte(magic+"__.PKGDEF")) || len(archive) < len(magic)+header {
		return nil, errArchive
	}
	size, err := strconv.Atoi(strings.TrimSpace(string(archive[len(magic)+sizeAt : len(magic)+sizeAt+10])))
	end := len(magic) + header + size + size%2
	if err != nil || end > len(archive) {
		return nil, errArchive
	}
	return archive[:end], nil
}

// PackVersion is the version of Go that a pack is for; "" if there is no pack.
func PackVersion(pack string) string {
	index, err := readIndex(pack)
	if err != nil {
		return ""
	}
	return index.Version
}

// Unpack puts a pack into the workspace, as the host of the [Shared] way. The pack stays
// where it is and is read from there. It is an error if goCmd is of another version.
func Unpack(ctx context.Context, pack, goCmd, workspace string) error {
	h := hostBuild{ctx: ctx, way: Shared, goCmd: goCmd, workspace: workspace, dir: HostDir(workspace, Shared)}
	index, err := readIndex(pack)
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(h.dir), os.MkdirAll(h.dir, 0o755)); err != nil {
		return err
	}
	if err := h.leaveModuleCache(); err != nil {
		return err
	}
	here, err := h.index()
	if err != nil {
		return err
	}
	if here.Version != index.Version {
		return fmt.Errorf("expected %s, for which the session was built, got %s", index.Version, here.Version)
	}
	index.Go, index.Tool, index.Root, index.Overlay = here.Go, here.Tool, here.Root, here.Overlay
	for name, value := range here.Settings {
		if _, ok := index.Settings[name]; !ok {
			index.Settings[name] = value
		}
	}
	for i, p := range index.Packages {
		if p.Export != "" {
			index.Packages[i].Export = filepath.Join(pack, filepath.FromSlash(p.Export))
		}
	}
	if err := os.Symlink(filepath.Join(pack, HostProgram), filepath.Join(h.dir, HostProgram)); err != nil {
		return err
	}
	encoded, err := json.MarshalIndent(index, "", "\t")
	if err != nil {
		return err
	}
	return cache.WriteFile(filepath.Join(h.dir, indexFile), encoded, 0o644)
}
