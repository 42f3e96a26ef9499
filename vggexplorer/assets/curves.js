// Loss and accuracy of training runs. `component.data` names the runs; their figures are fetched from the server,
// while a run is active twice a second at most, and only what is new. The plot is made once; new points are added to it,
// so that zoom and hover stay as the person has them. The axis of epochs is that of the whole run, from the start on;
// `data.ghost` is a run that is drawn in grey behind the others, to show what will come.

import { loadPlotly, onWidth, untilNext } from "./components.js"

const PERIODS = [500, 1000, 2500, 5000, 10000] // milliseconds between two looks, by how long drawing takes
const SHARE = 0.04 // of the time may go into drawing
const SHARE_WHERE_IT_TRAINS = 0.006 // the same, if the processor is the one that trains
const SMOOTH = 0.9
const WIDE = 760
const HEIGHT = { wide: 350, narrow: 540 }
const MOST_LABELLED = 4 // runs whose lines are labelled at their ends; of more, a legend says which is which
const LONGEST = 16 // characters of a label
const LETTER = 7.2 // pixels of a label's character, about
const APART = 15 // pixels between two labels
const COLUMNS = ["step", "epoch", "seconds", "examples", "batch_loss", "train_loss", "train_acc", "test_loss", "test_acc", "lr"]

const RATE = "lr" // the axis of a test of learning rates: logarithmic
const HIGHEST = 2 // times the first loss that are seen of it: where it diverges, it is many powers of ten

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
    const add = (field, axis, style) =>
      list.push({ run: run.id, field, axis, ...style, label: one ? words[field] : `${run.name} · ${words[field]}`, end: one ? words.ends[field] : style.test ? short(run.name) : "" })
    if (data.against === RATE) add("batch_loss", "y", { color: one ? data.colors.train : run.color, width: 2 }) // a mean has no rate
    else {
      if (one) add("batch_loss", "y", { color: data.colors.batch, width: 1, opacity: 0.55 })
      add("train_loss", "y", { color: one ? data.colors.train : run.color, width: 2 })
    }
    add("test_loss", "y", { color: one ? data.colors.test : run.color, width: 2, test: true, symbol: run.symbol })
    add("train_acc", "y2", { color: one ? data.colors.train : run.color, width: 2 })
    add("test_acc", "y2", { color: one ? data.colors.test : run.color, width: 2, test: true, symbol: run.symbol })
  })
  return data.ghost ? [...list, ...ghost(data)] : list
}

const short = (name) => (name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name)

function ghost({ ghost: { id, name, end }, colors }) {
  const line = (field, axis) => ({ run: id, field, axis, color: colors.ghost, width: 2, ghost: true, test: field.startsWith("test"), label: name, end: field.startsWith("test") ? end : "" })
  return [line("train_loss", "y"), line("test_loss", "y"), line("train_acc", "y2"), line("test_acc", "y2")]
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
    mode: line.test && !line.ghost ? "lines+markers" : "lines",
    name: escaped(line.label),
    zorder: line.ghost ? 0 : 1,
    showlegend: !line.ghost,
    yaxis: line.axis,
    xaxis: line.axis === "y" ? "x" : "x2",
    opacity: line.opacity ?? 1,
    line: { color: line.color, width: line.width, dash: line.test ? "dot" : "solid" },
    marker: { size: 10, symbol: line.symbol },
    hovertemplate: `%{y:.4f}<extra>${escaped(line.label)}</extra>`,
  }
}

// Plotly understands some tags in its texts; a run's name is text.
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

// How much larger than usual the page's type is: on a projector.
const grown = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 15

const firstLoss = (mine) => Math.max(0, ...mine.data.runs.map(({ id }) => mine.runs.get(id)?.rows[0]?.[COLUMNS.indexOf("batch_loss")] ?? 0))

