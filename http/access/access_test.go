package access_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/http/access"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pair is a key of some type, as both sides have it.
type pair struct {
	private crypto.Signer
	signer  *access.Signer
	public  string // PEM
}

func newPair(t testing.TB, private crypto.Signer) pair {
	t.Helper()
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	must(t, err)
	signer, err := access.NewSigner([]byte(privatePEM(t, private)), "")
	must(t, err)
	return pair{private, signer, pemOf("PUBLIC KEY", public)}
}

func privatePEM(t testing.TB, private crypto.Signer) string {
	t.Helper()
	text, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	return pemOf("PRIVATE KEY", text)
}

func pemOf(kind string, content []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}))
}

func ed25519Pair(t testing.TB) pair {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	return newPair(t, private)
}

func ecdsaPair(t testing.TB, curve elliptic.Curve) pair {
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	must(t, err)
	return newPair(t, private)
}

func rsaPair(t testing.TB) pair {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	return newPair(t, private)
}

const aSecret = "a secret of thirty-two bytes or more"

// good returns claims that nothing is wrong with.
func good() access.Claims {
	return access.Claims{
		RegisteredClaims: jwt.RegisteredClaims{Subject: "ada", ExpiresAt: in(time.Minute)},
		Grants:           access.Grants{{Exchange: "exchange/a/*", Pattern: "primary.#"}},
	}
}

func in(d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(time.Now().Add(d)) }

func sign(t testing.TB, s *access.Signer, c access.Claims) string {
	t.Helper()
	token, err := s.Sign(c)
	must(t, err)
	return token
}

// raw returns a token that the Signer would not make.
func raw(t testing.TB, method jwt.SigningMethod, key any, head map[string]any, claims jwt.Claims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	for name, value := range head {
		token.Header[name] = value
	}
	text, err := token.SignedString(key)
	must(t, err)
	return text
}

func public(t testing.TB, texts ...string) access.Keys {
	t.Helper()
	keys, err := access.ParsePublic([]byte(strings.Join(texts, "")))
	must(t, err)
	return keys
}

func secrets(t testing.TB, text string) access.Keys {
	t.Helper()
	keys, err := access.ParseSecrets([]byte(text))
	must(t, err)
	return keys
}

func set(t testing.TB, keys ...jose.JSONWebKey) string {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	must(t, err)
	return string(text)
}

// Every type of key that issuers use signs tokens that are taken, from PEM and from a JWK set.
func TestTokensOfEveryTypeOfKeyAreTaken(t *testing.T) {
	for name, p := range map[string]pair{
		"RSA": rsaPair(t), "P-256": ecdsaPair(t, elliptic.P256()), "P-384": ecdsaPair(t, elliptic.P384()),
		"P-521": ecdsaPair(t, elliptic.P521()), "Ed25519": ed25519Pair(t),
	} {
		token := sign(t, p.signer, good())
		for form, text := range map[string]string{"PEM": p.public, "JWK set": set(t, jose.JSONWebKey{Key: p.private.Public(), KeyID: "k"})} {
			claims, err := access.NewVerifier(public(t, ed25519Pair(t).public, text), "", "").Check(token)
			if form == "JWK set" {
				claims, err = access.NewVerifier(public(t, text), "", "").Check(token)
			}
			if err != nil || claims.Subject != "ada" || len(claims.Grants) != 1 {
				t.Errorf("%s, %s: %+v, %v", name, form, claims, err)
			}
		}
	}
	signer, err := access.NewSecretSigner([]byte(aSecret+"\n"), "")
	must(t, err)
	if _, err := access.NewVerifier(secrets(t, aSecret), "", "").Check(sign(t, signer, good())); err != nil {
		t.Errorf("a secret: %v", err)
	}
}

