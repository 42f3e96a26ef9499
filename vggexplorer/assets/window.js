// One convolution, position by position. Python has worked out every figure; here a position is chosen, stepped or played.

import { element } from "./components.js"

const PACE = 60 // milliseconds between two positions while it plays
const PIXEL = 10 // canvas pixels for one of the picture's

const now = { at: 0, timer: 0 } // outlives the component, which is drawn anew with every run

const grey = (share) => {
  const level = Math.round(255 * Math.min(1, Math.max(0, share)))
  return `rgb(${level} ${level} ${level})`
}

const written = (value, digits) => value.toFixed(digits).replace("-", "−")

export function convolution(component) {
  const { data, parentElement } = component
  const { side, words } = data
  const count = side * side
  const root = parentElement.querySelector(".window")
  const focus = parentElement.activeElement?.dataset?.focus
  now.at = Math.min(now.at, count - 1)

  const paper = () => element("canvas", { width: side * PIXEL, height: side * PIXEL })
  const [picture, map] = [paper(), paper()]
  const marks = [element("span", { class: "mark" }), element("span", { class: "mark" })]
  const cells = data.weights.map(() => element("div", { class: "cell" }))
  const lines = ["products", "bias", "value", "after"].map((name) => element("p", { class: name === "after" ? "result" : name }, element("span", {}, words[name]), element("b", {})))

  function frame(canvas, mark, label, name) {
    const node = element("button", { type: "button", class: "frame", "aria-label": label, "data-focus": name }, canvas, mark)
    node.onclick = (event) => {
      if (!event.detail) return // by keyboard: the arrow keys move
      const box = canvas.getBoundingClientRect()
      const place = (at, from, size) => Math.min(side - 1, Math.max(0, Math.floor(((at - from) / size) * side)))
      go(place(event.clientY, box.top, box.height) * side + place(event.clientX, box.left, box.width))
    }
    node.onkeydown = (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -side, ArrowDown: side }[event.key]
      if (by === undefined) return
      event.preventDefault()
      go(now.at + by)
    }
    return element("figure", {}, element("figcaption", {}, label), node)
  }

  function tool(name, text, act) {
    const node = element("button", { type: "button", "data-focus": name, "aria-label": words[name] }, text)
    node.onclick = act
    return node
  }

  const play = tool("play", "", () => (now.timer ? stop() : start()))
  const slider = element("input", { type: "range", min: 0, max: count - 1, step: 1, "aria-label": words.position, "data-focus": "position" })
  slider.oninput = () => go(Number(slider.value))
  const place = element("output", {})
  root.querySelector(".tools").replaceChildren(tool("back", "◀", () => go(now.at - 1)), tool("step", "▶", () => go(now.at + 1)), play, slider, place)
  const sum = element("figure", { class: "sum" }, element("figcaption", {}, words.sum), element("div", { class: "grid" }, ...cells), ...lines)
  root.querySelector(".stage").replaceChildren(frame(picture, marks[0], words.picture, "picture"), sum, frame(map, marks[1], words.map, "map"))

  function start() {
    if (now.at === count - 1) now.at = 0
    clearInterval(now.timer)
    now.timer = setInterval(() => {
      if (!root.isConnected || now.at === count - 1) stop()
      else show(now.at + 1)
    }, PACE)
    say()
  }

  function stop() {
    clearInterval(now.timer)
    now.timer = 0
    say()
  }

  function say() {
    const text = now.timer ? words.stop : words.play
    play.textContent = text
    play.setAttribute("aria-label", text)
  }

  function go(at) {
    stop()
    show(Math.min(count - 1, Math.max(0, at)))
  }

  function paint(canvas, values, most, upTo) {
    const pen = canvas.getContext("2d")
    pen.clearRect(0, 0, canvas.width, canvas.height)
    for (let at = 0; at < upTo; at++) {
      pen.fillStyle = grey(values[at] / most)
      pen.fillRect((at % side) * PIXEL, Math.floor(at / side) * PIXEL, PIXEL, PIXEL)
    }
  }

  function put(mark, row, column, size) {
    const part = (value) => `${(100 * value) / side}%`
    Object.assign(mark.style, { left: part(column), top: part(row), width: part(size), height: part(size) })
  }

  function show(at) {
    now.at = at
    const [row, column] = [Math.floor(at / side), at % side]
    paint(map, data.after, data.largest, at + 1)
    put(marks[0], row - 1, column - 1, 3)
    put(marks[1], row, column, 1)
    cells.forEach((cell, place) => {
      const [y, x] = [row + Math.floor(place / 3) - 1, column + (place % 3) - 1]
      const outside = y < 0 || x < 0 || y >= side || x >= side
      const pixel = outside ? 0 : data.pixels[y * side + x]
      cell.classList.toggle("outside", outside)
      cell.replaceChildren(`${written(pixel, 2)} × ${written(data.weights[place], 2)}`, element("b", {}, written(data.products[at][place], 3)))
    })
    const results = [data.sums[at], data.bias, data.values[at], data.after[at]]
    lines.forEach((line, place) => line.lastElementChild.replaceChildren(written(results[place], 3)))
    slider.value = at
    place.textContent = words.place.replace("{row}", row + 1).replace("{column}", column + 1)
    slider.setAttribute("aria-valuetext", place.textContent)
  }

  paint(picture, data.pixels, 1, count)
  show(now.at)
  if (now.timer) start()
  else say()
  if (focus) parentElement.querySelector(`[data-focus="${focus}"]`)?.focus({ preventScroll: true })
}
