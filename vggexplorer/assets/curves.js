// Loss and accuracy of training runs. `component.data` names the runs; their figures are fetched from the server,
// while a run is active twice a second at most, and only what is new. The plot is made once; new points are added to it,
// so that zoom, hover and legend stay as the person has them.

import { loadPlotly, onWidth } from "./components.js"

const POLL = 500 // milliseconds between two looks, if drawing is quick
const SLOWEST = 4000
const SHARE = 0.04 // of the time may go into drawing: the processor may be the one that trains
const SMOOTH = 0.9
const WIDE = 900
const COLUMNS = ["step", "epoch", "seconds", "batch_loss", "train_loss", "train_acc", "test_loss", "test_acc"]

const memory = new WeakMap()
const column = (rows, name) => rows.map((row) => row[COLUMNS.indexOf(name)])

function smoothed(values, last) {
  let mean = last
  return values.map((value) => (mean = mean === undefined ? value : SMOOTH * mean + (1 - SMOOTH) * value))
}

// --- what is drawn: a list of lines, each a name of a column and how it looks -----------------------------

function lines(data) {
  const words = data.words
  const one = data.runs.length === 1
  const list = []
  data.runs.forEach((run) => {
    const add = (field, axis, style) => list.push({ run: run.id, field, axis, ...style, label: one ? words[field] : `${run.name} · ${words[field]}` })
    if (one) add("batch_loss", "y", { color: data.colors.batch, width: 1, opacity: 0.55 })
    add("train_loss", "y", { color: one ? data.colors.train : run.color, width: 2 })
    add("test_loss", "y", { color: one ? data.colors.test : run.color, width: 2, test: true, symbol: run.symbol })
    add("train_acc", "y2", { color: one ? data.colors.train : run.color, width: 2 })
    add("test_acc", "y2", { color: one ? data.colors.test : run.color, width: 2, test: true, symbol: run.symbol })
  })
  return list
}

// The points of one line among some rows. Test figures come once an epoch.
function points(mine, line, rows) {
  const kept = line.test ? rows.filter((row) => row[COLUMNS.indexOf(line.field)] !== null) : rows
  let y = column(kept, line.field)
  if (line.field === "batch_loss" && mine.smooth) {
    y = smoothed(y, mine.last[line.run])
    if (y.length) mine.last[line.run] = y[y.length - 1]
  }
  return { x: column(kept, mine.x), y }
}

function trace(mine, line) {
  const seen = mine.runs.get(line.run)
  delete mine.last[line.run]
  return {
    ...points(mine, line, seen.rows),
    type: "scatter",
    mode: line.test ? "lines+markers" : "lines",
    name: escaped(line.label),
    yaxis: line.axis,
    xaxis: line.axis === "y" ? "x" : "x2",
    opacity: line.opacity ?? 1,
    line: { color: line.color, width: line.width, dash: line.test ? "dot" : "solid" },
    marker: { size: 8, symbol: line.symbol },
    hovertemplate: `%{y:.4f}<extra>${escaped(line.label)}</extra>`,
  }
}

// Plotly understands some tags in its texts; a run's name is text.
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

// How much larger than usual the page's type is: on a projector.
const grown = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 15

function layout(mine, data, box, wide) {
  const style = getComputedStyle(box)
  const color = (name) => style.getPropertyValue(`--st-${name}`).trim()
  const grid = { gridcolor: color("border-color"), zeroline: false, linecolor: color("border-color") }
  const below = { ...grid, title: { text: data.words[mine.x], standoff: 8 }, rangemode: "tozero" }
  const band = data.band
  const shapes = band
    ? [{ type: "rect", xref: "x2 domain", yref: "y2", x0: 0, x1: 1, y0: band.low, y1: band.high, line: { width: 0 }, fillcolor: data.colors.test, opacity: 0.18, layer: "below" }]
    : []
  const annotations = band
    ? [{ xref: "x2 domain", yref: "y2", x: 0.01, y: band.low, xanchor: "left", yanchor: "top", showarrow: false, text: `${band.label} ${band.low.toFixed(3)}–${band.high.toFixed(3)}`, font: { size: 12 * grown() } }]
    : []
  return {
    shapes,
    annotations,
    uirevision: `${mine.x} ${mine.log} ${mine.zoom}`,
    font: { color: color("text-color"), family: style.fontFamily, size: 13 * grown() },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    autosize: true,
    height: wide ? 400 : 640,
    margin: { l: 55, r: 15, t: 10, b: 45 },
    hovermode: "x unified",
    hoverlabel: { bgcolor: color("secondary-background-color"), namelength: -1 },
    dragmode: "zoom",
    legend: { orientation: "h", y: wide ? -0.18 : -0.12, x: 0 },
    xaxis: { ...below, anchor: "y", domain: wide ? [0, 0.475] : [0, 1] },
    xaxis2: { ...below, anchor: "y2", domain: wide ? [0.545, 1] : [0, 1], matches: "x" },
    yaxis: { ...grid, anchor: "x", title: { text: data.words.loss }, automargin: true, exponentformat: "power", type: mine.log ? "log" : "linear", domain: wide ? [0, 1] : [0.56, 1], rangemode: "tozero" },
    yaxis2: { ...grid, anchor: "x2", title: { text: data.words.accuracy }, automargin: true, domain: wide ? [0, 1] : [0, 0.44] },
  }
}

