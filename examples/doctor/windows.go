package main

import (
	"strings"

	"github.com/holdfast-go/holdfast/tempdir"
)

// examineWindows tells what there is to set up on Windows, and only there.
func (d *doctor) examineWindows(root *tempdir.Root) {
	if !d.machine.windows {
		return
	}
	if d.machine.longPaths {
		d.tell(finding{Check: "long paths", Status: ok, Text: "programs may use paths of more than 260 characters"})
	} else {
		d.tell(finding{Check: "long paths", Status: note,
			Text: "programs may not use paths of more than 260 characters; the folder's name leaves room for what engines add",
			Do:   "if Python complains of paths that are too long, in PowerShell as administrator:",
			Command: `New-ItemProperty -Path 'HKLM:\SYSTEM\CurrentControlSet\Control\FileSystem' -Name LongPathsEnabled ` +
				`-Value 1 -PropertyType DWORD -Force`})
	}
	if !d.machine.defender || root == nil {
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
