// The live run in the bar of all pages: its name, a ring that fills, the time left. It asks the server itself; no page
// runs for it. When the run is over, it says how it ended until it was clicked.

import { untilNext } from "./components.js"

const BUSY = 2000 // milliseconds between two looks while a run is active
const BUSY_WHERE_IT_TRAINS = 5000 // the same, if the processor is the one that trains
const IDLE = 5000
const AROUND = 2 * Math.PI * 8 // the ring's length

const now = { component: null, run: {}, opened: "", timer: 0, asking: false } // outlives the component

async function look() {
  if (now.asking) return
  now.asking = true
  clearTimeout(now.timer)
  const { data } = now.component
  try {
    const query = new URLSearchParams({ owner: data.owner, run: now.run.id ?? "" })
    const answer = await fetch(`${data.route}?${query}`)
    if (answer.ok) now.run = await answer.json()
    if (now.run.active) now.opened = ""
    draw()
  } catch {
    // The server does not answer: what was known stays, and it is asked again.
  } finally {
    now.asking = false
    const period = now.run.part ? (now.run.trains_here ? BUSY_WHERE_IT_TRAINS : BUSY) : now.run.active ? BUSY : IDLE
    now.timer = setTimeout(again, untilNext(period))
  }
}

async function again() {
  if (document.hidden) await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }))
  if (now.component.parentElement.isConnected) look()
}

// What is said beside the ring: the time left, else what the run does or how it ended.
function state(run, words) {
  if (run.active) return run.left ?? words.status[run.word]
  return run.accuracy ?? words.status[run.word]
}

function draw() {
  const { data, parentElement } = now.component
  const { run } = now
  const root = parentElement.querySelector(".live")
  root.hidden = !run.id || now.opened === run.id
  if (root.hidden) return
  const button = root.querySelector("button")
  const text = state(run, data.words)
  const left = run.active && run.left ? data.words.left.replace("{time}", () => run.left) : text
  const label = `${run.name}: ${data.words.status[run.word]}, ${left}`
  root.querySelector(".arc").style.strokeDasharray = `${AROUND * (run.active ? (run.part ?? 0) : 1)} ${AROUND}`
  root.querySelector(".sign").textContent = run.active ? "" : data.words.signs[run.word]
  root.querySelector(".name").textContent = run.name
  root.querySelector(".state").textContent = text
  button.className = run.word
  button.title = label
  button.setAttribute("aria-label", `${data.words.show}: ${label}`)
  const said = root.querySelector("[role=status]")
  const ended = run.active ? "" : label
  if (said.textContent !== ended) said.textContent = ended
  button.onclick = () => {
    if (!run.active) now.opened = run.id
    now.component.setTriggerValue("open", run.id)
    draw()
  }
}

export function live(component) {
  now.component = component
  draw()
  look() // the page ran: a run may have been started
}

// --- what narrow screens have -------------------------------------------------------------------------

let here // the page that was shown last
const links = new MutationObserver(() => mark())
let mark // says which of the links leads to it; Streamlit brings them later than the component

const close = () => button("stSidebarCollapseButton")?.querySelector("button").click()
const button = (name) => document.querySelector(`[data-testid=${name}]`)

// The sidebar is a sheet there: it is closed at first, and whenever another page comes.
export function sheet({ data, parentElement }) {
  const open = parentElement.querySelector("button")
  open.querySelector("span").textContent = data.words.edit
  open.onclick = () => button("stExpandSidebarButton")?.click()
  const pages = document.querySelector(".st-key-pages")
  pages.setAttribute("role", "navigation")
  pages.setAttribute("aria-label", data.words.pages)
  mark = () => pages.querySelectorAll("a").forEach((link, at) => (link.ariaCurrent = at === data.here ? "page" : null))
  mark()
  links.disconnect()
  links.observe(pages, { childList: true, subtree: true })
  pages.onclick = close
  if (here !== data.here && matchMedia(`(max-width: ${data.narrow}px)`).matches) close()
  here = data.here
}

// --- the page ------------------------------------------------------------------------------------------

// What readers and the browser's fonts go by.
export function page({ data }) {
  document.documentElement.lang = data.lang
}

// --- the QR code of a link -----------------------------------------------------------------------------

export function qr(component) {
  const { data, parentElement } = component
  const picture = parentElement.querySelector(".qr")
  if (picture.src !== data.code) picture.src = data.code
  picture.alt = data.alt
}
