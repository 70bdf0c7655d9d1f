package proc

func guardianMain() *Guardian { return &Guardian{} }
