// The parts of the pages about runs that Streamlit has no widget for: pictures as a network sees them, the table of runs.
// Texts come translated and are put in as text, never as HTML.

import { element, painted } from "./components.js"

// --- pictures --------------------------------------------------------------------------------------

function figure(item) {
  const canvas = painted(item.picture)
  const mark = item.good === true ? "✓ " : item.good === false ? "✗ " : ""
  canvas.setAttribute("role", "img")
  canvas.setAttribute("aria-label", mark + item.caption.replaceAll("\n", ", "))
  const sign = element("span", { class: item.good ? "good" : "bad" }, mark)
  return element("figure", {}, canvas, element("figcaption", { "aria-hidden": "true" }, sign, item.caption))
}

function asButton(component, item, place) {
  const button = element("button", { type: "button", "aria-label": item.caption }, figure(item))
  button.onclick = () => component.setTriggerValue("pick", place)
  return button
}

const drawn = new WeakMap()

export function pictures(component) {
  const { data, parentElement } = component
  const content = JSON.stringify(data)
  if (drawn.get(parentElement) === content) return
  drawn.set(parentElement, content)
  const root = parentElement.querySelector(".pictures")
  root.style.setProperty("--side", `${data.side}px`)
  root.replaceChildren(...data.items.map((item, place) => (data.pick ? asButton(component, item, place) : figure(item))))
}

// --- the norms of gradients -------------------------------------------------------------------------

function norm(row) {
  const bar = element("div", {})
  bar.style.width = `${100 * row.share}%`
  return element("tr", {}, element("th", { scope: "row" }, row.name), element("td", { class: "number" }, row.text), element("td", { class: "bar", "aria-hidden": "true" }, bar))
}

export function norms(component) {
  const { data, parentElement } = component
  const [name, value] = data.heads
  const heads = element("tr", {}, element("th", { scope: "col" }, name), element("th", { scope: "col", class: "number" }, value), element("td", {}))
  parentElement.querySelector("table").replaceChildren(element("thead", {}, heads), element("tbody", {}, ...data.rows.map(norm)))
}

// --- the table of runs -----------------------------------------------------------------------------

const view = { column: null, down: false, filter: "" } // outlives the table, which goes while one run is shown
const SIGN = 0
const NAME = 1

function cellOf(row, column) {
  if (column === SIGN) return row.word
  if (column === NAME) return row.name
  const cell = row.cells[column - 2]
  return cell.value === undefined ? cell.text : cell.value
}

function compare(first, second) {
  if (typeof first === "number" && typeof second === "number") return first - second
  return String(first).localeCompare(String(second), undefined, { numeric: true })
}

// Sorted by the column that was chosen; what has no value comes last either way.
function sorted(rows) {
  if (view.column === null) return rows
  return [...rows].sort((one, other) => {
    const [first, second] = [cellOf(one, view.column), cellOf(other, view.column)]
    if (first === null || second === null) return (first === null) - (second === null)
    return view.down ? compare(second, first) : compare(first, second)
  })
}

function matches(row) {
  const text = [row.word, row.name, row.id, ...row.cells.map((cell) => cell.text)].join(" ").toLowerCase()
  return view.filter.toLowerCase().split(/\s+/).every((word) => text.includes(word))
}

const tables = new WeakMap()

export function runs(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".runs")
  if (!tables.has(parentElement)) tables.set(parentElement, { stamp: data.stamp, chosen: data.chosen })
  const mine = tables.get(parentElement)
  if (data.stamp >= mine.stamp) Object.assign(mine, { stamp: data.stamp, chosen: data.chosen })

  const draw = () => {
    const active = root.getRootNode().activeElement
    const focus = active?.dataset?.focus
    root.replaceChildren(head(), body())
    if (focus) [...root.querySelectorAll("[data-focus]")].find((node) => node.dataset.focus === focus)?.focus({ preventScroll: true })
  }

  function head() {
    const cells = data.columns.map((column, index) => {
      const mark = view.column !== index ? "" : view.down ? " ↓" : " ↑"
      const button = element("button", { type: "button", "data-focus": `sort ${index}` }, column.label + mark)
      button.onclick = () => sort(index, column.number)
      const order = view.column !== index ? "none" : view.down ? "descending" : "ascending"
      return element("th", { scope: "col", class: column.number ? "number" : "text", "aria-sort": order }, button)
    })
    return element("thead", {}, element("tr", {}, element("td"), ...cells))
  }

  // The first click: numbers from the largest, texts from A; the second: the other way; the third: as they came.
  function sort(index, number) {
    if (view.column !== index) Object.assign(view, { column: index, down: number })
    else if (view.down === number) view.down = !number
    else view.column = null
    draw()
  }

  function checkbox(row) {
    const chosen = mine.chosen.includes(row.id)
    const full = !chosen && mine.chosen.length >= data.most
    const label = data.words.choose.replace("{name}", () => row.name)
    const box = element("input", { type: "checkbox", "aria-label": label, "data-focus": `choose ${row.id}` })
    box.checked = chosen
    box.disabled = full
    if (full) box.title = data.words.most
    box.onchange = () => {
      mine.chosen = box.checked ? [...mine.chosen, row.id] : mine.chosen.filter((id) => id !== row.id)
      mine.stamp += 1
      draw()
      component.setTriggerValue("choose", { ids: mine.chosen, stamp: mine.stamp })
    }
    return box
  }

  function line(row) {
    const open = element("button", { type: "button", "data-focus": `open ${row.id}` }, row.name)
    open.onclick = () => component.setTriggerValue("open", row.id)
    const name = element("th", { scope: "row", class: "name" }, open)
    if (row.recorded) name.append(element("small", {}, data.words.recorded))
    if (row.reason) name.append(element("small", {}, row.reason))
    const status = element("td", { class: row.status }, element("span", { class: "sign", "aria-hidden": "true" }, row.sign), row.word)
    const kind = (index) => (data.columns[index + 2].number ? "number" : index === 0 || index === 2 ? "wide" : "text")
    const cells = row.cells.map((cell, index) => element("td", { class: kind(index) }, cell.text))
    const attributes = { class: mine.chosen.includes(row.id) ? "chosen" : "", "data-run": row.id }
    const node = element("tr", attributes, element("td", {}, checkbox(row)), status, name, ...cells)
    if (row.id in data.colors) node.style.setProperty("--run", data.colors[row.id])
    return node
  }

  function body() {
    const found = sorted(data.rows.filter(matches))
    const count = data.words.count.replace("{shown}", found.length).replace("{all}", data.rows.length)
    parentElement.querySelector(".tools span").textContent = found.length ? count : data.words.none
    return element("tbody", {}, ...found.map(line))
  }

  const filter = parentElement.querySelector(".tools input")
  filter.setAttribute("aria-label", data.words.filter)
  filter.placeholder = data.words.filter
  if (filter.value !== view.filter) filter.value = view.filter
  filter.oninput = () => {
    view.filter = filter.value.trim()
    draw()
  }
  root.setAttribute("aria-label", data.words.alt)
  root.onkeydown = (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return
    const kind = event.target.dataset?.focus?.split(" ")[0]
    const stops = [...root.querySelectorAll(`tbody [data-focus^="${kind} "]`)].filter((node) => !node.disabled)
    const at = stops.indexOf(event.target)
    if (at < 0) return
    stops[Math.min(Math.max(at + (event.key === "ArrowDown" ? 1 : -1), 0), stops.length - 1)].focus()
    event.preventDefault()
  }
  const content = JSON.stringify([data, mine.chosen])
  if (mine.content !== content) draw()
  mine.content = content
}
