package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gradbook/gradbook/dl/cache"
)

// Store keeps compiled programs in a folder, for the processes to come. They are machine code:
// nobody else may be able to write there.
type Store struct {
	dir     string
	of      string
	limit   int64
	trimmed sync.Once
}

// NewStore makes a store of a folder, which is made when it is needed. of tells on what else than
// its text and its options a program depends: the plugin, the processor, flags. Of files over the
// limit, in bytes, those are removed that have not been used for the longest time.
func NewStore(dir, of string, limit int64) *Store {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs // a program may change its folder
	}
	return &Store{dir: dir, of: of, limit: limit}
}

// storeFormat is written into every key: another layout of the files is another key.
const storeFormat = "1"

// ending is that of the store's files.
const ending = ".program"

// key names a program. It is text of as many bytes as GRADBOOK_KEY.
func (s *Store) key(code, options []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %d %d %d\n%s", storeFormat, len(s.of), len(options), len(code), s.of)
	h.Write(options)
	h.Write(code)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (s *Store) path(key string) string { return filepath.Join(s.dir, key+ending) }

// private says whether only this user, or the system's, can have written what is in the folder.
func (s *Store) private() bool {
	info, err := os.Stat(s.dir)
	return os.IsNotExist(err) || err == nil && info.IsDir() && info.Mode().Perm()&0o022 == 0 && ours(info)
}

// find reads a program, or returns nil. A file that was damaged is removed.
func (s *Store) find(key string) []byte {
	if !s.private() {
		return nil
	}
	content, err := os.ReadFile(s.path(key))
	if err != nil {
		return nil
	}
	const size = sha256.Size
	if len(content) <= size || sha256.Sum256(content[size:]) != [size]byte(content[:size]) {
		s.remove(key)
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(s.path(key), now, now) // else it is taken for one that is not used
	return content[size:]
}

// keep writes a program; one that cannot be written is compiled again.
func (s *Store) keep(key string, program []byte) {
	if os.MkdirAll(s.dir, 0o700) != nil || !s.private() {
		return
	}
	sum := sha256.Sum256(program)
	if cache.WriteFile(s.path(key), slices.Concat(sum[:], program), 0o600) != nil {
		return
	}
	s.trimmed.Do(s.trim)
}

func (s *Store) remove(key string) { _ = os.Remove(s.path(key)) }

// trim removes what is over the limit.
func (s *Store) trim() {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return
	}
	type file struct {
		name string
		size int64
		used time.Time
	}
	var files []file
	var total int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !strings.HasSuffix(e.Name(), ending) {
			continue
		}
		files = append(files, file{e.Name(), info.Size(), info.ModTime()})
		total += info.Size()
	}
	slices.SortFunc(files, func(a, b file) int { return a.used.Compare(b.used) })
	for _, f := range files {
		if total <= s.limit {
			return
		}
		if os.Remove(filepath.Join(s.dir, f.name)) == nil {
			total -= f.size
		}
	}
}
