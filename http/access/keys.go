package access

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// The least sizes of keys: that of a shared secret is what an attacker who has a token must guess.
const (
	leastRSABits     = 2048
	leastSecretBytes = 32
)

// key is what signatures are checked with.
type key struct {
	id         string // of a JWK; "" for others
	algorithms []string
	material   any // as package jwt takes it
}

// Keys are what tokens are checked with. They do not change, and may be used concurrently.
type Keys []key

// ParsePublic returns the keys of PEM text (public keys and certificates, one or more) or of a JWK
// set. Of a certificate the key alone counts, not its dates. A private key is an error: who checks
// tokens has no use for it. Keys of a set that are of unknown types, or for encryption, are left out;
// a shared secret in it is used.
func ParsePublic(text []byte) (keys Keys, err error) {
	if text = bytes.TrimSpace(text); bytes.HasPrefix(text, []byte("{")) {
		keys, err = parseSet(text)
	} else {
		keys, err = parsePEM(text)
	}
	if err == nil && len(keys) == 0 {
		err = errors.New("there is no key in it, neither PEM nor a JWK set")
	}
	return keys, err
}

// ParseSecrets returns the shared secrets of a text, one a line: the first is the newest, further
// ones are those that it takes the place of.
func ParseSecrets(text []byte) (keys Keys, err error) {
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			continue
		}
		k, err := newKey("", line)
		if err != nil {
			return nil, fmt.Errorf("secret %d: %w", len(keys)+1, err)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no secret in it")
	}
	return keys, nil
}

// newKey returns the key of some material, with the algorithms that it may be used with: a public
// key is never taken for a shared secret, whatever a token says.
func newKey(id string, material any) (key, error) {
	k := key{id: id, material: material}
	switch m := material.(type) {
	case *rsa.PublicKey:
		if m.N.BitLen() < leastRSABits {
			return key{}, fmt.Errorf("an RSA key of %d bits, at least %d are needed", m.N.BitLen(), leastRSABits)
		}
		k.algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	case *ecdsa.PublicKey:
		algorithm, ok := map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[m.Curve.Params().BitSize]
		if !ok {
			return key{}, fmt.Errorf("keys on the curve %s are not used for tokens", m.Curve.Params().Name)
		}
		k.algorithms = []string{algorithm}
	case ed25519.PublicKey:
		k.algorithms = []string{"EdDSA"}
	case []byte:
		if len(m) < leastSecretBytes {
			return key{}, fmt.Errorf("a secret of %d bytes, at least %d are needed", len(m), leastSecretBytes)
		}
		k.algorithms = []string{"HS256", "HS384", "HS512"}
	case crypto.Signer:
		return key{}, errors.New("this is a private key: the public one is what tokens are checked with")
	default:
		return key{}, fmt.Errorf("keys of the type %T are not used for tokens", material)
	}
	return k, nil
}

func parsePEM(text []byte) (keys Keys, err error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		material, err := parseBlock(block)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d, %s: %w", len(keys)+1, block.Type, err)
		}
		k, err := newKey("", material)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d: %w", len(keys)+1, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func parseBlock(block *pem.Block) (any, error) {
	switch block.Type {
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return certificate.PublicKey, nil
	case "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	return nil, errors.New("is no key")
}

func parseSet(text []byte) (keys Keys, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("JWK set: %w", err)
	}
	for i, raw := range set.Keys {
		var jwk jose.JSONWebKey
		switch err := json.Unmarshal(raw, &jwk); {
		case errors.Is(err, jose.ErrUnsupportedKeyType), err == nil && jwk.Use != "" && jwk.Use != "sig":
			continue
		case err != nil:
			return nil, fmt.Errorf("keys[%d]: not a JSON Web Key", i) // its text may hold a secret
		}
		k, err := newKey(jwk.KeyID, jwk.Key)
		if err != nil {
			return nil, fmt.Errorf("keys[%d]: %w", i, err)
		}
		if jwk.Algorithm != "" {
			if !slices.Contains(k.algorithms, jwk.Algorithm) {
				return nil, fmt.Errorf("keys[%d]: its algorithm does not suit its type", i)
			}
			k.algorithms = []string{jwk.Algorithm}
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// find is a jwt.Keyfunc: it returns the keys that may have signed a token by what its head says.
func (keys Keys) find(t *jwt.Token) (any, error) {
	if _, critical := t.Header["crit"]; critical {
		return nil, errors.New("the token's head has extensions that must be understood")
	}
	id, _ := t.Header["kid"].(string)
	var found jwt.VerificationKeySet
	for _, k := range keys {
		if slices.Contains(k.algorithms, t.Method.Alg()) && (id == "" || k.id == "" || k.id == id) {
			found.Keys = append(found.Keys, k.material)
		}
	}
	if len(found.Keys) == 0 {
		return nil, errors.New("no key is for tokens of this algorithm and key ID")
	}
	return found, nil
}
