// Package inspector tests the inspector page as its users meet it: in real
// browsers, served by the whole proxy, fed by a broker in this process. Every
// claim is held in Chromium, the main ones in Firefox too.
//
// Pictures of the page's main states are left in artifacts/inspector, to be
// looked at by a person.
package inspector
