package main

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/gradbook/gradbook/bench/gpu/record"
)

// against are dl's tests that compare with Keras's numbers and files; more are those that
// show that training does what it should.
const (
	against = "TestParity|TestKerasNetwork|TestKerasTraining|TestKerasFiles|TestKerasCompiled|TestKerasFits"
	more    = "TestFiniteDifferences|TestFitLearns|TestSeed|TestMixedPrecision|TestStateful|TestResume|TestResumeFromFile|TestTrainOnBatch|TestMoveDevice"
)

var (
	verdict = regexp.MustCompile(`^(\s*)--- (PASS|FAIL|SKIP): (\S+)`)
	agree   = regexp.MustCompile(`(\d+) of (\d+) cases agree within (\S+); the worst differs by (\S+) \((.*)\)`)
)

// testsPart runs dl's tests on the GPU. With TF32 tolerances are wider; the tests say how wide.
func testsPart(tf32 string) func(context.Context, *running) error {
	return func(ctx context.Context, r *running) error {
		tests := against
		if tf32 == "0" {
			tests += "|" + more
		}
		args := []string{filepath.Join(r.files, "dl", "dl.test"), "-test.v", "-test.run", "^(" + tests + ")$"}
		if r.short {
			args[3] = "^(TestKerasNetwork|TestKerasTraining)$"
		}
		if r.short || r.standIn {
			args = append(args, "-test.short")
		}
		counts := map[string]float64{}
		text := map[string]string{}
		var failed []string
		_, err := r.execute(ctx, command{
			args: args, dir: filepath.Join(r.files, "dl"),
			env: []string{"GRADBOOK_TF32=" + tf32},
			line: func(line string) error {
				if m := verdict.FindStringSubmatch(line); m != nil {
					if m[1] == "" {
						counts[strings.ToLower(m[2])]++
					}
					if m[2] == "FAIL" {
						failed = append(failed, m[3])
					}
				}
				if m := agree.FindStringSubmatch(line); m != nil {
					text["parity"] = fmt.Sprintf("%s of %s within %s; worst %s, %s", m[1], m[2], m[3], m[4], m[5])
				} else if strings.Contains(line, "_test.go:") { // what a test says
					text["said"] += strings.TrimSpace(line) + "\n"
				}
				return nil
			},
		})
		if len(text["said"]) > 4000 {
			text["said"] = text["said"][:4000]
		}
		text["failed"] = strings.Join(failed, ", ")
		if sayErr := r.say(record.Record{Who: "gradbook", Values: counts, Text: text}); sayErr != nil {
			return sayErr
		}
		if err == nil && counts["pass"] == 0 {
			return fmt.Errorf("expected tests to be run, got none")
		}
		return err
	}
}
