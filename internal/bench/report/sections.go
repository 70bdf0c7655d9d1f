package main

import "strings"

// section is one table and one chart of the page.
type section struct {
	name    string // of the benchmark
	title   string
	text    string
	unit    string   // what the table and the chart show, as the benchmark reports it
	better  string   // "less" or "more"
	also    []string // further columns
	inCell  string   // unit that is said beside the value where it is not 0
	args    []string // to the test program
	rounds  int      // 0: as many as are asked for
	prints  bool     // a test that prints lines as benchmarks do
	windows bool     // on Windows or Wine
	prepare string   // what has to be there before the command
	rows    []note
}

// note says what a variant is. Rows come in this order; what has none is left out.
type note struct{ by, text string }

func (s section) chartName() string { return "benchmark-" + strings.ToLower(s.name) + ".svg" }

// command is how a reader repeats the section.
func (s section) command() string {
	c := "go test"
	for _, arg := range s.args {
		name, value, ok := strings.Cut(strings.TrimPrefix(arg, "-test."), "=")
		c += " -" + name
		switch {
		case strings.ContainsAny(value, "^$"):
			c += "='" + value + "'"
		case ok:
			c += "=" + value
		}
	}
	if s.prints {
		c = "HOLDFAST_BENCH_LOCKS=1 " + c
	}
	if s.windows {
		c = "GOOS=windows CGO_ENABLED=0 " + c
	}
	return s.prepare + c + " ."
}

func bench(name, time string) []string {
	return []string{"-test.run=^$", "-test.bench=^Benchmark" + name + "$", "-test.benchtime=" + time}
}

func printing(test string) []string { return []string{"-test.run=^" + test + "$", "-test.v"} }

