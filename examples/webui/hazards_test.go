package main

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr/subtitle"
)

// No name becomes a path; people see it cleaned, and get it back.
func TestNamesAreLabels(t *testing.T) {
	s := newSite(t, nil)
	for name, want := range map[string]string{
		`..\..\x.wav`:                      "x.wav",
		`C:\a\b.wav`:                       "b.wav",
		"../../../etc/passwd":              "passwd",
		"..":                               "recording",
		"":                                 "recording",
		"CON.wav":                          "CON.wav",
		"a:b.wav":                          "a:b.wav",
		"x.wav.":                           "x.wav.",
		"-rf.wav":                          "-rf.wav",
		"a\x00b\r\nc.wav":                  "abc.wav",
		"photo\u202egnp.wav":               "photognp.wav", // RTL override
		"👩‍👧 talk.wav":                     "👩‍👧 talk.wav",
		"\xff\xfe.wav":                     "\uFFFD.wav",
		"x.html":                           "x.html",
		strings.Repeat("ä", 300) + ".wav":  strings.Repeat("ä", 195) + "….wav",
		strings.Repeat("x", 300):           strings.Repeat("x", 199) + "…",
		"<img src=x onerror=alert(1)>.mp3": "<img src=x onerror=alert(1)>.mp3",
		"semi;colon\"quote'.wav":           "semi;colon\"quote'.wav",
	} {
		id := s.upload(name, wav(talk, 1))
		got := s.ended(id)
		require.Equal(t, want, got.Name, "%q", name)
		require.LessOrEqual(t, utf8.RuneCountInString(got.Name), maxLabel)
	}
	s.stop() // a job's last state is told before it is written
	stored := regexp.MustCompile(`^jobs/[a-z2-7]{26}/(job\.json|audio\.(wav|mp3|bin)|events\.jsonl(\.lock)?|transcript\.(txt|srt|vtt|json))$`)
	for _, name := range s.files("out") {
		if !strings.HasPrefix(name, "journal.jsonl") {
			require.Regexp(t, stored, name)
		}
	}
	require.NoFileExists(t, filepath.Join(s.base, "x.wav"))
}

// The header of a download survives every name, and every file system takes it.
func TestDownloadNames(t *testing.T) {
	for label, want := range map[string]string{
		"talk.wav":             "talk.srt",
		"a \"quoted\" one.wav": "a _quoted_ one.srt",
		"Ödegård 👩.wav":        "Ödegård 👩.srt",
		"CON.wav":              "_CON.srt",
		"com1.x.wav":           "_com1.x.srt",
		"-rf.wav":              "_-rf.srt",
		".hidden.wav":          "_.hidden.srt",
		"x.wav.":               "x.wav.srt",
		"a:b.wav":              "a_b.srt",
		"..wav":                "_.srt",
		"a;b=c.wav":            "a;b=c.srt",
	} {
		header := attachment(label, ".srt")
		require.NotContains(t, header, "\n")
		kind, params, err := mime.ParseMediaType(header)
		require.NoError(t, err, header)
		require.Equal(t, "attachment", kind)
		require.Equal(t, want, params["filename"], header)
	}
}

// Nothing that a stranger sent is served so that a browser would run it.
func TestUploadIsNeverADocument(t *testing.T) {
	s := newSite(t, nil)
	content := append(wav(talk, 1), "<html><script>alert(1)</script>"...)
	id := s.upload("page.html", content)
	s.ended(id)
	a := s.get("/api/jobs/" + id + "/audio")
	require.Equal(t, content, a.body)
	require.Equal(t, "application/octet-stream", a.Header.Get("Content-Type"))
	require.Contains(t, a.Header.Get("Content-Disposition"), "attachment")
	for _, path := range []string{"/", "/page/app.js", "/api/jobs", "/api/jobs/" + id + "/audio", "/v1/models", "/nothing"} {
		a := s.get(path)
		require.Equal(t, policy, a.Header.Get("Content-Security-Policy"), path)
		require.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "same-origin", a.Header.Get("Cross-Origin-Resource-Policy"), path)
	}
	for _, rule := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
		require.Contains(t, policy, rule)
	}
}

