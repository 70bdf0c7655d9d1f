package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func (s *site) transcription(recording []byte, fields url.Values) answered {
	s.t.Helper()
	body, contentType := formOf(recording, fields)
	return s.doAs(http.DefaultClient, "POST", "/v1/audio/transcriptions", body, "Content-Type", contentType, "Authorization", "Bearer none")
}

func TestOpenAIFormats(t *testing.T) {
	s := newSite(t, nil)
	want := strings.Join(script(talk), " ")
	ask := func(format string, more ...string) answered {
		t.Helper()
		fields := url.Values{"model": {"whisper-1"}, "language": {"en"}}
		if format != "" {
			fields.Set("response_format", format)
		}
		for _, g := range more {
			fields.Add("timestamp_granularities[]", g)
		}
		a := s.transcription(wav(talk, 12), fields)
		require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
		return a
	}
	for _, format := range []string{"", "json"} {
		var got map[string]string
		ask(format).into(t, &got)
		require.Equal(t, map[string]string{"text": " " + want}, got)
	}
	require.Equal(t, " "+want+"\n", string(ask("text").body))
	require.Contains(t, string(ask("srt").body), "1\n00:00:00,000 --> 00:00:01,000\nGood morning")
	vtt := ask("vtt")
	require.Contains(t, string(vtt.body), "WEBVTT\n\n00:00:00.000 -->")
	require.Equal(t, "text/vtt; charset=utf-8", vtt.Header.Get("Content-Type"))
	var long verbose
	ask("verbose_json").into(t, &long)
	require.Equal(t, "transcribe", long.Task)
	require.InDelta(t, 12, long.Duration, 0.001)
	require.Len(t, long.Segments, 12)
	require.Equal(t, 3, long.Segments[3].ID)
	require.InDelta(t, 3, long.Segments[3].Start, 0.001)
	require.Empty(t, long.Words)
	ask("verbose_json", "word", "segment").into(t, &long)
	require.Len(t, long.Words, 12)
	require.Empty(t, s.jobs(), "it is nobody's job")
	require.Empty(t, s.staged())
	require.Equal(t, 1, s.engine.calls, "the journal answers the same question")
}

func TestOpenAIErrors(t *testing.T) {
	s := newSite(t, nil)
	for name, c := range map[string]struct {
		recording []byte
		fields    url.Values
		status    int
		param     any
		message   string
	}{
		"no file":            {nil, nil, 400, "file", "missing"},
		"empty file":         {[]byte{}, nil, 400, nil, "empty"},
		"unknown format":     {wav(talk, 1), url.Values{"response_format": {"diarized_json"}}, 400, "response_format", "verbose_json"},
		"words need verbose": {wav(talk, 1), url.Values{"timestamp_granularities[]": {"word"}}, 400, "timestamp_granularities", "verbose_json"},
		"bad granularity":    {wav(talk, 1), url.Values{"response_format": {"verbose_json"}, "timestamp_granularities[]": {"phoneme"}}, 400, "timestamp_granularities", "word"},
		"bad language":       {wav(talk, 1), url.Values{"language": {"../etc"}}, 400, "language", "code"},
		"long field":         {wav(talk, 1), url.Values{"prompt": {strings.Repeat("x", formAllowance+1)}}, 413, nil, "too large"},
		"too large":          {make([]byte, 12<<20), nil, 413, nil, "too large"},
		"text":               {[]byte("hello, hello"), nil, 415, nil, "text"},
		"bad audio":          {wav(badAudio, 1), nil, 400, "file", "only noise"},
		"engine dies":        {wav(dies, 1), nil, 500, nil, "segmentation fault"},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.transcription(c.recording, c.fields)
			require.Equal(t, c.status, a.StatusCode, string(a.body))
			var got struct{ Error map[string]any }
			a.into(t, &got)
			require.Equal(t, c.param, got.Error["param"])
			require.Contains(t, got.Error["message"], c.message)
			require.NotContains(t, got.Error["message"], s.base)
			kind := "invalid_request_error"
			if c.status >= 500 {
				kind = "server_error"
			}
			require.Equal(t, kind, got.Error["type"])
			require.Empty(t, s.staged())
		})
	}
	a := s.doAs(http.DefaultClient, "POST", "/v1/audio/transcriptions", strings.NewReader("{}"), "Content-Type", "application/json")
	require.Equal(t, http.StatusBadRequest, a.StatusCode)
	require.Contains(t, string(a.body), "multipart/form-data")
}

// A client that goes away gives the engine free.
func TestOpenAIClientGone(t *testing.T) {
	s := newSite(t, nil)
	body, contentType := formOf(wav(endless, 1), nil)
	conn := s.dial()
	request, err := http.NewRequest("POST", s.url+"/v1/audio/transcriptions", body)
	require.NoError(t, err)
	request.Header.Set("Content-Type", contentType)
	require.NoError(t, request.Write(conn))
	require.Eventually(t, func() bool {
		s.engine.mu.Lock()
		defer s.engine.mu.Unlock()
		return s.engine.calls == 1
	}, patience, time.Millisecond)
	conn.Close()
	require.Equal(t, done, s.ended(s.upload("next.wav", wav(talk, 1))).State)
	require.Empty(t, s.staged())
}

func TestOpenAIModels(t *testing.T) {
	s := newSite(t, nil)
	var got struct{ Data []struct{ ID string } }
	s.get("/v1/models").into(t, &got)
	require.Equal(t, "test", got.Data[0].ID)
}
