// Compiles the modules in zip files by the very Python that will load them: `node compile.mjs PYODIDE SCRIPT FILE...`.
import { readFileSync } from "node:fs"
import { dirname } from "node:path"

const [folder, script, ...files] = process.argv.slice(2)
const { loadPyodide } = await import(`${folder}/pyodide.mjs`)
const python = await loadPyodide({ indexURL: `${folder}/` })
for (const each of new Set(files.map(dirname))) python.mountNodeFS(each, each)
python.globals.set("files", python.toPy(files))
python.runPython(readFileSync(script, "utf8"))
