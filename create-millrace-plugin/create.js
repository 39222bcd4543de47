import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The template of each type of plugin: an example, and the names in it that are replaced.
 * @type {Readonly<Record<string, { example: string, class: string, kind: string }>>}
 */
export const TEMPLATES = {
  source: { example: 'http-source', class: 'HttpSource', kind: 'source connector' },
  sink: { example: 'jsonl-sink', class: 'JsonlSink', kind: 'sink connector' },
  transform: { example: 'add-field-transform', class: 'AddField', kind: 'transformation' },
  converter: { example: 'csv-converter', class: 'CsvConverter', kind: 'converter' },
}

/**
 * In a clone of the repository, the examples are next to this package. The published package
 * contains a copy of the examples.
 */
const here = dirname(fileURLToPath(import.meta.url))
const examples = join(here, '../examples')
const isClone = existsSync(join(examples, TEMPLATES.source.example, 'package.json'))
const templates = isClone ? examples : join(here, 'templates')

const NAME = /^(@[a-z0-9-]+\/)?[a-z0-9][a-z0-9-]*$/
const CLASS = /^[A-Z][A-Za-z0-9]*$/

/** Returns the class name for a package: `MyOrders` for `@acme/my-orders`. */
export function classNameOf(name) {
  const words = name.replace(/^@[^/]*\//, '').split('-')
  const text = words.map(word => word.slice(0, 1).toUpperCase() + word.slice(1)).join('')
  return CLASS.test(text) ? text : `Plugin${text}`
}

/**
 * Creates the package of a plugin. Throws an Error that says what to correct. `millrace` is the
 * version of the dependency. The default is the published version. In a clone of the repository,
 * the default is the clone itself.
 * @param {{ folder: string, type: string, name?: string, className?: string, millrace?: string }}
 * options
 */
export function createPlugin({
  folder,
  type,
  name = basename(resolve(folder)),
  className = classNameOf(name),
  millrace,
}) {
  const template = TEMPLATES[type]
  if (!template) throw new Error(`the type "${type}" does not exist: use one of ${Object.keys(TEMPLATES).join(', ')}`)
  if (!NAME.test(name)) throw new Error(`"${name}" is not a package name: use lower-case letters, digits and hyphens`)
  if (!CLASS.test(className)) throw new Error(`"${className}" is not a class name: begin with a capital letter`)
  const target = resolve(folder)
  if (existsSync(target) && readdirSync(target).length > 0) throw new Error(`the folder ${target} is not empty`)
  mkdirSync(target, { recursive: true })
  cpSync(join(templates, template.example), target, { recursive: true, filter: isSource })
  for (const file of filesIn(target)) {
    const text = readFileSync(file, 'utf8').replaceAll(template.class, className)
    writeFileSync(file, text)
    const short = name.replace(/^@[^/]*\//, '')
    const renamed = join(dirname(file), basename(file).replace(`${template.example}.test`, `${short}.test`))
    if (renamed !== file) renameSync(file, renamed)
  }
  const version = millrace ?? (isClone ? `file:${relative(target, join(here, '..'))}` : undefined)
  writeManifest(join(target, 'package.json'), { name, kind: template.kind, millrace: version })
  writeFileSync(join(target, 'README.md'), readme(name, className, template))
  writeFileSync(join(target, '.gitignore'), 'node_modules\ndist\nmillrace-data\n')
  return { target, name, className }
}

const isSource = path => !/[\\/](node_modules|dist)([\\/]|$)/.test(path)

function filesIn(folder) {
  return readdirSync(folder, { recursive: true })
    .map(path => join(folder, path))
    .filter(path => statSync(path).isFile())
}

function writeManifest(path, { name, kind, millrace }) {
  const manifest = JSON.parse(readFileSync(path, 'utf8'))
  const { private: _, ...rest } = manifest
  if (millrace) rest.devDependencies.millrace = millrace
  const text = JSON.stringify({ ...rest, name, version: '0.1.0', description: `A Millrace ${kind}` }, null, 2)
  writeFileSync(path, `${text}\n`)
}

function readme(name, className, { kind, example }) {
  return `# ${name}

A Millrace ${kind}, \`${className}\`. It begins as a copy of Millrace's example \`${example}\`: change it to your needs.

\`\`\`sh
npm install
npm test        # runs the tests without a broker
npm run build
npx millrace start --plugin-path .
\`\`\`
`
}
