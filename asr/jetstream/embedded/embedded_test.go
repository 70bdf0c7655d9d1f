package embedded_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr/jetstream"
	"github.com/holdfast-go/holdfast/asr/jetstream/embedded"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

func openRoot(t *testing.T) *tempdir.Root {
	t.Helper()
	dir, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	root, err := tempdir.Open(t.Context(), filepath.Join(dir, "r"), tempdir.Options{MinFree: -1})
	require.NoError(t, err)
	return root
}

func serve(t *testing.T, c embedded.Config) *embedded.Server {
	t.Helper()
	c.MinFree = 1 << 20
	if c.Root == nil {
		c.Root = openRoot(t)
	}
	server, err := embedded.Start(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server
}

// A store is one server's alone, and free again when that is closed.
func TestOneServerForAStore(t *testing.T) {
	root := openRoot(t)
	first := serve(t, embedded.Config{Root: root})
	_, err := embedded.Start(t.Context(), embedded.Config{Root: root})
	require.ErrorIs(t, err, embedded.ErrInUse)
	require.NoError(t, first.Close())
	require.NoError(t, first.Close())
	serve(t, embedded.Config{Root: root})
}

// Everything lies in the root, nothing in the system's temporary directory.
func TestStoreLiesInTheRoot(t *testing.T) {
	root := openRoot(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	server := serve(t, embedded.Config{Root: root})
	fleet, err := jetstream.Connect(t.Context(), jetstream.Config{InProcess: server})
	require.NoError(t, err)
	defer fleet.Close()
	_, err = fleet.Submit(t.Context(), "b", func(func(manifest.Entry, error) bool) {}, jetstream.SubmitOptions{})
	require.NoError(t, err)
	entries, err := os.ReadDir(temp)
	require.NoError(t, err)
	require.Empty(t, entries)
	require.DirExists(t, filepath.Join(root.Path(), "cache", "jetstream", "jetstream"))
	require.Empty(t, server.URL())
}

func TestListen(t *testing.T) {
	clients := &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert}
	anybody := &tls.Config{}
	for name, c := range map[string]struct {
		listen, token string
		tls           *tls.Config
		want          string // "": it is accepted
	}{
		"every address":               {"0.0.0.0:0", "", nil, "needs a token"},
		"every address, v6":           {"[::]:0", "", nil, "needs a token"},
		"no address":                  {":4222", "secret", nil, "name the address"},
		"a name":                      {"office:4222", "", nil, "needs a token"},
		"another address":             {"192.0.2.1:4222", "", nil, "needs a token"},
		"encryption alone":            {"192.0.2.1:4222", "", anybody, "needs a token"},
		"no port":                     {"127.0.0.1", "", nil, "give host and port"},
		"a port that is none":         {"127.0.0.1:http", "", nil, "0 to 65535"},
		"loopback":                    {"127.0.0.1:0", "", nil, ""},
		"every address, with a token": {"0.0.0.0:0", "secret", nil, ""},
		"an address that is not ours": {"192.0.2.1:4222", "", clients, "istening"},
	} {
		t.Run(name, func(t *testing.T) {
			server, err := embedded.Start(t.Context(), embedded.Config{Root: openRoot(t), Listen: c.listen, Token: c.token, TLS: c.tls})
			if c.want != "" {
				require.ErrorContains(t, err, c.want)
				return
			}
			require.NoError(t, err)
			require.NotContains(t, server.URL(), ":0")
			require.NoError(t, server.Close())
		})
	}
}

func TestToken(t *testing.T) {
	server := serve(t, embedded.Config{Listen: "127.0.0.1:0", Token: "secret"})
	for _, token := range []string{"", "wrong"} {
		_, err := jetstream.Connect(t.Context(), jetstream.Config{URL: server.URL(), Token: token})
		require.ErrorContains(t, err, "Authorization", token)
	}
	fleet, err := jetstream.Connect(t.Context(), jetstream.Config{URL: server.URL(), Token: "secret"})
	require.NoError(t, err)
	require.NoError(t, fleet.Close())
}

// With certificates of one authority both sides know whom they speak to.
func TestCertificates(t *testing.T) {
	ca := newAuthority(t)
	server := serve(t, embedded.Config{Listen: "127.0.0.1:0", TLS: &tls.Config{
		Certificates: []tls.Certificate{ca.issue(t)}, ClientCAs: ca.pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}})
	require.True(t, strings.HasPrefix(server.URL(), "tls://"))
	fleet, err := jetstream.Connect(t.Context(), jetstream.Config{URL: server.URL(), TLS: &tls.Config{
		Certificates: []tls.Certificate{ca.issue(t)}, RootCAs: ca.pool,
	}})
	require.NoError(t, err)
	require.NoError(t, fleet.Close())

	stranger := newAuthority(t)
	refused := errors.New("refused")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Second, refused)
	defer cancel()
	_, err = jetstream.Connect(ctx, jetstream.Config{URL: server.URL(), TLS: &tls.Config{
		Certificates: []tls.Certificate{stranger.issue(t)}, RootCAs: ca.pool,
	}})
	require.Error(t, err)
}

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	a := &authority{cert: cert, key: key, pool: x509.NewCertPool()}
	a.pool.AddCert(cert)
	return a
}

func (a *authority) issue(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