function layout(mine, data, box, wide) {
  const style = getComputedStyle(box)
  const color = (name) => style.getPropertyValue(`--st-${name}`).trim()
  const grid = { gridcolor: color("border-color"), zeroline: false, linecolor: color("border-color") }
  const end = data.span?.[mine.x]
  const whole = end ? { range: [0, end], autorange: false } : mine.x === RATE ? { type: "log", exponentformat: "power", range: data.rates.map(Math.log10), autorange: false } : { rangemode: "tozero" }
  const below = { ...grid, title: { text: data.words[mine.x], standoff: 8 }, ...whole }
  mine.highest = (mine.x === RATE && !mine.log && HIGHEST * firstLoss(mine)) || Infinity
  const losses = mine.highest < Infinity ? { range: [0, mine.highest], autorange: false } : { rangemode: "tozero" }
  const room = mine.direct ? (LETTER * grown() * Math.max(...mine.lines.map((line) => line.end.length)) + 14) / Math.max(box.clientWidth - 70, 300) : 0
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
    height: wide ? HEIGHT.wide : HEIGHT.narrow,
    showlegend: !mine.direct,
    margin: { l: 55, r: 15, t: 10, b: 45 },
    hovermode: "x unified",
    hoverlabel: { bgcolor: color("secondary-background-color"), namelength: -1 },
    dragmode: "zoom",
    legend: { orientation: "h", y: wide ? -0.18 : -0.12, x: 0 },
    xaxis: { ...below, anchor: "y", domain: wide ? [0, 0.475 - room] : [0, 1 - room] },
    xaxis2: { ...below, anchor: "y2", domain: wide ? [0.545, 1 - room] : [0, 1 - room], matches: "x" },
    yaxis: { ...grid, anchor: "x", title: { text: data.words.loss }, automargin: true, exponentformat: "power", type: mine.log ? "log" : "linear", domain: wide ? [0, 1] : [0.56, 1], ...losses },
    yaxis2: { ...grid, anchor: "x2", title: { text: data.words.accuracy }, automargin: true, domain: wide ? [0, 1] : [0, 0.44], ...(data.span ? { range: [0, 1.02], autorange: false } : {}) },
  }
}

// --- a label at the end of each line ------------------------------------------------------------------------

// The last point of a line that is within its axes.
function last(mine, line) {
  const { rows } = mine.runs.get(line.run)
  const end = mine.data.span?.[mine.x] ?? Infinity
  for (let place = rows.length - 1; place >= 0; place--) {
    const y = rows[place][COLUMNS.indexOf(line.field)]
    if (y !== null && y <= mine.highest && rows[place][COLUMNS.indexOf(mine.x)] <= end) return rows[place]
  }
}

// Where a row is on its axis, as annotations want it.
function across(mine, row) {
  const x = row[COLUMNS.indexOf(mine.x)]
  return mine.x === RATE ? Math.log10(x) : x
}

// Labels of one plot from the top down, moved apart where they would cover each other.
function endsOf(mine, axis) {
  const scale = mine.box._fullLayout[axis === "y" ? "yaxis" : "yaxis2"]
  const found = []
  for (const line of mine.lines) {
    const row = line.axis === axis && line.end && last(mine, line)
    if (!row) continue
    const y = row[COLUMNS.indexOf(line.field)]
    if (scale.type !== "log" || y > 0) found.push({ line, x: across(mine, row), y: scale.type === "log" ? Math.log10(y) : y, at: scale.d2p(y) })
  }
  found.sort((one, other) => one.at - other.at)
  let before = -Infinity
  for (const each of found) {
    each.to = Math.max(each.at, before + APART * grown())
    before = each.to
  }
  return found
}

function labels(mine) {
  if (!mine.direct) return []
  return ["y", "y2"].flatMap((axis) =>
    endsOf(mine, axis).map(({ line, x, y, at, to }) => ({ xref: axis === "y" ? "x" : "x2", yref: axis, x, y, xanchor: "left", xshift: 6, yshift: at - to, showarrow: false, text: escaped(line.end), font: { color: line.color, size: 13 * grown() } })),
  )
}

function label(mine) {
  return mine.direct ? window.Plotly.relayout(mine.box, { annotations: [...mine.annotations, ...labels(mine)] }) : undefined
}

