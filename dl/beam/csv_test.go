package beam_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/parquetio"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	dlbeam "github.com/gradbook/gradbook/dl/beam"
)

// flower is a row of a Parquet file.
type flower struct {
	Name string  `parquet:"name=name, type=BYTE_ARRAY, convertedtype=UTF8"`
	A    float32 `parquet:"name=a, type=FLOAT"`
	B    float32 `parquet:"name=b, type=FLOAT"`
}

func init() {
	beam.RegisterType(reflect.TypeFor[flower]())
	register.Function1x1(exampleOf)
}

func exampleOf(f flower) dlbeam.Example {
	return dlbeam.Example{Key: f.Name, X: []float32{f.A, f.B, 0, 0, 0, 0}}
}

// TestCSV predicts from files to a file, and says which line is wrong.
func TestCSV(t *testing.T) {
	path, m, examples := classifier(t)
	out, err := m.Predict(context.Background(), table(t, examples))
	if err != nil {
		t.Fatal(err)
	}
	want := flat(t, out)
	dir := t.TempDir()
	for part := range 2 {
		lines := []string{"key,label,a,b,c,d,e,f"}
		for _, e := range examples[350*part : 350*part+350] {
			line := fmt.Sprintf("%s,%g", e.Key, e.Y[0])
			for _, v := range e.X {
				line += "," + strconv.FormatFloat(float64(v*2), 'g', -1, 32)
			}
			lines = append(lines, line)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("part%d.csv", part)), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	to := filepath.Join(dir, "predictions")
	c := dlbeam.CSVConfig{Key: 1, Labels: []int{2}, Header: "key,label,a,b,c,d,e,f", Scale: 0.5}
	p, s := beam.NewPipelineWithRoot()
	read := dlbeam.ReadCSV(s, filepath.Join(dir, "part*.csv"), c)
	passert.Count(s, read, "examples", len(examples))
	dlbeam.WriteCSV(s, to, dlbeam.Predict(s, path, read))
	ptest.RunAndValidate(t, p)
	text, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), ",")
		i, err := strconv.Atoi(fields[0])
		if err != nil || len(fields) != 4 {
			t.Fatalf("got the line %q", line)
		}
		for k, f := range fields[1:] {
			if v, err := strconv.ParseFloat(f, 64); err != nil || math.Abs(v-float64(want[3*i+k])) > 1e-5 {
				t.Errorf("line %q: want %v", line, want[3*i:3*i+3])
			}
		}
		n++
	}
	if n != len(examples) {
		t.Errorf("got %d predictions, want %d", n, len(examples))
	}
	for bad, say := range map[string]string{"1,2,x,4": `column 3, got "x"`, "1": "at least 2 columns"} {
		if err := os.WriteFile(filepath.Join(dir, "bad"), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		p, s := beam.NewPipelineWithRoot()
		dlbeam.ReadCSV(s, filepath.Join(dir, "bad"), c)
		if err := ptest.Run(p); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q: expected an error with %q, got %v", bad, say, err)
		}
	}
}

// TestParquet predicts rows of a Parquet file.
func TestParquet(t *testing.T) {
	path, m, _ := classifier(t)
	file := filepath.Join(t.TempDir(), "flowers.parquet")
	rows := []flower{{"rose", 1, 2}, {"lily", -1, 0.5}, {"aster", 0, 0}}
	var examples []dlbeam.Example
	for _, f := range rows {
		e := exampleOf(f)
		e.Y = []float32{0}
		examples = append(examples, e)
	}
	out, err := m.Predict(context.Background(), table(t, examples))
	if err != nil {
		t.Fatal(err)
	}
	y := flat(t, out)
	wanted = make(map[string][]float32)
	for i, f := range rows {
		wanted[f.Name] = y[3*i : 3*i+3]
	}
	p, s := beam.NewPipelineWithRoot()
	parquetio.Write(s, file, beam.CreateList(s, rows))
	ptest.RunAndValidate(t, p)
	p, s = beam.NewPipelineWithRoot()
	got := dlbeam.Predict(s, path, beam.ParDo(s, exampleOf, parquetio.Read(s, file, reflect.TypeFor[flower]())))
	passert.Count(s, got, "predictions", len(rows))
	passert.Empty(s, beam.ParDo(s, checkPrediction, got))
	ptest.RunAndValidate(t, p)
}

// FuzzCoder has elements come back as they were, and bytes that are none be refused.
func FuzzCoder(f *testing.F) {
	f.Add("key", []byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, key string, raw []byte) {
		e := dlbeam.Example{Key: key, X: []float32{}, Y: []float32{}}
		for i, b := range raw {
			if i%3 == 0 {
				e.Y = append(e.Y, float32(b)/3)
			} else {
				e.X = append(e.X, float32(b)-100)
			}
		}
		back, err := dlbeam.Decode(dlbeam.Encode(e))
		if err != nil || !reflect.DeepEqual(back, e) {
			t.Errorf("got %+v, %v, want %+v", back, err, e)
		}
		_, _ = dlbeam.Decode(raw)
	})
}
