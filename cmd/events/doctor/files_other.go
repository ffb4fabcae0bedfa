//go:build !unix

package doctor

import "context"

// files has nothing to look at here.
func (v *visit) files(context.Context) Finding { return notUsed("this system has no such limit") }
