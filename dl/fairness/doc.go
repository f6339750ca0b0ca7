// Package fairness measures whether a model treats groups of people alike, and trains and
// decides so that it does, each at its price.
//
// What is alike has several meanings, which exclude each other:
//
//   - demographic parity: the same part of each group is selected, whatever its labels;
//   - equal opportunity: of those whose label is 1, the same part is;
//   - equalized odds: that, and the same of those whose label is 0;
//   - predictive parity: of those who are selected, the same part has the label 1;
//   - calibration within groups: a score means the same in each.
//
// Where groups differ in how many of their labels are 1, no model that errs can have
// equalized odds and predictive parity, or calibration, at once (Chouldechova, 2017,
// https://arxiv.org/abs/1610.07524; Kleinberg, Mullainathan, Raghavan, 2016,
// https://arxiv.org/abs/1609.05807). Which one matters is not a question of numbers; see
// Report, which says what a case rests on. All of it misleads where labels are themselves
// unjust: arrests are not crimes.
package fairness