func sections() []section {
	return []section{
		{
			name: "Replace", title: "Replacing a file, whole or not at all", unit: "ns/op", better: "less",
			args: bench("Replace", "300ms"),
			text: "A file of 4 KiB is put under a name that is taken. All sync the file. A crash after that can still take the " +
				"new name back, unless the folder is synced too, which only `holdfast` and `hand` do: compare `hand-file-only`.",
			rows: []note{
				{"holdfast", "`retry.FS.WriteFile`: folder synced, every step retried under locks"},
				{"hand", "the same sequence written out: folder synced, no retries"},
				{"hand-file-only", "the same without the folder"},
				{"renameio", "google/renameio v2: folder not synced; nothing on Windows"},
				{"natefinch", "natefinch/atomic: folder not synced"},
				{"tailscale", "tailscale.com/atomicfile: folder not synced"},
				{"moby", "moby/sys/atomicwriter: folder not synced"},
			},
		},
		{
			name: "Locks", title: "Outlasting a lock", unit: "ms-late", better: "less", inCell: "%-failed",
			args: printing("TestLocks"), rounds: 1, prints: true,
			text: "Somebody holds a file for a time (±20 %) while a program tries to replace it: a simulation of Windows' rules with fake " +
				"time, 100 trials each, so that the schedule alone counts. Shown is how long after the release the replacement " +
				"succeeded, and how many gave up. Each schedule retries every refusal here; most of these programs retry fewer codes.",
			rows: []note{
				{"holdfast", "0, 1, 2, 4 … 64, 100, 100 … ms for 10 s, the last try at the end"},
				{"once", "no retry: renameio, natefinch, tailscale, moby, os.Rename"},
				{"git", "0, 1, 10, 20, 40 ms (compat/mingw.c)"},
				{"chromium", "5 × 100 ms (important_file_writer.cc)"},
				{"sqlite", "10 times, 25 ms more each time (os_win.c)"},
				{"robustio", "growing at random for 2 s (cmd/internal/robustio)"},
				{"uv", "10 times, 10 ms doubling (uv-fs)"},
				{"graceful-fs", "0, 10 … 100, 100 … ms for 60 s (polyfills.js)"},
				{"msbuild", "10 × 1 s (Copy.cs)"},
				{"retry-go", "avast/retry-go v4 as it comes"},
			},
		},
		{
			name: "ContendedSaves", title: "Saving while a scanner opens everything", unit: "%-failed", better: "less",
			also: []string{"ms-p50", "ms-p95", "holds/save"}, args: printing("TestContendedSaves"), rounds: 1, prints: true, windows: true,
			text: "The real share modes of Windows, between processes: another process lists the folder every millisecond and holds each file " +
				"that appears, letting nobody in, for 5 to 500 ms (60 saves) or for 1 to 4 s (8 saves). Four schedules at a time, each with a " +
				"folder and a scanner of its own. Times are of the saves that succeeded.",
			rows: []note{
				{"holdfast", "`retry.FS.WriteFile`"},
				{"once", "os.CreateTemp, Write, Sync, Close, os.Rename; the others rename by their schedule"},
				{"git", ""},
				{"chromium", ""},
				{"robustio", ""},
				{"uv", ""},
				{"graceful-fs", ""},
			},
		},
		{
			name: "Read", title: "Reading a manifest", unit: "MB/s", better: "more", args: bench("Read", "1x"),
			text: "150,000 lines, 45 MB, mixed scripts, half of them escaped; unknown fields are kept.",
			rows: []note{
				{"holdfast", "`manifest.Read`, line by line; strict, order of fields kept"},
				{"holdfast-list", "`manifest.Load`: all in memory"},
				{"encoding-json", "struct and map[string]json.RawMessage per line"},
				{"python-json", "json.loads per line"},
				{"python-json-list", "into a list, as NeMo's read_manifest does"},
				{"python-orjson", "orjson.loads per line"},
			},
		},
		{
			name: "Write", title: "Writing a manifest", unit: "MB/s", better: "more", args: bench("Write", "1x"),
			text: "The same entries, each with a text added. MB/s of what was read.",
			rows: []note{
				{"holdfast", "`manifest.Save`: whole or not at all, and synced"},
				{"holdfast-plain", "`Entry.AppendJSON` into a file, no sync, as the peers"},
				{"encoding-json", "json.Marshal of a map: sorts the fields"},
				{"python-json", "json.dumps"},
				{"python-orjson", "orjson.dumps: UTF-8, which NeMo reads by the locale's encoding"},
			},
		},
		{
			name: "Journal", title: "Keeping results", unit: "ns/op", better: "less", args: bench("Journal", "300ms"),
			text: "Records of 250 bytes from 1, 8 and 64 producers; each producer goes on when its record is on disk. Time per record.",
			rows: []note{
				{"holdfast", "`Journal.Append`: readable JSON lines with checksums; callers share a sync"},
				{"append", "write and fdatasync: no key, no check"},
				{"sqlite", "modernc.org/sqlite, WAL, synchronous=FULL, one INSERT each"},
				{"bbolt", "DB.Update"},
				{"bbolt-batch", "DB.Batch: waits up to 10 ms for company"},
			},
		},
		{
			name: "Stage", title: "Staging a recording", unit: "MB/s", better: "more", args: bench("Stage", "5x"),
			text: "100 MB into the job's folder, on one file system. Staging also finds the recording's SHA-256, by which its result is " +
				"found again; so compare with the rows that hash.",
			rows: []note{
				{"holdfast", "`Scope.Stage`: copy, hash, and a check that the source did not change"},
				{"sha256", "the recording only read and hashed, no copy"},
				{"cp", "no hash"},
				{"cp-sha256sum", "cp, then sha256sum of the copy"},
				{"io.Copy", "no hash"},
				{"io.Copy-sha256", "hashed while it is copied, in one goroutine"},
			},
		},
		{
			name: "Whisper", title: "Ten recordings through whisper.cpp", unit: "ms/recording", better: "less", args: bench("Whisper", "1x"),
			prepare: `d=DIR; ../../.ci/whisper.sh $d && HOLDFAST_WHISPER_CLI=$d/whisper-cli HOLDFAST_WHISPER_SERVER=$d/whisper-server `,
			text: "whisper.cpp 1.9.1 with tiny.en hears recordings of 6.4 s, with five beams and greedily. A run of the library opens " +
				"everything, stages, hashes and journals each recording, and closes. The model is that which `go run ./examples/transcribe` has " +
				"fetched. whisper.cpp alone scatters by 7 % from round to round here: less than that says nothing.",
			rows: []note{
				{"holdfast", "`asr.Run`, one process for each recording"},
				{"holdfast-server", "`asr.Run`, one server that stays; its start is counted"},
				{"shell-loop", "whisper-cli for each recording"},
				{"one-call", "whisper-cli with all ten: the model is loaded once, and a crash takes the rest along"},
			},
		},
		{
			name: "NeMo", title: "Forty recordings through NeMo", unit: "ms/recording", better: "less", args: bench("NeMo", "3x"),
			prepare: `eval "$(../../.ci/nemo.sh DIR)" && `,
			text: "NeMo 3.0.0 on the CPU, one thread, recordings of 6.4 s in batches of 8. The model is so small that it needs next to " +
				"nothing itself: what is seen is everything around it, which a model of 600 million parameters hides.",
			rows: []note{
				{"holdfast", "`asr.Run` with an engine that is warm: staged, hashed, journaled"},
				{"bare", "a warm Python process, `model.transcribe(paths, batch_size=8)`"},
				{"script-each", "a Python process for each recording: imports NeMo, loads the model"},
			},
		},
	}
}
