package serve

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// Chat completions in OpenAI's form. What it cannot do is an error that names it.
//
// Source: https://platform.openai.com/docs/api-reference/chat

type chatRequest struct {
	Model               string          `json:"model"`
	Messages            []chatMessage   `json:"messages"`
	Stream              bool            `json:"stream"`
	StreamOptions       *streamOptions  `json:"stream_options"`
	Temperature         *float64        `json:"temperature"`
	TopP                *float64        `json:"top_p"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	Stop                json.RawMessage `json:"stop"`
	Seed                *uint64         `json:"seed"`
	N                   *int            `json:"n"`

	// What would change the answer, and cannot be honoured.
	Tools            json.RawMessage `json:"tools"`
	Functions        json.RawMessage `json:"functions"`
	Logprobs         bool            `json:"logprobs"`
	LogitBias        json.RawMessage `json:"logit_bias"`
	ResponseFormat   json.RawMessage `json:"response_format"`
	PresencePenalty  float64         `json:"presence_penalty"`
	FrequencyPenalty float64         `json:"frequency_penalty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type chatMessage struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// text is a message's text, which may be in parts.
func (m chatMessage) text() (string, error) {
	var text string
	if json.Unmarshal(m.Content, &text) == nil {
		return text, nil
	}
	var parts []struct{ Type, Text string }
	if err := json.Unmarshal(m.Content, &parts); err != nil {
		return "", bad("messages: expected content of text")
	}
	for _, p := range parts {
		if p.Type != "text" {
			return "", bad("messages: content of type %q is not supported", p.Type)
		}
		text += p.Text
	}
	return text, nil
}

// chat goes on with what the messages say, one after the other: models here are trained on plain
// text, so roles have no words of their own.
func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	c := new(chatRequest)
	if err := json.NewDecoder(r.Body).Decode(c); err != nil {
		chatError(w, bad("the request is not JSON of the form that chat completions have: %w", err))
		return
	}
	l, release, err := s.registry.get(c.Model, "")
	if err != nil {
		chatError(w, err)
		return
	}
	defer release()
	if l.generator == nil {
		chatError(w, bad("model %q: %w", c.Model, errNoLanguage))
		return
	}
	prompt, how, err := c.sampling()
	if err != nil {
		chatError(w, err)
		return
	}
	reply := &chatReply{w: w, id: "chatcmpl-" + randomID(), created: time.Now().Unix(), model: c.Model, stream: c.Stream, usage: c.StreamOptions != nil && c.StreamOptions.IncludeUsage}
	reply.prompt = len(l.generator.tokenizer.Tokens(prompt))
	reply.run(r.Context(), l.generator, prompt, how)
}

func (c *chatRequest) sampling() (prompt string, how sampling, err error) {
	for name, set := range map[string]bool{
		"tools": given(c.Tools), "functions": given(c.Functions), "logprobs": c.Logprobs, "logit_bias": given(c.LogitBias),
		"presence_penalty": c.PresencePenalty != 0, "frequency_penalty": c.FrequencyPenalty != 0,
		"response_format": given(c.ResponseFormat) && !strings.Contains(string(c.ResponseFormat), `"text"`), "n": c.N != nil && *c.N != 1,
	} {
		if set {
			return "", how, bad("%s is not supported", name)
		}
	}
	if len(c.Messages) == 0 {
		return "", how, bad("messages: expected at least one")
	}
	for _, m := range c.Messages {
		text, err := m.text()
		if err != nil {
			return "", how, err
		}
		prompt += text
	}
	if prompt == "" {
		return "", how, bad("messages: expected text to go on with, got none")
	}
	how = sampling{temperature: 1, topP: 1, most: 256}
	if c.Temperature != nil {
		how.temperature = *c.Temperature
	}
	if c.TopP != nil {
		how.topP = *c.TopP
	}
	for _, most := range []*int{c.MaxTokens, c.MaxCompletionTokens} {
		if most != nil {
			how.most = *most
		}
	}
	if how.temperature < 0 || how.temperature > 2 || how.topP <= 0 || how.topP > 1 || how.most < 1 || how.most > 1<<16 {
		return "", how, bad("expected a temperature from 0 to 2, a top_p up to 1 and max_tokens from 1 to %d", 1<<16)
	}
	seed := mathrand.Uint64()
	if c.Seed != nil {
		seed = *c.Seed
	}
	how.random = mathrand.New(mathrand.NewPCG(seed, seed))
	how.stop, err = stops(c.Stop)
	return prompt, how, err
}

