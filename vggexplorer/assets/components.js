// What the pages share that Streamlit has no widget for: charts, pictures and files to keep.
// Each export that is a component draws `component.data` into `component.parentElement`.

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) node.setAttribute(name, value)
  }
  node.append(...children)
  return node
}

// Streamlit hears the keys of its buttons at the document, in fields, too: there Ctrl+Z and Ctrl+Enter are the field's own,
// until what was typed into it has been sent.
const types = ({ type, tagName, value, dataset }) => (tagName === "TEXTAREA" || /^(text|number|search|password)$/.test(type)) && value !== dataset?.is

document.body.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && types(event.composedPath()[0])) event.stopPropagation()
})

// One Tab leads to `here` among `stops` and past all of them; keys go from one to the next.
export function rove(stops, here) {
  for (const stop of stops) stop.tabIndex = stop === here ? 0 : -1
}

export function step(event, stops, [back, on] = ["ArrowUp", "ArrowDown"]) {
  const at = stops.indexOf(event.target)
  const to = { [back]: at - 1, [on]: at + 1, Home: 0, End: stops.length - 1 }[event.key]
  if (at < 0 || to === undefined) return
  const next = stops[Math.min(Math.max(to, 0), stops.length - 1)]
  rove(stops, next)
  next.focus()
  event.preventDefault()
}

// Whether the focus goes from `box` to something else; a press on plain text gives it to what holds all of the page.
export function left({ relatedTarget: to }, box) {
  return Boolean(to) && !box.contains(to) && !to.contains(box.getRootNode().host)
}

// Milliseconds until the next of the moments that are `period` apart, the same for all parts of a page: what they draw
// then is painted once.
export function untilNext(period) {
  return period - (Date.now() % period)
}

// --- pictures --------------------------------------------------------------------------------------

// {width, height, channels, bytes: base 64, pixel by pixel} on a canvas of its own size; CSS makes it larger.
export function painted(picture) {
  const { width, height, channels } = picture
  const canvas = element("canvas", { width, height })
  const bytes = Uint8Array.from(atob(picture.bytes), (char) => char.charCodeAt(0))
  const pixels = new Uint8ClampedArray(4 * width * height)
  for (let at = 0; at < width * height; at++) {
    for (let part = 0; part < 3; part++) pixels[4 * at + part] = bytes[at * channels + (channels < 3 ? 0 : part)]
    pixels[4 * at + 3] = 255
  }
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0)
  return canvas
}

// --- charts ----------------------------------------------------------------------------------------

let plotly

export function loadPlotly(url) {
  plotly ??= new Promise((resolve, reject) => {
    const script = element("script", { src: url })
    script.onload = () => resolve(window.Plotly)
    script.onerror = reject
    document.head.append(script)
  })
  return plotly
}

// A figure with the colours that Python left open ($text, $grid) put in.
export function coloured(value, palette) {
  if (typeof value === "string") return palette[value] ?? value
  if (Array.isArray(value)) return value.map((inner) => coloured(inner, palette))
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, coloured(inner, palette)]))
  return value
}

// Plotly itself follows the window only; a page also has more room when the sidebar goes. `fit` is called when it has.
export function onWidth(box, fit) {
  let width = box.clientWidth
  new ResizeObserver(() => {
    if (!box.clientWidth || box.clientWidth === width) return
    width = box.clientWidth
    fit()
  }).observe(box)
}

const FEW = 520 // pixels below which a chart looks as the figure's `narrow` says, if it says something

const plotted = new WeakMap() // what is done when a chart has got another width

export async function plot(box, figure, url) {
  const Plotly = await loadPlotly(url)
  const style = getComputedStyle(box)
  const color = (name) => style.getPropertyValue(`--st-${name}`).trim()
  const palette = { $text: color("text-color"), $grid: color("border-color") }
  const paint = (value) => coloured(value, palette)
  const font = { color: palette.$text, family: style.fontFamily, size: 13 }
  const few = () => box.clientWidth > 0 && box.clientWidth < FEW
  const narrow = few()
  const layout = { ...paint(figure.layout), ...(narrow ? paint(figure.narrow ?? {}) : {}), font, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true }
  await Plotly.react(box, paint(figure.data), layout, { responsive: true, displayModeBar: false })
  if (!plotted.has(box)) onWidth(box, () => plotted.get(box)())
  plotted.set(box, () => (few() === narrow ? Plotly.Plots.resize(box) : plot(box, figure, url)))
  return Plotly
}

export async function chart(component) {
  const { data, parentElement } = component
  const box = parentElement.querySelector(".chart")
  box.setAttribute("aria-label", data.alt)
  await plot(box, data.figure, data.plotly)
}

// --- pictures and large files to take away -------------------------------------------------------------

const SCALE = 2

function asData(text, type) {
  return `data:${type};charset=utf-8,${encodeURIComponent(text)}`
}

async function drawingAsPng(svg) {
  const image = new Image()
  image.src = asData(svg, "image/svg+xml")
  await image.decode()
  const canvas = element("canvas", { width: SCALE * image.naturalWidth, height: SCALE * image.naturalHeight })
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height)
  return canvas.toDataURL("image/png")
}

async function chartAsPng(figure, plotlyUrl, paper) {
  const Plotly = await loadPlotly(plotlyUrl)
  const layout = { ...coloured(figure.layout, paper), width: 1000, paper_bgcolor: paper.background, plot_bgcolor: paper.background }
  layout.font = { color: paper.$text, family: "Helvetica, Arial, sans-serif", size: 13 }
  const options = { format: "png", width: layout.width, height: layout.height, scale: SCALE }
  return Plotly.toImage({ data: coloured(figure.data, paper), layout }, options)
}

function save(href, name) {
  const link = element("a", { href, download: name })
  document.body.append(link)
  link.click()
  link.remove()
}

export function downloads(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".downloads")
  const failed = element("span", { role: "alert" })
  const button = (file) => {
    const content = () => {
      if (file.figure) return chartAsPng(file.figure, data.plotly, data.paper)
      if (file.svg) return file.name.endsWith(".svg") ? asData(file.svg, "image/svg+xml") : drawingAsPng(file.svg)
      return asData(file.text, "text/plain")
    }
    if (file.url) return element("a", { class: "download", href: file.url, download: file.name }, file.label)
    const node = element("button", { type: "button", class: "download" }, file.label)
    node.onclick = async () => {
      node.disabled = true
      failed.textContent = ""
      try {
        save(await content(), file.name)
      } catch (error) {
        failed.textContent = data.failed
      }
      node.disabled = false
    }
    return node
  }
  root.replaceChildren(...data.files.map(button), failed)
}
