// The parts that show one network: heading, totals, drawing, inspector, layer table, charts. Their figures are written by
// Python; here they are laid out. A layer that the pointer is on is marked in all of them.

import { element, onWidth, plot, rove, step } from "./components.js"
import { part, perform, redraw } from "./live.js"

// --- one layer, everywhere -----------------------------------------------------------------------------

const marks = new Map() // part -> marks the layer with that name, or none

let pointed = null

function point(name) {
  if (name === pointed) return
  pointed = name
  for (const mark of marks.values()) mark(name)
}

function pointing(box) {
  box.onpointerover = (event) => point(event.target.closest("[data-layer]")?.dataset.layer ?? null)
  box.onpointerleave = () => point(null)
}

const choose = (name) => perform({ do: "layer", name })

// --- heading -------------------------------------------------------------------------------------------

export const title = part("title", (root, { name, about, written }) => {
  const [heading, subtitle] = root.querySelector(".title").children
  heading.textContent = name
  subtitle.textContent = about
  heading.title = subtitle.title = written
})

// --- totals ----------------------------------------------------------------------------------------------

export const totals = part("totals", (root, cards, data) => {
  root.querySelector(".totals").replaceChildren(...cards.map((card) => totalCard(card, data.words)))
})

function totalCard(card, words) {
  const head = element("span", {}, card.label)
  const rest = [...(card.split ?? []), ...(card.lower ?? [])].join(" · ") // on a narrow screen there is no room for it in the card
  const tip = element("span", { class: "tip" }, card.help, element("span", { class: "rest" }, rest))
  const about = element("button", { type: "button", class: "why", "aria-label": `${card.label}: ${card.help}` }, "?", tip)
  about.onkeydown = ({ key }) => {
    if (key === "Escape") about.classList.add("shut")
  }
  about.onblur = about.onpointerleave = () => about.classList.remove("shut")
  const value = element("div", { class: "value" }, element("b", {}, card.short))
  const exactly = element("div", { class: "exact" }, element("span", {}, card.exact))
  if (card.ratio) {
    value.append(element("span", { class: "ratio", title: words.against }, card.ratio))
    exactly.append(element("span", { class: "difference" }, card.difference))
  }
  const box = element("li", { class: "total" }, element("div", { class: "label" }, head, about), value, exactly)
  if (card.conv !== undefined) box.append(split(card))
  if (card.lower) box.append(element("div", { class: "lower", title: words.lower }, ...card.lower.map((text) => element("span", {}, text))))
  return box
}

function split({ conv, split: [left, right] }) {
  const bar = element("div", { class: "split", "aria-hidden": "true" })
  bar.append(element("i", { class: "conv", style: `flex-grow:${conv}` }), element("i", { class: "fc", style: `flex-grow:${1 - conv}` }))
  return element("div", { class: "shares" }, element("span", {}, left), bar, element("span", {}, right))
}

// --- the drawing -----------------------------------------------------------------------------------------

export const drawing = part("drawing", (root, figures, data) => {
  const box = root.querySelector(".drawing")
  const focused = box.getRootNode().activeElement?.dataset?.layer
  fit(box, figures, () => redraw("drawing"))
  const { shade } = figures
  const layers = () => [...box.querySelectorAll("[data-layer]")]
  const here = layers().find((item) => item.dataset.layer === focused) ?? box.querySelector("[aria-current]") ?? layers()[0]
  rove(layers(), here)
  if (focused) here.focus({ preventScroll: true })
  const shades = root.querySelector(".shades")
  shades.setAttribute("aria-label", data.words.shade)
  const pressed = [...shades.children].indexOf(box.getRootNode().activeElement)
  shades.replaceChildren(...Object.entries(data.words.shades).map(([by, label]) => shadeButton(by, label, by === shade)))
  shades.children[pressed]?.focus({ preventScroll: true })
  marks.set("drawing", (name) => layers().forEach((item) => item.classList.toggle("pointed", item.dataset.layer === name)))
  pointing(box)
  const select = (event) => {
    const item = event.target.closest("[data-layer]")
    if (!item) return
    box.querySelector(".vgg-ring")?.remove()
    layers().forEach((each) => each.classList.toggle("selected", each === item))
    choose(item.dataset.layer)
  }
  box.onclick = select
  box.onkeydown = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return step(event, layers(), ["ArrowLeft", "ArrowRight"])
    select(event)
    event.preventDefault()
  }
})

