package methods

// Call calls the method.
func Call() { receiver{}.method() }
