// The confusion matrix: a press on a cell shows the pictures behind it. Python computes and writes every figure.

import { element } from "./components.js"
import { figure } from "./runs.js"

const chosen = new WeakMap() // the cell that is pressed, [row, column]

export function matrix(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".part")
  const table = root.querySelector(".matrix")
  const [title, note, box] = root.querySelector("section").children
  const cellAt = ([row, column]) => table.tBodies[0].rows[row].cells[column + 1].firstChild

  function press(place) {
    const before = table.querySelector("[aria-pressed=true]")
    before?.setAttribute("aria-pressed", "false")
    before?.setAttribute("tabindex", "-1")
    chosen.set(root, place)
    const button = cellAt(place)
    button.setAttribute("aria-pressed", "true")
    button.setAttribute("tabindex", "0")
    const { label, note: some, pictures, count } = data.rows[place[0]][place[1]]
    title.textContent = label
    note.textContent = [some, pictures.length < count && data.words.older].filter(Boolean).join(" ")
    box.style.setProperty("--side", "84px")
    box.replaceChildren(...pictures.map(figure))
  }

  function cell({ count, color, label }, place) {
    const button = element("button", { type: "button", "aria-label": label, "aria-pressed": "false", tabindex: "-1", title: label, style: `background:${color}` }, count ? String(count) : "")
    button.onclick = () => press(place)
    return element("td", {}, button)
  }

  function move(event) {
    const step = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key]
    if (!step) return
    const last = data.names.length - 1
    const place = chosen.get(root).map((at, axis) => Math.min(Math.max(at + step[axis], 0), last))
    press(place)
    cellAt(place).focus({ preventScroll: true })
    event.preventDefault()
  }

  const heads = data.names.map((name) => element("th", { scope: "col", title: name }, element("span", {}, name)))
  const head = element("thead", { class: data.upright ? "upright" : null }, element("tr", {}, element("td", { class: "corner" }, data.words.corner), ...heads, element("th", { scope: "col", class: "recall" }, element("span", {}, data.words.recall))))
  const rows = data.rows.map((row, at) => element("tr", {}, element("th", { scope: "row", title: data.names[at] }, data.names[at]), ...row.map((each, to) => cell(each, [at, to])), element("td", { class: "recall" }, data.recalls[at])))
  const focused = table.contains(table.getRootNode().activeElement)
  table.setAttribute("aria-label", data.words.alt)
  table.replaceChildren(head, element("tbody", {}, ...rows))
  table.onkeydown = move
  const place = chosen.get(root) ?? data.first
  press(Math.max(...place) < data.names.length ? place : data.first)
  if (focused) cellAt(chosen.get(root)).focus({ preventScroll: true })
}