async function draw(mine) {
  const { box } = mine
  const Plotly = await loadPlotly(mine.data.plotly)
  const { data } = mine // other runs may have been chosen meanwhile
  const width = box.clientWidth
  const wide = width >= WIDE
  mine.wide = wide
  mine.lines = lines(data)
  const traces = mine.lines.map((line) => trace(mine, line))
  await Plotly.react(box, traces, layout(mine, data, box, wide), { responsive: true, displayModeBar: false, showTips: false })
  mine.drawn = true
  if (box.clientWidth !== width) fit(mine)
}

function fit(mine) {
  if (mine.box.clientWidth >= WIDE !== mine.wide) draw(mine)
  else window.Plotly.Plots.resize(mine.box)
}

// --- what is new ------------------------------------------------------------------------------------------

function extend(mine, id, rows) {
  const places = []
  const x = []
  const y = []
  mine.lines.forEach((line, place) => {
    if (line.run !== id) return
    const more = points(mine, line, rows)
    if (!more.x.length) return
    places.push(place)
    x.push(more.x)
    y.push(more.y)
  })
  if (places.length) window.Plotly.extendTraces(mine.box, { x, y }, places)
}

async function ask(mine, run) {
  const seen = mine.runs.get(run.id)
  const query = new URLSearchParams({ from: seen.offset, start: seen.start })
  const answer = await fetch(`${run.url}?${query}`)
  if (!answer.ok) throw new Error(`status ${answer.status}`)
  const found = await answer.json()
  const anew = found.start !== seen.start || found.from !== seen.offset
  if (anew) seen.rows = []
  seen.rows.push(...found.rows)
  Object.assign(seen, { start: found.start, offset: found.offset, active: found.active, damaged: found.damaged })
  return { anew, rows: found.rows }
}

async function update(mine) {
  let failed = false
  if (mine.box._dragging) return failed // Plotly would give up the zoom that a person is drawing
  for (const run of mine.data.runs) {
    const seen = mine.runs.get(run.id)
    if (!seen || (!seen.active && seen.asked && !mine.woken)) continue
    try {
      const { anew, rows } = await ask(mine, run)
      seen.asked = true
      if (!mine.drawn || anew) mine.stale = true
      else if (rows.length) extend(mine, run.id, rows)
    } catch {
      failed = true
    }
  }
  mine.woken = false
  say(mine, failed) // before it is drawn: a plot without points is not displayed, and has no size
  if (mine.stale || !mine.drawn) {
    mine.stale = false
    await draw(mine)
  }
  return failed
}

function say(mine, failed) {
  const seen = [...mine.runs.values()]
  const { words } = mine.data
  const text = failed
    ? words.offline
    : seen.some((run) => run.damaged)
      ? words.damaged
      : seen.every((run) => !run.rows.length)
        ? words.empty
        : ""
  if (mine.note.textContent !== text) mine.note.textContent = text
  mine.box.dataset.points = seen.reduce((count, run) => count + run.rows.length, 0)
}

async function loop(mine) {
  if (mine.looping) return
  mine.looping = true
  try {
    for (;;) {
      const began = performance.now()
      const failed = await update(mine)
      const spent = performance.now() - began
      if (!mine.box.isConnected) return
      const active = [...mine.runs.values()].some((run) => run.active)
      if (!failed && !active && !mine.woken) return
      await new Promise((resolve) => {
        mine.wake = resolve
        setTimeout(resolve, Math.min(Math.max(POLL, spent / SHARE), SLOWEST))
      })
      if (document.hidden) await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }))
    }
  } finally {
    mine.looping = false
  }
}

// --- tools above the plot -----------------------------------------------------------------------------------

function tools(mine) {
  const { words } = mine.data
  const button = (text, pressed, act) => {
    const node = document.createElement("button")
    node.type = "button"
    node.textContent = text
    if (pressed !== null) node.setAttribute("aria-pressed", pressed)
    node.onclick = () => {
      act()
      tools(mine)
      draw(mine)
    }
    return node
  }
  const label = document.createElement("span")
  label.textContent = words.against
  const gap = document.createElement("span")
  gap.className = "gap"
  const axes = ["epoch", "seconds", "step"].map((name) => button(words[name], mine.x === name, () => (mine.x = name)))
  const smooth = mine.data.runs.length === 1 ? [button(words.smooth, mine.smooth, () => (mine.smooth = !mine.smooth))] : []
  const focused = [...mine.tools.children].indexOf(mine.tools.getRootNode().activeElement)
  const log = button(words.log, mine.log, () => (mine.log = !mine.log))
  mine.tools.replaceChildren(label, ...axes, gap, log, ...smooth, button(words.reset, null, () => (mine.zoom += 1)))
  if (focused >= 0) mine.tools.children[focused]?.focus({ preventScroll: true })
}

export function curves(component) {
  const { data, parentElement } = component
  const part = parentElement.querySelector(".part")
  if (!memory.has(part)) {
    const mine = { x: "epoch", smooth: false, log: false, zoom: 0, last: {}, runs: new Map(), drawn: false }
    mine.box = part.querySelector(".plot")
    mine.note = part.querySelector(".note")
    mine.tools = part.querySelector(".tools")
    memory.set(part, mine)
    onWidth(mine.box, () => mine.drawn && fit(mine))
  }
  const mine = memory.get(part)
  mine.data = data
  mine.box.setAttribute("aria-label", data.words.alt)
  part.querySelector(".means").textContent = data.words.means
  for (const run of data.runs) {
    if (!mine.runs.has(run.id)) mine.runs.set(run.id, { rows: [], offset: 0, start: "", active: true, asked: false })
  }
  for (const id of mine.runs.keys()) if (!data.runs.some((run) => run.id === id)) mine.runs.delete(id)
  mine.stale = true
  mine.woken = true // the page ran: a run may have been resumed
  mine.wake?.()
  tools(mine)
  loop(mine)
}
