// The list of runs: sorted, filtered, in groups. The browser asks the server for what is new; of very many rows it draws
// those that are looked at. Texts come translated and are put in as text, never as HTML.

import { element, left, step } from "./components.js"

const BUSY = 2000 // milliseconds between two looks while a run is active
const IDLE = 5000
const PATIENCE = 20_000 // milliseconds that an answer may take
const PAGE = 100 // rows that are drawn at once; more come when one scrolls to their end
const COLUMNS = "vgg-runs-columns"

// Outlives the component, which goes while one run is shown.
const view = { column: null, down: false, filter: "", status: "", network: "", open: new Set(), hidden: remembered(), drawn: PAGE }
const known = { address: "", start: "", number: 0, lines: new Map(), disk: "", more: true, active: false, failed: false, timer: 0, asking: false, gone: 0 }
let shown = null // the component that is on the page

function remembered() {
  try {
    return new Set(JSON.parse(localStorage.getItem(COLUMNS)) ?? [])
  } catch {
    return new Set()
  }
}

function remember() {
  try {
    localStorage.setItem(COLUMNS, JSON.stringify([...view.hidden]))
  } catch {
    // A browser that keeps nothing: they are remembered until the page is closed.
  }
}

// --- what the server knows ---------------------------------------------------------------------------------

function take(answer) {
  if (answer.start !== known.start) known.lines.clear()
  for (const [id, line] of Object.entries(answer.lines)) line ? known.lines.set(id, line) : known.lines.delete(id)
  const { start, number, disk, more, active } = answer
  const moved = Object.keys(answer.lines).length > 0 || known.failed || more !== known.more || disk !== known.disk
  Object.assign(known, { start, number, disk, more, active, failed: false })
  return moved
}

async function look() {
  if (known.asking) return
  known.asking = true
  clearTimeout(known.timer)
  const { address } = known
  let moved = false
  try {
    const query = new URLSearchParams({ start: known.start, since: known.number })
    const answer = await fetch(`${address}&${query}`, { signal: AbortSignal.timeout(PATIENCE) })
    if (!answer.ok) throw new Error(`status ${answer.status}`)
    const found = await answer.json()
    if (address === known.address) moved = take(found)
  } catch {
    moved = known.failed = true
  } finally {
    known.asking = false
  }
  if (moved) draw(shown)
  if (shown.root.isConnected) tell(shown)
  known.timer = setTimeout(again, known.more && !known.failed ? 0 : known.active ? BUSY : IDLE)
}

async function again() {
  if (document.hidden) await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }))
  if (shown.root.isConnected) return look()
  known.gone += 1 // Streamlit may put it back
  if (known.gone < 20) known.timer = setTimeout(again, 500)
}

// The page itself shows some runs: it runs again when the newest is another one, or one of them began or ended.
function tell({ component, data, told }) {
  const newest = data.chosen.length || data.group ? data.newest : (runs()[0]?.id ?? null)
  const changed = newest !== data.newest || Object.entries(data.seen).some(([id, active]) => known.lines.get(id)?.active !== active)
  if (!changed || known.failed || known.more) return
  const news = JSON.stringify([newest, Object.keys(data.seen).map((id) => known.lines.get(id)?.active)])
  if (told.has(news)) return
  told.add(news)
  component.setTriggerValue("changed", news)
}

// --- order, groups, filters ----------------------------------------------------------------------------------

const place = (line) => (line.kind === "race" ? line.runs[0] : line.id)
const newestFirst = (one, other) => one.recorded - other.recorded || (one.recorded ? 1 : -1) * (place(one) < place(other) ? -1 : 1)
const runs = () => [...known.lines.values()].filter((line) => !line.kind).sort(newestFirst)

function valueOf(line, column) {
  if (column === "name") return line.name
  const cell = line.cells[column]
  if (!cell) return null
  return cell.value === undefined ? cell.text : cell.value
}

