// Package countersign is the root of the module. It holds no code, only the test that keeps the house in order: which package may lean
// on which, that each says what it is for, and that docs/architecture.md shows the true picture (house_test.go).
//
// The program is in cmd/countersign. What it does is in the folders beside this file, one for each feature; what features share is
// below base and channel, and what people and programs outside meet is below face.
package countersign
