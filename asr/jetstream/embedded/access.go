package embedded

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// checkAccess refuses an address at which strangers could submit jobs, or
// results.
func checkAccess(listen, token string, config *tls.Config) error {
	if listen == "" {
		return nil
	}
	host, _, err := splitAddress(listen)
	if err != nil {
		return fmt.Errorf("listen address %q: %w; give host and port, as 127.0.0.1:4222", listen, err)
	}
	if host == "" {
		return fmt.Errorf("listen address %q: name the address; 0.0.0.0 is every one of this machine", listen)
	}
	if isLoopback(host) || token != "" || config != nil && config.ClientAuth == tls.RequireAndVerifyClientCert {
		return nil
	}
	return fmt.Errorf("listen address %q: others can reach it, so it needs a token, or TLS that demands client certificates", listen)
}

func splitAddress(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, errors.New("the port is not a number from 0 to 65535")
	}
	return host, port, nil
}

// isLoopback trusts numbers only, and the one name that always means this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