const { compare: collate } = new Intl.Collator(undefined, { numeric: true })

function compare(first, second) {
  if (typeof first === "number" && typeof second === "number") return first - second
  return collate(String(first), String(second))
}

// Sorted by the column that was chosen; what has no value comes last either way.
function sorted(lines) {
  if (view.column === null) return lines.sort(newestFirst)
  const keyed = lines.sort(newestFirst).map((line) => [valueOf(line, view.column), line])
  keyed.sort(([first], [second]) => {
    if (first === null || second === null) return (first === null) - (second === null)
    return view.down ? compare(second, first) : compare(first, second)
  })
  return keyed.map(([, line]) => line)
}

const filtering = () => Boolean(view.filter || view.status || view.network)

function matches(line, words) {
  if (view.status && line.status !== view.status) return false
  if (view.network && line.cells.network?.text !== view.network) return false
  if (!view.filter) return true
  const text = [line.word, line.name, line.id, ...Object.values(line.cells).map((cell) => cell.text)].join(" ").toLowerCase()
  return words.every((word) => text.includes(word))
}

// The rows from the first to the last, each with its depth: members stand below their group while it is open.
function listed() {
  const words = view.filter.toLowerCase().split(/\s+/)
  const found = runs().filter((line) => matches(line, words))
  const groups = [...known.lines.values()].filter((line) => line.kind)
  const groupOf = new Map(groups.flatMap((group) => group.runs.map((id) => [id, group.id])))
  const members = Map.groupBy ? Map.groupBy(found, (line) => groupOf.get(line.id) ?? "") : grouped(found, groupOf)
  const heads = groups.filter((group) => members.has(group.id) || !filtering() || matches(group, words))
  const rows = sorted([...(members.get("") ?? []), ...heads]).flatMap((line) => {
    if (!line.kind) return [{ line, depth: 0 }]
    const inside = view.open.has(line.id) || (filtering() && members.has(line.id)) ? sorted(members.get(line.id) ?? []) : []
    return [{ line, depth: 0 }, ...inside.map((member) => ({ line: member, depth: 1 }))]
  })
  return { rows, count: found.length, all: known.lines.size - groups.length }
}

function grouped(lines, groupOf) {
  const found = new Map()
  for (const line of lines) {
    const key = groupOf.get(line.id) ?? ""
    if (!found.has(key)) found.set(key, [])
    found.get(key).push(line)
  }
  return found
}

// --- cells ---------------------------------------------------------------------------------------------------

const SVG = "http://www.w3.org/2000/svg"
const [WIDE, HIGH] = [84, 22]

function svg(tag, attributes) {
  const node = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  return node
}

// The whole width is the whole run; the height is from the lowest accuracy of the run to its highest.
function spark({ test, train }) {
  const box = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, width: WIDE, height: HIGH, "aria-hidden": "true", class: "spark" })
  const heights = [...test, ...train].map(([, y]) => y)
  const [low, high] = [Math.min(...heights), Math.max(...heights)]
  const place = ([x, y]) => [2 + Math.min(1, x) * (WIDE - 4), HIGH - 3 - ((y - low) / (high - low || 1)) * (HIGH - 6)]
  for (const [name, points] of [["train", train], ["test", test]]) {
    const at = points.map(place)
    if (at.length) box.append(svg("polyline", { class: name, points: at.map((point) => point.map((part) => part.toFixed(1)).join()).join(" ") }))
    if (name === "test") at.forEach(([cx, cy]) => box.append(svg("circle", { cx: cx.toFixed(1), cy: cy.toFixed(1), r: 1.6 })))
  }
  return box
}

function progress({ value, text }) {
  if (value === null) return [text]
  const bar = element("span", { class: "progress", role: "img", "aria-label": `${Math.round(100 * value)} %` }, element("i", { style: `width:${100 * value}%` }))
  return [bar, text]
}

