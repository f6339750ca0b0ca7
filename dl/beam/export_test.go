package beam

// For tests of the coders.
var Encode, Decode = encodeExample, decodeExample
