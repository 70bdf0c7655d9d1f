package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// patience is how long a test waits for what must happen.
const patience = time.Minute

// site is a running server with its folders, and a browser that has the page.
type site struct {
	t      *testing.T
	base   string
	config config
	url    string
	engine *fake
	client *http.Client
	stop   func()
}

// newSite starts a server; change, if it is not nil, sees its configuration
// before.
func newSite(t *testing.T, change func(*config)) *site {
	t.Helper()
	base, err := os.MkdirTemp("", "hf-") // a root's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(base) })
	s := &site{t: t, base: base, engine: &fake{}, client: browser(t)}
	s.config = config{
		Out: filepath.Join(base, "out"), Engine: s.engine, Logger: slog.New(slog.DiscardHandler),
		Limits: limits{upload: 8 << 20},
		Free:   func(string) (int64, error) { return 1 << 40, nil },
	}
	if change != nil {
		change(&s.config)
	}
	s.start()
	return s
}

// browser is a client with cookies of its own.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &http.Client{Jar: jar, Transport: &http.Transport{}}
}

func (s *site) start() {
	s.t.Helper()
	var err error
	s.config.Root, err = tempdir.Open(s.t.Context(), filepath.Join(s.base, "root"), tempdir.Options{FS: s.config.FS, MinFree: -1})
	require.NoError(s.t, err)
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(s.config.Port))
	require.NoError(s.t, err)
	s.config.Port = port(l)
	served, err := newServer(s.t.Context(), s.config)
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- served.serve(ctx, l) }()
	stopped := false
	s.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			<-ended
		}
	}
	s.t.Cleanup(s.stop)
	s.url = fmt.Sprintf("http://127.0.0.1:%d", s.config.Port)
	s.get("/")
}

// answered is a response that was read.
type answered struct {
	*http.Response
	body []byte
}

func (a answered) into(t *testing.T, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(a.body, v), string(a.body))
}

func (s *site) do(method, path string, body io.Reader, header ...string) answered {
	s.t.Helper()
	return s.doAs(s.client, method, path, body, header...)
}

func (s *site) doAs(client *http.Client, method, path string, body io.Reader, header ...string) answered {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	require.NoError(s.t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	response, err := client.Do(r)
	require.NoError(s.t, err)
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return answered{response, b}
}

func (s *site) get(path string, header ...string) answered {
	s.t.Helper()
	return s.do("GET", path, nil, header...)
}

func uploadPath(name string) string { return "/api/uploads?name=" + url.QueryEscape(name) }

// upload uploads a recording and gives the job's id.
func (s *site) upload(name string, content []byte) string {
	s.t.Helper()
	a := s.do("PUT", uploadPath(name), bytes.NewReader(content))
	require.Equal(s.t, http.StatusCreated, a.StatusCode, string(a.body))
	var got struct{ ID string }
	a.into(s.t, &got)
	return got.ID
}

func (s *site) jobs() []view {
	s.t.Helper()
	var jobs []view
	s.get("/api/jobs").into(s.t, &jobs)
	return jobs
}

func (s *site) job(id string) view {
	s.t.Helper()
	for _, v := range s.jobs() {
		if v.ID == id {
			return v
		}
	}
	return view{}
}

// until waits until the page is told of a job that is as wanted.
func (s *site) until(id string, want func(view) bool) view {
	s.t.Helper()
	stream := s.stream("/api/events")
	defer stream.close()
	var last view
	for {
		e := stream.next()
		var views []view
		switch e.kind {
		case "jobs":
			require.NoError(s.t, json.Unmarshal([]byte(e.data), &views))
		case "job":
			views = make([]view, 1)
			require.NoError(s.t, json.Unmarshal([]byte(e.data), &views[0]))
		}
		for _, v := range views {
			if v.ID == id {
				last = v
			}
		}
		if last.ID != "" && want(last) {
			return last
		}
	}
}

func (s *site) ended(id string) view {
	s.t.Helper()
	return s.until(id, func(v view) bool { return v.State.ended() })
}

// sent is an event of a stream.
type sent struct{ id, kind, data string }

type stream struct {
	t       *testing.T
	body    io.ReadCloser
	lines   *bufio.Scanner
	timeout *time.Timer
}

func (s *site) stream(path string, header ...string) *stream {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
	require.NoError(s.t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := s.client.Do(r)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, response.StatusCode)
	require.Equal(s.t, "text/event-stream", response.Header.Get("Content-Type"))
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 16<<20)
	st := &stream{t: s.t, body: response.Body, lines: lines, timeout: time.AfterFunc(patience, cancel)}
	s.t.Cleanup(st.close)
	return st
}

