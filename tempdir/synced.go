package tempdir

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/holdfast-go/holdfast/internal/host"
)

// checkSynced refuses a directory that a synchronising program watches: it
// opens each fresh file to upload it, just when a job wants to rename it.
func (c *checker) checkSynced() {
	const hint = "choose a directory that no program synchronises"
	for dir := c.dir; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if who := syncedName(filepath.Base(dir)); who != "" {
			c.fail("synced folder", hint, fmt.Errorf("%s belongs to %s", dir, who))
			return
		}
		if who := syncedMarker(dir); who != "" {
			c.fail("synced folder", hint, fmt.Errorf("%s carries the mark of %s", dir, who))
			return
		}
		if err := host.CheckSynced(dir); err != nil {
			c.fail("synced folder", hint, err)
			return
		}
	}
	// OneDrive's client tells every process of the user where its folders are.
	for _, name := range []string{"OneDrive", "OneDriveCommercial", "OneDriveConsumer"} {
		if dir := os.Getenv(name); dir != "" && inside(dir, c.dir) {
			c.fail("synced folder", hint, fmt.Errorf("it lies inside %s, which %%%s%% names", dir, name))
			return
		}
	}
}

// syncedName knows the folder names that the clients choose themselves.
func syncedName(base string) string {
	switch {
	case base == "OneDrive" || strings.HasPrefix(base, "OneDrive - "):
		return "OneDrive"
	case base == "Dropbox" || strings.HasPrefix(base, "Dropbox ("):
		return "Dropbox"
	case base == "Google Drive" || base == "GoogleDrive" || base == "My Drive" || strings.HasPrefix(base, "GoogleDrive-"):
		return "Google Drive"
	case base == "iCloud Drive" || base == "iCloudDrive" || base == "Mobile Documents" || base == "com~apple~CloudDocs":
		return "iCloud Drive"
	case base == "Nextcloud" || base == "ownCloud":
		return base
	}
	return ""
}

// syncedMarker knows the files that the clients keep in a synchronised folder.
func syncedMarker(dir string) string {
	for name, who := range map[string]string{
		".dropbox":                  "Dropbox",
		".dropbox.cache":            "Dropbox",
		".owncloudsync.log":         "ownCloud",
		".nextcloudsync.log":        "Nextcloud",
		".tmp.drivedownload":        "Google Drive",
		".tmp.driveupload":          "Google Drive",
		".stfolder":                 "Syncthing",
		".SynologyWorkingDirectory": "Synology Drive",
	} {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		// In the home directory ".dropbox" is the client's own settings folder,
		// not a synchronised one's mark, which is a file.
		if name == ".dropbox" && info.IsDir() {
			continue
		}
		return who
	}
	return ""
}

func inside(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}
