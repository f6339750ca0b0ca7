// Package privacy is differential privacy: what a training reveals of one example at most, by
// how much noise, and what an attacker finds out of a trained model.
//
// A training is private with CompileConfig.Privacy:
//
//	plan := privacy.Plan{Examples: 60000, BatchSize: 600, Epochs: 20, Delta: 1e-6}
//	noise, err := plan.NoiseFor(3) // for ε = 3
//	err = model.Compile(dl.CompileConfig{
//		Optimizer: optimizers.SGD{LearningRate: 0.5},
//		Loss:      losses.SparseCategoricalCrossentropy{},
//		Privacy:   &privacy.SGD{ClipNorm: 1, NoiseMultiplier: noise, Delta: 1e-6},
//	})
//
// Two datasets are neighbours if one has an example more than the other. A training is
// (ε, δ)-private if, of neighbours, no set of models is more than e^ε times as likely for
// one as for the other, but for a probability of δ (Dwork et al., 2006). δ should be well
// below one over the number of examples. An example is a row of the table: who is in it with
// several rows is protected less, by about as many times ε.
//
// What is outside: k-anonymity and its like, which say nothing of who knows more than the
// table; and taking a row out of a model that is trained. Whoever chooses architecture and
// rates by looking at the private data spends more than the accountant sees.
package privacy