// Playing from the middle needs a part of the file.
func TestAudioInParts(t *testing.T) {
	s := newSite(t, nil)
	content := wav(talk, 1)
	id := s.upload("talk.wav", content)
	a := s.get("/api/jobs/"+id+"/audio", "Range", "bytes=100-199")
	require.Equal(t, http.StatusPartialContent, a.StatusCode)
	require.Equal(t, content[100:200], a.body)
	require.Equal(t, "audio/wav", a.Header.Get("Content-Type"))
}

// The page's own code makes no mark-up of text.
func TestPageWritesTextOnly(t *testing.T) {
	files, err := page.ReadDir("page")
	require.NoError(t, err)
	for _, f := range files {
		b, err := page.ReadFile("page/" + f.Name())
		require.NoError(t, err)
		for _, danger := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "srcdoc", "DOMParser", "createContextualFragment"} {
			require.NotContains(t, string(b), danger, f.Name())
		}
		if path.Ext(f.Name()) != ".svg" {
			require.NotRegexp(t, `https?://`, string(b), "%s works without a network", f.Name())
		}
	}
}

// What an engine claims to have heard cannot add cues or mark-up to subtitles.
func TestHostileTextInSubtitles(t *testing.T) {
	s := newSite(t, nil)
	id := s.upload("hostile.wav", wav(hostile, 3))
	require.Equal(t, done, s.ended(id).State)
	vtt := string(s.get("/api/jobs/" + id + "/transcript.vtt").body)
	require.Equal(t, 3, strings.Count(vtt, "-->"), vtt)
	require.NotContains(t, vtt, "<img")
	require.NotContains(t, vtt, "<v ")
	srt := string(s.get("/api/jobs/" + id + "/transcript.srt").body)
	require.Equal(t, 3, strings.Count(srt, "-->"), srt)
	require.Len(t, strings.Split(strings.TrimSpace(srt), "\n\n"), 3, srt)
}

// A recording that is one byte too large is refused before it is sent.
func TestTooLarge(t *testing.T) {
	s := newSite(t, func(c *config) { c.Limits.upload = 400_000 })
	exact := append(wav(talk, 12), make([]byte, 400_000-len(wav(talk, 12)))...)
	s.upload("exact.wav", exact)
	a := s.do("PUT", uploadPath("over.wav"), bytes.NewReader(append(exact, 0)))
	require.Equal(t, http.StatusRequestEntityTooLarge, a.StatusCode)
	require.Contains(t, string(a.body), "too large")

	conn := s.dial()
	fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nContent-Length: 400001\r\n\r\n", uploadPath("over.wav"), s.host(), s.cookie())
	require.Contains(t, firstLine(t, conn), "413")
	require.Len(t, s.jobs(), 1)
	require.Len(t, s.filesOf("audio.wav"), 1)
}

// A form's recording goes straight into the scope, whatever its size.
func TestFormsLeaveNoTemporaryFiles(t *testing.T) {
	temp := t.TempDir()
	s := newSite(t, nil)
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	s.engine.block = make(chan struct{})
	body, contentType := formOf(wav(talk, 100), nil) // 3 MB
	first := body.Len() - 1000
	conn := s.dial()
	fmt.Fprintf(conn, "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", s.host(), contentType, body.Len())
	_, err := conn.Write(body.Next(first))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(s.staged()) == 1 }, patience, time.Millisecond)
	require.Empty(t, s.elsewhere(temp))
	_, err = conn.Write(body.Bytes())
	require.NoError(t, err)
	s.engine.block <- struct{}{}
	require.Contains(t, firstLine(t, conn), "200")
	require.Empty(t, s.elsewhere(temp))
	require.Eventually(t, func() bool { return len(s.staged()) == 0 }, patience, time.Millisecond)
}

// A client that goes away in the middle leaves nothing.
func TestPartialUpload(t *testing.T) {
	s := newSite(t, nil)
	content := wav(talk, 10)
	conn := s.dial()
	fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nContent-Length: %d\r\n\r\n", uploadPath("half.wav"), s.host(), s.cookie(), len(content))
	_, err := conn.Write(content[:len(content)/2])
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(s.staged()) == 1 }, patience, time.Millisecond)
	conn.Close()
	require.Eventually(t, func() bool { return len(s.staged()) == 0 }, patience, time.Millisecond)
	require.Empty(t, s.jobs())
	require.Empty(t, s.filesOf("audio.wav"))
}

