package access

import (
	"errors"
	"log/slog"
	"time"
)

// Options of a Guard. One of the files is needed.
type Options struct {
	// KeysFile holds public keys: PEM, with certificates too, or a JWK set. See [ParsePublic].
	KeysFile string

	// SecretFile holds shared secrets, one a line. See [ParseSecrets].
	SecretFile string

	// Issuer and Audience must be a token's iss and among its aud. Default: they are not looked at.
	Issuer, Audience string

	// Cookie is the name of a cookie that may hold a token. Browsers send it in the name of any page,
	// so that httpapi.Options.AllowOrigins must list the origins that are trusted. Default: none.
	Cookie string

	// QueryLife is how long a token may still live that comes as the query parameter token: URLs are
	// found in logs and histories. Default: none is taken there.
	QueryLife time.Duration

	// Spread is the time before its token's end over which a stream's end is drawn, so that the
	// streams of tokens that were made together do not end together; at most a tenth of the time
	// that is left. Default: streams end with their tokens.
	Spread time.Duration

	// Logger receives that keys have changed, or cannot be read. Why a request is refused is logged by
	// the handler (level debug). Default: none.
	Logger *slog.Logger
}

// Validate returns an error that names every problem of the options, nil where there is none. It does
// not read the files.
func (o Options) Validate() error {
	var problems []error
	if o.KeysFile == "" && o.SecretFile == "" {
		problems = append(problems, errors.New("KeysFile and SecretFile are missing: one of them is needed"))
	}
	if o.QueryLife < 0 || o.Spread < 0 {
		problems = append(problems, errors.New("a duration is negative"))
	}
	return errors.Join(problems...)
}
