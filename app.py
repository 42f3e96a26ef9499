"""The Streamlit entry: `streamlit run app.py`, or simply `vggexplorer`."""
