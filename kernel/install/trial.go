package install

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/gradbook/gradbook/kernel/toolchain"
)

// What follows is what the doctor tries: cells that do what notebooks do.

var (
	//go:embed trial/device.txt
	trialDevice string
	//go:embed trial/training.txt
	trialTraining string
	//go:embed trial/chart.txt
	trialChart string
)

// Times beyond which something is called slow, several times what it takes on a laptop.
const (
	slowCell     = 2 * time.Second
	slowTraining = 30 * time.Second
	slowChart    = 5 * time.Second
)

// slow appends why something takes long, if it does.
func slow(is string, took, limit time.Duration, why string) string {
	if took < limit {
		return is
	}
	return is + "; SLOW: " + why
}

// sessionWays are the ways for which a session is there, or an error that says why there
// is none.
func (l Layout) sessionWays() ([]toolchain.Way, error) {
	ways, err := toolchain.Ways()
	if err != nil {
		return nil, err
	}
	if len(ways) == 0 {
		return nil, nil
	}
	if _, ok := toolchain.HostBuilt(l.Workspace(), ways...); !ok {
		return nil, fmt.Errorf("the session's program is not built in %s", l.Workspace())
	}
	return ways, nil
}

const noSessions = "not on this platform: each cell is a program of its own"

// cells builds a cell and runs it, then another.
func (l Layout) cells(ctx context.Context) (string, error) {
	ways, err := l.sessionWays()
	if err != nil || len(ways) == 0 {
		return noSessions, err
	}
	all, err := l.TryCells(ctx, ways, `fmt.Println(strings.Repeat("cell", 2))`, `words := strings.Fields("a cell"); len(words)`)
	if err != nil {
		return "", err
	}
	way, _ := toolchain.HostBuilt(l.Workspace(), ways...)
	is := fmt.Sprintf("the first takes %.1f s to build, link (%s) and run, the next %.1f s", all[0].Took.Seconds(), way, all[1].Took.Seconds())
	why := "the disk, or a virus scanner, may hold up the files of cells; TMPDIR names another folder"
	if way == toolchain.Plugin {
		why = "cells are linked as Go's plugins here, which hold all that they import"
	}
	return slow(is, all[1].Took, slowCell, why), nil
}

// device opens the device as a cell would.
func (l Layout) device(ctx context.Context) (string, error) {
	// A plugin that is new here is tried first, for up to two minutes.
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	ways, err := l.sessionWays()
	if err != nil {
		return "", err
	}
	var text string
	if len(ways) == 0 {
		if err := missing(l.Program("probe")); err != nil {
			return "", err
		}
		out, err := exec.CommandContext(ctx, l.Program("probe")).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("cells cannot compute: %w: %s", err, lastLines(string(out), 3))
		}
		text = string(out)
	} else {
		all, err := l.TryCells(ctx, ways, trialDevice)
		if err != nil {
			return "", fmt.Errorf("cells cannot compute: %w", err)
		}
		text = all[0].Out
	}
	var info struct{ Kind, Plugin, Note string }
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		return "", fmt.Errorf("a cell printed %q: %w", text, err)
	}
	is := info.Kind
	if info.Plugin != "" {
		is += ", plugin " + info.Plugin
	}
	if info.Note != "" {
		return "", fmt.Errorf("%s; %s", is, info.Note)
	}
	return is, nil
}

// training has a small convolutional network learn for ten steps of 128 pictures.
func (l Layout) training(ctx context.Context) (string, error) {
	ways, err := l.sessionWays()
	if err != nil || len(ways) == 0 {
		return noSessions, err
	}
	all, err := l.TryCells(ctx, ways, trialTraining)
	if err != nil {
		return "", fmt.Errorf("a cell cannot train: %w", err)
	}
	first, step, _ := strings.Cut(strings.TrimSpace(all[0].Out), " ")
	seconds, err1 := strconv.ParseFloat(first, 64)
	each, err2 := strconv.ParseFloat(step, 64)
	if err1 != nil || err2 != nil {
		return "", fmt.Errorf("a cell printed %q", all[0].Out)
	}
	is := fmt.Sprintf("a convolutional network: the first epoch %.1f s, then %.0f ms a step of 128 pictures", seconds, each*1000)
	why := fmt.Sprintf("%d processors; a GPU, or more processors, would help", runtime.NumCPU())
	if pureGo() {
		why = "cells compute in pure Go, a hundred times slower than XLA"
	}
	return slow(is, max(time.Duration(seconds*float64(time.Second)), time.Duration(each*100*float64(time.Second))), slowTraining, why), nil
}

// chart has a cell draw a chart without a browser.
func (l Layout) chart(ctx context.Context) (string, error) {
	ways, err := l.sessionWays()
	if err != nil || len(ways) == 0 {
		return noSessions, err
	}
	all, err := l.TryCells(ctx, ways, trialChart)
	if err != nil {
		return "", fmt.Errorf("a cell cannot draw: %w", err)
	}
	bytes, err := strconv.Atoi(strings.TrimSpace(all[0].Out))
	if err != nil || bytes < 1000 {
		return "", fmt.Errorf("a chart as SVG: expected a picture, got %q bytes", strings.TrimSpace(all[0].Out))
	}
	is := fmt.Sprintf("drawn as SVG, %d kB, in %.1f s", bytes>>10, all[0].Took.Seconds())
	return slow(is, all[0].Took, slowChart, "charts are drawn by JavaScript that Go runs, with one processor"), nil
}
