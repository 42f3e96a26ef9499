// What the browser alone keeps: which tasks are done, and whether the tour was left. The server stores none of it.

import { element } from "./components.js"

function recall(place) {
  try {
    return JSON.parse(localStorage.getItem(place))
  } catch {
    return null // no storage, or something else in it
  }
}

function keep(place, value) {
  try {
    if (value === null) localStorage.removeItem(place)
    else localStorage.setItem(place, JSON.stringify(value))
  } catch {
    // A browser that keeps nothing: the session still knows.
  }
}

// --- what is done ------------------------------------------------------------------------------------

const PROGRESS = "vggexplorer.progress"
const told = { session: "", forgotten: "" }

export function progress(component) {
  const { data } = component
  if (data.forget && data.forget !== told.forgotten) {
    told.forgotten = data.forget
    keep(PROGRESS, null)
  }
  const found = recall(PROGRESS)
  const stored = Array.isArray(found) ? found.filter((item) => typeof item === "string") : []
  const all = [...new Set([...stored, ...data.done])]
  if (all.length > stored.length) keep(PROGRESS, all)
  if (told.session === data.session) return
  told.session = data.session
  if (all.length > data.done.length) component.setTriggerValue("found", all)
}

// --- the tour ----------------------------------------------------------------------------------------

const TOUR = "vggexplorer.tour"
let step = null // of the tour that is open; outlives the component, which is drawn anew with every run

// A ring around a part of the page. It is a rule inside the component, so that it goes when the page changes.
function ring(selector, color) {
  document.querySelector(selector)?.scrollIntoView({ block: "nearest" })
  return element("style", {}, `${selector} { outline: 2px solid ${color}; outline-offset: 4px; }`)
}

export function tour(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".tour")
  if (step === null && recall(TOUR) !== "left") step = 0

  function go(next) {
    step = next
    if (next === null) keep(TOUR, "left")
    draw()
    root.querySelector(next === null ? ".again" : ".next")?.focus({ preventScroll: true })
  }

  function button(name, label, act) {
    const node = element("button", { type: "button", class: name }, label)
    node.onclick = act
    return node
  }

  function draw() {
    const again = button("again", data.words.again, () => go(0))
    if (step === null) {
      root.replaceChildren(again)
      return
    }
    const last = step === data.steps.length - 1
    const count = data.words.count.replace("{step}", step + 1).replace("{steps}", data.steps.length)
    const buttons = element("div", { class: "buttons" })
    buttons.append(button("leave", data.words.leave, () => go(null)))
    if (step > 0) buttons.append(button("back", data.words.back, () => go(step - 1)))
    buttons.append(last ? button("next", data.words.end, () => go(null)) : button("next", data.words.next, () => go(step + 1)))
    const text = element("p", { role: "status" }, data.steps[step].text)
    const card = element("section", { class: "card", "aria-label": data.words.tour }, element("strong", {}, `${data.words.tour} ${count}`), text, buttons)
    card.onkeydown = (event) => {
      if (event.key === "Escape") go(null)
    }
    root.replaceChildren(again, card, ring(data.steps[step].part, data.ring))
  }

  const content = JSON.stringify(data)
  if (root.dataset.content !== content) draw()
  root.dataset.content = content
}
