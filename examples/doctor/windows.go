package main

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/tempdir"
)

// examineWindows tells what there is to set up on Windows, and only there.
func (d *doctor) examineWindows(ctx context.Context, root *tempdir.Root) {
	if !d.machine.windows {
		return
	}
	if d.setting(ctx, `HKLM\SYSTEM\CurrentControlSet\Control\FileSystem`, "LongPathsEnabled") != 0 {
		d.tell(finding{Check: "long paths", Status: ok, Text: "programs may use paths of more than 260 characters"})
	} else {
		d.tell(finding{Check: "long paths", Status: note,
			Text: "programs may not use paths of more than 260 characters; the folder's name leaves room for what engines add",
			Do:   "if Python complains of paths that are too long, in PowerShell as administrator:",
			Command: `New-ItemProperty -Path 'HKLM:\SYSTEM\CurrentControlSet\Control\FileSystem' -Name LongPathsEnabled ` +
				`-Value 1 -PropertyType DWORD -Force`})
	}
	if root == nil || d.excluding || d.setting(ctx, `HKLM\SOFTWARE\Microsoft\Windows Defender\Real-Time Protection`, "DisableRealtimeMonitoring") != 0 {
		return
	}
	d.tell(finding{Check: "Defender", Status: note,
		Text:    "Microsoft Defender looks into each fresh file, unless its folder is excluded, which only an administrator can see",
		Do:      "if the lock test finds it at work here, exclude this folder alone, in PowerShell as administrator:",
		Command: exclude(root.Path())})
}

// exclude is the line for PowerShell that makes Defender leave a folder alone.
// In single quotes nothing but the quote itself is special
// (about_Quoting_Rules).
func exclude(dir string) string {
	return "Add-MpPreference -ExclusionPath '" + strings.ReplaceAll(dir, "'", "''") + "'"
}

var registryNumber = regexp.MustCompile(`REG_DWORD\s+0x([0-9a-fA-F]+)`)

// setting asks the registry for a number; what is not there is 0, which is
// Windows' default for both that are asked for here.
func (d *doctor) setting(ctx context.Context, key, name string) uint64 {
	said, _ := d.machine.run(ctx, "reg", "query", key, "/v", name)
	match := registryNumber.FindStringSubmatch(said)
	if match == nil {
		return 0
	}
	n, _ := strconv.ParseUint(match[1], 16, 32)
	return n
}