function content(name, cell) {
  if (!cell) return []
  if (name === "spark") return cell.train.length ? [spark(cell)] : []
  if (name === "progress") return progress(cell)
  return [cell.text]
}

// --- the table -------------------------------------------------------------------------------------------------

const visible = (data) => Object.entries(data.columns).filter(([name]) => !view.hidden.has(name))

function head(mine) {
  const { data } = mine
  const cell = (name, label, number) => {
    if (name === "spark" || name === "progress") return element("th", { scope: "col" }, label)
    const chosen = view.column === name
    const button = element("button", { type: "button", "data-focus": `sort ${name}` }, label + (!chosen ? "" : view.down ? " ↓" : " ↑"))
    button.onclick = () => sort(mine, name, number)
    const order = !chosen ? "none" : view.down ? "descending" : "ascending"
    return element("th", { scope: "col", class: number ? "number" : "text", "aria-sort": order, "data-column": name }, button)
  }
  const columns = visible(data).map(([name, { label, number }]) => cell(name, label, number))
  return element("thead", {}, element("tr", {}, element("td"), cell("name", data.words.name, false), ...columns))
}

// The first click: numbers from the largest, texts from A; the second: the other way; the third: as they came.
function sort(mine, column, number) {
  if (view.column !== column) Object.assign(view, { column, down: number })
  else if (view.down === number) view.down = !number
  else view.column = null
  view.drawn = PAGE
  draw(mine)
}

function choose(mine, ids) {
  mine.chosen = ids
  mine.stamp += 1
  draw(mine)
  mine.component.setTriggerValue("choose", { ids, stamp: mine.stamp })
}

function checkbox(mine, line) {
  const { data } = mine
  const ids = line.kind ? line.runs : [line.id]
  const rest = ids.filter((id) => !mine.chosen.includes(id))
  const full = rest.length > 0 && mine.chosen.length + rest.length > data.most
  const box = element("input", { type: "checkbox", "aria-label": data.words.choose.replace("{name}", () => line.name), "data-focus": `choose ${line.id}` })
  box.checked = ids.length > 0 && rest.length === 0
  box.indeterminate = rest.length > 0 && rest.length < ids.length
  box.disabled = full || ids.length === 0
  if (full) box.title = data.words.most
  box.onchange = () => choose(mine, box.checked ? [...mine.chosen, ...rest] : mine.chosen.filter((id) => !ids.includes(id)))
  return box
}

function named(mine, line) {
  const { words } = mine.data
  const sign = element("span", { class: "sign", title: line.word }, element("span", { "aria-hidden": "true" }, line.sign), element("span", { class: "unseen" }, line.word))
  const open = element("button", { type: "button", class: "open", "data-focus": `open ${line.id}` }, line.name)
  open.onclick = () => (line.kind ? unfold(mine, line, true) : mine.component.setTriggerValue("open", line.id))
  const title = element("span", { class: "title" }, sign, open)
  if (line.kind) {
    const wide = view.open.has(line.id)
    const fold = element("button", { type: "button", class: "fold", "aria-expanded": wide, "aria-label": words.members.replace("{name}", () => line.name), "data-focus": `fold ${line.id}` }, wide ? "▾" : "▸")
    fold.onclick = () => unfold(mine, line, false)
    title.prepend(fold)
  }
  const cell = element("th", { scope: "row", class: "name" }, title)
  const notes = [line.kind && words[line.kind], line.recorded && words.recorded, line.reason]
  const small = notes.filter(Boolean).join(" · ")
  if (small) cell.append(element("small", {}, small))
  return cell
}

// A press on a group's name brings it into view, too: of a race, all its members. The small triangle opens and closes.
function unfold(mine, line, look) {
  const wide = view.open.has(line.id)
  if (wide && (!look || line.kind === "race" || mine.data.group === line.id)) view.open.delete(line.id)
  else view.open.add(line.id)
  if (look && line.kind === "race") choose(mine, line.runs)
  else if (look && mine.data.group !== line.id) mine.component.setTriggerValue("group", line.id)
  draw(mine)
}

