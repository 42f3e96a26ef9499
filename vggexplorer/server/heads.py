"""How long the head of a request may be.

A link may carry a lesson that a teacher wrote (`lessons/packed.py`), and what its page asks for names it once more, as
where it comes from. Uvicorn's own bound is 16 KiB of what has come in, which a link that comes in one piece passes and
the same one from afar does not; it has no option that Streamlit would hand on.
"""

from uvicorn.protocols.http import h11_impl

MOST = 128 * 1024
"""Octets of a head that has not ended."""
_BOUND = "DEFAULT_MAX_INCOMPLETE_EVENT_SIZE"
"""Read anew for each connection; `tests/server/test_heads.py` sees that it still is."""


def allow_long_links() -> None:
    """Have the server of this process take such heads."""
    setattr(h11_impl, _BOUND, MOST)
