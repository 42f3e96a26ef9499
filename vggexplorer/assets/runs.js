// The parts of the pages about runs that Streamlit has no widget for: pictures as a network sees them, the table of runs.
// Texts come translated and are put in as text, never as HTML.

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) node.setAttribute(name, value)
  }
  node.append(...children)
  return node
}

// --- pictures --------------------------------------------------------------------------------------

// {width, height, channels, bytes: base 64, pixel by pixel} on a canvas of its own size; CSS makes it larger.
function painted(picture) {
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

function figure(item) {
  const canvas = painted(item.picture)
  const mark = item.good === true ? "✓ " : item.good === false ? "✗ " : ""
  canvas.setAttribute("role", "img")
  canvas.setAttribute("aria-label", mark + item.caption.replaceAll("\n", ", "))
  const sign = element("span", { class: item.good ? "good" : "bad" }, mark)
  return element("figure", {}, canvas, element("figcaption", { "aria-hidden": "true" }, sign, item.caption))
}

const drawn = new WeakMap()

export function pictures(component) {
  const { data, parentElement } = component
  const content = JSON.stringify(data.items)
  if (drawn.get(parentElement) === content) return
  drawn.set(parentElement, content)
  const root = parentElement.querySelector(".pictures")
  root.style.setProperty("--side", `${data.side}px`)
  root.replaceChildren(...data.items.map(figure))
}
