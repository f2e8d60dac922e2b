package main

import (
	"errors"
	"flag"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// serveRedis holds what Argo CD caches, in memory, until it is asked to end.
func serveRedis() error {
	address := flag.String("listen", "", "address and port, for example 127.0.0.1:6379")
	flag.Parse()
	if *address == "" {
		return errors.New("--listen is missing")
	}
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(*address); err != nil {
		return err
	}
	defer server.Close()

	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	clock := time.NewTicker(time.Second)
	defer clock.Stop()
	for {
		select {
		case <-clock.C:
			// Its entries grow older by this alone.
			server.FastForward(time.Second)
		case <-ended:
			return nil
		}
	}
}