// The disk is not filled: uploads on their way count.
func TestDiskFull(t *testing.T) {
	free := int64(1 << 30)
	s := newSite(t, func(c *config) {
		c.Limits.free = 1 << 20
		c.Free = func(string) (int64, error) { return free, nil }
	})
	content := wav(talk, 10)
	free = 1<<20 + 2*int64(len(content)) - 1
	a := s.do("PUT", uploadPath("x.wav"), bytes.NewReader(content))
	require.Equal(t, http.StatusInsufficientStorage, a.StatusCode)
	require.Contains(t, string(a.body), "not enough space")

	free = 1<<20 + 3*int64(len(content))
	conn := s.dial() // an upload that is on its way has the space for it
	fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nContent-Length: %d\r\n\r\n", uploadPath("first.wav"), s.host(), s.cookie(), len(content))
	_, err := conn.Write(content[:1000])
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(s.staged()) == 1 }, patience, time.Millisecond)
	a = s.do("PUT", uploadPath("second.wav"), bytes.NewReader(content))
	require.Equal(t, http.StatusInsufficientStorage, a.StatusCode)
	_, err = conn.Write(content[1000:])
	require.NoError(t, err)
	require.Contains(t, firstLine(t, conn), "201")
	s.upload("second.wav", content) // and has given it back
}

// Who sends nothing is sent away; who is slow but moves is not.
func TestSlowClients(t *testing.T) {
	s := newSite(t, func(c *config) { c.Limits.window, c.Limits.pace = 300*time.Millisecond, 1000 })
	content := wav(talk, 1)
	request := fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nContent-Length: %d\r\n\r\n", uploadPath("x.wav"), s.host(), s.cookie(), len(content))

	conn := s.dial()
	fmt.Fprint(conn, request)
	_, err := conn.Write(content[:5000])
	require.NoError(t, err)
	require.Contains(t, firstLine(t, conn), "408") // or else it waits until the test's patience ends
	require.Empty(t, s.staged())

	conn = s.dial()
	fmt.Fprint(conn, request)
	for at := 0; at < len(content); at += 2000 { // 16 pieces, one each 50 ms: longer than the window
		<-time.After(50 * time.Millisecond)
		_, err := conn.Write(content[at:min(at+2000, len(content))])
		require.NoError(t, err)
	}
	require.Contains(t, firstLine(t, conn), "201")
}

func TestTooManyUploads(t *testing.T) {
	s := newSite(t, func(c *config) { c.Limits.uploads = 2 })
	content := wav(talk, 1)
	var conns []net.Conn
	for range 2 {
		conn := s.dial()
		fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nContent-Length: %d\r\n\r\n", uploadPath("x.wav"), s.host(), s.cookie(), len(content))
		_, err := conn.Write(content[:1000])
		require.NoError(t, err)
		conns = append(conns, conn)
	}
	require.Eventually(t, func() bool { return len(s.staged()) == 2 }, patience, time.Millisecond)
	a := s.do("PUT", uploadPath("third.wav"), bytes.NewReader(content))
	require.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	require.NotEmpty(t, a.Header.Get("Retry-After"))
	for _, conn := range conns {
		_, err := conn.Write(content[1000:])
		require.NoError(t, err)
		require.Contains(t, firstLine(t, conn), "201")
	}
	s.upload("third.wav", content)
}

// Twenty uploads at once, by a client that comes again when it is told to.
func TestTwentyUploadsAtOnce(t *testing.T) {
	s := newSite(t, func(c *config) { c.Limits.uploads = 4 })
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			for {
				a := s.do("PUT", uploadPath(fmt.Sprintf("%02d.wav", i)), bytes.NewReader(wav(20+i, 1)))
				if a.StatusCode == http.StatusCreated {
					return
				}
				if a.StatusCode != http.StatusServiceUnavailable {
					t.Errorf("%d: %s", a.StatusCode, a.body)
					return
				}
			}
		})
	}
	group.Wait()
	for _, v := range s.jobs() {
		require.Equal(t, done, s.ended(v.ID).State)
	}
	require.Len(t, s.jobs(), 20)
}

func TestTooManyJobs(t *testing.T) {
	s := newSite(t, func(c *config) { c.Limits.jobs = 2 })
	s.upload("1.wav", wav(talk, 1))
	id := s.upload("2.wav", wav(talk, 1))
	a := s.do("PUT", uploadPath("3.wav"), bytes.NewReader(wav(talk, 1)))
	require.Equal(t, http.StatusTooManyRequests, a.StatusCode)
	s.ended(id)
	require.Equal(t, http.StatusNoContent, s.do("DELETE", "/api/jobs/"+id, nil).StatusCode)
	s.upload("3.wav", wav(talk, 1))
}

