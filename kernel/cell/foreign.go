package cell

import "regexp"

// foreign are names of other languages, and of Keras's friends, and what stands for them here.
var foreign = map[string]string{
	"True": "did you mean true?", "False": "did you mean false?", "None": "did you mean nil?", "null": "did you mean nil?",
	"str": "fmt.Sprint(x) makes a string of a value", "input": "fmt.Scan(&x) reads what is typed", "enumerate": "for i, v := range list has both number and value",
	"zip": "for i := range a, with a[i] and b[i], goes through two lists", "list": "[]float64{1, 2, 3} is a list", "dict": `map[string]int{"a": 1} is a dictionary`,
	"np": "numbers in several axes are tensors: tensors.FromValue([][]float32{{1, 2}, {3, 4}})", "plt": "charts are made by viz: viz.Lines(viz.LinesConfig{}, viz.Series{Y: y})",
	"pd": "tables are read by data.FromCSV", "keras": "Keras's names are in dl and the packages beside it: dl.Sequential(layers.Dense{Units: 10})",
	"tf": "Keras's names are in dl and the packages beside it: dl.Sequential(layers.Dense{Units: 10})", "torch": "networks are built of layers: dl.Sequential(layers.Dense{Units: 10})",
	"self": "a method's receiver has a name of your own: func (m *Model) Name()", "this": "a method's receiver has a name of your own: func (m *Model) Name()",
	"console": "fmt.Println prints", "printf": "did you mean fmt.Printf?", "Printf": "did you mean fmt.Printf?", "Println": "did you mean fmt.Println?", "Sprintf": "did you mean fmt.Sprintf?", "let": "x := 3 declares a variable", "elif": "did you mean else if?",
}

// modules are those that a name before a dot most often means, where it is no package that is
// there.
var modules = map[string]string{
	"yaml": "gopkg.in/yaml.v3", "toml": "github.com/BurntSushi/toml", "uuid": "github.com/google/uuid", "decimal": "github.com/shopspring/decimal",
	"lo": "github.com/samber/lo", "zap": "go.uber.org/zap", "logrus": "github.com/sirupsen/logrus", "zerolog": "github.com/rs/zerolog",
	"cobra": "github.com/spf13/cobra", "viper": "github.com/spf13/viper", "gin": "github.com/gin-gonic/gin", "echo": "github.com/labstack/echo/v4",
	"chi": "github.com/go-chi/chi/v5", "mux": "github.com/gorilla/mux", "websocket": "github.com/coder/websocket", "redis": "github.com/redis/go-redis/v9",
	"pgx": "github.com/jackc/pgx/v5", "sqlx": "github.com/jmoiron/sqlx", "gorm": "gorm.io/gorm", "excelize": "github.com/xuri/excelize/v2",
	"assert": "github.com/stretchr/testify/assert", "require": "github.com/stretchr/testify/require", "plotter": "gonum.org/v1/plot/plotter", "plot": "gonum.org/v1/plot",
	"mongo": "go.mongodb.org/mongo-driver/v2/mongo", "prometheus": "github.com/prometheus/client_golang/prometheus", "errgroup": "golang.org/x/sync/errgroup",
	"dataframe": "github.com/go-gota/gota/dataframe", "colly": "github.com/gocolly/colly/v2", "goquery": "github.com/PuerkitoBio/goquery",
}

// python are lines as Python has them, which Go's parser cannot read, and what to write.
var python = []struct {
	line *regexp.Regexp
	say  string
}{
	{regexp.MustCompile(`^\s*(?:from\s+[\w.]+\s+)?import\s+\w[\w.]*(?:\s*,\s*\w+)*(?:\s+as\s+\w+)?\s*$`), `packages that are there need no import in a cell: write layers.Dense{Units: 10}; others are imported as import "path"`},
	{regexp.MustCompile(`^\s*def\s+(\w+)\s*\(.*\).*:\s*$`), "a function is func $1(x float64) float64 { return x }"},
	{regexp.MustCompile(`^\s*class\s+(\w+).*:\s*$`), "a type is type $1 struct { … }, and its methods are functions: func (x $1) Name() { … }"},
	{regexp.MustCompile(`^\s*for\s+(\w+)\s+in\s+range\(\s*([^,()]+)\s*\)\s*:\s*$`), "a loop is for $1 := range $2 { … }"},
	{regexp.MustCompile(`^\s*for\s+(\w+)\s+in\s+(.+?)\s*:\s*$`), "a loop is for _, $1 := range $2 { … }"},
	{regexp.MustCompile(`^\s*while\s+(.+?)\s*:\s*$`), "a loop is for $1 { … }"},
	{regexp.MustCompile(`^\s*(?:if|elif)\s+(.+?)\s*:\s*$`), "a condition is if $1 { … }, and else if $1 { … }"},
	{regexp.MustCompile(`^\s*else\s*:\s*$`), "an alternative is } else { … }"},
	{regexp.MustCompile(`^\s*(?:try|except.*|finally|with\s.*)\s*:\s*$`), "errors are values: x, err := f(), and if err != nil { … }"},
	{regexp.MustCompile(`(\w+)\.fit\(`), "training is $1.Fit(ctx, train, dl.FitConfig{Epochs: 5})"},
	{regexp.MustCompile(`(\w+)\.compile\(`), "compiling is $1.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{}, Loss: losses.SparseCategoricalCrossentropy{}})"},
	{regexp.MustCompile(`\b(?:Sequential|Model)\(\s*\[`), "a model is dl.Sequential(layers.Dense{Units: 10}, …)"},
	{regexp.MustCompile(`\b[\w.]+\([^()]*\b\w+\s*=\s*[^=]`), "arguments have no names; settings are fields: layers.Conv2D{Filters: 32, KernelSize: [2]int{3, 3}}"},
	{regexp.MustCompile(`^\s*#`), "a comment begins with //"},
	{regexp.MustCompile(`\bf["']`), `values are put into text by fmt.Sprintf("%v", x)`},
	{regexp.MustCompile(`'[^'\\]{2,}'`), `text is in double quotes: "text"`},
	{regexp.MustCompile(`\*\*`), "a power is math.Pow(x, 2)"},
	{regexp.MustCompile(`\blambda\b`), "a function without a name is func(x float64) float64 { return x }"},
	{regexp.MustCompile(`\bnot\s+\w`), "not is !, and is &&, or is ||"},
	{regexp.MustCompile(`\w\s+(?:and|or)\s+\w`), "not is !, and is &&, or is ||"},
	{regexp.MustCompile(`^\s*(\w+)\s*=\s*\[`), "a list is $1 := []float64{1, 2, 3}"},
	{regexp.MustCompile(`^\s*(\w+)\s*=\s*\{`), `a dictionary is $1 := map[string]int{"a": 1}`},
	{regexp.MustCompile(`^\s*print\s+\S`), "printing is fmt.Println(x)"},
}

// asPython says what to write for a line of Python; "" if it does not look like one.
func asPython(line string) string {
	for _, p := range python {
		if m := p.line.FindStringSubmatchIndex(line); m != nil {
			return "in Go, " + string(p.line.ExpandString(nil, p.say, line, m))
		}
	}
	return ""
}
