package install

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gradbook/gradbook/kernel/toolchain"
)

// buildHost builds the session's program for the best way to link cells that works here:
// a cell must run.
func (l Layout) buildHost(ctx context.Context, p *Progress) error {
	ways, err := toolchain.Ways()
	if err != nil || len(ways) == 0 {
		return err
	}
	goCmd, err := l.Go()
	if err != nil {
		return err
	}
	var failed error
	for _, way := range ways {
		err := toolchain.BuildHost(ctx, way, goCmd, l.Workspace())
		if err == nil {
			_, err = l.TryCell(ctx, way)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		failed = errors.Join(failed, fmt.Errorf("the session of cells, linked as %s: %w", way, err))
		if err := toolchain.RemoveHost(l.Workspace(), way); err != nil {
			return errors.Join(failed, err)
		}
		if way != ways[len(ways)-1] {
			p.Warn("this Go does not fit the quick way to link cells, so each takes about a second: %v", failed)
		}
	}
	return failed
}

// unpack takes the session's program that a wheel has brought, and says whether it works
// here.
func (l Layout) unpack(ctx context.Context, p *Progress) bool {
	way, ok := l.shippedWay()
	if !ok {
		return false
	}
	goCmd, err := l.Go()
	if err == nil {
		err = toolchain.Unpack(ctx, filepath.Join(l.Shipped, shippedSession), goCmd, l.Workspace())
	}
	if err == nil {
		_, err = l.TryCell(ctx, way)
	}
	if err != nil && ctx.Err() == nil {
		p.Warn("the session that came with the wheel does not work here, so one is built: %v", err)
		err = errors.Join(err, toolchain.RemoveHost(l.Workspace(), way))
	}
	return err == nil
}

// shippedWay says whether a wheel has brought a session's program for a way of linking that
// is wanted.
func (l Layout) shippedWay() (toolchain.Way, bool) {
	ways, err := toolchain.Ways()
	if err != nil || l.Shipped == "" || toolchain.PackVersion(filepath.Join(l.Shipped, shippedSession)) == "" {
		return "", false
	}
	for _, w := range ways {
		if w == toolchain.Shared {
			return w, true
		}
	}
	return "", false
}