// What is certainly no recording is refused by its first bytes.
func TestNotAudio(t *testing.T) {
	s := newSite(t, nil)
	for want, content := range map[string]string{
		"text":       "this is a letter, whatever its name says\n",
		"an archive": "PK\x03\x04 and so on",
		"PDF":        "%PDF-1.7\n",
		"a picture":  "\x89PNG\r\n\x1a\n",
	} {
		a := s.do("PUT", uploadPath("talk.wav"), strings.NewReader(content+strings.Repeat("\n", 100_000)))
		require.Equal(t, http.StatusUnsupportedMediaType, a.StatusCode, want)
		require.Contains(t, string(a.body), want)
	}
	a := s.do("PUT", uploadPath("empty.wav"), http.NoBody)
	require.Equal(t, http.StatusBadRequest, a.StatusCode)
	require.Contains(t, string(a.body), "empty")
	require.Empty(t, s.jobs())
	require.Empty(t, s.staged())

	// What only a reader finds out is said of the one job.
	id := s.upload("cut.wav", wav(talk, 1)[:1000])
	v := s.ended(id)
	require.Equal(t, failed, v.State)
	require.Contains(t, v.Error, "not copied whole")
	require.NotContains(t, v.Error, s.base, "no path of the server's")
}

// Pages of other sites, under whatever name, get nothing and change nothing.
func TestOtherSites(t *testing.T) {
	s := newSite(t, nil)
	id := s.upload("talk.wav", wav(talk, 1))
	s.ended(id)
	for _, host := range []string{"evil.example", fmt.Sprintf("evil.example:%d", s.config.Port), "127.0.0.1", "127.0.0.1:1", ""} {
		for _, path := range []string{"/", "/api/jobs", "/v1/models"} {
			if host == "" {
				continue
			}
			require.Equal(t, http.StatusForbidden, s.get(path, "Host", host).StatusCode, "%s %s", host, path)
		}
	}
	require.Equal(t, http.StatusOK, s.get("/", "Host", fmt.Sprintf("localhost:%d", s.config.Port)).StatusCode)
	for _, header := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "http://evil.example"}, {"Origin", "null"},
	} {
		for _, c := range []struct{ method, path string }{
			{"PUT", uploadPath("x.wav")}, {"DELETE", "/api/jobs/" + id}, {"POST", "/api/jobs/" + id + "/cancel"}, {"POST", "/v1/audio/transcriptions"},
		} {
			a := s.do(c.method, c.path, bytes.NewReader(wav(talk, 1)), header...)
			require.Equal(t, http.StatusForbidden, a.StatusCode, "%s %v", c.path, header)
		}
	}
	for _, path := range []string{"/api/jobs", "/api/jobs/" + id + "/audio", "/api/events"} {
		require.Equal(t, http.StatusForbidden, s.get(path, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors").StatusCode, path)
	}
	require.Len(t, s.jobs(), 1)
}

// deadlines counts how often a connection gets more time to bring something.
type deadlines struct {
	http.ResponseWriter
	read int
}

func (d *deadlines) SetReadDeadline(time.Time) error  { d.read++; return nil }
func (d *deadlines) SetWriteDeadline(time.Time) error { return nil }

// A client that sends a byte now and then does not keep its place for ever.
func TestPace(t *testing.T) {
	s := &server{config: config{Limits: limits{window: time.Minute, pace: 10}}}
	d := &deadlines{}
	body := s.pacedBody(d, strings.NewReader("twelve bytes"))
	require.Equal(t, 1, d.read)
	for n, want := range []int{1, 1, 2} {
		_, err := io.ReadFull(body, make([]byte, 4))
		require.NoError(t, err)
		require.Equal(t, want, d.read, "after %d bytes", 4*(n+1))
	}
}

func TestNobodysCookie(t *testing.T) {
	s := newSite(t, nil)
	for _, value := range []string{"", "short"} {
		a := s.doAs(http.DefaultClient, "GET", "/api/jobs", nil, "Cookie", cookieName+"="+value)
		require.Equal(t, http.StatusUnauthorized, a.StatusCode, value)
	}
}

// A browser leaves the usual port out of the name.
func TestUsualPort(t *testing.T) {
	s := &server{config: config{Port: 80}}
	for host, want := range map[string]int{
		"localhost": http.StatusOK, "127.0.0.1:80": http.StatusOK, "[::1]": http.StatusOK, "localhost:8080": http.StatusForbidden, "evil.example": http.StatusForbidden,
	} {
		r := httptest.NewRequest("GET", "http://"+host+"/", nil)
		w := httptest.NewRecorder()
		s.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		require.Equal(t, want, w.Code, host)
	}
}

func TestFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"uploaded on the page":     {"talk.wav"},
		"-max-size 0":              {"-max-size", "0"},
		"-max-size 17592186044417": {"-max-size", "17592186044417"}, // 1 MiB, if it overflowed
		"-min-free -1":             {"-min-free", "-1"},
		"unknown engine":           {"-engine", "x"},
	} {
		var said strings.Builder
		_, code, ok := parseFlags(args, &said)
		require.False(t, ok, args)
		require.Equal(t, exitUsage, code)
		require.Contains(t, said.String(), want)
	}
}

