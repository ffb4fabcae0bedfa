package faults

import "context"

// VHostDeleted removes the proxy's virtual host with all that is in it. Nothing
// brings it back.
var VHostDeleted = Fault{"vhost-deleted", func(ctx context.Context, s Site) error { return s.VHost.Delete(ctx) }, barred(asAdmin)}
