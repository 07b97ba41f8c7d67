import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

// What is committed has to come out the same on every machine: no time, no absolute path, nothing that hashes either.
export default defineConfig({
  plugins: [fragmentsOnce(), react(), early(), notices(), manifest(), brotli()],
  define: { PAGES: JSON.stringify(ids('HomePage', 'ProductPage')) },
  build: {
    target: 'es2022',
    sourcemap: false,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ['index.html', 'src/early.ts'] },
    assetsInlineLimit: 0, // the page's policy allows no data: scripts or styles
  },
  server: { proxy: Object.fromEntries(['/graphql', '/storefront'].map((path) => [path, 'http://127.0.0.1:8080'])) },
})

// documents are what codegen has made of src/documents, by id.
function documents(): Record<string, string> {
  return JSON.parse(readFileSync('src/gql/persisted-documents.json', 'utf8'))
}

// ids are those of the queries with the names.
function ids(...names: string[]) {
  const all = Object.entries(documents())
  return Object.fromEntries(names.map((name) => [name, all.find(([, text]) => new RegExp(`query ${name}\\b`).test(text))![0].replace('sha256:', '')]))
}

// early has the page run src/early.ts by itself, before the rest is there and before its styles are.
function early(): Plugin {
  return {
    name: 'early',
    transformIndexHtml: {
      order: 'post',
      handler: (html) => {
        const [tag, address] = /\s*<link rel="modulepreload"[^>]*href="(\/assets\/early-[^"]+)">/.exec(html)!
        return html.replace(tag, '').replace('<script', `<script type="module" async src="${address}"></script>\n  <script`)
      },
    },
  }
}

// fragmentsOnce has each fragment in the bundle once: codegen repeats it in every document that uses it.
function fragmentsOnce(): Plugin {
  return {
    name: 'fragments-once',
    enforce: 'pre',
    transform(code, id) {
      if (!id.endsWith('/src/gql/graphql.ts')) return null
      const fragments = new Map<string, string>()
      const once = (definition: { kind: string; name: { value: string } }) => {
        const text = JSON.stringify(definition)
        if (definition.kind !== 'FragmentDefinition') return text
        fragments.set(definition.name.value, text)
        return `fragment${definition.name.value}`
      }
      const documents = code.split('\n').flatMap((line) => {
        const [, name, json] = /^export const (\w+Document) = (\{.*\}) as unknown as/.exec(line) ?? []
        if (!name) return []
        const { definitions, ...rest } = JSON.parse(json)
        return `export const ${name} = {...${JSON.stringify(rest)}, definitions: [${definitions.map(once).join(', ')}]}`
      })
      const shared = [...fragments].map(([name, text]) => `const fragment${name} = ${text}`)
      return { code: [...shared, ...documents].join('\n'), map: null }
    },
  }
}

// manifest puts the documents that the shop asks for beside it.
function manifest(): Plugin {
  return {
    name: 'manifest',
    generateBundle() {
      const sorted = Object.fromEntries(Object.entries(documents()).sort(([a], [b]) => (a < b ? -1 : 1)))
      this.emitFile({ type: 'asset', fileName: 'persisted-documents.json', source: JSON.stringify(sorted, null, 1) + '\n' })
    },
  }
}

// brotli packs what browsers load, once it is written, so that the server has nothing to do.
function brotli(): Plugin {
  return {
    name: 'brotli',
    writeBundle({ dir = '' }, bundle) {
      for (const name of Object.keys(bundle).filter((name) => /\.(js|css)$/.test(name))) {
        writeFileSync(join(dir, `${name}.br`), brotliCompressSync(readFileSync(join(dir, name))))
      }
    },
  }
}

// notices collects the licences of the packages that are in the bundle.
function notices(): Plugin {
  return {
    name: 'notices',
    generateBundle(_, bundle) {
      const folders = new Set<string>()
      for (const chunk of Object.values(bundle)) {
        for (const id of chunk.type === 'chunk' ? chunk.moduleIds : []) {
          const folder = packageOf(id)
          if (folder) folders.add(folder)
        }
      }
      const texts = [...folders].map(notice).sort()
      this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY.txt', source: texts.join('\n') })
    },
  }
}

// packageOf is the folder of the package that a module is from.
function packageOf(id: string): string | undefined {
  const at = id.lastIndexOf('/node_modules/')
  if (at < 0) return undefined
  const [scope, name] = id.slice(at + '/node_modules/'.length).split('/')
  const folder = join(id.slice(0, at), 'node_modules', scope.startsWith('@') ? `${scope}/${name}` : scope)
  return existsSync(join(folder, 'package.json')) ? folder : dirname(folder)
}

function notice(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  const text = file ? readFileSync(join(folder, file), 'utf8').trim() : `Licence: ${license}`
  return `${name} ${version}\n\n${text}\n\n${'-'.repeat(80)}\n`
}
