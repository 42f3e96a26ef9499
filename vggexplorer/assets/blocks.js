// The table of blocks. A field that somebody is typing into is left alone, whatever arrives meanwhile.

import { element } from "./components.js"
import { hear, part, perform, redraw, settled, words } from "./live.js"

const FIELDS = ["num_convs", "out_channels", "kernel_size", "stride", "padding"]
const STYLE = `
:host, .blocks { color: var(--st-text-color); font-family: var(--st-font), sans-serif; font-size: 0.93rem; }
.blocks { display: flex; flex-direction: column; gap: 0.35rem; }
.heads, .line { display: grid; grid-template-columns: 2.4rem 1fr 1fr; gap: 0.5rem; align-items: center; }
.heads { font-size: 0.82rem; opacity: 0.8; }
.blocks.one .heads, .blocks.one .line { grid-template-columns: 2.4rem 1fr; }
.more { display: grid; grid-template-columns: repeat(3, 1fr) 1.7fr auto; gap: 0.35rem; padding: 0 0 0.4rem 2.9rem; }
.more label { font-size: 0.75rem; display: flex; flex-direction: column; gap: 0.1rem; }
.field { display: flex; border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius, 0.4rem); }
.field { background: var(--st-background-color); overflow: hidden; min-width: 0; }
.field:focus-within { border-color: var(--st-primary-color); }
input, select, textarea { font: inherit; color: inherit; background: transparent; border: 0; min-width: 0; width: 100%; box-sizing: border-box; }
input:focus, select:focus, textarea:focus { outline: none; }
input[type=number] { appearance: textfield; padding: 0.42rem 0 0.42rem 0.6rem; font-variant-numeric: tabular-nums; }
input::-webkit-outer-spin-button, input::-webkit-inner-spin-button { appearance: none; margin: 0; }
.more input[type=number], .more select { padding: 0.25rem 0.3rem; }
input[type=checkbox] { width: 1.1rem; height: 1.7rem; accent-color: var(--st-primary-color); }
option { color: black; }
button { font: inherit; color: inherit; background: none; border: 0; cursor: pointer; padding: 0; }
.step { width: 1.9rem; flex: none; }
.step:hover, .number:hover { background: var(--st-secondary-background-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: -2px; }
.number { font-weight: 600; height: 2.1rem; border-radius: var(--st-base-radius, 0.4rem); }
.number span { font-size: 0.75em; opacity: 0.6; }
.menu { position: fixed; margin: 0; padding: 0.3rem; border: 1px solid var(--st-border-color); border-radius: 0.4rem; }
.menu { background: var(--st-background-color); color: var(--st-text-color); box-shadow: 0 4px 18px rgb(0 0 0 / 25%); }
.menu button { display: block; width: 100%; text-align: left; padding: 0.35rem 0.8rem; border-radius: 0.3rem; }
.menu button:hover, .menu button:focus-visible { background: var(--st-secondary-background-color); }
.note, .complaint { font-size: 0.85rem; margin: 0; }
.note { opacity: 0.8; padding-left: 2.9rem; }
.complaint { color: var(--st-red-text-color); background: var(--st-red-background-color); }
.complaint { border-radius: 0.4rem; padding: 0.5rem 0.7rem; }
.complaint:empty { display: none; }
details { border: 1px solid var(--st-border-color); border-radius: 0.4rem; padding: 0.35rem 0.6rem; }
summary { cursor: pointer; }
textarea { margin-top: 0.4rem; border: 1px solid var(--st-border-color); border-radius: 0.4rem; padding: 0.4rem; resize: vertical; }
.below { display: flex; gap: 0.4rem; align-items: center; }
.below span { flex: 1; }
.width { border: 1px solid var(--st-border-color); border-radius: 0.4rem; padding: 0.15rem 0.55rem; }
.width:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
.toggle { font-size: 0.85rem; text-decoration: underline; opacity: 0.85; padding: 0.2rem 0; }
@media (max-width: 768px) {
  :is(.line, .more) :is(input[type=number], select), textarea { font-size: 16px; }
  .line .field, .number, .width, .toggle, .menu button { min-height: 40px; }
  .line .step { width: 2.6rem; }
  .more { padding-left: 0; }
  .more .field { min-height: 36px; }
  .width { min-width: 40px; }
}
`
let wide = false // whether kernel, stride, padding, pooling and LRN are shown: as long as the page is open

const tables = new WeakMap()

