// Package atomicfile writes files that are whole at every moment: until the new one is
// on the disk to its last byte, the old one stays.
package atomicfile

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Write writes a file by what write gives it, with permissions perm, less those that the
// process's umask takes, as [os.WriteFile] does; 0 means those of the old file, or 0666.
// If it fails, the file is as it was. A link stays, and the file that it leads to is written.
// What writes that were killed have left behind is removed.
func Write(path string, perm os.FileMode, write func(w io.Writer) error) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	dir := filepath.Dir(path)
	prefix := prefixOf(filepath.Base(path))
	sweep(dir, prefix)
	f, err := create(dir, prefix, cmp.Or(perm, 0o666))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	b := bufio.NewWriterSize(f, 1<<20)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if old, err := os.Stat(path); perm == 0 && err == nil {
		if err := f.Chmod(old.Mode().Perm()); err != nil {
			return err
		}
	}
	// Without it, a power cut after the rename could leave an empty file.
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	syncDir(dir)
	return nil
}

// longest is how much of a file's name is in those of the files that are written for it: file
// systems mostly allow 255 bytes.
const longest = 200

// prefixOf begins the names of the files that are written for one of a name.
func prefixOf(name string) string { return "." + name[:min(len(name), longest)] + "." }

// create creates a file beside that of the name, and locks it for as long as it is open.
func create(dir, prefix string, perm os.FileMode) (*os.File, error) {
	for {
		f, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("%s%d.tmp", prefix, rand.Uint64())), os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			lock(f)
		}
		return f, err
	}
}

// sweep removes the files of writes that are no longer under way.
func sweep(dir, prefix string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), prefix)
		number, tmp := strings.CutSuffix(number, ".tmp")
		if _, err := strconv.ParseUint(number, 10, 64); !ok || !tmp || err != nil || !e.Type().IsRegular() {
			continue
		}
		if path := filepath.Join(dir, e.Name()); abandoned(path) {
			_ = os.Remove(path)
		}
	}
}

// syncDir brings the rename to the disk, where directories can be synced.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
