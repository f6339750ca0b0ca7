package notebooks_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/gradbook/gradbook/notebooks/internal/catalogue"
	"github.com/gradbook/gradbook/notebooks/internal/ipynb"
)

// With -tidy, outputs are taken out of the notebooks, and the Chinese ones get the
// code of the English ones:
//
//	go test ./notebooks -run TestTwins -args -tidy
var tidy = flag.Bool("tidy", false, "take outputs out, and copy code to the Chinese notebooks")

func read(t *testing.T, path string) *ipynb.Notebook {
	t.Helper()
	n, err := ipynb.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func write(t *testing.T, n *ipynb.Notebook, path string) {
	t.Helper()
	if err := n.Write(path); err != nil {
		t.Fatal(err)
	}
}

// names are the notebooks.
func names(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("*.ipynb")
	twins, err2 := filepath.Glob("zh/*.ipynb")
	if err != nil || err2 != nil || len(all) != 12 || len(twins) != len(all) {
		t.Fatalf("expected twelve notebooks and as many in Chinese, got %v, %v, %v, %v", all, twins, err, err2)
	}
	return all
}

// chapters are the notebooks but for the glossary.
func chapters(t *testing.T) []string {
	return slices.DeleteFunc(names(t), func(name string) bool { return name == "glossary.ipynb" })
}

// TestTwins: a notebook and its Chinese twin have the same cells with the same code, but
// for what the code says to readers, which the catalogue translates.
func TestTwins(t *testing.T) {
	zh, err := catalogue.Read(filepath.Join("zh", "catalogue.json"))
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	translate := func(where, code string) string {
		out, unknown := zh.Translate(code)
		for _, text := range unknown {
			t.Errorf("%s: expected %q in zh/catalogue.json, among its texts or those that stay the same", where, text)
		}
		return out
	}
	for _, name := range names(t) {
		en, twin := read(t, name), read(t, filepath.Join("zh", name))
		if len(en.Cells) != len(twin.Cells) {
			t.Errorf("%s: expected as many cells in Chinese as in English, %d, got %d", name, len(en.Cells), len(twin.Cells))
			continue
		}
		for i, c := range en.Cells {
			d, where := twin.Cells[i], name+": cell "+c.ID
			if c.ID != d.ID || c.CellType != d.CellType {
				t.Errorf("%s (%s): expected the same cell in Chinese, got %s (%s)", where, c.CellType, d.ID, d.CellType)
				break
			}
			for _, s := range catalogue.Said(c.Code() + "\n" + c.Claims()) {
				used[s.Text] = true
			}
			// What a claim says nobody reads, unless it fails.
			code, _ := zh.Translate(c.Code())
			claims, _ := zh.Translate(c.Claims())
			if !c.Tagged("test") {
				code = translate(where, c.Code())
			}
			if *tidy {
				d.SetCode(code)
				d.SetClaims(claims)
				d.Metadata = c.Metadata
			}
			if code != d.Code() || claims != d.Claims() {
				t.Errorf("%s: expected the same code in Chinese, as the catalogue has it; -args -tidy writes it", where)
			}
			if c.CellType == "markdown" && name != "glossary.ipynb" && !bilingual[name+" "+c.ID] && (hasChinese(c) || !hasChinese(d)) {
				t.Errorf("%s: expected an English and a Chinese text", where)
			}
		}
		if *tidy {
			write(t, en, name)
			write(t, twin, filepath.Join("zh", name))
		}
	}
	for text, with := range zh.Texts {
		if !used[text] {
			t.Errorf("zh/catalogue.json: %q is in no notebook", text)
		}
		if a, b := catalogue.Verbs(text), catalogue.Verbs(with); !slices.Equal(a, b) {
			t.Errorf("zh/catalogue.json: %q: expected the verbs %v, got %v in %q", text, a, b, with)
		}
	}
	for _, text := range zh.Same {
		if !used[text] {
			t.Errorf("zh/catalogue.json: %q stays the same, and is in no notebook", text)
		}
	}
}

// bilingual are cells that quote the article's Chinese in English, too.
var bilingual = map[string]bool{"04-rnn.ipynb formulas": true, "08-people.ipynb work": true, "00-start.ipynb article": true}

func hasChinese(c *ipynb.Cell) bool {
	return regexp.MustCompile(`\p{Han}`).MatchString(c.Prose())
}

// TestForm: every chapter has what a reader expects of it, cells that fit on a screen,
// and no outputs.
func TestForm(t *testing.T) {
	for _, name := range chapters(t) {
		for lang, words := range map[string][]string{
			".":  {"# ", "**Goal.**", "**You need**"},
			"zh": {"# ", "**目标。**", "**你需要**"},
		} {
			path := filepath.Join(lang, name)
			n := read(t, path)
			for _, w := range words {
				if !strings.Contains(string(n.Cells[0].Source), w) {
					t.Errorf("%s: expected %q in the first cell", path, w)
				}
			}
			count := map[string]int{}
			for _, c := range n.Cells {
				form(t, path, c)
				for _, kind := range []string{"test", "exercise", "thumbnail"} {
					if c.Tagged(kind) {
						count[kind]++
					}
				}
				if c.ID == "quiz" && strings.Contains(string(c.Source), "<details><summary>") {
					count["quiz"]++
				}
			}
			if count["test"] < 2 || count["exercise"] < 1 || count["thumbnail"] != 1 || count["quiz"] != 1 {
				t.Errorf("%s: expected tests, exercises, one thumbnail and a quiz with answers, got %v", path, count)
			}
		}
	}
}

func form(t *testing.T, path string, c *ipynb.Cell) {
	t.Helper()
	for what, code := range map[string]string{"code": c.Code(), "claims": c.Claims()} {
		lines := strings.Split(strings.TrimSuffix(code, "\n"), "\n")
		if len(lines) > 20 {
			t.Errorf("%s: cell %s: expected at most 20 lines of %s, got %d", path, c.ID, what, len(lines))
		}
		for _, l := range lines {
			if w := width(l); w > 88 {
				t.Errorf("%s: cell %s: expected at most 88 columns of %s, got %d: %s", path, c.ID, what, w, l)
			}
		}
	}
	if len(c.Outputs) > 0 || c.ExecutionCount != nil {
		t.Errorf("%s: cell %s: expected no outputs in git; -args -tidy takes them out", path, c.ID)
	}
	if c.CellType == "code" && !c.Tagged("setup") && c.Tagged("test") != strings.Contains(string(c.Source), "claim.") {
		t.Errorf("%s: cell %s: expected claims in test cells only, and a claim in each", path, c.ID)
	}
	if c.Tagged("test") && !c.Tagged("remove-cell") {
		t.Errorf("%s: cell %s: expected a test to be left out of pages", path, c.ID)
	}
	if c.Tagged("exercise") && c.Code() == "" {
		t.Errorf("%s: cell %s: expected an exercise with a hidden solution in Go", path, c.ID)
	}
}

// width is how many columns a line takes in JupyterLab: a tab has four, a Chinese
// character two.
func width(line string) (w int) {
	for _, r := range line {
		switch {
		case r == '\t':
			w += 4
		case unicode.Is(unicode.Han, r) || r >= 0x3000 && r < 0x3040 || r >= 0xff00 && r < 0xff60:
			w += 2
		default:
			w++
		}
	}
	return w
}

// TestLinks: links to other notebooks, to headings in them, and to files lead somewhere.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`)
	for _, name := range names(t) {
		for _, path := range []string{name, filepath.Join("zh", name)} {
			for _, c := range read(t, path).Cells {
				if c.CellType != "markdown" {
					continue
				}
				for _, m := range link.FindAllStringSubmatch(c.Prose(), -1) {
					to := path
					if m[1] != "" {
						to = filepath.Join(filepath.Dir(path), m[1])
					}
					if _, err := os.Stat(to); err != nil {
						t.Errorf("%s: cell %s: %v", path, c.ID, err)
					} else if m[2] != "" && !slices.Contains(headings(t, to), m[2]) {
						t.Errorf("%s: cell %s: expected a heading %q in %s", path, c.ID, m[2], to)
					}
				}
			}
		}
	}
}

