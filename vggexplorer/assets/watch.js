// A run while it goes on. The script's own message brings the first figures; after it the server is asked, while somebody
// looks and the run is active, once a second at most; less where the processor is the one that trains, unless something
// has just been done. When something else on the page has to change, the page is told.

import { element, painted, untilNext } from "./components.js"

const APART = 1000 // milliseconds between two looks
const APART_WHERE_IT_TRAINS = 5000
const IDLE = 5000
const EAGER = 6000 // milliseconds after the page ran

const memory = new WeakMap()

function put(node, text) {
  if (node.textContent !== text) node.textContent = text
}

function figures(root, pairs) {
  if (root.children.length !== pairs.length) root.replaceChildren(...pairs.map(() => element("dl", {}, element("dt"), element("dd"))))
  pairs.forEach(([name, value], place) => {
    put(root.children[place].firstChild, name)
    put(root.children[place].lastChild, value)
  })
}

function answers(root, found) {
  if (found[0]?.picture) root.replaceChildren(...found.map((each) => element("figure", {}, painted(each.picture), element("figcaption"))))
  if (!found.length && root.children.length) root.replaceChildren()
  found.forEach((each, place) => {
    const node = root.children[place]
    if (!node) return
    node.className = each.right === undefined ? "" : each.right ? "right" : "wrong"
    put(node.lastChild, each.caption)
    node.title = each.caption
  })
}

function draw(mine, now) {
  const part = (name) => mine.root.querySelector(name)
  const badge = part(".badge")
  put(badge, now.badge.text)
  badge.className = `badge ${now.badge.color}`
  put(part(".about"), now.about)
  put(part(".explained"), now.explained)
  put(part(".progress"), now.progress)
  const bar = part(".bar")
  bar.role = "progressbar"
  bar.setAttribute("aria-valuenow", Math.round(100 * now.part))
  bar.setAttribute("aria-label", now.progress)
  bar.firstChild.style.width = `${100 * now.part}%`
  const all = part(".figures")
  figures(all, now.figures)
  all.firstChild?.classList.add("large")
  put(part(".seen"), now.seen)
  answers(part(".answers"), now.answers)
  mine.now = now
  if (now.answers[0]?.picture) mine.pictures = now.pictures
}

async function ask(route) {
  const answer = await fetch(route)
  if (!answer.ok) throw new Error(`status ${answer.status}`)
  return answer.json()
}

async function look(mine) {
  if (!mine.data.route) return
  const { id, route } = mine.data
  let now = await ask(route)
  if (now.answers.length && now.pictures !== mine.pictures) now = await ask(`${route}&pictures=1`)
  if (id !== mine.data.id) return
  draw(mine, now)
  if (now.drawn !== mine.data.now.drawn && now.drawn !== mine.told) {
    mine.told = now.drawn
    mine.component.setTriggerValue("moved", now.drawn)
  }
}

function period(mine) {
  if (!mine.now.active) return IDLE
  const eager = performance.now() < mine.eager || mine.now.part === 0
  return mine.now.trains_here && !eager ? APART_WHERE_IT_TRAINS : APART
}

async function loop(mine) {
  if (mine.looping) return
  mine.looping = true
  try {
    while (mine.root.isConnected) {
      await look(mine).catch(() => {}) // the server does not answer: what was known stays, and it is asked again
      const pause = untilNext(period(mine))
      await new Promise((resolve) => {
        mine.wake = resolve
        setTimeout(resolve, pause)
      })
      if (document.hidden) await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }))
    }
  } finally {
    mine.looping = false
  }
}

export function run(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".run")
  if (!memory.has(root)) memory.set(root, { root })
  const mine = memory.get(root)
  Object.assign(mine, { data, component, told: data.now.drawn, eager: performance.now() + EAGER })
  root.classList.toggle("brief", Boolean(data.name))
  put(root.querySelector("b"), data.name ?? "")
  root.style.setProperty("--color", data.color ?? "")
  draw(mine, data.now)
  mine.wake?.() // the page ran: a run may have been started
  loop(mine)
}