function table(root) {
  if (!tables.has(root)) {
    const place = root.querySelector(".blocks")
    place.before(element("style", {}, STYLE))
    tables.set(root, { place, structure: "" })
  }
  return tables.get(root)
}

const draw = part("blocks", (root, figures) => {
  const { place, structure } = table(root)
  const { rows, hidden, complaint } = figures
  const now = JSON.stringify([rows.map((row) => (row.values ? "block" : row.label)), hidden, figures.full, wide, words])
  if (now !== structure) {
    const focus = root.activeElement?.dataset?.focus
    place.replaceChildren(...built(figures))
    const focused = focus && (root.querySelector(`[data-focus="${focus}"]`) ?? [...root.querySelectorAll(".number")].at(-1))
    focused?.focus({ preventScroll: true })
    tables.get(root).structure = now
  }
  for (const row of rows) {
    const line = place.querySelector(`[data-row="${row.row}"]`)
    if (!line) continue
    if (row.values) row.values.forEach((value, at) => fill(line.querySelector(`[data-at="${at}"]`), value))
    else fill(line.querySelector("textarea"), row.text)
    const note = line.querySelector(".note")
    if (note) {
      note.textContent = row.note ?? ""
      note.hidden = !row.note
    }
  }
  place.classList.toggle("one", hidden.includes("convolutions") || hidden.includes("channels"))
  place.querySelector(".complaint")?.replaceChildren(complaint)
})

// Put a value into a field, unless somebody is typing there; what was refused goes back to what is.
function fill(box, value) {
  if (!box) return
  if (box.type === "checkbox") {
    box.checked = value
    return
  }
  if (box.tagName === "SELECT" && ![...box.options].some((option) => option.value === value)) box.append(element("option", { value }, value))
  const { is, sent } = box.dataset
  if (sent !== undefined && sent !== `${value}` && !settled()) return // its own answer is still to come
  const typing = box.getRootNode().activeElement === box && box.value !== is && box.value !== sent
  if (!typing) box.value = `${value}`
  box.dataset.is = `${value}`
  delete box.dataset.sent
}

function built(figures) {
  const { rows, hidden } = figures
  const nodes = []
  if (rows.some((row) => row.values)) {
    const heads = [words.block, words.heads[0], words.heads[1]].filter((_, at) => at === 0 || !hidden.includes(["", "convolutions", "channels"][at]))
    nodes.push(element("div", { class: "heads", "aria-hidden": "true" }, ...heads.map((text) => element("span", {}, text))))
  }
  for (const row of rows) nodes.push(row.values ? block(row, figures) : layers(row))
  const below = element("div", { class: "below" })
  if (rows.some((row) => row.values) && !hidden.includes("columns")) {
    const toggle = element("button", { type: "button", class: "toggle", "aria-pressed": wide, title: words.more_help, "data-focus": "more" }, words.more)
    toggle.onclick = () => {
      wide = !wide
      redraw("blocks")
    }
    below.append(toggle)
  }
  if (!hidden.includes("tools")) below.append(element("span", {}), ...words.widths.map(([ratio, text]) => width(ratio, text)))
  nodes.push(below)
  nodes.push(element("p", { class: "complaint", role: "alert" }))
  return nodes
}

function width(ratio, text) {
  const button = element("button", { type: "button", class: "width", title: words.width_help.replace("{ratio}", ratio), "data-focus": `width ${ratio}` }, text)
  button.onclick = () => perform({ do: "width", row: 0, value: ratio })
  return button
}

const put = (text, row) => text.replace("{number}", row + 1)

function block(row, figures) {
  const { hidden } = figures
  const cells = [hidden.includes("columns") ? element("b", {}, `${row.row + 1}`) : menu(row, figures)]
  if (!hidden.includes("convolutions")) cells.push(number(row.row, 0, true))
  if (!hidden.includes("channels")) cells.push(number(row.row, 1, true))
  const box = element("div", { "data-row": row.row, role: "group", "aria-label": `${words.block} ${row.row + 1}` }, element("div", { class: "line" }, ...cells))
  if (wide && !hidden.includes("columns")) box.append(more(row))
  box.append(element("p", { class: "note", hidden: "" }))
  return box
}