// headings are those of a notebook, as links have them.
func headings(t *testing.T, path string) (list []string) {
	for _, c := range read(t, path).Cells {
		if c.CellType != "markdown" {
			continue
		}
		for line := range strings.Lines(string(c.Source)) {
			if strings.HasPrefix(line, "#") {
				text := strings.TrimSpace(strings.TrimLeft(line, "#"))
				list = append(list, strings.ReplaceAll(text, " ", "-"))
			}
		}
	}
	return list
}

// TestWords: the words of the field occur where they are taught, in both languages, and
// are in the glossary.
func TestWords(t *testing.T) {
	for name, words := range map[string][][2]string{
		"00-start":          {{"supervised", "监督学习"}, {"epoch", "轮"}},
		"01-feedforward":    {{"input layer", "输入层"}, {"output layer", "输出层"}, {"hidden layer", "隐藏层"}, {"nonlinear", "非线性"}},
		"02-backprop":       {{"stochastic", "随机"}, {"computational graph", "计算图"}, {"chain rule", "链规则"}, {"learning rate", "学习率"}},
		"03-cnn":            {{"stride", "步幅"}, {"channel", "通道"}, {"padding", "填充"}, {"receptive field", "感受野"}},
		"04-rnn":            {{"backpropagation through time", "沿时间反向传播"}, {"transformer", "Transformer"}, {"递归", "递归神经网络"}, {"baseline", "基线"}},
		"05-speech":         {{"speech", "语音"}, {"spectrogram", "频谱图"}},
		"06-generalization": {{"generalization", "泛化"}, {"overfits", "过拟合"}, {"underfits", "欠拟合"}, {"regularization", "正则化"}, {"dropout", "丢弃"}, {"early stopping", "早停"}, {"hyperparameter", "超参数"}, {"augmentation", "数据增强"}},
		"07-costs":          {{"quantization", "量化"}, {"transfer learning", "迁移学习"}, {"data parallelism", "数据并行"}},
		"08-people":         {{"black box", "黑盒"}, {"membership inference", "成员推断"}, {"medicine", "医疗"}, {"finance", "金融"}, {"职业倾向", "职业倾向"}, {"proxies", "代理变量"}},
		"09-questions":      {{"machine learning", "机器学习"}, {"logistic regression", "逻辑回归"}, {"support vector machine", "支持向量机"}},
	} {
		for k, path := range []string{name + ".ipynb", filepath.Join("zh", name+".ipynb")} {
			var text strings.Builder
			for _, c := range read(t, path).Cells {
				if c.CellType == "markdown" {
					text.WriteString(c.Prose())
				}
			}
			for _, w := range words {
				if !strings.Contains(strings.ToLower(text.String()), strings.ToLower(w[k])) {
					t.Errorf("%s: expected the word %q", path, w[k])
				}
			}
		}
	}
}

// TestArticle: the table at the end of the first notebook has every row of the article,
// and leads to a heading for each (which TestLinks looks for).
func TestArticle(t *testing.T) {
	rows := strings.Fields("1a 1b 2.1a 2.1b 2.1c 2.2 2.3 3.1 3.2.1 3.2.2 3.2.3 3.2.4 3.3 3.4 4a 4b 4c 5.1 5.2 5.3 5.4 6.1 6.2 6.3 6.4")
	for _, path := range []string{"00-start.ipynb", "zh/00-start.ipynb"} {
		table := string(read(t, path).Cell("article").Source)
		for _, row := range rows {
			line := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(row) + ` \|.*\.ipynb#.*\|$`)
			if !line.MatchString(table) {
				t.Errorf("%s: expected a row %s with a link", path, row)
			}
		}
	}
}
