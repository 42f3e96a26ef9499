// The parts of the pages about runs that Streamlit has no widget for: pictures as a network sees them, norms of gradients.
// Texts come translated and are put in as text, never as HTML.

import { element, painted } from "./components.js"

// --- pictures --------------------------------------------------------------------------------------

export function figure(item) {
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