function number(row, at, steps) {
  const box = element("input", { type: "number", step: "1", "aria-label": put(words.labels[at], row), "data-at": at, "data-focus": `${row} ${at}` })
  const send = () => {
    if (box.value === "") box.value = box.dataset.is
    if (box.value === box.dataset.is || box.value === box.dataset.sent) return
    box.dataset.sent = box.value
    perform({ do: "set", row, field: FIELDS[at], value: Number(box.value) })
  }
  box.onchange = send
  box.onkeydown = (event) => {
    if (event.key === "Enter") send()
  }
  const step = (sign, by, label) => {
    const node = element("button", { type: "button", class: "step", tabindex: "-1", "aria-label": `${label}: ${put(words.labels[at], row)}` }, sign)
    node.onclick = () => {
      box.value = String(Number(box.value) + by)
      send()
    }
    return node
  }
  const buttons = steps ? [step("−", -1, words.less), step("+", 1, words.greater)] : []
  return element("div", { class: "field" }, box, ...buttons)
}

function more(row) {
  const labelled = (at, node) => element("label", {}, element("span", {}, words.heads[at]), node)
  const boxes = [2, 3, 4].map((at) => labelled(at, number(row.row, at, false)))
  const pool = element("select", { "aria-label": put(words.labels[5], row.row), "data-at": 5, "data-focus": `${row.row} pool` })
  for (const [value, text] of Object.entries(words.pools)) pool.append(element("option", { value }, text))
  pool.onchange = () => perform({ do: "set", row: row.row, field: "pool", value: pool.value })
  const lrn = element("input", { type: "checkbox", "aria-label": put(words.labels[6], row.row), "data-at": 6, "data-focus": `${row.row} lrn` })
  lrn.onchange = () => perform({ do: "set", row: row.row, field: "lrn", value: lrn.checked })
  return element("div", { class: "more" }, ...boxes, labelled(5, element("div", { class: "field" }, pool)), labelled(6, lrn))
}

// --- what can be done with a block ---------------------------------------------------------------------------

function menu(row, { items, full }) {
  const barred = { up: row.row === 0, down: row.row === items - 1, delete: items === 1, add: full, duplicate: full }
  const label = put(words.menu, row.row)
  const list = element("div", { class: "menu", popover: "auto", role: "menu", "aria-label": label })
  for (const [name, text] of Object.entries(words.actions)) {
    if (barred[name]) continue
    const item = element("button", { type: "button", role: "menuitem", tabindex: "-1" }, text)
    item.onclick = () => {
      list.hidePopover()
      const moved = row.row + ({ up: -1, down: 1 }[name] ?? 0)
      const target = open.getRootNode().querySelector(`[data-focus="menu ${moved}"]`) ?? open
      target.focus({ preventScroll: true })
      perform({ do: name, row: row.row })
    }
    list.append(item)
  }
  const open = element("button", { type: "button", class: "number", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": label, "data-focus": `menu ${row.row}` })
  open.append(`${row.row + 1} `, element("span", { "aria-hidden": "true" }, "▾"))
  open.onclick = () => list.togglePopover()
  list.ontoggle = (event) => {
    const shows = event.newState === "open"
    open.setAttribute("aria-expanded", shows)
    if (!shows) return
    const { left, bottom, top } = open.getBoundingClientRect()
    const below = bottom + list.offsetHeight < window.innerHeight
    Object.assign(list.style, { left: `${left}px`, top: `${below ? bottom + 2 : Math.max(0, top - list.offsetHeight - 2)}px` })
    list.firstElementChild?.focus()
  }
  list.onkeydown = (event) => {
    if (event.key === "Escape" || event.key === "Tab") {
      list.hidePopover()
      open.focus({ preventScroll: true })
    }
    const all = [...list.children]
    const at = all.indexOf(event.target)
    if (event.key === "ArrowDown") all[(at + 1) % all.length].focus()
    else if (event.key === "ArrowUp") all[(at + all.length - 1) % all.length].focus()
    else return
    event.preventDefault()
  }
  return element("div", {}, open, list)
}

// --- layers in no block ------------------------------------------------------------------------------------------

function layers(row) {
  const label = words.text.replace("{place}", row.place)
  const box = element("textarea", { rows: "2", "aria-label": label, title: words.text_help, "data-focus": `text ${row.row}` })
  const send = () => {
    if (box.value !== box.dataset.is) perform({ do: "text", row: row.row, value: [row.count, box.value] })
  }
  box.onchange = send
  box.onkeydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send()
  }
  return element("details", { "data-row": row.row }, element("summary", { "data-focus": `fold ${row.row}` }, element("b", {}, row.place), ` · ${row.label}`), box)
}

export function blocks(component) {
  hear("blocks", component)
  draw(component)
}
