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

// {name of a question: the guess that was locked, or nothing}; whatever else is stored there is left alone.
function stored() {
  const found = recall(PROGRESS)
  const known = found && typeof found === "object" && !Array.isArray(found) ? Object.entries(found) : []
  return Object.fromEntries(known.filter(([, guess]) => typeof guess === "string"))
}

export function progress(component) {
  const { data } = component
  if (data.forget && data.forget !== told.forgotten) {
    told.forgotten = data.forget
    keep(PROGRESS, Object.keys(data.done).length ? data.done : null)
  }
  const before = stored()
  const all = { ...before, ...data.done }
  if (Object.keys(all).length > Object.keys(before).length) keep(PROGRESS, all)
  if (told.session === data.session) return
  told.session = data.session
  if (Object.keys(all).length > Object.keys(data.done).length) component.setTriggerValue("found", all)
}

// --- the tasks as cards --------------------------------------------------------------------------------

const SVG = "http://www.w3.org/2000/svg"
const [WIDE, HIGH] = [108, 52] // of a thumbnail, in its own units

function drawn(name, attributes) {
  const node = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  return node
}

function thumbnail(bars) {
  const picture = drawn("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, "aria-hidden": "true" })
  const unit = (WIDE - 2 * bars.length) / bars.reduce((sum, { wide }) => sum + wide, 0)
  let x = 0
  for (const { part, high, wide } of bars) {
    const [width, height] = [Math.min(18, wide * unit), Math.max(3, high * HIGH)]
    picture.append(drawn("rect", { class: part, x, y: (HIGH - height) / 2, width, height, rx: 1 }))
    x += width + 2
  }
  return picture
}

export function cards(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".cards")
  const focus = parentElement.activeElement?.dataset?.task
  root.replaceChildren(...data.groups.map(({ theme, cards }) => element("section", {}, element("h2", {}, theme), element("ul", {}, ...cards.map((card) => element("li", {}, tile(card, component)))))))
  if (focus) root.querySelector(`[data-task="${focus}"]`)?.focus({ preventScroll: true })
}

function tile(card, component) {
  const foot = element("span", { class: "foot" }, element("span", { class: "dots", "aria-hidden": "true" }, card.dots))
  for (const [kind, text] of [["state", card.state], ["minutes", card.minutes], ["trains", card.trains]]) {
    if (text) foot.append(element("span", { class: kind }, text))
  }
  const button = element("button", { type: "button", class: "card", "data-task": card.key }, element("strong", {}, card.title), thumbnail(card.bars), element("p", {}, card.question), foot)
  button.onclick = () => component.setTriggerValue("open", card.key)
  return button
}

// --- the question that was gone to ------------------------------------------------------------------------

const FRAMES = 60 // in which a field may come
let before = null // the task and the question that were there

// A new task is seen from its top, a new question whole; by keyboard or mouse its answer can be given at once.
export function arrive({ data }) {
  const [was, now] = [before, data]
  before = now
  if (was === null || (was.task === now.task && (was.ask === now.ask || !now.chosen))) return
  const question = () => document.querySelector(`.st-key-ask-${CSS.escape(now.ask)}`)
  if (was.task === now.task) question()?.scrollIntoView({ block: "nearest" })
  else document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0)
  if (matchMedia("(pointer: fine)").matches) focus(() => before === now && question()?.querySelector("input"), FRAMES)
}

// The page loads the code of a field when it first shows one: it may come some frames after the question.
function focus(field, frames) {
  const found = field()
  if (found) found.focus({ preventScroll: true })
  else if (frames) requestAnimationFrame(() => focus(field, frames - 1))
}

// --- things to be put in order ---------------------------------------------------------------------------

export function order(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".order")
  const places = [...data.order]

  function move(from, to) {
    if (from === to || to < 0 || to >= places.length) return
    places.splice(to, 0, ...places.splice(from, 1))
    draw()
    component.setTriggerValue("order", [...places])
  }

  function button(kind, sign, place, at) {
    const step = kind === "up" ? -1 : 1
    const label = data.words[kind].replace("{name}", () => data.labels[place])
    const node = element("button", { type: "button", class: kind, "aria-label": label, "data-focus": `${kind} ${place}` }, sign)
    node.disabled = at + step < 0 || at + step >= places.length
    node.onclick = () => move(at, at + step)
    return node
  }

  // The focus goes along with what is moved; at an end, to the way back.
  function draw() {
    const focus = parentElement.activeElement?.dataset?.focus
    root.replaceChildren(...places.map(line))
    const there = focus && root.querySelector(`[data-focus="${focus}"]`)
    if (there) (there.disabled ? there.parentNode.querySelector("button:enabled") : there)?.focus({ preventScroll: true })
  }

  function line(place, at) {
    const node = element("li", { draggable: "true", "data-place": place }, element("b", {}, `${at + 1}`), element("span", {}, data.labels[place]))
    node.append(button("up", "↑", place, at), button("down", "↓", place, at))
    node.ondragstart = (event) => {
      event.dataTransfer.setData("text/plain", String(at))
      node.classList.add("dragged")
    }
    node.ondragend = () => node.classList.remove("dragged")
    node.ondragover = (event) => event.preventDefault()
    node.ondrop = (event) => {
      event.preventDefault()
      move(Number(event.dataTransfer.getData("text/plain")), at)
    }
    return node
  }

  draw()
}

// --- the tour ----------------------------------------------------------------------------------------

const CARD = 340 // the width of the card, in pixels
let step = null // of the tour that is open; outlives the component, which is drawn anew with every run
let follow = () => {}
let leave = () => {}

addEventListener("resize", () => follow())
addEventListener("scroll", () => follow(), true)
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && step !== null) leave()
})

export function tour(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".tour")
  const again = button("again", "?", () => go(0))
  again.title = data.words.again
  again.setAttribute("aria-label", data.words.again)
  const light = element("div", { class: "light" })
  const card = element("section", { class: "card", "aria-label": data.words.tour })

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
  leave = () => go(null)
  draw()
}
