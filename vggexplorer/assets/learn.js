// What the browser alone keeps: which tasks are done. The server stores none of it.

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

const CARD = 340 // the width of the card, in pixels
let step = null // of the tour that is open; outlives the component, which is drawn anew with every run
let follow = () => {}

addEventListener("resize", () => follow())
addEventListener("scroll", () => follow(), true)

export function tour(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".tour")
  const again = button("again", "?", () => go(0))
  again.title = data.words.again
  again.setAttribute("aria-label", data.words.again)
  const light = element("div", { class: "light" })
  const card = element("section", { class: "card", "aria-label": data.words.tour })
  card.onkeydown = (event) => {
    if (event.key === "Escape") go(null)
  }

  function go(next) {
    step = next
    draw()
    const to = next === null ? again : card.querySelector(".next")
    to.focus({ preventScroll: true })
  }

  function button(name, label, act) {
    const node = element("button", { type: "button", class: name }, label)
    node.onclick = act
    return node
  }

  function draw() {
    if (step === null) {
      root.replaceChildren(again)
      return
    }
    const last = step === data.steps.length - 1
    const count = data.words.count.replace("{step}", step + 1).replace("{steps}", data.steps.length)
    const buttons = element("div", { class: "buttons" }, button("leave", data.words.leave, () => go(null)))
    if (step > 0) buttons.append(button("back", data.words.back, () => go(step - 1)))
    buttons.append(last ? button("next", data.words.end, () => go(null)) : button("next", data.words.next, () => go(step + 1)))
    card.replaceChildren(element("strong", {}, `${data.words.tour} ${count}`), element("p", { role: "status" }, data.steps[step].text), buttons)
    light.dataset.part = data.steps[step].part
    root.replaceChildren(again, light, card)
    shown()?.scrollIntoView({ block: "nearest" })
    place()
  }

  const shown = () => step !== null && document.querySelector(data.steps[step].part)

  // The card beside what it is about, below it or above it: where there is room.
  function place() {
    const what = root.isConnected && shown()
    if (!what) return
    const { left, top, right, bottom, width, height } = what.getBoundingClientRect()
    const [wide, high] = [document.documentElement.clientWidth, document.documentElement.clientHeight]
    Object.assign(light.style, { left: `${left - 6}px`, top: `${top - 6}px`, width: `${width + 12}px`, height: `${height + 12}px` })
    const beside = right + CARD + 24 < wide
    const below = bottom + card.offsetHeight + 16 < high
    const x = beside ? right + 18 : Math.min(Math.max(12, left), wide - card.offsetWidth - 12)
    const y = beside ? top : below ? bottom + 14 : top - card.offsetHeight - 14
    Object.assign(card.style, { left: `${x}px`, top: `${Math.min(Math.max(12, y), high - card.offsetHeight - 12)}px` })
  }

  follow = place
  draw()
}
