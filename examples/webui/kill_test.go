//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// program is the real program in a process of its own, with the scripted
// engine, and a browser that has its page.
type program struct {
	*site
	cmd *exec.Cmd
}

func newProgram(t *testing.T) *program {
	t.Helper()
	base, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(base) })
	return &program{site: &site{t: t, base: base, client: browser(t)}}
}

// run starts it: the first time at a free port, then always at that.
func (p *program) run(pace int) {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0], "-addr", "127.0.0.1:"+strconv.Itoa(p.config.Port),
		"-root", filepath.Join(p.base, "root"), "-out", filepath.Join(p.base, "out"), "-min-free", "0")
	p.cmd.Env = append(os.Environ(), playVariable+"=1", paceVariable+"="+strconv.Itoa(pace))
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(p.t, err)
	require.NoError(p.t, p.cmd.Start())
	p.t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(p.t, err)
	found := regexp.MustCompile(`http://127\.0\.0\.1:(\d+)/`).FindStringSubmatch(line)
	require.NotNil(p.t, found, line)
	p.config.Port, err = strconv.Atoi(found[1])
	require.NoError(p.t, err)
	p.url = "http://127.0.0.1:" + found[1]
	p.get("/")
}

func (p *program) kill() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Kill())
	p.cmd.Wait()
	p.client.CloseIdleConnections()
}

// The server is killed at random moments of a job until the job comes to its
// end. Each time the page that is loaded again shows every segment that it had
// shown, in its order, and one that only connects again gets each once.
func TestKillNine(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	p := newProgram(t)
	p.run(3)
	id := p.upload("lecture.wav", wav(lecture, 60))
	var shown []string // by the page that stays
	last, kills, limit := 0, 0, 100
	for {
		before, process := last, p.cmd.Process
		timer := time.AfterFunc(time.Duration(20+random.IntN(limit))*time.Millisecond, func() { process.Kill() })
		stays := p.stream("/api/jobs/"+id+"/events", "Last-Event-ID", strconv.Itoa(last))
		ended := false
		for !ended {
			e, ok := stays.read()
			if !ok {
				break
			}
			switch e.kind {
			case "segments":
				n, err := strconv.Atoi(e.id)
				require.NoError(t, err)
				require.Equal(t, last+1, n)
				last = n
				var got segmentsEvent
				require.NoError(t, json.Unmarshal([]byte(e.data), &got))
				require.False(t, got.Replace)
				for _, segment := range got.Segments {
					shown = append(shown, segment.Text)
				}
			case "job", "jobs":
				ended = bytes.Contains([]byte(e.data), []byte(`"state":"done"`)) && len(shown) == len(script(lecture))
			}
		}
		stays.close()
		if timer.Stop() && ended {
			break
		}
		p.cmd.Wait()
		p.client.CloseIdleConnections()
		kills++
		if last == before {
			limit += limit / 4 // the engine begins anew each time, and needs longer to get further
		}
		require.Less(t, kills, 300, "no progress is made")
		p.run(3)
		reloaded, _ := p.reload(id, len(shown))
		require.Equal(t, shown, reloaded[:len(shown)])
	}
	t.Logf("killed %d times", kills)
	require.Equal(t, script(lecture), shown)
	p.ended(id)
	require.Contains(t, string(p.get("/api/jobs/"+id+"/transcript.txt").body), script(lecture)[59])
	p.kill()
	p.run(0)
	require.Equal(t, done, p.ended(id).State)
	p.terminate()
	require.Empty(t, p.files("root/s"), "nothing temporary is left")
}

// reload is a page that is loaded again, as far as it was.
func (p *program) reload(id string, n int) (texts []string, ids []int) {
	p.t.Helper()
	if n == 0 {
		return nil, nil
	}
	st := p.stream("/api/jobs/" + id + "/events")
	defer st.close()
	return st.texts(n)
}

// terminate stops the program as Ctrl-C does.
func (p *program) terminate() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(os.Interrupt))
	require.NoError(p.t, p.cmd.Wait())
}

// A server that is killed in the middle of an upload leaves no job, and the
// next one clears its files away.
func TestKillNineInUpload(t *testing.T) {
	p := newProgram(t)
	p.run(0)
	content := wav(talk, 10)
	conn := p.dial()
	fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nContent-Length: %d\r\n\r\n", uploadPath("half.wav"), p.host(), p.cookie(), len(content))
	_, err := conn.Write(content[:len(content)/2])
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(p.staged()) == 1 }, patience, time.Millisecond)
	p.kill()
	require.Len(t, p.staged(), 1)
	p.run(0)
	require.Empty(t, p.staged())
	require.Empty(t, p.jobs())
	require.Equal(t, done, p.ended(p.upload("whole.wav", content)).State)
}

// Ctrl-C in the middle of a job: the exit is clean, nothing temporary is left,
// and the job waits for the next server.
func TestInterrupt(t *testing.T) {
	p := newProgram(t)
	p.run(0)
	id := p.upload("endless.wav", wav(endless, 5))
	stream := p.stream("/api/jobs/" + id + "/events")
	p.until(id, func(v view) bool { return v.Heard > 0 })
	p.terminate()
	for {
		if _, ok := stream.read(); !ok {
			break // it was ended, so that the page connects again
		}
	}
	require.Zero(t, p.cmd.ProcessState.Sys().(syscall.WaitStatus).ExitStatus())
	require.Empty(t, p.files("root/s"))
	p.run(0)
	p.until(id, func(v view) bool { return v.State == working })
	require.Equal(t, http.StatusAccepted, p.do("POST", "/api/jobs/"+id+"/cancel", nil).StatusCode)
}
