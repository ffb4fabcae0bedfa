package access

import (
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// leeway is how far the clock of who makes tokens may be ahead of ours: a token is good from then on
// before its nbf. It does not extend a token's life.
const leeway = 5 * time.Second

// Claims are what a token says: the registered claims, of which exp must be there, and the grants.
type Claims struct {
	jwt.RegisteredClaims
	Grants Grants `json:"grants"`
}

// Why tokens are refused, for operators. No error holds a part of a token.
var (
	errNoGrants = errors.New("it has no grants")
	errExpired  = errors.New("it has expired")
)

// Verifier checks tokens. Its methods may be called concurrently.
type Verifier struct {
	keys   Keys
	parser *jwt.Parser
}

// NewVerifier returns a Verifier of tokens that one of the keys has signed, for an audience and by an
// issuer; where those are "", any will do.
func NewVerifier(keys Keys, issuer, audience string) *Verifier {
	options := []jwt.ParserOption{jwt.WithExpirationRequired(), jwt.WithLeeway(leeway), jwt.WithStrictDecoding()}
	if issuer != "" {
		options = append(options, jwt.WithIssuer(issuer))
	}
	if audience != "" {
		options = append(options, jwt.WithAudience(audience))
	}
	return &Verifier{keys, jwt.NewParser(options...)}
}

// Check returns the claims of a token that is good now. The error is for operators: it names what is
// wrong, and holds no part of the token; a client who is told it learns more than it should.
func (v *Verifier) Check(token string) (*Claims, error) {
	claims := new(Claims)
	if _, err := v.parser.ParseWithClaims(token, claims, v.keys.find); err != nil {
		return nil, plainError(err)
	}
	err := claims.Grants.Validate()
	switch {
	case !time.Now().Before(claims.ExpiresAt.Time):
		err = errExpired
	case len(claims.Grants) == 0:
		err = errNoGrants
	}
	if err != nil {
		return nil, err
	}
	return claims, nil
}

// plainError returns an error of package jwt in words that hold nothing of the token. One that is
// wrong in several ways is told the first of them.
func plainError(err error) error {
	for _, known := range []struct{ is, plain error }{
		{jwt.ErrTokenMalformed, errors.New("it is not a JSON Web Token, or its claims are not of the form that is expected")},
		{jwt.ErrTokenUnverifiable, errors.New("no key is for its algorithm and key ID")},
		{jwt.ErrTokenSignatureInvalid, errors.New("none of the keys has signed it")},
		{jwt.ErrTokenRequiredClaimMissing, errors.New("a claim is missing: exp, or iss and aud where the settings name them")},
		{jwt.ErrTokenExpired, errExpired},
		{jwt.ErrTokenNotValidYet, errors.New("it is not valid yet (nbf)")},
		{jwt.ErrTokenInvalidIssuer, errors.New("it is of another issuer (iss)")},
		{jwt.ErrTokenInvalidAudience, errors.New("it is for another audience (aud)")},
	} {
		if errors.Is(err, known.is) {
			return known.plain
		}
	}
	return errors.New("its claims are wrong")
}
