package viz

import (
	"fmt"
	"slices"
	"sync/atomic"
)

// SetLanguage sets the language of what charts say of themselves: names of axes, of
// curves and of frames, and the words for those who cannot see a chart. It is "en",
// which is the default, or "zh". What a program gives a chart to say stays as it is.
func SetLanguage(language string) error {
	if language != "en" && words[language] == nil {
		return fmt.Errorf("viz: expected a language among en and zh, got %q", language)
	}
	current.Store(&language)
	return nil
}

var current atomic.Pointer[string]

// say says something in the current language, formatted as by fmt.Sprintf. A
// translation has the same verbs in the same order.
func say(format string, args ...any) string {
	if l := current.Load(); l != nil {
		if f, ok := words[*l][format]; ok {
			format = f
		}
	}
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// named says a name that may be one of viz's own: a measure's, "val_" and all.
func named(name string) string {
	if slices.Contains(known, name) {
		return say(name)
	}
	return name
}

// said says names.
func said(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = named(name)
	}
	return out
}

// known are the names of measures that are said in the current language.
var known = []string{"learning rate", "loss", "accuracy", "val_loss", "val_accuracy", "binary_accuracy", "val_binary_accuracy"}

// words are translations, by what is said in English.
var words = map[string]map[string]string{"zh": {
	"epoch": "轮", "epoch %d": "第 %d 轮", "step": "步", "unit": "单元", "learning rate": "学习率",
	"loss": "损失", "log₁₀ loss": "log₁₀ 损失", "accuracy": "准确率", "val_loss": "验证损失", "val_accuracy": "验证准确率",
	"binary_accuracy": "准确率", "val_binary_accuracy": "验证准确率",
	"training": "训练", "validation": "验证", "interval": "区间", "examples": "样本",
	"predicted": "预测", "true": "真实", "true %s, predicted %s: %d": "真实 %s，预测 %s：%d",
	"confusion matrix of %d classes: %d of %d right": "%d 类的混淆矩阵：%d / %d 正确",
	"decision boundaries: ":                          "决策边界：", "decision boundary among ": "决策边界：",
	"place %d of %d: %s": "位置 %d / %d：%s", "image": "图像", "kernel": "卷积核", "output": "输出",
	"convolution of %d × %d with %d × %d, stride %d, to %d × %d": "%d × %d 与 %d × %d 的卷积，步幅 %d，得到 %d × %d",
	"embedding of ": "嵌入：", "points": "点", "%d points": "%d 个点", "%s (number %d)\n%s, %s": "%s（第 %d 个）\n%s, %s",
	"flame chart: ": "火焰图：", "%s in all": "共 %s",
	"heat map of %d × %d values from %s to %s": "%d × %d 的热图，数值从 %s 到 %s",
	"query": "查询", "key": "键", "head %d of %d": "第 %d 个头，共 %d 个", "attention of %d heads; ": "%d 个头的注意力；",
	"%d images": "%d 张图像", "loss landscape": "损失曲面", "saliency over an image of %d × %d": "%d × %d 图像上的显著性",
	"lines": "曲线", "%s: no finite value": "%s：没有有限的值", "%s: %d points from %s to %s": "%s：%d 个点，从 %s 到 %s",
	"%d of %d epochs in %s": "%d / %d 轮，用时 %s", "epoch %d of %d, batch %d of %d": "第 %d / %d 轮，批量 %d / %d",
	"epoch %d of %d, batch %d": "第 %d / %d 轮，批量 %d", "%s a step": "每步 %s", "%s left": "还剩 %s", "\n%s taken for %s: %d": "\n%s 被认成 %s：%d", "%.0f examples a second": "每秒 %.0f 个样本", "rate %s": "学习率 %s",
	"forward %d of %d: %s": "前向 %d / %d：%s", "loss %s": "损失 %s", "backward: gradients of %s": "反向：%s 的梯度",
	"%s, neuron %d": "%s，神经元 %d", "weight": "权重", "gradient of the weight": "权重的梯度", "\nactivation %.5g": "\n激活值 %.5g", "\ngradient of the loss %.5g": "\n损失的梯度 %.5g", " (%d of %d)": "（%d / %d）", "\n%s, %d neurons:": "\n%s，%d 个神经元：", "network of %d layers, loss %s": "%d 层的网络，损失 %s",
	"batches": "批量", "%s of each layer": "各层的%s", "activations": "激活值", "gradients": "梯度", "weights": "权重",
	"false positive rate": "假正率", "true positive rate": "真正率", "recall": "召回率", "precision": "精确率",
	"chance": "随机", "area %.4f": "面积 %.4f", "average precision %.4f": "平均精确率 %.4f",
	"expected calibration error %.4f": "期望校准误差 %.4f", "number of cases": "个数", "predicted probability": "预测概率", "share that is right": "正确的比例",
	"model": "模型", "perfect": "完全校准", "cases": "个数", "norm of the gradient": "梯度的范数",
	"attribution": "归因", "attributions over an image of %d × %d, from %s to %s": "%d × %d 图像上的归因，从 %s 到 %s", "attributions of %d of %d columns": "%d / %d 列的归因",
	"demographic parity": "人口均等", "equal opportunity": "机会均等", "false positives": "假阳性", "predictive parity": "预测均等",
	"selected, of all": "所有人中被选中的比例", "selected, of those whose label is 1": "标签为 1 者中被选中的比例", "selected, of those whose label is 0": "标签为 0 者中被选中的比例",
	"label 1, of those selected": "被选中者中标签为 1 的比例", "decided rightly, of all": "判断正确的比例", "a group has no cases": "有一组没有个案",
	"%s: %.1f points (%.1f to %.1f)": "%s：相差 %.1f 个百分点（%.1f 到 %.1f）", "%s: %.0f points (%.0f to %.0f)": "%s：%.0f 个百分点（%.0f 到 %.0f）", ", maybe chance": "，可能是偶然", "group": "组", "label 1": "标签为 1",
	"%d filters of %d × %d, values from %s to %s":      "%d 个 %d × %d 的卷积核，数值从 %s 到 %s",
	"%d feature maps of %d × %d, values from %s to %s": "%d 张 %d × %d 的特征图，数值从 %s 到 %s",
}}