function row(mine, { line, depth }) {
  const chosen = mine.chosen.includes(line.id)
  const looks = JSON.stringify([depth, chosen, mine.data.colors[line.id], mine.data.group === line.id, line.kind && [view.open.has(line.id), line.runs.filter((id) => mine.chosen.includes(id)).length], mine.chosen.length >= mine.data.most, [...view.hidden]])
  const before = mine.rows.get(line.id)
  if (before?.line === line && before.looks === looks) return before.node
  const cells = visible(mine.data).map(([name, { number }]) => element("td", { "data-column": name, class: number ? "number" : name === "network" || name === "data" ? "wide" : "text" }, ...content(name, line.cells[name])))
  const classes = [line.status, chosen && "chosen", depth && "member", line.kind && "group", mine.data.group === line.id && "looked"].filter(Boolean).join(" ")
  const node = element("tr", { class: classes, [line.kind ? "data-group" : "data-run"]: line.id }, element("td", {}, checkbox(mine, line)), named(mine, line), ...cells)
  if (line.id in mine.data.colors) node.style.setProperty("--run", mine.data.colors[line.id])
  mine.rows.set(line.id, { line, looks, node })
  return node
}

function draw(mine) {
  const { table, data, said } = mine
  const { rows, count, all } = listed()
  const focus = table.getRootNode().activeElement?.dataset?.focus
  const nodes = rows.slice(0, view.drawn).map((each) => row(mine, each))
  const heads = JSON.stringify([data.columns, view.column, view.down, [...view.hidden]])
  if (heads !== mine.heads) table.tHead?.remove()
  if (!table.tHead) table.prepend(head(mine))
  mine.heads = heads
  const body = table.tBodies[0] ?? table.appendChild(element("tbody"))
  if (nodes.length !== body.children.length || nodes.some((node, place) => node !== body.children[place])) body.replaceChildren(...nodes)
  mine.rest = rows.length - nodes.length
  table.dataset.runs = all
  table.dataset.complete = !known.more
  const words = count ? data.words.count.replace("{shown}", count).replace("{all}", all) : data.words.none
  const text = known.failed ? data.words.offline : known.more ? data.words.reading.replace("{count}", all) : words
  if (said.textContent !== text) said.textContent = text
  mine.disk.textContent = known.disk
  menus(mine)
  if (focus && table.getRootNode().activeElement?.dataset?.focus !== focus) {
    ;[...table.querySelectorAll("[data-focus]")].find((node) => node.dataset.focus === focus)?.focus({ preventScroll: true })
  }
  stay(mine)
}

const idOf = ({ dataset }) => dataset.run ?? dataset.group

// Tab stops at what one row has: the row where the focus was last, else the first.
function stay(mine) {
  const rows = [...mine.table.tBodies[0].rows]
  const at = rows.find((each) => idOf(each) === mine.here) ?? rows[0]
  rows.forEach((each) => [...each.querySelectorAll("[data-focus]")].forEach((stop) => (stop.tabIndex = each === at ? 0 : -1)))
}

// --- the menus -------------------------------------------------------------------------------------------------

function fill(select, label, all, choices, value) {
  const content = JSON.stringify([all, choices])
  if (select.dataset.content !== content) {
    select.replaceChildren(element("option", { value: "" }, all), ...choices.map(([key, text]) => element("option", { value: key }, text)))
    select.dataset.content = content
    select.setAttribute("aria-label", label)
  }
  select.value = value
}

function menus(mine) {
  const { words } = mine.data
  const states = new Map()
  const networks = new Set()
  for (const line of known.lines.values()) {
    if (line.kind) continue
    states.set(line.status, line.word)
    networks.add(line.cells.network.text)
  }
  if (view.status && !states.has(view.status)) view.status = ""
  if (view.network && !networks.has(view.network)) view.network = ""
  fill(mine.status, words.status, words.anyStatus, [...states].sort(), view.status)
  fill(mine.network, words.network, words.anyNetwork, [...networks].sort().map((name) => [name, name]), view.network)
}

