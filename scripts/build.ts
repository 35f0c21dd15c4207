import { readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { build, type Plugin } from 'esbuild'

/** CommonJS dependencies inside an ESM bundle still call `require`. */
const BANNER =
  "import { createRequire as korproxyRequire } from 'node:module'; const require = korproxyRequire(import.meta.url);"

/**
 * What the program's own code uses of undici. Its index also loads fetch, WebSockets, caches, interceptors and mocks: 20 ms and 6 MB at every
 * start. A name that is missing here fails the build.
 */
const UNDICI_PARTS = `
import api from './lib/api/index.js'
import Agent from './lib/dispatcher/agent.js'
import Dispatcher from './lib/dispatcher/dispatcher.js'
import ProxyAgent from './lib/dispatcher/proxy-agent.js'
Object.assign(Dispatcher.prototype, api)
export { Agent, Dispatcher, ProxyAgent }
export function request(url, { dispatcher, method = 'GET', ...options }) {
  const { origin, pathname, search } = new URL(url)
  return dispatcher.request({ ...options, method, origin, path: pathname + search })
}
`

const undiciParts: Plugin = {
  name: 'undici-parts',
  setup({ onLoad, onResolve, resolve }) {
    onResolve({ filter: /^undici$/ }, async ({ importer, resolveDir, kind, pluginData }) => {
      if (pluginData === 'whole' || importer.includes('node_modules')) return undefined
      const { path } = await resolve('undici', { importer, resolveDir, kind, pluginData: 'whole' })
      return { path, suffix: '?parts' }
    })
    onLoad({ filter: /[\\/]undici[\\/]index\.js$/ }, ({ suffix }) =>
      suffix === '?parts' ? { contents: UNDICI_PARTS, loader: 'js' } : undefined,
    )
  },
}

/**
 * An `import` of a module of Node reads all its exports, wanted or not. Of node:http that loads the fetch and WebSocket within Node:
 * 35 ms and 13 MB. Each importer has a part of its own: shared by several, each would be one more file to load at a start.
 */
const builtinParts: Plugin = {
  name: 'builtin-parts',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^node:/ }, ({ path, kind, importer }) =>
      kind === 'import-statement'
        ? { path, namespace: 'builtin-parts', suffix: `?${relative('.', importer)}` }
        : undefined,
    )
    onLoad({ filter: /^node:/, namespace: 'builtin-parts' }, ({ path }) => ({
      contents: `module.exports = require('${path}')`,
      loader: 'js',
    }))
  },
}

/**
 * No route has a JSON schema: requests are checked by their format. Fastify's schema compilers, which it would load all the same, take
 * 10 ms and 3 MB.
 */
const NO_SCHEMAS = "module.exports = () => () => { throw new Error('routes with a JSON schema are not supported') }"

const noSchemas: Plugin = {
  name: 'no-schemas',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]@fastify[\\/](?:ajv-compiler|fast-json-stringify-compiler)[\\/]index\.js$/ }, () => ({
      contents: NO_SCHEMAS,
      loader: 'js',
    }))
  },
}

/** undici's agents are made with `allowH2: false`, and Fastify speaks what its listener does. Node's HTTP/2 takes 10 ms at every start. */
const NO_HTTP2 = "module.exports = () => { throw new Error('HTTP/2 is not supported') }"

/** Messages are English; zod would bring those of fifty other languages, 400 KB. */
const ENGLISH = "export { default as en } from './en.js'"

const unusedParts: Plugin = {
  name: 'unused-parts',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^node:http2$/ }, ({ path }) => ({ path, namespace: 'unused-parts' }))
    onLoad({ filter: /^node:http2$/, namespace: 'unused-parts' }, () => ({ contents: NO_HTTP2, loader: 'js' }))
    onLoad({ filter: /[\\/]undici[\\/]lib[\\/]dispatcher[\\/]client-h2\.js$/ }, () => ({
      contents: NO_HTTP2,
      loader: 'js',
    }))
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, ({ path }) => ({
      contents: ENGLISH,
      loader: 'js',
      resolveDir: dirname(path),
    }))
  },
}

/**
 * Bundles the program into `dist/`: one entry and its lazily loaded parts. Starts twice as fast as the sources. V8 keeps the text of
 * what it runs: without comments and spaces that is 4 MB less.
 */
export async function buildProgram(outdir = 'dist'): Promise<void> {
  const { metafile } = await build({
    metafile: true,
    entryPoints: { korproxy: 'src/cli/launch.ts' },
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifySyntax: true,
    minifyWhitespace: true,
    // So that a place in a stack trace can be found without the source map.
    lineLimit: 200,
    sourcemap: 'linked',
    legalComments: 'none',
    banner: { js: BANNER },
    plugins: [undiciParts, builtinParts, noSchemas, unusedParts],
    logLevel: 'warning',
  })
  removeOldParts(outdir, new Set(Object.keys(metafile.outputs).map((path) => basename(path))))
}

/** Parts are named after their content: those of earlier builds would stay for ever. */
function removeOldParts(outdir: string, current: ReadonlySet<string>): void {
  for (const name of readdirSync(outdir)) {
    if (/\.js(?:\.map)?$/.test(name) && !current.has(name)) rmSync(join(outdir, name))
  }
}

if (import.meta.main) await buildProgram()
