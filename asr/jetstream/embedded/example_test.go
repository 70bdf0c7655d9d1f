package embedded_test

import (
	"context"
	"log"

	"github.com/holdfast-go/holdfast/asr/jetstream"
	"github.com/holdfast-go/holdfast/asr/jetstream/embedded"
	"github.com/holdfast-go/holdfast/tempdir"
)

// The program that has the recordings serves the others, and itself.
func Example() {
	ctx := context.Background()
	root, err := tempdir.Open(ctx, "", tempdir.Options{})
	if err != nil {
		log.Fatal(err)
	}
	server, err := embedded.Start(ctx, embedded.Config{Root: root, Listen: "192.168.0.5:4222", Token: "secret"})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	log.Print("workers connect to ", server.URL())
	fleet, err := jetstream.Connect(ctx, jetstream.Config{InProcess: server, Token: "secret"})
	if err != nil {
		log.Fatal(err)
	}
	defer fleet.Close()
}
