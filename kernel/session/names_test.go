package session

import (
	"encoding/binary"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "main.point": "main.point", "map[main.aʹ2][]*main.bʹ12": "map[main.a][]*main.b", "func(main.aʹ) main.aʹ3": "func(main.a) main.a", "gʹ2[main.tʹ1]": "g[main.t]",
	} {
		if got := plain(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// name writes a name as the compiler does.
func name(flags byte, text, tag string, pkg bool) []byte {
	b := binary.AppendUvarint([]byte{flags}, uint64(len(text)))
	b = append(b, text...)
	if tag != "" {
		b[0] |= nameHasTag
		b = append(binary.AppendUvarint(b, uint64(len(tag))), tag...)
	}
	if pkg {
		b[0] |= nameHasPkg
		b = append(b, 1, 2, 3, 4)
	}
	return b
}

// A name is shortened where it is, with as many bytes as before, and what belongs to it
// is found behind it.
func TestRename(t *testing.T) {
	long := strings.Repeat("main.veryʹ2long", 20)
	for _, c := range []struct{ from, to, tag string }{
		{"main.tʹ2", "main.t", ""}, {"tʹ2", "t", `json:"t"`}, {long, plain(long), ""}, {long, "a", strings.Repeat("tag", 60)},
	} {
		for _, pkg := range []bool{false, true} {
			b := append(name(1, c.from, c.tag, pkg), "behind"...)
			size := nameBytes(&b[0])
			if b[size:][0] != 'b' {
				t.Fatalf("%q is said to be %d bytes long", c.from, size)
			}
			rename(&b[0], c.to)
			length, n := varint(&b[0], 1)
			if got := string(b[1+n : 1+n+length]); got != c.to {
				t.Errorf("%q became %q, want %q", c.from, got, c.to)
			}
			if c.tag != "" {
				at := 1 + n + length
				length, n := varint(&b[0], at)
				if got := string(b[at+n : at+n+length]); got != c.tag {
					t.Errorf("the tag of %q became %q", c.from, got)
				}
			}
			if pkg && !slices.Equal(b[nameBytes(&b[0])-4:nameBytes(&b[0])], []byte{1, 2, 3, 4}) {
				t.Errorf("the package of %q is gone", c.from)
			}
			if string(b[size:]) != "behind" {
				t.Errorf("what is behind %q has changed", c.from)
			}
		}
	}
}

func TestPlainNames(t *testing.T) {
	table := []byte("main.Runʹ3\x00main.Runʹ3.func1\x00main.fʹ2\x00runtime.main\x00main.(*tʹ1).mʹ\x00main.Runʹ12.gʹ1\x00end")
	size := len(table)
	plainNames(table)
	got := slices.DeleteFunc(strings.Split(string(table), "\x00"), func(s string) bool { return s == "" })
	want := []string{"main.main", "main.main.func1", "main.f", "runtime.main", "main.(*t).m", "main.main.g", "end"}
	if !slices.Equal(got, want) || len(table) != size || !strings.HasSuffix(string(table), "\x00end") {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFunctionName(t *testing.T) {
	for full, want := range map[string]string{
		"main.main": "", "main.main.func1": "", "main.f": "f", "main.fʹ2": "f", "main.(*point).move": "(*point).move", "github.com/a/b.c.F": "c.F", "main.mainly": "mainly",
	} {
		if got := functionName(full); got != want {
			t.Errorf("%s is shown as %q, want %q", full, got, want)
		}
	}
	for file, want := range map[string]string{"cell[3]": "cell[3]", "/tmp/cell[12]": "cell[12]", "cell[3]/x.go": "", "main.go": "", "gradbook": ""} {
		if got := cellFile(file); got != want {
			t.Errorf("%s is taken for %q, want %q", file, got, want)
		}
	}
}

func TestSubstitute(t *testing.T) {
	names := map[string]string{"main.a": "main.aʹ1", "main.bʹ": "main.bʹ2"}
	for text, want := range map[string]string{
		"main.a": "main.aʹ1", "main.ab": "main.ab", "domain.a": "domain.a", "map[main.a]*main.bʹ": "map[main.aʹ1]*main.bʹ2", "struct { main.a int; x []main.a }": "struct { main.aʹ1 int; x []main.aʹ1 }",
		"main.g[main.a,int]": "main.g[main.aʹ1,int]", "main.a.b": "main.a.b", "": "", "func(...main.a) (main.a, error)": "func(...main.aʹ1) (main.aʹ1, error)",
	} {
		if got := substitute(text, names); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// What reflect makes of the parts of a type is the type.
func TestMade(t *testing.T) {
	same := func(t reflect.Type) reflect.Type { return t }
	for _, v := range []any{[]point{}, [3]point{}, &point{}, map[string]point{}, make(<-chan point), func(int, ...point) error { return nil }, []*point{}} {
		if typ := reflect.TypeOf(v); made(typ, same) != typ {
			t.Errorf("%v is made as another type", typ)
		}
	}
	for _, v := range []any{point{}, struct{ a int }{}, 3, new(any)} {
		if typ := reflect.TypeOf(v); typ.Kind() != reflect.Pointer && made(typ, same) != nil {
			t.Errorf("%v can be made", typ)
		}
	}
	toInt := func(reflect.Type) reflect.Type { return reflect.TypeFor[int]() }
	if got := made(reflect.TypeFor[map[point][]point](), toInt); got != reflect.TypeFor[map[int]int]() {
		t.Errorf("got %v", got)
	}
	if got := made(reflect.TypeFor[map[point]point](), func(reflect.Type) reflect.Type { return reflect.TypeFor[func()]() }); got != nil {
		t.Errorf("a map by functions is made: %v", got)
	}
}

type point struct{ X, Y int }

func TestDescriptions(t *testing.T) {
	typ := reflect.TypeFor[point]()
	if typeAt(description(typ)) != typ || uintptr(description(typ)) != address(typ) {
		t.Error("a type is not what is at its address")
	}
	if hasExtraStar(reflect.TypeFor[*point]()) {
		t.Error("the text of *point has a star too many")
	}
	if size := descriptionSize(typ); size < unsafe.Sizeof(uintptr(0))*6 {
		t.Errorf("the description of a struct is said to have %d bytes", size)
	}
}
