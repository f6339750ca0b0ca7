package gateway

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// protocolVersion is that of Jupyter's messages.
const protocolVersion = "5.5"

var delimiter = []byte("<IDS|MSG>")

// header is a message's first part.
type header struct {
	MsgID    string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Date     string `json:"date"`
	MsgType  string `json:"msg_type"`
	Version  string `json:"version"`
	Subshell string `json:"subshell_id,omitempty"`
}

// message is one that has been checked, or that is to be sent.
type message struct {
	identities [][]byte
	header     header
	rawHeader  json.RawMessage // as it came, for replies
	parent     json.RawMessage
	metadata   json.RawMessage
	content    json.RawMessage
	buffers    [][]byte
}

// maxSignatures is how many signatures are remembered, to know a replay.
const maxSignatures = 1 << 16

// signer signs and checks messages.
//
// Source: https://jupyter-client.readthedocs.io/en/stable/messaging.html#wire-protocol
type signer struct {
	key  []byte
	seen map[string]bool
}

var (
	errFrames    = errors.New("not in the form of a message")
	errSignature = errors.New("wrong signature")
	errReplay    = errors.New("a message that was here before")
)

func (s *signer) sign(parts ...[]byte) string {
	if len(s.key) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, s.key)
	for _, p := range parts {
		mac.Write(p)
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// parse checks frames and makes a message of them.
func (s *signer) parse(frames [][]byte) (*message, error) {
	at := -1
	for i, f := range frames {
		if bytes.Equal(f, delimiter) {
			at = i
			break
		}
	}
	if at < 0 || len(frames) < at+6 {
		return nil, errFrames
	}
	parts := frames[at+2 : at+6]
	if len(s.key) > 0 {
		given, err := hex.DecodeString(string(frames[at+1]))
		if err != nil {
			return nil, errSignature
		}
		want, _ := hex.DecodeString(s.sign(parts...))
		if !hmac.Equal(given, want) {
			return nil, errSignature
		}
		if s.seen[string(given)] {
			return nil, errReplay
		}
		if s.seen == nil || len(s.seen) >= maxSignatures {
			s.seen = map[string]bool{}
		}
		s.seen[string(given)] = true
	}
	m := &message{identities: frames[:at], rawHeader: parts[0], parent: parts[1], metadata: parts[2], content: parts[3], buffers: frames[at+6:]}
	if err := json.Unmarshal(parts[0], &m.header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	for _, p := range parts[1:] {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(p, &object); err != nil {
			return nil, fmt.Errorf("%s: expected JSON objects: %w", m.header.MsgType, err)
		}
	}
	if m.header.MsgID == "" || m.header.MsgType == "" {
		return nil, errFrames
	}
	return m, nil
}

// frames writes a message as frames.
func (s *signer) frames(m *message) [][]byte {
	head, err := json.Marshal(m.header)
	if err != nil {
		panic(err) // it holds nothing but strings
	}
	or := func(b []byte) []byte {
		if len(b) == 0 {
			return []byte("{}")
		}
		return b
	}
	parts := [][]byte{head, or(m.parent), or(m.metadata), or(m.content)}
	out := append([][]byte{}, m.identities...)
	out = append(out, delimiter, []byte(s.sign(parts...)))
	return append(append(out, parts...), m.buffers...)
}

func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}

// encode is JSON without Go's escapes for HTML.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return encode(map[string]any{"status": "error", "ename": "EncodingError", "evalue": err.Error(), "traceback": []string{}})
	}
	return bytes.TrimSpace(b.Bytes())
}

func (g *Gateway) newHeader(msgType string) header {
	return header{MsgID: newID(), Session: g.session, Username: "kernel", Date: time.Now().UTC().Format(time.RFC3339Nano), MsgType: msgType, Version: protocolVersion}
}
