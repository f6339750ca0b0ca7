package beam

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/textio"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
)

func init() {
	register.DoFn2x1[string, func(Example), error](&csvFn{})
	register.Emitter1[Example]()
	register.DoFn2x0[Prediction, func(string)](&lineFn{})
	register.Emitter1[string]()
}

// CSVConfig says what the columns of a line are. Its zero value has numbers only.
type CSVConfig struct {
	// Key is the number of the column that is the key, from 1; 0 is none.
	Key int
	// Labels are the numbers of the columns that are the label, from 1.
	Labels []int
	// Header is a line that is none of an example, wherever it stands.
	Header string
	// Scale multiplies each number that is no label; 0 means 1. 1/255 makes of bytes what
	// networks like.
	Scale float32
}

// ReadCSV reads lines of numbers with commas between them, from files of one of Beam's file systems
// by a pattern: a PCollection of Example. A line that does not fit ends the pipeline with an error
// that shows it.
func ReadCSV(s beam.Scope, pattern string, c CSVConfig) beam.PCollection {
	s = s.Scope("dl.ReadCSV")
	if c.Scale == 0 {
		c.Scale = 1
	}
	return beam.ParDo(s, &csvFn{c}, textio.Read(s, pattern))
}

type csvFn struct{ CSVConfig }

// ProcessElement reads a line.
func (f *csvFn) ProcessElement(line string, emit func(Example)) error {
	line = strings.TrimRight(line, "\r\n")
	if line == "" || line == f.Header {
		return nil
	}
	var e Example
	fields := strings.Split(line, ",")
	if most := slices.Max(append([]int{f.Key}, f.Labels...)); len(fields) < most {
		return fmt.Errorf("dl/beam: expected at least %d columns, got %d in the line %.80q", most, len(fields), line)
	}
	for i, text := range fields {
		if i+1 == f.Key {
			e.Key = text
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 32)
		if err != nil {
			return fmt.Errorf("dl/beam: expected a number in column %d, got %.20q in the line %.80q", i+1, text, line)
		}
		if at := slices.Index(f.Labels, i+1); at >= 0 {
			if e.Y == nil {
				e.Y = make([]float32, len(f.Labels))
			}
			e.Y[at] = float32(v)
			continue
		}
		e.X = append(e.X, float32(v)*f.Scale)
	}
	emit(e)
	return nil
}

// WriteCSV writes predictions as lines to a file: the key, and the numbers.
func WriteCSV(s beam.Scope, path string, predictions beam.PCollection) {
	s = s.Scope("dl.WriteCSV")
	textio.Write(s, path, beam.ParDo(s, &lineFn{}, predictions))
}

type lineFn struct{}

// ProcessElement writes a line.
func (*lineFn) ProcessElement(p Prediction, emit func(string)) {
	b := []byte(p.Key)
	for _, v := range p.Y {
		b = append(b, ',')
		b = strconv.AppendFloat(b, float64(v), 'g', -1, 32)
	}
	emit(string(b))
}
