"""The demo datasets: generators, small trained models, and the code that builds datasets from them."""
