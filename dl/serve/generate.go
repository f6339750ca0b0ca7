package serve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"
)

// LanguageModel is a Model that says which token follows others: of one input of whole numbers,
// as many as its context is long, and one output of a number for each token at each place
// (logits, or probabilities).
type LanguageModel interface {
	Model
	// Tokenizer is nil, false if the model is none of language.
	Tokenizer() (Tokenizer, bool)
}

// Tokenizer makes numbers of texts, and texts of numbers.
type Tokenizer interface {
	Tokens(text string) []int
	Text(tokens []int) string
}

// generator has a model of language go on with texts.
type generator struct {
	l         *loaded
	tokenizer Tokenizer
	context   int // tokens that the model sees
	tokens    int // that it knows
}

func newGenerator(l *loaded, m Model) *generator {
	lm, ok := m.(LanguageModel)
	if !ok {
		return nil
	}
	t, ok := lm.Tokenizer()
	if !ok {
		return nil
	}
	d := l.described
	if len(d.Inputs) != 1 || len(d.Outputs) != 1 || len(d.Inputs[0].Shape) != 1 || len(d.Outputs[0].Shape) != 2 || d.Outputs[0].Shape[0] != d.Inputs[0].Shape[0] {
		return nil
	}
	return &generator{l, t, d.Inputs[0].Shape[0], d.Outputs[0].Shape[1]}
}

// sampling is how the next token is chosen.
type sampling struct {
	temperature, topP float64
	most              int
	stop              []string
	random            *rand.Rand
}

// generate goes on with a prompt, and calls say for each piece of text that is whole: no part of
// a letter, nor of what ends the text. why is "stop" or "length".
func (g *generator) generate(ctx context.Context, prompt string, s sampling, say func(text string) error) (n int, why string, err error) {
	tokens := g.tokenizer.Tokens(prompt)
	for _, t := range tokens {
		if t < 0 || t >= g.tokens {
			return 0, "", bad("the text has a token %d, which the model does not know", t)
		}
	}
	var made []int
	said := 0
	for len(made) < s.most {
		next, err := g.next(ctx, append(tokens, made...), s)
		if err != nil {
			return len(made), "", err
		}
		made = append(made, next)
		g.l.batcher.stats.tokens.Inc()
		text := g.tokenizer.Text(made)
		end := len(text)
		for _, stop := range s.stop {
			if at := strings.Index(text, stop); at >= 0 {
				end = min(end, at)
			}
		}
		if end < len(text) {
			return len(made), "stop", sayUpTo(text, &said, end, say)
		}
		if err := sayUpTo(text, &said, settled(text, s.stop), say); err != nil {
			return len(made), "", err
		}
	}
	text := g.tokenizer.Text(made)
	return len(made), "length", sayUpTo(text, &said, len(text), say)
}

func sayUpTo(text string, said *int, end int, say func(string) error) error {
	if end <= *said {
		return nil
	}
	piece := text[*said:end]
	*said = end
	return say(piece)
}

// settled is how much of a text stays as it is, whatever follows.
func settled(text string, stop []string) int {
	end := len(text)
	for k := 1; k <= min(utf8.UTFMax-1, end); k++ { // an incomplete letter at the end
		if c := text[end-k]; utf8.RuneStart(c) {
			if !utf8.FullRuneInString(text[end-k:]) {
				end -= k
			}
			break
		}
	}
	for _, s := range stop { // the beginning of what may end the text
		for k := min(len(s)-1, len(text)); k > 0; k-- {
			if strings.HasSuffix(text, s[:k]) {
				end = min(end, len(text)-k)
				break
			}
		}
	}
	return end
}

// next is the token that follows others.
func (g *generator) next(ctx context.Context, tokens []int, s sampling) (int, error) {
	if len(tokens) > g.context {
		tokens = tokens[len(tokens)-g.context:]
	}
	x := Tensor{[]int{1, g.context}, make([]float32, g.context)}
	for i, t := range tokens {
		x.Data[i] = float32(t)
	}
	o, err := g.l.batcher.predict(ctx, g.l.described, []Tensor{x}, 1)
	if err != nil {
		return 0, err
	}
	at := max(0, len(tokens)-1) * g.tokens
	return choose(logarithms(o.outputs[0].Data[at:at+g.tokens]), s)
}

// logarithms are those of probabilities, which a model returns that ends in a softmax: they are
// not below 0, and their sum is 1. Other numbers are logarithms already.
func logarithms(x []float32) []float64 {
	scores, sum, negative := make([]float64, len(x)), 0.0, false
	for i, v := range x {
		scores[i] = float64(v)
		sum += scores[i]
		negative = negative || v < 0
	}
	if !negative && math.Abs(sum-1) < 1e-3 {
		for i, v := range scores {
			scores[i] = math.Log(v)
		}
	}
	return scores
}

// choose draws a token by its scores, among those that together have a probability of topP.
func choose(scores []float64, s sampling) (int, error) {
	best := 0
	for i, v := range scores {
		if math.IsNaN(v) {
			return 0, fmt.Errorf("the model says NaN of token %d", i)
		}
		if v > scores[best] {
			best = i
		}
	}
	if s.temperature == 0 || math.IsInf(scores[best], 0) {
		return best, nil
	}
	order, p, sum := make([]int, len(scores)), make([]float64, len(scores)), 0.0
	for i, v := range scores {
		order[i] = i
		p[i] = math.Exp((v - scores[best]) / s.temperature)
		sum += p[i]
	}
	slices.SortFunc(order, func(a, b int) int {
		if p[a] != p[b] {
			return map[bool]int{true: -1, false: 1}[p[a] > p[b]]
		}
		return a - b
	})
	kept, n := 0.0, 0
	for n < len(order) && (n == 0 || kept < s.topP*sum) {
		kept += p[order[n]]
		n++
	}
	at := s.random.Float64() * kept
	for _, i := range order[:n] {
		if at -= p[i]; at < 0 {
			return i, nil
		}
	}
	return order[n-1], nil
}

var errNoLanguage = errors.New("the model is none of language")