const LEAST = 720 // pixels in which the drawing's letters can still be read; below it has several lines

const fitted = new WeakMap() // what is done when a drawing has got another width

// Made by the core, from numbers and translated words only.
function fit(box, { svg, narrow }, anew) {
  const few = () => box.clientWidth > 0 && box.clientWidth < LEAST
  const lines = few()
  box.classList.toggle("narrow", lines)
  box.innerHTML = lines ? narrow.svg : svg
  if (!fitted.has(box)) onWidth(box, () => fitted.get(box)())
  fitted.set(box, () => few() !== lines && anew())
}

function shadeButton(by, label, pressed) {
  const button = element("button", { type: "button", "aria-pressed": pressed }, label)
  button.onclick = () => perform({ do: "shade", by })
  return button
}

// A drawing that comes with its component's data: of a network that cannot take its input.
export function picture({ data, parentElement }) {
  const box = parentElement.querySelector(".drawing")
  const put = () => {
    fit(box, data, put)
    for (const item of box.querySelectorAll("[data-layer]")) {
      item.setAttribute("role", "img")
      item.removeAttribute("tabindex")
    }
  }
  put()
}

// --- the inspector ---------------------------------------------------------------------------------------

export const inspector = part("inspector", (root, layer, data) => {
  const heading = element("h2", { class: layer.part }, layer.kind, element("small", {}, [layer.block, layer.name].filter(Boolean).join(" · ")))
  const figures = layer.figures.map(([label, value, formula]) =>
    element("div", {}, element("dt", {}, label), element("dd", {}, value), ...(formula === "–" ? [] : [element("dd", { class: "formula" }, `= ${formula}`)])),
  )
  const parts = [heading, element("p", { class: "shapes" }, layer.shapes), element("dl", {}, ...figures)]
  if (layer.field) parts.push(field(layer.field, data.words))
  root.querySelector(".layer").replaceChildren(...parts)
})

const SIDE = 72

// What one output sees of the input, to scale; a field that is larger than the input is cut off.
function field({ side, input: [height, width] }, words) {
  const scale = SIDE / Math.max(height, width)
  const seen = [Math.min(side, width) * scale, Math.min(side, height) * scale]
  const inner = element("i", { style: `width:${Math.max(2, seen[0])}px;height:${Math.max(2, seen[1])}px` })
  const text = words.field.replaceAll("{side}", side).replace("{height}", height).replace("{width}", width)
  return element("div", { class: "field" }, element("span", { "aria-hidden": "true", style: `width:${width * scale}px;height:${height * scale}px` }, inner), element("small", {}, text))
}

// --- the layer table -------------------------------------------------------------------------------

const unfolded = new Set() // outlives the table, which goes when another tab is opened

