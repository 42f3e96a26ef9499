"""What all pages look like: one scale of type and space, the bar's place, the colours of certain buttons.

It stands in the HTML of the pages, so that they look so before anything is drawn. Components have the same scale:
custom properties go through to what is drawn inside them.
"""

from vggexplorer import palette

RED = ("stop run", "end run", "delete run", "delete chosen", "delete now", "stop all", "remove sweep")
"""The keys of buttons that end something or take it away: they have a colour of their own, not that of Start."""

PROJECTED = 1.35
"""How much larger type is on a projector."""
TYPE = {"label": 13, "text": 15, "section": 20, "title": 24, "total": 28}
"""The sizes of type in pixels at a root of `ROOT`; `--type-label` and so on in CSS, in rem."""
ROOT = 15
"""The size of 1 rem in pixels, as `baseFontSize` in `.streamlit/config.toml` says it."""
_SIZES = " ".join(f"--type-{name}: {size / ROOT:.4f}rem;" for name, size in TYPE.items())
NARROW = 768
"""The width in pixels up to which a screen is a phone's or a small tablet's."""


def narrow(css: str) -> str:
    """CSS that holds on such a screen."""
    return f"@media (max-width: {NARROW}px) {{ {css} }}"


_UNSEEN = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);"


def scrolls(box: str, ground: str = "var(--st-background-color)") -> str:
    """CSS for boxes that can be moved sideways: a shade at the right says that there is more.

    The shade lies still; over it lies the colour of the `ground`, which moves with the table and hides it at its end.
    """
    cover = f"linear-gradient(to left, {ground} 40%, transparent) right / 3rem 100% no-repeat local"
    shade = "linear-gradient(to left, color-mix(in srgb, currentColor 40%, transparent), transparent)"
    return f"{box} {{ overflow-x: auto; background: {cover}, {shade} right / 1.1rem 100% no-repeat scroll; }}"


def stays(box: str, ground: str = "var(--st-background-color)") -> str:
    """The same, and the first column of the table in it stays."""
    column = f":where({box}) tr > :first-child {{ position: sticky; left: 0; z-index: 1; background: {ground}; }}"
    return f"{scrolls(box, ground)}\n{column}\n"


