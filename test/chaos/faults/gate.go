package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Gate stands between a proxy and its broker and can be harmed: a toxiproxy
// inside this process, and on both sides of it what measures that harm.
type Gate struct {
	proxy   *toxiproxy.Proxy
	wire    *wire
	address string
}

// NewGate opens a gate to an address, on a free port of 127.0.0.1.
func NewGate(to string) (*Gate, error) {
	zerolog.SetGlobalLevel(zerolog.Disabled) // toxics log to a logger of the package's own
	wire, err := newWire(to)
	if err != nil {
		return nil, err
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	g := &Gate{proxy: toxiproxy.NewProxy(server, "gate", "127.0.0.1:0", wire.exit.Addr().String()), wire: wire}
	if err = g.proxy.Start(); err == nil {
		g.address, err = wire.listen("127.0.0.1:0", g.proxy.Listen)
	}
	if err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// Address is where to dial instead.
func (g *Gate) Address() string { return g.address }

// Close ends the gate and all connections through it.
func (g *Gate) Close() {
	g.proxy.Stop()
	g.wire.close()
}

// Shut refuses and cuts everything until Open.
func (g *Gate) Shut() {
	g.wire.shut()
	g.proxy.Stop()
}

// Open lets connections through again, at the same address.
func (g *Gate) Open() error {
	if g.proxy.Enabled {
		return nil
	}
	err := g.proxy.Start()
	if err == nil {
		_, err = g.wire.listen(g.address, g.proxy.Listen)
	}
	return err
}

// Harm puts a toxic of a kind onto both ways of every connection.
func (g *Gate) Harm(kind string, attributes map[string]any) error {
	for _, stream := range []string{"upstream", "downstream"} {
		toxic, err := json.Marshal(map[string]any{
			"name": kind + "-" + stream, "type": kind, "stream": stream, "toxicity": 1.0, "attributes": attributes,
		})
		if err != nil {
			return err
		}
		if _, err := g.proxy.Toxics.AddToxicJson(bytes.NewReader(toxic)); err != nil {
			return fmt.Errorf("toxic %s: %w", kind, err)
		}
	}
	return nil
}

// Heal takes all toxics off and opens the gate.
func (g *Gate) Heal(ctx context.Context) error {
	g.proxy.Toxics.ResetToxics(ctx)
	return g.Open()
}
