// The parts of the pages that Streamlit has no widget for: the drawing, the layer table, the charts, pictures to keep.
// Each export draws `component.data` into `component.parentElement` and tells Python which layer was chosen.
// What a part keeps for itself (what it drew, what is folded open) lives in a WeakMap by its parent element.

const memory = new WeakMap()

function recall(component) {
  if (!memory.has(component.parentElement)) memory.set(component.parentElement, {})
  return memory.get(component.parentElement)
}

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) node.setAttribute(name, value)
  }
  node.append(...children)
  return node
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

// --- the drawing -----------------------------------------------------------------------------------

export function drawing(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".drawing")
  const mine = recall(component)
  if (mine.svg !== data.svg) {
    // Made by the core from numbers and translated words only.
    const focused = root.getRootNode().activeElement?.dataset?.layer
    root.innerHTML = data.svg
    mine.svg = data.svg
    if (focused) root.querySelector(`[data-layer="${focused}"]`)?.focus({ preventScroll: true })
  }
  const layers = () => [...root.querySelectorAll("[data-layer]")]
  const mark = (name) => {
    root.querySelector(".vgg-ring")?.remove()
    layers().forEach((item) => item.classList.toggle("selected", item.dataset.layer === name))
  }
  const choose = (event) => {
    const item = event.target.closest("[data-layer]")
    if (!item) return
    mark(item.dataset.layer)
    component.setTriggerValue("layer", item.dataset.layer)
  }
  root.onclick = choose
  root.onkeydown = (event) => {
    const items = layers()
    const at = items.indexOf(event.target.closest("[data-layer]"))
    if (at < 0) return
    if (event.key === "Enter" || event.key === " ") choose(event)
    else if (event.key === "ArrowRight") items[Math.min(at + 1, items.length - 1)].focus()
    else if (event.key === "ArrowLeft") items[Math.max(at - 1, 0)].focus()
    else return
    event.preventDefault()
  }
}

// --- the layer table -------------------------------------------------------------------------------

const unfolded = new Set() // outlives the table, which goes when another tab is opened

export function table(component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".layers")
  const mine = recall(component)
  mine.open ??= unfolded
  const draw = () => {
    const focused = parentElement.activeElement ?? root.getRootNode().activeElement
    const focus = focused?.dataset?.focus
    root.replaceChildren(head(), body(), foot())
    if (focus) root.querySelector(`[data-focus="${focus}"]`)?.focus({ preventScroll: true })
  }
  const choose = (name) => {
    data.selected = name
    draw()
    component.setTriggerValue("layer", name)
  }
  const allOpen = () => data.groups.every((group) => group.rows.length < 2 || mine.open.has(group.id))

  function head() {
    const toggle = element("button", { type: "button", class: "all", "data-focus": "all" }, allOpen() ? data.words.close : data.words.open)
    toggle.onclick = () => {
      const close = allOpen()
      mine.open.clear()
      if (!close) data.groups.forEach((group) => mine.open.add(group.id))
      draw()
    }
    const cells = data.columns.map((label, column) => element("th", { scope: "col", class: column < 2 ? "text" : "number" }, label))
    cells[0].append(" ", toggle)
    return element("thead", {}, element("tr", {}, ...cells))
  }

  function line(item, attributes, first) {
    const row = element("tr", attributes)
    const label = element("th", { scope: "row", class: "text" }, ...first)
    row.append(label, ...item.cells.map((text, column) => cell(text, column, item.shares)))
    if (item.name) {
      row.dataset.layer = item.name
      row.classList.toggle("selected", item.name === data.selected)
      row.onclick = (event) => {
        if (!event.target.closest(".fold")) choose(item.name)
      }
    }
    return row
  }

  function cell(text, column, shares) {
    const share = shares[column]
    const node = element("td", { class: column === 0 ? "text" : "number" }, element("span", {}, text))
    if (share !== null && share !== undefined) node.append(element("i", { class: "bar", style: `width:${(100 * share).toFixed(2)}%` }))
    return node
  }

  function button(item, text) {
    const chosen = item.name === data.selected
    const node = element("button", { type: "button", class: "name", "data-focus": `layer ${item.name}`, "aria-pressed": chosen }, text)
    if (item.hint) node.append(" ", element("small", {}, item.hint))
    return node
  }

  function body() {
    const rows = []
    for (const group of data.groups) {
      if (group.rows.length < 2) {
        rows.push(line(group.rows[0], {}, [element("span", { class: "nofold" }), button(group.rows[0], group.rows[0].label)]))
        continue
      }
      const open = mine.open.has(group.id)
      const fold = element(
        "button",
        { type: "button", class: "fold", "aria-expanded": open, "data-focus": `fold ${group.id}` },
        element("span", { class: "arrow", "aria-hidden": "true" }, open ? "▾" : "▸"),
        group.label,
      )
      fold.onclick = () => {
        open ? mine.open.delete(group.id) : mine.open.add(group.id)
        draw()
      }
      const summary = line(group, { class: "group" }, [fold])
      summary.classList.toggle("holds", !open && group.rows.some((row) => row.name === data.selected))
      rows.push(summary)
      if (open) for (const row of group.rows) rows.push(line(row, { class: "inner" }, [button(row, row.label)]))
    }
    return element("tbody", {}, ...rows)
  }

  function foot() {
    return element("tfoot", {}, line(data.total, {}, [data.total.label]))
  }

  root.setAttribute("aria-label", data.words.alt)
  root.onkeydown = (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return
    const stops = [...root.querySelectorAll("tbody button")]
    const at = stops.indexOf(event.target)
    if (at < 0) return
    stops[Math.min(Math.max(at + (event.key === "ArrowDown" ? 1 : -1), 0), stops.length - 1)].focus()
    event.preventDefault()
  }
  draw()
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
function coloured(value, palette) {
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

export async function chart(component) {
  const { data, parentElement } = component
  const box = parentElement.querySelector(".chart")
  const mine = recall(component)
  box.setAttribute("aria-label", data.alt)
  const Plotly = await loadPlotly(data.plotly)
  const style = getComputedStyle(box)
  const color = (name) => style.getPropertyValue(`--st-${name}`).trim()
  const palette = { $text: color("text-color"), $grid: color("border-color") }
  const paint = (value) => coloured(value, palette)
  const font = { color: palette.$text, family: style.fontFamily, size: 13 }
  const layout = { ...paint(data.figure.layout), font, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true }
  await Plotly.react(box, paint(data.figure.data), layout, { responsive: true, displayModeBar: false })
  if (!mine.follows) onWidth(box, () => Plotly.Plots.resize(box))
  mine.follows = true
  box.removeAllListeners?.("plotly_click")
  box.on("plotly_click", (event) => {
    const name = event.points[0]?.customdata
    if (typeof name === "string") component.setTriggerValue("layer", name)
  })
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