_RED = ", ".join(f"[class*=st-key-{key.replace(' ', '-')}]" for key in RED)
_SHEET = ".stSidebar[data-testid]"
_CLOSED = f"{_SHEET}:is([data-collapsed=true], [aria-expanded=false])"
_OPEN = f"{_SHEET}:not([data-collapsed=true], [aria-expanded=false])"
_AT_THE_BOTTOM = ":is([data-testid=stLayoutWrapper]:has(> .st-key-pages), .st-key-sheet)"
_PHONE = f"""
:root {{ --vgg-pages: calc(3.75rem + env(safe-area-inset-bottom, 0px)); --vgg-sheet: 45dvh; }}
[data-testid=stMainBlockContainer] {{ padding-top: calc(var(--vgg-bar) + 0.6rem); }}
.stApp [data-testid=stMainBlockContainer] {{ padding-bottom: calc(var(--vgg-pages) + 5rem); }}
body:has({_OPEN}) .stApp [data-testid=stMainBlockContainer] {{
  padding-bottom: calc(var(--vgg-pages) + var(--vgg-sheet) + 1rem);
}}
[data-testid=stHeader] {{ height: var(--vgg-bar); min-height: 0; border-bottom: 1px solid rgb(128 128 128 / 25%); }}
[data-testid=stHeader] {{ background: {palette.GROUND.css}; }}
[data-testid=stHeaderLogo] {{ width: 1.6rem; object-fit: cover; object-position: left; }}
:is([data-testid=stExpandSidebarButton], [data-testid=stToolbar] .rc-overflow) {{ display: none; }}
.st-key-bar :is(button, label) {{ min-height: 40px; min-width: 40px; }}
.st-key-projector {{ display: none; }}
.st-key-share p {{ {_UNSEEN} }}
:is(input, textarea) {{ font-size: 16px !important; text-overflow: ellipsis; }}
[data-testid=stMain] [data-testid=stHorizontalBlock] {{ row-gap: 0.5rem; }}
[data-testid=stMain] :is([data-testid^=stBaseButton], [data-testid=stPopoverButton], [data-variant], summary) {{
  min-height: 40px;
}}
[data-testid=stMainMenuButton] {{ min-width: 40px; min-height: 40px; }}
[data-testid=stTab] {{ min-height: 40px; }}
[data-testid=stMarkdownContainer] tr > :first-child {{ min-width: 7.5rem; }}
pre:has(code[style*="white-space: pre;"]) {{ mask-image: linear-gradient(to left, transparent, black 1.8rem); }}
pre code[style*="white-space: pre;"] {{ display: inline-block; padding-right: 2rem; }}

[data-testid=stLayoutWrapper]:has(> .st-key-pages) {{
  position: fixed; inset: auto 0 0; z-index: 999992; width: auto; height: var(--vgg-pages);
  background: {palette.GROUND.css}; border-top: 1px solid rgb(128 128 128 / 25%);
}}
.st-key-pages {{ flex-wrap: nowrap; width: 100%; padding: 0 0.2rem; }}
.st-key-pages > * {{ flex: 1 1 0; width: auto; min-width: 0; margin: 0 !important; }}
.st-key-pages :is([data-testid=stPageLink], [data-testid=stPageLink] div) {{ width: 100%; }}
.st-key-pages a {{
  position: relative; flex-direction: column; justify-content: center; gap: 0.1rem; height: 3.7rem; margin: 0;
  padding: 0; background: none;
}}
.st-key-pages a:hover {{ background: none; }}
.st-key-pages a [data-testid=stIconMaterial] {{ font-size: 1.5rem; }}
.st-key-pages a p {{ font-size: 0.8rem; line-height: 1.3; font-weight: 500; }}
.st-key-pages a[aria-current] :is(p, [data-testid=stIconMaterial]) {{ color: {palette.LINK.css}; font-weight: 700; }}
.st-key-pages a[aria-current]::before {{
  content: ""; position: absolute; inset: 0 22% auto; height: 3px; border-radius: 0 0 3px 3px;
  background: {palette.LINK.css};
}}
.st-key-totals {{
  position: sticky; top: var(--vgg-bar); z-index: 20; width: calc(100% + 2rem); max-width: none; margin-inline: -1rem;
  padding: 0.3rem 1rem; background: {palette.GROUND.css};
}}
.st-key-sheet {{ position: fixed; right: 0.9rem; bottom: calc(var(--vgg-pages) + 0.8rem); z-index: 999; }}
body:has({_OPEN}) .st-key-sheet, body:not(:has(.stSidebar [data-testid=stElementContainer])) .st-key-sheet {{
  display: none;
}}

{_SHEET} {{
  position: fixed !important; inset: auto 0 var(--vgg-pages) 0; width: 100% !important; min-width: 0; max-width: none;
  height: var(--vgg-sheet) !important; transform: none; transition: transform 200ms, visibility 200ms;
  border-radius: 1rem 1rem 0 0; box-shadow: 0 -6px 24px rgb(0 0 0 / 28%); overflow: hidden;
}}
{_CLOSED} {{ transform: translateY(100%); visibility: hidden; box-shadow: none; }}
:is([data-testid=stSidebarNav], [data-testid=stSidebarResizeHandle]) {{ display: none; }}
[data-testid=stSidebarLogo] {{
  position: fixed; left: 1rem; top: 0.75rem; width: 1.6rem; object-fit: cover; object-position: left;
}}
[data-testid=stSidebarContent] {{ padding-inline: 1rem; scrollbar-gutter: auto; }}
[data-testid=stSidebarHeader] {{
  position: sticky; top: 0; z-index: 5; height: 2.8rem; margin: 0 0 0.3rem; background: inherit;
}}
[data-testid=stSidebarHeader]::before {{
  content: ""; position: absolute; inset: 0.45rem 0 auto; margin: auto; width: 2.6rem; height: 4px; border-radius: 2px;
  background: currentColor; opacity: 0.35;
}}
[data-testid=stSidebarContent] {{ background: inherit; }}
[data-testid=stSidebarCollapseButton] {{ visibility: visible; margin: 0.3rem -0.5rem 0 auto; }}
[data-testid=stSidebarCollapseButton] button {{ width: 44px; height: 44px; rotate: -90deg; }}
[data-testid=stSidebarUserContent] {{ padding: 0 0 1.5rem; }}
[data-testid=stSidebarUserContent] [data-testid=stVerticalBlock] {{ gap: 0.5rem; }}
@media (prefers-reduced-motion: reduce) {{ {_SHEET} {{ transition: none; }} }}
"""
STYLE = f"""
:root {{ {_SIZES} --vgg-bar: 3.2rem; --vgg-space: 0.5333rem; }}
[data-testid=stMainBlockContainer] {{ padding: calc(var(--vgg-bar) + 1rem) clamp(1rem, 2.6vw, 3rem) 4rem; }}
[data-testid=stLayoutWrapper]:has(> .st-key-bar) {{
  position: fixed; top: 0; right: 2.9rem; z-index: 999990; width: auto; height: var(--vgg-bar); align-items: center;
}}
:is(.st-key-figures, .st-key-page-language) {{ display: none; }}
.st-key-bar {{ flex-wrap: nowrap; width: auto; }}
.st-key-bar button {{ min-height: 2rem; padding-block: 0; }}
.st-key-bar > * {{ flex: none; width: auto; }}
.st-key-share button div {{ min-width: max-content; overflow: visible; }}
[data-testid=stMain] {{ scroll-padding-top: var(--vgg-bar); }}
[data-has-shortcut] > [aria-label^=Shortcut] {{ display: none; }}
.st-key-projector p {{ {_UNSEEN} }}
[data-testid=stTopNavLink] p {{ font-weight: 500; }}
.st-key-header {{ align-items: baseline; gap: 0 12px; }}
.st-key-header :is([data-testid=stMarkdownContainer], p) {{ margin-bottom: 0; }}
.st-key-header h1 {{ padding: 0; font-size: var(--type-title); line-height: 1.3333; }}
.st-key-subtitle p {{ font-size: 0.9333rem; opacity: 0.75; }}
[data-testid=stMetricValue] {{ font-variant-numeric: tabular-nums; }}
[data-testid=stHeaderActionElements] {{ display: none; }}
[data-testid=stCode] .token.token {{ color: inherit; }}
[data-testid=stCode] .token:is(.keyword, .function) {{ color: {palette.LINK.css}; }}
[data-testid=stCode] .token.string {{ color: {palette.STRING.css}; }}
[data-testid=stMultiSelect] [data-tag] {{ color: {palette.ON_PRIMARY.css}; }}
[data-testid=stMultiSelect] button {{ min-width: 24px; min-height: 24px; }}
:is(a, button, summary, [tabindex]:not(input)):focus-visible, [data-testid=stLogoLink]:focus-visible img {{
  outline: 2px solid {palette.LINK.css} !important; outline-offset: 1px;
}}
:is([data-testid=stMain], [data-testid=stTabPanel]):focus-visible {{ outline-offset: -2px; }}
[data-testid=stCaptionContainer] {{ color: inherit; opacity: 0.8; }}
[data-testid^=stBaseButton-primary] {{ color: {palette.ON_PRIMARY.css}; }}
:is([data-testid=stBaseButton-tertiary], [data-testid=stPopoverButton]):is(:hover, :active, [aria-expanded=true]) {{
  color: {palette.LINK.css};
}}
{stays("[data-testid=stMarkdownContainer]:has(table)", palette.GROUND.css)}
:is({_RED}) button:enabled {{ color: {palette.RED.css}; border-color: currentColor; }}
:is({_RED}) button:enabled:hover {{ background: {palette.RED_GROUND.css}; }}
{narrow(_PHONE)}
@media (min-width: {NARROW + 1}px) {{
  {_AT_THE_BOTTOM} {{ display: none; }}
  [data-testid=stHeader] {{ position: fixed; inset: 0 0 auto 0; width: 100%; height: var(--vgg-bar); min-height: 0; }}
  [data-testid=stHeader] {{ border-bottom: 1px solid rgb(128 128 128 / 25%); }}
  [data-testid=stToolbar] {{ height: 100%; padding: 0; }}
  [data-testid=stToolbar] .rc-overflow {{ position: absolute; left: 11.2rem; right: 22rem; }}
  :is([data-testid=stHeaderLogo], [data-testid=stSidebarLogo]) {{
    position: fixed; left: 2.9rem; top: calc((var(--vgg-bar) - 1.8rem) / 2); height: 1.5rem;
  }}
  :is([data-testid=stExpandSidebarButton], [data-testid=stSidebarCollapseButton]) {{
    position: fixed; left: 0.7rem; top: calc((var(--vgg-bar) - 1.75rem) / 2); margin: 0; visibility: visible;
  }}
  [data-testid=stMainMenu] {{ position: fixed; right: 0.7rem; top: calc((var(--vgg-bar) - 1.75rem) / 2); }}
  [data-testid=stSidebar] {{ top: var(--vgg-bar); height: calc(100% - var(--vgg-bar)); }}
  [data-testid=stSidebarHeader] {{ height: 0; min-height: 0; margin: 0; padding: 0; }}
  [data-testid=stSidebarUserContent] {{ padding-top: 1rem; }}
}}
"""


PROJECTOR = f"""
html:root {{ font-size: {ROOT * PROJECTED:.2f}px; }}
[data-testid=stSidebar] {{ width: 0 !important; min-width: 0; border: 0; }}
[data-testid=stElementContainer]:has(> [data-testid=stMetric]) {{ width: auto; min-width: max-content; }}
[data-testid=stMetric] :is(label, div) {{ overflow: visible; }}
[data-testid=stElementContainer]:has(> [data-testid=stSelectbox]) {{ min-width: 9rem; }}
:is([data-testid=stSidebarUserContent], [data-testid=stSidebarCollapseButton]) {{ display: none; }}
:is([data-testid=stExpandSidebarButton], .st-key-sheet) {{ display: none; }}
@media (max-width: 1500px) {{ :root {{ --vgg-run-name: none; }} }}
"""
"""For a projector, after `STYLE`: larger type, and no editor."""