// What is wrong with a token is named for operators; nothing that is wrong is taken, the well-known
// tricks with the head of a token included.
func TestWrongTokensAreRefused(t *testing.T) {
	ours, other, curve := rsaPair(t), rsaPair(t), ecdsaPair(t, elliptic.P256())
	keys := append(public(t, set(t, jose.JSONWebKey{Key: ours.private.Public(), KeyID: "ours", Use: "sig"})), secrets(t, aSecret)...)
	signed := func(change func(*access.Claims)) string {
		c := good()
		change(&c)
		return raw(t, jwt.SigningMethodRS256, ours.private, nil, c)
	}
	token := signed(func(*access.Claims) {})
	head, rest, _ := strings.Cut(token, ".")
	body, signature, _ := strings.Cut(rest, ".")
	for name, row := range map[string]struct{ token, want string }{
		"nothing":                       {"", "not a JSON Web Token"},
		"no token":                      {"hunter2", "not a JSON Web Token"},
		"two parts":                     {head + "." + body, "not a JSON Web Token"},
		"claims of another token":       {head + "." + strings.Split(signed(func(c *access.Claims) { c.Subject = "eve" }), ".")[1] + "." + signature, "none of the keys"},
		"no signature":                  {head + "." + body + ".", "none of the keys"},
		"another key":                   {sign(t, other.signer, good()), "none of the keys"},
		"another type of key":           {sign(t, curve.signer, good()), "no key is for its algorithm"},
		"alg none":                      {raw(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, good()), "no key is for its algorithm"},
		"the public key as a secret":    {raw(t, jwt.SigningMethodHS256, []byte(ours.public), nil, good()), "none of the keys"},
		"another key ID":                {raw(t, jwt.SigningMethodRS256, ours.private, map[string]any{"kid": "theirs"}, good()), "no key is for its algorithm and key ID"},
		"an extension that is critical": {raw(t, jwt.SigningMethodRS256, ours.private, map[string]any{"crit": []string{"b64"}, "b64": false}, good()), "no key is for"},
		"no end":                        {signed(func(c *access.Claims) { c.ExpiresAt = nil }), "a claim is missing"},
		"expired":                       {signed(func(c *access.Claims) { c.ExpiresAt = in(-time.Minute) }), "expired"},
		"expired just now":              {signed(func(c *access.Claims) { c.ExpiresAt = in(-time.Second) }), "expired"},
		"not valid yet":                 {signed(func(c *access.Claims) { c.NotBefore = in(time.Hour) }), "not valid yet"},
		"another issuer":                {signed(func(c *access.Claims) { c.Issuer = "them" }), "another issuer"},
		"another audience":              {signed(func(c *access.Claims) { c.Audience = []string{"them"} }), "another audience"},
		"no grants":                     {signed(func(c *access.Claims) { c.Grants = nil }), "no grants"},
		"a grant that is wrong":         {signed(func(c *access.Claims) { c.Grants[0].Exchange = "exchange/a-*" }), "grants[0]: exchange has a * beside"},
		"grants of another form":        {raw(t, jwt.SigningMethodRS256, ours.private, nil, jwt.MapClaims{"exp": 99999999999, "grants": "hunter2"}), "not of the form"},
	} {
		issuer, audience := "", ""
		if name == "another issuer" {
			issuer = "us"
		}
		if name == "another audience" {
			audience = "us"
		}
		claims, err := access.NewVerifier(keys, issuer, audience).Check(row.token)
		if err == nil || claims != nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || len(row.token) > 100 && strings.Contains(err.Error(), row.token[:20])) {
			t.Errorf("%s: the error holds the token: %v", name, err)
		}
	}
	if _, err := access.NewVerifier(keys, "", "").Check(token); err != nil {
		t.Errorf("the right one: %v", err)
	}
}

