package main

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/connectors/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHealthOfARunningSandbox(t *testing.T) {
	t.Parallel()
	require.Error(t, ask(t.Context(), "no port"))
	server, err := sandbox.New(sandbox.Config{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	<-server.Ready()
	_, port, err := net.SplitHostPort(server.Addr())
	require.NoError(t, err)
	require.NoError(t, ask(t.Context(), server.Addr()))
	require.NoError(t, ask(t.Context(), ":"+port), "listening on all interfaces is asked on the loopback")
	stop()
	require.NoError(t, <-served, "stopped gracefully")
	require.Error(t, ask(t.Context(), server.Addr()))
}
