"""Numbers for people."""

from math import ceil

from vggexplorer.layers import Terms

_PREFIXES = ("", "k", "M", "G", "T", "P", "E")
NO_BREAK = "\N{NO-BREAK SPACE}"
LARGE_LOSS = 1e6
"""From here on a loss is written by its power of ten."""


def exact(count: int) -> str:
    """138357544 -> '138,357,544'."""
    return f"{count:,}"


def short(count: float) -> str:
    """138357544 -> '138.4 M' (SI prefixes, four significant digits; integers below 10,000 as they are)."""
    if abs(count) < 10_000 and count == int(count):
        return f"{count:,.0f}"
    return _scaled(count, 1000, _PREFIXES)


def _scaled(value: float, base: int, units: tuple[str, ...]) -> str:
    power = 0
    while round(abs(value), 1) >= base and power < len(units) - 1:
        value /= base
        power += 1
    digits = 2 if abs(value) < 9.995 else 1
    return f"{value:,.{digits}f}{NO_BREAK}{units[power]}".rstrip(NO_BREAK)


def size(count: int) -> str:
    """Bytes in binary units, by name: 65628200 -> '62.6 MiB'."""
    if count < 1024:
        return f"{count}{NO_BREAK}B"
    return _scaled(count, 1024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"))


def decimal_size(count: int) -> str:
    """Bytes in decimal units, by name: 171966464 -> '172.0 MB'."""
    if count < 1000:
        return f"{count}{NO_BREAK}B"
    return _scaled(count, 1000, ("B", "kB", "MB", "GB", "TB", "PB", "EB"))


def duration(seconds: float) -> str:
    """Minutes and seconds, or hours too: 75 -> '1:15', 3723 -> '1:02:03'."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def about(seconds: float) -> str:
    """A time that is not known well, rounded up: 3 -> '5 s', 62 -> '65 s', 130 -> '2:30'."""
    return f"{5 * max(1, ceil(seconds / 5))}{NO_BREAK}s" if seconds <= 90 else duration(30 * ceil(seconds / 30))


def percent(part: float, whole: float) -> str:
    """A share with one decimal: (1, 8) -> '12.5 %'; of nothing, '–'."""
    return f"{100 * part / whole:.1f}{NO_BREAK}%" if whole else "–"


def loss(value: float) -> str:
    """As in the book: 0.17842 -> '0.178'; of one that diverges three digits and the power of ten, '2.9e+28'."""
    return f"{value:.3f}" if abs(value) < LARGE_LOSS else f"{value:.3g}"


def ratio(count: float, base: float) -> str:
    """How many times `base`: (11, 4) -> '2.75×'; of nothing, '–'."""
    if not base:
        return "–"
    value = count / base
    return f"{value:.2g}×" if value < 0.1 else f"{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}×"


def measured(value: float, unit: str = "") -> str:
    """A number of four digits, a whole one in full, in its unit: (8.0448, '×') -> '8.045×', (1290, '') -> '1,290'."""
    text = f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:#.4g}"
    return f"{text}{unit}" if unit in ("", "×") else f"{text}{NO_BREAK}{unit}"


def factor(count: float, base: float) -> str:
    """How many times as much as `base`, or as little: (11, 4) -> '× 2.75', (4, 11) -> '÷ 2.75'; of nothing, '–'."""
    if not (count and base):
        return "–"
    sign, value = ("×", count / base) if count >= base else ("÷", base / count)
    return f"{sign}{NO_BREAK}{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}"


def signed(text: str, difference: float) -> str:
    """The text of an absolute difference with its sign in front."""
    return f"{'+' if difference > 0 else '−' if difference < 0 else '±'}{text}"


def sum_of_products(terms: Terms) -> str:
    """Terms as they are written: ((64, 1, 3, 3), (64,)) -> '64 × 1 × 3 × 3 + 64'."""
    return " + ".join(" × ".join(map(str, factors)) for factors in terms) or "0"
