package callbacks

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// TensorBoard writes the logs for TensorBoard to show: into LogDir/train, and what is
// measured on validation data into LogDir/validation, under names such as epoch_loss.
// It is used by address, as it keeps files open.
//
//	tensorboard --logdir logs
//
// Source: https://keras.io/api/callbacks/tensorboard/
type TensorBoard struct {
	Base
	// LogDir "" means "logs".
	LogDir string
	// UpdateFreq writes also after so many batches, as batch_loss and the like,
	// which waits for the device; 0 means after epochs only.
	UpdateFreq int

	files map[string]*events
	step  int64
}

// OnTrainBegin implements Callback.
func (b *TensorBoard) OnTrainBegin(*Training) error {
	b.files, b.step = make(map[string]*events), 0
	return nil
}

// OnTrainBatchEnd implements Callback.
func (b *TensorBoard) OnTrainBatchEnd(t *Training) error {
	b.step++
	if b.UpdateFreq <= 0 || b.step%int64(b.UpdateFreq) != 0 {
		return nil
	}
	logs, err := t.Logs()
	if err != nil {
		return err
	}
	return b.write("train", "batch_", logs, b.step-1)
}

// OnEpochEnd implements Callback.
func (b *TensorBoard) OnEpochEnd(t *Training, logs Logs) error {
	training, validation := make(Logs), make(Logs)
	for name, v := range logs {
		if val, ok := strings.CutPrefix(name, "val_"); ok {
			validation[val] = v
		} else {
			training[name] = v
		}
	}
	training["learning_rate"] = t.LearningRate()
	if err := b.write("train", "epoch_", training, int64(t.Epoch)); err != nil {
		return err
	}
	if len(validation) == 0 {
		return nil
	}
	return b.write("validation", "epoch_", validation, int64(t.Epoch))
}

// OnTrainEnd implements Callback.
func (b *TensorBoard) OnTrainEnd(*Training) error {
	var err error
	for _, f := range b.files {
		if e := f.file.Close(); err == nil {
			err = e
		}
	}
	return err
}

func (b *TensorBoard) write(run, prefix string, logs Logs, step int64) error {
	f := b.files[run]
	if f == nil {
		dir := b.LogDir
		if dir == "" {
			dir = "logs"
		}
		var err error
		if f, err = newEvents(filepath.Join(dir, run)); err != nil {
			return err
		}
		b.files[run] = f
	}
	var names []string
	for n := range logs {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		if err := f.scalar(prefix+n, logs[n], step); err != nil {
			return err
		}
	}
	return nil
}

// events is a file of TensorFlow's events: records of a length, the length's checksum,
// a message of protocol buffers, and its checksum.
//
// Source: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/event.proto
// and the record format of https://www.tensorflow.org/tutorials/load_data/tfrecord
type events struct {
	file *os.File
}

func newEvents(dir string) (*events, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	now := time.Now()
	name := fmt.Sprintf("events.out.tfevents.%d.%s.%d.%d.v2", now.Unix(), host, os.Getpid(), now.Nanosecond())
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	e := &events{f}
	version := protowire.AppendTag(nil, 3, protowire.BytesType)
	return e, e.record(e.event(0, protowire.AppendString(version, "brain.Event:2")))
}

// event is the message Event with a time, a step and what it is about.
func (e *events) event(step int64, what []byte) []byte {
	var b []byte
	b = protowire.AppendTag(b, 1, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(float64(time.Now().UnixNano())/1e9))
	b = protowire.AppendTag(b, 2, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(step))
	return append(b, what...)
}

// scalar writes a number.
func (e *events) scalar(tag string, v float64, step int64) error {
	var plugin, metadata, value, summary, what []byte
	plugin = protowire.AppendTag(plugin, 1, protowire.BytesType)
	plugin = protowire.AppendString(plugin, "scalars")
	metadata = protowire.AppendTag(metadata, 1, protowire.BytesType)
	metadata = protowire.AppendBytes(metadata, plugin)
	value = protowire.AppendTag(value, 1, protowire.BytesType)
	value = protowire.AppendString(value, tag)
	value = protowire.AppendTag(value, 2, protowire.Fixed32Type)
	value = protowire.AppendFixed32(value, math.Float32bits(float32(v)))
	value = protowire.AppendTag(value, 9, protowire.BytesType)
	value = protowire.AppendBytes(value, metadata)
	summary = protowire.AppendTag(summary, 1, protowire.BytesType)
	summary = protowire.AppendBytes(summary, value)
	what = protowire.AppendTag(what, 5, protowire.BytesType)
	what = protowire.AppendBytes(what, summary)
	return e.record(e.event(step, what))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is TensorFlow's checksum.
func masked(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

func (e *events) record(message []byte) error {
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(message)))
	b := binary.LittleEndian.AppendUint32(length, masked(length))
	b = append(b, message...)
	b = binary.LittleEndian.AppendUint32(b, masked(message))
	_, err := e.file.Write(b)
	return err
}
