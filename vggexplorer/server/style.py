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
_UNSEEN = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);"
_RED = ", ".join(f"[class*=st-key-{key.replace(' ', '-')}]" for key in RED)
STYLE = f"""
:root {{ {_SIZES} --vgg-bar: 3.2rem; --vgg-space: 0.5333rem; }}
[data-testid=stMainBlockContainer] {{ padding: calc(var(--vgg-bar) + 1rem) clamp(1rem, 2.6vw, 3rem) 4rem; }}
[data-testid=stLayoutWrapper]:has(> .st-key-bar) {{
  position: fixed; top: 0; right: 2.9rem; z-index: 999990; width: auto; height: var(--vgg-bar); align-items: center;
}}
.st-key-figures {{ display: none; }}
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
.st-key-header h1 > :last-child:not(:first-child) {{ display: none; }}
.st-key-subtitle p {{ font-size: 0.9333rem; opacity: 0.75; }}
.st-key-tasks {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 16px; }}
.st-key-tasks button {{ width: 100%; min-height: 0; justify-content: flex-start; text-align: left; padding: 0; }}
.st-key-tasks [data-testid=stMarkdown] p {{ font-size: 0.9333rem; }}
.st-key-tasks button > div {{ justify-content: flex-start; }}
.st-key-tasks button p {{ font-weight: 600; }}
.st-key-tasks > [data-testid=stLayoutWrapper], .st-key-tasks > * > [data-testid=stVerticalBlock] {{ height: 100%; }}
.st-key-tasks [data-testid=stElementContainer] {{ width: 100%; }}
[data-testid=stMetricValue] {{ font-variant-numeric: tabular-nums; }}
[data-testid=stCaptionContainer] {{ color: inherit; opacity: 0.8; }}
[data-testid=stBaseButton-primary] {{ color: {palette.ON_PRIMARY.css}; }}
:is([data-testid=stBaseButton-tertiary], [data-testid=stPopoverButton]):is(:hover, :active, [aria-expanded=true]) {{
  color: {palette.LINK.css};
}}
[data-testid=stMarkdownContainer]:has(table) {{ overflow-x: auto; }}
:is({_RED}) button:enabled {{ color: {palette.RED.css}; border-color: currentColor; }}
:is({_RED}) button:enabled:hover {{ background: {palette.RED_GROUND.css}; }}
@media (max-width: 768px) {{
  [data-testid=stHeaderLogo] {{ width: 2rem; object-fit: cover; object-position: left; }}
  .st-key-projector {{ display: none; }}
  .st-key-share p {{ {_UNSEEN} }}
}}
@media (min-width: 769px) {{
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
[data-testid=stExpandSidebarButton] {{ display: none; }}
@media (max-width: 1500px) {{ :root {{ --vgg-run-name: none; }} }}
"""
"""For a projector, after `STYLE`: larger type, and no editor."""
