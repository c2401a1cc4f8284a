"""Chord progressions (the paper's section 6.3): Bach chorales, one chord a beat, read by an LSTM."""
