"""What no page with Explore's editor can be quicker than: as many widgets and totals, and nothing else."""

import streamlit as st

with st.sidebar:
    st.selectbox("network", ["one", "two"], help="help")
    for place in range(5):
        st.button(f"button {place}", key=f"button {place}")
    st.toggle("more", help="help")
    values = []
    for place in range(5):
        with st.container(horizontal=True):
            st.menu_button(str(place), ["one", "two"], key=f"menu {place}")
            for column in range(2):
                values.append(
                    st.number_input(f"number {2 * place + column}", value=64, step=1, key=f"{place} {column}")
                )
    st.text_area("text", help="help")
    for place in range(10, 15):
        values.append(st.number_input(f"number {place}", value=64, step=1, key=f"number {place}"))
    st.selectbox("head", ["one", "two"])
    st.text_input("hidden", help="help")
    st.toggle("norm", help="help")
    st.segmented_control("activation", ["one", "two"], default="one")
for place in range(5):
    st.metric(f"metric {place}", f"{sum(values) * (place + 1):,}", help="help")
st.button("pin", help="help")
for place in range(2):
    st.segmented_control(f"choice {place}", ["one", "two"], default="one")
values.append(st.number_input("batch", value=64, step=1))
st.selectbox("dtype", ["one", "two"])
