package whispercpp

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// roleVariable makes the test binary play a whisper.cpp that misbehaves, for
// what the real one cannot be made to do.
const roleVariable = "WHISPERCPP_TEST_ROLE"

const fakeHelp = `
usage: fake [options] file0 file1 ...
  -t N,      --threads N            [4      ] number of threads to use during computation
  -bo N,     --best-of N            [5      ] number of best candidates to keep
  -bs N,     --beam-size N          [5      ] beam size for beam search
  -l LANG,   --language LANG        [en     ] spoken language ('auto' for auto-detect)
  -m FNAME,  --model FNAME          [models/ggml-base.en.bin] model path
`

const (
	fakeCLIHelp    = fakeHelp + "  -f FNAME, --file FNAME\n  -of FNAME, --output-file FNAME\n  -ojf, --output-json-full\n"
	fakeServerHelp = fakeHelp + "  --host HOST,\n  --port PORT,\n  --request-path PATH,\n  --public PATH,\n  -pr,       --print-realtime\n"
	fakeSegment    = "[00:00:00.000 --> 00:00:00.800]   fake words\n"
)

func fake(role string, args []string) {
	value := func(name string) string {
		for i, a := range args[:len(args)-1] {
			if a == name {
				return args[i+1]
			}
		}
		return ""
	}
	if args[0] == "--help" {
		switch role {
		case "not whisper":
			fmt.Println("usage: frobnicate [-q]")
		case "too old":
			fmt.Fprint(os.Stderr, strings.Replace(fakeCLIHelp, "-ojf", "-o", 1))
		case "no help":
			wait()
		case "crashes at once":
			breakDown()
		default:
			fmt.Fprint(os.Stderr, fakeCLIHelp, fakeServerHelp)
		}
		return
	}
	if value("--port") != "" {
		fakeServer(role, value)
		return
	}
	fakeCLI(role, value)
}

// breakDown ends this process as a fault would.
func breakDown() {
	if runtime.GOOS == "windows" {
		os.Exit(0xC0000005) // STATUS_ACCESS_VIOLATION
	}
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		p.Kill()
	}
	wait()
}

// wait never returns.
func wait() {
	never := make(chan os.Signal, 1)
	signal.Notify(never, syscall.SIGTERM)
	<-never
}

