package main

import "golang.org/x/sys/windows/registry"

// system reads from the registry. What is not there counts as Windows' default.
func system() machine {
	return machine{
		windows:   true,
		longPaths: setting(`SYSTEM\CurrentControlSet\Control\FileSystem`, "LongPathsEnabled", 0) != 0,
		defender:  setting(`SOFTWARE\Microsoft\Windows Defender\Real-Time Protection`, "DisableRealtimeMonitoring", 0) == 0,
	}
}

func setting(path, name string, fallback uint64) uint64 {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.QUERY_VALUE)
	if err != nil {
		return fallback
	}
	defer key.Close()
	if value, _, err := key.GetIntegerValue(name); err == nil {
		return value
	}
	return fallback
}