// A file that is no set of keys is an error that says what it is, and never holds what it found: it may
// be a secret in the wrong place.
func TestFilesThatHoldNoKeysAreNamed(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	p := ed25519Pair(t)
	for name, row := range map[string]struct{ text, want string }{
		"nothing":              {"", "no key in it"},
		"a secret":             {aSecret, "no key in it"},
		"a private key":        {privatePEM(t, p.private), "private key"},
		"a broken block":       {pemOf("PUBLIC KEY", []byte("hunter2")), "PEM block 1, PUBLIC KEY"},
		"a request":            {pemOf("CERTIFICATE REQUEST", []byte("hunter2")), "is no key"},
		"half a set":           {`{"keys": [`, "JWK set"},
		"an empty set":         {`{"keys": []}`, "no key in it"},
		"only unknown keys":    {`{"keys": [{"kty": "SIKE"}]}`, "no key in it"},
		"only encryption":      {set(t, jose.JSONWebKey{Key: p.private.Public(), Use: "enc"}), "no key in it"},
		"a private JWK":        {set(t, jose.JSONWebKey{Key: p.private}), "private key"},
		"a broken JWK":         {`{"keys": [{"kty": "EC", "crv": "P-256", "x": "hunter2"}]}`, "keys[0]: not a JSON Web Key"},
		"a short secret":       {`{"keys": [{"kty": "oct", "k": "aHVudGVyMg"}]}`, "keys[0]: a secret of 7 bytes"},
		"another algorithm":    {set(t, jose.JSONWebKey{Key: p.private.Public(), Algorithm: "HS256"}), "algorithm does not suit"},
		"an RSA key of 1024 b": {newPairText(t, weak), "1024 bits"},
	} {
		keys, err := access.ParsePublic([]byte(row.text))
		if err == nil || keys != nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), aSecret)) {
			t.Errorf("%s: the error holds the content: %v", name, err)
		}
	}
	for text, want := range map[string]string{"\n\n": "no secret", "hunter2\n": "secret 1: a secret of 7 bytes", aSecret + "\r\n\nhunter2": "secret 2"} {
		if _, err := access.ParseSecrets([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func newPairText(t *testing.T, private *rsa.PrivateKey) string {
	text, err := x509.MarshalPKIXPublicKey(private.Public())
	must(t, err)
	return pemOf("PUBLIC KEY", text)
}

// While a key is replaced, tokens of both are taken: several keys in a file, several secrets, and keys
// of a set by their IDs.
func TestSeveralKeysAtOnce(t *testing.T) {
	before, after := ed25519Pair(t), ed25519Pair(t)
	for name, text := range map[string]string{
		"PEM": before.public + after.public,
		"set": set(t, jose.JSONWebKey{Key: before.private.Public(), KeyID: "1"}, jose.JSONWebKey{Key: after.private.Public(), KeyID: "2"}),
	} {
		v := access.NewVerifier(public(t, text), "", "")
		for _, p := range []pair{before, after} {
			if _, err := v.Check(sign(t, p.signer, good())); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	old, err := access.NewSecretSigner([]byte(aSecret), "")
	must(t, err)
	if _, err := access.NewVerifier(secrets(t, "the secret of thirty-two bytes that follows\n"+aSecret+"\n"), "", "").Check(sign(t, old, good())); err != nil {
		t.Errorf("the older secret: %v", err)
	}
}

// A grant's exchange is one exchange, or all that differ in a whole segment of the path.
func TestGrantsByExchange(t *testing.T) {
	for _, row := range []struct {
		granted, exchange string
		want              bool
	}{
		{"exchange/a/b", "exchange/a/b", true},
		{"exchange/a/b", "exchange/a/c", false},
		{"exchange/a/*", "exchange/a/b", true},
		{"exchange/a/*", "exchange/a", false},
		{"exchange/a/*", "exchange/a/", true},
		{"exchange/a/*", "exchange/a/b/c", false},
		{"exchange/*/v1/*", "exchange/taskcluster-queue/v1/task-completed", true},
		{"exchange/*/v1/*", "exchange/taskcluster-queue/v2/task-completed", false},
		{"*", "events", true},
		{"*", "exchange/a", false},
		{"Exchange/a", "exchange/a", false},
	} {
		g := access.Grant{Exchange: row.granted, Pattern: "primary.#"}
		must(t, g.Validate())
		if got := g.Covers(amqp.Binding{Exchange: row.exchange, Pattern: "primary.a"}); got != row.want {
			t.Errorf("%s covers %s: %v", row.granted, row.exchange, got)
		}
		if g.Covers(amqp.Binding{Exchange: row.exchange, Pattern: "#"}) {
			t.Errorf("%s covers every key of %s", row.granted, row.exchange)
		}
	}
}

// Each binding needs one grant that covers it whole: two that cover it together do not.
func TestEachBindingNeedsOneGrant(t *testing.T) {
	grants := access.Grants{{Exchange: "e", Pattern: "a.#"}, {Exchange: "e", Pattern: "b.#"}, {Exchange: "f", Pattern: "#"}}
	for pattern, want := range map[string]bool{"a.x": true, "b.*": true, "*.x": false, "#": false} {
		bindings := []amqp.Binding{{Exchange: "f", Pattern: "x"}, {Exchange: "e", Pattern: pattern}}
		b, found := grants.Uncovered(bindings)
		if found == want || found && b != bindings[1] {
			t.Errorf("%s: %v, %v", pattern, b, found)
		}
	}
}
