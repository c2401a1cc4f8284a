"""The demo datasets: generators, small trained weights, and what builds a dataset from them."""
