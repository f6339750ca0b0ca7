package claim

// A reader has gone back: the claim says which cells to run again.
func ExampleThat_again() {
	defer func() { again = func() string { return "" } }()
	again = func() string { return "h := 1" }
	That(false, "h is 2")
	Language = "zh"
	That(false, "h is 2")
	Language = "en"
	// Output:
	// Cells have run again, so the text may speak of other numbers. For its own, run all again from the cell that begins with "h := 1".
	// 有单元格重新运行过，正文说的可能是另外的数。要得到正文里的数，请从以 "h := 1" 开头的单元格起全部重新运行。
}