async function draw(mine) {
  const { box } = mine
  const Plotly = await loadPlotly(mine.data.plotly)
  const { data } = mine // other runs may have been chosen meanwhile
  const width = box.clientWidth
  const wide = width >= WIDE
  mine.wide = wide
  mine.lines = lines(data)
  mine.direct = data.runs.length <= MOST_LABELLED
  const traces = mine.lines.map((line) => trace(mine, line))
  const asked = layout(mine, data, box, wide)
  mine.annotations = asked.annotations
  await Plotly.react(box, traces, asked, { responsive: true, displayModeBar: false, showTips: false })
  mine.drawn = true
  await label(mine)
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
  return places.length > 0
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
  const news = []
  for (const run of known(mine.data)) {
    const seen = mine.runs.get(run.id)
    if (!seen || (!seen.active && seen.asked && !mine.woken)) continue
    try {
      const { anew, rows } = await ask(mine, run)
      seen.asked = true
      if (!mine.drawn || anew || (mine.x === RATE && rows.length === seen.rows.length)) mine.stale = true
      else if (rows.length) news.push([run.id, rows])
    } catch {
      failed = true
    }
  }
  mine.woken = false
  say(mine, failed)
  const began = performance.now()
  if (mine.stale || !mine.drawn) {
    mine.stale = false
    await draw(mine)
  } else if (news.filter(([id, rows]) => extend(mine, id, rows)).length) {
    await label(mine)
  }
  mine.spent = performance.now() - began
  return failed
}

const known = (data) => (data.ghost ? [...data.runs, data.ghost] : data.runs)

function say(mine, failed) {
  const seen = mine.data.runs.map((run) => mine.runs.get(run.id)).filter(Boolean)
  const { words } = mine.data
  const text = failed
    ? words.offline
    : seen.some((run) => run.damaged)
      ? words.damaged
      : seen.every((run) => !run.rows.length)
        ? words.empty
        : ""
  if (mine.note.textContent !== text) mine.note.textContent = text
  mine.note.hidden = !text
  mine.box.dataset.points = seen.reduce((count, run) => count + run.rows.length, 0)
}

async function loop(mine) {
  if (mine.looping) return
  mine.looping = true
  try {
    for (;;) {
      const failed = await update(mine)
      if (!mine.box.isConnected) return
      const active = [...mine.runs.values()].some((run) => run.active)
      if (!failed && !active && !mine.woken) return
      await new Promise((resolve) => {
        mine.wake = resolve
        const pause = mine.spent / (mine.data.trains_here ? SHARE_WHERE_IT_TRAINS : SHARE)
        setTimeout(resolve, untilNext(PERIODS.find((period) => period >= pause) ?? PERIODS.at(-1)))
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
  const axes = [...(mine.data.against === RATE ? [RATE] : []), "epoch", "examples", "seconds", "step"].map((name) => button(words[name], mine.x === name, () => (mine.x = name)))
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
    const mine = { smooth: false, log: false, zoom: 0, last: {}, runs: new Map(), drawn: false }
    mine.box = part.querySelector(".plot")
    mine.note = part.querySelector(".note")
    mine.tools = part.querySelector(".tools")
    memory.set(part, mine)
    loadPlotly(data.plotly).catch(() => {}) // beside the figures, not after them; who draws says what went wrong
    onWidth(mine.box, () => mine.drawn && fit(mine))
  }
  const mine = memory.get(part)
  if (mine.against !== data.against) mine.x = mine.against = data.against
  mine.data = data
  mine.box.setAttribute("aria-label", data.words.alt)
  part.querySelector(".means").textContent = data.words.means
  for (const run of known(data)) {
    if (!mine.runs.has(run.id)) mine.runs.set(run.id, { rows: [], offset: 0, start: "", active: true, asked: false })
  }
  for (const id of mine.runs.keys()) if (!known(data).some((run) => run.id === id)) mine.runs.delete(id)
  mine.box.style.minHeight = `${mine.box.clientWidth >= WIDE ? HEIGHT.wide : HEIGHT.narrow}px`
  const content = JSON.stringify([data, getComputedStyle(mine.box).color])
  mine.stale ||= content !== mine.content
  mine.content = content
  mine.woken = true // the page ran: a run may have been resumed
  mine.wake?.()
  tools(mine)
  loop(mine)
}
