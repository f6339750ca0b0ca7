package viz

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"html"
	"math"
)

// Sound is something to listen to.
type Sound struct {
	wav  []byte
	text string
}

// Audio makes a sound of samples from −1 to 1, of which rate make a second. The words
// say what is heard.
func Audio(samples []float32, rate int, words string) (*Sound, error) {
	if len(samples) == 0 || rate < 1000 || rate > 192000 {
		return nil, fmt.Errorf("viz: audio: expected samples, at 1,000 to 192,000 a second, got %d at %d", len(samples), rate)
	}
	// Source: the RIFF WAVE format, 16-bit PCM, one channel.
	size := 2 * len(samples)
	wav := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(36+size))...)
	wav = append(wav, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"...)
	wav = binary.LittleEndian.AppendUint32(wav, uint32(rate))
	wav = binary.LittleEndian.AppendUint32(wav, uint32(2*rate))
	wav = append(wav, "\x02\x00\x10\x00data"...)
	wav = binary.LittleEndian.AppendUint32(wav, uint32(size))
	for i, v := range samples {
		if math.IsNaN(float64(v)) {
			return nil, fmt.Errorf("viz: audio: sample %d is no number", i)
		}
		wav = binary.LittleEndian.AppendUint16(wav, uint16(int16(math.Round(32767*float64(max(-1, min(1, v)))))))
	}
	return &Sound{wav, visible(words)}, nil
}

// WAV is the sound as a file.
func (s *Sound) WAV() []byte { return s.wav }

// String says what is heard.
func (s *Sound) String() string { return s.text }

// Bundle implements Viewable.
func (s *Sound) Bundle() (Bundle, error) {
	return Bundle{
		MIMEPlain: s.text,
		MIMEHTML:  fmt.Sprintf(`<audio controls aria-label="%s" src="data:audio/wav;base64,%s"></audio>`, html.EscapeString(s.text), base64.StdEncoding.EncodeToString(s.wav)),
	}, nil
}
