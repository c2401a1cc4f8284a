"""The parenthesis language of the paper's section 6.1, learned by a two-layer LSTM."""
