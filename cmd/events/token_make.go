package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/taskcluster/events-proxy/cmd/events/tail"
	"github.com/taskcluster/events-proxy/config"
	"github.com/taskcluster/events-proxy/http/access"
)

const (
	tokenMakeHelp = `makes a token for a proxy that asks for one.

A GRANT is written as a binding, EXCHANGE or EXCHANGE:PATTERN; a segment * of
the exchange's name stands for any one segment between slashes. The token is
signed with a private key, or with the first secret of a file, that of the
settings (EVENTS_AUTH_SECRET_FILE) if neither is given. Issuer and audience are
those of the settings, if not given.`
	tokenMakeExamples = `  events token make --secret-file secret --subject ada 'exchange/taskcluster-queue/v1/*:primary.#'
  events token make --key-file private.pem --life 12h exchange/build/normalized > token
`
)

// making is a command line of token make.
type making struct {
	*tool
	keyFile, secretFile, keyID string
	subject, issuer, audience  string
	life                       time.Duration
	configFile, profile        string
}

// tokenMake writes a token.
func (p process) tokenMake(args []string) int {
	m := &making{tool: newTool("token make", "GRANT...", tokenMakeHelp, tokenMakeExamples)}
	f := m.flags
	f.StringVar(&m.keyFile, "key-file", "", "PEM `FILE` with the private key")
	f.StringVar(&m.secretFile, "secret-file", "", "`FILE` with a shared secret")
	f.StringVar(&m.keyID, "key-id", "", "`ID` of the key in the checker's JWK set")
	f.StringVar(&m.subject, "subject", "", "`NAME` of the token's holder")
	f.DurationVar(&m.life, "life", 5*time.Minute, "`TIME` until the token ends, and with it its streams")
	f.StringVar(&m.issuer, "issuer", "", "`TEXT` of iss")
	f.StringVar(&m.audience, "audience", "", "`TEXT` of aud")
	f.StringVar(&m.configFile, "config", "", "`FILE` with settings")
	f.StringVar(&m.profile, "profile", "", "`SECTION` of the settings file")
	arguments, status, ok := m.parse(p, args)
	if !ok {
		return status
	}
	grants, err := grantsOf(arguments)
	if err == nil && m.life <= 0 {
		err = errors.New("--life must be positive")
	}
	if err != nil {
		return m.misuse(p, "%v", err)
	}
	c, status, ok := p.settings(m.name, settingsOf(m.configFile, m.profile))
	if !ok {
		return status
	}
	token, err := m.sign(c.Auth, grants)
	if err != nil {
		return m.misuse(p, "%v", err)
	}
	fmt.Fprintln(p.stdout, token)
	return succeeded
}

// grantsOf returns the grants of arguments that are written as bindings.
func grantsOf(arguments []string) (grants access.Grants, err error) {
	if len(arguments) == 0 {
		return nil, errors.New("a GRANT is missing, such as 'exchange/taskcluster-queue/v1/*:primary.#'")
	}
	bindings, err := tail.ParseBindings(arguments)
	for _, b := range bindings {
		grants = append(grants, access.Grant(b))
	}
	if err == nil {
		err = grants.Validate()
	}
	return grants, err
}

func (m *making) sign(a config.Auth, grants access.Grants) (string, error) {
	signer, err := m.signer(a)
	if err != nil {
		return "", err
	}
	claims := access.NewClaims(m.subject, time.Now().Add(m.life), grants...)
	claims.Issuer = cmp.Or(m.issuer, a.Issuer)
	if audience := cmp.Or(m.audience, a.Audience); audience != "" {
		claims.Audience = []string{audience}
	}
	return signer.Sign(claims)
}

// signer returns what the command line says to sign with, else the settings' secret.
func (m *making) signer(a config.Auth) (signer *access.Signer, err error) {
	file, read := m.keyFile, access.NewSigner
	switch {
	case m.keyFile != "" && m.secretFile != "":
		return nil, errors.New("--key-file and --secret-file are both given: one of them is enough")
	case m.keyFile == "":
		file, read = cmp.Or(m.secretFile, a.SecretFile), access.NewSecretSigner
	}
	if file == "" {
		return nil, errors.New("what is the token to be signed with (--key-file or --secret-file)?")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if signer, err = read(text, m.keyID); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return signer, nil
}
