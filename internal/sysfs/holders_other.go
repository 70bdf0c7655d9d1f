//go:build unix && !linux

package sysfs

import (
	"context"
	"errors"
)

// Holders cannot tell on this system.
func Holders(context.Context, []string) ([]Holder, error) { return nil, errors.ErrUnsupported }
