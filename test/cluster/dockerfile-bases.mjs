#!/usr/bin/env node
// dockerfile-bases.mjs DOCKERFILE: prints the images that its FROM lines name, with build arguments replaced by their
// defaults: not its own stages, and not scratch.
import { readFileSync } from 'node:fs'

const defaults = new Map()
const stages = new Set(['scratch'])
const bases = new Set()
for (const line of readFileSync(process.argv[2] ?? 'Dockerfile', 'utf8').split('\n')) {
  const [, argument, value] = /^ARG\s+(\w+)="?([^"\s]*)"?/i.exec(line) ?? []
  if (argument !== undefined && bases.size === 0) defaults.set(argument, value)
  const [, from, stage] = /^FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(line) ?? []
  if (from === undefined) continue
  const image = from.replace(/\$\{(\w+)\}|\$(\w+)/g, (_, braced, plain) => defaults.get(braced ?? plain) ?? '')
  if (!stages.has(image)) bases.add(image)
  if (stage !== undefined) stages.add(stage)
}
for (const image of bases) console.log(image)
