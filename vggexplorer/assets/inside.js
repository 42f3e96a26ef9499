// The first filters and the feature maps of a network at several steps of its training; scrubbing needs no server.

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

function tiles(item, label, caption) {
  const canvas = sheet(item)
  canvas.setAttribute("role", "img")
  canvas.setAttribute("aria-label", `${label}. ${caption}`)
  const head = element("figcaption", { "aria-hidden": "true" }, element("strong", {}, label))
  return element("figure", {}, head, canvas, element("figcaption", { "aria-hidden": "true" }, caption))
}

function draw(mine) {
  const { data, slider, place } = mine
  const stage = data.stages[place]
  slider.max = data.stages.length - 1
  slider.value = place
  slider.setAttribute("aria-valuetext", stage.when)
  mine.when.textContent = stage.when
  mine.tiles.replaceChildren(tiles(stage.filters, data.words.filters, stage.filters.caption), tiles(stage.maps, data.words.maps, stage.maps.caption))
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
    const mine = { slider: found("input"), button: found("button"), when: found("output"), tiles: found(".tiles"), playing: null }
    memory.set(root, mine)
    mine.slider.oninput = () => {
      if (mine.playing) stop(mine)
      move(mine, Number(mine.slider.value))
    }
    mine.button.onclick = () => play(mine)
  }
  const mine = memory.get(root)
  const atTheEnd = !mine.data || mine.place === mine.data.stages.length - 1
  mine.data = data
  mine.slider.setAttribute("aria-label", data.words.slider)
  root.querySelector(".scrub").hidden = data.stages.length < 2
  if (!mine.playing) stop(mine)
  move(mine, atTheEnd && !mine.playing ? data.stages.length - 1 : mine.place)
}
