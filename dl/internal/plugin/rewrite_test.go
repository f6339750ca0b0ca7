package plugin

import (
	"strings"
	"testing"
)

// TestRewritten: calls of functions that stand for foreign ones become custom calls, with their
// settings, and nothing else changes.
func TestRewritten(t *testing.T) {
	if got := Target("conv_forward", []int{1, 20}, 3); got != "gradbook_foreign__conv_forward__3_1_20" {
		t.Errorf("got the name %s", got)
	}
	const text = `module @m {
  func.func @main(%p0: tensor<3x4xf32>) -> (tensor<3x4xf32>) {
    %1, %2 = "func.call"(%p0, %0) { callee = @gradbook_foreign__conv_forward__3_1_20 } : (tensor<3x4xf32>, tensor<4xf32>) -> (tensor<3x4xf32>, tensor<f32>)
    %3 = "func.call"(%1) { callee = @gradbook_foreign__lstm__0 } : (tensor<3x4xf32>) -> tensor<3x4xf32>
    %4 = "func.call"(%3) { callee = @mine } : (tensor<3x4xf32>) -> tensor<3x4xf32>
`
	got := string(rewritten([]byte(text)))
	for _, want := range []string{
		`%1, %2 = "stablehlo.custom_call"(%p0, %0) {call_target_name = "conv_forward", api_version = 4 : i32, backend_config = {settings = array<i64: 1, 20>}} : (tensor<3x4xf32>, tensor<4xf32>) -> (tensor<3x4xf32>, tensor<f32>)`,
		`%3 = "stablehlo.custom_call"(%1) {call_target_name = "lstm", api_version = 4 : i32, backend_config = {}} : (tensor<3x4xf32>) -> tensor<3x4xf32>`,
		`%4 = "func.call"(%3) { callee = @mine }`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("expected\n%s\nin\n%s", want, got)
		}
	}
	odd := string(rewritten([]byte(`%1 = "func.call"(%0) { callee = @gradbook_foreign__lstm__0, more = 1 } : () -> ()`)))
	if !strings.Contains(odd, "@not_understood__lstm__0") {
		t.Errorf("expected a call of another form to be one that does not compile, got %s", odd)
	}
	if rewritten([]byte("module @m {}")) != nil {
		t.Error("expected a program without such calls to stay")
	}
}
