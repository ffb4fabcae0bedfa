package faults

import "context"

// PasswordChanged changes the password of the proxy's user: links that are open
// go on, new ones are refused.
var PasswordChanged = Fault{"password-changed", func(ctx context.Context, s Site) error {
	return s.Node.ChangePassword(ctx, s.User, s.Password+", no longer")
}, barred(asProxy)}

// PasswordRestored restores the old password.
var PasswordRestored = Fault{"password-restored", func(ctx context.Context, s Site) error {
	return s.Node.ChangePassword(ctx, s.User, s.Password)
}, nil}
