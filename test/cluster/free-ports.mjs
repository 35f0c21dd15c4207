#!/usr/bin/env node
// free-ports.mjs ADDRESS COUNT: prints ports of ADDRESS that nobody listens on.
// They come from below the range that the kernel gives to outgoing connections (from 32768 on), so that none of those
// takes a port between this check and its use.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const [address, count] = process.argv.slice(2)

const listen = () =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('listening', () => resolve(server))
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen(randomInt(20_000, 32_000), address)
  })

// All are held at once so that none repeats.
const held = []
while (held.length < Number(count)) {
  const server = await listen()
  if (server !== undefined) held.push(server)
}
console.log(held.map((server) => server.address().port).join(' '))
for (const server of held) server.close()
