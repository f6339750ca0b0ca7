package catalogue_test

import (
	"fmt"
	"testing"

	"github.com/gradbook/gradbook/notebooks/internal/catalogue"
)

func Example() {
	zh := catalogue.Catalogue{
		Texts: map[string]string{"accuracy %.3f\n": "准确率 %.3f\n", "the loss": "损失"},
		Same:  []string{"conv2d"},
	}
	code, unknown := zh.Translate("// the loss\nfmt.Printf(\"accuracy %.3f\\n\", a, \"conv2d\", \"epoch\", \"%-6d\")")
	fmt.Println(code)
	fmt.Println(unknown)
	// Output:
	// // 损失
	// fmt.Printf("准确率 %.3f\n", a, "conv2d", "epoch", "%-6d")
	// [epoch]
}

func TestVerbs(t *testing.T) {
	if v := fmt.Sprint(catalogue.Verbs("%-8s %5.1f %% of %[2]d")); v != "[%-8s %5.1f %% %[2]d]" {
		t.Error(v)
	}
}
