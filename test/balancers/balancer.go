package balancers

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/child"
)

// product is a load balancer, and how its shipped file becomes one that runs in a test.
type product struct {
	name     string
	file     string   // below config/deploy
	check    []string // the command that reads the file and says what is wrong with it
	run      []string // the command that runs it in the foreground, as one process
	wrap     string   // around the file's text, at %s
	affinity []string // what an operator edits for affinity: old, new, old, new …
	bound    []string // and for a bound of what that does to one process
	listen   string   // where the file awaits clients
	at       string   // and where the test does, the address at %s
	small    []string // what is made smaller for the test's machine: old, new …
}

// FILE and DIR stand for the file and for a folder of its own.
var (
	nginx = product{
		name: "nginx", file: "nginx.conf",
		check:  []string{"/usr/sbin/nginx", "-t", "-q", "-e", "DIR/log", "-c", "FILE"},
		run:    []string{"/usr/sbin/nginx", "-e", "DIR/log", "-c", "FILE", "-g", "daemon off; master_process off;"},
		listen: "listen 443 ", at: "listen %s ",
		wrap: `
pid DIR/pid;
events { worker_connections 4096; }
http {
	access_log off;
	client_body_temp_path DIR/a; proxy_temp_path DIR/b; fastcgi_temp_path DIR/c; uwsgi_temp_path DIR/d; scgi_temp_path DIR/e;
%s
}`,
		affinity: []string{"    least_conn;\n", "", "    #   hash $arg", "    hash $arg"},
	}
	haproxy = product{
		name: "HAProxy", file: "haproxy.cfg",
		check:  []string{"/usr/sbin/haproxy", "-c", "-f", "FILE"},
		run:    []string{"/usr/sbin/haproxy", "-db", "-f", "FILE"},
		listen: "bind :443 ", at: "bind %s ", small: []string{"maxconn 20000", "maxconn 2000"},
		wrap: "%s",
		affinity: []string{"    balance leastconn\n", "", "    #   balance url_param", "    balance url_param",
			"    #   hash-type", "    hash-type"},
		bound: []string{"    #   hash-balance", "    hash-balance"},
	}
)

// shipped is the file of config/deploy, for servers at these addresses.
func (p product) shipped(servers []string, edits ...string) (string, error) {
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "deploy", p.file))
	if err != nil {
		return "", err
	}
	edits = append(slices.Clone(edits), p.small...)
	for i, address := range servers {
		edits = append(edits, fmt.Sprint("127.0.0.1:", 12345+i), address)
	}
	return edited(string(text), edits...)
}

// edited replaces, and fails where there is nothing to replace: then the test no longer tests the
// file.
func edited(text string, edits ...string) (string, error) {
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			return "", fmt.Errorf("the file no longer says %q", edits[i])
		}
		text = strings.ReplaceAll(text, edits[i], edits[i+1])
	}
	return text, nil
}

// balancer is a running one.
type balancer struct {
	product
	URL     string
	Trust   *tls.Config
	dir     string
	process *child.Process
}

// prepare writes what the product needs into a folder, and has the product itself read it.
func (p product) prepare(ctx context.Context, dir, text string, port int) error {
	text, err := edited(text, p.listen, fmt.Sprintf(p.at, fmt.Sprint("127.0.0.1:", port)), "/etc/ssl/events.", dir+"/tls.")
	if err != nil {
		return err
	}
	text = strings.ReplaceAll(fmt.Sprintf(p.wrap, text), "DIR", dir)
	if err := os.WriteFile(dir+"/conf", []byte(text), 0o600); err != nil {
		return err
	}
	if out, err := p.ask(ctx, p.command(p.check, dir)); err != nil {
		return fmt.Errorf("%s does not take the file: %w\n%s", p.name, err, out)
	}
	return nil
}

// root is the file system that the products are run from, as rabbit's broker is; "": this one.
func root() string { return os.Getenv("DEBIAN_TEST_ROOT") }

// ask runs the product for what it has to say.
func (p product) ask(ctx context.Context, line []string) ([]byte, error) {
	command := exec.CommandContext(ctx, line[0], line[1:]...)
	command.Dir, command.SysProcAttr = "/", &syscall.SysProcAttr{Chroot: root()}
	return command.CombinedOutput()
}

func (p product) command(line []string, dir string) []string {
	var out []string
	for _, word := range line {
		out = append(out, strings.NewReplacer("FILE", dir+"/conf", "DIR", dir).Replace(word))
	}
	return out
}

// start runs the product with a text that prepare takes, and returns when it serves.
func (p product) start(ctx context.Context, dir, text string) (*balancer, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	trust, err := certify(dir)
	if err != nil {
		return nil, err
	}
	if err := p.prepare(ctx, dir, text, port); err != nil {
		return nil, err
	}
	b := &balancer{product: p, URL: fmt.Sprint("https://127.0.0.1:", port), Trust: trust, dir: dir}
	if b.process, err = child.Start(child.Command{Root: root(), Line: p.command(p.run, dir), Stderr: dir + "/log"}); err != nil {
		return nil, err
	}
	if err := b.serves(ctx); err != nil {
		b.close()
		return nil, fmt.Errorf("%w\n%s", err, b.log())
	}
	return b, nil
}

// serves waits until a proxy answers through the balancer.
func (b *balancer) serves(ctx context.Context) error {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: b.Trust, DisableKeepAlives: true}, Timeout: time.Second}
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	for {
		answer, err := client.Get(b.URL + "/__lbheartbeat__")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("it answers %s", answer.Status)
		}
		select {
		case <-ticks.C:
		case <-b.process.Exited:
			return fmt.Errorf("%s has ended", b.name)
		case <-ctx.Done():
			return fmt.Errorf("%s does not serve: %w", b.name, err)
		}
	}
}

func (b *balancer) log() string {
	text, _ := os.ReadFile(b.dir + "/log")
	return string(text)
}

func (b *balancer) close() { b.process.Kill() }

// freePort returns a port of the loopback that was free a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
