package explain

// Logistic is what TCAV finds directions with.
var Logistic = logistic
