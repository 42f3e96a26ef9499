"""The floor for `pages.py`: one plain script, no fragments, with as many widgets and charts as Explore has."""

import pandas as pd
import plotly.express as px
import streamlit as st

values = [st.number_input(f"number {place}", value=place + 1, step=1, key=f"number {place}") for place in range(12)]
for place in range(5):
    st.metric(f"metric {place}", f"{sum(values) * (place + 1):,}")
table = pd.DataFrame({"layer": range(30), "cost": [sum(values) * (row + 1) for row in range(30)]})
st.dataframe(table)
for place in range(2):
    st.plotly_chart(px.bar(table, x="layer", y="cost"), key=f"chart {place}")