func given(v json.RawMessage) bool {
	text := string(v)
	return text != "" && text != "null" && text != "[]" && text != "{}"
}

// stops are the texts that end an answer: one, or several.
func stops(v json.RawMessage) ([]string, error) {
	if !given(v) {
		return nil, nil
	}
	var one string
	if json.Unmarshal(v, &one) == nil {
		return []string{one}, nil
	}
	var all []string
	if err := json.Unmarshal(v, &all); err != nil {
		return nil, bad("stop: expected a text, or a list of them")
	}
	for _, s := range all {
		if s == "" {
			return nil, bad("stop: expected texts that are not empty")
		}
	}
	return all, nil
}

func randomID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // which never fails
	return hex.EncodeToString(b[:])
}

// chatReply is an answer, at once or as a stream of events.
type chatReply struct {
	w             http.ResponseWriter
	id, model     string
	created       int64
	prompt        int
	stream, usage bool
	begun         bool
	text          strings.Builder
}

func (c *chatReply) run(ctx context.Context, g *generator, prompt string, how sampling) {
	n, why, err := g.generate(ctx, prompt, how, func(text string) error {
		if !c.stream {
			c.text.WriteString(text)
			return nil
		}
		return c.piece(map[string]any{"content": text}, nil)
	})
	usage := map[string]int{"prompt_tokens": c.prompt, "completion_tokens": n, "total_tokens": c.prompt + n}
	switch {
	case err != nil && !c.begun:
		chatError(c.w, err)
	case err != nil: // the answer has begun: the stream ends with what went wrong
		_ = c.event(map[string]any{"error": map[string]any{"message": err.Error(), "type": "server_error"}})
	case !c.stream:
		writeJSON(c.w, 200, map[string]any{
			"id": c.id, "object": "chat.completion", "created": c.created, "model": c.model, "usage": usage,
			"choices": []any{map[string]any{"index": 0, "finish_reason": why, "message": map[string]any{"role": "assistant", "content": c.text.String()}}},
		})
	default:
		_ = c.piece(map[string]any{}, &why)
		if c.usage {
			_ = c.event(map[string]any{"id": c.id, "object": "chat.completion.chunk", "created": c.created, "model": c.model, "choices": []any{}, "usage": usage})
		}
		_, _ = io.WriteString(c.w, "data: [DONE]\n\n")
	}
}

// piece sends a part of the text.
func (c *chatReply) piece(delta map[string]any, why *string) error {
	if !c.begun {
		delta["role"] = "assistant"
	}
	return c.event(map[string]any{
		"id": c.id, "object": "chat.completion.chunk", "created": c.created, "model": c.model,
		"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": why}},
	})
}

// event sends an event to the client, who may be slow or gone: it has ten seconds for each.
func (c *chatReply) event(v any) error {
	if !c.begun {
		c.begun = true
		c.w.Header().Set("Content-Type", "text/event-stream")
		c.w.Header().Set("Cache-Control", "no-cache")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	control := http.NewResponseController(c.w)
	_ = control.SetWriteDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintf(c.w, "data: %s\n\n", b); err != nil {
		return err
	}
	return control.Flush()
}

// chatError is an error in OpenAI's form.
func chatError(w http.ResponseWriter, err error) {
	status := statusOf(err)
	kind := "invalid_request_error"
	if status >= 500 {
		kind = "server_error"
	}
	writeJSON(w, status, map[string]any{"error": map[string]any{"message": err.Error(), "type": kind, "code": nil, "param": nil}})
}

func (s *Server) chatModels(w http.ResponseWriter, _ *http.Request) {
	all := []any{}
	for _, name := range s.registry.names() {
		if l, err := s.registry.find(name, ""); err == nil && l.generator != nil {
			all = append(all, map[string]any{"id": name, "object": "model", "created": l.file.modified.Unix(), "owned_by": serverName})
		}
	}
	writeJSON(w, 200, map[string]any{"object": "list", "data": all})
}