export const layers = part("layers", (parentElement, data) => {
  const root = parentElement.querySelector(".layers")
  const draw = () => {
    const focus = root.getRootNode().activeElement?.dataset?.focus
    root.replaceChildren(head(), body(), foot())
    const focused = focus && root.querySelector(`[data-focus="${focus}"]`)
    rove(stops(), stops().find((stop) => stop === focused) ?? root.querySelector("[aria-pressed=true], .holds button") ?? stops()[0])
    focused?.focus({ preventScroll: true })
  }
  const stops = () => [...root.querySelectorAll("tbody button")]
  const select = (name) => {
    data.selected = name
    draw()
    choose(name)
  }
  const allOpen = () => data.groups.every((group) => group.rows.length < 2 || unfolded.has(group.id))

  function head() {
    const toggle = element("button", { type: "button", class: "all", "data-focus": "all" }, allOpen() ? data.words.close : data.words.open)
    toggle.onclick = () => {
      const close = allOpen()
      unfolded.clear()
      if (!close) data.groups.forEach((group) => unfolded.add(group.id))
      draw()
    }
    const cells = data.columns.map((label, column) => element("th", { scope: "col", class: column < 2 ? "text" : "number" }, label))
    cells[0].append(" ", toggle)
    return element("thead", {}, element("tr", {}, ...cells))
  }

  function line(item, attributes, first) {
    const row = element("tr", attributes)
    const label = element("th", { scope: "row", class: "text" }, ...first)
    row.append(label, ...item.cells.map((text, column) => cell(text, column, item.shares, item.part)))
    if (item.name) {
      row.dataset.layer = item.name
      row.classList.toggle("selected", item.name === data.selected)
      row.onclick = (event) => {
        if (!event.target.closest(".fold")) select(item.name)
      }
    }
    return row
  }

  function cell(text, column, shares, part) {
    const share = shares[column - 1]
    const node = element("td", { class: column === 0 ? "text" : "number", title: share?.[0] }, text)
    if (column && column < 4) node.append(element("span", { class: "share" }, share?.[0] ?? ""))
    if (share) node.append(element("i", { class: `bar ${part}`, style: `width:${(100 * share[1]).toFixed(2)}%` }))
    return node
  }

  function button(item, text) {
    const chosen = item.name === data.selected
    const node = element("button", { type: "button", class: "name", "data-focus": `layer ${item.name}`, "aria-pressed": chosen }, text)
    if (item.hint) node.append(" ", element("small", {}, item.hint))
    return node
  }

  function body() {
    const rows = []
    for (const group of data.groups) {
      if (group.rows.length < 2) {
        rows.push(line(group.rows[0], {}, [element("span", { class: "nofold" }), button(group.rows[0], group.rows[0].label)]))
        continue
      }
      const open = unfolded.has(group.id)
      const fold = element(
        "button",
        { type: "button", class: "fold", "aria-expanded": open, "data-focus": `fold ${group.id}` },
        element("span", { class: "arrow", "aria-hidden": "true" }, open ? "▾" : "▸"),
        group.label,
      )
      fold.onclick = () => {
        open ? unfolded.delete(group.id) : unfolded.add(group.id)
        draw()
      }
      const summary = line(group, { class: "group" }, [fold])
      if (!open) summary.dataset.holds = group.rows.map((row) => row.name).join(" ")
      summary.classList.toggle("holds", !open && group.rows.some((row) => row.name === data.selected))
      rows.push(summary)
      if (open) for (const row of group.rows) rows.push(line(row, { class: "inner" }, [button(row, row.label)]))
    }
    return element("tbody", {}, ...rows)
  }

  function foot() {
    return element("tfoot", {}, line(data.total, {}, [data.total.label]))
  }

  root.setAttribute("aria-label", data.words.alt)
  root.onkeydown = (event) => step(event, stops())
  draw()
  pointing(root)
  marks.set("layers", (name) => {
    for (const row of root.querySelectorAll("tbody tr")) row.classList.toggle("pointed", [row.dataset.layer, ...(row.dataset.holds ?? "").split(" ")].includes(name ?? undefined))
  })
})

// --- charts ----------------------------------------------------------------------------------------------

export const charts = part("charts", async (root, { sentence, charts: found }, data) => {
  const place = root.querySelector(".charts")
  if (!place.childElementCount) {
    place.append(element("p", {}))
    for (const { key, heading, alt } of found) place.append(element("h2", {}, heading), element("div", { role: "img", class: `chart st-key-${key}`, "aria-label": alt }))
  }
  const [text, ...nodes] = place.children
  text.textContent = sentence
  for (const [at, { heading, alt, figure }] of found.entries()) {
    const [head, box] = nodes.slice(2 * at, 2 * at + 2)
    head.textContent = heading
    box.setAttribute("aria-label", alt)
    const Plotly = await plot(box, figure, data.plotly)
    box.removeAllListeners("plotly_click")
    box.on("plotly_click", (event) => typeof event.points[0]?.customdata === "string" && choose(event.points[0].customdata))
    if (figure.data[0].customdata) tie(box, figure.data, Plotly)
  }
})

function tie(box, traces, Plotly) {
  const names = traces[0].customdata
  marks.set("charts", (name) => {
    const at = names.indexOf(name)
    if (!box.isConnected || box.matches(":hover")) return
    if (at < 0) Plotly.Fx.unhover(box)
    else Plotly.Fx.hover(box, traces.map((_, curve) => ({ curveNumber: curve, pointNumber: at })), traces.map((_, curve) => (curve ? `x${curve + 1}y` : "xy")))
  })
  box.removeAllListeners("plotly_hover")
  box.on("plotly_hover", (event) => box.matches(":hover") && point(event.points[0]?.customdata ?? null))
  box.on("plotly_unhover", () => box.matches(":hover") && point(null))
}
