package access

import (
	"crypto"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Signer makes tokens. Its methods may be called concurrently.
type Signer struct {
	id       string
	method   jwt.SigningMethod
	material any
}

// NewSigner returns a Signer with the first private key in a PEM text. id, where it is not "", is
// named in the tokens, for checkers that have a JWK set.
func NewSigner(text []byte, id string) (*Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("there is no PEM block in it")
	}
	material, err := parseBlock(block)
	if err != nil {
		return nil, fmt.Errorf("PEM block %s: %w", block.Type, err)
	}
	private, ok := material.(crypto.Signer)
	if !ok {
		return nil, errors.New("this is a public key: the private one is what tokens are signed with")
	}
	public, err := newKey(id, private.Public())
	if err != nil {
		return nil, err
	}
	return &Signer{id, jwt.GetSigningMethod(public.algorithms[0]), private}, nil
}

// NewSecretSigner returns a Signer with the first secret of a text, see [ParseSecrets].
func NewSecretSigner(text []byte, id string) (*Signer, error) {
	keys, err := ParseSecrets(text)
	if err != nil {
		return nil, err
	}
	return &Signer{id, jwt.GetSigningMethod(keys[0].algorithms[0]), keys[0].material}, nil
}

// Sign returns a token with these claims. The error names what a [Verifier] would refuse.
func (s *Signer) Sign(claims Claims) (string, error) {
	if claims.ExpiresAt == nil {
		return "", errors.New("the token has no end")
	}
	if len(claims.Grants) == 0 {
		return "", errNoGrants
	}
	if err := claims.Grants.Validate(); err != nil {
		return "", err
	}
	token := jwt.NewWithClaims(s.method, claims)
	if s.id != "" {
		token.Header["kid"] = s.id
	}
	return token.SignedString(s.material)
}

// NewClaims returns the claims of a token.
func NewClaims(subject string, expires time.Time, grants ...Grant) Claims {
	return Claims{jwt.RegisteredClaims{Subject: subject, ExpiresAt: jwt.NewNumericDate(expires)}, grants}
}
