package datasets_test

import (
	"fmt"
	"strings"

	"github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/dl/data"
)

func ExampleMNIST() {
	train, test, err := datasets.MNIST()
	if err != nil {
		panic(err)
	}
	labels, err := train.Take(5).Labels()
	if err != nil {
		panic(err)
	}
	fmt.Println(train.Len(), test.Len(), train.InputShape(), labels)
	// Output: 60000 10000 [28 28 1] [5 0 4 1 9]
}

func ExampleIris() {
	flowers, err := datasets.Iris()
	if err != nil {
		panic(err)
	}
	fmt.Println(flowers.Len(), flowers.InputShape(), flowers.ClassName(2))
	// Output: 150 [4] virginica
}

func ExampleBreastCancer() {
	tumours, err := datasets.BreastCancer()
	if err != nil {
		panic(err)
	}
	fmt.Println(tumours.Len(), tumours.InputShape(), tumours.ClassName(1))
	// Output: 569 [30] benign
}

func ExampleRossi() {
	d, err := data.FromCSV(datasets.Rossi(), data.CSVConfig{Label: "arrest", Features: []string{"age", "prio"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(d)
	// Output: Dataset of 432 examples: inputs float32[2], labels int32
}

func ExampleSunspots() {
	years, numbers, err := datasets.Sunspots()
	if err != nil {
		panic(err)
	}
	fmt.Println(len(years), years[257], numbers[257])
	// Output: 309 1957 190.2
}

func ExampleGoSource() {
	text, err := datasets.GoSource("strings")
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.Contains(text, "func Fields(s string) []string {"))
	// Output: true
}

func ExampleMNISTFrom() {
	// A folder that has other files than those of MNIST, or none, is an error.
	_, _, err := datasets.MNISTFrom("no such folder")
	fmt.Println(err != nil)
	// Output: true
}

func ExampleMNISTPath() {
	path, err := datasets.MNISTPath()
	fmt.Println(path != "", err)
	// Output: true <nil>
}

func ExampleGermanCredit() {
	d, err := data.FromCSV(datasets.GermanCredit(), data.CSVConfig{Label: "creditability", Features: []string{"age_in_years", "credit_amount"}})
	fmt.Println(d, d.ClassName(0), d.ClassName(1), err)
	// Output: Dataset of 1000 examples: inputs float32[2], labels int32 bad good <nil>
}
