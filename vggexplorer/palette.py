"""The colours of a network's parts, the same in the drawing and in the charts, on light and on dark."""

COLORS = {
    "input": "#8a94a3",
    "conv": "#3b6fb6",
    "pool": "#d07c1f",
    "flatten": "#8a94a3",
    "fc": "#3f9361",
}
