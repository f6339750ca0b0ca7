// Export is what "gradbook export" runs for models: gradbook itself is built without cgo, and so without dl.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/gradbook/gradbook/dl/export"
)

func main() {
	var c export.Config
	format := flag.String("format", "", "what the model becomes")
	dir := flag.String("output", "", "the folder")
	flag.StringVar(&c.Package, "package", "", "the name of the package")
	flag.BoolVar(&c.Int8, "int8", false, "weights of 8 bits")
	labels := flag.String("labels", "", "names of classes, with commas between them")
	flag.Parse()
	c.Format = export.Format(*format)
	if *labels != "" {
		c.Labels = strings.Split(*labels, ",")
	}
	if err := export.File(flag.Arg(0), *dir, c); err != nil {
		fmt.Fprintln(os.Stderr, "gradbook:", err)
		os.Exit(1)
	}
}