// first tells whether this is the first process of a test.
func first() bool {
	f, err := os.OpenFile(os.Getenv("WHISPERCPP_TEST_MARK"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

func fakeCLI(role string, value func(string) string) {
	write := func(document string) {
		if err := os.WriteFile(value("-of")+".json", []byte(document), 0o600); err != nil {
			panic(err)
		}
	}
	answer := func(vocabulary int) {
		write(fmt.Sprintf(`{"model":{"vocab":%d},"result":{"language":"en"},"transcription":[{"offsets":{"from":0,"to":800},"text":" fake words","tokens":[]}]}`, vocabulary))
	}
	fmt.Print("\n", fakeSegment)
	switch role {
	case "well":
		answer(51865)
	case "crashes":
		breakDown()
	case "crashes at last":
		answer(51865)
		breakDown()
	case "crashes first":
		if first() {
			breakDown()
		}
		answer(51865)
	case "aborts":
		fmt.Fprintln(os.Stderr, "GGML_ASSERT(n >= 0) failed")
		os.Exit(134)
	case "no memory":
		fmt.Fprint(os.Stderr, "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n")
		os.Exit(134)
	case "no memory for the model":
		fmt.Fprint(os.Stderr, "ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 83952032\nerror: failed to initialize whisper context\n")
		os.Exit(3)
	case "refuses the model":
		fmt.Fprintln(os.Stderr, "error: failed to initialize whisper context")
		os.Exit(3)
	case "unknown option":
		fmt.Fprintln(os.Stderr, "error: unknown argument: -ojf")
	case "other processor":
		if runtime.GOOS == "windows" {
			os.Exit(0xC000001D)
		}
		os.Exit(128 + 4)
	case "unreadable":
		fmt.Fprintln(os.Stderr, "error: failed to read audio file 'in.wav'")
	case "unreadable first":
		if first() {
			fmt.Fprintln(os.Stderr, "error: failed to read audio file 'in.wav'")
			return
		}
		answer(51865)
	case "no output":
	case "garbage":
		write("\x00\x01{]")
	case "half":
		write(`{"model":{"vocab":51865},"result":{"language":"en"},"transcription":[{"offsets"`)
	case "other model":
		answer(51864)
	case "floods":
		line := strings.Repeat("x", 4095) + "\n"
		for range 2000 { // 8 MB each
			io.WriteString(os.Stdout, line)
			io.WriteString(os.Stderr, line)
		}
		answer(51865)
	case "hangs":
		wait()
	case "hangs at last":
		answer(51865)
		fmt.Print(fakeSegment)
		wait()
	case "paths":
		if b, err := os.ReadFile(value("-m")); err != nil || len(b) == 0 {
			fmt.Fprintln(os.Stderr, "error: cannot open the model", err)
			return
		}
		write(fmt.Sprintf(`{"model":{"vocab":51865},"transcription":[{"offsets":{},"text":%q}]}`, filepath.ToSlash(value("-m"))))
	}
}

func fakeServer(role string, value func(string) string) {
	switch {
	case role == "port is taken first" && first():
		fmt.Fprint(os.Stderr, "\ncouldn't bind to server socket: hostname=127.0.0.1 port=1\n\n")
		os.Exit(1)
	case role == "refuses the model":
		fmt.Fprintln(os.Stderr, "error: failed to initialize whisper context")
		os.Exit(3)
	case role == "no answer at start":
		wait()
	case role == "ends at start":
		return
	}
	isFirst := role == "crashes first" && first()
	secret := value("--request-path")
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+secret+"/health", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"status":"ok"}`)
	})
	mux.HandleFunc("POST "+secret+"/inference", func(w http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("file")
		if err != nil {
			http.Error(w, "no file", http.StatusBadRequest)
			return
		}
		size, _ := io.Copy(io.Discard, file)
		// A line of an earlier request comes late, and one of a name that is not ours.
		fmt.Printf("[00:00:00.000 --> 00:00:01.000]   stale\nReceived request: other\n%sReceived request: %s\n\n%s", fakeSegment, header.Filename, fakeSegment)
		text := " fake words"
		switch role {
		case "crashes", "crashes first":
			if role == "crashes" || isFirst {
				breakDown()
			}
		case "hangs":
			wait()
		case "500":
			http.Error(w, `{"error":"failed to process audio"}`, http.StatusInternalServerError)
			return
		case "no memory":
			http.Error(w, "500 Internal Server Error\nstd::bad_alloc", http.StatusInternalServerError)
			return
		case "400":
			fmt.Fprintln(os.Stderr, "error: failed to read audio data")
			http.Error(w, "Invalid request", http.StatusBadRequest)
			return
		case "404":
			http.NotFound(w, r)
			return
		case "garbage":
			io.WriteString(w, "{]")
			return
		case "no segments":
			io.WriteString(w, `{"language":"english"}`)
			return
		case "breaks off", "ends in the middle":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
			conn.Close()
			if role == "ends in the middle" {
				os.Exit(0)
			}
			return
		case "form":
			text = fmt.Sprint(size)
			for _, name := range []string{"response_format", "language", "beam_size", "best_of", "max_len", "no_language_probabilities"} {
				text += " " + r.FormValue(name)
			}
		case "together": // answers when the test says so
			conn, err := net.Dial("tcp", os.Getenv("WHISPERCPP_TEST_ADDR"))
			if err != nil {
				panic(err)
			}
			fmt.Fprintln(conn, os.Getpid())
			io.Copy(io.Discard, conn)
		}
		fmt.Fprintf(w, `{"language":"german","segments":[{"text":%q,"start":0,"end":0.8,"avg_logprob":null,`+
			`"words":[{"word":" fake","start":0,"end":0.4,"probability":0.5},{"word":" words","start":0.4,"end":9.9,"probability":1}]}]}`, text)
	})
	if err := http.ListenAndServe("127.0.0.1:"+value("--port"), mux); err != nil {
		fmt.Fprintln(os.Stderr, "couldn't bind", err)
		os.Exit(1)
	}
}
