package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/holdfast-go/holdfast/asr/jetstream"
	"github.com/holdfast-go/holdfast/asr/jetstream/embedded"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// serve runs the server until it is interrupted.
func (p *program) serve(ctx context.Context) error {
	root, err := tempdir.Open(ctx, p.store, tempdir.Options{Logger: p.log})
	if err != nil {
		return unusable(err)
	}
	token, err := p.token(ctx, true)
	if err != nil {
		return unusable(err)
	}
	config, err := p.tls(ctx, true)
	if err != nil {
		return unusable(err)
	}
	server, err := embedded.Start(ctx, embedded.Config{Root: root, Listen: p.listen, Token: token, TLS: config, Logger: p.log})
	if err != nil {
		return unusable(err)
	}
	fmt.Fprintf(p.stdout, "serving %s, data in %s\n", server.URL(), root.Path())
	<-ctx.Done()
	return server.Close()
}

// withFleet connects, and calls use.
func (p *program) withFleet(ctx context.Context, use func(*jetstream.Fleet) error) error {
	waiting := ctx
	if p.patience > 0 {
		var done context.CancelFunc
		waiting, done = context.WithTimeoutCause(ctx, p.patience, fmt.Errorf("no server for %v", p.patience))
		defer done()
	}
	token, err := p.token(ctx, false)
	if err != nil {
		return unusable(err)
	}
	config, err := p.tls(ctx, false)
	if err != nil {
		return unusable(err)
	}
	fleet, err := jetstream.Connect(waiting, jetstream.Config{
		URL: p.url, Token: token, Credentials: p.creds, TLS: config, AckWait: p.ackWait, Replicas: p.replicas, Logger: p.log,
	})
	if err != nil {
		return unusable(err)
	}
	defer fleet.Close()
	return use(fleet)
}

// token reads the token; a flag would show it to everybody who lists processes.
func (p *program) token(ctx context.Context, create bool) (string, error) {
	if p.tokenFile == "" {
		return "", nil
	}
	data, err := retry.FS{}.ReadFile(ctx, p.tokenFile)
	if create && errors.Is(err, fs.ErrNotExist) {
		data = []byte(rand.Text() + "\n")
		err = retry.FS{}.WriteFile(ctx, p.tokenFile, data)
	}
	token := strings.TrimSpace(string(data))
	if err == nil && token == "" {
		err = fmt.Errorf("%s is empty", p.tokenFile)
	}
	return token, err
}

// tls makes what the flags say; nil if they say nothing.
func (p *program) tls(ctx context.Context, serve bool) (*tls.Config, error) {
	if p.ca == "" && p.cert == "" && p.key == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if p.cert != "" || p.key != "" {
		pair, err := tls.LoadX509KeyPair(p.cert, p.key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if p.ca == "" {
		return config, nil
	}
	data, err := retry.FS{}.ReadFile(ctx, p.ca)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", p.ca)
	}
	if serve {
		config.ClientCAs, config.ClientAuth = pool, tls.RequireAndVerifyClientCert
	} else {
		config.RootCAs = pool
	}
	return config, nil
}