func TestLoopbackOnly(t *testing.T) {
	for _, addr := range []string{":8080", "0.0.0.0:0", "192.0.2.1:80", "[::]:0", "example.org:80", "8080", "127.0.0.2:0"} {
		_, err := listen(t.Context(), addr)
		require.Error(t, err, addr)
	}
	for _, addr := range []string{"127.0.0.1:0", "localhost:0"} {
		l, err := listen(t.Context(), addr)
		require.NoError(t, err, addr)
		l.Close()
	}
}

// Who uses the same machine does not see what others upload.
func TestOtherPeople(t *testing.T) {
	s := newSite(t, nil)
	id := s.upload("secret.wav", wav(talk, 1))
	s.ended(id)
	require.Regexp(t, `^[a-z2-7]{26}$`, id) // 130 random bits
	other := browser(t)
	require.Equal(t, http.StatusUnauthorized, s.doAs(other, "GET", "/api/jobs", nil).StatusCode)
	s.doAs(other, "GET", "/", nil)
	require.JSONEq(t, "[]", string(s.doAs(other, "GET", "/api/jobs", nil).body))
	for _, c := range []struct{ method, path string }{
		{"GET", "/audio"}, {"GET", "/transcript.txt"}, {"GET", "/events"}, {"POST", "/cancel"}, {"POST", "/retry"}, {"DELETE", ""},
	} {
		require.Equal(t, http.StatusNotFound, s.doAs(other, c.method, "/api/jobs/"+id+c.path, nil).StatusCode, c.path)
	}
	cookie := s.doAs(browser(t), "GET", "/", nil).Header.Get("Set-Cookie")
	require.Contains(t, cookie, "HttpOnly")
	require.Contains(t, cookie, "SameSite=Strict")
	b, err := os.ReadFile(filepath.Join(s.base, "out", "jobs", id, "job.json"))
	require.NoError(t, err)
	require.NotContains(t, string(b), s.cookie()[len(cookieName)+1:], "only its hash is kept")
}

// What one downloads is what the journal holds, byte for byte.
func TestDownloadsEqualJournal(t *testing.T) {
	s := newSite(t, nil)
	id := s.upload("Railway.wav", wav(talk, 12))
	s.ended(id)
	for _, format := range downloads {
		a := s.get("/api/jobs/" + id + "/transcript." + string(format))
		require.Equal(t, http.StatusOK, a.StatusCode)
		var want bytes.Buffer
		require.NoError(t, subtitle.Write(&want, format, s.journaled(id)))
		require.Equal(t, want.String(), string(a.body), format)
		_, params, err := mime.ParseMediaType(a.Header.Get("Content-Disposition"))
		require.NoError(t, err)
		require.Equal(t, "Railway."+string(format), params["filename"])
	}
	for _, file := range []string{"transcript.exe", "job.json", "events.jsonl", "transcript.", "..%2Fjob.json"} {
		require.Equal(t, http.StatusNotFound, s.get("/api/jobs/"+id+"/"+file).StatusCode, file)
	}
}

func firstLine(t *testing.T, conn net.Conn) string {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	var line []byte
	for b := make([]byte, 1); ; {
		_, err := io.ReadFull(conn, b)
		require.NoError(t, err, "after %q", line)
		if b[0] == '\n' {
			return string(line)
		}
		line = append(line, b[0])
	}
}
