// The parts of a comparison: the networks as chips, tables whose cells are bars, the stages, MACs beside time.
// Python computes and writes every figure; here they are laid out, and what a person does is told to Python.

import { element, left } from "./components.js"

const swatch = (color) => element("i", { class: "swatch", style: `background:${color}`, "aria-hidden": "true" })
const percent = (share) => `${(100 * share).toFixed(3)}%`

function piece({ color, hatched, share }) {
  const style = `--color:${color}` + (share === undefined ? "" : `;width:${percent(share)}`)
  return element("i", { class: hatched ? "hatched" : null, style })
}

const bar = (pieces) => element("span", { class: "bar", "aria-hidden": "true" }, ...pieces.map(piece))

function caption(text, key) {
  const words = key.map((part) => element("span", { class: "key" }, piece(part), part.label))
  return element("caption", {}, ...words, text)
}

function named(tag, { name, notation, note, color }, attributes = {}) {
  const texts = [element("span", {}, name)]
  if (note) texts[0].append(" ", element("small", {}, note))
  const line = element("span", { class: "name" }, swatch(color), ...texts)
  const written = notation ? [element("small", { class: "notation" }, notation)] : []
  return element(tag, { ...attributes, title: notation || null }, line, ...written)
}

// --- tables whose cells are bars ---------------------------------------------------------------------

export function bars(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".part")
  const focused = root.getRootNode().activeElement?.tagName === "BUTTON"

  function head({ label, note, action }) {
    const cell = element("th", { scope: "col" }, label)
    if (note) cell.append(" ", element("small", {}, note))
    if (action) {
      const button = element("button", { type: "button" }, action)
      button.onclick = () => component.setTriggerValue("action", true)
      cell.append(" ", button)
    }
    return cell
  }

  function cell({ figure, ratio, bar: pieces, title }, column) {
    const texts = [element("span", {}, figure), element("small", {}, ratio)]
    return element("td", { title: title || null, "data-label": data.columns[column].label }, bar(pieces), element("span", { class: "figure" }, ...texts))
  }

  const row = (line) => element("tr", {}, named("th", line, { scope: "row" }), ...line.cells.map(cell))
  const heads = [element("th", { scope: "col" }, data.corner), ...data.columns.map(head)]
  const body = element("tbody", {}, ...data.rows.map(row))
  root.replaceChildren(element("table", {}, caption(data.caption, data.key), element("thead", {}, element("tr", {}, ...heads)), body))
  if (focused) root.querySelector("button")?.focus({ preventScroll: true })
}

// --- the networks as chips -----------------------------------------------------------------------------

export function chips(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".chips")
  const act = (what, place, to = 0) => {
    root.dataset.focus = what === "move" ? to : place
    component.setTriggerValue("act", { what, place, to, seen: data.seen })
  }
  let open = null

  function fold() {
    open?.querySelector(".menu").remove()
    open?.querySelector(".more").setAttribute("aria-expanded", "false")
    open = null
  }

  function unfold(chip, place) {
    const last = data.chips.length - 1
    const choices = [
      ["edit", 0, data.words.edit, true],
      ["baseline", 0, data.words.baseline, !data.chips[place].baseline],
      ["move", place - 1, data.words.left, place > 0],
      ["move", place + 1, data.words.right, place < last],
    ]
    const items = choices.map(([what, to, words, possible]) => {
      const item = element("button", { type: "button", role: "menuitem", disabled: possible ? null : "" }, words)
      item.onclick = () => act(what, place, to)
      return item
    })
    const notation = element("small", {}, data.chips[place].notation)
    const menu = element("div", { role: "menu", "aria-label": data.chips[place].name }, ...items)
    chip.append(element("div", { class: "menu" }, notation, menu))
    chip.querySelector(".more").setAttribute("aria-expanded", "true")
    open = chip
    items[0].focus({ preventScroll: true })
  }

  function chip(network, place) {
    const more = element("button", { type: "button", class: "more", title: network.notation, "aria-haspopup": "menu", "aria-expanded": "false" })
    more.append(swatch(network.color), element("span", {}, network.name), " ▾")
    const remove = element("button", { type: "button", class: "remove", title: network.remove, "aria-label": network.remove, disabled: data.removable ? null : "" }, "×")
    const node = element("li", { draggable: "true" }, more, remove)
    more.onclick = () => {
      const mine = open === node
      fold()
      if (!mine) unfold(node, place)
    }
    remove.onclick = () => act("remove", place)
    node.addEventListener("focusout", (event) => open === node && left(event, node) && fold())
    node.ondragstart = (event) => event.dataTransfer.setData("text/plain", String(place))
    node.ondragover = (event) => event.preventDefault()
    node.ondrop = (event) => {
      event.preventDefault()
      const from = Number(event.dataTransfer.getData("text/plain"))
      if (from !== place) act("move", from, place)
    }
    return node
  }

  const focused = root.getRootNode().activeElement?.closest("li")
  const place = focused ? (root.dataset.focus ?? [...root.children].indexOf(focused)) : -1
  delete root.dataset.focus
  root.setAttribute("aria-label", data.words.networks)
  root.replaceChildren(...data.chips.map(chip))
  if (place >= 0) root.children[Math.min(place, data.chips.length - 1)].querySelector(".more").focus({ preventScroll: true })
  root.onkeydown = (event) => {
    const items = [...(open?.querySelectorAll("[role=menuitem]:enabled") ?? [])]
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (event.key === "Escape" && open) {
      const back = open.querySelector(".more")
      fold()
      back.focus({ preventScroll: true })
    } else if (step && items.length) items.at((items.indexOf(event.target) + step) % items.length).focus()
    else return
    event.preventDefault()
  }
}

// --- stages of equal resolution --------------------------------------------------------------------------

export function stages(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".part")

  function cell(stage, column) {
    if (!stage) return element("td", { class: "none" }, "–")
    const label = data.columns[column]
    const lines = stage.lines.map((line) => element("span", { class: "line" }, line))
    return element("td", { title: stage.title, "data-label": label }, element("span", { class: "block" }, piece(stage.bar)), ...lines)
  }

  const heads = [data.corner, ...data.columns].map((label) => element("th", { scope: "col" }, label))
  const rows = data.rows.map((row) => element("tr", {}, named("th", row, { scope: "row" }), ...row.cells.map(cell)))
  const table = element("table", {}, caption(data.caption, data.key), element("thead", {}, element("tr", {}, ...heads)))
  table.append(element("tbody", {}, ...rows))
  root.replaceChildren(table)
}

// --- share of MACs beside share of time -------------------------------------------------------------------

export function butterfly(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".part")

  function side(share, kind) {
    return element("td", { class: kind }, element("span", { class: "side" }, element("span", { class: "figure" }, share.text), bar(share.bar)))
  }

  function row(layer) {
    return element("tr", { title: layer.title }, side(layer.macs, "macs"), element("th", { scope: "row" }, layer.label), side(layer.time, "time"))
  }

  function table(network) {
    const heads = [element("th", { scope: "col", class: "macs" }, data.words.macs), element("th", { scope: "col" }, data.words.layer)]
    heads.push(element("th", { scope: "col", class: "time" }, data.words.time))
    const title = element("caption", {}, named("strong", network), element("small", {}, network.source))
    const rest = network.rest ? [element("tfoot", {}, element("tr", {}, element("td", { colspan: 3 }, network.rest)))] : []
    return element("table", {}, title, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...network.layers.map(row)), ...rest)
  }

  root.replaceChildren(...data.networks.map(table))
}
