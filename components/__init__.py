"""Pure builders: plain values in, Dash components or Plotly figures out."""
