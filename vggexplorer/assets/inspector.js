// The receptive field of one position of a layer, on a picture. `component.data` has the picture, the input's size, and
// what each row and each column of the layer's output sees; choosing a position needs no server.

import { element, painted } from "./components.js"

const PICTURE = 320
const MAP = 240
const LEAST = 3 // pixels of a cell that still can be told apart

const memory = new WeakMap()

function sized(canvas, width, height) {
  const sharp = window.devicePixelRatio || 1
  Object.assign(canvas, { width: width * sharp, height: height * sharp })
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` })
  const context = canvas.getContext("2d")
  context.scale(sharp, sharp)
  return context
}

// Fitted into a square: pixels on the screen for each of height x width.
function fitted(height, width, side) {
  const scale = side / Math.max(height, width)
  return [width * scale, height * scale, scale]
}

function color(node, name) {
  return getComputedStyle(node).getPropertyValue(`--st-${name}`).trim()
}

function drawPicture(mine) {
  const { data, canvas, place } = mine
  const [height, width] = data.size
  const [wide, high, scale] = fitted(height, width, PICTURE)
  const context = sized(canvas, wide, high)
  context.drawImage(mine.picture, 0, 0, wide, high)
  const rows = data.rows[place[0]]
  const columns = data.columns[place[1]]
  context.fillStyle = "rgba(0, 0, 0, 0.55)"
  if (!rows || !columns) {
    context.fillRect(0, 0, wide, high)
    return
  }
  const [top, bottom] = [rows[0] * scale, (rows[1] + 1) * scale]
  const [left, right] = [columns[0] * scale, (columns[1] + 1) * scale]
  context.fillRect(0, 0, wide, top)
  context.fillRect(0, bottom, wide, high - bottom)
  context.fillRect(0, top, left, bottom - top)
  context.fillRect(right, top, wide - right, bottom - top)
  context.lineWidth = 3
  context.strokeStyle = data.found
  context.strokeRect(left + 1.5, top + 1.5, Math.max(right - left - 3, 1), Math.max(bottom - top - 3, 1))
}

function drawMap(mine) {
  const { data, map, place } = mine
  const [rows, columns] = [data.rows.length, data.columns.length]
  const [wide, high, scale] = fitted(rows, columns, MAP)
  const context = sized(map, wide, high)
  context.fillStyle = color(map, "secondary-background-color")
  context.fillRect(0, 0, wide, high)
  context.strokeStyle = color(map, "border-color")
  context.strokeRect(0.5, 0.5, wide - 1, high - 1)
  if (scale > 2 * LEAST) {
    context.beginPath()
    for (let row = 1; row < rows; row++) context.rect(0, row * scale, wide, 0)
    for (let column = 1; column < columns; column++) context.rect(column * scale, 0, 0, high)
    context.stroke()
  }
  const cell = Math.max(scale, LEAST)
  context.fillStyle = data.found
  context.fillRect(place[1] * scale, place[0] * scale, cell, cell)
}

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name])
}

function say(mine) {
  const { data, place } = mine
  const [rows, columns] = [data.rows[place[0]], data.columns[place[1]]]
  const at = { row: place[0] + 1, column: place[1] + 1, rows: data.rows.length, columns: data.columns.length }
  const where = data.flat ? data.words.flat : filled(data.words.place, at)
  let sees = data.words.padding
  if (rows && columns) {
    const [height, width] = [rows[1] - rows[0] + 1, columns[1] - columns[0] + 1]
    const whole = height === data.size[0] && width === data.size[1]
    const pixels = { top: rows[0] + 1, bottom: rows[1] + 1, left: columns[0] + 1, right: columns[1] + 1, height, width }
    sees = whole ? data.words.whole : filled(data.words.sees, pixels)
  }
  const text = `${where} ${sees}`
  if (mine.text.textContent !== text) mine.text.textContent = text
}

function draw(mine) {
  drawPicture(mine)
  drawMap(mine)
  say(mine)
}

function move(mine, row, column) {
  const within = (value, size) => Math.min(Math.max(value, 0), size - 1)
  mine.place = [within(row, mine.data.rows.length), within(column, mine.data.columns.length)]
  draw(mine)
}

function under(mine, event) {
  const box = mine.map.getBoundingClientRect()
  const part = (at, start, length, count) => Math.floor(((at - start) / length) * count)
  return [part(event.clientY, box.top, box.height, mine.data.rows.length), part(event.clientX, box.left, box.width, mine.data.columns.length)]
}

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }

function listen(mine) {
  mine.map.onpointerdown = (event) => {
    mine.map.setPointerCapture(event.pointerId)
    move(mine, ...under(mine, event))
  }
  mine.map.onpointermove = (event) => {
    if (event.buttons) move(mine, ...under(mine, event))
  }
  mine.map.onkeydown = (event) => {
    const step = STEPS[event.key]
    if (!step) return
    event.preventDefault()
    const far = event.shiftKey ? 10 : 1
    move(mine, mine.place[0] + far * step[0], mine.place[1] + far * step[1])
  }
}

export function inspector(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".inspector")
  if (!memory.has(root)) {
    const mine = { canvas: root.querySelector(".picture"), map: root.querySelector(".map"), text: root.querySelector("p") }
    memory.set(root, mine)
    listen(mine)
  }
  const mine = memory.get(root)
  const shape = `${data.rows.length}x${data.columns.length}`
  if (mine.shape !== shape) mine.place = [Math.floor(data.rows.length / 2), Math.floor(data.columns.length / 2)]
  Object.assign(mine, { data, shape, picture: painted(data.picture) })
  mine.canvas.setAttribute("aria-label", data.words.picture)
  mine.map.setAttribute("aria-label", data.words.map)
  const captions = root.querySelectorAll("figcaption")
  captions[0].replaceChildren(data.words.picture)
  captions[1].replaceChildren(data.words.map, element("br"), element("small", {}, data.words.keys))
  mine.map.parentElement.hidden = data.flat
  draw(mine)
}
