// A picture on its way through a network, at several steps of its training: from the picture through the layers to the
// answer, all maps of one layer, one map enlarged. Scrubbing needs no server.

import { element, painted } from "./components.js"

const BEAT = 700 // milliseconds that a stage stays while they play
const memory = new WeakMap()

// The page shows through between the tiles.
function sheet({ picture, tile, count }) {
  const canvas = painted(picture)
  const context = canvas.getContext("2d")
  for (let top = tile[0]; top < picture.height; top += tile[0] + 1) context.clearRect(0, top, picture.width, 1)
  for (let left = tile[1]; left < picture.width; left += tile[1] + 1) context.clearRect(left, 0, 1, picture.height)
  const columns = Math.ceil(picture.width / (tile[1] + 1)) // the last row may hold fewer tiles than the others
  const rest = count % columns
  if (rest) context.clearRect(rest * (tile[1] + 1), Math.floor(count / columns) * (tile[0] + 1), picture.width, picture.height)
  return canvas
}

const columnsOf = ({ picture, tile }) => Math.round((picture.width + 1) / (tile[1] + 1))

// One tile of a sheet on a canvas of its own.
function single(maps, whole, place) {
  const [high, wide] = maps.tile
  const across = columnsOf(maps)
  const canvas = element("canvas", { width: wide, height: high })
  const [left, top] = [(place % across) * (wide + 1), Math.floor(place / across) * (high + 1)]
  canvas.getContext("2d").drawImage(whole, left, top, wide, high, 0, 0, wide, high)
  return canvas
}

function tiles(item, label, caption) {
  const canvas = sheet(item)
  canvas.setAttribute("role", "img")
  canvas.setAttribute("aria-label", `${label}. ${caption}`)
  const head = element("figcaption", { "aria-hidden": "true" }, element("strong", {}, label))
  return element("figure", {}, head, canvas, element("figcaption", { "aria-hidden": "true" }, caption))
}

// --- from the picture to the answer --------------------------------------------------------------------------

function seen(mine) {
  const { data } = mine
  mine.mark = element("i", { class: "mark", hidden: "" })
  const picture = painted(data.picture)
  picture.setAttribute("role", "img")
  picture.setAttribute("aria-label", data.words.picture)
  return element("div", { class: "column start" }, element("span", { class: "head" }, data.words.picture), element("span", { class: "frame" }, picture, mine.mark))
}

function column(mine, { name, label, shape }, maps) {
  const pressed = name === mine.data.layer
  const button = element("button", { type: "button", class: "column", "aria-pressed": pressed, "aria-label": `${label}, ${shape}`, title: `${label}, ${shape}`, "data-name": name })
  const whole = painted(maps.picture)
  button.append(element("span", { class: "head" }, label, element("small", {}, shape)), ...Array.from({ length: maps.count }, (_, place) => single(maps, whole, place)))
  button.onclick = () => mine.component.setTriggerValue("layer", name)
  return button
}

function answer(mine, { answer: bars, known }) {
  const lines = bars.map(({ name, text, share }) => {
    const bar = element("span", { class: "bar", "aria-hidden": "true" }, element("i", { style: `width:${100 * share}%` }))
    return element("li", {}, element("span", { class: "name" }, name), bar, element("span", { class: "share" }, text))
  })
  const note = known ? [] : [element("p", { class: "note" }, mine.data.words.unknown)]
  return element("div", { class: known ? "column answer" : "column answer last" }, element("span", { class: "head" }, mine.data.words.answer), element("ul", {}, ...lines), ...note)
}

// --- all maps of one layer, and one of them enlarged -----------------------------------------------------------

function enlarged(mine, maps) {
  const place = Math.min(mine.map, maps.count - 1)
  const [high, wide] = maps.tile
  const canvas = single(maps, painted(maps.picture), place)
  canvas.setAttribute("role", "img")
  canvas.setAttribute("aria-label", mine.data.words.map.replace("{number}", place + 1))
  const hint = mine.data.field ? mine.data.words.field : ""
  canvas.onpointermove = ({ offsetX, offsetY }) => mark(mine, Math.floor((offsetX / canvas.clientWidth) * wide), Math.floor((offsetY / canvas.clientHeight) * high), maps.tile)
  canvas.onpointerleave = () => (mine.mark.hidden = true)
  const head = element("figcaption", {}, element("strong", {}, mine.data.words.map.replace("{number}", place + 1)))
  return element("figure", { class: "large" }, head, canvas, element("figcaption", {}, hint))
}

