"""Chord progressions (the paper's section 6.3): Bach chorales, one chord per beat, read by an LSTM."""
