package main

import (
	"context"
	"fmt"
	"io"
	"os"
)

// beHolder is what the other process does.
func beHolder(ctx context.Context, o options) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	fmt.Println(o.scanner.Run(ctx, o.dir))
}
