package methods

func (receiver) method() {}
