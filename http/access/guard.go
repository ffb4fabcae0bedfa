package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// What a client is told: whether a token was sent at all, which it knows, and no more. Causes are for
// the log.
const refused = "The token of the request gives no access to these bindings"

var (
	errAsked = &actors.Error{Code: actors.Unauthorized, Reason: "This service asks for a token, and the request has none"}
	errOver  = &actors.Error{Code: actors.TokenExpired, Reason: "The token that opened this stream has expired"}
)

var errLivesLong = errors.New("it lives too long for a query parameter")

// Guard lets those requests through whose tokens cover their bindings. Its methods may be called
// concurrently.
type Guard struct {
	options Options
	files   *files
}

// New returns a Guard. The error names what is wrong with the options, or the file that cannot be
// used.
func New(o Options) (*Guard, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("access: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	files, err := openFiles(o.KeysFile, o.SecretFile, o.Logger)
	if err != nil {
		return nil, fmt.Errorf("access: %w", err)
	}
	return &Guard{o, files}, nil
}

// Admit is httpapi.Options.Admit: it lets a request through whose token covers all its bindings. The
// token's subject becomes the request's, and its stream ends with TokenExpired before the token does.
// The client of any other request is told Unauthorized, and not what is wrong; the log is told.
func (g *Guard) Admit(r *http.Request, q *actors.Request) (context.Context, error) {
	claims, in, err := g.claims(r)
	if errors.Is(err, errNoToken) {
		return nil, errAsked
	}
	if err == nil {
		if b, found := claims.Grants.Uncovered(q.Bindings); found {
			err = fmt.Errorf("the token has no grant that covers %v", b)
		}
	}
	if err != nil {
		return nil, &actors.Error{Code: actors.Unauthorized, Reason: refused, Cause: fmt.Errorf("token in the %s: %w", in, err)}
	}
	q.Subject = claims.Subject
	ctx, cancel := context.WithDeadlineCause(r.Context(), g.end(claims.ExpiresAt.Time), errOver)
	context.AfterFunc(r.Context(), cancel) // with the stream, if that ends before
	return ctx, nil
}

// Check returns the claims of a token that is good now. See [Verifier.Check] for the error.
func (g *Guard) Check(token string) (*Claims, error) {
	return NewVerifier(g.files.current(), g.options.Issuer, g.options.Audience).Check(token)
}

// claims returns those of a request's token, and where that was found.
func (g *Guard) claims(r *http.Request) (*Claims, carrier, error) {
	token, in, err := find(r, g.options.Cookie)
	if err != nil {
		return nil, in, err
	}
	claims, err := g.Check(token)
	if err == nil && in == inQuery && time.Until(claims.ExpiresAt.Time) > g.options.QueryLife {
		err = errLivesLong
	}
	return claims, in, err
}

// end returns when the stream of a token is to end.
func (g *Guard) end(expires time.Time) time.Time {
	spread := min(g.options.Spread, time.Until(expires)/10)
	if spread <= 0 {
		return expires
	}
	return expires.Add(-rand.N(spread))
}