function columnsMenu(mine) {
  const { data, columns } = mine
  columns.querySelector("summary").textContent = data.words.columns
  const boxes = Object.entries(data.columns).map(([name, { label }]) => {
    const box = element("input", { type: "checkbox" })
    box.checked = !view.hidden.has(name)
    box.onchange = () => {
      if (box.checked) view.hidden.delete(name)
      else view.hidden.add(name)
      remember()
      draw(mine)
    }
    return element("label", {}, box, label)
  })
  columns.querySelector(".menu").replaceChildren(...boxes)
}

// --- the component ------------------------------------------------------------------------------------------------

function keys(mine, event) {
  const kind = event.target.dataset?.focus?.split(" ")[0]
  step(event, [...mine.table.querySelectorAll(`tbody [data-focus^="${kind} "]:enabled`)])
}

function more(mine) {
  const { scrollTop, clientHeight, scrollHeight } = mine.scroll
  if (!mine.rest || scrollTop + clientHeight < scrollHeight - 600) return
  view.drawn += PAGE
  draw(mine)
}

function made(root) {
  const found = (name) => root.querySelector(name)
  const mine = { root, table: found("table"), scroll: found(".scroll"), said: found("[role=status]"), disk: found(".disk"), rows: new Map(), told: new Set() }
  Object.assign(mine, { filter: found("input[type=search]"), status: found(".status"), network: found(".network"), columns: found(".columns") })
  const anew = (change) => {
    change()
    view.drawn = PAGE
    draw(mine)
  }
  mine.filter.oninput = () => anew(() => (view.filter = mine.filter.value.trim()))
  mine.status.onchange = () => anew(() => (view.status = mine.status.value))
  mine.network.onchange = () => anew(() => (view.network = mine.network.value))
  mine.columns.onkeydown = (event) => {
    if (event.key !== "Escape") return
    mine.columns.open = false
    mine.columns.querySelector("summary").focus()
  }
  root.addEventListener("pointerdown", ({ target }) => {
    if (!mine.columns.contains(target)) mine.columns.open = false
  })
  mine.table.onkeydown = (event) => keys(mine, event)
  mine.table.addEventListener("focusin", ({ target }) => {
    if (!target.closest("tbody")) return
    mine.here = idOf(target.closest("tr"))
    stay(mine)
  })
  mine.columns.addEventListener("focusout", (event) => {
    if (left(event, mine.columns)) mine.columns.open = false
  })
  mine.scroll.onscroll = () => more(mine)
  const end = new IntersectionObserver(([seen]) => seen.isIntersecting && more(mine)) // where the whole page scrolls
  end.observe(mine.disk)
  return mine
}

const parts = new WeakMap()

export function list(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".part")
  if (!parts.has(root)) parts.set(root, made(root))
  const mine = parts.get(root)
  if (mine.stamp === undefined || data.stamp >= mine.stamp) Object.assign(mine, { stamp: data.stamp, chosen: data.chosen })
  if (JSON.stringify(mine.data?.seen) !== JSON.stringify(data.seen) || mine.data?.newest !== data.newest) mine.told.clear()
  if (data.group && data.group !== mine.data?.group) view.open.add(data.group)
  Object.assign(mine, { component, data })
  shown = mine
  known.gone = 0
  mine.filter.setAttribute("aria-label", data.words.filter)
  mine.filter.placeholder = data.words.filter
  if (mine.filter.value !== view.filter) mine.filter.value = view.filter
  mine.table.setAttribute("aria-label", data.words.alt)
  columnsMenu(mine)
  if (known.address !== data.address) Object.assign(known, { address: data.address, start: "", number: 0, lines: new Map(), more: true })
  if (data.answer) take(data.answer)
  draw(mine)
  if (!data.answer) look()
}
