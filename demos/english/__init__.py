"""English text (the paper's section 6.2): the Brown corpus, read by an LSTM language model."""
