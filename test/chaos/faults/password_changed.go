package faults

import "context"

// PasswordChanged gives the proxy's user another password: links that are open
// go on, new ones are refused.
var PasswordChanged = Fault{"password-changed", func(ctx context.Context, s Site) error {
	return s.Node.ChangePassword(ctx, s.User, s.Password+", no longer")
}, barred(asProxy)}

// PasswordRestored gives it the old one back.
var PasswordRestored = Fault{"password-restored", func(ctx context.Context, s Site) error {
	return s.Node.ChangePassword(ctx, s.User, s.Password)
}, nil}