// read gives the next event, or false at the stream's end.
func (st *stream) read() (e sent, ok bool) {
	for st.lines.Scan() {
		name, value, _ := strings.Cut(st.lines.Text(), ": ")
		switch {
		case name == "id":
			e.id = value
		case name == "event":
			e.kind = value
		case name == "data":
			e.data = value
		case name == "" && value != "":
			e.kind = "comment"
		case name == "" && e.kind != "":
			return e, true
		}
	}
	return sent{}, false
}

func (st *stream) next() sent {
	st.t.Helper()
	e, ok := st.read()
	require.True(st.t, ok, "the stream ended: %v", st.lines.Err())
	return e
}

func (st *stream) close() {
	st.timeout.Stop()
	st.body.Close()
}

// texts reads segments from a stream until there are n.
func (st *stream) texts(n int) (texts []string, ids []int) {
	st.t.Helper()
	for len(texts) < n {
		e := st.next()
		if e.kind != "segments" {
			continue
		}
		var got segmentsEvent
		require.NoError(st.t, json.Unmarshal([]byte(e.data), &got))
		id, err := strconv.Atoi(e.id)
		require.NoError(st.t, err)
		ids = append(ids, id)
		if got.Replace {
			texts = nil
		}
		for _, segment := range got.Segments {
			texts = append(texts, segment.Text)
		}
	}
	return texts, ids
}

// files lists everything below a folder of the site, in order. What the server
// removes meanwhile is not there.
func (s *site) files(dir string) (names []string) {
	s.t.Helper()
	root := filepath.Join(s.base, dir)
	require.NoError(s.t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if path != root && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		names = append(names, filepath.ToSlash(rel))
		return err
	}))
	slices.Sort(names)
	return names
}

// staged lists the recordings in the root's scopes: uploads, and what a job's run
// has of its own until the job has ended.
func (s *site) staged() []string {
	return slices.DeleteFunc(s.files("root/s"), func(name string) bool { return !strings.Contains(name, "/") })
}

// filesOf lists the paths in the output folder of all files of that name.
func (s *site) filesOf(name string) []string {
	return slices.DeleteFunc(s.files("out"), func(path string) bool { return !strings.HasSuffix(path, "/"+name) })
}

// elsewhere lists what lies in a folder that is none of the server's.
func (s *site) elsewhere(dir string) (names []string) {
	s.t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(s.t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// journaled gives a recording's transcript as the journal on disk has it.
func (s *site) journaled(id string) asr.Transcript {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.base, "out", "journal.jsonl"))
	require.NoError(s.t, err)
	for e, err := range manifest.Read(bytes.NewReader(b), manifest.Options{}) {
		require.NoError(s.t, err)
		if filepath.Base(filepath.Dir(e.AudioPath)) != id {
			continue
		}
		t := asr.Transcript{Text: e.PredText, Language: e.Lang, Duration: e.Duration}
		for name, into := range map[string]any{"segments": &t.Segments, "words": &t.Words} {
			raw, ok := e.Extra.Get(name)
			require.True(s.t, ok, name)
			require.NoError(s.t, json.Unmarshal(raw, into))
		}
		return t
	}
	s.t.Fatal("the journal does not have it")
	return asr.Transcript{}
}

// A client that does what no library would.

func (s *site) host() string { return strings.TrimPrefix(s.url, "http://") }

func (s *site) cookie() string {
	at, err := url.Parse(s.url)
	require.NoError(s.t, err)
	return s.client.Jar.Cookies(at)[0].String()
}

func (s *site) dial() net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.host())
	require.NoError(s.t, err)
	s.t.Cleanup(func() { conn.Close() })
	return conn
}

// formOf makes a form as OpenAI's clients send it. The file comes last.
func formOf(recording []byte, fields url.Values) (body *bytes.Buffer, contentType string) {
	body = new(bytes.Buffer)
	form := multipart.NewWriter(body)
	for name, values := range fields {
		for _, value := range values {
			form.WriteField(name, value)
		}
	}
	if recording != nil {
		part, _ := form.CreateFormFile("file", "talk.wav")
		part.Write(recording)
	}
	form.Close()
	return body, form.FormDataContentType()
}
