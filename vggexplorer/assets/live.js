// The figures of one network: what is done in a part is told to the session at once, and drawn without waiting for it.
//
// Where the server has a route, the figures come from there; else they come with the session's own message. Each act has
// a number. The browser keeps it until the session says that it knows, so that nothing is lost and nothing done twice.

const PAGE = crypto.randomUUID?.() ?? String(Math.random())
const AGAIN = 4000 // milliseconds until an act that the session does not know of is told again
const FIRST = ["title", "totals", "blocks"] // they are what a person who edits waits for

const parts = new Map() // what is in view: name -> { root, draw, drawn }
const shown = { query: null, figures: {} }
const channels = new Map() // the components through which the session is told: the table of blocks, and the page's own
let heard = {} // what the session said last
let route = null
let pending = []
let number = 0
let asking = 0 // acts whose figures have not been asked for yet
let timer
let line = Promise.resolve() // one thing after the other: each act is done to what the one before it made

export let words = {}

// Whether what is shown is what the acts so far have made.
export const settled = () => asking === 0

function later(work) {
  return (line = line.then(work).catch((error) => console.warn(error)))
}

// --- parts ---------------------------------------------------------------------------------------------

// A part draws its figures: draw(root, figures, data of its component).
export function part(name, draw) {
  return ({ parentElement: root, data }) => {
    const drawn = parts.get(name)?.root === root ? parts.get(name).drawn : undefined
    parts.set(name, { root, drawn, draw: (figures) => draw(root, figures, data) })
    if (connected()) paint([name])
  }
}

// Draw a part once more, with the same figures.
export function redraw(name) {
  const place = parts.get(name)
  if (place) place.drawn = undefined
  paint([name])
}

const alive = (root) => Boolean(root && (root.host ?? root).isConnected)

function inView() {
  for (const [name, { root }] of parts) if (!alive(root)) parts.delete(name)
  return [...parts.keys()]
}

function paint(names) {
  for (const name of names) {
    const place = parts.get(name)
    const figures = shown.figures[name]
    if (!place || figures === undefined || place.drawn === figures) continue
    place.drawn = figures
    place.draw(figures)
  }
}

function show(query, figures) {
  Object.assign(shown, { query, figures })
  const names = inView()
  paint(FIRST)
  requestAnimationFrame(() => setTimeout(() => shown.figures === figures && paint(names)))
}

// --- asking ----------------------------------------------------------------------------------------------

async function ask(query, act) {
  const asked = new URLSearchParams(query)
  asked.set("parts", inView().join())
  if (act) asked.set("edit", JSON.stringify(act))
  try {
    const response = await fetch(`${new URL(route, document.baseURI)}?${asked}`, { cache: "no-store" })
    if (!response.ok) throw new Error(`${response.status}`)
    const found = await response.json()
    if (found.refused) refuse(found.refused)
    else show(found.query, found.figures)
  } catch {
    route = null // from now on the session's own message brings the figures
    tell()
  }
}

function refuse(complaint) {
  const figures = { ...shown.figures, blocks: { ...shown.figures.blocks, complaint } }
  show(shown.query, figures)
}

// --- telling the session ---------------------------------------------------------------------------------

export function perform(what) {
  const act = { n: ++number, ...what }
  pending.push(act)
  tell()
  if (!route) return
  asking += 1
  later(() => {
    asking -= 1
    return route && ask(shown.query, what)
  })
}

// The table of blocks has only its own part of the page run again; where it is not drawn, all of it does.
function connected() {
  return ["blocks", "figures"].map((name) => channels.get(name)).find((each) => alive(each?.parentElement))
}

function tell() {
  clearTimeout(timer)
  const channel = connected()
  if (!channel) return
  channel.setTriggerValue("acts", { page: PAGE, acts: pending, asks: Boolean(route) })
  timer = setTimeout(() => pending.length && tell(), AGAIN)
}

// --- hearing from it ---------------------------------------------------------------------------------------

// `data`: the query of what the session shows, which act it knows of, and perhaps the figures, the words and the route;
// `whole` says that the figures come by the other component.
export function hear(name, component) {
  const { data, parentElement } = component
  if (name === "figures" && channels.get(name)?.parentElement !== parentElement) {
    Object.assign(shown, { query: null, figures: {} }) // another page, or the first one
  }
  channels.set(name, component)
  const [page, last] = data.done
  if (page === PAGE) pending = pending.filter((act) => act.n > last)
  if (data.words) words = data.words
  if (data.route !== undefined) route = data.route
  heard = { query: data.query, figures: data.figures ?? (heard.query === data.query ? heard.figures : undefined) }
  if (!data.whole) later(settle)
}

export const figures = (component) => hear("figures", component)

function settle() {
  const { query, figures: found } = heard
  if (pending.length) return undefined // what comes after it is on its way
  heard.figures = undefined
  if (found) return show(query, found)
  if (query === shown.query && inView().every((name) => shown.figures[name] !== undefined)) return undefined
  return route ? ask(query) : tell()
}
