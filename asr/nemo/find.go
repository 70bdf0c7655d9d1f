package nemo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// findModel turns Config.Model into a path.
func (c *Config) findModel(ctx context.Context) (string, error) {
	path, err := filepath.Abs(c.Model)
	if err != nil {
		return "", err
	}
	_, err = c.FS.Stat(ctx, path)
	if err == nil || !isRepository(c.Model) || !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	hubs, err := c.hubs(ctx)
	if err != nil {
		return "", err
	}
	for _, hub := range hubs {
		if cached := c.cached(ctx, hub); cached != "" {
			return cached, nil
		}
	}
	if c.Download {
		return c.download(ctx)
	}
	return "", fmt.Errorf("model %s is neither a file nor in the Hugging Face cache (%s); set Config.Download, or name a .nemo file",
		c.Model, strings.Join(hubs, ", "))
}

// isRepository tells whether a name is one of Hugging Face's: "owner/name".
func isRepository(name string) bool {
	owner, name, ok := strings.Cut(name, "/")
	return ok && owner != "" && name != "" && !strings.ContainsAny(name, `/\`) &&
		!strings.HasPrefix(owner, ".") && !strings.HasSuffix(name, ".nemo")
}

// hubs lists where Hugging Face's library keeps what it has downloaded
// (huggingface_hub/constants.py), and where it does so in our processes.
func (c *Config) hubs(ctx context.Context) ([]string, error) {
	var hubs []string
	if hub := os.Getenv("HF_HUB_CACHE"); hub != "" {
		hubs = append(hubs, hub)
	}
	if home := os.Getenv("HF_HOME"); home != "" {
		hubs = append(hubs, filepath.Join(home, "hub"))
	}
	if cache := os.Getenv("XDG_CACHE_HOME"); cache != "" {
		hubs = append(hubs, filepath.Join(cache, "huggingface", "hub"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		hubs = append(hubs, filepath.Join(home, ".cache", "huggingface", "hub"))
	}
	engines, err := c.Root.Cache(ctx, "engines") // see tempdir.Scope.Env
	return append(hubs, filepath.Join(engines, "huggingface", "hub")), err
}

// cached finds the model's file in a hub: refs/main names the snapshot, in which
// the file is a link. "" if there is none.
func (c *Config) cached(ctx context.Context, hub string) string {
	owner, name, _ := strings.Cut(c.Model, "/")
	dir := filepath.Join(hub, "models--"+owner+"--"+name)
	revision, err := c.FS.ReadFile(ctx, filepath.Join(dir, "refs", "main"))
	if err != nil {
		return ""
	}
	path := filepath.Join(dir, "snapshots", strings.TrimSpace(string(revision)), name+".nemo")
	if _, err := c.FS.Stat(ctx, path); err != nil {
		return ""
	}
	return path
}