// The square of the picture that one pixel of a map sees; what lies outside of the picture is padding.
function mark(mine, x, y, [high, wide]) {
  const { field } = mine.data
  if (!field) return
  const { style } = mine.mark
  const edges = [[x, wide], [y, high]].map(([at, of], axis) => {
    const middle = (at + 0.5) / of
    const half = field[axis] / 2
    return [Math.max(0, middle - half), Math.min(1, middle + half)]
  })
  style.left = `${100 * edges[0][0]}%`
  style.width = `${100 * (edges[0][1] - edges[0][0])}%`
  style.top = `${100 * edges[1][0]}%`
  style.height = `${100 * (edges[1][1] - edges[1][0])}%`
  mine.mark.hidden = false
}

function grid(mine, maps) {
  const box = tiles(maps, mine.data.words.maps, maps.caption)
  const canvas = box.querySelector("canvas")
  const across = columnsOf(maps)
  canvas.classList.add("pick")
  canvas.tabIndex = 0
  canvas.role = "slider"
  Object.assign(canvas, { ariaValueMin: 1, ariaValueMax: maps.count, ariaValueNow: Math.min(mine.map + 1, maps.count) })
  canvas.onclick = ({ offsetX, offsetY }) => {
    const column = Math.floor((offsetX / canvas.clientWidth) * across)
    const row = Math.floor((offsetY / canvas.clientHeight) * Math.ceil(maps.count / across))
    pick(mine, row * across + column)
  }
  canvas.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key]
    if (!step) return
    pick(mine, mine.map + step)
    mine.tiles.querySelector(".pick").focus({ preventScroll: true })
    event.preventDefault()
  }
  return box
}

function pick(mine, place) {
  mine.map = Math.min(Math.max(place, 0), mine.data.stages[mine.place].maps.count - 1)
  draw(mine)
}

// --- the steps -------------------------------------------------------------------------------------------------

function draw(mine) {
  const { data, slider, place } = mine
  const stage = data.stages[place]
  slider.max = data.stages.length - 1
  slider.value = place
  slider.setAttribute("aria-valuetext", stage.when)
  mine.when.textContent = stage.when
  const focused = mine.way.getRootNode().activeElement?.dataset?.name
  mine.way.replaceChildren(seen(mine), ...data.way.map((layer, at) => column(mine, layer, stage.way[at])), answer(mine, stage))
  if (focused) mine.way.querySelector(`[data-name="${focused}"]`)?.focus({ preventScroll: true })
  mine.tiles.replaceChildren(grid(mine, stage.maps), enlarged(mine, stage.maps), tiles(stage.filters, data.words.filters, stage.filters.caption))
}

function stop(mine) {
  clearInterval(mine.playing)
  mine.playing = null
  mine.button.textContent = `▶ ${mine.data.words.play}`
}

function move(mine, place) {
  mine.place = Math.min(Math.max(place, 0), mine.data.stages.length - 1)
  draw(mine)
}

function play(mine) {
  if (mine.playing) return stop(mine)
  mine.button.textContent = `■ ${mine.data.words.stop}`
  if (mine.place === mine.data.stages.length - 1) move(mine, 0)
  mine.playing = setInterval(() => {
    if (mine.slider.isConnected) move(mine, mine.place + 1)
    if (!mine.slider.isConnected || mine.place === mine.data.stages.length - 1) stop(mine)
  }, BEAT)
}

export function inside(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".inside")
  if (!memory.has(root)) {
    const found = (name) => root.querySelector(name)
    const mine = { slider: found("input"), button: found(".scrub button"), when: found("output"), way: found(".way"), tiles: found(".tiles"), playing: null, map: 0 }
    memory.set(root, mine)
    mine.slider.oninput = () => {
      if (mine.playing) stop(mine)
      move(mine, Number(mine.slider.value))
    }
    mine.button.onclick = () => play(mine)
  }
  const mine = memory.get(root)
  const atTheEnd = !mine.data || mine.place === mine.data.stages.length - 1
  Object.assign(mine, { component, data })
  mine.slider.setAttribute("aria-label", data.words.slider)
  mine.way.setAttribute("aria-label", data.words.way)
  root.querySelector(".scrub").hidden = data.stages.length < 2
  if (!mine.playing) stop(mine)
  move(mine, atTheEnd && !mine.playing ? data.stages.length - 1 : mine.place)
}
